/* Who is not believed, and what each side is told: as the one who is called, and as the caller. */
#include "tests/unit/lib/peer_scene.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct scene s;
static struct talk *ann; /* good */

static int set_up(void **state)
{
	(void)state;
	scene_make(&s);
	ann = scene_person(&s, "ann", NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scene_done(&s);
	return 0;
}

/* A fault of bob: what ann is told, and what bob is told of ann's refusal. */
static void refused(struct talk *bob, const char *ann_told, const char *bob_told)
{
	/* bob is called. */
	scene_command(ann, "", "call", "bob");
	scene_answer(&s, bob, true);
	scene_expect(&s, ann, ann_told);
	scene_expect(&s, bob, bob_told);
	/* bob calls. */
	buf_reset(&ann->notes);
	buf_reset(&bob->notes);
	scene_command(bob, "", "call", "ann");
	scene_answer(&s, ann, true);
	scene_expect(&s, ann, ann_told);
	scene_expect(&s, bob, bob_told);
	for (int i = 0; i < 20; i++)
		scene_round(&s, 5);
	assert_false(scene_told(ann, "call with bob, who is"));
	assert_false(scene_told(bob, "call with ann, who is"));
	assert_true(peer_is_idle(ann->calls));
	assert_true(peer_is_idle(bob->calls));
}

static void refused_cert(struct fixture_cert *cert, const char *ann_told, const char *bob_told)
{
	struct talk *bob = scene_person(&s, "bob", cert);

	refused(bob, ann_told, bob_told);
	fixture_cert_free(cert);
}

static void of_another_authority(void **state)
{
	struct fixture_cert cert;

	(void)state;
	scene_cert(&s.other, "bob", -3600, 3600, &cert);
	refused_cert(&cert,
		"bob shows a certificate that this profile's authority has not issued: unable to",
		"ann's client refuses this device: its authority did not issue our certificate");
}

static void of_another_account(void **state)
{
	struct fixture_cert cert;

	(void)state;
	scene_cert(&s.ca, "carol", -3600, 3600, &cert);
	refused_cert(&cert,
		"bob shows the certificate of another account: it is of carol, not of bob",
		"ann's client refuses this device: our certificate is of another account");
}

static void expired(void **state)
{
	struct fixture_cert cert;

	(void)state;
	scene_cert(&s.ca, "bob", -3600, -60, &cert);
	refused_cert(&cert,
		"bob shows a certificate that has expired (or this machine's clock is off): valid "
		"until 20",
		"our certificate has expired by its clock: try \"quintet renew\"");
}

static void not_valid_yet(void **state)
{
	struct fixture_cert cert;

	(void)state;
	scene_cert(&s.ca, "bob", 600, 3600, &cert);
	refused_cert(&cert, "bob shows a certificate that is not valid yet (or this machine's",
		"our certificate is not valid yet by its clock");
}

static void of_another_purpose(void **state)
{
	struct fixture_cert cert;

	(void)state;
	fixture_leaf(&s.ca, PKI_HOST, &cert);
	refused_cert(&cert, "bob shows a certificate that is not meant for calls between people",
		"our certificate is not one for calls");
}

static void of_another_key(void **state)
{
	struct talk *bob = scene_person(&s, "bob", NULL);

	(void)state;
	bob->key[0] ^= 1;
	scene_command(ann, "", "call", "bob");
	scene_answer(&s, bob, true);
	scene_expect(&s, ann, "bob shows another key than the one that the server has seen");
	scene_expect(&s, bob, "our key is another than the one that its server has seen");
}

static void revoked(void **state)
{
	struct fixture_cert cert;

	(void)state;
	scene_cert(&s.ca, "bob", -3600, 3600, &cert);
	scene_revoke(&s, &cert);
	refused_cert(&cert, "bob shows a certificate that is revoked",
		"ann's client refuses this device: our certificate is revoked: enroll again");
}

/* Not to know is to refuse. */
static void not_to_be_checked(void **state)
{
	struct talk *bob = scene_person(&s, "bob", NULL);

	(void)state;
	scene_status(&s, SCENE_SILENT);
	bob->profile.ca_port = 1;
	scene_command(ann, "", "call", "bob");
	scene_answer(&s, bob, true);
	scene_expect(&s, ann, "the call with bob does not come about");
	scene_expect(&s, bob, "the call with ann does not come about");
	assert_true(scene_told(ann,
			    "it could not be learned whether the certificate is revoked: "
			    "the authority does not answer") ||
		scene_told(bob,
			"it could not be learned whether the certificate is revoked: "
			"the authority does not answer"));
	assert_false(scene_told(ann, "who is bob"));
	assert_false(scene_told(bob, "who is ann"));
}

static void unknown_to_the_authority(void **state)
{
	struct talk *bob = scene_person(&s, "bob", NULL);

	(void)state;
	scene_status(&s, SCENE_UNKNOWN);
	scene_command(bob, "", "call", "ann");
	scene_answer(&s, ann, true);
	scene_expect(&s, ann, "the call with bob does not come about");
	scene_expect(&s, bob, "the call with ann does not come about");
	assert_true(scene_told(ann, "the authority does not know it") ||
		scene_told(bob, "the authority does not know it"));
}

/* Without a stamp nobody is even asked. */
static void without_a_stamp(void **state)
{
	struct talk *bob = scene_person(&s, "bob", NULL);

	(void)state;
	bob->has_key = false;
	scene_command(bob, "", "call", "ann");
	scene_expect(&s, ann, "a call of bob is refused: the server has not seen a certificate");
	scene_expect(&s, bob, "ann declines the call");
	bob->account = NULL;
	scene_command(bob, "", "call", "ann");
	scene_expect(&s, ann, "a call of bob is refused: the server does not say of which account");
	assert_int_equal(ann->ask_count, 0);
	/* Nor is such an answer taken. */
	scene_command(ann, "", "call", "bob");
	scene_answer(&s, bob, true);
	scene_expect(&s, ann, "an answer of bob is refused: the server does not say of which");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(of_another_authority, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_another_account, set_up, tear_down),
		cmocka_unit_test_setup_teardown(expired, set_up, tear_down),
		cmocka_unit_test_setup_teardown(not_valid_yet, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_another_purpose, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_another_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(revoked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(not_to_be_checked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unknown_to_the_authority, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_stamp, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("client_peer_refuse", tests, NULL, NULL);
}
