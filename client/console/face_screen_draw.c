/* The whole screen, drawn anew each time; what is the same is not sent. */
#include "client/console/face_screen.h"

#include "base/timefmt.h"

enum {
	ROW_MAX = 4096,
	QUESTION_ROWS = 3,
	SAID_ROWS = 5,
	USUAL_ROWS = 24,
	BAR_MOST = 20,
	BAR_LEAST = 8,
	SMALL_FROM_ROWS = 6
};

/* -- the middle ---------------------------------------------------------------------------------
 */

static void put_row(struct face *f, size_t row, const struct face_row *r)
{
	const struct face_layout *l = &f->layout;
	size_t column = l->body_column, left = l->body_columns, used = r->indent;
	enum face_look head = r->look == FACE_BAR ? FACE_BAR : FACE_PLAIN;

	if (r->head.len > 0) {
		used = face_width(r->head);
		face_term_put(&f->term, head, row, column, used, r->head);
	} else if (used > 0) {
		face_term_put(&f->term, FACE_PLAIN, row, column, used, span_of(NULL, 0));
	}
	if (used < left)
		face_term_put(&f->term, r->look, row, column + used, left - used, r->text);
}

/* The rows from at on that fit between row and end; the first that is free. */
static size_t put_line(struct face *f, const struct place *p, struct face_at at, size_t row)
{
	size_t end = f->layout.body_row + f->layout.body_rows;
	struct face_walk w;
	struct face_row r;

	face_walk_begin(p, at.index, f->layout.body_columns, &w);
	while (row < end && face_walk_next(&w, &r)) {
		if (at.row > 0)
			at.row--;
		else
			put_row(f, row++, &r);
	}
	face_walk_done(&w);
	return row;
}

static void put_blank(struct face *f, size_t row)
{
	face_term_put(&f->term, FACE_PLAIN, row, f->layout.body_column, f->layout.body_columns,
		span_of(NULL, 0));
}

static void more_mark(struct face *f, const struct place *p)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(ROW_MAX);
	const struct face_layout *l = &f->layout;

	if (l->body_rows < 3)
		return;
	buf_addf(&b, "-- more below, of %zu lines (PageDown, End) --", p->count);
	face_term_put(&f->term, FACE_BAR, l->body_row + l->body_rows - 1, l->body_column,
		l->body_columns, buf_span(&b));
}

static void put_body(struct console *c, struct face *f)
{
	const struct face_layout *l = &f->layout;
	const struct place *p = c->current;
	struct face_view *v = face_view_of(f, p);
	struct face_at at = face_view_top(v, p, l->body_columns, l->body_rows);
	size_t row = l->body_row, end = l->body_row + l->body_rows;

	for (; row < end && at.index < p->count; at = (struct face_at){at.index + 1, 0})
		row = put_line(f, p, at, row);
	for (; row < end; row++)
		put_blank(f, row);
	if (face_view_more(v, p, l->body_columns, l->body_rows))
		more_mark(f, p);
	if (v->follow && l->body_rows > 0 && v->seen != p->revision) {
		v->seen = p->revision;
		if (p->kind == PLACE_CHANNEL || p->kind == PLACE_PERSON || p->kind == PLACE_CALL)
			chat_seen(c, c->current);
	}
}

/* -- around it ----------------------------------------------------------------------------------
 */

/* Two texts in a row: what is left goes first. */
static void put_ends(struct face *f, enum face_look look, size_t row, const struct buf *left,
	const struct buf *right)
{
	size_t columns = f->layout.columns, used = face_width(buf_span(right));
	bool both = right->len > 0 && used + 12 <= columns;

	face_term_put(&f->term, look, row, 0, both ? columns - used - 1 : columns, buf_span(left));
	if (!both)
		return;
	face_term_put(&f->term, look, row, columns - used - 1, 1, span_of(NULL, 0));
	face_term_put(&f->term, look, row, columns - used, used, buf_span(right));
}

/* What the list would say. */
static void add_elsewhere(const struct console *c, struct buf *b)
{
	size_t count = 0;
	bool called = false;

	for (size_t i = 0; i < c->place_count; i++) {
		const struct place *p = c->places[i];

		count += p != c->current && p->unread > 0;
		called = called || (p != c->current && p->called);
	}
	if (count > 0)
		buf_addf(b, "unread in %zu%s  ", count, called ? "!" : "");
}

static void put_title(const struct console *c, struct face *f)
{
	_cleanup_(buf_done) struct buf left = BUF_INIT(ROW_MAX), right = BUF_INIT(ROW_MAX);
	const struct place *p = c->current;

	if (f->layout.title_rows == 0)
		return;
	buf_addf(&left, " %u %s%s", p->number, p->name, p->gone ? " (left)" : "");
	if (*p->title != '\0')
		buf_addf(&left, " - %s", p->title);
	if (f->layout.list_columns == 0)
		add_elsewhere(c, &right);
	buf_add_str(&right, f->help ? "q back " : "F1 help ");
	put_ends(f, FACE_BAR, 0, &left, &right);
}

