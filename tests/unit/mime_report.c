/* Receipts: which may be given, what they say, and that they are understood. */
#include "proto/mime.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { OUT_MAX = 1 << 20 };

#define ASKS "Disposition-Notification-To: Anna <anna@example.org>\r\n"
#define PATH "Return-Path: <anna@Example.ORG>\r\n"
#define REST "Subject: =?utf-8?q?gr=C3=BCn?=\r\nMessage-ID: <m1@example.org>\r\n\r\nhello\r\n"

static int write_for(const char *original, bool manual, struct buf *to, struct buf *b)
{
	const struct mime_receipt_plan plan = {.reader = "bob@example.org",
		.domain = "example.org",
		.manual = manual,
		.displayed = true,
		.read_us = INT64_C(1700000000000000)};
	struct mime m;
	int r;

	assert_int_equal(mime_parse(span_str(original), &m), 0);
	r = mime_receipt_write(&m, &plan, to, b);
	mime_done(&m);
	return r;
}

static void test_allowed(void **state)
{
	static const struct {
		const char *original;
		bool manual, automatic;
	} rows[] = {
		{PATH ASKS REST, true, true},
		{PATH REST, false, false},
		{ASKS REST, true, false},
		{"Return-Path: <>\r\n" ASKS REST, true, false},
		{"Return-Path: <Anna@example.org>\r\n" ASKS REST, true, false},
		{"Return-Path: <anna@example.com>\r\n" ASKS REST, true, false},
		{PATH "Disposition-Notification-To: anna@example.org, eve@example.org\r\n" REST,
			true, false},
		{PATH "Disposition-Notification-To: \r\n" REST, false, false},
		{PATH "Disposition-Notification-To: anna\r\n" REST, false, false},
		{PATH ASKS "Disposition-Notification-Options: x=optional,y\r\n" REST, true, true},
		{PATH ASKS
			"Disposition-Notification-Options: a=optional,b; x = Required , y\r\n" REST,
			false, false},
		{PATH ASKS "Content-Type: multipart/report; boundary=b; report-type=disposition-"
			   "notification\r\n" REST,
			false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (int manual = 0; manual < 2; manual++) {
			bool allowed = manual ? rows[i].manual : rows[i].automatic;
			struct buf to = BUF_INIT(256), b = BUF_INIT(OUT_MAX);

			assert_int_equal(write_for(rows[i].original, manual == 1, &to, &b),
				allowed ? 0 : -ENOENT);
			assert_string_equal(buf_str(&to), allowed ? "anna@example.org" : "");
			buf_done(&to);
			buf_done(&b);
		}
	}
}

static void check_field(const struct mime *m, const char *name, const char *value)
{
	struct buf b = BUF_INIT(4096);
	struct mime_field f;

	assert_int_equal(mime_field(mime_header(m, &m->parts[0]), name, 0, &f), 0);
	mime_words_decode(&b, f.value);
	assert_string_equal(buf_str(&b), value);
	buf_done(&b);
}

static void test_round(void **state)
{
	struct buf to = BUF_INIT(256), b = BUF_INIT(OUT_MAX), again = BUF_INIT(OUT_MAX);
	struct mime_receipt r;
	struct mime m;

	(void)state;
	assert_int_equal(write_for(PATH ASKS REST, false, &to, &b), 0);
	assert_int_equal(mime_parse(buf_span(&b), &m), 0);
	assert_int_equal(m.count, 3);
	check_field(&m, "From", "bob@example.org");
	check_field(&m, "To", "anna@example.org");
	check_field(&m, "Subject", "Read: gr\xc3\xbcn");
	check_field(&m, "Auto-Submitted", "auto-replied");
	assert_int_equal(mime_receipt_parse(&m, &r), 0);
	assert_string_equal(r.original_msgid, "<m1@example.org>");
	assert_string_equal(r.final_recipient, "bob@example.org");
	assert_true(r.displayed && !r.manual);
	mime_done(&m);
	/* None for a receipt, though it asks. */
	buf_add_str(&again, PATH ASKS);
	buf_add(&again, buf_span(&b));
	buf_reset(&b);
	assert_int_equal(write_for(buf_str(&again), true, &to, &b), -ENOENT);
	buf_done(&to);
	buf_done(&b);
	buf_done(&again);
}

#define REPORT                                                                                     \
	"Content-Type: multipart/report; report-type=\"Disposition-Notification\"; boundary=b\r\n" \
	"\r\n--b\r\n\r\nread\r\n--b\r\nContent-Type: message/disposition-notification\r\n"

static int parse_one(const char *text, struct mime_receipt *ret)
{
	struct mime m;
	int r;

	assert_int_equal(mime_parse(span_str(text), &m), 0);
	r = mime_receipt_parse(&m, ret);
	mime_done(&m);
	return r;
}

static void test_foreign(void **state)
{
	struct mime_receipt r;

	(void)state;
	assert_int_equal(
		parse_one(REPORT "\r\nReporting-UA: x\r\nFINAL-RECIPIENT: RFC822;bob@x.y\r\n"
				 "Original-Message-ID:\r\n <a@b>\r\nDisposition: "
				 "Manual-Action/MDN-sent-manually; Displayed/warning\r\n--b--\r\n",
			&r),
		0);
	assert_true(r.manual && r.displayed);
	assert_string_equal(r.original_msgid, "<a@b>");
	assert_string_equal(r.final_recipient, "bob@x.y");
	assert_int_equal(parse_one(REPORT "Content-Transfer-Encoding: base64\r\n\r\n"
					  "RGlzcG9zaXRpb246IGEvYjsgZGVsZXRlZA0K\r\n--b--\r\n",
				 &r),
		0);
	assert_true(!r.manual && !r.displayed && r.original_msgid[0] == '\0');
}

static void test_none(void **state)
{
	static const char *const texts[] = {"", "Subject: x\r\n\r\nDisposition: a; displayed\r\n",
		REPORT "\r\nFinal-Recipient: rfc822;a@b\r\n--b--\r\n",
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
		"Content-Type: message/disposition-notification\r\n\r\nDisposition: a; "
		"displayed\r\n--b--\r\n",
		"Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n"
		"\r\n--b\r\n\r\nDisposition: a; displayed\r\n--b--\r\n",
		"Content-Type: message/disposition-notification\r\n\r\nDisposition: a; displayed\r\n"};
	struct mime_receipt r;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_int_equal(parse_one(texts[i], &r), -ENOENT);
}

/* What the asker writes must not become fields of the answer. */
static void test_hostile(void **state)
{
	struct buf to = BUF_INIT(256), b = BUF_INIT(OUT_MAX);
	struct mime_field f;
	struct mime m;

	(void)state;
	assert_int_equal(
		write_for(PATH ASKS "Subject: =?utf-8?q?a=0D=0ABcc:_eve@x?=\r\nMessage-ID: "
				    "<a\x01@b>\r\nOriginal-Recipient: "
				    "rfc822;=?utf-8?q?x=0D=0ABcc:y?=\r\n\r\n",
			true, &to, &b),
		0);
	assert_int_equal(mime_parse(buf_span(&b), &m), 0);
	assert_int_equal(m.count, 3);
	for (size_t i = 0; i < m.count; i++)
		assert_int_equal(mime_field(mime_header(&m, &m.parts[i]), "Bcc", 0, &f), -ENOENT);
	assert_int_equal(mime_field(mime_body(&m, &m.parts[2]), "Bcc", 0, &f), -ENOENT);
	assert_null(strstr(buf_str(&b), "\x01"));
	mime_done(&m);
	buf_done(&to);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
