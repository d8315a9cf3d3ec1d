/* Who acts in a channel: ranks, names, the events that come of it. */
#include "store/chat_room_i.h"

#include "base/text.h"

#include <errno.h>

enum chat_rank chat_rank_of(const struct chat_channel *c, const struct chat_member *m)
{
	if (c->founder[0] != '\0' && strcmp(c->founder, m->who) == 0)
		return CHAT_RANK_FOUNDER;
	if ((m->roles & CHAT_OP) != 0)
		return CHAT_RANK_OP;
	if ((m->roles & CHAT_HALFOP) != 0)
		return CHAT_RANK_HALFOP;
	return (m->roles & CHAT_VOICE) != 0 ? CHAT_RANK_VOICE : CHAT_RANK_NONE;
}

int chat_room_open(struct store_txn *txn, const struct chat_actor *by, struct span name,
	bool override, struct chat_room *ret)
{
	int rc;

	ret->by = by;
	rc = chat_actor_read(txn, by, &ret->me);
	if (rc < 0)
		return rc;
	rc = chat_channel_find(txn, name, &ret->channel);
	if (rc == -ENOENT)
		return CHAT_NO_SUCH_CHANNEL;
	if (rc == 0)
		rc = chat_member_get(txn, ret->channel.id, ret->me.who, &ret->member);
	if (rc < 0)
		return rc;
	ret->rank = override ? CHAT_RANK_HOUSE : chat_rank_of(&ret->channel, &ret->member);
	return ret->member.joined || override ? 0 : CHAT_NOT_JOINED;
}

struct chat_event chat_room_event(const struct chat_room *room, enum chat_kind kind, bool by_server)
{
	struct chat_event e = {.kind = kind,
		.session = room->by->session,
		.channel = room->channel.id,
		.target = span_str(room->channel.name)};

	if (!by_server)
		chat_event_source(&e, &room->me);
	return e;
}

int chat_room_done(struct store_txn *txn, struct chat_result *r, int rc)
{
	if (rc < 0)
		return rc;
	r->answer = (enum chat_answer)rc;
	return chat_head(txn, &r->head);
}

static bool in_no_name(unsigned char c)
{
	return c == ' ' || c == ',' || c == ':';
}

bool chat_channel_name_ok(struct span name)
{
	if (name.len < 2 || name.len >= CHAT_CHANNEL_SIZE || name.p[0] != '#')
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (in_no_name(name.p[i]))
			return false;
	return text_is_clean(name);
}

/* A byte of a character of UTF-8 that is not its first. */
static bool goes_on(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

void chat_text_fit(struct span text, char *ret, size_t size)
{
	size_t len = text.len;

	if (len >= size) {
		len = size - 1;
		while (len > 0 && goes_on(text.p[len]))
			len--;
	}
	memset(ret, 0, size);
	if (len > 0)
		memcpy(ret, text.p, len);
}
