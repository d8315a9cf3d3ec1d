/* Channels by name, as far as a client may know of them. */
#include "services/chatd/chatd.h"

#include <errno.h>

bool chatd_sees(const struct chatd *c, const struct chat_channel *channel)
{
	return (channel->modes & CHAT_MODE_SECRET) == 0 || chatd_room(c, channel->id) != NULL ||
		chatd_is_oper(c);
}

struct question {
	struct span name;
	struct chat_channel channel;
	bool found;
};

static int find(struct store_txn *txn, void *arg)
{
	struct question *q = arg;
	int r = chat_channel_find(txn, q->name, &q->channel);

	q->found = r == 0;
	return r == 0 || r == -ENOENT ? 1 : r;
}

int chatd_channel(struct chatd *c, struct span name, const char *verb, struct chat_channel *ret)
{
	struct question q = {.name = name};
	int r = chatd_view(c, find, &q);

	if (r <= 0)
		return r;
	if (!q.found || !chatd_sees(c, &q.channel)) {
		chatd_refuse(c, CHAT_NO_SUCH_CHANNEL, verb, chatd_word(name).text, "");
		return 0;
	}
	*ret = q.channel;
	return 1;
}
