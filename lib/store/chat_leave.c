/* PART, KICK, and what leaves with a member. */
#include "store/chat_room_i.h"

#include <errno.h>

static int count_out(struct store_txn *txn, struct chat_channel *c, bool present, int64_t now_us)
{
	if (c->joined == 0 || (present && c->present == 0))
		return -EBADMSG;
	c->joined--;
	c->present -= present;
	if (c->joined == 0)
		c->emptied_us = now_us;
	return c->joined == 0 && c->founder[0] == '\0' ? chat_channel_vanish(txn, c)
						       : chat_channel_write(txn, c);
}

int chat_leave(struct store_txn *txn, uint64_t channel, const char *who, int64_t now_us)
{
	struct chat_channel c = {.id = 0};
	struct chat_member m = {.joined = false};
	struct chat_user u = {.sessions = 0};
	int rc = chat_member_read(txn, channel, who, &m);

	if (rc < 0)
		return rc;
	if (!m.joined)
		return -ENOENT;
	rc = chat_user_read(txn, who, &u);
	if (rc == 0)
		rc = chat_channel_read(txn, channel, &c);
	if (rc < 0)
		return rc == -ENOENT ? -EBADMSG : rc;
	m.joined = false;
	rc = chat_member_keep(txn, &m);
	return rc < 0 ? rc : count_out(txn, &c, u.sessions > 0, now_us);
}

/* -- PART -------------------------------------------------------------------------------------- */

static int part(struct store_txn *txn, const struct chat_part_args *a, struct chat_result *r)
{
	struct chat_room room;
	struct chat_event e;
	int rc = chat_room_open(txn, &a->by, a->channel, false, &room);

	if (rc != 0)
		return rc;
	e = chat_room_event(&room, CHAT_PART, false);
	e.text = a->text;
	rc = chat_append(txn, a->by.now_us, &e, r, NULL);
	if (rc == 0)
		rc = chat_leave(txn, room.channel.id, room.me.who, a->by.now_us);
	chat_ring_channel(r, room.channel.id, room.me.who);
	return rc;
}

static int run_part(struct store_txn *txn, const void *args, void *result)
{
	struct chat_result *r = result;

	return chat_room_done(txn, r, part(txn, args, r));
}

int op_chat_part(struct store_txn *txn, const void *args, void *result)
{
	return chat_flood_run(txn, args, result, true, run_part);
}

/* -- KICK -------------------------------------------------------------------------------------- */

/* Operators kick each other; who has half their power, only those who have none. */
static bool is_above(const struct chat_room *room, const struct chat_member *whom)
{
	const enum chat_rank theirs = chat_rank_of(&room->channel, whom);

	if (strcmp(room->me.who, whom->who) == 0)
		return true;
	if (theirs == CHAT_RANK_FOUNDER)
		return room->rank > CHAT_RANK_FOUNDER;
	return room->rank >= CHAT_RANK_OP || theirs < CHAT_RANK_HALFOP;
}

static int find_kicked(struct store_txn *txn, const struct chat_room *room, struct span nick,
	struct chat_user *ret_user, struct chat_member *ret)
{
	int rc;

	if (room->rank < CHAT_RANK_HALFOP)
		return CHAT_NOT_OP;
	rc = chat_addressee_find(txn, nick, ret_user);
	if (rc == -ENOENT)
		return CHAT_NO_SUCH_NICK;
	if (rc == 0)
		rc = chat_member_get(txn, room->channel.id, ret_user->who, ret);
	if (rc < 0)
		return rc;
	if (!ret->joined)
		return CHAT_NOT_MEMBER;
	return is_above(room, ret) ? 0 : CHAT_NOT_OP;
}

/* The role goes too, or who has one could not be kept out; the founder's stays. */
static int take_role(struct store_txn *txn, const struct chat_channel *c, struct chat_member *m)
{
	if (m->roles == 0 || chat_rank_of(c, m) == CHAT_RANK_FOUNDER)
		return 0;
	m->roles = 0;
	return chat_member_write(txn, m);
}

static int kick(struct store_txn *txn, const struct chat_kick_args *a, struct chat_result *r)
{
	struct chat_room room;
	struct chat_member m = {.joined = false};
	struct chat_user whom = {.sessions = 0};
	struct chat_event e;
	int rc = chat_room_open(txn, &a->by, a->channel, a->override, &room);

	if (rc == 0)
		rc = find_kicked(txn, &room, a->nick, &whom, &m);
	if (rc != 0)
		return rc;
	e = chat_room_event(&room, CHAT_KICK, false);
	e.peer = span_str(whom.who);
	e.subject = span_str(whom.sessions > 0 ? whom.nick : whom.who);
	e.text = a->text;
	rc = chat_append(txn, a->by.now_us, &e, r, NULL);
	if (rc == 0)
		rc = take_role(txn, &room.channel, &m);
	if (rc == 0)
		rc = chat_leave(txn, room.channel.id, whom.who, a->by.now_us);
	chat_ring_channel(r, room.channel.id, whom.who);
	return rc;
}

static int run_kick(struct store_txn *txn, const void *args, void *result)
{
	struct chat_result *r = result;

	return chat_room_done(txn, r, kick(txn, args, r));
}

int op_chat_kick(struct store_txn *txn, const void *args, void *result)
{
	return chat_flood_run(txn, args, result, true, run_kick);
}
