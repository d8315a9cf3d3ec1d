/* Channels: who is let in, who leaves and how, whose they are when nobody is left. */
#include "tests/unit/lib/chat_acts.h"
#include "tests/unit/lib/chat_fixture.h"
#include "tests/unit/lib/chat_say.h"
#include "tests/unit/lib/store_fixture.h"

#include "store/policy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct store *s;
static struct chat_actor ada, ben, gus; /* gus is a guest */

static int setup(void **state)
{
	int rc = store_fixture_setup(state);

	s = ((struct store_fixture *)*state)->s;
	say_policy(s, "chat_flood_rate", "0");
	ada = chat_fixture_person(s, "ada", "ada");
	ben = chat_fixture_person(s, "ben", "Ben");
	gus = chat_fixture_person(s, NULL, "gus");
	acts_forget(s);
	return rc;
}

static int teardown(void **state)
{
	int rc = store_check(s, NULL, NULL);

	acts_override = false;
	(void)store_fixture_teardown(state);
	assert_int_equal(rc, 0);
	return 0;
}

/* -- JOIN and PART ----------------------------------------------------------------------------- */

static void test_creation(void **state)
{
	struct chat_channel c;

	(void)state;
	assert_int_equal(acts_enter(s, ada, "#House"), CHAT_DONE);
	acts_expect(s, "ada JOIN #House\n");
	c = acts_channel(s, "#hOUSE");
	assert_string_equal(c.name, "#House");
	assert_string_equal(c.founder, "ada");
	assert_int_equal(c.modes, CHAT_MODE_NO_EXTERNAL | CHAT_MODE_TOPIC);
	assert_true(c.joined == 1 && c.present == 1 && c.emptied_us == 0);
	assert_int_equal(c.created_us, ada.now_us);
	assert_string_equal(acts_member(s, "#house", "ada"), "@");
	assert_int_equal(acts_enter(s, ada, "#house"), CHAT_NOTHING);
	acts_expect(s, "");
	assert_int_equal(acts_enter(s, gus, "#house"), CHAT_DONE);
	acts_expect(s, "gus JOIN #House\n");
	assert_string_equal(acts_member(s, "#house", gus.who), "");
	assert_string_equal(acts_members(s, "#house"), "gus\nada\n");
	assert_string_equal(acts_joined(s, gus.who), "#House\n");
}

static void test_results(void **state)
{
	const struct chat_join_args a = {ada, SPAN_LIT("#c"), SPAN_LIT(""), false};
	const struct chat_join_args other = {ben, SPAN_LIT("#C"), SPAN_LIT(""), false};
	struct chat_join_result r, again;

	(void)state;
	assert_int_equal(store_call(s, STORE_OP_CHAT_JOIN, &a, &r), 0);
	assert_true(r.created && r.channel != 0);
	assert_true(r.result.first == r.result.head && r.result.head != 0);
	assert_true(r.result.ring.scope == CHAT_RING_CHANNEL && r.result.ring.channel == r.channel);
	assert_int_equal(store_call(s, STORE_OP_CHAT_JOIN, &a, &again), 0);
	assert_true(again.result.answer == CHAT_NOTHING && again.channel == r.channel);
	assert_true(again.result.first == 0 && again.result.head == r.result.head);
	assert_true(again.result.ring.scope == CHAT_RING_NONE && !again.created);
	assert_int_equal(store_call(s, STORE_OP_CHAT_JOIN, &other, &again), 0);
	assert_true(again.channel == r.channel && !again.created);
}

