/* Mailboxes: the first ones, their names, making, deleting and listing them, subscriptions. */
#include "tests/unit/lib/mail_acts.h"
#include "tests/unit/lib/mail_boxes.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct store *s;

static int setup(void **state)
{
	int rc = store_fixture_setup(state);

	s = ((struct store_fixture *)*state)->s;
	fixture_account(s, "ada");
	return rc;
}

static int teardown(void **state)
{
	mail_acts_check(s);
	return store_fixture_teardown(state);
}

#define FIRST "INBOX+ Archive+5 Drafts+2 Junk+4 Sent+1 Trash+3"

static void test_open(void **state)
{
	const struct account_create_args host = {
		.name = "host", .flags = ACCOUNT_HOST, .now_us = FIXTURE_NOW};
	struct mail_box inbox, sent;

	(void)state;
	assert_string_equal(boxes_list(s, "ada"), "");
	assert_int_equal(boxes_open(s, "ada"), 0);
	assert_string_equal(boxes_list(s, "ada"), FIRST);
	assert_int_equal(boxes_open(s, "ada"), 0); /* nothing more */
	assert_string_equal(boxes_list(s, "ada"), FIRST);
	inbox = mail_acts_box(s, "ada", "iNbOx");
	sent = mail_acts_box(s, "ada", "Sent");
	assert_string_equal(inbox.name, "INBOX");
	assert_int_equal(inbox.uid_next, 1);
	assert_int_equal(inbox.modseq, 1);
	assert_int_equal(inbox.modseq_floor, 0);
	assert_int_equal(inbox.created_us, FIXTURE_NOW);
	assert_true(inbox.validity != 0 && sent.validity > inbox.validity && sent.id > inbox.id);
	/* Seconds since 2020, so that no store gives what another gave. */
	assert_int_equal(inbox.validity, FIXTURE_NOW / 1000000 - 1577836800);
	assert_int_equal(boxes_open(s, "nobody"), -ENOENT);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &host, NULL), 0);
	assert_int_equal(boxes_open(s, "host"), -ENOENT);
}

