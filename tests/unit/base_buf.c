/* The growing buffer: its maximum, its sticky error, its NUL, and what it leaves behind. */
#include "base/buf.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_content(const struct buf *b, const char *want)
{
	assert_true(span_eq_str(buf_span(b), want));
	assert_string_equal(buf_str(b), want);
}

static void test_empty(void **state)
{
	struct buf b = BUF_INIT(10);

	(void)state;
	assert_content(&b, "");
	assert_null(b.p);
	buf_add(&b, span_of(NULL, 0));
	buf_add_str(&b, NULL);
	buf_addf(&b, "%s", "");
	buf_consume(&b, 5);
	buf_commit(&b, 0);
	buf_reset(&b);
	assert_null(b.p);
	assert_int_equal(buf_error(&b), 0);
	buf_done(&b);
	buf_wipe(&b);
}

static void test_fills_to_the_maximum(void **state)
{
	struct buf b = BUF_INIT(5);

	(void)state;
	buf_add_str(&b, "abcd");
	buf_add_byte(&b, 'e');
	assert_int_equal(buf_error(&b), 0);
	assert_content(&b, "abcde");
	buf_add_byte(&b, 'f');
	assert_int_equal(buf_error(&b), -ENOBUFS);
	assert_content(&b, "abcde");
	buf_done(&b);
	assert_int_equal(b.max, 5);
	assert_int_equal(buf_error(&b), 0);
}

static void test_error_sticks_until_reset(void **state)
{
	struct buf b = BUF_INIT(4);

	(void)state;
	buf_add_str(&b, "ab");
	buf_add_str(&b, "xyz");
	assert_int_equal(buf_error(&b), -ENOBUFS);
	/* These would fit, but come behind the error. */
	buf_add_byte(&b, 'c');
	buf_addf(&b, "%d", 1);
	buf_add_u16(&b, 1);
	assert_null(buf_reserve(&b, 1));
	buf_commit(&b, 1);
	assert_content(&b, "ab");
	buf_reset(&b);
	assert_content(&b, "");
	buf_add_str(&b, "wxyz");
	assert_int_equal(buf_error(&b), 0);
	assert_content(&b, "wxyz");
	buf_done(&b);
}

static void test_maximum_zero(void **state)
{
	struct buf b = BUF_INIT(0);

	(void)state;
	assert_non_null(buf_reserve(&b, 0));
	buf_add_byte(&b, 'x');
	assert_int_equal(buf_error(&b), -ENOBUFS);
	assert_content(&b, "");
	buf_done(&b);
}

static void test_huge_requests_do_not_wrap(void **state)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	(void)state;
	buf_add_str(&b, "abc");
	assert_null(buf_reserve(&b, SIZE_MAX));
	assert_int_equal(buf_error(&b), -ENOBUFS);
	buf_reset(&b);
	buf_add_str(&b, "abc");
	assert_null(buf_reserve(&b, SIZE_MAX - 3));
	assert_int_equal(buf_error(&b), -ENOBUFS);
	assert_content(&b, "abc");
	buf_done(&b);
}

static void test_growth_keeps_content(void **state)
{
	struct buf b = BUF_INIT(100000);

	(void)state;
	for (size_t i = 0; i < 100000; i++)
		buf_add_byte(&b, (unsigned char)(i % 251));
	assert_int_equal(buf_error(&b), 0);
	assert_int_equal(b.len, 100000);
	assert_true(b.cap <= 100001);
	for (size_t i = 0; i < b.len; i++)
		assert_int_equal(b.p[i], i % 251);
	assert_int_equal(b.p[b.len], 0);
	buf_wipe(&b);
	assert_null(b.p);
}

