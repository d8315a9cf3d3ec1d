/*
 * Events as lines. What a client with these capabilities is told of an event, live and in a
 * history; where it does not know the word for it, in the words that it knows.
 */
#include "services/chatd/chatd.h"

#include "base/text.h"
#include "base/timefmt.h"

#include <stdio.h>

enum {
	MORE_SIZE = 160, /* tags of a call's request */
	TIME_LEN = 19, /* of an irc_time_write() up to the seconds */
};

struct rendering {
	struct chatd *c;
	const struct chat_event *e;
	const struct chatd_rendering *how;
	struct chatd_tags tags;
	char msgid[IRC_MSGID_SIZE];
	char more[MORE_SIZE];
};

/* -- writing a line ---------------------------------------------------------------------------- */

static void add_source(struct buf *b, const struct chatd *c, const struct chat_event *e)
{
	buf_add_byte(b, ':');
	if (e->nick.len == 0) {
		buf_add_str(b, c->service->settings.host);
		return;
	}
	buf_add(b, e->nick);
	if (e->ident.len == 0 || e->host.len == 0)
		return;
	buf_add_byte(b, '!');
	buf_add(b, e->ident);
	buf_add_byte(b, '@');
	buf_add(b, e->host);
}

/* ":nick!ident@host VERB" */
static struct buf *begin(const struct rendering *r, const char *verb)
{
	struct buf *b = &r->c->body;

	buf_reset(b);
	add_source(b, r->c, r->e);
	buf_add_byte(b, ' ');
	buf_add_str(b, verb);
	return b;
}

/* ":SERVER VERB" */
static struct buf *begin_server(const struct rendering *r, const char *verb)
{
	struct buf *b = &r->c->body;

	buf_reset(b);
	buf_add_byte(b, ':');
	buf_add_str(b, r->c->service->settings.host);
	buf_add_byte(b, ' ');
	buf_add_str(b, verb);
	return b;
}

static void add_word(struct buf *b, struct span word)
{
	buf_add_byte(b, ' ');
	if (word.len > 0)
		buf_add(b, word);
	else
		buf_add_byte(b, '*');
}

static void add_last(struct buf *b, struct span text)
{
	buf_add_str(b, " :");
	buf_add(b, text);
}

static void add_last_if(struct buf *b, struct span text)
{
	if (text.len > 0)
		add_last(b, text);
}

static void send(const struct rendering *r)
{
	chatd_send(r->c, &r->tags, buf_span(&r->c->body));
}

/* Without msgid and the client's tags: the second of several lines of one event. */
static void send_bare(const struct rendering *r)
{
	struct chatd_tags tags = {.at_us = r->tags.at_us,
		.account = r->tags.account,
		.bot = r->tags.bot,
		.batch = r->tags.batch};

	chatd_send(r->c, &tags, buf_span(&r->c->body));
}

/* -- messages ---------------------------------------------------------------------------------- */

static const char *verb_of(const struct chat_event *e)
{
	return e->kind == CHAT_PRIVMSG ? "PRIVMSG" : e->kind == CHAT_NOTICE ? "NOTICE" : "TAGMSG";
}

static void add_target(struct buf *b, const struct chat_event *e)
{
	buf_add_byte(b, ' ');
	if (e->status != '\0')
		buf_add_byte(b, (unsigned char)e->status);
	buf_add(b, e->target);
}

/* "[2026-11-21 10:00:00] ", where nothing else can tell the time. */
static void add_time(struct buf *b, int64_t at_us)
{
	char text[IRC_TIME_SIZE];

	irc_time_write(at_us, text);
	text[10] = ' ';
	buf_add_byte(b, '[');
	buf_add(b, span_of(text, TIME_LEN));
	buf_add_str(b, "] ");
}

static void add_text(const struct rendering *r, struct buf *b, struct span text)
{
	struct span verb, rest;

	buf_add_str(b, " :");
	if (r->how->timed && irc_ctcp(text, &verb, &rest)) {
		buf_add_byte(b, '\001');
		buf_add(b, verb);
		buf_add_byte(b, ' ');
		add_time(b, r->e->at_us);
		buf_add(b, rest);
		buf_add_byte(b, '\001');
		return;
	}
	if (r->how->timed)
		add_time(b, r->e->at_us);
	buf_add(b, text);
}

static void render_lines_plain(struct rendering *r)
{
	struct span rest = r->e->text, line;
	bool concat, first = true;

	while (chat_line_next(&rest, &line, &concat)) {
		struct buf *b;

		if (line.len == 0)
			continue;
		b = begin(r, verb_of(r->e));
		add_target(b, r->e);
		add_text(r, b, line);
		if (first)
			send(r);
		else
			send_bare(r);
		first = false;
	}
}

