/* Requests and answers: each token once, in time, from whom it was asked of; limits; both ways. */
#include "tests/unit/lib/peer_scene.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TOKEN "00112233445566778899aabbccddeeff"

static struct scene s;
static struct talk *ann, *bob;

static int set_up(void **state)
{
	(void)state;
	scene_make(&s);
	ann = scene_person(&s, "ann", NULL);
	bob = scene_person(&s, "bob", NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scene_done(&s);
	return 0;
}

static void from_bob(const char *rest)
{
	scene_request(ann, "bob", "bob", bob->key, rest);
}

/* An answer with that token: "ADDRESS PORT". */
static void answer(const char *nick, const char *account, const char *place, const char *token)
{
	char text[128];

	snprintf(text, sizeof text, "SCHAT chat %s %s", place, token);
	scene_request(ann, nick, account, bob->key, text);
}

/* ann asks nick, who says nothing. */
static void ann_asks(const char *nick, char token[DCC_TOKEN_SIZE])
{
	s.held = true;
	scene_command(ann, "", "call", nick);
	assert_int_equal(scene_port(ann, token), 0);
}

static void declined(void **state)
{
	(void)state;
	scene_command(ann, "", "call", "bob");
	scene_answer(&s, bob, false);
	scene_expect(&s, ann, "bob declines the call");
	assert_true(scene_told(bob, "the call of ann is declined"));
	assert_true(peer_is_idle(ann->calls) && peer_is_idle(bob->calls));
}

static void by_command(void **state)
{
	(void)state;
	scene_command(ann, "", "call", "bob");
	scene_asked(&s, bob, "ann calls");
	scene_command(bob, "", "decline", "carol");
	assert_true(scene_told(bob, "nobody asks for a call here"));
	scene_command(bob, "", "accept", "ann");
	assert_int_equal(bob->ask_count, 0);
	scene_expect(&s, ann, "call with bob, who is bob");
}

static void taken_back(void **state)
{
	(void)state;
	scene_command(ann, "", "call", "bob");
	scene_asked(&s, bob, "ann calls");
	scene_command(ann, "", "hangup", "bob");
	scene_expect(&s, bob, "ann has taken its call back");
	assert_int_equal(bob->ask_count, 0);
}

static void not_there(void **state)
{
	(void)state;
	scene_command(ann, "", "call", "carol");
	scene_expect(&s, ann, "carol cannot be asked: No such nick");
	assert_true(peer_is_idle(ann->calls));
}

static void a_request_again(void **state)
{
	(void)state;
	from_bob("SCHAT chat 0 0 " TOKEN);
	assert_int_equal(ann->ask_count, 1);
	from_bob("SCHAT chat 0 0 " TOKEN);
	assert_int_equal(ann->ask_count, 1);
	assert_true(
		scene_told(ann, "a call of bob is refused: it is a repetition of an earlier one"));
	scene_answer(&s, ann, false);
	buf_reset(&ann->notes);
	from_bob("SCHAT chat 0 0 " TOKEN);
	assert_int_equal(ann->ask_count, 0);
	assert_true(
		scene_told(ann, "a call of bob is refused: it is a repetition of an earlier one"));
}

static void an_answer_again(void **state)
{
	char token[DCC_TOKEN_SIZE], text[128];
	uint16_t port;

	(void)state;
	ann_asks("bob", token);
	scene_deliver(&s);
	scene_answer(&s, bob, true);
	port = scene_port(bob, NULL);
	s.held = false;
	scene_expect(&s, ann, "call with bob, who is bob");
	snprintf(text, sizeof text, "2130706433 %u", port);
	answer("bob", "bob", text, token);
	assert_true(scene_told(ann, "an answer of bob is refused: its token was used already"));
}

static void of_nobody(void **state)
{
	(void)state;
	answer("bob", "bob", "2130706433 4000", TOKEN);
	assert_true(scene_told(
		ann, "an answer of bob is refused: its token is none that was given out"));
	assert_true(peer_is_idle(ann->calls));
}

static void too_late(void **state)
{
	char token[DCC_TOKEN_SIZE];

	(void)state;
	ann_asks("bob", token);
	ann->calls->offers->until_ms = 0;
	peers_arm(ann->calls);
	scene_expect(&s, ann, "bob did not answer the call");
	answer("bob", "bob", "2130706433 4000", token);
	assert_true(scene_told(ann, "an answer of bob is refused: it comes too late"));
	/* And theirs: the question is gone. */
	from_bob("SCHAT chat 0 0 " TOKEN);
	ann->calls->offers->until_ms = 0;
	peers_arm(ann->calls);
	scene_expect(&s, ann, "the call with bob was not answered in time");
	assert_int_equal(ann->ask_count, 0);
	assert_true(peer_is_idle(ann->calls));
}

static void of_somebody_else(void **state)
{
	char token[DCC_TOKEN_SIZE];

	(void)state;
	ann_asks("bob", token);
	answer("eve", "eve", "2130706433 4000", token);
	assert_true(scene_told(ann, "an answer of eve is refused: somebody else was asked"));
	assert_false(peer_is_idle(ann->calls));
}

/* A nick that is no account's: the person decides before the address is given away. */
static void a_nick_of_another_account(void **state)
{
	char token[DCC_TOKEN_SIZE];

	(void)state;
	ann_asks("bobby", token);
	answer("bobby", "bob", "2130706433 4000", token);
	assert_int_equal(ann->ask_count, 1);
	assert_non_null(strstr(ann->asks[0].text, "bobby is logged in as bob: connect to it"));
	assert_false(scene_told(ann, "connecting to"));
	scene_answer(&s, ann, false);
	assert_true(peer_is_idle(ann->calls));
}

static void bad_places(void **state)
{
	static const char *const places[] = {"2130706433 80", "16909060 22"};
	char token[DCC_TOKEN_SIZE];

	(void)state;
	ann_asks("bob", token);
	for (size_t i = 0; i < 2; i++) {
		buf_reset(&ann->notes);
		answer("bob", "bob", places[i], token);
		assert_true(scene_told(ann, "it names an address that is not one to call"));
	}
}

static void too_many(void **state)
{
	char rest[64];

	(void)state;
	for (unsigned i = 0; i < OFFERS_OF_ONE + 1; i++) {
		snprintf(rest, sizeof rest, "SCHAT chat 0 0 %032x", i);
		from_bob(rest);
	}
	assert_int_equal(ann->ask_count, OFFERS_OF_ONE);
	assert_true(scene_told(ann, "a call of bob is refused: too many wait already"));
	for (unsigned i = 0; i < OFFERS_MAX; i++) {
		char who[16];

		snprintf(who, sizeof who, "p%u", i);
		snprintf(rest, sizeof rest, "SCHAT chat 0 0 %032x", i + 100);
		scene_request(ann, who, who, bob->key, rest);
	}
	assert_int_equal(ann->calls->offer_count, OFFERS_MAX);
	assert_int_equal(ann->ask_count, OFFERS_MAX);
	buf_reset(&ann->notes);
	scene_command(ann, "", "call", "bob");
	assert_true(scene_told(ann, "too many requests wait already"));
	s.held = true;
}

static void of_old_clients(void **state)
{
	(void)state;
	from_bob("CHAT chat 2130706433 4000");
	assert_true(scene_told(ann, "bob asks for a direct connection without protection (DCC)"));
	from_bob("SCHAT chat x");
	assert_true(
		scene_told(ann, "bob asks for a direct connection in words that make no sense"));
	assert_int_equal(ann->ask_count, 0);
}

/* bob cannot be reached where bob listens: then ann listens, and bob connects. */
static void the_other_direction(void **state)
{
	char token[DCC_TOKEN_SIZE];

	(void)state;
	ann_asks("bob", token);
	scene_deliver(&s);
	scene_answer(&s, bob, true);
	/* A port at which nobody is. */
	cleanup_close(&bob->calls->offers->listener.fd);
	s.held = false;
	scene_expect(&s, ann, "bob cannot be reached at 127.0.0.1: waiting for it to connect here");
	scene_expect(&s, bob, "ann could not reach this machine: trying the other direction");
	scene_expect(&s, ann, "call with bob, who is bob");
	scene_expect(&s, bob, "call with ann, who is ann");
	peer_calls.say(bob->calls, "=ann", SPAN_LIT("at last"));
	scene_said(&s, ann, "<bob> at last");
}

/* Only from the one who asked, and with the key that asked. */
static void the_other_direction_of_another(void **state)
{
	unsigned char key[32] = {1};
	char rest[64];

	(void)state;
	from_bob("SCHAT chat 0 0 " TOKEN);
	scene_answer(&s, ann, true);
	snprintf(rest, sizeof rest, "SCHAT chat 2130706433 4000 " TOKEN);
	scene_request(ann, "eve", "eve", bob->key, rest);
	scene_request(ann, "bob", "bob", key, rest);
	assert_true(scene_told(ann, "an answer of eve is refused: it comes from another account"));
	assert_true(scene_told(ann,
		"an answer of bob is refused: it comes from another account or "
		"another key than the request"));
	assert_false(scene_told(ann, "connecting to"));
}

static void not_without(void **state)
{
	(void)state;
	buf_reset(&ann->profile.cert_pem);
	scene_command(ann, "", "call", "bob");
	assert_true(scene_told(ann, "calls need this device's certificate"));
	scene_command(ann, "", "call", "ann");
	assert_true(scene_told(ann, "that is yourself"));
	cleanup_close(&ann->sock);
	scene_command(ann, "", "call", "bob");
	assert_true(scene_told(ann, "there is no line to the server now"));
	assert_true(peer_is_idle(ann->calls));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(declined),
		TEST(by_command),
		TEST(taken_back),
		TEST(not_there),
		TEST(a_request_again),
		TEST(an_answer_again),
		TEST(of_nobody),
		TEST(too_late),
		TEST(of_somebody_else),
		TEST(a_nick_of_another_account),
		TEST(bad_places),
		TEST(too_many),
		TEST(of_old_clients),
		TEST(the_other_direction),
		TEST(the_other_direction_of_another),
		TEST(not_without),
	};

	return cmocka_run_group_tests_name("client_peer_token", tests, NULL, NULL);
}
