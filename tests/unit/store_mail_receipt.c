/* STORE_OP_MAIL_RECEIPT: what is owed is sent, once. */
#include "tests/unit/lib/mail_acts.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* ann asks bob, who always answers. */
static void ask(struct store *s)
{
	struct mail_delivery d;
	struct mail_deliver_result r;

	fixture_account(s, "ann");
	fixture_account(s, "bob");
	mail_acts_delivery(&d, "ann", "bob", "asking");
	d.a.body.asks = d.a.track = true;
	assert_int_equal(mail_acts_send(s, &d, &r), 0);
	mail_acts_receipts(s, "bob", MAIL_RECEIPTS_ALWAYS);
}

/* The newest that is owed then. */
static struct mail_due read_it(struct store *s, const char *box)
{
	struct mail_flags_result flagged;
	struct mail_due due[2];
	size_t count;

	assert_int_equal(mail_acts_flag(s,
				 (struct mail_flagging){"bob", mail_acts_box(s, "bob", box).id, 1,
					 MAIL_FLAGS_ADD, MAIL_SEEN, NULL},
				 &flagged),
		0);
	assert_int_equal(flagged.due, 1);
	count = mail_acts_due(s, "bob", due, 2);
	assert_in_range(count, 1, 2);
	return due[count - 1];
}

static struct mail_due owed(struct store *s)
{
	ask(s);
	return read_it(s, "INBOX");
}

static void copy_to_archive(struct store *s)
{
	const uint32_t uid = 1;
	struct mail_copy_args copy = {.account = "bob",
		.from = mail_acts_box(s, "bob", "INBOX").id,
		.to = mail_acts_box(s, "bob", "Archive").id,
		.uids = &uid,
		.count = 1,
		.now_us = FIXTURE_NOW};
	struct mail_added copied;

	assert_int_equal(store_call(s, STORE_OP_MAIL_COPY, &copy, &copied), 0);
}

static struct mail_receipt_args receipt(struct mail_delivery *d, uint64_t due)
{
	struct mail_receipt_args a = {.account = "bob", .due = due};

	mail_acts_delivery(d, "bob", "ann", "a receipt");
	d->a.mdn = (struct mail_mdn){
		.set = true, .msgid = "<asking>", .displayed = true, .automatic = true};
	a.deliver = d->a;
	return a;
}

static void test_sent_once(void **state)
{
	struct store_fixture *f = *state;
	struct mail_due due = owed(f->s);
	struct mail_delivery d;
	struct mail_receipt_args a = receipt(&d, due.id);
	struct mail_deliver_result r;
	struct mail_message m;

	assert_int_equal(store_call(f->s, STORE_OP_MAIL_RECEIPT, &a, &r), 0);
	assert_int_equal(r.delivered, 1);
	assert_int_equal(mail_acts_due(f->s, "bob", NULL, 0), 0);
	assert_int_equal(mail_acts_message(f->s, due.box, due.uid, &m), 0);
	assert_int_equal(m.flags.system, MAIL_SEEN | MAIL_MDN_SENT);
	assert_false(m.asks);
	assert_string_equal(mail_acts_sent(f->s, "ann", ""), "bob read automatic\n");
	assert_string_equal(mail_acts_notices(f->s, "ann"), "READ bob@example.org <asking>\n");
	assert_int_equal(store_call(f->s, STORE_OP_MAIL_RECEIPT, &a, &r), -ENOENT);
	assert_int_equal(mail_acts_box(f->s, "ann", "INBOX").messages, 1);
	mail_acts_check(f->s);
}

static void test_nobody_to_tell(void **state)
{
	struct store_fixture *f = *state;
	struct mail_due due = owed(f->s);
	struct mail_delivery d;
	struct mail_receipt_args a = receipt(&d, due.id);
	struct mail_deliver_result r;
	struct mail_message m;

	a.deliver.count = 0;
	assert_int_equal(store_call(f->s, STORE_OP_MAIL_RECEIPT, &a, &r), 0);
	assert_int_equal(r.delivered, 0);
	assert_int_equal(mail_acts_due(f->s, "bob", NULL, 0), 0);
	assert_int_equal(mail_acts_message(f->s, due.box, due.uid, &m), 0);
	assert_int_equal(m.flags.system, MAIL_SEEN | MAIL_MDN_SENT);
	mail_acts_check(f->s);
}