/* Who spoke begins the batch, too. */
static void open_lines(struct rendering *r, char ret_ref[16])
{
	struct buf *b = &r->c->body;
	struct chatd_batch batch = {.type = "draft/multiline"};
	size_t source_len;

	buf_reset(b);
	add_source(b, r->c, r->e);
	source_len = b->len;
	add_target(b, r->e);
	batch.source = span_of(b->p + 1, source_len - 1);
	batch.params = span_of(b->p + source_len + 1, b->len - source_len - 1);
	chatd_batch_open(r->c, &r->tags, &batch, ret_ref);
}

static void render_lines_batch(struct rendering *r)
{
	const struct chatd_tags outer = {.at_us = r->tags.at_us, .batch = r->tags.batch};
	struct chatd_tags tags = {.at_us = r->tags.at_us};
	struct span rest = r->e->text, line;
	struct buf *b;
	char ref[16];
	bool concat;

	open_lines(r, ref);
	tags.batch = ref;
	while (chat_line_next(&rest, &line, &concat)) {
		b = begin(r, verb_of(r->e));
		add_target(b, r->e);
		add_last(b, line);
		tags.more = concat ? "draft/multiline-concat" : NULL;
		chatd_send(r->c, &tags, buf_span(b));
	}
	b = begin_server(r, "BATCH -");
	buf_add_str(b, ref);
	chatd_send(r->c, &outer, buf_span(b));
}

static void render_message(struct rendering *r)
{
	const struct chat_event *e = r->e;
	struct buf *b;

	if ((e->flags & CHAT_EVENT_REDACTED) != 0)
		return;
	if (e->kind == CHAT_TAGMSG && !chatd_has(r->c, CAP_MESSAGE_TAGS))
		return;
	if ((e->flags & CHAT_EVENT_MULTILINE) != 0) {
		if (chatd_has(r->c, CAP_MULTILINE) && chatd_has(r->c, CAP_BATCH))
			render_lines_batch(r);
		else
			render_lines_plain(r);
		return;
	}
	b = begin(r, verb_of(e));
	add_target(b, e);
	if (e->kind != CHAT_TAGMSG)
		add_text(r, b, e->text);
	send(r);
}

/* -- channels ---------------------------------------------------------------------------------- */

static void send_join(const struct rendering *r, struct span channel)
{
	struct buf *b = begin(r, "JOIN");

	add_word(b, channel);
	if (chatd_has(r->c, CAP_EXTENDED_JOIN)) {
		add_word(b, r->e->account);
		add_last(b, r->e->realname);
	}
	send(r);
}

/* Who comes while away says so (away-notify). Not of old in a history. */
static void send_away_of(const struct rendering *r)
{
	char who[CHAT_WHO_SIZE];
	struct chat_user u;
	struct buf *b;

	if (r->how->replay || !chatd_has(r->c, CAP_AWAY_NOTIFY) ||
		span_eq_str(r->e->who, r->c->me.who) ||
		span_copy_str(r->e->who, who, sizeof(who)) < 0 ||
		chat_user_read(r->how->txn, who, &u) < 0 || (u.flags & CHAT_USER_AWAY) == 0)
		return;
	b = begin(r, "AWAY");
	add_last(b, span_str(u.away));
	send_bare(r);
}

static void render_join(struct rendering *r)
{
	/* An own session that attached while another one joined knows it already. */
	if (!r->how->replay && span_eq_str(r->e->who, r->c->me.who) &&
		chatd_room(r->c, r->e->channel) != NULL)
		return;
	send_join(r, r->e->target);
	send_away_of(r);
}

static void render_part(struct rendering *r)
{
	struct buf *b = begin(r, "PART");

	add_word(b, r->e->target);
	add_last_if(b, r->e->text);
	send(r);
}

static void render_kick(struct rendering *r)
{
	struct buf *b = begin(r, "KICK");

	add_word(b, r->e->target);
	add_word(b, r->e->subject);
	add_last(b, r->e->text.len > 0 ? r->e->text : r->e->nick);
	send(r);
}

static void render_mode(struct rendering *r)
{
	struct buf *b = begin(r, "MODE");

	add_word(b, r->e->target);
	add_word(b, r->e->text);
	send(r);
}

static void render_topic(struct rendering *r)
{
	struct buf *b = begin(r, "TOPIC");

	add_word(b, r->e->target);
	add_last(b, r->e->text);
	send(r);
}

