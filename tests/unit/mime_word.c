/* Encoded words, character sets, comparing without case, base subjects. */
#include "tests/unit/lib/mime_check.h"

#include "base/text.h"

static void test_decode(void **state)
{
	static const char *const rows[][2] = {
		{"plain  text", "plain  text"},
		{" =?utf-8?Q?a_b=20c=3D?= \r\n", "a b c="},
		{"=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"},
		{"=?ISO-8859-1?Q?a?=\r\n \t=?utf-8?B?YsO8?= c", "ab\xc3\xbc c"},
		{"=?ISO-8859-1?Q?a?= b =?ISO-8859-1?Q?c?=", "a b c"},
		{"x=?utf-8*en?q?=c3=bc?=y", "x\xc3\xbcy"},
		/* A character cut in two by its words. */
		{"=?utf-8?b?w7w=?= =?utf-8?b?4oI=?= =?utf-8?b?rA==?=", "\xc3\xbc\xe2\x82\xac"},
		{"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "\xe6\x97\xa5\xe6\x9c\xac"},
		{"=?gb2312?B?1tDOxA==?=", "\xe4\xb8\xad\xe6\x96\x87"},
		{"=?koi8-r?Q?=D0=D2=C9?=", "\xd0\xbf\xd1\x80\xd0\xb8"},
		{"=?unknown?Q?=C3=BC?=", "\xc3\xbc"},
		{"=?unknown?Q?=FC?=", "\xc3\xbc"},
		{"=?utf-8?Q?=fc?=", "\xef\xbf\xbd"},
		{"raw \xfc and \xc3", "raw \xc3\xbc and \xc3\x83"},
		{"raw \xc3\xbc", "raw \xc3\xbc"},
		{"a\x1b[0m\x7f\tb\001", "a[0m b"},
		{"=?utf-8?Q?a=0Ab=1B?=", "a b"},
		/* Nothing turns what follows. */
		{"=?utf-8?Q?a=E2=80=AEb=E2=81=A6?=", "ab"},
		{"a\xe2\x80\xae b \xe2\x80\x93 c", "a b \xe2\x80\x93 c"},
		{"=?utf-8?x?a?= =?utf-8?q?", "=?utf-8?x?a?= =?utf-8?q?"},
		{"=?utf-8?q?a b?= c", "a b c"},
		{"=?", "=?"},
		{"=?utf-8?b?!!?=", ""},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(1000);

		mime_words_decode(&b, span_str(rows[i][0]));
		assert_buf(&b, rows[i][1]);
	}
}

static void test_encode(void **state)
{
	static const struct {
		const char *text;
		bool phrase;
		const char *wanted;
	} rows[] = {
		{"hello  you", false, "hello  you"},
		{"", false, ""},
		{"Re: Gr\xc3\xbc\xc3\x9f"
		 "e an alle",
			false, "Re: =?utf-8?b?R3LDvMOfZQ==?= an alle"},
		{"\xd0\xbf\xd1\x80\xd0\xb8", false, "=?utf-8?b?0L/RgNC4?="},
		{"a\r\nBcc: x", false, "a  Bcc: x"},
		{"a =?b", false, "a =?utf-8?b?PT9i?="},
		{" a ", false, "a"},
		{"Bob B", true, "Bob B"},
		{"Bob B. \"x\"", true, "\"Bob B. \\\"x\\\"\""},
		{"J\xc3\xb6rg, X", true, "=?utf-8?b?SsO2cmcsIFg=?="},
		{"\xff", false, "=?utf-8?b?77+9?="},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(1000);
		size_t column = 9;

		mime_words_encode(&b, span_str(rows[i].text), rows[i].phrase, &column);
		assert_buf(&b, rows[i].wanted);
		assert_int_equal(column, 9 + b.len);
	}
}

/* Whatever the text: short lines, and it reads the same. */
static void test_there_and_back(void **state)
{
	static const char *const pieces[] = {"a ", "word ", "\xc3\xbc", "\xf0\x9f\x98\x80", "  ",
		"=?", "longer-word-of-ascii-without-any-blank ", "\xe6\x97\xa5\xe6\x9c\xac "};
	unsigned seed = 12345;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		_cleanup_(buf_done) struct buf text = BUF_INIT(10000);
		_cleanup_(buf_done) struct buf b = BUF_INIT(100000);
		_cleanup_(buf_done) struct buf back = BUF_INIT(100000);
		struct span rest, line;
		size_t column = 9;

		for (int k = 0; k < 1 + i % 30; k++) {
			seed = seed * 1103515245 + 12345;
			buf_add_str(&text, pieces[seed >> 16 & 7]);
		}
		buf_add_str(&b, "Subject: ");
		mime_words_encode(&b, buf_span(&text), i % 3 == 0, &column);
		assert_int_equal(buf_error(&b), 0);
		rest = buf_span(&b);
		while (mime_line_next(&rest, &line))
			assert_true(line.len <= 80);
		line = span_of(b.p + 9, b.len - 9);
		if (i % 3 == 0 && line.p[0] == '"')
			continue;
		mime_words_decode(&back, line);
		assert_int_equal(buf_error(&back), 0);
		assert_true(span_eq(buf_span(&back), span_trim(buf_span(&text))));
	}
}

