/* Renaming: the rows of a file or of a whole folder take their new paths in one commit. */
#include "store/file_i.h"

#include "store/ops.h"

#include <errno.h>

struct move {
	struct store_txn *txn;
	struct span from, to;
	size_t rows;
	unsigned char path[FILE_PATH_MAX]; /* the new one of the row at hand */
	size_t path_len;
};

/* The new path of what was at or below `from`. */
static int rebase(struct move *m, struct span path)
{
	struct span rest = span_of(path.p + m->from.len, path.len - m->from.len);

	if (m->to.len + rest.len > sizeof(m->path))
		return -ENAMETOOLONG;
	memcpy(m->path, m->to.p, m->to.len);
	memcpy(m->path + m->to.len, rest.p, rest.len);
	m->path_len = m->to.len + rest.len;
	return ++m->rows > FILE_RENAME_MAX ? -E2BIG : 0;
}

/* A row that moves counts as new: the sweep may look before the file itself has moved. */
static int move_file(struct move *m, struct span key, struct span value)
{
	struct key old = key_copy(key);
	struct file_row row;
	struct span path;
	int rc = file_decode(key, value, &path, &row);

	if (rc == 0)
		rc = rebase(m, path);
	if (rc == 0)
		rc = row_del(m->txn, &old);
	row.stored_us = kv_now_us(m->txn);
	return rc < 0 ? rc : file_row_write(m->txn, span_of(m->path, m->path_len), &row);
}

static int move_partial(struct move *m, struct span key, struct span value)
{
	struct key old = key_copy(key);
	struct file_partial p;
	struct span path;
	int rc = partial_decode(key, value, &path, &p);

	if (rc == 0)
		rc = rebase(m, path);
	if (rc == 0)
		rc = row_del(m->txn, &old);
	return rc < 0 ? rc : partial_write(m->txn, span_of(m->path, m->path_len), &p);
}

static int move_all(struct move *m)
{
	struct file_walk files = file_walk_of(KEY_FILE, m->from);
	struct file_walk partials = file_walk_of(KEY_PARTIAL, m->from);
	struct key own = key_file(m->from);
	struct span key = {NULL, 0}, value = {NULL, 0};
	int rc = row_get(m->txn, &own, &value);

	if (rc == 0)
		rc = move_file(m, key_span(&own), value);
	else if (rc == -ENOENT)
		rc = 0;
	while (rc == 0 && (rc = file_walk_next(m->txn, &files, &key, &value)) == 1)
		rc = move_file(m, key, value);
	while (rc == 0 && (rc = file_walk_next(m->txn, &partials, &key, &value)) == 1)
		rc = move_partial(m, key, value);
	return rc;
}

int op_file_rename(struct store_txn *txn, const void *args, void *result)
{
	const struct file_rename_args *a = args;
	struct move m = {.txn = txn, .from = a->from, .to = a->to};
	int rc;

	(void)result;
	if (!file_path_is_good(a->from) || !file_path_is_good(a->to) ||
		file_path_below(a->from, a->to) || file_path_below(a->to, a->from))
		return -EINVAL;
	if (span_eq(a->from, a->to))
		return 0;
	rc = file_forget(txn, a->to);
	if (rc == 0)
		rc = file_forget_below(txn, a->to);
	return rc < 0 ? rc : move_all(&m);
}
