/* Transfer encodings in pieces of any size, and what of a part is text. */
#include "tests/unit/lib/mime_check.h"

struct row {
	enum mime_encoding encoding;
	const char *in, *out;
	bool spoiled;
};

static const struct row rows[] = {
	{MIME_IDENTITY, "a\r\nb", "a\r\nb", false},
	{MIME_OTHER, "a", "a", false},
	{MIME_BASE64, "aGVs\r\nbG8=", "hello", false},
	{MIME_BASE64, "aGVsbG8", "hello", true},
	{MIME_BASE64, "aGVsbA==\r\n--\r\nlist", "hell", true},
	{MIME_BASE64, "aG=VsbG8=", "hello", true},
	{MIME_BASE64, "=aGVsbG8==", "hello", true},
	{MIME_BASE64, "aG*Vs bG8=", "hello", true},
	{MIME_BASE64, "a", "", true},
	{MIME_BASE64, "", "", false},
	{MIME_QP, "a=3Db=\r\nc", "a=bc", false},
	{MIME_QP, "a \t \r\nb  c", "a\r\nb  c", false},
	{MIME_QP, "a= \t\r\nb=\nc", "abc", false},
	{MIME_QP, "a=ZZ=4", "a=ZZ=4", true},
	{MIME_QP, "=c3=BC=", "\xc3\xbc", false},
	{MIME_QP, "a= \tb=\t", "a= \tb", true},
	{MIME_QP, "a==3D", "a==", true},
	{MIME_QP, "\xfc", "\xfc", true},
};

static void decode_in(const struct row *row, size_t step)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(1000);
	struct mime_decoder d = {.encoding = row->encoding};
	struct span in = span_str(row->in);

	for (size_t at = 0; at < in.len; at += step)
		assert_int_equal(
			mime_decode(&d, span_of(in.p + at, at + step > in.len ? in.len - at : step),
				&out),
			0);
	assert_int_equal(mime_decode_end(&d, &out), 0);
	assert_buf(&out, row->out);
	assert_int_equal(d.spoiled, row->spoiled);
}

static void test_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t step = 1; step < 8; step++)
			decode_in(&rows[i], step);
}

static void test_full(void **state)
{
	struct mime_decoder d = {.encoding = MIME_BASE64};
	_cleanup_(buf_done) struct buf out = BUF_INIT(4);

	(void)state;
	assert_int_equal(mime_decode(&d, SPAN_LIT("aGVsbG8="), &out), -ENOBUFS);
}

static void test_text(void **state)
{
	static const struct {
		const char *message, *text; /* NULL: not text */
	} each[] = {
		{"\n\xc3\xbc", "\xc3\xbc"},
		{"Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: "
		 "quoted-printable\n\n=FC=\n",
			"\xc3\xbc"},
		{"Content-Type: text/html; charset=utf-16\nContent-Transfer-Encoding: "
		 "base64\n\n//7kAA==",
			"\xc3\xa4"},
		{"\n\xef\xbb\xbf"
		 "marked",
			"marked"},
		{"Content-Type: image/png\n\nx", NULL},
		{"Content-Type: message/delivery-status\n\nx", "x"},
		{"Content-Type: message/rfc822\n\n\nx", NULL},
		{"Content-Type: multipart/mixed; boundary=x\n\nlost", "lost"},
		{"Content-Type: multipart/mixed; boundary=x\n\n--x\n\nfound", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(each); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(100);
		struct mime m;

		assert_int_equal(mime_parse(span_str(each[i].message), &m), 0);
		assert_int_equal(
			mime_text(&m, &m.parts[0], &b), each[i].text != NULL ? 0 : -EINVAL);
		if (each[i].text != NULL)
			assert_buf(&b, each[i].text);
		mime_done(&m);
	}
}

static void test_html(void **state)
{
	static const char *const each[][2] = {
		{"<p>Hello <b>you</b>&amp;me</p><p>Second\n  line</p>",
			"Hello you&me\n\nSecond line\n"},
		{"a<br>b<br><br>c<hr>d", "a\nb\n\nc\n----\nd\n"},
		{"<ul><li>one<li>two</ul>", "* one\n* two\n"},
		{"<style>x{}</style>a<script>if (a<b) '</p>'</script >b<!-- c -- > d -->e",
			"abe\n"},
		{"1 < 2 & 3 &lt; 4 &#8364; &#x41; &bogus; &uuml;",
			"1 < 2 & 3 < 4 \xe2\x82\xac A &bogus; \xc3\xbc\n"},
		{"<a href=\"https://x.test/?a=1&amp;b=2\">here</a>.",
			"here <https://x.test/?a=1&b=2>.\n"},
		{"<a href=http://x>http://x</a> <a href='javascript:y'>z</a>", "http://x z\n"},
		{"<img src=x alt=\"a > b\">!", "a > b!\n"},
		{"<td title=\"unclosed>a</td><td>b</td>", "a b\n"},
		{"<pre>a  b\n\n c</pre>d", "a  b\n\n c\n\nd\n"},
		{"a\xe2\x80\x8b\xe2\x80\xae\001b", "ab\n"},
		{"", ""},
		{"<", "<\n"},
		{"<!-- never ended", ""},
		{"<script>never", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(each); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(1000);

		mime_html_text(&b, span_str(each[i][0]));
		assert_buf(&b, each[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_html),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
