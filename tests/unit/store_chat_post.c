/* Messages in the store: who may send them where, and the events they become. */
#include "tests/unit/lib/chat_acts.h"
#include "tests/unit/lib/chat_fixture.h"
#include "tests/unit/lib/chat_say.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct store *s;
static struct chat_actor ada, ben, gus; /* gus is a guest; ada made #c, ben is in it */

static int setup(void **state)
{
	return say_setup(state, &s, &ada, &ben, &gus);
}

static int refused(struct chat_actor by, const struct chat_post one)
{
	const struct chat_post_args a = {.by = by, .posts = &one, .count = 1};
	struct chat_post_result r;

	return store_call(s, STORE_OP_CHAT_POST, &a, &r);
}

static int read_person(struct store_txn *txn, void *arg)
{
	struct chat_user *u = arg;
	char who[CHAT_WHO_SIZE];

	memcpy(who, u->who, sizeof(who));
	return chat_user_read(txn, who, u);
}

static int64_t spoke_us(const char *who)
{
	struct chat_user u = {.spoke_us = 0};

	(void)snprintf(u.who, sizeof(u.who), "%s", who);
	assert_int_equal(store_view(s, read_person, &u), 0);
	return u.spoke_us;
}

/* -- to a channel ------------------------------------------------------------------------------ */

static void test_channel(void **state)
{
	struct chat_post one = say_message("#c", "good morning");
	struct chat_post_result r;
	struct said k;

	(void)state;
	one.tags = SPAN_LIT("+draft/reply=x;+y");
	ben.now_us += 5000000;
	r = say_one(s, ben, one);
	assert_int_equal(r.each[0], CHAT_DONE);
	assert_int_equal(r.result.ring.scope, CHAT_RING_CHANNEL);
	assert_int_equal(r.result.ring.channel, acts_channel(s, "#c").id);
	k = say_event(s, r.seq[0]);
	assert_int_equal(k.e.kind, CHAT_PRIVMSG);
	assert_int_equal(k.e.channel, acts_channel(s, "#c").id);
	assert_int_equal(k.e.session, ben.session);
	assert_string_equal(k.target, "#C"); /* as it is written */
	assert_string_equal(k.who, "ben");
	assert_string_equal(k.nick, "Ben");
	assert_string_equal(k.text, "good morning");
	assert_string_equal(k.tags, "+draft/reply=x;+y");
	assert_int_equal(k.e.status, 0);
	assert_int_equal(k.e.flags, 0);
	assert_int_equal(spoke_us("ben"), ben.now_us);
	assert_int_equal(say(s, ben, "#none", "x"), CHAT_NO_SUCH_CHANNEL);
	assert_int_equal(say(s, ben, "#", "x"), CHAT_NO_SUCH_CHANNEL);
}

static void test_outside(void **state)
{
	struct chat_post_result r;

	(void)state;
	assert_int_equal(say(s, gus, "#c", "x"), CHAT_CANNOT_SEND);
	assert_int_equal(acts_mode(s, ada, "#c", "-n", NULL), CHAT_DONE);
	r = say_one(s, gus, say_message("#c", "from outside"));
	assert_int_equal(r.each[0], CHAT_DONE);
	assert_int_equal(r.result.ring.scope, CHAT_RING_CHANNEL);
	assert_string_equal(r.result.ring.who[0], gus.who); /* one's own other devices */
	assert_int_equal(acts_mode(s, ada, "#c", "+n", NULL), CHAT_DONE);
	acts_override = true;
	assert_int_equal(say(s, gus, "#c", "by the house"), CHAT_DONE);
}

static void test_moderated(void **state)
{
	(void)state;
	assert_int_equal(acts_mode(s, ada, "#c", "+m", NULL), CHAT_DONE);
	assert_int_equal(say(s, ben, "#c", "x"), CHAT_CANNOT_SEND);
	assert_int_equal(say(s, ada, "#c", "x"), CHAT_DONE);
	assert_int_equal(acts_mode(s, ada, "#c", "+v Ben", NULL), CHAT_DONE);
	assert_int_equal(say(s, ben, "#c", "x"), CHAT_DONE);
	/* A role that is only kept helps nobody from outside. */
	assert_int_equal(acts_part(s, ben, "#c"), CHAT_DONE);
	assert_int_equal(acts_mode(s, ada, "#c", "-n", NULL), CHAT_DONE);
	assert_int_equal(say(s, ben, "#c", "x"), CHAT_CANNOT_SEND);
}

