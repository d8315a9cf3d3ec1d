/*
 * LOGIN: the person behind a session becomes another one, mostly a guest an account. Its nick and
 * channels come along; what it may do in them is what the new one may.
 */
#include "store/chat_people_i.h"
#include "store/chat_room_i.h"

#include <errno.h>

enum { ID_LEN = 8 };

struct login {
	struct store_txn *txn;
	const struct chat_login_args *args;
	struct chat_session session;
	struct chat_user before, after;
	struct buf channels; /* of before, which come along */
	struct buf more; /* in which only after is, who was absent */
	struct {
		uint64_t channel;
		unsigned roles;
	} had[CHAT_JOINED_MAX]; /* what before was in each of channels */
	size_t had_count;
	size_t joined; /* channels that after is in, so far */
	struct chat_result *ret;
};

static void login_done(struct login *l)
{
	buf_done(&l->channels);
	buf_done(&l->more);
}

/* -- who becomes whom -------------------------------------------------------------------------- */

/* The one that the session becomes: a new guest, or an account that is not here. */
static int find_other(struct login *l)
{
	const char *account = l->args->account;
	struct chat_user u;
	struct account a;
	int rc;

	l->after = l->before;
	chat_spell(&l->after, account, l->args->spelled);
	if (account[0] == '\0')
		return chat_guest_make(l->txn, l->after.who);
	rc = chat_account_read(l->txn, account, &a);
	if (rc < 0)
		return rc;
	rc = chat_user_read(l->txn, account, &u);
	if (rc == 0 && u.sessions > 0)
		return CHAT_BUSY_ELSEWHERE;
	chat_text_fit(span_str(account), l->after.who, sizeof(l->after.who));
	return rc == -ENOENT ? 0 : rc;
}

/* An account that logs out under its own name leaves that behind. */
static int give_up_name(struct login *l)
{
	const struct chat_actor *by = &l->args->by;
	char nick[CHAT_NICK_SIZE];
	int rc = chat_nick_reserved(l->txn, span_str(l->before.nick), l->after.who);

	if (rc <= 0)
		return rc;
	rc = chat_nick_spare(l->txn, l->after.who, nick);
	if (rc == 0)
		rc = chat_nick_change(l->txn, by, &l->before, nick, l->ret);
	if (rc == 0)
		rc = chat_user_read(l->txn, l->before.who, &l->before);
	if (rc == 0)
		memcpy(l->after.nick, l->before.nick, sizeof(l->after.nick));
	return rc;
}

/* -- channels ---------------------------------------------------------------------------------- */

/* Is it, as the one it becomes? 1, 0 or negative. */
static int is_banned(const struct login *l, uint64_t channel)
{
	int rc = chat_list_matches(l->txn, channel, CHAT_LIST_BAN, &l->after, false);

	if (rc <= 0)
		return rc;
	rc = chat_list_matches(l->txn, channel, CHAT_LIST_EXCEPT, &l->after, false);
	return rc < 0 ? rc : rc == 0;
}

/* Why it cannot come along to this channel as the one it becomes: *ret_why, NULL if it can. */
static int look_at_channel(struct login *l, uint64_t channel, const char **ret_why)
{
	struct chat_member m = {.joined = false};
	int rc = chat_member_read(l->txn, channel, l->after.who, &m);

	if (rc < 0 && rc != -ENOENT)
		return rc;
	*ret_why = NULL;
	if (rc == 0 && m.joined)
		return 0;
	rc = m.roles != 0 ? 0 : is_banned(l, channel);
	if (rc == 1)
		*ret_why = "The account is banned here";
	else if (rc == 0 && l->joined >= CHAT_JOINED_MAX)
		*ret_why = "The account is in too many channels";
	else
		l->joined++;
	return rc < 0 ? rc : 0;
}

static int part(struct login *l, uint64_t channel, const char *why)
{
	struct chat_event e = chat_user_event(CHAT_PART, &l->before, NULL);
	struct chat_channel c;
	int rc = chat_channel_read(l->txn, channel, &c);

	if (rc < 0)
		return rc;
	e.session = l->args->by.session;
	e.channel = channel;
	e.target = span_str(c.name);
	e.text = span_str(why);
	rc = chat_append(l->txn, l->args->by.now_us, &e, l->ret, NULL);
	return rc < 0 ? rc : chat_leave(l->txn, channel, l->before.who, l->args->by.now_us);
}

