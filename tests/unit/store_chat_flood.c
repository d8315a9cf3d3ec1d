/* Many messages at once: their answers, whom they wake, floods and quotas. */
#include "tests/unit/lib/chat_acts.h"
#include "tests/unit/lib/chat_fixture.h"
#include "tests/unit/lib/chat_say.h"
#include "tests/unit/lib/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define SECOND_US INT64_C(1000000)

static struct store *s;
static struct chat_actor ada, ben, gus; /* gus is a guest; ada made #c, ben is in it */

static int setup(void **state)
{
	return say_setup(state, &s, &ada, &ben, &gus);
}

/* -- many at once ------------------------------------------------------------------------------ */

static void test_batch(void **state)
{
	const struct chat_post posts[] = {say_message("#c", "1"), say_message("nobody", "2"),
		say_message("#c", "3"), say_message("#none", "4"), say_message("#c", "5")};
	struct chat_post_result r = say_all(s, ada, posts, 5);

	(void)state;
	assert_int_equal(r.result.answer, CHAT_DONE);
	assert_int_equal(r.each[1], CHAT_NO_SUCH_NICK);
	assert_int_equal(r.each[3], CHAT_NO_SUCH_CHANNEL);
	assert_true(r.seq[1] == 0 && r.seq[3] == 0);
	assert_int_equal(r.result.first, r.seq[0]);
	assert_int_equal(r.seq[2], r.seq[0] + 1);
	assert_int_equal(r.seq[4], r.seq[0] + 2);
	assert_int_equal(r.result.head, r.seq[4]);
	assert_int_equal(r.result.ring.scope, CHAT_RING_CHANNEL);
	assert_string_equal(say_event(s, r.seq[4]).text, "5");
}

static void test_ring(void **state)
{
	struct chat_post posts[] = {
		say_message("ben", "1"), say_message("BEN", "2"), say_message("#c", "3")};
	struct chat_post_result r = say_all(s, ada, posts, 2);

	(void)state;
	assert_int_equal(r.result.ring.scope, CHAT_RING_PEOPLE);
	assert_int_equal(say_all(s, ada, posts, 3).result.ring.scope, CHAT_RING_ALL);
	posts[1] = say_message("gus", "2");
	assert_int_equal(say_all(s, ada, posts, 2).result.ring.scope, CHAT_RING_ALL);
	posts[0] = say_message("nobody", "1");
	assert_int_equal(say_all(s, ada, posts, 2).result.ring.scope, CHAT_RING_PEOPLE);
	r = say_all(s, ada, posts, 1);
	assert_int_equal(r.result.ring.scope, CHAT_RING_NONE);
	assert_int_equal(r.result.answer, CHAT_NO_SUCH_NICK);
	assert_true(r.result.head != 0);
}

/* -- floods and quotas ------------------------------------------------------------------------- */

static void test_flood(void **state)
{
	struct chat_post posts[8];
	struct chat_post_result r;
	struct chat_actor later = ada;

	(void)state;
	for (size_t i = 0; i < 8; i++)
		posts[i] = say_message("#c", "x");
	say_policy(s, "chat_flood_rate", "2");
	say_policy(s, "chat_flood_burst", "5");
	r = say_all(s, ada, posts, 8);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(r.each[i], i < 5 ? CHAT_DONE : CHAT_FLOOD);
	assert_int_equal(r.result.answer, CHAT_DONE);
	assert_in_range(r.result.wait_ms, 500, 501);
	r = say_one(s, ada, posts[0]);
	assert_int_equal(r.result.answer, CHAT_FLOOD);
	assert_int_equal(r.result.first, 0);
	/* Half a second later one more goes; another person's is not touched. */
	later.now_us += SECOND_US / 2;
	assert_int_equal(say(s, later, "#c", "x"), CHAT_DONE);
	assert_int_equal(say(s, later, "#c", "x"), CHAT_FLOOD);
	assert_int_equal(say(s, ben, "#c", "x"), CHAT_DONE);
	later.now_us -= 10 * SECOND_US; /* a clock that goes back lets nothing leak */
	assert_int_equal(say(s, later, "#c", "x"), CHAT_FLOOD);
	later.now_us += 100 * SECOND_US;
	assert_int_equal(say_all(s, later, posts, 5).each[4], CHAT_DONE);
	say_policy(s, "chat_flood_rate", "0");
	assert_int_equal(say(s, later, "#c", "x"), CHAT_DONE);
}

