/* Modes, lists and topics of channels: who may change what, what is told, what matches. */
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
static struct chat_actor ada, ben, gus; /* gus is a guest; all are in #c, ada's */

static int setup(void **state)
{
	int rc = store_fixture_setup(state);

	s = ((struct store_fixture *)*state)->s;
	say_policy(s, "chat_flood_rate", "0");
	ada = chat_fixture_person(s, "ada", "ada");
	ben = chat_fixture_person(s, "ben", "Ben");
	gus = chat_fixture_person(s, NULL, "gus");
	assert_int_equal(acts_enter(s, ada, "#c"), CHAT_DONE);
	assert_int_equal(acts_enter(s, ben, "#c"), CHAT_DONE);
	assert_int_equal(acts_enter(s, gus, "#c"), CHAT_DONE);
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

static enum chat_answer mode(struct chat_actor by, const char *changes)
{
	return acts_mode(s, by, "#c", changes, NULL);
}

static void test_flags(void **state)
{
	struct chat_channel c;

	(void)state;
	assert_int_equal(mode(ada, "+imsCR-nt"), CHAT_DONE);
	acts_expect(s, "ada MODE #c +imsCR-nt\n");
	c = acts_channel(s, "#c");
	assert_int_equal(c.modes,
		CHAT_MODE_INVITE_ONLY | CHAT_MODE_MODERATED | CHAT_MODE_SECRET | CHAT_MODE_NO_CTCP |
			CHAT_MODE_REGISTERED);
	assert_int_equal(mode(ada, "+i-n"), CHAT_NOTHING);
	acts_expect(s, "");
	/* What changes nothing is left out; what is undone again was done. */
	assert_int_equal(mode(ada, "+imn-i+i"), CHAT_DONE);
	acts_expect(s, "ada MODE #c +n-i+i\n");
}

static void test_key_and_limit(void **state)
{
	static const char *const bad[] = {
		"+k", "+k ,", "+k a,b", "+k :a", "+k \x01", "+k 123456789012345678901234567890123"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mode(ada, bad[i]), CHAT_KEY_WRONG);
	assert_int_equal(mode(ada, "-k x"), CHAT_NOTHING);
	assert_int_equal(mode(ada, "-l"), CHAT_NOTHING);
	assert_int_equal(mode(ada, "+l 0"), CHAT_NOTHING);
	acts_expect(s, "");
	assert_int_equal(mode(ada, "+lk 12 Key"), CHAT_DONE);
	acts_expect(s, "ada MODE #c +lk 12 Key\n");
	assert_string_equal(acts_channel(s, "#c").key, "Key");
	assert_int_equal(acts_channel(s, "#c").limit, 12);
	assert_int_equal(mode(ada, "+lk 12 Key"), CHAT_NOTHING);
	assert_int_equal(mode(ada, "+lk 4294967295 key"), CHAT_DONE);
	acts_expect(s, "ada MODE #c +lk 4294967295 key\n");
	assert_int_equal(mode(ada, "-lk any"), CHAT_DONE);
	acts_expect(s, "ada MODE #c -lk *\n");
	assert_string_equal(acts_channel(s, "#c").key, "");
	assert_int_equal(acts_channel(s, "#c").limit, 0);
}

static void test_roles(void **state)
{
	enum chat_answer each[CHAT_CHANGES_MAX];

	(void)state;
	assert_int_equal(
		acts_mode(s, ada, "#c", "+ov-v+hb BEN gus ben gus *!*@x", each), CHAT_DONE);
	assert_true(each[0] == CHAT_DONE && each[1] == CHAT_DONE && each[2] == CHAT_NOTHING &&
		each[3] == CHAT_DONE && each[4] == CHAT_DONE);
	acts_expect(s, "ada MODE #c +ovhb Ben gus gus *!*@x\n");
	assert_string_equal(acts_member(s, "#c", "ben"), "@");
	assert_string_equal(acts_member(s, "#c", gus.who), "%+");
	assert_int_equal(acts_mode(s, ada, "#c", "+vmoo nobody Ben gus", each), CHAT_DONE);
	assert_true(
		each[0] == CHAT_NO_SUCH_NICK && each[1] == CHAT_DONE && each[2] == CHAT_NOTHING);
	acts_expect(s, "ada MODE #c +mo gus\n");
	assert_int_equal(mode(ada, "-ohv gus gus gus"), CHAT_DONE);
	assert_string_equal(acts_member(s, "#c", gus.who), "");
	acts_part(s, gus, "#c");
	assert_int_equal(mode(ada, "+o gus"), CHAT_NOT_MEMBER);
	assert_int_equal(acts_mode(s, gus, "#c", "+m", NULL), CHAT_NOT_JOINED);
	assert_int_equal(acts_mode(s, gus, "#none", "+m", NULL), CHAT_NO_SUCH_CHANNEL);
}

static void test_who_may(void **state)
{
	enum chat_answer each[CHAT_CHANGES_MAX];

	(void)state;
	/* A member, and one with voice. */
	for (unsigned i = 0; i < 2; i++) {
		(void)acts_mode(
			s, ben, "#c", "+ohvbeIklimnstCR ada ada ada m!*@* m!*@* m!*@* k 1", each);
		for (unsigned k = 0; k < 15; k++)
			assert_int_equal(each[k], CHAT_NOT_OP);
		assert_int_equal(mode(ben, "-v gus"), CHAT_NOT_OP);
		assert_int_equal(mode(ada, "+v Ben"), i == 0 ? CHAT_DONE : CHAT_NOTHING);
	}
	/* Half an operator: all but to make operators. */
	mode(ada, "+h Ben");
	assert_int_equal(mode(ben, "+o gus"), CHAT_NOT_OP);
	assert_int_equal(mode(ben, "+h gus"), CHAT_NOT_OP);
	assert_int_equal(mode(ben, "-o ada"), CHAT_NOT_OP);
	(void)acts_mode(s, ben, "#c", "+vbeIklimsCR-nt gus m!*@* m!*@* m!*@* k 1", each);
	for (unsigned k = 0; k < 13; k++)
		assert_int_equal(each[k], CHAT_DONE);
	/* One lays down one's own, and is none from there on. */
	assert_int_equal(mode(ben, "-h+m Ben"), CHAT_NOT_OP);
	assert_string_equal(acts_member(s, "#c", "ben"), "+");
	assert_int_equal(mode(ben, "-v Ben"), CHAT_DONE);
	assert_int_equal(mode(ben, "-v Ben"), CHAT_NOTHING);
	acts_override = true;
	assert_int_equal(mode(ben, "+mo Ben"), CHAT_DONE);
}

static void test_founder_stays(void **state)
{
	(void)state;
	mode(ada, "+oo Ben gus");
	assert_int_equal(mode(ben, "-o ada"), CHAT_FORBIDDEN);
	assert_int_equal(mode(ada, "-o ada"), CHAT_FORBIDDEN);
	assert_int_equal(mode(ben, "-o gus"), CHAT_DONE); /* operators are each other's equals */
	acts_override = true;
	assert_int_equal(mode(ben, "-o ada"), CHAT_FORBIDDEN);
	assert_string_equal(acts_member(s, "#c", "ada"), "@");
}

/* A guest founds nothing and can step down. */
static void test_guest_steps_down(void **state)
{
	(void)state;
	acts_enter(s, gus, "#g");
	assert_int_equal(acts_mode(s, gus, "#g", "-o gus", NULL), CHAT_DONE);
	assert_string_equal(acts_member(s, "#g", gus.who), "");
}

/* The role that an account keeps while it is not in the channel, by the account's name. */
static void test_kept_roles(void **state)
{
	(void)state;
	mode(ada, "+o Ben");
	acts_part(s, ben, "#c");
	assert_string_equal(acts_member(s, "#c", "ben"), "@-");
	acts_forget(s);
	assert_int_equal(mode(ada, "+v-o Ben Ben"), CHAT_DONE);
	acts_expect(s, "ada MODE #c +v-o Ben Ben\n");
	assert_string_equal(acts_member(s, "#c", "ben"), "+-");
	chat_fixture_leave(s, ben);
	assert_int_equal(mode(ada, "-v ben"), CHAT_DONE);
	acts_expect(s, "ada MODE #c -v ben\n");
	assert_string_equal(acts_member(s, "#c", "ben"), "?");
	assert_int_equal(mode(ada, "+v ben"), CHAT_NOT_MEMBER);
}

/* -- lists ------------------------------------------------------------------------------------- */

static void test_lists(void **state)
{
	(void)state;
	assert_int_equal(mode(ada, "+bbeI B!*@* A!*@* e!*@* i!*@*"), CHAT_DONE);
	acts_expect(s, "ada MODE #c +bbeI B!*@* A!*@* e!*@* i!*@*\n");
	assert_string_equal(acts_list(s, "#c", CHAT_LIST_BAN), "A!*@*\nB!*@*\n");
	assert_string_equal(acts_list(s, "#c", CHAT_LIST_EXCEPT), "e!*@*\n");
	assert_string_equal(acts_list(s, "#c", CHAT_LIST_INVEX), "i!*@*\n");
	assert_int_equal(mode(ada, "+b b!*@*"), CHAT_NOTHING);
	assert_int_equal(mode(ada, "-e x!*@*"), CHAT_NOTHING);
	assert_int_equal(mode(ada, "+b"), CHAT_FORBIDDEN);
	assert_int_equal(mode(ada, "+b a\x01!*@*"), CHAT_FORBIDDEN);
	acts_expect(s, "");
	/* Taken off in any letters, told as it was put on. */
	assert_int_equal(mode(ada, "-b b!*@*"), CHAT_DONE);
	acts_expect(s, "ada MODE #c -b B!*@*\n");
	assert_string_equal(acts_list(s, "#c", CHAT_LIST_BAN), "A!*@*\n");
}

static int first_entry(void *arg, const struct chat_list_entry *e)
{
	*(struct chat_list_entry *)arg = *e;
	return 1;
}

static int read_first(struct store_txn *txn, void *arg)
{
	return chat_list_each(txn, acts_channel(s, "#c").id, CHAT_LIST_BAN, first_entry, arg);
}

static void test_who_put_it_on(void **state)
{
	struct chat_list_entry e;

	(void)state;
	mode(ada, "+b b!*@*");
	assert_int_equal(store_view(s, read_first, &e), 1);
	assert_string_equal(e.mask, "b!*@*");
	assert_true(strncmp(e.by, "ada!", 4) == 0 && strchr(e.by, '@') != NULL);
	assert_int_equal(e.at_us, ada.now_us);
}

static void test_long_masks(void **state)
{
	char change[8 + CHAT_MASK_SIZE] = "+b ";

	(void)state;
	memset(change + 3, 'x', CHAT_MASK_SIZE);
	assert_int_equal(mode(ada, change), CHAT_FORBIDDEN);
	change[3 + CHAT_MASK_SIZE - 1] = '\0';
	assert_int_equal(mode(ada, change), CHAT_DONE);
	assert_int_equal(strlen(acts_list(s, "#c", CHAT_LIST_BAN)), CHAT_MASK_SIZE);
	change[0] = '-';
	assert_int_equal(mode(ada, change), CHAT_DONE);
}

static void test_full_list(void **state)
{
	char change[32];

	(void)state;
	for (unsigned i = 0; i < CHAT_LISTS_MAX; i++) {
		(void)snprintf(change, sizeof(change), "+b m%u!*@*", i);
		assert_int_equal(mode(ada, change), CHAT_DONE);
	}
	assert_int_equal(mode(ada, "+b one!*@more"), CHAT_TOO_MANY);
	assert_int_equal(mode(ada, "+b M7!*@*"), CHAT_NOTHING);
	assert_int_equal(mode(ada, "+e one!*@more"), CHAT_DONE);
	assert_int_equal(mode(ada, "-b+b m7!*@* one!*@more"), CHAT_DONE);
}

/* What does not fit in a line of IRC becomes several events. */
static void test_many_changes(void **state)
{
	char masks[3][CHAT_MASK_SIZE], changes[512], expected[1024];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		memset(masks[i], 'a' + (int)i, sizeof(masks[i]));
		masks[i][CHAT_MASK_SIZE - 2] = '\0';
	}
	(void)snprintf(changes, sizeof(changes), "+bbbm %s %s %s", masks[0], masks[1], masks[2]);
	assert_int_equal(mode(ada, changes), CHAT_DONE);
	(void)snprintf(expected, sizeof(expected),
		"ada MODE #c +b %s\nada MODE #c +b %s\nada MODE #c +bm %s\n", masks[0], masks[1],
		masks[2]);
	acts_expect(s, expected);
	assert_true(acts_channel(s, "#c").modes & CHAT_MODE_MODERATED);
}

