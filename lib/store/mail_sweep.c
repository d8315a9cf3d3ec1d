/*
 * What time leaves behind in mail, a bounded piece per commit: bodies of what was expunged, then
 * its rows in the log of changes; deleted mailboxes; old notes of what was sent, notices, receipts
 * whose message is gone, and submissions that nobody will send again.
 */
#include "store/mail_i.h"

#include <errno.h>

#define SECOND_US INT64_C(1000000)
#define DAY_US (INT64_C(86400) * SECOND_US)

enum { STEPS_MAX = 250 /* rows looked at in one commit */, DEAD_VERSION = 1, ID_LEN = 8 };

struct sweeper {
	struct store_txn *txn;
	int64_t now_us;
	uint64_t expunged_s, changes_s, receipts_s, notices_s;
	struct mail_sweep *at; /* where it is */
};

/* Each does one step from w->at->from on: 1, or 0 when its stage is over. */

/* Byte by byte: a result is compared whole, so nothing may be left to chance. */
static void go_on_from(struct sweeper *w, const struct key *key)
{
	memset(&w->at->from, 0, sizeof(w->at->from));
	memcpy(w->at->from.p, key->p, key->len);
	w->at->from.len = key->len;
}

static bool is_over(const struct sweeper *w, int64_t at_us, uint64_t keep_s)
{
	return w->now_us - at_us >= (int64_t)keep_s * SECOND_US;
}

/* 1, or what came instead: -ENOENT says that nothing is left. */
static int step_end(struct sweeper *w, int rc)
{
	if (rc == 0)
		w->at->rows++;
	if (rc == -ENOENT)
		return 0;
	return rc < 0 ? rc : 1;
}

/* -- what was expunged ------------------------------------------------------------------------- */

/* The one that was expunged first and whose time is over. -ENOENT. */
static int next_gone(
	struct sweeper *w, enum mail_phase phase, uint64_t keep_s, struct mail_gone *ret)
{
	struct key prefix = key_mail_gone((uint8_t)phase);
	struct span key, value;
	int rc = kv_seek(w->txn, key_span(&prefix), key_span(&prefix), &key, &value);

	if (rc == 0)
		rc = mail_gone_decode(key, value, ret);
	return rc == 0 && !is_over(w, ret->at_us, keep_s) ? -ENOENT : rc;
}

static int forget_message(struct sweeper *w, uint64_t box, const struct mail_message *m)
{
	struct key key = key_mail_message_row(box, m->uid);
	int rc = mail_body_unref(w->txn, m->blob);

	return rc < 0 ? rc : row_del(w->txn, &key);
}

static int step_bodies(struct sweeper *w)
{
	struct mail_message m;
	struct mail_gone g = {.box = 0};
	int rc = next_gone(w, MAIL_PHASE_BODY, w->expunged_s, &g);

	if (rc < 0)
		return step_end(w, rc);
	rc = mail_gone_remove(w->txn, &g);
	if (rc == 0)
		rc = mail_held_swept(w->txn, g.account, g.held);
	if (rc == 0)
		rc = mail_message_read(w->txn, g.box, g.uid, &m);
	if (rc == -ENOENT) /* its mailbox was deleted and swept */
		return 1;
	if (rc == 0)
		rc = forget_message(w, g.box, &m);
	g.phase = MAIL_PHASE_LOG;
	g.held = 0;
	if (rc == 0)
		rc = mail_gone_write(w->txn, &g);
	return rc < 0 ? rc : step_end(w, 0);
}

/* From here on the log no longer tells what happened up to that change. */
static int raise_floor(struct sweeper *w, const struct mail_gone *g)
{
	struct mail_box b;
	int rc = mail_box_read(w->txn, g->account, g->box, &b);

	if (rc < 0 || g->modseq <= b.modseq_floor)
		return rc == -ENOENT ? 0 : rc;
	b.modseq_floor = g->modseq;
	return mail_box_write(w->txn, g->account, &b);
}

