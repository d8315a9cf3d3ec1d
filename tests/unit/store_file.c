/* The operations on files one by one: what each changes, and what each refuses. */
#include "store/file.h"

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

static int rename_path(struct store *s, const char *from, const char *to)
{
	const struct file_rename_args a = {span_str(from), span_str(to)};

	return store_call(s, STORE_OP_FILE_RENAME, &a, NULL);
}

/* -- put and note ------------------------------------------------------------------------------ */

static void test_put(void **state)
{
	struct store *s = store_of(state);
	struct file_put_args a = {.path = SPAN_LIT("/shared/a"),
		.row = {.owner = "ada",
			.size = 10,
			.inode = 77,
			.mtime_ns = -3,
			.has_digest = true,
			.digest = {1, 2, 3},
			.stored_us = 9}};
	struct file_row row;

	assert_int_equal(store_call(s, STORE_OP_FILE_PUT, &a, NULL), 0);
	assert_int_equal(file_get(s, a.path, &row), 0);
	assert_memory_equal(&row, &a.row, sizeof(row));
	file_fixture_check(s, "ada", 10, 1, 0);
	/* Another owner's in its place, then a folder. */
	assert_int_equal(file_fixture_partial(s, "/shared/a", "ada", 4), 0);
	assert_int_equal(file_fixture_partial(s, "/shared/a", "ben", 5), 0);
	assert_int_equal(file_fixture_put(s, "/shared/a", "ben", 20), 0);
	file_fixture_check(s, "ada", 0, 0, 4); /* her own partial stays */
	file_fixture_check(s, "ben", 20, 1, 0);
	a.row.folder = true;
	assert_int_equal(store_call(s, STORE_OP_FILE_PUT, &a, NULL), 0);
	assert_int_equal(file_get(s, a.path, &row), 0);
	assert_true(row.folder && row.size == 0 && !row.has_digest);
	file_fixture_check(s, "ada", 0, 0, 4); /* nor is it the folder's to remove */
	file_fixture_check(s, "ben", 0, 0, 0);
}

static void test_bad_paths(void **state)
{
	static const char *const bad[] = {"", "/", "a", "shared/a", "/shared/", "/shared/\x01",
		"/shared/\xff", "/a\xc3", "/shared//a", "/shared/./a", "/shared/../a", "/.."};
	char path[FILE_PATH_MAX + 2] = "/";
	struct store *s = store_of(state);
	struct file_row row;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct file_remove_args r = {.paths = {span_str(bad[i])}, .count = 1};

		assert_int_equal(file_fixture_put(s, bad[i], "ada", 1), -EINVAL);
		assert_int_equal(file_fixture_partial(s, bad[i], "ada", 1), -EINVAL);
		assert_int_equal(rename_path(s, bad[i], "/x"), -EINVAL);
		assert_int_equal(rename_path(s, "/x", bad[i]), -EINVAL);
		assert_int_equal(store_call(s, STORE_OP_FILE_REMOVE, &r, NULL), -EINVAL);
		assert_int_equal(file_get(s, span_str(bad[i]), &row), -ENOENT);
	}
	memset(path + 1, 'x', FILE_PATH_MAX);
	assert_int_equal(file_fixture_put(s, path, "ada", 1), -EINVAL);
	path[FILE_PATH_MAX] = '\0';
	assert_int_equal(file_fixture_put(s, path, "ada", 1), 0);
	assert_int_equal(file_fixture_put(s, "/shared/a", "", 1), -EINVAL);
	assert_int_equal(file_fixture_put(s, "/shared/a", "ada", UINT64_C(1) << 63), -EINVAL);
}

