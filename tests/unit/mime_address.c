/* Addresses, dates and Message-IDs, as they are written and as they are sent. */
#include "tests/unit/lib/mime_check.h"

#include "base/timefmt.h"

/* "name|route|local|domain" of each, groups as "name:" and ";", one behind the other. */
static void describe(struct span value, bool raw, struct buf *b)
{
	struct mime_addresses a;

	assert_int_equal(mime_addresses_parse(value, raw, &a), 0);
	for (size_t i = 0; i < a.count; i++) {
		const struct mime_address *one = &a.list[i];

		buf_add_str(b, i > 0 ? ", " : "");
		buf_add(b, one->name);
		if (one->group_begin || one->group_end) {
			buf_add_str(b, one->group_begin ? ":" : ";");
			continue;
		}
		buf_add_byte(b, '|');
		buf_add(b, one->route);
		buf_add_byte(b, '|');
		buf_add(b, one->local);
		buf_add_byte(b, '|');
		buf_add(b, one->domain);
	}
	mime_addresses_done(&a);
}

static void test_addresses(void **state)
{
	static const char *const rows[][2] = {
		{"bob@x.test", "||bob|x.test"},
		{" Bob B. <bob@x.test> , jim@y", "Bob B.||bob|x.test, ||jim|y"},
		{"\"B, \\\"o\\\" b\" <bob@x>", "B, \"o\" b||bob|x"},
		{"bob@x (Bob \\(B\\))", "Bob (B)||bob|x"},
		{"(c) bob (d) @ (e) x . test (f)", "f||bob|x.test"},
		{"<bob@x> (Bob)", "Bob||bob|x"},
		{"\"a b\"@x, \"a@b\"@x", "||a b|x, ||a@b|x"},
		{"a@b@c", "||a@b|c"},
		{"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
			"Pete||pete|silly.test"},
		{"A Group(Some people):Chris Jones <c@(Chris's host.)public.example>,joe@example.org;"
		 ", x@y",
			"A Group:, Chris Jones||c|public.example, ||joe|example.org, ;, ||x|y"},
		{"Undisclosed recipients:;", "Undisclosed recipients:, ;"},
		{"open: a@b", "open:, ||a|b, ;"},
		{"Mary <@node.test,@b:mary@x>", "Mary|@node.test,@b|mary|x"},
		{"user@[127.0.0.1], u@[IPv6:::1]", "||user|[127.0.0.1], ||u|[IPv6:::1]"},
		{"bob", "||bob|"},
		{"Some Body", "||Some Body|"},
		{"Bob <>", "Bob|||"},
		{"<>", ""},
		{"", ""},
		{" , ,; ", ""},
		{"a@b; c@d", "||a|b, ||c|d"},
		{"bob@x <bob@x>", "bob@x||bob|x"},
		{"Bob\r\n B <bob\r\n @x>", "Bob B||bob|x"},
		{"bob@x trailing words", "||bob|x"},
		{"\"never closed <a@b>", "||never closed <a@b>|"},
		{"Bob <bob@x", "Bob||bob|x"},
		{"(only a comment", ""},
		{"=?utf-8?q?J=C3=B6rg?= =?utf-8?q?_X?= <j@x>", "J\xc3\xb6rg X||j|x"},
		{"\"=?utf-8?q?J=C3=B6rg?=\" <j@x>", "J\xc3\xb6rg||j|x"},
		{"j@x (=?utf-8?q?J=C3=B6rg?=)", "J\xc3\xb6rg||j|x"},
		{"J\xc3\xb6rg <j\xc3\xb6@\xc3\xb6.test>", "J\xc3\xb6rg||j\xc3\xb6|\xc3\xb6.test"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(1000);

		describe(span_str(rows[i][0]), false, &b);
		assert_buf(&b, rows[i][1]);
	}
}

static void test_raw_names(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1000);

	(void)state;
	describe(SPAN_LIT("=?utf-8?q?J=C3=B6rg?=  \"X\" <j@x>"), true, &b);
	assert_buf(&b, "=?utf-8?q?J=C3=B6rg?= X||j|x");
}

