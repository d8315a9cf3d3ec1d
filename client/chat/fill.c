/*
 * History (draft/chathistory): what was missed while the line was lost, the newest at the
 * beginning, older on demand. One request at a time, each with a label of its own; a gap is asked
 * for page by page from the last position that is sure, until a page is empty. What comes live
 * meanwhile is kept unshown and shown behind it, unless the pages told it already.
 */
#include "client/chat/talk.h"

#include "base/timefmt.h"

#include <errno.h>

enum { LIMIT_MAX = 1000 };

static bool can(const struct talk *t)
{
	return talk_has(t, TALK_HISTORY) && talk_has(t, TALK_LABELS) && talk_has(t, TALK_BATCH);
}

static void page_clear(struct fill *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->page[i]);
	f->count = f->lines = 0;
	f->last[0] = '\0';
}

static void fill_free(struct fill *f)
{
	page_clear(f);
	free((void *)f->page);
	free(f);
}

static void first_drop(struct talk *t)
{
	struct fill *f = t->fills;

	t->fills = f->next;
	t->fill_count--;
	fill_free(f);
}

void fill_forget(struct talk *t)
{
	while (t->fills != NULL)
		first_drop(t);
	t->people_count = 0;
}

void fill_drop(struct talk *t, const char *target)
{
	for (struct fill **at = &t->fills; *at != NULL;) {
		struct fill *f = *at;

		if (!irc_eq(span_str(f->target), span_str(target))) {
			at = &f->next;
		} else if (f->label[0] != '\0') {
			/* Its answer is on the way, for nobody. */
			f->target[0] = '\0';
			at = &f->next;
		} else {
			*at = f->next;
			t->fill_count--;
			fill_free(f);
		}
	}
}

int fill_ask(struct talk *t, enum fill_kind kind, const char *target, const char *anchor,
	const char *end, size_t wanted)
{
	struct fill **at = &t->fills;
	struct fill *f;

	if (!can(t))
		return -ENOTSUP;
	if (t->fill_count >= TALK_FILLS_MAX)
		return -ENOSPC;
	f = calloc(1, sizeof *f);
	if (f == NULL)
		return -ENOMEM;
	f->kind = kind;
	f->wanted = wanted;
	snprintf(f->target, sizeof f->target, "%s", target);
	snprintf(f->anchor, sizeof f->anchor, "%s", anchor);
	snprintf(f->end, sizeof f->end, "%s", end);
	while (*at != NULL)
		at = &(*at)->next;
	*at = f;
	t->fill_count++;
	fill_next(t);
	return 0;
}

/* -- what is asked ----------------------------------------------------------------------------- */

static size_t page_limit(const struct talk *t, const struct fill *f)
{
	size_t limit = f->kind == FILL_AFTER ? TALK_PAGE : LIMIT_MAX;

	if (f->wanted != 0 && f->wanted - f->got < limit)
		limit = f->wanted - f->got;
	return limit < t->history_max ? limit : t->history_max;
}

static int ask(struct talk *t, struct fill *f)
{
	static const char *const words[] = {
		[FILL_AFTER] = "AFTER", [FILL_LATEST] = "LATEST", [FILL_BEFORE] = "BEFORE"};
	size_t limit = page_limit(t, f);
	char tags[64];

	talk_label(t, 'h', f->label);
	snprintf(tags, sizeof tags, "label=%s", f->label);
	if (f->kind == FILL_TARGETS)
		return talk_send_tagged(
			t, tags, "CHATHISTORY TARGETS %s %s %zu", f->anchor, f->end, limit);
	return talk_send_tagged(
		t, tags, "CHATHISTORY %s %s %s %zu", words[f->kind], f->target, f->anchor, limit);
}

/* -- windows ----------------------------------------------------------------------------------- */

void fill_sure(struct window *w, const struct item *i)
{
	if (i->msgid[0] == '\0' || (i->seq != 0 && i->seq < w->sure_seq))
		return;
	w->sure_seq = i->seq;
	memcpy(w->sure_msgid, i->msgid, sizeof w->sure_msgid);
	w->sure_us = i->at_us;
}

/* "msgid=..", "timestamp=.."; false: nothing is known. */
static bool anchor_of(const struct window *w, char ret[128])
{
	if (w->sure_msgid[0] != '\0') {
		snprintf(ret, 128, "msgid=%s", w->sure_msgid);
		return strchr(ret, ' ') == NULL;
	}
	snprintf(ret, 128, "timestamp=");
	irc_time_write(w->sure_us, ret + strlen(ret));
	return w->sure_us != 0;
}