/* -- what matches ------------------------------------------------------------------------------ */

struct question {
	const char *who;
	bool mute;
};

static int ask(struct store_txn *txn, void *arg)
{
	const struct question *q = arg;
	struct chat_channel c;
	struct chat_user u;
	int rc = chat_user_read(txn, q->who, &u);

	if (rc == 0)
		rc = chat_channel_find(txn, SPAN_LIT("#c"), &c);
	return rc < 0 ? rc : chat_list_matches(txn, c.id, CHAT_LIST_BAN, &u, q->mute);
}

static bool banned(const char *who, bool mute)
{
	struct question q = {who, mute};
	int rc = store_view(s, ask, &q);

	assert_true(rc == 0 || rc == 1);
	return rc == 1;
}

static const struct {
	const char *mask;
	bool ben, gus, mute_ben, mute_gus;
} masks[] = {
	{"ben!*@*", true, false, true, false},
	{"*!*@user/ben", true, false, true, false},
	{"*!*@guest/*", false, true, false, true},
	{"*", true, true, true, true},
	{"~a:ben", true, false, true, false},
	{"a:BEN", true, false, true, false},
	{"~a:b*", true, false, true, false},
	{"~a:*", true, false, true, false}, /* a guest has no account */
	{"a:gus", false, false, false, false},
	{"m:gus!*@*", false, false, false, true},
	{"m:GUS!*@*", false, false, false, true},
	{"~m:*", false, false, true, true},
	{"m:a:ben", false, false, true, false},
	{"~q:*", false, false, false, false},
	{"m:", false, false, false, false},
};

