/* Copies of files and trees, always relative to open folders, never through symbolic links. */
#include "store/fscopy.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Deeper than any path of ftpd's; two descriptors are open at each level. */
enum { CHUNK = 65536, DEPTH_MAX = 1100, MODE_BITS = 07777 };

static void cleanup_closedir(DIR **dir)
{
	if (*dir != NULL)
		(void)closedir(*dir);
}

/* Reads in to its end; out and hash may be missing. */
static int pump(int in, int out, struct hash *hash, uint64_t *ret_size)
{
	_cleanup_(cleanup_free) unsigned char *chunk = malloc(CHUNK);
	uint64_t size = 0;
	ssize_t n = 1;
	int rc = chunk == NULL ? -ENOMEM : 0;

	while (rc == 0 && n > 0) {
		n = read(in, chunk, CHUNK);
		if (n < 0)
			rc = -errno;
		if (rc == 0 && n > 0 && out >= 0)
			rc = file_write_all(out, span_of(chunk, (size_t)n));
		if (rc == 0 && n > 0 && hash != NULL)
			rc = hash_update(hash, span_of(chunk, (size_t)n));
		if (rc == 0)
			size += (uint64_t)n;
	}
	if (rc == 0 && ret_size != NULL)
		*ret_size = size;
	return rc;
}

static int open_regular(struct fs_place from, struct stat *ret)
{
	int fd = openat(from.dir_fd, from.name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		rc = -errno;
	else if (!S_ISREG(st.st_mode))
		rc = -EINVAL;
	if (rc < 0) {
		(void)close(fd);
		return rc;
	}
	*ret = st;
	return fd;
}

static int finish_copy(int fd, const struct stat *st)
{
	const struct timespec times[2] = {st->st_mtim, st->st_mtim};

	if (fchmod(fd, st->st_mode & MODE_BITS) < 0 || futimens(fd, times) < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

int fs_copy_file(struct fs_place from, struct fs_place to, unsigned char *ret_sha256)
{
	_cleanup_(cleanup_close) int in = -1;
	_cleanup_(cleanup_close) int out = -1;
	_cleanup_(hash_freep) struct hash *hash = NULL;
	struct stat st = {0};
	int rc = 0;

	in = open_regular(from, &st);
	if (in < 0)
		return in;
	out = openat(to.dir_fd, to.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return -errno;
	if (ret_sha256 != NULL)
		rc = hash_new(&hash);
	if (rc == 0)
		rc = pump(in, out, hash, NULL);
	if (rc == 0)
		rc = finish_copy(out, &st);
	if (rc == 0 && ret_sha256 != NULL)
		rc = hash_final(hash, ret_sha256);
	return rc;
}

int fs_hash_file(struct fs_place from, unsigned char ret_sha256[32], uint64_t *ret_size)
{
	_cleanup_(cleanup_close) int in = -1;
	_cleanup_(hash_freep) struct hash *hash = NULL;
	struct stat st;
	uint64_t size = 0;
	int rc;

	in = open_regular(from, &st);
	if (in < 0)
		return in;
	rc = hash_new(&hash);
	if (rc == 0)
		rc = pump(in, -1, hash, &size);
	if (rc == 0)
		rc = hash_final(hash, ret_sha256);
	if (rc == 0)
		*ret_size = size;
	return rc;
}

int fs_write_file(struct fs_place to, struct span bytes)
{
	_cleanup_(cleanup_close) int fd = -1;
	int rc;

	fd = openat(to.dir_fd, to.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	rc = file_write_all(fd, bytes);
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	return rc;
}

int fs_open_folder(struct fs_place at, bool make, unsigned mode)
{
	bool made = make && mkdirat(at.dir_fd, at.name, (mode_t)mode) == 0;
	int fd;

	if (make && !made && errno != EEXIST)
		return -errno;
	fd = openat(at.dir_fd, at.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (made && fchmod(fd, (mode_t)mode) < 0) {
		(void)close(fd);
		return -EPERM;
	}
	return fd;
}

int fs_flush_folder(int dir_fd)
{
	return fsync(dir_fd) < 0 ? -errno : 0;
}

/* -- trees ------------------------------------------------------------------------------------- */

static int copy_folder(const struct fs_tree *t, struct fs_place from, struct fs_place to);

/* The tree lives: what is gone since it was listed is left out, and what was listed twice is there.
 */
static int copy_one(const struct fs_tree *t, struct fs_place from, struct fs_place to)
{
	struct stat st;
	int rc;

	if (fstatat(from.dir_fd, from.name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode)) {
		rc = copy_folder(t, from, to);
	} else if (S_ISREG(st.st_mode)) {
		if (t->into)
			(void)unlinkat(to.dir_fd, to.name, 0);
		rc = fs_copy_file(from, to, NULL);
	} else {
		rc = 0;
	}
	return rc == -ENOENT || (rc == -EEXIST && !t->into) ? 0 : rc;
}

static int copy_entries(const struct fs_tree *t, DIR *dir, int to_fd)
{
	struct dirent *e;
	int rc = 0;

	while (rc == 0) {
		errno = 0;
		e = readdir(dir);
		if (e == NULL)
			return -errno;
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
			!span_starts(span_str(e->d_name), t->leave_out))
			rc = copy_one(t, (struct fs_place){dirfd(dir), e->d_name},
				(struct fs_place){to_fd, e->d_name});
	}
	return rc;
}

static int open_dir(struct fs_place from, DIR **ret)
{
	int fd = fs_open_folder(from, false, 0);

	if (fd < 0)
		return fd;
	*ret = fdopendir(fd);
	if (*ret != NULL)
		return 0;
	(void)close(fd);
	return -ENOMEM;
}

/* The folder to copy into; one that was there keeps its owner and mode. */
static int make_target(const struct fs_tree *t, struct fs_place to, bool *ret_made)
{
	bool made = mkdirat(to.dir_fd, to.name, 0700) == 0;

	if (!made && (errno != EEXIST || !t->into))
		return -errno;
	*ret_made = made;
	return fs_open_folder(to, false, 0);
}

static int copy_folder(const struct fs_tree *t, struct fs_place from, struct fs_place to)
{
	const struct fs_tree below = {t->leave_out, t->into, t->depth + 1};
	_cleanup_(cleanup_closedir) DIR *dir = NULL;
	_cleanup_(cleanup_close) int to_fd = -1;
	bool made = false;
	struct stat st;
	int rc;

	if (t->depth > DEPTH_MAX)
		return -ELOOP;
	rc = open_dir(from, &dir);
	if (rc < 0 || dir == NULL)
		return rc;
	if (fstat(dirfd(dir), &st) < 0)
		return -errno;
	to_fd = make_target(t, to, &made);
	if (to_fd < 0)
		return to_fd;
	rc = copy_entries(&below, dir, to_fd);
	if (rc < 0)
		return rc;
	return made ? finish_copy(to_fd, &st) : fs_flush_folder(to_fd);
}

int fs_copy_tree(const struct fs_tree *t, struct fs_place from, struct fs_place to)
{
	return copy_folder(t, from, to);
}
