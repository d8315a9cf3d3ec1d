/* What IMAP tells of a message: ENVELOPE, BODY, BODYSTRUCTURE, sections, the row that is kept. */
#include "tests/unit/lib/mime_check.h"

#include "base/timefmt.h"

static void assert_body(const char *message, bool extended, const char *wanted)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(10000);
	struct mime m;

	assert_int_equal(mime_parse(span_str(message), &m), 0);
	mime_put_body(&b, &m, extended);
	assert_buf(&b, wanted);
	mime_done(&m);
}

static void test_strings(void **state)
{
	static const char *const rows[][2] = {
		{"", "\"\""},
		{"a \"b\\", "\"a \\\"b\\\\\""},
		{"\xc3\xbc", "{2}\r\n\xc3\xbc"},
		{"a\rb", "{3}\r\na\rb"},
		{"a\tb", "\"a\tb\""},
	};
	_cleanup_(buf_done) struct buf b = BUF_INIT(10000);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_reset(&b);
		mime_put_nstring(&b, span_str(rows[i][0]), true);
		assert_buf(&b, rows[i][1]);
	}
	buf_reset(&b);
	mime_put_nstring(&b, SPAN_LIT("x"), false);
	assert_buf(&b, "NIL");
	buf_reset(&b);
	mime_put_nstring(&b, SPAN_LIT("a\0b"), true);
	assert_buf(&b, "{3}\r\na?b");
}

