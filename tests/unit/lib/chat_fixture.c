/* People who chat. */
#include "tests/unit/lib/chat_fixture.h"

#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

enum { NAMES_MAX = 4096 };

/* One copy of each name there ever was. */
static const char *keep(const char *who)
{
	static char names[NAMES_MAX][CHAT_WHO_SIZE];
	static size_t count;

	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], who) == 0)
			return names[i];
	assert_true(count < NAMES_MAX);
	(void)snprintf(names[count], CHAT_WHO_SIZE, "%s", who);
	return names[count++];
}

static void need_account(struct store *s, const char *name)
{
	struct account a;
	int rc = account_get(s, name, &a);

	if (rc == -ENOENT)
		fixture_account(s, name);
	else
		assert_int_equal(rc, 0);
}

static uint64_t add_session(struct store *s, const char *account)
{
	struct session_row row = {
		.pid = getpid(), .service = "chatd", .peer = "192.0.2.1", .since_us = FIXTURE_NOW};
	uint64_t id = 0;

	assert_int_equal(session_start_ticks(row.pid, &row.start_ticks), 0);
	(void)snprintf(row.account, sizeof(row.account), "%s", account);
	assert_int_equal(store_call(s, STORE_OP_SESSION_ADD, &row, &id), 0);
	return id;
}

struct chat_actor chat_fixture_keyed(
	struct store *s, const char *account, const char *nick, unsigned char key)
{
	char host[CHAT_HOST_SIZE];
	struct chat_attach_args a = {.account = account != NULL ? account : "",
		.nick = span_str(nick),
		.ident = SPAN_LIT("user"),
		.realname = span_str(nick),
		.bell = ""};
	struct chat_attach_result r;

	if (account != NULL)
		need_account(s, account);
	(void)snprintf(host, sizeof(host), "%s/%s", account != NULL ? "user" : "guest",
		account != NULL ? account : "0011aabb");
	a.host = span_str(host);
	a.secure = key != 0;
	memset(a.spki_sha256, key, sizeof(a.spki_sha256));
	a.by = (struct chat_actor){
		.session = add_session(s, a.account), .who = "", .now_us = FIXTURE_NOW};
	assert_int_equal(store_call(s, STORE_OP_CHAT_ATTACH, &a, &r), 0);
	assert_int_equal(r.result.answer, CHAT_DONE);
	a.by.who = keep(r.user.who);
	return a.by;
}

struct chat_actor chat_fixture_person(struct store *s, const char *account, const char *nick)
{
	return chat_fixture_keyed(s, account, nick, 0);
}

void chat_fixture_leave(struct store *s, struct chat_actor by)
{
	const struct chat_detach_args a = {.by = by, .text = SPAN_LIT("gone")};
	const struct session_remove_args remove = {by.session, "chatd"};
	struct chat_result r;

	assert_int_equal(store_call(s, STORE_OP_CHAT_DETACH, &a, &r), 0);
	assert_int_equal(r.answer, CHAT_DONE);
	assert_int_equal(store_call(s, STORE_OP_SESSION_REMOVE, &remove, NULL), 0);
}
