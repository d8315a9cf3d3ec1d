/* Uploads: what becomes of target, temporary, rows and quota, however they end. */
#include "base/cleanup.h"
#include "base/hash.h"
#include "tests/unit/lib/tree_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { MIB = 1 << 20 };

static unsigned char bulk[MIB];

static struct upload *begin(struct tree *t, const char *path)
{
	const struct upload_request request = {.how = UPLOAD_REPLACE, .path = path};
	struct upload *u = NULL;

	assert_int_equal(upload_new(t, &request, &u), 0);
	assert_int_equal(upload_prepare(u), 0);
	return u;
}

static int refused(struct tree *t, const struct upload_request *request)
{
	struct upload *u = NULL;
	int r = upload_new(t, request, &u);

	if (r == 0)
		upload_end(u, false);
	return r;
}

static struct ftp_entry entry_of(struct tree *t, const char *path)
{
	struct ftp_entry e = {0};

	assert_int_equal(tree_stat(t, path, &e), 0);
	return e;
}

static void test_whole(void **state)
{
	struct tree_fixture *x = *state;
	struct upload *u = begin(x->alice, "/shared/a");
	unsigned char digest[HASH_SHA256_LEN];
	struct ftp_entry done = {0}, e;

	assert_int_equal(fixture_temps(x, "/shared"), 0);
	assert_int_equal(upload_write(u, SPAN_LIT("in two ")), 0);
	assert_int_equal(fixture_temps(x, "/shared"), 1);
	assert_int_equal(upload_write(u, SPAN_LIT("pieces")), 0);
	assert_int_equal(upload_size(u), 13);
	assert_string_equal(upload_path(u), "/shared/a");
	/* Nothing is seen of it before the commit. */
	assert_int_equal(tree_stat(x->alice, "/shared/a", &e), -ENOENT);
	assert_int_equal(upload_commit(u, &done), 0);
	assert_int_equal(upload_commit(u, &done), -EINVAL);
	upload_end(u, true);
	e = entry_of(x->alice, "/shared/a");
	assert_memory_equal(&e, &done, sizeof(e));
	assert_true(e.has_digest);
	assert_int_equal(hash_sha256(SPAN_LIT("in two pieces"), digest), 0);
	assert_memory_equal(e.digest, digest, sizeof(digest));
	fixture_expect(x->bob, "/shared/a", "in two pieces");
	fixture_exact(x);
}

static void test_empty(void **state)
{
	struct tree_fixture *x = *state;

	assert_int_equal(fixture_put(x->alice, "/home/alice/empty", ""), 0);
	fixture_expect(x->alice, "/home/alice/empty", "");
	assert_true(entry_of(x->alice, "/home/alice/empty").has_digest);
	assert_int_equal(
		fixture_put(x->alice, "/home/alice/name with \"quotes\" \xc3\xa9", "x"), 0);
	fixture_expect(x->alice, "/home/alice/name with \"quotes\" \xc3\xa9", "x");
	fixture_exact(x);
}

static void test_reader_keeps_the_old(void **state)
{
	struct tree_fixture *x = *state;
	_cleanup_(cleanup_close) int fd = -1;
	struct ftp_entry e;
	char text[16] = "";

	assert_int_equal(fixture_put(x->alice, "/shared/a", "old"), 0);
	assert_int_equal(tree_open_file(x->bob, "/shared/a", &fd, &e), 0);
	assert_int_equal(read(fd, text, 1), 1);
	assert_int_equal(fixture_put(x->alice, "/shared/a", "newer"), 0);
	assert_int_equal(read(fd, text + 1, sizeof(text) - 1), 2);
	assert_string_equal(text, "old");
	fixture_expect(x->bob, "/shared/a", "newer");
	fixture_exact(x);
}

static void test_cut_short(void **state)
{
	struct tree_fixture *x = *state;
	struct upload *u;

	assert_int_equal(fixture_put(x->alice, "/shared/a", "old"), 0);
	/* Nothing came: nothing is left. */
	upload_end(begin(x->alice, "/shared/a"), true);
	upload_end(begin(x->alice, "/shared/new"), true);
	fixture_exact(x);
	u = begin(x->alice, "/shared/a");
	assert_int_equal(upload_write(u, SPAN_LIT("half of it")), 0);
	upload_end(u, false);
	fixture_expect(x->alice, "/shared/a", "old");
	fixture_exact(x);
	u = begin(x->alice, "/shared/a");
	assert_int_equal(upload_write(u, SPAN_LIT("half of it")), 0);
	upload_end(u, true);
	fixture_expect(x->alice, "/shared/a", "old");
	assert_int_equal(fixture_temps(x, "/shared"), 1);
	fixture_exact(x);
	/* A whole one takes its place, and so does another half. */
	u = begin(x->alice, "/shared/a");
	assert_int_equal(upload_write(u, SPAN_LIT("half")), 0);
	upload_end(u, true);
	fixture_exact(x);
	assert_int_equal(fixture_put(x->alice, "/shared/a", "new"), 0);
	assert_int_equal(fixture_temps(x, "/shared"), 0);
	fixture_exact(x);
}

