/* People come, take nicks, log in and go. */
#include "tests/unit/lib/chat_acts.h"
#include "tests/unit/lib/chat_fixture.h"
#include "tests/unit/lib/chat_people.h"
#include "tests/unit/lib/chat_say.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static struct store *s;

static int setup(void **state)
{
	int rc = store_fixture_setup(state);

	s = ((struct store_fixture *)*state)->s;
	acts_override = false;
	return rc;
}

/* After every test what is there agrees. */
static int teardown(void **state)
{
	people_check(s);
	return store_fixture_teardown(state);
}

static struct chat_attach_args attach_args(const char *account, const char *nick)
{
	return (struct chat_attach_args){
		.by = {.session = people_session(s), .now_us = FIXTURE_NOW},
		.account = account,
		.nick = span_str(nick),
		.ident = SPAN_LIT("id"),
		.host = SPAN_LIT("user/x"),
		.realname = SPAN_LIT("Some Body"),
	};
}

static struct chat_attach_result attach(const struct chat_attach_args *a)
{
	struct chat_attach_result r;

	assert_int_equal(store_call(s, STORE_OP_CHAT_ATTACH, a, &r), 0);
	return r;
}

/* -- coming and going -------------------------------------------------------------------------- */

static void test_account(void **state)
{
	struct chat_attach_args a;
	struct chat_attach_result r;
	struct chat_actor first;
	uint64_t seq = 0;

	(void)state;
	fixture_account(s, "ada");
	a = attach_args("ada", "Lovelace");
	r = attach(&a);
	assert_int_equal(r.result.answer, CHAT_DONE);
	assert_int_equal(r.result.head, 1);
	assert_int_equal(r.result.first, 1);
	assert_int_equal(r.result.ring.scope, CHAT_RING_ALL);
	assert_true(r.arrived);
	assert_string_equal(r.user.who, "ada");
	assert_string_equal(r.user.nick, "Lovelace");
	assert_string_equal(r.user.realname, "Some Body");
	assert_int_equal(r.user.sessions, 1);
	assert_int_equal(r.seen, 0);
	first = (struct chat_actor){.session = a.by.session, .who = "ada", .now_us = FIXTURE_NOW};
	assert_int_equal(acts_enter(s, first, "#c"), CHAT_DONE);
	seq = people_head(s);

	/* The second device gets the nick that is. Nobody is told. */
	a = attach_args("ada", "other");
	r = attach(&a);
	assert_int_equal(r.result.answer, CHAT_DONE);
	assert_false(r.arrived);
	assert_string_equal(r.user.nick, "Lovelace");
	assert_int_equal(r.user.sessions, 2);
	assert_int_equal(r.result.first, 0);
	assert_int_equal(r.result.head, seq);
	assert_int_equal(r.result.ring.scope, CHAT_RING_NONE);
	people_reap(s, a.by.session);
	assert_string_equal(people_events(s, &seq), "");

	/* With the last one the person goes, and stays in its channels. */
	chat_fixture_leave(s, first);
	assert_string_equal(people_events(s, &seq), "Lovelace QUIT: gone [1]\n");
	assert_string_equal(people_nick(s, "ada"), "");
	assert_string_equal(people_named(s, "lovelace"), "");
	assert_int_equal(acts_channel(s, "#c").present, 0);
	assert_int_equal(acts_channel(s, "#c").joined, 1);
	a = attach_args("ada", "ada");
	r = attach(&a);
	assert_true(r.arrived);
	assert_string_equal(people_events(s, &seq), "ada ONLINE [1]\n");
	assert_int_equal(acts_channel(s, "#c").present, 1);
}

static void test_not_always_on(void **state)
{
	struct chat_actor ada, ben;
	uint64_t seq;

	(void)state;
	ada = chat_fixture_person(s, "ada", "ada");
	ben = chat_fixture_person(s, "ben", "ben");
	assert_int_equal(acts_enter(s, ada, "#c"), CHAT_DONE);
	assert_int_equal(acts_enter(s, ben, "#c"), CHAT_DONE);
	say_policy(s, "chat_always_on", "no");
	seq = people_head(s);
	chat_fixture_leave(s, ada);
	assert_string_equal(people_events(s, &seq), "ada QUIT: gone [1]\n");
	assert_string_equal(acts_members(s, "#c"), "ben\n");
	assert_string_equal(acts_member(s, "#c", "ada"), "@-"); /* the founder's */
	ada = chat_fixture_person(s, "ada", "ada");
	assert_string_equal(people_events(s, &seq), "ada ONLINE\n");
}