static int count_joined(struct login *l)
{
	_cleanup_(buf_done) struct buf ids = BUF_INIT(ROW_MAX);
	int rc = chat_channel_ids(l->txn, l->after.who, &ids);

	l->joined = ids.len / ID_LEN;
	return rc;
}

/* Takes each channel along, or leaves it. */
static int look_at_channels(struct login *l)
{
	_cleanup_(buf_done) struct buf all = BUF_INIT(ROW_MAX);
	struct chat_member m = {.joined = false};
	const char *why = NULL;
	uint64_t id;
	int rc = count_joined(l);

	if (rc == 0)
		rc = chat_channel_ids(l->txn, l->before.who, &all);
	for (size_t at = 0; rc == 0 && at + ID_LEN <= all.len; at += ID_LEN) {
		id = key_number(span_of(all.p + at, ID_LEN));
		rc = look_at_channel(l, id, &why);
		if (rc == 0 && why != NULL) {
			rc = part(l, id, why);
			continue;
		}
		if (rc == 0)
			rc = chat_member_read(l->txn, id, l->before.who, &m);
		if (rc < 0)
			continue;
		buf_add_u64(&l->channels, id);
		l->had[l->had_count].channel = id;
		l->had[l->had_count++].roles = m.roles;
	}
	return rc < 0 ? rc : buf_error(&l->channels);
}

/* Channels that the account is in while it was away, and its guest was not. */
static int look_at_more(struct login *l)
{
	const struct chat_event along = {.channels = buf_span(&l->channels)};
	_cleanup_(buf_done) struct buf all = BUF_INIT(ROW_MAX);
	uint64_t id;
	int rc = chat_channel_ids(l->txn, l->after.who, &all);

	for (size_t at = 0; rc == 0 && at + ID_LEN <= all.len; at += ID_LEN) {
		id = key_number(span_of(all.p + at, ID_LEN));
		if (!chat_event_in(&along, id))
			buf_add_u64(&l->more, id);
	}
	return rc < 0 ? rc : buf_error(&l->more);
}

static int be_present_in_more(struct login *l)
{
	struct chat_channel c;
	int rc = 0;

	for (size_t at = 0; rc == 0 && at + ID_LEN <= l->more.len; at += ID_LEN) {
		rc = chat_channel_read(l->txn, key_number(span_of(l->more.p + at, ID_LEN)), &c);
		if (rc == 0 && c.present < c.joined) {
			c.present++;
			rc = chat_channel_write(l->txn, &c);
		}
	}
	return rc;
}

/* -- rows -------------------------------------------------------------------------------------- */

/* Of who it was: a guest is no more, an account is away. */
static int retire_before(struct login *l)
{
	struct chat_user gone = l->before;

	if (chat_is_guest(gone.who))
		return chat_guest_forget(l->txn, &gone);
	gone.sessions = 0;
	gone.since_us = l->args->by.now_us;
	return chat_user_write(l->txn, &gone);
}

static int write_session(struct login *l)
{
	int rc = chat_session_delete(l->txn, &l->session);

	memcpy(l->session.who, l->after.who, sizeof(l->session.who));
	l->session.secure = l->args->secure;
	memcpy(l->session.spki_sha256, l->args->spki_sha256, sizeof(l->session.spki_sha256));
	return rc < 0 ? rc : chat_session_write(l->txn, &l->session);
}

static int write_rows(struct login *l)
{
	int rc = chat_members_rename(l->txn, l->before.who, l->after.who);

	if (rc == 0)
		rc = be_present_in_more(l);
	if (rc == 0)
		rc = retire_before(l);
	if (rc == 0)
		rc = chat_user_write(l->txn, &l->after);
	if (rc == 0)
		rc = chat_nick_claim(l->txn, l->after.nick, l->after.who);
	if (rc == 0)
		rc = chat_nick_free(l->txn, l->after.who, l->args->by.now_us, l->ret);
	return rc == 0 ? write_session(l) : rc;
}

/* -- events ------------------------------------------------------------------------------------ */

