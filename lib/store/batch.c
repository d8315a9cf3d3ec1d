/*
 * Many operations in one commit. They run in one transaction as they are: nearly every refusal
 * comes before anything was written, so it leaves nothing. Where one was refused after it had
 * written, all is thrown away and done again with a rehearsal of each in a transaction of its own
 * inside: what is refused there is not run. That bounds what a caller can cost who is refused on
 * purpose. Where the disk or the map is full, each gets its own commit, as if there were no batch.
 */
#include "store/batch.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/hash.h"
#include "base/timefmt.h"
#include "store/answers.h"
#include "store/store_i.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define NO_END_MS UINT_MAX
#define EXPIRE_EVERY_US (INT64_C(60) * 1000000)

struct attempt {
	struct store *s;
	struct store_batch_item *items;
	size_t count;
	unsigned most_ms; /* after which no more are begun: count is then less */
	int64_t now_us;
	bool full; /* of the map: only what frees or secures */
	bool careful; /* each is rehearsed */
	bool forgetful; /* answers are not remembered */
	bool broken; /* a write of one of them failed: of which one's fault is to be found out */
	uint16_t part; /* where they go */
};

enum { STAINED = -ECANCELED }; /* one was refused after it had written */

static bool is_urgent(const struct op_def *def)
{
	return (def->flags & (OP_FREES | OP_SECURES)) != 0;
}

/* Runs one: its own result is in item->rc. Negative: the transaction must be thrown away. */
static int run_item(struct store_txn *txn, struct attempt *a, struct store_batch_item *item)
{
	const struct op_def *def = op_find(item->op);
	unsigned before = kv_writes(txn);

	if (def == NULL || item->args == NULL || def->result_size > sizeof(item->result)) {
		item->rc = -EINVAL;
		return 0;
	}
	if (a->full && !is_urgent(def)) {
		item->rc = -ENOSPC;
		return 0;
	}
	item->rc = a->careful ? store_try(txn, def, item->args, item->result) : 0;
	if (item->rc < 0)
		return item->rc == -ENOSPC ? item->rc : 0;
	item->rc = store_run(txn, def, item->args, item->result);
	a->broken = kv_error(txn) < 0;
	if (a->broken)
		return kv_error(txn);
	return item->rc < 0 && kv_writes(txn) != before ? STAINED : 0;
}

static int remember(struct store_txn *txn, struct attempt *a)
{
	struct store *s = a->s;
	int rc = 0;

	if (a->forgetful || kv_writes(txn) == 0)
		return 0;
	if (s->life == 0)
		rc = hash_random(&s->life, sizeof(s->life));
	if (rc == 0 && (a->now_us - s->expired_us >= EXPIRE_EVERY_US || a->now_us < s->expired_us))
		rc = answers_expire(txn, a->now_us);
	if (rc < 0)
		return rc;
	s->expired_us = a->now_us;
	return answers_put(txn, s->life, a->items, a->count, &a->part);
}

static bool is_late(const struct attempt *a, int64_t began_ms)
{
	return a->most_ms != NO_END_MS && time_monotonic_ms() - began_ms >= a->most_ms;
}

/* In one transaction. Negative: nothing of it happened. */
static int attempt(struct attempt *a)
{
	struct store_txn *txn = NULL;
	int rc = store_begin_write(a->s, a->now_us, &txn);
	const int64_t began_ms = time_monotonic_ms();

	if (rc < 0)
		return rc;
	fault_at(FAULT_WRITE_BEGUN);
	for (size_t i = 0; rc == 0 && i < a->count; i++) {
		rc = run_item(txn, a, &a->items[i]);
		if (rc == 0 && is_late(a, began_ms))
			a->count = i + 1;
	}
	if (rc == 0)
		rc = remember(txn, a);
	if (rc < 0 || kv_writes(txn) == 0) {
		kv_abort(txn);
		return rc;
	}
	fault_at(FAULT_WRITE_DONE);
	return kv_commit(txn);
}

/* One by itself, each for its own part of the remembered answers. */
static void alone(struct attempt *a)
{
	const struct op_def *def = op_find(a->items->op);
	int rc = kv_fuller_than(a->s->env, STORE_FULL_PERCENT);

	a->full = rc > 0;
	a->careful = false;
	a->forgetful = false;
	if (rc >= 0)
		rc = attempt(a);
	/* Better done, though perhaps twice after a crash just now, than not at all. */
	if (rc == -ENOSPC && def != NULL && is_urgent(def)) {
		a->forgetful = true;
		rc = attempt(a);
	}
	if (rc < 0 && rc != STAINED)
		a->items->rc = rc;
}

static void one_by_one(struct attempt *all)
{
	const int64_t began_ms = time_monotonic_ms();

	for (size_t i = 0; i < all->count; i++) {
		struct attempt a = *all;

		a.items = &all->items[i];
		a.count = 1;
		alone(&a);
		all->part = a.part;
		if (is_late(all, began_ms))
			all->count = i + 1;
	}
}

/* A map that is full, one who spoils it for the others: in the end each is tried by itself. */
static int attempt_all(struct attempt *a)
{
	const size_t count = a->count;
	int rc = attempt(a);

	if (rc == STAINED && count == 1)
		return 0;
	if (rc == STAINED) {
		a->careful = true;
		rc = attempt(a);
	}
	if (rc == -ENOSPC || rc == STAINED || a->broken) {
		a->part = 0;
		one_by_one(a);
		rc = 0;
	}
	return rc;
}

int store_batch(struct store *s, struct store_batch_item *items, size_t count)
{
	size_t done;

	return store_batch_some(s, items, count, NO_END_MS, &done);
}

int store_batch_some(struct store *s, struct store_batch_item *items, size_t count,
	unsigned most_ms, size_t *ret_done)
{
	struct attempt a = {.s = s,
		.items = items,
		.count = count,
		.most_ms = most_ms,
		.now_us = time_now_us()};
	int rc;

	if (s->view != NULL)
		return -EDEADLK;
	if (s->remote != NULL)
		return -EROFS;
	rc = store_ready(s, STORE_WRITE);
	if (rc == 0)
		rc = kv_fuller_than(s->env, STORE_FULL_PERCENT);
	if (rc < 0)
		return rc;
	a.full = rc > 0;
	rc = attempt_all(&a);
	if (rc == 0)
		*ret_done = a.count;
	return rc;
}

/* -- asking again ------------------------------------------------------------------------------ */

struct question {
	const struct store_ticket *ticket;
	enum store_op op;
	struct store_batch_item *ret;
};

static int find_view(struct store_txn *txn, void *arg)
{
	const struct question *q = arg;

	return answers_find(txn, q->ticket, q->op, q->ret);
}

int store_batch_answer(struct store *s, const struct store_ticket *t, enum store_op op,
	struct store_batch_item *ret)
{
	struct question q = {.ticket = t, .op = op, .ret = ret};

	return store_view(s, find_view, &q);
}

int store_batch_tend(struct store *s)
{
	int rc = store_ready(s, STORE_WRITE);

	return rc < 0 ? rc : kv_reader_check(s->env);
}
