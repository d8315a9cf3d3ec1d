/*
 * One's own messages until they are known to be in the log. Each carries an id of its own
 * (+quintet/id), the same whenever it is sent, so that history tells after a loss whether it got
 * there: only what is not in it is sent again.
 */
#include "client/chat/talk.h"

#include "base/hash.h"
#include "base/text.h"
#include "base/timefmt.h"

#include <errno.h>

enum { SOURCE_LEN = 120 }; /* of "nick!user@host" while it is not known */

/* -- the queue --------------------------------------------------------------------------------- */

static void outgoing_free(struct outgoing *o)
{
	free(o->text);
	free(o);
}

static struct outgoing **find(struct talk *t, struct span label, struct span id)
{
	struct outgoing **at = &t->outgoing;

	for (; *at != NULL; at = &(*at)->next)
		if ((label.len > 0 && span_eq_str(label, (*at)->label)) ||
			(id.len > 0 && span_eq_str(id, (*at)->id)))
			return at;
	return NULL;
}

static void finish(struct talk *t, struct outgoing **at, enum talk_fate fate, const char *why)
{
	struct outgoing *o = *at;

	*at = o->next;
	if (o->next == NULL)
		t->outgoing_end = at;
	t->outgoing_count--;
	t->flying -= o->label[0] != '\0' && t->flying > 0;
	if (t->view->fate != NULL)
		t->view->fate(t->view_arg, o->cookie, fate, why);
	outgoing_free(o);
	talk_changed(t);
}

void outgoing_done(struct talk *t)
{
	while (t->outgoing != NULL) {
		struct outgoing *o = t->outgoing;

		t->outgoing = o->next;
		outgoing_free(o);
	}
	t->outgoing_end = &t->outgoing;
	t->outgoing_count = t->flying = 0;
}

/* -- what fits --------------------------------------------------------------------------------- */

static size_t room_of(const struct talk *t, const char *target, bool action)
{
	size_t source = t->source_len > 0 ? t->source_len : SOURCE_LEN;
	size_t used = 1 + source + strlen(" PRIVMSG  :") + strlen(target) + (action ? 9 : 0);

	return used + 40 < IRC_BODY_MAX ? IRC_BODY_MAX - used : 40;
}

/* The longest beginning of s that fits: behind a blank where there is one, never inside a
 * character. */
static size_t piece_of(struct span s, size_t room)
{
	size_t n = room;

	if (s.len <= room)
		return s.len;
	while (n > 0 && (s.p[n] & 0xc0) == 0x80)
		n--;
	if (n == 0)
		return room;
	for (size_t i = n; i > n / 2; i--)
		if (s.p[i - 1] == ' ')
			return i;
	return n;
}

/* Lines of a batch that the text makes. */
static size_t lines_of(struct span text, size_t room)
{
	size_t count = 0;
	struct span line;

	while (span_split(&text, '\n', &line)) {
		do {
			size_t n = piece_of(line, room);

			line = span_of(line.p + n, line.len - n);
			count++;
		} while (line.len > 0);
	}
	return count;
}

/* -- taking ------------------------------------------------------------------------------------ */

static int add(
	struct talk *t, const char *target, struct span text, unsigned flags, uint64_t cookie)
{
	struct outgoing *o;
	unsigned char random[8];
	_cleanup_(buf_done) struct buf id = BUF_INIT(TALK_ID_SIZE);

	if (t->outgoing_count >= TALK_OUTGOING_MAX)
		return -ENOSPC;
	if (hash_random(random, sizeof random) < 0)
		return -EIO;
	text_hex(&id, span_of(random, sizeof random));
	o = calloc(1, sizeof *o);
	if (o == NULL)
		return -ENOMEM;
	o->text = strndup((const char *)text.p, text.len);
	if (o->text == NULL) {
		free(o);
		return -ENOMEM;
	}
	snprintf(o->id, sizeof o->id, "%s", buf_str(&id));
	snprintf(o->target, sizeof o->target, "%s", target);
	o->notice = (flags & SAY_NOTICE) != 0;
	o->action = (flags & SAY_ACTION) != 0;
	o->cookie = cookie;
	*t->outgoing_end = o;
	t->outgoing_end = &o->next;
	t->outgoing_count++;
	return 0;
}

