/* SEARCH programs, written out again as one sees them; RETURN options, SORT, THREAD. */
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

static unsigned char held[8192];

static struct imap_in in_str(const char *s)
{
	size_t len = strlen(s);

	assert_true(len <= sizeof(held));
	memcpy(held, s, len);
	return (struct imap_in){.p = held, .len = len};
}

static void show(struct buf *b, const struct imap_search *s, uint32_t at);

static void show_children(struct buf *b, const struct imap_search *s, uint32_t at)
{
	buf_add_byte(b, '(');
	for (uint32_t c = s->nodes[at].first; c != UINT32_MAX; c = s->nodes[c].next) {
		if (c != s->nodes[at].first)
			buf_add_byte(b, ' ');
		show(b, s, c);
	}
	buf_add_byte(b, ')');
}

static void show_leaf(struct buf *b, const struct imap_search_node *n)
{
	buf_addf(b, "%d", (int)n->key);
	for (size_t i = 0; i < n->set.count; i++)
		buf_addf(b, ",%u:%u", n->set.list[i].first, n->set.list[i].last);
	if (n->set.saved)
		buf_add_str(b, ",$");
	if (n->flag != 0)
		buf_addf(b, "/%u", n->flag);
	if (n->name.len > 0)
		buf_addf(b, "/%.*s", (int)n->name.len, (const char *)n->name.p);
	if (n->text.len > 0)
		buf_addf(b, "/%.*s", (int)n->text.len, (const char *)n->text.p);
	if (n->number != 0)
		buf_addf(b, "#%llu", (unsigned long long)n->number);
	if (n->day_us != 0)
		buf_addf(b, "@%lld", (long long)(n->day_us / TIME_S_US));
}

static void show(struct buf *b, const struct imap_search *s, uint32_t at)
{
	const struct imap_search_node *n = &s->nodes[at];

	assert_true(at < s->count);
	if (n->key == IMAP_KEY_AND || n->key == IMAP_KEY_OR || n->key == IMAP_KEY_NOT) {
		buf_add_str(b,
			n->key == IMAP_KEY_AND          ? "and"
				: n->key == IMAP_KEY_OR ? "or"
							: "not");
		show_children(b, s, at);
	} else {
		show_leaf(b, n);
	}
}

static void check(const char *text, const char *expected)
{
	struct imap_in in = in_str(text);
	struct buf b = BUF_INIT(1024);
	struct imap_search s;

	assert_int_equal(imap_in_search(&in, &s), 0);
	show(&b, &s, 0);
	assert_string_equal(buf_str(&b), expected);
	buf_done(&b);
	imap_search_done(&s);
}

static void test_keys(void **state)
{
	char want[64];

	(void)state;
	check("all", "and(0)");
	(void)snprintf(want, sizeof(want), "and(%d/8 not(%d/8) not(%d/1))", IMAP_KEY_FLAG,
		IMAP_KEY_FLAG, IMAP_KEY_FLAG);
	check("seen UNSEEN unanswered", want);
	(void)snprintf(want, sizeof(want), "and(and(%d not(%d/8)) not(%d) %d)", IMAP_KEY_RECENT,
		IMAP_KEY_FLAG, IMAP_KEY_RECENT, IMAP_KEY_RECENT);
	check("NEW old RECENT", want);
	(void)snprintf(want, sizeof(want), "and(%d/256/$NotJunk not(%d/own))", IMAP_KEY_FLAG,
		IMAP_KEY_FLAG);
	check("keyword $NotJunk unkeyword own", want);
	(void)snprintf(want, sizeof(want), "and(%d/From/a b %d/Subject/NIL %d/X-Y)",
		IMAP_KEY_HEADER, IMAP_KEY_HEADER, IMAP_KEY_HEADER);
	check("from \"a b\" subject {3}\r\nNIL header X-Y \"\"", want);
	(void)snprintf(want, sizeof(want), "and(%d@760060800 %d@760060800 %d@760060800)",
		IMAP_KEY_BEFORE, IMAP_KEY_SENT_ON, IMAP_KEY_SAVED_SINCE);
	check("before 1-feb-1994 SENTON \"1-Feb-1994\" savedsince 01-Feb-1994", want);
	(void)snprintf(want, sizeof(want), "and(%d#10 %d %d#3600 %d#1)", IMAP_KEY_LARGER,
		IMAP_KEY_SMALLER, IMAP_KEY_YOUNGER, IMAP_KEY_OLDER);
	check("larger 10 smaller 0 younger 3600 older 1", want);
	(void)snprintf(want, sizeof(want), "and(%d,2:4,1:1 %d,7:4294967295 %d,$ %d,$)",
		IMAP_KEY_SEQ, IMAP_KEY_UID, IMAP_KEY_SEQ, IMAP_KEY_UID);
	check("4:2,1 uid 7:* $ uid $", want);
	(void)snprintf(
		want, sizeof(want), "and(%d/M1 %d/T1 0)", IMAP_KEY_EMAILID, IMAP_KEY_THREADID);
	check("emailid M1 threadid T1 savedatesupported", want);
}

