/* What is noted beside the log: redactions, read markers, metadata, devices, whom one talked to. */
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

enum { TEXT_MAX = 4096 };

static struct store *s;
static struct chat_actor ada, ben, gus; /* gus is a guest; ada made #c, ben is in it */

static int setup(void **state)
{
	return say_setup(state, &s, &ada, &ben, &gus);
}

/* -- redaction --------------------------------------------------------------------------------- */

static struct chat_result redacted(struct chat_actor by, const char *target, uint64_t seq)
{
	const struct chat_redact_args a = {.by = by,
		.target = span_str(target),
		.seq = seq,
		.text = SPAN_LIT("why"),
		.override = acts_override};
	struct chat_result r;

	assert_int_equal(store_call(s, STORE_OP_CHAT_REDACT, &a, &r), 0);
	assert_true((r.first != 0) == (r.answer == CHAT_DONE));
	return r;
}

static enum chat_answer redact(struct chat_actor by, const char *target, uint64_t seq)
{
	return redacted(by, target, seq).answer;
}

static uint64_t post(struct chat_actor by, const char *target, const char *text)
{
	struct chat_post one = say_message(target, text);

	one.tags = SPAN_LIT("+secret=tag");
	return say_one(s, by, one).seq[0];
}

static void test_redact(void **state)
{
	uint64_t seq = post(ben, "#c", "said too much");
	struct chat_result r = redacted(ben, "#c", seq);
	struct said k = say_event(s, seq);

	(void)state;
	assert_int_equal(r.answer, CHAT_DONE);
	assert_int_equal(r.ring.scope, CHAT_RING_CHANNEL);
	assert_int_equal(k.e.flags, CHAT_EVENT_REDACTED);
	assert_true(k.text[0] == '\0' && k.tags[0] == '\0');
	assert_string_equal(k.who, "ben");
	k = say_event(s, r.first);
	assert_int_equal(k.e.kind, CHAT_REDACT);
	assert_int_equal(k.e.number, seq);
	assert_string_equal(k.target, "#C");
	assert_string_equal(k.text, "why");
	assert_int_equal(k.e.session, ben.session);
	assert_int_equal(redact(ben, "#c", seq), CHAT_NO_SUCH_MESSAGE); /* a second time */
}

static void test_redact_whose(void **state)
{
	uint64_t hers = post(ada, "#c", "x"), his = post(ben, "#c", "x");
	uint64_t join;

	(void)state;
	assert_int_equal(redact(ben, "#c", hers), CHAT_FORBIDDEN);
	assert_string_equal(say_event(s, hers).text, "x");
	assert_int_equal(redact(ada, "#c", his), CHAT_DONE); /* she is its operator */
	assert_int_equal(redact(gus, "#c", hers), CHAT_NOT_JOINED);
	assert_int_equal(redact(ada, "#none", hers), CHAT_NO_SUCH_CHANNEL);
	assert_int_equal(redact(ada, "nobody", hers), CHAT_NO_SUCH_NICK);
	assert_int_equal(redact(ada, "ben", hers), CHAT_NO_SUCH_MESSAGE);
	assert_int_equal(redact(ada, "#c", hers + 1000), CHAT_NO_SUCH_MESSAGE);
	assert_int_equal(redact(ada, "#c", 0), CHAT_NO_SUCH_MESSAGE);
	join = acts_enter(s, gus, "#c") == CHAT_DONE ? redacted(ada, "#c", hers).head - 1 : 0;
	assert_int_equal(say_event(s, join).e.kind, CHAT_JOIN);
	assert_int_equal(redact(ada, "#c", join), CHAT_NO_SUCH_MESSAGE);
	hers = post(ada, "#c", "y");
	acts_override = true;
	assert_int_equal(redact(ben, "#c", hers), CHAT_DONE);
}

/* A message of another channel is not to be reached through one's own. */
static void test_redact_elsewhere(void **state)
{
	uint64_t seq = post(ada, "#c", "x");

	(void)state;
	assert_int_equal(acts_enter(s, ben, "#mine"), CHAT_DONE);
	assert_int_equal(redact(ben, "#mine", seq), CHAT_NO_SUCH_MESSAGE);
	assert_string_equal(say_event(s, seq).text, "x");
}

