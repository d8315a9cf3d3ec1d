/* Tables: aligned columns for people, JSON for programs. Nothing in a cell can forge a line. */
#include "ctl.h"

#include "base/text.h"
#include "base/timefmt.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>

#define CELL_MAX 1024

void ctl_cell(struct ctl_table *t, const char *format, ...)
{
	char text[CELL_MAX];
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	ctl_cell_span(t, len < 0 ? SPAN_LIT("?") : span_str(text));
}

/* A cell is NUL-ended in the buffer, so a NUL inside would end it early: it is shown escaped. */
void ctl_cell_span(struct ctl_table *t, struct span s)
{
	if (s.len > 0 && memchr(s.p, '\0', s.len) != NULL)
		text_escape(&t->cells, s);
	else
		buf_add(&t->cells, s);
	buf_add_byte(&t->cells, '\0');
	t->filled++;
}

void ctl_cell_bool(struct ctl_table *t, bool v)
{
	ctl_cell_span(t, v ? SPAN_LIT("true") : SPAN_LIT("false"));
}

void ctl_cell_time(struct ctl_table *t, int64_t at_us)
{
	if (at_us == 0)
		buf_add_str(&t->cells, "-");
	else
		time_rfc3339_utc(&t->cells, at_us);
	buf_add_byte(&t->cells, '\0');
	t->filled++;
}

void ctl_cell_hex(struct ctl_table *t, const unsigned char *p, size_t len)
{
	text_hex(&t->cells, span_of(p, len));
	buf_add_byte(&t->cells, '\0');
	t->filled++;
}

void ctl_table_done(struct ctl_table *t)
{
	buf_done(&t->cells);
	t->filled = 0;
}

