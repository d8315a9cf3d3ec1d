/* Who one is: logging in and out, what one says of oneself, announcements. */
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

#include <cmocka.h>

static struct store *s;

static int setup(void **state)
{
	int rc = store_fixture_setup(state);

	s = ((struct store_fixture *)*state)->s;
	say_policy(s, "chat_flood_rate", "0");
	acts_override = false;
	return rc;
}

static int teardown(void **state)
{
	people_check(s);
	return store_fixture_teardown(state);
}

/* -- LOGIN ------------------------------------------------------------------------------------- */

static struct chat_attach_result login(struct chat_actor by, const char *account, const char *host)
{
	const struct chat_login_args a = {
		.by = by, .account = account, .host = span_str(host), .secure = true};
	struct chat_attach_result r;

	assert_int_equal(store_call(s, STORE_OP_CHAT_LOGIN, &a, &r), 0);
	return r;
}

static int count_joined(void *arg, const struct chat_member *m, const struct chat_channel *c)
{
	(void)m;
	(void)c;
	(*(size_t *)arg)++;
	return 0;
}

static int joined_view(struct store_txn *txn, void *arg)
{
	return chat_joined_each(txn, "ada", count_joined, arg);
}

static void enter_many(struct chat_actor by, char letter, unsigned count)
{
	char name[16];

	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "#%c%u", letter, i);
		assert_int_equal(acts_enter(s, by, name), CHAT_DONE);
	}
}

/* Nobody is in more channels than an event can name, or it could not even leave. */
static void test_login_into_too_many(void **state)
{
	struct chat_actor ada = chat_fixture_person(s, "ada", "ada");
	struct chat_actor gus = chat_fixture_person(s, NULL, "gus");
	size_t joined = 0;

	(void)state;
	say_policy(s, "chat_channels", "100");
	enter_many(ada, 'a', CHAT_JOINED_MAX - 10);
	assert_int_equal(acts_enter(s, ada, "#g95"), CHAT_DONE); /* comes along in any case */
	chat_fixture_leave(s, ada);
	enter_many(gus, 'g', CHAT_JOINED_MAX);
	assert_int_equal(login(gus, "ada", "user/ada").result.answer, CHAT_DONE);
	assert_int_equal(store_view(s, joined_view, &joined), 0);
	assert_int_equal(joined, CHAT_JOINED_MAX);
	assert_string_equal(acts_member(s, "#g95", "ada"), "@");
	people_reap(s, gus.session);
	assert_string_equal(people_nick(s, "ada"), "");
}

static void test_login(void **state)
{
	struct chat_actor gus = chat_fixture_person(s, NULL, "gus");
	struct chat_attach_result r;
	uint64_t seq;

	(void)state;
	fixture_account(s, "ada");
	assert_int_equal(acts_enter(s, gus, "#c"), CHAT_DONE);
	seq = people_head(s);
	r = login(gus, "ada", "user/ada");
	assert_int_equal(r.result.answer, CHAT_DONE);
	assert_int_equal(r.result.first, seq + 1);
	assert_int_equal(r.result.head, seq + 2);
	assert_string_equal(r.user.who, "ada");
	assert_string_equal(r.user.nick, "gus");
	assert_string_equal(r.user.host, "user/ada");
	assert_string_equal(
		people_events(s, &seq), "gus ACCOUNT *1 [1]\ngus HOST user: user/ada [1]\n");
	assert_false(people_exists(s, "*1"));
	assert_string_equal(people_named(s, "gus"), "ada");
	assert_string_equal(acts_joined(s, "ada"), "#c\n");
	assert_string_equal(acts_member(s, "#c", "ada"), "@");
	assert_string_equal(acts_member(s, "#c", "*1"), "?");
	assert_int_equal(people_counts(s).users, 1);
	gus.who = "ada";
	assert_int_equal(login(gus, "ada", "user/ada").result.answer, CHAT_NOTHING);
	assert_string_equal(people_events(s, &seq), "");
}