int fill_older(struct talk *t, struct window *w, size_t count)
{
	char anchor[128] = "*";

	for (size_t i = 0; i < w->count; i++) {
		if (w->items[i]->msgid[0] == '\0' || strchr(w->items[i]->msgid, ' ') != NULL)
			continue;
		snprintf(anchor, sizeof anchor, "msgid=%s", w->items[i]->msgid);
		break;
	}
	if (w->old_end)
		return -ENODATA;
	return fill_ask(
		t, anchor[0] == '*' ? FILL_LATEST : FILL_BEFORE, w->name, anchor, "", count);
}

/* What came while history was on its way. */
static void held_show(struct talk *t, struct window *w)
{
	w->filling = w->gap = false;
	for (size_t i = 0; i < w->count; i++) {
		struct item *item = w->items[i];

		if (item->shown)
			continue;
		item->shown = true;
		fill_sure(w, item);
		if (t->view->item != NULL)
			t->view->item(t->view_arg, w, item);
	}
}

void fill_window(struct talk *t, struct window *w)
{
	char anchor[128] = "*";
	int r = -ENODATA;

	if (w->filling)
		return;
	if (w->gap && anchor_of(w, anchor)) {
		r = fill_ask(t, FILL_AFTER, w->name, anchor, "", 0);
	} else if (t->options.scrollback > 0 && !w->latest) {
		r = fill_ask(t, FILL_LATEST, w->name, "*", "", t->options.scrollback);
		w->latest = true;
	}
	w->filling = r == 0;
	if (r == 0)
		return;
	held_show(t, w);
	outgoing_settle(t, w->name, false);
}

/* -- the answer -------------------------------------------------------------------------------- */

static struct fill *asked(const struct talk *t, const char *label)
{
	struct fill *f = t->fills;

	return f != NULL && f->label[0] != '\0' && strcmp(f->label, label) == 0 ? f : NULL;
}

void fill_line(struct talk *t, const struct talk_in *in)
{
	struct fill *f = asked(t, in->label);

	if (f == NULL)
		return;
	f->lines++;
	if (in->msgid.len > 0 && in->msgid.len < 100)
		snprintf(f->last, sizeof f->last, "msgid=%.*s", (int)in->msgid.len,
			(const char *)in->msgid.p);
}

void fill_item(struct talk *t, const struct talk_in *in, struct item *i)
{
	struct fill *f = asked(t, in->label);

	if (i == NULL)
		return;
	if (f != NULL && f->count == f->size && f->size < LIMIT_MAX) {
		size_t size = f->size > 0 ? 2 * f->size : 64;
		struct item **page = realloc((void *)f->page, size * sizeof(struct item *));

		if (page != NULL) {
			f->page = page;
			f->size = size;
		}
	}
	if (f == NULL || f->count == f->size) {
		free(i);
		return;
	}
	f->page[f->count++] = i;
}

/* Shows a missed item unless the window has it; it is the window's afterwards. */
static void missed_show(struct talk *t, struct window *w, struct item *i)
{
	struct item *old = windows_item(w, span_str(i->msgid)), *shown = old != NULL ? old : i;

	if (!shown->shown) {
		shown->shown = true;
		fill_sure(w, shown);
		if (t->view->item != NULL)
			t->view->item(t->view_arg, w, shown);
	}
	(void)windows_add(w, i, NULL);
}

/* Older ones: the view gets what is new of them, then the window. */
static void page_give(struct talk *t, struct window *w, struct fill *f)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->count; i++) {
		struct item *item = f->page[i];
		struct item *old = w != NULL ? windows_item(w, span_str(item->msgid)) : NULL;

		/* What came live meanwhile and waits is shown as such, behind the page. */
		if (old != NULL) {
			free(item);
			continue;
		}
		item->shown = true;
		f->page[kept++] = item;
	}
	f->count = kept;
	if (t->view->page != NULL && f->target[0] != '\0')
		t->view->page(t->view_arg, f->target, f->kind, f->page, f->count,
			f->error[0] != '\0' ? f->error : NULL);
	/* From the newest on, so that where room is short the oldest stay out. */
	while (w != NULL && f->count > 0) {
		struct item *item = f->page[--f->count];

		if (f->kind == FILL_LATEST)
			fill_sure(w, item);
		(void)windows_add(w, item, NULL);
	}
}