/* -- others in between ------------------------------------------------------------------------- */

static void test_two_people(void **state)
{
	struct tree_fixture *x = *state;
	struct upload *a = begin(x->alice, "/shared/a"), *b = begin(x->bob, "/shared/a");
	struct ftp_entry e;

	assert_int_equal(upload_write(a, SPAN_LIT("alice's")), 0);
	assert_int_equal(upload_write(b, SPAN_LIT("bob's")), 0);
	assert_int_equal(upload_commit(a, &e), 0);
	/* By now it is alice's file. His bytes stay for him. */
	assert_int_equal(upload_commit(b, &e), -EACCES);
	upload_end(a, true);
	upload_end(b, true);
	fixture_expect(x->bob, "/shared/a", "alice's");
	assert_int_equal(fixture_temps(x, "/shared"), 1);
	fixture_exact(x);
	assert_int_equal(upload_drop(x->bob, "/shared/a"), 0);
	assert_int_equal(upload_drop(x->bob, "/shared/a"), -ENOENT);
	fixture_exact(x);
	/* An administrator's comes last and wins whole. */
	a = begin(x->alice, "/shared/a");
	b = begin(x->chief, "/shared/a");
	assert_int_equal(upload_write(a, SPAN_LIT("again")), 0);
	assert_int_equal(upload_write(b, SPAN_LIT("the last word")), 0);
	assert_int_equal(upload_commit(a, &e), 0);
	assert_int_equal(upload_commit(b, &e), 0);
	upload_end(a, true);
	upload_end(b, true);
	fixture_expect(x->bob, "/shared/a", "the last word");
	assert_string_equal(entry_of(x->bob, "/shared/a").owner, "chief");
	fixture_exact(x);
}

static void test_target_changes(void **state)
{
	struct tree_fixture *x = *state;
	struct upload *u = begin(x->alice, "/shared/a");
	struct ftp_entry e;

	assert_int_equal(upload_write(u, SPAN_LIT("bytes")), 0);
	assert_int_equal(tree_make_folder(x->bob, "/shared/a"), 0);
	assert_int_equal(upload_commit(u, &e), -EISDIR);
	upload_end(u, false);
	assert_int_equal(tree_remove_folder(x->bob, "/shared/a"), 0);
	u = begin(x->alice, "/shared/a");
	assert_int_equal(upload_write(u, SPAN_LIT("bytes")), 0);
	assert_int_equal(symlink("b", fixture_real(x, "/shared/a")), 0);
	assert_int_equal(upload_commit(u, &e), -ELOOP);
	upload_end(u, false);
	assert_int_equal(unlink(fixture_real(x, "/shared/a")), 0);
	/* Logged out in mid-upload. */
	u = begin(x->alice, "/shared/a");
	assert_int_equal(upload_write(u, SPAN_LIT("bytes")), 0);
	tree_log_out(x->alice);
	assert_int_equal(upload_commit(u, &e), -EACCES);
	upload_end(u, true);
	fixture_exact(x);
}

static void test_folder_goes(void **state)
{
	struct tree_fixture *x = *state;
	struct upload *u, *v;
	struct ftp_entry e;

	assert_int_equal(tree_make_folder(x->alice, "/shared/d"), 0);
	u = begin(x->alice, "/shared/d/a");
	v = begin(x->alice, "/shared/d/b");
	assert_int_equal(upload_write(u, SPAN_LIT("bytes")), 0);
	/* As an administrator does it. */
	assert_int_equal(rename(fixture_real(x, "/shared/d"), fixture_real(x, "/shared/e")), 0);
	assert_int_equal(upload_commit(u, &e), -EIDRM);
	upload_end(u, true);
	assert_int_equal(fixture_temps(x, "/shared/e"), 0);
	assert_int_equal(rmdir(fixture_real(x, "/shared/e")), 0);
	assert_int_equal(upload_write(v, SPAN_LIT("bytes")), -EIDRM);
	assert_int_equal(upload_write(v, SPAN_LIT("bytes")), -EIDRM);
	assert_int_equal(upload_commit(v, &e), -EIDRM);
	upload_end(v, true);
	/* Another folder of that name is not the one. */
	assert_int_equal(mkdir(fixture_real(x, "/shared/d"), 0770), 0);
	u = begin(x->alice, "/shared/d/a");
	assert_int_equal(upload_write(u, SPAN_LIT("bytes")), 0);
	assert_int_equal(rename(fixture_real(x, "/shared/d"), fixture_real(x, "/shared/e")), 0);
	assert_int_equal(mkdir(fixture_real(x, "/shared/d"), 0770), 0);
	assert_int_equal(upload_commit(u, &e), -EIDRM);
	upload_end(u, true);
	assert_int_equal(fixture_temps(x, "/shared/e"), 0);
	fixture_exact(x);
}

