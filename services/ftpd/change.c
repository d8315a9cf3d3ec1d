/*
 * Making, removing and renaming in the tree: one component in a resolved folder, under the lock,
 * together with its row. The order of the two is such that a crash in between leaves something
 * without an owner rather than with a wrong one; rows left behind by a crash go when something new
 * is made in their place.
 */
#include "base/cleanup.h"
#include "base/timefmt.h"
#include "services/ftpd/tree_i.h"

#include <errno.h>
#include <fcntl.h>

/* -- rows --------------------------------------------------------------------------------------
 */

static int forget_rows(struct tree *t, const char *path, bool below)
{
	struct file_remove_args args = {.paths = {span_str(path)}, .count = 1, .below = below};

	return store_call(t->store, STORE_OP_FILE_REMOVE, &args, NULL);
}

/* Nothing is at the path in the tree: nor may rows be, at it or below. */
static int forget_stale(struct tree *t, const char *path)
{
	int r = rights_any_row(t, path);

	return r == 1 ? forget_rows(t, path, true) : r;
}

/* -- folders -----------------------------------------------------------------------------------
 */

static int put_folder(struct tree *t, const char *path, const struct tree_target *target)
{
	struct file_put_args args = {
		.path = span_str(path), .row = {.folder = true, .stored_us = time_now_us()}};
	struct stat st;

	if (fstatat(target->folder_fd, target->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	args.row.inode = st.st_ino;
	args.row.mtime_ns = entry_mtime_ns(&st);
	(void)snprintf(args.row.owner, sizeof(args.row.owner), "%s", t->account);
	return store_call(t->store, STORE_OP_FILE_PUT, &args, NULL);
}

int tree_make_folder(struct tree *t, const char *path)
{
	_cleanup_(tree_target_done) struct tree_target target = TREE_TARGET_INIT;
	_cleanup_(tree_unlock) const struct tree *held = NULL;
	struct ftp_entry there;
	int r = tree_lock(t, &held);

	if (r < 0)
		return r;
	r = tree_target(t, path, &target);
	/* What is there cannot be made again, even where nobody may make anything. */
	if (r == -EACCES && tree_stat(t, path, &there) == 0)
		return -EEXIST;
	if (r < 0)
		return r;
	r = target.exists ? -EEXIST : tree_disk_has_room(t, target.folder_fd);
	if (r == 0)
		r = forget_stale(t, path);
	if (r == 0 && mkdirat(target.folder_fd, target.name, TREE_FOLDER_MODE) < 0)
		r = -errno;
	if (r < 0)
		return r;
	r = put_folder(t, path, &target);
	if (r < 0)
		(void)unlinkat(target.folder_fd, target.name, AT_REMOVEDIR);
	return r == 0 ? tree_flush(target.folder_fd) : r;
}

/* Nothing but temporaries, and those left alone by their sessions? They go if `away`. */
static int look_empty(int fd, bool away)
{
	_cleanup_(cleanup_close) int copy_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy_fd >= 0 ? fdopendir(copy_fd) : NULL;
	const struct dirent *e;
	int r = 0;

	if (dir == NULL)
		return -errno;
	(void)take_fd(&copy_fd);
	while (r == 0 && (e = readdir(dir)) != NULL) {
		_cleanup_(cleanup_close) int temp_fd = -1;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (!tree_is_temp(e->d_name))
			r = -ENOTEMPTY;
		else
			r = away ? partial_unlink(fd, e->d_name)
				 : partial_open(fd, e->d_name, &temp_fd);
		if (r == -ENOENT)
			r = 0;
	}
	(void)closedir(dir);
	return r;
}

static int remove_folder(const struct tree_target *target)
{
	_cleanup_(cleanup_close) int fd = openat(
		target->folder_fd, target->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? -errno : look_empty(fd, false);

	if (r == 0)
		r = look_empty(fd, true);
	if (r == 0 && unlinkat(target->folder_fd, target->name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

int tree_remove_folder(struct tree *t, const char *path)
{
	_cleanup_(tree_target_done) struct tree_target target = TREE_TARGET_INIT;
	_cleanup_(tree_unlock) const struct tree *held = NULL;
	int r = tree_lock(t, &held);

	if (r == 0)
		r = tree_target(t, path, &target);
	if (r == 0)
		r = tree_target_check(&target);
	if (r == 0 && !S_ISDIR(target.st.st_mode))
		r = -ENOTDIR;
	if (r == 0)
		r = remove_folder(&target);
	if (r == 0)
		r = tree_flush(target.folder_fd);
	return r == 0 ? forget_rows(t, path, true) : r;
}

/* -- files -------------------------------------------------------------------------------------
 */

/* One's own interrupted upload to there: its row goes, and its temporary if no session is at it. */
static int drop_partial(struct tree *t, const char *path, int folder_fd)
{
	struct partial_args args = {.path = span_str(path)};
	int r = file_partial_get(t->store, t->account, args.path, 0, &args.partial);

	if (r < 0)
		return r;
	r = store_call(t->store, STORE_OP_PARTIAL_REMOVE, &args, NULL);
	if (r == 0)
		(void)partial_unlink(folder_fd, args.partial.temp);
	return r;
}

static int remove_file(struct tree *t, const char *path, const struct tree_target *target)
{
	int r = tree_target_check(target);

	if (r < 0)
		return r;
	if (S_ISDIR(target->st.st_mode))
		return -EISDIR;
	if (unlinkat(target->folder_fd, target->name, 0) < 0)
		return -errno;
	r = tree_flush(target->folder_fd);
	return r == 0 ? forget_rows(t, path, false) : r;
}

int tree_remove_file(struct tree *t, const char *path)
{
	_cleanup_(tree_target_done) struct tree_target target = TREE_TARGET_INIT;
	_cleanup_(tree_unlock) const struct tree *held = NULL;
	int r = tree_lock(t, &held), partial;

	if (r == 0)
		r = tree_target(t, path, &target);
	if (r < 0)
		return r;
	if (target.exists)
		r = remove_file(t, path, &target);
	else if (target.rights.has_row && target.rights.change)
		r = forget_rows(t, path, false); /* left behind by a crash */
	if (r < 0)
		return r;
	partial = drop_partial(t, path, target.folder_fd);
	if (partial == -ENOENT)
		return target.exists ? 0 : -ENOENT;
	return partial;
}

/* The row follows, so that the digest goes on being believed. */
static int note_mtime(
	struct tree *t, const char *path, int fd, struct rights *rights, bool believed)
{
	struct file_note_args args = {.path = span_str(path), .row = rights->row};
	struct stat st;
	int r;

	if (!rights->has_row || rights->row.folder)
		return 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!believed)
		args.row.has_digest = false;
	args.row.mtime_ns = entry_mtime_ns(&st);
	r = store_call(t->store, STORE_OP_FILE_NOTE, &args, NULL);
	return r == -ESTALE ? 0 : r;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

static int set_mtime(struct tree *t, const char *path, int64_t modify_us)
{
	const int64_t s = floor_div(modify_us, TIME_S_US);
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
		{.tv_sec = s, .tv_nsec = (modify_us - s * TIME_S_US) * 1000}};
	_cleanup_(cleanup_close) int fd = -1;
	struct ftp_entry entry;
	struct rights rights = {0};
	int r = tree_open_file(t, path, &fd, &entry);

	if (r == 0)
		r = rights_read(t, path, &rights);
	if (r == 0 && !rights.change)
		r = -EACCES;
	if (r == 0 && futimens(fd, times) < 0)
		r = errno == EPERM ? -EACCES : -errno;
	return r == 0 ? note_mtime(t, path, fd, &rights, entry.has_digest) : r;
}

int tree_set_mtime(struct tree *t, const char *path, int64_t modify_us)
{
	_cleanup_(tree_unlock) const struct tree *held = NULL;
	int r = tree_lock(t, &held);

	return r == 0 ? set_mtime(t, path, modify_us) : r;
}
