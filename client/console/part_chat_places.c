/* Windows of the talk as places, and what was said in them as lines. */
#include "client/console/part_chat.h"

#include "client/chat/show.h"
#include "client/peer/peer.h"

/* -- which is which ---------------------------------------------------------------------------- */

static enum place_kind kind_of(const struct window *w)
{
	return w->kind == WINDOW_CHANNEL ? PLACE_CHANNEL
		: w->kind == WINDOW_CALL ? PLACE_CALL
					 : PLACE_PERSON;
}

struct place *chat_place(struct chat_part *s, struct window *w)
{
	struct place *p;

	if (w->kind == WINDOW_SERVER)
		return NULL;
	for (size_t i = 0; i < s->count; i++)
		if (s->windows[i].window == w)
			return s->windows[i].place;
	if (s->count == MODEL_WINDOWS_MAX)
		return NULL;
	p = place_open(s->c, kind_of(w), w->name);
	if (p == NULL)
		return NULL;
	/* Of a talk before this one: what it had is told again. */
	place_clear(p);
	p->gone = false;
	s->windows[s->count++] = (struct chat_window){w, p};
	if (p == s->c->current)
		s->talk.current = w;
	return p;
}

struct window *chat_window(const struct chat_part *s, const struct place *p)
{
	for (size_t i = 0; s->begun && i < s->count; i++)
		if (s->windows[i].place == p)
			return s->windows[i].window;
	return NULL;
}

void chat_place_gone(struct chat_part *s, struct window *w)
{
	for (size_t i = 0; i < s->count; i++) {
		struct place *p = s->windows[i].place;

		if (s->windows[i].window != w)
			continue;
		s->windows[i] = s->windows[--s->count];
		place_close(s->c, p);
		return;
	}
}

void chat_places_forget(struct chat_part *s)
{
	for (size_t i = 0; i < s->count; i++)
		s->windows[i].place->gone = true;
	s->count = 0;
	console_changed(s->c);
}

bool chat_has_call(const struct chat_part *s, const struct window *w)
{
	return s->talk.calls_state != NULL && peer_has_call(s->talk.calls_state, w->name);
}

/* -- how they are ------------------------------------------------------------------------------ */

static void title_make(const struct window *w, struct buf *b)
{
	if (w->kind == WINDOW_CHANNEL) {
		buf_addf(
			b, "%zu %s", w->members.count, w->members.count == 1 ? "person" : "people");
		if (w->topic != NULL && w->topic[0] != '\0') {
			buf_add_str(b, ": ");
			safe_word(b, w->topic);
		}
	} else {
		buf_add_str(b, w->kind == WINDOW_CALL ? "call with " : "with ");
		safe_word(b, w->kind == WINDOW_CALL ? w->name + 1 : w->name);
	}
}

static void place_sync(struct chat_part *s, struct window *w, struct place *p)
{
	_cleanup_(buf_done) struct buf title = BUF_INIT(8192);

	if (strcmp(p->name, w->name) != 0)
		place_rename(s->c, p, w->name);
	/* While the line is lost nobody knows who is there, and nobody has left. */
	if (w->kind != WINDOW_CHANNEL || w->joined || s->talk.state == TALK_READY) {
		title_make(w, &title);
		snprintf(p->title, sizeof p->title, "%s", buf_str(&title));
		safe_end(p->title);
		p->gone = w->kind == WINDOW_CHANNEL && !w->joined;
	}
	if (w->kind == WINDOW_CALL) {
		p->gone = !chat_has_call(s, w);
		return;
	}
	if (p == s->c->current && !s->c->scripted)
		talk_mark_read(&s->talk, w);
	p->unread = (unsigned)w->unread;
	p->called = w->called;
}

void chat_places_sync(struct chat_part *s)
{
	const struct model *m = &s->talk.model;

	for (size_t i = 1; i < m->count; i++) {
		struct place *p = chat_place(s, m->windows[i]);

		if (p != NULL)
			place_sync(s, m->windows[i], p);
	}
	s->changed = false;
	snprintf(s->c->parts[PART_CHAT].text, sizeof s->c->parts[PART_CHAT].text, "%.100s",
		s->talk.nick);
	console_changed(s->c);
}

/* -- items as lines ---------------------------------------------------------------------------- */

static enum line_look look_of(const struct window *w, const struct item *i, bool old)
{
	if (i->kind == ITEM_ERROR)
		return LINE_ERROR;
	/* The client's words in a call: what is offered there, and the like. */
	if (i->kind == ITEM_NOTE)
		return w->kind == WINDOW_CALL ? LINE_PLAIN : LINE_QUIET;
	if (!item_is_message(i) || (old && i->at_us <= w->read_us))
		return LINE_QUIET;
	if (i->own)
		return LINE_OWN;
	return i->to_me ? LINE_LOUD : LINE_PLAIN;
}

static void who_make(const struct item *i, struct buf *b)
{
	if (i->kind == ITEM_ACTION)
		buf_add_str(b, "* ");
	if (i->kind == ITEM_NOTICE)
		buf_add_str(b, "-");
	if (item_is_message(i))
		safe_word(b, i->from);
	else if (i->kind != ITEM_NOTE && i->kind != ITEM_ERROR)
		buf_add_str(b, "*");
	if (i->kind == ITEM_NOTICE)
		buf_add_str(b, "-");
}

