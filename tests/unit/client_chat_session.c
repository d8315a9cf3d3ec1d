/* quintet chat's session against a server that the test plays, line by line. */
#include "tests/unit/lib/chat_scene.h"

#include <errno.h>

static void comes_in_and_hears(void **state)
{
	struct chat_scene *s = *state;
	const struct window *w;

	chat_joins(s);
	chat_is_ready(s);
	w = windows_find(&s->talk.model, SPAN_LIT("#DEV"));
	assert_non_null(w);
	assert_int_equal(w->members.count, 3);
	assert_string_equal(members_find(&w->members, SPAN_LIT("bob"))->prefix, "+");
	chat_says(s,
		"@time=2026-11-21T10:00:02.000Z;msgid=5-0001;account=bob :bob!b@h PRIVMSG #dev :hi");
	chat_says(s, "@msgid=6-0001 :bob!b@h PRIVMSG @#dev :to ops");
	chat_says(s, "@msgid=7-0001 :bob!b@h PRIVMSG ann :\001ACTION waves\001");
	chat_says(s, "@msgid=8-0001 :bob!b@h NICK robert");
	chat_says(s, "@msgid=9-0001 :robert!b@h QUIT :bye");
	chat_says(s, "PING :x y");
	(void)chat_hears(s, "PONG :x y");
	chat_shows(s,
		"#dev message bob: hi\n"
		"#dev message bob: to ops\n"
		"bob action bob: waves\n"
		"#dev nick bob: \n"
		"bob nick bob: \n"
		"#dev quit robert: bye\n"
		"robert quit robert: bye\n");
	assert_int_equal(w->members.count, 2);
	assert_int_equal(w->unread, 2);
	chat_says(s, ":srv MARKREAD #dev timestamp=2026-11-21T10:00:02.000Z");
	assert_int_equal(w->unread, 1);
}

static void own_messages_appear_by_their_echo(void **state)
{
	struct chat_scene *s = *state;
	const char *line, *label;
	char id[64];

	chat_joins(s);
	chat_is_ready(s);
	assert_int_equal(talk_say(&s->talk, "#dev", SPAN_LIT("hello"), 0, 1), 0);
	line = chat_hears(s, "PRIVMSG #dev :hello");
	chat_tag(line, "+quintet/id=", id);
	label = chat_label(line);
	chat_shows(s, "");
	chat_says(
		s, "@label=%s;msgid=7-0001;+quintet/id=%s :ann!a@h PRIVMSG #dev :hello", label, id);
	chat_shows(s, "#dev message ann: hello\nfate 1 sent \n");
	/* A refusal shows what was not sent, and why. */
	assert_int_equal(talk_say(&s->talk, "#other", SPAN_LIT("psst"), 0, 2), 0);
	label = chat_label(chat_hears(s, "PRIVMSG #other :psst"));
	chat_says(s, "@label=%s :srv 404 ann #other :Cannot send", label);
	chat_shows(s, "#other error not sent (Cannot send): psst\nfate 2 refused Cannot send\n");
	assert_int_equal(s->talk.outgoing_count, 0);
	assert_int_equal(talk_say(&s->talk, "no one", SPAN_LIT("x"), 0, 3), -EINVAL);
	assert_int_equal(talk_say(&s->talk, "#dev", SPAN_LIT("\n"), 0, 3), -ENODATA);
}

static void long_messages_go_in_pieces(void **state)
{
	struct chat_scene *s = *state;
	char text[1200], ref[64];
	const char *line;

	chat_joins(s);
	chat_is_ready(s);
	memset(text, 'x', sizeof text);
	text[600] = '\n';
	text[sizeof text - 1] = '\0';
	assert_int_equal(talk_say(&s->talk, "#dev", span_str(text), 0, 1), 0);
	line = chat_hears(s, "BATCH +");
	chat_tag(line, "BATCH +", ref);
	assert_non_null(strstr(line, "draft/multiline #dev"));
	assert_null(strstr(chat_hears(s, "PRIVMSG #dev :xxx"), "concat"));
	assert_non_null(strstr(chat_hears(s, "PRIVMSG #dev :xxx"), "draft/multiline-concat"));
	assert_null(strstr(chat_hears(s, "PRIVMSG #dev :xxx"), "concat"));
	assert_non_null(strstr(chat_hears(s, "PRIVMSG #dev :xxx"), "draft/multiline-concat"));
	assert_non_null(strstr(chat_hears(s, "BATCH -"), ref));
	/* Heard as one. */
	chat_says(s, "@msgid=8-0001 :bob!b@h BATCH +q draft/multiline #dev");
	chat_says(s, "@batch=q :bob!b@h PRIVMSG #dev :one");
	chat_says(s, "@batch=q :bob!b@h PRIVMSG #dev :two ");
	chat_says(s, "@batch=q;draft/multiline-concat :bob!b@h PRIVMSG #dev :still two");
	chat_says(s, ":bob!b@h BATCH -q");
	chat_shows(s, "#dev message bob: one\ntwo still two\n");
}

