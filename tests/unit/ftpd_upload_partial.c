/* Interrupted uploads and what is kept of older files: REST, APPE, beyond 4 GiB. */
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/timefmt.h"
#include "store/policy.h"
#include "tests/unit/lib/tree_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { MIB = 1 << 20 };

static unsigned char bulk[MIB];

static int start(struct tree *t, const struct upload_request *request, struct upload **ret)
{
	int r = upload_new(t, request, ret);

	while (r == 0 && (r = upload_prepare(*ret)) == 1)
		r = 0;
	return r;
}

/* Leaves an interrupted upload behind. */
static void interrupt(struct tree *t, const char *path, const char *text)
{
	const struct upload_request request = {.how = UPLOAD_REPLACE, .path = path};
	struct upload *u = NULL;

	assert_int_equal(start(t, &request, &u), 0);
	assert_int_equal(upload_write(u, span_str(text)), 0);
	upload_end(u, true);
}

static uint64_t partial_size(struct tree *t, const char *path)
{
	uint64_t size = UINT64_MAX;
	int r = upload_partial(t, path, &size);

	assert_true(r == 0 || r == -ENOENT);
	return size;
}

static struct upload_request at(const char *path, uint64_t offset)
{
	return (struct upload_request){
		.how = UPLOAD_REPLACE, .path = path, .at_set = true, .at = offset};
}

static void test_continue(void **state)
{
	struct tree_fixture *x = *state;
	struct upload_request request = at("/shared/a", 6);
	unsigned char digest[HASH_SHA256_LEN];
	struct ftp_entry e;

	interrupt(x->alice, "/shared/a", "first ");
	assert_int_equal(partial_size(x->alice, "/shared/a"), 6);
	assert_int_equal(partial_size(x->bob, "/shared/a"), UINT64_MAX);
	assert_int_equal(tree_stat(x->alice, "/shared/a", &e), -ENOENT);
	assert_int_equal(fixture_upload(x->alice, &request, SPAN_LIT("second")), 0);
	fixture_expect(x->alice, "/shared/a", "first second");
	assert_int_equal(tree_stat(x->alice, "/shared/a", &e), 0);
	assert_int_equal(hash_sha256(SPAN_LIT("first second"), digest), 0);
	assert_true(e.has_digest);
	assert_memory_equal(e.digest, digest, sizeof(digest));
	assert_int_equal(partial_size(x->alice, "/shared/a"), UINT64_MAX);
	fixture_exact(x);
}

static void test_continue_lower(void **state)
{
	struct tree_fixture *x = *state;
	struct upload_request request = at("/shared/a", 9);
	struct upload *u = NULL;

	interrupt(x->alice, "/shared/a", "12345678");
	assert_int_equal(upload_new(x->alice, &request, &u), -ERANGE);
	request.at = 4;
	/* As long as no byte came, all of it can still be continued. */
	assert_int_equal(start(x->alice, &request, &u), 0);
	upload_end(u, true);
	assert_int_equal(partial_size(x->alice, "/shared/a"), 8);
	fixture_exact(x);
	assert_int_equal(start(x->alice, &request, &u), 0);
	assert_int_equal(upload_write(u, SPAN_LIT("x")), 0);
	assert_int_equal(partial_size(x->alice, "/shared/a"), 4);
	upload_end(u, true);
	assert_int_equal(partial_size(x->alice, "/shared/a"), 5);
	fixture_exact(x);
	request.at = 2;
	assert_int_equal(fixture_upload(x->alice, &request, SPAN_LIT("")), 0);
	fixture_expect(x->alice, "/shared/a", "12");
	fixture_exact(x);
}

static void test_append_to_partial(void **state)
{
	struct tree_fixture *x = *state;
	const struct upload_request request = {.how = UPLOAD_APPEND, .path = "/shared/a"};
	struct upload *u = NULL;

	assert_int_equal(fixture_put(x->alice, "/shared/a", "finished"), 0);
	interrupt(x->alice, "/shared/a", "one, ");
	assert_int_equal(start(x->alice, &request, &u), 0);
	assert_int_equal(upload_size(u), 5);
	assert_int_equal(upload_write(u, SPAN_LIT("two, ")), 0);
	upload_end(u, true);
	assert_int_equal(partial_size(x->alice, "/shared/a"), 10);
	fixture_expect(x->alice, "/shared/a", "finished");
	assert_int_equal(fixture_upload(x->alice, &request, SPAN_LIT("three")), 0);
	fixture_expect(x->alice, "/shared/a", "one, two, three");
	fixture_exact(x);
}

