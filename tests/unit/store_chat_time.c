/* What time and removals leave of chat: the sweep, and accounts that go. */
#include "store/blob.h"
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
	acts_override = false;
	return rc;
}

static int teardown(void **state)
{
	people_check(s);
	return store_fixture_teardown(state);
}

static void sweep(int64_t now_us)
{
	const struct sweep_args a = {.now_us = now_us};
	struct sweep_result r;

	assert_int_equal(store_call(s, STORE_OP_SWEEP, &a, &r), 0);
}

static struct chat_actor at(struct chat_actor by, int64_t now_us)
{
	by.now_us = now_us;
	return by;
}

static const char *events(void)
{
	uint64_t seq = 0;

	return people_events(s, &seq);
}

/* -- the sweep --------------------------------------------------------------------------------- */

static void test_keep(void **state)
{
	struct chat_actor ada = chat_fixture_person(s, "ada", "ada");

	(void)state;
	say_policy(s, "chat_keep", "7d");
	assert_int_equal(acts_enter(s, ada, "#c"), CHAT_DONE);
	assert_int_equal(say(s, ada, "#c", "one"), CHAT_DONE);
	assert_int_equal(say(s, at(ada, FIXTURE_NOW + FIXTURE_DAY), "#c", "two"), CHAT_DONE);
	sweep(FIXTURE_NOW + 6 * FIXTURE_DAY);
	assert_string_equal(events(), "ada JOIN #c\nada PRIVMSG #c: one\nada PRIVMSG #c: two\n");
	sweep(FIXTURE_NOW + 7 * FIXTURE_DAY);
	assert_string_equal(events(), "ada PRIVMSG #c: two\n");
	say_policy(s, "chat_keep", "0");
	sweep(FIXTURE_NOW + 1000 * FIXTURE_DAY);
	assert_string_equal(events(), "ada PRIVMSG #c: two\n");
	assert_int_equal(people_head(s), 4);
	assert_int_equal(say(s, ada, "#c", "three"), CHAT_DONE);
	assert_int_equal(people_head(s), 5); /* positions go on */
}

/* What no history shows goes after a day; a run goes on where the last one was. */
static void test_passing(void **state)
{
	struct chat_actor ada = chat_fixture_person(s, "ada", "ada");
	struct chat_user_args away = {.by = ada, .what = CHAT_SET_AWAY, .text = SPAN_LIT("tea")};

	(void)state;
	assert_int_equal(acts_enter(s, ada, "#c"), CHAT_DONE);
	assert_int_equal(store_call(s, STORE_OP_CHAT_USER, &away, NULL), 0);
	assert_string_equal(events(), "ada ONLINE\nada JOIN #c\nada AWAY: tea [1]\n");
	sweep(FIXTURE_NOW + FIXTURE_DAY - 1);
	assert_string_equal(events(), "ada ONLINE\nada JOIN #c\nada AWAY: tea [1]\n");
	sweep(FIXTURE_NOW + FIXTURE_DAY);
	assert_string_equal(events(), "ada JOIN #c\n");
	away.by.now_us = FIXTURE_NOW + FIXTURE_DAY;
	away.clear = true;
	assert_int_equal(store_call(s, STORE_OP_CHAT_USER, &away, NULL), 0);
	sweep(FIXTURE_NOW + 2 * FIXTURE_DAY);
	assert_string_equal(events(), "ada JOIN #c\n");
}

/* A channel that is gone takes its history along, but not what others share in it. */
static void test_gone(void **state)
{
	struct chat_actor gus = chat_fixture_person(s, NULL, "gus");
	struct chat_actor ada = chat_fixture_person(s, "ada", "ada");

	(void)state;
	assert_int_equal(acts_enter(s, gus, "#a"), CHAT_DONE);
	assert_int_equal(acts_enter(s, ada, "#b"), CHAT_DONE);
	assert_int_equal(acts_enter(s, gus, "#b"), CHAT_DONE);
	assert_int_equal(say(s, gus, "#a", "lost"), CHAT_DONE);
	chat_fixture_leave(s, gus);
	assert_false(acts_exists(s, "#a"));
	sweep(FIXTURE_NOW + FIXTURE_DAY);
	assert_string_equal(events(), "ada JOIN #b\ngus JOIN #b\ngus QUIT: gone [2]\n");
}

/* More than one commit takes. */
static void test_many(void **state)
{
	struct chat_actor ada = chat_fixture_person(s, "ada", "ada");
	struct chat_post posts[CHAT_POSTS_MAX];

	(void)state;
	say_policy(s, "chat_flood_rate", "0");
	assert_int_equal(acts_enter(s, ada, "#c"), CHAT_DONE);
	for (size_t i = 0; i < CHAT_POSTS_MAX; i++)
		posts[i] = say_message("#c", "x");
	for (size_t i = 0; i < 2200 / CHAT_POSTS_MAX; i++)
		(void)say_all(s, ada, posts, CHAT_POSTS_MAX);
	say_policy(s, "chat_keep", "1d");
	sweep(FIXTURE_NOW + FIXTURE_DAY);
	assert_string_equal(events(), "");
}

struct whowas {
	unsigned count;
};

static int count_whowas(void *arg, const struct chat_whowas *w)
{
	struct whowas *c = arg;

	(void)w;
	c->count++;
	return 0;
}

