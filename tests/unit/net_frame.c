/* Line framing at every boundary, and dot-stuffed blocks split at every byte. */
#include "net/frame.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct line_case {
	struct span in;
	bool bare_lf_ok, nul_ok;
	int result;
	const char *line;
	size_t used;
};

/* The rule allows five bytes. */
static const struct line_case line_cases[] = {
	{SPAN_LIT(""), false, false, 0, NULL, 0},
	{SPAN_LIT("\r\n"), false, false, 1, "", 2},
	{SPAN_LIT("ab\r\ncd\r\n"), false, false, 1, "ab", 4},
	{SPAN_LIT("abcde\r\n"), false, false, 1, "abcde", 7}, /* last good */
	{SPAN_LIT("abcde\r"), false, false, 0, NULL, 0},
	{SPAN_LIT("abcde"), false, false, 0, NULL, 0},
	{SPAN_LIT("abcdef"), false, false, -EMSGSIZE, NULL, 5}, /* first bad */
	{SPAN_LIT("abcdef\r\n"), false, false, -EMSGSIZE, NULL, 5},
	{SPAN_LIT("ab\n"), false, false, -EPROTO, NULL, 3},
	{SPAN_LIT("ab\n"), true, false, 1, "ab", 3},
	{SPAN_LIT("ab\r\n"), true, false, 1, "ab", 4},
	{SPAN_LIT("\n"), true, false, 1, "", 1},
	{SPAN_LIT("abcde\n"), true, false, 1, "abcde", 6},
	{SPAN_LIT("abcdef\n"), true, false, -EMSGSIZE, NULL, 5},
	{SPAN_LIT("ab\rc\r\n"), false, false, -EPROTO, NULL, 3},
	{SPAN_LIT("ab\rc\n"), true, false, -EPROTO, NULL, 3},
	{SPAN_LIT("ab\r\r\n"), true, false, -EPROTO, NULL, 3},
	{SPAN_LIT("a\0b\r\n"), false, false, -EPROTO, NULL, 2},
	{SPAN_LIT("a\0b\r\n"), false, true, 1, "a\0b", 5},
};

static void lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(line_cases) / sizeof(line_cases[0]); i++) {
		const struct line_case *t = &line_cases[i];
		struct frame_rule rule = {5, t->bare_lf_ok, t->nul_ok};
		struct span line = {NULL, 0};
		size_t used = 0;
		int r = frame_line(t->in, &rule, &line, &used);

		if (r != t->result || used != t->used)
			fail_msg("case %zu: %d, used %zu", i, r, used);
		if (r == 1) {
			assert_ptr_equal(line.p, t->in.p);
			assert_memory_equal(line.p, t->line, line.len);
			assert_true(line.len <= 5);
		}
	}
}

/* However few bytes are there, a line is either found as a whole or more is asked for. */
static void lines_in_pieces(void **state)
{
	static const char text[] = "four\r\n";
	struct frame_rule rule = {.max = 4};
	struct span line;
	size_t used = 0;

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++)
		assert_int_equal(frame_line(span_of(text, len), &rule, &line, &used), 0);
	assert_int_equal(frame_line(SPAN_LIT("four\r\n"), &rule, &line, &used), 1);
	assert_int_equal(used, 6);
}

struct dot_case {
	const char *in;
	int result;
	const char *out;
	size_t used;
};

static const struct dot_case dot_cases[] = {
	{".\r\n", 1, "", 3},
	{"a\r\n.\r\nnext", 1, "a\r\n", 6},
	{"..\r\n.\r\n", 1, ".\r\n", 7},
	{"...a\r\n.\r\n", 1, "..a\r\n", 9},
	{".a\r\n.\r\n", 1, "a\r\n", 7},
	{"a.\r\n\r\n.\r\n", 1, "a.\r\n\r\n", 9},
	{"a\r\n", 0, "a\r\n", 3},
	{"a\r\n.", 0, "a\r\n", 4},
	{"a\r\n.\r", 0, "a\r\n", 5},
	/* smuggling: none of these ends a block */
	{"a\n.\r\n", -EPROTO, "a", 1},
	{"a\r\n.\n", -EPROTO, "a\r\n", 4},
	{"a\r\n.\rx", -EPROTO, "a\r\n", 5},
	{"a\r.\r\n", -EPROTO, "a", 2},
	{"a\rb", -EPROTO, "a", 2},
	{"\n", -EPROTO, "", 0},
	{"\r\r\n", -EPROTO, "", 1},
};

