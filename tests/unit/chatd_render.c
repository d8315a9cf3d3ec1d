/* Events as lines, by what the client knows. */
#include "tests/unit/lib/chatd_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define CAP(name) (UINT64_C(1) << (name))
#define BOB "bob!b@user.bob"
#define AT_US (INT64_C(1795258118000000))

static struct chat_event event_of(enum chat_kind kind)
{
	return (struct chat_event){.seq = 5,
		.at_us = AT_US,
		.kind = kind,
		.session = 9,
		.who = SPAN_LIT("bob"),
		.nick = SPAN_LIT("bob"),
		.ident = SPAN_LIT("b"),
		.host = SPAN_LIT("user.bob"),
		.account = SPAN_LIT("bob"),
		.realname = SPAN_LIT("Bob B."),
		.channel = 3,
		.target = SPAN_LIT("#room"),
		.subject = SPAN_LIT("subject"),
		.text = SPAN_LIT("the text")};
}

/* What a client with these capabilities, in #room, is told of an event. */
static void assert_told(uint64_t caps, const struct chat_event *e,
	const struct chatd_rendering *how, const char *wanted)
{
	struct chatd_fake f;

	chatd_fake_begin(&f, caps);
	assert_int_equal(chatd_room_add(&f.c, 3, "#room"), 0);
	chatd_render(&f.c, e, how);
	assert_string_equal(chatd_fake_said(&f), wanted);
	chatd_fake_end(&f);
}

static void test_words(void **state)
{
	static const struct {
		enum chat_kind kind;
		uint64_t caps;
		const char *said;
	} rows[] = {
		{CHAT_PRIVMSG, 0, ":" BOB " PRIVMSG #room :the text\r\n"},
		{CHAT_NOTICE, 0, ":" BOB " NOTICE #room :the text\r\n"},
		{CHAT_TAGMSG, 0, ""},
		{CHAT_TAGMSG, CAP(CAP_MESSAGE_TAGS), "@msgid=5-4d80 :" BOB " TAGMSG #room\r\n"},
		{CHAT_JOIN, 0, ":" BOB " JOIN #room\r\n"},
		{CHAT_JOIN, CAP(CAP_EXTENDED_JOIN), ":" BOB " JOIN #room bob :Bob B.\r\n"},
		{CHAT_PART, 0, ":" BOB " PART #room :the text\r\n"},
		{CHAT_KICK, 0, ":" BOB " KICK #room subject :the text\r\n"},
		{CHAT_MODE, 0, ":" BOB " MODE #room the text\r\n"},
		{CHAT_TOPIC, 0, ":" BOB " TOPIC #room :the text\r\n"},
		{CHAT_INVITE, 0, ":" BOB " INVITE subject :#room\r\n"},
		{CHAT_RENAME, CAP(CAP_CHANNEL_RENAME),
			":" BOB " RENAME #room subject :the text\r\n"},
		{CHAT_RENAME, 0,
			":Ann!a@user.ann PART #room :the text\r\n"
			":Ann!a@user.ann JOIN subject\r\n"},
		{CHAT_METADATA, 0, ":irc.test 761 Ann #room subject * :the text\r\n"},
		{CHAT_NICK, 0, ":" BOB " NICK :subject\r\n"},
		{CHAT_QUIT, 0, ":" BOB " QUIT :the text\r\n"},
		{CHAT_AWAY, 0, ":" BOB " AWAY :the text\r\n"},
		{CHAT_HOST, CAP(CAP_CHGHOST), ":" BOB " CHGHOST subject the text\r\n"},
		{CHAT_REALNAME, 0, ":" BOB " SETNAME :the text\r\n"},
		{CHAT_ACCOUNT, 0, ":" BOB " ACCOUNT bob\r\n"},
		{CHAT_USER_MODE, 0, ":" BOB " MODE Ann the text\r\n"},
		{CHAT_KILL, 0, ":" BOB " KILL Ann :the text\r\n"},
		{CHAT_WALLOPS, 0, ":" BOB " WALLOPS :the text\r\n"},
		{CHAT_BROADCAST, 0, ":" BOB " NOTICE Ann :the text\r\n"},
	};
	const struct chatd_rendering how = {.batch = NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct chat_event e = event_of(rows[i].kind);

		assert_told(rows[i].caps, &e, &how, rows[i].said);
	}
}

static void test_details(void **state)
{
	const struct chatd_rendering how = {.batch = NULL};
	struct chat_event e = event_of(CHAT_PRIVMSG);

	(void)state;
	e.status = '@';
	assert_told(0, &e, &how, ":" BOB " PRIVMSG @#room :the text\r\n");
	e.flags = CHAT_EVENT_REDACTED;
	assert_told(0, &e, &how, "");
	e = event_of(CHAT_PART);
	e.text = span_of(NULL, 0);
	assert_told(0, &e, &how, ":" BOB " PART #room\r\n");
	e = event_of(CHAT_JOIN);
	e.account = span_of(NULL, 0);
	assert_told(CAP(CAP_EXTENDED_JOIN), &e, &how, ":" BOB " JOIN #room * :Bob B.\r\n");
	e = event_of(CHAT_MODE);
	e.nick = span_of(NULL, 0);
	assert_told(0, &e, &how, ":irc.test MODE #room the text\r\n");
	e = event_of(CHAT_AWAY);
	e.flags = CHAT_EVENT_CLEARED;
	assert_told(0, &e, &how, ":" BOB " AWAY\r\n");
	e = event_of(CHAT_MARKREAD);
	e.number = (uint64_t)AT_US;
	assert_told(0, &e, &how, ":irc.test MARKREAD #room timestamp=2026-11-21T10:48:38.000Z\r\n");
}

