/*
 * Mailboxes beside a plain model of them: random deliveries, appends, copies, moves, changes of
 * flags and expunges; after each the answer, now and then every message, count, change and body.
 */
#include "base/num.h"
#include "base/timefmt.h"
#include "store/mail_i.h"
#include "tests/unit/lib/mail_acts.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ACTS = 1500, WHOLE_EVERY = 50, PEOPLE = 3, BOXES = 3, UIDS = 2048, BODIES = 8, PICKS = 6 };

static const char *const names[PEOPLE] = {"ann", "bob", "cat"};
static const char *const box_names[BOXES] = {"INBOX", "Sent", "Archive"};
static const char *const bodies[BODIES] = {"a", "bb", "ccc", "dddd", "eeeee", "ffffff", "", "zz"};

struct model_message {
	bool there, gone;
	uint32_t system;
	uint64_t keywords;
	unsigned body;
	uint64_t modseq;
};

struct model_box {
	uint64_t id;
	uint32_t uid_next;
	struct model_message messages[UIDS];
};

struct run {
	struct store *s;
	uint64_t random;
	uint64_t modseq[PEOPLE];
	struct model_box boxes[PEOPLE][BOXES];
	unsigned keys;
};

static unsigned pick(struct run *r, unsigned n)
{
	r->random = r->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(r->random >> 33) % n;
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

/* -- the model --------------------------------------------------------------------------------- */

static void model_add(struct model_box *b, struct model_message m, uint64_t modseq)
{
	m.there = true;
	m.gone = false;
	m.modseq = modseq;
	b->messages[b->uid_next++] = m;
}

/* Distinct UIDs, ascending, some of which may not exist; the count. */
static size_t pick_uids(struct run *r, const struct model_box *b, uint32_t ret[PICKS])
{
	size_t n = 0;

	for (uint32_t uid = 1 + pick(r, b->uid_next); n < PICKS && uid <= b->uid_next;
		uid += 1 + pick(r, 4))
		ret[n++] = uid;
	return n;
}

static bool bit(const unsigned char *bits, size_t n)
{
	return (bits[n / 8] >> n % 8 & 1) != 0;
}

/* -- acts -------------------------------------------------------------------------------------- */

static void act_deliver(struct run *r, unsigned who)
{
	struct mail_delivery d;
	struct mail_deliver_result got;
	const unsigned body = pick(r, BODIES), other = pick(r, PEOPLE);
	char both[32];

	(void)snprintf(both, sizeof(both), "%s %s", names[who], names[other]);
	mail_acts_delivery(&d, names[who], both, bodies[body]);
	memset(d.a.key, 0, sizeof(d.a.key));
	(void)snprintf((char *)d.a.key, sizeof(d.a.key), "%u", r->keys++);
	for (unsigned again = 0; again < 2; again++)
		assert_int_equal(mail_acts_send(r->s, &d, &got), 0);
	assert_int_equal(got.duplicates, 2);
	model_add(&r->boxes[who][0], (struct model_message){.body = body}, ++r->modseq[who]);
	if (other != who)
		model_add(&r->boxes[other][0], (struct model_message){.body = body},
			++r->modseq[other]);
}

static void act_append(struct run *r, unsigned who)
{
	struct model_box *b = &r->boxes[who][pick(r, BOXES)];
	struct model_message m = {.system = pick(r, 32), .body = pick(r, BODIES)};
	struct mail_added got;

	assert_int_equal(mail_acts_append(r->s, names[who], b->id, bodies[m.body],
				 (struct mail_flag_names){.system = m.system}, &got),
		0);
	assert_int_equal(got.first_uid, b->uid_next);
	assert_int_equal(got.modseq, r->modseq[who] + 1);
	model_add(b, m, ++r->modseq[who]);
}

static void act_copy(struct run *r, unsigned who)
{
	const struct model_box *from = &r->boxes[who][pick(r, BOXES)];
	struct model_box *to = &r->boxes[who][pick(r, BOXES)];
	struct mail_copy_args a = {.from = from->id, .to = to->id, .now_us = FIXTURE_NOW};
	struct mail_added got;
	uint32_t uids[PICKS];
	bool all = true;
	int rc;

	a.uids = uids;
	a.count = pick_uids(r, from, uids);
	if (a.count == 0)
		return;
	for (size_t i = 0; i < a.count; i++)
		all = all && from->messages[uids[i]].there;
	memcpy(a.account, names[who], strlen(names[who]));
	rc = store_call(r->s, STORE_OP_MAIL_COPY, &a, &got);
	assert_int_equal(rc, all ? 0 : -ENOENT);
	if (!all)
		return;
	assert_int_equal(got.first_uid, to->uid_next);
	assert_int_equal(got.count, a.count);
	r->modseq[who]++;
	for (size_t i = 0; i < a.count; i++)
		model_add(to, from->messages[uids[i]], r->modseq[who]);
}

static void act_move(struct run *r, unsigned who)
{
	struct model_box *from = &r->boxes[who][pick(r, BOXES)];
	struct model_box *to = &r->boxes[who][pick(r, BOXES)];
	struct mail_copy_args a = {.from = from->id, .to = to->id, .now_us = FIXTURE_NOW};
	const uint64_t modseq = r->modseq[who] + 1;
	const uint32_t end = from->uid_next; /* to may be the same */
	struct mail_move_result got;
	uint32_t uids[PICKS];

	a.uids = uids;
	a.count = pick_uids(r, from, uids);
	if (a.count == 0)
		return;
	memcpy(a.account, names[who], strlen(names[who]));
	assert_int_equal(store_call(r->s, STORE_OP_MAIL_MOVE, &a, &got), 0);
	for (size_t i = 0; i < a.count; i++) {
		struct model_message *m = &from->messages[uids[i]];

		const bool moves = uids[i] < end && !m->gone;

		assert_int_equal(bit(got.moved, i), moves);
		if (!moves)
			continue;
		r->modseq[who] = modseq;
		model_add(to, *m, modseq);
		m->gone = true;
		m->modseq = modseq;
	}
	assert_int_equal(got.modseq, r->modseq[who] == modseq ? modseq : 0);
}

static void model_flag(struct model_message *m, const struct mail_flags_args *a, uint64_t keywords)
{
	const uint32_t system = a->flags.system;

	if (a->how == MAIL_FLAGS_SET) {
		m->system = system;
		m->keywords = keywords;
	} else if (a->how == MAIL_FLAGS_ADD) {
		m->system |= system;
		m->keywords |= keywords;
	} else {
		m->system &= ~system;
		m->keywords &= ~keywords;
	}
}

/* Words in the order in which the account's table has them: each is entered at the beginning. */
static const struct span words[] = {SPAN_LIT("Red"), SPAN_LIT("green"), SPAN_LIT("BLUE")};

static void check_flagged(struct run *r, unsigned who, struct model_box *b,
	const struct mail_flags_args *a, const struct mail_flags_result *got, uint64_t keywords)
{
	const uint64_t modseq = r->modseq[who] + 1;

	for (size_t i = 0; i < a->count; i++) {
		struct model_message *m = &b->messages[a->uids[i]], before = *m;
		const bool refused = m->there && a->conditional && m->modseq > a->unchanged_since;

		assert_int_equal(bit(got->refused, i), refused);
		if (m->there && !refused)
			model_flag(m, a, keywords);
		assert_int_equal(bit(got->changed, i),
			m->system != before.system || m->keywords != before.keywords);
		if (!bit(got->changed, i) || m->gone)
			continue;
		m->modseq = modseq;
		r->modseq[who] = modseq;
	}
	assert_int_equal(got->modseq, r->modseq[who] == modseq ? modseq : 0);
}

static void act_flags(struct run *r, unsigned who)
{
	struct model_box *b = &r->boxes[who][pick(r, BOXES)];
	const unsigned word = pick(r, 3);
	uint32_t uids[PICKS];
	struct mail_flags_args a = {.box = b->id,
		.uids = uids,
		.how = (enum mail_flags_how)pick(r, 3),
		.flags = {.system = pick(r, 32), .keywords = &words[word], .count = pick(r, 2)},
		.conditional = pick(r, 4) == 0,
		.now_us = FIXTURE_NOW};
	struct mail_flags_result got;

	a.count = pick_uids(r, b, uids);
	a.unchanged_since = r->modseq[who] - pick(r, 4);
	memcpy(a.account, names[who], strlen(names[who]));
	assert_int_equal(store_call(r->s, STORE_OP_MAIL_FLAGS, &a, &got), 0);
	check_flagged(r, who, b, &a, &got, a.flags.count > 0 ? UINT64_C(1) << word : 0);
}

static void act_expunge(struct run *r, unsigned who)
{
	struct model_box *b = &r->boxes[who][pick(r, BOXES)];
	const bool whole = pick(r, 10) == 0;
	uint32_t uids[PICKS], count = 0;
	struct mail_expunge_args a = {.box = b->id, .now_us = FIXTURE_NOW};
	struct mail_expunge_result got;
	size_t n = pick_uids(r, b, uids);

	a.any_flags = !whole && pick(r, 4) == 0;
	a.uids = whole ? NULL : uids;
	a.count = whole ? 0 : n;
	memcpy(a.account, names[who], strlen(names[who]));
	assert_int_equal(store_call(r->s, STORE_OP_MAIL_EXPUNGE, &a, &got), 0);
	for (uint32_t uid = 1, i = 0; uid < b->uid_next; uid++) {
		struct model_message *m = &b->messages[uid];

		while (i < n && uids[i] < uid)
			i++;
		if ((!whole && (i == n || uids[i] != uid)) || m->gone ||
			(!a.any_flags && (m->system & MAIL_DELETED) == 0))
			continue;
		m->gone = true;
		m->modseq = r->modseq[who] + 1;
		count++;
	}
	assert_int_equal(got.count, count);
	r->modseq[who] += count > 0;
	assert_int_equal(got.modseq, count > 0 ? r->modseq[who] : 0);
}

static void act(struct run *r)
{
	static const struct {
		unsigned weight;
		void (*run)(struct run *r, unsigned who);
	} kinds[] = {{15, act_deliver}, {15, act_append}, {12, act_copy}, {12, act_move},
		{31, act_flags}, {15, act_expunge}};
	unsigned at = pick(r, 100), kind = 0;

	for (; at >= kinds[kind].weight; kind++)
		at -= kinds[kind].weight;
	kinds[kind].run(r, pick(r, PEOPLE));
}

/* -- what holds -------------------------------------------------------------------------------- */

struct checking {
	struct run *r;
	struct model_box *b;
	uint64_t modseq;
	uint32_t uid, changes;
};

static int check_change(void *arg, const struct mail_change *c)
{
	struct checking *k = arg;
	const struct model_message *m = &k->b->messages[c->uid];

	assert_true(c->modseq > k->modseq || (c->modseq == k->modseq && c->uid > k->uid));
	assert_true(m->there);
	assert_int_equal(c->modseq, m->modseq);
	assert_int_equal(c->gone, m->gone);
	k->modseq = c->modseq;
	k->uid = c->uid;
	k->changes++;
	return 0;
}

static void check_message(const struct model_message *m, const struct mail_message *is)
{
	const struct mail_body body = mail_acts_body(bodies[m->body]);

	assert_int_equal(is->modseq, m->modseq);
	assert_int_equal(is->gone, m->gone);
	assert_int_equal(is->flags.system, m->system);
	assert_int_equal(is->flags.keywords, m->keywords);
	assert_int_equal(is->size, body.blob.size);
	assert_memory_equal(is->blob, body.blob.id, BLOB_ID_LEN);
}

static int check_box(struct store_txn *txn, void *arg)
{
	struct checking *k = arg;
	struct mail_message m;

	for (uint32_t uid = 1; uid < k->b->uid_next; uid++) {
		assert_int_equal(mail_message_read(txn, k->b->id, uid, &m), 0);
		check_message(&k->b->messages[uid], &m);
	}
	assert_int_equal(mail_message_read(txn, k->b->id, k->b->uid_next, &m), -ENOENT);
	assert_int_equal(mail_changes_each(txn, k->b->id, 0, check_change, k), 0);
	assert_int_equal(k->changes, k->b->uid_next - 1);
	return 0;
}

/* Adds what the account uses. */
static void check_counts(struct run *r, unsigned who, unsigned n, struct mail_usage *used)
{
	const struct model_box *b = &r->boxes[who][n];
	struct mail_box is = mail_acts_box(r->s, names[who], box_names[n]), should = {.id = 0};

	for (uint32_t uid = 1; uid < b->uid_next; uid++) {
		const struct model_message *m = &b->messages[uid];

		if (m->modseq > should.modseq)
			should.modseq = m->modseq;
		if (m->gone)
			continue;
		should.messages++;
		should.unseen += (m->system & MAIL_SEEN) == 0;
		should.deleted += (m->system & MAIL_DELETED) != 0;
		should.bytes += strlen(bodies[m->body]);
	}
	assert_int_equal(is.uid_next, b->uid_next);
	assert_int_equal(is.messages, should.messages);
	assert_int_equal(is.unseen, should.unseen);
	assert_int_equal(is.deleted, should.deleted);
	assert_int_equal(is.bytes, should.bytes);
	if (should.modseq != 0)
		assert_int_equal(is.modseq, should.modseq);
	used->messages += should.messages;
	used->bytes += should.bytes;
}

static int count_body(struct store_txn *txn, void *arg)
{
	const struct run *r = arg;

	for (unsigned i = 0; i < BODIES; i++) {
		const struct mail_body body = mail_acts_body(bodies[i]);
		struct key key = key_mail_body(body.blob.id);
		uint64_t is = 0, should = 0;

		for (unsigned who = 0; who < PEOPLE; who++)
			for (unsigned n = 0; n < BOXES; n++)
				for (uint32_t uid = 1; uid < r->boxes[who][n].uid_next; uid++)
					should += r->boxes[who][n].messages[uid].body == i;
		assert_int_equal(row_counter(txn, &key, &is), 0);
		assert_int_equal(is, should);
	}
	return 0;
}

static void check_whole(struct run *r)
{
	for (unsigned who = 0; who < PEOPLE; who++) {
		struct mail_usage used = {.bytes = 0}, is = mail_acts_usage(r->s, names[who]);

		for (unsigned n = 0; n < BOXES; n++) {
			struct checking k = {.r = r, .b = &r->boxes[who][n]};

			assert_int_equal(store_view(r->s, check_box, &k), 0);
			check_counts(r, who, n, &used);
		}
		assert_int_equal(is.bytes, used.bytes);
		assert_int_equal(is.messages, used.messages);
	}
	assert_int_equal(store_view(r->s, count_body, r), 0);
	mail_acts_check(r->s);
}

/* -- all of it --------------------------------------------------------------------------------- */

static void prepare(struct run *r, unsigned who)
{
	struct mail_open_args o = {.now_us = FIXTURE_NOW};
	struct model_message m = {.body = 0};
	struct mail_added added;

	fixture_account(r->s, names[who]);
	memcpy(o.account, names[who], strlen(names[who]));
	assert_int_equal(store_call(r->s, STORE_OP_MAIL_OPEN, &o, NULL), 0);
	for (unsigned n = 0; n < BOXES; n++) {
		struct mail_box box = mail_acts_box(r->s, names[who], box_names[n]);

		r->boxes[who][n].id = box.id;
		r->boxes[who][n].uid_next = box.uid_next;
	}
	/* One message brings all words into the table. */
	assert_int_equal(mail_acts_append(r->s, names[who], r->boxes[who][0].id, bodies[0],
				 (struct mail_flag_names){.keywords = words, .count = 3}, &added),
		0);
	m.keywords = 7;
	r->modseq[who] = added.modseq;
	model_add(&r->boxes[who][0], m, added.modseq);
}

static bool full(const struct run *r)
{
	for (unsigned who = 0; who < PEOPLE; who++)
		for (unsigned n = 0; n < BOXES; n++)
			if (r->boxes[who][n].uid_next >= UIDS - PICKS)
				return true;
	return false;
}

static void test_model(void **state)
{
	struct store_fixture *f = *state;
	struct run *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->s = f->s;
	r->random = seed();
	for (unsigned who = 0; who < PEOPLE; who++)
		prepare(r, who);
	for (unsigned i = 1; i <= ACTS && !full(r); i++) {
		act(r);
		if (i % WHOLE_EVERY == 0)
			check_whole(r);
	}
	check_whole(r);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_model)};

	return cmocka_run_group_tests(tests, store_fixture_setup, store_fixture_teardown);
}
