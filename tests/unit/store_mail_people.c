/* Who is there and was, what people have chosen, notices, and what their mail takes. */
#include "store/policy.h"
#include "tests/unit/lib/mail_acts.h"
#include "tests/unit/lib/mail_boxes.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

enum { TEXT_MAX = 4096 };

static struct store *s;

static int setup(void **state)
{
	int rc = store_fixture_setup(state);

	s = ((struct store_fixture *)*state)->s;
	fixture_account(s, "ada");
	fixture_account(s, "bob");
	return rc;
}

static int teardown(void **state)
{
	mail_acts_check(s);
	return store_fixture_teardown(state);
}

/* -- presence ---------------------------------------------------------------------------------- */

static int tell_person(void *arg, const struct mail_person *p)
{
	char *text = arg;
	const size_t len = strlen(text);

	(void)snprintf(text + len, TEXT_MAX - len, "%s%s%s%s\n", p->account,
		p->hidden ? " hidden" : "", p->online ? " online" : "",
		p->seen_us != 0 ? " seen" : "");
	return 0;
}

static int people_view(struct store_txn *txn, void *arg)
{
	return mail_people_each(txn, tell_person, arg);
}

static const char *people(void)
{
	static char text[TEXT_MAX];

	text[0] = '\0';
	assert_int_equal(store_view(s, people_view, text), 0);
	return text;
}

static uint64_t session(const char *service, const char *account)
{
	struct session_row r = {.pid = getpid()};
	uint64_t id = 0;

	(void)snprintf(r.service, sizeof(r.service), "%s", service);
	(void)snprintf(r.account, sizeof(r.account), "%s", account);
	assert_int_equal(store_call(s, STORE_OP_SESSION_ADD, &r, &id), 0);
	return id;
}

static void leave(const char *service, uint64_t id)
{
	struct session_remove_args a = {.id = id};

	(void)snprintf(a.service, sizeof(a.service), "%s", service);
	assert_int_equal(store_call(s, STORE_OP_SESSION_REMOVE, &a, NULL), 0);
}

static void test_presence(void **state)
{
	const struct account_create_args host = {
		.name = "host", .flags = ACCOUNT_HOST, .now_us = FIXTURE_NOW};
	const struct account_flags_args lock = {
		.name = "zoe", .set = ACCOUNT_LOCKED, .now_us = FIXTURE_NOW};
	struct mail_prefs_args hide = {.account = "bob", .prefs = {.hidden = true}};
	uint64_t one, two;

	(void)state;
	fixture_account(s, "zoe");
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &host, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_FLAGS, &lock, NULL), 0);
	assert_string_equal(people(), "ada\nbob\n");
	one = session("ftpd", "bob");
	two = session("maild", "bob");
	leave("maild", session("maild", "")); /* of nobody */
	assert_string_equal(people(), "ada\nbob online\n");
	leave("ftpd", one);
	assert_string_equal(people(), "ada\nbob online seen\n");
	assert_int_equal(store_call(s, STORE_OP_MAIL_PREFS, &hide, NULL), 0);
	assert_string_equal(people(), "ada\nbob hidden\n");
	leave("maild", two);
	hide.prefs.hidden = false;
	assert_int_equal(store_call(s, STORE_OP_MAIL_PREFS, &hide, NULL), 0);
	assert_string_equal(people(), "ada\nbob seen\n");
}

/* An account that is gone is not seen when its last session ends. */
static void test_presence_removed(void **state)
{
	const struct account_remove_args a = {.name = "bob", .now_us = FIXTURE_NOW};
	struct account_remove_result r;
	uint64_t one = session("maild", "bob"), two = session("maild", "bob");

	(void)state;
	leave("maild", one);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_REMOVE, &a, &r), 0);
	leave("maild", two);
	assert_string_equal(people(), "ada\n");
	mail_acts_check(s);
}

/* -- settings ---------------------------------------------------------------------------------- */

static int prefs_view(struct store_txn *txn, void *arg)
{
	return mail_prefs_read(txn, "ada", arg);
}

static void test_prefs(void **state)
{
	struct mail_prefs_args a = {
		.account = "ada", .prefs = {.receipts = MAIL_RECEIPTS_ALWAYS, .hidden = true}};
	struct mail_prefs p = {.hidden = true};

	(void)state;
	assert_int_equal(store_view(s, prefs_view, &p), 0);
	assert_int_equal(p.receipts, MAIL_RECEIPTS_ASK);
	assert_false(p.hidden);
	assert_int_equal(store_call(s, STORE_OP_MAIL_PREFS, &a, NULL), 0);
	assert_int_equal(store_view(s, prefs_view, &p), 0);
	assert_int_equal(p.receipts, MAIL_RECEIPTS_ALWAYS);
	assert_true(p.hidden);
	a.prefs.receipts = (enum mail_receipts)7;
	assert_int_equal(store_call(s, STORE_OP_MAIL_PREFS, &a, NULL), -EINVAL);
	(void)snprintf(a.account, sizeof(a.account), "nobody");
	a.prefs.receipts = MAIL_RECEIPTS_NEVER;
	assert_int_equal(store_call(s, STORE_OP_MAIL_PREFS, &a, NULL), -ENOENT);
}

/* -- notices ----------------------------------------------------------------------------------- */

struct notices {
	unsigned count, shown;
	uint64_t newest, oldest;
};

