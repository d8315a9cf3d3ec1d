/* Long work in slices: digests and their replies, and removing whole folders. */
#include "services/ftpd/job.h"

#include "base/cleanup.h"
#include "base/slot.h"
#include "base/text.h"
#include "tests/unit/lib/tree_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#define SHA_TEXT "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1" /* "text" */
#define CRC_TEXT "3B8BA7C7"

static unsigned char bulk[1 << 20];

/* A session of somebody at his tree, whose replies go to memory. */
struct talk {
	struct service service;
	struct ftpd f;
	struct buf out;
};

static void talk_begin(struct talk *t, const struct tree_fixture *x, struct tree *tree)
{
	*t = (struct talk){.service = SERVICE_INIT, .out = BUF_INIT(1 << 16)};
	(void)snprintf(
		t->service.settings.runtime, sizeof(t->service.settings.runtime), "%s", x->f->dir);
	assert_int_equal(conn_new_memory(span_of("", 0), 0, &t->out, &t->f.control), 0);
	t->f.service = &t->service;
	t->f.tree = tree;
	(void)snprintf(t->f.cwd, sizeof(t->f.cwd), "/shared");
}

static void talk_end(struct talk *t)
{
	assert_null(t->f.job);
	conn_free(t->f.control);
	buf_done(&t->out);
}

/* What was said since the last call; static memory. */
static const char *said(struct talk *t)
{
	static char text[1 << 16];

	assert_int_equal(conn_flush(t->f.control), 0);
	assert_true(t->out.len < sizeof(text));
	memcpy(text, buf_str(&t->out), t->out.len + 1);
	buf_reset(&t->out);
	return text;
}

/* Runs a handler and what it starts to the end; the number of slices. */
static unsigned run(struct talk *t, int (*handler)(struct ftpd_call *c), const char *argument)
{
	struct ftpd_call c = {.f = &t->f, .argument = span_str(argument)};
	unsigned slices = 0;

	assert_int_equal(ftp_path_resolve(t->f.cwd, c.argument, c.path), 0);
	assert_int_equal(handler(&c), 0);
	while (t->f.job != NULL) {
		assert_int_equal(job_step(&t->f), 0);
		slices++;
	}
	return slices;
}

