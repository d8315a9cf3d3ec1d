/* STORE_OP_MAIL_FLAGS and STORE_OP_MAIL_RECENT. */
#include "tests/unit/lib/mail_acts.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct box {
	struct store *s;
	uint64_t id;
};

/* An INBOX of bob's with so many messages. */
static struct box some(void **state, unsigned count)
{
	struct store_fixture *f = *state;
	char text[32];

	fixture_account(f->s, "bob");
	for (unsigned i = 1; i <= count; i++) {
		(void)snprintf(text, sizeof(text), "message %u", i);
		assert_int_equal(mail_acts_deliver(f->s, "bob", "bob", text), 0);
	}
	return (struct box){f->s, mail_acts_box(f->s, "bob", "INBOX").id};
}

static struct mail_message message(struct box b, uint32_t uid)
{
	struct mail_message m;

	assert_int_equal(mail_acts_message(b.s, b.id, uid, &m), 0);
	return m;
}

static struct mail_flags_result flag(
	struct box b, uint32_t uid, enum mail_flags_how how, uint32_t system, const char *keyword)
{
	struct mail_flags_result r;

	assert_int_equal(
		mail_acts_flag(
			b.s, (struct mail_flagging){"bob", b.id, uid, how, system, keyword}, &r),
		0);
	return r;
}

static void test_set_add_remove(void **state)
{
	struct box b = some(state, 2);
	struct mail_box box = mail_acts_box(b.s, "bob", "INBOX");
	struct mail_flags_result r = flag(b, 1, MAIL_FLAGS_ADD, MAIL_SEEN | MAIL_DELETED, NULL);

	assert_int_equal(r.changed[0], 1);
	assert_int_equal(r.modseq, box.modseq + 1);
	assert_int_equal(message(b, 1).modseq, r.modseq);
	assert_int_equal(message(b, 1).flags.system, MAIL_SEEN | MAIL_DELETED);
	assert_string_equal(mail_acts_changes(b.s, b.id, box.modseq), "1");
	assert_string_equal(mail_acts_changes(b.s, b.id, 0), "2 1");
	box = mail_acts_box(b.s, "bob", "INBOX");
	assert_int_equal(box.unseen, 1);
	assert_int_equal(box.deleted, 1);
	assert_int_equal(box.modseq, r.modseq);

	(void)flag(b, 1, MAIL_FLAGS_REMOVE, MAIL_DELETED | MAIL_FLAGGED, NULL);
	assert_int_equal(message(b, 1).flags.system, MAIL_SEEN);
	(void)flag(b, 1, MAIL_FLAGS_SET, MAIL_ANSWERED, NULL);
	assert_int_equal(message(b, 1).flags.system, MAIL_ANSWERED);
	box = mail_acts_box(b.s, "bob", "INBOX");
	assert_int_equal(box.unseen, 2);
	assert_int_equal(box.deleted, 0);
	/* No change, no number. */
	r = flag(b, 1, MAIL_FLAGS_ADD, MAIL_ANSWERED, NULL);
	assert_int_equal(r.modseq, 0);
	assert_int_equal(r.changed[0], 0);
	assert_int_equal(mail_acts_box(b.s, "bob", "INBOX").modseq, box.modseq);
	/* What is not there is left out. */
	r = flag(b, 99, MAIL_FLAGS_ADD, MAIL_SEEN, NULL);
	assert_int_equal(r.modseq, 0);
	mail_acts_check(b.s);
}

static int keywords_view(struct store_txn *txn, void *arg)
{
	return mail_keywords_read(txn, "bob", arg);
}

static void test_keywords(void **state)
{
	struct box b = some(state, 1);
	struct mail_keywords k;
	struct mail_flags_result r;
	char word[16];

	(void)flag(b, 1, MAIL_FLAGS_ADD, 0, "Work");
	(void)flag(b, 1, MAIL_FLAGS_ADD, 0, "later");
	(void)flag(b, 1, MAIL_FLAGS_ADD, 0, "WORK");
	assert_int_equal(store_view(b.s, keywords_view, &k), 0);
	assert_int_equal(k.count, 2);
	assert_string_equal(k.names[0], "Work");
	assert_int_equal(message(b, 1).flags.keywords, 3);
	(void)flag(b, 1, MAIL_FLAGS_REMOVE, 0, "wORK");
	assert_int_equal(message(b, 1).flags.keywords, 2);
	(void)flag(b, 1, MAIL_FLAGS_REMOVE, 0, "unheard-of");
	assert_int_equal(store_view(b.s, keywords_view, &k), 0);
	assert_int_equal(k.count, 3);
	for (unsigned i = 3; i < MAIL_KEYWORDS_MAX; i++) {
		(void)snprintf(word, sizeof(word), "k%u", i);
		(void)flag(b, 1, MAIL_FLAGS_SET, 0, word);
	}
	assert_int_equal(message(b, 1).flags.keywords, UINT64_C(1) << 63);
	assert_int_equal(
		mail_acts_flag(b.s,
			(struct mail_flagging){"bob", b.id, 1, MAIL_FLAGS_ADD, 0, "one-more"}, &r),
		-ENOBUFS);
	(void)flag(b, 1, MAIL_FLAGS_REMOVE, 0, "one-less");
	mail_acts_check(b.s);
}

