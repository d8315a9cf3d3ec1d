/* SIGTERM as something that a session's loop waits for. */
#include "service/service.h"

#include "base/cleanup.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

int service_watch_end(sigset_t *ret_old, int *ret_fd)
{
	sigset_t wanted;
	int fd;

	(void)sigemptyset(&wanted);
	(void)sigaddset(&wanted, SIGTERM);
	fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (sigprocmask(SIG_BLOCK, &wanted, ret_old) < 0) {
		cleanup_close(&fd);
		return -errno;
	}
	*ret_fd = fd;
	return 0;
}

void service_unwatch_end(const sigset_t *old, int *fd)
{
	struct signalfd_siginfo info;

	/* Taken, or it would strike with the old mask. */
	(void)!read(*fd, &info, sizeof(info));
	cleanup_close(fd);
	(void)sigprocmask(SIG_SETMASK, old, NULL);
}