static void test_guest(void **state)
{
	struct chat_actor gus = chat_fixture_person(s, NULL, "gus");
	struct chat_actor gil = chat_fixture_person(s, NULL, "gil");
	struct chat_counts before;
	uint64_t seq;

	(void)state;
	assert_string_equal(gus.who, "*1");
	assert_string_equal(gil.who, "*2");
	assert_int_equal(acts_enter(s, gus, "#g"), CHAT_DONE);
	assert_int_equal(acts_enter(s, gil, "#h"), CHAT_DONE);
	assert_int_equal(acts_invite(s, gil, "#h", "gus"), CHAT_DONE);
	before = people_counts(s);
	assert_int_equal(before.users, 2);
	seq = people_head(s);
	people_reap(s, gus.session); /* killed: whoever finds it */
	assert_string_equal(people_events(s, &seq), "gus QUIT: Connection lost [1]\n");
	assert_false(people_exists(s, gus.who));
	assert_string_equal(people_named(s, "gus"), "");
	assert_false(acts_exists(s, "#g"));
	assert_string_equal(acts_invites(s, gus.who), "");
	assert_int_equal(people_counts(s).users, 1);
	assert_int_equal(people_counts(s).users_max, 2);
	gus = chat_fixture_person(s, NULL, "gus");
	assert_string_equal(gus.who, "*3"); /* never the same again */
}

static void test_attach_refused(void **state)
{
	struct chat_actor ada = chat_fixture_person(s, "ada", "Lovelace");
	const uint64_t head = people_head(s);
	struct chat_attach_args a = attach_args("", "lovelacE");
	struct chat_attach_result r;

	(void)state;
	r = attach(&a);
	assert_int_equal(r.result.answer, CHAT_NICK_USED);
	assert_int_equal(r.result.head, head);
	assert_string_equal(r.user.who, "");
	a.nick = SPAN_LIT("ADA"); /* she has another now, and it stays hers */
	assert_int_equal(attach(&a).result.answer, CHAT_NICK_RESERVED);
	fixture_account(s, "ben");
	a.account = "ben";
	assert_int_equal(attach(&a).result.answer, CHAT_NICK_RESERVED);
	assert_false(people_exists(s, "ben"));
	a.account = "nobody";
	a.nick = SPAN_LIT("nobody");
	assert_int_equal(store_call(s, STORE_OP_CHAT_ATTACH, &a, &r), -ENOENT);
	a.account = "ben";
	a.by.session = ada.session; /* hers already */
	assert_int_equal(store_call(s, STORE_OP_CHAT_ATTACH, &a, &r), -EINVAL);
	a.by.session = 4711;
	assert_int_equal(store_call(s, STORE_OP_CHAT_ATTACH, &a, &r), -ENOENT);
	a.by.session = 0;
	assert_int_equal(store_call(s, STORE_OP_CHAT_ATTACH, &a, &r), -EINVAL);
	assert_int_equal(people_head(s), head);
}

static void test_no_nicks(void **state)
{
	static const char *const bad[] = {"", "#c", "*5", ":x", "a b", "a!b", "a@b", "a,b", "a\nb",
		"a\x80", "a23456789012345678901234567890123"};
	struct chat_attach_args a = attach_args("", "x");
	struct chat_attach_result r;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a.nick = span_str(bad[i]);
		assert_int_equal(store_call(s, STORE_OP_CHAT_ATTACH, &a, &r), -EINVAL);
	}
	a.nick = span_of("a\0b", 3);
	assert_int_equal(store_call(s, STORE_OP_CHAT_ATTACH, &a, &r), -EINVAL);
	assert_int_equal(people_counts(s).users, 0);
}

