/* What the person sees: lines above, the editor's line below, drawn anew under what comes. */
#include "client/chat/ui.h"

#include "base/file.h"
#include "base/timefmt.h"
#include "client/term/width.h"

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

enum { OUT_MAX = 8 << 20, PROMPT_WINDOWS = 4 };

/* -- writing ----------------------------------------------------------------------------------- */

static void put(struct chatui *u, struct span text)
{
	if (u->drawn)
		buf_add_str(&u->out, "\r\x1b[K");
	u->drawn = false;
	u->redraw = true;
	buf_add(&u->out, text);
	/* A flood: no more than can be kept at once. */
	if (buf_error(&u->out) < 0 || u->out.len > OUT_MAX / 2)
		chatui_flush(u);
}

static void unread_add(const struct chatui *u, struct buf *b)
{
	const struct model *m = &u->talk.model;
	size_t shown = 0;

	for (size_t i = 1; i < m->count; i++) {
		const struct window *w = m->windows[i];

		if (w->unread == 0 || w == u->talk.current)
			continue;
		if (shown == PROMPT_WINDOWS) {
			buf_add_str(b, " ...");
			break;
		}
		buf_add_str(b, shown++ > 0 ? " " : "(");
		safe_word(b, w->name);
		buf_addf(b, ":%zu%s", w->unread, w->called ? "!" : "");
	}
	if (shown > 0)
		buf_add_str(b, ") ");
}

void chatui_prompt(const struct chatui *u, struct buf *b)
{
	const struct talk *t = &u->talk;

	unread_add(u, b);
	if (t->question_count > 0)
		buf_add_str(b, "y/n? ");
	if (t->state != TALK_READY)
		buf_add_str(b, t->outgoing_count > 0 ? "(no line, messages wait) " : "(no line) ");
	if (t->current->kind == WINDOW_SERVER)
		safe_word(b, t->nick);
	else
		safe_word(b, t->current->name);
	buf_add_str(b, "> ");
}

void chatui_flush(struct chatui *u)
{
	_cleanup_(buf_done) struct buf prompt = BUF_INIT(4096);

	if (u->person && u->redraw) {
		u->columns = tty_columns(STDOUT_FILENO);
		chatui_prompt(u, &prompt);
		line_draw(&u->line, buf_str(&prompt), u->columns, &u->out);
		u->drawn = true;
	}
	u->redraw = false;
	if (u->out.len > 0 && file_write_all(STDOUT_FILENO, buf_span(&u->out)) < 0)
		net_end(&u->talk, ERR_EXIT_TEMP, "the output cannot be written");
	buf_reset(&u->out);
}

static void say_v(struct chatui *u, enum item_kind kind, const char *format, va_list ap)
	__attribute__((format(printf, 3, 0)));
static void say_v(struct chatui *u, enum item_kind kind, const char *format, va_list ap)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(16384);
	_cleanup_(cleanup_free) struct item *i = NULL;
	char text[2048];
	const struct show_style style = {.colour = u->person};

	vsnprintf(text, sizeof text, format, ap);
	i = item_new(&(struct item_fields){
		.kind = kind, .at_us = time_now_us(), .text = span_str(text)});
	if (i == NULL)
		return;
	show_item(&b, i, &style);
	put(u, buf_span(&b));
}

void chatui_say(struct chatui *u, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say_v(u, ITEM_NOTE, format, ap);
	va_end(ap);
}

void chatui_error(struct chatui *u, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say_v(u, ITEM_ERROR, format, ap);
	va_end(ap);
	if (!u->person && u->code == CLIENT_OK)
		u->code = CLIENT_NO;
}

/* -- items ------------------------------------------------------------------------------------- */

static void rule_put(struct chatui *u, const char *text)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1024);

	buf_addf(&b, "%s---- %s ----%s\n", u->person ? "\x1b[2m" : "", text,
		u->person ? "\x1b[0m" : "");
	put(u, buf_span(&b));
}

