/* Aligned tables for people, JSON for scripts, from the same rows. */
#ifndef CLIENT_TABLE_H
#define CLIENT_TABLE_H

#include "base/buf.h"

#define TABLE_COLUMNS 8

struct table {
	const char
		*columns[TABLE_COLUMNS]; /* titles for people; lower case with '_' as JSON keys */
	size_t column_count;
	struct buf cells; /* NUL-separated, row after row */
	size_t row_count;
};

/* columns: NULL-ended. */
void table_init(struct table *t, const char *const *columns);
void table_done(struct table *t);

/* As many cells as columns, each a C string of clean text. */
void table_add(struct table *t, const char *const *cells);

/* To standard output. 0 or the sticky -ENOMEM, -ENOBUFS. */
int table_print(const struct table *t, bool json);

/* One JSON object of string members on standard output, or "key: value" lines for people. NULL
 * values are left out. */
struct table_pair {
	const char *key, *value;
};
void table_print_pairs(const struct table_pair *pairs, size_t count, bool json);

#endif
