/* One lock file for each hash that may run; a killed process lets go by itself. */
#include "auth/slot.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

enum { PAUSE_MS = 10 };

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
static int try_slot(int folder_fd, unsigned number, int *ret_fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	_cleanup_(cleanup_close) int fd = -1;
	char name[32];

	(void)snprintf(name, sizeof(name), "password.%u", number);
	fd = openat(folder_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
	if (fd < 0)
		return -errno;
	/* Of the open file, so that a fork beside it changes nothing. */
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0)
		return errno == EACCES ? -EAGAIN : -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

static int try_all(int folder_fd, int *ret_fd)
{
	unsigned first = (unsigned)getpid();
	int r = -EAGAIN;

	/* Not all begin with the same file. */
	for (unsigned i = 0; i < SLOT_COUNT && r == -EAGAIN; i++)
		r = try_slot(folder_fd, (first + i) % SLOT_COUNT, ret_fd);
	return r;
}

int slot_take(const char *runtime, int *ret_fd)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
	int64_t until_ms = time_monotonic_ms() + SLOT_WAIT_MS;
	_cleanup_(cleanup_close) int folder_fd = -1;
	int r;

	if (runtime == NULL) {
		*ret_fd = -1;
		return 0;
	}
	r = open_folder(runtime, &folder_fd);
	if (r < 0)
		return r;
	for (;;) {
		r = try_all(folder_fd, ret_fd);
		if (r != -EAGAIN || time_monotonic_ms() >= until_ms)
			return r;
		(void)nanosleep(&pause, NULL);
	}
}
