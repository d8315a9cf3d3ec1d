/* The console's screen where it needs no terminal: cells and wrapping, layout, rows, scrolling. */
#include "client/console/face_screen.h"

#include "base/timefmt.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HOUR_US (INT64_C(3600) * TIME_S_US)
/* 2026-11-21 12:00 UTC */
#define NOON_US (INT64_C(1795262400) * TIME_S_US)

/* -- text ---------------------------------------------------------------------------------------
 */

static void text_is_as_wide_as_it_is_shown(void **state)
{
	static const struct {
		const char *text;
		size_t columns;
	} known[] = {{"", 0}, {"abc", 3}, {"Grüße", 5}, {"日本", 4}, {"e\xcc\x81", 1},
		{"e\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81x", 2}, {"\xcc\x81x", 2},
		{"\x1b[2J", 4}, {"\xff\xfe", 2},
		{"a\xe2\x80\xae"
		 "b",
			3},
		{"\xc2\x9b", 1}, {"\xf0\x9f\x98\x80", 2}};

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		assert_int_equal(face_width(span_str(known[i].text)), known[i].columns);
}

static void nothing_that_steers_is_shown(void **state)
{
	static const char *const evil[] = {"\x1b", "\x07", "\x7f", "\r", "\n", "\t", "\xff",
		"\xc2\x9b", "\xe2\x80\xae", "\xe2\x81\xa6", "\xef\xbb\xbf", "\xe2\x80\xa8"};

	(void)state;
	for (size_t i = 0; i < sizeof evil / sizeof evil[0]; i++) {
		struct face_cell c;

		assert_int_equal(face_cell(span_str(evil[i]), &c), strlen(evil[i]));
		assert_int_equal(c.points[0], 0xfffd);
		assert_int_equal(c.points[1], 0);
		assert_int_equal(c.columns, 1);
	}
}

static void what_the_locale_lacks_is_a_question_mark(void **state)
{
	struct face_cell c;

	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C"));
	assert_int_equal(face_cell(span_str("日x"), &c), 3);
	assert_int_equal(c.points[0], '?');
	assert_int_equal(c.columns, 1);
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
}

static void a_cell_is_cut_nowhere(void **state)
{
	struct span s = span_str("日本e\xcc\x81x");

	(void)state;
	assert_int_equal(face_head(s, 3).len, 3);
	assert_int_equal(face_head(s, 5).len, 9);
	assert_int_equal(face_head(s, 0).len, 0);
	assert_int_equal(face_tail(s, 2).len, 4);
	assert_int_equal(face_tail(s, 3).len, 4);
	assert_int_equal(face_tail(s, 4).len, 7);
	for (uint32_t point = 1; point < 0x110000; point += point < 0x300 ? 1 : 997) {
		struct face_bytes b = face_utf8(point);
		wchar_t back = 0;
		mbstate_t m = {0};

		if (point >= 0xd800 && point < 0xe000)
			continue;
		assert_int_equal(mbrtowc(&back, (const char *)b.p, b.len, &m), b.len);
		assert_int_equal(back, point);
	}
}

static void wraps(const char *text, size_t columns, const char *expected)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(4096);
	struct span rest = span_str(text);

	while (rest.len > 0) {
		buf_add(&b, face_wrap(&rest, columns));
		buf_add_byte(&b, '|');
	}
	assert_string_equal(buf_str(&b), expected);
}

static void text_wraps_at_blanks_and_is_never_stuck(void **state)
{
	(void)state;
	wraps("one two three", 7, "one two|three|");
	wraps("one two three", 8, "one two|three|");
	wraps("one two three", 6, "one|two|three|");
	wraps("onetwothree", 4, "onet|woth|ree|");
	wraps("a   b", 2, "a|b|");
	wraps("  indented words", 10, "  indented|words|");
	wraps("ends ", 4, "ends|");
	wraps("日本語", 5, "日本|語|");
	wraps("日本語", 1, "日|本|語|");
	wraps("e\xcc\x81"
	      "e\xcc\x81",
		1, "e\xcc\x81|e\xcc\x81|");
	wraps("     ", 2, "  |");
}

