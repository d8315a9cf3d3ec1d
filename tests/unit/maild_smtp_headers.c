/* The header of a submission: where it ends, who may be its author, what is kept of it; and which
 * bytes no message may have. */
#include "base/cleanup.h"
#include "services/maild/smtp/smtp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW_US INT64_C(1763719200000000) /* 2025-11-21T10:00:00Z */

static const struct smtp_house house = {
	.account = "ann", .domain = "example.org", .host = "mail.example.org"};

static void test_length(void **state)
{
	static const struct {
		const char *message;
		size_t length;
	} rows[] = {
		{"", 0},
		{"\r\n", 2},
		{"\n", 1},
		{"\r\nbody", 2},
		{"a: b\r\n", 6},
		{"a: b", 4},
		{"a: b\r\n\r\nbody\r\n", 8},
		{"a: b\r\n c\r\n\td\r\n\r\nx", 16},
		{"a : b\r\n\r\n", 9},
		{"a:\r\nno field\r\n\r\n", 4},
		{"no field\r\na: b\r\n\r\n", 0},
		{" a: b\r\n\r\n", 0},
		{"From me Sat\r\na: b\r\n", 0},
		{": b\r\n\r\n", 0},
		{"\xc3\xa4: b\r\n\r\n", 0},
		{"a: b\n\nx", 6},
		/* Blanks alone continue a field, they do not end the header. */
		{"a: b\r\n \r\nc: d\r\n\r\nx", 17},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (smtp_header_length(span_str(rows[i].message)) != rows[i].length)
			fail_msg("row %zu: %zu", i, smtp_header_length(span_str(rows[i].message)));
}

static void test_authors(void **state)
{
	static const struct {
		const char *header;
		int result;
		const char *who;
	} rows[] = {
		{"", 0, ""},
		{"From: ann@example.org\r\n", 0, ""},
		{"From: Ann B. <ANN@Mail.Example.Org>\r\n", 0, ""},
		{"From: \"bob@example.org\" <ann+x@example.org>\r\n", 0, ""},
		{"From: ann\r\n", 0, ""},
		{"From: ann@example.org,\r\n ann@mail.example.org\r\n", 0, ""},
		{"From: us: ann@example.org;\r\n", 0, ""},
		{"From: us: ann@example.org, bob@example.org;\r\n", -EPERM, "bob@example.org"},
		{"From: ann@example.org, bob@example.org\r\n", -EPERM, "bob@example.org"},
		{"From: ann@example.com\r\n", -EPERM, "ann@example.com"},
		{"From: ann@example.org\r\nSender: bob@example.org\r\n", -EPERM, "bob@example.org"},
		{"Sender: ann@example.org\r\n", 0, ""},
		{"From:\r\n", -EBADMSG, ""},
		{"From: us:;\r\n", -EBADMSG, ""},
		{"From: ann@example.org\r\nFROM: ann@example.org\r\n", -EBADMSG, ""},
		{"From: ann@example.org\r\nfrom : bob@example.org\r\n", -EBADMSG, ""},
		/* Where others could see somebody else. */
		{"From: <ann@example.org> <bob@example.org>\r\n", -EBADMSG, ""},
		{"From: <ann@example.org> bob@example.org\r\n", -EBADMSG, ""},
		{"From: bob@example.org <ann@example.org>\r\n", -EBADMSG, ""},
		{"From: <ann@example.org> <bob>\r\n", -EBADMSG, ""},
		{"From: <@example.org:ann@example.org>\r\n", -EBADMSG, ""},
		{"From: (bob@example.org (\\() <) \"<b\\\"@c>\" <ann@example.org> (<d@e>)\r\n", 0,
			""},
		{"From: ann@example.org (\r\n", 0, ""},
		{"From: us: <ann@example.org> <bob@example.org>;\r\n", -EBADMSG, ""},
		{"From: \"ann+<bob@example.org>\"@example.org\r\n", -EPERM,
			"ann+<bob@example.org>@example.org"},
		{"From: \"ann+ \"@example.org\r\n", -EPERM, "ann+ @example.org"},
		{"From: ann@example.org\r\nResent-From: ann@example.org\r\n"
		 "Resent-From: ann+y@example.org\r\nResent-Sender: ann@example.org\r\n",
			0, ""},
		{"From: ann@example.org\r\nResent-From: ann@example.org\r\n"
		 "resent-from: bob@example.org\r\n",
			-EPERM, "bob@example.org"},
		{"Resent-Sender: bob@example.org\r\n", -EPERM, "bob@example.org"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(buf_done) struct buf who = BUF_INIT(1024);
		int r = smtp_header_authors(span_str(rows[i].header), &house, &who);

		if (r != rows[i].result || strcmp(buf_str(&who), rows[i].who) != 0)
			fail_msg("%s: %d %s", rows[i].header, r, buf_str(&who));
	}
}

static struct smtp_stamp stamp(void)
{
	return (struct smtp_stamp){.house = house,
		.sender = "ann+x@example.org",
		.tls = "TLSv1.3",
		.id = "0123456789abcdef",
		.extended = true,
		.now_us = NOW_US};
}

static void expect_header(const char *header, const struct smtp_stamp *s, const char *expected)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(65536);

	assert_int_equal(smtp_header_write(&b, span_str(header), s), 0);
	assert_string_equal(buf_str(&b), expected);
}

#define ON_TOP(with)                                                                     \
	"Return-Path: <ann+x@example.org>\r\n"                                           \
	"Received: from authenticated ann (TLSv1.3)\r\n\tby mail.example.org with " with \
	" id 0123456789abcdef;\r\n\tFri, 21 Nov 2025 10:00:00 +0000\r\n"

#define WHOLE                                                                        \
	"From: ann@example.org\r\nMessage-ID: <1@example.org>\r\nDate: Fri, 21 Nov " \
	"2025 09:00:00 +0000\r\n"

static void test_kept(void **state)
{
	struct smtp_stamp s = stamp();

	(void)state;
	expect_header(WHOLE "\r\n", &s, ON_TOP("ESMTPSA") WHOLE "\r\n");
	expect_header(WHOLE "bcc: a@b,\r\n c@d\r\nX: y\r\n z\r\nReturn-Path: <x@y>\r\n"
			    "Resent-Bcc: x\r\n\r\n",
		&s, ON_TOP("ESMTPSA") WHOLE "X: y\r\n z\r\n\r\n");
	/* The last line may lack its end. */
	expect_header(WHOLE "X: y", &s, ON_TOP("ESMTPSA") WHOLE "X: y\r\n\r\n");
	s.extended = false;
	expect_header(WHOLE, &s, ON_TOP("SMTPSA") WHOLE "\r\n");
	s.is_utf8 = true;
	expect_header(WHOLE, &s, ON_TOP("UTF8SMTPSA") WHOLE "\r\n");
}

static void test_added(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(65536);
	struct smtp_stamp s = stamp();
	struct mime_field field;

	(void)state;
	s.sender = "";
	assert_int_equal(smtp_header_write(&b, SPAN_LIT(""), &s), 0);
	assert_true(span_starts(buf_span(&b), "Return-Path: <>\r\nReceived: "));
	assert_int_equal(mime_field(buf_span(&b), "Date", 0, &field), 0);
	assert_true(span_eq_str(field.value, " Fri, 21 Nov 2025 10:00:00 +0000\r\n"));
	assert_int_equal(mime_field(buf_span(&b), "From", 0, &field), 0);
	assert_true(span_eq_str(field.value, " ann@example.org\r\n"));
	assert_int_equal(mime_field(buf_span(&b), "Message-ID", 0, &field), 0);
	assert_true(b.len < SMTP_FIELDS_MAX);
}

/* Fields that nobody looks at any more could name another author. */
static void test_too_much(void **state)
{
	_cleanup_(buf_done) struct buf fields = BUF_INIT(1 << 20), from = BUF_INIT(1 << 20),
				       out = BUF_INIT(1 << 21);
	struct smtp_stamp s = stamp();

	(void)state;
	for (int i = 0; i < MIME_FIELDS_MAX; i++)
		buf_add_str(&fields, "x:\r\n");
	buf_add_str(&fields, "From: bob@example.org\r\n");
	assert_int_equal(smtp_header_write(&out, buf_span(&fields), &s), -ENOBUFS);
	buf_add_str(&from, "From: ann@example.org");
	while (from.len < MIME_FIELD_MAX)
		buf_add_str(&from, ",\r\n ann@example.org");
	buf_add_str(&from, ", bob@example.org\r\n");
	buf_reset(&out);
	assert_int_equal(smtp_header_authors(buf_span(&from), &house, &out), -EBADMSG);
}

static void test_bytes(void **state)
{
	static const struct {
		struct span bytes;
		int result;
	} rows[] = {
		{SPAN_LIT(""), 0},
		{SPAN_LIT("a"), 0},
		{SPAN_LIT("a\r\n"), 0},
		{SPAN_LIT("\r\n\r\na\r\n.\r\n"), 0},
		{SPAN_LIT("\r"), -EPROTO},
		{SPAN_LIT("\n"), -EPROTO},
		{SPAN_LIT("a\r\nb\n"), -EPROTO},
		{SPAN_LIT("a\r\nb\r"), -EPROTO},
		{SPAN_LIT("a\r\r\n"), -EPROTO},
		{SPAN_LIT("a\r\n\n"), -EPROTO},
		{SPAN_LIT("a\nb\r\n"), -EPROTO},
		{SPAN_LIT("a\rb\r\n"), -EPROTO},
		{SPAN_LIT("a\0b\r\n"), -EILSEQ},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (smtp_bytes_check(rows[i].bytes) != rows[i].result)
			fail_msg("row %zu", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_authors),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_added),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
