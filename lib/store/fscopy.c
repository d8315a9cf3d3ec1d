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

enum { CHUNK = 65536, DEPTH_MAX = 64, MODE_BITS = 07777 };

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

static int copy_folder(struct fs_place from, struct fs_place to, unsigned depth);

static int copy_entry(int from_fd, int to_fd, const char *name, unsigned depth)
{
	const struct fs_place from = {from_fd, name}, to = {to_fd, name};
	struct stat st;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (fstatat(from_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno; /* removed meanwhile */
	if (S_ISDIR(st.st_mode))
		return copy_folder(from, to, depth + 1);
	return S_ISREG(st.st_mode) ? fs_copy_file(from, to, NULL) : 0;
}

static int copy_entries(int from_fd, int to_fd, unsigned depth)
{
	_cleanup_(cleanup_closedir) DIR *dir = NULL;
	struct dirent *e;
	int fd = fcntl(from_fd, F_DUPFD_CLOEXEC, 0);
	int rc = 0;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (dir == NULL) {
		(void)close(fd);
		return -ENOMEM;
	}
	while (rc == 0) {
		errno = 0;
		e = readdir(dir);
		if (e == NULL)
			return -errno;
		rc = copy_entry(from_fd, to_fd, e->d_name, depth);
	}
	return rc;
}

static int copy_folder(struct fs_place from, struct fs_place to, unsigned depth)
{
	_cleanup_(cleanup_close) int from_fd = -1;
	_cleanup_(cleanup_close) int to_fd = -1;
	struct stat st;
	int rc;

	if (depth > DEPTH_MAX)
		return -ELOOP;
	from_fd = fs_open_folder(from, false, 0);
	if (from_fd < 0)
		return from_fd;
	if (fstat(from_fd, &st) < 0 || mkdirat(to.dir_fd, to.name, 0700) < 0)
		return -errno;
	to_fd = fs_open_folder(to, false, 0);
	if (to_fd < 0)
		return to_fd;
	rc = copy_entries(from_fd, to_fd, depth);
	if (rc == 0)
		rc = finish_copy(to_fd, &st);
	return rc;
}

int fs_copy_tree(struct fs_place from, struct fs_place to)
{
	return copy_folder(from, to, 0);
}