static void test_bans(void **state)
{
	static const char *const masks[] = {"ben!*@*", "m:BEN!*@*", "*!*@user/ben"};
	char change[64];

	(void)state;
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		(void)snprintf(change, sizeof(change), "+b %s", masks[i]);
		assert_int_equal(acts_mode(s, ada, "#c", change, NULL), CHAT_DONE);
		assert_int_equal(say(s, ben, "#c", "x"), CHAT_CANNOT_SEND);
		assert_int_equal(acts_mode(s, ada, "#c", "+v Ben", NULL), CHAT_DONE);
		assert_int_equal(say(s, ben, "#c", "x"), CHAT_DONE);
		assert_int_equal(acts_mode(s, ada, "#c", "-v Ben", NULL), CHAT_DONE);
		(void)snprintf(change, sizeof(change), "+e *!*@user/b*");
		assert_int_equal(acts_mode(s, ada, "#c", change, NULL), CHAT_DONE);
		assert_int_equal(say(s, ben, "#c", "x"), CHAT_DONE);
		change[0] = '-';
		assert_int_equal(acts_mode(s, ada, "#c", change, NULL), CHAT_DONE);
		(void)snprintf(change, sizeof(change), "-b %s", masks[i]);
		assert_int_equal(acts_mode(s, ada, "#c", change, NULL), CHAT_DONE);
		assert_int_equal(say(s, ben, "#c", "x"), CHAT_DONE);
	}
}

static void test_ctcp(void **state)
{
	struct chat_post lines = say_message("#c", "");

	(void)state;
	assert_int_equal(say(s, ben, "#c", "\001PING 1\001"), CHAT_DONE);
	assert_int_equal(acts_mode(s, ada, "#c", "+C", NULL), CHAT_DONE);
	assert_int_equal(say(s, ben, "#c", "\001PING 1\001"), CHAT_NO_CTCP);
	assert_int_equal(say(s, ada, "#c", "\001ACTIONS\001"), CHAT_NO_CTCP);
	assert_int_equal(say(s, ben, "#c", "\001"), CHAT_NO_CTCP);
	assert_int_equal(say(s, ben, "#c", "\001ACTION waves\001"), CHAT_DONE);
	assert_int_equal(say(s, ben, "#c", "\001ACTION\001"), CHAT_DONE);
	assert_int_equal(say(s, ben, "#c", "no \001PING\001"), CHAT_DONE);
	lines.flags = CHAT_EVENT_MULTILINE;
	lines.text = SPAN_LIT("\000one\n\000\001VERSION\001\n");
	assert_int_equal(say_one(s, ben, lines).each[0], CHAT_NO_CTCP);
	assert_int_equal(say(s, ben, "ada", "\001PING 1\001"), CHAT_DONE);
}

static void test_registered(void **state)
{
	(void)state;
	assert_int_equal(acts_enter(s, gus, "#c"), CHAT_DONE);
	assert_int_equal(acts_mode(s, ada, "#c", "+R", NULL), CHAT_DONE);
	assert_int_equal(say(s, gus, "#c", "x"), CHAT_REGISTERED_ONLY);
	assert_int_equal(say(s, ben, "#c", "x"), CHAT_DONE);
	assert_int_equal(acts_mode(s, ada, "#c", "+v gus", NULL), CHAT_DONE);
	assert_int_equal(say(s, gus, "#c", "x"), CHAT_DONE);
}

static void test_status(void **state)
{
	struct chat_post one = say_message("#c", "to operators");
	struct chat_post_result r;
	struct said k;

	(void)state;
	one.status = '@';
	r = say_one(s, ben, one);
	assert_int_equal(r.each[0], CHAT_DONE);
	k = say_event(s, r.seq[0]);
	assert_int_equal(k.e.status, '@');
	assert_int_equal(acts_mode(s, ada, "#c", "-n", NULL), CHAT_DONE);
	assert_int_equal(say_one(s, gus, one).each[0], CHAT_CANNOT_SEND);
	one.target = SPAN_LIT("ada");
	assert_int_equal(say_one(s, ben, one).each[0], CHAT_CANNOT_SEND);
}

/* -- to a person ------------------------------------------------------------------------------- */

