/* Many processes at one tree, some of them killed: files stay whole, rows and quota exact. */
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/timefmt.h"
#include "tests/unit/lib/tree_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { PROCESSES = 4, ROUNDS = 25, SIZE = 3000, KILLS = 40 };

static unsigned seed;

struct worker {
	struct tree_fixture *x;
	unsigned number;
	const char *account;
};

/* All of one letter, so that a mixture shows. */
static void fill(unsigned char bytes[SIZE], unsigned letter)
{
	memset(bytes, (int)('a' + letter % 26), SIZE);
}

static int upload_letter(struct tree *t, const char *path, unsigned letter)
{
	const struct upload_request request = {.how = UPLOAD_REPLACE, .path = path};
	struct upload *u = NULL;
	unsigned char bytes[SIZE];
	struct ftp_entry e;
	int r = upload_new(t, &request, &u);

	fill(bytes, letter);
	for (size_t at = 0; r == 0 && at < SIZE; at += SIZE / 3)
		r = upload_write(u, span_of(bytes + at, SIZE / 3));
	if (r == 0)
		r = upload_commit(u, &e);
	upload_end(u, false);
	return r;
}

/* A store and tree of its own, as every session has. */
static int open_tree(const struct worker *w, struct store *s, struct tree **ret)
{
	int r = tree_open(w->x->f->state, ret);

	(void)umask(0007);
	return r == 0 ? tree_log_in(*ret, s, w->account, false) : r;
}

static void expect_whole(const struct tree_fixture *x, const char *path)
{
	_cleanup_(cleanup_close) int fd = -1;
	unsigned char bytes[SIZE + 1], same[SIZE], digest[HASH_SHA256_LEN];
	struct ftp_entry e = {0};

	assert_int_equal(tree_open_file(x->alice, path, &fd, &e), 0);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), SIZE);
	memset(same, bytes[0], sizeof(same));
	assert_memory_equal(bytes, same, SIZE);
	if (!e.has_digest)
		return;
	assert_int_equal(hash_sha256(span_of(bytes, SIZE), digest), 0);
	assert_memory_equal(e.digest, digest, sizeof(digest));
}

/* The parent's store is closed while there are children of it: their handles are their own. */
static void relog(struct tree_fixture *x)
{
	assert_int_equal(tree_log_in(x->alice, x->f->s, "alice", false), 0);
	assert_int_equal(tree_log_in(x->bob, x->f->s, "bob", false), 0);
	assert_int_equal(tree_log_in(x->chief, x->f->s, "chief", true), 0);
}

/* -- all at one name --------------------------------------------------------------------------- */

static int overwrite(struct store *s, void *arg)
{
	const struct worker *w = arg;
	struct tree *t = NULL;
	int r = open_tree(w, s, &t);

	for (unsigned i = 0; r == 0 && i < ROUNDS; i++)
		r = upload_letter(t, "/shared/one", w->number * ROUNDS + i);
	return r == 0 ? 0 : 1;
}

static void test_last_one_wins_whole(void **state)
{
	static const char *const accounts[PROCESSES] = {"alice", "bob", "chief", "alice"};
	struct tree_fixture *x = *state;
	struct worker workers[PROCESSES];
	pid_t pids[PROCESSES];
	struct ftp_entry e = {0};

	fixture_policy(x, "files_delete", "all");
	for (unsigned i = 0; i < PROCESSES; i++) {
		workers[i] = (struct worker){.x = x, .number = i, .account = accounts[i]};
		pids[i] = fixture_fork(x->f, overwrite, &workers[i]);
	}
	relog(x);
	for (unsigned i = 0; i < PROCESSES; i++)
		assert_int_equal(fixture_wait(pids[i]), 0);
	expect_whole(x, "/shared/one");
	assert_int_equal(tree_stat(x->alice, "/shared/one", &e), 0);
	assert_true(e.has_digest);
	fixture_exact(x);
}

/* -- all for one quota ------------------------------------------------------------------------- */

static int fill_quota(struct store *s, void *arg)
{
	const struct worker *w = arg;
	struct tree *t = NULL;
	char path[64];
	int r = open_tree(w, s, &t);

	for (unsigned i = 0; r == 0 && i < ROUNDS; i++) {
		(void)snprintf(path, sizeof(path), "/home/alice/%u-%u", w->number, i);
		r = upload_letter(t, path, i);
		if (r == -EDQUOT)
			r = 0;
	}
	return r == 0 ? 0 : 1;
}

