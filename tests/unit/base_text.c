/* UTF-8 classes, escaping, JSON, hexadecimal and percent encoding. */
#include "base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const good_utf8[] = {"", "abc", "\x01\x7f", "\xc2\x80", "\xdf\xbf",
	"\xe0\xa0\x80", "\xec\xbf\xbf", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
	"\xf0\x90\x80\x80", "\xf3\xbf\xbf\xbf", "\xf4\x8f\xbf\xbf", "a\xc3\xa9z"};

static const char *const bad_utf8[] = {"\x80", "\xbf", /* a continuation byte alone */
	"\xc0\x80", "\xc1\xbf", /* overlong, two bytes */
	"\xe0\x80\x80", "\xe0\x9f\xbf", /* overlong, three */
	"\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", /* overlong, four */
	"\xed\xa0\x80", "\xed\xbf\xbf", /* surrogates */
	"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", /* beyond U+10FFFF */
	"\xf8\x88\x80\x80\x80", "\xfe", "\xff", /* no lead bytes at all */
	"\xc3", "\xe2\x82", "\xf0\x9f\x98", /* cut off */
	"\xc3(", "\xe2(\x82", "\xe2\x82(", "\xf0\x9f\x98(", "\xf0\x9f(\x80", /* broken */
	"ok\xff", "\xff-ok"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The bytes in an allocation of exactly their size, so that a read behind them is seen. */
static struct span exact(const char *s)
{
	size_t len = strlen(s);
	unsigned char *p = malloc(len);

	assert_true(p != NULL || len == 0);
	if (len > 0)
		memcpy(p, s, len);
	return span_of(p, len);
}

static void drop(struct span s)
{
	union {
		const unsigned char *bytes;
		void *memory;
	} u = {.bytes = s.p};

	free(u.memory);
}

static void test_utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good_utf8); i++) {
		struct span s = exact(good_utf8[i]);

		assert_true(text_is_utf8(s));
		drop(s);
	}
	for (size_t i = 0; i < COUNT(bad_utf8); i++) {
		struct span s = exact(bad_utf8[i]);

		assert_false(text_is_utf8(s));
		assert_false(text_is_clean(s));
		drop(s);
	}
	assert_true(text_is_utf8(span_of(NULL, 0)));
	assert_true(text_is_utf8(SPAN_LIT("a\0b")));
}