static void test_names(void **state)
{
	static const char *const bad[] = {
		"", "#", "c", "&c", "#a b", "#a,b", "#a:b", "#a\x07", "#a\x7f", "#\xff", "#\xc3"};
	char name[CHAT_CHANNEL_SIZE + 1] = "#";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(acts_enter(s, ada, bad[i]), CHAT_NO_SUCH_CHANNEL);
	memset(name + 1, 'x', CHAT_CHANNEL_SIZE - 1);
	assert_int_equal(acts_enter(s, ada, name), CHAT_NO_SUCH_CHANNEL);
	name[CHAT_CHANNEL_SIZE - 1] = '\0';
	assert_int_equal(acts_enter(s, ada, name), CHAT_DONE);
	assert_int_equal(acts_enter(s, ada, "#caf\xc3\xa9"), CHAT_DONE);
	assert_int_equal(acts_enter(s, ada, "##"), CHAT_DONE);
}

static void test_part(void **state)
{
	(void)state;
	assert_int_equal(acts_part(s, ada, "#c"), CHAT_NO_SUCH_CHANNEL);
	acts_enter(s, ada, "#c");
	assert_int_equal(acts_part(s, ben, "#c"), CHAT_NOT_JOINED);
	acts_enter(s, ben, "#c");
	acts_forget(s);
	assert_int_equal(acts_part(s, ben, "#c"), CHAT_DONE);
	acts_expect(s, "Ben PART #c: bye\n");
	assert_string_equal(acts_member(s, "#c", "ben"), "?"); /* nothing to be kept */
	assert_string_equal(acts_joined(s, "ben"), "");
	assert_true(acts_channel(s, "#c").joined == 1 && acts_channel(s, "#c").present == 1);
}

/* A guest's channel goes with its last member, and comes as another. */
static void test_guests_channel(void **state)
{
	uint64_t id;

	(void)state;
	acts_enter(s, gus, "#g");
	id = acts_channel(s, "#g").id;
	assert_string_equal(acts_channel(s, "#g").founder, "");
	assert_string_equal(acts_member(s, "#g", gus.who), "@");
	assert_int_equal(acts_mode(s, gus, "#g", "+bk *!*@x key", NULL), CHAT_DONE);
	acts_invite(s, gus, "#g", "ben");
	acts_join(s, ada, "#g", "key");
	acts_part(s, gus, "#g");
	assert_true(acts_exists(s, "#g"));
	assert_int_equal(acts_part(s, ada, "#g"), CHAT_DONE);
	assert_false(acts_exists(s, "#g"));
	assert_string_equal(acts_invites(s, "ben"), "");
	acts_enter(s, ben, "#g");
	assert_true(acts_channel(s, "#g").id > id);
	assert_string_equal(acts_list(s, "#g", CHAT_LIST_BAN), "");
}

static void test_owner_comes_back(void **state)
{
	uint64_t id;

	(void)state;
	acts_enter(s, ada, "#c");
	id = acts_channel(s, "#c").id;
	acts_enter(s, ben, "#c");
	assert_int_equal(acts_mode(s, ada, "#c", "+hvi Ben Ben", NULL), CHAT_DONE);
	ada.now_us++;
	acts_part(s, ben, "#c");
	acts_part(s, ada, "#c");
	assert_true(acts_channel(s, "#c").joined == 0 && acts_channel(s, "#c").present == 0);
	assert_int_equal(acts_channel(s, "#c").emptied_us, ada.now_us);
	assert_string_equal(acts_member(s, "#c", "ada"), "@-");
	assert_string_equal(acts_member(s, "#c", "ben"), "%+-");
	assert_string_equal(acts_joined(s, "ben"), "");
	assert_string_equal(acts_members(s, "#c"), "");
	assert_int_equal(acts_enter(s, gus, "#c"), CHAT_INVITE_NEEDED);
	acts_forget(s);
	assert_int_equal(acts_enter(s, ben, "#c"), CHAT_DONE);
	acts_expect(s, "Ben JOIN #c\n* MODE #c +hv Ben Ben\n");
	assert_int_equal(acts_enter(s, ada, "#c"), CHAT_DONE);
	acts_expect(s, "ada JOIN #c\n* MODE #c +o ada\n");
	assert_true(acts_channel(s, "#c").id == id && acts_channel(s, "#c").emptied_us == 0);
	assert_true(acts_channel(s, "#c").joined == 2 && acts_channel(s, "#c").present == 2);
}