static void render_invite(struct rendering *r)
{
	struct buf *b = begin(r, "INVITE");

	add_word(b, r->e->subject);
	add_last(b, r->e->target);
	send(r);
}

static struct buf *begin_me(const struct rendering *r, const char *verb)
{
	const struct chat_user *me = &r->c->me;
	struct buf *b = &r->c->body;

	buf_reset(b);
	buf_addf(b, ":%s!%s@%s %s", me->nick, me->ident, me->host, verb);
	return b;
}

static struct buf *begin_join_me(const struct rendering *r, struct span channel)
{
	struct chatd *c = r->c;
	struct buf *b = begin_me(r, "JOIN");

	add_word(b, channel);
	if (chatd_has(c, CAP_EXTENDED_JOIN)) {
		add_word(b, chat_is_guest(c->me.who) ? span_of(NULL, 0) : span_str(c->me.who));
		add_last(b, span_str(c->me.realname));
	}
	return b;
}

void chatd_say_join(struct chatd *c, const char *channel)
{
	struct rendering r = {.c = c};

	if (!chat_is_guest(c->me.who))
		r.tags.account = span_str(c->me.who);
	(void)begin_join_me(&r, span_str(channel));
	send(&r);
}

static void render_rename(struct rendering *r)
{
	struct buf *b;

	if (chatd_has(r->c, CAP_CHANNEL_RENAME)) {
		b = begin(r, "RENAME");
		add_word(b, r->e->target);
		add_word(b, r->e->subject);
		add_last(b, r->e->text);
		send(r);
	} else if (!r->how->replay) {
		b = begin_me(r, "PART");
		add_word(b, r->e->target);
		buf_add_str(b, " :The channel is now called ");
		buf_add(b, r->e->subject);
		send_bare(r);
		(void)begin_join_me(r, r->e->subject);
		send_bare(r);
	}
}

static void render_redact(struct rendering *r)
{
	char id[IRC_MSGID_SIZE];
	struct chat_event of;
	struct buf *b;

	if (!chatd_has(r->c, CAP_MESSAGE_REDACTION) ||
		chat_event_read(r->how->txn, r->e->number, &of) < 0)
		return;
	irc_msgid_write(of.seq, of.at_us, id);
	b = begin(r, "REDACT");
	add_target(b, r->e);
	add_word(b, span_str(id));
	add_last_if(b, r->e->text);
	send(r);
}

static void render_metadata(struct rendering *r)
{
	struct span target = r->e->channel != 0 ? r->e->target : r->e->nick;

	if ((r->e->flags & CHAT_EVENT_CLEARED) == 0)
		chatd_numeric(r->c, 761, "%.*s %.*s * :%.*s", CHATD_SPAN(target),
			CHATD_SPAN(r->e->subject), CHATD_SPAN(r->e->text));
	else
		chatd_numeric(r->c, 766, "%.*s %.*s :The key is removed", CHATD_SPAN(target),
			CHATD_SPAN(r->e->subject));
}

/* -- people ------------------------------------------------------------------------------------ */

static void render_nick(struct rendering *r)
{
	add_last(begin(r, "NICK"), r->e->subject);
	send(r);
}

static void render_quit(struct rendering *r)
{
	add_last(begin(r, "QUIT"), r->e->text);
	send(r);
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
	b = begin_server(r, "MODE");
	add_word(b, span_str(room->name));
	buf_add_str(b, " +");
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if ((m.roles & letters[i].role) != 0) {
			buf_add_byte(b, letters[i].letter);
			count++;
		}
	for (; count > 0; count--)
		add_word(b, r->e->nick);
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
		send_join(r, span_str(room->name));
		if (!r->how->replay)
			send_roles(r, room);
	}
}

static void render_online(struct rendering *r)
{
	send_joins(r);
	send_away_of(r);
}

static void render_away(struct rendering *r)
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
	b = begin(r, "AWAY");
	if (!back)
		add_last(b, r->e->text);
	send(r);
}

/* Without chghost: gone, and back as somebody else. */
static void render_host(struct rendering *r)
{
	struct chat_event after = *r->e;
	struct rendering as_new = *r;
	struct buf *b;

	if (chatd_has(r->c, CAP_CHGHOST)) {
		b = begin(r, "CHGHOST");
		add_word(b, r->e->subject);
		add_word(b, r->e->text);
		send(r);
		return;
	}
	if (r->how->replay)
		return;
	add_last(begin(r, "QUIT"), SPAN_LIT("Changing host"));
	send_bare(r);
	after.ident = r->e->subject;
	after.host = r->e->text;
	as_new.e = &after;
	send_joins(&as_new);
	send_away_of(&as_new);
}

