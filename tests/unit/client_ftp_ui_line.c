/* quintet ftp's line editor: keys in, a line and what a terminal is told out. */
#include "client/ftp/ui.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The last key's event. */
static enum line_event type(struct line *l, const char *keys)
{
	enum line_event event = LINE_NONE;

	for (; *keys != '\0'; keys++)
		event = line_key(l, (unsigned char)*keys);
	return event;
}

static void editing(void **state)
{
	static const struct {
		const char *keys, *text;
		size_t cursor;
	} rows[] = {
		{"abc", "abc", 3},
		{"abc\x02X", "abXc", 3},
		{"abc\x01X\x05Y", "XabcY", 5},
		{"abc\x7f", "ab", 2},
		{"abc\x08\x08\x08\x08", "", 0},
		{"abc\x1b[D\x1b[3~", "ab", 2},
		{"abc\x1b[H\x1b[C\x04", "ac", 1},
		{"abc\x1bOD\x1bOH-", "-abc", 1},
		{"get a b\x17", "get a ", 6},
		{"get dir/name\x17", "get dir/", 8},
		{"get dir/\x17", "get dir", 7},
		{"get abc\x15", "", 0},
		{"get abc\x15\x19\x19", "get abcget abc", 14},
		{"get abc\x01\x0b", "", 0},
		{"a\xc3\xbc\x7f", "a", 1},
		{"\xe6\x97\xa5\xe6\x9c\xac\x02\x7f", "\xe6\x9c\xac", 0},
		{"e\xcc\x81\x7f", "", 0},
		{"a\x1b[1;5Db\x1b[5~c", "bca", 2},
		{"a\x1bzb", "ab", 2},
		{"ab\x1b"
		 "bX",
			"Xab", 1},
		{"a\xff"
		 "b\xc3"
		 "c",
			"abc", 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		_cleanup_(line_done) struct line l = LINE_INIT;

		line_next(&l, false);
		type(&l, rows[i].keys);
		assert_string_equal(buf_str(&l.text), rows[i].text);
		assert_int_equal(l.cursor, rows[i].cursor);
	}
}

static void events(void **state)
{
	_cleanup_(line_done) struct line l = LINE_INIT;

	(void)state;
	line_next(&l, false);
	assert_int_equal(type(&l, "\x04"), LINE_END);
	assert_int_equal(type(&l, "\x03"), LINE_INTERRUPT);
	assert_int_equal(type(&l, "\t"), LINE_TAB);
	assert_int_equal(type(&l, "\x0c"), LINE_CLEAR);
	assert_int_equal(type(&l, "a"), LINE_CHANGED);
	assert_int_equal(type(&l, "\x01\x04"), LINE_CHANGED);
	assert_int_equal(l.text.len, 0);
	assert_int_equal(type(&l, "\r"), LINE_ENTER);
	assert_int_equal(type(&l, "\n"), LINE_ENTER);
	assert_int_equal(type(&l, "\x1b[99;99;99;99;99"), LINE_CHANGED);
}

static void history(void **state)
{
	_cleanup_(line_done) struct line l = LINE_INIT;

	(void)state;
	line_next(&l, false);
	type(&l, "\x1b[A\x1b[B");
	assert_string_equal(buf_str(&l.text), "");
	type(&l, "one");
	line_next(&l, true);
	type(&l, "two");
	line_next(&l, true);
	type(&l, "two");
	line_next(&l, true);
	assert_int_equal(l.history_count, 2);
	type(&l, "half\x1b[A");
	assert_string_equal(buf_str(&l.text), "two");
	type(&l, "\x10\x10\x10");
	assert_string_equal(buf_str(&l.text), "one");
	type(&l, "\x1b[B");
	assert_string_equal(buf_str(&l.text), "two");
	type(&l, "\x0e\x0e");
	assert_string_equal(buf_str(&l.text), "half");
	for (int i = 0; i < LINE_HISTORY_MAX + 10; i++) {
		char text[32];

		snprintf(text, sizeof text, "line %d", i);
		line_remember(&l, span_str(text));
	}
	assert_int_equal(l.history_count, LINE_HISTORY_MAX);
	assert_string_equal(l.history[0], "line 10");
	line_remember(&l, SPAN_LIT("a\x1b[2J"));
	line_remember(&l, SPAN_LIT(""));
	assert_int_equal(l.history_count, LINE_HISTORY_MAX);
	assert_string_equal(l.history[LINE_HISTORY_MAX - 1], "line 509");
}

static void replacing(void **state)
{
	_cleanup_(line_done) struct line l = LINE_INIT;

	(void)state;
	line_next(&l, false);
	type(&l, "get re x\x02\x02");
	line_replace(&l, 4, SPAN_LIT("report\\ 1 "));
	assert_string_equal(buf_str(&l.text), "get report\\ 1  x");
	assert_int_equal(l.cursor, 14);
	/* Too long a line stays as it is. */
	for (int i = 0; i < 5000; i++)
		line_key(&l, 'x');
	assert_true(l.text.len <= LINE_MAX_BYTES && buf_error(&l.text) == 0);
}

static void drawing(void **state)
{
	_cleanup_(line_done) struct line l = LINE_INIT;
	_cleanup_(buf_done) struct buf out = BUF_INIT(65536);

	(void)state;
	line_next(&l, false);
	line_draw(&l, "/> ", 80, &out);
	assert_string_equal(buf_str(&out), "\r/> \x1b[K");
	buf_reset(&out);
	type(&l, "ab\x02");
	line_draw(&l, "/> ", 80, &out);
	assert_string_equal(buf_str(&out), "\r/> ab\x1b[K\x1b[1D");
	buf_reset(&out);
	/* A wide character is two columns to go back. */
	type(&l, "\x05\xe6\x97\xa5\x02");
	line_draw(&l, "/> ", 80, &out);
	assert_string_equal(buf_str(&out), "\r/> ab\xe6\x97\xa5\x1b[K\x1b[2D");
}

/* Nothing ever wraps: prompt and line take less than the width, wherever the cursor is. */
static void drawing_narrow(void **state)
{
	_cleanup_(line_done) struct line l = LINE_INIT;

	(void)state;
	line_next(&l, false);
	for (int i = 0; i < 40; i++)
		type(&l, i % 3 == 0 ? "\xe6\x97\xa5" : "x");
	for (int left = 0; left <= 41; left++) {
		for (size_t width = 4; width < 60; width++) {
			_cleanup_(buf_done) struct buf out = BUF_INIT(65536);
			const char *end;

			line_draw(&l, "/shared/folder> ", width, &out);
			end = strstr(buf_str(&out), "\x1b[K");
			assert_non_null(end);
			assert_true(width_of(span_of(out.p + 1,
					    (size_t)(end - buf_str(&out)) - 1)) <= width);
		}
		type(&l, "\x02");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(editing),
		cmocka_unit_test(events),
		cmocka_unit_test(history),
		cmocka_unit_test(replacing),
		cmocka_unit_test(drawing),
		cmocka_unit_test(drawing_narrow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