static void test_gates(void **state)
{
	(void)state;
	acts_enter(s, ada, "#c");
	acts_mode(s, ada, "#c", "+R", NULL);
	assert_int_equal(acts_enter(s, gus, "#c"), CHAT_REGISTERED_ONLY);
	acts_mode(s, ada, "#c", "-R+b gus!*@*", NULL);
	assert_int_equal(acts_enter(s, gus, "#c"), CHAT_BANNED);
	acts_mode(s, ada, "#c", "+e *!*@guest/*", NULL);
	acts_mode(s, ada, "#c", "+i", NULL);
	assert_int_equal(acts_enter(s, gus, "#c"), CHAT_INVITE_NEEDED);
	acts_mode(s, ada, "#c", "+I g?s!*@*", NULL);
	acts_mode(s, ada, "#c", "+k Key", NULL);
	assert_int_equal(acts_enter(s, gus, "#c"), CHAT_KEY_WRONG);
	assert_int_equal(acts_join(s, gus, "#c", "key"), CHAT_KEY_WRONG);
	acts_mode(s, ada, "#c", "+l 1", NULL);
	assert_int_equal(acts_join(s, gus, "#c", "Key"), CHAT_FULL);
	acts_mode(s, ada, "#c", "+l 2", NULL);
	assert_int_equal(acts_join(s, gus, "#c", "Key"), CHAT_DONE);
	assert_int_equal(acts_join(s, ben, "#c", "Key"), CHAT_INVITE_NEEDED);
	acts_override = true;
	assert_int_equal(acts_enter(s, ben, "#c"), CHAT_DONE);
}

/* Only who is there counts. */
static void test_limit_of_the_present(void **state)
{
	struct chat_actor cleo = chat_fixture_person(s, "cleo", "cleo");

	(void)state;
	acts_enter(s, ada, "#c");
	acts_mode(s, ada, "#c", "+l 2", NULL);
	acts_enter(s, ben, "#c");
	assert_int_equal(acts_enter(s, cleo, "#c"), CHAT_FULL);
	chat_fixture_leave(s, ben);
	assert_true(acts_channel(s, "#c").joined == 2 && acts_channel(s, "#c").present == 1);
	assert_int_equal(acts_enter(s, cleo, "#c"), CHAT_DONE);
	ben = chat_fixture_person(s, "ben", "Ben");
	assert_true(acts_channel(s, "#c").joined == 3 && acts_channel(s, "#c").present == 3);
}

static void test_how_many(void **state)
{
	struct policy_set_args p = {.name = "chat_channels", .value = "2", .by = "test"};
	char name[16];

	(void)state;
	assert_int_equal(store_call(s, STORE_OP_POLICY_SET, &p, NULL), 0);
	assert_int_equal(acts_enter(s, ada, "#1"), CHAT_DONE);
	assert_int_equal(acts_enter(s, ada, "#2"), CHAT_DONE);
	acts_part(s, ada, "#1");
	assert_int_equal(acts_enter(s, ada, "#3"), CHAT_TOO_MANY); /* #1 is still hers */
	assert_false(acts_exists(s, "#3"));
	assert_int_equal(acts_enter(s, ben, "#3"), CHAT_DONE);
	assert_int_equal(acts_enter(s, ada, "#3"), CHAT_DONE);
	for (unsigned i = 0; i < CHAT_JOINED_MAX; i++) {
		(void)snprintf(name, sizeof(name), "#g%u", i);
		assert_int_equal(acts_enter(s, gus, name), CHAT_DONE);
	}
	assert_int_equal(acts_enter(s, gus, "#3"), CHAT_TOO_MANY);
	assert_int_equal(acts_enter(s, gus, "#another"), CHAT_TOO_MANY);
	acts_part(s, gus, "#g7");
	assert_int_equal(acts_enter(s, gus, "#3"), CHAT_DONE);
}