/* The width a person sees: bytes that do not go on a UTF-8 sequence. */
static size_t width_of(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void add_heading(struct buf *out, const char *key)
{
	for (; *key != '\0'; key++)
		buf_add_byte(out, *key == '_' ? ' ' : (unsigned char)toupper((unsigned char)*key));
}

static void add_padding(struct buf *out, size_t have, size_t want)
{
	for (; have < want; have++)
		buf_add_byte(out, ' ');
}

static void people_cell(struct buf *out, const char *text)
{
	if (*text == '\0')
		buf_add_byte(out, '-');
	else if (text_is_clean(span_str(text)))
		buf_add_str(out, text);
	else
		text_escape(out, span_str(text));
}

static void json_cell(struct buf *out, const struct ctl_column *col, const char *text)
{
	text_json(out, span_str(col->key));
	buf_add_byte(out, ':');
	if (col->kind == CTL_TEXT) {
		if (strcmp(text, "-") == 0)
			buf_add_str(out, "null");
		else
			text_json(out, span_str(text));
	} else {
		buf_add_str(out, *text != '\0' ? text : "null");
	}
}

static void json_object(struct buf *out, const struct ctl_table *t, const char **cell)
{
	size_t i;

	buf_add_byte(out, '{');
	for (i = 0; i < t->count; i++) {
		if (i > 0)
			buf_add_byte(out, ',');
		json_cell(out, &t->columns[i], *cell);
		*cell += strlen(*cell) + 1;
	}
	buf_add_byte(out, '}');
}

static void json_rows(struct buf *out, const struct ctl_table *t)
{
	const char *cell = buf_str(&t->cells);
	size_t done;

	buf_add_byte(out, '[');
	for (done = 0; done < t->filled; done += t->count) {
		buf_add_str(out, done > 0 ? ",\n " : "");
		json_object(out, t, &cell);
	}
	buf_add_str(out, "]\n");
}

#define COLUMNS_MAX 16

/* Cells made fit for people, so that widths are those of what is shown. */
static void show_cells(const struct ctl_table *t, struct buf *shown)
{
	const char *cell = buf_str(&t->cells);
	size_t i;

	for (i = 0; i < t->filled; i++) {
		people_cell(shown, cell);
		buf_add_byte(shown, '\0');
		cell += strlen(cell) + 1;
	}
}

static void measure(const struct ctl_table *t, const struct buf *shown, size_t width[COLUMNS_MAX])
{
	const char *cell = buf_str(shown);
	size_t i, col = 0;

	for (i = 0; i < t->count; i++)
		width[i] = strlen(t->columns[i].key);
	for (i = 0; i < t->filled; i++) {
		if (width_of(cell) > width[col])
			width[col] = width_of(cell);
		col = col + 1 < t->count ? col + 1 : 0;
		cell += strlen(cell) + 1;
	}
}

/* Numbers stand right, the last column ends where it ends. */
static void place(struct buf *out, const char *text, size_t width, bool right, bool last)
{
	if (right)
		add_padding(out, width_of(text), width);
	buf_add_str(out, text);
	if (!right && !last)
		add_padding(out, width_of(text), width);
	buf_add_str(out, last ? "\n" : "  ");
}

static void people_rows(struct buf *out, const struct ctl_table *t)
{
	_cleanup_(buf_done) struct buf shown = BUF_INIT(128u << 20);
	size_t width[COLUMNS_MAX] = {0};
	const char *cell;
	size_t i, col = 0;

	if (t->count > COLUMNS_MAX)
		abort();
	show_cells(t, &shown);
	if (buf_error(&shown) != 0) {
		out->error = buf_error(&shown);
		return;
	}
	measure(t, &shown, width);
	for (i = 0; i < t->count; i++) {
		bool last = i + 1 == t->count;

		add_heading(out, t->columns[i].key);
		add_padding(out, strlen(t->columns[i].key), last ? 0 : width[i] + 2);
	}
	buf_add_byte(out, '\n');
	cell = buf_str(&shown);
	for (i = 0; i < t->filled; i++) {
		bool last = col + 1 == t->count;

		place(out, cell, width[col], t->columns[col].kind == CTL_NUMBER, last);
		col = last ? 0 : col + 1;
		cell += strlen(cell) + 1;
	}
}

static void people_record(struct buf *out, const struct ctl_table *t)
{
	const char *cell = buf_str(&t->cells);
	size_t widest = 0, i;

	for (i = 0; i < t->count; i++)
		if (strlen(t->columns[i].key) > widest)
			widest = strlen(t->columns[i].key);
	for (i = 0; i < t->filled; i++) {
		add_heading(out, t->columns[i].key);
		add_padding(out, strlen(t->columns[i].key), widest + 2);
		people_cell(out, cell);
		buf_add_byte(out, '\n');
		cell += strlen(cell) + 1;
	}
}

static int emit(struct ctl_table *t, struct buf *out)
{
	int r = buf_error(&t->cells) != 0 ? buf_error(&t->cells) : buf_error(out);

	ctl_table_done(t);
	if (r < 0)
		return ctl_fail(-ENOMEM, "cannot print the list");
	if (fwrite(out->p, 1, out->len, stdout) != out->len || fflush(stdout) != 0)
		return ctl_fail(-errno, "cannot print");
	return CTL_OK;
}

int ctl_table_rows(const struct ctl *c, struct ctl_table *t)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(192u << 20);

	if (c->json)
		json_rows(&out, t);
	else
		people_rows(&out, t);
	return emit(t, &out);
}

int ctl_table_text(struct ctl_table *t, struct buf *out)
{
	int r = buf_error(&t->cells);

	if (r == 0)
		people_rows(out, t);
	ctl_table_done(t);
	return r < 0 ? r : buf_error(out);
}

int ctl_table_record(const struct ctl *c, struct ctl_table *t)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(1u << 20);
	const char *cell = buf_str(&t->cells);

	if (c->json) {
		json_object(&out, t, &cell);
		buf_add_byte(&out, '\n');
	} else {
		people_record(&out, t);
	}
	return emit(t, &out);
}