static void test_matches(void **state)
{
	char change[64];

	(void)state;
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		(void)snprintf(change, sizeof(change), "+b %s", masks[i].mask);
		assert_int_equal(mode(ada, change), CHAT_DONE);
		assert_int_equal(banned("ben", false), masks[i].ben);
		assert_int_equal(banned(gus.who, false), masks[i].gus);
		assert_int_equal(banned("ben", true), masks[i].mute_ben);
		assert_int_equal(banned(gus.who, true), masks[i].mute_gus);
		change[0] = '-';
		assert_int_equal(mode(ada, change), CHAT_DONE);
	}
	/* Any of several. */
	mode(ada, "+bbb x!*@* ben!*@* z!*@*");
	assert_true(banned("ben", false));
	assert_false(banned(gus.who, false));
}

/* A mute is no reason not to let in. */
static void test_mute_lets_in(void **state)
{
	(void)state;
	acts_part(s, ben, "#c");
	mode(ada, "+b m:*");
	assert_int_equal(acts_enter(s, ben, "#c"), CHAT_DONE);
	acts_part(s, ben, "#c");
	mode(ada, "+be * m:*");
	assert_int_equal(acts_enter(s, ben, "#c"), CHAT_BANNED); /* nor does one except from bans */
	mode(ada, "+e ~a:ben");
	assert_int_equal(acts_enter(s, ben, "#c"), CHAT_DONE);
}

