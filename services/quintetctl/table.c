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
	size_t row;

	buf_add_byte(out, '[');
	for (row = 0; row < t->filled / t->count; row++) {
		buf_add_str(out, row > 0 ? ",\n " : "");
		json_object(out, t, &cell);
	}
	buf_add_str(out, "]\n");
}

#define COLUMNS_MAX 16

/* Cells are made fit for people first, so that widths are those of what is shown. */
static void people_rows(struct buf *out, const struct ctl_table *t)
{
	_cleanup_(buf_done) struct buf shown = BUF_INIT(128u << 20);
	size_t width[COLUMNS_MAX] = {0};
	const char *cell = buf_str(&t->cells);
	size_t i, col;

	for (i = 0; i < t->count; i++)
		width[i] = strlen(t->columns[i].key);
	for (i = 0; i < t->filled; i++) {
		size_t at = shown.len;

		people_cell(&shown, cell);
		buf_add_byte(&shown, '\0');
		cell += strlen(cell) + 1;
		if (buf_error(&shown) == 0 &&
			width_of((const char *)shown.p + at) > width[i % t->count])
			width[i % t->count] = width_of((const char *)shown.p + at);
	}
	for (i = 0; i < t->count; i++) {
		add_heading(out, t->columns[i].key);
		if (i + 1 < t->count)
			add_padding(out, strlen(t->columns[i].key), width[i] + 2);
	}
	buf_add_byte(out, '\n');
	if (buf_error(&shown) != 0) {
		out->error = buf_error(&shown);
		return;
	}
	cell = buf_str(&shown);
	for (i = 0; i < t->filled; i++) {
		col = i % t->count;
		if (t->columns[col].kind == CTL_NUMBER && col + 1 < t->count) {
			add_padding(out, width_of(cell), width[col]);
			buf_add_str(out, cell);
			buf_add_str(out, "  ");
		} else {
			buf_add_str(out, cell);
			if (col + 1 < t->count)
				add_padding(out, width_of(cell), width[col] + 2);
		}
		if (col + 1 == t->count)
			buf_add_byte(out, '\n');
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
