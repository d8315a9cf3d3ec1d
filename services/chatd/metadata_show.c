/* Metadata that is told: at 001, behind JOIN, by SYNC, in WHOIS. */
#include "services/chatd/metadata.h"

#include "base/cleanup.h"

#include <errno.h>

enum { SYNC_LATER_MEMBERS = 500 }; /* a channel of more is not told behind its JOIN */

struct showing {
	struct chatd *c;
	struct store_txn *txn;
	uint64_t channel;
	bool all_keys; /* not only those subscribed to */
	const char *name; /* whose they are, while they are gathered */
	struct chat_channel room;
	struct buf lines;
};

static int show_key(void *arg, const struct chat_meta_row *row)
{
	struct showing *s = arg;

	if (s->all_keys || chatd_subscribed(s->c, span_str(row->key)))
		buf_addf(&s->lines, "%s %s * :%.*s\n", s->name, row->key, CHATD_SPAN(row->value));
	return buf_error(&s->lines);
}

static int show_person(struct showing *s, const struct chat_user *u)
{
	s->name = u->nick;
	return u->sessions == 0 ? 0 : chat_meta_each(s->txn, 0, u->who, show_key, s);
}

static int show_room(struct showing *s, const struct chat_channel *channel)
{
	s->name = channel->name;
	return chat_meta_each(s->txn, channel->id, "", show_key, s);
}

static int show_member(void *arg, const struct chat_member *m, const struct chat_user *u)
{
	(void)m;
	return show_person(arg, u);
}

/* A channel's own, then that of its members. */
static int gather_room(struct store_txn *txn, void *arg)
{
	struct showing *s = arg;
	int r = chat_channel_read(txn, s->channel, &s->room);

	s->txn = txn;
	if (r == 0)
		r = show_room(s, &s->room);
	if (r == 0)
		r = chat_members_each(txn, s->channel, show_member, s);
	return r >= 0 || r == -ENOENT || r == -ENOBUFS ? 1 : r;
}

static int gather_person(struct store_txn *txn, void *arg)
{
	struct showing *s = arg;
	struct chat_user user;
	int r = chat_nick_find(txn, span_str(s->name), &user);

	s->txn = txn;
	if (r == 0)
		r = show_person(s, &user);
	return r >= 0 || r == -ENOENT || r == -ENOBUFS ? 1 : r;
}

/* Of whom the client is told changes: itself, whom it shares a channel with, whom it monitors. */
static int show_known(void *arg, const struct chat_user *u)
{
	struct showing *s = arg;
	const char *me = s->c->me.who;
	int r = strcmp(u->who, me) == 0 || chatd_monitors(s->c, span_str(u->nick))
		? 1
		: chat_share_channel(s->txn, me, u->who);

	return r <= 0 ? r : show_person(s, u);
}

static int show_joined(void *arg, const struct chat_member *m, const struct chat_channel *channel)
{
	(void)m;
	return show_room(arg, channel);
}

static int gather_all(struct store_txn *txn, void *arg)
{
	struct showing *s = arg;
	int r;

	s->txn = txn;
	r = chat_joined_each(txn, s->c->me.who, show_joined, s);
	if (r == 0)
		r = chat_users_each(txn, show_known, s);
	return r >= 0 || r == -ENOBUFS ? 1 : r;
}

int metadata_sync(struct metadata *m)
{
	struct showing s = {.c = m->c, .lines = BUF_INIT(CHATD_GATHER_MAX)};
	bool all = span_caseeq_str(m->message->params[0], "*ALL");
	int r = all ? 1 : metadata_find(m);

	if (r <= 0)
		return r;
	s.channel = m->channel;
	s.name = m->name;
	r = chatd_view(m->c, all ? gather_all : m->channel != 0 ? gather_room : gather_person, &s);
	if (r == 1)
		metadata_send(m->c, all ? "*ALL" : m->name, &s.lines);
	buf_done(&s.lines);
	return r;
}

/* One's own at 001, if only to say that there is none. */
static int show_own(struct chatd *c)
{
	struct showing s = {
		.c = c, .all_keys = true, .name = c->me.nick, .lines = BUF_INIT(CHATD_GATHER_MAX)};
	int r = metadata_note_early(c);

	if (r < 0)
		metadata_refuse(c, "TEMPORARILY_UNAVAILABLE", c->me.nick, "",
			"That is not possible at the moment; try again");
	if (r == 0)
		r = chatd_view(c, gather_person, &s);
	if (r == 1)
		metadata_send(c, c->me.nick, &s.lines);
	buf_done(&s.lines);
	return r < 0 ? r : 0;
}

int chatd_show_metadata(struct chatd *c, uint64_t id)
{
	struct showing s = {.c = c, .channel = id, .lines = BUF_INIT(CHATD_GATHER_MAX)};
	int r;

	if (!chatd_has(c, CAP_METADATA))
		return 0;
	if (id == 0)
		return show_own(c);
	if (c->subscriptions == NULL || c->subscriptions->count == 0)
		return 0;
	r = chatd_view(c, gather_room, &s);
	if (r == 1 && s.lines.len > 0 && s.room.joined > SYNC_LATER_MEMBERS)
		chatd_numeric(c, 774, "%s 0 :Ask for it", s.room.name);
	else if (r == 1 && s.lines.len > 0)
		metadata_send(c, s.room.name, &s.lines);
	buf_done(&s.lines);
	return r < 0 ? r : 0;
}

/* -- WHOIS ------------------------------------------------------------------------------------- */

struct whois_keys {
	const char *nick;
	struct buf *lines;
};

/* Those that people read. */
static int add_readable(void *arg, const struct chat_meta_row *row)
{
	static const char *const readable[] = {
		"display-name", "pronouns", "status", "homepage", "avatar", "color"};
	const struct whois_keys *w = arg;

	for (size_t i = 0; i < sizeof(readable) / sizeof(*readable); i++)
		if (strcmp(readable[i], row->key) == 0)
			chatd_gather(w->lines, 760, "%s %s * :%.*s", w->nick, row->key,
				CHATD_SPAN(row->value));
	return 0;
}

int chatd_whois_metadata(
	struct store_txn *txn, const struct chatd *c, const struct chat_user *u, struct buf *ret)
{
	struct whois_keys w = {.nick = u->nick, .lines = ret};
	int r = chatd_has(c, CAP_METADATA) ? chatd_sees_person(txn, c, u) : 0;

	return r <= 0 ? r : chat_meta_each(txn, 0, u->who, add_readable, &w);
}
