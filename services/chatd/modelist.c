/* The lists of a channel: bans, exceptions from them, and from the need of an invitation. */
#include "services/chatd/people.h"
#include "services/chatd/show.h"

#include "base/timefmt.h"

static const struct list_kind {
	enum chat_list list;
	unsigned entry, end;
	const char *name;
} kinds[] = {
	{CHAT_LIST_BAN, 367, 368, "bans"},
	{CHAT_LIST_EXCEPT, 348, 349, "exceptions from bans"},
	{CHAT_LIST_INVEX, 346, 347, "exceptions from invitations"},
};

static const struct list_kind *kind_of(enum chat_list list)
{
	size_t i = 0;

	while (i + 1 < sizeof(kinds) / sizeof(*kinds) && kinds[i].list != list)
		i++;
	return &kinds[i];
}

struct entries {
	uint64_t channel;
	const char *name;
	const struct list_kind *kind;
	struct buf lines;
};

static int add_entry(void *arg, const struct chat_list_entry *e)
{
	struct entries *list = arg;

	chatd_gather(&list->lines, list->kind->entry, "%s %s %s %lld", list->name, e->mask, e->by,
		(long long)(e->at_us / TIME_S_US));
	return buf_error(&list->lines);
}

static int gather(struct store_txn *txn, void *arg)
{
	struct entries *e = arg;
	int r = chat_list_each(txn, e->channel, e->kind->list, add_entry, e);

	return r < 0 ? r : 1;
}

int chatd_show_list(struct chatd *c, const struct chat_channel *channel, enum chat_list list)
{
	struct entries e = {.channel = channel->id,
		.name = channel->name,
		.kind = kind_of(list),
		.lines = BUF_INIT(CHATD_GATHER_MAX)};
	int r = chatd_view(c, gather, &e);

	if (r == 1) {
		chatd_gather_send(c, &e.lines);
		chatd_numeric(
			c, e.kind->end, "%s :End of the list of %s", channel->name, e.kind->name);
	}
	buf_done(&e.lines);
	return r < 0 ? r : 0;
}
