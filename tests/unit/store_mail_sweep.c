/* What time, removals and a restore leave of mail. */
#include "store/mail_i.h"
#include "tests/unit/lib/mail_acts.h"
#include "tests/unit/lib/mail_boxes.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define HOUR (FIXTURE_DAY / 24)

static struct store *s;

static int setup(void **state)
{
	int rc = store_fixture_setup(state);

	s = ((struct store_fixture *)*state)->s;
	fixture_account(s, "ada");
	fixture_account(s, "bob");
	assert_int_equal(boxes_open(s, "ada"), 0);
	return rc;
}

static int teardown(void **state)
{
	mail_acts_check(s);
	return store_fixture_teardown(state);
}

static uint64_t append(const char *name, const char *text)
{
	const uint64_t box = mail_acts_box(s, "ada", name).id;
	struct mail_added added;

	assert_int_equal(mail_acts_append(s, "ada", box, text,
				 (struct mail_flag_names){.system = 0}, &added),
		0);
	return box;
}

static void flag(uint64_t box, uint32_t system, const char *keyword)
{
	const struct mail_flagging f = {.account = "ada",
		.box = box,
		.uid = 1,
		.how = MAIL_FLAGS_ADD,
		.system = system,
		.keyword = keyword};
	struct mail_flags_result r;

	assert_int_equal(mail_acts_flag(s, f, &r), 0);
}

static bool has_blob(const char *text)
{
	struct mail_body b = mail_acts_body(text);
	uint64_t size;
	int rc = blob_size(s, b.blob.id, &size);

	assert_true(rc == 0 || rc == -ENOENT);
	return rc == 0;
}

/* How many rows a table has. */
struct counting {
	enum key_table table;
	uint64_t count;
};

static int count_view(struct store_txn *txn, void *arg)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct counting *c = arg;
	struct key prefix = key_table(c->table);
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		c->count++;
		rc = 0;
	}
	return rc;
}

static uint64_t rows(enum key_table table)
{
	struct counting c = {.table = table};

	assert_int_equal(store_view(s, count_view, &c), 0);
	return c.count;
}

static int read_held(struct store_txn *txn, void *arg)
{
	return mail_account_read(txn, "ada", arg);
}

/* What of ada's waits for the sweep. */
static uint64_t held(void)
{
	struct mail_account a;

	assert_int_equal(store_view(s, read_held, &a), 0);
	return a.held;
}

/* First the bytes go, then the last mention. */
static void test_expunged(void **state)
{
	uint64_t box = append("INBOX", "one");
	struct mail_message m;
	struct mail_box b;

	(void)state;
	append("INBOX", "two");
	append("Trash", "one");
	assert_int_equal(mail_acts_expunge(s, "ada", box, 1), 0);
	assert_int_equal(mail_acts_expunge(s, "ada", box, 2), 0);
	assert_int_equal(held(), mail_row_cost(2, 6));
	b = mail_acts_box(s, "ada", "INBOX");
	boxes_sweep(s, FIXTURE_NOW + FIXTURE_DAY - 1);
	assert_int_equal(held(), mail_row_cost(2, 6));
	assert_int_equal(mail_acts_message(s, box, 1, &m), 0);
	assert_true(has_blob("two"));
	boxes_sweep(s, FIXTURE_NOW + FIXTURE_DAY);
	assert_int_equal(mail_acts_message(s, box, 1, &m), -ENOENT);
	assert_int_equal(mail_acts_message(s, box, 2, &m), -ENOENT);
	assert_int_equal(held(), 0);
	assert_true(has_blob("one")); /* in Trash */
	assert_false(has_blob("two"));
	assert_int_equal(rows(KEY_MAIL_STRUCTURE), 1);
	mail_acts_check(s);
	assert_string_equal(mail_acts_changes(s, box, 0), "-1 -2");
	boxes_sweep(s, FIXTURE_NOW + 90 * FIXTURE_DAY - 1);
	assert_string_equal(mail_acts_changes(s, box, 0), "-1 -2");
	assert_int_equal(mail_acts_box(s, "ada", "INBOX").modseq_floor, 0);
	boxes_sweep(s, FIXTURE_NOW + 90 * FIXTURE_DAY);
	assert_string_equal(mail_acts_changes(s, box, 0), "");
	assert_int_equal(mail_acts_box(s, "ada", "INBOX").modseq_floor, b.modseq);
	assert_int_equal(mail_acts_box(s, "ada", "INBOX").modseq, b.modseq);
	assert_int_equal(rows(KEY_MAIL_GONE), 0);
}