static int count_notice(void *arg, const struct mail_notice *n)
{
	struct notices *c = arg;

	if (c->count++ == 0)
		c->newest = n->id;
	c->oldest = n->id;
	c->shown += n->shown;
	return 0;
}

static int notices_view(struct store_txn *txn, void *arg)
{
	return mail_notices_each(txn, "bob", count_notice, arg);
}

static int new_view(struct store_txn *txn, void *arg)
{
	return mail_notices_count(txn, "bob", arg);
}

static struct notices notices(uint32_t expected_new)
{
	struct notices c = {.count = 0};
	uint32_t fresh = 99;

	assert_int_equal(store_view(s, notices_view, &c), 0);
	assert_int_equal(store_view(s, new_view, &fresh), 0);
	assert_int_equal(fresh, expected_new);
	assert_int_equal(c.count - c.shown, expected_new);
	return c;
}

static void shown(uint64_t id)
{
	const struct mail_shown_args a = {.account = "bob", .id = id};

	assert_int_equal(store_call(s, STORE_OP_MAIL_SHOWN, &a, NULL), 0);
}

static void test_notices(void **state)
{
	char text[32];
	struct notices c;

	(void)state;
	assert_int_equal(notices(0).count, 0);
	for (unsigned i = 1; i <= 3; i++) {
		(void)snprintf(text, sizeof(text), "text %u", i);
		assert_int_equal(mail_acts_deliver(s, "ada", "bob", text), 0);
	}
	c = notices(3);
	assert_int_equal(c.newest, 3);
	shown(2);
	assert_int_equal(notices(1).shown, 2);
	shown(1); /* never back */
	assert_int_equal(notices(1).shown, 2);
	shown(77); /* none that are still to come */
	(void)notices(0);
	assert_int_equal(mail_acts_deliver(s, "ada", "bob", "more"), 0);
	assert_int_equal(notices(1).newest, 4);
}

static void test_notices_many(void **state)
{
	char text[32];
	struct notices c;

	(void)state;
	for (unsigned i = 1; i <= MAIL_NOTICES_MAX + 20; i++) {
		(void)snprintf(text, sizeof(text), "text %u", i);
		assert_int_equal(mail_acts_deliver(s, "ada", "bob", text), 0);
	}
	c = notices(MAIL_NOTICES_MAX);
	assert_int_equal(c.oldest, 21);
	assert_int_equal(c.newest, MAIL_NOTICES_MAX + 20);
	shown(5);
	(void)notices(MAIL_NOTICES_MAX);
}

/* -- usage, bells ------------------------------------------------------------------------------ */

static int totals_view(struct store_txn *txn, void *arg)
{
	struct mail_totals *t = arg;
	int rc = mail_totals(txn, NULL, &t[0]);

	if (rc == 0)
		rc = mail_totals(txn, "ada", &t[1]);
	return rc < 0 ? rc : mail_totals(txn, "nobody", &t[2]);
}

static void test_usage(void **state)
{
	struct mail_totals t[3] = {{.boxes = 9}, {.boxes = 9}, {.boxes = 9}};

	(void)state;
	assert_int_equal(mail_acts_usage(s, "bob").limit, 1 << 30);
	assert_int_equal(mail_acts_usage(s, "bob").bytes, 0);
	mail_acts_policy(s, "mail_quota", "10");
	assert_int_equal(mail_acts_deliver(s, "ada", "bob ada", "123456"), 0);
	assert_int_equal(mail_acts_deliver(s, "ada", "bob", "12345"), -EDQUOT);
	assert_int_equal(mail_acts_deliver(s, "ada", "bob", "1234"), 0);
	assert_int_equal(mail_acts_usage(s, "bob").bytes, 10);
	assert_int_equal(mail_acts_usage(s, "bob").messages, 2);
	assert_int_equal(mail_acts_usage(s, "bob").limit, 10);
	assert_int_equal(store_view(s, totals_view, t), 0);
	assert_int_equal(t[0].boxes, 12);
	assert_int_equal(t[0].messages, 3);
	assert_int_equal(t[0].bytes, 16);
	assert_int_equal(t[1].boxes, 6);
	assert_int_equal(t[1].bytes, 6);
	assert_int_equal(t[2].boxes, 0);
	mail_acts_policy(s, "mail_quota", "0");
	assert_int_equal(mail_acts_deliver(s, "ada", "bob", "1234567890123"), 0);
}

static void test_ring(void **state)
{
	struct store_fixture *f = *state;
	struct bell_args b = {.service = "maild"};
	struct bell *bell = NULL;
	struct pollfd p;

	assert_int_equal(bell_open(f->dir, &bell), 0);
	mail_topic("bob", b.topic);
	assert_string_equal(b.topic, "mail/bob");
	(void)snprintf(b.bell, sizeof(b.bell), "%s", bell_name(bell));
	b.session_id = session("maild", "bob");
	assert_int_equal(store_call(s, STORE_OP_BELL_ADD, &b, NULL), 0);
	p = (struct pollfd){.fd = bell_fd(bell), .events = POLLIN};
	assert_int_equal(mail_ring(s, f->dir, "ada"), 0);
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(mail_ring(s, f->dir, "bob"), 1);
	assert_int_equal(poll(&p, 1, 0), 1);
	bell_close(bell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_presence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_presence_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_prefs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_notices, setup, teardown),
		cmocka_unit_test_setup_teardown(test_notices_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_usage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ring, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