static void test_nesting(void **state)
{
	char want[128];

	(void)state;
	(void)snprintf(want, sizeof(want), "and(or(%d/8 not(and(%d/4 or(0 %d)))) %d/4)",
		IMAP_KEY_FLAG, IMAP_KEY_FLAG, IMAP_KEY_RECENT, IMAP_KEY_FLAG);
	check("or seen not (deleted or all recent) deleted", want);
	check("((((all))))", "and(and(and(and(and(0)))))");
	check("not not all", "and(not(not(0)))");
}

static void test_modseq(void **state)
{
	struct imap_in in = in_str("MODSEQ \"/flags/\\\\draft\" all 620162338 all");
	struct imap_search s;

	(void)state;
	assert_int_equal(imap_in_search(&in, &s), 0);
	assert_true(s.uses_modseq && s.nodes[1].number == 620162338);
	imap_search_done(&s);
	in = in_str("charset utf-8 modseq 0");
	assert_int_equal(imap_in_search(&in, &s), 0);
	assert_true(s.uses_modseq && span_eq_str(s.charset, "utf-8") && !s.extended);
	imap_search_done(&s);
}

static void test_return(void **state)
{
	static const struct {
		const char *text;
		unsigned returns;
		int64_t first, last;
	} rows[] = {
		{"return () all", IMAP_RETURN_ALL, 0, 0},
		{"return (min Max count) all",
			IMAP_RETURN_MIN | IMAP_RETURN_MAX | IMAP_RETURN_COUNT, 0, 0},
		{"return (save) all", IMAP_RETURN_SAVE, 0, 0},
		{"return (partial 4:2) charset us-ascii all", IMAP_RETURN_PARTIAL, 2, 4},
		{"return (partial -100:-1 count) all", IMAP_RETURN_PARTIAL | IMAP_RETURN_COUNT, -1,
			-100},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct imap_in in = in_str(rows[i].text);
		struct imap_search s;

		assert_int_equal(imap_in_search(&in, &s), 0);
		assert_true(s.extended);
		assert_int_equal(s.returns, rows[i].returns);
		assert_int_equal(s.partial_first, rows[i].first);
		assert_int_equal(s.partial_last, rows[i].last);
		imap_search_done(&s);
	}
}

static void test_refused(void **state)
{
	static const char *const bad[] = {"", " all", "all ", "all  all", "foo", "or all",
		"or all ", "not", "()", "(all", "all)", "(all))", "from", "from ", "from (a)",
		"header a", "keyword \"a\"", "keyword \\Seen", "before 1-1-1994", "before",
		"larger -1", "larger a", "younger 0", "older 4294967296", "uid", "uid a", "0",
		"1:2:3", "1,,2", "modseq", "modseq \"/flags/a\" 1", "modseq \"/flags/a\" some 1",
		"return all", "return (foo) all", "return (all)", "return () ",
		"return (partial 1) all", "return (partial 1:*) all", "return (partial *:1) all",
		"return (partial 1:-2) all", "return (partial 1:2 all) all",
		"return (partial 1:2 partial 1:2) all", "charset utf-8", "charset  all",
		"seen(all)", "subject \"open"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct imap_in in = in_str(bad[i]);
		struct imap_search s;

		assert_int_equal(imap_in_search(&in, &s), -EBADMSG);
		assert_int_equal(in.at, 0);
	}
}

