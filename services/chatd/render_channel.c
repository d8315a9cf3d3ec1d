/* Events of channels as lines. */
#include "services/chatd/render.h"

void render_join_of(const struct rendering *r, struct span channel)
{
	struct buf *b = render_begin(r, "JOIN");

	render_word(b, channel);
	if (chatd_has(r->c, CAP_EXTENDED_JOIN)) {
		render_word(b, r->e->account);
		render_last(b, r->e->realname);
	}
	render_send(r);
}

/* Who comes while away says so (away-notify). Not of old in a history. */
void render_away_of(const struct rendering *r)
{
	char who[CHAT_WHO_SIZE];
	struct chat_user u;
	struct buf *b;

	if (r->how->replay || !chatd_has(r->c, CAP_AWAY_NOTIFY) ||
		span_eq_str(r->e->who, r->c->me.who) ||
		span_copy_str(r->e->who, who, sizeof(who)) < 0 ||
		chat_user_read(r->how->txn, who, &u) < 0 || (u.flags & CHAT_USER_AWAY) == 0)
		return;
	b = render_begin(r, "AWAY");
	render_last(b, span_str(u.away));
	render_send_bare(r);
}

void render_join(struct rendering *r)
{
	/* An own session that attached while another one joined knows it already. */
	if (!r->how->replay && span_eq_str(r->e->who, r->c->me.who) &&
		chatd_room(r->c, r->e->channel) != NULL)
		return;
	render_join_of(r, r->e->target);
	render_away_of(r);
}

void render_part(struct rendering *r)
{
	struct buf *b = render_begin(r, "PART");

	render_word(b, r->e->target);
	render_last_if(b, r->e->text);
	render_send(r);
}

void render_kick(struct rendering *r)
{
	struct buf *b = render_begin(r, "KICK");

	render_word(b, r->e->target);
	render_word(b, r->e->subject);
	render_last(b, r->e->text.len > 0 ? r->e->text : r->e->nick);
	render_send(r);
}

void render_mode(struct rendering *r)
{
	struct buf *b = render_begin(r, "MODE");

	render_word(b, r->e->target);
	render_word(b, r->e->text);
	render_send(r);
}

void render_topic(struct rendering *r)
{
	struct buf *b = render_begin(r, "TOPIC");

	render_word(b, r->e->target);
	render_last(b, r->e->text);
	render_send(r);
}

void render_invite(struct rendering *r)
{
	struct buf *b = render_begin(r, "INVITE");

	render_word(b, r->e->subject);
	render_last(b, r->e->target);
	render_send(r);
}

static struct buf *begin_join_me(const struct rendering *r, struct span channel)
{
	struct chatd *c = r->c;
	struct buf *b = render_begin_me(r, "JOIN");

	render_word(b, channel);
	if (chatd_has(c, CAP_EXTENDED_JOIN)) {
		render_word(b, chat_is_guest(c->me.who) ? span_of(NULL, 0) : span_str(c->me.who));
		render_last(b, span_str(c->me.realname));
	}
	return b;
}

void chatd_say_join(struct chatd *c, const char *channel)
{
	struct rendering r = {.c = c};

	if (!chat_is_guest(c->me.who))
		r.tags.account = span_str(c->me.who);
	(void)begin_join_me(&r, span_str(channel));
	render_send(&r);
}

/* To clients that know no other word for it: out here, in there. */
static void render_move(struct rendering *r)
{
	const struct chat_user *me = &r->c->me;
	struct buf *b = render_begin_me(r, "PART");

	render_word(b, r->e->target);
	if (r->e->text.len > 0)
		render_last(b, r->e->text);
	else
		buf_addf(b, " :The channel is now called %.*s", CHATD_SPAN(r->e->subject));
	r->tags.account = chat_is_guest(me->who) ? span_of(NULL, 0) : span_str(me->who);
	r->tags.bot = (me->flags & CHAT_USER_BOT) != 0;
	render_send_bare(r);
	(void)begin_join_me(r, r->e->subject);
	render_send_bare(r);
}

void render_rename(struct rendering *r)
{
	struct buf *b;

	if (chatd_has(r->c, CAP_CHANNEL_RENAME)) {
		b = render_begin(r, "RENAME");
		render_word(b, r->e->target);
		render_word(b, r->e->subject);
		render_last(b, r->e->text);
		render_send(r);
	} else if (!r->how->replay && !irc_eq(r->e->target, r->e->subject)) {
		render_move(r);
	}
}

void render_redact(struct rendering *r)
{
	char id[IRC_MSGID_SIZE];
	struct chat_event of;
	struct buf *b;

	if (!chatd_has(r->c, CAP_MESSAGE_REDACTION) ||
		chat_event_read(r->how->txn, r->e->number, &of) < 0)
		return;
	irc_msgid_write(of.seq, of.at_us, id);
	b = render_begin(r, "REDACT");
	render_target(b, r->e);
	render_word(b, span_str(id));
	render_last_if(b, r->e->text);
	render_send(r);
}

void render_metadata(struct rendering *r)
{
	struct span target = r->e->channel != 0 ? r->e->target : r->e->nick;

	if ((r->e->flags & CHAT_EVENT_CLEARED) == 0)
		chatd_numeric(r->c, 761, "%.*s %.*s * :%.*s", CHATD_SPAN(target),
			CHATD_SPAN(r->e->subject), CHATD_SPAN(r->e->text));
	else
		chatd_numeric(r->c, 766, "%.*s %.*s :The key is removed", CHATD_SPAN(target),
			CHATD_SPAN(r->e->subject));
}