static void day_put(struct chatui *u, int64_t at_us)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(128);

	if (u->day_us != 0 && show_same_day(u->day_us, at_us))
		return;
	u->day_us = at_us;
	show_day(&b, at_us);
	rule_put(u, buf_str(&b));
}

static void item_put(struct chatui *u, const struct window *w, const struct item *i, bool name)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(8 * (size_t)MODEL_TEXT_MAX);
	const struct show_style style = {.colour = u->person, .window = name ? w->name : NULL};

	day_put(u, i->at_us);
	show_item(&b, i, &style);
	put(u, buf_span(&b));
}

/* The oldest that the person has seen of the window. */
static void top_note(struct window *w, const struct item *i)
{
	if (i->seq != 0 && (w->top_seq == 0 || i->seq < w->top_seq))
		w->top_seq = i->seq;
}

static void on_item(void *arg, struct window *w, const struct item *i)
{
	struct chatui *u = arg;
	bool here = w == u->talk.current || w->kind == WINDOW_SERVER;

	if (!u->person) {
		item_put(u, w, i, w->kind != WINDOW_SERVER);
		return;
	}
	if (here)
		top_note(w, i);
	/* Elsewhere: what is meant for the person, and what happened to it. */
	if (here || (item_is_message(i) && (i->to_me || i->own)) || i->kind == ITEM_ERROR)
		item_put(u, w, i, !here);
}

static void on_redacted(void *arg, struct window *w, const struct item *i)
{
	struct chatui *u = arg;
	struct time_parts p;

	if ((w != u->talk.current && u->person) || time_local(i->at_us, &p) < 0)
		return;
	chatui_say(u, "what %s said at %02d:%02d was taken back", i->from, p.hour, p.minute);
}

static void on_lost(void *arg, const char *why, unsigned in_s)
{
	struct chatui *u = arg;

	u->sync[0] = '\0';
	if (u->ready)
		chatui_say(u, "the line is lost: %s; trying again in %u s", why, in_s);
	else
		chatui_say(u, "no line: %s; trying again in %u s", why, in_s);
}

static void on_ready(void *arg)
{
	struct chatui *u = arg;

	if (u->ready)
		chatui_say(u, "the line is back");
	else
		chatui_say(u, "%s at %s: %s; /help tells the commands", u->talk.nick,
			u->talk.profile->host, u->talk.security);
	u->ready = true;
	/* A script's first line may be for a channel that is only now joined. */
	if (!u->person)
		chatui_await(u);
}

static void on_changed(void *arg)
{
	struct chatui *u = arg;

	u->redraw = u->person;
	chatacts_changed(&u->acts);
}

static void on_pong(void *arg, struct span token)
{
	struct chatui *u = arg;

	if (span_eq_str(token, u->sync))
		u->sync[0] = '\0';
}

static void on_focus(void *arg, struct window *w)
{
	chatui_show(arg, w);
}

static void on_closing(void *arg, struct window *w)
{
	struct chatui *u = arg;

	if (w == u->talk.current)
		chatui_show(u, u->talk.model.windows[0]);
}

/* -- windows ----------------------------------------------------------------------------------- */

static void head_put(struct chatui *u, const struct window *w)
{
	if (w->kind == WINDOW_CHANNEL && w->topic != NULL && w->topic[0] != '\0')
		chatui_say(u, "%s, %zu people: %s", w->name, w->members.count, w->topic);
	else if (w->kind == WINDOW_CHANNEL)
		chatui_say(u, "%s, %zu people", w->name, w->members.count);
	else if (w->kind == WINDOW_PERSON)
		chatui_say(u, "with %s", w->name);
}