/* Several messages, each of one line. */
static int add_lines(
	struct talk *t, const char *target, struct span text, unsigned flags, uint64_t cookie)
{
	size_t room = room_of(t, target, (flags & SAY_ACTION) != 0);
	struct span line;
	int r = 0;

	while (r == 0 && span_split(&text, '\n', &line)) {
		while (r == 0 && line.len > 0) {
			size_t n = piece_of(line, room);

			r = add(t, target, span_of(line.p, n), flags, cookie);
			line = span_of(line.p + n, line.len - n);
		}
	}
	return r;
}

int talk_say(struct talk *t, const char *target, struct span text, unsigned flags, uint64_t cookie)
{
	struct window *w = talk_window(t, span_str(target));
	size_t room = room_of(t, target, (flags & SAY_ACTION) != 0);
	_cleanup_(buf_done) struct buf clean = BUF_INIT(MODEL_TEXT_MAX);
	int r;

	if (w == NULL || w->kind == WINDOW_CALL || *target == ':')
		return -EINVAL;
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] != '\r' && text.p[i] != '\0')
			buf_add_byte(&clean, text.p[i]);
	if (buf_error(&clean) < 0)
		return -EMSGSIZE;
	text = buf_span(&clean);
	while (text.len > 0 && text.p[text.len - 1] == '\n')
		text.len--;
	if (text.len == 0)
		return -ENODATA;
	if ((flags & SAY_ACTION) == 0 && lines_of(text, room) <= t->multiline_lines &&
		text.len <= t->multiline_bytes)
		r = add(t, w->name, text, flags, cookie);
	else
		r = add_lines(t, w->name, text, flags, cookie);
	outgoing_flush(t);
	talk_changed(t);
	return r;
}

/* -- sending ----------------------------------------------------------------------------------- */

static void tags_write(const struct talk *t, const struct outgoing *o, char *ret, size_t size)
{
	bool label = talk_has(t, TALK_LABELS), id = talk_has(t, TALK_MESSAGE_TAGS);

	snprintf(ret, size, "%s%s%s%s%s", label ? "label=" : "", label ? o->label : "",
		label && id ? ";" : "", id ? "+quintet/id=" : "", id ? o->id : "");
}

static int send_many(struct talk *t, const struct outgoing *o, const char *tags, size_t room)
{
	const char *verb = o->notice ? "NOTICE" : "PRIVMSG";
	struct span text = span_str(o->text), line;
	int r = talk_send_tagged(t, tags, "BATCH +%s draft/multiline %s", o->label, o->target);

	while (r == 0 && span_split(&text, '\n', &line)) {
		bool concat = false;

		do {
			size_t n = piece_of(line, room);
			char own[96];

			snprintf(own, sizeof own, "batch=%s%s", o->label,
				concat ? ";draft/multiline-concat" : "");
			r = talk_send_tagged(t, own, "%s %s :%.*s", verb, o->target, (int)n,
				(const char *)line.p);
			line = span_of(line.p + n, line.len - n);
			concat = true;
		} while (r == 0 && line.len > 0);
	}
	return r == 0 ? talk_send(t, "BATCH -%s", o->label) : r;
}

static int send_one(struct talk *t, struct outgoing *o)
{
	size_t room = room_of(t, o->target, o->action);
	bool many = strchr(o->text, '\n') != NULL || strlen(o->text) > room;
	char tags[128];

	talk_label(t, 'm', o->label);
	tags_write(t, o, tags, sizeof tags);
	if (many && !talk_has(t, TALK_MULTILINE))
		return -EMSGSIZE;
	if (many)
		return send_many(t, o, tags, room);
	return talk_send_tagged(t, tags, o->action ? "%s %s :\001ACTION %s\001" : "%s %s :%s",
		o->notice ? "NOTICE" : "PRIVMSG", o->target, o->text);
}

/* Where the server sends no echo, it is shown when it is sent. */
static void show_own(struct talk *t, const struct outgoing *o)
{
	struct window *w = talk_window(t, span_str(o->target));

	if (w == NULL)
		return;
	talk_add(t, w,
		item_new(&(struct item_fields){.kind = o->notice ? ITEM_NOTICE
				: o->action                      ? ITEM_ACTION
								 : ITEM_MESSAGE,
			.at_us = time_now_us(),
			.from = span_str(t->nick),
			.text = span_str(o->text),
			.own = true}));
}