static void test_redact_talk(void **state)
{
	uint64_t hers = post(ada, "ben", "x"), other = post(ada, "gus", "x");
	struct chat_result r;

	(void)state;
	assert_int_equal(redact(ben, "ada", hers), CHAT_FORBIDDEN);
	assert_int_equal(redact(ada, "ben", other), CHAT_NO_SUCH_MESSAGE);
	assert_int_equal(say_talk(s, "ada", "ben"), hers);
	r = redacted(ada, "ben", hers);
	assert_int_equal(r.answer, CHAT_DONE);
	assert_int_equal(r.ring.scope, CHAT_RING_PEOPLE);
	assert_string_equal(say_event(s, r.first).peer, "ben");
	assert_int_equal(say_talk(s, "ada", "ben"), 0);
	assert_int_equal(redact(ada, "gus", other), CHAT_DONE);
	other = post(gus, "gus", "to a guest, by that guest");
	assert_int_equal(redact(gus, "gus", other), CHAT_DONE);
}

/* Nobody else learns what operators were told when it is taken back. */
static void test_redact_status(void **state)
{
	struct chat_post one = say_message("#c", "x");
	uint64_t seq;

	(void)state;
	one.status = '@';
	seq = say_one(s, ben, one).seq[0];
	assert_int_equal(say_event(s, redacted(ben, "#c", seq).first).e.status, '@');
}

/* -- markers ----------------------------------------------------------------------------------- */

static struct chat_mark_result mark(struct chat_actor by, const char *target, int64_t at_us)
{
	const struct chat_mark_args a = {.by = by, .target = span_str(target), .at_us = at_us};
	struct chat_mark_result r;

	assert_int_equal(store_call(s, STORE_OP_CHAT_MARK, &a, &r), 0);
	assert_true((r.result.first != 0) == (r.result.answer == CHAT_DONE));
	return r;
}

static void test_mark(void **state)
{
	struct chat_mark_result r = mark(ben, "#c", 0);
	struct said k;

	(void)state;
	assert_int_equal(r.result.answer, CHAT_NOTHING);
	assert_int_equal(r.at_us, 0);
	r = mark(ben, "#c", 500);
	assert_int_equal(r.result.answer, CHAT_DONE);
	assert_int_equal(r.at_us, 500);
	assert_int_equal(r.result.ring.scope, CHAT_RING_PEOPLE);
	assert_string_equal(r.result.ring.who[0], "ben");
	k = say_event(s, r.result.first);
	assert_int_equal(k.e.kind, CHAT_MARKREAD);
	assert_string_equal(k.peer, "ben");
	assert_string_equal(k.target, "#C");
	assert_int_equal(k.e.number, 500);
	r = mark(ben, "#c", 499); /* never back */
	assert_int_equal(r.result.answer, CHAT_NOTHING);
	assert_int_equal(r.at_us, 500);
	assert_int_equal(mark(ada, "#c", 0).at_us, 0);
	assert_int_equal(mark(gus, "#c", 1).result.answer, CHAT_NOT_JOINED);
	assert_int_equal(acts_mode(s, ada, "#c", "+v Ben", NULL), CHAT_DONE);
	assert_int_equal(acts_part(s, ben, "#c"), CHAT_DONE); /* the role is kept */
	assert_int_equal(mark(ben, "#c", 501).result.answer, CHAT_NOT_JOINED);
	assert_int_equal(mark(gus, "#none", 1).result.answer, CHAT_NO_SUCH_CHANNEL);
	assert_int_equal(mark(gus, "nobody", 1).result.answer, CHAT_NO_SUCH_NICK);
	assert_int_equal(mark(gus, "ada", 7).at_us, 7);
	assert_int_equal(mark(gus, "ADA", 0).at_us, 7);
}

struct look {
	const char *who, *device;
	struct chat_target target;
	int64_t at_us;
	uint64_t seq;
	struct buf text;
};

static int look_mark(struct store_txn *txn, void *arg)
{
	struct look *l = arg;

	return chat_mark_read(txn, l->who, &l->target, &l->at_us);
}

static void test_mark_read(void **state)
{
	struct look l = {.who = "ben", .target = {.a = "ben", .b = "ada"}};

	(void)state;
	assert_int_equal(store_view(s, look_mark, &l), -ENOENT);
	(void)mark(ben, "ada", 9);
	assert_int_equal(store_view(s, look_mark, &l), 0);
	assert_int_equal(l.at_us, 9);
	l.target = (struct chat_target){.a = "ada", .b = "ben"};
	assert_int_equal(store_view(s, look_mark, &l), 0);
	l.who = "ada";
	assert_int_equal(store_view(s, look_mark, &l), -ENOENT);
	l.target = (struct chat_target){.channel = acts_channel(s, "#c").id};
	(void)mark(ada, "#c", 11);
	assert_int_equal(store_view(s, look_mark, &l), 0);
	assert_int_equal(l.at_us, 11);
	l.target.channel = 4711;
	assert_int_equal(store_view(s, look_mark, &l), -ENOENT);
}