static void dots(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(dot_cases) / sizeof(dot_cases[0]); i++) {
		const struct dot_case *t = &dot_cases[i];

		for (size_t step = 1; step <= strlen(t->in); step++) {
			struct frame_dot dot = {0};
			struct buf out = BUF_INIT(100);
			size_t total = 0, used = 0;
			int r = 0;

			while (r == 0 && total < strlen(t->in)) {
				struct span rest = span_str(t->in + total);

				if (rest.len > step)
					rest.len = step;
				r = frame_dot_read(&dot, rest, &out, &used);
				total += used;
			}
			if (r != t->result || total != t->used)
				fail_msg("case %zu step %zu: %d, used %zu", i, step, r, total);
			assert_string_equal(buf_str(&out), t->out);
			buf_done(&out);
		}
	}
}

static void dots_have_a_maximum(void **state)
{
	struct frame_dot dot = {0};
	struct buf out = BUF_INIT(7), small = BUF_INIT(6);
	size_t used = 0;

	(void)state;
	assert_int_equal(frame_dot_read(&dot, SPAN_LIT("12345\r\n.\r\n"), &out, &used), 1);
	assert_string_equal(buf_str(&out), "12345\r\n");
	assert_int_equal(
		frame_dot_read(&dot, SPAN_LIT("12345\r\n.\r\n"), &small, &used), -EMSGSIZE);
	assert_int_equal(used, 6); /* the CR is eaten, its LF stays for whoever goes on */
	buf_reset(&small);
	assert_int_equal(frame_dot_read(&dot, SPAN_LIT("\n.\r\n"), &small, &used), 1);
	assert_string_equal(buf_str(&small), "\r\n");
	buf_done(&out);
	buf_done(&small);
}

static void dots_are_written(void **state)
{
	struct buf out = BUF_INIT(100), back = BUF_INIT(100), tiny = BUF_INIT(4);
	struct span body = SPAN_LIT(".\r\n..\r\na\r\n\r\n.b\r\n");
	struct frame_dot dot = {0};
	size_t used = 0;

	(void)state;
	assert_int_equal(frame_dot_write(&out, body), 0);
	assert_string_equal(buf_str(&out), "..\r\n...\r\na\r\n\r\n..b\r\n.\r\n");
	assert_int_equal(frame_dot_read(&dot, buf_span(&out), &back, &used), 1);
	assert_true(span_eq(buf_span(&back), body));
	buf_reset(&out);
	assert_int_equal(frame_dot_write(&out, span_of(NULL, 0)), 0);
	assert_string_equal(buf_str(&out), ".\r\n");
	assert_int_equal(frame_dot_write(&out, SPAN_LIT("no end")), -EINVAL);
	assert_int_equal(frame_dot_write(&out, SPAN_LIT("a\r\nb\n")), -EINVAL);
	assert_int_equal(frame_dot_write(&out, SPAN_LIT("a\rb\r\n")), -EINVAL);
	assert_int_equal(frame_dot_write(&out, SPAN_LIT("a\r")), -EINVAL);
	assert_int_equal(frame_dot_write(&tiny, SPAN_LIT("a\r\n")), -ENOBUFS);
	buf_done(&out);
	buf_done(&back);
	buf_done(&tiny);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(lines_in_pieces),
		cmocka_unit_test(dots),
		cmocka_unit_test(dots_have_a_maximum),
		cmocka_unit_test(dots_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
