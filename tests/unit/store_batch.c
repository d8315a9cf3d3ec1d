/*
 * Many operations in one commit: each as if alone, and what was answered is remembered. A model is
 * another store, in which the same operations are done one by one. Seeds are printed.
 */
#include "store/batch.h"

#include "base/hash.h"
#include "base/timefmt.h"
#include "store/answers.h"
#include "store/policy.h"
#include "store/row.h"
#include "store/session.h"
#include "store/store_i.h"
#include "store/throttle.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { PEOPLE = 6, STEPS = 600, BATCH = 40 };

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245U + 12345U;
	return *seed >> 8;
}

static void number_all(struct store_batch_item *items, size_t count)
{
	static uint64_t number;

	for (size_t i = 0; i < count; i++)
		items[i].ticket = (struct store_ticket){.caller = "somebody", .number = ++number};
}

static int batch(struct store *s, struct store_batch_item *items, size_t count)
{
	number_all(items, count);
	return store_batch(s, items, count);
}

/* -- the model --------------------------------------------------------------------------------- */

union args {
	struct account_create_args create;
	struct account_remove_args remove;
	struct account_flags_args flags;
	struct session_row session;
	struct session_remove_args end;
	struct throttle_args throttle;
	struct policy_set_args policy;
	struct audit_row audit;
};

static enum store_op any_operation(unsigned *seed, union args *a)
{
	const unsigned who = next_random(seed) % PEOPLE;
	char name[ACCOUNT_NAME_SIZE];

	memset(a, 0, sizeof(*a));
	(void)snprintf(name, sizeof(name), "user%u", who);
	switch (next_random(seed) % 8) {
	case 0:
		memcpy(a->create.name, name, sizeof(name));
		a->create.admin_act = true;
		a->create.now_us = FIXTURE_NOW;
		return STORE_OP_ACCOUNT_CREATE;
	case 1:
		memcpy(a->remove.name, name, sizeof(name));
		a->remove.now_us = FIXTURE_NOW;
		return STORE_OP_ACCOUNT_REMOVE;
	case 2:
		memcpy(a->flags.name, name, sizeof(name));
		a->flags.set = who % 2 == 0 ? ACCOUNT_LOCKED : 0;
		a->flags.clear = who % 2 == 0 ? 0 : ACCOUNT_LOCKED;
		a->flags.now_us = FIXTURE_NOW;
		return STORE_OP_ACCOUNT_FLAGS;
	case 3:
		a->session = (struct session_row){.pid = (int32_t)who + 1, .service = "chatd"};
		return STORE_OP_SESSION_ADD;
	case 4:
		a->end = (struct session_remove_args){.id = who + 1, .service = "chatd"};
		return STORE_OP_SESSION_REMOVE;
	case 5:
		a->throttle = (struct throttle_args){
			.keys = {{THROTTLE_ACCOUNT, "ada", 3}}, .count = 1, .now_us = FIXTURE_NOW};
		return STORE_OP_THROTTLE_FAIL;
	case 6:
		a->policy = (struct policy_set_args){.name = "signup", .now_us = FIXTURE_NOW};
		(void)snprintf(a->policy.value, sizeof(a->policy.value), "%s",
			who % 2 == 0 ? "open" : "nonsense");
		return STORE_OP_POLICY_SET;
	default:
		a->audit = (struct audit_row){.at_us = FIXTURE_NOW};
		(void)snprintf(
			a->audit.event, sizeof(a->audit.event), "%s", who == 0 ? "" : "test");
		return STORE_OP_AUDIT_APPEND;
	}
}

static void expect_same(struct store *model, const struct store_batch_item *item)
{
	const struct op_def *def = op_find(item->op);
	unsigned char result[OP_RESULT_MAX] = {0};
	int rc = store_call(model, item->op, item->args, result);

	if (rc != item->rc)
		print_error("%s: %d alone, %d in the batch\n", def->name, rc, item->rc);
	assert_int_equal(item->rc, rc);
	if (rc == 0)
		assert_memory_equal(item->result, result, def->result_size);
}

