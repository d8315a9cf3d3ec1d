/* STORE_OP_MAIL_EXPUNGE. */
#include "tests/unit/lib/mail_acts.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* bob with count messages in INBOX, by appending. */
static uint64_t some(struct store *s, unsigned count, uint32_t system)
{
	struct mail_append_item items[MAIL_APPEND_MAX];
	struct mail_append_args a = {.account = "bob", .items = items, .now_us = FIXTURE_NOW};
	struct mail_open_args o = {.account = "bob", .now_us = FIXTURE_NOW};
	struct mail_added r;

	fixture_account(s, "bob");
	assert_int_equal(store_call(s, STORE_OP_MAIL_OPEN, &o, NULL), 0);
	a.box = mail_acts_box(s, "bob", "INBOX").id;
	for (unsigned i = 0; i < MAIL_APPEND_MAX; i++)
		items[i] = (struct mail_append_item){
			.body = mail_acts_body("text"), .flags = {.system = system}};
	for (; count > 0; count -= (unsigned)a.count) {
		a.count = count < MAIL_APPEND_MAX ? count : MAIL_APPEND_MAX;
		assert_int_equal(store_call(s, STORE_OP_MAIL_APPEND, &a, &r), 0);
	}
	return a.box;
}

static void delete_one(struct store *s, uint64_t box, uint32_t uid)
{
	struct mail_flags_result r;

	assert_int_equal(
		mail_acts_flag(s,
			(struct mail_flagging){"bob", box, uid, MAIL_FLAGS_ADD, MAIL_DELETED, NULL},
			&r),
		0);
}

static void test_those_deleted(void **state)
{
	struct store_fixture *f = *state;
	uint64_t box = some(f->s, 5, 0);
	const uint32_t uids[] = {1, 2, 4, 77};
	struct mail_expunge_args a = {
		.account = "bob", .box = box, .uids = uids, .count = 4, .now_us = FIXTURE_NOW};
	struct mail_expunge_result r;
	struct mail_message m;
	uint64_t before;

	delete_one(f->s, box, 2);
	delete_one(f->s, box, 4);
	delete_one(f->s, box, 5);
	before = mail_acts_box(f->s, "bob", "INBOX").modseq;
	assert_int_equal(store_call(f->s, STORE_OP_MAIL_EXPUNGE, &a, &r), 0);
	assert_int_equal(r.count, 2);
	assert_int_equal(r.modseq, before + 1);
	assert_false(r.more);
	assert_string_equal(mail_acts_changes(f->s, box, before), "-2 -4");
	assert_int_equal(mail_acts_message(f->s, box, 2, &m), 0);
	assert_true(m.gone);
	assert_int_equal(m.modseq, r.modseq);
	assert_int_equal(mail_acts_box(f->s, "bob", "INBOX").messages, 3);
	assert_int_equal(mail_acts_box(f->s, "bob", "INBOX").deleted, 1);
	assert_int_equal(mail_acts_usage(f->s, "bob").messages, 3);
	assert_int_equal(mail_acts_usage(f->s, "bob").bytes, 12);
	/* Once gone, it is not expunged again. */
	assert_int_equal(store_call(f->s, STORE_OP_MAIL_EXPUNGE, &a, &r), 0);
	assert_int_equal(r.count, 0);
	assert_int_equal(r.modseq, 0);
	mail_acts_check(f->s);
}

static void test_all_deleted(void **state)
{
	struct store_fixture *f = *state;
	uint64_t box = some(f->s, 5, 0);
	struct mail_expunge_args a = {.account = "bob", .box = box, .now_us = FIXTURE_NOW};
	struct mail_expunge_result r;

	assert_int_equal(store_call(f->s, STORE_OP_MAIL_EXPUNGE, &a, &r), 0);
	assert_int_equal(r.count, 0);
	delete_one(f->s, box, 1);
	delete_one(f->s, box, 5);
	assert_int_equal(store_call(f->s, STORE_OP_MAIL_EXPUNGE, &a, &r), 0);
	assert_int_equal(r.count, 2);
	assert_false(r.more);
	a.any_flags = true;
	assert_int_equal(store_call(f->s, STORE_OP_MAIL_EXPUNGE, &a, &r), 0);
	assert_int_equal(r.count, 3);
	assert_int_equal(mail_acts_box(f->s, "bob", "INBOX").messages, 0);
	a.box = 999;
	assert_int_equal(store_call(f->s, STORE_OP_MAIL_EXPUNGE, &a, &r), -ENOENT);
	mail_acts_check(f->s);
}

static void test_more(void **state)
{
	struct store_fixture *f = *state;
	uint64_t box = some(f->s, MAIL_BATCH_MAX + 3, MAIL_DELETED);
	struct mail_expunge_args a = {.account = "bob", .box = box, .now_us = FIXTURE_NOW};
	struct mail_expunge_result r;

	assert_int_equal(store_call(f->s, STORE_OP_MAIL_EXPUNGE, &a, &r), 0);
	assert_int_equal(r.count, MAIL_BATCH_MAX);
	assert_true(r.more);
	assert_int_equal(store_call(f->s, STORE_OP_MAIL_EXPUNGE, &a, &r), 0);
	assert_int_equal(r.count, 3);
	assert_false(r.more);
	mail_acts_check(f->s);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_those_deleted),
		TEST(test_all_deleted),
		TEST(test_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
