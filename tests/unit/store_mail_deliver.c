/* STORE_OP_MAIL_DELIVER: all or none, once, and what is written beside the messages. */
#include "base/hash.h"
#include "store/blob_i.h"
#include "store/row.h"
#include "tests/unit/lib/mail_acts.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static int setup(void **state)
{
	struct store_fixture *f;

	if (store_fixture_setup(state) != 0)
		return -1;
	f = *state;
	fixture_account(f->s, "ann");
	fixture_account(f->s, "bob");
	fixture_account(f->s, "cat");
	return 0;
}

/* A box's messages, unseen, uid_next as text; static. */
static const char *counts(struct store *s, const char *account, const char *name)
{
	static char text[64];
	struct mail_box b = mail_acts_box(s, account, name);

	(void)snprintf(text, sizeof(text), "%u %u %u %ju", b.messages, b.unseen, b.uid_next,
		(uintmax_t)b.bytes);
	return text;
}

static int structure_view(struct store_txn *txn, void *arg)
{
	const struct mail_message *m = arg;
	struct span structure = {NULL, 0};
	int rc = mail_structure_read(txn, m->blob, &structure);

	assert_true(rc < 0 || span_eq_str(structure, "a structure"));
	return rc;
}

static void test_delivers(void **state)
{
	struct store_fixture *f = *state;
	struct mail_delivery d;
	struct mail_deliver_result r;
	struct mail_box box;
	struct mail_message m, other;

	mail_acts_delivery(&d, "ann", "bob cat", "one");
	d.a.body.asks = true;
	assert_int_equal(mail_acts_send(f->s, &d, &r), 0);
	assert_int_equal(r.delivered, 2);
	assert_int_equal(r.duplicates, 0);
	box = mail_acts_box(f->s, "bob", "INBOX");
	assert_string_equal(counts(f->s, "bob", "INBOX"), "1 1 2 3");
	assert_int_equal(mail_acts_message(f->s, box.id, 1, &m), 0);
	assert_int_equal(m.size, 3);
	assert_true(m.asks && !m.gone);
	assert_int_equal(m.flags.system, 0);
	assert_int_equal(m.date_us, FIXTURE_NOW);
	assert_int_equal(m.saved_us, FIXTURE_NOW);
	assert_int_equal(m.modseq, box.modseq);
	assert_int_equal(m.created_modseq, box.modseq);
	assert_int_equal(store_view(f->s, structure_view, &m), 0);
	assert_int_equal(
		mail_acts_message(f->s, mail_acts_box(f->s, "cat", "INBOX").id, 1, &other), 0);
	assert_memory_equal(m.blob, other.blob, BLOB_ID_LEN);
	assert_int_equal(mail_acts_usage(f->s, "bob").bytes, 3);
	assert_int_equal(mail_acts_usage(f->s, "bob").messages, 1);

	assert_int_equal(mail_acts_deliver(f->s, "ann", "bob", "three"), 0);
	assert_string_equal(counts(f->s, "bob", "INBOX"), "2 2 3 8");
	assert_true(mail_acts_box(f->s, "bob", "INBOX").modseq > box.modseq);
	assert_string_equal(mail_acts_changes(f->s, box.id, box.modseq), "2");
	assert_string_equal(mail_acts_changes(f->s, box.id, 0), "1 2");
	mail_acts_check(f->s);
}

static void test_all_or_none(void **state)
{
	struct store_fixture *f = *state;
	struct mail_delivery d;
	struct mail_deliver_result r;

	assert_int_equal(mail_acts_deliver(f->s, "ann", "bob cat", "first"), 0);
	mail_acts_delivery(&d, "ann", "bob nobody cat", "second");
	assert_int_equal(mail_acts_send(f->s, &d, &r), -ENOENT);
	assert_int_equal(r.bad, 1);
	mail_acts_policy(f->s, "mail_quota", "16");
	assert_int_equal(mail_acts_deliver(f->s, "ann", "cat", "0123456789"), 0);
	mail_acts_delivery(&d, "ann", "bob ann cat", "0123456789x");
	assert_int_equal(mail_acts_send(f->s, &d, &r), -EDQUOT);
	assert_int_equal(r.bad, 2);
	assert_string_equal(counts(f->s, "bob", "INBOX"), "1 1 2 5");
	assert_string_equal(counts(f->s, "cat", "INBOX"), "2 2 3 15");
	mail_acts_policy(f->s, "mail_quota", "0");
	assert_int_equal(mail_acts_send(f->s, &d, &r), 0);
	assert_string_equal(counts(f->s, "cat", "INBOX"), "3 3 4 26");
	mail_acts_check(f->s);
}

