/* Words, sets, names, flags and dates of IMAP: what they mean, and what must be refused. */
#include "base/timefmt.h"
#include "proto/imap.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static unsigned char held[4096];

/* A command that may be written into. */
static struct imap_in in_of(const char *s, size_t len)
{
	assert_true(len <= sizeof(held));
	memcpy(held, s, len);
	return (struct imap_in){.p = held, .len = len};
}

static struct imap_in in_str(const char *s)
{
	return in_of(s, strlen(s));
}

static void test_literal_end(void **state)
{
	static const struct {
		const char *line;
		int r;
		uint64_t size;
		bool plus, binary;
		size_t prefix;
	} rows[] = {
		{"a LOGIN {5}", 1, 5, false, false, 8},
		{"a LOGIN {0+}", 1, 0, true, false, 8},
		{"a APPEND x ~{12}", 1, 12, false, true, 11},
		{"{007}", 1, 7, false, false, 0},
		{"a NOOP", 0, 0, false, false, 0},
		{"a {}", 0, 0, false, false, 0},
		{"a {+}", 0, 0, false, false, 0},
		{"a 5}", 0, 0, false, false, 0},
		{"a {-5}", 0, 0, false, false, 0},
		{"}", 0, 0, false, false, 0},
		{"", 0, 0, false, false, 0},
		{"a {9223372036854775808}", -EBADMSG, 0, false, false, 0},
		{"a {99999999999999999999999+}", -EBADMSG, 0, false, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct imap_literal l = {.size = 77};

		assert_int_equal(imap_literal_end(span_str(rows[i].line), &l), rows[i].r);
		assert_int_equal(l.size, rows[i].r == 1 ? rows[i].size : 77);
		if (rows[i].r == 1) {
			assert_int_equal(l.plus, rows[i].plus);
			assert_int_equal(l.binary, rows[i].binary);
			assert_int_equal(l.prefix, rows[i].prefix);
		}
	}
}

static void test_words(void **state)
{
	struct imap_in in = in_str("a1 UID \"q\\\"\\\\x\" {3+}\r\na\"b NIL 4294967295)]x");
	struct span s;
	uint64_t n;
	bool nil;

	(void)state;
	assert_int_equal(imap_in_tag(&in, &s), 0);
	assert_true(span_eq_str(s, "a1"));
	assert_int_equal(imap_in_space(&in), 0);
	assert_false(imap_in_word(&in, "UI"));
	assert_true(imap_in_word(&in, "uid"));
	assert_int_equal(imap_in_space(&in), 0);
	assert_int_equal(imap_in_atom(&in, &s), -EBADMSG);
	assert_int_equal(imap_in_string(&in, &s), 0);
	assert_true(span_eq_str(s, "q\"\\x"));
	assert_int_equal(imap_in_space(&in), 0);
	assert_int_equal(imap_in_astring(&in, &s), 0);
	assert_true(span_eq_str(s, "a\"b"));
	assert_int_equal(imap_in_space(&in), 0);
	assert_int_equal(imap_in_nstring(&in, &s, &nil), 0);
	assert_true(nil);
	assert_int_equal(imap_in_space(&in), 0);
	assert_int_equal(imap_in_number(&in, 4294967294, &n), -EBADMSG);
	assert_int_equal(imap_in_number(&in, 4294967295, &n), 0);
	assert_int_equal(n, 4294967295);
	assert_int_equal(imap_in_space(&in), -EBADMSG);
	assert_true(imap_in_char(&in, ')'));
	assert_int_equal(imap_in_atom(&in, &s), -EBADMSG);
	assert_int_equal(imap_in_astring(&in, &s), 0);
	assert_true(span_eq_str(s, "]x"));
	assert_true(imap_in_end(&in));
	assert_false(imap_in_char(&in, '\0'));
	assert_int_equal(imap_in_number(&in, 5, &n), -EBADMSG);
}

static void test_no_string(void **state)
{
	static const struct {
		const char *p;
		size_t len;
	} rows[] = {
		{"\"open", 5},
		{"\"a\\", 3},
		{"\"a\\x\"", 5},
		{"\"a\nb\"", 5},
		{"\"a\0b\"", 5},
		{"{4}\r\nabc", 8},
		{"{3}\nabc", 7},
		{"{3} \r\nabc", 9},
		{"{3}\r\na\0c", 8},
		{"~{3}\r\nabc", 9},
		{"{18446744073709551615}\r\n", 24},
		{"", 0},
		{"(", 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct imap_in in = in_of(rows[i].p, rows[i].len);
		struct span s = SPAN_LIT("kept");

		assert_int_equal(imap_in_string(&in, &s), -EBADMSG);
		assert_true(span_eq_str(s, "kept"));
		assert_int_equal(in.at, 0);
	}
}

static void test_tag(void **state)
{
	static const char *const bad[] = {"", "+", "a+b", "*", " a", "(a", "\"a\""};
	char longest[IMAP_TAG_MAX + 2];
	struct imap_in in;
	struct span s;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		in = in_str(bad[i]);
		assert_int_equal(imap_in_tag(&in, &s), -EBADMSG);
		assert_int_equal(in.at, 0);
	}
	memset(longest, 'x', sizeof(longest));
	in = in_of(longest, IMAP_TAG_MAX);
	assert_int_equal(imap_in_tag(&in, &s), 0);
	in = in_of(longest, IMAP_TAG_MAX + 1);
	assert_int_equal(imap_in_tag(&in, &s), -EBADMSG);
}

/* With UTF8=ACCEPT a quoted string must be UTF-8 (RFC 6855 section 3). */
static void test_utf8_string(void **state)
{
	struct imap_in in = in_str("\"\xc3\xa4\"");
	struct span s;

	(void)state;
	in.utf8 = true;
	assert_int_equal(imap_in_string(&in, &s), 0);
	in = in_str("\"\xc3\"");
	assert_int_equal(imap_in_string(&in, &s), 0);
	in = in_str("\"\xc3\"");
	in.utf8 = true;
	assert_int_equal(imap_in_string(&in, &s), -EBADMSG);
}

static void check_set(const char *text, uint32_t highest, const char *settled)
{
	struct buf b = BUF_INIT(256);
	struct imap_in in = in_str(text);
	struct imap_set s;

	assert_int_equal(imap_in_set(&in, &s), 0);
	assert_true(imap_in_end(&in));
	imap_set_settle(&s, highest);
	for (size_t i = 0; i < s.count; i++)
		buf_addf(&b, "%u:%u ", s.list[i].first, s.list[i].last);
	assert_string_equal(buf_str(&b), settled);
	buf_done(&b);
	imap_set_done(&s);
}

static void test_set(void **state)
{
	static const char *const bad[] = {
		"", "0", "1:", ":1", "1,", ",1", "1:0", "4294967296", "a", "-1", "1::2"};

	(void)state;
	check_set("1", 5, "1:1 ");
	check_set("4:2", 5, "2:4 ");
	check_set("1,3,2", 5, "1:3 ");
	check_set("5:6,1:2,9,2:3,1", 9, "1:3 5:6 9:9 ");
	check_set("*", 7, "7:7 ");
	check_set("*:3", 7, "3:7 ");
	check_set("9:*", 7, "7:9 ");
	check_set("*", 0, "1:1 ");
	check_set("1:*", 0, "1:1 ");
	check_set("1:4294967295", 7, "1:4294967294 ");
	check_set("9:4294967295", 7, "9:4294967294 ");
	check_set("4294967295", 7, "4294967294:4294967294 ");
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct imap_in in = in_str(bad[i]);
		struct imap_set s;
		int r = imap_in_set(&in, &s);

		/* What is behind a whole set is for the command to refuse. */
		assert_true(r == -EBADMSG || !imap_in_end(&in));
		if (r == 0)
			imap_set_done(&s);
	}
}

