/*
 * Interrupted uploads: a temporary in the target's folder and a row that says whose it is and how
 * much of it is flushed. A session that is at a temporary holds its lock.
 */
#include "base/cleanup.h"
#include "base/timefmt.h"
#include "services/ftpd/upload_i.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

/* -- temporaries -------------------------------------------------------------------------------
 */

int partial_open(int folder_fd, const char *temp, int *ret_fd)
{
	_cleanup_(cleanup_close) int fd =
		openat(folder_fd, temp, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == ELOOP || errno == EISDIR ? -ENXIO : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENXIO;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

int partial_unlink(int folder_fd, const char *temp)
{
	_cleanup_(cleanup_close) int fd = -1;
	int r = partial_open(folder_fd, temp, &fd);

	return r == 0 && unlinkat(folder_fd, temp, 0) < 0 ? -errno : r;
}

/* -- rows --------------------------------------------------------------------------------------
 */

static int get_row(struct tree *t, const char *path, struct file_partial *ret)
{
	if (t->store == NULL)
		return -EACCES;
	return file_partial_get(t->store, t->account, span_str(path), time_now_us(), ret);
}

static int remove_row(struct tree *t, const char *path, const char *temp)
{
	struct partial_args args = {.path = span_str(path)};

	(void)snprintf(args.partial.account, sizeof(args.partial.account), "%s", t->account);
	(void)snprintf(args.partial.temp, sizeof(args.partial.temp), "%s", temp);
	return store_call(t->store, STORE_OP_PARTIAL_REMOVE, &args, NULL);
}

static int put_row(struct upload *u, uint64_t size, uint64_t reservation)
{
	struct partial_args args = {.path = span_str(u->path),
		.partial = {.size = size},
		.now_us = time_now_us(),
		.reservation = reservation};

	if (u->tree->store == NULL)
		return -EACCES;
	(void)snprintf(args.partial.account, sizeof(args.partial.account), "%s", u->tree->account);
	(void)snprintf(args.partial.temp, sizeof(args.partial.temp), "%s", u->temp);
	return store_call(u->tree->store, STORE_OP_PARTIAL_PUT, &args, NULL);
}

/* -- taking ------------------------------------------------------------------------------------
 */

static int continuable(int fd, const struct file_partial *row, uint64_t *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = row->size < (uint64_t)st.st_size ? row->size : (uint64_t)st.st_size;
	return 0;
}

/* The row is read again once the lock is held: whoever had it may have finished. */
int partial_take(struct upload *u, uint64_t *ret_size)
{
	_cleanup_(cleanup_close) int fd = -1;
	struct file_partial row, again;
	int r = get_row(u->tree, u->path, &row);

	if (r < 0)
		return r;
	r = partial_open(u->folder_fd, row.temp, &fd);
	/* The row alone is of no use. */
	if (r == -ENOENT || r == -ENXIO)
		r = remove_row(u->tree, u->path, row.temp);
	if (r == 0 && fd < 0)
		r = -ENOENT;
	if (r == 0)
		r = get_row(u->tree, u->path, &again);
	if (r == 0 && strcmp(row.temp, again.temp) != 0)
		r = -EBUSY;
	if (r == 0)
		r = continuable(fd, &again, ret_size);
	if (r < 0)
		return r;
	(void)snprintf(u->temp, sizeof(u->temp), "%s", again.temp);
	u->fd = take_fd(&fd);
	u->partial = true;
	u->room.replaces += again.size;
	return 0;
}

static int lower_row(struct upload *u, const struct file_partial *row)
{
	int r;

	if (row->size <= u->kept)
		return 0;
	r = put_row(u, u->kept, 0);
	if (r < 0)
		return r;
	/* Whatever comes now: what the row does not count is gone. */
	if (ftruncate(u->fd, (off_t)u->kept) < 0)
		return -errno;
	u->room.replaces -= row->size - u->kept;
	return room_renew(&u->room);
}

static bool has_moved(struct upload *u)
{
	_cleanup_(tree_target_done) struct tree_target target = TREE_TARGET_INIT;

	return upload_target(u, &target) == -EIDRM;
}

int partial_cut(struct upload *u)
{
	struct file_partial row;
	int r = get_row(u->tree, u->path, &row);

	/* Another session has finished the file meanwhile: this is an upload like any other now. Or
	 * the row went along with its folder. */
	if (r == -ENOENT || (r == 0 && strcmp(row.temp, u->temp) != 0)) {
		r = has_moved(u) ? -EIDRM : 0;
		u->partial = r < 0;
	} else if (r == 0) {
		r = lower_row(u, &row);
	}
	if (r == 0 && ftruncate(u->fd, (off_t)u->kept) < 0)
		r = -errno;
	return r;
}

/* -- the end of an upload ----------------------------------------------------------------------
 */

/* Is the row still that of u's temporary? In another folder by now, it went along. */
static bool is_given_up(struct upload *u)
{
	_cleanup_(tree_target_done) struct tree_target target = TREE_TARGET_INIT;
	struct file_partial row = {.temp = ""};
	int r = u->tree->store != NULL ? upload_target(u, &target) : -EIDRM;

	if (r == -EIDRM)
		return false;
	r = file_partial_get(u->tree->store, u->tree->account, span_str(u->path), 0, &row);
	return r == -ENOENT || (r == 0 && strcmp(row.temp, u->temp) != 0);
}

/* What another session has removed or replaced meanwhile (DELE) is not left without a row, where
 * nobody would count it. */
void partial_restore(struct upload *u)
{
	_cleanup_(tree_unlock) const struct tree *held = NULL;

	/* Should that fail: the row says how much of it counts. */
	if (u->placed && ftruncate(u->fd, (off_t)u->kept) < 0)
		u->error = -errno;
	if (tree_lock(u->tree, &held) == 0 && is_given_up(u))
		(void)unlinkat(u->folder_fd, u->temp, 0);
}

static int flush_received(struct upload *u)
{
	/* A write that failed may have left part of its bytes. */
	if (ftruncate(u->fd, (off_t)u->size) < 0 || fsync(u->fd) < 0)
		return -errno;
	return tree_flush(u->folder_fd);
}

/* Under the lock, so that the folder is the path's while the row is made. */
static int store_partial(struct upload *u)
{
	_cleanup_(tree_target_done) struct tree_target target = TREE_TARGET_INIT;
	_cleanup_(tree_unlock) const struct tree *held = NULL;
	struct file_partial old = {.temp = ""};
	int r = tree_lock(u->tree, &held);

	if (r == 0)
		r = upload_target(u, &target);
	if (r == -EIDRM || u->tree->store == NULL)
		return -EIDRM;
	(void)get_row(u->tree, u->path, &old);
	r = put_row(u, u->size, u->room.id);
	if (r == 0)
		u->room.id = u->room.reserved = 0;
	if (r == 0 && old.temp[0] != '\0' && strcmp(old.temp, u->temp) != 0)
		(void)partial_unlink(u->folder_fd, old.temp);
	return r;
}

void partial_keep(struct upload *u)
{
	int r = u->error == -EDQUOT ? u->error : 0;

	if (u->partial && (!u->placed || u->size == u->kept)) {
		partial_restore(u);
		return;
	}
	if (r == 0)
		r = flush_received(u);
	if (r == 0)
		r = store_partial(u);
	if (r < 0 && u->partial)
		partial_restore(u);
	else if (r < 0)
		partial_discard(u);
}

void partial_discard(struct upload *u)
{
	(void)unlinkat(u->folder_fd, u->temp, 0);
}

/* -- for SIZE and SITE DROP --------------------------------------------------------------------
 */

static int find(struct tree *t, const char *path, int *ret_folder_fd, struct file_partial *ret)
{
	_cleanup_(tree_target_done) struct tree_target target = TREE_TARGET_INIT;
	int r = tree_target(t, path, &target);

	if (r == 0)
		r = get_row(t, path, ret);
	if (r == 0)
		*ret_folder_fd = take_fd(&target.folder_fd);
	return r;
}

int upload_partial(struct tree *t, const char *path, uint64_t *ret_size)
{
	_cleanup_(cleanup_close) int folder_fd = -1;
	struct file_partial row = {.size = 0};
	struct stat st;
	int r = find(t, path, &folder_fd, &row);

	if (r < 0)
		return r;
	if (fstatat(folder_fd, row.temp, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOENT;
	*ret_size = row.size < (uint64_t)st.st_size ? row.size : (uint64_t)st.st_size;
	return 0;
}

/* No lock: what the row tells of is not written to any more. */
int upload_partial_read(struct tree *t, const char *path, int *ret_fd, uint64_t *ret_size)
{
	_cleanup_(cleanup_close) int folder_fd = -1, fd = -1;
	struct file_partial row = {.size = 0};
	int r = find(t, path, &folder_fd, &row);

	if (r < 0)
		return r;
	fd = openat(folder_fd, row.temp, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP ? -ENOENT : -errno;
	r = continuable(fd, &row, ret_size);
	if (r == 0)
		*ret_fd = take_fd(&fd);
	return r;
}

int upload_drop(struct tree *t, const char *path)
{
	_cleanup_(cleanup_close) int folder_fd = -1, fd = -1;
	struct file_partial row;
	int r = find(t, path, &folder_fd, &row);

	if (r < 0)
		return r;
	r = partial_open(folder_fd, row.temp, &fd);
	/* The row alone can go as well. */
	if (r == 0 || r == -ENOENT || r == -ENXIO)
		r = remove_row(t, path, row.temp);
	if (r == 0 && fd >= 0 && unlinkat(folder_fd, row.temp, 0) < 0)
		r = -errno;
	return r;
}
