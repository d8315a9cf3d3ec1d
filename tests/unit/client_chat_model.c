/* quintet chat's windows, members and items; text made safe; how things are shown. */
#include "client/chat/model.h"
#include "client/chat/safe.h"
#include "client/chat/show.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

static struct item *said(const char *msgid, int64_t at_us, const char *text)
{
	return item_new(&(struct item_fields){.kind = ITEM_MESSAGE,
		.at_us = at_us,
		.msgid = span_str(msgid),
		.from = SPAN_LIT("bob"),
		.text = span_str(text)});
}

/* Their texts in order. */
static const char *texts(const struct window *w)
{
	static char all[4096];
	size_t len = 0;

	all[0] = '\0';
	for (size_t i = 0; i < w->count; i++)
		len += (size_t)snprintf(
			all + len, sizeof all - len, "%s%s", i > 0 ? " " : "", w->items[i]->text);
	return all;
}

static void items_stand_in_the_order_of_the_log(void **state)
{
	struct model m;
	struct window *w;
	struct item *kept;

	(void)state;
	assert_int_equal(windows_begin(&m), 0);
	w = windows_open(&m, WINDOW_CHANNEL, SPAN_LIT("#a"), NULL);
	assert_int_equal(windows_add(w, said("10-0001", 100, "ten"), NULL), 1);
	assert_int_equal(windows_add(w, said("30-0001", 300, "thirty"), NULL), 1);
	assert_int_equal(windows_add(w, said("20-0001", 200, "twenty"), NULL), 1);
	assert_int_equal(windows_add(w, said("", 301, "note"), NULL), 1);
	assert_int_equal(windows_add(w, said("5-0001", 50, "five"), NULL), 1);
	assert_string_equal(texts(w), "five ten twenty thirty note");
	/* Once is enough. */
	assert_int_equal(windows_add(w, said("20-0001", 200, "again"), &kept), 0);
	assert_string_equal(kept->text, "twenty");
	/* Ids of another make keep the order in which they came. */
	assert_int_equal(windows_add(w, said("abc", 302, "x"), NULL), 1);
	assert_int_equal(windows_add(w, said("abc", 302, "x"), NULL), 0);
	assert_string_equal(texts(w), "five ten twenty thirty note x");
	windows_done(&m);
}

static void memory_is_bounded(void **state)
{
	static char big[MODEL_TEXT_MAX + 100];
	struct model m;
	struct window *w;
	char id[32];

	(void)state;
	memset(big, 'x', sizeof big - 1);
	assert_int_equal(windows_begin(&m), 0);
	w = windows_open(&m, WINDOW_CHANNEL, SPAN_LIT("#a"), NULL);
	for (int i = 1; i <= MODEL_ITEMS_MAX + 50; i++) {
		snprintf(id, sizeof id, "%d-0001", i);
		assert_int_equal(windows_add(w, said(id, i, "small"), NULL), 1);
	}
	assert_int_equal(w->count, MODEL_ITEMS_MAX);
	assert_int_equal(w->items[0]->seq, 51);
	/* Nothing older comes in when there is no room. */
	assert_int_equal(windows_add(w, said("1-0001", 1, "small"), NULL), -ENOBUFS);
	for (int i = 0; i < 200; i++) {
		snprintf(id, sizeof id, "%d-0001", 100000 + i);
		assert_int_equal(windows_add(w, said(id, 100000 + i, big), NULL), 1);
		assert_true(w->bytes <= MODEL_BYTES_MAX);
	}
	assert_int_equal(strlen(w->items[w->count - 1]->text), MODEL_TEXT_MAX);
	windows_done(&m);
}

static void closing_count(void *arg, struct window *w)
{
	size_t *closed = arg;

	assert_int_equal(w->kind, WINDOW_PERSON);
	(*closed)++;
}

static void strangers_cannot_crowd_out(void **state)
{
	struct model m;
	struct window *channel, *unread;
	size_t closed = 0;
	char name[32];

	(void)state;
	assert_int_equal(windows_begin(&m), 0);
	m.closing = closing_count;
	m.closing_arg = &closed;
	channel = windows_open(&m, WINDOW_CHANNEL, SPAN_LIT("#a"), NULL);
	unread = windows_open(&m, WINDOW_PERSON, SPAN_LIT("friend"), NULL);
	assert_int_equal(windows_add(unread, said("1-0001", 1, "psst"), NULL), 1);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "stranger%d", i);
		assert_non_null(windows_open(&m, WINDOW_PERSON, span_str(name), NULL));
		assert_true(m.count <= MODEL_WINDOWS_MAX);
	}
	/* Each was told before: the server's, the channel's and the friend's stay. */
	assert_int_equal(closed, 1000 + 3 - MODEL_WINDOWS_MAX);
	assert_ptr_equal(windows_find(&m, SPAN_LIT("#A")), channel);
	assert_ptr_equal(windows_find(&m, SPAN_LIT("friend")), unread);
	/* Names that could not be typed are none. */
	assert_null(windows_open(&m, WINDOW_PERSON, SPAN_LIT("a b"), NULL));
	assert_null(windows_open(&m, WINDOW_PERSON, SPAN_LIT("a\x1b[2J"), NULL));
	assert_null(windows_open(&m, WINDOW_PERSON, SPAN_LIT(""), NULL));
	windows_done(&m);
}

