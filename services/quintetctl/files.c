/* Small files, written whole: temporary name, flushed, renamed, folder flushed. */
#include "ctl.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { FILES_OPEN_MAX = 4096 };

int path_join(char ret[CTL_PATH_MAX], const char *format, ...)
{
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(ret, CTL_PATH_MAX, format, ap);
	va_end(ap);
	return len < 0 || len >= CTL_PATH_MAX ? -ENAMETOOLONG : 0;
}

/* The folder that path is in: "a/b" -> "a", "b" -> ".", "/b" -> "/". */
static int folder_of(const char *path, char ret[CTL_PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return path_join(ret, ".");
	return path_join(ret, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

int folder_flush_of(const char *path)
{
	_cleanup_(cleanup_close) int fd = -1;
	char folder[CTL_PATH_MAX];
	int r = folder_of(path, folder);

	if (r < 0)
		return r;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) != 0 ? -errno : 0;
}

static int write_temporary(const char *temporary, struct span bytes, mode_t mode)
{
	_cleanup_(cleanup_close) int fd = -1;
	int r;

	(void)unlink(temporary); /* of a run that was killed */
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = file_write_all(fd, bytes);
	if (r == 0 && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
		r = -errno;
	return r;
}

int file_write(const char *path, struct span bytes, mode_t mode)
{
	char temporary[CTL_PATH_MAX];
	int r = path_join(temporary, "%s.new", path);

	if (r < 0)
		return r;
	r = write_temporary(temporary, bytes, mode);
	if (r == 0 && rename(temporary, path) != 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(temporary);
		return r;
	}
	return folder_flush_of(path);
}

void ctl_many_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max < FILES_OPEN_MAX ? limit.rlim_max : FILES_OPEN_MAX;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

int folder_make(const char *path, mode_t mode)
{
	char parent[CTL_PATH_MAX];
	int r;

	if (mkdir(path, 0700) != 0) {
		if (errno == EEXIST)
			return 0;
		if (errno != ENOENT)
			return -errno;
		r = folder_of(path, parent);
		if (r == 0)
			r = folder_make(parent, 0755);
		if (r < 0)
			return r;
		if (mkdir(path, 0700) != 0)
			return errno == EEXIST ? 0 : -errno;
	}
	return chmod(path, mode) != 0 ? -errno : 0; /* whatever the umask is */
}
