/* The log's ground: order and times, what stands in a record, what a broken one is worth. */
#include "store/chat_check.h"
#include "tests/unit/lib/chat_people.h"
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
	return rc;
}

/* An operation of the test's own, over an event. */
struct append_args {
	const struct chat_event *event;
	int64_t now_us;
	uint64_t remove; /* not 0: this one goes */
};

static int op_append(struct store_txn *txn, const void *args, void *result)
{
	const struct append_args *a = args;

	if (a->remove != 0)
		return chat_event_remove(txn, a->remove);
	if (a->event->seq != 0)
		return chat_event_rewrite(txn, a->event);
	return chat_append(txn, a->now_us, a->event, result, NULL);
}

static int act(struct append_args a, struct chat_result *ret)
{
	static const struct op_def def = {"append", op_append, sizeof(struct append_args),
		sizeof(struct chat_result), 0, NULL};
	struct chat_result r;
	int rc;

	op_override = &def;
	rc = store_call(s, STORE_OP_SWEEP, &a, &r);
	op_override = NULL;
	if (rc == 0 && ret != NULL)
		*ret = r;
	return rc;
}

static struct chat_event message(void)
{
	return (struct chat_event){.kind = CHAT_PRIVMSG,
		.flags = CHAT_EVENT_STAMPED | CHAT_EVENT_BOT,
		.session = 7,
		.who = SPAN_LIT("ada"),
		.nick = SPAN_LIT("Lovelace"),
		.ident = SPAN_LIT("id"),
		.host = SPAN_LIT("user/ada"),
		.account = SPAN_LIT("ada"),
		.realname = SPAN_LIT("Countess"),
		.status = '@',
		.target = SPAN_LIT("ben"),
		.peer = SPAN_LIT("ben"),
		.subject = SPAN_LIT("subject"),
		.text = SPAN_LIT("text"),
		.tags = SPAN_LIT("+x=y"),
		.number = UINT64_MAX,
		.spki_sha256 = {1, 2, 3},
		.channels = SPAN_LIT("\0\0\0\0\0\0\0\5")};
}

static int read_view(struct store_txn *txn, void *arg)
{
	const struct chat_event wanted = message();
	const int64_t *at_us = arg;
	struct chat_event e;
	int rc = chat_event_read(txn, 1, &e);

	if (rc < 0)
		return rc;
	assert_int_equal(e.seq, 1);
	assert_int_equal(e.at_us, *at_us);
	assert_int_equal(e.kind, wanted.kind);
	assert_int_equal(e.flags, wanted.flags);
	assert_int_equal(e.session, 7);
	assert_int_equal(e.status, '@');
	assert_int_equal(e.number, UINT64_MAX);
	assert_memory_equal(e.spki_sha256, wanted.spki_sha256, sizeof(e.spki_sha256));
	assert_true(span_eq(e.who, wanted.who) && span_eq(e.nick, wanted.nick) &&
		span_eq(e.ident, wanted.ident) && span_eq(e.host, wanted.host) &&
		span_eq(e.account, wanted.account) && span_eq(e.realname, wanted.realname) &&
		span_eq(e.target, wanted.target) && span_eq(e.peer, wanted.peer) &&
		span_eq(e.subject, wanted.subject) && span_eq(e.text, wanted.text) &&
		span_eq(e.tags, wanted.tags) && span_eq(e.channels, wanted.channels));
	assert_true(chat_event_in(&e, 5));
	return 0;
}

static int head_view(struct store_txn *txn, void *arg)
{
	return chat_head(txn, arg);
}

static void test_append(void **state)
{
	struct chat_event e = message();
	struct chat_result r = {.head = 99};
	int64_t at_us = FIXTURE_NOW;
	uint64_t head = 99, seq = 0;

	(void)state;
	assert_int_equal(store_view(s, head_view, &head), 0);
	assert_int_equal(head, 0);
	assert_int_equal(act((struct append_args){&e, FIXTURE_NOW, 0}, &r), 0);
	assert_int_equal(r.head, 1);
	assert_int_equal(r.first, 1);
	assert_int_equal(store_view(s, read_view, &at_us), 0);
	/* The clock goes back; the log does not (people_events() looks). */
	assert_int_equal(act((struct append_args){&e, FIXTURE_NOW - 1000, 0}, &r), 0);
	assert_int_equal(act((struct append_args){&e, FIXTURE_NOW + 1, 0}, &r), 0);
	assert_int_equal(r.head, 3);
	assert_string_equal(people_events(s, &seq),
		"Lovelace PRIVMSG ben subject: text [1]\n"
		"Lovelace PRIVMSG ben subject: text [1]\n"
		"Lovelace PRIVMSG ben subject: text [1]\n");
	people_check(s);
}

