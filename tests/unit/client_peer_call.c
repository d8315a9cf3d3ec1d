/* Calls between two clients in one process: asked for, met both ways, talked in, and ended. */
#include "tests/unit/lib/peer_scene.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

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

static void two_talk(void **state)
{
	(void)state;
	scene_command(ann, "", "call", "bob");
	assert_true(scene_told(ann, "bob learns its address (127.0.0.1)"));
	scene_asked(&s, bob, "ann calls: take the call? Then ann learns this machine's address");
	/* Nothing of bob's is given away before bob says yes. */
	assert_null(strstr(buf_str(&bob->lines), "DCC"));
	scene_answer(&s, bob, true);
	scene_expect(&s, ann, "[=bob] call with bob, who is bob: no one else reads it (TLSv1.3, ");
	scene_expect(&s, bob, "[=ann] call with ann, who is ann");
	peer_calls.say(ann->calls, "=bob", SPAN_LIT("good morning\nto you"));
	scene_said(&s, bob, "[=ann] <ann> good morning\n[=ann] <ann> to you\n");
	peer_calls.say(bob->calls, "=ann",
		SPAN_LIT("gr\xc3\xbc\xc3\x9f"
			 "e"));
	scene_said(&s, ann,
		"[=bob] <ann> good morning\n[=bob] <ann> to you\n"
		"[=bob] <bob> gr\xc3\xbc\xc3\x9f"
		"e\n");
	scene_command(bob, "=ann", "hangup", "");
	scene_expect(&s, ann, "bob has ended the call");
	assert_true(scene_told(bob, "the call with ann is over"));
	while (!peer_is_idle(ann->calls) || !peer_is_idle(bob->calls))
		scene_round(&s, 20);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_talk, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("client_peer_call", tests, NULL, NULL);
}
