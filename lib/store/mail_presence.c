/*
 * Who is there, and when others were: from the sessions of all services, and from a row per account
 * that is written as a session ends.
 */
#include "store/mail_i.h"

#include <errno.h>
#include <stdlib.h>

enum { SEEN_VERSION = 1 };

int mail_seen_decode(struct span value, int64_t *ret_at_us)
{
	struct rec r = row_open(value, SEEN_VERSION);
	int64_t at_us = rec_i64(&r);

	if (rec_end(&r) < 0)
		return -EBADMSG;
	*ret_at_us = at_us;
	return 0;
}

int mail_seen_read(struct store_txn *txn, const char *account, int64_t *ret_at_us)
{
	struct key key = key_seen(account);
	struct span value;
	int rc = row_get(txn, &key, &value);

	if (rc == -ENOENT) {
		*ret_at_us = 0;
		return 0;
	}
	return rc < 0 ? rc : mail_seen_decode(value, ret_at_us);
}

int mail_seen_note(struct store_txn *txn, const char *account, int64_t now_us)
{
	struct key key = key_seen(account);
	struct account owner;
	struct buf b;
	int rc = account_read(txn, account, &owner);

	if (rc < 0) /* an account that was removed leaves nothing */
		return rc == -ENOENT ? 0 : rc;
	b = row_begin(SEEN_VERSION);
	rec_put_i64(&b, now_us);
	return row_put(txn, &key, &b);
}

/* -- everybody --------------------------------------------------------------------------------- */

struct gatherer {
	struct store_txn *txn;
	struct buf online; /* names, ACCOUNT_NAME_SIZE each */
	int (*each)(void *arg, const struct mail_person *p);
	void *arg;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int gather_online(struct gatherer *g)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix = key_table(KEY_SESSION);
	struct session_row s;
	struct span key, value;
	int rc = kv_iter_open(g->txn, key_span(&prefix), key_span(&prefix), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = session_decode(key, value, &s);
		if (rc == 0 && s.account[0] != '\0')
			buf_add(&g->online, span_of(s.account, sizeof(s.account)));
		if (rc == 0)
			rc = buf_error(&g->online);
	}
	if (rc == 0 && g->online.len > 0)
		qsort(g->online.p, g->online.len / ACCOUNT_NAME_SIZE, ACCOUNT_NAME_SIZE,
			compare_names);
	return rc;
}

static int tell(struct gatherer *g, const struct account *a)
{
	struct mail_person p = {.hidden = false};
	struct mail_prefs prefs = {.hidden = false};
	int rc = mail_prefs_read(g->txn, a->name, &prefs);

	memcpy(p.account, a->name, sizeof(p.account));
	p.hidden = prefs.hidden;
	if (rc == 0 && !p.hidden) {
		p.online = g->online.len > 0 &&
			bsearch(a->name, g->online.p, g->online.len / ACCOUNT_NAME_SIZE,
				ACCOUNT_NAME_SIZE, compare_names) != NULL;
		rc = mail_seen_read(g->txn, a->name, &p.seen_us);
	}
	return rc < 0 ? rc : g->each(g->arg, &p);
}

static int tell_all(struct gatherer *g)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix = key_table(KEY_ACCOUNT);
	struct account a;
	struct span key, value;
	int rc = kv_iter_open(g->txn, key_span(&prefix), key_span(&prefix), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = account_decode(key, value, &a);
		if (rc == 0 && (a.flags & (ACCOUNT_HOST | ACCOUNT_LOCKED)) == 0)
			rc = tell(g, &a);
	}
	return rc;
}

int mail_people_each(
	struct store_txn *txn, int (*each)(void *arg, const struct mail_person *p), void *arg)
{
	struct gatherer g = {txn, BUF_INIT(ROW_MAX), each, arg};
	int rc = gather_online(&g);

	if (rc == 0)
		rc = tell_all(&g);
	buf_done(&g.online);
	return rc;
}