static void test_asker_gone(void **state)
{
	struct store_fixture *f = *state;
	struct mail_due due = owed(f->s);
	struct mail_delivery d;
	struct mail_receipt_args a = receipt(&d, due.id);
	struct account_remove_args gone = {.name = "ann", .now_us = FIXTURE_NOW};
	struct account_remove_result removed;
	struct mail_deliver_result r;

	assert_int_equal(store_call(f->s, STORE_OP_ACCOUNT_REMOVE, &gone, &removed), 0);
	assert_int_equal(store_call(f->s, STORE_OP_MAIL_RECEIPT, &a, &r), 0);
	assert_int_equal(r.delivered, 0);
	assert_int_equal(mail_acts_due(f->s, "bob", NULL, 0), 0);
	mail_acts_check(f->s);
}

/* Expunged before the receipt went out: it was read all the same. */
static void test_message_gone(void **state)
{
	struct store_fixture *f = *state;
	struct mail_due due = owed(f->s);
	struct mail_delivery d;
	struct mail_receipt_args a = receipt(&d, due.id);
	struct mail_deliver_result r;

	assert_int_equal(mail_acts_expunge(f->s, "bob", due.box, due.uid), 0);
	assert_int_equal(store_call(f->s, STORE_OP_MAIL_RECEIPT, &a, &r), 0);
	assert_int_equal(r.delivered, 1);
	mail_acts_check(f->s);
}

/* No room: it stays owed. */
static void test_over_quota(void **state)
{
	struct store_fixture *f = *state;
	struct mail_due due = owed(f->s);
	struct mail_delivery d;
	struct mail_receipt_args a = receipt(&d, due.id);
	struct mail_deliver_result r;
	struct mail_message m;

	mail_acts_policy(f->s, "mail_quota", "8");
	assert_int_equal(store_call(f->s, STORE_OP_MAIL_RECEIPT, &a, &r), -EDQUOT);
	assert_int_equal(mail_acts_due(f->s, "bob", NULL, 0), 1);
	assert_int_equal(mail_acts_message(f->s, due.box, due.uid, &m), 0);
	assert_int_equal(m.flags.system, MAIL_SEEN);
	mail_acts_check(f->s);
}

/* One that moved keeps what was answered. */
static void test_moved(void **state)
{
	struct store_fixture *f = *state;
	struct mail_due due = owed(f->s);
	struct mail_copy_args move = {.account = "bob",
		.from = due.box,
		.to = mail_acts_box(f->s, "bob", "Archive").id,
		.uids = &due.uid,
		.count = 1,
		.now_us = FIXTURE_NOW};
	struct mail_move_result moved;
	struct mail_flags_result r;

	assert_int_equal(store_call(f->s, STORE_OP_MAIL_MOVE, &move, &moved), 0);
	assert_int_equal(mail_acts_flag(f->s,
				 (struct mail_flagging){
					 "bob", move.to, 1, MAIL_FLAGS_REMOVE, MAIL_SEEN, NULL},
				 &r),
		0);
	assert_int_equal(
		mail_acts_flag(f->s,
			(struct mail_flagging){"bob", move.to, 1, MAIL_FLAGS_ADD, MAIL_SEEN, NULL},
			&r),
		0);
	assert_int_equal(r.due, 0);
	assert_int_equal(mail_acts_due(f->s, "bob", NULL, 0), 1);
	mail_acts_check(f->s);
}

/* Copied before it was read, and both are read: who wrote it is told once. */
static void test_copied(void **state)
{
	struct store_fixture *f = *state;
	struct mail_due due, both[2];
	struct mail_delivery d;
	struct mail_receipt_args a;
	struct mail_deliver_result r;

	ask(f->s);
	copy_to_archive(f->s);
	due = read_it(f->s, "INBOX");
	(void)read_it(f->s, "Archive");
	assert_int_equal(mail_acts_due(f->s, "bob", both, 2), 2);
	a = receipt(&d, due.id);
	assert_int_equal(store_call(f->s, STORE_OP_MAIL_RECEIPT, &a, &r), 0);
	assert_int_equal(r.delivered, 1);
	a = receipt(&d, both[1].id);
	assert_int_equal(store_call(f->s, STORE_OP_MAIL_RECEIPT, &a, &r), 0);
	assert_int_equal(r.delivered, 0);
	assert_int_equal(mail_acts_due(f->s, "bob", NULL, 0), 0);
	assert_int_equal(mail_acts_box(f->s, "ann", "INBOX").messages, 1);
	mail_acts_check(f->s);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sent_once),
		TEST(test_nobody_to_tell),
		TEST(test_asker_gone),
		TEST(test_message_gone),
		TEST(test_over_quota),
		TEST(test_moved),
		TEST(test_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
