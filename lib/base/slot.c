/* See slot.h. */
#include "base/slot.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static int open_folder(const char *runtime, int *ret_fd)
{
	_cleanup_(cleanup_close) int runtime_fd = open(runtime, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (runtime_fd < 0)
		return -errno;
	fd = openat(runtime_fd, "locks", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && mkdirat(runtime_fd, "locks", 02770) == 0)
		fd = openat(runtime_fd, "locks", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

/* 0, -EAGAIN: somebody else has it. */
static int try_slot(int folder_fd, const char *kind, unsigned number, int *ret_fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	_cleanup_(cleanup_close) int fd = -1;
	char name[32];

	(void)snprintf(name, sizeof(name), "%s.%u", kind, number);
	fd = openat(folder_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
	if (fd < 0)
		return -errno;
	/* Of the open file, so that a fork beside it changes nothing. */
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0)
		return errno == EACCES ? -EAGAIN : -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

int slot_try(const char *runtime, const char *kind, unsigned count, int *ret_fd)
{
	_cleanup_(cleanup_close) int folder_fd = -1;
	unsigned first = (unsigned)getpid();
	int r = open_folder(runtime, &folder_fd);

	if (r < 0)
		return r;
	/* Not all begin with the same file. */
	r = -EAGAIN;
	for (unsigned i = 0; i < count && r == -EAGAIN; i++)
		r = try_slot(folder_fd, kind, (first + i) % count, ret_fd);
	return r;
}