/* What goes leaves no mark, and its number is never given again. */
static void test_remove(void **state)
{
	struct chat_event e = message();
	struct chat_result r;
	uint64_t seq = 0;

	(void)state;
	assert_int_equal(act((struct append_args){&e, FIXTURE_NOW, 0}, &r), 0);
	assert_int_equal(act((struct append_args){.remove = 1}, NULL), 0);
	assert_int_equal(act((struct append_args){.remove = 1}, NULL), -ENOENT);
	people_check(s); /* a mark without its event would be a fault */
	assert_int_equal(act((struct append_args){&e, FIXTURE_NOW, 0}, &r), 0);
	assert_int_equal(r.head, 2);
	e.seq = 2;
	e.at_us = FIXTURE_NOW;
	e.text = SPAN_LIT("");
	e.tags = SPAN_LIT("");
	e.flags |= CHAT_EVENT_REDACTED;
	assert_int_equal(act((struct append_args){.event = &e}, NULL), 0);
	assert_string_equal(people_events(s, &seq), "Lovelace PRIVMSG ben subject [1]\n");
	e.seq = 1;
	assert_int_equal(act((struct append_args){.event = &e}, NULL), -ENOENT);
	people_check(s);
}

static void test_refused(void **state)
{
	static char longer[CHAT_TEXT_MAX + 1];
	struct chat_event bad[8];
	struct chat_result r;

	(void)state;
	memset(longer, 'x', sizeof(longer));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		bad[i] = message();
	bad[0].kind = 0;
	bad[1].kind = CHAT_MARKREAD + 1;
	bad[2].status = '!';
	bad[3].flags = 1U << 12;
	bad[4].channels = SPAN_LIT("1234567");
	bad[5].text = span_of(longer, sizeof(longer));
	bad[6].nick = span_of(longer, CHAT_NICK_SIZE);
	bad[7].who = span_of(longer, CHAT_WHO_SIZE);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(act((struct append_args){&bad[i], FIXTURE_NOW, 0}, &r), -EINVAL);
}

/* -- records ----------------------------------------------------------------------------------- */

struct rows {
	unsigned count, changed;
};

/* Every row of chat, cut short anywhere or with any byte changed, decodes or does not. A shorter
 * one never does: all of a record is used. */
static void spoil(struct rows *rows, struct span key, struct span value)
{
	unsigned char copy[2048];

	assert_true(value.len <= sizeof(copy));
	for (size_t len = 0; len < value.len; len++)
		assert_true(chat_row_decode(key, span_of(value.p, len)) < 0);
	for (size_t i = 0; i < value.len; i++) {
		memcpy(copy, value.p, value.len);
		copy[i] ^= 0x80;
		rows->changed += chat_row_decode(key, span_of(copy, value.len)) < 0;
	}
	for (size_t i = 1; i < key.len; i++)
		(void)chat_row_decode(span_of(key.p, i), value);
}

static int rows_view(struct store_txn *txn, void *arg)
{
	const struct key user = key_chat_user("ada"), event = key_chat_event(1);
	struct rows *rows = arg;
	struct span value;

	assert_int_equal(row_get(txn, &user, &value), 0);
	spoil(rows, key_span(&user), value);
	assert_int_equal(row_get(txn, &event, &value), 0);
	spoil(rows, key_span(&event), value);
	return 0;
}

static int op_write(struct store_txn *txn, const void *args, void *result)
{
	(void)result;
	return chat_user_write(txn, args);
}

static void test_spoiled(void **state)
{
	static const struct op_def def = {
		"write", op_write, sizeof(struct chat_user), 0, OP_FREES, NULL};
	struct chat_user u = {.who = "ada", .nick = "ada"};
	const struct chat_event e = message();
	struct rows rows = {0};

	(void)state;
	assert_int_equal(act((struct append_args){&e, FIXTURE_NOW, 0}, NULL), 0);
	op_override = &def;
	assert_int_equal(store_call(s, STORE_OP_SWEEP, &u, NULL), 0);
	memset(u.nick, 'x', sizeof(u.nick)); /* no NUL */
	assert_int_equal(store_call(s, STORE_OP_SWEEP, &u, NULL), -EINVAL);
	u.nick[0] = '\0';
	assert_int_equal(store_call(s, STORE_OP_SWEEP, &u, NULL), -EINVAL);
	op_override = NULL;
	assert_int_equal(store_view(s, rows_view, &rows), 0);
	assert_true(rows.changed > 50); /* versions, lengths, names, kinds, flags */
}

#define with_store(t) cmocka_unit_test_setup_teardown(t, setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(test_append),
		with_store(test_remove),
		with_store(test_refused),
		with_store(test_spoiled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