static int step_log(struct sweeper *w)
{
	struct mail_gone g = {.box = 0};
	int rc = next_gone(w, MAIL_PHASE_LOG, w->changes_s, &g);

	if (rc < 0)
		return step_end(w, rc);
	rc = mail_gone_remove(w->txn, &g);
	if (rc == 0)
		rc = mail_change_remove(w->txn, g.box, g.modseq, g.uid);
	if (rc == 0)
		rc = raise_floor(w, &g);
	return rc == -ENOENT ? 1 : step_end(w, rc);
}

/* -- deleted mailboxes ------------------------------------------------------------------------- */

int mail_dead_decode(struct span value, struct mail_dead *ret)
{
	struct rec r = row_open(value, DEAD_VERSION);
	struct mail_dead d;

	memset(&d, 0, sizeof(d));
	d.at_us = rec_i64(&r);
	rec_str(&r, d.account, sizeof(d.account));
	if (rec_end(&r) < 0 || d.account[0] == '\0')
		return -EBADMSG;
	*ret = d;
	return 0;
}

int mail_box_bury(struct store_txn *txn, const char *account, uint64_t box, int64_t at_us)
{
	struct key key = key_mail_dead(box);
	struct buf b = row_begin(DEAD_VERSION);

	rec_put_i64(&b, at_us);
	row_text(&b, account, ACCOUNT_NAME_SIZE);
	return row_put(txn, &key, &b);
}

/* What was expunged before has its own row, and goes off what is held with that. */
static int dig_message(
	struct sweeper *w, const char *account, uint64_t box, const struct mail_message *m)
{
	int rc = forget_message(w, box, m);

	if (rc < 0 || m->gone)
		return rc;
	return mail_held_swept(w->txn, account, mail_row_cost(1, m->size));
}

/* Takes one row of a deleted mailbox away. -ENOENT: there is none. */
static int dig(struct sweeper *w, const char *account, uint64_t box)
{
	struct key messages = key_mail_message(box), changes = key_mail_change(box);
	struct mail_message m;
	struct span key, value;
	int rc = kv_seek(w->txn, key_span(&messages), key_span(&messages), &key, &value);

	if (rc == 0)
		rc = mail_message_decode(key, value, &m);
	if (rc == 0)
		return dig_message(w, account, box, &m);
	if (rc == -ENOENT)
		rc = kv_seek(w->txn, key_span(&changes), key_span(&changes), &key, &value);
	return rc < 0 ? rc : kv_del(w->txn, key);
}

static int step_dead(struct sweeper *w)
{
	struct key prefix = key_table(KEY_MAIL_DEAD), at;
	struct span key, value;
	struct mail_dead d = {.at_us = 0};
	int rc = kv_seek(w->txn, key_span(&prefix), key_span(&w->at->from), &key, &value);

	if (rc == 0)
		rc = mail_dead_decode(value, &d);
	if (rc < 0)
		return step_end(w, rc);
	at = key_copy(key);
	go_on_from(w, &at);
	if (is_over(w, d.at_us, w->expunged_s)) {
		rc = dig(w, d.account, key_number(key_tail(key_span(&at), ID_LEN)));
		if (rc == -ENOENT)
			rc = row_del(w->txn, &at);
		return rc < 0 ? rc : step_end(w, rc);
	}
	key_add_number(&at, 0, 1); /* the smallest key behind it */
	go_on_from(w, &at);
	return 1;
}

/* -- notes ------------------------------------------------------------------------------------- */

/* An account's rows stand in the order of time: where one is kept, so are those behind it. */
static void skip_account(struct sweeper *w, const struct key *row)
{
	struct key next = *row;

	next.len -= ID_LEN;
	next.p[next.len - 1] = 1; /* behind the NUL that ends the account's name */
	go_on_from(w, &next);
}

static int next_note(struct sweeper *w, enum key_table table, struct key *ret, struct span *value)
{
	struct key prefix = key_table(table);
	struct span key;
	int rc = kv_seek(w->txn, key_span(&prefix), key_span(&w->at->from), &key, value);

	if (rc < 0)
		return rc;
	*ret = key_copy(key);
	return key.len > 2 + ID_LEN && row_is_text((const char *)key.p + 1, key.len - 1 - ID_LEN)
		? 0
		: -EBADMSG;
}