static void test_detach(void **state)
{
	struct chat_actor ada = chat_fixture_person(s, "ada", "ada");
	struct chat_detach_args d = {.by = ada, .text = SPAN_LIT("bye"), .seen = people_head(s)};
	struct chat_attach_args a;
	struct chat_result r;

	(void)state;
	d.by.who = "ben";
	assert_int_equal(store_call(s, STORE_OP_CHAT_DETACH, &d, &r), -EINVAL);
	d.by.who = "ada";
	assert_int_equal(store_call(s, STORE_OP_CHAT_DETACH, &d, &r), 0);
	assert_int_equal(r.answer, CHAT_DONE);
	assert_int_equal(r.ring.scope, CHAT_RING_ALL);
	assert_int_equal(r.first, r.head);
	assert_int_equal(store_call(s, STORE_OP_CHAT_DETACH, &d, &r), 0);
	assert_int_equal(r.answer, CHAT_NOTHING);
	people_reap(s, ada.session); /* the row was left; nothing more happens */
	assert_int_equal(people_head(s), r.head);
	a = attach_args("ada", "ada");
	assert_int_equal(attach(&a).seen, d.seen);
}

/* -- nicks ------------------------------------------------------------------------------------- */

static enum chat_answer nick(struct chat_actor by, const char *text)
{
	const struct chat_nick_args a = {by, span_str(text)};
	struct chat_result r;

	assert_int_equal(store_call(s, STORE_OP_CHAT_NICK, &a, &r), 0);
	return r.answer;
}

static void test_nick(void **state)
{
	struct chat_actor ada = chat_fixture_person(s, "ada", "ada");
	struct chat_actor gus = chat_fixture_person(s, NULL, "gus");
	uint64_t seq;

	(void)state;
	fixture_account(s, "away");
	assert_int_equal(acts_enter(s, gus, "#c"), CHAT_DONE);
	seq = people_head(s);
	assert_int_equal(nick(gus, "Ada"), CHAT_NICK_USED);
	assert_int_equal(nick(gus, "aWay"), CHAT_NICK_RESERVED);
	assert_int_equal(nick(gus, "gus"), CHAT_NOTHING);
	assert_string_equal(people_events(s, &seq), "");
	assert_int_equal(nick(gus, "GUS"), CHAT_DONE);
	assert_int_equal(nick(gus, "gustav"), CHAT_DONE);
	assert_string_equal(people_events(s, &seq), "gus NICK GUS [1]\nGUS NICK gustav [1]\n");
	assert_string_equal(people_named(s, "gus"), "");
	assert_string_equal(people_named(s, "GUSTAV"), gus.who);
	assert_int_equal(nick(ada, "Gus"), CHAT_DONE);
	assert_int_equal(nick(gus, "ada"), CHAT_NICK_RESERVED); /* free, and hers */
	assert_int_equal(nick(ada, "Ada"), CHAT_DONE);
	assert_string_equal(people_named(s, "ada"), "ada");
}

static void test_nick_banned(void **state)
{
	struct chat_actor ada = chat_fixture_person(s, "ada", "ada");
	struct chat_actor gus = chat_fixture_person(s, NULL, "gus");

	(void)state;
	assert_int_equal(acts_enter(s, ada, "#c"), CHAT_DONE);
	assert_int_equal(acts_enter(s, gus, "#c"), CHAT_DONE);
	assert_int_equal(acts_mode(s, ada, "#c", "+b gus!*@*", NULL), CHAT_DONE);
	assert_int_equal(nick(gus, "gil"), CHAT_BANNED);
	assert_string_equal(people_nick(s, gus.who), "gus");
	assert_int_equal(acts_mode(s, ada, "#c", "+e *!user@*", NULL), CHAT_DONE);
	assert_int_equal(nick(gus, "gil"), CHAT_DONE);
	assert_int_equal(nick(gus, "gus"), CHAT_DONE);
	assert_int_equal(acts_mode(s, ada, "#c", "-e+v *!user@* gus", NULL), CHAT_DONE);
	assert_int_equal(nick(gus, "gil"), CHAT_DONE);
}

