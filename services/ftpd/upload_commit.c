/*
 * The commit of an upload: flushed, row, rename, folder flushed. The row comes before the rename,
 * because it decides about the quota; whoever dies in between leaves the old file with a row whose
 * digest is not believed, and a temporary that the sweep removes. All that others could change in
 * between happens under the tree's lock.
 */
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/hash.h"
#include "base/timefmt.h"
#include "services/ftpd/upload_i.h"

#include <errno.h>
#include <fcntl.h>

static bool same_file(int a_fd, int b_fd)
{
	struct stat a, b;

	return fstat(a_fd, &a) == 0 && fstat(b_fd, &b) == 0 && a.st_dev == b.st_dev &&
		a.st_ino == b.st_ino;
}

int upload_target(struct upload *u, struct tree_target *ret)
{
	_cleanup_(tree_target_done) struct tree_target target = TREE_TARGET_INIT;
	int r = tree_target(u->tree, u->path, &target);

	if (r == -ENOENT || r == -ENOTDIR)
		return -EIDRM;
	if (r == 0 && !same_file(target.folder_fd, u->folder_fd))
		r = -EIDRM;
	if (r == 0)
		r = tree_target_may_write(&target);
	if (r < 0)
		return r;
	*ret = target;
	target.folder_fd = -1;
	return 0;
}

/* For STOU the name may be taken by now: then another one. */
static int find_target(struct upload *u, struct tree_target *ret)
{
	char path[FTP_PATH_SIZE];
	int r = 0;

	if (u->how == UPLOAD_UNIQUE) {
		r = upload_choose_name(u->tree, u->path, path);
		if (r == 0)
			memcpy(u->path, path, strlen(path) + 1);
	}
	return r == 0 ? upload_target(u, ret) : r == -ENOENT ? -EIDRM : r;
}

/* -- the row -----------------------------------------------------------------------------------
 */

static int describe(struct upload *u, struct file_row *ret, struct stat *ret_st)
{
	struct file_row row = {.size = u->size, .has_digest = true, .stored_us = time_now_us()};
	int r = hash_final(u->hash, row.digest);

	if (r == 0 && fstat(u->fd, ret_st) < 0)
		r = -errno;
	/* Somebody else wrote to it, or the disk lost some. */
	if (r == 0 && (uint64_t)ret_st->st_size != u->size)
		r = -EIO;
	if (r < 0)
		return r;
	(void)snprintf(row.owner, sizeof(row.owner), "%s", u->tree->account);
	row.inode = ret_st->st_ino;
	row.mtime_ns = entry_mtime_ns(ret_st);
	*ret = row;
	return 0;
}

static int put_row(struct upload *u, const struct file_row *row)
{
	struct file_put_args args = {
		.path = span_str(u->path), .row = *row, .reservation = u->room.id};
	unsigned count = 0;
	int r = store_call(u->tree->store, STORE_OP_FILE_PUT, &args, NULL);

	if (r == -EDQUOT && file_reservations_reap(u->tree->store, u->tree->account, &count) >= 0 &&
		count > 0)
		r = store_call(u->tree->store, STORE_OP_FILE_PUT, &args, NULL);
	if (r == 0)
		u->room.id = u->room.reserved = 0;
	return r;
}

/* The file could not take its place: the row is as it was. */
static void take_row_back(struct upload *u, const struct tree_target *target)
{
	struct file_put_args put = {.path = span_str(u->path), .row = target->rights.row};
	struct file_remove_args remove = {
		.paths = {put.path}, .count = 1, .stored_before_us = INT64_MAX};

	if (target->rights.has_row && put.row.owner[0] != '\0')
		(void)store_call(u->tree->store, STORE_OP_FILE_PUT, &put, NULL);
	else
		(void)store_call(u->tree->store, STORE_OP_FILE_REMOVE, &remove, NULL);
}

/* -- the file ----------------------------------------------------------------------------------
 */

static int rename_over(struct upload *u)
{
	unsigned flags = u->how == UPLOAD_UNIQUE ? RENAME_NOREPLACE : 0;

	if (renameat2(u->folder_fd, u->temp, u->folder_fd, upload_name(u), flags) < 0)
		return -errno;
	return 0;
}

static int publish(struct upload *u, const struct tree_target *target, const struct file_row *row)
{
	struct file_partial old = {.temp = ""};
	int r;

	(void)file_partial_get(u->tree->store, u->tree->account, span_str(u->path), 0, &old);
	r = put_row(u, row);
	if (r < 0)
		return r;
	/* Its row is gone with this. */
	u->partial = false;
	fault_at(FAULT_FILE_STORED);
	r = rename_over(u);
	if (r < 0) {
		take_row_back(u, target);
		return r;
	}
	u->committed = true;
	fault_at(FAULT_FILE_RENAMED);
	if (old.temp[0] != '\0' && strcmp(old.temp, u->temp) != 0)
		(void)partial_unlink(u->folder_fd, old.temp);
	return 0;
}

static int publish_locked(
	struct upload *u, const struct file_row *row, const struct stat *st, struct ftp_entry *ret)
{
	_cleanup_(tree_target_done) struct tree_target target = TREE_TARGET_INIT;
	_cleanup_(tree_unlock) const struct tree *held = NULL;
	struct rights mine = {.has_row = true, .row = *row, .change = true};
	int r = tree_lock(u->tree, &held);

	if (r == 0)
		r = find_target(u, &target);
	if (r == 0)
		r = publish(u, &target, row);
	if (r == 0)
		entry_fill(&target.place, st, &mine, ret);
	return r;
}

static int commit(struct upload *u, struct ftp_entry *ret)
{
	struct file_row row = {.size = 0};
	struct stat st = {0};
	int r = u->error;

	if (r == 0 && (u->copied < u->kept || u->digested < u->kept))
		r = -EINVAL;
	if (r == 0)
		r = upload_place(u);
	if (r == 0 && fsync(u->fd) < 0)
		r = -errno;
	fault_at(FAULT_FILE_FLUSHED);
	if (r == 0)
		r = describe(u, &row, &st);
	if (r == 0)
		r = publish_locked(u, &row, &st, ret);
	if (r == 0)
		r = tree_flush(u->folder_fd);
	fault_at(FAULT_FILE_DURABLE);
	return r;
}

int upload_commit(struct upload *u, struct ftp_entry *ret)
{
	struct ftp_entry entry;
	int r = u->committed ? -EINVAL : commit(u, &entry);

	if (r == 0)
		*ret = entry;
	else if (u->error == 0)
		u->error = r;
	return r;
}