/* -- KICK -------------------------------------------------------------------------------------- */

static void test_kick(void **state)
{
	(void)state;
	assert_int_equal(acts_kick(s, ada, "#c", "ben"), CHAT_NO_SUCH_CHANNEL);
	acts_enter(s, ada, "#c");
	assert_int_equal(acts_kick(s, ben, "#c", "ada"), CHAT_NOT_JOINED);
	assert_int_equal(acts_kick(s, ada, "#c", "nobody"), CHAT_NO_SUCH_NICK);
	assert_int_equal(acts_kick(s, ada, "#c", "ben"), CHAT_NOT_MEMBER);
	acts_enter(s, ben, "#c");
	acts_enter(s, gus, "#c");
	assert_int_equal(acts_kick(s, ben, "#c", "gus"), CHAT_NOT_OP);
	acts_forget(s);
	assert_int_equal(acts_kick(s, ada, "#c", "BEN"), CHAT_DONE);
	acts_expect(s, "ada KICK #c Ben: out\n");
	assert_string_equal(acts_members(s, "#c"), "gus\nada\n");
	assert_int_equal(acts_channel(s, "#c").present, 2);
}

static void test_kick_by_rank(void **state)
{
	struct chat_actor cleo = chat_fixture_person(s, "cleo", "cleo");

	(void)state;
	acts_enter(s, ada, "#c");
	acts_enter(s, ben, "#c");
	acts_enter(s, gus, "#c");
	acts_enter(s, cleo, "#c");
	acts_mode(s, ada, "#c", "+hov Ben gus cleo", NULL);
	assert_int_equal(acts_kick(s, ben, "#c", "gus"), CHAT_NOT_OP); /* half is less than whole */
	assert_int_equal(acts_kick(s, ben, "#c", "ada"), CHAT_NOT_OP);
	assert_int_equal(acts_kick(s, ben, "#c", "cleo"), CHAT_DONE);
	assert_int_equal(acts_kick(s, gus, "#c", "ada"), CHAT_NOT_OP); /* the founder */
	assert_int_equal(acts_kick(s, gus, "#c", "Ben"), CHAT_DONE);
	assert_int_equal(acts_kick(s, ada, "#c", "ada"), CHAT_DONE); /* but by herself */
	/* Who was put out has lost the role, the founder has not. */
	assert_string_equal(acts_member(s, "#c", "cleo"), "?");
	assert_string_equal(acts_member(s, "#c", "ben"), "?");
	assert_string_equal(acts_member(s, "#c", "ada"), "@-");
	acts_enter(s, ada, "#c");
	acts_override = true;
	assert_int_equal(acts_kick(s, ben, "#c", "ada"), CHAT_DONE); /* an operator of the house */
	assert_int_equal(acts_kick(s, gus, "#c", "gus"), CHAT_DONE);
	assert_true(acts_exists(s, "#c"));
}

/* An account that is away for long can be put out as well, by its name. */
static void test_kick_absent(void **state)
{
	(void)state;
	acts_enter(s, ada, "#c");
	acts_enter(s, ben, "#c");
	chat_fixture_leave(s, ben);
	acts_forget(s);
	assert_int_equal(acts_kick(s, ada, "#c", "ben"), CHAT_DONE);
	acts_expect(s, "ada KICK #c ben: out\n");
	assert_true(acts_channel(s, "#c").joined == 1 && acts_channel(s, "#c").present == 1);
}

/* -- INVITE ------------------------------------------------------------------------------------ */