void outgoing_flush(struct talk *t)
{
	struct outgoing **at = &t->outgoing;

	while (t->state == TALK_READY && *at != NULL && t->flying < TALK_FLYING_MAX) {
		struct outgoing *o = *at;
		int r;

		if (o->label[0] != '\0') {
			at = &o->next;
			continue;
		}
		/* What history has to decide goes first, all else keeps its order behind it. */
		if (o->doubtful)
			return;
		r = send_one(t, o);
		t->flying++;
		if (r < 0) {
			finish(t, at, TALK_REFUSED, "it is too long for this server");
		} else if (talk_has(t, TALK_LABELS)) {
			at = &o->next;
		} else {
			if (!talk_has(t, TALK_ECHO))
				show_own(t, o);
			finish(t, at, TALK_SENT, "");
		}
	}
}

/* -- what became of them ----------------------------------------------------------------------- */

void outgoing_seen(struct talk *t, struct span own_id)
{
	struct outgoing **at = find(t, span_of(NULL, 0), own_id);

	if (at != NULL && (*at)->doubtful)
		finish(t, at, TALK_SENT, "");
}

void outgoing_refused(struct talk *t, const char *label, struct span why)
{
	struct outgoing **at = find(t, span_str(label), span_of(NULL, 0));
	_cleanup_(buf_done) struct buf text = BUF_INIT(sizeof((*at)->refused) - 1);

	if (at == NULL)
		return;
	safe_text(&text, why);
	snprintf((*at)->refused, sizeof(*at)->refused, "%s",
		text.len > 0 ? buf_str(&text) : "refused");
}

static void not_sent(struct talk *t, const struct outgoing *o, const char *how, const char *why)
{
	struct window *w = windows_find(&t->model, span_str(o->target));
	_cleanup_(buf_done) struct buf text = BUF_INIT(MODEL_TEXT_MAX);

	buf_addf(&text, "%s (%s): ", how, why);
	buf_add_str(&text, o->text);
	talk_add(t, w != NULL ? w : t->current,
		item_new(&(struct item_fields){
			.kind = ITEM_ERROR, .at_us = time_now_us(), .text = buf_span(&text)}));
}

void outgoing_answered(struct talk *t, const char *label)
{
	struct outgoing **at = find(t, span_str(label), span_of(NULL, 0));

	if (at == NULL)
		return;
	if ((*at)->refused[0] != '\0') {
		char why[sizeof(*at)->refused];

		memcpy(why, (*at)->refused, sizeof why);
		not_sent(t, *at, "not sent", why);
		finish(t, at, TALK_REFUSED, why);
	} else {
		if (!talk_has(t, TALK_ECHO))
			show_own(t, *at);
		finish(t, at, TALK_SENT, "");
	}
	outgoing_flush(t);
}

void outgoing_lost(struct talk *t)
{
	for (struct outgoing *o = t->outgoing; o != NULL; o = o->next) {
		o->doubtful = o->doubtful || o->label[0] != '\0';
		o->label[0] = o->refused[0] = '\0';
	}
	t->flying = 0;
}

void outgoing_settle(struct talk *t, const char *target, bool known)
{
	struct outgoing **at = &t->outgoing;

	while (*at != NULL) {
		struct outgoing *o = *at;

		if (!o->doubtful || !irc_eq(span_str(o->target), span_str(target))) {
			at = &o->next;
		} else if (known) {
			o->doubtful = false;
			at = &o->next;
		} else {
			static const char why[] = "the line was lost, and history does not tell";

			not_sent(t, o, "perhaps not sent", why);
			finish(t, at, TALK_UNKNOWN, why);
		}
	}
	outgoing_flush(t);
}

void outgoing_check(struct talk *t)
{
	struct outgoing *o = t->outgoing;

	while (o != NULL) {
		struct window *w = windows_find(&t->model, span_str(o->target));

		if (!o->doubtful || (w != NULL && w->filling)) {
			o = o->next;
			continue;
		}
		/* Either a fill is under way then, or all of that target are settled. */
		if (w != NULL)
			fill_window(t, w);
		else
			outgoing_settle(t, o->target, false);
		o = t->outgoing;
		if (w != NULL && !w->filling && t->state != TALK_READY)
			return;
	}
}