static int repeated(const char *middle, const char *tail, size_t times)
{
	struct buf b = BUF_INIT(64 << 10);
	struct imap_search s;
	struct imap_in in;
	int r;

	for (size_t i = 0; i < times; i++)
		buf_add_str(&b, middle);
	buf_add_str(&b, tail);
	in = (struct imap_in){.p = b.p, .len = b.len};
	r = imap_in_search(&in, &s);
	if (r == 0)
		imap_search_done(&s);
	buf_done(&b);
	return r;
}

static void test_bounds(void **state)
{
	char closing[IMAP_DEPTH_MAX + 5] = "all";

	(void)state;
	memset(closing + 3, ')', IMAP_DEPTH_MAX + 1);
	closing[3 + IMAP_DEPTH_MAX] = '\0';
	assert_int_equal(repeated("(", closing, IMAP_DEPTH_MAX), 0);
	closing[3 + IMAP_DEPTH_MAX] = ')';
	assert_int_equal(repeated("(", closing, IMAP_DEPTH_MAX + 1), -EBADMSG);
	assert_int_equal(repeated("(", "", 60000), -EBADMSG);
	assert_int_equal(repeated("or all ", "all", 150), 0);
	assert_int_equal(repeated("not ", "all", 10000), -EBADMSG);
	assert_int_equal(repeated("all ", "all", IMAP_SEARCH_MAX - 2), 0);
	assert_int_equal(repeated("all ", "all", IMAP_SEARCH_MAX - 1), -EBADMSG);
}

static void test_sort(void **state)
{
	static const char *const bad[] = {"", "() utf-8 all", "(size) all", "(size)",
		"size utf-8 all", "(reverse) utf-8 all", "(foo) utf-8 all",
		"(reverse  size) utf-8 all",
		"(size size size size size size size size size size size size size size size size size) x "
		"all"};
	struct imap_in in = in_str("return (count) (REVERSE date displayfrom) UTF-8 unseen");
	struct imap_sort s;

	(void)state;
	assert_int_equal(imap_in_sort(&in, &s), 0);
	assert_true(s.search.extended && s.search.returns == IMAP_RETURN_COUNT);
	assert_true(s.count == 2 && s.keys[0].key == IMAP_SORT_DATE && s.keys[0].reverse);
	assert_true(s.keys[1].key == IMAP_SORT_DISPLAYFROM && !s.keys[1].reverse);
	assert_true(span_eq_str(s.search.charset, "UTF-8"));
	imap_search_done(&s.search);
	for (size_t i = 0; i < COUNT(bad); i++) {
		in = in_str(bad[i]);
		assert_int_equal(imap_in_sort(&in, &s), -EBADMSG);
	}
}

static void test_thread(void **state)
{
	struct imap_thread_command t;
	struct imap_in in = in_str("orderedsubject UTF-8 all");

	(void)state;
	assert_int_equal(imap_in_thread(&in, &t), 0);
	assert_int_equal(t.how, IMAP_THREAD_ORDEREDSUBJECT);
	imap_search_done(&t.search);
	in = in_str("REFERENCES {5}\r\nutf-8 text a");
	assert_int_equal(imap_in_thread(&in, &t), 0);
	assert_int_equal(t.how, IMAP_THREAD_REFERENCES);
	imap_search_done(&t.search);
	in = in_str("REFS UTF-8 all");
	assert_int_equal(imap_in_thread(&in, &t), -ENOTSUP);
	in = in_str("REFERENCES UTF-8");
	assert_int_equal(imap_in_thread(&in, &t), -EBADMSG);
	in = in_str("REFERENCES");
	assert_int_equal(imap_in_thread(&in, &t), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_modseq),
		cmocka_unit_test(test_return),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_sort),
		cmocka_unit_test(test_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
