/*
 * Files on this side. Whatever the server calls its files, nothing is read or written outside the
 * folder that the person named: every step below it is opened by itself, and links are not
 * followed.
 */
#include "client/ftp/ui.h"

#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

void local_split(const char *path, struct span *ret_folder, const char **ret_name)
{
	const char *slash = strrchr(path, '/');

	*ret_name = slash != NULL ? slash + 1 : path;
	*ret_folder = span_of(path, slash != NULL ? (size_t)(slash - path) : 0);
}

static int step(int fd, const char *name, bool make)
{
	int next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (next < 0 && errno == ENOENT && make) {
		if (mkdirat(fd, name, 0777) < 0 && errno != EEXIST)
			return -errno;
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	return next < 0 ? -errno : next;
}

int local_folder(int root_fd, struct span relative, bool make)
{
	_cleanup_(cleanup_close) int fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 3);
	struct span name;

	if (fd < 0)
		return -errno;
	while (span_split(&relative, '/', &name)) {
		char text[FTP_NAME_MAX + 1];
		int next;

		if (!walk_name_is_good(name) || span_copy_str(name, text, sizeof text) < 0)
			return -EINVAL;
		next = step(fd, text, make);
		if (next < 0)
			return next;
		cleanup_close(&fd);
		fd = next;
	}
	return take_fd(&fd);
}

int local_is_plain(int dir_fd, const char *name)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISREG(st.st_mode))
		return 0;
	return S_ISLNK(st.st_mode) ? -ELOOP : S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
}

static int parent_open(int root_fd, const char *path, const char **ret_name)
{
	struct span folder;

	local_split(path, &folder, ret_name);
	return local_folder(root_fd, folder, false);
}

static int digest_fd(struct ui *u, int fd, unsigned char ret[32])
{
	_cleanup_(hash_freep) struct hash *h = NULL;
	static unsigned char bytes[1U << 18];
	int r = hash_new(&h);

	while (r == 0) {
		ssize_t n = read(fd, bytes, sizeof bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return hash_final(h, ret);
		r = hash_update(h, span_of(bytes, (size_t)n));
		if (r == 0 && client_interrupted(u->client))
			r = -ECANCELED;
	}
	return r;
}

int local_digest(struct ui *u, int root_fd, const char *path, unsigned char ret[32])
{
	const char *name;
	_cleanup_(cleanup_close) int parent_fd = parent_open(root_fd, path, &name);
	_cleanup_(cleanup_close) int fd = -1;

	if (parent_fd < 0)
		return parent_fd;
	fd = openat(parent_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : digest_fd(u, fd, ret);
}

int local_remove(int root_fd, const char *path, bool folder)
{
	const char *name;
	_cleanup_(cleanup_close) int parent_fd = parent_open(root_fd, path, &name);

	if (parent_fd < 0)
		return parent_fd;
	return unlinkat(parent_fd, name, folder ? AT_REMOVEDIR : 0) < 0 ? -errno : 0;
}