static void test_two_sessions(void **state)
{
	struct tree_fixture *x = *state;
	const struct upload_request request = {.how = UPLOAD_APPEND, .path = "/shared/a"};
	struct upload_request other = at("/shared/a", 1);
	struct upload *u = NULL, *v = NULL;
	struct tree *second = NULL;
	struct ftp_entry e;

	assert_int_equal(tree_open(x->f->state, &second), 0);
	assert_int_equal(tree_log_in(second, x->f->s, "alice", false), 0);
	interrupt(x->alice, "/shared/a", "text");
	assert_int_equal(start(x->alice, &request, &u), 0);
	assert_int_equal(upload_new(second, &request, &v), -EBUSY);
	assert_int_equal(upload_new(second, &other, &v), -EBUSY);
	assert_int_equal(upload_drop(second, "/shared/a"), -EBUSY);
	/* A fresh one may come in between; what is under way is not harmed by it. */
	assert_int_equal(fixture_put(second, "/shared/a", "fresh"), 0);
	assert_int_equal(upload_write(u, SPAN_LIT(" goes on")), 0);
	assert_int_equal(upload_commit(u, &e), 0);
	upload_end(u, true);
	fixture_expect(x->alice, "/shared/a", "text goes on");
	tree_free(second);
	fixture_exact(x);
}

/* Whatever stops it: what was interrupted before can still be continued. */
static void test_refused_in_continuing(void **state)
{
	struct tree_fixture *x = *state;
	const struct upload_request request = {.how = UPLOAD_APPEND, .path = "/shared/a"};
	struct upload *u = NULL;

	interrupt(x->alice, "/shared/a", "text");
	assert_int_equal(upload_new(x->alice, &request, &u), 0);
	upload_end(u, false); /* no data connection, say */
	assert_int_equal(partial_size(x->alice, "/shared/a"), 4);
	fixture_exact(x);
	assert_int_equal(start(x->alice, &request, &u), 0);
	assert_int_equal(upload_write(u, SPAN_LIT(" goes on")), 0);
	upload_end(u, false); /* the disk is full, say */
	assert_int_equal(partial_size(x->alice, "/shared/a"), 4);
	fixture_exact(x);
	assert_int_equal(fixture_upload(x->alice, &request, SPAN_LIT(" goes on")), 0);
	fixture_expect(x->alice, "/shared/a", "text goes on");
	fixture_exact(x);
}

/* A temporary whose row is gone would count for nobody. */
static void test_removed_in_continuing(void **state)
{
	static const bool keeps[] = {true, false};
	struct tree_fixture *x = *state;
	const struct upload_request request = {.how = UPLOAD_APPEND, .path = "/shared/a"};
	struct upload_request moved = {.how = UPLOAD_APPEND, .path = "/shared/d/b"};
	struct upload *u = NULL;

	for (size_t i = 0; i < sizeof(keeps) / sizeof(keeps[0]); i++) {
		interrupt(x->alice, "/shared/a", "text");
		assert_int_equal(start(x->alice, &request, &u), 0);
		assert_int_equal(tree_remove_file(x->alice, "/shared/a"), 0);
		assert_int_equal(fixture_temps(x, "/shared"), 1);
		upload_end(u, keeps[i]);
		assert_int_equal(fixture_temps(x, "/shared"), 0);
		fixture_exact(x);
	}
	/* With bytes of its own it becomes a partial anew. */
	interrupt(x->alice, "/shared/a", "text");
	assert_int_equal(start(x->alice, &request, &u), 0);
	assert_int_equal(tree_remove_file(x->alice, "/shared/a"), 0);
	assert_int_equal(upload_write(u, SPAN_LIT("!")), 0);
	upload_end(u, true);
	assert_int_equal(partial_size(x->alice, "/shared/a"), 5);
	fixture_exact(x);
	/* In a folder that has moved, the row went along. */
	assert_int_equal(tree_make_folder(x->alice, "/shared/d"), 0);
	interrupt(x->alice, "/shared/d/b", "text");
	assert_int_equal(start(x->alice, &moved, &u), 0);
	assert_int_equal(tree_rename(x->alice, "/shared/d", "/shared/e"), 0);
	upload_end(u, true);
	assert_int_equal(partial_size(x->alice, "/shared/e/b"), 4);
	fixture_exact(x);
	/* Also if it moves before the first byte. */
	moved.path = "/shared/e/b";
	assert_int_equal(start(x->alice, &moved, &u), 0);
	assert_int_equal(tree_rename(x->alice, "/shared/e", "/shared/d"), 0);
	assert_int_equal(upload_write(u, SPAN_LIT("!")), -EIDRM);
	upload_end(u, false);
	assert_int_equal(partial_size(x->alice, "/shared/d/b"), 4);
	fixture_exact(x);
}

