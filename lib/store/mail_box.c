/*
 * An account's mailboxes, read, and how they are made. A name's row tells its mailbox, or that it
 * is only subscribed to; the names of levels that are neither follow from those below them.
 */
#include "store/mail_i.h"

#include <errno.h>
#include <stdio.h>

#define VALIDITY_EPOCH_S INT64_C(1577836800) /* 2020 */

enum { LEVEL = 1 /* '/' in keys */ };

/* -- reading ----------------------------------------------------------------------------------- */

int mail_box_read(struct store_txn *txn, const char *account, uint64_t id, struct mail_box *ret)
{
	struct key key = key_mail_box_row(account, id);
	struct span value;
	int rc = row_get(txn, &key, &value);

	return rc < 0 ? rc : mail_box_decode(key_span(&key), value, ret);
}

int mail_name_read(struct store_txn *txn, const char *account, const char *name, uint64_t *ret_id)
{
	struct key key = key_mail_name_row(account, span_str(name));
	struct span value;
	int rc = row_get(txn, &key, &value);

	return rc < 0 ? rc : row_counter(txn, &key, ret_id);
}

int mail_name_write(struct store_txn *txn, const char *account, const char *name, uint64_t id)
{
	struct key key = key_mail_name_row(account, span_str(name));

	return row_counter_put(txn, &key, id);
}

int mail_name_remove(struct store_txn *txn, const char *account, const char *name)
{
	struct key key = key_mail_name_row(account, span_str(name));

	return row_del(txn, &key);
}

int mail_name_of_key(struct span key, char ret[MAIL_NAME_SIZE])
{
	const unsigned char *nul = key.len > 1 ? memchr(key.p, '\0', key.len) : NULL;
	size_t len;

	if (nul == NULL)
		return -EBADMSG;
	len = key.len - (size_t)(nul + 1 - key.p);
	if (span_copy_str(span_of(nul + 1, len), ret, MAIL_NAME_SIZE) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < len; i++)
		if (ret[i] == LEVEL)
			ret[i] = '/';
	return mail_box_name_ok(span_str(ret)) ? 0 : -EBADMSG;
}

int mail_box_find(
	struct store_txn *txn, const char *account, struct span name, struct mail_box *ret)
{
	char canon[MAIL_NAME_SIZE];
	uint64_t id = 0;
	int rc = mail_name_canon(name, canon) < 0 ? -ENOENT : 0;

	if (rc == 0)
		rc = mail_name_read(txn, account, canon, &id);
	if (rc == 0 && id == 0)
		rc = -ENOENT;
	return rc < 0 ? rc : mail_box_read(txn, account, id, ret);
}

struct lister {
	struct store_txn *txn;
	const char *account;
	char last[MAIL_NAME_SIZE]; /* the name told last */
	int (*each)(void *arg, const struct mail_box *b);
	void *arg;
};

static int tell(struct lister *l, const char *name, size_t len, uint64_t id, bool subscribed)
{
	struct mail_box b;
	int rc = 0;

	memset(&b, 0, sizeof(b));
	memcpy(b.name, name, len);
	b.subscribed = subscribed;
	if (id != 0)
		rc = mail_box_read(l->txn, l->account, id, &b);
	return rc < 0 ? rc : l->each(l->arg, &b);
}

/* The levels above name that nothing has told of: those that the name before does not share. */
static int tell_levels(struct lister *l, const char *name)
{
	const char *slash = name;
	size_t len;
	int rc = 0;

	while (rc == 0 && (slash = strchr(slash, '/')) != NULL) {
		len = (size_t)(slash - name);
		if (strncmp(l->last, name, len) != 0 ||
			(l->last[len] != '\0' && l->last[len] != '/'))
			rc = tell(l, name, len, 0, false);
		slash++;
	}
	return rc;
}

static int list_prefix(struct lister *l, const struct key *prefix, bool skip_inbox)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	char name[MAIL_NAME_SIZE];
	struct span key, value, rest, level;
	struct rec r;
	uint64_t id;
	int rc = kv_iter_open(l->txn, key_span(prefix), key_span(prefix), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		r = rec_of(value);
		id = rec_u64(&r);
		rc = rec_end(&r) < 0 ? -EBADMSG : mail_name_of_key(key, name);
		rest = span_str(name);
		if (rc < 0)
			return rc;
		(void)span_split(&rest, '/', &level);
		if (span_eq_str(level, MAIL_INBOX) == skip_inbox)
			continue;
		rc = tell_levels(l, name);
		if (rc == 0)
			rc = tell(l, name, strlen(name), id, id == 0);
		memcpy(l->last, name, sizeof(l->last));
	}
	return rc;
}