static void test_note(void **state)
{
	struct store *s = store_of(state);
	struct file_note_args a = {.path = SPAN_LIT("/shared/a"),
		.row = {.size = 30, .inode = 5, .has_digest = true, .owner = "mallory"}};
	struct file_row row;

	assert_int_equal(store_call(s, STORE_OP_FILE_NOTE, &a, NULL), -ESTALE); /* no row */
	assert_int_equal(file_fixture_put(s, "/shared/a", "ada", 10), 0);
	assert_int_equal(store_call(s, STORE_OP_FILE_NOTE, &a, NULL), 0);
	assert_int_equal(file_get(s, a.path, &row), 0);
	assert_string_equal(row.owner, "ada");
	assert_true(row.has_digest);
	file_fixture_check(s, "ada", 30, 1, 0);
	a.row.inode = 6;
	assert_int_equal(store_call(s, STORE_OP_FILE_NOTE, &a, NULL), -ESTALE);
	a.path = SPAN_LIT("/shared/dropped");
	a.row.owner[0] = '\0';
	assert_int_equal(store_call(s, STORE_OP_FILE_NOTE, &a, NULL), 0);
	file_fixture_owner(s, "/shared/dropped", "");
	/* Whoever writes over it owns it. */
	assert_int_equal(file_fixture_put(s, "/shared/dropped", "ben", 1), 0);
	file_fixture_check(s, "ben", 1, 1, 0);
}

/* -- removing ---------------------------------------------------------------------------------- */

static void test_remove(void **state)
{
	struct store *s = store_of(state);
	struct file_remove_args a = {
		.paths = {SPAN_LIT("/shared/a"), SPAN_LIT("/shared/none")}, .count = 2};
	struct file_partial p;

	assert_int_equal(file_fixture_put(s, "/shared/a", "ada", 1), 0);
	assert_int_equal(file_fixture_put(s, "/shared/a/b", "ada", 2), 0);
	assert_int_equal(file_fixture_put(s, "/shared/ab", "ada", 4), 0);
	assert_int_equal(file_fixture_put(s, "/shared/a-b", "ada", 8), 0);
	assert_int_equal(file_fixture_partial(s, "/shared/a", "ben", 1), 0);
	assert_int_equal(file_fixture_partial(s, "/shared/a/c", "ben", 2), 0);
	assert_int_equal(file_fixture_partial(s, "/shared/ab", "ben", 4), 0);
	assert_int_equal(store_call(s, STORE_OP_FILE_REMOVE, &a, NULL), 0);
	file_fixture_check(s, "ada", 14, 3, 0);
	file_fixture_check(s, "ben", 0, 0, 7);
	a.below = true;
	assert_int_equal(store_call(s, STORE_OP_FILE_REMOVE, &a, NULL), 0);
	file_fixture_check(s, "ada", 12, 2, 0);
	file_fixture_check(s, "ben", 0, 0, 5);
	assert_int_equal(file_partial_get(s, "ben", SPAN_LIT("/shared/ab"), FIXTURE_NOW, &p), 0);
	a.count = FILE_REMOVE_MAX + 1;
	assert_int_equal(store_call(s, STORE_OP_FILE_REMOVE, &a, NULL), -EINVAL);
}

static void test_remove_stored_before(void **state)
{
	struct store *s = store_of(state);
	struct file_put_args f = {.row = {.owner = "ada", .size = 1}};
	struct file_remove_args a = {.paths = {SPAN_LIT("/shared/old"), SPAN_LIT("/shared/new")},
		.count = 2,
		.stored_before_us = 100};

	f.path = a.paths[0];
	f.row.stored_us = 99;
	assert_int_equal(store_call(s, STORE_OP_FILE_PUT, &f, NULL), 0);
	f.path = a.paths[1];
	f.row.stored_us = 100;
	assert_int_equal(store_call(s, STORE_OP_FILE_PUT, &f, NULL), 0);
	assert_int_equal(file_fixture_partial(s, "/shared/old", "ada", 7), 0);
	assert_int_equal(store_call(s, STORE_OP_FILE_REMOVE, &a, NULL), 0);
	file_fixture_owner(s, "/shared/old", NULL);
	file_fixture_owner(s, "/shared/new", "ada");
	file_fixture_check(s, "ada", 1, 1, 7);
	a.below = true;
	assert_int_equal(store_call(s, STORE_OP_FILE_REMOVE, &a, NULL), -EINVAL);
}

/* -- renaming ---------------------------------------------------------------------------------- */