/* The next page; false: this was the last. */
static bool page_next(struct talk *t, struct fill *f)
{
	bool more = f->lines > 0 && f->error[0] == '\0' && f->last[0] != '\0' &&
		strcmp(f->last, f->anchor) != 0;

	f->got += f->lines;
	if (!more || (f->wanted != 0 && f->got >= f->wanted))
		return false;
	memcpy(f->anchor, f->last, sizeof f->anchor);
	page_clear(f);
	if (ask(t, f) == 0)
		return true;
	snprintf(f->error, sizeof f->error, "the line is lost");
	return false;
}

/* The message to go on from is gone, perhaps: its time does as well. */
static bool anchor_by_time(struct talk *t, const struct window *w, struct fill *f)
{
	if (f->error[0] == '\0' || strncmp(f->anchor, "msgid=", 6) != 0 || w->sure_us == 0)
		return false;
	f->error[0] = '\0';
	page_clear(f);
	snprintf(f->anchor, sizeof f->anchor, "timestamp=");
	irc_time_write(w->sure_us, f->anchor + strlen(f->anchor));
	return ask(t, f) == 0;
}

/* True: there is more to come. */
static bool after_page(struct talk *t, struct window *w, struct fill *f)
{
	for (size_t i = 0; i < f->count; i++)
		missed_show(t, w, f->page[i]);
	f->count = 0;
	if (anchor_by_time(t, w, f) || page_next(t, f))
		return true;
	held_show(t, w);
	if (t->view->page != NULL)
		t->view->page(t->view_arg, f->target, f->kind, NULL, 0,
			f->error[0] != '\0' ? f->error : NULL);
	outgoing_settle(t, w->name, f->error[0] == '\0');
	return false;
}

void fill_answered(struct talk *t, const char *label)
{
	struct fill *f = asked(t, label);
	struct window *w;

	if (f == NULL)
		return;
	w = f->target[0] != '\0' ? windows_find(&t->model, span_str(f->target)) : NULL;
	if (f->kind == FILL_AFTER && w != NULL) {
		if (after_page(t, w, f))
			return;
	} else if (f->kind != FILL_TARGETS) {
		if (w != NULL && f->lines == 0 && f->error[0] == '\0')
			w->old_end = true;
		page_give(t, w, f);
		if (w != NULL && f->kind == FILL_LATEST) {
			held_show(t, w);
			outgoing_settle(t, w->name, false);
		}
	}
	t->people_told = t->people_told || f->kind == FILL_TARGETS;
	talk_changed(t);
	/* What the view did meanwhile may have dropped it. */
	if (asked(t, label) != NULL)
		first_drop(t);
	fill_next(t);
	outgoing_flush(t);
}

void fill_refused(struct talk *t, const char *label, struct span why)
{
	struct fill *f = asked(t, label);
	_cleanup_(buf_done) struct buf text = BUF_INIT(sizeof f->error - 1);

	if (f == NULL)
		return;
	safe_text(&text, why);
	snprintf(f->error, sizeof f->error, "%s",
		text.len > 0 ? buf_str(&text) : "no reason was given");
}

void fill_next(struct talk *t)
{
	struct fill *f = t->fills;

	if (t->state != TALK_READY || f == NULL || f->label[0] != '\0')
		return;
	if (ask(t, f) == 0)
		return;
	snprintf(f->error, sizeof f->error, "it cannot be asked for");
	fill_answered(t, f->label);
}

/* -- people ------------------------------------------------------------------------------------ */

static void person_open(struct talk *t, struct span name, int64_t read_us)
{
	struct window *w = talk_window(t, name);

	if (w != NULL)
		windows_read(w, read_us);
}

void fill_target(struct talk *t, struct span name, struct span at)
{
	struct talk_person *p = &t->people[t->people_count];
	int64_t at_us;

	if (talk_is_channel(name) || irc_time_parse(at, &at_us) < 0 ||
		windows_find(&t->model, name) != NULL)
		return;
	if (!talk_has(t, TALK_MARKER)) {
		person_open(t, name, 0);
		return;
	}
	if (t->people_count == sizeof t->people / sizeof t->people[0] ||
		span_copy_str(name, p->name, sizeof p->name) < 0)
		return;
	p->newest_us = at_us;
	if (talk_send(t, "MARKREAD %s", p->name) == 0)
		t->people_count++;
}

void fill_marked(struct talk *t, struct span name, int64_t at_us)
{
	for (size_t i = 0; i < t->people_count; i++) {
		struct talk_person p = t->people[i];

		if (!irc_eq(name, span_str(p.name)))
			continue;
		/* Only those who wait to be read. */
		if (p.newest_us > at_us)
			person_open(t, name, at_us);
		t->people[i] = t->people[--t->people_count];
		return;
	}
}
