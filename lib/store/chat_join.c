/* JOIN: making the channel, or being let in. */
#include "store/chat_room_i.h"

#include <errno.h>

struct entry {
	struct store_txn *txn;
	const struct chat_join_args *args;
	struct chat_room room;
	bool created;
};

/* -- being let in ------------------------------------------------------------------------------ */

static int count_joined(void *arg, const struct chat_member *m, const struct chat_channel *c)
{
	size_t *count = arg;

	(void)m;
	(void)c;
	(*count)++;
	return 0;
}

static int has_room_for_more(const struct entry *e)
{
	size_t count = 0;
	int rc = chat_joined_each(e->txn, e->room.me.who, count_joined, &count);

	if (rc < 0)
		return rc;
	return count < CHAT_JOINED_MAX ? 0 : CHAT_TOO_MANY;
}

static int listed(const struct entry *e, enum chat_list list)
{
	return chat_list_matches(e->txn, e->room.channel.id, list, &e->room.me, false);
}

static int not_banned(const struct entry *e)
{
	int rc = listed(e, CHAT_LIST_BAN);

	if (rc != 1)
		return rc;
	rc = listed(e, CHAT_LIST_EXCEPT);
	if (rc < 0)
		return rc;
	return rc == 1 ? 0 : CHAT_BANNED;
}

static int not_uninvited(const struct entry *e)
{
	int rc;

	if ((e->room.channel.modes & CHAT_MODE_INVITE_ONLY) == 0)
		return 0;
	rc = listed(e, CHAT_LIST_INVEX);
	if (rc < 0)
		return rc;
	return rc == 1 ? 0 : CHAT_INVITE_NEEDED;
}

/* Operators of the channel, though absent, those of the house and who was invited just enter. */
static int may_enter(const struct entry *e)
{
	const struct chat_channel *c = &e->room.channel;
	int rc;

	if (e->room.rank >= CHAT_RANK_HALFOP || chat_invite_open(e->txn, c->id, e->room.me.who))
		return 0;
	if ((c->modes & CHAT_MODE_REGISTERED) != 0 && chat_is_guest(e->room.me.who))
		return CHAT_REGISTERED_ONLY;
	rc = not_banned(e);
	if (rc == 0)
		rc = not_uninvited(e);
	if (rc != 0)
		return rc;
	if ((c->modes & CHAT_MODE_KEY) != 0 && !span_eq_str(e->args->key, c->key))
		return CHAT_KEY_WRONG;
	if ((c->modes & CHAT_MODE_LIMIT) != 0 && c->present >= c->limit)
		return CHAT_FULL;
	return 0;
}

/* -- the operation ----------------------------------------------------------------------------- */

static int make(struct entry *e)
{
	struct chat_room *room = &e->room;
	int rc;

	if (!chat_channel_name_ok(e->args->channel))
		return CHAT_NO_SUCH_CHANNEL;
	rc = has_room_for_more(e);
	if (rc == 0)
		rc = chat_channel_make(e->txn, room->by, e->args->channel, &room->channel);
	if (rc == 0)
		rc = chat_member_get(e->txn, room->channel.id, room->me.who, &room->member);
	room->member.roles = CHAT_OP;
	e->created = true;
	return rc;
}

static int find(struct entry *e, struct chat_join_result *ret)
{
	int rc =
		chat_room_open(e->txn, &e->args->by, e->args->channel, e->args->override, &e->room);

	if (rc == CHAT_NO_SUCH_CHANNEL)
		return make(e);
	if (rc < 0)
		return rc;
	if (e->room.member.joined) {
		ret->channel = e->room.channel.id;
		return CHAT_NOTHING;
	}
	rc = has_room_for_more(e);
	return rc != 0 ? rc : may_enter(e);
}

/* Rows and counts of who is in it now. */
static int enter(struct entry *e, uint64_t seq)
{
	struct chat_channel *c = &e->room.channel;
	struct chat_member *m = &e->room.member;
	int rc;

	m->joined = true;
	m->joined_us = e->args->by.now_us;
	m->joined_seq = seq;
	c->joined++;
	c->present++;
	c->emptied_us = 0;
	rc = chat_member_write(e->txn, m);
	if (rc == 0)
		rc = chat_channel_write(e->txn, c);
	if (rc == 0)
		rc = chat_invite_take(e->txn, c->id, m->who);
	return rc == -ENOENT ? 0 : rc;
}

/* Who made the channel has its role from the start; a role that was kept is told. */
static int tell_role(const struct entry *e, struct chat_result *r)
{
	_cleanup_(chat_mode_line_done) struct chat_mode_line line = CHAT_MODE_LINE_INIT;

	if (e->created)
		return 0;
	chat_mode_line_roles(&line, true, e->room.member.roles, e->room.me.nick);
	return chat_mode_line_append(e->txn, &line, &e->room, true, r);
}

static int join(struct entry *e, struct chat_join_result *ret)
{
	struct chat_event event;
	uint64_t seq = 0;
	int rc = find(e, ret);

	if (rc != 0)
		return rc;
	event = chat_room_event(&e->room, CHAT_JOIN, false);
	rc = chat_append(e->txn, e->args->by.now_us, &event, &ret->result, &seq);
	if (rc == 0)
		rc = enter(e, seq);
	if (rc == 0)
		rc = tell_role(e, &ret->result);
	ret->channel = e->room.channel.id;
	ret->created = e->created;
	chat_ring_channel(&ret->result, ret->channel, "");
	return rc;
}

static int run_join(struct store_txn *txn, const void *args, void *result)
{
	struct chat_join_result *ret = result;
	struct entry e = {.txn = txn, .args = args};

	return chat_room_done(txn, &ret->result, join(&e, ret));
}

int op_chat_join(struct store_txn *txn, const void *args, void *result)
{
	return chat_flood_run(txn, args, result, false, run_join);
}
