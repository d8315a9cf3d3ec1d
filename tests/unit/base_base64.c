/* Base64: the vectors of RFC 4648, lines, white space, padding, spare bits. */
#include "base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void assert_taken(struct buf *b, const char *want)
{
	assert_int_equal(buf_error(b), 0);
	assert_string_equal(buf_str(b), want);
	buf_reset(b);
}

static void test_vectors(void **state)
{
	static const char *const rows[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="},
		{"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"}};
	struct buf b = BUF_INIT(100);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		text_base64(&b, span_str(rows[i][0]), 0);
		assert_taken(&b, rows[i][1]);
		assert_int_equal(text_unbase64(&b, span_str(rows[i][1])), 0);
		assert_taken(&b, rows[i][0]);
	}
	buf_done(&b);
}

static void test_lines(void **state)
{
	struct buf b = BUF_INIT(100);

	(void)state;
	text_base64(&b, SPAN_LIT(""), 4);
	assert_taken(&b, "");
	text_base64(&b, SPAN_LIT("foo"), 4);
	assert_taken(&b, "Zm9v\n");
	text_base64(&b, SPAN_LIT("foob"), 4);
	assert_taken(&b, "Zm9v\nYg==\n");
	text_base64(&b, SPAN_LIT("foob"), 5);
	assert_taken(&b, "Zm9vY\ng==\n");
	text_base64(&b, SPAN_LIT("foob"), 76);
	assert_taken(&b, "Zm9vYg==\n");
	buf_done(&b);
}

static void test_all_bytes_round_trip(void **state)
{
	struct buf text = BUF_INIT(1000), back = BUF_INIT(256);
	unsigned char all[256];

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (unsigned char)i;
	for (size_t len = 250; len <= 256; len++) {
		text_base64(&text, span_of(all, len), 64);
		assert_int_equal(text_unbase64(&back, buf_span(&text)), 0);
		assert_true(span_eq(buf_span(&back), span_of(all, len)));
		buf_reset(&text);
		buf_reset(&back);
	}
	buf_done(&text);
	buf_done(&back);
}

static void test_white_space_is_skipped(void **state)
{
	struct buf b = BUF_INIT(100);

	(void)state;
	assert_int_equal(text_unbase64(&b, SPAN_LIT(" Z\tm\r\n8 = \n")), 0);
	assert_taken(&b, "fo");
	assert_int_equal(text_unbase64(&b, SPAN_LIT("Zg=\r\n=")), 0);
	assert_taken(&b, "f");
	assert_int_equal(text_unbase64(&b, SPAN_LIT(" \r\n")), 0);
	assert_taken(&b, "");
	buf_done(&b);
}

static void test_refusals(void **state)
{
	static const char *const bad[] = {"Z", "Zg", "Zm8", "Zm9vY", /* cut off */
		"Zg=", "Zg===", "Zm8==", "Zm9v=", "=", "==", "====", "Z===", /* wrong padding */
		"Zg==Zg==", "Zm8=Zm8=", "Zg==Z", "Z=g=", "Z=m8", "Zg=A",
		"Zg=g", /* behind the end */
		"Zh==", "Zo==", "Zv==", "Zm9=", "Zm+=", /* spare bits */
		"Zm9-", "Zm9_", "Zm9.", "Zm9\x0b", "Zm9\xc3", "Zm9\x80"}; /* other bytes */
	struct buf b = BUF_INIT(100);

	(void)state;
	buf_add_byte(&b, 'x');
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(text_unbase64(&b, span_str(bad[i])), -EINVAL);
		assert_string_equal(buf_str(&b), "x");
	}
	assert_int_equal(text_unbase64(&b, SPAN_LIT("Zm9v\0")), -EINVAL);
	assert_taken(&b, "x");
	buf_done(&b);
}

/* Of the 64 last characters a padded group can have, only those without spare bits pass. */
static void test_spare_bits_exhaustive(void **state)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct buf b = BUF_INIT(1000);

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		char two[] = {'Z', alphabet[i], '=', '='}, three[] = {'Z', 'm', alphabet[i], '='};

		assert_int_equal(text_unbase64(&b, span_of(two, 4)), i % 16 == 0 ? 0 : -EINVAL);
		assert_int_equal(text_unbase64(&b, span_of(three, 4)), i % 4 == 0 ? 0 : -EINVAL);
	}
	assert_int_equal(b.len, 4 * 1 + 16 * 2);
	buf_done(&b);
}

static void test_maximum(void **state)
{
	struct buf b = BUF_INIT(3);

	(void)state;
	assert_int_equal(text_unbase64(&b, SPAN_LIT("Zm9v")), 0);
	assert_string_equal(buf_str(&b), "foo");
	buf_reset(&b);
	assert_int_equal(text_unbase64(&b, SPAN_LIT("Zm9vYg==")), -ENOBUFS);
	assert_string_equal(buf_str(&b), "");
	/* The error sticks: a later call says so too. */
	assert_int_equal(text_unbase64(&b, SPAN_LIT("Zg==")), -ENOBUFS);
	buf_done(&b);
}

static void test_url_alphabet(void **state)
{
	struct buf b = BUF_INIT(100);

	(void)state;
	text_base64url(&b, SPAN_LIT(""));
	assert_taken(&b, "");
	text_base64url(&b, SPAN_LIT("f"));
	assert_taken(&b, "Zg");
	text_base64url(&b, SPAN_LIT("fo"));
	assert_taken(&b, "Zm8");
	text_base64url(&b, SPAN_LIT("foo"));
	assert_taken(&b, "Zm9v");
	text_base64url(&b, SPAN_LIT("\xfb\xff\xfe"));
	assert_taken(&b, "-__-");
	text_base64(&b, SPAN_LIT("\xfb\xff\xfe"), 0);
	assert_taken(&b, "+//+");
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_all_bytes_round_trip),
		cmocka_unit_test(test_white_space_is_skipped),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_spare_bits_exhaustive),
		cmocka_unit_test(test_maximum),
		cmocka_unit_test(test_url_alphabet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
