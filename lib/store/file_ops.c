/* Operations on the rows of files and of interrupted uploads; usage follows in the same commit. */
#include "store/file_i.h"

#include "store/ops.h"

#include <errno.h>

#define US_PER_S INT64_C(1000000)

static bool owner_is_good(const char *owner, size_t size)
{
	return row_is_text(owner, size) && owner[0] != '\0';
}

int file_forget(struct store_txn *txn, struct span path)
{
	struct key key = key_file(path);
	struct file_row row;
	int rc = file_read(txn, path, &row);

	if (rc == 0)
		rc = usage_of_file(txn, &row, false);
	if (rc == 0)
		rc = row_del(txn, &key);
	return rc == -ENOENT ? 0 : rc;
}

static int forget_partial(struct store_txn *txn, struct span path, const char *account)
{
	struct key key = key_partial_row(path, account);
	struct file_partial p;
	int rc = partial_read(txn, path, account, &p);

	if (rc == 0)
		rc = usage_of_partial(txn, &p, false);
	return rc < 0 ? rc : row_del(txn, &key);
}

static int release(struct store_txn *txn, const char *account, uint64_t id)
{
	struct key key = key_reservation_row(account, id);
	int rc = id == 0 ? 0 : row_del(txn, &key);

	return rc == -ENOENT ? 0 : rc;
}

/* -- put --------------------------------------------------------------------------------------- */

static int put(struct store_txn *txn, const struct file_put_args *a)
{
	struct file_row old;
	int rc = file_read(txn, a->path, &old);

	if (rc == 0)
		rc = usage_of_file(txn, &old, false);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	rc = a->row.folder ? 0 : forget_partial(txn, a->path, a->row.owner);
	if (rc == 0 || rc == -ENOENT)
		rc = usage_of_file(txn, &a->row, true);
	return rc < 0 ? rc : file_row_write(txn, a->path, &a->row);
}

int op_file_put(struct store_txn *txn, const void *args, void *result)
{
	const struct file_put_args *a = args;
	uint64_t before = 0, after = 0;
	int rc;

	(void)result;
	if (!file_path_is_good(a->path) || !owner_is_good(a->row.owner, sizeof(a->row.owner)) ||
		a->row.size > INT64_MAX)
		return -EINVAL;
	rc = release(txn, a->row.owner, a->reservation);
	if (rc == 0)
		rc = usage_total(txn, a->row.owner, 0, &before);
	if (rc == 0)
		rc = put(txn, a);
	if (rc == 0)
		rc = usage_total(txn, a->row.owner, 0, &after);
	return rc < 0 ? rc : usage_check(txn, before, after);
}

int op_file_note(struct store_txn *txn, const void *args, void *result)
{
	const struct file_note_args *a = args;
	struct file_row row = a->row, old;
	int rc;

	(void)result;
	if (!file_path_is_good(a->path) || !row_is_text(row.owner, sizeof(row.owner)) ||
		row.size > INT64_MAX)
		return -EINVAL;
	rc = file_read(txn, a->path, &old);
	if (rc == -ENOENT)
		return row.owner[0] == '\0' ? file_row_write(txn, a->path, &row) : -ESTALE;
	if (rc == 0 && (old.inode != row.inode || old.folder != row.folder))
		rc = -ESTALE;
	if (rc == 0)
		rc = usage_of_file(txn, &old, false);
	if (rc < 0)
		return rc;
	memcpy(row.owner, old.owner, sizeof(row.owner));
	rc = usage_of_file(txn, &row, true);
	return rc < 0 ? rc : file_row_write(txn, a->path, &row);
}

/* -- remove ------------------------------------------------------------------------------------ */

int partial_forget(struct store_txn *txn, struct span key, struct span value)
{
	struct file_partial p;
	struct span path;
	int rc = partial_decode(key, value, &path, &p);
	struct key copy = key_copy(key);

	if (rc == 0)
		rc = usage_of_partial(txn, &p, false);
	return rc < 0 ? rc : row_del(txn, &copy);
}

static int forget_file_row(struct store_txn *txn, struct span key, struct span value)
{
	struct key copy = key_copy(key);
	struct file_row row;
	struct span path;
	int rc = file_decode(key, value, &path, &row);

	if (rc == 0)
		rc = usage_of_file(txn, &row, false);
	return rc < 0 ? rc : row_del(txn, &copy);
}