/* Names of accounts that are made while somebody bears them as a nick. */
static void test_nick_freed(void **state)
{
	struct chat_actor gus = chat_fixture_person(s, NULL, "ben");
	struct chat_actor ada = chat_fixture_person(s, "ada", "eve");
	uint64_t seq = people_head(s);

	(void)state;
	(void)chat_fixture_person(s, "ben", "Ben");
	assert_string_equal(people_events(s, &seq), "ben NICK guest1\nBen ONLINE\n");
	assert_string_equal(people_nick(s, gus.who), "guest1");
	assert_string_equal(people_named(s, "ben"), "ben");
	(void)chat_fixture_person(s, "eve", "other");
	assert_string_equal(people_events(s, &seq), "eve NICK ada\nother ONLINE\n");
	assert_string_equal(people_nick(s, ada.who), "ada");
	assert_string_equal(people_named(s, "eve"), "");
}

struct whowas {
	char text[512];
};

static int add_whowas(void *arg, const struct chat_whowas *w)
{
	struct whowas *l = arg;
	size_t len = strlen(l->text);

	(void)snprintf(l->text + len, sizeof(l->text) - len, "%s %s\n", w->nick, w->account);
	return 0;
}

static int whowas_view(struct store_txn *txn, void *arg)
{
	return chat_whowas_each(txn, SPAN_LIT("X"), add_whowas, arg);
}

static void test_whowas(void **state)
{
	struct chat_actor ada = chat_fixture_person(s, "ada", "x");
	struct whowas l = {.text = ""};

	(void)state;
	assert_int_equal(store_view(s, whowas_view, &l), 0);
	assert_string_equal(l.text, "");
	assert_int_equal(nick(ada, "y"), CHAT_DONE);
	for (int i = 0; i < 12; i++)
		chat_fixture_leave(s, chat_fixture_person(s, NULL, i % 2 == 0 ? "x" : "X"));
	assert_int_equal(store_view(s, whowas_view, &l), 0);
	assert_string_equal(l.text, "X \nx \nX \nx \nX \nx \nX \nx \nX \nx \n");
	assert_int_equal(nick(ada, "x"), CHAT_DONE);
	chat_fixture_leave(s, ada);
	l.text[0] = '\0';
	assert_int_equal(store_view(s, whowas_view, &l), 0);
	assert_memory_equal(l.text, "x ada\nX \n", 9);
}

struct addressee {
	const char *nick;
	struct chat_user u;
};

static int addressee_view(struct store_txn *txn, void *arg)
{
	struct addressee *a = arg;

	return chat_addressee_find(txn, span_str(a->nick), &a->u);
}

static const char *addressee(const char *name)
{
	static struct addressee a;
	int rc;

	a = (struct addressee){.nick = name};
	rc = store_view(s, addressee_view, &a);
	assert_true(rc == 0 || rc == -ENOENT);
	return rc == 0 ? a.u.who : "";
}

static void test_addressee(void **state)
{
	struct account_flags_args lock = {.name = "new", .set = ACCOUNT_LOCKED};
	struct chat_actor ada = chat_fixture_person(s, "ada", "eve");

	(void)state;
	fixture_account(s, "new");
	assert_string_equal(addressee("EVE"), "ada");
	assert_string_equal(addressee("ada"), ""); /* is here, by another nick */
	assert_string_equal(addressee("New"), "new"); /* has never been here */
	assert_string_equal(addressee("nobody"), "");
	assert_string_equal(addressee(""), "");
	chat_fixture_leave(s, ada);
	assert_string_equal(addressee("eve"), "");
	assert_string_equal(addressee("Ada"), "ada");
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_FLAGS, &lock, NULL), 0);
	assert_string_equal(addressee("new"), "");
}

#define in_store(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_store(test_account),
		in_store(test_not_always_on),
		in_store(test_guest),
		in_store(test_attach_refused),
		in_store(test_no_nicks),
		in_store(test_detach),
		in_store(test_nick),
		in_store(test_nick_banned),
		in_store(test_nick_freed),
		in_store(test_whowas),
		in_store(test_addressee),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
