/*
 * Failed proofs per source and account. A level rises by one with each failure and leaks by one
 * every throttle_decay_s; at the limit waiting begins, twice as long with each further failure.
 */
#include "store/throttle.h"

#include "store/ops.h"
#include "store/policy.h"
#include "store/row.h"
#include "store/throttle_i.h"

#include <errno.h>

enum { THROTTLE_VERSION = 1, ONE_MILLI = 1000, DOUBLINGS_MAX = 10 };

#define WAIT_FIRST_US INT64_C(1000000)
#define WAIT_MAX_US (INT64_C(900) * 1000000)
#define LEVEL_MAX_MILLI UINT64_C(1000000000)

int throttle_decode(struct span value, struct throttle_row *ret)
{
	struct rec r = row_open(value, THROTTLE_VERSION);
	struct throttle_row t = {.level_milli = rec_u64(&r)};

	t.at_us = rec_i64(&r);
	t.until_us = rec_i64(&r);
	if (rec_end(&r) < 0)
		return -EBADMSG;
	*ret = t;
	return 0;
}

/* All zeros where nothing failed. */
static int read_row(struct store_txn *txn, const struct key *key, struct throttle_row *ret)
{
	struct span value;
	int rc = row_get(txn, key, &value);

	if (rc == -ENOENT) {
		*ret = (struct throttle_row){0};
		return 0;
	}
	return rc < 0 ? rc : throttle_decode(value, ret);
}

static int write_row(struct store_txn *txn, const struct key *key, const struct throttle_row *t)
{
	struct buf b = row_begin(THROTTLE_VERSION);

	buf_add_u64(&b, t->level_milli);
	rec_put_i64(&b, t->at_us);
	rec_put_i64(&b, t->until_us);
	return row_put(txn, key, &b);
}

uint64_t throttle_level_milli(const struct throttle_row *t, uint64_t decay_s, int64_t now_us)
{
	uint64_t leaked;

	if (now_us <= t->at_us || decay_s == 0)
		return t->level_milli;
	leaked = ((uint64_t)now_us - (uint64_t)t->at_us) / (decay_s * 1000);
	return leaked >= t->level_milli ? 0 : t->level_milli - leaked;
}

static bool bad_key(const struct throttle_key *k)
{
	return k->len > sizeof(k->key) ||
		(k->kind != THROTTLE_SOURCE && k->kind != THROTTLE_ACCOUNT);
}

static struct key row_key(const struct throttle_key *k)
{
	return key_throttle((uint8_t)k->kind, span_of(k->key, k->len));
}

static int64_t wait_us(uint64_t level_milli, uint64_t limit)
{
	uint64_t level = (level_milli + ONE_MILLI / 2) / ONE_MILLI;
	int64_t wait;

	if (level < limit)
		return 0;
	level -= limit;
	wait = WAIT_FIRST_US << (level < DOUBLINGS_MAX ? level : DOUBLINGS_MAX);
	return wait < WAIT_MAX_US ? wait : WAIT_MAX_US;
}

static int fail_one(struct store_txn *txn, const struct throttle_key *k, int64_t now_us)
{
	struct key key = row_key(k);
	struct throttle_row t = {0};
	uint64_t limit = 0, decay_s = 0;
	int rc = policy_number_read(
		txn, k->kind == THROTTLE_SOURCE ? "throttle_source" : "throttle_account", &limit);

	if (rc == 0)
		rc = policy_number_read(txn, "throttle_decay_s", &decay_s);
	if (rc == 0)
		rc = read_row(txn, &key, &t);
	if (rc < 0)
		return rc;
	t.level_milli = throttle_level_milli(&t, decay_s, now_us) + ONE_MILLI;
	if (t.level_milli > LEVEL_MAX_MILLI)
		t.level_milli = LEVEL_MAX_MILLI;
	t.at_us = now_us;
	t.until_us = now_us + wait_us(t.level_milli, limit);
	return write_row(txn, &key, &t);
}

int op_throttle_fail(struct store_txn *txn, const void *args, void *result)
{
	const struct throttle_args *a = args;
	int rc = 0;

	(void)result;
	if (a->count > sizeof(a->keys) / sizeof(a->keys[0]))
		return -EINVAL;
	for (size_t i = 0; rc == 0 && i < a->count; i++)
		rc = bad_key(&a->keys[i]) ? -EINVAL : fail_one(txn, &a->keys[i], a->now_us);
	return rc;
}

int op_throttle_clear(struct store_txn *txn, const void *args, void *result)
{
	const struct throttle_args *a = args;
	struct key key;
	int rc = 0;

	(void)result;
	if (a->count > sizeof(a->keys) / sizeof(a->keys[0]))
		return -EINVAL;
	for (size_t i = 0; rc == 0 && i < a->count; i++) {
		if (bad_key(&a->keys[i]))
			return -EINVAL;
		key = row_key(&a->keys[i]);
		rc = row_del(txn, &key);
		if (rc == -ENOENT)
			rc = 0;
	}
	return rc;
}

struct wait_args {
	const struct throttle_key *key;
	int64_t now_us;
	int64_t *ret_ms;
};

static int wait_view(struct store_txn *txn, void *arg)
{
	const struct wait_args *w = arg;
	struct key key = row_key(w->key);
	struct throttle_row t = {0};
	int64_t left_us;
	int rc = read_row(txn, &key, &t);

	if (rc < 0)
		return rc;
	left_us = t.until_us > w->now_us ? t.until_us - w->now_us : 0;
	if (left_us > WAIT_MAX_US) /* the clock was set back since */
		left_us = WAIT_MAX_US;
	*w->ret_ms = (left_us + 999) / 1000;
	return 0;
}

int throttle_wait_ms(
	struct store *s, const struct throttle_key *key, int64_t now_us, int64_t *ret_ms)
{
	struct wait_args w = {key, now_us, ret_ms};

	if (bad_key(key))
		return -EINVAL;
	return store_view(s, wait_view, &w);
}

static int remembered_view(struct store_txn *txn, void *arg)
{
	struct key key = row_key(arg);
	struct throttle_row t = {0};
	int rc = read_row(txn, &key, &t);

	return rc < 0 ? rc : t.level_milli > 0;
}

int throttle_remembered(struct store *s, const struct throttle_key *key)
{
	struct throttle_key copy = *key;

	return bad_key(key) ? -EINVAL : store_view(s, remembered_view, &copy);
}