static void test_unique(void **state)
{
	struct tree_fixture *x = *state;
	const struct upload_request wish = {.how = UPLOAD_UNIQUE, .path = "/shared/f"};
	struct upload *a = NULL, *b = NULL;
	struct ftp_entry e;

	assert_int_equal(fixture_upload(x->alice, &wish, SPAN_LIT("first")), 0);
	assert_int_equal(fixture_upload(x->alice, &wish, SPAN_LIT("second")), 0);
	fixture_expect(x->alice, "/shared/f", "first");
	fixture_expect(x->alice, "/shared/f.1", "second");
	/* Two at once wish for the same. */
	assert_int_equal(upload_new(x->alice, &wish, &a), 0);
	assert_int_equal(upload_new(x->bob, &wish, &b), 0);
	assert_string_equal(upload_path(a), "/shared/f.2");
	assert_string_equal(upload_path(b), "/shared/f.2");
	assert_int_equal(upload_write(a, SPAN_LIT("third")), 0);
	assert_int_equal(upload_commit(a, &e), 0);
	assert_int_equal(upload_commit(b, &e), 0);
	fixture_expect(x->alice, "/shared/f.2", "third");
	fixture_expect(x->alice, upload_path(b), "");
	assert_string_not_equal(upload_path(b), upload_path(a));
	upload_end(a, true);
	upload_end(b, true);
	fixture_exact(x);
}

/* -- room -------------------------------------------------------------------------------------- */

static void test_quota(void **state)
{
	struct tree_fixture *x = *state;
	struct upload_request request = {.how = UPLOAD_REPLACE, .path = "/shared/a"};
	struct upload *u;

	fixture_policy(x, "files_quota", "100");
	request.announced = 101;
	assert_int_equal(refused(x->alice, &request), -EDQUOT);
	request.announced = 100;
	assert_int_equal(refused(x->alice, &request), 0);
	request.announced = UINT64_MAX;
	assert_int_equal(refused(x->alice, &request), -EFBIG);
	u = begin(x->alice, "/shared/a");
	assert_int_equal(upload_write(u, span_of(bulk, 100)), 0);
	assert_int_equal(upload_write(u, span_of(bulk, 1)), -EDQUOT);
	/* Bytes that can never become the file are not kept. */
	upload_end(u, true);
	fixture_exact(x);
	request.announced = 0;
	assert_int_equal(fixture_upload(x->alice, &request, span_of(bulk, 100)), 0);
	/* Already over: before the first byte. What it replaces counts for it. */
	request.path = "/shared/b";
	assert_int_equal(refused(x->alice, &request), -EDQUOT);
	request.path = "/shared/a";
	assert_int_equal(fixture_upload(x->alice, &request, span_of(bulk, 100)), 0);
	assert_int_equal(fixture_upload(x->alice, &request, span_of(bulk, 101)), -EDQUOT);
	assert_int_equal(fixture_upload(x->bob, &(struct upload_request){.path = "/shared/b"},
				 span_of(bulk, 100)),
		0);
	fixture_exact(x);
}

/* Each looks in time; the commit counts exactly. */
static void test_quota_race(void **state)
{
	struct tree_fixture *x = *state;
	struct upload *u[8];
	struct ftp_entry e;
	unsigned done = 0;

	fixture_policy(x, "files_quota", "100");
	for (unsigned i = 0; i < 8; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "/shared/%u", i);
		u[i] = begin(x->alice, path);
		assert_int_equal(upload_write(u[i], span_of(bulk, 30)), 0);
	}
	for (unsigned i = 0; i < 8; i++) {
		int r = upload_commit(u[i], &e);

		assert_true(r == 0 || r == -EDQUOT);
		done += r == 0;
		upload_end(u[i], true);
	}
	assert_int_equal(done, 3);
	fixture_exact(x);
}

