/* Names and passwords as such: what is a name, what is reserved, what a check costs and counts. */
#include "auth/name.h"
#include "auth/password.h"
#include "base/timefmt.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_fold(void **state)
{
	static const char *const good[][2] = {{"ann", "ann"}, {"Ann", "ann"}, {"A", "a"},
		{"a-b_9", "a-b_9"},
		{"aBCDEFGHIJKLMNOPQRSTUVWXYZ012345", "abcdefghijklmnopqrstuvwxyz012345"}};
	static const char *const bad[] = {"", "1ann", "-ann", "_ann", "ann.b", "ann b", "ann@x",
		"\xc3\xa4nn", "ann\n", "a/b", "abcdefghijklmnopqrstuvwxyz0123456", "ann\\"};
	char name[ACCOUNT_NAME_SIZE] = "untouched";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(name_fold(span_str(bad[i]), name), -EINVAL);
	assert_int_equal(name_fold(span_of("a\0b", 3), name), -EINVAL);
	assert_string_equal(name, "untouched");
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(name_fold(span_str(good[i][0]), name), 0);
		assert_string_equal(name, good[i][1]);
	}
}

static void test_reserved(void **state)
{
	static const char *const reserved[] = {"root", "admin", "postmaster", "hostmaster",
		"webmaster", "abuse", "localhost", "daytimed", "ftpd", "chatd", "maild", "cad",
		"nobody", "quintet", "quintet-cad", "mail", "nickserv", "host", "example",
		"mailer-daemon"};
	static const char *const free_names[] = {"ann", "bob", "rooty", "adminny", "demo", "org"};

	(void)state;
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		assert_true(name_is_reserved(reserved[i], "Example.org"));
	for (size_t i = 0; i < sizeof(free_names) / sizeof(free_names[0]); i++)
		assert_false(name_is_reserved(free_names[i], "example.org"));
	assert_false(name_is_reserved("ann", NULL));
	assert_true(name_is_reserved("intranet", "intranet"));
}

static void test_acceptable(void **state)
{
	static const struct {
		const char *password;
		const char *reason; /* a part; NULL: fine */
	} rows[] = {
		{"correct horse", NULL},
		{"12345678", NULL},
		{"1234567", "shorter"},
		{"", "shorter"},
		{"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", "shorter"},
		{"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", NULL},
		{"pass\tword1", "control"},
		{"pass\x7fword", "control"},
		{"pass\xffword1", "UTF-8"},
		{"annabella", "the name"},
		{"AnnaBella", "the name"},
	};
	char text[PASSWORD_MAX + 2];
	const char *reason = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int r = password_acceptable(span_str(rows[i].password), "annabella", &reason);

		assert_int_equal(r, rows[i].reason == NULL ? 0 : -EINVAL);
		if (rows[i].reason != NULL)
			assert_non_null(strstr(reason, rows[i].reason));
	}
	memset(text, 'x', sizeof(text));
	assert_int_equal(password_acceptable(span_of(text, PASSWORD_MAX), "ann", &reason), 0);
	assert_int_equal(
		password_acceptable(span_of(text, PASSWORD_MAX + 1), "ann", &reason), -EINVAL);
	assert_int_equal(password_acceptable(span_of("1234567\0x", 9), "ann", &reason), -EINVAL);
}

static void test_hash_and_check(void **state)
{
	char hash[PASSWORD_HASH_SIZE], other[PASSWORD_HASH_SIZE];
	char text[PASSWORD_MAX + 1];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(password_hash(SPAN_LIT("correct horse"), NULL, hash), 0);
	assert_int_equal(password_hash(SPAN_LIT("correct horse"), NULL, other), 0);
	assert_string_not_equal(hash, other);
	assert_true(span_starts(span_str(hash), "$y$j9T$"));
	assert_int_equal(password_check(SPAN_LIT("correct horse"), hash, NULL), 0);
	assert_int_equal(password_check(SPAN_LIT("correct horse"), other, NULL), 0);
	assert_int_equal(password_check(SPAN_LIT("correct hors"), hash, NULL), -EACCES);
	assert_int_equal(password_check(SPAN_LIT("correct horse\0"), hash, NULL), -EACCES);
	assert_int_equal(password_check(SPAN_LIT(""), hash, NULL), -EACCES);
	assert_int_equal(password_check(SPAN_LIT("correct horse"), "", NULL), -EACCES);
	assert_int_equal(password_check(SPAN_LIT("correct horse"), NULL, NULL), -EACCES);
	assert_int_equal(password_check(SPAN_LIT("correct horse"), "*", NULL), -EACCES);
	assert_int_equal(password_hash(span_of(text, PASSWORD_MAX), NULL, hash), 0);
	assert_int_equal(password_check(span_of(text, PASSWORD_MAX), hash, NULL), 0);
	assert_int_equal(password_check(span_of(text, PASSWORD_MAX + 1), hash, NULL), -EACCES);
	assert_int_equal(password_hash(span_of(text, PASSWORD_MAX + 1), NULL, hash), -EINVAL);
	text[PASSWORD_MAX - 1] = 'y';
	assert_int_equal(password_check(span_of(text, PASSWORD_MAX), hash, NULL), -EACCES);
}