int file_forget_below(struct store_txn *txn, struct span folder)
{
	struct file_walk files = file_walk_of(KEY_FILE, folder);
	struct file_walk partials = file_walk_of(KEY_PARTIAL, folder);
	struct span key = {NULL, 0}, value = {NULL, 0};
	int rc = 0;

	while (rc == 0 && (rc = file_walk_next(txn, &files, &key, &value)) == 1)
		rc = forget_file_row(txn, key, value);
	while (rc == 0 && (rc = file_walk_next(txn, &partials, &key, &value)) == 1)
		rc = partial_forget(txn, key, value);
	return rc;
}

static int remove_old(struct store_txn *txn, struct span path, int64_t stored_before_us)
{
	struct file_row row;
	int rc = file_read(txn, path, &row);

	if (rc == -ENOENT || (rc == 0 && row.stored_us >= stored_before_us))
		return 0;
	return rc < 0 ? rc : file_forget(txn, path);
}

static int remove_one(struct store_txn *txn, const struct file_remove_args *a, struct span path)
{
	int rc;

	if (a->stored_before_us != 0)
		return remove_old(txn, path, a->stored_before_us);
	rc = file_forget(txn, path);
	return rc < 0 || !a->below ? rc : file_forget_below(txn, path);
}

int op_file_remove(struct store_txn *txn, const void *args, void *result)
{
	const struct file_remove_args *a = args;
	int rc = 0;

	(void)result;
	if (a->count > FILE_REMOVE_MAX || (a->below && a->stored_before_us != 0))
		return -EINVAL;
	for (size_t i = 0; rc == 0 && i < a->count; i++)
		rc = file_path_is_good(a->paths[i]) ? remove_one(txn, a, a->paths[i]) : -EINVAL;
	return rc;
}

/* -- partials ---------------------------------------------------------------------------------- */

static int put_partial(struct store_txn *txn, const struct partial_args *a)
{
	struct file_partial p = a->partial;
	uint64_t keep_s = 0;
	int rc = policy_number_read(txn, "files_partial", &keep_s);

	if (rc < 0)
		return rc;
	p.expires_us = a->now_us + (int64_t)keep_s * US_PER_S;
	rc = forget_partial(txn, a->path, p.account);
	if (rc == 0 || rc == -ENOENT)
		rc = usage_of_partial(txn, &p, true);
	return rc < 0 ? rc : partial_write(txn, a->path, &p);
}

static bool partial_is_good(const struct partial_args *a)
{
	const struct file_partial *p = &a->partial;

	return file_path_is_good(a->path) && owner_is_good(p->account, sizeof(p->account)) &&
		row_is_text(p->temp, sizeof(p->temp));
}

int op_partial_put(struct store_txn *txn, const void *args, void *result)
{
	const struct partial_args *a = args;
	const struct file_partial *p = &a->partial;
	uint64_t before = 0, after = 0;
	int rc;

	(void)result;
	if (!partial_is_good(a) || !span_starts(span_str(p->temp), FILE_TEMP_PREFIX) ||
		strchr(p->temp, '/') != NULL || p->size > INT64_MAX)
		return -EINVAL;
	rc = release(txn, p->account, a->reservation);
	if (rc == 0)
		rc = usage_total(txn, p->account, 0, &before);
	if (rc == 0)
		rc = put_partial(txn, a);
	if (rc == 0)
		rc = usage_total(txn, p->account, 0, &after);
	return rc < 0 ? rc : usage_check(txn, before, after);
}

int op_partial_remove(struct store_txn *txn, const void *args, void *result)
{
	const struct partial_args *a = args;
	struct file_partial p;
	int rc;

	(void)result;
	if (!partial_is_good(a))
		return -EINVAL;
	rc = partial_read(txn, a->path, a->partial.account, &p);
	if (rc == 0 && a->partial.temp[0] != '\0' && strcmp(a->partial.temp, p.temp) != 0)
		rc = -ESTALE;
	return rc < 0 ? rc : forget_partial(txn, a->path, a->partial.account);
}