/* The account is somewhere already, and may there what it always might. */
static void test_login_joins(void **state)
{
	struct chat_actor ada = chat_fixture_person(s, "ada", "ada");
	struct chat_actor ben = chat_fixture_person(s, "ben", "ben");
	struct chat_actor gus;
	uint64_t seq;

	(void)state;
	assert_int_equal(acts_enter(s, ada, "#own"), CHAT_DONE);
	assert_int_equal(acts_enter(s, ada, "#only"), CHAT_DONE);
	assert_int_equal(acts_enter(s, ben, "#ban"), CHAT_DONE);
	assert_int_equal(acts_mode(s, ben, "#ban", "+b ~a:ada", NULL), CHAT_DONE);
	assert_int_equal(acts_enter(s, ada, "#left"), CHAT_DONE);
	assert_int_equal(acts_enter(s, ben, "#left"), CHAT_DONE);
	assert_int_equal(acts_part(s, ada, "#left"), CHAT_DONE);
	chat_fixture_leave(s, ada);
	gus = chat_fixture_person(s, NULL, "gus");
	assert_int_equal(acts_enter(s, gus, "#own"), CHAT_DONE);
	assert_int_equal(acts_enter(s, gus, "#ban"), CHAT_DONE);
	assert_int_equal(acts_enter(s, gus, "#left"), CHAT_DONE);
	assert_int_equal(acts_channel(s, "#own").joined, 2);
	seq = people_head(s);
	assert_int_equal(login(gus, "ada", "guest/0011aabb").result.answer, CHAT_DONE);
	assert_string_equal(people_events(s, &seq),
		"gus PART #ban: The account is banned here\n"
		"gus ACCOUNT *1 [2]\n"
		"* MODE #own: +o gus\n"
		"* MODE #left: +o gus\n"
		"gus ONLINE [1]\n");
	assert_int_equal(acts_channel(s, "#own").joined, 1);
	assert_int_equal(acts_channel(s, "#own").present, 1);
	assert_int_equal(acts_channel(s, "#only").present, 1);
	assert_string_equal(acts_members(s, "#ban"), "ben\n");
}

static void test_login_refused(void **state)
{
	struct chat_actor gus = chat_fixture_person(s, NULL, "gus");
	struct chat_actor ada = chat_fixture_person(s, "ada", "ada");
	struct chat_login_args a = {.by = gus, .account = "nobody"};
	struct chat_attach_result r;
	const uint64_t head = people_head(s);

	(void)state;
	assert_int_equal(login(gus, "ada", "user/ada").result.answer, CHAT_BUSY_ELSEWHERE);
	assert_int_equal(store_call(s, STORE_OP_CHAT_LOGIN, &a, &r), -ENOENT);
	a.account = "ada";
	a.by.who = "ada";
	assert_int_equal(store_call(s, STORE_OP_CHAT_LOGIN, &a, &r), -EINVAL);
	a.by.session = 0;
	assert_int_equal(store_call(s, STORE_OP_CHAT_LOGIN, &a, &r), -EINVAL);
	(void)chat_fixture_person(s, "ada", "ada");
	assert_int_equal(login(ada, "", "guest/0").result.answer, CHAT_BUSY_ELSEWHERE);
	assert_int_equal(people_head(s), head);
}

static void test_logout(void **state)
{
	struct chat_actor ada = chat_fixture_person(s, "ada", "ada");
	struct chat_attach_result r;
	uint64_t seq;

	(void)state;
	assert_int_equal(acts_enter(s, ada, "#c"), CHAT_DONE);
	seq = people_head(s);
	r = login(ada, "", "guest/0");
	assert_int_equal(r.result.answer, CHAT_DONE);
	assert_string_equal(r.user.who, "*1");
	assert_string_equal(r.user.nick, "guest1"); /* "ada" is the account's */
	assert_string_equal(people_events(s, &seq),
		"ada NICK guest1 [1]\nguest1 ACCOUNT ada [1]\nguest1 HOST user: guest/0 [1]\n"
		"* MODE #c: -o guest1\n");
	assert_string_equal(people_nick(s, "ada"), "");
	assert_string_equal(acts_member(s, "#c", "ada"), "@-");
	assert_string_equal(acts_member(s, "#c", "*1"), "");
	/* And as another one. */
	ada.who = "*1";
	fixture_account(s, "ben");
	assert_string_equal(login(ada, "ben", "user/ben").user.who, "ben");
	fixture_account(s, "cem");
	ada.who = "ben";
	r = login(ada, "cem", "user/cem");
	assert_string_equal(r.user.who, "cem");
	assert_string_equal(people_named(s, "guest1"), "cem");
	assert_string_equal(acts_members(s, "#c"), "guest1\n");
}

