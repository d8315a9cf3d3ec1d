/* What is told of is on disk: who commits, reads or is refused has flushed what that rests on. */
#include "store/kv.h"
#include "store/settled.h"
#include "store/store_i.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void path_of(const struct store_fixture *f, char ret[256])
{
	(void)snprintf(ret, 256, "%s/store/settled", f->state);
}

/* Takes the file's number, and puts another there. */
static uint64_t swap(const struct store_fixture *f, uint64_t value)
{
	char path[256];
	uint64_t old = 0;
	int fd;

	path_of(f, path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &old, sizeof(old), 0), sizeof(old));
	assert_int_equal(pwrite(fd, &value, sizeof(value), 0), sizeof(value));
	(void)close(fd);
	return old;
}

static int look(struct store_txn *txn, void *arg)
{
	(void)arg;
	return txn != NULL ? 0 : -EINVAL;
}

static void test_commit(void **state)
{
	struct store_fixture *f = *state;
	uint64_t before, after;

	fixture_account(f->s, "ann");
	before = swap(f, 0);
	fixture_account(f->s, "bob");
	after = swap(f, 0);
	assert_true(before > 0);
	assert_int_equal(after, before + 1);
}

static void test_view(void **state)
{
	struct store_fixture *f = *state;
	uint64_t newest;

	fixture_account(f->s, "ann");
	newest = swap(f, 0);
	assert_int_equal(store_view(f->s, look, NULL), 0);
	assert_int_equal(swap(f, newest), newest);
}

/* Somebody else's commit is why an operation is refused, or has nothing to do. */
static void test_refusal(void **state)
{
	struct store_fixture *f = *state;
	struct account_create_args again = {.now_us = FIXTURE_NOW};
	uint64_t newest;

	fixture_account(f->s, "ann");
	memcpy(again.name, "ann", 4);
	newest = swap(f, 0);
	assert_true(store_call(f->s, STORE_OP_ACCOUNT_CREATE, &again, NULL) < 0);
	assert_int_equal(swap(f, 0), newest);
}

/* The number is behind the truth or equal to it, whatever was there before. */
static void test_stale(void **state)
{
	struct store_fixture *f = *state;
	uint64_t newest;

	fixture_account(f->s, "ann");
	store_close(f->s);
	newest = swap(f, UINT64_MAX);
	assert_int_equal(store_open(f->state, STORE_WRITE, &f->s), 0);
	assert_true(swap(f, 0) <= newest);
	assert_int_equal(store_view(f->s, look, NULL), 0);
	assert_int_equal(swap(f, newest), newest);
}

/* An empty transaction is no commit: the next has its number, and must be flushed. */
static void test_empty(void **state)
{
	struct store_fixture *f = *state;
	struct store_txn *txn = NULL;
	uint64_t newest;

	fixture_account(f->s, "ann");
	newest = swap(f, 0);
	assert_int_equal(kv_begin(f->s->env, true, FIXTURE_NOW, &txn), 0);
	assert_int_equal(kv_commit(txn), 0);
	assert_int_equal(swap(f, newest), newest);
}

/* Without the file all is well, and slower. */
static void test_none(void **state)
{
	struct store_fixture *f = *state;
	char path[256];

	store_close(f->s);
	path_of(f, path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(store_open(f->state, STORE_WRITE, &f->s), 0);
	fixture_account(f->s, "ann");
	assert_int_equal(store_view(f->s, look, NULL), 0);
	assert_int_equal(rmdir(path), 0);
}

static void test_raise(void **state)
{
	_Atomic uint64_t number = 5;
	struct settled s = {.newest = &number, .writable = true}, unknown = {.map = NULL};

	(void)state;
	settled_raise(&s, 4);
	assert_int_equal(settled_newest(&s), 5);
	settled_raise(&s, 6);
	assert_int_equal(settled_newest(&s), 6);
	settled_reset(&s);
	assert_int_equal(settled_newest(&s), 0);
	settled_raise(&unknown, 6);
	assert_int_equal(settled_newest(&unknown), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_commit, store_fixture_setup, store_fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_view, store_fixture_setup, store_fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_refusal, store_fixture_setup, store_fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_stale, store_fixture_setup, store_fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_empty, store_fixture_setup, store_fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_none, store_fixture_setup, store_fixture_teardown),
		cmocka_unit_test(test_raise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
