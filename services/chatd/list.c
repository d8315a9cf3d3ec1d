/* LIST. */
#include "services/chatd/people.h"
#include "services/chatd/show.h"

#include "base/timefmt.h"

struct list {
	struct chatd *c;
	struct span words;
	int64_t now_us;
	struct buf lines;
};

static int add_channel(void *arg, const struct chat_channel *channel)
{
	struct list *l = arg;

	if (chatd_sees(l->c, channel) && chatd_list_passes(l->words, channel, l->now_us))
		chatd_gather(&l->lines, 322, "%s %lu :%s", channel->name,
			(unsigned long)channel->present, channel->topic);
	return buf_error(&l->lines);
}

static int gather(struct store_txn *txn, void *arg)
{
	int r = chat_channels_each(txn, add_channel, arg);

	return r < 0 ? r : 1;
}

int chatd_cmd_list(struct chatd_call *call)
{
	struct list l = {
		.c = call->c, .now_us = time_now_us(), .lines = BUF_INIT(CHATD_GATHER_MAX)};
	int r;

	if (call->message->count > 0)
		l.words = call->message->params[0];
	r = chatd_view(call->c, gather, &l);
	if (r == 1) {
		chatd_numeric(call->c, 321, "Channel :Users  Name");
		chatd_gather_send(call->c, &l.lines);
		chatd_numeric(call->c, 323, ":End of /LIST");
	}
	buf_done(&l.lines);
	return r < 0 ? r : 0;
}