static void test_model(void **state)
{
	struct store_fixture *f = *state;
	static struct store_batch_item items[BATCH];
	static union args args[BATCH];
	struct audit_row last[2];
	struct store *model = NULL;
	char other[128];
	unsigned seed = 0;

	assert_int_equal(hash_random(&seed, sizeof(seed)), 0);
	print_message("seed %u\n", seed);
	(void)snprintf(other, sizeof(other), "%s/model", f->dir);
	assert_int_equal(store_open(other, STORE_CREATE, &model), 0);
	for (unsigned step = 0; step < STEPS;) {
		unsigned count = 1 + next_random(&seed) % BATCH;

		memset(items, 0, sizeof(items));
		for (unsigned i = 0; i < count; i++) {
			items[i].op = any_operation(&seed, &args[i]);
			items[i].args = &args[i];
		}
		assert_int_equal(batch(f->s, items, count), 0);
		for (unsigned i = 0; i < count; i++)
			expect_same(model, &items[i]);
		step += count;
	}
	assert_int_equal(store_check(f->s, NULL, NULL), 0);
	assert_int_equal(fixture_audit(f->s, &last[0]), fixture_audit(model, &last[1]));
	assert_memory_equal(&last[0], &last[1], sizeof(last[0]));
	store_close(model);
}

/* -- refusals ---------------------------------------------------------------------------------- */

struct odd_args {
	char name[8]; /* of an account's row in KEY_SEEN */
	int rc; /* what it says after it has written */
	bool quiet; /* it writes nothing */
	unsigned seed; /* of its result */
};

static void odd_result(unsigned seed, unsigned char ret[OP_RESULT_MAX])
{
	for (size_t i = 0; i < OP_RESULT_MAX; i++) {
		unsigned r = next_random(&seed);

		/* Runs of zeros and of bytes of all lengths. */
		ret[i] = r % 40 < (unsigned)(i / 64 % 30) ? 0 : (unsigned char)(r >> 8);
	}
}

static int run_odd(struct store_txn *txn, const void *args, void *result)
{
	const struct odd_args *a = args;
	struct key key = key_seen(a->name);
	static const unsigned char value[9] = {1};
	int rc = a->quiet ? 0 : kv_put(txn, key_span(&key), span_of(value, sizeof(value)));

	odd_result(a->seed, result);
	return rc < 0 ? rc : a->rc;
}

static const struct op_def odd = {.name = "odd",
	.run = run_odd,
	.args_size = sizeof(struct odd_args),
	.result_size = OP_RESULT_MAX};

static int odd_setup(void **state)
{
	op_override = &odd;
	return store_fixture_setup(state);
}

static int odd_teardown(void **state)
{
	op_override = NULL;
	return store_fixture_teardown(state);
}

static int has_row(struct store_txn *txn, void *arg)
{
	struct key key = key_seen(arg);
	struct span value;

	return kv_get(txn, key_span(&key), &value);
}

static void expect_row(struct store *s, char *name, int rc)
{
	assert_int_equal(store_view(s, has_row, name), rc);
}

static void test_refused(void **state)
{
	struct store_fixture *f = *state;
	static struct store_batch_item items[5];
	struct odd_args a[5] = {{.name = "a"}, {.name = "b", .rc = -EDQUOT}, {.name = "c"},
		{.name = "d", .rc = -EEXIST}, {.name = "e", .quiet = true, .rc = -ENOENT}};

	for (unsigned i = 0; i < 5; i++)
		items[i].args = &a[i];
	assert_int_equal(batch(f->s, items, 5), 0);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(items[i].rc, a[i].rc);
	expect_row(f->s, a[0].name, 0);
	expect_row(f->s, a[1].name, -ENOENT);
	expect_row(f->s, a[2].name, 0);
	expect_row(f->s, a[3].name, -ENOENT);
	/* Alone. */
	assert_int_equal(batch(f->s, &items[3], 1), 0);
	assert_int_equal(items[3].rc, -EEXIST);
	expect_row(f->s, a[3].name, -ENOENT);
	/* Nothing of it wrote anything. */
	assert_int_equal(batch(f->s, &items[4], 1), 0);
	assert_int_equal(items[4].rc, -ENOENT);
}

static int batch_inside(struct store_txn *txn, void *arg)
{
	struct odd_args a = {.name = "a"};
	static struct store_batch_item item;

	(void)txn;
	item.args = &a;
	assert_int_equal(batch(arg, &item, 1), -EDEADLK);
	return 0;
}

static void test_in_view(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(store_view(f->s, batch_inside, f->s), 0);
}

/* -- full -------------------------------------------------------------------------------------- */

static int small_map_setup(void **state)
{
	assert_int_equal(setenv("QUINTET_TEST_MAP_BYTES", "4194304", 1), 0);
	return store_fixture_setup(state);
}

static int small_map_teardown(void **state)
{
	assert_int_equal(unsetenv("QUINTET_TEST_MAP_BYTES"), 0);
	return store_fixture_teardown(state);
}