/* A marker stays where its channel goes with the last one, and comes along when it is renamed. */
static void test_mark_lives_on(void **state)
{
	(void)state;
	assert_int_equal(acts_enter(s, gus, "#g"), CHAT_DONE);
	(void)mark(gus, "#g", 5);
	assert_int_equal(acts_part(s, gus, "#g"), CHAT_DONE);
	assert_false(acts_exists(s, "#g"));
	assert_int_equal(acts_enter(s, gus, "#G"), CHAT_DONE);
	assert_int_equal(mark(gus, "#g", 0).at_us, 5);
	(void)mark(ben, "#c", 6);
	assert_int_equal(acts_rename(s, ada, "#c", "#other"), CHAT_DONE);
	assert_int_equal(mark(ben, "#other", 0).at_us, 6);
	assert_int_equal(mark(ada, "#other", 0).at_us, 0);
	assert_int_equal(acts_enter(s, ben, "#c"), CHAT_DONE);
	assert_int_equal(mark(ben, "#c", 0).at_us, 0);
}

/* -- metadata ---------------------------------------------------------------------------------- */

static struct chat_result meta(
	struct chat_actor by, const char *channel, const char *key, const char *value)
{
	const struct chat_meta_args a = {.by = by,
		.channel = span_str(channel),
		.key = span_str(key),
		.value = span_str(value),
		.all = key == NULL,
		.override = acts_override};
	struct chat_result r;

	assert_int_equal(store_call(s, STORE_OP_CHAT_META, &a, &r), 0);
	assert_true((r.first != 0) == (r.answer == CHAT_DONE));
	return r;
}

static int add_meta(void *arg, const struct chat_meta_row *m)
{
	struct buf *b = arg;

	buf_addf(b, "%s=", m->key);
	buf_add(b, m->value);
	buf_add_byte(b, '\n');
	return buf_error(b);
}

static int look_meta(struct store_txn *txn, void *arg)
{
	struct look *l = arg;

	return chat_meta_each(txn, l->target.channel, l->who, add_meta, &l->text);
}

/* All keys of a person, or of a channel, in a buffer that the next call takes. */
static const char *all_meta(const char *channel, const char *who)
{
	static char text[TEXT_MAX];
	struct look l = {.who = who, .text = BUF_INIT(sizeof(text) - 1)};

	if (channel != NULL)
		l.target.channel = acts_channel(s, channel).id;
	assert_int_equal(store_view(s, look_meta, &l), 0);
	assert_int_equal(span_copy_str(buf_span(&l.text), text, sizeof(text)), 0);
	buf_done(&l.text);
	return text;
}

static void test_meta(void **state)
{
	struct chat_result r = meta(ada, "", "avatar", "x.png");
	struct said k = say_event(s, r.first);

	(void)state;
	assert_int_equal(r.answer, CHAT_DONE);
	assert_int_equal(r.ring.scope, CHAT_RING_ALL);
	assert_int_equal(k.e.kind, CHAT_METADATA);
	assert_string_equal(k.subject, "avatar");
	assert_string_equal(k.text, "x.png");
	assert_int_equal(k.e.channel, 0);
	assert_int_equal(k.e.channels.len, 8); /* #c */
	assert_int_equal(k.e.flags, 0);
	assert_int_equal(meta(ada, "", "avatar", "x.png").answer, CHAT_NOTHING);
	assert_int_equal(meta(ada, "", "avatar", "y.png").answer, CHAT_DONE);
	assert_int_equal(meta(ada, "", "a", "").answer, CHAT_DONE); /* empty is a value */
	assert_string_equal(all_meta(NULL, "ada"), "a=\navatar=y.png\n");
	assert_string_equal(all_meta(NULL, "ad"), "");
	r = meta(ada, "", "avatar", NULL);
	assert_int_equal(say_event(s, r.first).e.flags, CHAT_EVENT_CLEARED);
	assert_int_equal(meta(ada, "", "avatar", NULL).answer, CHAT_UNKNOWN_KEY);
	r = meta(ada, "", NULL, NULL);
	assert_string_equal(say_event(s, r.first).subject, "a");
	assert_string_equal(all_meta(NULL, "ada"), "");
	assert_int_equal(meta(ada, "", NULL, NULL).answer, CHAT_NOTHING);
}

