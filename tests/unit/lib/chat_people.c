/* People in a store. */
#include "tests/unit/lib/chat_people.h"

#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

enum { TEXT_SIZE = 1 << 16 };

struct look {
	const char *name;
	struct chat_user user;
	struct chat_counts counts;
	uint64_t head;
};

static int look_user(struct store_txn *txn, void *arg)
{
	struct look *l = arg;

	return chat_user_read(txn, l->name, &l->user);
}

static int look_nick(struct store_txn *txn, void *arg)
{
	struct look *l = arg;

	return chat_nick_find(txn, span_str(l->name), &l->user);
}

static int look_counts(struct store_txn *txn, void *arg)
{
	struct look *l = arg;

	return chat_count(txn, &l->counts);
}

static int look_head(struct store_txn *txn, void *arg)
{
	struct look *l = arg;

	return chat_head(txn, &l->head);
}

/* False: there is none. */
static bool look(struct store *s, int (*fn)(struct store_txn *txn, void *arg), struct look *l)
{
	int rc = store_view(s, fn, l);

	assert_true(rc == 0 || rc == -ENOENT);
	return rc == 0;
}

struct chat_user people_user(struct store *s, const char *who)
{
	struct look l = {.name = who};

	assert_true(look(s, look_user, &l));
	return l.user;
}

bool people_exists(struct store *s, const char *who)
{
	struct look l = {.name = who};

	return look(s, look_user, &l);
}

const char *people_nick(struct store *s, const char *who)
{
	static struct look l;

	l = (struct look){.name = who};
	return look(s, look_user, &l) && l.user.sessions > 0 ? l.user.nick : "";
}

const char *people_named(struct store *s, const char *nick)
{
	static struct look l;

	l = (struct look){.name = nick};
	return look(s, look_nick, &l) ? l.user.who : "";
}

struct chat_counts people_counts(struct store *s)
{
	struct look l = {.head = 0};

	assert_true(look(s, look_counts, &l));
	return l.counts;
}

uint64_t people_head(struct store *s)
{
	struct look l = {.head = 0};

	assert_true(look(s, look_head, &l));
	return l.head;
}

/* -- the log ----------------------------------------------------------------------------------- */

struct listing {
	char text[TEXT_SIZE];
	size_t len;
	uint64_t seq;
	int64_t at_us;
};

static void put(struct listing *l, const char *before, struct span s)
{
	int n = snprintf(l->text + l->len, sizeof(l->text) - l->len, "%s%.*s", before, (int)s.len,
		(const char *)s.p);

	assert_true(n >= 0 && (size_t)n < sizeof(l->text) - l->len);
	l->len += (size_t)n;
}

static const char *kind_name(enum chat_kind kind)
{
	static const char *const names[] = {"?", "PRIVMSG", "NOTICE", "TAGMSG", "JOIN", "PART",
		"KICK", "MODE", "TOPIC", "INVITE", "RENAME", "REDACT", "METADATA", "NICK", "QUIT",
		"ONLINE", "AWAY", "HOST", "REALNAME", "ACCOUNT", "USER_MODE", "KILL", "WALLOPS",
		"BROADCAST", "MARKREAD"};

	assert_true((size_t)kind < sizeof(names) / sizeof(names[0]));
	return names[kind];
}

static int list_event(void *arg, const struct chat_event *e)
{
	struct listing *l = arg;
	char number[24];

	assert_true(e->seq > l->seq);
	assert_true(e->at_us >= l->at_us);
	l->seq = e->seq;
	l->at_us = e->at_us;
	put(l, "", e->nick.len > 0 ? e->nick : SPAN_LIT("*"));
	put(l, " ", span_str(kind_name(e->kind)));
	if (e->target.len > 0)
		put(l, " ", e->target);
	if (e->subject.len > 0)
		put(l, " ", e->subject);
	if (e->text.len > 0)
		put(l, ": ", e->text);
	if (e->channels.len > 0) {
		(void)snprintf(number, sizeof(number), " [%zu]", e->channels.len / 8);
		put(l, number, SPAN_LIT(""));
	}
	put(l, "\n", SPAN_LIT(""));
	return 0;
}

static int list_view(struct store_txn *txn, void *arg)
{
	struct listing *l = arg;

	return chat_events_each(txn, l->seq, list_event, l);
}

const char *people_events(struct store *s, uint64_t *seq)
{
	static struct listing l;

	memset(&l, 0, sizeof(l));
	l.seq = *seq;
	l.at_us = INT64_MIN;
	assert_int_equal(store_view(s, list_view, &l), 0);
	*seq = l.seq;
	return l.text;
}

/* -- sessions ---------------------------------------------------------------------------------- */

uint64_t people_session(struct store *s)
{
	struct session_row r = {.pid = getpid(), .service = "chatd", .since_us = FIXTURE_NOW};
	uint64_t id = 0;

	assert_int_equal(session_start_ticks(r.pid, &r.start_ticks), 0);
	assert_int_equal(store_call(s, STORE_OP_SESSION_ADD, &r, &id), 0);
	return id;
}

void people_reap(struct store *s, uint64_t session)
{
	const struct session_remove_args a = {session, "chatd"};

	assert_int_equal(store_call(s, STORE_OP_SESSION_REMOVE, &a, NULL), 0);
}

static void complain(void *arg, const char *what)
{
	(void)arg;
	print_error("%s\n", what);
}

void people_check(struct store *s)
{
	assert_int_equal(store_check(s, complain, NULL), 0);
}
