/*
 * The log, from the session's position on. All that is new is read in one view and written to the
 * output; what the output does not take stays in the log, where it costs nothing.
 */
#include "services/chatd/chatd.h"

#include <errno.h>
#include <stdio.h>

enum { ROUND_MAX = 65536 }; /* bytes written before the output is flushed */

/* -- whom an event concerns --------------------------------------------------------------------
 */

static bool is_me(const struct chatd *c, struct span who)
{
	return who.len > 0 && span_eq_str(who, c->me.who);
}

static bool is_own(const struct chatd *c, const struct chat_event *e)
{
	return e->session != 0 && e->session == c->service->session_id;
}

static bool in_room(const struct chatd *c, const struct chat_event *e)
{
	return chatd_room(c, e->channel) != NULL;
}

/* Was the source in a channel that the session is in? */
static bool is_neighbour(const struct chatd *c, const struct chat_event *e)
{
	for (size_t i = 0; i < c->room_count; i++)
		if (chat_event_in(e, c->rooms[i].id))
			return true;
	return false;
}

/* What of others is told to those who share a channel, or who watch them (extended-monitor). */
static bool is_known(const struct chatd *c, const struct chat_event *e)
{
	return is_neighbour(c, e) ||
		(chatd_has(c, CAP_EXTENDED_MONITOR) && chatd_monitors(c, e->nick));
}

/* "@#channel" goes to those with that role or a higher one. */
static bool has_status(struct chatd *c, struct store_txn *txn, const struct chat_event *e)
{
	static const struct {
		char sign;
		unsigned roles;
	} least[] = {
		{'@', CHAT_OP},
		{'%', CHAT_OP | CHAT_HALFOP},
		{'+', CHAT_OP | CHAT_HALFOP | CHAT_VOICE},
	};
	struct chat_member m;

	if (e->status == '\0' || is_me(c, e->who))
		return true;
	if (chat_member_read(txn, e->channel, c->me.who, &m) < 0)
		return false;
	for (size_t i = 0; i < sizeof(least) / sizeof(least[0]); i++)
		if (least[i].sign == e->status)
			return (m.roles & least[i].roles) != 0;
	return false;
}

/* One's own message is seen by one's other devices; by oneself with echo-message, or as its
 * addressee. */
static bool is_message_for(struct chatd *c, struct store_txn *txn, const struct chat_event *e)
{
	if ((e->flags & CHAT_EVENT_REDACTED) != 0 ||
		(e->kind == CHAT_TAGMSG && !chatd_has(c, CAP_MESSAGE_TAGS)))
		return false;
	if (e->channel == 0)
		return is_me(c, e->peer) ||
			(is_me(c, e->who) && (!is_own(c, e) || chatd_has(c, CAP_ECHO_MESSAGE)));
	if (is_own(c, e) && !chatd_has(c, CAP_ECHO_MESSAGE))
		return false;
	return in_room(c, e) ? has_status(c, txn, e) : is_me(c, e->who);
}

static bool is_redaction_for(const struct chatd *c, const struct chat_event *e)
{
	if (!chatd_has(c, CAP_MESSAGE_REDACTION))
		return false;
	return e->channel != 0 ? in_room(c, e) : is_me(c, e->peer) || is_me(c, e->who);
}

static bool is_metadata_for(const struct chatd *c, const struct chat_event *e)
{
	if (!chatd_has(c, CAP_METADATA) || is_own(c, e) || !chatd_subscribed(c, e->subject))
		return false;
	if (e->channel != 0)
		return in_room(c, e);
	return is_me(c, e->who) || is_neighbour(c, e) || chatd_monitors(c, e->nick);
}

static bool is_invitation_for(const struct chatd *c, const struct chat_event *e)
{
	return is_me(c, e->peer) ||
		(chatd_has(c, CAP_INVITE_NOTIFY) && !is_own(c, e) && in_room(c, e));
}

/* Changes of a person of which there are no words without the capability. */
static bool is_change_for(const struct chatd *c, const struct chat_event *e)
{
	bool mine = is_me(c, e->who);

	switch (e->kind) {
	case CHAT_AWAY:
		return mine ? !is_own(c, e) : chatd_has(c, CAP_AWAY_NOTIFY) && is_known(c, e);
	case CHAT_REALNAME:
		return chatd_has(c, CAP_SETNAME) && (mine || is_known(c, e));
	case CHAT_ACCOUNT:
		return chatd_has(c, CAP_ACCOUNT_NOTIFY) && !mine && is_known(c, e);
	case CHAT_HOST:
		if (chatd_has(c, CAP_CHGHOST))
			return mine || is_known(c, e);
		return !mine && is_neighbour(c, e);
	default:
		return false;
	}
}

