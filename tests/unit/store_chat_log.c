/*
 * Reading the log of chat beside a plain model of it: random events of channels and talks, some of
 * them gone again, and every kind of question about every target.
 */
#include "store/chat_i.h"

#include "base/num.h"
#include "base/timefmt.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { EVENTS = 400, AT_ONCE = 40, CHANNELS = 3, TARGETS = 6, QUESTIONS = 4000 };

struct modelled {
	enum chat_kind kind;
	unsigned flags;
	int64_t at_us;
	unsigned target; /* of targets[]; TARGETS: of none */
	unsigned in; /* channels[], a bit each */
	bool gone;
};

struct model {
	uint64_t random;
	struct modelled events[EVENTS + 1]; /* by position */
	uint64_t head;
	int64_t now_us;
	struct store *s;
};

static const struct chat_target targets[TARGETS] = {{.channel = 1}, {.channel = 2},
	{.channel = UINT64_C(1) << 40}, {.a = "ann", .b = "bob"}, {.a = "ann", .b = "ann"},
	{.a = "*7", .b = "ann"}};

static unsigned pick(struct model *m, unsigned n)
{
	m->random = m->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(m->random >> 33) % n;
}

static uint64_t seed(void)
{
	const char *text = getenv("QUINTET_TEST_SEED");
	uint64_t ret = (uint64_t)time_now_us();

	if (text != NULL)
		(void)num_parse_u64(span_str(text), 0, UINT64_MAX, &ret);
	print_message("QUINTET_TEST_SEED=%ju\n", (uintmax_t)ret);
	return ret;
}

/* -- writing ----------------------------------------------------------------------------------- */

/* Some kinds with a target, some of a person in channels, one of neither history. */
static const struct {
	enum chat_kind kind;
	bool target, channels, shown;
} kinds[] = {
	{CHAT_PRIVMSG, true, false, true},
	{CHAT_PRIVMSG, true, false, true},
	{CHAT_NOTICE, true, false, true},
	{CHAT_TAGMSG, true, false, true},
	{CHAT_JOIN, true, false, true},
	{CHAT_TOPIC, true, false, true},
	{CHAT_METADATA, true, false, false},
	{CHAT_QUIT, false, true, true},
	{CHAT_NICK, false, true, true},
	{CHAT_AWAY, false, true, false},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static bool is_shown(const struct modelled *e, unsigned target)
{
	if (e->gone || (e->flags & CHAT_EVENT_PASSING) != 0)
		return false;
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].kind == e->kind && !kinds[i].shown)
			return false;
	return e->target == target || (target < CHANNELS && (e->in >> target & 1) != 0);
}

struct writing {
	const struct modelled *events;
	size_t count;
	uint64_t remove; /* 0: nothing */
	uint64_t first;
};

static int append_one(struct store_txn *txn, const struct modelled *m, struct chat_result *r)
{
	_cleanup_(buf_done) struct buf channels = BUF_INIT(sizeof(uint64_t) * CHANNELS);
	struct chat_event e = {.kind = m->kind, .flags = m->flags, .who = SPAN_LIT("ann")};
	const struct chat_target *t = m->target < TARGETS ? &targets[m->target] : NULL;

	for (unsigned i = 0; i < CHANNELS; i++)
		if ((m->in >> i & 1) != 0)
			buf_add_u64(&channels, targets[i].channel);
	e.channels = buf_span(&channels);
	e.channel = t != NULL ? t->channel : 0;
	if (t != NULL && t->channel == 0) {
		e.who = span_str(t->a);
		e.peer = span_str(t->b);
	}
	e.text = SPAN_LIT("text");
	return chat_append(txn, m->at_us, &e, r, NULL);
}

static int write_op(struct store_txn *txn, const void *args, void *result)
{
	const struct writing *w = args;
	struct chat_result r = {.first = 0};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < w->count; i++)
		rc = append_one(txn, &w->events[i], &r);
	if (rc == 0 && w->count > 0 && r.first != w->first)
		rc = -EILSEQ;
	if (rc == 0 && w->remove != 0)
		rc = chat_event_remove(txn, w->remove);
	memcpy(result, &r.first, sizeof(r.first));
	return rc;
}

static void write_all(struct store *s, const struct writing *w)
{
	const struct op_def def = {"write", write_op, 1, sizeof(uint64_t), 0, NULL};

	op_override = &def;
	assert_int_equal(store_call(s, STORE_OP_CHAT_POST, w, NULL), 0);
	op_override = NULL;
}

