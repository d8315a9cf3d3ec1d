/* THREAD: trees out of references and subjects (RFC 5256), also out of those that make no sense. */
#include "services/maild/imap/thread.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct row {
	int64_t sent; /* 0: the row's number */
	const char *msgid, *references; /* "a b": ids without brackets */
	const char *subject; /* "re x": a reply */
};

static void add(struct threads *t, uint32_t number, const struct row *row)
{
	struct buf packed = BUF_INIT(1 << 20);
	struct span rest = span_str(row->references), id, subject = span_str(row->subject);
	bool reply = span_starts(subject, "re ");
	struct thread_message m = {.number = number,
		.sent_us = row->sent != 0 ? row->sent : (int64_t)number,
		.reply = reply,
		.subject = reply ? span_of(subject.p + 3, subject.len - 3) : subject,
		.msgid = span_str(row->msgid)};

	while (span_split(&rest, ' ', &id)) {
		buf_add_u16(&packed, (uint16_t)id.len);
		buf_add(&packed, id);
	}
	m.references = buf_span(&packed);
	assert_int_equal(thread_add(t, &m), 0);
	buf_done(&packed);
}

static void expect(enum imap_thread how, const struct row *rows, size_t count, const char *told)
{
	struct buf b = BUF_INIT(1 << 20);
	struct threads t;

	assert_int_equal(thread_begin(how, &t), 0);
	for (size_t i = 0; i < count; i++)
		add(&t, (uint32_t)i + 1, &rows[i]);
	assert_int_equal(thread_finish(&t), 0);
	for (size_t i = 0; i < t.root_count; i++)
		assert_int_equal(thread_put(&t, i, &b), 0);
	assert_string_equal(buf_str(&b), told);
	buf_done(&b);
	thread_done(&t);
}

#define EXPECT(rows, told) expect(IMAP_THREAD_REFERENCES, rows, COUNT(rows), told)

static void test_answers(void **state)
{
	static const struct row chain[] = {
		{0, "a", "", "x"}, {0, "b", "a", "re x"}, {0, "c", "a b", "re x"}};
	static const struct row branches[] = {{0, "a", "", "x"}, {0, "b", "a", "re x"},
		{0, "c", "a", "re x"}, {0, "d", "a b", "re x"}, {0, "e", "", "y"}};
	static const struct row nested[] = {{0, "3", "", ""}, {0, "6", "3", ""},
		{0, "4", "3 6", ""}, {0, "23", "3 6 4", ""}, {0, "44", "3 6", ""},
		{0, "7", "3 6 44", ""}, {0, "96", "3 6 44 7", ""}};

	(void)state;
	EXPECT(chain, "(1 2 3)");
	EXPECT(branches, "(1 (2 4)(3))(5)");
	EXPECT(nested, "(1 2 (3 4)(5 6 7))");
	expect(IMAP_THREAD_REFERENCES, NULL, 0, "");
}

/* Those that are answered and are not here. */
static void test_dummies(void **state)
{
	static const struct row single[] = {{0, "b", "gone", "x"}};
	static const struct row pair[] = {{0, "b", "gone", "x"}, {0, "c", "gone", "y"}};
	static const struct row between[] = {
		{0, "a", "", "x"}, {0, "c", "a gone", "re x"}, {0, "d", "a gone", "re x"}};
	static const struct row deep[] = {{0, "z", "g1 g2 g3", "x"}};
	static const struct row late[] = {
		{5, "c", "g", "q"}, {1, "d", "g", "q"}, {3, "e", "", "r"}};

	(void)state;
	EXPECT(single, "(1)");
	EXPECT(pair, "((1)(2))");
	EXPECT(between, "(1 (2)(3))");
	EXPECT(deep, "(1)");
	EXPECT(late, "((2)(1))(3)");
}

static void test_nonsense(void **state)
{
	static const struct row loop[] = {{0, "a", "b", ""}, {0, "b", "a", ""}};
	static const struct row self[] = {{0, "a", "a", ""}};
	static const struct row ring[] = {{0, "a", "b c a", ""}, {0, "b", "c a b", ""}};
	static const struct row twins[] = {
		{0, "a", "", "p"}, {0, "a", "", "q"}, {0, "b", "a", "s"}};
	static const struct row none[] = {{0, "", "", ""}, {0, "", "", ""}};
	/* A message's own last reference counts more than what others say of it. */
	static const struct row other[] = {
		{0, "a", "", "p"}, {0, "c", "a b", "q"}, {0, "d", "", "r"}, {0, "b", "d", "s"}};

	(void)state;
	EXPECT(loop, "(2 1)");
	EXPECT(self, "(1)");
	EXPECT(ring, "(2 1)");
	EXPECT(twins, "(1 3)(2)");
	EXPECT(none, "(1)(2)");
	EXPECT(other, "(1)(3 4 2)");
}

static void test_dates(void **state)
{
	static const struct row roots[] = {{30, "a", "", ""}, {20, "b", "", ""}, {20, "c", "", ""}};
	static const struct row siblings[] = {
		{10, "a", "", ""}, {40, "b", "a", ""}, {30, "c", "a", ""}, {20, "d", "a b", ""}};

	(void)state;
	EXPECT(roots, "(2)(3)(1)");
	EXPECT(siblings, "(1 (3)(2 4))");
}