static void test_append_to_file(void **state)
{
	struct tree_fixture *x = *state;
	const struct upload_request request = {.how = UPLOAD_APPEND, .path = "/shared/log"};
	struct upload *u = NULL;

	assert_int_equal(fixture_upload(x->alice, &request, SPAN_LIT("one\n")), 0);
	assert_int_equal(fixture_upload(x->alice, &request, SPAN_LIT("two\n")), 0);
	fixture_expect(x->alice, "/shared/log", "one\ntwo\n");
	assert_int_equal(upload_new(x->bob, &request, &u), -EACCES);
	/* Cut: the file is as it was, the whole with the new bytes can be continued. */
	assert_int_equal(start(x->alice, &request, &u), 0);
	assert_int_equal(upload_write(u, SPAN_LIT("th")), 0);
	upload_end(u, true);
	fixture_expect(x->bob, "/shared/log", "one\ntwo\n");
	assert_int_equal(partial_size(x->alice, "/shared/log"), 10);
	fixture_exact(x);
	assert_int_equal(fixture_upload(x->alice, &request, SPAN_LIT("ree\n")), 0);
	fixture_expect(x->bob, "/shared/log", "one\ntwo\nthree\n");
	/* Nothing came: nothing is left of the copy. */
	assert_int_equal(start(x->alice, &request, &u), 0);
	upload_end(u, true);
	fixture_exact(x);
}

static void test_restart_in_file(void **state)
{
	struct tree_fixture *x = *state;
	struct upload_request request = at("/shared/a", 4);
	struct upload *u = NULL;
	struct ftp_entry e;

	assert_int_equal(upload_new(x->alice, &request, &u), -ERANGE);
	assert_int_equal(fixture_put(x->alice, "/shared/a", "the old text"), 0);
	assert_int_equal(fixture_upload(x->alice, &request, SPAN_LIT("new")), 0);
	fixture_expect(x->alice, "/shared/a", "the new");
	request.at = 8;
	assert_int_equal(upload_new(x->alice, &request, &u), -ERANGE);
	request.at = 0;
	assert_int_equal(fixture_upload(x->alice, &request, SPAN_LIT("all")), 0);
	fixture_expect(x->alice, "/shared/a", "all");
	assert_int_equal(tree_stat(x->alice, "/shared/a", &e), 0);
	assert_true(e.has_digest);
	fixture_exact(x);
}

static void test_removing(void **state)
{
	struct tree_fixture *x = *state;

	interrupt(x->alice, "/shared/a", "half");
	assert_int_equal(tree_remove_file(x->alice, "/shared/a"), 0);
	assert_int_equal(tree_remove_file(x->alice, "/shared/a"), -ENOENT);
	fixture_exact(x);
	assert_int_equal(fixture_put(x->alice, "/shared/a", "whole"), 0);
	interrupt(x->alice, "/shared/a", "half");
	assert_int_equal(tree_remove_file(x->alice, "/shared/a"), 0);
	fixture_exact(x);
	/* The temporary is gone, by the sweep or by hand: as if there were none. */
	interrupt(x->alice, "/shared/a", "half");
	assert_int_equal(tree_remove_folder(x->alice, "/shared"), -EACCES);
	assert_int_equal(upload_drop(x->alice, "/shared/a"), 0);
	fixture_exact(x);
}