/* The last of what was said; a mark stands before what was not read. */
static void tail_put(struct chatui *u, struct window *w)
{
	int64_t read_us = w->read_us;
	size_t from = w->count > CHATUI_SHOWN ? w->count - CHATUI_SHOWN : 0;
	bool marked = w->unread == 0;

	/* All that is unread, as far as it is kept. */
	for (size_t i = 0; i < from && w->unread > 0; i++)
		if (item_is_message(w->items[i]) && w->items[i]->at_us > read_us)
			from = i;
	for (size_t i = from; i < w->count; i++) {
		const struct item *item = w->items[i];

		if (!marked && item_is_message(item) && !item->own && item->at_us > read_us) {
			rule_put(u, "new");
			marked = true;
		}
		if (item->shown) {
			top_note(w, item);
			item_put(u, w, item, false);
		}
	}
}

void chatui_show(struct chatui *u, struct window *w)
{
	if (w == u->talk.current && w->kind != WINDOW_SERVER)
		return;
	u->talk.current = w;
	u->redraw = u->person;
	if (!u->person)
		return;
	w->top_seq = 0;
	head_put(u, w);
	if (w->kind != WINDOW_SERVER)
		tail_put(u, w);
	talk_mark_read(&u->talk, w);
}

static void older_put(struct chatui *u, struct window *w, struct item *const *items, size_t count)
{
	int64_t day_us = u->day_us;

	rule_put(u, "older");
	u->day_us = 0;
	for (size_t i = 0; i < count; i++) {
		top_note(w, items[i]);
		item_put(u, w, items[i], !u->person);
	}
	u->day_us = day_us;
	rule_put(u, "end of older");
}

/* From what is kept; false: there is nothing older there. */
static bool older_kept(struct chatui *u, struct window *w, size_t count)
{
	size_t end = 0, from;

	while (end < w->count && w->top_seq != 0 && w->items[end]->seq != 0 &&
		w->items[end]->seq < w->top_seq)
		end++;
	if (end == 0)
		return false;
	from = end > count ? end - count : 0;
	older_put(u, w, w->items + from, end - from);
	return true;
}

void chatui_older(struct chatui *u, size_t count)
{
	struct window *w = u->talk.current;
	int r;

	if (w->kind != WINDOW_CHANNEL && w->kind != WINDOW_PERSON) {
		chatui_say(u, "this window has no history");
		return;
	}
	if (older_kept(u, w, count))
		return;
	r = fill_older(&u->talk, w, count);
	if (r == -ENODATA)
		chatui_say(u, "there is nothing older");
	else if (r < 0)
		chatui_error(u, "history cannot be had now");
}

static void on_page(void *arg, const char *target, enum fill_kind kind, struct item *const *items,
	size_t count, const char *error)
{
	struct chatui *u = arg;
	struct window *w = windows_find(&u->talk.model, span_str(target));

	if (error != NULL)
		chatui_error(u, "history of %s: %s", target, error);
	if (w == NULL || error != NULL || kind == FILL_AFTER)
		return;
	if (kind == FILL_BEFORE && count > 0)
		older_put(u, w, items, count);
	else if (kind == FILL_BEFORE)
		chatui_say(u, "there is nothing older");
	/* What was there before one came. */
	for (size_t i = 0; i < count && kind == FILL_LATEST; i++)
		if (w == u->talk.current) {
			top_note(w, items[i]);
			item_put(u, w, items[i], !u->person);
		}
}

const struct talk_view chatui_view = {
	.ready = on_ready,
	.lost = on_lost,
	.item = on_item,
	.page = on_page,
	.changed = on_changed,
	.redacted = on_redacted,
	.pong = on_pong,
	.focus = on_focus,
	.closing = on_closing,
};

/* -- what commands tell ------------------------------------------------------------------------ */

static void act_say(void *arg, const char *text)
{
	chatui_say(arg, "%s", text);
}

static void act_error(void *arg, const char *text)
{
	chatui_error(arg, "%s", text);
}

static void act_older(void *arg, size_t count)
{
	chatui_older(arg, count);
}

const struct chatacts_face chatui_face = {
	.say = act_say, .error = act_error, .show = on_focus, .older = act_older};
