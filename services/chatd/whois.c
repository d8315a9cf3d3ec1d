/* WHOIS: what one may know of somebody who is here. */
#include "services/chatd/people.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "services/chatd/show.h"

#include <errno.h>

enum { CHANNELS_LINE = 300 };

struct whois {
	struct chatd *c;
	struct span nick;
	struct chat_user user;
	bool found, myself, open; /* open: not invisible, or an operator asks */
	bool certified;
	struct store_txn *txn;
	struct buf channels; /* of the line being made */
	struct buf out;
};

static void end_channels(struct whois *w)
{
	if (w->channels.len > 0)
		chatd_gather(&w->out, 319, "%s :%s", w->user.nick, buf_str(&w->channels));
	buf_reset(&w->channels);
}

/* A secret channel is known to those who are in it; those of an invisible person are too. */
static int add_channel(void *arg, const struct chat_member *m, const struct chat_channel *channel)
{
	struct whois *w = arg;
	bool common = chatd_room(w->c, channel->id) != NULL;

	if (!w->myself && !common && (!w->open || !chatd_sees(w->c, channel)))
		return 0;
	if (w->channels.len > CHANNELS_LINE)
		end_channels(w);
	if (w->channels.len > 0)
		buf_add_byte(&w->channels, ' ');
	chatd_add_prefix(w->c, m->roles, &w->channels);
	buf_add_str(&w->channels, channel->name);
	return 0;
}

static int add_session(void *arg, const struct chat_session *s)
{
	struct whois *w = arg;

	w->certified = w->certified || s->secure;
	return 0;
}

static void add_times(struct whois *w)
{
	const struct chat_user *u = &w->user;
	int64_t last_us = u->spoke_us > u->since_us ? u->spoke_us : u->since_us;
	int64_t idle_us = time_now_us() - last_us;

	chatd_gather(&w->out, 317, "%s %lld %lld :seconds idle, signon time", u->nick,
		(long long)(idle_us > 0 ? idle_us / TIME_S_US : 0),
		(long long)(u->since_us / TIME_S_US));
}

/* The fingerprint of a certificate's key is for its owner to see. */
static void add_proofs(struct whois *w)
{
	_cleanup_(buf_done) struct buf hex = BUF_INIT(65);
	const struct chatd *c = w->c;

	chatd_gather(&w->out, 671, "%s :is using a secure connection%s", w->user.nick,
		w->certified ? " and has shown a certificate" : "");
	if (!w->myself || !c->has_key)
		return;
	text_hex(&hex, span_of(c->spki_sha256, sizeof(c->spki_sha256)));
	chatd_gather(&w->out, 276, "%s :has client certificate fingerprint %s", w->user.nick,
		buf_str(&hex));
}

static void add_flags(struct whois *w)
{
	const struct chat_user *u = &w->user;

	if ((u->flags & CHAT_USER_AWAY) != 0)
		chatd_gather(&w->out, 301, "%s :%s", u->nick, u->away);
	if ((u->flags & CHAT_USER_OPER) != 0)
		chatd_gather(&w->out, 313, "%s :is an operator of this house", u->nick);
	if ((u->flags & CHAT_USER_BOT) != 0)
		chatd_gather(&w->out, 335, "%s :is a bot", u->nick);
	if (!chat_is_guest(u->who))
		chatd_gather(&w->out, 330, "%s %s :is logged in as", u->nick, u->spelled);
}

static int describe(struct whois *w)
{
	const struct chat_user *u = &w->user;
	const struct service_settings *settings = &w->c->service->settings;
	int r;

	w->myself = strcmp(u->who, w->c->me.who) == 0;
	w->open = (u->flags & CHAT_USER_INVISIBLE) == 0 || chatd_is_oper(w->c);
	chatd_gather(&w->out, 311, "%s %s %s * :%s", u->nick, u->ident, u->host, u->realname);
	r = chat_joined_each(w->txn, u->who, add_channel, w);
	end_channels(w);
	if (r >= 0)
		r = chat_sessions_each(w->txn, u->who, add_session, w);
	if (r < 0)
		return r;
	chatd_gather(&w->out, 312, "%s %s :%s", u->nick, settings->host, settings->domain);
	add_flags(w);
	add_proofs(w);
	add_times(w);
	return chatd_whois_metadata(w->txn, w->c, u, &w->out);
}

static int gather(struct store_txn *txn, void *arg)
{
	struct whois *w = arg;
	int r = chat_nick_find(txn, w->nick, &w->user);

	w->txn = txn;
	w->found = r == 0;
	if (r == 0)
		r = describe(w);
	return r >= 0 || r == -ENOENT ? 1 : r;
}

static int tell(struct chatd *c, struct span nick)
{
	struct whois w = {.c = c,
		.nick = nick,
		.channels = BUF_INIT(CHANNELS_LINE + 256),
		.out = BUF_INIT(CHATD_GATHER_MAX)};
	struct chatd_word word = chatd_word(nick);
	int r = chatd_view(c, gather, &w);

	if (r == 1) {
		chatd_gather_send(c, &w.out);
		if (!w.found)
			chatd_numeric(c, 401, "%s :No such nick", word.text);
		chatd_numeric(c, 318, "%s :End of WHOIS list", w.found ? w.user.nick : word.text);
	}
	buf_done(&w.channels);
	buf_done(&w.out);
	return r;
}

/* "WHOIS server nick" asks this server too: there is no other. */
int chatd_cmd_whois(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct span rest, nick;
	int r = 1;

	if (m->count == 0 || m->params[m->count > 1 ? 1 : 0].len == 0) {
		chatd_numeric(call->c, 431, ":No nickname given");
		return 0;
	}
	rest = m->params[m->count > 1 ? 1 : 0];
	for (bool another = false; r == 1 && irc_word(&rest, ',', &nick); another = true) {
		if (another)
			chatd_cost(call->c);
		r = tell(call->c, nick);
	}
	return r < 0 ? r : 0;
}