static void messages_are_taken_back(void **state)
{
	struct chat_scene *s = *state;

	chat_joins(s);
	chat_is_ready(s);
	chat_says(s, "@msgid=5-0001 :bob!b@h PRIVMSG #dev :oops");
	chat_says(s, ":bob!b@h REDACT #dev 5-0001 :sorry");
	chat_says(s, ":bob!b@h REDACT #dev 6-0001");
	chat_shows(s, "#dev message bob: oops\n#dev taken back 5-0001\n");
	assert_string_equal(windows_find(&s->talk.model, SPAN_LIT("#dev"))->items[0]->text, "");
}

static void requests_of_calls_are_passed_on(void **state)
{
	struct chat_scene *s = *state;
	char key[65] = "";

	for (size_t i = 0; i < 32; i++)
		snprintf(key + 2 * i, 3, "%02x", (unsigned)i);
	chat_joins(s);
	chat_is_ready(s);
	chat_says(s,
		"@account=bob;quintet/key=%s :bob!b@h PRIVMSG ann :\001DCC SCHAT chat x 0 1\001",
		key);
	chat_says(s, "@account=bob;quintet/key=zz :bob!b@h PRIVMSG ann :\001DCC SCHAT two\001");
	/* Neither by a channel, nor one's own echo, nor out of history. */
	chat_says(s, "@account=bob :bob!b@h PRIVMSG #dev :\001DCC SCHAT three\001");
	chat_says(s, ":ann!a@h PRIVMSG ann :\001DCC SCHAT four\001");
	chat_shows(s, "");
	assert_string_equal(
		buf_str(&s->dcc), "bob/bob SCHAT chat x 0 1 key 1f\nbob/bob SCHAT two 00\n");
}

static void errors_end_or_retry(void **state)
{
	struct chat_scene *s = *state;

	chat_is_ready(s);
	chat_says(s, "ERROR :you lag\x1b[2J too much");
	chat_shows(s, "lost: the server says: you lag^[[2J too much\n");
	assert_int_equal(s->talk.state, TALK_OFF);
	chat_connects(s);
	(void)chat_hears(s, "CAP LS");
	chat_says(s, ":srv CAP * LS :sasl");
	(void)chat_hears(s, "CAP REQ :sasl");
	chat_says(s, ":srv CAP * NAK :sasl");
	(void)chat_hears(s, "CAP END");
	chat_says(s, ":srv 433 * ann :taken");
	(void)chat_hears(s, "NICK ann1");
	chat_says(s, ":srv FAIL * ACCOUNT_REQUIRED :log in first");
	assert_int_equal(s->talk.state, TALK_OVER);
	assert_int_equal(s->talk.code, CLIENT_NO);
	assert_string_equal(s->talk.reason, "the server: log in first");
}

static void groups_of_batches_are_bounded(void **state)
{
	struct chat_scene *s = *state;

	chat_joins(s);
	chat_is_ready(s);
	for (int i = 0; i < 100; i++)
		chat_says(s, ":srv BATCH +b%d draft/multiline #dev", i);
	chat_says(s, "@batch=b99 :bob!b@h PRIVMSG #dev :still heard");
	chat_says(s, "@batch=b3 :bob!b@h PRIVMSG #dev :held");
	for (int i = 0; i < 100; i++)
		chat_says(s, ":srv BATCH -b%d", i);
	chat_shows(s, "#dev message bob: still heard\n#dev message srv: held\n");
	/* A batch inside itself, and what is no IRC at all. */
	chat_says(s, "@batch=c :srv BATCH +c chathistory #dev");
	chat_says(s, "@batch=c :srv BATCH +d chathistory #dev");
	chat_says(s, "@batch=d;msgid=3-0001 :bob!b@h PRIVMSG #dev :not asked for");
	chat_says(s, "\x01\x02 @@@ :::");
	chat_says(s, "@;;;=;= : ");
	chat_shows(s, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			comes_in_and_hears, chat_scene_setup, chat_scene_teardown),
		cmocka_unit_test_setup_teardown(
			own_messages_appear_by_their_echo, chat_scene_setup, chat_scene_teardown),
		cmocka_unit_test_setup_teardown(
			long_messages_go_in_pieces, chat_scene_setup, chat_scene_teardown),
		cmocka_unit_test_setup_teardown(
			messages_are_taken_back, chat_scene_setup, chat_scene_teardown),
		cmocka_unit_test_setup_teardown(
			requests_of_calls_are_passed_on, chat_scene_setup, chat_scene_teardown),
		cmocka_unit_test_setup_teardown(
			errors_end_or_retry, chat_scene_setup, chat_scene_teardown),
		cmocka_unit_test_setup_teardown(
			groups_of_batches_are_bounded, chat_scene_setup, chat_scene_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