/* More than one commit takes; a mailbox that was deleted with what was expunged in it. */
static void test_deleted(void **state)
{
	enum { COUNT = 700 }; /* a message and a change each */
	char text[32];
	uint64_t box;

	(void)state;
	assert_int_equal(boxes_create(s, "ada", "x", MAIL_USE_NONE), 0);
	for (unsigned i = 0; i < COUNT; i++) {
		(void)snprintf(text, sizeof(text), "message %u", i);
		box = append("x", text);
	}
	append("Sent", "message 7");
	assert_int_equal(mail_acts_expunge(s, "ada", box, 5), 0);
	assert_int_equal(mail_acts_expunge(s, "ada", box, 6), 0);
	boxes_sweep(s, FIXTURE_NOW + FIXTURE_DAY - 1);
	assert_int_equal(boxes_delete(s, "ada", "x"), 0);
	mail_acts_check(s);
	assert_true(held() > mail_row_cost(COUNT, 0));
	assert_int_equal(rows(KEY_MAIL_BODY), COUNT);
	boxes_sweep(s, FIXTURE_NOW + FIXTURE_DAY);
	assert_int_equal(rows(KEY_MAIL_BODY), 1);
	assert_int_equal(rows(KEY_BLOB), 1);
	assert_int_equal(rows(KEY_MAIL_MESSAGE), 1);
	assert_int_equal(rows(KEY_MAIL_CHANGE), 1);
	assert_int_equal(rows(KEY_MAIL_DEAD), 0);
	assert_int_equal(held(), 0);
	boxes_sweep(s, FIXTURE_NOW + 100 * FIXTURE_DAY);
	assert_int_equal(rows(KEY_MAIL_GONE), 0);
}

static void deliver(const char *sender, const char *recipients, const char *text, int64_t now_us)
{
	struct mail_delivery d;
	struct mail_deliver_result r;

	mail_acts_delivery(&d, sender, recipients, text);
	d.a.now_us = now_us;
	d.a.track = true;
	assert_int_equal(mail_acts_send(s, &d, &r), 0);
}

static void test_notes(void **state)
{
	(void)state;
	deliver("ada", "ada bob", "one", FIXTURE_NOW);
	deliver("ada", "bob", "two", FIXTURE_NOW + HOUR);
	deliver("bob", "ada", "three", FIXTURE_NOW + HOUR);
	assert_int_equal(rows(KEY_MAIL_DONE), 4);
	boxes_sweep(s, FIXTURE_NOW + FIXTURE_DAY + HOUR); /* could be sent again up to here */
	assert_int_equal(rows(KEY_MAIL_DONE), 4);
	boxes_sweep(s, FIXTURE_NOW + 3 * FIXTURE_DAY);
	assert_int_equal(rows(KEY_MAIL_DONE), 0);
	boxes_sweep(s, FIXTURE_NOW + 90 * FIXTURE_DAY);
	assert_string_equal(mail_acts_notices(s, "ada"), "NEW bob@example.org <three>\n");
	assert_string_equal(mail_acts_notices(s, "bob"), "NEW ada@example.org <two>\n");
	boxes_sweep(s, FIXTURE_NOW + 90 * FIXTURE_DAY + HOUR);
	assert_int_equal(rows(KEY_MAIL_NOTICE), 0);
	assert_int_equal(rows(KEY_MAIL_SENT), 4);
	boxes_sweep(s, FIXTURE_NOW + 365 * FIXTURE_DAY);
	assert_string_equal(mail_acts_sent(s, "ada", ""), "bob -\n");
	assert_int_equal(rows(KEY_MAIL_SENT_ID), 2);
	boxes_sweep(s, FIXTURE_NOW + 365 * FIXTURE_DAY + HOUR);
	assert_int_equal(rows(KEY_MAIL_SENT), 0);
	assert_int_equal(rows(KEY_MAIL_SENT_ID), 0);
	/* The numbers of notices go on. */
	deliver("bob", "ada", "four", FIXTURE_NOW);
	assert_string_equal(mail_acts_notices(s, "ada"), "NEW bob@example.org <four>\n");
}

