/* Who is woken by a commit of chat; and that who died is seen to go. */
#include "tests/unit/lib/chat_acts.h"
#include "tests/unit/lib/chat_people.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static struct store *s;
static const char *runtime;

struct listener {
	struct chat_actor by;
	struct bell *bell;
};

static int setup(void **state)
{
	int rc = store_fixture_setup(state);
	struct store_fixture *f = *state;

	s = f->s;
	runtime = f->dir;
	acts_override = false;
	return rc;
}

static struct listener come(const char *account, const char *nick)
{
	struct listener l = {.by = {.who = account, .now_us = FIXTURE_NOW}};
	struct chat_attach_args a = {.account = account,
		.nick = span_str(nick),
		.ident = SPAN_LIT("id"),
		.host = SPAN_LIT("user/x")};
	struct chat_attach_result r;
	struct account row;

	if (account_get(s, account, &row) == -ENOENT)
		fixture_account(s, account);
	l.by.session = people_session(s);
	a.by = l.by;
	assert_int_equal(bell_open(runtime, &l.bell), 0);
	a.bell = bell_name(l.bell);
	assert_int_equal(store_call(s, STORE_OP_CHAT_ATTACH, &a, &r), 0);
	assert_int_equal(r.result.answer, CHAT_DONE);
	return l;
}

/* The process is gone: nobody else has its pid and start. */
static void die(struct listener *l)
{
	struct session_row row = {.id = l->by.session, .pid = getpid(), .service = "chatd"};

	assert_int_equal(store_call(s, STORE_OP_SESSION_UPDATE, &row, NULL), 0);
	bell_close(l->bell);
	l->bell = NULL;
}

static bool rung(const struct listener *l)
{
	struct pollfd p = {.fd = bell_fd(l->bell), .events = POLLIN};
	bool yes = poll(&p, 1, 0) == 1;

	(void)bell_drain(l->bell);
	return yes;
}

static void test_scopes(void **state)
{
	struct listener ada = come("ada", "ada"), ada2 = come("ada", "ada");
	struct listener ben = come("ben", "ben"), cem = come("cem", "cem");
	struct chat_ring ring = {.scope = CHAT_RING_NONE};

	(void)state;
	assert_int_equal(acts_enter(s, ada.by, "#c"), CHAT_DONE);
	assert_int_equal(acts_enter(s, ben.by, "#c"), CHAT_DONE);
	assert_int_equal(chat_ring(s, runtime, &ring, 0), 0);
	assert_false(rung(&ada) || rung(&ada2) || rung(&ben) || rung(&cem));

	ring.scope = CHAT_RING_CHANNEL;
	ring.channel = acts_channel(s, "#c").id;
	assert_int_equal(chat_ring(s, runtime, &ring, ada.by.session), 2);
	assert_false(rung(&ada) || rung(&cem));
	assert_true(rung(&ada2) && rung(&ben));
	(void)snprintf(ring.who[0], sizeof(ring.who[0]), "cem"); /* was kicked */
	assert_int_equal(chat_ring(s, runtime, &ring, 0), 4);
	assert_true(rung(&ada) && rung(&ada2) && rung(&ben) && rung(&cem));

	ring = (struct chat_ring){.scope = CHAT_RING_PEOPLE, .who = {"cem", "ada"}};
	assert_int_equal(chat_ring(s, runtime, &ring, ada2.by.session), 2);
	assert_true(rung(&ada) && rung(&cem));
	assert_false(rung(&ada2) || rung(&ben));
	ring = (struct chat_ring){.scope = CHAT_RING_PEOPLE, .who = {"ada", "ada"}};
	assert_int_equal(chat_ring(s, runtime, &ring, 0), 2); /* each once */
	ring = (struct chat_ring){.scope = CHAT_RING_PEOPLE, .who = {"nobody", ""}};
	assert_int_equal(chat_ring(s, runtime, &ring, 0), 0);

	(void)rung(&ada);
	(void)rung(&ada2);
	ring = (struct chat_ring){.scope = CHAT_RING_ALL};
	assert_int_equal(chat_ring(s, runtime, &ring, ben.by.session), 3);
	assert_true(rung(&ada) && rung(&ada2) && rung(&cem));
	assert_false(rung(&ben));
	people_check(s);
	bell_close(ada.bell);
	bell_close(ada2.bell);
	bell_close(ben.bell);
	bell_close(cem.bell);
}

/* Whoever rings a dead one reaps it, and all others are told to look. */
static void test_reap(void **state)
{
	struct listener ada = come("ada", "ada"), ben = come("ben", "ben"),
			cem = come("cem", "cem");
	struct chat_ring ring = {.scope = CHAT_RING_CHANNEL};
	uint64_t seq;

	(void)state;
	assert_int_equal(acts_enter(s, ada.by, "#c"), CHAT_DONE);
	assert_int_equal(acts_enter(s, ben.by, "#c"), CHAT_DONE);
	ring.channel = acts_channel(s, "#c").id;
	seq = people_head(s);
	die(&ben);
	assert_int_equal(chat_ring(s, runtime, &ring, ada.by.session), 0);
	assert_string_equal(people_events(s, &seq), "ben QUIT: Connection lost [1]\n");
	assert_true(rung(&ada)); /* even the one who rang: there is something new */
	assert_true(rung(&cem));
	assert_int_equal(acts_channel(s, "#c").present, 1);
	assert_int_equal(chat_ring(s, runtime, &ring, ada.by.session), 0);
	assert_false(rung(&ada));

	/* By a bell of another topic, and two at once. */
	ben = come("ben", "ben");
	seq = people_head(s);
	die(&cem);
	die(&ben);
	assert_int_equal(bell_ring(s, runtime, CHAT_TOPIC_BELL, NULL, NULL), 1);
	assert_non_null(strstr(people_events(s, &seq), "ben QUIT"));
	assert_true(rung(&ada));
	assert_string_equal(people_named(s, "cem"), "");
	people_check(s);
	bell_close(ada.bell);
}

/* A bell that was closed by a session that lives is forgotten; the session stays. */
static void test_closed(void **state)
{
	struct listener ada = come("ada", "ada");
	const struct chat_ring all = {.scope = CHAT_RING_ALL};

	(void)state;
	bell_close(ada.bell);
	assert_int_equal(chat_ring(s, runtime, &all, 0), 0);
	assert_string_equal(people_nick(s, "ada"), "ada");
	people_check(s);
}

#define with_store(t) cmocka_unit_test_setup_teardown(t, setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(test_scopes),
		with_store(test_reap),
		with_store(test_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
