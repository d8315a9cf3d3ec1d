/* quintet chat when the line was lost, and what is older. */
#include "tests/unit/lib/chat_scene.h"

#include <errno.h>

static void gaps_are_filled_without_repeats(void **state)
{
	struct chat_scene *s = *state;
	const char *line;

	chat_joins(s);
	chat_is_ready(s);
	chat_says(s, "@time=2026-11-21T10:00:05.000Z;msgid=5-0001 :bob!b@h PRIVMSG #dev :five");
	chat_shows(s, "#dev message bob: five\n");
	chat_loses(s);
	chat_shows(s, "lost: the connection was cut\n");
	chat_connects(s);
	chat_registers(s);
	chat_joins(s);
	chat_is_ready(s);
	line = chat_hears(s, "CHATHISTORY AFTER #dev msgid=5-0001 100");
	/* Comes live while history is on its way: not before what was missed, and once. */
	chat_says(s, "@time=2026-11-21T10:00:09.000Z;msgid=9-0001 :bob!b@h PRIVMSG #dev :nine");
	chat_shows(s, "");
	chat_page(s, chat_label(line), "#dev",
		(const char *const[]){"6 bob six", "7 bob seven", NULL});
	chat_shows(s, "#dev message bob: six\n#dev message bob: seven\n");
	line = chat_hears(s, "CHATHISTORY AFTER #dev msgid=7-0001 100");
	chat_says(s, "@time=2026-11-21T10:00:10.000Z;msgid=10-0001 :bob!b@h PRIVMSG #dev :ten");
	chat_page(s, chat_label(line), "#dev",
		(const char *const[]){"8 bob eight", "9 bob nine", NULL});
	chat_shows(s, "#dev message bob: eight\n#dev message bob: nine\n");
	line = chat_hears(s, "CHATHISTORY AFTER #dev msgid=9-0001 100");
	chat_page(s, chat_label(line), "#dev", (const char *const[]){NULL});
	chat_shows(s, "#dev message bob: ten\n#dev filled \n");
	chat_says(s, "@time=2026-11-21T10:00:11.000Z;msgid=11-0001 :bob!b@h PRIVMSG #dev :eleven");
	chat_shows(s, "#dev message bob: eleven\n");
	chat_hears_not(s, "CHATHISTORY");
}

static void what_got_there_is_not_sent_again(void **state)
{
	struct chat_scene *s = *state;
	const char *line, *label;
	char first[64], second[64];

	chat_joins(s);
	chat_is_ready(s);
	assert_int_equal(talk_say(&s->talk, "#dev", SPAN_LIT("first"), 0, 1), 0);
	assert_int_equal(talk_say(&s->talk, "#dev", SPAN_LIT("second"), 0, 2), 0);
	chat_tag(chat_hears(s, "PRIVMSG #dev :first"), "+quintet/id=", first);
	chat_tag(chat_hears(s, "PRIVMSG #dev :second"), "+quintet/id=", second);
	chat_loses(s);
	assert_int_equal(talk_say(&s->talk, "#dev", SPAN_LIT("third"), 0, 3), 0);
	chat_shows(s, "lost: the connection was cut\n");
	chat_connects(s);
	chat_registers(s);
	chat_joins(s);
	chat_is_ready(s);
	line = chat_hears(s, "CHATHISTORY AFTER #dev timestamp=2026-11-21T10:00:01.000Z");
	chat_hears_not(s, "PRIVMSG");
	label = chat_label(line);
	chat_says(s, "@label=%s :srv BATCH +h chathistory #dev", label);
	/* Somebody who copies an id proves nothing. */
	chat_says(s, "@batch=h;msgid=5-0001;+quintet/id=%s :bob!b@h PRIVMSG #dev :copied", second);
	chat_says(s, "@batch=h;msgid=6-0001;+quintet/id=%s :ann!b@h PRIVMSG #dev :first", first);
	chat_says(s, ":srv BATCH -h");
	label = chat_label(chat_hears(s, "CHATHISTORY AFTER #dev msgid=6-0001"));
	chat_page(s, label, "#dev", (const char *const[]){NULL});
	chat_shows(s,
		"fate 1 sent \n#dev message bob: copied\n#dev message ann: first\n#dev filled \n");
	line = chat_hears(s, "PRIVMSG #dev :second");
	assert_non_null(strstr(line, second));
	(void)chat_hears(s, "PRIVMSG #dev :third");
	chat_hears_not(s, "first");
}

