/* Places and their lines: order, bounds, what counts as unread, lists that are kept. */
#include "client/console/console.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct seen {
	size_t lines, older;
	char last[64];
};

static void line_added(struct console *c, const struct place *p, const struct place_line *l)
{
	struct seen *s = c->face_state;

	(void)p;
	s->lines++;
	snprintf(s->last, sizeof s->last, "%s|%s", l->who, l->text);
}

static void older_added(struct console *c, const struct place *p, size_t count)
{
	struct seen *s = c->face_state;

	(void)p;
	s->older += count;
}

static const struct console_face face = {.line_added = line_added, .older_added = older_added};

static struct console *begin(struct seen *s)
{
	struct console *c = calloc(1, sizeof *c);

	assert_non_null(c);
	*s = (struct seen){.lines = 0};
	c->face = &face;
	c->face_state = s;
	c->current = place_open(c, PLACE_HOUSE, "house");
	assert_non_null(c->current);
	return c;
}

static void end(struct console *c)
{
	while (c->place_count > 1)
		place_close(c, c->places[1]);
	place_clear(c->places[0]);
	free(c->places[0]);
	free(c);
}

static void add(struct console *c, struct place *p, enum line_look look, const char *text)
{
	place_add(c, p, &(struct place_line){.at_us = 7, .look = look, .who = "ann", .text = text});
}

static void test_order(void **state)
{
	static const char *const names[] = {"house", "#a", "#B", "#c", "ann", "INBOX", "Archive"};
	struct seen s;
	struct console *c = begin(&s);

	(void)state;
	place_open(c, PLACE_MAILBOX, "Archive");
	place_open(c, PLACE_CHANNEL, "#c");
	place_open(c, PLACE_MAILBOX, "INBOX");
	place_open(c, PLACE_PERSON, "ann");
	place_open(c, PLACE_CHANNEL, "#a");
	struct place *b = place_open(c, PLACE_CHANNEL, "#B");
	assert_ptr_equal(place_open(c, PLACE_CHANNEL, "#b"), b);
	assert_int_equal(c->place_count, sizeof names / sizeof names[0]);
	for (size_t i = 0; i < c->place_count; i++)
		assert_string_equal(c->places[i]->name, names[i]);
	assert_int_equal(c->places[1]->number, 5);
	assert_ptr_equal(place_number(c, 5), c->places[1]);
	assert_ptr_equal(place_find(c, "inbox"), c->places[5]);
	assert_null(place_find(c, "nobody"));
	place_rename(c, b, "#zz");
	assert_ptr_equal(c->places[3], b);
	place_show(c, b);
	place_close(c, b);
	assert_ptr_equal(c->current, c->places[0]);
	/* Not the house. */
	place_close(c, c->places[0]);
	assert_int_equal(c->place_count, 6);
	/* A number is not given twice. */
	assert_int_equal(place_open(c, PLACE_CHANNEL, "#b")->number, 7);
	end(c);
}

static void test_unread(void **state)
{
	struct seen s;
	struct console *c = begin(&s);
	struct place *p = place_open(c, PLACE_CHANNEL, "#a");

	(void)state;
	add(c, p, LINE_QUIET, "quiet");
	add(c, p, LINE_OWN, "own");
	assert_int_equal(p->unread, 0);
	add(c, p, LINE_PLAIN, "one");
	assert_false(p->called);
	add(c, p, LINE_LOUD, "two");
	assert_true(p->called);
	assert_int_equal(p->unread, 2);
	assert_int_equal(s.lines, 4);
	assert_string_equal(s.last, "ann|two");
	place_show(c, p);
	assert_int_equal(p->unread, 0);
	assert_false(p->called);
	add(c, p, LINE_LOUD, "three");
	assert_int_equal(p->unread, 0);
	assert_true(place_reword(c, p, 7, "ann", "taken"));
	assert_string_equal(p->lines[4].text, "taken");
	assert_string_equal(p->lines[3].text, "two");
	assert_false(place_reword(c, p, 8, "ann", "no"));
	assert_false(place_reword(c, p, 7, "bob", "no"));
	end(c);
}

static void test_bounds(void **state)
{
	struct seen s;
	struct console *c = begin(&s);
	struct place *p = place_open(c, PLACE_CHANNEL, "#a");
	struct place_line older[10];
	char text[32];

	(void)state;
	for (unsigned i = 0; i < CONSOLE_LINES_MAX + 5; i++) {
		snprintf(text, sizeof text, "%u", i);
		add(c, p, LINE_PLAIN, text);
	}
	assert_int_equal(p->count, CONSOLE_LINES_MAX);
	assert_string_equal(p->lines[0].text, "5");
	for (size_t i = 0; i < 10; i++)
		older[i] = (struct place_line){.who = "", .text = i == 9 ? "nearest" : "far"};
	place_add_older(c, p, older, 10);
	assert_int_equal(s.older, 0);
	place_clear(p);
	add(c, p, LINE_PLAIN, "only");
	place_add_older(c, p, older, 10);
	assert_int_equal(s.older, 10);
	assert_int_equal(p->count, 11);
	assert_string_equal(p->lines[9].text, "nearest");
	assert_string_equal(p->lines[10].text, "only");
	for (unsigned i = 1; i < CONSOLE_PLACES_MAX - 1; i++) {
		snprintf(text, sizeof text, "#%u", i);
		assert_non_null(place_open(c, PLACE_CHANNEL, text));
	}
	assert_null(place_open(c, PLACE_CHANNEL, "#more"));
	end(c);
}

static void put(struct console *c, struct place *p, uint32_t id, const char *text)
{
	place_put(c, p, &(struct place_line){.who = "", .text = text, .id = id});
}

static void test_list(void **state)
{
	struct seen s;
	struct console *c = begin(&s);
	struct place *p = place_open(c, PLACE_MAILBOX, "INBOX");

	(void)state;
	put(c, p, 5, "five");
	put(c, p, 2, "two");
	put(c, p, 9, "nine");
	put(c, p, 5, "five again");
	assert_int_equal(p->count, 3);
	assert_int_equal(p->lines[0].id, 2);
	assert_string_equal(p->lines[1].text, "five again");
	assert_int_equal(p->unread, 0);
	assert_int_equal(s.lines, 0);
	p->unread = 3;
	place_show(c, p);
	assert_int_equal(p->unread, 3);
	p->selected = 5;
	place_take(c, p, 5);
	assert_int_equal(p->selected, 9);
	place_take(c, p, 9);
	assert_int_equal(p->selected, 0);
	place_take(c, p, 77);
	assert_int_equal(p->count, 1);
	for (uint32_t i = 100; i < 100 + CONSOLE_LINES_MAX; i++)
		put(c, p, i, "more");
	assert_int_equal(p->count, CONSOLE_LINES_MAX);
	assert_int_equal(p->lines[0].id, 100);
	/* Older than all that are kept. */
	put(c, p, 50, "old");
	assert_int_equal(p->lines[0].id, 100);
	end(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_unread),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