static void test_invite(void **state)
{
	(void)state;
	assert_int_equal(acts_invite(s, ada, "#c", "ben"), CHAT_NO_SUCH_CHANNEL);
	acts_enter(s, ada, "#c");
	assert_int_equal(acts_invite(s, ben, "#c", "gus"), CHAT_NOT_JOINED);
	assert_int_equal(acts_invite(s, ada, "#c", "nobody"), CHAT_NO_SUCH_NICK);
	acts_mode(s, ada, "#c", "+biklR *!*@* key 1", NULL);
	acts_forget(s);
	assert_int_equal(acts_invite(s, ada, "#c", "gus"), CHAT_DONE);
	acts_expect(s, "ada INVITE #c gus\n");
	assert_string_equal(acts_invites(s, gus.who), "#c\n");
	assert_string_equal(acts_invites(s, "ben"), "");
	assert_int_equal(acts_enter(s, ben, "#c"), CHAT_BANNED);
	assert_int_equal(acts_enter(s, gus, "#c"), CHAT_DONE); /* past all of them */
	assert_string_equal(acts_invites(s, gus.who), "");
	assert_int_equal(acts_invite(s, ada, "#c", "gus"), CHAT_ALREADY_MEMBER);
	assert_int_equal(acts_invite(s, gus, "#c", "ben"), CHAT_NOT_OP);
	acts_mode(s, ada, "#c", "-i", NULL);
	assert_int_equal(acts_invite(s, gus, "#c", "ben"), CHAT_DONE);
	acts_part(s, gus, "#c");
	assert_int_equal(acts_enter(s, gus, "#c"), CHAT_REGISTERED_ONLY); /* used up */
}

static void test_invite_absent(void **state)
{
	(void)state;
	acts_enter(s, ada, "#c");
	acts_mode(s, ada, "#c", "+i", NULL);
	chat_fixture_leave(s, ben);
	assert_int_equal(acts_invite(s, ada, "#c", "ben"), CHAT_DONE);
	ben = chat_fixture_person(s, "ben", "Ben");
	assert_string_equal(acts_invites(s, "ben"), "#c\n");
	assert_int_equal(acts_enter(s, ben, "#c"), CHAT_DONE);
	acts_invite(s, ben, "#c", "gus");
	acts_invite(s, ada, "#c", "gus");
	chat_fixture_leave(s, gus);
	assert_string_equal(acts_invites(s, gus.who), ""); /* a guest's end */
}

/* Whom any member asks in is kept out by what keeps others out. */
static void test_invite_by_a_member(void **state)
{
	(void)state;
	acts_enter(s, ada, "#c");
	acts_enter(s, gus, "#c");
	acts_mode(s, ada, "#c", "+b Ben!*@*", NULL);
	acts_forget(s);
	assert_int_equal(acts_invite(s, gus, "#c", "ben"), CHAT_DONE);
	acts_expect(s, "gus INVITE #c Ben\n");
	assert_string_equal(acts_invites(s, "ben"), "");
	assert_int_equal(acts_enter(s, ben, "#c"), CHAT_BANNED);
	acts_mode(s, ada, "#c", "-b+i Ben!*@*", NULL);
	assert_int_equal(acts_enter(s, ben, "#c"), CHAT_INVITE_NEEDED);
}

/* The oldest gives way. */
static void test_invites_do_not_pile_up(void **state)
{
	char name[16];

	(void)state;
	for (unsigned i = 0; i <= CHAT_JOINED_MAX; i++) {
		(void)snprintf(name, sizeof(name), "#g%u", i);
		gus.now_us++;
		assert_int_equal(acts_enter(s, gus, name), CHAT_DONE);
		assert_int_equal(acts_invite(s, gus, name, "ben"), CHAT_DONE);
		if (i == 0)
			acts_enter(s, ada, name);
		if (i == 0)
			acts_part(s, gus, name);
	}
	assert_null(strstr(acts_invites(s, "ben"), "#g0\n"));
	assert_non_null(strstr(acts_invites(s, "ben"), "#g1\n"));
	assert_non_null(strstr(acts_invites(s, "ben"), "#g100\n"));
}