static void test_set_has(void **state)
{
	struct imap_in in = in_str("7,1:3,5");
	struct imap_set s;

	(void)state;
	assert_int_equal(imap_in_set(&in, &s), 0);
	imap_set_settle(&s, 10);
	for (uint32_t n = 0; n < 12; n++)
		assert_int_equal(imap_set_has(&s, n), (n >= 1 && n <= 3) || n == 5 || n == 7);
	imap_set_done(&s);
	assert_false(imap_set_has(&s, 1));
	in = in_str("$");
	assert_int_equal(imap_in_set(&in, &s), 0);
	assert_true(s.saved && s.count == 0);
	imap_set_done(&s);
}

static void test_set_bound(void **state)
{
	size_t len = 2 * (IMAP_SET_MAX + 1);
	unsigned char *p = malloc(len);
	struct imap_in in;
	struct imap_set s;

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < len; i++)
		p[i] = i % 2 == 0 ? '1' : ',';
	in = (struct imap_in){.p = p, .len = len - 1};
	assert_int_equal(imap_in_set(&in, &s), -EBADMSG);
	in = (struct imap_in){.p = p, .len = len - 3};
	assert_int_equal(imap_in_set(&in, &s), 0);
	imap_set_settle(&s, 1);
	assert_int_equal(s.count, 1);
	imap_set_done(&s);
	free(p);
}