static void test_unchanged_since(void **state)
{
	struct box b = some(state, 3);
	const uint32_t uids[] = {1, 2, 3, 7};
	struct mail_flags_args a = {.account = "bob",
		.box = b.id,
		.uids = uids,
		.count = 4,
		.how = MAIL_FLAGS_ADD,
		.flags = {.system = MAIL_FLAGGED},
		.conditional = true,
		.now_us = FIXTURE_NOW};
	struct mail_flags_result r;

	a.unchanged_since = mail_acts_box(b.s, "bob", "INBOX").modseq;
	(void)flag(b, 2, MAIL_FLAGS_ADD, MAIL_SEEN, NULL);
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_FLAGS, &a, &r), 0);
	assert_int_equal(r.changed[0], 5);
	assert_int_equal(r.refused[0], 2);
	assert_int_equal(message(b, 1).modseq, r.modseq);
	assert_int_equal(message(b, 3).modseq, r.modseq);
	assert_int_equal(message(b, 2).flags.system, MAIL_SEEN);
}

/* A session that was not told yet may still change what another one expunged; nobody else hears of
 * it. */
static void test_gone(void **state)
{
	struct box b = some(state, 2);
	struct mail_box before;
	struct mail_flags_result r;

	assert_int_equal(mail_acts_expunge(b.s, "bob", b.id, 1), 0);
	before = mail_acts_box(b.s, "bob", "INBOX");
	r = flag(b, 1, MAIL_FLAGS_ADD, MAIL_SEEN, "Work");
	assert_int_equal(r.changed[0], 1);
	assert_int_equal(message(b, 1).flags.system, MAIL_SEEN);
	assert_true(message(b, 1).gone);
	assert_int_equal(mail_acts_box(b.s, "bob", "INBOX").modseq, before.modseq);
	assert_int_equal(mail_acts_box(b.s, "bob", "INBOX").unseen, 1);
	assert_string_equal(mail_acts_changes(b.s, b.id, 0), "2 -1");
	mail_acts_check(b.s);
}

static void test_due(void **state)
{
	struct store_fixture *f = *state;
	struct box b = some(state, 1);
	struct mail_delivery d;
	struct mail_deliver_result sent;
	struct mail_due due[2];

	for (unsigned i = 0; i < 4; i++) {
		mail_acts_delivery(&d, "bob", "bob", "asking");
		memset(d.a.key, 0, sizeof(d.a.key));
		d.a.body.asks = true;
		assert_int_equal(mail_acts_send(f->s, &d, &sent), 0);
	}
	/* 2: read while the client is to ask. 3: the client has answered itself. */
	assert_int_equal(flag(b, 2, MAIL_FLAGS_ADD, MAIL_SEEN, NULL).due, 0);
	assert_true(message(b, 2).asks);
	mail_acts_receipts(f->s, "bob", MAIL_RECEIPTS_ALWAYS);
	assert_int_equal(flag(b, 3, MAIL_FLAGS_ADD, MAIL_MDN_SENT, NULL).due, 0);
	assert_false(message(b, 3).asks);
	assert_int_equal(flag(b, 3, MAIL_FLAGS_ADD, MAIL_SEEN, NULL).due, 0);
	/* 1 does not ask; 4 does, once. */
	assert_int_equal(flag(b, 1, MAIL_FLAGS_ADD, MAIL_SEEN, NULL).due, 0);
	assert_int_equal(flag(b, 4, MAIL_FLAGS_ADD, MAIL_FLAGGED, NULL).due, 0);
	assert_int_equal(flag(b, 4, MAIL_FLAGS_SET, MAIL_SEEN, NULL).due, 1);
	assert_int_equal(flag(b, 4, MAIL_FLAGS_REMOVE, MAIL_SEEN, NULL).due, 0);
	assert_int_equal(flag(b, 4, MAIL_FLAGS_ADD, MAIL_SEEN, NULL).due, 0);
	assert_int_equal(mail_acts_due(f->s, "bob", due, 2), 1);
	assert_int_equal(due[0].uid, 4);
	assert_int_equal(due[0].box, b.id);
	assert_int_equal(due[0].read_us, FIXTURE_NOW);
	assert_memory_equal(due[0].blob, message(b, 4).blob, BLOB_ID_LEN);
	mail_acts_check(f->s);
}