static void test_quota_is_exact(void **state)
{
	struct tree_fixture *x = *state;
	struct worker workers[PROCESSES];
	struct file_usage usage;
	pid_t pids[PROCESSES];

	fixture_policy(x, "files_quota", "100000");
	for (unsigned i = 0; i < PROCESSES; i++) {
		workers[i] = (struct worker){.x = x, .number = i, .account = "alice"};
		pids[i] = fixture_fork(x->f, fill_quota, &workers[i]);
	}
	relog(x);
	for (unsigned i = 0; i < PROCESSES; i++)
		assert_int_equal(fixture_wait(pids[i]), 0);
	assert_int_equal(file_usage_get(x->f->s, "alice", &usage), 0);
	assert_int_equal(usage.bytes, 100000 / SIZE * SIZE);
	fixture_exact(x);
}

/* -- killed ------------------------------------------------------------------------------------ */

static int upload_for_ever(struct store *s, void *arg)
{
	const struct worker *w = arg;
	struct tree *t = NULL;
	int r = open_tree(w, s, &t);

	for (unsigned i = 0; r == 0; i++)
		r = upload_letter(t, "/shared/d/one", i);
	return 1;
}

static void test_killed(void **state)
{
	struct tree_fixture *x = *state;
	struct worker w = {.x = x, .account = "alice"};

	print_message("seed %u\n", seed);
	assert_int_equal(tree_make_folder(x->alice, "/shared/d"), 0);
	assert_int_equal(upload_letter(x->alice, "/shared/d/one", 0), 0);
	for (unsigned i = 0; i < KILLS; i++) {
		pid_t pid = fixture_fork(x->f, upload_for_ever, &w);
		const struct timespec pause = {.tv_nsec = 1000000 + rand_r(&seed) % 30000000};

		relog(x);
		(void)nanosleep(&pause, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(fixture_wait(pid), -SIGKILL);
		expect_whole(x, "/shared/d/one");
		/* Nothing is held by the dead. */
		assert_int_equal(upload_letter(x->alice, "/shared/two", i), 0);
	}
	/* What the dead left behind is in nobody's way: the folder of it can be removed. */
	assert_int_equal(tree_remove_folder(x->alice, "/shared/d"), -ENOTEMPTY);
	assert_int_equal(tree_remove_file(x->alice, "/shared/d/one"), 0);
	assert_int_equal(tree_remove_folder(x->alice, "/shared/d"), 0);
	fixture_exact(x);
}

/* -- renames and uploads between each other ---------------------------------------------------- */

static int rename_about(struct store *s, void *arg)
{
	const struct worker *w = arg;
	struct tree *t = NULL;
	int r = open_tree(w, s, &t);

	for (unsigned i = 0; r == 0 && i < ROUNDS; i++) {
		(void)upload_letter(t, "/shared/a/f", w->number + i);
		(void)tree_rename(t, "/shared/a", "/shared/b");
		(void)tree_make_folder(t, "/shared/a");
		(void)tree_rename(t, "/shared/b/f", "/shared/a/g");
		(void)tree_remove_file(t, "/shared/a/g");
		(void)tree_remove_folder(t, "/shared/b");
	}
	return r == 0 ? 0 : 1;
}

static void test_everything_at_once(void **state)
{
	static const char *const accounts[PROCESSES] = {"alice", "bob", "alice", "bob"};
	struct tree_fixture *x = *state;
	struct worker workers[PROCESSES];
	pid_t pids[PROCESSES];

	assert_int_equal(tree_make_folder(x->alice, "/shared/a"), 0);
	for (unsigned i = 0; i < PROCESSES; i++) {
		workers[i] = (struct worker){.x = x, .number = i, .account = accounts[i]};
		pids[i] = fixture_fork(x->f, rename_about, &workers[i]);
	}
	relog(x);
	for (unsigned i = 0; i < PROCESSES; i++)
		assert_int_equal(fixture_wait(pids[i]), 0);
	/* No row without its file, no file of a size that its row does not know. */
	fixture_exact(x);
}

#define each_test(fn) cmocka_unit_test_setup_teardown(fn, tree_fixture_setup, tree_fixture_teardown)

int main(void)
{
	const char *given = getenv("QUINTET_TEST_SEED");
	uint64_t number = 0;
	const struct CMUnitTest tests[] = {
		each_test(test_last_one_wins_whole),
		each_test(test_quota_is_exact),
		each_test(test_killed),
		each_test(test_everything_at_once),
	};

	if (given == NULL || num_parse_u64(span_str(given), 0, UINT32_MAX, &number) < 0)
		number = (uint64_t)time_now_us();
	seed = (unsigned)number;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
