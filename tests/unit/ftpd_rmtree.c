/* Removing whole folders: the rows of everything in them go along, at long paths as well. */
#include "services/ftpd/tree_i.h"
#include "tests/unit/lib/tree_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { FOLDERS = 3, DEPTH = 8, NAME = 60 };

/* Longer than what a row's key holds of a path. */
static void name_folder(char *ret, size_t size, unsigned depth)
{
	int len = snprintf(ret, size, "/shared/top");

	for (unsigned i = 0; i < depth; i++)
		len += snprintf(ret + len, size - (size_t)len, "/%0*u", NAME, i);
}

static void interrupt(struct tree *t, const char *path)
{
	const struct upload_request request = {.how = UPLOAD_REPLACE, .path = path};
	struct upload *u = NULL;

	assert_int_equal(upload_new(t, &request, &u), 0);
	assert_int_equal(upload_write(u, SPAN_LIT("part")), 0);
	upload_end(u, true);
}

/* Folders, files and interrupted uploads of two people at each depth. */
static void make(const struct tree_fixture *x)
{
	char path[FTP_PATH_SIZE], below[FTP_PATH_SIZE + 32];

	for (unsigned depth = 0; depth < DEPTH; depth++) {
		name_folder(path, sizeof(path), depth);
		assert_int_equal(tree_make_folder(x->alice, path), 0);
		for (unsigned i = 0; i < FOLDERS; i++) {
			(void)snprintf(below, sizeof(below), "%s/d%u", path, i);
			assert_int_equal(tree_make_folder(x->alice, below), 0);
			(void)snprintf(below, sizeof(below), "%s/d%u/f", path, i);
			assert_int_equal(fixture_put(x->alice, below, "text"), 0);
		}
		(void)snprintf(below, sizeof(below), "%s/part", path);
		interrupt(x->alice, below);
		interrupt(x->bob, below);
	}
}

static int any(void *arg, struct span path, const struct file_row *row)
{
	(void)arg;
	(void)row;
	return span_starts(path, "/shared/top") ? 1 : 0;
}

static int any_partial(void *arg, struct span path, const struct file_partial *p)
{
	(void)arg;
	(void)path;
	(void)p;
	return 1;
}

static void test_all_goes(void **state)
{
	struct tree_fixture *x = *state;
	struct rmtree *m = NULL;
	int r = 1;

	make(x);
	fixture_exact(x);
	assert_int_equal(rmtree_new(x->alice, "/shared/top", &m), 0);
	while (r == 1)
		r = rmtree_step(m);
	assert_int_equal(r, 0);
	assert_int_equal(rmtree_removed(m), DEPTH * (1 + 2 * FOLDERS));
	rmtree_free(m);
	assert_int_equal(file_each(x->f->s, SPAN_LIT(""), any, NULL), 0);
	assert_int_equal(file_partial_each(x->f->s, any_partial, NULL), 0);
	fixture_exact(x);
}

/* A neighbour whose name begins alike loses nothing. */
static void test_neighbours_stay(void **state)
{
	struct tree_fixture *x = *state;
	char path[FTP_PATH_SIZE], other[FTP_PATH_SIZE + 8];
	struct rmtree *m = NULL;
	int r = 1;

	make(x);
	name_folder(path, sizeof(path), DEPTH - 1);
	(void)snprintf(other, sizeof(other), "%s-", path);
	assert_int_equal(fixture_put(x->alice, other, "stays"), 0);
	assert_int_equal(rmtree_new(x->alice, path, &m), 0);
	while (r == 1)
		r = rmtree_step(m);
	assert_int_equal(r, 0);
	rmtree_free(m);
	fixture_expect(x->alice, other, "stays");
	fixture_exact(x);
}

/* What a full disk has to keep free is not used up by folders either. */
static void test_no_folder_on_a_full_disk(void **state)
{
	struct tree_fixture *x = *state;

	fixture_policy(x, "files_keep_free", "1024T");
	assert_int_equal(tree_make_folder(x->alice, "/shared/d"), -ENOSPC);
	assert_int_equal(tree_make_folder(x->alice, "/shared"), -EEXIST);
	fixture_policy(x, "files_keep_free", "");
	assert_int_equal(tree_make_folder(x->alice, "/shared/d"), 0);
	fixture_exact(x);
}

#define each_test(fn) cmocka_unit_test_setup_teardown(fn, tree_fixture_setup, tree_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		each_test(test_all_goes),
		each_test(test_neighbours_stay),
		each_test(test_no_folder_on_a_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