static void test_many(void **state)
{
	struct box b = some(state, 1);
	struct mail_append_item items[MAIL_APPEND_MAX];
	struct mail_append_args add = {
		.account = "bob", .items = items, .count = MAIL_APPEND_MAX, .now_us = FIXTURE_NOW};
	uint32_t *uids = calloc(MAIL_BATCH_MAX + 1, sizeof(*uids));
	struct mail_flags_args a = {.account = "bob",
		.uids = uids,
		.count = MAIL_BATCH_MAX,
		.how = MAIL_FLAGS_ADD,
		.flags = {.system = MAIL_SEEN},
		.now_us = FIXTURE_NOW};
	struct mail_flags_result r;
	struct mail_added added;

	assert_non_null(uids);
	add.box = a.box = b.id;
	for (unsigned i = 0; i < MAIL_APPEND_MAX; i++)
		items[i] = (struct mail_append_item){.body = mail_acts_body("text")};
	for (unsigned i = 0; i < MAIL_BATCH_MAX; i += MAIL_APPEND_MAX)
		assert_int_equal(store_call(b.s, STORE_OP_MAIL_APPEND, &add, &added), 0);
	for (uint32_t i = 0; i <= MAIL_BATCH_MAX; i++)
		uids[i] = i + 1;
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_FLAGS, &a, &r), 0);
	for (size_t i = 0; i < sizeof(r.changed); i++)
		assert_int_equal(r.changed[i], 0xff);
	assert_int_equal(mail_acts_box(b.s, "bob", "INBOX").unseen, 1);
	a.count++;
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_FLAGS, &a, &r), -EINVAL);
	free(uids);
	mail_acts_check(b.s);
}

static void test_recent(void **state)
{
	struct box b = some(state, 2);
	struct mail_recent_args a = {.account = "bob", .box = b.id};
	struct mail_recent_result r;

	assert_int_equal(store_call(b.s, STORE_OP_MAIL_RECENT, &a, &r), 0);
	assert_int_equal(r.from, 1);
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_RECENT, &a, &r), 0);
	assert_int_equal(r.from, 3);
	assert_int_equal(mail_acts_deliver(b.s, "bob", "bob", "third"), 0);
	assert_int_equal(mail_acts_box(b.s, "bob", "INBOX").recent_uid, 3);
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_RECENT, &a, &r), 0);
	assert_int_equal(r.from, 3);
	assert_int_equal(mail_acts_box(b.s, "bob", "INBOX").recent_uid, 4);
	a.box = 999;
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_RECENT, &a, &r), -ENOENT);
}

static void test_refusals(void **state)
{
	struct box b = some(state, 1);
	struct mail_flags_result r;

	fixture_account(b.s, "ann");
	assert_int_equal(mail_acts_deliver(b.s, "ann", "ann", "hers"), 0);
	/* A mailbox is its owner's. */
	assert_int_equal(
		mail_acts_flag(b.s,
			(struct mail_flagging){"ann", b.id, 1, MAIL_FLAGS_ADD, MAIL_SEEN, NULL},
			&r),
		-ENOENT);
	assert_int_equal(
		mail_acts_flag(b.s,
			(struct mail_flagging){"bob", 999, 1, MAIL_FLAGS_ADD, MAIL_SEEN, NULL}, &r),
		-ENOENT);
	assert_int_equal(
		mail_acts_flag(b.s,
			(struct mail_flagging){"bob", b.id, 1, MAIL_FLAGS_ADD, 1U << 20, NULL}, &r),
		-EINVAL);
	assert_int_equal(message(b, 1).flags.system, 0);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_set_add_remove),
		TEST(test_keywords),
		TEST(test_unchanged_since),
		TEST(test_gone),
		TEST(test_due),
		TEST(test_many),
		TEST(test_recent),
		TEST(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