bool chatd_concerns(struct chatd *c, struct store_txn *txn, const struct chat_event *e)
{
	switch (e->kind) {
	case CHAT_PRIVMSG:
	case CHAT_NOTICE:
	case CHAT_TAGMSG:
		return is_message_for(c, txn, e);
	case CHAT_JOIN:
		return in_room(c, e) || is_me(c, e->who);
	case CHAT_PART:
	case CHAT_KICK:
	case CHAT_MODE:
	case CHAT_TOPIC:
	case CHAT_RENAME:
		return in_room(c, e);
	case CHAT_INVITE:
		return is_invitation_for(c, e);
	case CHAT_REDACT:
		return is_redaction_for(c, e);
	case CHAT_METADATA:
		return is_metadata_for(c, e);
	case CHAT_NICK:
		return is_me(c, e->who) || is_neighbour(c, e);
	case CHAT_QUIT:
	case CHAT_ONLINE:
		return !is_me(c, e->who) && is_neighbour(c, e);
	case CHAT_AWAY:
	case CHAT_HOST:
	case CHAT_REALNAME:
	case CHAT_ACCOUNT:
		return is_change_for(c, e);
	case CHAT_USER_MODE:
	case CHAT_KILL:
		return is_me(c, e->peer);
	case CHAT_MARKREAD:
		return chatd_has(c, CAP_READ_MARKER) && is_me(c, e->peer) && !is_own(c, e);
	case CHAT_WALLOPS:
		return (c->me.flags & CHAT_USER_WALLOPS) != 0;
	case CHAT_BROADCAST:
		return true;
	}
	return false;
}

/* -- reading ----------------------------------------------------------------------------------- */

struct delivery {
	struct chatd *c;
	struct store_txn *txn;
	uint64_t head;
	bool own; /* the event at which it stopped */
};

enum { STOP_AT_HEAD = 1, STOP_FULL, STOP_TO_SHOW };

/* What one says to oneself comes twice: as its echo, which is the answer, and as what was received.
 */
static bool comes_twice(const struct chatd *c, const struct chat_event *e)
{
	return e->channel == 0 && is_own(c, e) && is_me(c, e->peer) &&
		(e->kind == CHAT_PRIVMSG || e->kind == CHAT_NOTICE || e->kind == CHAT_TAGMSG) &&
		chatd_has(c, CAP_ECHO_MESSAGE);
}

static int deliver_one(void *arg, const struct chat_event *e)
{
	struct delivery *d = arg;
	struct chatd *c = d->c;
	const struct chatd_rendering r = {.txn = d->txn};
	bool own = c->own_first != 0 && e->seq >= c->own_first && is_own(c, e);
	int error;

	if (d->head != 0 && e->seq > d->head)
		return STOP_AT_HEAD;
	c->answering.aside = !own;
	if (chatd_concerns(c, d->txn, e)) {
		chatd_render(c, e, &r);
		if (comes_twice(c, e)) {
			c->answering.aside = true;
			chatd_render(c, e, &r);
			c->answering.aside = !own;
		}
	}
	chatd_monitor_event(c, e);
	error = chatd_follow(c, d->txn, e);
	c->answering.aside = false;
	c->seq = e->seq;
	if (error < 0)
		return error;
	if (c->quit)
		return STOP_AT_HEAD;
	if (c->to_show != 0) {
		d->own = own;
		return STOP_TO_SHOW;
	}
	return c->unsent >= ROUND_MAX ? STOP_FULL : 0;
}

static int deliver_view(struct store_txn *txn, void *arg)
{
	struct delivery *d = arg;

	d->txn = txn;
	return chat_events_each(txn, d->c->seq, deliver_one, d);
}

/* The names of a channel may be more than the output takes, which nobody waits for in a view. */
static int show(struct chatd *c, bool own)
{
	uint64_t id = c->to_show;
	int r;

	c->to_show = 0;
	c->answering.aside = !own;
	r = chatd_show_channel(c, id);
	c->answering.aside = false;
	return r;
}

int chatd_deliver(struct chatd *c, uint64_t head)
{
	struct delivery d = {.c = c, .head = head};
	int r;

	if (!c->registered || (head != 0 && c->seq >= head))
		return 0;
	for (;;) {
		r = store_view(c->service->store, deliver_view, &d);
		if (r == STOP_TO_SHOW) {
			r = show(c, d.own);
			if (r < 0)
				return r;
		} else if (r == STOP_FULL) {
			r = conn_step_flush(c->conn);
			if (r < 0)
				return r == -EAGAIN ? 1 : r;
			c->unsent = 0;
		} else {
			return r < 0 ? r : 0;
		}
	}
}

