/* Usage and quota: exact, reserved ahead, and never passed by two at once. */
#include "store/batch.h"
#include "store/file_i.h"
#include "store/store_i.h"
#include "tests/unit/lib/file_fixture.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static struct store *store_of(void **state)
{
	return ((struct store_fixture *)*state)->s;
}

/* -- quota ------------------------------------------------------------------------------------- */

static void test_quota(void **state)
{
	struct store *s = store_of(state);

	file_fixture_quota(s, "100");
	assert_int_equal(file_fixture_put(s, "/shared/a", "ada", 60), 0);
	assert_int_equal(file_fixture_put(s, "/shared/b", "ada", 41), -EDQUOT);
	file_fixture_owner(s, "/shared/b", NULL);
	file_fixture_check(s, "ada", 60, 1, 0);
	assert_int_equal(file_fixture_put(s, "/shared/b", "ada", 40), 0);
	assert_int_equal(file_fixture_partial(s, "/shared/c", "ada", 1), -EDQUOT);
	assert_int_equal(file_fixture_put(s, "/shared/a", "ada", 59), 0);
	assert_int_equal(file_fixture_partial(s, "/shared/c", "ada", 1), 0);
	assert_int_equal(
		file_fixture_put(s, "/shared/c", "ada", 1), 0); /* the partial made room for it */
	file_fixture_check(s, "ada", 100, 3, 0);
	assert_int_equal(file_fixture_put(s, "/shared/d", "ben", 100), 0); /* each has his own */
	/* Lowered: nothing more, but less and as much as before. */
	file_fixture_quota(s, "10");
	assert_int_equal(file_fixture_put(s, "/shared/a", "ada", 60), -EDQUOT);
	assert_int_equal(file_fixture_put(s, "/shared/a", "ada", 59), 0);
	assert_int_equal(file_fixture_put(s, "/shared/a", "ada", 50), 0);
	assert_int_equal(file_fixture_put(s, "/shared/e", "ada", 0), 0);
	file_fixture_quota(s, "0");
	assert_int_equal(file_fixture_put(s, "/shared/f", "ada", INT64_MAX), 0);
	assert_int_equal(file_fixture_usage(s, "ada").quota, 0);
}

static void test_reservations(void **state)
{
	struct store *s = store_of(state);
	struct file_put_args a = {.path = SPAN_LIT("/shared/big"),
		.row = {.owner = "ada", .size = 80},
		.reservation = 1};

	file_fixture_quota(s, "100");
	assert_int_equal(file_fixture_reserve(s, "ada", 1, 50, 0), 0);
	assert_int_equal(file_fixture_reserve(s, "ada", 2, 51, 0), -EDQUOT);
	assert_int_equal(file_fixture_put(s, "/shared/small", "ada", 51),
		-EDQUOT); /* what is held is held */
	assert_int_equal(file_fixture_reserve(s, "ada", 1, 80, 0), 0);
	assert_int_equal(file_fixture_put(s, "/shared/small", "ada", 20), 0);
	assert_int_equal(file_fixture_usage(s, "ada").reserved, 80);
	assert_int_equal(file_fixture_reserve(s, "ada", 1, 81, 0), -EDQUOT);
	assert_int_equal(file_fixture_usage(s, "ada").reserved, 80);
	/* Replacing one's own file needs only the difference. */
	assert_int_equal(file_fixture_reserve(s, "ada", 3, 20, 20), 0);
	assert_int_equal(file_fixture_reserve(s, "ada", 3, 21, 20), -EDQUOT);
	assert_int_equal(file_fixture_reserve(s, "ada", 3, 0, 0), 0);
	assert_int_equal(file_fixture_reserve(s, "ada", 3, 0, 0), 0); /* again */
	assert_int_equal(store_call(s, STORE_OP_FILE_PUT, &a, NULL), 0);
	assert_int_equal(file_fixture_usage(s, "ada").reserved, 0);
	file_fixture_check(s, "ada", 100, 2, 0);
	assert_int_equal(file_fixture_reserve(s, "ada", 0, 1, 0), -EINVAL);
	assert_int_equal(file_fixture_reserve(s, "", 1, 1, 0), -EINVAL);
	assert_int_equal(file_fixture_reserve(s, "ada", 1, UINT64_C(1) << 63, 0), -EINVAL);
	/* Over the quota one may still lower what is held. */
	assert_int_equal(file_fixture_reserve(s, "ben", 5, 90, 0), 0);
	file_fixture_quota(s, "10");
	assert_int_equal(file_fixture_reserve(s, "ben", 5, 80, 0), 0);
	assert_int_equal(file_fixture_reserve(s, "ben", 5, 81, 0), -EDQUOT);
}

enum { RACE_FILES = 60, RACE_SIZE = 10, RACE_QUOTA = 500 };

/* Reserves and puts until the quota stops it; the exit status is the count put. */
static int race(struct store *s, void *arg)
{
	const int number = *(const int *)arg;
	char path[40];
	int done = 0;

	for (int i = 0; i < RACE_FILES; i++) {
		struct file_put_args a = {.row = {.owner = "ada", .size = RACE_SIZE}};
		int rc;

		a.reservation = (uint64_t)(1000 * number + i + 1);
		(void)snprintf(path, sizeof(path), "/shared/%d-%d", number, i);
		a.path = span_str(path);
		rc = file_fixture_reserve(s, "ada", a.reservation, RACE_SIZE, 0);
		if (rc == 0)
			rc = store_call(s, STORE_OP_FILE_PUT, &a, NULL);
		if (rc < 0 && rc != -EDQUOT)
			return 100;
		done += rc == 0;
	}
	return done;
}

