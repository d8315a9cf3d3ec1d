/* Events of people, of oneself and of the house as lines. */
#include "services/chatd/render.h"

void render_nick(struct rendering *r)
{
	render_last(render_begin(r, "NICK"), r->e->subject);
	render_send(r);
}

void render_quit(struct rendering *r)
{
	render_last(render_begin(r, "QUIT"), r->e->text);
	render_send(r);
}

/* The role that somebody who comes back has there. */
static void send_roles(const struct rendering *r, const struct chatd_room *room)
{
	static const struct {
		enum chat_role role;
		unsigned char letter;
	} letters[] = {{CHAT_OP, 'o'}, {CHAT_HALFOP, 'h'}, {CHAT_VOICE, 'v'}};
	char who[CHAT_WHO_SIZE];
	struct chat_member m;
	size_t count = 0;
	struct buf *b;

	if (span_copy_str(r->e->who, who, sizeof(who)) < 0 ||
		chat_member_read(r->how->txn, room->id, who, &m) < 0 || m.roles == 0)
		return;
	b = render_begin_server(r, "MODE");
	render_word(b, span_str(room->name));
	buf_add_str(b, " +");
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if ((m.roles & letters[i].role) != 0) {
			buf_add_byte(b, letters[i].letter);
			count++;
		}
	for (; count > 0; count--)
		render_word(b, r->e->nick);
	chatd_send(r->c, &(struct chatd_tags){.at_us = r->tags.at_us, .batch = r->tags.batch},
		buf_span(b));
}

/* JOINs of one person in all channels that are shared. */
static void send_joins(const struct rendering *r)
{
	for (size_t i = 0; i < r->c->room_count; i++) {
		const struct chatd_room *room = &r->c->rooms[i];

		if (!chat_event_in(r->e, room->id) ||
			(r->how->channel != 0 && r->how->channel != room->id))
			continue;
		render_join_of(r, span_str(room->name));
		if (!r->how->replay)
			send_roles(r, room);
	}
}

void render_online(struct rendering *r)
{
	send_joins(r);
	render_away_of(r);
}

void render_away(struct rendering *r)
{
	bool back = (r->e->flags & CHAT_EVENT_CLEARED) != 0;
	struct buf *b;

	if (span_eq_str(r->e->who, r->c->me.who)) {
		if (back)
			chatd_numeric(r->c, 305, ":You are no longer marked as being away");
		else
			chatd_numeric(r->c, 306, ":You have been marked as being away");
		return;
	}
	b = render_begin(r, "AWAY");
	if (!back)
		render_last(b, r->e->text);
	render_send(r);
}

/* Without chghost: gone, and back as somebody else. */
void render_host(struct rendering *r)
{
	struct chat_event after = *r->e;
	struct rendering as_new = *r;
	struct buf *b;

	if (chatd_has(r->c, CAP_CHGHOST)) {
		b = render_begin(r, "CHGHOST");
		render_word(b, r->e->subject);
		render_word(b, r->e->text);
		render_send(r);
		return;
	}
	if (r->how->replay)
		return;
	render_last(render_begin(r, "QUIT"), SPAN_LIT("Changing host"));
	render_send_bare(r);
	after.ident = r->e->subject;
	after.host = r->e->text;
	as_new.e = &after;
	send_joins(&as_new);
	render_away_of(&as_new);
}

void render_realname(struct rendering *r)
{
	render_last(render_begin(r, "SETNAME"), r->e->text);
	render_send(r);
}

void render_account(struct rendering *r)
{
	render_word(render_begin(r, "ACCOUNT"), r->e->account);
	render_send(r);
}

/* -- oneself, and the house -------------------------------------------------------------------- */

void render_user_mode(struct rendering *r)
{
	struct buf *b = render_begin(r, "MODE");

	render_word(b, span_str(r->c->me.nick));
	render_word(b, r->e->text);
	render_send(r);
}

void render_kill(struct rendering *r)
{
	struct buf *b = render_begin(r, "KILL");

	render_word(b, span_str(r->c->me.nick));
	render_last(b, r->e->text);
	render_send(r);
}

void render_wallops(struct rendering *r)
{
	render_last(render_begin(r, "WALLOPS"), r->e->text);
	render_send(r);
}

void render_broadcast(struct rendering *r)
{
	struct buf *b = render_begin(r, "NOTICE");

	render_word(b, span_str(r->c->me.nick));
	render_last(b, r->e->text);
	render_send(r);
}

void render_marker(struct rendering *r)
{
	struct buf *b = render_begin_server(r, "MARKREAD");
	char at[IRC_TIME_SIZE];

	irc_time_write((int64_t)r->e->number, at);
	render_word(b, r->e->target);
	buf_add_str(b, " timestamp=");
	buf_add_str(b, at);
	chatd_send(r->c, &(struct chatd_tags){.at_us = 0}, buf_span(b));
}
