/*
 * What is looked at of a place: its end, or from some line on. That line is counted from the end,
 * where it is known how many came since; at the beginning they come and go unseen.
 */
#include "client/console/face_screen.h"

/* Read from its beginning, not from its end. */
static bool is_text(const struct place *p)
{
	return p->kind == PLACE_LETTER || p->kind == PLACE_FILES;
}

void face_view_begin(struct face_view *v, const struct place *p)
{
	*v = (struct face_view){.place = p,
		.number = p->number,
		.follow = !is_text(p),
		.from_end = p->count,
		.added = p->added,
		.seen = p->revision - 1};
}

void face_view_added(struct face_view *v, const struct place *p)
{
	uint64_t used = v->used;

	if (p->count > 1)
		return;
	face_view_begin(v, p);
	v->used = used;
}

/* The line on top, at least when it is there still. */
static size_t top_line(const struct face_view *v, const struct place *p)
{
	uint64_t from_end = v->from_end + (p->added - v->added);

	return p->count > from_end ? p->count - (size_t)from_end : 0;
}

/* Up by rows; what is left of them at the beginning. */
static size_t climb(const struct place *p, size_t columns, size_t rows, struct face_at *at)
{
	while (rows > at->row) {
		rows -= at->row;
		at->row = 0;
		if (at->index == 0)
			return rows;
		at->index--;
		at->row = face_rows_of(p, at->index, columns);
	}
	at->row -= rows;
	return 0;
}

static bool is_before(struct face_at a, struct face_at b)
{
	return a.index < b.index || (a.index == b.index && a.row < b.row);
}

/* Where a page begins that ends with the last row. */
static struct face_at last_page(const struct place *p, size_t columns, size_t page)
{
	struct face_at at = {p->count, 0};

	(void)climb(p, columns, page, &at);
	return at;
}

/* A mailbox shows its selected line, and follows it. */
static struct face_at list_top(const struct place *p, size_t page)
{
	size_t at = p->count > 0 ? face_selected(p) : 0, half = page / 2;
	size_t top = at > half ? at - half : 0;

	if (top + page > p->count)
		top = p->count > page ? p->count - page : 0;
	return (struct face_at){top, 0};
}

struct face_at face_view_top(
	const struct face_view *v, const struct place *p, size_t columns, size_t page)
{
	struct face_at at = {top_line(v, p), v->row};

	if (p->kind == PLACE_MAILBOX)
		return list_top(p, page);
	if (p->count == 0)
		return (struct face_at){0, 0};
	if (v->follow || at.index >= p->count)
		return last_page(p, columns, page);
	/* It may wrap to fewer rows than it did. */
	if (at.row > 0 && at.row >= face_rows_of(p, at.index, columns))
		at.row = 0;
	return at;
}

bool face_view_more(const struct face_view *v, const struct place *p, size_t columns, size_t page)
{
	return p->kind != PLACE_MAILBOX && !v->follow && p->count > 0 &&
		is_before(face_view_top(v, p, columns, page), last_page(p, columns, page));
}

static void descend(const struct place *p, size_t columns, size_t rows, struct face_at *at)
{
	while (at->index < p->count) {
		size_t here = face_rows_of(p, at->index, columns);

		if (at->row + rows < here) {
			at->row += rows;
			return;
		}
		rows -= here - at->row;
		at->row = 0;
		at->index++;
	}
}

bool face_view_move(
	struct face_view *v, const struct place *p, size_t columns, size_t page, long rows)
{
	struct face_at at = face_view_top(v, p, columns, page), last, before = at;

	if (p->count == 0)
		return false;
	if (rows < 0)
		(void)climb(p, columns, (size_t)-rows, &at);
	else
		descend(p, columns, (size_t)rows, &at);
	last = last_page(p, columns, page);
	v->follow = !is_before(at, last);
	if (v->follow)
		at = last;
	v->from_end = p->count - at.index;
	v->added = p->added;
	v->row = at.row;
	return is_before(at, before) || is_before(before, at);
}

size_t face_selected(const struct place *p)
{
	size_t at = p->count > 0 ? p->count - 1 : 0;

	/* Where it was taken out, the next one. */
	for (size_t i = 0; p->selected != 0 && i < p->count; i++)
		if (p->lines[i].id >= p->selected)
			return i;
	return at;
}

void face_select(struct place *p, long lines)
{
	size_t at = face_selected(p);

	if (p->count == 0)
		return;
	if (lines < 0)
		at = at > (size_t)-lines ? at - (size_t)-lines : 0;
	else
		at = p->count - 1 - at > (size_t)lines ? at + (size_t)lines : p->count - 1;
	/* 0 stays with the last, whichever comes. */
	p->selected = at == p->count - 1 ? 0 : p->lines[at].id;
}