static void unread_counts_what_others_said_since(void **state)
{
	struct model m;
	struct window *w;
	struct item *own, *called;

	(void)state;
	assert_int_equal(windows_begin(&m), 0);
	w = windows_open(&m, WINDOW_CHANNEL, SPAN_LIT("#a"), NULL);
	own = said("3-0001", 300, "mine");
	own->own = true;
	called = said("4-0001", 400, "ann!");
	called->to_me = true;
	(void)windows_add(w, said("1-0001", 100, "a"), NULL);
	(void)windows_add(w, said("2-0001", 200, "b"), NULL);
	(void)windows_add(w, own, NULL);
	(void)windows_add(w, called, NULL);
	assert_int_equal(w->unread, 3);
	assert_true(w->called);
	windows_read(w, 200);
	assert_int_equal(w->unread, 1);
	/* Never back. */
	windows_read(w, 100);
	assert_int_equal(w->unread, 1);
	windows_redact(w, called);
	assert_int_equal(w->unread, 0);
	assert_false(w->called);
	assert_string_equal(called->text, "");
	assert_int_equal(windows_newest_us(w), 400);
	windows_done(&m);
}

static void members_are_sorted_and_found(void **state)
{
	static const char *const nicks[] = {"zoe", "Bob", "ann", "Carl"};
	struct model m;
	struct window *w;

	(void)state;
	assert_int_equal(windows_begin(&m), 0);
	w = windows_open(&m, WINDOW_CHANNEL, SPAN_LIT("#a"), NULL);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(windows_member_set(&m, w, span_str(nicks[i]), ""), 1);
	assert_int_equal(windows_member_set(&m, w, SPAN_LIT("BOB"), "@"), 0);
	assert_string_equal(w->members.v[0].nick, "ann");
	assert_string_equal(w->members.v[1].nick, "Bob");
	assert_string_equal(w->members.v[1].prefix, "@");
	assert_string_equal(w->members.v[3].nick, "zoe");
	member_prefix(&w->members.v[1], '+', true, "@%+");
	assert_string_equal(w->members.v[1].prefix, "@+");
	member_prefix(&w->members.v[1], '@', false, "@%+");
	assert_string_equal(w->members.v[1].prefix, "+");
	windows_nick(&m, SPAN_LIT("ann"), SPAN_LIT("yan"));
	assert_null(members_find(&w->members, SPAN_LIT("ann")));
	assert_string_equal(w->members.v[2].nick, "yan");
	/* Onto one who is there: the server would not; nobody is lost but one. */
	windows_nick(&m, SPAN_LIT("yan"), SPAN_LIT("zoe"));
	assert_int_equal(w->members.count, 3);
	assert_int_equal(m.member_count, 3);
	assert_true(windows_member_remove(&m, w, SPAN_LIT("zoe")));
	assert_false(windows_member_remove(&m, w, SPAN_LIT("zoe")));
	windows_members_clear(&m, w);
	assert_int_equal(m.member_count, 0);
	windows_done(&m);
}

static void a_nick_takes_its_window_along(void **state)
{
	struct model m;
	struct window *w;

	(void)state;
	assert_int_equal(windows_begin(&m), 0);
	w = windows_open(&m, WINDOW_PERSON, SPAN_LIT("bob"), NULL);
	windows_nick(&m, SPAN_LIT("bob"), SPAN_LIT("robert"));
	assert_ptr_equal(windows_find(&m, SPAN_LIT("robert")), w);
	/* Unless somebody else is talked to under that name. */
	(void)windows_open(&m, WINDOW_PERSON, SPAN_LIT("carl"), NULL);
	windows_nick(&m, SPAN_LIT("carl"), SPAN_LIT("robert"));
	assert_ptr_equal(windows_find(&m, SPAN_LIT("robert")), w);
	assert_non_null(windows_find(&m, SPAN_LIT("carl")));
	/* The window closed gives its number to the next. */
	assert_int_equal(w->number, 1);
	windows_close(&m, w);
	w = windows_open(&m, WINDOW_CHANNEL, SPAN_LIT("#b"), NULL);
	assert_int_equal(w->number, 1);
	assert_ptr_equal(windows_number(&m, 1), w);
	windows_done(&m);
}