static void test_rename(void **state)
{
	struct store *s = store_of(state);
	struct file_partial p;

	assert_int_equal(file_fixture_put(s, "/shared/a", "ada", 1), 0);
	assert_int_equal(file_fixture_put(s, "/shared/a/x", "ada", 2), 0);
	assert_int_equal(file_fixture_put(s, "/shared/ab", "ada", 4), 0);
	assert_int_equal(file_fixture_put(s, "/shared/z", "ben", 8), 0);
	assert_int_equal(file_fixture_put(s, "/shared/z/stale", "ben", 16), 0);
	assert_int_equal(file_fixture_partial(s, "/shared/a", "cyd", 32), 0);
	assert_int_equal(file_fixture_partial(s, "/shared/a/y", "cyd", 64), 0);
	assert_int_equal(rename_path(s, "/shared/a", "/shared/a/x"), -EINVAL);
	assert_int_equal(rename_path(s, "/shared/a/x", "/shared/a"), -EINVAL);
	assert_int_equal(rename_path(s, "/shared/a", "/shared/a"), 0);
	assert_int_equal(rename_path(s, "/shared/a", "/shared/z"), 0);
	file_fixture_owner(s, "/shared/a", NULL);
	file_fixture_owner(s, "/shared/a/x", NULL);
	file_fixture_owner(s, "/shared/ab", "ada");
	file_fixture_owner(s, "/shared/z", "ada");
	file_fixture_owner(s, "/shared/z/x", "ada");
	file_fixture_owner(s, "/shared/z/stale", NULL);
	file_fixture_check(s, "ada", 7, 3, 0);
	file_fixture_check(s, "ben", 0, 0, 0);
	file_fixture_check(s, "cyd", 0, 0, 96);
	assert_int_equal(file_partial_get(s, "cyd", SPAN_LIT("/shared/a"), FIXTURE_NOW, &p), 0);
	assert_int_equal(file_partial_get(s, "cyd", SPAN_LIT("/shared/z/y"), FIXTURE_NOW, &p), 0);
	assert_int_equal(rename_path(s, "/shared/nothing", "/shared/else"), 0);
}

/* Paths that share all that their keys hold of them, and a name that gets too long. */
static void test_long_paths(void **state)
{
	struct store *s = store_of(state);
	char folder[512] = "/shared/", twin[512], path[600], to[FILE_PATH_MAX + 1] = "/";

	memset(folder + 8, 'x', KEY_PATH_WHOLE);
	memcpy(twin, folder, sizeof(twin));
	folder[8 + KEY_PATH_WHOLE] = 'a';
	twin[8 + KEY_PATH_WHOLE] = 'b';
	for (unsigned i = 0; i < 20; i++) {
		(void)snprintf(path, sizeof(path), "%s/%u", i % 2 == 0 ? folder : twin, i);
		assert_int_equal(file_fixture_put(s, path, i % 2 == 0 ? "ada" : "ben", 1), 0);
	}
	file_fixture_check(s, "ada", 10, 10, 0);
	assert_int_equal(rename_path(s, folder, "/shared/short"), 0);
	file_fixture_owner(s, "/shared/short/0", "ada");
	file_fixture_owner(s, "/shared/short/1", NULL);
	(void)snprintf(path, sizeof(path), "%s/1", twin);
	file_fixture_owner(s, path, "ben");
	memset(to + 1, 'y', FILE_PATH_MAX - 1);
	assert_int_equal(rename_path(s, "/shared/short", to), -ENAMETOOLONG);
	file_fixture_owner(s, "/shared/short/0", "ada");
	to[FILE_PATH_MAX - 3] = '\0';
	assert_int_equal(rename_path(s, "/shared/short/10", to), 0);
	file_fixture_owner(s, to, "ada");
	file_fixture_check(s, "ada", 10, 10, 0);
	file_fixture_check(s, "ben", 10, 10, 0);
}

static int count_one(void *arg, struct span path, const struct file_row *row)
{
	(void)path;
	(void)row;
	(*(unsigned *)arg)++;
	return 0;
}

static unsigned count_below(struct store *s, const char *folder)
{
	unsigned count = 0;

	assert_int_equal(file_each(s, span_str(folder), count_one, &count), 0);
	return count;
}

