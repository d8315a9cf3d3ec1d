/* Tables: columns as wide as their widest cell, measured in characters, not bytes. */
#include "client/table.h"

#include "client/client.h"

#include "base/text.h"

#include <stdio.h>

#define CELLS_MAX (1U << 20)
#define OUT_MAX (8U << 20)

void table_init(struct table *t, const struct table_column *columns)
{
	*t = (struct table){.cells = BUF_INIT(CELLS_MAX)};
	while (t->column_count < TABLE_COLUMNS && columns[t->column_count].title != NULL) {
		t->columns[t->column_count] = columns[t->column_count];
		t->column_count++;
	}
}

void table_done(struct table *t)
{
	buf_done(&t->cells);
}

void table_add(struct table *t, const char *const *cells)
{
	for (size_t i = 0; i < t->column_count; i++)
		buf_add(&t->cells, span_of(cells[i], strlen(cells[i]) + 1));
	t->row_count++;
}

/* Characters: every byte that does not continue a UTF-8 sequence. */
static size_t width_of(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		if (((unsigned char)*s & 0xc0) != 0x80)
			n++;
	return n;
}

static const char *unit_of(const char *unit, const char *cell)
{
	return unit != NULL && *cell != '\0' ? unit : "";
}

/* What people see of a cell: number, blank, unit. */
static size_t shown_width(const char *cell, const char *unit)
{
	unit = unit_of(unit, cell);
	return width_of(cell) + (*unit != '\0' ? 1 + width_of(unit) : 0);
}

static const char *next_cell(const char *cell)
{
	return cell + strlen(cell) + 1;
}

/* Appends a row, without blanks behind its last cell. */
static void row_show(struct buf *out, const struct table *t, const char *cell, const size_t *widths)
{
	size_t pad = 0;

	for (size_t i = 0; i < t->column_count; i++, cell = next_cell(cell)) {
		const char *unit = unit_of(t->columns[i].unit, cell);

		if (*cell != '\0')
			buf_addf(out, "%*s%s%s%s", (int)pad, "", cell, *unit != '\0' ? " " : "",
				unit);
		pad = (*cell != '\0' ? 0 : pad) + widths[i] + 2 - shown_width(cell, unit);
	}
	buf_add_str(out, "\n");
}

static void titles_show(struct buf *out, const struct table *t, const size_t *widths)
{
	size_t pad = 0;

	for (size_t i = 0; i < t->column_count; i++) {
		const char *title = t->columns[i].title;

		buf_addf(out, "%*s%s", (int)pad, "", title);
		pad = widths[i] + 2 - width_of(title);
	}
	buf_add_str(out, "\n");
}

static void people_show(const struct table *t, struct buf *out)
{
	size_t widths[TABLE_COLUMNS];
	const char *cell = buf_str(&t->cells);

	for (size_t i = 0; i < t->column_count; i++)
		widths[i] = width_of(t->columns[i].title);
	for (size_t n = 0; n < t->row_count * t->column_count; n++, cell = next_cell(cell)) {
		size_t i = n % t->column_count, w = shown_width(cell, t->columns[i].unit);

		if (w > widths[i])
			widths[i] = w;
	}
	titles_show(out, t, widths);
	cell = buf_str(&t->cells);
	for (size_t row = 0; row < t->row_count; row++) {
		row_show(out, t, cell, widths);
		for (size_t i = 0; i < t->column_count; i++)
			cell = next_cell(cell);
	}
}

static void key_json(struct buf *out, const char *title, const char *unit)
{
	buf_add_byte(out, '"');
	for (; *title != '\0'; title++) {
		char c = *title;

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		buf_add_byte(out, (unsigned char)(c == ' ' || c == '-' ? '_' : c));
	}
	if (unit != NULL && *unit != '\0')
		buf_addf(out, "_%s", unit);
	buf_add_str(out, "\":");
}

static void value_json(struct buf *out, const char *value, const char *unit)
{
	if (unit == NULL)
		text_json(out, span_str(value));
	else
		/* JSON knows no plus sign. */
		buf_add_str(out, *value == '\0' ? "null" : *value == '+' ? value + 1 : value);
}

void table_json(const struct table *t, struct buf *out)
{
	const char *cell = buf_str(&t->cells);

	buf_add_str(out, "[");
	for (size_t row = 0; row < t->row_count; row++) {
		buf_add_str(out, row > 0 ? ",\n {" : "{");
		for (size_t i = 0; i < t->column_count; i++, cell = next_cell(cell)) {
			if (i > 0)
				buf_add_str(out, ",");
			key_json(out, t->columns[i].title, t->columns[i].unit);
			value_json(out, cell, t->columns[i].unit);
		}
		buf_add_str(out, "}");
	}
	buf_add_str(out, "]");
}

int table_print(const struct table *t, bool json)
{
	struct buf out = BUF_INIT(OUT_MAX);
	int r = buf_error(&t->cells);

	if (r == 0 && json) {
		table_json(t, &out);
		buf_add_str(&out, "\n");
	} else if (r == 0) {
		people_show(t, &out);
	}
	if (r == 0)
		r = buf_error(&out);
	if (r == 0)
		fputs(buf_str(&out), stdout);
	buf_done(&out);
	return r;
}

void table_pairs_json(const struct table_pair *pairs, size_t count, struct buf *out)
{
	const char *between = "";

	buf_add_str(out, "{");
	for (size_t i = 0; i < count; i++) {
		if (pairs[i].value == NULL)
			continue;
		buf_add_str(out, between);
		between = ",";
		key_json(out, pairs[i].key, pairs[i].unit);
		value_json(out, pairs[i].value, pairs[i].unit);
	}
	buf_add_str(out, "}");
}

static void pairs_show(const struct table_pair *pairs, size_t count, struct buf *out)
{
	size_t width = 0;

	for (size_t i = 0; i < count; i++)
		if (pairs[i].value != NULL && strlen(pairs[i].key) > width)
			width = strlen(pairs[i].key);
	for (size_t i = 0; i < count; i++) {
		const char *unit;

		if (pairs[i].value == NULL)
			continue;
		unit = unit_of(pairs[i].unit, pairs[i].value);
		buf_addf(out, "%s:%*s%s%s%s\n", pairs[i].key,
			(int)(width - strlen(pairs[i].key) + 2), "", pairs[i].value,
			*unit != '\0' ? " " : "", unit);
	}
}

void table_print_pairs(const struct table_pair *pairs, size_t count, bool json)
{
	struct buf out = BUF_INIT(CELLS_MAX);

	if (json) {
		table_pairs_json(pairs, count, &out);
		buf_add_str(&out, "\n");
	} else {
		pairs_show(pairs, count, &out);
	}
	if (!client_told(buf_str(&out)))
		fputs(buf_str(&out), stdout);
	buf_done(&out);
}
