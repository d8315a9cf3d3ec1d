/*
 * What ftpd's tree and its rows have of each other when sessions were killed or people worked in
 * the tree by hand: temporaries that no upload can go on with, and rows whose file is gone.
 * Symbolic links are never followed. Nothing is kept in memory but the way down and one batch of
 * paths.
 */
#include "store/file_sweep.h"

#include "base/cleanup.h"
#include "store/file_i.h"
#include "store/store_i.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define US_PER_S INT64_C(1000000)
#define TEMPORARY_AGE_US (INT64_C(86400) * US_PER_S)
#define ROW_AGE_US (INT64_C(3600) * US_PER_S)

enum {
	ROWS_AT_ONCE = 256,
};

struct sweep_walk {
	struct store *s;
	int64_t now_us;
	int files_fd;
	struct buf *path; /* of the folder at hand */
	struct sweep_result *done;
};

static void cleanup_closedir(DIR **dir)
{
	if (*dir != NULL)
		(void)closedir(*dir);
}

static int open_folder(int at_fd, const char *name, DIR **ret)
{
	int fd = openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	*ret = fdopendir(fd);
	if (*ret != NULL)
		return 0;
	(void)close(fd);
	return -ENOMEM;
}

/*
 * Who changes tree and rows together holds this lock meanwhile (file.h), so what is seen under it
 * is no step in between.
 */