/* Whoever else bears the account's name gives it up. */
static void test_login_frees(void **state)
{
	struct chat_actor gus = chat_fixture_person(s, NULL, "gus");
	struct chat_actor gil = chat_fixture_person(s, NULL, "ada");
	uint64_t seq = people_head(s);

	(void)state;
	fixture_account(s, "ada");
	assert_int_equal(login(gus, "ada", "user/ada").result.answer, CHAT_DONE);
	assert_string_equal(people_events(s, &seq),
		"ada NICK guest2\ngus ACCOUNT *1\ngus HOST user: user/ada\n");
	assert_string_equal(people_nick(s, gil.who), "guest2");
	assert_string_equal(people_nick(s, "ada"), "gus");
	/* One's own nick, which becomes the name of one's new account. */
	fixture_account(s, "guest2");
	assert_int_equal(login(gil, "guest2", "user/guest2").result.answer, CHAT_DONE);
	assert_string_equal(
		people_events(s, &seq), "guest2 ACCOUNT *2\nguest2 HOST user: user/guest2\n");
	assert_string_equal(people_nick(s, "guest2"), "guest2");
}

/* -- USER -------------------------------------------------------------------------------------- */

static enum chat_answer user(struct chat_user_args a)
{
	struct chat_result r;

	assert_int_equal(store_call(s, STORE_OP_CHAT_USER, &a, &r), 0);
	return r.answer;
}

static void test_away(void **state)
{
	struct chat_user_args a = {.by = chat_fixture_person(s, "ada", "ada"),
		.what = CHAT_SET_AWAY,
		.text = SPAN_LIT("tea")};
	uint64_t seq = people_head(s);

	(void)state;
	assert_int_equal(user(a), CHAT_DONE);
	assert_int_equal(user(a), CHAT_NOTHING);
	assert_string_equal(people_user(s, "ada").away, "tea");
	assert_int_equal(people_user(s, "ada").flags, CHAT_USER_AWAY);
	a.text = SPAN_LIT("lunch");
	assert_int_equal(user(a), CHAT_DONE);
	a.clear = true;
	assert_int_equal(user(a), CHAT_DONE);
	assert_int_equal(user(a), CHAT_NOTHING);
	assert_string_equal(people_user(s, "ada").away, "");
	assert_int_equal(people_user(s, "ada").flags, 0);
	assert_string_equal(people_events(s, &seq), "ada AWAY: tea\nada AWAY: lunch\nada AWAY\n");
}

static void test_realname(void **state)
{
	struct chat_user_args a = {.by = chat_fixture_person(s, "ada", "ada"),
		.what = CHAT_SET_REALNAME,
		.text = SPAN_LIT("Countess")};
	char longer[300];

	(void)state;
	assert_int_equal(user(a), CHAT_DONE);
	assert_int_equal(user(a), CHAT_NOTHING);
	assert_string_equal(people_user(s, "ada").realname, "Countess");
	memset(longer, 'x', sizeof(longer));
	a.text = span_of(longer, sizeof(longer));
	assert_int_equal(user(a), CHAT_DONE);
	assert_int_equal(strlen(people_user(s, "ada").realname), CHAT_REALNAME_SIZE - 1);
}

