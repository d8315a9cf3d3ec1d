/* Removing files of blobs that no row refers to. */
#include "store/blob_i.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "store/row.h"
#include "store/store_i.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ORPHAN_AGE_US (INT64_C(3600) * 1000000)

static void cleanup_closedir(DIR **dir)
{
	if (*dir != NULL)
		(void)closedir(*dir);
}

bool blob_of_name(const char *name, unsigned char ret[BLOB_ID_LEN])
{
	struct buf b = BUF_INIT(BLOB_ID_LEN);
	bool ok = strlen(name) == (size_t)2 * BLOB_ID_LEN && text_unhex(&b, span_str(name)) == 0 &&
		b.len == BLOB_ID_LEN;

	if (ok)
		memcpy(ret, b.p, BLOB_ID_LEN);
	buf_done(&b);
	return ok;
}

static int open_dir(int at_fd, const char *name, DIR **ret)
{
	int fd = openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (dir == NULL) {
		(void)close(fd);
		return -ENOMEM;
	}
	*ret = dir;
	return 0;
}

static bool is_old(int dir_fd, const char *name, int64_t now_us)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		now_us - (int64_t)st.st_mtim.tv_sec * 1000000 > ORPHAN_AGE_US;
}

/* 1 removed, 0 kept. */
static int sweep_file(struct store *s, int dir_fd, const char *name, int64_t now_us)
{
	unsigned char id[BLOB_ID_LEN];
	uint64_t size;
	int rc;

	if (!blob_of_name(name, id) || !is_old(dir_fd, name, now_us))
		return 0;
	rc = blob_size(s, id, &size);
	if (rc != -ENOENT)
		return rc;
	return unlinkat(dir_fd, name, 0) < 0 ? -errno : 1;
}

static int sweep_tmp(struct store *s, int dir_fd, const char *name, int64_t now_us)
{
	(void)s;
	if (!is_old(dir_fd, name, now_us))
		return 0;
	return unlinkat(dir_fd, name, 0) < 0 ? -errno : 1;
}

static int sweep_folder(
	struct store *s, int blobs_fd, const char *name, int64_t now_us, uint64_t *count)
{
	_cleanup_(cleanup_closedir) DIR *dir = NULL;
	bool tmp = strcmp(name, "tmp") == 0;
	struct dirent *e;
	int rc = open_dir(blobs_fd, name, &dir);

	while (rc >= 0 && dir != NULL) {
		errno = 0;
		e = readdir(dir);
		if (e == NULL)
			return errno != 0 ? -errno : 0;
		rc = (tmp ? sweep_tmp : sweep_file)(s, dirfd(dir), e->d_name, now_us);
		*count += rc == 1;
	}
	return rc;
}

/* A writer holds the shared lock for a moment, a backup for long: those folders wait for the next
 * sweep. */
static int sweep_locked(
	struct store *s, int blobs_fd, const char *name, int64_t now_us, uint64_t *count)
{
	_cleanup_(cleanup_close) int lock_fd = -1;

	lock_fd = openat(blobs_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock_fd < 0)
		return -errno;
	if (flock(lock_fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? 0 : -errno;
	return sweep_folder(s, blobs_fd, name, now_us, count);
}

int blob_sweep_files(struct store *s, int64_t now_us, uint64_t *ret)
{
	uint64_t count = 0;
	char name[3];
	int blobs_fd = -1;
	int rc = store_blobs_fd(s, &blobs_fd);

	if (rc == 0)
		rc = sweep_locked(s, blobs_fd, "tmp", now_us, &count);
	if (rc == -ENOENT)
		rc = 0;
	for (unsigned i = 0; rc == 0 && i < 256; i++) {
		(void)snprintf(name, sizeof(name), "%02x", i);
		rc = sweep_locked(s, blobs_fd, name, now_us, &count);
		if (rc == -ENOENT)
			rc = 0;
	}
	if (rc == 0)
		*ret = count;
	return rc;
}
