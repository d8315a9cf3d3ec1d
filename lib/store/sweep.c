/*
 * What time leaves behind: rows in one commit; then, outside of it, files that nobody refers to and
 * sessions whose process has died.
 */
#include "store/blob.h"

#include "store/blob_i.h"
#include "store/cert_i.h"
#include "store/chat_i.h"
#include "store/file_i.h"
#include "store/file_sweep.h"
#include "store/mail_i.h"
#include "store/ops.h"
#include "store/policy.h"
#include "store/row.h"
#include "store/throttle_i.h"

#include <errno.h>

enum { SESSIONS_AT_ONCE = 256 };

struct sweeper {
	struct store_txn *txn;
	int64_t now_us;
	uint64_t decay_s;
	uint64_t rows;
};

/* Each looks at a row and removes it when its time is over: 1 removed, 0 kept. */
static int sweep_invite(struct sweeper *w, struct span key, struct span value)
{
	struct invite i;
	int rc = invite_decode(key, value, &i);

	if (rc < 0 || w->now_us < i.expires_us)
		return rc;
	rc = kv_del(w->txn, key);
	return rc < 0 ? rc : 1;
}

static int sweep_cmp_ref(struct sweeper *w, struct span key, struct span value)
{
	struct cmp_ref c;
	int rc = cmp_ref_decode(key, value, &c);

	if (rc < 0 || w->now_us < c.expires_us)
		return rc;
	rc = kv_del(w->txn, key);
	return rc < 0 ? rc : 1;
}

static int sweep_throttle(struct sweeper *w, struct span key, struct span value)
{
	struct throttle_row t;
	int rc = throttle_decode(value, &t);

	if (rc < 0 || w->now_us < t.until_us || throttle_level_milli(&t, w->decay_s, w->now_us) > 0)
		return rc;
	rc = kv_del(w->txn, key);
	return rc < 0 ? rc : 1;
}

/* An intent tells what may have been signed: it stays until that would have expired. */
static int sweep_intent(struct sweeper *w, struct span key, struct span value)
{
	struct cert c;
	int rc = cert_decode(key, value, &c);

	if (rc < 0 || c.state != CERT_INTENT || w->now_us <= c.not_after_us)
		return rc;
	rc = cert_forget(w->txn, &c);
	return rc < 0 ? rc : 1;
}

/* The row only: nobody goes on with its temporary now, so it is an orphan from here on. */
static int sweep_partial(struct sweeper *w, struct span key, struct span value)
{
	struct file_partial p;
	struct span path;
	int rc = partial_decode(key, value, &path, &p);

	if (rc < 0 || w->now_us < p.expires_us)
		return rc;
	rc = partial_forget(w->txn, key, value);
	return rc < 0 ? rc : 1;
}

static const struct {
	enum key_table table;
	int (*look)(struct sweeper *w, struct span key, struct span value);
} tables[] = {
	{KEY_INVITE, sweep_invite},
	{KEY_CMP_REF, sweep_cmp_ref},
	{KEY_THROTTLE, sweep_throttle},
	{KEY_CERT, sweep_intent},
	{KEY_PARTIAL, sweep_partial},
};

static int sweep_table(struct sweeper *w, size_t n)
{
	struct key prefix = key_table(tables[n].table);
	struct key at = prefix;
	struct span key, value;
	int rc;

	while ((rc = kv_seek(w->txn, key_span(&prefix), key_span(&at), &key, &value)) == 0) {
		at = key_copy(key);
		at.p[at.len++] = 0; /* the smallest key behind it */
		rc = tables[n].look(w, key, value);
		if (rc < 0)
			return rc;
		w->rows += (uint64_t)rc;
	}
	return rc == -ENOENT ? 0 : rc;
}

int op_sweep(struct store_txn *txn, const void *args, void *result)
{
	const struct sweep_args *a = args;
	struct sweep_result *res = result;
	struct sweeper w = {.txn = txn, .now_us = a->now_us};
	int rc = policy_number_read(txn, "throttle_decay_s", &w.decay_s);

	for (size_t n = 0; rc == 0 && n < sizeof(tables) / sizeof(tables[0]); n++)
		rc = sweep_table(&w, n);
	if (rc == 0)
		res->rows = w.rows;
	return rc;
}

/* -- outside the transaction ------------------------------------------------------------------- */

struct dead_sessions {
	struct session_remove_args list[SESSIONS_AT_ONCE];
	size_t count;
};

static int gather_dead(void *arg, const struct session_row *r)
{
	struct dead_sessions *d = arg;

	if (session_alive(r))
		return 0;
	d->list[d->count].id = r->id;
	memcpy(d->list[d->count].service, r->service, sizeof(r->service));
	return ++d->count == SESSIONS_AT_ONCE; /* the rest: next round */
}

static int reap_sessions(struct store *s, uint64_t *rows)
{
	struct dead_sessions d = {.count = 0};
	bool more;
	int rc;

	do {
		d.count = 0;
		rc = session_each(s, NULL, gather_dead, &d);
		more = rc == 1;
		for (size_t i = 0; rc >= 0 && i < d.count; i++) {
			rc = store_call(s, STORE_OP_SESSION_REMOVE, &d.list[i], NULL);
			if (rc == -ENOENT) /* somebody else was quicker */
				rc = 0;
			*rows += rc == 0;
		}
	} while (rc >= 0 && more);
	return rc < 0 ? rc : 0;
}

int sweep_after(struct store *s, const void *args, void *result)
{
	const struct sweep_args *a = args;
	struct sweep_result *res = result;
	int rc = reap_sessions(s, &res->rows);

	if (rc == 0)
		rc = audit_sweep(s, a->now_us, &res->rows);
	if (rc == 0)
		rc = chat_sweep(s, a->now_us, &res->rows);
	if (rc == 0)
		rc = mail_sweep(s, a->now_us, &res->rows);
	if (rc == 0)
		rc = blob_sweep_files(s, a->now_us, &res->files);
	return rc < 0 ? rc : file_sweep(s, a->now_us, res);
}