static void put_status(const struct console *c, struct face *f)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(ROW_MAX);
	const struct face_layout *l = &f->layout;

	if (l->status_rows == 0)
		return;
	buf_add_byte(&b, ' ');
	console_status(c, &b, l->columns - 1);
	face_term_put(&f->term, FACE_BAR, l->rows - 2, 0, l->columns, buf_span(&b));
}

static bool is_under_way(const struct transfer *t)
{
	return t->state == TRANSFER_RUNS || t->state == TRANSFER_WAITS;
}

static size_t under_way(const struct console *c)
{
	size_t count = 0;

	for (size_t i = 0; i < c->transfer_count; i++)
		count += is_under_way(&c->transfers[i]);
	return count;
}

/* "[#####-----] " where there is room for it and a size to measure by. */
static void add_bar(const struct transfer *t, size_t columns, struct buf *b)
{
	size_t width = columns / 5, full;

	width = width > BAR_MOST ? BAR_MOST : width;
	if (width < BAR_LEAST)
		return;
	full = t->size == 0        ? 0
		: t->at >= t->size ? width
				   : (size_t)((double)t->at / (double)t->size * (double)width);
	buf_add_byte(b, '[');
	for (size_t i = 0; i < width; i++)
		buf_add_byte(b, t->size == 0 ? ' ' : i < full ? '#' : '-');
	buf_add_str(b, "] ");
}

static void put_transfer(struct face *f, size_t row, const struct transfer *t)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(ROW_MAX);
	size_t columns = f->layout.columns;

	add_bar(t, columns, &b);
	console_transfer_line(t, &b, columns - b.len);
	face_term_put(&f->term, FACE_PLAIN, row, 0, columns, buf_span(&b));
}

/* Those that run come first; what has no room is counted. */
static void put_transfers(const struct console *c, struct face *f)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(ROW_MAX);
	const struct face_layout *l = &f->layout;
	size_t row = l->transfer_row + l->transfer_head, end = l->transfer_row + l->transfer_rows;

	for (int waits = 0; waits < 2; waits++)
		for (size_t i = 0; i < c->transfer_count && row < end; i++)
			if (c->transfers[i].state == (waits ? TRANSFER_WAITS : TRANSFER_RUNS))
				put_transfer(f, row++, &c->transfers[i]);
	if (l->transfer_head == 0)
		return;
	buf_addf(&b, "-- transfers: %zu under way; /cancel NUMBER ends one --", under_way(c));
	face_term_put(&f->term, FACE_HEAD, l->transfer_row, 0, l->columns, buf_span(&b));
}

/* -- what is to be noticed ----------------------------------------------------------------------
 */

struct notices {
	struct buf text; /* rows, LF between them */
	size_t loud; /* the first of them are a question's */
	size_t rows;
};

static void add_rows(struct notices *n, struct span text, size_t columns, size_t most)
{
	struct span line;

	while (most > 0 && span_split(&text, '\n', &line)) {
		do {
			struct span row = line.len > 0 ? face_wrap(&line, columns) : line;

			buf_add(&n->text, row);
			buf_add_byte(&n->text, '\n');
			n->rows++;
		} while (--most > 0 && line.len > 0);
	}
}

static void add_question(struct notices *n, const char *question, size_t columns)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(ROW_MAX);

	/* The keys first: a long question is cut at its end. */
	buf_addf(&b, "? (y/n) %s", question);
	add_rows(n, buf_span(&b), columns, QUESTION_ROWS);
	n->loud = n->rows;
}

static void question_note(struct face *f, const char *question)
{
	if (strcmp(f->question, question) == 0)
		return;
	(void)snprintf(f->question, sizeof f->question, "%s", question);
	f->question_ms = time_monotonic_ms();
}

/* All of the selected message's line, where there was no room for it. */
static void add_selected(struct notices *n, const struct place *p, const struct face *f)
{
	struct span text;

	if (p->count == 0 || f->term.rows < SMALL_FROM_ROWS)
		return;
	text = span_str(p->lines[face_selected(p)].text);
	if (face_width(text) + 2 > f->layout.body_columns)
		add_rows(n, span_trim(text), f->term.columns, 2);
}

/* Is what the client says not among the lines that are seen? */
static bool hides_said(const struct console *c, struct face *f)
{
	const struct place *p = c->current;

	return p->kind == PLACE_MAILBOX || p->kind == PLACE_LETTER || p->kind == PLACE_FILES ||
		face_view_more(face_view_of(f, p), p, f->layout.body_columns, f->layout.body_rows);
}