/* -- RENAME and DROP --------------------------------------------------------------------------- */

static void test_rename(void **state)
{
	uint64_t id;

	(void)state;
	acts_enter(s, ada, "#c");
	acts_enter(s, gus, "#c");
	acts_enter(s, ben, "#d");
	id = acts_channel(s, "#c").id;
	acts_mode(s, ada, "#c", "+b x!*@*", NULL);
	acts_forget(s);
	assert_int_equal(acts_rename(s, ada, "#x", "#e"), CHAT_NO_SUCH_CHANNEL);
	assert_int_equal(acts_rename(s, ben, "#c", "#e"), CHAT_NOT_JOINED);
	assert_int_equal(acts_rename(s, gus, "#c", "#e"), CHAT_NOT_OP);
	assert_int_equal(acts_rename(s, ada, "#c", "#D"), CHAT_NAME_USED);
	assert_int_equal(acts_rename(s, ada, "#c", "e"), CHAT_FORBIDDEN);
	assert_int_equal(acts_rename(s, ada, "#C", "#c"), CHAT_NOTHING);
	acts_expect(s, "");
	assert_int_equal(acts_rename(s, ada, "#c", "#e"), CHAT_DONE);
	acts_expect(s, "ada RENAME #c #e: why\n");
	assert_int_equal(acts_channel(s, "#E").id, id);
	assert_false(acts_exists(s, "#c"));
	assert_string_equal(acts_members(s, "#e"), "gus\nada\n");
	assert_string_equal(acts_list(s, "#e", CHAT_LIST_BAN), "x!*@*\n");
	/* The old name is anybody's; a name may come in other letters. */
	assert_int_equal(acts_enter(s, gus, "#c"), CHAT_DONE);
	assert_true(acts_channel(s, "#c").id != id);
	assert_int_equal(acts_rename(s, ada, "#e", "#E"), CHAT_DONE);
	assert_string_equal(acts_channel(s, "#e").name, "#E");
	acts_override = true;
	assert_int_equal(acts_rename(s, ben, "#e", "#f"), CHAT_DONE);
	assert_int_equal(acts_channel(s, "#f").id, id);
}

static void test_drop(void **state)
{
	(void)state;
	assert_int_equal(acts_drop(s, "#c"), CHAT_NO_SUCH_CHANNEL);
	acts_enter(s, ada, "#c");
	acts_enter(s, ben, "#c");
	acts_enter(s, gus, "#c");
	acts_mode(s, ada, "#c", "+beI 1!*@* 2!*@* 3!*@*", NULL);
	acts_topic(s, ada, "#c", "a secret");
	chat_fixture_leave(s, ben);
	acts_forget(s);
	assert_int_equal(acts_drop(s, "#C"), CHAT_DONE);
	acts_expect(s,
		"* KICK #c gus: The channel was removed\n* KICK #c ada: The channel was removed\n");
	assert_false(acts_exists(s, "#c"));
	assert_string_equal(acts_joined(s, "ada"), "");
	assert_string_equal(acts_joined(s, "ben"), "");
	ben = chat_fixture_person(s, "ben", "Ben");
	assert_int_equal(acts_enter(s, ben, "#c"), CHAT_DONE);
	assert_string_equal(acts_channel(s, "#c").founder, "ben");
	assert_string_equal(acts_channel(s, "#c").topic, "");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_creation),
		TEST(test_results),
		TEST(test_names),
		TEST(test_part),
		TEST(test_guests_channel),
		TEST(test_owner_comes_back),
		TEST(test_gates),
		TEST(test_limit_of_the_present),
		TEST(test_how_many),
		TEST(test_kick),
		TEST(test_kick_by_rank),
		TEST(test_kick_absent),
		TEST(test_invite),
		TEST(test_invite_absent),
		TEST(test_invite_by_a_member),
		TEST(test_invites_do_not_pile_up),
		TEST(test_rename),
		TEST(test_drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
