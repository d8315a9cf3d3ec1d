/* SMTP's lines: commands, paths, parameters, replies, names. */
#include "proto/smtp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TEN "abcdefghij"
#define FIFTY TEN TEN TEN TEN TEN

static void test_command(void **state)
{
	static const struct {
		const char *line, *verb, *rest; /* verb NULL: refused */
	} rows[] = {
		{"EHLO a.example", "EHLO", "a.example"},
		{"mail FROM:<a@b> SIZE=1", "mail", "FROM:<a@b> SIZE=1"},
		{"QUIT", "QUIT", ""},
		{"RSET  ", "RSET", ""},
		{"MAIL FROM:<\xc3\xa4@b>", "MAIL", "FROM:<\xc3\xa4@b>"},
		{"", NULL, ""},
		{" QUIT", NULL, ""},
		{"QUIT\r", NULL, ""},
		{"MA\x01IL", NULL, ""},
		{"MAIL:x", NULL, ""},
		{"VERYLONGVERBX", NULL, ""},
		{"\xc3\xa4", NULL, ""},
	};
	struct smtp_command c;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int r = smtp_parse(span_str(rows[i].line), &c);

		assert_int_equal(r, rows[i].verb != NULL ? 0 : -EBADMSG);
		if (r < 0)
			continue;
		assert_true(span_eq_str(c.verb, rows[i].verb));
		assert_true(span_eq_str(c.rest, rows[i].rest));
	}
	assert_int_equal(smtp_parse(span_of("NOOP \0x", 7), &c), -EBADMSG);
}

static void test_path(void **state)
{
	static const struct {
		const char *text, *local, *domain, *params;
		bool utf8;
	} rows[] = {
		{"FROM:<>", "", "", "", false},
		{"from:<bob@example.org> SIZE=5 BODY=8BITMIME", "bob", "example.org",
			"SIZE=5 BODY=8BITMIME", false},
		{"FROM: <a.b+c@x>", "a.b+c", "x", "", false},
		{"FROM:<@a,@b.c:bob@x>", "bob", "x", "", false},
		{"FROM:<\"a \\\"b\\\\\"@x>", "a \"b\\", "x", "", false},
		{"FROM:<postmaster>", "postmaster", "", "", false},
		{"FROM:<a@[127.0.0.1]>", "a", "[127.0.0.1]", "", false},
		{"FROM:<a@[IPv6:::1]>", "a", "[IPv6:::1]", "", false},
		{"FROM:<\xc3\xa4@x>", "\xc3\xa4", "x", "", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct smtp_path p;
		struct span params;

		assert_int_equal(smtp_path(span_str(rows[i].text), "FROM", &p, &params), 0);
		assert_string_equal(p.local, rows[i].local);
		assert_string_equal(p.domain, rows[i].domain);
		assert_true(span_eq_str(params, rows[i].params));
		assert_int_equal(p.is_utf8, rows[i].utf8);
	}
}

static void test_no_path(void **state)
{
	static const char *const bad[] = {"", "FROM", "FROM:", "FROM:a@b", "TO:<a@b>", "FROM:<a@b",
		"FROM:<a@b>x", "FROM:<a b@c>", "FROM:<a@>", "FROM:<@b>", "FROM:<a..b@c>",
		"FROM:<.a@b>", "FROM:<a.@b>", "FROM:<a@b..c>", "FROM:<a@b.>", "FROM:<a@b@c>",
		"FROM:<\"a@b>", "FROM:<\"\"@b>", "FROM:<\"a\\", "FROM:<@a,b:c@d>", "FROM:<@a:>",
		"FROM:<<a@b>>", "FROM:<a@[]>", "FROM:<a@[1.2.3.4>", "FROM:<\xc3@x>",
		"FROM:<\xc2\x80@x>", "FROM <a@b>", "FROM:<\"a\x01\"@b>",
		"FROM:<" FIFTY TEN "abcde@b>", "FROM:<a@" FIFTY FIFTY FIFTY FIFTY FIFTY "abcdef>",
		"FROM:<" TEN "@" FIFTY FIFTY FIFTY FIFTY FIFTY ">"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct smtp_path p = {.local = "kept"};
		struct span params;

		assert_int_equal(smtp_path(span_str(bad[i]), "FROM", &p, &params), -EBADMSG);
		assert_string_equal(p.local, "kept");
	}
}

static void test_params(void **state)
{
	struct span rest = span_str("SIZE=10  SMTPUTF8 AUTH=<> X-A=a=b"), name, value;
	static const char *const names[] = {"SIZE", "SMTPUTF8", "AUTH", "X-A"};
	static const char *const values[] = {"10", "", "<>", "a=b"};
	static const char *const bad[] = {"=1", "-A=1", "A B=", "A=\x01", "A_B", "\xc3\xa4=1"};
	int error;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_true(smtp_param_next(&rest, &name, &value, &error));
		assert_true(span_eq_str(name, names[i]));
		assert_true(span_eq_str(value, values[i]));
	}
	assert_false(smtp_param_next(&rest, &name, &value, &error));
	assert_int_equal(error, 0);
	for (size_t i = 0; i < COUNT(bad); i++) {
		rest = span_str(bad[i]);
		while (smtp_param_next(&rest, &name, &value, &error))
			;
		assert_int_equal(error, -EBADMSG);
	}
}