/* Step 5. */
static void test_subjects(void **state)
{
	static const struct row answer[] = {{0, "a", "", "x"}, {0, "b", "", "re x"}};
	static const struct row early[] = {{0, "b", "", "re x"}, {0, "a", "", "x"}};
	static const struct row equals[] = {{0, "a", "", "x"}, {0, "b", "", "x"}};
	static const struct row answers[] = {{0, "a", "", "re x"}, {0, "b", "", "re x"}};
	static const struct row three[] = {{0, "a", "", "x"}, {0, "b", "", "x"}, {0, "c", "", "x"}};
	static const struct row dummy[] = {
		{0, "a", "g", "x"}, {0, "b", "g", "re x"}, {0, "c", "", "x"}, {0, "d", "", "re x"}};
	static const struct row dummies[] = {
		{0, "a", "g", "x"}, {0, "b", "g", "x"}, {0, "c", "h", "x"}, {0, "d", "h", "x"}};
	static const struct row empty[] = {{0, "a", "", ""}, {0, "b", "", ""}};

	(void)state;
	EXPECT(answer, "(1 2)");
	EXPECT(early, "(2 1)");
	EXPECT(equals, "((1)(2))");
	EXPECT(answers, "((1)(2))");
	EXPECT(three, "((1)(2)(3))");
	EXPECT(dummy, "((1)(2)(3)(4))");
	EXPECT(dummies, "((1)(2)(3)(4))");
	EXPECT(empty, "(1)(2)");
}

static void test_ordered_subject(void **state)
{
	static const struct row rows[] = {{50, "a", "", "b"}, {10, "b", "", "re a"},
		{20, "c", "a", "b"}, {30, "d", "", "a"}, {40, "e", "", "a"}};

	(void)state;
	expect(IMAP_THREAD_ORDEREDSUBJECT, rows, COUNT(rows), "(2 (4)(5))(3 1)");
	expect(IMAP_THREAD_ORDEREDSUBJECT, NULL, 0, "");
}

/* A chain of answers as long as a mailbox: no stack and no time for it is needed. */
static void test_long(void **state)
{
	enum { LONG = 100000 };
	struct threads t;
	struct buf b = BUF_INIT(4 << 20);
	char id[16], before[16] = "";

	(void)state;
	assert_int_equal(thread_begin(IMAP_THREAD_REFERENCES, &t), 0);
	for (uint32_t i = 1; i <= LONG; i++) {
		(void)snprintf(id, sizeof(id), "m%u", i);
		add(&t, i, &(struct row){0, id, before, i % 2 == 0 ? "re x" : "y"});
		memcpy(before, id, sizeof(id));
	}
	assert_int_equal(thread_finish(&t), 0);
	assert_int_equal(t.root_count, 1);
	assert_int_equal(thread_put(&t, 0, &b), 0);
	assert_true(span_starts(buf_span(&b), "(1 2 3 4 "));
	assert_true(b.len > 500000 && b.p[b.len - 1] == ')');
	buf_done(&b);
	thread_done(&t);
}

/* Whatever is said of whom: each message is told once, and parentheses meet. */
static void test_random(void **state)
{
	enum { ROUNDS = 300, MESSAGES = 40 };
	uint32_t seed = 20261121;

	(void)state;
	print_message("seed %u\n", seed);
	for (int round = 0; round < ROUNDS; round++) {
		struct threads t;
		struct buf b = BUF_INIT(1 << 16);
		unsigned seen[MESSAGES + 1] = {0};
		int depth = 0;

		assert_int_equal(thread_begin(IMAP_THREAD_REFERENCES, &t), 0);
		for (uint32_t i = 1; i <= MESSAGES; i++) {
			char text[6][16];
			char references[64];

			for (size_t j = 0; j < COUNT(text); j++) {
				seed = seed * 1103515245 + 12345;
				(void)snprintf(text[j], sizeof(text[j]), "%u", (seed >> 16) % 30);
			}
			(void)snprintf(references, sizeof(references), "%s %s %s", text[1], text[2],
				text[3]);
			text[4][1] = '\0';
			add(&t, i,
				&(struct row){1 + (seed >> 20) % 9, text[0],
					seed % 3 == 0 ? "" : references, text[4]});
		}
		assert_int_equal(thread_finish(&t), 0);
		for (size_t i = 0; i < t.root_count; i++)
			assert_int_equal(thread_put(&t, i, &b), 0);
		for (size_t i = 0; i < b.len; i++) {
			uint32_t n = 0;

			depth += (b.p[i] == '(') - (b.p[i] == ')');
			assert_true(depth >= 0);
			while (i < b.len && b.p[i] >= '0' && b.p[i] <= '9')
				n = n * 10 + (uint32_t)(b.p[i++] - '0');
			if (n > 0) {
				assert_true(n <= MESSAGES);
				seen[n]++;
				i--;
			}
		}
		assert_int_equal(depth, 0);
		for (size_t i = 1; i <= MESSAGES; i++)
			assert_int_equal(seen[i], 1);
		buf_done(&b);
		thread_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_dummies),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_subjects),
		cmocka_unit_test(test_ordered_subject),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
