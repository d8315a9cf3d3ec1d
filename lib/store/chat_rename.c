/* RENAME of a channel, and DROP. */
#include "store/chat_room_i.h"

#include "base/cleanup.h"

#include <errno.h>

/* -- RENAME ------------------------------------------------------------------------------------ */

static int judge(struct store_txn *txn, const struct chat_room *room, struct span name)
{
	struct chat_channel other;
	int rc;

	if (room->rank < CHAT_RANK_OP)
		return CHAT_NOT_OP;
	if (!chat_channel_name_ok(name))
		return CHAT_FORBIDDEN;
	if (span_eq_str(name, room->channel.name))
		return CHAT_NOTHING;
	rc = chat_channel_find(txn, name, &other);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	return other.id == room->channel.id ? 0 : CHAT_NAME_USED;
}

static int give_name(struct store_txn *txn, const struct chat_channel *c, struct span name)
{
	const struct key old = key_chat_name(span_str(c->name)), new = key_chat_name(name);
	struct chat_channel named = *c;
	int rc = span_copy_str(name, named.name, sizeof(named.name));

	if (rc == 0)
		rc = row_del(txn, &old);
	if (rc == 0)
		rc = row_counter_put(txn, &new, c->id);
	if (rc == 0)
		rc = chat_channel_write(txn, &named);
	return rc < 0 ? rc : chat_marks_rename(txn, c->id, c->name, named.name);
}

static int rename_channel(
	struct store_txn *txn, const struct chat_rename_args *a, struct chat_result *r)
{
	struct chat_room room;
	struct chat_event e;
	int rc = chat_room_open(txn, &a->by, a->channel, a->override, &room);

	if (rc == 0)
		rc = judge(txn, &room, a->name);
	if (rc != 0)
		return rc;
	e = chat_room_event(&room, CHAT_RENAME, false);
	e.subject = a->name;
	e.text = a->text;
	rc = chat_append(txn, a->by.now_us, &e, r, NULL);
	if (rc == 0)
		rc = give_name(txn, &room.channel, a->name);
	chat_ring_channel(r, room.channel.id, "");
	return rc;
}

static int run_rename(struct store_txn *txn, const void *args, void *result)
{
	struct chat_result *r = result;

	return chat_room_done(txn, r, rename_channel(txn, args, r));
}

int op_chat_rename(struct store_txn *txn, const void *args, void *result)
{
	return chat_flood_run(txn, args, result, false, run_rename);
}

/* -- DROP -------------------------------------------------------------------------------------- */

struct kicked {
	char who[CHAT_WHO_SIZE], nick[CHAT_NICK_SIZE];
};

static int gather(void *arg, const struct chat_member *m, const struct chat_user *u)
{
	struct buf *all = arg;
	struct kicked k;

	memcpy(k.who, m->who, sizeof(k.who));
	memcpy(k.nick, u->nick, sizeof(k.nick));
	if (u->sessions > 0)
		buf_add(all, span_of(&k, sizeof(k)));
	return buf_error(all);
}

/* Its members learn it from the server: in no history, since there is none any more. */
static int tell_all(struct store_txn *txn, const struct chat_drop_args *a,
	const struct chat_channel *c, struct span all, struct chat_result *r)
{
	struct kicked k;
	int rc = 0;

	for (; rc == 0 && all.len >= sizeof(k);
		all = span_of(all.p + sizeof(k), all.len - sizeof(k))) {
		struct chat_event e = {.kind = CHAT_KICK,
			.flags = CHAT_EVENT_PASSING,
			.session = a->by.session,
			.channel = c->id,
			.target = span_str(c->name),
			.text = SPAN_LIT("The channel was removed")};

		memcpy(&k, all.p, sizeof(k));
		e.peer = span_str(k.who);
		e.subject = span_str(k.nick);
		rc = chat_append(txn, a->by.now_us, &e, r, NULL);
	}
	return rc;
}

static int drop(struct store_txn *txn, const struct chat_drop_args *a, struct chat_result *r)
{
	_cleanup_(buf_done) struct buf all = BUF_INIT(ROW_MAX);
	struct chat_channel c;
	int rc = chat_channel_find(txn, a->channel, &c);

	if (rc == -ENOENT)
		return CHAT_NO_SUCH_CHANNEL;
	if (rc == 0)
		rc = chat_members_each(txn, c.id, gather, &all);
	if (rc == 0)
		rc = chat_channel_drop(txn, &c);
	if (rc == 0)
		rc = tell_all(txn, a, &c, buf_span(&all), r);
	chat_ring_all(r);
	return rc;
}

int op_chat_drop(struct store_txn *txn, const void *args, void *result)
{
	struct chat_result *r = result;

	return chat_room_done(txn, r, drop(txn, args, r));
}