static void test_moved_along(void **state)
{
	struct tree_fixture *x = *state;
	struct upload_request request = at("/shared/e/a", 4);

	assert_int_equal(tree_make_folder(x->alice, "/shared/d"), 0);
	interrupt(x->bob, "/shared/d/a", "half");
	assert_int_equal(tree_rename(x->alice, "/shared/d", "/shared/e"), 0);
	assert_int_equal(partial_size(x->bob, "/shared/e/a"), 4);
	assert_int_equal(fixture_upload(x->bob, &request, SPAN_LIT(" and half")), 0);
	fixture_expect(x->alice, "/shared/e/a", "half and half");
	fixture_exact(x);
}

static void test_lost_temporary(void **state)
{
	struct tree_fixture *x = *state;
	const struct upload_request request = {.how = UPLOAD_APPEND, .path = "/shared/a"};
	struct file_partial p = {.size = 0};
	char temp[128];

	interrupt(x->alice, "/shared/a", "half");
	assert_int_equal(file_partial_get(x->f->s, "alice", SPAN_LIT("/shared/a"), 0, &p), 0);
	(void)snprintf(temp, sizeof(temp), "/shared/%s", p.temp);
	/* Shorter than its row, as after a loss of power. */
	assert_int_equal(truncate(fixture_real(x, temp), 2), 0);
	assert_int_equal(partial_size(x->alice, "/shared/a"), 2);
	assert_int_equal(unlink(fixture_real(x, temp)), 0);
	assert_int_equal(partial_size(x->alice, "/shared/a"), UINT64_MAX);
	assert_int_equal(fixture_upload(x->alice, &request, SPAN_LIT("all")), 0);
	fixture_expect(x->alice, "/shared/a", "all");
	fixture_exact(x);
	/* A link in its place leads nowhere. */
	interrupt(x->alice, "/shared/a", "half");
	assert_int_equal(file_partial_get(x->f->s, "alice", SPAN_LIT("/shared/a"), 0, &p), 0);
	(void)snprintf(temp, sizeof(temp), "/shared/%s", p.temp);
	assert_int_equal(unlink(fixture_real(x, temp)), 0);
	assert_int_equal(symlink("/etc/passwd", fixture_real(x, temp)), 0);
	assert_int_equal(partial_size(x->alice, "/shared/a"), UINT64_MAX);
	assert_int_equal(fixture_upload(x->alice, &request, SPAN_LIT("!")), 0);
	fixture_expect(x->alice, "/shared/a", "all!");
	assert_int_equal(unlink(fixture_real(x, temp)), 0);
	fixture_exact(x);
}

static void test_quota(void **state)
{
	struct tree_fixture *x = *state;
	struct upload_request request = at("/shared/a", 60);
	struct upload_request append = {.how = UPLOAD_APPEND, .path = "/shared/a"};
	struct upload *u = NULL;

	fixture_policy(x, "files_quota", "100");
	interrupt(x->alice, "/shared/a",
		"......................................................._____");
	assert_int_equal(start(x->alice, &request, &u), 0);
	assert_int_equal(upload_write(u, span_of(bulk, 40)), 0);
	assert_int_equal(upload_write(u, span_of(bulk, 1)), -EDQUOT);
	upload_end(u, true);
	/* What there was before is there still. */
	assert_int_equal(partial_size(x->alice, "/shared/a"), 60);
	fixture_exact(x);
	assert_int_equal(fixture_upload(x->alice, &request, span_of(bulk, 20)), 0);
	/* A copy of one's own file takes its place: 80 + 20 fit, and no more. */
	assert_int_equal(fixture_upload(x->alice, &append, span_of(bulk, 21)), -EDQUOT);
	assert_int_equal(fixture_upload(x->alice, &append, span_of(bulk, 20)), 0);
	assert_int_equal(upload_new(x->alice, &append, &u), -EDQUOT);
	fixture_exact(x);
}

