/* STORE_OP_MAIL_APPEND, _COPY and _MOVE. */
#include "tests/unit/lib/mail_acts.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct boxes {
	struct store *s;
	uint64_t inbox, archive;
};

/* bob with three messages of five bytes in INBOX. */
static struct boxes three(void **state)
{
	struct store_fixture *f = *state;

	fixture_account(f->s, "bob");
	assert_int_equal(mail_acts_deliver(f->s, "bob", "bob", "first"), 0);
	assert_int_equal(mail_acts_deliver(f->s, "bob", "bob", "later"), 0);
	assert_int_equal(mail_acts_deliver(f->s, "bob", "bob", "third"), 0);
	return (struct boxes){f->s, mail_acts_box(f->s, "bob", "INBOX").id,
		mail_acts_box(f->s, "bob", "Archive").id};
}

static struct mail_message message(struct boxes b, uint64_t box, uint32_t uid)
{
	struct mail_message m;

	assert_int_equal(mail_acts_message(b.s, box, uid, &m), 0);
	return m;
}

static struct mail_copy_args copying(uint64_t from, uint64_t to, const uint32_t *uids, size_t count)
{
	return (struct mail_copy_args){.account = "bob",
		.from = from,
		.to = to,
		.uids = uids,
		.count = count,
		.now_us = FIXTURE_NOW + 1};
}

/* -- append ------------------------------------------------------------------------------------ */

static void test_append(void **state)
{
	struct boxes b = three(state);
	struct span word = SPAN_LIT("Work");
	struct mail_append_item items[2] = {
		{.body = mail_acts_body("appended"),
			.flags = {.system = MAIL_SEEN, .keywords = &word, .count = 1},
			.date_us = FIXTURE_NOW - FIXTURE_DAY,
			.date_offset_s = -3600},
		{.body = mail_acts_body("another")},
	};
	struct mail_append_args a = {.account = "bob",
		.box = b.archive,
		.items = items,
		.count = 2,
		.now_us = FIXTURE_NOW};
	struct mail_box before = mail_acts_box(b.s, "bob", "Archive"), box;
	struct mail_added r;
	struct mail_message m;

	items[0].body.asks = items[1].body.asks = true;
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_APPEND, &a, &r), 0);
	box = mail_acts_box(b.s, "bob", "Archive");
	assert_int_equal(r.validity, box.validity);
	assert_int_equal(r.first_uid, before.uid_next);
	assert_int_equal(r.count, 2);
	assert_int_equal(r.modseq, box.modseq);
	assert_true(box.modseq > mail_acts_box(b.s, "bob", "INBOX").modseq);
	assert_int_equal(box.messages, 2);
	assert_int_equal(box.unseen, 1);
	assert_int_equal(box.bytes, 15);
	m = message(b, b.archive, r.first_uid);
	assert_int_equal(m.flags.system, MAIL_SEEN);
	assert_int_equal(m.flags.keywords, 1);
	assert_int_equal(m.date_us, FIXTURE_NOW - FIXTURE_DAY);
	assert_int_equal(m.date_offset_s, -3600);
	assert_false(m.asks); /* read already */
	m = message(b, b.archive, r.first_uid + 1);
	assert_int_equal(m.date_us, FIXTURE_NOW);
	assert_true(m.asks);
	mail_acts_check(b.s);
}

static void test_append_refused(void **state)
{
	struct boxes b = three(state);
	struct mail_append_item items[2] = {
		{.body = mail_acts_body("12345")}, {.body = mail_acts_body("678")}};
	struct mail_append_args a = {.account = "bob",
		.box = b.archive,
		.items = items,
		.count = 2,
		.now_us = FIXTURE_NOW};
	struct mail_added r;

	mail_acts_policy(b.s, "mail_quota", "22");
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_APPEND, &a, &r), -EDQUOT);
	assert_int_equal(mail_acts_box(b.s, "bob", "Archive").messages, 0);
	mail_acts_policy(b.s, "mail_quota", "23");
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_APPEND, &a, &r), 0);
	a.box = 999;
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_APPEND, &a, &r), -ENOENT);
	a.count = 0;
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_APPEND, &a, &r), -EINVAL);
	a.count = MAIL_APPEND_MAX + 1;
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_APPEND, &a, &r), -EINVAL);
	(void)snprintf(a.account, sizeof(a.account), "nobody");
	a.count = 1;
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_APPEND, &a, &r), -ENOENT);
	mail_acts_check(b.s);
}

/* -- copy -------------------------------------------------------------------------------------- */

