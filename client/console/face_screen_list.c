/* The list of places on the left: numbers, names, how much is unread, which one is looked at. */
#include "client/console/face_screen.h"

enum { ENTRY_MAX = 1024, UNREAD_MOST = 999 };

static const char *heading_of(enum place_kind kind)
{
	static const char *const names[] = {[PLACE_HOUSE] = NULL,
		[PLACE_CHANNEL] = "Channels",
		[PLACE_PERSON] = "People",
		[PLACE_CALL] = "Calls",
		[PLACE_MAILBOX] = "Mail",
		[PLACE_LETTER] = "Letters",
		[PLACE_FILES] = "Files"};

	return names[kind];
}

static bool begins_group(const struct console *c, size_t i)
{
	enum place_kind kind = c->places[i]->kind;

	return heading_of(kind) != NULL && (i == 0 || c->places[i - 1]->kind != kind);
}

size_t face_list_rows(const struct console *c, bool headings)
{
	size_t rows = c->place_count;

	for (size_t i = 0; headings && i < c->place_count; i++)
		rows += begins_group(c, i);
	return rows;
}

void face_unread(const struct place *p, struct buf *b)
{
	if (p->unread > UNREAD_MOST)
		buf_addf(b, "%d+", UNREAD_MOST);
	else if (p->unread > 0)
		buf_addf(b, "%u", p->unread);
	if (p->called)
		buf_add_byte(b, '!');
}

/* ">12 #lobby      3!" */
static void put_entry(const struct console *c, struct face *f, size_t row, const struct place *p)
{
	_cleanup_(buf_done) struct buf left = BUF_INIT(ENTRY_MAX), mark = BUF_INIT(ENTRY_MAX);
	size_t columns = f->layout.list_columns, used;
	enum face_look look = p == c->current ? FACE_BAR
		: p->called                   ? FACE_LOUD
		: p->unread > 0               ? FACE_HEAD
		: p->gone                     ? FACE_QUIET
					      : FACE_PLAIN;

	face_unread(p, &mark);
	used = mark.len > 0 ? mark.len + 1 : 0;
	buf_addf(&left, "%c%u %s%s%s", p == c->current ? '>' : ' ', p->number, p->gone ? "(" : "",
		p->name, p->gone ? ")" : "");
	if (face_width(buf_span(&left)) > columns - used) {
		struct span head = face_head(buf_span(&left), columns - used - 1);

		left.len = head.len;
		buf_add_byte(&left, '~');
	}
	face_term_put(&f->term, look, row, 0, columns - used, buf_span(&left));
	if (used > 0)
		face_term_put(&f->term, look, row, columns - used, 1, span_of(NULL, 0));
	face_term_put(&f->term, look, row, columns - mark.len, mark.len, buf_span(&mark));
}

static void put_line(struct face *f, size_t row, enum face_look look, const char *text)
{
	face_term_put(&f->term, look, row, 0, f->layout.list_columns, span_str(text));
}

/* What stands in the list's row so and so. */
static void put_list_row(
	const struct console *c, struct face *f, size_t row, size_t wanted, bool headings)
{
	size_t at = 0;

	for (size_t i = 0; i < c->place_count; i++) {
		if (headings && begins_group(c, i) && at++ == wanted) {
			put_line(f, row, FACE_QUIET, heading_of(c->places[i]->kind));
			return;
		}
		if (at++ == wanted) {
			put_entry(c, f, row, c->places[i]);
			return;
		}
	}
	put_line(f, row, FACE_PLAIN, "");
}

static size_t current_row(const struct console *c, bool headings)
{
	size_t at = 0;

	for (size_t i = 0; i < c->place_count; i++) {
		at += headings && begins_group(c, i);
		if (c->places[i] == c->current)
			return at;
		at++;
	}
	return 0;
}

/* The current one is always among what is shown, and no room is left empty. */
static void list_scroll(const struct console *c, struct face *f, bool headings)
{
	size_t all = face_list_rows(c, headings), page = f->layout.body_rows;
	size_t at = current_row(c, headings);

	/* A row at each end may be for what is hidden. */
	if (at < f->list_top + 1)
		f->list_top = at > 0 ? at - 1 : 0;
	if (at + 2 > f->list_top + page)
		f->list_top = at + 2 - page;
	if (f->list_top + page > all)
		f->list_top = all > page ? all - page : 0;
}

static void put_hidden(struct face *f, size_t row, size_t count, const char *where)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(ENTRY_MAX);

	buf_addf(&b, "  .. %zu %s", count, where);
	put_line(f, row, FACE_QUIET, buf_str(&b));
}

void face_list_draw(struct console *c, struct face *f)
{
	const struct face_layout *l = &f->layout;
	bool headings = face_list_rows(c, true) <= l->body_rows;
	size_t all = face_list_rows(c, headings);

	list_scroll(c, f, headings);
	for (size_t i = 0; i < l->body_rows; i++) {
		size_t row = l->body_row + i;

		if (i == 0 && f->list_top > 0)
			put_hidden(f, row, f->list_top + 1, "above");
		else if (i + 1 == l->body_rows && f->list_top + l->body_rows < all)
			put_hidden(f, row, all - f->list_top - l->body_rows + 1, "below");
		else
			put_list_row(c, f, row, f->list_top + i, headings);
		face_term_put(&f->term, FACE_PLAIN, row, l->list_columns, 1,
			span_str(f->term.utf8 ? "\xe2\x94\x82" : "|"));
	}
}