static void test_outdated(void **state)
{
	(void)state;
	assert_false(password_is_outdated("$y$j9T$salt$hash"));
	assert_false(password_is_outdated("$y$jAT$salt$hash"));
	assert_true(password_is_outdated("$y$j8T$salt$hash"));
	assert_true(password_is_outdated("$y$j75$salt$hash"));
	assert_true(password_is_outdated("$6$salt$hash"));
	assert_true(password_is_outdated("$2b$10$salt"));
	assert_true(password_is_outdated("$y$"));
	assert_true(password_is_outdated(""));
}

static int64_t cpu_ns(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* The least of some runs: CPU time, so that other load does not count. */
static int64_t cost_ns(struct span password, const char *hash)
{
	int64_t least = INT64_MAX;

	for (unsigned i = 0; i < 5; i++) {
		int64_t start = cpu_ns(), spent;

		(void)password_check(password, hash, NULL);
		spent = cpu_ns() - start;
		least = spent < least ? spent : least;
	}
	return least;
}

/* No account, no password, an impossible password: the same cost as a real one, within a third. */
static void test_same_cost(void **state)
{
	char hash[PASSWORD_HASH_SIZE], text[PASSWORD_MAX + 1];
	int64_t real, costs[4];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(password_hash(SPAN_LIT("correct horse"), NULL, hash), 0);
	real = cost_ns(SPAN_LIT("wrong horse"), hash);
	costs[0] = cost_ns(SPAN_LIT("wrong horse"), NULL);
	costs[1] = cost_ns(SPAN_LIT("wrong horse"), "");
	costs[2] = cost_ns(SPAN_LIT("wrong\0horse"), hash);
	costs[3] = cost_ns(span_of(text, sizeof(text)), hash);
	for (size_t i = 0; i < 4; i++)
		if (costs[i] * 3 < real * 2 || costs[i] * 2 > real * 3)
			fail_msg("case %zu: %lld ns against %lld ns", i, (long long)costs[i],
				(long long)real);
}

/* A process that holds one slot until it is killed. */
static pid_t hold_slot(const char *runtime, unsigned number)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[128], byte;
	int ready[2];
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)snprintf(path, sizeof(path), "%s/locks/password.%u", runtime, number);
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

		if (fd < 0 || fcntl(fd, F_OFD_SETLK, &lock) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Four checks at once over all processes: with all held a fifth waits, then gives up; a killed
 * holder's slot is free at once. */
static void test_cap(void **state)
{
	char runtime[64], locks[80], hash[PASSWORD_HASH_SIZE];
	int64_t start;
	pid_t pids[4];

	(void)state;
	scratch_make(runtime, sizeof(runtime));
	(void)snprintf(locks, sizeof(locks), "%s/locks", runtime);
	assert_int_equal(password_hash(SPAN_LIT("correct horse"), NULL, hash), 0);
	/* The folder is made where it is missing. */
	assert_int_equal(password_check(SPAN_LIT("correct horse"), hash, runtime), 0);
	assert_int_equal(access(locks, F_OK), 0);
	for (unsigned i = 0; i < 4; i++)
		pids[i] = hold_slot(runtime, i);
	start = time_monotonic_ms();
	assert_int_equal(password_check(SPAN_LIT("correct horse"), hash, runtime), -EAGAIN);
	assert_in_range(time_monotonic_ms() - start, 4900, 15000);
	end(pids[2]);
	assert_int_equal(password_check(SPAN_LIT("correct horse"), hash, runtime), 0);
	for (unsigned i = 0; i < 4; i++)
		if (i != 2)
			end(pids[i]);
	assert_int_equal(password_check(SPAN_LIT("correct horse"), hash, "/nonexistent"), -ENOENT);
	scratch_remove(runtime);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_acceptable),
		cmocka_unit_test(test_hash_and_check),
		cmocka_unit_test(test_outdated),
		cmocka_unit_test(test_same_cost),
		cmocka_unit_test(test_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