static void test_charsets(void **state)
{
	static const struct {
		const char *name, *bytes, *utf8;
	} rows[] = {
		{"UTF-8", "a\xff", "a\xef\xbf\xbd"},
		{"us-ascii", "\xfc", "\xc3\xbc"},
		{"ISO_8859-15", "\xa4", "\xe2\x82\xac"},
		{"windows-1252", "\x80\x81", "\xe2\x82\xac\xef\xbf\xbd"},
		{"cp1251", "\xcf", "\xd0\x9f"},
		{"shift_jis", "\x93\xfa", "\xe6\x97\xa5"},
		{"EUC-KR", "\xc7\xd1\xff", "\xed\x95\x9c\xef\xbf\xbd"},
		{"big5", "\xa4\xa4\xa4", "\xe4\xb8\xad\xef\xbf\xbd"},
		{"utf-7", "+AOQ-x", "\xc3\xa4x"},
		{"nothing", "\xe4", "\xc3\xa4"},
	};
	_cleanup_(buf_done) struct buf b = BUF_INIT(100);

	(void)state;
	mime_charset_warm();
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_reset(&b);
		assert_int_equal(
			mime_to_utf8(&b, span_str(rows[i].name), span_str(rows[i].bytes)), 0);
		assert_buf(&b, rows[i].utf8);
		assert_int_equal(mime_charset_known(span_str(rows[i].name)), i + 1 < COUNT(rows));
	}
	buf_reset(&b);
	assert_int_equal(
		mime_to_utf8(&b, SPAN_LIT("utf-16"), span_of("\xff\xfe\xe4\0=\xd8\0\xde\1", 9)), 0);
	assert_buf(&b, "\xc3\xa4\xf0\x9f\x98\x80\xef\xbf\xbd");
	buf_reset(&b);
	assert_int_equal(mime_to_utf8(&b, SPAN_LIT("utf-32be"), span_of("\0\1\xf6\0", 4)), 0);
	assert_buf(&b, "\xf0\x9f\x98\x80");
	b.max = 2;
	assert_int_equal(mime_to_utf8(&b, SPAN_LIT("gbk"), SPAN_LIT("\xd6\xd0")), -ENOBUFS);
}

static void test_casefold(void **state)
{
	static const char *const same[][2] = {
		{"HeLLo", "hEllO"},
		{"\xc3\x84\xc3\x96", "\xc3\xa4\xc3\xb6"},
		{"STRASSE",
			"stra\xc3\x9f"
			"e"},
		{"\xce\xa3\xce\x91\xcf\x82", "\xcf\x83\xce\xb1\xcf\x83"},
		{"\xd0\x9f\xd0\xa0\xd0\x98", "\xd0\xbf\xd1\x80\xd0\xb8"},
		{"\xc4\x80\xc4\xb2", "\xc4\x81\xc4\xb3"},
		{"e\xcc\x81", "\xc3\x89"},
		{"\xe1\xba\xbf", "\xe1\xba\xbe"},
		{"\xe2\x84\xab", "\xc3\xa5"},
		{"\xff\xc3", "\xff\xc3"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(same); i++) {
		_cleanup_(buf_done) struct buf a = BUF_INIT(100), b = BUF_INIT(100);

		mime_casefold(&a, span_str(same[i][0]));
		mime_casefold(&b, span_str(same[i][1]));
		assert_buf(&a, buf_str(&b));
		buf_reset(&b);
		mime_casefold(&b, buf_span(&a));
		assert_buf(&b, buf_str(&a));
	}
}

static void test_base_subject(void **state)
{
	static const struct {
		const char *value, *base;
		bool reply;
	} rows[] = {
		{"Hello", "hello", false},
		{" \t Re:  Hello \t  you ", "hello you", true},
		{"RE: re:Fw: FWD : a", "a", true},
		{"Re[2]: a", "a", true},
		{"[list] Re: [list] a", "a", true},
		{"[list] a", "a", false},
		{"[list]", "[list]", false},
		{"[a] [b]", "[b]", false},
		{"Re: [fwd: Re: a (fwd)]", "a", true},
		{"a (fwd) (FWD) ", "a", true},
		{"re", "re", false},
		{"rea: b", "rea: b", false},
		{"=?utf-8?q?Re=3A_Gr=C3=9C?=", "gru\xcc\x88", true},
		{"", "", false},
		{"Re:", "", true},
		{"[a[b]c] d", "[a[b]c] d", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(100);
		bool reply = !rows[i].reply;

		mime_base_subject(&b, span_str(rows[i].value), &reply);
		assert_buf(&b, rows[i].base);
		assert_int_equal(reply, rows[i].reply);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_charsets),
		cmocka_unit_test(test_casefold),
		cmocka_unit_test(test_base_subject),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
