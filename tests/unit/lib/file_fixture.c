/* Rows of files for the tests of lib/store. */
#include "tests/unit/lib/file_fixture.h"

#include "store/policy.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

void file_fixture_quota(struct store *s, const char *value)
{
	struct policy_set_args p = {.name = "files_quota", .by = "test"};

	(void)snprintf(p.value, sizeof(p.value), "%s", value);
	assert_int_equal(store_call(s, STORE_OP_POLICY_SET, &p, NULL), 0);
}

int file_fixture_put(struct store *s, const char *path, const char *owner, uint64_t size)
{
	struct file_put_args a = {.path = span_str(path), .row = {.size = size, .inode = 5}};

	(void)snprintf(a.row.owner, sizeof(a.row.owner), "%s", owner);
	return store_call(s, STORE_OP_FILE_PUT, &a, NULL);
}

int file_fixture_partial(struct store *s, const char *path, const char *account, uint64_t size)
{
	struct partial_args a = {.path = span_str(path),
		.partial = {.temp = FILE_TEMP_PREFIX "0", .size = size},
		.now_us = FIXTURE_NOW};

	(void)snprintf(a.partial.account, sizeof(a.partial.account), "%s", account);
	return store_call(s, STORE_OP_PARTIAL_PUT, &a, NULL);
}

int file_fixture_reserve(
	struct store *s, const char *account, uint64_t id, uint64_t bytes, uint64_t replaces)
{
	struct file_reserve_args a = {.id = id, .bytes = bytes, .replaces = replaces, .pid = 1};

	(void)snprintf(a.account, sizeof(a.account), "%s", account);
	return store_call(s, STORE_OP_FILE_RESERVE, &a, NULL);
}

struct file_usage file_fixture_usage(struct store *s, const char *account)
{
	struct file_usage u;

	assert_int_equal(file_usage_get(s, account, &u), 0);
	return u;
}

void file_fixture_check(
	struct store *s, const char *account, uint64_t bytes, uint64_t files, uint64_t partial)
{
	struct file_usage u = file_fixture_usage(s, account);

	assert_int_equal(u.bytes, bytes);
	assert_int_equal(u.files, files);
	assert_int_equal(u.partial_bytes, partial);
	assert_int_equal(store_check(s, NULL, NULL), 0);
}

void file_fixture_owner(struct store *s, const char *path, const char *owner)
{
	struct file_row row = {.owner = "(none)"};
	int rc = file_get(s, span_str(path), &row);

	assert_int_equal(rc, owner == NULL ? -ENOENT : 0);
	if (owner != NULL)
		assert_string_equal(row.owner, owner);
}