static int whowas_view(struct store_txn *txn, void *arg)
{
	return chat_whowas_each(txn, SPAN_LIT("gus"), count_whowas, arg);
}

static unsigned whowas(void)
{
	struct whowas c = {0};

	assert_int_equal(store_view(s, whowas_view, &c), 0);
	return c.count;
}

static void test_whowas(void **state)
{
	(void)state;
	chat_fixture_leave(s, chat_fixture_person(s, NULL, "gus"));
	sweep(FIXTURE_NOW + 7 * FIXTURE_DAY - 1);
	assert_int_equal(whowas(), 1);
	sweep(FIXTURE_NOW + 7 * FIXTURE_DAY);
	assert_int_equal(whowas(), 0);
}

/* -- accounts that are removed ----------------------------------------------------------------- */

static void remove_account(const char *name)
{
	struct account_remove_args a = {.now_us = FIXTURE_NOW};
	struct account_remove_result r;

	(void)snprintf(a.name, sizeof(a.name), "%s", name);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_REMOVE, &a, &r), 0);
}

static int count_event(void *arg, const struct chat_event *e)
{
	(void)e;
	++*(unsigned *)arg;
	return 0;
}

static int talk_view(struct store_txn *txn, void *arg)
{
	const struct chat_target t = {.a = "ada", .b = "ben"};
	const struct chat_range all = {.max = 100};

	return chat_log_each(txn, &t, &all, count_event, arg);
}

static unsigned talk(void)
{
	unsigned n = 0;

	assert_int_equal(store_view(s, talk_view, &n), 0);
	return n;
}

static void test_account_removed(void **state)
{
	struct chat_actor ada = chat_fixture_person(s, "ada", "eve");
	struct chat_actor ben = chat_fixture_person(s, "ben", "ben");
	struct chat_detach_args d = {.by = ada};
	struct chat_result r;
	uint64_t seq;

	(void)state;
	assert_int_equal(acts_enter(s, ada, "#alone"), CHAT_DONE);
	assert_int_equal(acts_enter(s, ada, "#left"), CHAT_DONE);
	assert_int_equal(acts_part(s, ada, "#left"), CHAT_DONE);
	assert_int_equal(acts_enter(s, ada, "#both"), CHAT_DONE);
	assert_int_equal(acts_enter(s, ben, "#both"), CHAT_DONE);
	assert_int_equal(acts_enter(s, ben, "#bens"), CHAT_DONE);
	assert_int_equal(acts_enter(s, ada, "#bens"), CHAT_DONE);
	assert_int_equal(acts_mode(s, ben, "#bens", "+o eve", NULL), CHAT_DONE);
	assert_int_equal(acts_part(s, ada, "#bens"), CHAT_DONE);
	assert_int_equal(say(s, ada, "ben", "psst"), CHAT_DONE);
	assert_int_equal(say(s, ben, "eve", "what"), CHAT_DONE);
	assert_int_equal(talk(), 2);
	seq = people_head(s);
	remove_account("ada");
	assert_string_equal(people_events(s, &seq), "eve QUIT: The account was removed [2]\n");
	assert_false(people_exists(s, "ada"));
	assert_string_equal(people_named(s, "eve"), "");
	assert_false(acts_exists(s, "#alone"));
	assert_false(acts_exists(s, "#left"));
	assert_string_equal(acts_members(s, "#both"), "ben\n");
	assert_string_equal(acts_channel(s, "#both").founder, "");
	assert_string_equal(acts_member(s, "#bens", "ada"), "?");
	assert_int_equal(talk(), 0);
	/* Its session finds out later, and others hear of it by then. */
	assert_int_equal(store_call(s, STORE_OP_CHAT_DETACH, &d, &r), 0);
	assert_int_equal(r.answer, CHAT_NOTHING);
	assert_int_equal(r.ring.scope, CHAT_RING_ALL);
	people_reap(s, ada.session);
	assert_string_equal(people_events(s, &seq), "");
	people_check(s);
	/* Whoever has the name next begins with nothing. */
	ada = chat_fixture_person(s, "ada", "ada");
	assert_string_equal(acts_joined(s, "ada"), "");
	assert_int_equal(talk(), 0);
}

static void test_absent_account_removed(void **state)
{
	struct chat_actor ada = chat_fixture_person(s, "ada", "ada");
	struct chat_actor ben = chat_fixture_person(s, "ben", "ben");
	uint64_t seq;

	(void)state;
	fixture_account(s, "cem"); /* has never been here */
	assert_int_equal(acts_enter(s, ada, "#c"), CHAT_DONE);
	assert_int_equal(acts_enter(s, ben, "#c"), CHAT_DONE);
	assert_int_equal(say(s, ben, "cem", "hello"), CHAT_DONE);
	chat_fixture_leave(s, ada);
	seq = people_head(s);
	remove_account("ada");
	remove_account("cem");
	assert_string_equal(people_events(s, &seq), "");
	assert_string_equal(acts_members(s, "#c"), "ben\n");
}

#define in_store(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_store(test_keep),
		in_store(test_passing),
		in_store(test_gone),
		in_store(test_many),
		in_store(test_whowas),
		in_store(test_account_removed),
		in_store(test_absent_account_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
