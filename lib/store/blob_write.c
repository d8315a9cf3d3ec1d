/*
 * Writing a blob. Up to BLOB_INLINE_MAX bytes stay in memory; more go to a temporary file, which is
 * flushed and renamed to its digest. The rename happens under a shared lock of the blobs' folder:
 * the sweep looks and removes under the exclusive one, so a file that has just come back to life
 * cannot be taken for an old orphan.
 */
#include "store/blob.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"
#include "store/blob_i.h"
#include "store/store_i.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TMP_NAME_SIZE = 40, TMP_RANDOM = 16 };

struct blob_writer {
	int blobs_fd; /* the store's */
	int fd; /* the temporary, -1 while all is in memory */
	char tmp[TMP_NAME_SIZE];
	struct buf memory;
	struct hash *hash;
	uint64_t size, max;
	bool sealed;
};

static void hex(const unsigned char *p, size_t len, char *ret)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		ret[2 * i] = digits[p[i] >> 4];
		ret[2 * i + 1] = digits[p[i] & 15];
	}
	ret[2 * len] = '\0';
}

void blob_path(const unsigned char *id, char ret[BLOB_PATH_SIZE])
{
	hex(id, 1, ret);
	ret[2] = '/';
	hex(id, BLOB_ID_LEN, ret + 3);
}

int blob_begin(struct store *s, uint64_t max_bytes, struct blob_writer **ret)
{
	_cleanup_(blob_endp) struct blob_writer *w = calloc(1, sizeof(*w));
	int rc;

	if (w == NULL)
		return -ENOMEM;
	w->fd = -1;
	w->max = max_bytes;
	w->memory = BUF_INIT(BLOB_INLINE_MAX);
	rc = hash_new(&w->hash);
	if (rc == 0)
		rc = store_blobs_fd(s, &w->blobs_fd);
	if (rc == 0)
		*ret = take_ptr(&w);
	return rc;
}

/* The walls of a service let no mode be changed; there it comes out right by itself, from its umask
 * and from the folder above, which hands down its group. */
static int make_dir_at(int dir_fd, const char *name, bool *ret_made)
{
	struct stat st;

	*ret_made = mkdirat(dir_fd, name, STORE_DIR_MODE & 0777) == 0;
	if (!*ret_made)
		return errno == EEXIST ? 0 : -errno;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if ((st.st_mode & 07777) == STORE_DIR_MODE)
		return 0;
	return fchmodat(dir_fd, name, STORE_DIR_MODE, 0) < 0 ? -errno : 0;
}

static int set_file_mode(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((st.st_mode & 07777) == STORE_FILE_MODE)
		return 0;
	return fchmod(fd, STORE_FILE_MODE) < 0 ? -errno : 0;
}

/* Too much for a row: what was gathered so far begins the file. */
static int spill(struct blob_writer *w)
{
	unsigned char random[TMP_RANDOM];
	char name[2 * TMP_RANDOM + 1];
	bool made;
	int rc = hash_random(random, sizeof(random));

	if (rc == 0)
		rc = make_dir_at(w->blobs_fd, "tmp", &made);
	if (rc < 0)
		return rc;
	hex(random, sizeof(random), name);
	(void)snprintf(w->tmp, sizeof(w->tmp), "tmp/%s", name);
	w->fd = openat(
		w->blobs_fd, w->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, STORE_FILE_MODE);
	if (w->fd < 0)
		return -errno;
	rc = file_write_all(w->fd, buf_span(&w->memory));
	buf_done(&w->memory);
	return rc;
}

int blob_write(struct blob_writer *w, struct span bytes)
{
	int rc;

	if (w->sealed)
		return -EINVAL;
	if (bytes.len > w->max - w->size)
		return -EFBIG;
	rc = hash_update(w->hash, bytes);
	if (rc == 0 && w->fd < 0 && w->size + bytes.len > BLOB_INLINE_MAX)
		rc = spill(w);
	if (rc == 0 && w->fd >= 0)
		rc = file_write_all(w->fd, bytes);
	if (rc == 0 && w->fd < 0) {
		buf_add(&w->memory, bytes);
		rc = buf_error(&w->memory);
	}
	if (rc == 0)
		w->size += bytes.len;
	return rc;
}

static int flush_dir(int dir_fd, const char *name)
{
	_cleanup_(cleanup_close) int fd = -1;

	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

/* Gives the file its name. Its time is renewed: an hour is left for the commit that refers to it.
 */
static int rename_flushed(struct blob_writer *w, const unsigned char *id)
{
	char path[BLOB_PATH_SIZE], dir[3] = "";
	bool made = false;
	int rc;

	blob_path(id, path);
	memcpy(dir, path, 2);
	rc = make_dir_at(w->blobs_fd, dir, &made);
	if (rc == 0)
		rc = set_file_mode(w->fd);
	if (rc < 0)
		return rc;
	if (futimens(w->fd, NULL) < 0 || fsync(w->fd) < 0 ||
		renameat(w->blobs_fd, w->tmp, w->blobs_fd, path) < 0)
		return -errno;
	w->tmp[0] = '\0';
	rc = flush_dir(w->blobs_fd, dir);
	if (rc == 0 && made)
		rc = fsync(w->blobs_fd) < 0 ? -errno : 0;
	return rc;
}

/* flock() is per open description, and the store's descriptor is one: a fresh one is locked. */
static int seal_file(struct blob_writer *w, const unsigned char *id)
{
	_cleanup_(cleanup_close) int lock_fd = -1;

	lock_fd = openat(w->blobs_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock_fd < 0 || flock(lock_fd, LOCK_SH) < 0)
		return -errno;
	return rename_flushed(w, id);
}

int blob_seal(struct blob_writer *w, struct blob_sealed *ret)
{
	struct blob_sealed sealed = {.size = w->size};
	int rc = w->sealed ? -EINVAL : hash_final(w->hash, sealed.id);

	if (rc < 0)
		return rc;
	w->sealed = true;
	if (w->fd >= 0)
		rc = seal_file(w, sealed.id);
	else
		sealed.inline_bytes = buf_span(&w->memory);
	if (rc == 0)
		*ret = sealed;
	return rc;
}

void blob_end(struct blob_writer *w)
{
	if (w == NULL)
		return;
	if (w->tmp[0] != '\0')
		(void)unlinkat(w->blobs_fd, w->tmp, 0);
	cleanup_close(&w->fd);
	hash_freep(&w->hash);
	buf_done(&w->memory);
	free(w);
}

void blob_endp(struct blob_writer **w)
{
	blob_end(*w);
}