static void expect(struct talk *t, int (*handler)(struct ftpd_call *c), const char *argument,
	const char *reply)
{
	const char *text;

	(void)run(t, handler, argument);
	text = said(t);
	if (strncmp(text, reply, strlen(reply)) != 0)
		print_error("%s: %s", argument, text);
	assert_int_equal(strncmp(text, reply, strlen(reply)), 0);
	/* One reply, one line. */
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void test_digests(void **state)
{
	struct tree_fixture *x = *state;
	struct talk t;

	talk_begin(&t, x, x->alice);
	assert_int_equal(fixture_put(x->alice, "/shared/a", "text"), 0);
	assert_int_equal(fixture_put(x->alice, "/shared/empty", ""), 0);
	/* From the row: no slice. */
	assert_int_equal(run(&t, ftpd_cmd_hash, "a"), 0);
	assert_string_equal(said(&t), "213 SHA-256 0-3 " SHA_TEXT " /shared/a\r\n");
	expect(&t, ftpd_cmd_xsha256, "a", "250 " SHA_TEXT "\r\n");
	expect(&t, ftpd_cmd_xcrc, "a", "250 " CRC_TEXT "\r\n");
	expect(&t, ftpd_cmd_hash, "empty", "213 SHA-256 0-0 e3b0c44298fc1c149afbf4c8996fb924");
	expect(&t, ftpd_cmd_xcrc, "empty", "250 00000000\r\n");
	t.f.hash = FTP_HASH_CRC32;
	expect(&t, ftpd_cmd_hash, "a", "213 CRC32 0-3 3b8ba7c7 /shared/a\r\n");
	expect(&t, ftpd_cmd_hash, "none", "550 ");
	expect(&t, ftpd_cmd_hash, ".", "550 ");
	expect(&t, ftpd_cmd_hash, "/home/bob/x", "550 ");
	talk_end(&t);
	fixture_exact(x);
}

static void test_parts(void **state)
{
	struct tree_fixture *x = *state;
	struct talk t;

	talk_begin(&t, x, x->alice);
	assert_int_equal(fixture_put(x->alice, "/shared/a", "a text."), 0);
	assert_int_equal(fixture_put(x->alice, "/shared/b 2 6", "text"), 0);
	t.f.range = (struct ftpd_range){.set = true, .first = 2, .last = 5};
	expect(&t, ftpd_cmd_hash, "a", "213 SHA-256 2-5 " SHA_TEXT);
	t.f.range.last = UINT64_MAX;
	expect(&t, ftpd_cmd_hash, "a", "213 SHA-256 2-6 ");
	t.f.range = (struct ftpd_range){.set = true, .first = 8, .last = 9};
	expect(&t, ftpd_cmd_hash, "a", "554 ");
	t.f.range.set = false;
	expect(&t, ftpd_cmd_xsha256, "a 2 6", "250 " SHA_TEXT);
	expect(&t, ftpd_cmd_xcrc, "\"a\" 2 6", "250 " CRC_TEXT);
	expect(&t, ftpd_cmd_xcrc, "\"a\"", "250 ");
	expect(&t, ftpd_cmd_xcrc, "\"a\" 7", "250 00000000");
	expect(&t, ftpd_cmd_xcrc, "a 6 2", "501 ");
	expect(&t, ftpd_cmd_xcrc, "\"a\" x", "501 ");
	expect(&t, ftpd_cmd_xcrc, "\"a", "501 ");
	expect(&t, ftpd_cmd_xcrc, "a 8 9", "554 ");
	/* A file of that very name goes before. */
	expect(&t, ftpd_cmd_xcrc, "b 2 6", "250 " CRC_TEXT);
	expect(&t, ftpd_cmd_xcrc, "\"b 2 6\" 0 4", "250 " CRC_TEXT);
	talk_end(&t);
}

/* What SIZE has told of can be compared before a client goes on with it. */
static void test_part_of_partial(void **state)
{
	struct tree_fixture *x = *state;
	const struct upload_request request = {.how = UPLOAD_REPLACE, .path = "/shared/a"};
	struct upload *u = NULL;
	struct talk t;

	talk_begin(&t, x, x->alice);
	assert_int_equal(upload_new(x->alice, &request, &u), 0);
	assert_int_equal(upload_write(u, SPAN_LIT("text, the first half")), 0);
	upload_end(u, true);
	t.f.range = (struct ftpd_range){.set = true, .first = 0, .last = 3};
	expect(&t, ftpd_cmd_hash, "a", "550 ");
	(void)snprintf(t.f.partial_shown, sizeof(t.f.partial_shown), "/shared/a");
	expect(&t, ftpd_cmd_hash, "a", "213 SHA-256 0-3 " SHA_TEXT);
	t.f.range.last = 100;
	expect(&t, ftpd_cmd_hash, "a", "213 SHA-256 0-19 ");
	t.f.range.set = false;
	expect(&t, ftpd_cmd_hash, "a", "550 ");
	fixture_exact(x);
	/* Finished meanwhile: the file it is. */
	assert_int_equal(fixture_put(x->alice, "/shared/a", "text"), 0);
	t.f.range = (struct ftpd_range){.set = true, .first = 0, .last = 3};
	expect(&t, ftpd_cmd_hash, "a", "213 SHA-256 0-3 " SHA_TEXT);
	talk_end(&t);
	fixture_exact(x);
}

static bool has_digest(struct tree *t, const char *path)
{
	struct ftp_entry e;

	assert_int_equal(tree_stat(t, path, &e), 0);
	return e.has_digest;
}

static void test_noted(void **state)
{
	struct tree_fixture *x = *state;
	struct talk t;

	talk_begin(&t, x, x->bob);
	fixture_drop_in(x, "/shared/dropped", "text");
	assert_false(has_digest(x->bob, "/shared/dropped"));
	assert_int_equal(run(&t, ftpd_cmd_hash, "dropped"), 1);
	assert_string_equal(said(&t), "213 SHA-256 0-3 " SHA_TEXT " /shared/dropped\r\n");
	assert_true(has_digest(x->bob, "/shared/dropped"));
	/* It is nobody's still. */
	assert_int_equal(tree_remove_file(x->bob, "/shared/dropped"), -EACCES);
	assert_int_equal(run(&t, ftpd_cmd_xsha256, "dropped"), 0);
	(void)said(&t);
	/* Changed: the row is not believed, the digest is the new one, and noted again. */
	fixture_drop_in(x, "/shared/dropped", "other text");
	expect(&t, ftpd_cmd_xsha256, "dropped",
		"250 ed886d735b3ed7db324ddfcfa30187c3fac4182f623a79e2b8c54ebf92a38a3a\r\n");
	assert_true(has_digest(x->bob, "/shared/dropped"));
	/* One's own, touched past us. */
	assert_int_equal(fixture_put(x->bob, "/shared/own", "abcd"), 0);
	fixture_drop_in(x, "/shared/own", "text and");
	expect(&t, ftpd_cmd_xsha256, "own 0 4", "250 " SHA_TEXT);
	assert_false(has_digest(x->bob, "/shared/own"));
	expect(&t, ftpd_cmd_xsha256, "own", "250 ");
	assert_true(has_digest(x->bob, "/shared/own"));
	assert_int_equal(tree_remove_file(x->bob, "/shared/own"), 0);
	talk_end(&t);
	fixture_exact(x);
}

static void put_bulk(struct tree *t, const char *path, unsigned mib)
{
	const struct upload_request request = {.how = UPLOAD_REPLACE, .path = path};
	struct upload *u = NULL;
	struct ftp_entry e;

	assert_int_equal(upload_new(t, &request, &u), 0);
	for (unsigned i = 0; i < mib; i++)
		assert_int_equal(upload_write(u, span_of(bulk, sizeof(bulk))), 0);
	assert_int_equal(upload_commit(u, &e), 0);
	upload_end(u, false);
}

static void test_cap_and_abort(void **state)
{
	struct tree_fixture *x = *state;
	_cleanup_(cleanup_close) int one_fd = -1, two_fd = -1;
	struct ftpd_call c;
	struct talk t;

	talk_begin(&t, x, x->alice);
	put_bulk(x->alice, "/shared/big", 9);
	assert_int_equal(slot_try(x->f->dir, "digest", 2, &one_fd), 0);
	assert_int_equal(run(&t, ftpd_cmd_xcrc, "big"), 3);
	(void)said(&t);
	assert_int_equal(slot_try(x->f->dir, "digest", 2, &two_fd), 0);
	assert_int_equal(slot_try(x->f->dir, "digest", 2, &(int){-1}), -EAGAIN);
	expect(&t, ftpd_cmd_xcrc, "big", "450 ");
	/* What the row knows costs nothing. */
	expect(&t, ftpd_cmd_hash, "big", "213 ");
	cleanup_close(&two_fd);
	c = (struct ftpd_call){.f = &t.f, .argument = SPAN_LIT("big"), .path = "/shared/big"};
	assert_int_equal(ftpd_cmd_xcrc(&c), 0);
	assert_int_equal(job_step(&t.f), 0);
	assert_non_null(t.f.job);
	assert_int_equal(slot_try(x->f->dir, "digest", 2, &(int){-1}), -EAGAIN);
	assert_int_equal(job_abort(&t.f, true), 0);
	assert_null(t.f.job);
	assert_string_equal(said(&t), "426 Stopped.\r\n226 The work is ended.\r\n");
	assert_int_equal(slot_try(x->f->dir, "digest", 2, &two_fd), 0);
	cleanup_close(&two_fd);
	assert_int_equal(ftpd_cmd_xcrc(&c), 0);
	assert_int_equal(job_abort(&t.f, false), 0);
	assert_string_equal(said(&t), "");
	/* Cut in the middle. */
	assert_int_equal(ftpd_cmd_xcrc(&c), 0);
	assert_int_equal(job_step(&t.f), 0);
	assert_int_equal(truncate(fixture_real(x, "/shared/big"), 1000), 0);
	while (t.f.job != NULL)
		assert_int_equal(job_step(&t.f), 0);
	assert_int_equal(strncmp(said(&t), "451 ", 4), 0);
	talk_end(&t);
}

/* -- RMTREE ------------------------------------------------------------------------------------ */

static void make_tree(struct tree *t, const char *top)
{
	char path[128];

	assert_int_equal(tree_make_folder(t, top), 0);
	for (unsigned i = 0; i < 5; i++) {
		(void)snprintf(path, sizeof(path), "%s/%u", top, i);
		assert_int_equal(tree_make_folder(t, path), 0);
		for (unsigned k = 0; k < 30; k++) {
			(void)snprintf(path, sizeof(path), "%s/%u/%u", top, i, k);
			if (k % 10 == 0)
				assert_int_equal(tree_make_folder(t, path), 0);
			else
				assert_int_equal(fixture_put(t, path, "x"), 0);
		}
	}
}

static void test_rmtree(void **state)
{
	struct tree_fixture *x = *state;
	struct ftp_entry e;
	struct talk t;

	talk_begin(&t, x, x->alice);
	make_tree(x->alice, "/shared/top");
	expect(&t, ftpd_site_rmtree, "top", "350 ");
	/* Something else in between: commands.c forgets. */
	expect(&t, ftpd_site_rmtree, "top/0", "350 ");
	expect(&t, ftpd_site_rmtree, "top", "350 ");
	assert_int_equal(tree_stat(x->alice, "/shared/top/4/29", &e), 0);
	assert_true(run(&t, ftpd_site_rmtree, "top") > 4);
	assert_string_equal(said(&t), "250 Removed, 156 in all.\r\n");
	assert_int_equal(tree_stat(x->alice, "/shared/top", &e), -ENOENT);
	fixture_exact(x);
	expect(&t, ftpd_site_rmtree, "top", "550 ");
	expect(&t, ftpd_site_rmtree, "/shared", "550 ");
	expect(&t, ftpd_site_rmtree, "/home/alice", "550 ");
	expect(&t, ftpd_site_rmtree, "/", "550 ");
	talk_end(&t);
}

static void refuse(struct talk *t, const char *path, const char *reply)
{
	expect(t, ftpd_site_rmtree, path, "350 ");
	expect(t, ftpd_site_rmtree, path, reply);
}

static void test_rmtree_refused(void **state)
{
	struct tree_fixture *x = *state;
	const struct upload_request request = {.how = UPLOAD_REPLACE, .path = "/shared/d/4/up"};
	struct upload *u = NULL;
	struct talk t, c;

	talk_begin(&t, x, x->alice);
	talk_begin(&c, x, x->chief);
	make_tree(x->alice, "/shared/d");
	assert_int_equal(fixture_put(x->bob, "/shared/d/4/of-bob", "x"), 0);
	refuse(&t, "d", "550 \"/shared/d/4/of-bob\": you may not do that");
	assert_int_equal(tree_remove_file(x->bob, "/shared/d/4/of-bob"), 0);
	assert_int_equal(symlink("..", fixture_real(x, "/shared/d/3/link")), 0);
	refuse(&t, "d", "550 \"/shared/d/3/link\"");
	refuse(&c, "d", "550 \"/shared/d/3/link\"");
	assert_int_equal(unlink(fixture_real(x, "/shared/d/3/link")), 0);
	assert_int_equal(mkfifo(fixture_real(x, "/shared/d/3/fifo"), 0660), 0);
	refuse(&t, "d", "55");
	assert_int_equal(unlink(fixture_real(x, "/shared/d/3/fifo")), 0);
	/* An upload is under way in it. */
	assert_int_equal(upload_new(x->bob, &request, &u), 0);
	assert_int_equal(upload_write(u, SPAN_LIT("half")), 0);
	refuse(&t, "d", "450 ");
	upload_end(u, true);
	fixture_exact(x);
	/* Nothing was removed so far; an interrupted one is in nobody's way. */
	expect(&t, ftpd_site_rmtree, "d", "350 ");
	expect(&t, ftpd_site_rmtree, "d", "250 Removed, 156 in all.");
	fixture_exact(x);
	talk_end(&t);
	talk_end(&c);
}

/* What comes to a folder while it is removed is judged too. */
static void test_rmtree_raced(void **state)
{
	struct tree_fixture *x = *state;
	struct ftpd_call c;
	struct ftp_entry e;
	struct talk t;

	talk_begin(&t, x, x->alice);
	make_tree(x->alice, "/shared/d");
	c = (struct ftpd_call){.f = &t.f, .argument = SPAN_LIT("d"), .path = "/shared/d"};
	assert_int_equal(ftpd_site_rmtree(&c), 0);
	assert_int_equal(ftpd_site_rmtree(&c), 0);
	/* The first walk needs three slices. */
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(job_step(&t.f), 0);
	assert_int_equal(fixture_put(x->bob, "/shared/d/of-bob", "x"), 0);
	while (t.f.job != NULL)
		assert_int_equal(job_step(&t.f), 0);
	assert_non_null(strstr(said(&t), "550 Stopped after "));
	assert_int_equal(tree_stat(x->bob, "/shared/d/of-bob", &e), 0);
	fixture_exact(x);
	assert_int_equal(tree_remove_file(x->bob, "/shared/d/of-bob"), 0);
	expect(&t, ftpd_site_rmtree, "d", "350 ");
	expect(&t, ftpd_site_rmtree, "d", "250 ");
	fixture_exact(x);
	talk_end(&t);
}

#define each_test(fn) cmocka_unit_test_setup_teardown(fn, tree_fixture_setup, tree_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		each_test(test_digests),
		each_test(test_parts),
		each_test(test_part_of_partial),
		each_test(test_noted),
		each_test(test_cap_and_abort),
		each_test(test_rmtree),
		each_test(test_rmtree_refused),
		each_test(test_rmtree_raced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