static void test_put_set(void **state)
{
	static const uint32_t numbers[] = {1, 2, 3, 7, 9, 10, 4294967294, 4294967295};
	struct buf b = BUF_INIT(256);

	(void)state;
	imap_put_set(&b, numbers, COUNT(numbers));
	assert_string_equal(buf_str(&b), "1:3,7,9:10,4294967294:4294967295");
	buf_reset(&b);
	imap_put_set(&b, numbers, 0);
	assert_string_equal(buf_str(&b), "");
	buf_done(&b);
}

static void test_flags(void **state)
{
	struct imap_in in = in_str("(\\Seen $label1 \\FLAGGED $mdnsent NIL)");
	struct span keywords[2];
	struct buf b = BUF_INIT(256);
	uint32_t system;
	size_t count;

	(void)state;
	assert_int_equal(imap_in_flags(&in, &system, keywords, 2, &count), 0);
	assert_int_equal(system, IMAP_FLAG_SEEN | IMAP_FLAG_FLAGGED | IMAP_FLAG_MDN_SENT);
	assert_int_equal(count, 2);
	assert_true(span_eq_str(keywords[0], "$label1"));
	assert_true(span_eq_str(keywords[1], "NIL"));
	in = in_str("(\\Seen $label1 \\FLAGGED $mdnsent NIL)");
	assert_int_equal(imap_in_flags(&in, &system, keywords, 1, &count), -EBADMSG);
	in = in_str("\\Deleted a");
	assert_int_equal(imap_in_flags(&in, &system, keywords, 2, &count), 0);
	assert_true(imap_in_end(&in) && count == 1 && system == IMAP_FLAG_DELETED);
	in = in_str("()");
	assert_int_equal(imap_in_flags(&in, &system, keywords, 2, &count), 0);
	assert_true(system == 0 && count == 0);
	buf_add_byte(&b, '(');
	imap_put_flags(&b, IMAP_FLAG_DRAFT | IMAP_FLAG_ANSWERED | IMAP_FLAG_JUNK);
	assert_string_equal(buf_str(&b), "(\\Answered \\Draft $Junk");
	buf_done(&b);
}

