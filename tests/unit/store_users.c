/*
 * Services run as different users of one group: whatever one makes, the others can read, change and
 * remove. Needs root; says so and passes over it otherwise.
 */
#include "store/blob.h"
#include "store/session.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { FIRST_USER = 61001, GROUP = 61000, USERS = 3, BIG = 100000 };

static int become(uid_t user)
{
	(void)umask(0007);
	return setgroups(0, NULL) < 0 || setresgid(GROUP, GROUP, GROUP) < 0 ||
		setresuid(user, user, user) < 0;
}

/* Runs fn as a user of the group; 0 when all went well. */
static int run_as(uid_t user, int (*fn)(const char *dir, unsigned n), const char *dir, unsigned n)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(become(user) ? 90 : fn(dir, n));
	return fixture_wait(pid);
}

static int put_blob(struct store *s, unsigned char fill)
{
	static unsigned char body[BIG];
	struct blob_writer *w = NULL;
	struct blob_sealed b = {.size = 0};
	int rc = blob_begin(s, BIG, &w);

	memset(body, fill, sizeof(body));
	if (rc == 0)
		rc = blob_write(w, span_of(body, sizeof(body)));
	if (rc == 0)
		rc = blob_seal(w, &b);
	if (rc == 0)
		rc = store_call(s, STORE_OP_BLOB_PUT, &b, NULL);
	blob_end(w);
	return rc;
}

static int create(const char *dir, unsigned n)
{
	char path[128];
	struct store *s = NULL;
	int rc;

	(void)n;
	(void)snprintf(path, sizeof(path), "%s/state", dir);
	rc = store_open(path, STORE_CREATE, &s);
	store_close(s);
	return rc < 0;
}

/* Everybody writes the same body and one of his own, and makes an account. */
static int use(const char *dir, unsigned n)
{
	struct account_flags_args f = {.name = "user0", .set = ACCOUNT_ADMIN};
	char path[128], name[16];
	struct store *s = NULL;
	struct bell *b = NULL;
	int rc;

	(void)snprintf(path, sizeof(path), "%s/state", dir);
	(void)snprintf(name, sizeof(name), "user%u", n);
	rc = store_open(path, n % 2 == 0 ? STORE_READ : STORE_WRITE, &s);
	if (rc < 0)
		return 1;
	fixture_account(s, name);
	if (store_call(s, STORE_OP_ACCOUNT_FLAGS, &f, NULL) < 0)
		return 2;
	if (put_blob(s, 255) < 0 || put_blob(s, (unsigned char)n) < 0)
		return 3;
	if (bell_open(dir, &b) < 0)
		return 4;
	bell_close(b);
	rc = store_check(s, NULL, NULL);
	store_close(s);
	return rc < 0 ? 5 : 0;
}

static void test_users(void **state)
{
	char dir[64];

	(void)state;
	if (getuid() != 0) {
		print_message("skipped: not root\n");
		return;
	}
	scratch_make(dir, sizeof(dir));
	assert_int_equal(chown(dir, 0, GROUP), 0);
	assert_int_equal(chmod(dir, 02770), 0);
	assert_int_equal(run_as(FIRST_USER, create, dir, 0), 0);
	for (unsigned n = 0; n < USERS; n++)
		assert_int_equal(run_as(FIRST_USER + n, use, dir, n), 0);
	assert_int_equal(run_as(FIRST_USER, create, dir, 0), 0); /* again by the owner */
	assert_int_equal(run_as(FIRST_USER + 1, create, dir, 0), 0); /* and by another */
	scratch_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
