/* Accounts: rows, generations, tombstones. */
#include "store/account.h"

#include "base/hash.h"
#include "store/chat_i.h"
#include "store/file_i.h"
#include "store/mail_i.h"
#include "store/ops.h"
#include "store/row.h"

#include <errno.h>

#define TOMBSTONE_US (INT64_C(90) * 86400 * 1000000) /* how long a removed name stays taken */

enum { ACCOUNT_VERSION = 1, TOMBSTONE_VERSION = 1 };

int account_decode(struct span key, struct span value, struct account *ret)
{
	struct rec r = row_open(value, ACCOUNT_VERSION);
	struct account a = {.flags = rec_u32(&r)};

	a.created_us = rec_i64(&r);
	a.password_us = rec_i64(&r);
	a.password_gen = rec_u64(&r);
	a.account_gen = rec_u64(&r);
	rec_str(&r, a.password, sizeof(a.password));
	if (rec_end(&r) < 0 || row_name(key, a.name, sizeof(a.name)) < 0)
		return -EBADMSG;
	*ret = a;
	return 0;
}

int account_write(struct store_txn *txn, const struct account *a)
{
	struct key key = key_account(a->name);
	struct buf b = row_begin(ACCOUNT_VERSION);

	buf_add_u32(&b, a->flags);
	rec_put_i64(&b, a->created_us);
	rec_put_i64(&b, a->password_us);
	buf_add_u64(&b, a->password_gen);
	buf_add_u64(&b, a->account_gen);
	row_text(&b, a->password, sizeof(a->password));
	return row_put(txn, &key, &b);
}

int tombstone_decode(struct span value, struct tombstone *ret)
{
	struct rec r = row_open(value, TOMBSTONE_VERSION);
	struct tombstone t = {.removed_us = rec_i64(&r)};

	t.password_gen = rec_u64(&r);
	t.account_gen = rec_u64(&r);
	if (rec_end(&r) < 0)
		return -EBADMSG;
	*ret = t;
	return 0;
}

static int tombstone_write(struct store_txn *txn, const struct account *a, int64_t now_us)
{
	struct key key = key_tombstone(a->name);
	struct buf b = row_begin(TOMBSTONE_VERSION);

	rec_put_i64(&b, now_us);
	buf_add_u64(&b, a->password_gen);
	buf_add_u64(&b, a->account_gen);
	return row_put(txn, &key, &b);
}

/* All zeros for a name that nobody had. */
static int tombstone_read(struct store_txn *txn, const char *name, struct tombstone *ret)
{
	struct key key = key_tombstone(name);
	struct span value;
	int rc = row_get(txn, &key, &value);

	if (rc == 0)
		return tombstone_decode(value, ret);
	if (rc == -ENOENT) {
		*ret = (struct tombstone){0};
		rc = 0;
	}
	return rc;
}

/* -- reading ----------------------------------------------------------------------------------- */

int account_read(struct store_txn *txn, const char *name, struct account *ret)
{
	struct key key = key_account(name);
	struct span value;
	int rc;

	if (name[0] == '\0' || strlen(name) >= ACCOUNT_NAME_SIZE)
		return -ENOENT;
	rc = row_get(txn, &key, &value);
	return rc < 0 ? rc : account_decode(key_span(&key), value, ret);
}

struct get_args {
	const char *name;
	struct account *ret;
};

static int get_view(struct store_txn *txn, void *arg)
{
	const struct get_args *g = arg;

	return account_read(txn, g->name, g->ret);
}

int account_get(struct store *s, const char *name, struct account *ret)
{
	struct get_args g = {name, ret};

	return store_view(s, get_view, &g);
}

struct each_args {
	const char *after;
	int (*each)(void *arg, const struct account *a);
	void *arg;
};

static int each_view(struct store_txn *txn, void *arg)
{
	const struct each_args *e = arg;
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key table = key_table(KEY_ACCOUNT);
	struct key from = key_account(e->after);
	struct account a = {0};
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&table), key_span(&from), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = account_decode(key, value, &a);
		if (rc == 0 && strcmp(a.name, e->after) != 0)
			rc = e->each(e->arg, &a);
	}
	return rc;
}

int account_each(struct store *s, const char *after,
	int (*each)(void *arg, const struct account *a), void *arg)
{
	struct each_args e = {after, each, arg};

	if (strlen(after) >= ACCOUNT_NAME_SIZE)
		return -EINVAL;
	return store_view(s, each_view, &e);
}

/* -- operations -------------------------------------------------------------------------------- */

int account_make(struct store_txn *txn, const char *name, int64_t now_us, struct account *ret)
{
	struct account a = {.created_us = now_us};
	struct tombstone t = {0};
	int rc = span_copy_str(span_str(name), a.name, sizeof(a.name));

	if (rc < 0 || name[0] == '\0')
		return -EINVAL;
	rc = tombstone_read(txn, name, &t);
	if (rc < 0)
		return rc;
	a.account_gen = t.account_gen + 1;
	a.password_gen = t.password_gen + 1;
	*ret = a;
	return 0;
}

/* 0, or -EEXIST while the name is in use, was until lately, or still owns files or mail. */
static int name_is_free(struct store_txn *txn, const struct account_create_args *c)
{
	struct tombstone t = {0};
	struct usage u = {.bytes = 0};
	struct account old;
	int rc = account_read(txn, c->name, &old);

	if (rc != -ENOENT)
		return rc == 0 ? -EEXIST : rc;
	rc = tombstone_read(txn, c->name, &t);
	if (rc < 0 || c->admin_act || t.removed_us == 0)
		return rc;
	if (c->now_us - t.removed_us < TOMBSTONE_US)
		return -EEXIST;
	rc = mail_is_left(txn, c->name);
	if (rc == 0)
		rc = usage_read(txn, c->name, &u);
	return rc == 1 || (rc == 0 && u.files > 0) ? -EEXIST : rc;
}