/* -- TOPIC ------------------------------------------------------------------------------------- */

static void test_topic(void **state)
{
	struct chat_channel c;

	(void)state;
	assert_int_equal(acts_topic(s, ada, "#none", "x"), CHAT_NO_SUCH_CHANNEL);
	assert_int_equal(acts_topic(s, gus, "#c", "x"), CHAT_NOT_OP);
	mode(ada, "+v gus");
	assert_int_equal(acts_topic(s, gus, "#c", "x"), CHAT_NOT_OP);
	acts_forget(s);
	assert_int_equal(acts_topic(s, ada, "#c", "of the day"), CHAT_DONE);
	acts_expect(s, "ada TOPIC #c: of the day\n");
	c = acts_channel(s, "#c");
	assert_string_equal(c.topic, "of the day");
	assert_true(strncmp(c.topic_by, "ada!", 4) == 0);
	assert_int_equal(c.topic_us, ada.now_us);
	mode(ada, "+h-t gus");
	assert_int_equal(acts_topic(s, ben, "#c", ""), CHAT_DONE);
	assert_string_equal(acts_channel(s, "#c").topic, "");
	mode(ada, "+t");
	assert_int_equal(acts_topic(s, ben, "#c", "x"), CHAT_NOT_OP);
	assert_int_equal(acts_topic(s, gus, "#c", "half"), CHAT_DONE);
	acts_part(s, ben, "#c");
	assert_int_equal(acts_topic(s, ben, "#c", "x"), CHAT_NOT_JOINED);
	acts_override = true;
	assert_int_equal(acts_topic(s, ben, "#c", "x"), CHAT_DONE);
}

/* Cut to its size, between characters. */
static void test_long_topic(void **state)
{
	char text[2 * CHAT_TOPIC_SIZE];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	text[CHAT_TOPIC_SIZE - 3] = '\xe2';
	text[CHAT_TOPIC_SIZE - 2] = '\x82';
	text[CHAT_TOPIC_SIZE - 1] = '\xac';
	assert_int_equal(acts_topic(s, ada, "#c", text), CHAT_DONE);
	assert_int_equal(strlen(acts_channel(s, "#c").topic), CHAT_TOPIC_SIZE - 3);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_flags),
		TEST(test_key_and_limit),
		TEST(test_roles),
		TEST(test_who_may),
		TEST(test_founder_stays),
		TEST(test_guest_steps_down),
		TEST(test_kept_roles),
		TEST(test_lists),
		TEST(test_who_put_it_on),
		TEST(test_long_masks),
		TEST(test_full_list),
		TEST(test_many_changes),
		TEST(test_matches),
		TEST(test_mute_lets_in),
		TEST(test_topic),
		TEST(test_long_topic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
