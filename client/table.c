/* Tables: columns as wide as their widest cell, measured in characters, not bytes. */
#include "client/table.h"

#include "base/text.h"

#define CELLS_MAX (1024 * 1024)

void table_init(struct table *t, const char *const *columns)
{
	*t = (struct table){.cells = BUF_INIT(CELLS_MAX)};
	while (t->column_count < TABLE_COLUMNS && columns[t->column_count] != NULL) {
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

static const char *next_cell(const char *cell)
{
	return cell + strlen(cell) + 1;
}

static void row_print(const struct table *t, const char *cell, const size_t *widths, bool is_title)
{
	for (size_t i = 0; i < t->column_count; i++) {
		const char *text = is_title ? t->columns[i] : cell;
		size_t pad = i + 1 < t->column_count ? widths[i] - width_of(text) + 2 : 0;

		printf("%s%*s", text, (int)pad, "");
		if (!is_title)
			cell = next_cell(cell);
	}
	putchar('\n');
}

static void people_print(const struct table *t)
{
	size_t widths[TABLE_COLUMNS];
	const char *cell = buf_str(&t->cells);

	for (size_t i = 0; i < t->column_count; i++)
		widths[i] = width_of(t->columns[i]);
	for (size_t n = 0; n < t->row_count * t->column_count; n++, cell = next_cell(cell)) {
		size_t w = width_of(cell);

		if (w > widths[n % t->column_count])
			widths[n % t->column_count] = w;
	}
	row_print(t, NULL, widths, true);
	cell = buf_str(&t->cells);
	for (size_t row = 0; row < t->row_count; row++) {
		row_print(t, cell, widths, false);
		for (size_t i = 0; i < t->column_count; i++)
			cell = next_cell(cell);
	}
}

static void key_add(struct buf *b, const char *title)
{
	buf_add_byte(b, '"');
	for (; *title != '\0'; title++) {
		char c = *title;

		buf_add_byte(b,
			(unsigned char)(c == ' '               ? '_'
					: c >= 'A' && c <= 'Z' ? c - 'A' + 'a'
							       : c));
	}
	buf_add_str(b, "\":");
}

static int json_print(const struct table *t)
{
	struct buf out = BUF_INIT(8 * CELLS_MAX);
	const char *cell = buf_str(&t->cells);

	buf_add_str(&out, "[");
	for (size_t row = 0; row < t->row_count; row++) {
		buf_add_str(&out, row > 0 ? ",\n {" : "{");
		for (size_t i = 0; i < t->column_count; i++, cell = next_cell(cell)) {
			if (i > 0)
				buf_add_str(&out, ",");
			key_add(&out, t->columns[i]);
			text_json(&out, span_str(cell));
		}
		buf_add_str(&out, "}");
	}
	buf_add_str(&out, "]\n");
	int r = buf_error(&out);

	if (r == 0)
		fputs(buf_str(&out), stdout);
	buf_done(&out);
	return r;
}

int table_print(const struct table *t, bool json)
{
	if (buf_error(&t->cells) < 0)
		return buf_error(&t->cells);
	if (json)
		return json_print(t);
	people_print(t);
	return 0;
}

void table_print_pairs(const struct table_pair *pairs, size_t count, bool json)
{
	struct buf out = BUF_INIT(CELLS_MAX);
	size_t width = 0;
	bool first = true;

	for (size_t i = 0; i < count; i++)
		if (pairs[i].value != NULL && strlen(pairs[i].key) > width)
			width = strlen(pairs[i].key);
	for (size_t i = 0; i < count; i++) {
		if (pairs[i].value == NULL)
			continue;
		if (!json) {
			buf_addf(&out, "%s:%*s%s\n", pairs[i].key,
				(int)(width - strlen(pairs[i].key) + 2), "", pairs[i].value);
			continue;
		}
		buf_add_str(&out, first ? "{" : ",\n ");
		first = false;
		key_add(&out, pairs[i].key);
		text_json(&out, span_str(pairs[i].value));
	}
	if (json)
		buf_add_str(&out, first ? "{}\n" : "}\n");
	fputs(buf_str(&out), stdout);
	buf_done(&out);
}