/* The clock goes back now and then: times in the log do not. */
static void more_events(struct model *m)
{
	struct writing w = {.events = &m->events[m->head + 1], .first = m->head + 1};
	int64_t newest_us = m->events[m->head].at_us;

	w.count = 1 + pick(m, AT_ONCE);
	if (w.count > EVENTS - m->head)
		w.count = EVENTS - m->head;
	for (size_t i = 0; i < w.count; i++) {
		struct modelled *e = &m->events[m->head + 1 + i];
		unsigned kind = pick(m, KINDS);

		m->now_us += (int64_t)pick(m, 20) - 5;
		*e = (struct modelled){.kind = kinds[kind].kind, .at_us = m->now_us};
		e->target = kinds[kind].target ? pick(m, TARGETS) : TARGETS;
		e->in = kinds[kind].channels ? pick(m, 1 << CHANNELS) : 0;
		e->flags = pick(m, 8) == 0 ? CHAT_EVENT_PASSING : 0;
	}
	write_all(m->s, &w);
	for (size_t i = 0; i < w.count; i++) {
		struct modelled *e = &m->events[++m->head];

		if (e->at_us < newest_us)
			e->at_us = newest_us;
		newest_us = e->at_us;
	}
}

static void fewer_events(struct model *m)
{
	struct writing w = {.remove = 1 + pick(m, (unsigned)m->head)};

	if (m->events[w.remove].gone)
		return;
	m->events[w.remove].gone = true;
	write_all(m->s, &w);
}

/* -- asking ------------------------------------------------------------------------------------ */

struct found {
	uint64_t seq[EVENTS];
	size_t count;
	size_t stop_at;
};

static int gather(void *arg, const struct chat_event *e)
{
	struct found *f = arg;

	assert_true(f->count < EVENTS);
	assert_true(span_eq_str(e->text, "text"));
	f->seq[f->count++] = e->seq;
	return f->count == f->stop_at ? 77 : 0;
}

static bool in_range(const struct model *m, const struct chat_range *r, uint64_t seq)
{
	return seq > r->after && (r->before == 0 || seq < r->before) &&
		(!r->messages_only || m->events[seq].kind == CHAT_PRIVMSG ||
			m->events[seq].kind == CHAT_NOTICE);
}

static void expect_range(
	const struct model *m, unsigned target, const struct chat_range *r, struct found *ret)
{
	uint64_t all[EVENTS];
	size_t count = 0, from = 0;

	for (uint64_t seq = 1; seq <= m->head; seq++)
		if (is_shown(&m->events[seq], target) && in_range(m, r, seq))
			all[count++] = seq;
	ret->count = count < r->max ? count : r->max;
	if (r->newest)
		from = count - ret->count;
	memcpy(ret->seq, all + from, ret->count * sizeof(all[0]));
}

static void ask_range(struct model *m, struct store_txn *txn)
{
	struct chat_range r = {.after = pick(m, (unsigned)m->head + 2),
		.before = pick(m, 4) == 0 ? 0 : pick(m, (unsigned)m->head + 4),
		.max = pick(m, 30),
		.newest = pick(m, 2) == 0,
		.messages_only = pick(m, 2) == 0};
	unsigned target = pick(m, TARGETS);
	struct found expected = {.count = 0}, found = {.count = 0};

	if (pick(m, 8) == 0)
		r.after = pick(m, 2) == 0 ? 0 : UINT64_MAX - 1;
	if (pick(m, 8) == 0)
		r.max = SIZE_MAX;
	expect_range(m, target, &r, &expected);
	assert_int_equal(chat_log_each(txn, &targets[target], &r, gather, &found), 0);
	assert_int_equal(found.count, expected.count);
	assert_memory_equal(found.seq, expected.seq, found.count * sizeof(found.seq[0]));
}

static void ask_time(struct model *m, struct store_txn *txn)
{
	unsigned target = pick(m, TARGETS);
	int64_t at_us = FIXTURE_NOW - 50 + pick(m, (unsigned)(m->now_us - FIXTURE_NOW + 100));
	uint64_t seq = 1, found = 0;

	while (seq <= m->head &&
		(!is_shown(&m->events[seq], target) || m->events[seq].at_us < at_us))
		seq++;
	assert_int_equal(chat_log_at(txn, &targets[target], at_us, &found), 0);
	assert_int_equal(found, seq);
}

static void ask_newest(struct model *m, struct store_txn *txn)
{
	unsigned target = pick(m, TARGETS);
	const struct chat_range messages = {.messages_only = true};
	struct chat_event e;
	uint64_t seq = m->head;
	int rc = chat_log_newest(txn, &targets[target], &e);

	while (seq > 0 && (!is_shown(&m->events[seq], target) || !in_range(m, &messages, seq)))
		seq--;
	assert_int_equal(rc, seq > 0 ? 0 : -ENOENT);
	if (rc == 0)
		assert_int_equal(e.seq, seq);
}