static void test_once(void **state)
{
	struct store_fixture *f = *state;
	struct mail_delivery d;
	struct mail_deliver_result r;

	mail_acts_delivery(&d, "ann", "bob bob", "again");
	assert_int_equal(mail_acts_send(f->s, &d, &r), 0);
	assert_int_equal(r.delivered, 1);
	assert_int_equal(r.duplicates, 1);
	mail_acts_delivery(&d, "ann", "cat bob", "again");
	d.a.now_us += FIXTURE_DAY - 1;
	assert_int_equal(mail_acts_send(f->s, &d, &r), 0);
	assert_int_equal(r.delivered, 1);
	assert_int_equal(r.duplicates, 1);
	assert_string_equal(counts(f->s, "bob", "INBOX"), "1 1 2 5");
	assert_string_equal(counts(f->s, "cat", "INBOX"), "1 1 2 5");
	/* A day later it is new; so is what has no key, always. */
	mail_acts_delivery(&d, "ann", "bob", "again");
	d.a.now_us += FIXTURE_DAY;
	assert_int_equal(mail_acts_send(f->s, &d, &r), 0);
	assert_int_equal(r.delivered, 1);
	memset(d.a.key, 0, sizeof(d.a.key));
	assert_int_equal(mail_acts_send(f->s, &d, &r), 0);
	assert_int_equal(mail_acts_send(f->s, &d, &r), 0);
	assert_string_equal(counts(f->s, "bob", "INBOX"), "4 4 5 20");
	mail_acts_check(f->s);
}

/* A duplicate passes even where the account is over its quota by now: it was delivered. */
static void test_again_over_quota(void **state)
{
	struct store_fixture *f = *state;
	struct mail_delivery d;
	struct mail_deliver_result r;

	mail_acts_delivery(&d, "ann", "bob", "nearly full");
	assert_int_equal(mail_acts_send(f->s, &d, &r), 0);
	mail_acts_policy(f->s, "mail_quota", "12");
	assert_int_equal(mail_acts_send(f->s, &d, &r), 0);
	assert_int_equal(r.duplicates, 1);
}

static void test_bad_arguments(void **state)
{
	struct store_fixture *f = *state;
	struct mail_delivery d;
	struct mail_deliver_result r;

	mail_acts_delivery(&d, "ann", "bob", "text");
	d.a.count = 0;
	assert_int_equal(mail_acts_send(f->s, &d, &r), -EINVAL);
	d.a.count = MAIL_RECIPIENTS_MAX + 1;
	assert_int_equal(mail_acts_send(f->s, &d, &r), -EINVAL);
	mail_acts_delivery(&d, "ann", "bob cat", "text");
	d.a.mdn.set = true;
	assert_int_equal(mail_acts_send(f->s, &d, &r), -EINVAL);
	mail_acts_delivery(&d, "ann", "bob", "text");
	memset(d.a.msgid, 'x', sizeof(d.a.msgid));
	assert_int_equal(mail_acts_send(f->s, &d, &r), -EINVAL);
}

/* -- receipts, notices ------------------------------------------------------------------------- */

static int answer(struct store *s, const char *reader, const char *asker, const char *msgid,
	struct mail_mdn mdn)
{
	struct mail_delivery d;
	struct mail_deliver_result r;

	mail_acts_delivery(&d, reader, asker, "a receipt");
	memset(d.a.key, 0, sizeof(d.a.key));
	d.a.mdn = mdn;
	d.a.mdn.set = true;
	(void)snprintf(d.a.mdn.msgid, sizeof(d.a.mdn.msgid), "%s", msgid);
	return mail_acts_send(s, &d, &r);
}

static void test_receipts(void **state)
{
	struct store_fixture *f = *state;
	struct mail_delivery d;
	struct mail_deliver_result r;

	mail_acts_delivery(&d, "ann", "bob cat", "asking");
	d.a.body.asks = true;
	d.a.track = true;
	assert_int_equal(mail_acts_send(f->s, &d, &r), 0);
	assert_string_equal(mail_acts_sent(f->s, "ann", "<asking>"), "cat -\nbob -\n");
	/* Who did not get it cannot have read it, and other messages are not meant. */
	fixture_account(f->s, "dan");
	assert_int_equal(
		answer(f->s, "dan", "ann", "<asking>", (struct mail_mdn){.displayed = true}), 0);
	assert_int_equal(
		answer(f->s, "bob", "ann", "<other>", (struct mail_mdn){.displayed = true}), 0);
	assert_string_equal(mail_acts_sent(f->s, "ann", "<asking>"), "cat -\nbob -\n");
	assert_string_equal(mail_acts_notices(f->s, "ann"),
		"NEW bob@example.org <a receipt>\nNEW dan@example.org <a receipt>\n");

	assert_int_equal(answer(f->s, "bob", "ann", "<asking>",
				 (struct mail_mdn){.displayed = true, .automatic = true}),
		0);
	assert_int_equal(answer(f->s, "cat", "ann", "<asking>", (struct mail_mdn){.set = true}), 0);
	assert_string_equal(
		mail_acts_sent(f->s, "ann", "<asking>"), "cat declined\nbob read automatic\n");
	/* What was read once stays read. */
	assert_int_equal(answer(f->s, "bob", "ann", "<asking>", (struct mail_mdn){.set = true}), 0);
	assert_string_equal(
		mail_acts_sent(f->s, "ann", "<asking>"), "cat declined\nbob read automatic\n");
	assert_int_equal(mail_acts_box(f->s, "ann", "INBOX").messages, 5);
	mail_acts_check(f->s);
}

