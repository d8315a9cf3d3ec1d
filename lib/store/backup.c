/*
 * Backup: the tree of ftpd first, without temporaries, then a compacted snapshot of the
 * environment, then the files of exactly the blobs it names, with the sweep locked out meanwhile.
 * The tree comes before the snapshot so that what is uploaded meanwhile has its row, and with it
 * its owner; a row whose file was not copied any more is dropped by restore. The mark comes last.
 */
#include "store/backup_i.h"

#include "base/hash.h"
#include "store/blob_i.h"
#include "store/file.h"
#include "store/fscopy.h"
#include "store/store_i.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACKUP_DIR_MODE = 0700, BACKUP_FILE_MODE = 0600 };

static int each_blob_row(struct store_txn *txn,
	int (*each)(void *arg, const unsigned char *id, const struct blob_row *row), void *arg)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key table = key_table(KEY_BLOB);
	struct span key, value;
	struct blob_row row;
	int rc = kv_iter_open(txn, key_span(&table), key_span(&table), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = key.len == 1 + BLOB_ID_LEN ? blob_decode(value, &row) : -EBADMSG;
		if (rc == 0)
			rc = each(arg, key.p + 1, &row);
	}
	return rc;
}

int backup_each_blob(const char *store_dir,
	int (*each)(void *arg, const unsigned char *id, const struct blob_row *row), void *arg)
{
	const struct kv_options options = {
		.dir = store_dir, .unlocked = true, .map_bytes = env_map_bytes()};
	_cleanup_(kv_closep) struct kv_env *env = NULL;
	struct store_txn *txn = NULL;
	int rc = kv_open(&options, &env);

	if (rc == 0)
		rc = kv_begin(env, false, 0, &txn);
	if (rc < 0)
		return rc;
	rc = each_blob_row(txn, each, arg);
	kv_abort(txn);
	return rc;
}

int blob_check_inline(const unsigned char *id, const struct blob_row *row)
{
	unsigned char digest[HASH_SHA256_LEN];
	int rc = row->is_file ? 0 : hash_sha256(row->bytes, digest);

	if (rc < 0 || row->is_file)
		return rc;
	return memcmp(digest, id, BLOB_ID_LEN) == 0 ? 0 : -EBADMSG;
}

static int copy_env(struct store *s, int dir_fd)
{
	_cleanup_(cleanup_close) int store_fd = -1;
	_cleanup_(cleanup_close) int fd = -1;
	int rc;

	store_fd = fs_open_folder((struct fs_place){dir_fd, "store"}, true, BACKUP_DIR_MODE);
	if (store_fd < 0)
		return store_fd;
	fd = openat(
		store_fd, "data.mdb", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, BACKUP_FILE_MODE);
	if (fd < 0)
		return -errno;
	rc = kv_copy(s->env, fd);
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	return rc < 0 ? rc : fs_flush_folder(store_fd);
}

struct blob_copy {
	int from_fd, to_fd;
};

static int copy_blob(void *arg, const unsigned char *id, const struct blob_row *row)
{
	const struct blob_copy *c = arg;
	_cleanup_(cleanup_close) int folder_fd = -1;
	char path[BLOB_PATH_SIZE], folder[3] = "";
	int rc;

	if (!row->is_file)
		return 0;
	blob_path(id, path);
	memcpy(folder, path, 2);
	folder_fd = fs_open_folder((struct fs_place){c->to_fd, folder}, true, BACKUP_DIR_MODE);
	if (folder_fd < 0)
		return folder_fd;
	rc = fs_copy_file(
		(struct fs_place){c->from_fd, path}, (struct fs_place){folder_fd, path + 3}, NULL);
	return rc < 0 ? rc : fs_flush_folder(folder_fd);
}

static int copy_blobs(int blobs_fd, const char *dir, int dir_fd)
{
	_cleanup_(cleanup_close) int to_fd = -1;
	struct blob_copy c = {.from_fd = blobs_fd};
	char store_dir[STORE_PATH_MAX];
	int n = snprintf(store_dir, sizeof(store_dir), "%s/store", dir);
	int rc;

	if (n < 0 || (size_t)n >= sizeof(store_dir))
		return -ENAMETOOLONG;
	to_fd = fs_open_folder((struct fs_place){dir_fd, "blobs"}, true, BACKUP_DIR_MODE);
	if (to_fd < 0)
		return to_fd;
	c.to_fd = to_fd;
	rc = backup_each_blob(store_dir, copy_blob, &c);
	return rc < 0 ? rc : fs_flush_folder(to_fd);
}

static int copy_files(const char *state, int dir_fd)
{
	const struct fs_tree tree = {.leave_out = FILE_TEMP_PREFIX};
	_cleanup_(cleanup_close) int state_fd = -1;
	int rc;

	state_fd = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state_fd < 0)
		return -errno;
	rc = fs_copy_tree(
		&tree, (struct fs_place){state_fd, "files"}, (struct fs_place){dir_fd, "files"});
	return rc == -ENOENT ? 0 : rc;
}

static int backup_into(struct store *s, const char *state, const char *dir, int blobs_fd)
{
	_cleanup_(cleanup_close) int dir_fd = -1;
	int rc;

	if (mkdir(dir, BACKUP_DIR_MODE) < 0)
		return -errno;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return -errno;
	rc = copy_files(state, dir_fd);
	if (rc == 0)
		rc = copy_env(s, dir_fd);
	if (rc == 0)
		rc = copy_blobs(blobs_fd, dir, dir_fd);
	if (rc == 0)
		rc = fs_write_file(
			(struct fs_place){dir_fd, BACKUP_MARK_NAME}, SPAN_LIT(BACKUP_MARK));
	return rc < 0 ? rc : fs_flush_folder(dir_fd);
}

int store_backup(struct store *s, const char *state, const char *dir)
{
	_cleanup_(cleanup_close) int lock_fd = -1;
	int blobs_fd = -1;
	int rc;

	if (s->view != NULL)
		return -EDEADLK;
	rc = store_ready(s, STORE_READ);
	if (rc == 0)
		rc = store_blobs_fd(s, &blobs_fd);
	if (rc < 0)
		return rc;
	lock_fd = openat(blobs_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock_fd < 0 || flock(lock_fd, LOCK_SH) < 0)
		return -errno;
	return backup_into(s, state, dir, blobs_fd);
}
