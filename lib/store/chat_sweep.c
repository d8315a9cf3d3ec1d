/*
 * What time leaves behind in chat, a bounded piece per commit: events beyond chat_keep, events in
 * no history after a day, what was said in channels that are gone, who was who, and counts of posts
 * that have leaked away.
 */
#include "store/chat_i.h"

#include <errno.h>

#define DAY_US (INT64_C(86400) * 1000000)
#define WHOWAS_US (7 * DAY_US)

enum { STEPS_MAX = 1000 /* rows looked at in one commit */, ID_LEN = 8, LOG_CHANNEL = 'c' };

struct sweeper {
	struct store_txn *txn;
	int64_t now_us;
	uint64_t keep_s, rate;
	struct chat_sweep *at; /* where it is */
};

/* Each does one step from w->at->from on: 1, or 0 when its stage is over. */

/* Byte by byte: a result is compared whole, so nothing may be left to chance. */
static void go_on_from(struct sweeper *w, const struct key *key)
{
	memset(&w->at->from, 0, sizeof(w->at->from));
	memcpy(w->at->from.p, key->p, key->len);
	w->at->from.len = key->len;
}

/* The first event behind a position. */
static int next_event(struct sweeper *w, uint64_t seq, uint64_t *ret_seq, struct chat_event *ret)
{
	struct key table = key_table(KEY_CHAT_EVENT), from = key_chat_event(seq + 1);
	struct span key, value;
	int rc = kv_seek(w->txn, key_span(&table), key_span(&from), &key, &value);

	if (rc == 0)
		rc = chat_event_decode(key, value, ret);
	if (rc == 0)
		*ret_seq = ret->seq;
	return rc;
}

static int step_old(struct sweeper *w)
{
	struct chat_event e = {.seq = 0};
	uint64_t seq;
	int rc = w->keep_s > 0 ? next_event(w, 0, &seq, &e) : -ENOENT;

	if (rc == 0 && (w->now_us - e.at_us) / 1000000 < (int64_t)w->keep_s)
		rc = -ENOENT;
	if (rc == 0)
		rc = chat_event_remove(w->txn, seq);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	w->at->rows++;
	return 1;
}

/* Up to where this was done is kept: the log is long, and what was looked at once is decided. */
static int step_passing(struct sweeper *w)
{
	struct key swept = key_meta(CHAT_META_SWEPT);
	struct chat_event e = {.seq = 0};
	uint64_t seq = 0;
	int rc = row_counter(w->txn, &swept, &seq);

	if (rc == 0)
		rc = next_event(w, seq, &seq, &e);
	if (rc == 0 && w->now_us - e.at_us < DAY_US)
		rc = -ENOENT;
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	rc = chat_event_is_marked(w->txn, &e);
	if (rc == 0) {
		rc = chat_event_remove(w->txn, seq);
		w->at->rows++;
	}
	if (rc >= 0)
		rc = row_counter_put(w->txn, &swept, seq);
	return rc < 0 ? rc : 1;
}

/* A mark in the history of a channel that is gone. The event goes with its last mark. */
static int forget_mark(struct sweeper *w, const struct key *mark, const struct chat_event *e)
{
	const uint64_t seq = e->seq;
	int rc = row_del(w->txn, mark);
	struct chat_event again;

	if (rc == 0)
		rc = chat_event_read(w->txn, seq, &again);
	if (rc == 0)
		rc = chat_event_is_marked(w->txn, &again);
	if (rc == 0)
		rc = chat_event_remove(w->txn, seq);
	w->at->rows++;
	return rc < 0 ? rc : 1;
}

static int step_gone(struct sweeper *w)
{
	struct key prefix = key_table(KEY_CHAT_LOG), mark;
	struct chat_channel c;
	struct chat_event e = {.seq = 0};
	struct span key, value;
	uint64_t id;
	int rc;

	key_add_number(&prefix, LOG_CHANNEL, 1);
	rc = kv_seek(w->txn, key_span(&prefix), key_span(&w->at->from), &key, &value);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	if (key.len != prefix.len + ID_LEN + ID_LEN)
		return -EBADMSG;
	mark = key_copy(key);
	id = key_number(span_of(key.p + prefix.len, ID_LEN));
	rc = chat_channel_read(w->txn, id, &c);
	if (rc == -ENOENT)
		rc = chat_event_read(w->txn, key_number(key_tail(key, ID_LEN)), &e);
	else if (rc == 0)
		e.at_us = w->now_us;
	if (rc < 0)
		return rc;
	if (w->now_us - e.at_us >= DAY_US)
		return forget_mark(w, &mark, &e);
	if (id == UINT64_MAX)
		return 0;
	mark = key_chat_log(id + 1, NULL, NULL);
	go_on_from(w, &mark);
	return 1;
}

/* The next row of a table, from being moved behind it. */
static int next_row(
	struct sweeper *w, enum key_table table, struct span *ret_key, struct span *ret_value)
{
	struct key prefix = key_table(table), from;
	int rc = kv_seek(w->txn, key_span(&prefix), key_span(&w->at->from), ret_key, ret_value);

	if (rc < 0)
		return rc;
	from = key_copy(*ret_key);
	key_add_number(&from, 0, 1); /* the smallest key behind it */
	go_on_from(w, &from);
	return from.bad ? -EBADMSG : 0;
}

static int step_whowas(struct sweeper *w)
{
	struct chat_whowas who;
	struct span key, value;
	int rc = next_row(w, KEY_CHAT_WHOWAS, &key, &value);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	rc = chat_whowas_decode(key, value, &who);
	if (rc == 0 && w->now_us - who.left_us >= WHOWAS_US) {
		rc = kv_del(w->txn, key);
		w->at->rows++;
	}
	return rc < 0 ? rc : 1;
}

static int step_flood(struct sweeper *w)
{
	struct chat_bucket b;
	struct span key, value;
	int rc = next_row(w, KEY_CHAT_FLOOD, &key, &value);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	rc = chat_bucket_decode(value, &b);
	if (rc == 0 && chat_bucket_empty(&b, w->rate, w->now_us)) {
		rc = kv_del(w->txn, key);
		w->at->rows++;
	}
	return rc < 0 ? rc : 1;
}

static int (*const stages[])(struct sweeper *w) = {
	step_old,
	step_passing,
	step_gone,
	step_whowas,
	step_flood,
};

int op_chat_sweep(struct store_txn *txn, const void *args, void *result)
{
	const size_t count = sizeof(stages) / sizeof(stages[0]);
	const struct chat_sweep *a = args;
	struct chat_sweep *res = result;
	struct sweeper w = {.txn = txn, .now_us = a->now_us, .at = res};
	int rc = policy_number_read(txn, "chat_keep", &w.keep_s);

	if (rc == 0)
		rc = policy_number_read(txn, "chat_flood_rate", &w.rate);
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

int chat_sweep(struct store *s, int64_t now_us, uint64_t *rows)
{
	struct chat_sweep at = {.now_us = now_us};
	int rc = 0;

	while (rc == 0 && !at.done) {
		rc = store_call(s, STORE_OP_CHAT_SWEEP, &at, &at);
		if (rc == 0)
			*rows += at.rows;
	}
	return rc;
}
