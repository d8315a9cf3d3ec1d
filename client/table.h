/* Aligned tables for people, JSON for scripts, from the same rows. */
#ifndef CLIENT_TABLE_H
#define CLIENT_TABLE_H

#include "base/buf.h"

#define TABLE_COLUMNS 8

/*
 * unit NULL: text. Else the cells are decimal numbers, or empty; people see them with the unit
 * behind, scripts as numbers or null. The JSON key is the title in lower case with '_', and the
 * unit: "HANDSHAKE" with "ms" is handshake_ms.
 */
struct table_column {
	const char *title;
	const char *unit;
};

struct table {
	struct table_column columns[TABLE_COLUMNS];
	size_t column_count;
	struct buf cells; /* NUL-separated, row after row */
	size_t row_count;
};

/* columns: ended by a NULL title. */
void table_init(struct table *t, const struct table_column *columns);
void table_done(struct table *t);

/* As many cells as columns, each a C string of clean text. */
void table_add(struct table *t, const char *const *cells);

/* To standard output. 0 or the sticky -ENOMEM, -ENOBUFS. */
int table_print(const struct table *t, bool json);

/* Appends the rows as a JSON array of objects. */
void table_json(const struct table *t, struct buf *out);

/* One JSON object, or "key: value" lines for people. NULL values are left out. */
struct table_pair {
	const char *key, *value;
	const char *unit; /* as of a column */
};
void table_print_pairs(const struct table_pair *pairs, size_t count, bool json);
void table_pairs_json(const struct table_pair *pairs, size_t count, struct buf *out);

#endif