/* By the new one, as it was seen before: with the host that others know. */
static struct chat_event event_of(
	const struct login *l, enum chat_kind kind, const struct chat_user *u)
{
	struct chat_event e = chat_user_event(kind, u, &l->channels);

	e.session = l->args->by.session;
	return e;
}

static int tell_modes(struct login *l)
{
	struct chat_room room = {.by = &l->args->by, .me = l->after};
	struct chat_member m = {.joined = false};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->had_count; i++) {
		_cleanup_(chat_mode_line_done) struct chat_mode_line line = CHAT_MODE_LINE_INIT;

		rc = chat_channel_read(l->txn, l->had[i].channel, &room.channel);
		if (rc == 0)
			rc = chat_member_read(l->txn, l->had[i].channel, l->after.who, &m);
		if (rc < 0)
			return rc;
		chat_mode_line_roles(&line, true, m.roles & ~l->had[i].roles, l->after.nick);
		chat_mode_line_roles(&line, false, l->had[i].roles & ~m.roles, l->after.nick);
		rc = chat_mode_line_append(l->txn, &line, &room, true, l->ret);
	}
	return rc;
}

static int tell(struct login *l)
{
	struct chat_user seen = l->before;
	struct chat_event e;
	int rc;

	memcpy(seen.who, l->after.who, sizeof(seen.who));
	e = event_of(l, CHAT_ACCOUNT, &seen);
	e.subject = span_str(l->before.who);
	rc = chat_append(l->txn, l->args->by.now_us, &e, l->ret, NULL);
	if (rc == 0 && strcmp(l->before.host, l->after.host) != 0) {
		e = event_of(l, CHAT_HOST, &seen);
		e.subject = span_str(l->after.ident);
		e.text = span_str(l->after.host);
		rc = chat_append(l->txn, l->args->by.now_us, &e, l->ret, NULL);
	}
	if (rc == 0)
		rc = tell_modes(l);
	if (rc < 0 || l->more.len == 0)
		return rc;
	e = event_of(l, CHAT_ONLINE, &l->after);
	e.channels = buf_span(&l->more);
	return chat_append(l->txn, l->args->by.now_us, &e, l->ret, NULL);
}

/* -- LOGIN ------------------------------------------------------------------------------------- */

static int change_person(struct login *l)
{
	int rc = l->before.sessions == 1 ? find_other(l) : CHAT_BUSY_ELSEWHERE;

	if (rc == 0)
		rc = give_up_name(l);
	if (rc != 0)
		return rc;
	chat_text_fit(l->args->host, l->after.host, sizeof(l->after.host));
	rc = look_at_channels(l);
	if (rc == 0)
		rc = look_at_more(l);
	if (rc == 0)
		rc = write_rows(l);
	if (rc == 0)
		rc = tell(l);
	chat_ring_all(l->ret);
	return rc;
}

int op_chat_login(struct store_txn *txn, const void *args, void *result)
{
	const struct chat_login_args *a = args;
	struct chat_attach_result *res = result;
	_cleanup_(login_done) struct login l = {.txn = txn,
		.args = a,
		.channels = BUF_INIT(ROW_MAX),
		.more = BUF_INIT(ROW_MAX),
		.ret = &res->result};
	int rc;

	if (a->by.session == 0 || a->account == NULL || strlen(a->account) >= ACCOUNT_NAME_SIZE)
		return -EINVAL;
	rc = chat_actor_read(txn, &a->by, &l.before);
	if (rc == 0)
		rc = chat_session_read(txn, a->by.session, &l.session);
	if (rc < 0)
		return rc;
	l.after = l.before;
	if (a->account[0] == '\0' ? chat_is_guest(l.before.who)
				  : strcmp(a->account, l.before.who) == 0) {
		rc = write_session(&l);
		rc = rc < 0 ? rc : CHAT_NOTHING;
	} else {
		rc = change_person(&l);
		res->arrived = rc == 0;
	}
	if (rc == 0 || rc == CHAT_NOTHING) {
		int seen = chat_seen_read(txn, l.after.who, l.session.device, &res->seen);

		rc = seen < 0 ? seen : rc;
		memcpy(&res->user, &l.after, sizeof(res->user));
	}
	return chat_room_done(txn, &res->result, rc);
}
