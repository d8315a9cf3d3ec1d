/* What each account uses and may use of the file tree: counters, reservations, the quota. */
#include "store/file_i.h"

#include "store/ops.h"

#include <errno.h>

enum { USAGE_VERSION = 1, REAPED_AT_ONCE = 256 };

int usage_decode(struct span value, struct usage *ret)
{
	struct rec r = row_open(value, USAGE_VERSION);
	struct usage u = {.bytes = rec_u64(&r)};

	u.files = rec_u64(&r);
	u.partial_bytes = rec_u64(&r);
	if (rec_end(&r) < 0)
		return -EBADMSG;
	*ret = u;
	return 0;
}

int usage_read(struct store_txn *txn, const char *account, struct usage *ret)
{
	struct key key = key_usage(account);
	struct span value;
	int rc = row_get(txn, &key, &value);

	if (rc == 0)
		return usage_decode(value, ret);
	if (rc == -ENOENT) {
		*ret = (struct usage){.bytes = 0};
		rc = 0;
	}
	return rc;
}

int usage_write(struct store_txn *txn, const char *account, const struct usage *u)
{
	struct key key = key_usage(account);
	struct buf b;
	int rc;

	if (u->bytes == 0 && u->files == 0 && u->partial_bytes == 0) {
		rc = row_del(txn, &key);
		return rc == -ENOENT ? 0 : rc;
	}
	b = row_begin(USAGE_VERSION);
	buf_add_u64(&b, u->bytes);
	buf_add_u64(&b, u->files);
	buf_add_u64(&b, u->partial_bytes);
	return row_put(txn, &key, &b);
}

/*
 * Neither end is crossed: a counter that was wrong (store_check() tells) must not keep anybody from
 * removing files.
 */
static void count(uint64_t *counter, uint64_t amount, bool comes)
{
	if (comes)
		*counter = *counter > UINT64_MAX - amount ? UINT64_MAX : *counter + amount;
	else
		*counter = *counter < amount ? 0 : *counter - amount;
}

int usage_of_file(struct store_txn *txn, const struct file_row *row, bool comes)
{
	struct usage u = {.bytes = 0};
	int rc;

	if (row->folder || row->owner[0] == '\0')
		return 0;
	rc = usage_read(txn, row->owner, &u);
	if (rc < 0)
		return rc;
	count(&u.bytes, row->size, comes);
	count(&u.files, 1, comes);
	return usage_write(txn, row->owner, &u);
}

int usage_of_partial(struct store_txn *txn, const struct file_partial *p, bool comes)
{
	struct usage u = {.bytes = 0};
	int rc = usage_read(txn, p->account, &u);

	if (rc < 0)
		return rc;
	count(&u.partial_bytes, p->size, comes);
	return usage_write(txn, p->account, &u);
}

int usage_reserved(struct store_txn *txn, const char *account, uint64_t except_id, uint64_t *ret)
{
	struct key prefix = key_reservation(account);
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct file_reserve_args a = {.id = 0};
	struct span key = {NULL, 0}, value = {NULL, 0};
	uint64_t total = 0;
	int rc = kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = reservation_decode(key, value, &a);
		if (rc == 0 && a.id != except_id && a.bytes > a.replaces)
			count(&total, a.bytes - a.replaces, true);
	}
	if (rc == 0)
		*ret = total;
	return rc;
}

int usage_total(struct store_txn *txn, const char *account, uint64_t except_id, uint64_t *ret)
{
	struct usage u = {.bytes = 0};
	uint64_t total = 0;
	int rc = usage_reserved(txn, account, except_id, &total);

	if (rc == 0)
		rc = usage_read(txn, account, &u);
	if (rc < 0)
		return rc;
	count(&total, u.bytes, true);
	count(&total, u.partial_bytes, true);
	*ret = total;
	return 0;
}

int usage_check(struct store_txn *txn, uint64_t before, uint64_t after)
{
	uint64_t quota = 0;
	int rc;

	if (after <= before)
		return 0;
	rc = policy_number_read(txn, "files_quota", &quota);
	if (rc < 0)
		return rc;
	return quota > 0 && after > quota ? -EDQUOT : 0;
}

/* -- reading ----------------------------------------------------------------------------------- */

static int read_all(struct store_txn *txn, const char *account, struct file_usage *ret)
{
	struct file_usage found = {.bytes = 0};
	struct usage u = {.bytes = 0};
	int rc = usage_read(txn, account, &u);

	if (rc == 0)
		rc = usage_reserved(txn, account, 0, &found.reserved);
	if (rc == 0)
		rc = policy_number_read(txn, "files_quota", &found.quota);
	if (rc < 0)
		return rc;
	found.bytes = u.bytes;
	found.files = u.files;
	found.partial_bytes = u.partial_bytes;
	*ret = found;
	return 0;
}

