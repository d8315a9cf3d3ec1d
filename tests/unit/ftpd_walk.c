/*
 * Random walks over the tree: several sessions of several people do whatever comes, with uploads
 * left open in between, continued, dropped and overtaken. After each round everything has to be
 * exact. One process, so that a seed (QUINTET_TEST_SEED) does the same again.
 */
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/timefmt.h"
#include "services/ftpd/tree_i.h"
#include "tests/unit/lib/tree_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SESSIONS = 6, UPLOADS = 6, STEPS = 400, ROUNDS = 12, PATHS = 14, BLOCK = 3000 };

static const char *const paths[PATHS] = {"/shared/a", "/shared/b", "/shared/d", "/shared/d/a",
	"/shared/d/b", "/shared/d/e", "/shared/d/e/a", "/shared/g", "/shared/g/a", "/home/alice/a",
	"/home/alice/d", "/home/alice/d/a", "/home/bob/a", "/home/bob/d"};

static const char *const accounts[SESSIONS] = {"alice", "alice", "bob", "bob", "chief", "alice"};

struct walk {
	struct tree_fixture *x;
	struct tree *trees[SESSIONS];
	struct upload *uploads[UPLOADS];
	uint64_t random;
	unsigned char block[BLOCK];
};

static unsigned pick(struct walk *w, unsigned below)
{
	w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(w->random >> 33) % below;
}

static const char *pick_path(struct walk *w)
{
	return paths[pick(w, PATHS)];
}

static struct tree *pick_tree(struct walk *w)
{
	return w->trees[pick(w, SESSIONS)];
}

/* -- acts -------------------------------------------------------------------------------------- */

static void start_upload(struct walk *w)
{
	struct upload **u = &w->uploads[pick(w, UPLOADS)];
	struct upload_request request = {.how = (enum upload_how)pick(w, 3),
		.path = pick_path(w),
		.at_set = pick(w, 2) == 0,
		.at = pick(w, 3) * BLOCK / 2,
		.announced = pick(w, 4) == 0 ? pick(w, 3 * BLOCK) : 0};
	int r = 1;

	if (*u != NULL || upload_new(pick_tree(w), &request, u) < 0)
		return;
	while (r == 1)
		r = upload_prepare(*u);
}

static void write_upload(struct walk *w)
{
	struct upload *u = w->uploads[pick(w, UPLOADS)];

	if (u != NULL)
		(void)upload_write(u, span_of(w->block, 1 + pick(w, BLOCK)));
}

static void end_upload(struct walk *w)
{
	struct upload **u = &w->uploads[pick(w, UPLOADS)];
	struct ftp_entry e;

	if (*u == NULL)
		return;
	if (pick(w, 2) == 0)
		(void)upload_commit(*u, &e);
	upload_end(*u, pick(w, 4) != 0);
	*u = NULL;
}

static void make_folder(struct walk *w)
{
	(void)tree_make_folder(pick_tree(w), pick_path(w));
}

static void remove_folder(struct walk *w)
{
	(void)tree_remove_folder(pick_tree(w), pick_path(w));
}

static void remove_file(struct walk *w)
{
	(void)tree_remove_file(pick_tree(w), pick_path(w));
}

static void drop_partial(struct walk *w)
{
	(void)upload_drop(pick_tree(w), pick_path(w));
}

static void rename_something(struct walk *w)
{
	const char *from = pick_path(w), *to = pick_path(w);

	(void)tree_rename(pick_tree(w), from, to);
}

static void remove_tree(struct walk *w)
{
	_cleanup_(rmtree_freep) struct rmtree *m = NULL;
	int r = rmtree_new(pick_tree(w), pick_path(w), &m) == 0 ? 1 : 0;

	while (r == 1)
		r = rmtree_step(m);
}

static void set_time(struct walk *w)
{
	(void)tree_set_mtime(pick_tree(w), pick_path(w), INT64_C(1000000) * pick(w, 1000));
}

static void change_policy(struct walk *w)
{
	if (pick(w, 2) == 0)
		fixture_policy(w->x, "files_delete", pick(w, 2) == 0 ? "all" : "owner");
	else
		fixture_policy(w->x, "files_quota", pick(w, 2) == 0 ? "20000" : "0");
}

static void step(struct walk *w)
{
	static void (*const acts[])(struct walk * w) = {start_upload, start_upload, start_upload,
		start_upload, write_upload, write_upload, write_upload, end_upload, end_upload,
		end_upload, make_folder, make_folder, remove_folder, remove_file, drop_partial,
		rename_something, rename_something, remove_tree, set_time, change_policy};

	acts[pick(w, sizeof(acts) / sizeof(acts[0]))](w);
}

/* -- walks ------------------------------------------------------------------------------------- */

static void end_all(struct walk *w)
{
	for (size_t i = 0; i < UPLOADS; i++) {
		upload_end(w->uploads[i], pick(w, 3) != 0);
		w->uploads[i] = NULL;
	}
}

/* A digest that is believed is that of the file. */
static void check_digest(struct tree *t, const char *path)
{
	_cleanup_(cleanup_close) int fd = -1;
	unsigned char digest[FILE_DIGEST_LEN], chunk[4096];
	_cleanup_(hash_freep) struct hash *h = NULL;
	struct ftp_entry e;
	ssize_t n;

	if (tree_open_file(t, path, &fd, &e) < 0 || !e.has_digest)
		return;
	assert_int_equal(hash_new(&h), 0);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		assert_int_equal(hash_update(h, span_of(chunk, (size_t)n)), 0);
	assert_int_equal(hash_final(h, digest), 0);
	assert_memory_equal(digest, e.digest, sizeof(digest));
}

static uint64_t seed(void)
{
	const char *text = getenv("QUINTET_TEST_SEED");
	uint64_t ret = (uint64_t)time_now_us();

	if (text != NULL)
		(void)num_parse_u64(span_str(text), 0, UINT64_MAX, &ret);
	print_message("QUINTET_TEST_SEED=%ju\n", (uintmax_t)ret);
	return ret;
}

static void test_walk(void **state)
{
	struct tree_fixture *x = *state;
	struct walk w = {.x = x, .random = seed()};

	for (size_t i = 0; i < SESSIONS; i++) {
		assert_int_equal(tree_open(x->f->state, &w.trees[i]), 0);
		assert_int_equal(tree_log_in(w.trees[i], x->f->s, accounts[i],
					 strcmp(accounts[i], "chief") == 0),
			0);
	}
	for (size_t i = 0; i < BLOCK; i++)
		w.block[i] = (unsigned char)pick(&w, 256);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < STEPS; i++)
			step(&w);
		end_all(&w);
		fixture_exact(x);
		for (size_t i = 0; i < PATHS; i++)
			check_digest(w.trees[i % SESSIONS], paths[i]);
	}
	for (size_t i = 0; i < SESSIONS; i++)
		tree_free(w.trees[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
		test_walk, tree_fixture_setup, tree_fixture_teardown)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