static void test_reply(void **state)
{
	static const struct {
		const char *line;
		int r;
		unsigned code;
		bool more;
		unsigned class, subject, detail;
		const char *text;
	} rows[] = {
		{"250-SIZE 100", 0, 250, true, 0, 0, 0, "SIZE 100"},
		{"250 2.1.5 ok", 0, 250, false, 2, 1, 5, "ok"},
		{"550 5.7.1", 0, 550, false, 5, 7, 1, ""},
		{"550 2.7.1 lies", 0, 550, false, 0, 0, 0, "2.7.1 lies"},
		{"550 5.7.1.1 x", 0, 550, false, 0, 0, 0, "5.7.1.1 x"},
		{"550 5.1000.1 x", 0, 550, false, 0, 0, 0, "5.1000.1 x"},
		{"354", 0, 354, false, 0, 0, 0, ""},
		{"235-", 0, 235, true, 0, 0, 0, ""},
		{"199 x", -EBADMSG, 0, false, 0, 0, 0, ""},
		{"600 x", -EBADMSG, 0, false, 0, 0, 0, ""},
		{"25", -EBADMSG, 0, false, 0, 0, 0, ""},
		{"2500", -EBADMSG, 0, false, 0, 0, 0, ""},
		{"abc x", -EBADMSG, 0, false, 0, 0, 0, ""},
		{"", -EBADMSG, 0, false, 0, 0, 0, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct smtp_reply r;

		assert_int_equal(smtp_reply_parse(span_str(rows[i].line), &r), rows[i].r);
		if (rows[i].r < 0)
			continue;
		assert_int_equal(r.code, rows[i].code);
		assert_int_equal(r.more, rows[i].more);
		assert_int_equal(r.class, rows[i].class);
		assert_int_equal(r.subject, rows[i].subject);
		assert_int_equal(r.detail, rows[i].detail);
		assert_true(span_eq_str(r.text, rows[i].text));
	}
}

static void test_local(void **state)
{
	static const struct {
		const char *local, *domain;
		int r;
		const char *name;
	} rows[] = {
		{"bob", "example.org", 0, "bob"},
		{"Bob+list+x", "MAIL.Example.org", 0, "bob"},
		{"bob", "", 0, "bob"},
		{"postmaster", "example.org", 0, "postmaster"},
		{"a_b-9", "example.org", 0, "a_b-9"},
		{"bob", "example.com", -ENOENT, ""},
		{"bob", "x.example.org", -ENOENT, ""},
		{"b.ob", "example.org", -EINVAL, ""},
		{"+x", "example.org", -EINVAL, ""},
		{"9a", "example.org", -EINVAL, ""},
		{"\xc3\xa4", "example.org", -EINVAL, ""},
		{"", "", -EINVAL, ""},
		{TEN TEN TEN "abc", "example.org", -EINVAL, ""},
	};
	char name[33], small[3];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct smtp_path p = {.is_utf8 = false};

		(void)snprintf(p.local, sizeof(p.local), "%s", rows[i].local);
		(void)snprintf(p.domain, sizeof(p.domain), "%s", rows[i].domain);
		assert_int_equal(smtp_local_account(
					 &p, "example.org", "mail.example.org", name, sizeof(name)),
			rows[i].r);
		if (rows[i].r == 0)
			assert_string_equal(name, rows[i].name);
	}
	assert_int_equal(
		smtp_local_account(&(struct smtp_path){.local = "bob"}, "x", "y", small, 3),
		-EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_no_path),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_reply),
		cmocka_unit_test(test_local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
