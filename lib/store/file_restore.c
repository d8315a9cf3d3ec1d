/* Restoring ftpd's tree: the files, and then what the store says of them. */
#include "store/file_restore.h"

#include "base/hash.h"
#include "base/timefmt.h"
#include "store/file_i.h"
#include "store/file_sweep.h"
#include "store/fscopy.h"
#include "store/store_i.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In the tree while a restore is under way, so that it can be begun again. */
#define MARK FILE_TEMP_PREFIX "restore"

enum { ROWS_AT_ONCE = 64, FTW_DESCRIPTORS = 16 };

/* -- the tree ---------------------------------------------------------------------------------- */

static int is_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	return type != FTW_D && type != FTW_DNR &&
		!span_starts(span_str(path + ftw->base), FILE_TEMP_PREFIX);
}

/* People's files must not be written over: only an empty tree, or that of an attempt, will do. */
static int claim_tree(int files_fd, const char *state)
{
	char path[STORE_PATH_MAX + sizeof("/files")];
	int fd, rc;

	if (faccessat(files_fd, MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	(void)snprintf(path, sizeof(path), "%s/files", state);
	rc = nftw(path, is_file, FTW_DESCRIPTORS, FTW_PHYS);
	if (rc > 0) {
		env_reason("%s holds files already", path);
		return -EEXIST;
	}
	fd = rc < 0 ? -1 : openat(files_fd, MARK, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	(void)close(fd);
	return 0;
}

int file_restore_tree(int dir_fd, int state_fd, const char *state)
{
	const struct fs_tree tree = {.leave_out = FILE_TEMP_PREFIX, .into = true};
	const struct fs_place from = {dir_fd, "files"}, to = {state_fd, "files"};
	_cleanup_(cleanup_close) int files_fd = -1;
	struct stat st;
	int rc;

	if (fstatat(dir_fd, from.name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	files_fd = fs_open_folder(to, true, STORE_DIR_MODE);
	if (files_fd < 0)
		return files_fd;
	rc = claim_tree(files_fd, state);
	if (rc == 0)
		rc = fs_copy_tree(&tree, from, to);
	if (rc == 0 && unlinkat(files_fd, MARK, 0) < 0)
		rc = -errno;
	return rc < 0 ? rc : fs_flush_folder(files_fd);
}

/* -- the rows ---------------------------------------------------------------------------------- */

static int open_below(int files_fd, const char *path)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	long fd = syscall(SYS_openat2, files_fd, path + 1, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* Is the row's digest that of the copy? */
static bool has_digest(int files_fd, const char *path, const struct file_row *row)
{
	unsigned char digest[FILE_DIGEST_LEN];
	uint64_t size = 0;

	return fs_hash_file((struct fs_place){files_fd, path + 1}, digest, &size) == 0 &&
		memcmp(digest, row->digest, sizeof(digest)) == 0;
}

/* The row as it should be. 1: the file is gone, or is something else now. */
static int fit(int files_fd, const char *path, struct file_row *row)
{
	_cleanup_(cleanup_close) int fd = -1;
	struct stat st;

	fd = open_below(files_fd, path);
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		return 1;
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (row->folder ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode))
		return 1;
	row->size = row->folder ? 0 : (uint64_t)st.st_size;
	row->inode = st.st_ino;
	row->mtime_ns = time_spec_ns(&st.st_mtim);
	if (row->has_digest)
		row->has_digest = has_digest(files_fd, path, row);
	return 0;
}

static int fit_row(struct store_txn *txn, int files_fd, struct span key, struct span value)
{
	char text[FILE_PATH_MAX + 1];
	struct file_row old, row;
	struct span path;
	int rc = file_decode(key, value, &path, &old);

	if (rc == 0)
		rc = span_copy_str(path, text, sizeof(text));
	if (rc < 0)
		return rc;
	row = old;
	rc = files_fd < 0 ? 1 : fit(files_fd, text, &row);
	if (rc == 1)
		return file_forget(txn, span_str(text));
	if (rc == 0)
		rc = usage_of_file(txn, &old, false);
	if (rc == 0)
		rc = usage_of_file(txn, &row, true);
	return rc < 0 ? rc : file_row_write(txn, span_str(text), &row);
}

static int drop_uploads(struct store_txn *txn)
{
	struct file_walk w = file_walk_of(KEY_PARTIAL, span_of(NULL, 0));
	struct key table = key_table(KEY_RESERVATION);
	struct span key = {NULL, 0}, value = {NULL, 0};
	int rc = 0;

	while (rc == 0 && (rc = file_walk_next(txn, &w, &key, &value)) == 1)
		rc = partial_forget(txn, key, value);
	while (rc == 0 &&
		(rc = kv_seek(txn, key_span(&table), key_span(&table), &key, &value)) == 0)
		rc = kv_del(txn, key);
	return rc == -ENOENT ? 0 : rc;
}

/* Some rows, in a commit of their own. 1: there may be more. */
static int fit_some(struct store_txn *txn, int files_fd, struct file_walk *w)
{
	struct span key = {NULL, 0}, value = {NULL, 0};
	int rc = 1;

	for (unsigned i = 0; i < ROWS_AT_ONCE && rc == 1; i++) {
		rc = file_walk_next(txn, w, &key, &value);
		if (rc == 1) {
			rc = fit_row(txn, files_fd, key, value);
			rc = rc < 0 ? rc : 1;
		}
	}
	return rc;
}

/* 1: an environment of another schema, whose rows are left as they are. */
static int begin_rows(struct kv_env *env)
{
	struct store_txn *txn = NULL;
	int rc = kv_begin(env, true, time_now_us(), &txn);

	if (rc < 0)
		return rc;
	rc = schema_check(txn);
	if (rc == 0)
		rc = drop_uploads(txn);
	if (rc == 0)
		return kv_commit(txn);
	kv_abort(txn);
	return rc == -ESTALE ? 1 : rc;
}

static int fit_batch(struct kv_env *env, int files_fd, struct file_walk *w)
{
	struct store_txn *txn = NULL;
	int rc = kv_begin(env, true, time_now_us(), &txn);
	int more;

	if (rc < 0)
		return rc;
	more = fit_some(txn, files_fd, w);
	if (more < 0) {
		kv_abort(txn);
		return more;
	}
	rc = kv_commit(txn);
	return rc < 0 ? rc : more;
}

int file_restore_rows(const char *store_dir, int state_fd)
{
	const struct kv_options options = {
		.dir = store_dir, .unlocked = true, .write = true, .map_bytes = env_map_bytes()};
	_cleanup_(kv_closep) struct kv_env *env = NULL;
	_cleanup_(cleanup_close) int files_fd = -1;
	struct file_walk w = file_walk_of(KEY_FILE, span_of(NULL, 0));
	int rc = kv_open(&options, &env);

	if (rc == 0)
		rc = begin_rows(env);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	files_fd = fs_open_folder((struct fs_place){state_fd, "files"}, false, 0);
	if (files_fd < 0 && files_fd != -ENOENT)
		return files_fd;
	do
		rc = fit_batch(env, files_fd, &w);
	while (rc == 1);
	return rc;
}
