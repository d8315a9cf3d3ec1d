/* INVITE, and the invitations that are open. */
#include "store/chat_room_i.h"

#include <errno.h>

enum { INVITE_VERSION = 1, ID_LEN = 8 };

/* -- rows: one by who is invited, its index by channel ----------------------------------------- */

int chat_invite_decode(struct span value, int64_t *ret_at_us)
{
	struct rec r = row_open(value, INVITE_VERSION);
	int64_t at_us = rec_i64(&r);

	if (rec_end(&r) < 0)
		return -EBADMSG;
	*ret_at_us = at_us;
	return 0;
}

static int write_invite(struct store_txn *txn, uint64_t channel, const char *who, int64_t at_us)
{
	const struct key row = key_chat_invite_row(who, channel);
	const struct key index = key_chat_invited_row(channel, who);
	struct buf b = row_begin(INVITE_VERSION);
	int rc;

	rec_put_i64(&b, at_us);
	rc = row_put(txn, &row, &b);
	return rc < 0 ? rc : row_mark(txn, &index);
}

int chat_invite_take(struct store_txn *txn, uint64_t channel, const char *who)
{
	const struct key row = key_chat_invite_row(who, channel);
	const struct key index = key_chat_invited_row(channel, who);
	int rc = row_del(txn, &row);

	return rc < 0 ? rc : row_del(txn, &index);
}

bool chat_invite_open(struct store_txn *txn, uint64_t channel, const char *who)
{
	const struct key row = key_chat_invite_row(who, channel);
	struct span value;

	return row_get(txn, &row, &value) == 0;
}

static uint64_t channel_of(struct span key)
{
	return key_number(key_tail(key, ID_LEN));
}

int chat_invites_each(struct store_txn *txn, const char *who,
	int (*each)(void *arg, const struct chat_channel *c), void *arg)
{
	const struct key prefix = key_chat_invite(who);
	_cleanup_(kv_iter_done) struct kv_iter it = {.cursor = NULL};
	struct span key, value;
	struct chat_channel c = {.id = 0};
	int rc = kv_iter_open(txn, key_span(&prefix), span_of(NULL, 0), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = chat_channel_read(txn, channel_of(key), &c);
		if (rc == -ENOENT)
			rc = -EBADMSG;
		rc = rc < 0 ? rc : each(arg, &c);
	}
	return rc;
}

/* Who has the last part of an index's key. */
static int whose(struct span key, char ret[CHAT_WHO_SIZE])
{
	const size_t before = 1 + ID_LEN;

	if (key.len <= before)
		return -EBADMSG;
	return span_copy_str(span_of(key.p + before, key.len - before), ret, CHAT_WHO_SIZE) < 0
		? -EBADMSG
		: 0;
}

int chat_invites_remove(struct store_txn *txn, uint64_t channel, const char *who)
{
	const struct key prefix = channel != 0 ? key_chat_invited(channel) : key_chat_invite(who);
	char invited[CHAT_WHO_SIZE];
	struct span key, value;
	int rc;

	while ((rc = kv_seek(txn, key_span(&prefix), key_span(&prefix), &key, &value)) == 0) {
		if (channel != 0)
			rc = whose(key, invited);
		else
			rc = span_copy_str(span_str(who), invited, sizeof(invited));
		if (rc == 0)
			rc = chat_invite_take(
				txn, channel != 0 ? channel : channel_of(key), invited);
		if (rc < 0)
			return rc == -ENOENT ? -EBADMSG : rc;
	}
	return rc == -ENOENT ? 0 : rc;
}

int chat_invites_rename(struct store_txn *txn, const char *who, const char *to)
{
	const struct key prefix = key_chat_invite(who);
	struct span key, value;
	uint64_t channel;
	int64_t at_us = 0;
	int rc;

	while ((rc = kv_seek(txn, key_span(&prefix), key_span(&prefix), &key, &value)) == 0) {
		channel = channel_of(key);
		rc = chat_invite_decode(value, &at_us);
		if (rc == 0)
			rc = chat_invite_take(txn, channel, who);
		if (rc == 0)
			rc = write_invite(txn, channel, to, at_us);
		if (rc < 0)
			return rc == -ENOENT ? -EBADMSG : rc;
	}
	return rc == -ENOENT ? 0 : rc;
}

/* -- the operation ----------------------------------------------------------------------------- */

/* Somebody's invitations do not grow without end: the oldest gives way. */
static int make_room(struct store_txn *txn, const char *who)
{
	const struct key prefix = key_chat_invite(who);
	_cleanup_(kv_iter_done) struct kv_iter it = {.cursor = NULL};
	int64_t oldest_us = INT64_MAX, at_us = 0;
	uint64_t oldest = 0;
	struct span key, value;
	size_t count = 0;
	int rc = kv_iter_open(txn, key_span(&prefix), span_of(NULL, 0), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = chat_invite_decode(value, &at_us);
		if (rc == 0 && at_us < oldest_us) {
			oldest_us = at_us;
			oldest = channel_of(key);
		}
		count++;
	}
	kv_iter_done(&it);
	it.cursor = NULL;
	return rc < 0 || count < CHAT_JOINED_MAX ? rc : chat_invite_take(txn, oldest, who);
}

static int judge(struct store_txn *txn, const struct chat_room *room, struct span nick,
	struct chat_user *ret)
{
	struct chat_member m = {.joined = false};
	int rc = chat_addressee_find(txn, nick, ret);

	if (rc == -ENOENT)
		return CHAT_NO_SUCH_NICK;
	if (rc == 0)
		rc = chat_member_get(txn, room->channel.id, ret->who, &m);
	if (rc < 0)
		return rc;
	if (m.joined)
		return CHAT_ALREADY_MEMBER;
	if ((room->channel.modes & CHAT_MODE_INVITE_ONLY) != 0 && room->rank < CHAT_RANK_HALFOP)
		return CHAT_NOT_OP;
	return 0;
}

static int invite(struct store_txn *txn, const struct chat_invite_args *a, struct chat_result *r)
{
	struct chat_room room;
	struct chat_user whom = {.sessions = 0};
	struct chat_event e;
	int rc = chat_room_open(txn, &a->by, a->channel, false, &room);

	if (rc == 0)
		rc = judge(txn, &room, a->nick, &whom);
	if (rc != 0)
		return rc;
	/* What any member says opens no door: no ban, key or limit would keep anybody out. */
	if (room.rank >= CHAT_RANK_HALFOP)
		rc = make_room(txn, whom.who);
	if (rc == 0 && room.rank >= CHAT_RANK_HALFOP)
		rc = write_invite(txn, room.channel.id, whom.who, a->by.now_us);
	e = chat_room_event(&room, CHAT_INVITE, false);
	e.peer = span_str(whom.who);
	e.subject = span_str(whom.sessions > 0 ? whom.nick : whom.who);
	if (rc == 0)
		rc = chat_append(txn, a->by.now_us, &e, r, NULL);
	chat_ring_channel(r, room.channel.id, whom.who);
	return rc;
}

static int run_invite(struct store_txn *txn, const void *args, void *result)
{
	struct chat_result *r = result;

	return chat_room_done(txn, r, invite(txn, args, r));
}

int op_chat_invite(struct store_txn *txn, const void *args, void *result)
{
	return chat_flood_run(txn, args, result, false, run_invite);
}