/* As many rows as may move, and one more. */
static void test_rename_limit(void **state)
{
	struct store *s = store_of(state);
	const struct file_row row = {.size = 1};
	struct store_txn *txn = NULL;
	char path[64];

	assert_int_equal(kv_begin(s->env, true, FIXTURE_NOW, &txn), 0);
	for (unsigned i = 0; i < FILE_RENAME_MAX; i++) {
		(void)snprintf(path, sizeof(path), "/shared/many/%u", i);
		assert_int_equal(file_row_write(txn, span_str(path), &row), 0);
	}
	assert_int_equal(kv_commit(txn), 0);
	assert_int_equal(rename_path(s, "/shared/many", "/shared/more"), 0);
	assert_int_equal(count_below(s, "/shared/more"), FILE_RENAME_MAX);
	assert_int_equal(file_fixture_put(s, "/shared/more/x", "ada", 1), 0);
	assert_int_equal(rename_path(s, "/shared/more", "/shared/many"), -E2BIG);
	assert_int_equal(count_below(s, "/shared/more"), FILE_RENAME_MAX + 1);
	assert_int_equal(count_below(s, "/shared/many"), 0);
	file_fixture_check(s, "ada", 1, 1, 0);
}

/* -- partials ---------------------------------------------------------------------------------- */

static void test_partials(void **state)
{
	struct store *s = store_of(state);
	const struct span path = SPAN_LIT("/home/ada/f");
	struct partial_args a = {
		.path = path, .partial = {.account = "ada", .temp = FILE_TEMP_PREFIX "0"}};
	struct file_partial p;

	assert_int_equal(file_fixture_partial(s, "/home/ada/f", "ada", 9), 0);
	assert_int_equal(file_partial_get(s, "ada", path, FIXTURE_NOW, &p), 0);
	assert_int_equal(p.size, 9);
	assert_int_equal(p.expires_us, FIXTURE_NOW + 7 * FIXTURE_DAY);
	assert_int_equal(file_partial_get(s, "ben", path, FIXTURE_NOW, &p), -ENOENT);
	assert_int_equal(file_partial_get(s, "ada", path, p.expires_us - 1, &p), 0);
	assert_int_equal(file_partial_get(s, "ada", path, p.expires_us, &p), -ENOENT);
	assert_int_equal(file_fixture_partial(s, "/home/ada/f", "ada", 5), 0);
	file_fixture_check(s, "ada", 0, 0, 5);
	(void)snprintf(a.partial.temp, sizeof(a.partial.temp), "%s", FILE_TEMP_PREFIX "other");
	assert_int_equal(store_call(s, STORE_OP_PARTIAL_REMOVE, &a, NULL), -ESTALE);
	a.partial.temp[0] = '\0';
	assert_int_equal(store_call(s, STORE_OP_PARTIAL_REMOVE, &a, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_PARTIAL_REMOVE, &a, NULL), -ENOENT);
	assert_int_equal(store_call(s, STORE_OP_PARTIAL_PUT, &a, NULL), -EINVAL); /* no name */
	(void)snprintf(a.partial.temp, sizeof(a.partial.temp), "%s", FILE_TEMP_PREFIX "/../x");
	assert_int_equal(store_call(s, STORE_OP_PARTIAL_PUT, &a, NULL), -EINVAL);
	file_fixture_check(s, "ada", 0, 0, 0);
}

/* -- a name that owned files ------------------------------------------------------------------- */

static void test_no_heir(void **state)
{
	struct store *s = store_of(state);
	const struct account_remove_args gone = {.name = "ada", .now_us = FIXTURE_NOW};
	struct file_remove_args r = {.paths = {SPAN_LIT("/shared/a")}, .count = 1};
	struct account_create_args c = {
		.name = "ada", .now_us = FIXTURE_NOW + 91 * FIXTURE_DAY, .peer = "x"};

	fixture_account(s, "ada");
	assert_int_equal(file_fixture_put(s, "/shared/a", "ada", 1), 0);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_REMOVE, &gone, NULL), 0);
	file_fixture_owner(s, "/shared/a", "ada");
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &c, NULL), -EEXIST);
	assert_int_equal(store_call(s, STORE_OP_FILE_REMOVE, &r, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &c, NULL), 0);
}

#define with_store(t) \
	cmocka_unit_test_setup_teardown(t, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(test_put),
		with_store(test_bad_paths),
		with_store(test_note),
		with_store(test_remove),
		with_store(test_remove_stored_before),
		with_store(test_rename),
		with_store(test_long_paths),
		with_store(test_rename_limit),
		with_store(test_partials),
		with_store(test_no_heir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
