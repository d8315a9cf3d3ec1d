/* Content-Type and its like: words, parameters, what RFC 2231 cut and encoded, names of files. */
#include "tests/unit/lib/mime_check.h"

struct row {
	const char *value, *type, *subtype;
	const char *params[6]; /* name, value ... */
};

static void test_types(void **state)
{
	static const struct row rows[] = {
		{"text/html; charset=UTF-8", "text", "html", {"charset", "UTF-8"}},
		{" TEXT / Plain (a) ;Charset = \"us\\-ascii\" (Plain text)", "text", "plain",
			{"charset", "us-ascii"}},
		{"text/plain; name=my file.txt; x=\"a;b\"", "text", "plain",
			{"name", "my file.txt", "x", "a;b"}},
		{"text/plain; a=1; A=2; b; =c; d=", "text", "plain", {"a", "1", "d", ""}},
		{"inline", "inline", "", {NULL}},
		{"", "text", "plain", {"charset", "us-ascii"}},
		{"=?;a=b", "text", "plain", {"charset", "us-ascii"}},
		{"a/b; u*0=\"one \"; u*1=two; u*3=four", "a", "b", {"u", "one two"}},
		{"a/b; u*1=two; u*0=one", "a", "b", {"u", "onetwo"}},
		{"a/b; t*=us-ascii'en'This%20is%20%2A%2A", "a", "b", {"t", "This is **"}},
		{"a/b; t*0*=utf-8''%e2%82; t*1*=%ac; t*2=\"%20x\"", "a", "b",
			{"t", "\xe2\x82\xac%20x"}},
		{"a/b; t=plain; t*=utf-8''other", "a", "b", {"t", "other"}},
		{"a/b; t*=noquotes%21", "a", "b", {"t", "noquotes!"}},
		{"a/b; t*=iso-8859-1''%A3%zz%", "a", "b", {"t", "\xc2\xa3%zz%"}},
		{"a/b; name=\"=?utf-8?q?=c3=bc?=.txt\"; y=\"=?utf-8?q?a?=\"", "a", "b",
			{"name", "\xc3\xbc.txt", "y", "=?utf-8?q?a?="}},
		{"a/b; t=\"\xfc\"; s=\"\xc3\xbc", "a", "b", {"t", "\xc3\xbc", "s", "\xc3\xbc"}},
		{"a/b; t=\"a\r\n b\"", "a", "b", {"t", "a b"}},
		{"a/b; t*=utf-8''a%00b", "a", "b", {"t", "ab"}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mime_type t;
		size_t n = 0;

		assert_int_equal(mime_type_parse(span_str(rows[i].value), &t), 0);
		assert_string_equal(t.type, rows[i].type);
		assert_string_equal(t.subtype, rows[i].subtype);
		while (n < 3 && rows[i].params[2 * n] != NULL)
			n++;
		if (t.params.count != n)
			fail_msg("%s: %zu parameters", rows[i].value, t.params.count);
		for (size_t k = 0; k < n; k++)
			assert_string_equal(mime_param(&t.params, rows[i].params[2 * k]),
				rows[i].params[2 * k + 1]);
		assert_null(mime_param(&t.params, "none"));
		mime_type_done(&t);
	}
}

static void test_long(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(100000);
	struct mime_type t;

	(void)state;
	buf_add_str(&b, "a/b; t=\"");
	add_times(&b, "\xe2\x82\xac", 2000);
	buf_add_str(&b, "\"");
	for (int i = 0; i < 200; i++)
		buf_addf(&b, "; p%d=%d", i, i);
	assert_int_equal(mime_type_parse(buf_span(&b), &t), 0);
	assert_int_equal(t.params.count, MIME_PARAMS_MAX);
	assert_int_equal(strlen(t.params.list[0].value), (MIME_WORD_MAX - 1) / 3 * 3);
	mime_type_done(&t);
}

static void test_filename(void **state)
{
	static const char *const rows[][2] = {
		{"Content-Disposition: attachment; filename=a.txt\nContent-Type: a/b; name=b.txt",
			"a.txt"},
		{"Content-Disposition: attachment\nContent-Type: a/b; name=b.txt", "b.txt"},
		{"Content-Type: a/b; name=\"../../etc/passwd\"", "passwd"},
		{"Content-Type: a/b; name=\"C:\\\\dir\\\\x.doc\"", "x.doc"},
		{"Content-Type: a/b; name=\"...profile\"", "profile"},
		{"Content-Type: a/b; name*=utf-8''a%0d%0a%1b%5b0m%e2%80%aeb", "a[0mb"},
		{"Content-Type: a/b; name*=utf-8''gr%c3%bcn.txt", "gr\xc3\xbcn.txt"},
		{"Content-Type: a/b; name=\"dir/\"", "dir"},
		{"Content-Type: a/b; name=\"..\"", NULL},
		{"Content-Type: a/b; name=\"\"", NULL},
		{"Content-Type: a/b", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(1000);
		struct mime m;

		assert_int_equal(mime_parse(span_str(rows[i][0]), &m), 0);
		assert_int_equal(
			mime_filename(&m, &m.parts[0], &b), rows[i][1] != NULL ? 0 : -ENOENT);
		assert_string_equal(buf_str(&b), rows[i][1] != NULL ? rows[i][1] : "");
		mime_done(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_filename),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