static size_t rows_of(struct span text, size_t columns)
{
	struct notices n = {.text = BUF_INIT(4 * (size_t)ROW_MAX)};

	add_rows(&n, text, columns, SIZE_MAX);
	buf_done(&n.text);
	return n.rows;
}

/* The last of the lines that were said, as many as fit. */
static struct span said_last(const struct console *c, size_t columns, size_t rows)
{
	struct span all = span_str(c->said), line;

	while (rows_of(all, columns) > rows && memchr(all.p, '\n', all.len) != NULL)
		(void)span_split(&all, '\n', &line);
	return all;
}

static void notices_make(const struct console *c, struct face *f, struct notices *ret)
{
	size_t columns = f->term.columns, said = f->term.rows >= USUAL_ROWS ? SAID_ROWS : 2;

	question_note(f, c->question);
	if (f->paste_asks)
		add_question(ret, f->paste_question, columns);
	if (*c->question != '\0')
		add_question(ret, c->question, columns);
	if (hides_said(c, f) && *c->said != '\0' && time_monotonic_ms() < c->said_ms + FACE_SAID_MS)
		add_rows(ret, said_last(c, columns, said), columns, said);
	if (c->current->kind == PLACE_MAILBOX && !f->help)
		add_selected(ret, c->current, f);
	add_rows(ret, buf_span(&f->notice), columns, QUESTION_ROWS);
	if (f->tells_small && f->term.rows >= SMALL_FROM_ROWS)
		add_rows(ret,
			SPAN_LIT("This window is small, the list of places is hidden: Ctrl-N, "
				 "Ctrl-P and Alt-A switch."),
			columns, QUESTION_ROWS);
}

static void put_notices(struct face *f, const struct notices *n)
{
	const struct face_layout *l = &f->layout;
	struct span rest = buf_span(&n->text), row;

	for (size_t i = 0; i < l->notice_rows; i++) {
		row = span_of(NULL, 0);
		(void)span_split(&rest, '\n', &row);
		face_term_put(&f->term, i < n->loud ? FACE_ALARM : FACE_HEAD, l->notice_row + i, 0,
			l->columns, row);
	}
}

/* -- the input ----------------------------------------------------------------------------------
 */

/* Draws it; the column of the cursor. */
static size_t put_input(const struct console *c, struct face *f)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT((size_t)ROW_MAX + LINE_MAX_BYTES);
	const struct line *l = &f->line;
	size_t columns = f->layout.columns, room, at;
	struct span before = span_of(l->text.p, l->cursor);

	buf_add_str(&b, "[");
	buf_add(&b, face_head(span_str(c->current->name), columns / 4));
	buf_add_str(&b, "] ");
	if (columns < 20)
		buf_reset(&b);
	/* On a single row the question takes what is there. */
	if (f->layout.rows == 1 && *c->question != '\0' && l->text.len == 0)
		buf_addf(&b, "? (y/n) %s", c->question);
	room = columns - face_width(face_head(buf_span(&b), columns));
	/* A column is for the cursor behind the end. */
	before = face_tail(before, room > 1 ? room - 1 : 0);
	at = columns - room + face_width(before);
	buf_add(&b, before);
	buf_add(&b, span_of(l->text.p + l->cursor, l->text.len - l->cursor));
	face_term_put(&f->term, FACE_PLAIN, f->layout.rows - 1, 0, columns, buf_span(&b));
	return at < columns ? at : columns - 1;
}

/* -- the whole ----------------------------------------------------------------------------------
 */

/* Once, until the next key, for each time that the list has to go. */
static void tell_small(struct face *f)
{
	bool small = f->layout.list_columns == 0;

	if (small && !f->told_small)
		f->tells_small = true;
	if (!small)
		f->tells_small = false;
	f->told_small = small;
}

void face_draw(struct console *c)
{
	struct face *f = face_of(c);
	struct notices n = {.text = BUF_INIT(4 * (size_t)ROW_MAX)};
	struct face_layout *l = &f->layout;
	size_t transfers = under_way(c);

	if (!f->term.on)
		return;
	face_layout_make(f->term.rows, f->term.columns, 0, 0, l);
	tell_small(f);
	notices_make(c, f, &n);
	face_layout_make(f->term.rows, f->term.columns, transfers, n.rows, l);
	put_title(c, f);
	if (f->help)
		face_help_draw(f);
	else
		put_body(c, f);
	if (l->list_columns > 0)
		face_list_draw(c, f);
	if (l->transfer_rows > 0)
		put_transfers(c, f);
	put_notices(f, &n);
	put_status(c, f);
	face_term_show(&f->term, l->rows - 1, put_input(c, f));
	buf_done(&n.text);
}