static void test_reservations(void **state)
{
	struct tree_fixture *x = *state;
	struct upload_request request = {.how = UPLOAD_REPLACE, .path = "/shared/a"};
	struct upload *u = NULL, *v = NULL;
	struct file_usage usage;
	struct ftp_entry e;

	fixture_policy(x, "files_quota", "4M");
	request.announced = 3 * MIB;
	assert_int_equal(upload_new(x->alice, &request, &u), 0);
	assert_int_equal(file_usage_get(x->f->s, "alice", &usage), 0);
	assert_int_equal(usage.reserved, 3 * MIB);
	request.path = "/shared/b";
	request.announced = MIB + 1;
	assert_int_equal(refused(x->alice, &request), -EDQUOT);
	/* Beyond what was announced it grows; a second one takes the rest. */
	v = begin(x->alice, "/shared/b");
	assert_int_equal(upload_write(v, span_of(bulk, MIB)), 0);
	assert_int_equal(upload_write(v, span_of(bulk, 1)), -EDQUOT);
	upload_end(v, true);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(upload_write(u, span_of(bulk, MIB)), 0);
	assert_int_equal(upload_write(u, span_of(bulk, 1)), -EDQUOT);
	upload_end(u, true);
	assert_int_equal(file_usage_get(x->f->s, "alice", &usage), 0);
	assert_int_equal(usage.reserved + usage.partial_bytes + usage.bytes, 0);
	/* Unannounced: from 1 MiB on. */
	u = begin(x->alice, "/shared/a");
	assert_int_equal(upload_write(u, span_of(bulk, MIB)), 0);
	assert_int_equal(file_usage_get(x->f->s, "alice", &usage), 0);
	assert_int_equal(usage.reserved, 0);
	assert_int_equal(upload_write(u, span_of(bulk, MIB)), 0);
	assert_int_equal(file_usage_get(x->f->s, "alice", &usage), 0);
	assert_true(usage.reserved >= 2 * MIB);
	assert_int_equal(upload_commit(u, &e), 0);
	upload_end(u, true);
	fixture_exact(x);
}

/* A reservation of somebody who died is taken away when it is in the way. */
static void test_dead_reservation(void **state)
{
	struct tree_fixture *x = *state;
	struct upload_request request = {.how = UPLOAD_REPLACE, .path = "/shared/a"};
	struct file_reserve_args dead = {
		.account = "alice", .id = 7, .bytes = 90, .pid = INT32_MAX, .start_ticks = 1};

	fixture_policy(x, "files_quota", "100");
	assert_int_equal(store_call(x->f->s, STORE_OP_FILE_RESERVE, &dead, NULL), 0);
	assert_int_equal(fixture_upload(x->alice, &request, span_of(bulk, 50)), 0);
	assert_int_equal(tree_remove_file(x->alice, "/shared/a"), 0);
	dead.bytes = 60;
	assert_int_equal(store_call(x->f->s, STORE_OP_FILE_RESERVE, &dead, NULL), 0);
	request.announced = 90;
	assert_int_equal(refused(x->alice, &request), 0);
	fixture_exact(x);
}

static void test_disk(void **state)
{
	struct tree_fixture *x = *state;
	const struct upload_request request = {.how = UPLOAD_REPLACE, .path = "/shared/a"};
	struct upload *u = begin(x->alice, "/shared/a");
	struct rlimit limit = {.rlim_cur = 3000, .rlim_max = RLIM_INFINITY};
	struct rlimit before;
	uint64_t size = 0;

	fixture_policy(x, "files_keep_free", "1024T");
	assert_int_equal(refused(x->alice, &request), -ENOSPC);
	upload_end(u, true);
	fixture_policy(x, "files_keep_free", "");
	/* A write that comes to its end in the middle: what was whole before can be continued. */
	u = begin(x->alice, "/shared/a");
	assert_int_equal(upload_write(u, span_of(bulk, 2000)), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(upload_write(u, span_of(bulk, 2000)), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(upload_write(u, span_of(bulk, 1)), -EFBIG);
	assert_int_equal(upload_size(u), 2000);
	upload_end(u, true);
	assert_int_equal(upload_partial(x->alice, "/shared/a", &size), 0);
	assert_int_equal(size, 2000);
	fixture_exact(x);
}

#define each_test(fn) cmocka_unit_test_setup_teardown(fn, tree_fixture_setup, tree_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		each_test(test_whole),
		each_test(test_empty),
		each_test(test_reader_keeps_the_old),
		each_test(test_cut_short),
		each_test(test_two_people),
		each_test(test_target_changes),
		each_test(test_folder_goes),
		each_test(test_unique),
		each_test(test_quota),
		each_test(test_quota_race),
		each_test(test_reservations),
		each_test(test_dead_reservation),
		each_test(test_disk),
	};

	for (size_t i = 0; i < sizeof(bulk); i++)
		bulk[i] = (unsigned char)(i * 7 + i / 253);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
