/*
 * Restore: blobs first, each checked against its digest, then ftpd's tree, then the environment
 * under its final name, so that a state with a store in it is whole. Live sessions of the old world
 * are forgotten.
 */
#include "store/backup_i.h"

#include "base/timefmt.h"
#include "store/blob_i.h"
#include "store/file_restore.h"
#include "store/fscopy.h"
#include "store/mail_i.h"
#include "store/store_i.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define STAGE "restore"

struct restorer {
	const char *dir, *state; /* as given */
	int dir_fd, state_fd;
	int from_fd, to_fd; /* the blobs' folders */
};

static int check_mark(int dir_fd)
{
	_cleanup_(cleanup_close) int fd = -1;
	char text[sizeof(BACKUP_MARK)];
	ssize_t n;

	fd = openat(dir_fd, BACKUP_MARK_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text));
	if (n == (ssize_t)sizeof(BACKUP_MARK) - 1 && memcmp(text, BACKUP_MARK, (size_t)n) == 0)
		return 0;
	env_reason("this is not a whole backup: its file %s is missing or of another version",
		BACKUP_MARK_NAME);
	return -EBADMSG;
}

/* One blob: its file copied and compared, or its row's bytes compared. */
static int restore_blob(void *arg, const unsigned char *id, const struct blob_row *row)
{
	const struct restorer *r = arg;
	_cleanup_(cleanup_close) int folder_fd = -1;
	unsigned char digest[BLOB_ID_LEN];
	char path[BLOB_PATH_SIZE], folder[3] = "";
	int rc;

	if (!row->is_file)
		return blob_check_inline(id, row);
	blob_path(id, path);
	memcpy(folder, path, 2);
	folder_fd = fs_open_folder((struct fs_place){r->to_fd, folder}, true, STORE_DIR_MODE);
	if (folder_fd < 0)
		return folder_fd;
	(void)unlinkat(folder_fd, path + 3, 0); /* of an attempt that failed */
	rc = fs_copy_file((struct fs_place){r->from_fd, path},
		(struct fs_place){folder_fd, path + 3}, digest);
	if (rc == -ENOENT || (rc == 0 && memcmp(digest, id, sizeof(digest)) != 0)) {
		env_reason("the backup's blob %s is %s", path, rc == 0 ? "damaged" : "missing");
		return -EBADMSG;
	}
	if (rc == 0 && fchmodat(folder_fd, path + 3, STORE_FILE_MODE, 0) < 0)
		rc = -errno;
	return rc < 0 ? rc : fs_flush_folder(folder_fd);
}

static int restore_blobs(struct restorer *r)
{
	_cleanup_(cleanup_close) int from_fd = -1;
	_cleanup_(cleanup_close) int to_fd = -1;
	char store_dir[STORE_PATH_MAX];
	int n = snprintf(store_dir, sizeof(store_dir), "%s/store", r->dir);
	int rc;

	if (n < 0 || (size_t)n >= sizeof(store_dir))
		return -ENAMETOOLONG;
	from_fd = fs_open_folder((struct fs_place){r->dir_fd, "blobs"}, false, 0);
	if (from_fd < 0)
		return from_fd;
	to_fd = fs_open_folder((struct fs_place){r->state_fd, "blobs"}, false, 0);
	if (to_fd < 0)
		return to_fd;
	r->from_fd = from_fd;
	r->to_fd = to_fd;
	rc = backup_each_blob(store_dir, restore_blob, r);
	return rc < 0 ? rc : fs_flush_folder(to_fd);
}

/* The environment is made ready in a folder of its own, so that it appears finished. */
static int stage_env(const struct restorer *r, int stage_fd)
{
	const struct fs_place from = {r->dir_fd, "store/data.mdb"};
	char path[STORE_PATH_MAX + sizeof("/store/" STAGE)];
	int rc;

	(void)snprintf(path, sizeof(path), "%s/store/" STAGE, r->state);
	(void)unlinkat(stage_fd, "data.mdb", 0);
	rc = fs_copy_file(from, (struct fs_place){stage_fd, "data.mdb"}, NULL);
	if (rc == 0 && fchmodat(stage_fd, "data.mdb", STORE_FILE_MODE, 0) < 0)
		rc = -errno;
	return rc < 0 ? rc : file_restore_rows(path, r->state_fd);
}