/* One's own devices are told of being away as oneself is. */
static void test_own_away(void **state)
{
	const struct chatd_rendering how = {.batch = NULL};
	struct chat_event e = event_of(CHAT_AWAY);

	(void)state;
	e.who = SPAN_LIT("ann");
	assert_told(0, &e, &how, ":irc.test 306 Ann :You have been marked as being away\r\n");
	e.flags = CHAT_EVENT_CLEARED;
	assert_told(0, &e, &how, ":irc.test 305 Ann :You are no longer marked as being away\r\n");
}

/* Where no tag can tell the time, the text does; what ACTION says stays one. */
static void test_timed(void **state)
{
	const struct chatd_rendering how = {.replay = true, .timed = true};
	struct chat_event e = event_of(CHAT_PRIVMSG);

	(void)state;
	assert_told(0, &e, &how, ":" BOB " PRIVMSG #room :[2026-11-21 10:48:38] the text\r\n");
	e.text = SPAN_LIT("\001ACTION waves\001");
	assert_told(0, &e, &how,
		":" BOB " PRIVMSG #room :\001ACTION [2026-11-21 10:48:38] waves\001\r\n");
}

static void test_multiline(void **state)
{
	const uint64_t caps = CAP(CAP_BATCH) | CAP(CAP_MULTILINE) | CAP(CAP_MESSAGE_TAGS);
	struct chatd_rendering how = {.batch = NULL};
	struct chat_event e = event_of(CHAT_PRIVMSG);

	(void)state;
	e.flags = CHAT_EVENT_MULTILINE;
	e.text = SPAN_LIT("\2one\n\2\n\1two\n");
	e.tags = SPAN_LIT("+x");
	assert_told(CAP(CAP_MESSAGE_TAGS), &e, &how,
		"@msgid=5-4d80;+x :" BOB " PRIVMSG #room :one\r\n@+x :" BOB
		" PRIVMSG #room :two\r\n");
	assert_told(caps, &e, &how,
		"@msgid=5-4d80;+x :" BOB " BATCH +1 draft/multiline #room\r\n"
		"@batch=1 :" BOB " PRIVMSG #room :one\r\n@batch=1 :" BOB " PRIVMSG #room :\r\n"
		"@batch=1;draft/multiline-concat :" BOB " PRIVMSG #room :two\r\n"
		":irc.test BATCH -1\r\n");
	how.batch = "outer";
	assert_told(caps, &e, &how,
		"@batch=outer;msgid=5-4d80;+x :" BOB " BATCH +1 draft/multiline #room\r\n"
		"@batch=1 :" BOB " PRIVMSG #room :one\r\n@batch=1 :" BOB " PRIVMSG #room :\r\n"
		"@batch=1;draft/multiline-concat :" BOB " PRIVMSG #room :two\r\n"
		"@batch=outer :irc.test BATCH -1\r\n");
}

/* The key by which somebody asks for a call goes to clients that can call. */
static void test_calls(void **state)
{
	const struct chatd_rendering how = {.batch = NULL};
	struct chat_event e = event_of(CHAT_PRIVMSG);

	(void)state;
	e.flags = CHAT_EVENT_STAMPED;
	memset(e.spki_sha256, 0xab, sizeof(e.spki_sha256));
	assert_told(0, &e, &how, ":" BOB " PRIVMSG #room :the text\r\n");
	assert_told(CAP(CAP_CALLS), &e, &how,
		"@account=bob;quintet/key="
		"abababababababababababababababababababababababababababababababab :" BOB
		" PRIVMSG #room :the text\r\n");
	assert_told(CAP(CAP_CALLS) | CAP(CAP_ACCOUNT_TAG), &e, &how,
		"@account=bob;quintet/key="
		"abababababababababababababababababababababababababababababababab :" BOB
		" PRIVMSG #room :the text\r\n");
}

static void test_rooms(void **state)
{
	static const uint64_t ids[] = {5, 1, 9, 3, 7, 2, 8, 4, 6, 10, 5};
	struct chatd_fake f;

	(void)state;
	chatd_fake_begin(&f, 0);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		assert_int_equal(chatd_room_add(&f.c, ids[i], "#x"), 0);
	assert_int_equal(f.c.room_count, 10);
	for (uint64_t id = 1; id <= 10; id++)
		assert_non_null(chatd_room(&f.c, id));
	assert_null(chatd_room(&f.c, 0));
	assert_null(chatd_room(&f.c, 11));
	chatd_room_rename(&f.c, 4, "#four");
	chatd_room_remove(&f.c, 3);
	chatd_room_remove(&f.c, 11);
	assert_int_equal(f.c.room_count, 9);
	assert_null(chatd_room(&f.c, 3));
	assert_string_equal(chatd_room(&f.c, 4)->name, "#four");
	chatd_fake_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_details),
		cmocka_unit_test(test_own_away),
		cmocka_unit_test(test_timed),
		cmocka_unit_test(test_multiline),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_rooms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
