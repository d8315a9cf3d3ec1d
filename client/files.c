/* See files.h. */
#include "client/files.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#define NAME_SIZE 96

int files_read(int dir_fd, const char *name, struct buf *ret)
{
	_cleanup_(cleanup_close) int fd =
		openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	for (;;) {
		size_t room = ret->max - ret->len < 4096 ? ret->max - ret->len : 4096;
		unsigned char *p = buf_reserve(ret, room > 0 ? room : 1);
		ssize_t n;

		if (p == NULL)
			return buf_error(ret) == -ENOBUFS ? -EFBIG : buf_error(ret);
		n = read(fd, p, room);
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		buf_commit(ret, (size_t)n);
	}
}

static int bytes_write(int fd, struct span bytes)
{
	int r = file_write_all(fd, bytes);

	return r == 0 && fsync(fd) < 0 ? -errno : r;
}

int files_write(int dir_fd, const char *name, struct span bytes)
{
	char temporary[NAME_SIZE];
	_cleanup_(cleanup_close) int fd = -1;
	int r;

	if (snprintf(temporary, sizeof temporary, ".%s.new", name) >= (int)sizeof temporary)
		return -ENAMETOOLONG;
	/* One that a crash left behind may have had any mode. */
	(void)unlinkat(dir_fd, temporary, 0);
	fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = bytes_write(fd, bytes);
	if (r == 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dir_fd, temporary, 0);
		return r;
	}
	return fsync(dir_fd) < 0 ? -errno : 0;
}

int files_remove(int dir_fd, const char *name)
{
	return unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int entry_remove(int dir_fd, const char *name)
{
	int r = files_remove(dir_fd, name);

	return r == -EISDIR || r == -EPERM ? files_remove_folder(dir_fd, name) : r;
}

static int entries_remove(DIR *dir)
{
	const struct dirent *e;
	int r = 0;

	while (r == 0 && (e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = entry_remove(dirfd(dir), e->d_name);
	return r;
}

int files_remove_folder(int parent_fd, const char *name)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	int r = dir == NULL ? -errno : entries_remove(dir);

	if (dir != NULL)
		closedir(dir);
	else
		cleanup_close(&fd);
	if (r == 0 && unlinkat(parent_fd, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

void files_lock(int dir_fd, bool exclusive)
{
	while (flock(dir_fd, exclusive ? LOCK_EX : LOCK_SH) < 0 && errno == EINTR)
		;
}

void files_unlock(int dir_fd)
{
	(void)flock(dir_fd, LOCK_UN);
}