/* Every sequence of one to three bytes, against the definition by code points. */
static bool is_utf8_by_code_point(const unsigned char *p, size_t len)
{
	uint32_t c;

	if (len == 1)
		return p[0] < 0x80;
	for (size_t i = 1; i < len; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return false;
	if (len == 2) {
		c = (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
		return p[0] >> 5 == 6 && c >= 0x80;
	}
	c = (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
	return p[0] >> 4 == 14 && c >= 0x800 && (c < 0xd800 || c > 0xdfff);
}

static void test_utf8_exhaustive(void **state)
{
	(void)state;
	for (uint32_t v = 0; v < 0x1000000; v++) {
		unsigned char p[3] = {(unsigned char)(v >> 16), (unsigned char)(v >> 8 & 0xff),
			(unsigned char)(v & 0xff)};

		/* Only whole sequences: the first byte must not be a character of its own. */
		if (p[0] < 0x80)
			continue;
		if (text_is_utf8(span_of(p, 3)) != is_utf8_by_code_point(p, 3) &&
			!(is_utf8_by_code_point(p, 2) && is_utf8_by_code_point(p + 2, 1)))
			fail_msg("%06x", v);
		if (p[2] == 0 && text_is_utf8(span_of(p, 2)) != is_utf8_by_code_point(p, 2))
			fail_msg("%04x", v >> 8);
	}
}

static void test_clean_and_print(void **state)
{
	(void)state;
	assert_true(text_is_clean(SPAN_LIT("")));
	assert_true(text_is_clean(SPAN_LIT(" ~\xc2\xa0\xc3\xa9")));
	assert_false(text_is_clean(SPAN_LIT("a\0")));
	assert_false(text_is_clean(SPAN_LIT("\x1f")));
	assert_false(text_is_clean(SPAN_LIT("\x7f")));
	assert_false(text_is_clean(SPAN_LIT("\xc2\x80")));
	assert_false(text_is_clean(SPAN_LIT("\xc2\x9f")));
	assert_false(text_is_clean(SPAN_LIT("a\tb")));
	assert_true(text_is_print(SPAN_LIT("")));
	assert_true(text_is_print(SPAN_LIT(" ~")));
	assert_false(text_is_print(SPAN_LIT("\x1f")));
	assert_false(text_is_print(SPAN_LIT("\x7f")));
	assert_false(text_is_print(SPAN_LIT("\xc3\xa9")));
}

static void assert_taken(struct buf *b, const char *want)
{
	assert_int_equal(buf_error(b), 0);
	assert_string_equal(buf_str(b), want);
	buf_reset(b);
}

static void test_escape(void **state)
{
	struct buf b = BUF_INIT(100);

	(void)state;
	text_escape(&b, SPAN_LIT("plain \xc3\xa9 ~"));
	assert_taken(&b, "plain \xc3\xa9 ~");
	text_escape(&b, SPAN_LIT("a\n\r\t\0\x1b[2J\x7f"));
	assert_taken(&b, "a\\x0a\\x0d\\x09\\x00\\x1b[2J\\x7f");
	text_escape(&b, SPAN_LIT("\"\\"));
	assert_taken(&b, "\\x22\\x5c");
	text_escape(&b, SPAN_LIT("\xc2\x9b\xc2\xa0"));
	assert_taken(&b, "\\xc2\\x9b\xc2\xa0");
	text_escape(&b, SPAN_LIT("\xff\xc3\xe2\x82"));
	assert_taken(&b, "\\xff\\xc3\\xe2\\x82");
	buf_done(&b);
}

static void test_escape_stops_at_the_maximum(void **state)
{
	struct buf b = BUF_INIT(3);

	(void)state;
	text_escape(&b, SPAN_LIT("abcd"));
	assert_int_equal(buf_error(&b), -ENOBUFS);
	assert_string_equal(buf_str(&b), "abc");
	buf_done(&b);
}

static void test_json(void **state)
{
	struct buf b = BUF_INIT(100);

	(void)state;
	text_json(&b, SPAN_LIT(""));
	assert_taken(&b, "\"\"");
	text_json(&b, SPAN_LIT("a\"\\/\n\t\0\x1f\x7f\xc3\xa9"));
	assert_taken(&b, "\"a\\\"\\\\/\\n\\u0009\\u0000\\u001f\\u007f\xc3\xa9\"");
	text_json(&b, SPAN_LIT("x\xffy\xc3"));
	assert_taken(&b, "\"x\xef\xbf\xbdy\xef\xbf\xbd\"");
	/* What some terminals take for a control sequence. */
	text_json(&b,
		SPAN_LIT("\xc2\x9b"
			 "2J\xc2\xa0"));
	assert_taken(&b, "\"\\u009b2J\xc2\xa0\"");
	buf_done(&b);
}

static void test_hex(void **state)
{
	struct buf b = BUF_INIT(100);

	(void)state;
	text_hex(&b, SPAN_LIT("\0\x0f\xf0\xff"));
	assert_taken(&b, "000ff0ff");
	assert_int_equal(text_unhex(&b, SPAN_LIT("000FF0ff")), 0);
	assert_true(span_eq(buf_span(&b), SPAN_LIT("\0\x0f\xf0\xff")));
	buf_reset(&b);
	assert_int_equal(text_unhex(&b, SPAN_LIT("41:42:43")), 0);
	assert_taken(&b, "ABC");
	assert_int_equal(text_unhex(&b, SPAN_LIT("41:4243")), 0);
	assert_taken(&b, "ABC");
	assert_int_equal(text_unhex(&b, SPAN_LIT("")), 0);
	assert_taken(&b, "");
	buf_done(&b);
}

static void test_unhex_refusals(void **state)
{
	static const char *const bad[] = {"4", "414", ":41", "41:", "41::42", "4:1", "4g", "G0",
		"41 42", "0x41", "4/", "4:", "@1", "`1"};
	struct buf b = BUF_INIT(3);

	(void)state;
	buf_add_byte(&b, 'x');
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(text_unhex(&b, span_str(bad[i])), -EINVAL);
		assert_string_equal(buf_str(&b), "x");
	}
	assert_int_equal(text_unhex(&b, SPAN_LIT("4142")), 0);
	assert_string_equal(buf_str(&b), "xAB");
	assert_int_equal(text_unhex(&b, SPAN_LIT("43")), -ENOBUFS);
	assert_string_equal(buf_str(&b), "xAB");
	buf_done(&b);
}

static void test_percent(void **state)
{
	struct buf b = BUF_INIT(100);

	(void)state;
	text_percent_encode(&b, SPAN_LIT("azAZ09-._~ /+%@[`{\xc3\0"));
	assert_taken(&b, "azAZ09-._~%20%2F%2B%25%40%5B%60%7B%C3%00");
	assert_int_equal(text_percent_decode(&b, SPAN_LIT("a%20b+c%2b%2B"), true), 0);
	assert_taken(&b, "a b c++");
	assert_int_equal(text_percent_decode(&b, SPAN_LIT("a+b"), false), 0);
	assert_taken(&b, "a+b");
	assert_int_equal(text_percent_decode(&b, SPAN_LIT("%00"), false), 0);
	assert_true(span_eq(buf_span(&b), SPAN_LIT("\0")));
	buf_reset(&b);
	buf_add_byte(&b, 'x');
	assert_int_equal(text_percent_decode(&b, SPAN_LIT("a%"), true), -EINVAL);
	assert_int_equal(text_percent_decode(&b, SPAN_LIT("a%4"), true), -EINVAL);
	assert_int_equal(text_percent_decode(&b, SPAN_LIT("a%4g"), true), -EINVAL);
	assert_int_equal(text_percent_decode(&b, SPAN_LIT("a%%41"), true), -EINVAL);
	assert_taken(&b, "x");
	buf_done(&b);
	b = BUF_INIT(1);
	assert_int_equal(text_percent_decode(&b, SPAN_LIT("ab"), true), -ENOBUFS);
	assert_string_equal(buf_str(&b), "");
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_utf8_exhaustive),
		cmocka_unit_test(test_clean_and_print),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_escape_stops_at_the_maximum),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_unhex_refusals),
		cmocka_unit_test(test_percent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