int chatd_drain(struct chatd *c, uint64_t head)
{
	int r;

	while ((r = chatd_deliver(c, head)) == 1) {
		r = conn_flush(c->conn);
		if (r < 0)
			return r;
		c->unsent = 0;
	}
	return r;
}

struct lag {
	uint64_t head;
};

static int read_head(struct store_txn *txn, void *arg)
{
	struct lag *l = arg;

	return chat_head(txn, &l->head);
}

int chatd_lag(struct chatd *c, uint64_t *ret)
{
	struct lag l = {.head = 0};
	int r = store_view(c->service->store, read_head, &l);

	if (r == 0)
		*ret = l.head > c->seq ? l.head - c->seq : 0;
	return r;
}

/* -- following ---------------------------------------------------------------------------------
 */

static void copy(char *ret, size_t size, struct span s)
{
	(void)snprintf(ret, size, "%.*s", CHATD_SPAN(s));
}

static int follow_join(struct chatd *c, const struct chat_event *e)
{
	char name[CHAT_CHANNEL_SIZE];
	int r;

	/* As it was when the session began, it was told then. */
	if (in_room(c, e))
		return 0;
	copy(name, sizeof(name), e->target);
	r = chatd_room_add(c, e->channel, name);
	if (r == 0)
		c->to_show = e->channel;
	return r;
}

/* A channel under another name, to a client that does not know that there is such a thing. */
static int follow_rename(struct chatd *c, const struct chat_event *e)
{
	char name[CHAT_CHANNEL_SIZE];

	if (!in_room(c, e))
		return 0;
	copy(name, sizeof(name), e->subject);
	chatd_room_rename(c, e->channel, name);
	if (!chatd_has(c, CAP_CHANNEL_RENAME) && !irc_eq(e->target, e->subject))
		c->to_show = e->channel;
	return 0;
}

/* The flags are read again: they are not worth taking "+iB-w" apart. */
static int follow_mode(struct chatd *c, struct store_txn *txn)
{
	struct chat_user now;
	int r = chat_user_read(txn, c->me.who, &now);

	if (r == 0)
		c->me.flags = now.flags;
	return r == -ENOENT ? 0 : r;
}

static void follow_away(struct chatd *c, const struct chat_event *e)
{
	bool back = (e->flags & CHAT_EVENT_CLEARED) != 0;

	c->me.flags = back ? c->me.flags & ~(uint32_t)CHAT_USER_AWAY : c->me.flags | CHAT_USER_AWAY;
	copy(c->me.away, sizeof(c->me.away), e->text);
}

/* What one's own person did, on whichever device. */
static int follow_me(struct chatd *c, const struct chat_event *e)
{
	switch (e->kind) {
	case CHAT_JOIN:
		return follow_join(c, e);
	case CHAT_PART:
		chatd_room_remove(c, e->channel);
		return 0;
	case CHAT_NICK:
		copy(c->me.nick, sizeof(c->me.nick), e->subject);
		return 0;
	case CHAT_AWAY:
		follow_away(c, e);
		return 0;
	case CHAT_HOST:
		copy(c->me.ident, sizeof(c->me.ident), e->subject);
		copy(c->me.host, sizeof(c->me.host), e->text);
		return 0;
	case CHAT_REALNAME:
		copy(c->me.realname, sizeof(c->me.realname), e->text);
		return 0;
	default:
		return 0;
	}
}

static void killed(struct chatd *c, const struct chat_event *e)
{
	struct span by = e->nick.len > 0 ? e->nick : span_str(c->service->settings.host);

	(void)snprintf(c->quit_text, sizeof(c->quit_text), "Killed (%.*s (%.*s))", CHATD_SPAN(by),
		CHATD_SPAN(e->text));
	chatd_end(c, "killed", "Killed (%.*s (%.*s))", CHATD_SPAN(by), CHATD_SPAN(e->text));
}

int chatd_follow(struct chatd *c, struct store_txn *txn, const struct chat_event *e)
{
	if (e->kind == CHAT_RENAME)
		return follow_rename(c, e);
	if (e->kind == CHAT_ACCOUNT && is_me(c, e->subject))
		copy(c->me.who, sizeof(c->me.who), e->who);
	if (e->kind == CHAT_KICK && is_me(c, e->peer))
		chatd_room_remove(c, e->channel);
	if (e->kind == CHAT_USER_MODE && is_me(c, e->peer))
		return follow_mode(c, txn);
	if (e->kind == CHAT_KILL && is_me(c, e->peer))
		killed(c, e);
	return is_me(c, e->who) ? follow_me(c, e) : 0;
}
