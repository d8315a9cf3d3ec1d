/* Messages and events. */
#include "tests/unit/lib/chat_say.h"

#include "store/policy.h"
#include "tests/unit/lib/chat_acts.h"
#include "tests/unit/lib/chat_fixture.h"
#include "tests/unit/lib/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

void say_policy(struct store *s, const char *name, const char *value)
{
	struct policy_set_args a = {.now_us = FIXTURE_NOW, .by = "test"};

	(void)snprintf(a.name, sizeof(a.name), "%s", name);
	(void)snprintf(a.value, sizeof(a.value), "%s", value);
	assert_int_equal(store_call(s, STORE_OP_POLICY_SET, &a, NULL), 0);
}

struct chat_post say_message(const char *target, const char *text)
{
	return (struct chat_post){
		.kind = CHAT_PRIVMSG, .target = span_str(target), .text = span_str(text)};
}

struct chat_post_result say_all(
	struct store *s, struct chat_actor by, const struct chat_post *posts, size_t count)
{
	const struct chat_post_args a = {.by = by,
		.source = SPAN_LIT("192.0.2.1"),
		.posts = posts,
		.count = count,
		.override = acts_override};
	struct chat_post_result r;

	assert_int_equal(store_call(s, STORE_OP_CHAT_POST, &a, &r), 0);
	return r;
}

struct chat_post_result say_one(struct store *s, struct chat_actor by, struct chat_post one)
{
	return say_all(s, by, &one, 1);
}

enum chat_answer say(struct store *s, struct chat_actor by, const char *target, const char *text)
{
	struct chat_post_result r = say_one(s, by, say_message(target, text));
	bool done = r.each[0] == CHAT_DONE;

	assert_int_equal(r.result.answer, r.each[0]);
	assert_true((r.result.first != 0) == done);
	assert_int_equal(r.seq[0], r.result.first);
	assert_true(!done || r.result.head == r.seq[0]);
	assert_true((r.result.ring.scope != CHAT_RING_NONE) == done);
	return r.each[0];
}

static int keep(struct store_txn *txn, void *arg)
{
	struct said *k = arg;
	struct chat_event *e = &k->e;
	int rc = chat_event_read(txn, k->seq, e);

	if (rc == 0)
		rc = span_copy_str(e->who, k->who, sizeof(k->who));
	if (rc == 0)
		rc = span_copy_str(e->nick, k->nick, sizeof(k->nick));
	if (rc == 0)
		rc = span_copy_str(e->target, k->target, sizeof(k->target));
	if (rc == 0)
		rc = span_copy_str(e->peer, k->peer, sizeof(k->peer));
	if (rc == 0)
		rc = span_copy_str(e->subject, k->subject, sizeof(k->subject));
	if (rc == 0)
		rc = span_copy_str(e->text, k->text, sizeof(k->text));
	if (rc == 0)
		rc = span_copy_str(e->tags, k->tags, sizeof(k->tags));
	return rc;
}

struct said say_event(struct store *s, uint64_t seq)
{
	struct said k = {.seq = seq};

	assert_int_equal(store_view(s, keep, &k), 0);
	return k;
}

struct asking {
	struct chat_target target;
	uint64_t sum;
};

static int add_seq(void *arg, const struct chat_event *e)
{
	struct asking *a = arg;

	if (e->kind <= CHAT_TAGMSG)
		a->sum = a->sum * 1000 + e->seq;
	return 0;
}

static int ask_log(struct store_txn *txn, void *arg)
{
	struct asking *a = arg;
	const struct chat_range all = {.max = SIZE_MAX};

	return chat_log_each(txn, &a->target, &all, add_seq, a);
}

uint64_t say_talk(struct store *s, const char *one, const char *other)
{
	struct asking a = {.sum = 0};

	(void)snprintf(a.target.a, sizeof(a.target.a), "%s", one);
	(void)snprintf(a.target.b, sizeof(a.target.b), "%s", other);
	assert_int_equal(store_view(s, ask_log, &a), 0);
	return a.sum;
}

int say_setup(void **state, struct store **ret, struct chat_actor *ret_ada,
	struct chat_actor *ret_ben, struct chat_actor *ret_gus)
{
	int rc = store_fixture_setup(state);
	struct store *s = ((struct store_fixture *)*state)->s;

	*ret = s;
	*ret_ada = chat_fixture_person(s, "ada", "ada");
	*ret_ben = chat_fixture_person(s, "ben", "Ben");
	*ret_gus = chat_fixture_person(s, NULL, "gus");
	say_policy(s, "chat_flood_rate", "0");
	assert_int_equal(acts_enter(s, *ret_ada, "#C"), CHAT_DONE);
	assert_int_equal(acts_enter(s, *ret_ben, "#c"), CHAT_DONE);
	return rc;
}

int say_teardown(void **state)
{
	acts_override = false;
	assert_int_equal(store_check(((struct store_fixture *)*state)->s, NULL, NULL), 0);
	return store_fixture_teardown(state);
}
