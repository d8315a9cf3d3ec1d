/* The datagram to the service manager. */
#include "net/notify.h"

#include "base/cleanup.h"
#include "base/num.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

int notify_send(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	union {
		struct sockaddr any;
		struct sockaddr_un un;
	} to = {.un = {.sun_family = AF_UNIX}};
	_cleanup_(cleanup_close) int fd = -1;
	size_t len;

	if (path == NULL)
		return 0;
	len = strlen(path);
	if ((path[0] != '/' && path[0] != '@') || len < 2 || len >= sizeof(to.un.sun_path))
		return -EINVAL;
	memcpy(to.un.sun_path, path, len);
	if (path[0] == '@')
		to.un.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, &to.any,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		return -errno;
	return 0;
}

unsigned notify_watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t us = 0, who = 0;

	if (usec == NULL || num_parse_u64(span_str(usec), 2000, UINT64_C(1000) * INT_MAX, &us) < 0)
		return 0;
	if (pid != NULL &&
		(num_parse_u64(span_str(pid), 1, INT_MAX, &who) < 0 || (pid_t)who != getpid()))
		return 0;
	return (unsigned)(us / 2000);
}
