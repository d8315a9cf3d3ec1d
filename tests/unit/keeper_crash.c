/*
 * The keeper killed at each point of a commit and at random, with callers who go on asking: what
 * was acknowledged is there, once, and in order. The seed is printed.
 */
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/hash.h"
#include "base/num.h"
#include "store/audit.h"
#include "store/keys.h"
#include "store/session.h"
#include "tests/unit/lib/keeper_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { WRITERS = 6, AT_POINTS = 6, AT_RANDOM = 20, ROW_LIMIT = 400 };

/* Shared by all: how far each writer is, acknowledged, and whether they are to end. */
struct journal {
	_Atomic unsigned rows[WRITERS], sessions[WRITERS];
	_Atomic int end;
};

static struct journal *journal;
static _Atomic int *counters; /* of fault.h */

static void *shared(int fd, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

	assert_true(p != MAP_FAILED);
	return p;
}

/* Each call must come through, whatever happens to keepers. */
static int write_on(const struct keeper_fixture *f, unsigned w)
{
	struct store *s = keeper_fixture_open(f);
	struct audit_row row = {.event = "test", .at_us = FIXTURE_NOW};
	struct session_row session = {.pid = (int32_t)w + 1, .service = "chatd"};
	uint64_t id;

	(void)snprintf(row.account, sizeof(row.account), "w%u", w);
	while (atomic_load(&journal->end) == 0) {
		(void)snprintf(row.detail, sizeof(row.detail), "%u", journal->rows[w] + 1);
		if (store_call(s, STORE_OP_AUDIT_APPEND, &row, NULL) < 0)
			return 1;
		atomic_fetch_add(&journal->rows[w], 1);
		if (journal->rows[w] % 8 != 0)
			continue;
		if (store_call(s, STORE_OP_SESSION_ADD, &session, &id) < 0)
			return 2;
		atomic_fetch_add(&journal->sessions[w], 1);
	}
	store_close(s);
	return 0;
}

static void revive(struct keeper_fixture *f)
{
	assert_int_equal(fixture_wait(f->pid), -SIGKILL);
	keeper_fixture_start(f, "--idle-exit=0");
}

static void kill_at_points(struct keeper_fixture *f)
{
	for (unsigned i = 0; i < AT_POINTS; i++)
		for (int point = FAULT_WRITE_BEGUN; point <= FAULT_COMMITTED; point++) {
			atomic_store(&counters[point], 1 + (int)i % 3);
			revive(f);
			assert_true(atomic_load(&counters[point]) <= 0);
			atomic_store(&counters[point], 0);
		}
}

static void kill_at_random(struct keeper_fixture *f, unsigned random)
{
	for (unsigned i = 0; i < AT_RANDOM; i++) {
		random = random * 1103515245U + 12345U;
		(void)usleep(1000 + (random >> 8) % 60000);
		assert_int_equal(kill(f->pid, SIGKILL), 0);
		revive(f);
	}
}

/* -- what is there ----------------------------------------------------------------------------- */

static int look_at_row(void *arg, const struct audit_row *r)
{
	unsigned *seen = arg;
	uint64_t w = 0, n = 0;

	if (strcmp(r->event, "test") != 0)
		return 0;
	assert_int_equal(num_parse_u64(span_str(r->account + 1), 0, WRITERS - 1, &w), 0);
	assert_int_equal(num_parse_u64(span_str(r->detail), 1, UINT32_MAX, &n), 0);
	assert_int_equal(n, seen[w] + 1);
	seen[w]++;
	return 0;
}

static int look_at_session(void *arg, const struct session_row *r)
{
	((unsigned *)arg)[r->pid - 1]++;
	return 0;
}

static int count_answers(struct store_txn *txn, void *arg)
{
	const struct key all = key_table(KEY_ANSWER);
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&all), span_of(NULL, 0), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		++*(unsigned *)arg;
		rc = 0;
	}
	return rc;
}

static void expect_exact(const struct keeper_fixture *f)
{
	struct store *s = keeper_fixture_open(f);
	unsigned rows[WRITERS] = {0}, sessions[WRITERS] = {0}, answers = 0, total = 0;

	assert_int_equal(audit_each(s, 0, look_at_row, rows), 0);
	assert_int_equal(session_each(s, "chatd", look_at_session, sessions), 0);
	assert_int_equal(store_view(s, count_answers, &answers), 0);
	for (unsigned w = 0; w < WRITERS; w++) {
		assert_int_equal(rows[w], journal->rows[w]);
		assert_int_equal(sessions[w], journal->sessions[w]);
		total += rows[w];
	}
	print_message("%u acknowledged, %u remembered parts\n", total, answers);
	assert_true(total > WRITERS * AT_RANDOM);
	assert_true(answers > 0 && answers < ROW_LIMIT);
	assert_int_equal(store_check(s, NULL, NULL), 0);
	store_close(s);
}

static void test_killed(void **state)
{
	struct keeper_fixture *f = *state;
	pid_t pids[WRITERS];
	unsigned seed = 0;

	assert_int_equal(hash_random(&seed, sizeof(seed)), 0);
	print_message("seed %u\n", seed);
	for (unsigned w = 0; w < WRITERS; w++) {
		pids[w] = fork();
		assert_true(pids[w] >= 0);
		if (pids[w] == 0)
			_exit(write_on(f, w));
	}
	for (unsigned w = 0; w < WRITERS; w++)
		while (journal->rows[w] == 0)
			(void)usleep(1000);
	kill_at_points(f);
	kill_at_random(f, seed);
	atomic_store(&journal->end, 1);
	for (unsigned w = 0; w < WRITERS; w++)
		assert_int_equal(fixture_wait(pids[w]), 0);
	expect_exact(f);
}

/* The counters must be there when a program starts. */
static int with_counters(char **argv)
{
	char path[] = "/tmp/quintet-faults-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || ftruncate(fd, FAULT_POINTS * sizeof(int)) < 0 || close(fd) < 0 ||
		setenv("QUINTET_TEST_FAULTS", path, 1) < 0)
		return 1;
	(void)execv("/proc/self/exe", argv);
	return 1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_killed, keeper_fixture_setup, keeper_fixture_teardown),
	};
	const char *path = getenv("QUINTET_TEST_FAULTS");
	int fd;

	(void)argc;
	keeper_fixture_user();
	if (path == NULL)
		return with_counters(argv);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	counters = shared(fd, FAULT_POINTS * sizeof(int));
	(void)unlink(path);
	journal = shared(-1, sizeof(*journal));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