static void ask_all(struct model *m, struct store_txn *txn)
{
	uint64_t after = pick(m, (unsigned)m->head + 3), seq = after + 1, head = 0;
	struct found found = {.count = 0};
	struct chat_event e;

	assert_int_equal(chat_head(txn, &head), 0);
	assert_int_equal(head, m->head);
	assert_int_equal(chat_events_each(txn, after, gather, &found), 0);
	for (size_t i = 0; i < found.count; i++, seq++) {
		while (seq <= m->head && m->events[seq].gone)
			assert_int_equal(chat_event_read(txn, seq++, &e), -ENOENT);
		assert_int_equal(found.seq[i], seq);
		assert_int_equal(chat_event_read(txn, seq, &e), 0);
		assert_int_equal(e.at_us, m->events[seq].at_us);
	}
	while (seq <= m->head && m->events[seq].gone)
		seq++;
	assert_true(seq > m->head);
}

static int ask(struct store_txn *txn, void *arg)
{
	struct model *m = arg;

	for (unsigned i = 0; i < QUESTIONS; i++) {
		ask_range(m, txn);
		ask_time(m, txn);
		ask_newest(m, txn);
		if (i % 64 == 0)
			ask_all(m, txn);
	}
	return 0;
}

static void test_questions(void **state)
{
	struct store_fixture *f = *state;
	struct model *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->random = seed();
	m->now_us = FIXTURE_NOW;
	m->events[0].at_us = INT64_MIN;
	m->s = f->s;
	while (m->head < EVENTS) {
		more_events(m);
		for (unsigned i = pick(m, 5); i > 0; i--)
			fewer_events(m);
		assert_int_equal(store_view(f->s, ask, m), 0);
	}
	free(m);
}

/* -- the rest ---------------------------------------------------------------------------------- */

static int stopped(struct store_txn *txn, void *arg)
{
	const struct chat_range all = {.max = SIZE_MAX};
	const struct chat_target guests = {.a = "*7", .b = "*8"};
	struct found found = {.stop_at = 2};
	uint64_t seq;

	(void)arg;
	assert_int_equal(chat_events_each(txn, 0, gather, &found), 77);
	assert_int_equal(found.count, 2);
	found.count = 0;
	assert_int_equal(chat_log_each(txn, &targets[0], &all, gather, &found), 77);
	assert_int_equal(found.count, 2);
	assert_int_equal(chat_log_each(txn, &guests, &all, gather, &found), -EINVAL);
	assert_int_equal(chat_log_at(txn, &guests, 0, &seq), -EINVAL);
	return 0;
}

static void test_stop(void **state)
{
	struct store_fixture *f = *state;
	struct model m = {.s = f->s};
	struct writing w = {.events = &m.events[1], .count = 3, .first = EVENTS + 1};

	for (unsigned i = 1; i <= w.count; i++)
		m.events[i] = (struct modelled){.kind = CHAT_PRIVMSG};
	write_all(f->s, &w);
	assert_int_equal(store_view(f->s, stopped, NULL), 0);
}

static void test_lines(void **state)
{
	struct span rest = SPAN_LIT("\000one\n\001two \n\000\n"), line;
	bool concat = true;

	(void)state;
	assert_true(chat_line_next(&rest, &line, &concat));
	assert_true(span_eq_str(line, "one") && !concat);
	assert_true(chat_line_next(&rest, &line, &concat));
	assert_true(span_eq_str(line, "two ") && concat);
	assert_true(chat_line_next(&rest, &line, &concat));
	assert_true(line.len == 0 && !concat);
	assert_false(chat_line_next(&rest, &line, &concat));
}

static void test_event_in(void **state)
{
	static const unsigned char ids[] = {
		0, 0, 0, 0, 0, 0, 0, 5, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0};
	const struct chat_event e = {.channels = {ids, sizeof(ids)}}, none = {.seq = 1};

	(void)state;
	assert_true(chat_event_in(&e, 5));
	assert_true(chat_event_in(&e, UINT64_C(0x0102030405060708)));
	assert_false(chat_event_in(&e, 1));
	assert_false(chat_event_in(&e, UINT64_C(0x0501020304050607))); /* not at its start */
	assert_false(chat_event_in(&e, 0));
	assert_false(chat_event_in(&none, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_event_in),
	};

	return cmocka_run_group_tests(tests, store_fixture_setup, store_fixture_teardown);
}
