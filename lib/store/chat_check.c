/*
 * What rows of chat say of each other: names and numbers lead both ways, and what is counted is
 * what there is.
 */
#include "store/chat_check.h"

#include <errno.h>

enum { ID_LEN = 8 };

/* Is there such a row, with that value? */
static bool has(struct store_txn *txn, struct key key, struct span value)
{
	struct span found;

	return row_get(txn, &key, &found) == 0 && span_eq(found, value);
}

static bool is_there(struct store_txn *txn, struct key key)
{
	struct span found;

	return row_get(txn, &key, &found) == 0;
}

/* How many rows have the prefix. */
static uint64_t count_rows(struct store_txn *txn, struct key prefix)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct span key, value;
	uint64_t n = 0;

	if (kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it) == 0)
		while (kv_iter_next(&it, &key, &value) == 1)
			n++;
	return n;
}

/* -- people ------------------------------------------------------------------------------------ */

static const char *check_user(struct store_txn *txn, struct span key, struct span value)
{
	struct chat_user u;
	bool named;

	if (chat_user_decode(key, value, &u) < 0)
		return NULL;
	named = has(txn, key_chat_nick(span_str(u.nick)), span_str(u.who));
	if (named != (u.sessions > 0))
		return "a person whose nick is not as they come and go";
	if (count_rows(txn, key_chat_session(u.who)) != u.sessions)
		return "a person with another number of sessions";
	if (u.sessions == 0 && chat_is_guest(u.who))
		return "a guest who is not there";
	return NULL;
}

static const char *check_nick(struct store_txn *txn, struct span key, struct span value)
{
	char who[CHAT_WHO_SIZE];
	struct chat_user u;
	struct key nick;

	if (span_copy_str(value, who, sizeof(who)) < 0 || chat_user_read(txn, who, &u) < 0)
		return "a nick of nobody";
	nick = key_chat_nick(span_str(u.nick));
	return span_eq(key, key_span(&nick)) ? NULL : "a nick of somebody who has another";
}

static const char *check_session(struct store_txn *txn, struct span key, struct span value)
{
	struct chat_session s;

	if (chat_session_decode(key, value, &s) < 0)
		return NULL;
	if (!has(txn, key_chat_session_id(s.id), span_str(s.who)))
		return "a session of chat that its number does not lead to";
	if (!is_there(txn, key_session_row(CHAT_SERVICE, s.id)))
		return "a session of chat that does not live";
	return is_there(txn, key_chat_user(s.who)) ? NULL : "a session of nobody";
}

static const char *check_session_id(struct store_txn *txn, struct span key, struct span value)
{
	struct chat_session s;

	(void)value;
	return chat_session_read(txn, key_number(key_tail(key, ID_LEN)), &s) == 0
		? NULL
		: "a number of no session of chat";
}

/* -- channels ---------------------------------------------------------------------------------- */

struct census {
	uint32_t joined, present;
};

static int count_member(void *arg, const struct chat_member *m, const struct chat_user *u)
{
	struct census *c = arg;

	(void)m;
	c->joined++;
	c->present += u->sessions > 0;
	return 0;
}

static const char *check_channel(struct store_txn *txn, struct span key, struct span value)
{
	struct census census = {0};
	struct chat_channel c, found;

	if (chat_channel_decode(key, value, &c) < 0)
		return NULL;
	if (chat_channel_find(txn, span_str(c.name), &found) < 0 || found.id != c.id)
		return "a channel that its name does not lead to";
	if (chat_members_each(txn, c.id, count_member, &census) < 0)
		return "a channel whose members cannot be read";
	return census.joined == c.joined && census.present == c.present
		? NULL
		: "a channel with another number of members";
}

static const char *check_name(struct store_txn *txn, struct span key, struct span value)
{
	struct chat_channel c;
	struct key name;

	if (chat_channel_read(txn, key_number(value), &c) < 0)
		return "a name of no channel";
	name = key_chat_name(span_str(c.name));
	return span_eq(key, key_span(&name)) ? NULL : "a name of a channel that has another";
}

static const char *check_member(struct store_txn *txn, struct span key, struct span value)
{
	struct chat_member m;

	if (chat_member_decode(key, value, &m) < 0)
		return NULL;
	if (!is_there(txn, key_chat_joined_row(m.who, m.channel)))
		return "a member who is not in the index";
	if (!is_there(txn, key_chat_channel(m.channel)))
		return "a member of no channel";
	return !m.joined || is_there(txn, key_chat_user(m.who)) ? NULL : "a member who is nobody";
}