/* -- layout -------------------------------------------------------------------------------------
 */

/* Every row is somebody's, whatever the size. */
static void layouts_fill_every_size(void **state)
{
	(void)state;
	for (size_t rows = 0; rows < 60; rows++)
		for (size_t columns = 0; columns < 200; columns += 7)
			for (size_t n = 0; n < 64; n++) {
				struct face_layout l;

				face_layout_make(rows, columns, n % 8, n / 8, &l);
				assert_int_equal(l.title_rows + l.body_rows + l.transfer_rows +
						l.notice_rows + l.status_rows + 1,
					l.rows);
				assert_int_equal(l.body_row, l.title_rows);
				assert_int_equal(l.transfer_row, l.body_row + l.body_rows);
				assert_int_equal(l.notice_row, l.transfer_row + l.transfer_rows);
				assert_int_equal(l.body_column + l.body_columns, l.columns);
				assert_true(l.body_columns > 0);
				assert_true(rows < 2 || l.body_rows + l.notice_rows > 0);
				assert_true(rows < 5 || l.body_rows > 0);
				assert_true(rows < 2 || n < 8 || l.notice_rows > 0);
			}
}

static void the_usual_size_has_everything(void **state)
{
	struct face_layout l;

	(void)state;
	face_layout_make(24, 80, 2, 1, &l);
	assert_int_equal(l.list_columns, 16);
	assert_int_equal(l.transfer_rows, 3);
	assert_int_equal(l.transfer_head, 1);
	assert_int_equal(l.notice_rows, 1);
	assert_int_equal(l.body_rows, 17);
	face_layout_make(10, 40, 2, 0, &l);
	assert_int_equal(l.list_columns, 0);
	assert_int_equal(l.transfer_rows, 1);
	face_layout_make(1, 1, 3, 3, &l);
	assert_int_equal(l.body_rows + l.notice_rows + l.transfer_rows + l.status_rows, 0);
}

/* -- rows ---------------------------------------------------------------------------------------
 */

static void shows(const struct place *p, size_t index, size_t columns, const char *expected)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(8192);
	struct face_walk w;
	struct face_row r;
	size_t rows = 0;

	face_walk_begin(p, index, columns, &w);
	while (face_walk_next(&w, &r)) {
		assert_true(r.indent + face_width(r.head) + face_width(r.text) <= columns);
		buf_addf(&b, "%*s", (int)r.indent, "");
		buf_add(&b, r.head);
		buf_add(&b, r.text);
		buf_add_byte(&b, '\n');
		rows++;
	}
	face_walk_done(&w);
	assert_string_equal(buf_str(&b), expected);
	assert_int_equal(face_rows_of(p, index, columns), rows);
}

static void what_is_said_hangs_behind_who_said_it(void **state)
{
	struct place_line lines[] = {
		{.at_us = NOON_US, .who = "ann", .text = "hello you over there, all of you"},
		{.at_us = NOON_US, .who = "*", .text = "bob joined", .look = LINE_QUIET},
		{.at_us = NOON_US, .who = "日本", .text = "me", .look = LINE_LOUD},
		{.who = "", .text = "no time"},
		{.at_us = NOON_US + 12 * HOUR_US, .who = "ann", .text = ""},
		{.who = "a-very-long-name-for-a-person-indeed", .text = "x y z"}};
	struct place p = {.kind = PLACE_CHANNEL, .lines = lines, .count = 6};

	(void)state;
	shows(&p, 0, 40,
		"--- Saturday, 2026-11-21 ---\n12:00  <ann> hello you over there, all\n"
		"             of you\n");
	shows(&p, 1, 40, "12:00  * bob joined\n");
	shows(&p, 2, 40, "12:00! <日本> me\n");
	shows(&p, 3, 40, "no time\n");
	shows(&p, 4, 40, "--- Sunday, 2026-11-22 ---\n00:00  <ann> \n");
	shows(&p, 5, 20, "<a-> x y z\n");
	shows(&p, 2, 4, "12:0\nme\n");
	shows(&p, 3, 1, "n\no\nt\ni\nm\ne\n");
}

