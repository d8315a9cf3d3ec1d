/*
 * A place's lines as rows: when, who, what. What is said wraps and hangs behind who said it; a new
 * day has a row of its own. In a mailbox every message has one row, and the selected one a mark.
 */
#include "client/console/face_screen.h"

#include "base/timefmt.h"

enum { HEAD_MAX = 1024, HANG = 2, LIST_WHO = 20, DAYS_BACK = 64 };

static enum face_look look_of(const struct place_line *l)
{
	static const enum face_look looks[] = {[LINE_PLAIN] = FACE_PLAIN,
		[LINE_OWN] = FACE_OWN,
		[LINE_QUIET] = FACE_QUIET,
		[LINE_LOUD] = FACE_LOUD,
		[LINE_ERROR] = FACE_ERROR,
		[LINE_HEAD] = FACE_HEAD};

	return looks[l->look];
}

static bool same_day(int64_t a_us, int64_t b_us)
{
	struct time_parts a, b;

	if (time_local(a_us, &a) < 0 || time_local(b_us, &b) < 0)
		return true;
	return a.day == b.day && a.month == b.month && a.year == b.year;
}

/* Is it the first of its day? */
static bool begins_day(const struct place *p, size_t index)
{
	int64_t at_us = p->lines[index].at_us;

	if (at_us == 0 || p->kind == PLACE_MAILBOX)
		return false;
	for (size_t i = index; i > 0 && index - i < DAYS_BACK; i--)
		if (p->lines[i - 1].at_us != 0)
			return !same_day(p->lines[i - 1].at_us, at_us);
	return true;
}

static void add_day(int64_t at_us, struct buf *b)
{
	struct time_parts t;

	if (time_local(at_us, &t) == 0)
		buf_addf(b, "--- %s, %04d-%02d-%02d ---", time_weekday(&t), t.year, t.month, t.day);
}

static void add_clock(struct buf *b, int64_t at_us, bool list)
{
	static const char months[][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct time_parts t;

	if (at_us == 0 || time_local(at_us, &t) < 0)
		return;
	if (list)
		buf_addf(b, "%s %2d ", months[t.month - 1], t.day);
	buf_addf(b, "%02d:%02d", t.hour, t.minute);
}

/* "12:04  <ann> ", "12:04! <bob> ", "12:04  * " */
static void add_said(const struct place_line *l, size_t columns, struct buf *b)
{
	struct span who = span_str(l->who);
	bool star = span_eq_str(who, "*") || l->look == LINE_QUIET;

	add_clock(b, l->at_us, false);
	if (l->look == LINE_LOUD)
		buf_add_str(b, "! ");
	else if (l->at_us != 0)
		buf_add_str(b, "  ");
	if (who.len == 0)
		return;
	who = face_head(who, columns / 2 > 8 ? columns / 2 - 8 : 1);
	buf_add_str(b, star ? "" : "<");
	buf_add(b, who);
	buf_add_str(b, star ? " " : "> ");
}

/* "> Nov 21 12:04 ann@host             " */
static void add_listed(const struct place *p, size_t index, size_t columns, struct buf *b)
{
	const struct place_line *l = &p->lines[index];
	size_t room = columns >= 60 ? LIST_WHO : columns / 3;
	struct span who = face_head(span_str(l->who), room);

	buf_add_str(b, index == face_selected(p) ? "> " : "  ");
	add_clock(b, l->at_us, true);
	if (l->at_us != 0)
		buf_add_byte(b, ' ');
	if (who.len == 0)
		return;
	buf_add(b, who);
	for (size_t used = face_width(who); used <= room; used++)
		buf_add_byte(b, ' ');
}

void face_walk_begin(const struct place *p, size_t index, size_t columns, struct face_walk *ret)
{
	const struct place_line *l = &p->lines[index];
	size_t width;

	*ret = (struct face_walk){.place = p,
		.index = index,
		.columns = columns > 0 ? columns : 1,
		.head = BUF_INIT(HEAD_MAX),
		.day_text = BUF_INIT(HEAD_MAX),
		.rest = span_str(l->text),
		.day = begins_day(p, index),
		.first = true};
	if (ret->day)
		add_day(l->at_us, &ret->day_text);
	if (p->kind == PLACE_MAILBOX)
		add_listed(p, index, columns, &ret->head);
	else
		add_said(l, columns, &ret->head);
	width = face_width(buf_span(&ret->head));
	ret->indent = width <= columns / 3 ? width : columns > 12 ? HANG : 0;
}

static bool first_row(struct face_walk *w, struct face_row *ret)
{
	struct span head = face_head(buf_span(&w->head), w->columns);
	size_t left = w->columns - face_width(head);

	w->first = false;
	*ret = (struct face_row){.look = look_of(&w->place->lines[w->index]), .head = head};
	if (w->place->kind == PLACE_MAILBOX) {
		ret->text = face_head(w->rest, left);
		w->rest.len = 0;
		if (w->index == face_selected(w->place))
			ret->look = FACE_BAR;
		return true;
	}
	/* No room beside the head: the text begins below it. */
	if (w->rest.len > 0 && left > 0)
		ret->text = face_wrap(&w->rest, left);
	return true;
}

bool face_walk_next(struct face_walk *w, struct face_row *ret)
{
	if (w->day) {
		w->day = false;
		*ret = (struct face_row){
			.look = FACE_QUIET, .text = face_head(buf_span(&w->day_text), w->columns)};
		return true;
	}
	if (w->first)
		return first_row(w, ret);
	if (w->rest.len == 0)
		return false;
	*ret = (struct face_row){.look = look_of(&w->place->lines[w->index]), .indent = w->indent};
	ret->text = face_wrap(&w->rest, w->columns - w->indent);
	return true;
}

void face_walk_done(struct face_walk *w)
{
	buf_done(&w->head);
	buf_done(&w->day_text);
}

size_t face_rows_of(const struct place *p, size_t index, size_t columns)
{
	struct face_walk w;
	struct face_row row;
	size_t count = 0;

	face_walk_begin(p, index, columns, &w);
	while (face_walk_next(&w, &row))
		count++;
	face_walk_done(&w);
	return count;
}