static void test_copy(void **state)
{
	struct boxes b = three(state);
	const uint32_t uids[] = {1, 3};
	struct mail_copy_args a = copying(b.inbox, b.archive, uids, 2);
	struct mail_box before;
	struct mail_flags_result flagged;
	struct mail_added r;
	struct mail_message m, original;

	assert_int_equal(mail_acts_flag(b.s,
				 (struct mail_flagging){"bob", b.inbox, 3, MAIL_FLAGS_ADD,
					 MAIL_SEEN | MAIL_FLAGGED, "Work"},
				 &flagged),
		0);
	before = mail_acts_box(b.s, "bob", "INBOX");
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_COPY, &a, &r), 0);
	assert_int_equal(r.count, 2);
	assert_int_equal(r.first_uid, 1);
	assert_int_equal(r.validity, mail_acts_box(b.s, "bob", "Archive").validity);
	original = message(b, b.inbox, 3);
	m = message(b, b.archive, 2);
	assert_int_equal(m.flags.system, MAIL_SEEN | MAIL_FLAGGED);
	assert_int_equal(m.flags.keywords, 1);
	assert_memory_equal(m.blob, original.blob, BLOB_ID_LEN);
	assert_int_equal(m.date_us, original.date_us);
	assert_int_equal(m.saved_us, FIXTURE_NOW + 1);
	assert_int_equal(m.modseq, r.modseq);
	assert_int_equal(mail_acts_box(b.s, "bob", "INBOX").modseq, before.modseq);
	assert_int_equal(mail_acts_box(b.s, "bob", "Archive").unseen, 1);
	assert_int_equal(mail_acts_usage(b.s, "bob").bytes, 25);
	/* Into itself. */
	a = copying(b.inbox, b.inbox, uids, 2);
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_COPY, &a, &r), 0);
	assert_int_equal(r.first_uid, 4);
	assert_int_equal(mail_acts_box(b.s, "bob", "INBOX").messages, 5);
	mail_acts_check(b.s);
}

static void test_copy_gone(void **state)
{
	struct boxes b = three(state);
	const uint32_t uids[] = {1, 2, 9};
	struct mail_copy_args a = copying(b.inbox, b.archive, uids, 2);
	struct mail_added r;

	assert_int_equal(mail_acts_expunge(b.s, "bob", b.inbox, 2), 0);
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_COPY, &a, &r), 0);
	assert_int_equal(r.count, 2);
	assert_false(message(b, b.archive, 2).gone);
	assert_int_equal(mail_acts_box(b.s, "bob", "Archive").messages, 2);
	a.count = 3;
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_COPY, &a, &r), -ENOENT);
	assert_int_equal(mail_acts_box(b.s, "bob", "Archive").messages, 2);
	mail_acts_check(b.s);
}

static void test_copy_refused(void **state)
{
	struct boxes b = three(state);
	const uint32_t uids[] = {1, 2};
	struct mail_copy_args a = copying(b.inbox, b.archive, uids, 2);
	struct mail_added r;

	mail_acts_policy(b.s, "mail_quota", "24");
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_COPY, &a, &r), -EDQUOT);
	a.count = 1;
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_COPY, &a, &r), 0);
	a.to = 999;
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_COPY, &a, &r), -ENOENT);
	a = copying(999, b.archive, uids, 1);
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_COPY, &a, &r), -ENOENT);
	mail_acts_check(b.s);
}

/* -- move -------------------------------------------------------------------------------------- */

static void test_move(void **state)
{
	struct boxes b = three(state);
	const uint32_t uids[] = {1, 2, 3, 9};
	struct mail_copy_args a = copying(b.inbox, b.archive, uids, 4);
	struct mail_box before = mail_acts_box(b.s, "bob", "INBOX"), box;
	struct mail_move_result r;

	mail_acts_policy(b.s, "mail_quota", "15"); /* nothing comes to what is there */
	assert_int_equal(mail_acts_expunge(b.s, "bob", b.inbox, 2), 0);
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_MOVE, &a, &r), 0);
	assert_int_equal(r.moved[0], 5);
	assert_int_equal(r.added.count, 2);
	assert_int_equal(r.added.first_uid, 1);
	box = mail_acts_box(b.s, "bob", "INBOX");
	assert_int_equal(r.modseq, box.modseq);
	assert_int_equal(box.messages, 0);
	assert_int_equal(box.bytes, 0);
	assert_string_equal(mail_acts_changes(b.s, b.inbox, before.modseq), "-2 -1 -3");
	assert_true(message(b, b.inbox, 1).gone);
	assert_memory_equal(
		message(b, b.inbox, 3).blob, message(b, b.archive, 2).blob, BLOB_ID_LEN);
	assert_int_equal(mail_acts_usage(b.s, "bob").bytes, 10);
	/* Again: nothing is left of it. */
	assert_int_equal(store_call(b.s, STORE_OP_MAIL_MOVE, &a, &r), 0);
	assert_int_equal(r.added.count, 0);
	assert_int_equal(r.modseq, 0);
	assert_int_equal(r.moved[0], 0);
	mail_acts_check(b.s);
}

static void test_move_into_itself(void **state)
{
	struct boxes b = three(state);
	const uint32_t uids[] = {2};
	struct mail_copy_args a = copying(b.inbox, b.inbox, uids, 1);
	struct mail_move_result r;

	assert_int_equal(store_call(b.s, STORE_OP_MAIL_MOVE, &a, &r), 0);
	assert_int_equal(r.added.first_uid, 4);
	assert_int_equal(mail_acts_box(b.s, "bob", "INBOX").messages, 3);
	assert_string_equal(mail_acts_changes(b.s, b.inbox, 0), "1 3 -2 4");
	mail_acts_check(b.s);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_append),
		TEST(test_append_refused),
		TEST(test_copy),
		TEST(test_copy_gone),
		TEST(test_copy_refused),
		TEST(test_move),
		TEST(test_move_into_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