static void render_realname(struct rendering *r)
{
	add_last(begin(r, "SETNAME"), r->e->text);
	send(r);
}

static void render_account(struct rendering *r)
{
	add_word(begin(r, "ACCOUNT"), r->e->account);
	send(r);
}

/* -- oneself, and the house -------------------------------------------------------------------- */

static void render_user_mode(struct rendering *r)
{
	struct buf *b = begin(r, "MODE");

	add_word(b, span_str(r->c->me.nick));
	add_word(b, r->e->text);
	send(r);
}

static void render_kill(struct rendering *r)
{
	struct buf *b = begin(r, "KILL");

	add_word(b, span_str(r->c->me.nick));
	add_last(b, r->e->text);
	send(r);
}

static void render_wallops(struct rendering *r)
{
	add_last(begin(r, "WALLOPS"), r->e->text);
	send(r);
}

static void render_broadcast(struct rendering *r)
{
	struct buf *b = begin(r, "NOTICE");

	add_word(b, span_str(r->c->me.nick));
	add_last(b, r->e->text);
	send(r);
}

static void render_marker(struct rendering *r)
{
	struct buf *b = begin_server(r, "MARKREAD");
	char at[IRC_TIME_SIZE];

	irc_time_write((int64_t)r->e->number, at);
	add_word(b, r->e->target);
	buf_add_str(b, " timestamp=");
	buf_add_str(b, at);
	chatd_send(r->c, &(struct chatd_tags){.at_us = 0}, buf_span(b));
}

/* -- all --------------------------------------------------------------------------------------- */

static void (*const renderers[])(struct rendering *r) = {
	[CHAT_PRIVMSG] = render_message,
	[CHAT_NOTICE] = render_message,
	[CHAT_TAGMSG] = render_message,
	[CHAT_JOIN] = render_join,
	[CHAT_PART] = render_part,
	[CHAT_KICK] = render_kick,
	[CHAT_MODE] = render_mode,
	[CHAT_TOPIC] = render_topic,
	[CHAT_INVITE] = render_invite,
	[CHAT_RENAME] = render_rename,
	[CHAT_REDACT] = render_redact,
	[CHAT_METADATA] = render_metadata,
	[CHAT_NICK] = render_nick,
	[CHAT_QUIT] = render_quit,
	[CHAT_ONLINE] = render_online,
	[CHAT_AWAY] = render_away,
	[CHAT_HOST] = render_host,
	[CHAT_REALNAME] = render_realname,
	[CHAT_ACCOUNT] = render_account,
	[CHAT_USER_MODE] = render_user_mode,
	[CHAT_KILL] = render_kill,
	[CHAT_WALLOPS] = render_wallops,
	[CHAT_BROADCAST] = render_broadcast,
	[CHAT_MARKREAD] = render_marker,
};

/* A request of a call comes with who asks and by which key, as this server knows it. */
static void add_key(struct rendering *r)
{
	struct buf key = BUF_INIT(MORE_SIZE);
	bool tagged = chatd_has(r->c, CAP_ACCOUNT_TAG);

	if ((r->e->flags & CHAT_EVENT_STAMPED) == 0 || !chatd_has(r->c, CAP_CALLS))
		return;
	text_hex(&key, span_of(r->e->spki_sha256, sizeof(r->e->spki_sha256)));
	(void)snprintf(r->more, sizeof(r->more), "%s%.*s%squintet/key=%s",
		tagged ? "" : "account=", CHATD_SPAN(tagged ? span_of(NULL, 0) : r->e->account),
		tagged ? "" : ";", buf_str(&key));
	r->tags.more = r->more;
	buf_done(&key);
}

void chatd_render(struct chatd *c, const struct chat_event *e, const struct chatd_rendering *how)
{
	struct rendering r = {.c = c,
		.e = e,
		.how = how,
		.tags = {.at_us = e->at_us,
			.account = e->account,
			.bot = (e->flags & CHAT_EVENT_BOT) != 0,
			.client = e->tags,
			.batch = how->batch}};

	if ((size_t)e->kind >= sizeof(renderers) / sizeof(renderers[0]) ||
		renderers[e->kind] == NULL)
		return;
	if (chatd_has(c, CAP_MESSAGE_TAGS)) {
		irc_msgid_write(e->seq, e->at_us, r.msgid);
		r.tags.msgid = r.msgid;
	}
	add_key(&r);
	renderers[e->kind](&r);
}