/* A receipt whose message is swept before it went. */
/* Who sends all day does not fill the store with what was sent; and who uses one Message-ID for all
 * of it makes nobody search through it. */
static void test_many_sent(void **state)
{
	char name[ACCOUNT_NAME_SIZE];
	struct mail_delivery d;
	struct mail_deliver_result r;

	(void)state;
	mail_acts_delivery(&d, "ada", "bob", "once more");
	d.a.count = MAIL_RECIPIENTS_MAX;
	d.a.track = true;
	memset(d.a.key, 0, sizeof(d.a.key));
	for (size_t i = 0; i < MAIL_RECIPIENTS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "reader%zu", i);
		fixture_account(s, name);
		memcpy(d.names[i], name, sizeof(name));
	}
	for (size_t i = 0; i <= MAIL_SENT_MAX / MAIL_RECIPIENTS_MAX; i++)
		assert_int_equal(mail_acts_send(s, &d, &r), 0);
	assert_int_equal(rows(KEY_MAIL_SENT), MAIL_SENT_MAX);
	assert_int_equal(rows(KEY_MAIL_SENT_ID), MAIL_SENT_MAX);
}

static void test_due(void **state)
{
	struct mail_delivery d;
	struct mail_deliver_result r;
	uint64_t box;

	(void)state;
	mail_acts_receipts(s, "ada", MAIL_RECEIPTS_ALWAYS);
	mail_acts_delivery(&d, "bob", "ada", "asks");
	d.a.body.asks = true;
	assert_int_equal(mail_acts_send(s, &d, &r), 0);
	box = mail_acts_box(s, "ada", "INBOX").id;
	flag(box, MAIL_SEEN, NULL);
	assert_int_equal(mail_acts_due(s, "ada", NULL, 0), 1);
	assert_int_equal(mail_acts_expunge(s, "ada", box, 1), 0);
	boxes_sweep(s, FIXTURE_NOW + FIXTURE_DAY - 1);
	assert_int_equal(rows(KEY_MAIL_DUE), 1);
	boxes_sweep(s, FIXTURE_NOW + FIXTURE_DAY);
	assert_int_equal(rows(KEY_MAIL_DUE), 0);
}

static void test_account_removed(void **state)
{
	const struct account_remove_args a = {.name = "ada", .now_us = FIXTURE_NOW};
	struct account_remove_result r;
	uint64_t box;

	(void)state;
	deliver("ada", "ada bob", "one", FIXTURE_NOW);
	deliver("bob", "ada", "two", FIXTURE_NOW);
	box = mail_acts_box(s, "ada", "INBOX").id;
	flag(box, 0, "word");
	assert_int_equal(mail_acts_expunge(s, "ada", box, 1), 0);
	assert_int_equal(boxes_subscribe(s, "ada", "none", true), 0);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_REMOVE, &a, &r), 0);
	mail_acts_check(s);
	assert_string_equal(boxes_list(s, "ada"), "");
	assert_string_equal(mail_acts_notices(s, "ada"), "");
	assert_int_equal(rows(KEY_MAIL_ACCOUNT), 1);
	assert_int_equal(rows(KEY_MAIL_KEYWORDS), 0);
	assert_int_equal(rows(KEY_MAIL_SENT), 1); /* what bob sent */
	boxes_sweep(s, FIXTURE_NOW + 1); /* its bodies do not wait */
	assert_true(has_blob("one"));
	assert_false(has_blob("two"));
	assert_int_equal(rows(KEY_MAIL_MESSAGE), 1);
	boxes_sweep(s, FIXTURE_NOW + FIXTURE_DAY);
	assert_int_equal(rows(KEY_MAIL_GONE), 0);
	/* The next of that name has nothing of it. */
	fixture_account(s, "zoe");
	assert_int_equal(boxes_open(s, "zoe"), 0);
	assert_true(mail_acts_box(s, "zoe", "INBOX").id > box);
}