static void test_notice_of_receipt(void **state)
{
	struct store_fixture *f = *state;
	struct mail_delivery d;
	struct mail_deliver_result r;

	mail_acts_delivery(&d, "ann", "bob", "asking");
	d.a.track = true;
	assert_int_equal(mail_acts_send(f->s, &d, &r), 0);
	assert_string_equal(mail_acts_notices(f->s, "bob"), "NEW ann@example.org <asking>\n");
	assert_int_equal(
		answer(f->s, "bob", "ann", "<asking>", (struct mail_mdn){.displayed = true}), 0);
	assert_string_equal(mail_acts_notices(f->s, "ann"), "READ bob@example.org <asking>\n");
}

static int count_view(struct store_txn *txn, void *arg)
{
	return mail_notices_count(txn, "bob", arg);
}

static void test_notices_max(void **state)
{
	struct store_fixture *f = *state;
	struct mail_delivery d;
	struct mail_deliver_result r;
	uint32_t unseen = 0;
	size_t lines = 0;

	mail_acts_delivery(&d, "ann", "bob", "text");
	memset(d.a.key, 0, sizeof(d.a.key));
	for (unsigned i = 0; i < MAIL_NOTICES_MAX + 5; i++) {
		(void)snprintf(d.a.msgid, sizeof(d.a.msgid), "<%u>", i);
		(void)snprintf(d.a.from, sizeof(d.a.from), "a");
		assert_int_equal(mail_acts_send(f->s, &d, &r), 0);
	}
	for (const char *p = mail_acts_notices(f->s, "bob"); *p != '\0'; p++)
		lines += *p == '\n';
	assert_int_equal(lines, MAIL_NOTICES_MAX);
	assert_int_equal(store_view(f->s, count_view, &unseen), 0);
	assert_int_equal(unseen, MAIL_NOTICES_MAX);
	assert_int_equal(strncmp(mail_acts_notices(f->s, "bob"), "NEW a <1004>\n", 13), 0);
	assert_null(strstr(mail_acts_notices(f->s, "bob"), "<4>\n"));
	assert_non_null(strstr(mail_acts_notices(f->s, "bob"), "<5>\n"));
	mail_acts_check(f->s);
}

/* -- bodies ------------------------------------------------------------------------------------ */

/* Too large for a row: it went to a file before. */
static void test_large(void **state)
{
	struct store_fixture *f = *state;
	_cleanup_(blob_endp) struct blob_writer *w = NULL;
	struct mail_delivery d;
	struct mail_deliver_result r;
	unsigned char byte = 0;
	size_t got = 0;
	void *zeros = calloc(1, BLOB_INLINE_MAX);

	assert_non_null(zeros);
	assert_int_equal(blob_begin(f->s, UINT64_C(1) << 20, &w), 0);
	assert_int_equal(blob_write(w, span_of(zeros, BLOB_INLINE_MAX)), 0);
	assert_int_equal(blob_write(w, SPAN_LIT("x")), 0);
	free(zeros);
	mail_acts_delivery(&d, "ann", "bob cat", "large");
	assert_int_equal(blob_seal(w, &d.a.body.blob), 0);
	assert_int_equal(mail_acts_send(f->s, &d, &r), 0);
	assert_int_equal(blob_read(f->s, d.a.body.blob.id, BLOB_INLINE_MAX, &byte, 1, &got), 0);
	assert_int_equal(got, 1);
	assert_int_equal(byte, 'x');
	assert_int_equal(mail_acts_usage(f->s, "cat").bytes, BLOB_INLINE_MAX + 1);
	mail_acts_check(f->s);
}

/* The same bytes again: another message, the same blob. */
static void test_same_body(void **state)
{
	struct store_fixture *f = *state;
	struct mail_message one, other;
	struct mail_added added;
	uint64_t box;

	assert_int_equal(mail_acts_deliver(f->s, "ann", "bob", "same"), 0);
	box = mail_acts_box(f->s, "bob", "INBOX").id;
	assert_int_equal(mail_acts_append(f->s, "bob", box, "same",
				 (struct mail_flag_names){.system = MAIL_SEEN}, &added),
		0);
	assert_int_equal(added.first_uid, 2);
	assert_int_equal(mail_acts_message(f->s, box, 1, &one), 0);
	assert_int_equal(mail_acts_message(f->s, box, 2, &other), 0);
	assert_memory_equal(one.blob, other.blob, BLOB_ID_LEN);
	assert_string_equal(counts(f->s, "bob", "INBOX"), "2 1 3 8");
	mail_acts_check(f->s);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_delivers),
		TEST(test_all_or_none),
		TEST(test_once),
		TEST(test_again_over_quota),
		TEST(test_bad_arguments),
		TEST(test_receipts),
		TEST(test_notice_of_receipt),
		TEST(test_notices_max),
		TEST(test_large),
		TEST(test_same_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