static int lock_tree(const struct sweep_walk *w)
{
	while (flock(w->files_fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static void unlock_tree(const struct sweep_walk *w)
{
	(void)flock(w->files_fd, LOCK_UN);
}

/* -- temporaries ------------------------------------------------------------------------------- */

struct partial_query {
	struct span folder;
	const char *temp;
};

/* Has an interrupted upload in this folder that temporary? 1 or 0. */
static int partial_view(struct store_txn *txn, void *arg)
{
	const struct partial_query *q = arg;
	struct file_walk w = file_walk_of(KEY_PARTIAL, q->folder);
	struct span key = {NULL, 0}, value = {NULL, 0}, path;
	struct file_partial p;
	int rc;

	while ((rc = file_walk_next(txn, &w, &key, &value)) == 1) {
		rc = partial_decode(key, value, &path, &p);
		if (rc < 0)
			return rc;
		if (strcmp(p.temp, q->temp) == 0)
			return 1;
	}
	return rc;
}

static bool is_orphan(const struct sweep_walk *w, int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		w->now_us - (int64_t)st.st_mtim.tv_sec * US_PER_S > TEMPORARY_AGE_US &&
		flock(fd, LOCK_EX | LOCK_NB) == 0; /* no upload is at it */
}

static int sweep_temporary(struct sweep_walk *w, int dir_fd, const char *name)
{
	struct partial_query q = {buf_span(w->path), name};
	_cleanup_(cleanup_close) int fd = -1;
	int rc;

	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || !is_orphan(w, fd))
		return 0;
	rc = lock_tree(w);
	if (rc < 0)
		return rc;
	rc = store_view(w->s, partial_view, &q);
	if (rc == 0 && unlinkat(dir_fd, name, 0) == 0)
		w->done->files++;
	unlock_tree(w);
	return rc < 0 ? rc : 0;
}

static int sweep_folder(struct sweep_walk *w, int at_fd, const char *name, unsigned depth);

static bool is_folder(int dir_fd, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return fstatat(dir_fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int sweep_entry(struct sweep_walk *w, int dir_fd, const struct dirent *e, unsigned depth)
{
	const char *name = e->d_name;
	size_t len = w->path->len;
	int rc;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (span_starts(span_str(name), FILE_TEMP_PREFIX))
		return sweep_temporary(w, dir_fd, name);
	if (!is_folder(dir_fd, e))
		return 0;
	/* Deeper than any path of ftpd's: there is nothing of its there. */
	if (depth >= FILE_DEPTH_MAX || len + 1 + strlen(name) > FILE_PATH_MAX)
		return 0;
	buf_add_byte(w->path, '/');
	buf_add_str(w->path, name);
	rc = sweep_folder(w, dir_fd, name, depth + 1);
	w->path->len = len;
	return rc;
}

static int sweep_folder(struct sweep_walk *w, int at_fd, const char *name, unsigned depth)
{
	_cleanup_(cleanup_closedir) DIR *dir = NULL;
	struct dirent *e;
	int rc = open_folder(at_fd, name, &dir);

	/* One that was removed meanwhile or that people closed to us is no reason to stop. */
	if (rc < 0)
		return depth > 0 && rc != -EMFILE && rc != -ENFILE && rc != -ENOMEM ? 0 : rc;
	while (rc == 0 && dir != NULL) {
		errno = 0;
		e = readdir(dir);
		if (e == NULL)
			return -errno;
		rc = sweep_entry(w, dirfd(dir), e, depth);
	}
	return rc;
}

/* -- rows whose file is gone ------------------------------------------------------------------- */

struct batch {
	struct file_walk at;
	int64_t before_us;
	struct buf paths; /* each with a NUL */
	bool more;
};

static int batch_view(struct store_txn *txn, void *arg)
{
	struct batch *b = arg;
	struct span key = {NULL, 0}, value = {NULL, 0}, path;
	struct file_row row;
	size_t seen = 0;
	int rc = 1;

	b->paths.len = 0;
	while (seen < ROWS_AT_ONCE && (rc = file_walk_next(txn, &b->at, &key, &value)) == 1) {
		seen++;
		if (file_decode(key, value, &path, &row) < 0 || row.stored_us >= b->before_us)
			continue;
		buf_add(&b->paths, path);
		buf_add_byte(&b->paths, '\0');
	}
	b->more = rc == 1;
	return rc < 0 ? rc : buf_error(&b->paths);
}

bool file_is_gone(int files_fd, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	long fd = syscall(SYS_openat2, files_fd, path + 1, &how, sizeof(how));

	if (fd >= 0)
		(void)close((int)fd);
	return fd < 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* Looks again under the lock: what was being renamed has its row moved by then. */
static int remove_rows(struct sweep_walk *w, const struct file_remove_args *seen)
{
	struct file_remove_args a = {.stored_before_us = w->now_us - ROW_AGE_US};
	int rc = lock_tree(w);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < seen->count; i++)
		if (file_is_gone(w->files_fd, (const char *)seen->paths[i].p))
			a.paths[a.count++] = seen->paths[i];
	if (a.count > 0)
		rc = store_call(w->s, STORE_OP_FILE_REMOVE, &a, NULL);
	unlock_tree(w);
	if (rc == 0)
		w->done->rows += a.count;
	return rc;
}

static int sweep_batch(struct sweep_walk *w, const struct batch *b)
{
	struct span rest = buf_span(&b->paths), path;
	struct file_remove_args seen = {.count = 0};
	int rc = 0;

	while (rc == 0 && span_split(&rest, '\0', &path)) {
		if (path.len == 0 || !file_is_gone(w->files_fd, (const char *)path.p))
			continue;
		seen.paths[seen.count++] = path;
		if (seen.count < FILE_REMOVE_MAX)
			continue;
		rc = remove_rows(w, &seen);
		seen.count = 0;
	}
	return rc < 0 || seen.count == 0 ? rc : remove_rows(w, &seen);
}

static int sweep_rows(struct sweep_walk *w)
{
	struct batch b = {.before_us = w->now_us - ROW_AGE_US,
		.paths = BUF_INIT((size_t)ROWS_AT_ONCE * (FILE_PATH_MAX + 1))};
	int rc;

	b.at = file_walk_of(KEY_FILE, span_of(NULL, 0));
	do {
		rc = store_view(w->s, batch_view, &b);
		if (rc == 0)
			rc = sweep_batch(w, &b);
	} while (rc == 0 && b.more);
	buf_done(&b.paths);
	return rc;
}

/* -- all --------------------------------------------------------------------------------------- */

/*
 * The tree, if it is whole: ftpd makes its folder "shared" before anything else, so where that is
 * missing the tree may be a volume that is not mounted, and every row would seem to be without its
 * file.
 */
static int open_tree(struct store *s, int *ret_fd)
{
	char path[STORE_PATH_MAX + sizeof("/files")];
	struct stat st;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/files", s->state);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (fstatat(fd, "shared", &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode)) {
		(void)close(fd);
		return -ENOENT;
	}
	*ret_fd = fd;
	return 0;
}

int file_sweep(struct store *s, int64_t now_us, struct sweep_result *result)
{
	_cleanup_(cleanup_close) int files_fd = -1;
	_cleanup_(buf_done) struct buf path = BUF_INIT(FILE_PATH_MAX);
	struct sweep_walk w = {.s = s, .now_us = now_us, .path = &path, .done = result};
	uint64_t reaped = 0;
	int rc = file_reap(s, NULL, &reaped);

	if (rc < 0)
		return rc;
	result->rows += reaped;
	rc = open_tree(s, &files_fd);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	w.files_fd = files_fd;
	rc = sweep_folder(&w, files_fd, ".", 0);
	return rc < 0 ? rc : sweep_rows(&w);
}