/* Kept mail is nobody's: nothing comes to it, nobody gets the name, until it goes or comes back. */
static void test_account_removed_kept(void **state)
{
	struct account_remove_args a = {
		.name = "ada", .keep_mail = true, .now_us = FIXTURE_NOW - 100 * FIXTURE_DAY};
	struct account_create_args again = {.name = "ada", .now_us = FIXTURE_NOW};
	struct account_remove_result r;

	(void)state;
	deliver("bob", "ada", "one", FIXTURE_NOW);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_REMOVE, &a, &r), 0);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_REMOVE, &a, &r), -ENOENT);
	mail_acts_check(s);
	boxes_sweep(s, FIXTURE_NOW + 1000 * FIXTURE_DAY);
	assert_true(has_blob("one"));
	assert_int_equal(boxes_open(s, "ada"), -ENOENT);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &again, NULL), -EEXIST);
	again.admin_act = true;
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &again, NULL), 0);
	assert_int_equal(mail_acts_box(s, "ada", "INBOX").messages, 1);
	mail_acts_check(s);

	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_REMOVE, &a, &r), 0);
	a.keep_mail = false;
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_REMOVE, &a, &r), 0);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_REMOVE, &a, &r), -ENOENT);
	boxes_sweep(s, FIXTURE_NOW + FIXTURE_DAY);
	assert_false(has_blob("one"));
	again.admin_act = false;
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &again, NULL), 0);
}

/* UIDs could have been given since the backup: every mailbox is a new one to clients. */
static void test_restored(void **state)
{
	struct store_fixture *f = *state;
	char dir[sizeof(f->dir) + 16], other[sizeof(f->dir) + 16];
	struct mail_box before, later;
	struct store *restored = NULL;

	append("INBOX", "one");
	before = mail_acts_box(s, "ada", "INBOX");
	(void)snprintf(dir, sizeof(dir), "%s/backup", f->dir);
	(void)snprintf(other, sizeof(other), "%s/other", f->dir);
	assert_int_equal(store_backup(f->s, f->state, dir), 0);
	assert_int_equal(boxes_create(s, "ada", "later", MAIL_USE_NONE), 0);
	later = mail_acts_box(s, "ada", "later");
	store_close(f->s);
	f->s = s = NULL;
	assert_int_equal(store_restore(dir, other), 0);
	assert_int_equal(store_open(other, STORE_WRITE, &restored), 0);
	assert_true(mail_acts_box(restored, "ada", "INBOX").validity > later.validity);
	assert_int_equal(mail_acts_box(restored, "ada", "INBOX").uid_next, before.uid_next);
	assert_int_not_equal(mail_acts_box(restored, "ada", "INBOX").validity,
		mail_acts_box(restored, "ada", "Sent").validity);
	assert_int_equal(boxes_create(restored, "ada", "new", MAIL_USE_NONE), 0);
	assert_true(mail_acts_box(restored, "ada", "new").id > later.id);
	mail_acts_check(restored);
	store_close(restored);
	store_fixture_reopen(f, STORE_WRITE);
	s = f->s;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_expunged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deleted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_notes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_due, setup, teardown),
		cmocka_unit_test_setup_teardown(test_account_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_account_removed_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restored, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
