/* Renaming mailboxes with all below them, and INBOX. */
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
	assert_int_equal(boxes_open(s, "ada"), 0);
	for (const char *const *name =
			(const char *const[]){"Archive", "Drafts", "Junk", "Sent", "Trash", NULL};
		*name != NULL; name++) {
		assert_int_equal(boxes_subscribe(s, "ada", *name, false), 0);
		assert_int_equal(boxes_delete(s, "ada", *name), 0);
	}
	return rc;
}

static int teardown(void **state)
{
	mail_acts_check(s);
	return store_fixture_teardown(state);
}

static void append(const char *name, const char *text)
{
	struct mail_added added;

	assert_int_equal(mail_acts_append(s, "ada", mail_acts_box(s, "ada", name).id, text,
				 (struct mail_flag_names){.system = MAIL_FLAGGED}, &added),
		0);
}

static void test_tree(void **state)
{
	struct mail_box before, after;

	(void)state;
	assert_int_equal(boxes_create(s, "ada", "a/b/c", MAIL_USE_NONE), 0);
	assert_int_equal(boxes_create(s, "ada", "a-b", MAIL_USE_NONE), 0);
	assert_int_equal(boxes_subscribe(s, "ada", "a/b/none", true), 0);
	assert_int_equal(boxes_subscribe(s, "ada", "a/b/c", true), 0);
	append("a/b", "one");
	before = mail_acts_box(s, "ada", "a/b");
	assert_int_equal(boxes_rename(s, "ada", "a", "x/y"), 0);
	assert_string_equal(boxes_list(s, "ada"), "INBOX+ a-b x x/y x/y/b x/y/b/c+ (x/y/b/none)+");
	after = mail_acts_box(s, "ada", "x/y/b");
	assert_int_equal(after.id, before.id);
	assert_int_equal(after.validity, before.validity);
	assert_int_equal(after.messages, 1);
	/* Up, into the place of what it was below. */
	assert_int_equal(boxes_delete(s, "ada", "x"), 0);
	assert_int_equal(boxes_rename(s, "ada", "x/y", "x"), 0);
	assert_string_equal(boxes_list(s, "ada"), "INBOX+ a-b x x/b x/b/c+ (x/b/none)+");
}

static void test_refused(void **state)
{
	char name[MAIL_NAME_SIZE];

	(void)state;
	assert_int_equal(boxes_create(s, "ada", "a/b", MAIL_USE_NONE), 0);
	assert_int_equal(boxes_create(s, "ada", "c", MAIL_USE_NONE), 0);
	assert_int_equal(boxes_rename(s, "ada", "none", "x"), -ENOENT);
	assert_int_equal(boxes_rename(s, "ada", "*", "x"), -ENOENT);
	assert_int_equal(boxes_rename(s, "ada", "a", "x*"), -EINVAL);
	assert_int_equal(boxes_rename(s, "ada", "a", "c"), -EEXIST);
	assert_int_equal(boxes_rename(s, "ada", "a", "inbox"), -EEXIST);
	assert_int_equal(boxes_rename(s, "ada", "a", "a"), -EEXIST);
	assert_int_equal(boxes_rename(s, "ada", "a", "a/b/c"), -EINVAL);
	/* Only a subscription: no mailbox. */
	assert_int_equal(boxes_subscribe(s, "ada", "only", true), 0);
	assert_int_equal(boxes_rename(s, "ada", "only", "x"), -ENOENT);
	/* What is below would get too long. */
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(boxes_rename(s, "ada", "a", name), -EINVAL);
	assert_string_equal(boxes_list(s, "ada"), "INBOX+ a a/b c (only)+");
}

/* A level that is no mailbox can be renamed; where one below is taken, nothing is. */
static void test_level(void **state)
{
	(void)state;
	assert_int_equal(boxes_create(s, "ada", "a/b", MAIL_USE_NONE), 0);
	assert_int_equal(boxes_create(s, "ada", "a/c", MAIL_USE_NONE), 0);
	assert_int_equal(boxes_create(s, "ada", "x/c", MAIL_USE_NONE), 0);
	assert_int_equal(boxes_delete(s, "ada", "a"), 0);
	assert_int_equal(boxes_delete(s, "ada", "x"), 0);
	assert_int_equal(boxes_rename(s, "ada", "a", "x"), -EEXIST);
	assert_string_equal(boxes_list(s, "ada"), "INBOX+ (a) a/b a/c (x) x/c");
	assert_int_equal(boxes_rename(s, "ada", "a", "y"), 0);
	assert_string_equal(boxes_list(s, "ada"), "INBOX+ (x) x/c (y) y/b y/c");
}

static void test_inbox(void **state)
{
	struct mail_box inbox, new;
	struct mail_listing l;
	struct mail_message m;

	(void)state;
	append("INBOX", "one");
	append("INBOX", "two");
	append("INBOX", "two");
	assert_int_equal(boxes_create(s, "ada", "INBOX/x", MAIL_USE_NONE), 0);
	inbox = mail_acts_box(s, "ada", "INBOX");
	assert_int_equal(mail_acts_expunge(s, "ada", inbox.id, 2), 0);
	assert_int_equal(boxes_rename(s, "ada", "inbox", "old/in"), 0);
	assert_string_equal(boxes_list(s, "ada"), "INBOX+ INBOX/x old old/in");
	new = mail_acts_box(s, "ada", "old/in");
	mail_acts_list(s, new.id, &l);
	assert_int_equal(l.count, 2);
	assert_int_equal(l.messages[1].uid, 2);
	assert_int_equal(l.messages[1].flags.system, MAIL_FLAGGED);
	mail_acts_list(s, inbox.id, &l);
	assert_int_equal(l.count, 0);
	/* INBOX is the same, and tells that they are gone. */
	assert_int_equal(mail_acts_box(s, "ada", "INBOX").id, inbox.id);
	assert_int_equal(mail_acts_box(s, "ada", "INBOX").uid_next, 4);
	assert_string_equal(mail_acts_changes(s, inbox.id, inbox.modseq + 1), "-1 -3");
	assert_int_equal(mail_acts_message(s, inbox.id, 1, &m), 0);
	assert_true(m.gone);
	assert_int_equal(mail_acts_usage(s, "ada").messages, 2);
	append("INBOX", "three");
	/* Below itself is as good as anywhere. */
	assert_int_equal(boxes_rename(s, "ada", "INBOX", "INBOX/y"), 0);
	assert_int_equal(boxes_rename(s, "ada", "INBOX", "INBOX/y"), -EEXIST);
	assert_int_equal(mail_acts_box(s, "ada", "INBOX/y").messages, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_level, setup, teardown),
		cmocka_unit_test_setup_teardown(test_inbox, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