static void test_names(void **state)
{
	static const char *const bad[] = {"", "/", "/a", "a/", "a//b", "a*", "%", "a\tb", "\xff",
		"a\x7f", "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21"};
	static const char *const good[] = {"a", "a/b", "&", "r\xc3\xa9sum\xc3\xa9", "INBOX", "a b",
		"1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20"};
	char longest[MAIL_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(mail_box_name_ok(span_str(bad[i])));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(mail_box_name_ok(span_str(good[i])));
	memset(longest, 'x', sizeof(longest));
	assert_false(mail_box_name_ok(span_of(longest, sizeof(longest))));
	assert_true(mail_box_name_ok(span_of(longest, sizeof(longest) - 1)));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(boxes_create(s, "ada", longest, MAIL_USE_NONE), 0);
	assert_string_equal(mail_acts_box(s, "ada", longest).name, longest);
	assert_int_equal(boxes_create(s, "ada", "a//b", MAIL_USE_NONE), -EINVAL);
}

static void test_create(void **state)
{
	struct mail_box a, b;

	(void)state;
	assert_int_equal(boxes_create(s, "ada", "a/b/c", MAIL_USE_NONE), 0);
	/* The levels come too; none is subscribed to; those below a mailbox stand behind it. */
	assert_int_equal(boxes_create(s, "ada", "a-z", MAIL_USE_NONE), 0);
	assert_int_equal(boxes_create(s, "ada", "inbox/x", MAIL_USE_NONE), 0);
	assert_int_equal(boxes_create(s, "ada", "INBOXes", MAIL_USE_NONE), 0);
	assert_string_equal(boxes_list(s, "ada"),
		"INBOX+ INBOX/x Archive+5 Drafts+2 INBOXes Junk+4 Sent+1 Trash+3 a a/b a/b/c a-z");
	assert_int_equal(boxes_create(s, "ada", "a", MAIL_USE_NONE), -EEXIST);
	assert_int_equal(boxes_create(s, "ada", "Inbox", MAIL_USE_NONE), -EEXIST);
	assert_int_equal(boxes_create(s, "nobody", "a", MAIL_USE_NONE), -ENOENT);
	/* The same name again is another mailbox. */
	a = mail_acts_box(s, "ada", "a-z");
	assert_int_equal(boxes_delete(s, "ada", "a-z"), 0);
	assert_int_equal(boxes_create(s, "ada", "a-z", MAIL_USE_NONE), 0);
	b = mail_acts_box(s, "ada", "a-z");
	assert_true(b.id > a.id && b.validity > a.validity);
}

static void test_use(void **state)
{
	(void)state;
	assert_int_equal(boxes_create(s, "ada", "x", MAIL_USE_SENT), -EBUSY);
	assert_int_equal(boxes_create(s, "ada", "x", MAIL_USE_ALL), -EINVAL);
	assert_int_equal(boxes_create(s, "ada", "x", MAIL_USE_FLAGGED), 0);
	assert_int_equal(mail_acts_box(s, "ada", "x").use, MAIL_USE_FLAGGED);
	assert_int_equal(boxes_delete(s, "ada", "Sent"), 0);
	assert_int_equal(boxes_create(s, "ada", "Gone out", MAIL_USE_SENT), 0);
	assert_int_equal(boxes_rename(s, "ada", "Gone out", "y/z"), 0);
	assert_int_equal(mail_acts_box(s, "ada", "y/z").use, MAIL_USE_SENT);
}

static void test_delete(void **state)
{
	struct mail_added added;

	(void)state;
	assert_int_equal(boxes_create(s, "ada", "a/b/c", MAIL_USE_NONE), 0);
	assert_int_equal(boxes_delete(s, "ada", "inbox"), -EPERM);
	assert_int_equal(boxes_delete(s, "ada", "nothing"), -ENOENT);
	assert_int_equal(boxes_delete(s, "ada", "a//"), -ENOENT);
	assert_int_equal(mail_acts_append(s, "ada", mail_acts_box(s, "ada", "a/b").id, "text",
				 (struct mail_flag_names){.system = 0}, &added),
		0);
	assert_int_equal(mail_acts_usage(s, "ada").messages, 1);
	assert_int_equal(boxes_delete(s, "ada", "a"), 0);
	assert_int_equal(boxes_delete(s, "ada", "a/b"), 0);
	assert_int_equal(mail_acts_usage(s, "ada").messages, 0);
	assert_int_equal(mail_acts_usage(s, "ada").bytes, 0);
	/* What is left of them are levels of a name. */
	assert_non_null(strstr(boxes_list(s, "ada"), " (a) (a/b) a/b/c"));
	assert_int_equal(boxes_delete(s, "ada", "a"), -ENOENT);
	assert_int_equal(boxes_create(s, "ada", "a", MAIL_USE_NONE), 0);
	assert_non_null(strstr(boxes_list(s, "ada"), " a (a/b) a/b/c"));
	assert_int_equal(boxes_delete(s, "ada", "a/b/c"), 0);
	assert_non_null(strstr(boxes_list(s, "ada"), "Trash+3 a"));
	assert_null(strstr(boxes_list(s, "ada"), "a/b"));
}

static void test_limit(void **state)
{
	(void)state;
	mail_acts_policy(s, "mail_boxes", "10");
	assert_int_equal(boxes_create(s, "ada", "1/2/3/4", MAIL_USE_NONE), 0);
	assert_int_equal(boxes_create(s, "ada", "5", MAIL_USE_NONE), -EDQUOT);
	assert_int_equal(boxes_delete(s, "ada", "1/2/3/4"), 0);
	/* All or nothing: the level above it does not fit beside it. */
	assert_int_equal(boxes_create(s, "ada", "5/6", MAIL_USE_NONE), -EDQUOT);
	assert_null(strstr(boxes_list(s, "ada"), " 5"));
	assert_int_equal(boxes_create(s, "ada", "5", MAIL_USE_NONE), 0);
}

static void test_subscribe(void **state)
{
	(void)state;
	assert_int_equal(boxes_subscribe(s, "ada", "Sent", false), 0);
	assert_int_equal(boxes_subscribe(s, "ada", "Sent", false), -ENOENT);
	assert_false(mail_acts_box(s, "ada", "Sent").subscribed);
	assert_int_equal(boxes_subscribe(s, "ada", "Sent", true), 0);
	assert_true(mail_acts_box(s, "ada", "Sent").subscribed);
	assert_int_equal(boxes_subscribe(s, "ada", "no/box", true), 0);
	assert_int_equal(boxes_subscribe(s, "ada", "no/box", true), 0);
	assert_non_null(strstr(boxes_list(s, "ada"), " (no) (no/box)+"));
	assert_int_equal(boxes_subscribe(s, "ada", "no", false), -ENOENT);
	assert_int_equal(boxes_subscribe(s, "ada", "*", true), -EINVAL);
	assert_int_equal(boxes_subscribe(s, "nobody", "Sent", true), -ENOENT);
	assert_int_equal(boxes_subscribe(s, "nobody", "Sent", false), -ENOENT);
	/* A mailbox of that name is subscribed to, and it survives the mailbox. */
	assert_int_equal(boxes_create(s, "ada", "no/box", MAIL_USE_NONE), 0);
	assert_non_null(strstr(boxes_list(s, "ada"), " no no/box+"));
	assert_int_equal(boxes_delete(s, "ada", "no/box"), 0);
	assert_non_null(strstr(boxes_list(s, "ada"), " no (no/box)+"));
	assert_int_equal(boxes_subscribe(s, "ada", "no/box", false), 0);
	assert_null(strstr(boxes_list(s, "ada"), "no/box"));
	assert_int_equal(boxes_subscribe(s, "ada", "no/box", false), -ENOENT);
}

/* Names that are no mailboxes are bounded as well. */
static void test_subscribe_many(void **state)
{
	char name[32];
	int rc = 0;
	unsigned n = 0;

	(void)state;
	while (rc == 0) {
		(void)snprintf(name, sizeof(name), "s%u", n++);
		rc = boxes_subscribe(s, "ada", name, true);
		assert_true(n <= 2 * MAIL_BOXES_MAX);
	}
	assert_int_equal(rc, -EDQUOT);
	assert_true(n >= MAIL_BOXES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_open, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_create, setup, teardown),
		cmocka_unit_test_setup_teardown(test_use, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delete, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subscribe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subscribe_many, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