/* Batches until there is no room; then who frees or secures is served beside who is refused. */
static void test_map_full(void **state)
{
	struct store_fixture *f = *state;
	static struct store_batch_item items[BATCH];
	static unsigned char big[60000];
	struct crl_put_args crl = {.ca_id = 1, .number = 1, .der = span_of(big, sizeof(big))};
	struct account_flags_args lock = {.name = "ada", .set = ACCOUNT_LOCKED};
	struct audit_row row = {.event = "test", .at_us = FIXTURE_NOW};
	struct account a;
	unsigned full = 0;

	fixture_account(f->s, "ada");
	for (unsigned round = 0; round < 90; round++) {
		for (unsigned i = 0; i < BATCH; i++)
			items[i] = (struct store_batch_item){
				.op = STORE_OP_AUDIT_APPEND, .args = &row};
		/* One that may use the last pages and finds too few of them. */
		crl.ca_id = round;
		items[7] = (struct store_batch_item){.op = STORE_OP_CRL_PUT, .args = &crl};
		items[9] = (struct store_batch_item){.op = STORE_OP_ACCOUNT_FLAGS, .args = &lock};
		assert_int_equal(batch(f->s, items, BATCH), 0);
		assert_int_equal(items[9].rc, 0);
		for (unsigned i = 0; i < BATCH; i++)
			assert_true(items[i].rc == 0 || items[i].rc == -ENOSPC);
		full += items[7].rc == -ENOSPC && items[0].rc == -ENOSPC;
	}
	assert_true(full > 0);
	assert_int_equal(account_get(f->s, "ada", &a), 0);
	assert_true((a.flags & ACCOUNT_LOCKED) != 0);
	assert_int_equal(store_check(f->s, NULL, NULL), 0);
}

/* On a disk that fills up: what was answered well is there, and nothing else. */
static void fill_disk(const char *dir)
{
	static struct store_batch_item items[BATCH];
	struct audit_row row = {.event = "test", .at_us = FIXTURE_NOW};
	struct account_flags_args lock = {.name = "ada", .set = ACCOUNT_LOCKED};
	struct store *s = NULL;
	struct audit_row last;
	unsigned good = 0, bad = 0;
	char state[128];

	memset(row.detail, 'x', sizeof(row.detail) - 1);
	(void)snprintf(state, sizeof(state), "%s/state", dir);
	assert_int_equal(store_open(state, STORE_CREATE, &s), 0);
	fixture_account(s, "ada");
	good = fixture_audit(s, &last);
	for (unsigned round = 0; round < 400 && bad < 5 * BATCH; round++) {
		for (unsigned i = 0; i < BATCH; i++)
			items[i] = (struct store_batch_item){
				.op = STORE_OP_AUDIT_APPEND, .args = &row};
		assert_int_equal(batch(s, items, BATCH), 0);
		for (unsigned i = 0; i < BATCH; i++) {
			assert_true(items[i].rc == 0 || items[i].rc == -ENOSPC);
			good += items[i].rc == 0;
			bad += items[i].rc != 0;
		}
		if (bad > 0)
			assert_true(fixture_audit(s, &last) == good);
	}
	assert_true(bad >= 5 * BATCH);
	/* Free pages are there for what is urgent. */
	items[0] = (struct store_batch_item){.op = STORE_OP_AUDIT_APPEND, .args = &row};
	items[1] = (struct store_batch_item){.op = STORE_OP_ACCOUNT_FLAGS, .args = &lock};
	assert_int_equal(batch(s, items, 2), 0);
	assert_int_equal(items[1].rc, 0);
	assert_int_equal(store_check(s, NULL, NULL), 0);
	store_close(s);
}

static void test_disk_full(void **state)
{
	(void)state;
	fixture_small_disk("size=2m", fill_disk);
}

/* -- answers ----------------------------------------------------------------------------------- */

static void expect_answer(struct store *s, const struct store_batch_item *item, int rc)
{
	static struct store_batch_item found;

	assert_int_equal(store_batch_answer(s, &item->ticket, item->op, &found), rc);
	if (rc < 0)
		return;
	assert_int_equal(found.rc, 0);
	assert_memory_equal(found.result, item->result, OP_RESULT_MAX);
}

