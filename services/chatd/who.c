/* WHO: of a channel, a nick, or all whom a mask fits. See who.h. */
#include "services/chatd/who.h"

#include "base/cleanup.h"
#include "base/match.h"
#include "base/timefmt.h"
#include "services/chatd/show.h"

#include <errno.h>

void who_flags(const struct who *w, const struct chat_user *u, unsigned roles, struct buf *b)
{
	buf_add_byte(b, (u->flags & CHAT_USER_AWAY) != 0 ? 'G' : 'H');
	if ((u->flags & CHAT_USER_OPER) != 0)
		buf_add_byte(b, '*');
	if ((u->flags & CHAT_USER_BOT) != 0)
		buf_add_byte(b, 'B');
	chatd_add_prefix(w->c, roles, b);
}

static int add(struct who *w, const struct chat_user *u, unsigned roles)
{
	_cleanup_(buf_done) struct buf flags = BUF_INIT(16);

	if (w->operators && (u->flags & CHAT_USER_OPER) == 0)
		return 0;
	if (w->extended) {
		whox_add(w, u, roles);
	} else {
		who_flags(w, u, roles, &flags);
		chatd_gather(&w->out, 352, "%s %s %s %s %s %s :0 %s", w->channel, u->ident, u->host,
			w->c->service->settings.host, u->nick, buf_str(&flags), u->realname);
	}
	return buf_error(&w->out);
}

static int add_member(void *arg, const struct chat_member *m, const struct chat_user *u)
{
	struct who *w = arg;
	int r = u->sessions == 0 ? 0 : w->within ? 1 : chatd_sees_person(w->txn, w->c, u);

	return r <= 0 ? r : add(w, u, m->roles);
}

static int of_channel(struct who *w)
{
	struct chat_channel channel;
	int r = chat_channel_find(w->txn, w->mask, &channel);

	if (r == -ENOENT || (r == 0 && !chatd_sees(w->c, &channel)))
		return 0;
	if (r < 0)
		return r;
	w->channel = channel.name;
	w->within = chatd_room(w->c, channel.id) != NULL;
	return chat_members_each(w->txn, channel.id, add_member, w);
}

static bool fits(const struct who *w, const struct chat_user *u)
{
	const char *const values[] = {
		u->nick, u->ident, u->host, u->realname, w->c->service->settings.host};

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		if (match_mask(w->mask, span_str(values[i])))
			return true;
	return false;
}

static int add_fitting(void *arg, const struct chat_user *u)
{
	struct who *w = arg;
	int r = fits(w, u) ? chatd_sees_person(w->txn, w->c, u) : 0;

	return r <= 0 ? r : add(w, u, 0);
}

static bool is_mask(struct span s)
{
	return memchr(s.p, '*', s.len) != NULL || memchr(s.p, '?', s.len) != NULL;
}

/* Who is asked for by the very nick is shown, invisible or not. */
static int of_people(struct who *w)
{
	struct chat_user user;
	int r = is_mask(w->mask) ? -ENOENT : chat_nick_find(w->txn, w->mask, &user);

	if (r == 0)
		return add(w, &user, 0);
	return r == -ENOENT ? chat_users_each(w->txn, add_fitting, w) : r;
}

static int gather(struct store_txn *txn, void *arg)
{
	struct who *w = arg;
	int r;

	w->txn = txn;
	r = *w->mask.p == '#' ? of_channel(w) : of_people(w);
	return r == -ENOBUFS || r >= 0 ? 1 : r;
}

/* The mask that the client gave stands on the end; "WHO", "WHO 0" and "WHO *" ask for all. */
int chatd_cmd_who(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct span given = m->count > 0 && m->params[0].len > 0 ? m->params[0] : SPAN_LIT("*");
	struct who w = {.c = call->c,
		.mask = span_eq_str(given, "0") ? SPAN_LIT("*") : given,
		.now_us = time_now_us(),
		.channel = "*",
		.out = BUF_INIT(CHATD_GATHER_MAX)};
	int r;

	if (m->count > 1)
		whox_parse(m->params[1], &w);
	r = chatd_view(call->c, gather, &w);
	if (r == 1) {
		chatd_gather_send(call->c, &w.out);
		if (buf_error(&w.out) < 0)
			chatd_numeric(call->c, 416, "WHO :Too many people fit");
		chatd_numeric(call->c, 315, "%s :End of WHO list", chatd_word(given).text);
	}
	buf_done(&w.out);
	return r < 0 ? r : 0;
}