int mail_boxes_each(struct store_txn *txn, const char *account,
	int (*each)(void *arg, const struct mail_box *b), void *arg)
{
	struct lister l = {.txn = txn, .account = account, .each = each, .arg = arg};
	struct key all = key_mail_name(account);
	struct key inbox = key_mail_name_row(account, SPAN_LIT(MAIL_INBOX));
	int rc = list_prefix(&l, &inbox, false);

	return rc != 0 ? rc : list_prefix(&l, &all, true);
}

/* -- making ------------------------------------------------------------------------------------ */

int mail_validity_next(struct store_txn *txn, int64_t now_us, uint32_t *ret)
{
	struct key key = key_meta(MAIL_META_VALIDITY);
	int64_t now_s = now_us / 1000000 - VALIDITY_EPOCH_S;
	uint64_t last = 0;
	int rc = row_counter(txn, &key, &last);

	if (rc < 0)
		return rc;
	last++;
	if (now_s > 0 && (uint64_t)now_s > last)
		last = (uint64_t)now_s;
	if (last > UINT32_MAX)
		return -EOVERFLOW;
	rc = row_counter_put(txn, &key, last);
	if (rc == 0)
		*ret = (uint32_t)last;
	return rc;
}

static int next_id(struct store_txn *txn, uint64_t *ret)
{
	struct key key = key_meta(MAIL_META_BOX);
	uint64_t id = 0;
	int rc = row_counter(txn, &key, &id);

	if (rc == 0)
		rc = row_counter_put(txn, &key, ++id);
	if (rc == 0)
		*ret = id;
	return rc;
}

int mail_box_make(struct store_txn *txn, struct mail_account *a, const struct mail_box_new *n,
	struct mail_box *ret)
{
	struct mail_box b;
	uint64_t id = 0;
	int rc;

	memset(&b, 0, sizeof(b));
	if (span_copy_str(n->name, b.name, sizeof(b.name)) < 0)
		return -EINVAL;
	rc = mail_name_read(txn, a->name, b.name, &id);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	if (rc == 0 && id != 0)
		return -EEXIST;
	b.subscribed = n->subscribed || rc == 0;
	b.use = n->use;
	b.uid_next = b.recent_uid = 1;
	b.modseq = a->modseq;
	b.created_us = n->now_us;
	rc = next_id(txn, &b.id);
	if (rc == 0)
		rc = mail_validity_next(txn, n->now_us, &b.validity);
	if (rc == 0)
		rc = mail_name_write(txn, a->name, b.name, b.id);
	if (rc == 0)
		rc = mail_box_write(txn, a->name, &b);
	if (rc < 0)
		return rc;
	a->boxes++;
	*ret = b;
	return 0;
}

/* -- accounts ---------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum mail_use use;
} first_boxes[] = {
	{MAIL_INBOX, MAIL_USE_NONE},
	{"Sent", MAIL_USE_SENT},
	{"Drafts", MAIL_USE_DRAFTS},
	{"Trash", MAIL_USE_TRASH},
	{"Junk", MAIL_USE_JUNK},
	{"Archive", MAIL_USE_ARCHIVE},
};

static int begin_account(
	struct store_txn *txn, const char *account, int64_t now_us, struct mail_account *a)
{
	struct mail_box_new n = {.subscribed = true, .now_us = now_us};
	struct mail_box b;
	int rc = 0;

	memset(a, 0, sizeof(*a));
	(void)snprintf(a->name, sizeof(a->name), "%s", account);
	a->modseq = 1;
	for (size_t i = 0; rc == 0 && i < sizeof(first_boxes) / sizeof(first_boxes[0]); i++) {
		n.name = span_str(first_boxes[i].name);
		n.use = first_boxes[i].use;
		rc = mail_box_make(txn, a, &n, &b);
	}
	return rc < 0 ? rc : mail_account_write(txn, a);
}

int mail_account_ready(
	struct store_txn *txn, const char *account, int64_t now_us, struct mail_account *ret)
{
	struct mail_account a;
	struct account owner;
	int rc;

	if (!row_is_text(account, ACCOUNT_NAME_SIZE))
		return -EINVAL;
	rc = account_read(txn, account, &owner); /* mail can outlive it */
	if (rc == 0 && (owner.flags & ACCOUNT_HOST) != 0)
		rc = -ENOENT;
	if (rc < 0)
		return rc;
	rc = mail_account_read(txn, account, &a);
	if (rc == -ENOENT)
		rc = begin_account(txn, account, now_us, &a);
	if (rc == 0)
		*ret = a;
	return rc;
}
