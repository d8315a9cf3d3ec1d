/* store_check() sees what rows of mail say wrongly of each other: each fault by itself. */
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

static struct store *s;
static uint64_t inbox;

static int setup(void **state)
{
	int rc = store_fixture_setup(state);
	struct mail_delivery d;
	struct mail_deliver_result r;

	s = ((struct store_fixture *)*state)->s;
	fixture_account(s, "ada");
	mail_acts_delivery(&d, "ada", "ada", "one");
	d.a.track = true;
	assert_int_equal(mail_acts_send(s, &d, &r), 0);
	assert_int_equal(mail_acts_deliver(s, "ada", "ada", "two"), 0);
	inbox = mail_acts_box(s, "ada", "INBOX").id;
	assert_int_equal(mail_acts_expunge(s, "ada", inbox, 2), 0);
	mail_acts_check(s);
	return rc;
}

/* -- a row is taken away, or given another value ----------------------------------------------- */

struct damage {
	struct key key;
	struct span value; /* p NULL: remove the row */
};

static int op_damage(struct store_txn *txn, const void *args, void *result)
{
	const struct damage *d = args;

	(void)result;
	return d->value.p == NULL ? row_del(txn, &d->key)
				  : kv_put(txn, key_span(&d->key), d->value);
}

static void damage(struct key key, struct span value)
{
	static const struct op_def def = {
		"damage", op_damage, sizeof(struct damage), 0, OP_FREES, NULL};
	const struct damage d = {key, value};

	op_override = &def;
	assert_int_equal(store_call(s, STORE_OP_SWEEP, &d, NULL), 0);
	op_override = NULL;
}

struct faults {
	unsigned count;
	char text[4096];
};

static void note_fault(void *arg, const char *what)
{
	struct faults *f = arg;
	const size_t len = strlen(f->text);

	f->count++;
	(void)snprintf(f->text + len, sizeof(f->text) - len, "%s\n", what);
}

static void expect(const char *what)
{
	struct faults f = {.count = 0};

	assert_int_equal(store_check(s, note_fault, &f), -EBADMSG);
	if (strstr(f.text, what) == NULL)
		print_error("not told: %s\n%s", what, f.text);
	assert_non_null(strstr(f.text, what));
}

static void lose(struct key key, const char *what)
{
	damage(key, span_of(NULL, 0));
	expect(what);
}

static struct mail_message message(uint32_t uid)
{
	struct mail_message m;

	assert_int_equal(mail_acts_message(s, inbox, uid, &m), 0);
	return m;
}

static void test_account(void **state)
{
	(void)state;
	lose(key_mail_account("ada"), "a mailbox of an account that has no mail");
}

static void test_owner(void **state)
{
	(void)state;
	lose(key_account("ada"), "mail of no account");
}

static void test_box(void **state)
{
	(void)state;
	lose(key_mail_box_row("ada", inbox), "an account whose mail differs from its mailboxes");
	expect("a name of no mailbox");
	expect("a message of no mailbox");
	expect("a change in no mailbox");
}

static void test_name(void **state)
{
	(void)state;
	lose(key_mail_name_row("ada", SPAN_LIT("INBOX")),
		"a mailbox that its name does not lead to");
}

static void test_counter(void **state)
{
	(void)state;
	damage(key_meta(MAIL_META_BOX), SPAN_LIT("\0\0\0\0\0\0\0\2"));
	expect("a mailbox behind the newest");
}

static void test_message(void **state)
{
	(void)state;
	lose(key_mail_message_row(inbox, 1), "a mailbox with another number of messages");
	expect("a change of a message that has another");
	expect("a body with another number of messages");
}

static void test_gone(void **state)
{
	(void)state;
	lose(key_mail_message_row(inbox, 2), "an expunged message that is there");
}

static void test_change(void **state)
{
	(void)state;
	lose(key_mail_change_row(inbox, message(1).modseq, 1),
		"a message whose change is not in the log");
	lose(key_mail_change_row(inbox, message(2).modseq, 2),
		"an expunged message that is not in the log");
}

static void test_body(void **state)
{
	struct mail_message m = message(1);

	(void)state;
	damage(key_mail_body(m.blob), SPAN_LIT("\0\0\0\0\0\0\0\2"));
	expect("a body with another number of messages");
	lose(key_mail_body(m.blob), "a message without its body");
	expect("a structure of no body");
}

static void test_blob(void **state)
{
	struct mail_message m = message(1);

	(void)state;
	lose(key_mail_structure(m.blob), "a body without its structure");
	lose(key_blob(m.blob), "a body without its blob");
}

static void test_sent(void **state)
{
	(void)state;
	lose(key_mail_sent_id_row("ada", SPAN_LIT("<one>"), 1),
		"what was sent, not in the index of its Message-ID");
}

static void test_sent_index(void **state)
{
	(void)state;
	lose(key_mail_sent_row("ada", 1), "an index row of nothing that was sent");
}

static void test_undecodable(void **state)
{
	(void)state;
	damage(key_mail_message_row(inbox, 1), SPAN_LIT("\1nonsense"));
	expect("does not decode");
	expect("a mailbox whose messages cannot be read");
}

#define WITH_SETUP(test) cmocka_unit_test_setup_teardown(test, setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SETUP(test_account),
		WITH_SETUP(test_owner),
		WITH_SETUP(test_box),
		WITH_SETUP(test_name),
		WITH_SETUP(test_counter),
		WITH_SETUP(test_message),
		WITH_SETUP(test_gone),
		WITH_SETUP(test_change),
		WITH_SETUP(test_body),
		WITH_SETUP(test_blob),
		WITH_SETUP(test_sent),
		WITH_SETUP(test_sent_index),
		WITH_SETUP(test_undecodable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
