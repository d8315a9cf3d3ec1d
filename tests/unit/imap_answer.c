/* Answers of a server, of a friendly one and of others. */
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

static int parse(const char *s, struct imap_answer *ret)
{
	size_t len = strlen(s);

	assert_true(len <= sizeof(held));
	memcpy(held, s, len);
	return imap_answer_parse(held, len, ret);
}

static void test_status(void **state)
{
	static const struct {
		const char *line, *tag, *status, *code, *text;
	} rows[] = {
		{"a1 OK done\r\n", "a1", "OK", "", "done"},
		{"* ok [UIDNEXT 5] next\r\n", "*", "ok", "UIDNEXT 5", "next"},
		{"* OK [PERMANENTFLAGS (\\Seen \\*)]", "*", "OK", "PERMANENTFLAGS (\\Seen \\*)",
			""},
		{"a NO [BADCHARSET (\"x]\\\"]\")] no", "a", "NO", "BADCHARSET (\"x]\\\"]\")", "no"},
		{"a NO [ODD \"] no", "a", "NO", "ODD \"", "no"},
		{"a NO [open", "a", "NO", "", "[open"},
		{"* BYE", "*", "BYE", "", ""},
		{"+ idling\r\n", "+", "", "", "idling"},
		{"+\r\n", "+", "", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct imap_answer a;

		assert_int_equal(parse(rows[i].line, &a), 0);
		assert_true(span_eq_str(a.tag, rows[i].tag));
		assert_true(span_eq_str(a.status, rows[i].status));
		assert_true(span_eq_str(a.code, rows[i].code));
		assert_true(span_eq_str(a.text, rows[i].text));
		assert_int_equal(a.count, 0);
		imap_answer_done(&a);
	}
}

static void test_fetch(void **state)
{
	static const char line[] =
		"* 12 FETCH (FLAGS (\\Seen $x) BODY[HEADER.FIELDS (FROM TO)]<0> {7}\r\na)\"(b\r\n "
		"ENVELOPE (\"d\" NIL ((\"n\" NIL \"l\" \"d\")(NIL NIL \"m\" \"d\"))) UID 7)\r\n";
	const struct imap_node *list, *n;
	struct imap_answer a;

	(void)state;
	assert_int_equal(parse(line, &a), 0);
	assert_true(span_eq_str(imap_answer_child(&a, NULL, 0)->text, "12"));
	assert_true(span_eq_str(imap_answer_child(&a, NULL, 1)->text, "FETCH"));
	list = imap_answer_child(&a, NULL, 2);
	assert_int_equal(list->value, IMAP_VALUE_LIST);
	n = imap_answer_find(&a, list, "flags");
	assert_true(span_eq_str(imap_answer_child(&a, n, 1)->text, "$x"));
	assert_null(imap_answer_child(&a, n, 2));
	n = imap_answer_find(&a, list, "BODY[HEADER.FIELDS (FROM TO)]<0>");
	assert_int_equal(n->value, IMAP_VALUE_STRING);
	assert_true(span_eq_str(n->text, "a)\"(b\r\n"));
	n = imap_answer_find(&a, list, "ENVELOPE");
	assert_int_equal(imap_answer_child(&a, n, 1)->value, IMAP_VALUE_NIL);
	n = imap_answer_child(&a, imap_answer_child(&a, n, 2), 1);
	assert_true(span_eq_str(imap_answer_child(&a, n, 2)->text, "m"));
	assert_true(span_eq_str(imap_answer_find(&a, list, "UID")->text, "7"));
	assert_null(imap_answer_find(&a, list, "7"));
	assert_null(imap_answer_find(&a, imap_answer_find(&a, list, "UID"), "UID"));
	imap_answer_done(&a);
}

static void test_words(void **state)
{
	struct imap_answer a;
	const struct imap_node *n;

	(void)state;
	assert_int_equal(parse("* LIST () \"/\" [Gmail]/All", &a), 0);
	assert_int_equal(imap_answer_child(&a, NULL, 1)->value, IMAP_VALUE_LIST);
	assert_null(imap_answer_child(&a, imap_answer_child(&a, NULL, 1), 0));
	assert_true(span_eq_str(imap_answer_child(&a, NULL, 3)->text, "[Gmail]/All"));
	imap_answer_done(&a);
	assert_int_equal(parse("* 1 FETCH (BINARY[1] ~{3}\r\na\x80z)", &a), 0);
	n = imap_answer_find(&a, imap_answer_child(&a, NULL, 2), "binary[1]");
	assert_true(n->value == IMAP_VALUE_STRING && n->text.len == 3);
	imap_answer_done(&a);
	assert_int_equal(parse("* SEARCH", &a), 0);
	assert_int_equal(a.count, 1);
	imap_answer_done(&a);
	assert_int_equal(parse("*", &a), 0);
	assert_null(imap_answer_child(&a, NULL, 0));
	assert_null(imap_answer_find(&a, NULL, "x"));
	imap_answer_done(&a);
}

static void test_nul(void **state)
{
	unsigned char line[] = "* 1 FETCH (BINARY[1] ~{3}\r\na\0z)";
	struct imap_answer a;

	(void)state;
	assert_int_equal(imap_answer_parse(line, sizeof(line) - 1, &a), 0);
	imap_answer_done(&a);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {"", "\r\n", " OK", "a1", "a1 FETCH", "a1OK [", "* (",
		"* )", "* (()", "* ())", "* \"open", "* {5}\r\nabc", "* {99999999999999999999}\r\n",
		"* BODY[1", "* (BODY[HEADER.FIELDS (a b)", "* a\rb", "* a\nb", "* \"a\\b\"", "*OK"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct imap_answer a;

		assert_int_equal(parse(bad[i], &a), -EBADMSG);
	}
}

static int repeated(const char *head, const char *middle, size_t times)
{
	struct buf b = BUF_INIT(16 << 20);
	struct imap_answer a;
	int r;

	buf_add_str(&b, head);
	for (size_t i = 0; i < times; i++)
		buf_add_str(&b, middle);
	assert_int_equal(buf_error(&b), 0);
	r = imap_answer_parse(b.p, b.len, &a);
	if (r == 0)
		imap_answer_done(&a);
	buf_done(&b);
	return r;
}

static void test_hostile(void **state)
{
	(void)state;
	assert_int_equal(repeated("* ", "(", 100000), -EBADMSG);
	assert_int_equal(repeated("* ", "()", 100000), 0);
	assert_int_equal(repeated("* SEARCH", " 1", 100000), 0);
	assert_int_equal(repeated("* ", "BODY[ ", 1000000), -EBADMSG);
	assert_int_equal(repeated("* ", "{", 1000000), 0);
	assert_int_equal(repeated("* OK [", "\"[", 1000000), 0);
	assert_int_equal(repeated("* ", "()", (1 << 20) + 1), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_fetch),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