static void test_person(void **state)
{
	struct chat_post_result r = say_one(s, ada, say_message("bEN", "psst"));
	struct said k = say_event(s, r.seq[0]);
	uint64_t first = r.seq[0], second;

	(void)state;
	assert_int_equal(r.each[0], CHAT_DONE);
	assert_int_equal(r.result.ring.scope, CHAT_RING_PEOPLE);
	assert_string_equal(r.result.ring.who[0], "ada");
	assert_string_equal(r.result.ring.who[1], "ben");
	assert_string_equal(k.peer, "ben");
	assert_string_equal(k.target, "Ben");
	assert_int_equal(k.e.channel, 0);
	second = say_one(s, ben, say_message("ada", "what?")).seq[0];
	assert_int_equal(say_talk(s, "ada", "ben"), first * 1000 + second);
	assert_int_equal(say_talk(s, "ben", "ada"), first * 1000 + second);
	assert_int_equal(say(s, ada, "nobody", "x"), CHAT_NO_SUCH_NICK);
	assert_int_equal(say(s, ada, "", "x"), CHAT_NO_SUCH_NICK);
}

static void test_oneself(void **state)
{
	struct chat_post_result r = say_one(s, ada, say_message("ada", "note"));

	(void)state;
	assert_int_equal(r.each[0], CHAT_DONE);
	assert_int_equal(r.result.ring.scope, CHAT_RING_PEOPLE);
	assert_int_equal(say_talk(s, "ada", "ada"), r.seq[0]);
	assert_int_equal(say_talk(s, "ada", "ben"), 0);
}

/* A guest's talk with an account is the account's to read; that of two guests is nobody's. */
static void test_guests(void **state)
{
	struct chat_actor gil = chat_fixture_person(s, NULL, "gil");
	uint64_t seq = say_one(s, gus, say_message("ada", "hello")).seq[0];

	(void)state;
	assert_int_equal(say_talk(s, "ada", gus.who), seq);
	assert_int_equal(say_talk(s, "ada", gil.who), 0);
	assert_int_equal(say(s, gus, "gil", "between us"), CHAT_DONE);
}

static void test_absent(void **state)
{
	struct chat_post one = say_message("ben", "x");
	uint64_t seq;

	(void)state;
	chat_fixture_leave(s, ben);
	seq = say_one(s, ada, say_message("ben", "for later")).seq[0];
	assert_true(seq != 0);
	assert_int_equal(say_talk(s, "ada", "ben"), seq);
	assert_string_equal(say_event(s, seq).peer, "ben");
	assert_int_equal(say_one(s, ada, say_message("ben", "x")).away[0], 1);
	one.flags = CHAT_EVENT_PASSING; /* what nobody would see does not wait */
	assert_int_equal(say_one(s, ada, one).each[0], CHAT_NO_SUCH_NICK);
}

static void set_flags(struct chat_actor by, uint32_t set)
{
	const struct chat_user_args a = {.by = by, .what = CHAT_SET_FLAGS, .set = set};
	struct chat_result r;

	assert_int_equal(store_call(s, STORE_OP_CHAT_USER, &a, &r), 0);
	assert_int_equal(r.answer, CHAT_DONE);
}

static void test_registered_only_person(void **state)
{
	(void)state;
	set_flags(ada, CHAT_USER_REGISTERED_ONLY);
	assert_int_equal(say(s, gus, "ada", "x"), CHAT_REGISTERED_ONLY);
	assert_int_equal(say(s, ben, "ada", "x"), CHAT_DONE);
	acts_override = true;
	assert_int_equal(say(s, gus, "ada", "x"), CHAT_DONE);
	acts_override = false;
	assert_int_equal(say(s, gus, "ada", "x"), CHAT_REGISTERED_ONLY);
	/* Whom she has written to may answer. */
	assert_int_equal(say(s, ada, "gus", "hello"), CHAT_DONE);
	assert_int_equal(say(s, gus, "ada", "hello"), CHAT_DONE);
}

static void test_away(void **state)
{
	const struct chat_user_args away = {
		.by = ben, .what = CHAT_SET_AWAY, .text = SPAN_LIT("out")};
	const struct chat_post posts[] = {say_message("ada", "x"), say_message("ben", "x"),
		{.kind = CHAT_NOTICE, .target = SPAN_LIT("ben"), .text = SPAN_LIT("x")}};
	struct chat_result done;
	struct chat_post_result r;

	(void)state;
	assert_int_equal(store_call(s, STORE_OP_CHAT_USER, &away, &done), 0);
	r = say_all(s, ada, posts, 3);
	assert_true(r.away[0] == 0 && r.away[1] == 1 && r.away[2] == 0);
	assert_int_equal(r.each[2], CHAT_DONE);
}

