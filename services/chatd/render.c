/*
 * Events as lines. What a client with these capabilities is told of an event, live and in a
 * history; where it does not know the word for it, in the words that it knows. Here: the writing of
 * a line, messages, and which event is written by whom.
 */
#include "services/chatd/render.h"

#include "base/text.h"

#include <stdio.h>

enum { TIME_LEN = 19 }; /* of an irc_time_write() up to the seconds */

/* -- writing a line ---------------------------------------------------------------------------- */

void render_source(const struct rendering *r, struct buf *b)
{
	const struct chat_event *e = r->e;

	if (e->nick.len == 0) {
		buf_add_str(b, r->c->service->settings.host);
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
struct buf *render_begin(const struct rendering *r, const char *verb)
{
	struct buf *b = &r->c->body;

	buf_reset(b);
	buf_add_byte(b, ':');
	render_source(r, b);
	buf_add_byte(b, ' ');
	buf_add_str(b, verb);
	return b;
}

/* ":SERVER VERB" */
struct buf *render_begin_server(const struct rendering *r, const char *verb)
{
	struct buf *b = &r->c->body;

	buf_reset(b);
	buf_add_byte(b, ':');
	buf_add_str(b, r->c->service->settings.host);
	buf_add_byte(b, ' ');
	buf_add_str(b, verb);
	return b;
}

void render_word(struct buf *b, struct span word)
{
	buf_add_byte(b, ' ');
	if (word.len > 0)
		buf_add(b, word);
	else
		buf_add_byte(b, '*');
}

void render_last(struct buf *b, struct span text)
{
	buf_add_str(b, " :");
	buf_add(b, text);
}

void render_last_if(struct buf *b, struct span text)
{
	if (text.len > 0)
		render_last(b, text);
}

void render_send(const struct rendering *r)
{
	chatd_send(r->c, &r->tags, buf_span(&r->c->body));
}

/* Without msgid: the second of several lines of one event. */
void render_send_bare(const struct rendering *r)
{
	struct chatd_tags tags = {.at_us = r->tags.at_us,
		.account = r->tags.account,
		.bot = r->tags.bot,
		.batch = r->tags.batch};

	chatd_send(r->c, &tags, buf_span(&r->c->body));
}

struct buf *render_begin_me(const struct rendering *r, const char *verb)
{
	const struct chat_user *me = &r->c->me;
	struct buf *b = &r->c->body;

	buf_reset(b);
	buf_addf(b, ":%s!%s@%s %s", me->nick, me->ident, me->host, verb);
	return b;
}

void render_target(struct buf *b, const struct chat_event *e)
{
	buf_add_byte(b, ' ');
	if (e->status != '\0')
		buf_add_byte(b, (unsigned char)e->status);
	buf_add(b, e->target);
}

/* -- messages ---------------------------------------------------------------------------------- */

static const char *verb_of(const struct chat_event *e)
{
	return e->kind == CHAT_PRIVMSG ? "PRIVMSG" : e->kind == CHAT_NOTICE ? "NOTICE" : "TAGMSG";
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

/* The first line alone has the id (draft/multiline). */
static void render_lines_plain(struct rendering *r)
{
	struct span rest = r->e->text, line;
	bool concat;

	while (chat_line_next(&rest, &line, &concat)) {
		struct buf *b;

		if (line.len == 0)
			continue;
		b = render_begin(r, verb_of(r->e));
		render_target(b, r->e);
		add_text(r, b, line);
		render_send(r);
		r->tags.msgid = NULL;
	}
}

/* Who spoke begins the batch, too. */
static void open_lines(struct rendering *r, char ret_ref[16])
{
	struct buf *b = &r->c->body;
	struct chatd_batch batch = {.type = "draft/multiline"};
	size_t source_len;

	buf_reset(b);
	render_source(r, b);
	source_len = b->len;
	render_target(b, r->e);
	batch.source = span_of(b->p, source_len);
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
		b = render_begin(r, verb_of(r->e));
		render_target(b, r->e);
		render_last(b, line);
		tags.more = concat ? "draft/multiline-concat" : NULL;
		chatd_send(r->c, &tags, buf_span(b));
	}
	b = render_begin_server(r, "BATCH -");
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
	b = render_begin(r, verb_of(e));
	render_target(b, e);
	if (e->kind != CHAT_TAGMSG)
		add_text(r, b, e->text);
	render_send(r);
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
	struct buf key = BUF_INIT(RENDER_MORE_SIZE);
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
