/* What errors mean: exit status, temporariness, text. */
#include "base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_exit_status(void **state)
{
	static const struct {
		int error;
		int status;
	} rows[] = {{0, 0}, {5, 0}, {-EPROTO, 0}, {-ECONNRESET, 0}, {-EPIPE, 0}, {-ETIMEDOUT, 0},
		{-EKEYREJECTED, 0}, {-ENOENT, 100}, {-EACCES, 100}, {-EPERM, 100}, {-EROFS, 100},
		{-EBUSY, 111}, {-EAGAIN, 111}, {-ENOMEM, 111}, {-ENOSPC, 111}, {-EDQUOT, 111},
		{-ESTALE, 111}, {-EBADMSG, 1}, {-EINVAL, 1}, {-EIO, 1}, {-99999, 1},
		{INT32_MIN, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(err_exit_status(rows[i].error), rows[i].status);
}

static void test_temporary(void **state)
{
	static const int yes[] = {-EBUSY, -EAGAIN, -ENOMEM, -ENOSPC, -EDQUOT, -ESTALE, -EMFILE};
	static const int no[] = {0, 1, EBUSY, -EPROTO, -ENOENT, -EINVAL, -EBADMSG, -ETIMEDOUT};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(err_is_temporary(yes[i]));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(err_is_temporary(no[i]));
}

static void test_text(void **state)
{
	(void)state;
	assert_string_equal(err_text(0), "no error");
	assert_string_equal(err_text(-ETIMEDOUT), "a deadline passed");
	assert_string_equal(err_text(-EPROTO), "the peer broke the protocol");
	assert_string_equal(err_text(-ENOENT), "No such file or directory");
	assert_string_equal(err_text(-EINVAL), "Invalid argument");
	assert_string_equal(err_text(-4095), "unknown error");
	assert_string_equal(err_text(-100000), "unknown error");
	assert_string_equal(err_text(EINVAL), "unknown error");
	assert_string_equal(err_text(INT32_MIN), "unknown error");
	for (int error = -4096; error <= 0; error++)
		assert_non_null(err_text(error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_status),
		cmocka_unit_test(test_temporary),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