static void test_format(void **state)
{
	struct buf b = BUF_INIT(200);
	char want[151];

	(void)state;
	buf_add_str(&b, "x");
	buf_addf(&b, "%s-%05d", "y", 42);
	assert_content(&b, "xy-00042");
	buf_reset(&b);
	buf_addf(&b, "%150s", "");
	memset(want, ' ', 150);
	want[150] = '\0';
	assert_content(&b, want);
	buf_addf(&b, "%51s", "");
	assert_int_equal(buf_error(&b), -ENOBUFS);
	assert_content(&b, want);
	buf_done(&b);
}

static void test_integers_are_big_endian(void **state)
{
	static const unsigned char want[] = {
		0x01, 0x02, 0xff, 0xfe, 0xfd, 0xfc, 0x80, 0, 0, 0, 0, 0, 0, 1};
	struct buf b = BUF_INIT(sizeof(want));

	(void)state;
	buf_add_u16(&b, 0x0102);
	buf_add_u32(&b, 0xfffefdfc);
	buf_add_u64(&b, UINT64_C(0x8000000000000001));
	assert_true(span_eq(buf_span(&b), span_of(want, sizeof(want))));
	buf_done(&b);
}

static void test_reserve_and_commit(void **state)
{
	struct buf b = BUF_INIT(8);
	unsigned char *at;

	(void)state;
	buf_add_str(&b, "ab");
	at = buf_reserve(&b, 6);
	assert_non_null(at);
	memcpy(at, "cdefgh", 6);
	assert_int_equal(b.len, 2);
	buf_commit(&b, 3);
	assert_content(&b, "abcde");
	assert_null(buf_reserve(&b, 4));
	assert_int_equal(buf_error(&b), -ENOBUFS);
	buf_done(&b);
}

static void test_consume(void **state)
{
	struct buf b = BUF_INIT(8);

	(void)state;
	buf_add_str(&b, "abcdef");
	buf_consume(&b, 0);
	assert_content(&b, "abcdef");
	buf_consume(&b, 4);
	assert_content(&b, "ef");
	buf_add_str(&b, "ghijkl");
	assert_content(&b, "efghijkl");
	buf_consume(&b, 9);
	assert_content(&b, "");
	buf_done(&b);
}

static void test_cleanup_closes_and_keeps_errno(void **state)
{
	int seen;

	(void)state;
	{
		_cleanup_(cleanup_close) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		assert_true(fd >= 0);
		seen = fd;
		errno = ENOTTY;
	}
	assert_int_equal(errno, ENOTTY);
	assert_int_equal(fcntl(seen, F_GETFD), -1);
	assert_int_equal(errno, EBADF);
}

static void test_take_hands_over(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), kept = -1;
	char *text = strdup("x"), *kept_text = NULL;

	(void)state;
	{
		_cleanup_(cleanup_close) int mine = fd;
		_cleanup_(cleanup_free) char *my_text = text;

		kept = take_fd(&mine);
		kept_text = take_ptr(&my_text);
		assert_int_equal(mine, -1);
		assert_null(my_text);
	}
	assert_int_equal(kept, fd);
	assert_true(fcntl(kept, F_GETFD) >= 0);
	assert_string_equal(kept_text, "x");
	free(kept_text);
	(void)close(kept);
}

static void test_cleanup_fclose(void **state)
{
	FILE *none = NULL, *file = fopen("/dev/null", "re");
	int fd;

	(void)state;
	assert_non_null(file);
	fd = fileno(file);
	cleanup_fclose(&none);
	cleanup_fclose(&file);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_fills_to_the_maximum),
		cmocka_unit_test(test_error_sticks_until_reset),
		cmocka_unit_test(test_maximum_zero),
		cmocka_unit_test(test_huge_requests_do_not_wrap),
		cmocka_unit_test(test_growth_keeps_content),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_integers_are_big_endian),
		cmocka_unit_test(test_reserve_and_commit),
		cmocka_unit_test(test_consume),
		cmocka_unit_test(test_cleanup_closes_and_keeps_errno),
		cmocka_unit_test(test_take_hands_over),
		cmocka_unit_test(test_cleanup_fclose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
