/* The lists of a channel: bans, exceptions from them, and from the need of an invitation. */
#include "services/chatd/show.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

enum { LIST_BYTES_MAX = CHAT_LISTS_MAX * (2 * CHAT_MASK_SIZE + 32) };

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
	enum chat_list list;
	struct buf lines; /* each with LF */
};

static int add_entry(void *arg, const struct chat_list_entry *e)
{
	struct buf *lines = arg;

	buf_addf(lines, "%s %s %lld\n", e->mask, e->by, (long long)(e->at_us / TIME_S_US));
	return buf_error(lines);
}

static int gather(struct store_txn *txn, void *arg)
{
	struct entries *e = arg;
	int r = chat_list_each(txn, e->channel, e->list, add_entry, &e->lines);

	return r < 0 ? r : 1;
}

int chatd_show_list(struct chatd *c, const struct chat_channel *channel, enum chat_list list)
{
	const struct list_kind *kind = kind_of(list);
	struct entries e = {
		.channel = channel->id, .list = list, .lines = BUF_INIT(LIST_BYTES_MAX)};
	struct span rest, line;
	int r = chatd_view(c, gather, &e);

	rest = buf_span(&e.lines);
	while (r == 1 && irc_word(&rest, '\n', &line))
		chatd_numeric(c, kind->entry, "%s %.*s", channel->name, CHATD_SPAN(line));
	if (r == 1)
		chatd_numeric(c, kind->end, "%s :End of the list of %s", channel->name, kind->name);
	buf_done(&e.lines);
	return r < 0 ? r : 0;
}
