/* The table of operations, and the double run that catches an impure one. */
#include "store/ops.h"

#include "store/keys.h"
#include "store/kv.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static void test_table(void **state)
{
	(void)state;
	for (unsigned i = 0; i < STORE_OP_COUNT; i++) {
		const struct op_def *def = op_find((enum store_op)i);

		assert_non_null(def);
		assert_non_null(def->name);
		assert_non_null(def->run);
		assert_true(def->args_size > 0);
		assert_true(def->result_size <= OP_RESULT_MAX);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(def->name, op_find((enum store_op)j)->name);
	}
	assert_null(op_find(STORE_OP_COUNT));
}

static unsigned runs;

static int put(struct store_txn *txn, unsigned char value)
{
	struct key key = key_meta("test");

	return kv_add(txn, key_span(&key), span_of(&value, 1));
}

/* Fails the second time only if the first one's work was not thrown away. */
static int pure(struct store_txn *txn, const void *args, void *result)
{
	(void)args;
	memcpy(result, "abcd", 4);
	runs++;
	return put(txn, 1);
}

static int impure_result(struct store_txn *txn, const void *args, void *result)
{
	(void)args;
	runs++;
	memcpy(result, &runs, sizeof(runs));
	return put(txn, 1);
}

static int impure_answer(struct store_txn *txn, const void *args, void *result)
{
	(void)args;
	(void)result;
	return ++runs % 2 == 0 ? -EEXIST : put(txn, 1);
}

static void test_twice(void **state)
{
	struct store_fixture *f = *state;
	const struct op_def def = {"pure", pure, 1, 4, 0, NULL};
	char result[4] = "";

	op_override = &def;
	runs = 0;
	assert_int_equal(store_call(f->s, STORE_OP_SWEEP, "", result), 0);
	assert_int_equal(runs, 2);
	assert_memory_equal(result, "abcd", 4);
	assert_int_equal(store_call(f->s, STORE_OP_SWEEP, "", result), -EEXIST);
	assert_int_equal(runs, 4);
	op_override = NULL;
}

static int call_once(struct store *s, void *arg)
{
	char result[4];

	op_override = arg;
	(void)freopen("/dev/null", "w", stderr); /* the report is expected */
	return store_call(s, STORE_OP_SWEEP, "", result) == 0 ? 0 : 1;
}

static void test_impure(void **state)
{
	struct store_fixture *f = *state;
	struct op_def result = {"impure", impure_result, 1, 4, 0, NULL};
	struct op_def answer = {"impure", impure_answer, 1, 4, 0, NULL};

	runs = 0;
	assert_int_equal(fixture_wait(fixture_fork(f, call_once, &result)), -SIGABRT);
	assert_int_equal(fixture_wait(fixture_fork(f, call_once, &answer)), -SIGABRT);
}

static int after_fails(struct store *s, const void *args, void *result)
{
	(void)s;
	(void)args;
	(void)result;
	return -EIO;
}

static void test_after(void **state)
{
	struct store_fixture *f = *state;
	const struct op_def def = {"after", pure, 1, 4, 0, after_fails};
	char result[4] = "old";

	op_override = &def;
	assert_int_equal(store_call(f->s, STORE_OP_SWEEP, "", result), -EIO);
	assert_string_equal(result, "old"); /* untouched on failure */
	op_override = NULL;
}

#define with_store(t) \
	cmocka_unit_test_setup_teardown(t, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		with_store(test_twice),
		with_store(test_impure),
		with_store(test_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
