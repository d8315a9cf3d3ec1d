/* An account that is removed leaves nothing in chat to a later one of its name. */
#include "store/chat_i.h"
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
static struct chat_actor ada, ben, gus; /* gus is a guest */

static int setup(void **state)
{
	int rc = store_fixture_setup(state);

	s = ((struct store_fixture *)*state)->s;
	ada = chat_fixture_person(s, "ada", "ada");
	ben = chat_fixture_person(s, "ben", "Ben");
	gus = chat_fixture_person(s, NULL, "gus");
	acts_forget(s);
	return rc;
}

static int teardown(void **state)
{
	int rc = store_check(s, NULL, NULL);

	(void)store_fixture_teardown(state);
	assert_int_equal(rc, 0);
	return 0;
}

static void remove_account(const char *name)
{
	struct account_remove_args a = {.now_us = FIXTURE_NOW};
	struct account_remove_result r;

	(void)snprintf(a.name, sizeof(a.name), "%s", name);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_REMOVE, &a, &r), 0);
}

static int count(void *arg, const struct chat_event *e)
{
	(void)e;
	(*(size_t *)arg)++;
	return 0;
}

static int count_talk(struct store_txn *txn, void *arg)
{
	const struct chat_target t = {.a = "ada", .b = "ben"};
	const struct chat_range all = {.max = 100};

	return chat_log_each(txn, &t, &all, count, arg);
}

/* How many events there are of ada and ben. */
static size_t talk(void)
{
	size_t n = 0;

	assert_true(store_view(s, count_talk, &n) >= 0);
	return n;
}

static int read_ada(struct store_txn *txn, void *arg)
{
	return chat_user_read(txn, "ada", arg);
}

static void furnish(void)
{
	acts_enter(s, ada, "#shared");
	acts_enter(s, ben, "#shared");
	acts_enter(s, ada, "#own");
	acts_enter(s, ben, "#bens");
	acts_enter(s, ada, "#bens");
	assert_int_equal(acts_mode(s, ben, "#bens", "+o ada", NULL), CHAT_DONE);
	acts_part(s, ada, "#bens");
	acts_enter(s, gus, "#guests");
	acts_invite(s, gus, "#guests", "ada");
	assert_int_equal(say(s, ada, "ben", "a secret"), CHAT_DONE);
	assert_int_equal(say(s, ben, "ada", "another"), CHAT_DONE);
	assert_int_equal(say(s, ada, "gus", "to a guest"), CHAT_DONE);
	assert_int_equal(talk(), 2);
	acts_forget(s);
}

static void expect_nothing(void)
{
	struct chat_user u;

	assert_int_equal(store_view(s, read_ada, &u), -ENOENT);
	assert_false(acts_exists(s, "#own"));
	assert_string_equal(acts_channel(s, "#shared").founder, "");
	assert_int_equal(acts_channel(s, "#shared").joined, 1);
	assert_int_equal(acts_channel(s, "#shared").present, 1);
	assert_string_equal(acts_member(s, "#shared", "ada"), "?");
	assert_string_equal(acts_member(s, "#bens", "ada"), "?");
	assert_string_equal(acts_invites(s, "ada"), "");
	assert_int_equal(talk(), 0);
}

/* Another of the name begins with nothing. */
static void test_while_there(void **state)
{
	(void)state;
	furnish();
	remove_account("ada");
	expect_nothing();
	assert_int_equal(acts_enter(s, ben, "#shared"), CHAT_NOTHING);
	ada = chat_fixture_person(s, "ada", "ada");
	assert_string_equal(acts_joined(s, "ada"), "");
	acts_enter(s, ada, "#shared");
	assert_string_equal(acts_member(s, "#shared", "ada"), "");
	acts_enter(s, ada, "#bens");
	assert_string_equal(acts_member(s, "#bens", "ada"), "");
	/* What nobody owns any more goes with the last who is in it. */
	acts_part(s, ben, "#shared");
	acts_part(s, ada, "#shared");
	assert_false(acts_exists(s, "#shared"));
}

static void test_while_away(void **state)
{
	(void)state;
	furnish();
	chat_fixture_leave(s, ada);
	remove_account("ada");
	expect_nothing();
}

/* The process of a session that was ended so comes to leave, and to remove its row, later. */
static void test_session_comes_to_its_end(void **state)
{
	const struct chat_detach_args detach = {.by = ada, .text = SPAN_LIT("gone")};
	const struct session_remove_args remove = {ada.session, "chatd"};
	struct chat_result r;

	(void)state;
	furnish();
	remove_account("ada");
	assert_int_equal(store_call(s, STORE_OP_CHAT_DETACH, &detach, &r), 0);
	assert_int_equal(r.answer, CHAT_NOTHING);
	assert_int_equal(store_call(s, STORE_OP_SESSION_REMOVE, &remove, NULL), 0);
	expect_nothing();
}

/* One who never chatted, but was written to and invited. */
static void test_never_there(void **state)
{
	(void)state;
	fixture_account(s, "cleo");
	acts_enter(s, ben, "#c");
	assert_int_equal(acts_invite(s, ben, "#c", "cleo"), CHAT_DONE);
	assert_int_equal(say(s, ben, "cleo", "hello"), CHAT_DONE);
	remove_account("cleo");
	assert_string_equal(acts_invites(s, "cleo"), "");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_while_there),
		TEST(test_while_away),
		TEST(test_session_comes_to_its_end),
		TEST(test_never_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
