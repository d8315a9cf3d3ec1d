/* Messages with NULs, made fit for text. */
#include "proto/mime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void check(struct span message, const char *wanted)
{
	struct buf out = BUF_INIT(65536);
	struct mime m;

	assert_int_equal(mime_parse(message, &m), 0);
	assert_int_equal(mime_binary_wrap(&m, &out), 0);
	assert_string_equal(buf_str(&out), wanted);
	mime_done(&m);
	buf_done(&out);
}

static void test_a_leaf(void **state)
{
	(void)state;
	check(SPAN_LIT("Subject: x\r\nContent-Transfer-Encoding: binary\r\nA: b\r\n\r\na\0b"),
		"Subject: x\r\nA: b\r\nContent-Transfer-Encoding: base64\r\n\r\nYQBi\r\n");
}

static void test_one_of_several(void **state)
{
	(void)state;
	check(SPAN_LIT(
		      "Content-Type: multipart/mixed; boundary=b\r\n\r\n\0--b\r\n--b\r\n\r\ntext\r\n--b\r\n"
		      "Content-Type: image/png\r\n\r\n\0\1\r\n--b--\r\n"),
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n?--b\r\n--b\r\n\r\ntext\r\n--b\r\n"
		"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAE=\r\n\r\n--b--\r\n");
}

static void test_nothing_to_do(void **state)
{
	(void)state;
	check(SPAN_LIT("A: b\r\n\r\ntext\r\n"), "A: b\r\n\r\ntext\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_leaf),
		cmocka_unit_test(test_one_of_several),
		cmocka_unit_test(test_nothing_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