static void test_flags(void **state)
{
	struct chat_user_args a = {.by = chat_fixture_person(s, "ada", "ada"),
		.what = CHAT_SET_FLAGS,
		.set = CHAT_USER_INVISIBLE | CHAT_USER_BOT | CHAT_USER_OPER};
	struct chat_counts c;
	struct chat_result r;
	uint64_t seq = people_head(s);

	(void)state;
	assert_int_equal(user(a), CHAT_DONE);
	assert_int_equal(user(a), CHAT_NOTHING);
	c = people_counts(s);
	assert_int_equal(c.users, 1);
	assert_int_equal(c.invisible, 1);
	assert_int_equal(c.opers, 1);
	a.set = CHAT_USER_WALLOPS;
	a.unset = CHAT_USER_BOT | CHAT_USER_OPER;
	assert_int_equal(user(a), CHAT_DONE);
	assert_int_equal(people_counts(s).opers, 0);
	assert_string_equal(people_events(s, &seq), "ada USER_MODE: +iBo\nada USER_MODE: +w-Bo\n");
	a.set = CHAT_USER_AWAY;
	assert_int_equal(store_call(s, STORE_OP_CHAT_USER, &a, &r), -EINVAL);
	a.set = 0;
	a.what = 0;
	assert_int_equal(store_call(s, STORE_OP_CHAT_USER, &a, &r), -EINVAL);
	chat_fixture_leave(s, a.by);
	c = people_counts(s);
	assert_true(c.users == 0 && c.invisible == 0 && c.users_max == 1);
}

/* -- ANNOUNCE ---------------------------------------------------------------------------------- */

static struct chat_result announce(
	struct chat_actor by, enum chat_kind kind, const char *nick, const char *text)
{
	const struct chat_announce_args a = {by, kind, span_str(nick), span_str(text)};
	struct chat_result r;

	assert_int_equal(store_call(s, STORE_OP_CHAT_ANNOUNCE, &a, &r), 0);
	return r;
}

static void test_announce(void **state)
{
	struct chat_actor ada = chat_fixture_person(s, "ada", "ada");
	struct chat_actor gus = chat_fixture_person(s, NULL, "gus");
	const struct chat_actor house = {.who = "", .now_us = FIXTURE_NOW};
	struct chat_user_args oper = {.by = ada, .what = CHAT_SET_FLAGS, .set = CHAT_USER_OPER};
	struct chat_announce_args bad = {.by = ada, .kind = CHAT_PRIVMSG};
	struct chat_result r;
	uint64_t seq;

	(void)state;
	assert_int_equal(announce(gus, CHAT_KILL, "ada", "x").answer, CHAT_FORBIDDEN);
	assert_int_equal(announce(ada, CHAT_BROADCAST, "", "x").answer, CHAT_FORBIDDEN);
	assert_int_equal(user(oper), CHAT_DONE);
	seq = people_head(s);
	assert_int_equal(announce(ada, CHAT_KILL, "nobody", "x").answer, CHAT_NO_SUCH_NICK);
	r = announce(ada, CHAT_KILL, "GUS", "flood");
	assert_int_equal(r.answer, CHAT_DONE);
	assert_int_equal(r.ring.scope, CHAT_RING_PEOPLE);
	assert_string_equal(r.ring.who[0], gus.who);
	r = announce(ada, CHAT_WALLOPS, "", "hear");
	assert_int_equal(r.ring.scope, CHAT_RING_ALL);
	assert_int_equal(announce(house, CHAT_BROADCAST, "", "down at ten").answer, CHAT_DONE);
	assert_string_equal(people_events(s, &seq),
		"ada KILL gus: flood\nada WALLOPS: hear\n* BROADCAST: down at ten\n");
	assert_int_equal(store_call(s, STORE_OP_CHAT_ANNOUNCE, &bad, &r), -EINVAL);
	bad.kind = CHAT_KILL;
	bad.by.who = gus.who;
	assert_int_equal(store_call(s, STORE_OP_CHAT_ANNOUNCE, &bad, &r), -EINVAL);
}

#define in_store(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_store(test_login),
		in_store(test_login_into_too_many),
		in_store(test_login_joins),
		in_store(test_login_refused),
		in_store(test_logout),
		in_store(test_login_frees),
		in_store(test_away),
		in_store(test_realname),
		in_store(test_flags),
		in_store(test_announce),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
