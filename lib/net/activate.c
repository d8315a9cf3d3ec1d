/*
 * Taking over the socket that somebody else made. Whatever the starter did, afterwards the sockets
 * stand at 3 and up, 0 and 1 lead nowhere, and 2 does not lead to the peer.
 */
#include "net/activate.h"

#include "base/cleanup.h"
#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { FIRST_FD = 3 };

/* An environment variable as a number of at most max. */
static int env_number(const char *name, uint64_t max, uint64_t *ret)
{
	const char *text = getenv(name);

	return text != NULL ? num_parse_u64(span_str(text), 0, max, ret) : -ENOENT;
}

/* How many descriptors systemd's protocol gives us (sd_listen_fds(3)); 0: none meant for us. */
static int listen_fds(size_t *ret)
{
	uint64_t pid = 0, count = 0;
	bool ours = env_number("LISTEN_PID", INT_MAX, &pid) == 0 && (pid_t)pid == getpid();
	int r = ours ? env_number("LISTEN_FDS", INT_MAX, &count) : 0;

	if (unsetenv("LISTEN_PID") < 0 || unsetenv("LISTEN_FDS") < 0 ||
		unsetenv("LISTEN_FDNAMES") < 0)
		return -errno;
	if (r < 0)
		return -EINVAL;
	if (count > NET_ACTIVATE_MAX)
		return -E2BIG;
	*ret = (size_t)count;
	return 0;
}

static bool same_file(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
		sa.st_ino == sb.st_ino;
}

static int to_null(int fd)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int r = 0;

	if (null_fd < 0)
		return -errno;
	if (null_fd == fd) {
		if (fcntl(fd, F_SETFD, 0) < 0)
			r = -errno;
		return r;
	}
	if (dup2(null_fd, fd) < 0)
		r = -errno;
	(void)close(null_fd);
	return r;
}

/*
 * Closes the way on which error text could reach the peer. Done first, so that it holds even where
 * the rest fails.
 */
static int guard_stderr(size_t count)
{
	bool leads_out = fcntl(2, F_GETFD) < 0 || same_file(0, 2);

	for (size_t i = 0; i < count && !leads_out; i++)
		leads_out = same_file(FIRST_FD + (int)i, 2);
	return leads_out ? to_null(2) : 0;
}

/* Is it a stream socket, and does it listen? */
static int classify(int fd, bool *ret_listening)
{
	int type = 0, listening = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_STREAM)
		return -EINVAL;
	len = sizeof(listening);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0)
		return -EINVAL;
	*ret_listening = listening != 0;
	return 0;
}

static int take_all(size_t count, struct net_activation *a)
{
	a->count = count;
	for (size_t i = 0; i < count; i++) {
		int fd = FIRST_FD + (int)i;
		bool listening = false;

		if (classify(fd, &listening) < 0 || (i > 0 && listening != a->listening))
			return -EINVAL;
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return -errno;
		a->listening = listening;
		a->fds[i] = fd;
	}
	return count > 1 && !a->listening ? -EINVAL : 0;
}

int net_activate(struct net_activation *ret)
{
	struct net_activation a = {0};
	bool from_stdin;
	size_t count = 0;
	int r = listen_fds(&count);
	int guard = guard_stderr(count);

	if (r < 0 || guard < 0)
		return r < 0 ? r : guard;
	from_stdin = count == 0;
	if (from_stdin) {
		if (classify(0, &a.listening) < 0)
			return -EINVAL;
		if (dup3(0, FIRST_FD, O_CLOEXEC) < 0)
			return -errno;
		count = 1;
	}
	r = take_all(count, &a);
	if (r < 0)
		return r;
	if (close_range(FIRST_FD + (unsigned)count, UINT_MAX, 0) < 0)
		return -errno;
	r = to_null(0);
	if (r == 0)
		r = to_null(1);
	if (r == 0)
		*ret = a;
	return r;
}