static void test_many(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(100000);
	struct mime_addresses a;

	(void)state;
	buf_add_str(&b, "group: ");
	add_times(&b, "a@b,", 3000);
	assert_int_equal(mime_addresses_parse(buf_span(&b), true, &a), 0);
	assert_int_equal(a.count, MIME_ADDRESSES_MAX);
	assert_true(a.list[0].group_begin && a.list[a.count - 1].group_end);
	mime_addresses_done(&a);
}

static void test_typed(void **state)
{
	static const char *const rows[][2] = {
		{"bob", "bob@home.test"},
		{" bob@x.test ", "bob@x.test"},
		{"Bob B <bob@x>", "bob@x"},
		{"Bob <bob>", "bob@home.test"},
		{"", NULL},
		{"a, b", NULL},
		{"two words", NULL},
		{"g: a@b;", NULL},
		{"a@b c@d", NULL},
		{"a\r\nb@c", NULL},
		{"two words@c", NULL},
		{"a@b>c", NULL},
		{"\"a b\"@c", NULL},
		{".a@c", NULL},
		{"a@[1.2.3.4]", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(1000);
		int r = mime_address_typed(span_str(rows[i][0]), "home.test", &b);

		if (r != (rows[i][1] != NULL ? 0 : -EINVAL))
			fail_msg("%s: %d %s", rows[i][0], r, buf_str(&b));
		assert_string_equal(buf_str(&b), rows[i][1] != NULL ? rows[i][1] : "");
	}
}

/* -- dates ------------------------------------------------------------------------------------- */

static void test_dates(void **state)
{
	static const struct {
		const char *value;
		int64_t at_s; /* 0: none */
		int32_t offset_s;
	} rows[] = {
		{"Fri, 21 Nov 1997 09:55:06 -0600", 880127706, -21600},
		{" 21 Nov 97 09:55:06 CST (old)\r\n", 880127706, -21600},
		{"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880127706, -21600},
		{"Thu,\r\n 13\r\n Feb\r\n 1969\r\n 23:32\r\n -0330 (Newfoundland Time)", -27723480,
			-12600},
		{"Fri Nov 21 15:55:06 1997", 880127706, 0},
		{"21-Nov-1997 15:55:06 +0000", 880127706, 0},
		{"Fri, 21 Nov 1997 15:55:06 GMT", 880127706, 0},
		{"Fri, 21 Nov 1997 15:55:06 Z", 880127706, 0},
		{"Fri, 21 Nov 1997 10:55:06 EST", 880127706, -18000},
		{"1 Jan 2000", 946684800, 0},
		{"31 Dec 2016 23:59:60 +0000", 1483228800, 0},
		{"29 Feb 2024 00:00 +1400", 1709114400, 50400},
		{"Fri, 21 Nov 101 15:55:06 +0000", 1006358106, 0},
		{"30 Feb 2024 00:00:00 +0000", 0, 0},
		{"21 Nov 1997 25:00:00 +0000", 0, 0},
		{"yesterday", 0, 0},
		{"", 0, 0},
		{"99999999 Nov 1997", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t at_us = 1;
		int32_t offset_s = 1;
		int r = mime_date_parse(span_str(rows[i].value), &at_us, &offset_s);

		if (r != (rows[i].at_s != 0 ? 0 : -EINVAL))
			fail_msg("%s: %d", rows[i].value, r);
		if (r < 0)
			continue;
		if (at_us != rows[i].at_s * TIME_S_US || offset_s != rows[i].offset_s)
			fail_msg("%s: %lld %d", rows[i].value, (long long)(at_us / TIME_S_US),
				offset_s);
	}
}

static void test_msgids(void **state)
{
	static const char *const rows[][2] = {
		{"<a@b>", "<a@b>"},
		{"x <a@b>\r\n\t<c@d>y<e>", "<a@b><c@d><e>"},
		{"<a b@c> <d@e", ""},
		{"<a<b@c>", "<b@c>"},
		{"<\"a b>\"@c>", "<\"a b>\"@c>"},
		{"<\"a <b@c>\r\n <d@e>", "<d@e>"},
		{"<> <>", ""},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(1000);
		struct span rest = span_str(rows[i][0]), msgid;

		while (mime_msgid_next(&rest, &msgid))
			buf_add(&b, msgid);
		assert_string_equal(buf_str(&b), rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_raw_names),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_typed),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_msgids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