static void a_mailbox_has_a_row_for_each(void **state)
{
	struct place_line lines[] = {{.id = 7, .who = "", .text = "7 N  first"},
		{.id = 9, .at_us = NOON_US, .who = "ann", .text = "second, and much more of it"}};
	struct place p = {.kind = PLACE_MAILBOX, .lines = lines, .count = 2};

	(void)state;
	shows(&p, 0, 30, "  7 N  first\n");
	shows(&p, 1, 36, "> Nov 21 12:00 ann          second, \n");
	face_select(&p, -5);
	assert_int_equal(p.selected, 7);
	shows(&p, 0, 30, "> 7 N  first\n");
	face_select(&p, 1);
	assert_int_equal(p.selected, 0);
	/* One that is gone: the next. */
	p.selected = 8;
	assert_int_equal(face_selected(&p), 1);
	p.count = 0;
	face_select(&p, 1);
	assert_int_equal(face_selected(&p), 0);
}

/* -- view ---------------------------------------------------------------------------------------
 */

enum { LINES = 50, COLUMNS = 20, PAGE = 10 };

/* Every fifth line has two rows. */
static void fill(struct place_line lines[LINES])
{
	for (size_t i = 0; i < LINES; i++)
		lines[i] = (struct place_line){.who = "",
			.text = i % 5 == 0 ? "twelve letters twice"
					     "r"
					   : "one row"};
}

static void at(const struct face_view *v, const struct place *p, size_t index, size_t row)
{
	struct face_at top = face_view_top(v, p, COLUMNS, PAGE);

	assert_int_equal(top.index, index);
	assert_int_equal(top.row, row);
}

static void add(struct face_view *v, struct place *p)
{
	p->count++;
	p->added++;
	face_view_added(v, p);
}

static void the_end_is_followed_until_one_scrolls(void **state)
{
	struct place_line lines[LINES];
	struct place p = {.kind = PLACE_CHANNEL, .lines = lines, .count = LINES - 1};
	struct face_view v;

	(void)state;
	fill(lines);
	face_view_begin(&v, &p);
	/* 41 to 48, with two rows at 45; and 40's second one. */
	at(&v, &p, 40, 1);
	add(&v, &p);
	at(&v, &p, 41, 0);
	assert_true(face_view_move(&v, &p, COLUMNS, PAGE, -3));
	assert_false(v.follow);
	at(&v, &p, 39, 0);
	assert_true(face_view_move(&v, &p, COLUMNS, PAGE, 1));
	assert_true(face_view_move(&v, &p, COLUMNS, PAGE, 1));
	at(&v, &p, 40, 1);
	assert_true(face_view_move(&v, &p, COLUMNS, PAGE, 100));
	assert_true(v.follow);
	at(&v, &p, 41, 0);
	assert_false(face_view_move(&v, &p, COLUMNS, PAGE, 1));
	assert_true(face_view_move(&v, &p, COLUMNS, PAGE, -INT32_MAX));
	at(&v, &p, 0, 0);
	assert_false(face_view_move(&v, &p, COLUMNS, PAGE, -1));
}

static void what_is_looked_at_stays(void **state)
{
	struct place_line lines[LINES];
	struct place p = {.kind = PLACE_CHANNEL, .lines = lines, .count = 30};
	struct face_view v;

	(void)state;
	fill(lines);
	face_view_begin(&v, &p);
	assert_true(face_view_move(&v, &p, COLUMNS, PAGE, -10));
	at(&v, &p, 13, 0);
	/* One more at the end. */
	add(&v, &p);
	at(&v, &p, 13, 0);
	/* Ten older ones at the beginning. */
	p.count += 10;
	at(&v, &p, 23, 0);
	/* The oldest made room. */
	p.lines += 5;
	p.count -= 5;
	at(&v, &p, 18, 0);
	/* All of what was looked at is gone. */
	p.count = 4;
	at(&v, &p, 0, 0);
}