static void test_no_flags(void **state)
{
	static const char *const bad[] = {"", "(\\Recent)", "(\\Foo)", "\\", "(a  b)", "(a",
		"((a))", "(a b) \"", "\"a\"", "(\\Seen]"};
	struct span keywords[8];
	uint32_t system;
	size_t count;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct imap_in in = in_str(bad[i]);

		assert_true(imap_in_flags(&in, &system, keywords, 8, &count) == -EBADMSG ||
			!imap_in_end(&in));
	}
}

static void test_dates(void **state)
{
	static const struct {
		const char *text;
		const char *again; /* NULL: refused */
	} rows[] = {
		{"\" 1-Feb-1994 21:52:25 -0800\"", "\"01-Feb-1994 21:52:25 -0800\""},
		{"\"01-feb-1994 00:00:00 +0545\"", "\"01-Feb-1994 00:00:00 +0545\""},
		{"\"1-FEB-2024 23:59:59 +0000\"", "\"01-Feb-2024 23:59:59 +0000\""},
		{"\"29-Feb-2024 01:02:03 +0000\"", "\"29-Feb-2024 01:02:03 +0000\""},
		{"\"30-Feb-2024 01:02:03 +0000\"", NULL},
		{"\"01-Foo-1994 00:00:00 +0000\"", NULL},
		{"\"01-Feb-1994 24:00:00 +0000\"", NULL},
		{"\"01-Feb-1994 00:00:00 0000\"", NULL},
		{"\"01-Feb-1994 00:00:00 +0060\"", NULL},
		{"\"01-Feb-1994 00:00:00 +0000", NULL},
		{"\"  1-Feb-1994 00:00:00 +0000\"", NULL},
		{"01-Feb-1994 00:00:00 +0000", NULL},
		{"\"01-Feb-", NULL},
		{"", NULL},
	};
	struct buf b = BUF_INIT(64);
	int32_t offset;
	int64_t us;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct imap_in in = in_str(rows[i].text);
		int r = imap_in_date_time(&in, &us, &offset);

		assert_int_equal(r, rows[i].again != NULL ? 0 : -EBADMSG);
		if (r < 0)
			continue;
		buf_reset(&b);
		imap_put_date_time(&b, us, offset);
		assert_string_equal(buf_str(&b), rows[i].again);
	}
	buf_done(&b);
}

static void test_day(void **state)
{
	static const char *const good[] = {
		"1-Feb-1994", "01-feb-1994", "\"1-FEB-1994\"", " 1-Feb-1994"};
	static const char *const bad[] = {
		"1-Feb-94", "32-Jan-1994", "1 Feb 1994", "\"1-Feb-1994", "Feb-1-1994", ""};
	int64_t us;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct imap_in in = in_str(good[i]);

		assert_int_equal(imap_in_date(&in, &us), 0);
		assert_true(imap_in_end(&in));
		assert_int_equal(us, 760060800 * TIME_S_US);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct imap_in in = in_str(bad[i]);

		assert_int_equal(imap_in_date(&in, &us), -EBADMSG);
		assert_int_equal(in.at, 0);
	}
}

static void test_strings(void **state)
{
	static const struct {
		const char *text;
		bool utf8;
		const char *wire;
	} rows[] = {
		{"", false, "\"\""},
		{"a\"b\\", false, "\"a\\\"b\\\\\""},
		{"a\nb", true, "{3}\r\na\nb"},
		{"\xc3\xa4", false, "{2}\r\n\xc3\xa4"},
		{"\xc3\xa4", true, "\"\xc3\xa4\""},
		{"\xc3", true, "{1}\r\n\xc3"},
	};
	struct buf b = BUF_INIT(64);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_reset(&b);
		imap_put_string(&b, span_str(rows[i].text), rows[i].utf8);
		assert_string_equal(buf_str(&b), rows[i].wire);
	}
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_literal_end),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_no_string),
		cmocka_unit_test(test_tag),
		cmocka_unit_test(test_utf8_string),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_set_has),
		cmocka_unit_test(test_set_bound),
		cmocka_unit_test(test_put_set),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_no_flags),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_day),
		cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