static void test_copy_in_slices(void **state)
{
	struct tree_fixture *x = *state;
	struct upload_request request = {.how = UPLOAD_REPLACE, .path = "/home/alice/a"};
	struct upload_request append = {.how = UPLOAD_APPEND, .path = "/home/alice/a"};
	struct upload *u = NULL;
	struct ftp_entry whole, copied;
	unsigned slices = 0;

	assert_int_equal(start(x->alice, &request, &u), 0);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(upload_write(u, span_of(bulk, sizeof(bulk))), 0);
	assert_int_equal(upload_write(u, SPAN_LIT("end")), 0);
	assert_int_equal(upload_commit(u, &whole), 0);
	upload_end(u, true);
	assert_int_equal(upload_new(x->alice, &append, &u), 0);
	/* Given up in the middle of it. */
	assert_int_equal(upload_prepare(u), 1);
	assert_int_equal(upload_commit(u, &copied), -EINVAL);
	upload_end(u, true);
	fixture_exact(x);
	request = at("/home/alice/a", whole.size - 3);
	assert_int_equal(upload_new(x->alice, &request, &u), 0);
	while (upload_prepare(u) == 1)
		slices++;
	assert_true(slices > 3);
	assert_int_equal(upload_write(u, SPAN_LIT("end")), 0);
	assert_int_equal(upload_commit(u, &copied), 0);
	upload_end(u, true);
	assert_int_equal(copied.size, whole.size);
	assert_memory_equal(copied.digest, whole.digest, sizeof(whole.digest));
	fixture_exact(x);
}

/* Makes a hole of one's interrupted upload, flushed up to size. */
static void stretch(
	const struct tree_fixture *x, const char *folder, const char *path, uint64_t size)
{
	struct partial_args args = {.path = span_str(path), .now_us = time_now_us()};
	char temp[128];

	assert_int_equal(file_partial_get(x->f->s, "alice", args.path, 0, &args.partial), 0);
	args.partial.size = size;
	assert_int_equal(store_call(x->f->s, STORE_OP_PARTIAL_PUT, &args, NULL), 0);
	(void)snprintf(temp, sizeof(temp), "%s/%s", folder, args.partial.temp);
	assert_int_equal(truncate(fixture_real(x, temp), (off_t)size), 0);
}

/* A hole of 4 GiB stays one, and what comes behind it is where it belongs. */
static void test_beyond_4_gib(void **state)
{
	struct tree_fixture *x = *state;
	struct upload_request request = {.how = UPLOAD_APPEND, .path = "/home/alice/big"};
	const uint64_t size = (UINT64_C(4) << 30) + 5;
	_cleanup_(cleanup_close) int fd = -1;
	struct upload *u = NULL;
	struct ftp_entry e;
	struct stat st;
	char text[8] = "";

	interrupt(x->alice, "/home/alice/big", "x");
	stretch(x, "/home/alice", "/home/alice/big", size);
	assert_int_equal(partial_size(x->alice, "/home/alice/big"), size);
	request = at("/home/alice/big", size - 1);
	assert_int_equal(start(x->alice, &request, &u), 0);
	assert_int_equal(upload_write(u, SPAN_LIT("taking")), 0);
	assert_int_equal(upload_commit(u, &e), 0);
	upload_end(u, true);
	assert_int_equal(e.size, size + 5);
	assert_int_equal(stat(fixture_real(x, "/home/alice/big"), &st), 0);
	assert_true(st.st_blocks < 1024);
	assert_int_equal(tree_open_file(x->alice, "/home/alice/big", &fd, &e), 0);
	assert_true(e.has_digest);
	assert_int_equal(pread(fd, text, sizeof(text), (off_t)size - 1), 6);
	assert_string_equal(text, "taking");
	/* A copy of it takes no room either; its digest would take its time. */
	request = (struct upload_request){.how = UPLOAD_APPEND, .path = "/home/alice/big"};
	assert_int_equal(upload_new(x->alice, &request, &u), 0);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(upload_prepare(u), 1);
	assert_int_equal(upload_size(u), size + 5);
	upload_end(u, true);
	fixture_exact(x);
}

#define each_test(fn) cmocka_unit_test_setup_teardown(fn, tree_fixture_setup, tree_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		each_test(test_continue),
		each_test(test_continue_lower),
		each_test(test_append_to_partial),
		each_test(test_two_sessions),
		each_test(test_refused_in_continuing),
		each_test(test_removed_in_continuing),
		each_test(test_append_to_file),
		each_test(test_restart_in_file),
		each_test(test_removing),
		each_test(test_moved_along),
		each_test(test_lost_temporary),
		each_test(test_quota),
		each_test(test_copy_in_slices),
		each_test(test_beyond_4_gib),
	};

	for (size_t i = 0; i < sizeof(bulk); i++)
		bulk[i] = (unsigned char)(i * 7 + i / 253);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