static void test_envelope(void **state)
{
	static const char *const rows[][2] = {
		{"", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"},
		{"Date:\nSubject:\nFrom:\nIn-Reply-To:\nMessage-Id:\n",
			"(\"\" \"\" NIL NIL NIL NIL NIL NIL \"\" \"\")"},
		{"Date: d\nSubject: a\n b \"c\"\nFrom: Bob <b@x>\nSender: \nTo: g:a@b,c@d;,"
		 " =?utf-8?q?=C3=BC?= <@r:e@f>\nTo: bare\nCc: u:;\nMessage-ID: <m>\n",
			"(\"d\" \"a b \\\"c\\\"\" ((\"Bob\" NIL \"b\" \"x\")) ((\"Bob\" NIL \"b\" "
			"\"x\")) ((\"Bob\" NIL \"b\" \"x\")) ((NIL NIL \"g\" NIL)(NIL NIL \"a\" "
			"\"b\")(NIL NIL \"c\" \"d\")(NIL NIL NIL NIL)(\"=?utf-8?q?=C3=BC?=\" "
			"\"@r\" \"e\" \"f\")(NIL NIL \"bare\" \"\")) ((NIL NIL \"u\" NIL)(NIL NIL "
			"NIL NIL)) NIL NIL \"<m>\")"},
		{"Subject: \xc3\xbc\nFrom: a@b\nReply-To: c@d\nSender: e@f\n",
			"(NIL {2}\r\n\xc3\xbc ((NIL NIL \"a\" \"b\")) ((NIL NIL \"e\" \"f\")) ((NIL "
			"NIL \"c\" \"d\")) NIL NIL NIL NIL NIL)"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(10000);

		mime_put_envelope(&b, span_str(rows[i][0]));
		assert_buf(&b, rows[i][1]);
	}
}

#define PLAIN "\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\""

static void test_body(void **state)
{
	(void)state;
	assert_body("\nhello\r\n", false, "(" PLAIN " 7 1)");
	assert_body("\nhello\r\n", true, "(" PLAIN " 7 1 NIL NIL NIL NIL)");
	assert_body("Content-Type: IMAGE/png; Name=a\nContent-Id: <c>\nContent-Description: d e\n"
		    "Content-Transfer-Encoding: BASE64 (x)\nContent-MD5: m\nContent-Disposition: "
		    "attachment; filename*0=\"a\"; filename*1=b\nContent-Language: en\n"
		    "Content-Location: http://x\n\nabcd",
		true,
		"(\"IMAGE\" \"png\" (\"Name\" \"a\") \"<c>\" \"d e\" \"BASE64\" 4 \"m\" "
		"(\"attachment\" (\"filename\" \"ab\")) \"en\" \"http://x\")");
	assert_body("Content-Disposition: inline\nContent-Language: en, (x) fi-x (y),\n"
		    "Content-Type: a/b; t*0*=utf-8'en'%c3; t*1*=%bc; t*2=\" x\"\n\n",
		true,
		"(\"a\" \"b\" (\"t*\" \"utf-8'en'%c3%bc%20x\") NIL NIL \"7bit\" 0 NIL (\"inline\" NIL)"
		" (\"en\" \"fi-x\") NIL)");
}

static void test_body_multipart(void **state)
{
	static const char mixed[] = "Content-Type: multipart/mixed; boundary=x\n\n--x\n\na\n--x\n"
				    "Content-Type: message/rfc822\n\nSubject: s\n\nb\nc\n--x--\n";

	(void)state;
	assert_body(mixed, false,
		"((" PLAIN
		" 1 0)(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 15 (NIL \"s\" NIL NIL "
		"NIL NIL NIL NIL NIL NIL) (" PLAIN " 3 1) 3) \"mixed\")");
	assert_body(mixed, true,
		"((" PLAIN
		" 1 0 NIL NIL NIL NIL)(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 15 (NIL "
		"\"s\" NIL NIL NIL NIL NIL NIL NIL NIL) (" PLAIN " 3 1 NIL NIL NIL NIL) 3 NIL NIL "
		"NIL NIL) \"mixed\" (\"boundary\" \"x\") NIL NIL NIL)");
	/* What has no part, or none that can be looked at, looks like one all the same. */
	assert_body("Content-Type: multipart/alternative\n\nx", true,
		"((" PLAIN " 0 0 NIL NIL NIL NIL) \"alternative\" NIL NIL NIL NIL)");
	assert_body("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nAAAA\n",
		false,
		"(\"message\" \"rfc822\" NIL NIL NIL \"base64\" 5 (NIL NIL NIL NIL NIL NIL NIL NIL NIL "
		"NIL) (" PLAIN " 0 0) 1)");
	assert_body("Content-Type: message/delivery-status\n\nA: b\n", false,
		"(\"message\" \"delivery-status\" NIL NIL NIL \"7bit\" 5)");
}

/* -- the row ----------------------------------------------------------------------------------- */

static void open_record(const char *message, struct buf *b, struct mime_record *ret)
{
	struct mime m;

	assert_int_equal(mime_parse(span_str(message), &m), 0);
	assert_int_equal(mime_record_write(&m, b), 0);
	mime_done(&m);
	assert_int_equal(mime_record_open(buf_span(b), ret), 0);
	assert_int_equal(ret->size, strlen(message));
}

static void test_record(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(100000);
	struct mime_record r;
	struct span rest, msgid;

	(void)state;
	open_record(
		"From: \"B\xc3\x96\" <Bob@X>\nTo: G: eve@x;\nCc: c@d\nDate: 1 Jan 2000 00:00 +0000\n"
		"Subject: Re: Hi\nMessage-ID: <\"q\"@x>\nReferences: <a@b> <c@d>\n"
		"In-Reply-To: <e@f>\nDisposition-Notification-To: bob@x\n\nx",
		&b, &r);
	assert_int_equal(r.part_count, 1);
	assert_span(r.body, "(" PLAIN " 1 0)");
	assert_span(r.bodystructure, "(" PLAIN " 1 0 NIL NIL NIL NIL)");
	assert_true(span_starts(r.envelope, "(\"1 Jan 2000 00:00 +0000\" \"Re: Hi\" "));
	assert_int_equal(r.date_us, 946684800 * TIME_S_US);
	assert_span(r.subject, "hi");
	assert_true(r.reply && r.asks);
	assert_span(r.from, "bob");
	assert_span(r.from_display, "bo\xcc\x88");
	assert_span(r.to, "g");
	assert_span(r.cc, "c");
	assert_span(r.msgid, "<q@x>");
	rest = r.references;
	assert_true(mime_record_reference(&rest, &msgid));
	assert_span(msgid, "<a@b>");
	assert_true(mime_record_reference(&rest, &msgid));
	assert_span(msgid, "<c@d>");
	assert_false(mime_record_reference(&rest, &msgid));
	for (size_t i = 0; i < b.len; i++)
		assert_int_equal(mime_record_open(span_of(b.p, i), &r), -EBADMSG);
}

static void test_record_sparse(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(100000);
	struct mime_record r;
	struct span rest, msgid;

	(void)state;
	open_record("", &b, &r);
	assert_int_equal(r.date_us, INT64_MIN);
	assert_int_equal(r.msgid.len + r.references.len + r.from.len + r.subject.len, 0);
	assert_false(r.reply || r.asks);
	buf_reset(&b);
	open_record("From: bob@x\nTo: Some <a@b>\nReferences: none\nIn-Reply-To: your <e@f> <g@h>\n"
		    "Disposition-Notification-To: bob@x\nContent-Type: multipart/report; "
		    "report-type=disposition-notification; boundary=x\n\n",
		&b, &r);
	assert_false(r.asks);
	assert_span(r.from_display, "bob@x");
	assert_span(r.to_display, "some");
	rest = r.references;
	assert_true(mime_record_reference(&rest, &msgid));
	assert_span(msgid, "<e@f>");
	assert_false(mime_record_reference(&rest, &msgid));
}

static void test_sections(void **state)
{
	static const char message[] =
		"Content-Type: multipart/mixed; boundary=x\n\n--x\n\none\n--x\nContent-Type: "
		"message/rfc822\n\nContent-Type: multipart/mixed; boundary=y\n\n--y\n\ntwo one\n--y\n"
		"Content-Type: multipart/mixed; boundary=z\n\n--z\n\ntwo two one\n--z--\n--y--\n--x\n"
		"Content-Type: message/rfc822\n\nA: b\n\nthree\n--x--\n";
	static const struct {
		uint32_t numbers[4];
		size_t count;
		const char *body; /* NULL: no such part */
	} rows[] = {
		{{1}, 1, "one"},
		{{1, 1}, 2, NULL},
		{{2, 1}, 2, "two one"},
		{{2, 2, 1}, 3, "two two one"},
		{{2, 2, 2}, 3, NULL},
		{{2, 3}, 2, NULL},
		{{3, 1}, 2, "three"},
		{{3, 2}, 2, NULL},
		{{3, 1, 1}, 3, NULL},
		{{4}, 1, NULL},
		{{0}, 1, NULL},
	};
	_cleanup_(buf_done) struct buf b = BUF_INIT(100000);
	struct mime_record r;
	struct mime_part part;

	(void)state;
	open_record(message, &b, &r);
	for (size_t i = 0; i < COUNT(rows); i++) {
		int e = mime_record_section(&r, rows[i].numbers, rows[i].count, &part);

		assert_int_equal(e, rows[i].body != NULL ? 0 : -ENOENT);
		if (e == 0)
			assert_span(span_of(message + part.body, part.body_len), rows[i].body);
	}
	assert_int_equal(mime_record_section(&r, NULL, 0, &part), 0);
	assert_int_equal(part.parent, MIME_NONE);
	assert_int_equal(mime_record_part(&r, r.part_count, &part), -ENOENT);
	/* A message that is no multipart is its own first part, and one that is a message too. */
	buf_reset(&b);
	open_record("Content-Type: message/rfc822\n\nA: b\n\ninner", &b, &r);
	assert_int_equal(mime_record_section(&r, (const uint32_t[]){1, 1}, 2, &part), 0);
	assert_int_equal(part.body_len, 5);
	assert_int_equal(mime_record_section(&r, (const uint32_t[]){1}, 1, &part), 0);
	assert_int_equal(part.kind, MIME_MESSAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_envelope),
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_body_multipart),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_record_sparse),
		cmocka_unit_test(test_sections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
