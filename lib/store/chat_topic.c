/* TOPIC. */
#include "store/chat_room_i.h"

static int set_topic(struct store_txn *txn, const struct chat_topic_args *a, struct chat_result *r)
{
	struct chat_room room;
	struct chat_channel *c = &room.channel;
	struct chat_event e;
	int rc = chat_room_open(txn, &a->by, a->channel, a->override, &room);

	if (rc != 0)
		return rc;
	if ((c->modes & CHAT_MODE_TOPIC) != 0 && room.rank < CHAT_RANK_HALFOP)
		return CHAT_NOT_OP;
	chat_text_fit(a->text, c->topic, sizeof(c->topic));
	chat_mask_of(&room.me, c->topic_by);
	c->topic_us = a->by.now_us;
	e = chat_room_event(&room, CHAT_TOPIC, false);
	e.text = span_str(c->topic);
	rc = chat_append(txn, a->by.now_us, &e, r, NULL);
	if (rc == 0)
		rc = chat_channel_write(txn, c);
	chat_ring_channel(r, c->id, "");
	return rc;
}

static int run_topic(struct store_txn *txn, const void *args, void *result)
{
	struct chat_result *r = result;

	return chat_room_done(txn, r, set_topic(txn, args, r));
}

int op_chat_topic(struct store_txn *txn, const void *args, void *result)
{
	return chat_flood_run(txn, args, result, false, run_topic);
}