/* Together they ask for more than twice the quota: it is reached and never passed. */
static void test_quota_race(void **state)
{
	struct store_fixture *f = *state;
	int numbers[2] = {1, 2}, done;
	pid_t pids[2];

	file_fixture_quota(f->s, "500");
	pids[0] = fixture_fork(f, race, &numbers[0]);
	pids[1] = fixture_fork(f, race, &numbers[1]);
	done = fixture_wait(pids[0]);
	done += fixture_wait(pids[1]);
	assert_int_equal(done, RACE_QUOTA / RACE_SIZE);
	file_fixture_check(f->s, "ada", RACE_QUOTA, RACE_QUOTA / RACE_SIZE, 0);
	assert_int_equal(file_fixture_usage(f->s, "ada").reserved, 0);
}

static int sum_up(void *arg, const char *account, const struct file_usage *u)
{
	struct file_usage *sum = arg;

	assert_true(strcmp(account, "ada") == 0 || strcmp(account, "ben") == 0);
	sum->bytes += u->bytes;
	sum->files += u->files;
	sum->partial_bytes += u->partial_bytes;
	sum->quota += u->quota;
	return 0;
}

static void test_usage_each(void **state)
{
	struct store *s = store_of(state);
	struct file_usage sum = {.bytes = 0};

	file_fixture_quota(s, "100");
	assert_int_equal(file_fixture_put(s, "/shared/a", "ada", 1), 0);
	assert_int_equal(file_fixture_put(s, "/shared/b", "ben", 2), 0);
	assert_int_equal(file_fixture_partial(s, "/shared/b", "ben", 4), 0);
	assert_int_equal(file_fixture_put(s, "/shared/c", "cyd", 8), 0);
	assert_int_equal(
		file_fixture_put(s, "/shared/c", "ada", 16), 0); /* nothing is cyd's any more */
	assert_int_equal(file_usage_each(s, sum_up, &sum), 0);
	assert_int_equal(sum.bytes, 19);
	assert_int_equal(sum.files, 3);
	assert_int_equal(sum.partial_bytes, 4);
	assert_int_equal(sum.quota, 200);
}

/* -- what a check finds -------------------------------------------------------------------------
 */

static void note(void *arg, const char *what)
{
	(void)snprintf(arg, 700, "%s", what);
}

static void set_usage(struct store *s, const char *account, const struct usage *u)
{
	struct store_txn *txn = NULL;

	assert_int_equal(kv_begin(s->env, true, 0, &txn), 0);
	assert_int_equal(usage_write(txn, account, u), 0);
	assert_int_equal(kv_commit(txn), 0);
}

static void check_says(struct store *s, const char *says)
{
	char what[700] = "";

	assert_int_equal(store_check(s, note, what), says == NULL ? 0 : -EBADMSG);
	if (says != NULL && strstr(what, says) == NULL)
		fail_msg("%s, not: %s", what, says);
}

static void test_check(void **state)
{
	struct store *s = store_of(state);
	struct usage right = {.bytes = 7, .files = 1, .partial_bytes = 4};
	struct usage wrong = right;

	assert_int_equal(file_fixture_put(s, "/shared/a", "ada", 7), 0);
	assert_int_equal(file_fixture_partial(s, "/shared/b", "ada", 4), 0);
	wrong.bytes++;
	set_usage(s, "ada", &wrong);
	check_says(s, "differs from its files");
	wrong = right;
	wrong.partial_bytes--;
	set_usage(s, "ada", &wrong);
	check_says(s, "differs from its files");
	set_usage(s, "ada", &(struct usage){.bytes = 0});
	check_says(s, "missing: the account has files");
	/* A wrong count keeps nobody from removing. */
	assert_int_equal(file_fixture_put(s, "/shared/a", "ben", 0), 0);
	set_usage(s, "ada", &(struct usage){.partial_bytes = 4});
	check_says(s, NULL);
	set_usage(s, "zoe", &right);
	check_says(s, "differs from its files");
}

/* So many, in one commit; the last one's code. */
static int reserve_many(struct store *s, uint64_t first, size_t count)
{
	struct store_batch_item *items = calloc(count, sizeof(*items));
	struct file_reserve_args *args = calloc(count, sizeof(*args));
	int rc;

	assert_non_null(items);
	assert_non_null(args);
	for (size_t i = 0; i < count; i++) {
		args[i] = (struct file_reserve_args){.account = "ada", .id = first + i, .bytes = 1};
		items[i].op = STORE_OP_FILE_RESERVE;
		items[i].args = &args[i];
		items[i].ticket.number = first + i;
	}
	assert_int_equal(store_batch(s, items, count), 0);
	rc = items[count - 1].rc;
	free(items);
	free(args);
	return rc;
}

/* Each is looked at by every upload of the account. */
static void test_reservations_max(void **state)
{
	struct store *s = store_of(state);

	assert_int_equal(reserve_many(s, 1, FILE_RESERVATIONS_MAX), 0);
	assert_int_equal(file_fixture_reserve(s, "ada", FILE_RESERVATIONS_MAX + 1, 1, 0), -EDQUOT);
	assert_int_equal(file_fixture_reserve(s, "ada", 7, 2, 0), 0); /* one of them */
	assert_int_equal(file_fixture_reserve(s, "ben", 1, 1, 0), 0);
	assert_int_equal(file_fixture_reserve(s, "ada", 7, 0, 0), 0);
	assert_int_equal(file_fixture_reserve(s, "ada", FILE_RESERVATIONS_MAX + 1, 1, 0), 0);
}

#define with_store(t) \
	cmocka_unit_test_setup_teardown(t, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(test_quota),
		with_store(test_reservations),
		with_store(test_reservations_max),
		with_store(test_quota_race),
		with_store(test_usage_each),
		with_store(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