static void test_meta_channel(void **state)
{
	struct chat_result r = meta(ada, "#c", "url", "https://example.org/");
	struct said k = say_event(s, r.first);

	(void)state;
	assert_int_equal(r.ring.scope, CHAT_RING_CHANNEL);
	assert_string_equal(k.target, "#C");
	assert_int_equal(k.e.channel, acts_channel(s, "#c").id);
	assert_int_equal(meta(ben, "#c", "url", "x").answer, CHAT_NOT_OP);
	assert_int_equal(meta(ben, "#c", NULL, NULL).answer, CHAT_NOT_OP);
	assert_int_equal(meta(gus, "#c", "url", "x").answer, CHAT_NOT_JOINED);
	assert_int_equal(meta(gus, "#none", "url", "x").answer, CHAT_NO_SUCH_CHANNEL);
	assert_string_equal(all_meta("#c", ""), "url=https://example.org/\n");
	acts_override = true;
	assert_int_equal(meta(gus, "#c", "b", "x").answer, CHAT_DONE);
	acts_override = false;
	r = meta(ada, "#c", NULL, NULL);
	assert_int_equal(r.head, r.first + 1);
	assert_string_equal(all_meta("#c", ""), "");
}

static void test_meta_limits(void **state)
{
	static char value[CHAT_META_VALUE_MAX + 2];
	struct chat_meta_args a = {.by = ada, .value = SPAN_LIT("x")};
	static const char *const bad[] = {"", "A", "a b", "a:", "\xc3\xa4",
		"a23456789012345678901234567890123456789012345678901234567890abcde"};
	struct chat_result r;
	char key[8];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a.key = span_str(bad[i]);
		assert_int_equal(store_call(s, STORE_OP_CHAT_META, &a, &r), -EINVAL);
	}
	for (unsigned i = 0; i < CHAT_META_MAX; i++) {
		(void)snprintf(key, sizeof(key), "k%u", i);
		assert_int_equal(meta(ada, "", key, "x").answer, CHAT_DONE);
	}
	assert_int_equal(meta(ada, "", "more", "x").answer, CHAT_TOO_MANY);
	memset(value, 'x', sizeof(value) - 2);
	assert_int_equal(meta(ada, "", "k0", value).answer, CHAT_DONE);
	value[sizeof(value) - 2] = 'x';
	a.key = SPAN_LIT("k0");
	a.value = span_str(value);
	assert_int_equal(store_call(s, STORE_OP_CHAT_META, &a, &r), -EINVAL);
}

/* What belonged to a channel or a guest goes with it. */
static void test_meta_goes(void **state)
{
	(void)state;
	assert_int_equal(acts_enter(s, gus, "#g"), CHAT_DONE);
	assert_int_equal(meta(gus, "#g", "url", "x").answer, CHAT_DONE);
	assert_int_equal(meta(gus, "", "avatar", "x").answer, CHAT_DONE);
	assert_int_equal(acts_part(s, gus, "#g"), CHAT_DONE);
	assert_int_equal(acts_enter(s, gus, "#g"), CHAT_DONE);
	assert_string_equal(all_meta("#g", ""), "");
	chat_fixture_leave(s, gus);
	assert_string_equal(all_meta(NULL, gus.who), "");
}

/* -- devices ----------------------------------------------------------------------------------- */

static int look_seen(struct store_txn *txn, void *arg)
{
	struct look *l = arg;

	return chat_seen_read(txn, l->who, l->device, &l->seq);
}

static uint64_t seen(const char *who, const char *device)
{
	struct look l = {.who = who, .device = device, .seq = 4711};

	assert_int_equal(store_view(s, look_seen, &l), 0);
	return l.seq;
}

static enum chat_answer note_seen(struct chat_actor by, uint64_t seq)
{
	const struct chat_seen_args a = {.by = by, .seq = seq};
	struct chat_result r;

	assert_int_equal(store_call(s, STORE_OP_CHAT_SEEN, &a, &r), 0);
	assert_int_equal(r.first, 0);
	return r.answer;
}