static void text_make(const struct item *i, struct span part, struct buf *b)
{
	if (!item_is_message(i))
		show_event(b, i);
	else if (i->redacted)
		buf_add_str(b, "(taken back)");
	else
		safe_text(b, part);
}

/* Each of an item's lines, the first with who said it. */
static void lines_each(const struct window *w, const struct item *i, bool old,
	void (*each)(void *arg, const struct place_line *l), void *arg)
{
	_cleanup_(buf_done) struct buf who = BUF_INIT(4096),
				       text = BUF_INIT(8 * (size_t)MODEL_TEXT_MAX);
	struct place_line l = {.at_us = i->at_us, .look = look_of(w, i, old)};
	struct span rest = span_str(item_is_message(i) && !i->redacted ? i->text : " "), part;

	who_make(i, &who);
	l.who = buf_str(&who);
	while (span_split(&rest, '\n', &part)) {
		buf_reset(&text);
		text_make(i, part, &text);
		l.text = buf_str(&text);
		each(arg, &l);
		l.who = "";
	}
}

struct kept {
	struct kept *next;
	char text[];
};

struct adding {
	struct console *c;
	struct place *p;
	struct place_line *v; /* collected */
	size_t count, room;
	struct kept *texts; /* of them */
};

static void line_add(void *arg, const struct place_line *l)
{
	struct adding *a = arg;

	place_add(a->c, a->p, l);
}

/* What the server and the client say outside of channels belongs to the client's own words. */
static void house_add(struct console *c, const struct item *i)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(8 * (size_t)MODEL_TEXT_MAX),
				       who = BUF_INIT(4096);

	who_make(i, &who);
	text_make(i, span_str(i->text), &text);
	if (i->kind == ITEM_ERROR)
		console_error(c, "%s", buf_str(&text));
	else
		console_say(c, "%s%s%s", item_is_message(i) ? buf_str(&who) : "",
			item_is_message(i) ? ": " : "", buf_str(&text));
}

void chat_item(void *arg, struct window *w, const struct item *i)
{
	struct chat_part *s = arg;
	struct adding a = {.c = s->c, .p = chat_place(s, w)};

	if (a.p == NULL)
		house_add(s->c, i);
	else
		lines_each(w, i, false, line_add, &a);
}

static const char *text_keep(struct adding *a, const char *text)
{
	size_t size = strlen(text) + 1;
	struct kept *k = malloc(sizeof *k + size);

	if (k == NULL)
		return "";
	memcpy(k->text, text, size);
	k->next = a->texts;
	a->texts = k;
	return k->text;
}

static void line_keep(void *arg, const struct place_line *l)
{
	struct adding *a = arg;

	if (a->count == a->room) {
		void *v = reallocarray(a->v, a->room + 64, sizeof *l);
		if (v == NULL)
			return;
		a->v = v;
		a->room += 64;
	}
	a->v[a->count] = *l;
	a->v[a->count].who = text_keep(a, l->who);
	a->v[a->count++].text = text_keep(a, l->text);
}

static void older_add(struct chat_part *s, struct window *w, struct place *p,
	struct item *const *items, size_t count)
{
	struct adding a = {.c = s->c, .p = p};

	for (size_t i = 0; i < count; i++)
		lines_each(w, items[i], true, line_keep, &a);
	place_add_older(s->c, p, a.v, a.count);
	while (a.texts != NULL) {
		struct kept *k = a.texts;

		a.texts = k->next;
		free(k);
	}
	free(a.v);
}

void chat_page(void *arg, const char *target, enum fill_kind kind, struct item *const *items,
	size_t count, const char *error)
{
	struct chat_part *s = arg;
	struct window *w = windows_find(&s->talk.model, span_str(target));
	struct adding a = {.c = s->c, .p = w != NULL ? chat_place(s, w) : NULL};

	if (kind == FILL_BEFORE && s->c->parts[PART_CHAT].busy > 0 && s->sync[0] == '\0')
		s->c->parts[PART_CHAT].busy = 0;
	/* Of somebody who is not known here there is none that could be missed. */
	if (error != NULL && (kind != FILL_LATEST || w == NULL || w->kind != WINDOW_PERSON))
		console_error(s->c, "history of %s: %s", target, error);
	if (a.p == NULL || error != NULL || kind == FILL_AFTER)
		return;
	if (kind == FILL_BEFORE && count == 0)
		console_say(s->c, "there is nothing older");
	else if (kind == FILL_BEFORE)
		older_add(s, w, a.p, items, count);
	for (size_t i = 0; i < count && kind == FILL_LATEST; i++)
		lines_each(w, items[i], true, line_add, &a);
}

void chat_redacted(void *arg, struct window *w, const struct item *i)
{
	_cleanup_(buf_done) struct buf who = BUF_INIT(4096);
	struct chat_part *s = arg;
	struct place *p = chat_place(s, w);

	who_make(i, &who);
	if (p != NULL && place_reword(s->c, p, i->at_us, buf_str(&who), "(taken back)"))
		console_say(s->c, "%s: %s took something back", w->name, buf_str(&who));
}