/* A name, NUL and a number: the row of the other order. */
static struct key turned(struct span key, struct key (*row)(uint64_t id, const char *who))
{
	char who[CHAT_WHO_SIZE] = "";

	(void)span_copy_str(span_of(key.p + 1, key.len - 2 - ID_LEN), who, sizeof(who));
	return row(key_number(key_tail(key, ID_LEN)), who);
}

static const char *check_joined(struct store_txn *txn, struct span key, struct span value)
{
	(void)value;
	return is_there(txn, turned(key, key_chat_member_row)) ? NULL : "an index row of no member";
}

static const char *check_list(struct store_txn *txn, struct span key, struct span value)
{
	(void)value;
	return is_there(txn, key_chat_channel(key_number(span_of(key.p + 1, ID_LEN))))
		? NULL
		: "a list of no channel";
}

static const char *check_invite(struct store_txn *txn, struct span key, struct span value)
{
	(void)value;
	if (!is_there(txn, key_chat_channel(key_number(key_tail(key, ID_LEN)))))
		return "an invitation to no channel";
	return is_there(txn, turned(key, key_chat_invited_row))
		? NULL
		: "an invitation that is not in the index";
}

static const char *check_invited(struct store_txn *txn, struct span key, struct span value)
{
	char who[CHAT_WHO_SIZE] = "";

	(void)value;
	(void)span_copy_str(span_of(key.p + 1 + ID_LEN, key.len - 1 - ID_LEN), who, sizeof(who));
	return is_there(txn, key_chat_invite_row(who, key_number(span_of(key.p + 1, ID_LEN))))
		? NULL
		: "an index row of no invitation";
}

/* -- the log ----------------------------------------------------------------------------------- */

static const char *check_event(struct store_txn *txn, struct span key, struct span value)
{
	uint64_t head = 0;

	(void)value;
	return chat_head(txn, &head) == 0 && key_number(key_tail(key, ID_LEN)) <= head
		? NULL
		: "an event behind the newest";
}

static const char *check_log(struct store_txn *txn, struct span key, struct span value)
{
	struct chat_event e;

	if (chat_event_read(txn, key_number(key_tail(key, ID_LEN)), &e) < 0)
		return "a mark of no event";
	return value.p[0] == e.kind ? NULL : "a mark of another kind of event";
}

static const struct {
	enum key_table table;
	const char *(*check)(struct store_txn *txn, struct span key, struct span value);
} checks[] = {
	{KEY_CHAT_USER, check_user},
	{KEY_CHAT_NICK, check_nick},
	{KEY_CHAT_SESSION, check_session},
	{KEY_CHAT_SESSION_ID, check_session_id},
	{KEY_CHAT_CHANNEL, check_channel},
	{KEY_CHAT_NAME, check_name},
	{KEY_CHAT_MEMBER, check_member},
	{KEY_CHAT_JOINED, check_joined},
	{KEY_CHAT_LIST, check_list},
	{KEY_CHAT_INVITE, check_invite},
	{KEY_CHAT_INVITED, check_invited},
	{KEY_CHAT_EVENT, check_event},
	{KEY_CHAT_LOG, check_log},
};

const char *chat_row_check(struct store_txn *txn, struct span key, struct span value)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (key.p[0] == checks[i].table)
			return chat_row_decode(key, value) == 0 ? checks[i].check(txn, key, value)
								: NULL;
	return NULL;
}

static int count_user(void *arg, const struct chat_user *u)
{
	struct chat_counts *c = arg;

	c->users++;
	c->invisible += (u->flags & CHAT_USER_INVISIBLE) != 0;
	c->opers += (u->flags & CHAT_USER_OPER) != 0;
	return 0;
}

const char *chat_meta_row_check(struct store_txn *txn, struct span name, struct span value)
{
	struct chat_counts said, counted = {.users = 0};

	if (!span_eq_str(name, CHAT_META_COUNTS) || chat_counts_decode(value, &said) < 0)
		return NULL;
	if (chat_users_each(txn, count_user, &counted) < 0)
		return "people who cannot be read";
	return said.users == counted.users && said.invisible == counted.invisible &&
			said.opers == counted.opers && said.users_max >= said.users
		? NULL
		: "counts of people that are not those of their rows";
}