static void test_answers(void **state)
{
	struct store_fixture *f = *state;
	static struct store_batch_item items[BATCH];
	static struct odd_args a[BATCH];
	struct store_ticket stranger = {.caller = "else"};
	static struct store_batch_item found;

	for (unsigned i = 0; i < BATCH; i++) {
		(void)snprintf(a[i].name, sizeof(a[i].name), "n%u", i);
		a[i].seed = i;
		a[i].rc = i % 5 == 4 ? -EDQUOT : 0;
		items[i].args = &a[i];
	}
	assert_int_equal(batch(f->s, items, BATCH), 0);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < BATCH; i++)
			expect_answer(f->s, &items[i], i % 5 == 4 ? -ENOENT : 0);
		store_fixture_reopen(f, STORE_WRITE);
	}
	stranger.number = items[0].ticket.number;
	assert_int_equal(store_batch_answer(f->s, &stranger, 0, &found), -ENOENT);
	assert_int_equal(store_batch_answer(f->s, &items[0].ticket, 1, &found), -EBADMSG);
	/* Another life's batch leaves them alone. */
	items[1].ticket.number = 0;
	assert_int_equal(store_batch(f->s, &items[1], 1), 0);
	expect_answer(f->s, &items[0], 0);
	expect_answer(f->s, &items[1], 0);
}

/* Without any time one is done at a time, also one that is refused after it wrote: the others are
 * as they were, and the last of each commit is remembered. */
static void test_some(void **state)
{
	struct store_fixture *f = *state;
	static struct store_batch_item items[6];
	static struct odd_args a[6];
	char name[8] = "s5";
	size_t done = 0;

	for (unsigned i = 0; i < 6; i++) {
		(void)snprintf(a[i].name, sizeof(a[i].name), "s%u", i);
		a[i].rc = i % 3 == 1 ? -EDQUOT : 0;
		items[i].args = &a[i];
	}
	number_all(items, 6);
	for (size_t i = 0; i < 6; i += done) {
		expect_row(f->s, name, -ENOENT);
		assert_int_equal(store_batch_some(f->s, items + i, 6 - i, 0, &done), 0);
		assert_int_equal(done, 1);
		assert_int_equal(items[i].rc, a[i].rc);
		expect_answer(f->s, &items[i], a[i].rc == 0 ? 0 : -ENOENT);
	}
	expect_row(f->s, name, 0);
	number_all(items, 6);
	assert_int_equal(store_batch_some(f->s, items, 6, 60000, &done), 0);
	assert_int_equal(done, 6);
}

static int count_answers(struct store_txn *txn, void *arg)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	const struct key all = key_table(KEY_ANSWER);
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&all), span_of(NULL, 0), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		assert_int_equal(answers_decode(key, value), 0);
		++*(unsigned *)arg;
		rc = 0;
	}
	return rc;
}

static unsigned answers(struct store *s)
{
	unsigned n = 0;

	assert_int_equal(store_view(s, count_answers, &n), 0);
	return n;
}

static void expire(struct store *s, int64_t now_us)
{
	struct store_txn *txn = NULL;

	assert_int_equal(store_begin_write(s, now_us, &txn), 0);
	assert_int_equal(answers_expire(txn, now_us), 0);
	assert_int_equal(kv_commit(txn), 0);
}

/* However many batches, no more rows than the largest of them needs, for each life. */
static void test_bounded(void **state)
{
	struct store_fixture *f = *state;
	static struct store_batch_item items[BATCH];
	struct odd_args a = {.name = "x"};
	const int64_t now_us = time_now_us();

	for (unsigned i = 0; i < BATCH; i++)
		items[i].args = &a;
	for (unsigned round = 0; round < 30; round++)
		assert_int_equal(batch(f->s, items, 1 + round % BATCH), 0);
	assert_true(answers(f->s) <= 30);
	store_fixture_reopen(f, STORE_WRITE);
	assert_int_equal(batch(f->s, items, 1), 0);
	assert_true(answers(f->s) >= 2);
	expire(f->s, now_us + ANSWERS_KEPT_US / 2);
	assert_true(answers(f->s) >= 2);
	expire(f->s, now_us + 2 * ANSWERS_KEPT_US);
	assert_int_equal(answers(f->s), 0);
	assert_int_equal(batch(f->s, items, 2), 0);
	expire(f->s, now_us - 2 * ANSWERS_KEPT_US); /* the clock was set back */
	assert_int_equal(answers(f->s), 0);
}

#define with(setup, t, teardown) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with(store_fixture_setup, test_model, store_fixture_teardown),
		with(odd_setup, test_refused, odd_teardown),
		with(odd_setup, test_in_view, odd_teardown),
		with(small_map_setup, test_map_full, small_map_teardown),
		cmocka_unit_test(test_disk_full),
		with(odd_setup, test_answers, odd_teardown),
		with(odd_setup, test_some, odd_teardown),
		with(odd_setup, test_bounded, odd_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