static int step_sent(struct sweeper *w)
{
	struct mail_sent s;
	struct span value;
	struct key key;
	int rc = next_note(w, KEY_MAIL_SENT, &key, &value);

	if (rc == 0)
		rc = mail_sent_decode(value, &s);
	if (rc < 0)
		return step_end(w, rc);
	if (is_over(w, s.sent_us, w->receipts_s)) {
		rc = mail_sent_remove(w->txn, (const char *)key.p + 1,
			key_number(key_tail(key_span(&key), ID_LEN)));
		return rc < 0 ? rc : step_end(w, rc);
	}
	skip_account(w, &key);
	return 1;
}

static int step_notices(struct sweeper *w)
{
	struct mail_notice n;
	struct span value;
	struct key key;
	int rc = next_note(w, KEY_MAIL_NOTICE, &key, &value);

	if (rc == 0)
		rc = mail_notice_decode(key_span(&key), value, &n);
	if (rc < 0)
		return step_end(w, rc);
	if (is_over(w, n.at_us, w->notices_s))
		return step_end(w, row_del(w->txn, &key));
	skip_account(w, &key);
	return 1;
}

/* A message that was expunged and swept before its receipt went: nobody can send it now. */
static int step_due(struct sweeper *w)
{
	struct mail_message m;
	struct mail_due d;
	struct span value;
	struct key key, next;
	int rc = next_note(w, KEY_MAIL_DUE, &key, &value);

	if (rc == 0)
		rc = mail_due_decode(key_span(&key), value, &d);
	if (rc < 0)
		return step_end(w, rc);
	next = key;
	key_add_number(&next, 0, 1);
	go_on_from(w, &next);
	rc = mail_message_read(w->txn, d.box, d.uid, &m);
	if (rc == -ENOENT)
		return step_end(w, row_del(w->txn, &key));
	return rc < 0 ? rc : 1;
}

static int step_done(struct sweeper *w)
{
	struct key prefix = key_table(KEY_MAIL_DONE);
	struct span key, value;
	int64_t at_us = 0;
	int rc = kv_seek(w->txn, key_span(&prefix), key_span(&prefix), &key, &value);

	if (rc == 0)
		rc = mail_done_decode(value, &at_us);
	if (rc == 0 && w->now_us - at_us < 2 * DAY_US)
		rc = -ENOENT;
	return step_end(w, rc < 0 ? rc : kv_del(w->txn, key));
}

static int (*const stages[])(struct sweeper *w) = {
	step_bodies,
	step_log,
	step_dead,
	step_sent,
	step_notices,
	step_due,
	step_done,
};

static int read_policies(struct sweeper *w)
{
	int rc = policy_number_read(w->txn, "mail_expunged", &w->expunged_s);

	if (rc == 0)
		rc = policy_number_read(w->txn, "mail_changes_keep", &w->changes_s);
	if (rc == 0)
		rc = policy_number_read(w->txn, "mail_receipts_keep", &w->receipts_s);
	if (rc == 0)
		rc = policy_number_read(w->txn, "mail_notices_keep", &w->notices_s);
	return rc;
}

int op_mail_sweep(struct store_txn *txn, const void *args, void *result)
{
	const size_t count = sizeof(stages) / sizeof(stages[0]);
	const struct mail_sweep *a = args;
	struct mail_sweep *res = result;
	struct sweeper w = {.txn = txn, .now_us = a->now_us, .at = res};
	int rc = read_policies(&w);

	memcpy(res, a, sizeof(*res));
	res->rows = 0;
	for (int i = 0; rc >= 0 && res->stage < count && i < STEPS_MAX; i++) {
		rc = stages[res->stage](&w);
		if (rc != 0)
			continue;
		memset(&res->from, 0, sizeof(res->from));
		res->stage++;
	}
	res->done = res->stage >= count;
	return rc < 0 ? rc : 0;
}

int mail_sweep(struct store *s, int64_t now_us, uint64_t *rows)
{
	struct mail_sweep at = {.now_us = now_us};
	int rc = 0;

	while (rc == 0 && !at.done) {
		rc = store_call(s, STORE_OP_MAIL_SWEEP, &at, &at);
		if (rc == 0)
			*rows += at.rows;
	}
	return rc;
}