/* Places come and go; those that are looked at keep where they are scrolled to. */
static void views_of_closed_places_make_room(void **state)
{
	struct face *f = calloc(1, sizeof *f);
	struct place *p = calloc(2 * (size_t)CONSOLE_PLACES_MAX, sizeof *p);
	struct face_view *kept;

	(void)state;
	assert_true(f != NULL && p != NULL);
	kept = face_view_of(f, &p[0]);
	for (unsigned i = 1; i < 2 * CONSOLE_PLACES_MAX; i++) {
		p[i].number = i;
		face_view_of(f, &p[i])->from_end = i;
		assert_ptr_equal(face_view_of(f, &p[0]), kept);
		assert_int_equal(face_view_of(f, &p[i])->from_end, i);
	}
	free(f);
	free(p);
}

static void a_letter_is_read_from_its_beginning(void **state)
{
	struct place_line lines[LINES];
	struct place p = {.kind = PLACE_LETTER, .lines = lines, .count = 0};
	struct face_view v;

	(void)state;
	fill(lines);
	face_view_begin(&v, &p);
	for (int twice = 0; twice < 2; twice++) {
		p.count = 0;
		while (p.count < LINES - 1)
			add(&v, &p);
		at(&v, &p, 0, 0);
		assert_true(face_view_more(&v, &p, COLUMNS, PAGE));
		assert_false(face_view_more(&v, &p, COLUMNS, 100));
		assert_true(face_view_move(&v, &p, COLUMNS, PAGE, 1000));
		assert_false(face_view_more(&v, &p, COLUMNS, PAGE));
		at(&v, &p, 40, 1);
	}
	p.count = 0;
	at(&v, &p, 0, 0);
	assert_false(face_view_move(&v, &p, COLUMNS, PAGE, 1));
}

static void a_mailbox_follows_its_selection(void **state)
{
	struct place_line lines[LINES];
	struct place p = {.kind = PLACE_MAILBOX, .lines = lines, .count = LINES};
	struct face_view v;

	(void)state;
	fill(lines);
	for (uint32_t i = 0; i < LINES; i++)
		lines[i].id = i + 1;
	face_view_begin(&v, &p);
	at(&v, &p, LINES - PAGE, 0);
	face_select(&p, -20);
	at(&v, &p, 29 - PAGE / 2, 0);
	face_select(&p, -INT32_MAX);
	at(&v, &p, 0, 0);
	face_select(&p, INT32_MAX);
	assert_int_equal(p.selected, 0);
}

static void marks_are_understood_without_colour(void **state)
{
	static const struct {
		unsigned unread;
		bool called;
		const char *text;
	} known[] = {{0, false, ""}, {3, false, "3"}, {3, true, "3!"}, {1000, true, "999+!"}};

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(64);
		const struct place p = {.unread = known[i].unread, .called = known[i].called};

		face_unread(&p, &b);
		assert_string_equal(buf_str(&b), known[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_as_wide_as_it_is_shown),
		cmocka_unit_test(nothing_that_steers_is_shown),
		cmocka_unit_test(what_the_locale_lacks_is_a_question_mark),
		cmocka_unit_test(a_cell_is_cut_nowhere),
		cmocka_unit_test(text_wraps_at_blanks_and_is_never_stuck),
		cmocka_unit_test(layouts_fill_every_size),
		cmocka_unit_test(the_usual_size_has_everything),
		cmocka_unit_test(what_is_said_hangs_behind_who_said_it),
		cmocka_unit_test(a_mailbox_has_a_row_for_each),
		cmocka_unit_test(the_end_is_followed_until_one_scrolls),
		cmocka_unit_test(what_is_looked_at_stays),
		cmocka_unit_test(views_of_closed_places_make_room),
		cmocka_unit_test(a_letter_is_read_from_its_beginning),
		cmocka_unit_test(a_mailbox_follows_its_selection),
		cmocka_unit_test(marks_are_understood_without_colour),
	};

	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL || setenv("TZ", "UTC", 1) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