static void what_history_does_not_tell_is_said(void **state)
{
	struct chat_scene *s = *state;
	const char *label;

	chat_joins(s);
	chat_is_ready(s);
	assert_int_equal(talk_say(&s->talk, "#dev", SPAN_LIT("lost?"), 0, 1), 0);
	(void)chat_hears(s, "lost?");
	chat_loses(s);
	buf_reset(&s->seen);
	chat_connects(s);
	chat_registers(s);
	chat_joins(s);
	chat_is_ready(s);
	label = chat_label(chat_hears(s, "CHATHISTORY AFTER #dev"));
	chat_says(
		s, "@label=%s :srv FAIL CHATHISTORY INVALID_TARGET AFTER #dev :not for you", label);
	chat_shows(s,
		"#dev filled not for you\n"
		"#dev error perhaps not sent (the line was lost, and history does not tell): "
		"lost?\n"
		"fate 1 unknown the line was lost, and history does not tell\n");
	chat_hears_not(s, "lost?");
}

static void older_comes_on_demand(void **state)
{
	struct chat_scene *s = *state;
	struct window *w;
	const char *label;

	chat_joins(s);
	chat_is_ready(s);
	chat_says(s, "@time=2026-11-21T10:00:30.000Z;msgid=30-0001 :bob!b@h PRIVMSG #dev :new");
	chat_shows(s, "#dev message bob: new\n");
	w = windows_find(&s->talk.model, SPAN_LIT("#dev"));
	assert_int_equal(fill_older(&s->talk, w, 2), 0);
	label = chat_label(chat_hears(s, "CHATHISTORY BEFORE #dev msgid=30-0001 2"));
	chat_page(s, label, "#dev", (const char *const[]){"10 bob a", "11 ann b", NULL});
	chat_shows(s, "#dev old bob: a\n#dev old ann: b\n");
	assert_int_equal(w->count, 3);
	assert_int_equal(w->items[0]->seq, 10);
	assert_int_equal(fill_older(&s->talk, w, 2), 0);
	label = chat_label(chat_hears(s, "CHATHISTORY BEFORE #dev msgid=10-0001 2"));
	chat_page(s, label, "#dev", (const char *const[]){NULL});
	assert_int_equal(fill_older(&s->talk, w, 2), -ENODATA);
}

static void strangers_wait_to_be_read(void **state)
{
	struct chat_scene *s = *state;
	const char *label;

	chat_is_ready(s);
	label = chat_label(chat_hears(s, "CHATHISTORY TARGETS timestamp=2026-10-22T10:00:00.000Z"));
	chat_says(s, "@label=%s :srv BATCH +t draft/chathistory-targets", label);
	chat_says(s, "@batch=t :srv CHATHISTORY TARGETS carl 2026-11-21T09:00:00.000Z");
	chat_says(s, "@batch=t :srv CHATHISTORY TARGETS old 2026-11-21T08:00:00.000Z");
	chat_says(s, ":srv BATCH -t");
	(void)chat_hears(s, "MARKREAD carl");
	(void)chat_hears(s, "MARKREAD old");
	chat_says(s, ":srv MARKREAD carl *");
	chat_says(s, ":srv MARKREAD old timestamp=2026-11-21T08:00:00.000Z");
	label = chat_label(chat_hears(s, "CHATHISTORY LATEST carl * 20"));
	chat_page(s, label, "carl", (const char *const[]){"1 carl psst", NULL});
	chat_shows(s, "carl old carl: psst\n");
	assert_int_equal(windows_find(&s->talk.model, SPAN_LIT("carl"))->unread, 1);
	assert_null(windows_find(&s->talk.model, SPAN_LIT("old")));
	chat_loses(s);
	chat_shows(s, "lost: the connection was cut\n");
	chat_connects(s);
	chat_registers(s);
	/* The second of two messages, before the first is known of. */
	chat_says(s, "@time=2026-11-21T10:00:20.000Z;msgid=20-0001 :dave!d@h PRIVMSG ann :second");
	chat_is_ready(s);
	label = chat_label(chat_hears(s, "CHATHISTORY AFTER carl msgid=1-0001"));
	chat_page(s, label, "carl", (const char *const[]){NULL});
	chat_shows(s, "carl filled \n");
	label = chat_label(
		chat_hears(s, "CHATHISTORY AFTER dave timestamp=2026-11-21T10:00:00.000Z"));
	chat_page(s, label, "dave", (const char *const[]){"10 dave first", "20 dave second", NULL});
	label = chat_label(chat_hears(s, "CHATHISTORY AFTER dave msgid=20-0001"));
	chat_page(s, label, "dave", (const char *const[]){NULL});
	chat_shows(s, "dave message dave: first\ndave message dave: second\ndave filled \n");
	(void)chat_hears(s, "CHATHISTORY TARGETS timestamp=2026-11-21T10:00:00.000Z");
}