static int restore_env(const struct restorer *r)
{
	_cleanup_(cleanup_close) int store_fd = -1;
	_cleanup_(cleanup_close) int stage_fd = -1;
	int rc;

	store_fd = fs_open_folder((struct fs_place){r->state_fd, "store"}, false, 0);
	if (store_fd < 0)
		return store_fd;
	stage_fd = fs_open_folder((struct fs_place){store_fd, STAGE}, true, STORE_DIR_MODE);
	if (stage_fd < 0)
		return stage_fd;
	rc = stage_env(r, stage_fd);
	if (rc < 0)
		return rc;
	if (renameat(stage_fd, "data.mdb", store_fd, "data.mdb") < 0)
		return -errno;
	(void)unlinkat(store_fd, STAGE, AT_REMOVEDIR);
	return fs_flush_folder(store_fd);
}

static int drop_table(struct store_txn *txn, enum key_table table)
{
	struct key prefix = key_table(table);
	struct span key, value;
	int rc;

	while ((rc = kv_seek(txn, key_span(&prefix), key_span(&prefix), &key, &value)) == 0) {
		rc = kv_del(txn, key);
		if (rc < 0)
			return rc;
	}
	return rc == -ENOENT ? 0 : rc;
}

/* Each leaves as one whose process has died: whoever was in chat then is not there now. */
static int end_sessions(struct store_txn *txn)
{
	struct key prefix = key_table(KEY_SESSION);
	struct session_row row;
	struct span key, value;
	int rc;

	while ((rc = kv_seek(txn, key_span(&prefix), key_span(&prefix), &key, &value)) == 0) {
		rc = session_decode(key, value, &row);
		if (rc == 0)
			rc = session_drop(txn, row.service, row.id);
		if (rc < 0)
			return rc;
	}
	return rc == -ENOENT ? 0 : rc;
}

static int forget_sessions(struct store_txn *txn)
{
	const struct audit_note note = {kv_now_us(txn), "restore", "", "quintetctl"};
	uint32_t schema = 0;
	int rc = schema_read(txn, &schema);

	if (rc == 0 && schema > STORE_SCHEMA)
		rc = -ESTALE;
	if (rc == 0 && schema == STORE_SCHEMA)
		rc = end_sessions(txn);
	if (rc == 0)
		rc = drop_table(txn, KEY_SESSION);
	if (rc == 0)
		rc = drop_table(txn, KEY_BELL);
	if (rc == 0)
		rc = drop_table(txn, KEY_BELL_SESSION);
	if (rc == 0)
		rc = drop_table(txn, KEY_RESERVATION);
	if (rc == 0 && schema == STORE_SCHEMA)
		rc = mail_restore(txn);
	if (rc < 0 || schema != STORE_SCHEMA) /* an older schema: quintetctl migrate comes next */
		return rc;
	return audit_note(txn, &note, "from a backup");
}

static int begin_world(const char *state)
{
	_cleanup_(kv_closep) struct kv_env *env = NULL;
	_cleanup_(cleanup_close) int guard_fd = -1;
	struct store_txn *txn = NULL;
	int rc = env_open(state, STORE_CREATE, &env, &guard_fd);

	if (rc == 0)
		rc = kv_begin(env, true, time_now_us(), &txn);
	if (rc < 0)
		return rc;
	rc = forget_sessions(txn);
	if (rc == 0)
		return kv_commit(txn);
	kv_abort(txn);
	return rc;
}

static int restore_all(struct restorer *r)
{
	int rc = restore_blobs(r);

	if (rc == 0)
		rc = file_restore_tree(r->dir_fd, r->state_fd, r->state);
	if (rc == 0)
		rc = restore_env(r);
	if (rc == 0)
		rc = fs_flush_folder(r->state_fd);
	return rc < 0 ? rc : begin_world(r->state);
}

int store_restore(const char *dir, const char *state)
{
	_cleanup_(cleanup_close) int dir_fd = -1;
	_cleanup_(cleanup_close) int state_fd = -1;
	struct restorer r = {.dir = dir, .state = state};
	int rc;

	env_reason("%s", "");
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return -errno;
	rc = check_mark(dir_fd);
	if (rc == 0)
		rc = env_make_folders(state);
	if (rc < 0)
		return rc;
	state_fd = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state_fd < 0)
		return -errno;
	if (faccessat(state_fd, "store/data.mdb", F_OK, 0) == 0) {
		env_reason("%s holds a store already", state);
		return -EEXIST;
	}
	r.dir_fd = dir_fd;
	r.state_fd = state_fd;
	return restore_all(&r);
}