/* -- what kinds there are ---------------------------------------------------------------------- */

static void test_passing(void **state)
{
	struct chat_post typing = {.kind = CHAT_TAGMSG,
		.flags = CHAT_EVENT_PASSING,
		.target = SPAN_LIT("ben"),
		.tags = SPAN_LIT("+typing=active")};
	uint64_t seq = say_one(s, ada, typing).seq[0];

	(void)state;
	assert_int_equal(say_event(s, seq).e.flags, CHAT_EVENT_PASSING);
	assert_int_equal(say_talk(s, "ada", "ben"), 0);
	typing.flags = 0;
	seq = say_one(s, ada, typing).seq[0];
	assert_int_equal(say_talk(s, "ada", "ben"), seq);
}

static void test_stamped(void **state)
{
	static const unsigned char none[32];
	struct chat_actor eve = chat_fixture_keyed(s, "eve", "eve", 0x5a);
	struct chat_post one = say_message("ben", "\001DCC SCHAT chat 1 0 t\001");
	struct said k;

	(void)state;
	one.flags = CHAT_EVENT_STAMPED | CHAT_EVENT_PASSING;
	k = say_event(s, say_one(s, eve, one).seq[0]);
	assert_int_equal(k.e.flags, CHAT_EVENT_STAMPED | CHAT_EVENT_PASSING);
	assert_int_equal(k.e.spki_sha256[0], 0x5a);
	assert_int_equal(k.e.spki_sha256[31], 0x5a);
	k = say_event(s, say_one(s, ada, one).seq[0]); /* has shown none */
	assert_int_equal(k.e.flags, CHAT_EVENT_PASSING);
	assert_memory_equal(k.e.spki_sha256, none, sizeof(none));
	one.flags = 0;
	assert_int_equal(say_event(s, say_one(s, eve, one).seq[0]).e.flags, 0);
}

static void test_bad(void **state)
{
	struct chat_post one = say_message("#c", "x");
	struct chat_post_args a = {.by = ada, .posts = &one, .count = 0};
	struct chat_post_result r;
	char big[CHAT_TEXT_MAX + 2];

	(void)state;
	assert_int_equal(store_call(s, STORE_OP_CHAT_POST, &a, &r), -EINVAL);
	a.count = CHAT_POSTS_MAX + 1;
	assert_int_equal(store_call(s, STORE_OP_CHAT_POST, &a, &r), -EINVAL);
	assert_int_equal(
		refused((struct chat_actor){.session = ada.session, .who = "ben"}, one), -EINVAL);
	one.kind = CHAT_JOIN;
	assert_int_equal(refused(ada, one), -EINVAL);
	one = say_message("#c", "two\nlines");
	assert_int_equal(refused(ada, one), -EINVAL);
	one.flags = CHAT_EVENT_MULTILINE;
	assert_int_equal(refused(ada, one), -EINVAL);
	one.text = SPAN_LIT("\000whole\n\000cut");
	assert_int_equal(refused(ada, one), -EINVAL);
	one.text = SPAN_LIT("");
	assert_int_equal(refused(ada, one), -EINVAL);
	one.text = SPAN_LIT("\000a\n\n");
	assert_int_equal(refused(ada, one), -EINVAL);
	one.text = SPAN_LIT("\000a\n\001b\n");
	assert_int_equal(refused(ada, one), 0);
	one = say_message("#c", "x");
	one.flags = CHAT_EVENT_REDACTED;
	assert_int_equal(refused(ada, one), -EINVAL);
	one.flags = 0;
	one.status = '!';
	assert_int_equal(refused(ada, one), -EINVAL);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(refused(ada, say_message("#c", big)), -EINVAL);
	big[CHAT_TEXT_MAX] = '\0';
	assert_int_equal(refused(ada, say_message("#c", big)), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, say_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(channel),
		TEST(outside),
		TEST(moderated),
		TEST(bans),
		TEST(ctcp),
		TEST(registered),
		TEST(status),
		TEST(person),
		TEST(oneself),
		TEST(guests),
		TEST(absent),
		TEST(registered_only_person),
		TEST(away),
		TEST(passing),
		TEST(stamped),
		TEST(bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