struct get_args {
	const char *account;
	struct file_usage *ret;
};

static int get_view(struct store_txn *txn, void *arg)
{
	const struct get_args *g = arg;

	return read_all(txn, g->account, g->ret);
}

int file_usage_get(struct store *s, const char *account, struct file_usage *ret)
{
	struct get_args g = {account, ret};

	if (account[0] == '\0' || strlen(account) >= ACCOUNT_NAME_SIZE)
		return -EINVAL;
	return store_view(s, get_view, &g);
}

struct each_args {
	int (*each)(void *arg, const char *account, const struct file_usage *u);
	void *arg;
};

static int each_view(struct store_txn *txn, void *arg)
{
	const struct each_args *e = arg;
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key table = key_table(KEY_USAGE);
	char account[ACCOUNT_NAME_SIZE];
	struct file_usage u = {.bytes = 0};
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&table), key_span(&table), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = row_name(key, account, sizeof(account));
		if (rc == 0)
			rc = read_all(txn, account, &u);
		if (rc == 0)
			rc = e->each(e->arg, account, &u);
	}
	return rc;
}

int file_usage_each(struct store *s,
	int (*each)(void *arg, const char *account, const struct file_usage *u), void *arg)
{
	struct each_args e = {each, arg};

	return store_view(s, each_view, &e);
}

/* -- reservations ------------------------------------------------------------------------------ */

/* Every upload looks at all of them, so there may not be any number. 0, or -EDQUOT. */
static int check_count(struct store_txn *txn, const struct file_reserve_args *a)
{
	struct key prefix = key_reservation(a->account),
		   own = key_reservation_row(a->account, a->id);
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct span key = {NULL, 0}, value = {NULL, 0};
	unsigned count = 0;
	int rc = row_get(txn, &own, &value);

	if (rc != -ENOENT)
		return rc;
	rc = kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it);
	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1)
		rc = ++count >= FILE_RESERVATIONS_MAX ? -EDQUOT : 0;
	return rc;
}

int op_file_reserve(struct store_txn *txn, const void *args, void *result)
{
	const struct file_reserve_args *a = args;
	struct key key;
	uint64_t before = 0, after = 0;
	int rc;

	(void)result;
	if (!row_is_text(a->account, sizeof(a->account)) || a->account[0] == '\0' || a->id == 0 ||
		a->bytes > INT64_MAX || a->replaces > INT64_MAX)
		return -EINVAL;
	key = key_reservation_row(a->account, a->id);
	if (a->bytes == 0) {
		rc = row_del(txn, &key);
		return rc == -ENOENT ? 0 : rc;
	}
	rc = check_count(txn, a);
	if (rc == 0)
		rc = usage_total(txn, a->account, 0, &before);
	if (rc == 0)
		rc = reservation_write(txn, a);
	if (rc == 0)
		rc = usage_total(txn, a->account, 0, &after);
	return rc < 0 ? rc : usage_check(txn, before, after);
}

struct reaper {
	const char *account; /* NULL: all */
	struct file_reserve_args list[REAPED_AT_ONCE];
	size_t count;
};

static int gather_view(struct store_txn *txn, void *arg)
{
	struct reaper *p = arg;
	struct key prefix =
		p->account != NULL ? key_reservation(p->account) : key_table(KEY_RESERVATION);
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct file_reserve_args a = {.id = 0};
	struct session_row process = {.id = 0};
	struct span key = {NULL, 0}, value = {NULL, 0};
	int rc = kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it);

	p->count = 0;
	while (rc == 0 && p->count < REAPED_AT_ONCE &&
		(rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = reservation_decode(key, value, &a);
		process.pid = a.pid;
		process.start_ticks = a.start_ticks;
		if (rc == 0 && !session_alive(&process))
			p->list[p->count++] = a;
	}
	return rc;
}

int file_reap(struct store *s, const char *account, uint64_t *ret_reaped)
{
	struct reaper *p = calloc(1, sizeof(*p));
	uint64_t reaped = 0;
	int rc = p == NULL ? -ENOMEM : 0;

	if (rc == 0)
		p->account = account;
	do {
		if (rc == 0)
			rc = store_view(s, gather_view, p);
		for (size_t i = 0; rc == 0 && i < p->count; i++) {
			p->list[i].bytes = 0;
			rc = store_call(s, STORE_OP_FILE_RESERVE, &p->list[i], NULL);
			reaped += rc == 0;
		}
	} while (rc == 0 && p->count == REAPED_AT_ONCE);
	free(p);
	if (rc == 0)
		*ret_reaped = reaped;
	return rc;
}

int file_reservations_reap(struct store *s, const char *account, unsigned *ret_reaped)
{
	uint64_t reaped = 0;
	int rc = file_reap(s, account, &reaped);

	if (rc == 0)
		*ret_reaped = (unsigned)reaped;
	return rc;
}