static void names_are_words(void **state)
{
	static const struct {
		const char *text;
		bool named;
	} rows[] = {{"ann: hello", true}, {"hello ANN", true}, {"(ann)", true}, {"annex", false},
		{"joann", false}, {"ann_", false}, {"ann-marie", false}, {"", false},
		{"say ann", true}, {"ann\xc3\xa9", false}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(
			windows_names(span_str(rows[i].text), SPAN_LIT("ann")), rows[i].named);
	assert_false(windows_names(SPAN_LIT("anything"), SPAN_LIT("")));
}

static void nothing_reaches_the_terminal(void **state)
{
	static const struct {
		const char *text, *safe;
	} rows[] = {
		{"plain \xc3\xa4\xe2\x82\xac", "plain \xc3\xa4\xe2\x82\xac"},
		{"\x02"
		 "bold\x0f \x1dx\x1f",
			"bold x"},
		{"\x03"
		 "04red\x03 \x03"
		 "4,12both\x03"
		 "4,no",
			"red both,no"},
		{"\x04"
		 "ff0000hex \x04"
		 "ff00",
			"hex ff00"},
		{"\x1b[2J", "^[[2J"},
		{"a\rb\nc\x7f\x07", "a^Mb^Jc^?^G"},
		{"\xc2\x9b"
		 "31m",
			"<U+009B>31m"},
		{"\xff\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xe2\x80\xae"
		 "evil",
			"<U+202E>evil"},
		{"\xe2\x81\xa6x\xe2\x81\xa9", "<U+2066>x<U+2069>"},
		{"\xe2\x80\xa8", "<U+2028>"},
		{"\xf3\xa0\x81\x81", "<U+E0041>"},
		{"\xed\xa0\x80", "\xef\xbf\xbd"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(1024);

		safe_word(&b, rows[i].text);
		assert_string_equal(buf_str(&b), rows[i].safe);
	}
}

static void items_are_shown(void **state)
{
	static const struct {
		enum item_kind kind;
		const char *subject, *text, *line;
	} rows[] = {
		{ITEM_MESSAGE, "", "hi\nthere", "10:00 [#a] <b^[b> hi\n      | there\n"},
		{ITEM_NOTICE, "", "hi", "10:00 [#a] -b^[b- hi\n"},
		{ITEM_ACTION, "", "waves", "10:00 [#a] * b^[b waves\n"},
		{ITEM_KICK, "carl", "why\x1b", "10:00 [#a] -- b^[b has removed carl (why^[)\n"},
		{ITEM_PART, "", "", "10:00 [#a] -- b^[b has left\n"},
		{ITEM_ERROR, "", "no", "10:00 [#a] !! no\n"},
	};
	const struct show_style style = {.window = "#a"};

	(void)state;
	setenv("TZ", "UTC", 1);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(1024);
		_cleanup_(cleanup_free) struct item *item =
			item_new(&(struct item_fields){.kind = rows[i].kind,
				.at_us = INT64_C(1795255200) * 1000000,
				.from = SPAN_LIT("b\x1b"
						 "b"),
				.subject = span_str(rows[i].subject),
				.text = span_str(rows[i].text)});

		show_item(&b, item, &style);
		assert_string_equal(buf_str(&b), rows[i].line);
	}
}

/* Times are those of the reader's place; colours are for terminals alone. */
static void shown_where_one_is(void **state)
{
	const struct show_style plain = {.window = NULL}, colour = {.colour = true};
	_cleanup_(buf_done) struct buf b = BUF_INIT(1024);
	_cleanup_(cleanup_free) struct item *item =
		item_new(&(struct item_fields){.kind = ITEM_MESSAGE,
			.at_us = INT64_C(1795255200) * 1000000,
			.from = SPAN_LIT("bob"),
			.text = SPAN_LIT("hi")});

	(void)state;
	setenv("TZ", "XYZ-5:30", 1);
	tzset();
	show_item(&b, item, &plain);
	assert_string_equal(buf_str(&b), "15:30 <bob> hi\n");
	buf_reset(&b);
	show_item(&b, item, &colour);
	assert_non_null(strstr(buf_str(&b), "\x1b[3"));
	setenv("TZ", "UTC", 1);
	tzset();
}

static void json_holds_what_was_said(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1024);
	_cleanup_(cleanup_free) struct item *i =
		said("7-00ab", INT64_C(1795255200123000), "a\x1b\"");

	(void)state;
	show_json(&b, "#a", i);
	assert_string_equal(buf_str(&b),
		"{\"time\":\"2026-11-21T10:00:00.123Z\",\"kind\":\"message\",\"target\":\"#a\","
		"\"from\":\"bob\",\"text\":\"a\\u001b\\\"\",\"msgid\":\"7-00ab\",\"own\":false}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_stand_in_the_order_of_the_log),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(strangers_cannot_crowd_out),
		cmocka_unit_test(unread_counts_what_others_said_since),
		cmocka_unit_test(members_are_sorted_and_found),
		cmocka_unit_test(a_nick_takes_its_window_along),
		cmocka_unit_test(names_are_words),
		cmocka_unit_test(nothing_reaches_the_terminal),
		cmocka_unit_test(items_are_shown),
		cmocka_unit_test(shown_where_one_is),
		cmocka_unit_test(json_holds_what_was_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