/* The page that a new window begins with holds what has opened it: shown as what came now. */
static void a_strangers_first_words_are_shown(void **state)
{
	struct chat_scene *s = *state;
	const char *label;

	chat_is_ready(s);
	label = chat_label(chat_hears(s, "CHATHISTORY TARGETS"));
	chat_says(s, "@label=%s :srv BATCH +t draft/chathistory-targets", label);
	chat_says(s, ":srv BATCH -t");
	buf_reset(&s->seen);
	chat_says(s, "@time=2026-11-21T10:00:20.000Z;msgid=20-0001 :dave!d@h PRIVMSG ann :psst");
	label = chat_label(chat_hears(s, "CHATHISTORY LATEST dave *"));
	chat_shows(s, "");
	chat_page(s, label, "dave", (const char *const[]){"10 dave before", "20 dave psst", NULL});
	chat_shows(s, "dave old dave: before\ndave message dave: psst\n");
}

static void a_gap_is_found_by_time_too(void **state)
{
	struct chat_scene *s = *state;
	const char *label;

	chat_joins(s);
	chat_is_ready(s);
	chat_says(s, "@time=2026-11-21T10:00:05.000Z;msgid=5-0001 :bob!b@h PRIVMSG #dev :five");
	chat_loses(s);
	buf_reset(&s->seen);
	chat_connects(s);
	chat_registers(s);
	chat_joins(s);
	chat_is_ready(s);
	label = chat_label(chat_hears(s, "CHATHISTORY AFTER #dev msgid=5-0001"));
	chat_says(s, "@label=%s :srv FAIL CHATHISTORY MESSAGE_ERROR AFTER #dev :gone", label);
	label = chat_label(
		chat_hears(s, "CHATHISTORY AFTER #dev timestamp=2026-11-21T10:00:05.000Z"));
	chat_page(s, label, "#dev", (const char *const[]){"6 bob six", NULL});
	label = chat_label(chat_hears(s, "CHATHISTORY AFTER #dev msgid=6-0001"));
	chat_page(s, label, "#dev", (const char *const[]){NULL});
	chat_shows(s, "#dev message bob: six\n#dev filled \n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			gaps_are_filled_without_repeats, chat_scene_setup, chat_scene_teardown),
		cmocka_unit_test_setup_teardown(
			what_got_there_is_not_sent_again, chat_scene_setup, chat_scene_teardown),
		cmocka_unit_test_setup_teardown(
			what_history_does_not_tell_is_said, chat_scene_setup, chat_scene_teardown),
		cmocka_unit_test_setup_teardown(
			older_comes_on_demand, chat_scene_setup, chat_scene_teardown),
		cmocka_unit_test_setup_teardown(
			strangers_wait_to_be_read, chat_scene_setup_person, chat_scene_teardown),
		cmocka_unit_test_setup_teardown(a_strangers_first_words_are_shown,
			chat_scene_setup_person, chat_scene_teardown),
		cmocka_unit_test_setup_teardown(
			a_gap_is_found_by_time_too, chat_scene_setup, chat_scene_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