/* What is no message counts as one, if anything comes of it; with it the bytes that it takes. */
static void test_flood_of_acts(void **state)
{
	struct chat_topic_args topic = {
		.by = gus, .channel = SPAN_LIT("#g"), .text = SPAN_LIT("x")};
	struct chat_part_args leave = {.by = gus, .channel = SPAN_LIT("#g")};
	struct chat_result r;

	(void)state;
	topic.by.source = leave.by.source = SPAN_LIT("there");
	assert_int_equal(acts_enter(s, gus, "#g"), CHAT_DONE);
	say_policy(s, "chat_flood_rate", "2");
	say_policy(s, "chat_flood_burst", "3");
	for (int i = 0; i < 5; i++) {
		assert_int_equal(store_call(s, STORE_OP_CHAT_TOPIC, &topic, &r), 0);
		assert_int_equal(r.answer, i < 3 ? CHAT_DONE : CHAT_FLOOD);
	}
	assert_in_range(r.wait_ms, 500, 501);
	assert_int_equal(r.first, 0);
	assert_int_equal(say(s, gus, "ben", "x"), CHAT_FLOOD);
	topic.by.now_us += 10 * SECOND_US;
	topic.channel = SPAN_LIT("#none");
	for (int i = 0; i < 10; i++) {
		assert_int_equal(store_call(s, STORE_OP_CHAT_TOPIC, &topic, &r), 0);
		assert_int_equal(r.answer, CHAT_NO_SUCH_CHANNEL);
	}
	say_policy(s, "chat_flood_rate", "0");
	say_policy(s, "chat_quota_day", "300");
	topic.channel = SPAN_LIT("#g");
	assert_int_equal(store_call(s, STORE_OP_CHAT_TOPIC, &topic, &r), 0);
	assert_int_equal(r.answer, CHAT_QUOTA);
	assert_int_equal(store_call(s, STORE_OP_CHAT_PART, &leave, &r), 0);
	assert_int_equal(r.answer, CHAT_DONE); /* nobody is kept */
}

/* All from one source: four people's worth, however many they are. */
static void test_flood_of_source(void **state)
{
	struct chat_actor people[6];
	struct chat_post posts[5];
	char nick[8];
	unsigned done = 0;

	(void)state;
	say_policy(s, "chat_flood_rate", "2");
	say_policy(s, "chat_flood_burst", "5");
	for (size_t i = 0; i < 5; i++)
		posts[i] = say_message("gus", "x");
	for (unsigned i = 0; i < 6; i++) {
		(void)snprintf(nick, sizeof(nick), "p%u", i);
		people[i] = chat_fixture_person(s, NULL, nick);
		for (size_t n = 0; n < 5; n++)
			done += say_one(s, people[i], posts[n]).each[0] == CHAT_DONE;
	}
	assert_int_equal(done, 20);
	for (unsigned i = 0; i < 6; i++) {
		people[i].now_us += SECOND_US;
		for (size_t n = 0; n < 5; n++)
			done += say_one(s, people[i], posts[n]).each[0] == CHAT_DONE;
	}
	assert_int_equal(done, 28);
}

static void test_quota(void **state)
{
	static char text[10001];
	struct chat_actor tomorrow = ada;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	say_policy(s, "chat_quota_day", "64K");
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(say(s, ada, "#c", text), CHAT_DONE);
	assert_int_equal(say(s, ada, "#c", text), CHAT_QUOTA);
	assert_int_equal(say(s, ada, "#c", "short"), CHAT_DONE);
	assert_int_equal(say(s, ben, "#c", text), CHAT_DONE);
	tomorrow.now_us += FIXTURE_DAY;
	assert_int_equal(say(s, tomorrow, "#c", text), CHAT_DONE);
	say_policy(s, "chat_quota_day", "0");
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(say(s, tomorrow, "#c", text), CHAT_DONE);
}

/* A guest who comes back as another one has no more than before. */
static void test_quota_of_guests(void **state)
{
	static char text[10001];
	struct chat_actor gil = chat_fixture_person(s, NULL, "gil");

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	say_policy(s, "chat_quota_day", "64K");
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(say(s, i % 2 == 0 ? gus : gil, "ada", text), CHAT_DONE);
	assert_int_equal(say(s, gus, "ada", text), CHAT_QUOTA);
	assert_int_equal(say(s, gil, "ada", text), CHAT_QUOTA);
	assert_int_equal(say(s, ben, "ada", text), CHAT_DONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, say_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(batch),
		TEST(ring),
		TEST(flood),
		TEST(flood_of_acts),
		TEST(flood_of_source),
		TEST(quota),
		TEST(quota_of_guests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