static void test_seen(void **state)
{
	uint64_t head = post(ada, "#c", "x");
	struct chat_seen_args a = {.by = ada, .seq = head + 1};
	struct chat_result r;

	(void)state;
	assert_int_equal(note_seen(ada, 2), CHAT_DONE);
	assert_int_equal(seen("ada", ""), 2);
	assert_int_equal(note_seen(ada, 1), CHAT_DONE); /* never back */
	assert_int_equal(seen("ada", ""), 2);
	assert_int_equal(seen("ada", "phone"), 0);
	assert_int_equal(seen("ben", ""), 0);
	assert_int_equal(note_seen(gus, 2), CHAT_NOTHING);
	assert_int_equal(seen(gus.who, ""), 0);
	assert_int_equal(store_call(s, STORE_OP_CHAT_SEEN, &a, &r), -EINVAL);
}

struct devices {
	unsigned from, to;
};

static int add_devices(struct store_txn *txn, const void *args, void *result)
{
	const struct devices *d = args;
	struct chat_session one = {.id = 1, .who = "ada"};
	int rc = 0;

	(void)result;
	for (unsigned i = d->from; rc == 0 && i < d->to; i++) {
		(void)snprintf(one.device, sizeof(one.device), "device%u", i);
		rc = chat_seen_note(txn, &one, 1 + i, FIXTURE_NOW + i);
	}
	return rc;
}

static void test_devices(void **state)
{
	const struct op_def def = {"devices", add_devices, 1, 0, 0, NULL};
	struct devices d = {0, CHAT_DEVICES_MAX};

	(void)state;
	op_override = &def;
	assert_int_equal(store_call(s, STORE_OP_CHAT_SEEN, &d, NULL), 0);
	d = (struct devices){CHAT_DEVICES_MAX, CHAT_DEVICES_MAX + 2};
	assert_int_equal(store_call(s, STORE_OP_CHAT_SEEN, &d, NULL), 0);
	op_override = NULL;
	assert_int_equal(seen("ada", "device0"), 0); /* the oldest two made room */
	assert_int_equal(seen("ada", "device1"), 0);
	assert_int_equal(seen("ada", "device2"), 3);
	assert_int_equal(seen("ada", "device51"), 52);
}

/* -- whom one talked to ------------------------------------------------------------------------ */

static int add_peer(void *arg, const char *peer, const struct chat_event *newest)
{
	buf_addf(arg, "%s:%ju ", peer, (uintmax_t)newest->seq);
	return 0;
}

static int look_peers(struct store_txn *txn, void *arg)
{
	struct look *l = arg;

	return chat_peers_each(txn, l->who, add_peer, &l->text);
}

static void expect_peers(const char *who, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void expect_peers(const char *who, const char *format, ...)
{
	struct look l = {.who = who, .text = BUF_INIT(TEXT_MAX)};
	char expected[TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(expected, sizeof(expected), format, args);
	va_end(args);
	assert_int_equal(store_view(s, look_peers, &l), 0);
	assert_string_equal(buf_str(&l.text), expected);
	buf_done(&l.text);
}

static void test_peers(void **state)
{
	const struct chat_post typing = {.kind = CHAT_TAGMSG,
		.flags = CHAT_EVENT_PASSING,
		.target = SPAN_LIT("ben"),
		.tags = SPAN_LIT("+typing=active")};
	uint64_t one, two, self;

	(void)state;
	(void)say_one(s, ada, typing);
	expect_peers("ada", "%s", "");
	one = post(ada, "gus", "x");
	two = post(ben, "ada", "x");
	expect_peers("ada", "%s:%ju ben:%ju ", gus.who, (uintmax_t)one, (uintmax_t)two);
	expect_peers("ben", "ada:%ju ", (uintmax_t)two);
	expect_peers(gus.who, "ada:%ju ", (uintmax_t)one);
	self = post(ada, "ada", "x");
	two = post(ada, "ben", "y");
	chat_fixture_leave(s, gus); /* nobody has that name again */
	expect_peers("ada", "ada:%ju ben:%ju ", (uintmax_t)self, (uintmax_t)two);
	assert_int_equal(redact(ada, "ada", self), CHAT_DONE);
	expect_peers("ada", "ben:%ju ", (uintmax_t)two);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, say_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(redact),
		TEST(redact_whose),
		TEST(redact_elsewhere),
		TEST(redact_talk),
		TEST(redact_status),
		TEST(mark),
		TEST(mark_read),
		TEST(mark_lives_on),
		TEST(meta),
		TEST(meta_channel),
		TEST(meta_limits),
		TEST(meta_goes),
		TEST(seen),
		TEST(devices),
		TEST(peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