static int use_invite(
	struct store_txn *txn, const struct account_create_args *c, uint32_t *ret_flags)
{
	unsigned char hash[INVITE_HASH_LEN];
	int rc = hash_sha256(span_str(c->invite), hash);

	return rc < 0 ? rc : invite_use(txn, hash, c->name, c->now_us, ret_flags);
}

int op_account_create(struct store_txn *txn, const void *args, void *result)
{
	const struct account_create_args *c = args;
	const struct audit_note note = {c->now_us, "account-create", c->name, c->peer};
	struct account a = {0};
	uint32_t flags = 0;
	int rc = 0;

	(void)result;
	if (!row_is_text(c->name, sizeof(c->name)) || !row_is_text(c->peer, sizeof(c->peer)) ||
		!row_is_text(c->service, sizeof(c->service)) ||
		!row_is_text(c->invite, sizeof(c->invite)))
		return -EINVAL;
	/* The invite first: without one nobody learns which names are taken. */
	if (c->need_invite)
		rc = use_invite(txn, c, &flags);
	if (rc == 0)
		rc = name_is_free(txn, c);
	if (rc == 0)
		rc = account_make(txn, c->name, c->now_us, &a);
	if (rc < 0)
		return rc;
	a.flags = c->flags | flags;
	memcpy(a.password, c->password, sizeof(a.password));
	a.password_us = c->password[0] != '\0' ? c->now_us : 0;
	rc = account_write(txn, &a);
	if (rc < 0)
		return rc;
	return audit_note(txn, &note, "service=%s invite=%s flags=%u", c->service,
		c->need_invite ? "yes" : "no", a.flags);
}

int op_account_password(struct store_txn *txn, const void *args, void *result)
{
	const struct account_password_args *p = args;
	const struct audit_note note = {p->now_us, "account-password", p->name, p->peer};
	struct account a = {0};
	int rc;

	(void)result;
	if (!row_is_text(p->name, sizeof(p->name)) || !row_is_text(p->peer, sizeof(p->peer)) ||
		!row_is_text(p->service, sizeof(p->service)) ||
		!row_is_text(p->old, sizeof(p->old)))
		return -EINVAL;
	rc = account_read(txn, p->name, &a);
	if (rc < 0)
		return rc;
	if (p->only_rehash && strcmp(p->old, a.password) != 0)
		return -ESTALE;
	memcpy(a.password, p->password, sizeof(a.password));
	if (!p->only_rehash) {
		a.password_gen++;
		a.password_us = p->now_us;
	}
	rc = account_write(txn, &a);
	if (rc < 0)
		return rc;
	return audit_note(txn, &note, "service=%s%s", p->service, p->only_rehash ? " rehash" : "");
}

int op_account_flags(struct store_txn *txn, const void *args, void *result)
{
	const struct account_flags_args *f = args;
	const struct audit_note note = {f->now_us, "account-flags", f->name, "quintetctl"};
	struct account a = {0};
	uint32_t before;
	int rc;

	(void)result;
	if (!row_is_text(f->name, sizeof(f->name)))
		return -EINVAL;
	rc = account_read(txn, f->name, &a);
	if (rc < 0)
		return rc;
	before = a.flags;
	a.flags = (a.flags & ~f->clear) | f->set;
	if ((a.flags & ~before & ACCOUNT_LOCKED) != 0)
		a.account_gen++;
	rc = account_write(txn, &a);
	return rc < 0 ? rc : audit_note(txn, &note, "flags=%u before=%u", a.flags, before);
}

/* What was kept of an account that is no more. */
static int remove_left(struct store_txn *txn, const char *name, const struct audit_note *note)
{
	int rc = mail_is_left(txn, name);

	if (rc <= 0)
		return rc == 0 ? -ENOENT : rc;
	rc = mail_account_gone(txn, name);
	return rc < 0 ? rc : audit_note(txn, note, "mail that was kept");
}

int op_account_remove(struct store_txn *txn, const void *args, void *result)
{
	const struct account_remove_args *r = args;
	struct account_remove_result *res = result;
	const struct audit_note note = {r->now_us, "account-remove", r->name, "quintetctl"};
	struct account a = {0};
	struct key key;
	int rc;

	if (!row_is_text(r->name, sizeof(r->name)))
		return -EINVAL;
	rc = account_read(txn, r->name, &a);
	if (rc == -ENOENT && !r->keep_mail)
		return remove_left(txn, r->name, &note);
	if (rc < 0)
		return rc;
	rc = cert_revoke_all(txn, r->name, r->now_us, &res->revoked);
	if (rc == 0)
		rc = chat_account_gone(txn, r->name, r->now_us);
	if (rc == 0)
		rc = r->keep_mail ? mail_account_kept(txn, r->name)
				  : mail_account_gone(txn, r->name);
	if (rc == 0)
		rc = tombstone_write(txn, &a, r->now_us);
	key = key_account(r->name);
	if (rc == 0)
		rc = row_del(txn, &key);
	return rc < 0 ? rc
		      : audit_note(txn, &note, "revoked=%u mail=%s", res->revoked,
				r->keep_mail ? "kept" : "removed");
}
