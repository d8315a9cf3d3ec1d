/* Attempts on sockets. */
#include "base/cleanup.h"
#include "tests/unit/lib/walls.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int try_protocol(int family, int type, int protocol)
{
	_cleanup_(cleanup_close) int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	return fd < 0 ? errno : 0;
}

static int try_socket(int family, int type)
{
	return try_protocol(family, type, 0);
}

int attempt_inet(void)
{
	return try_socket(AF_INET, SOCK_STREAM);
}

int attempt_inet6(void)
{
	return try_protocol(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
}

int attempt_inet_datagram(void)
{
	return try_socket(AF_INET, SOCK_DGRAM);
}

int attempt_mptcp(void)
{
	return try_protocol(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
}

int attempt_netlink(void)
{
	return try_socket(AF_NETLINK, SOCK_RAW);
}

int attempt_packet(void)
{
	return try_socket(AF_PACKET, SOCK_RAW);
}

/* Nobody listens on loopback port 1: ECONNREFUSED where the wall is missing. */
int attempt_tcp_connect(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(1),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	_cleanup_(cleanup_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	return connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? errno : 0;
}

int attempt_tcp_bind(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	_cleanup_(cleanup_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	return bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? errno : 0;
}

/* To an abstract socket that somebody outside listens on: the test's parent. */
static int abstract_address(struct sockaddr_un *ret, pid_t owner)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	return (int)offsetof(struct sockaddr_un, sun_path) + 1 +
		snprintf(ret->sun_path + 1, sizeof(ret->sun_path) - 1, "quintet-walls-%d",
			(int)owner);
}

int walls_abstract_listener(void)
{
	struct sockaddr_un at;
	int len = abstract_address(&at, getpid());
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, (socklen_t)len) < 0 || listen(fd, 8) < 0)
		return -1;
	return fd;
}

int attempt_abstract(void)
{
	struct sockaddr_un to;
	int len = abstract_address(&to, getppid());
	_cleanup_(cleanup_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	return connect(fd, (struct sockaddr *)&to, (socklen_t)len) < 0 ? errno : 0;
}

static int bind_path(int fd, const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	unlink(path);
	return bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? errno : 0;
}

int attempt_socket_inside(void)
{
	_cleanup_(cleanup_close) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r = fd < 0 ? errno : bind_path(fd, "write/bell");

	unlink("write/bell");
	return r;
}

/* A bell: bound, 0660, rung and heard. */
int attempt_unix_datagram(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "write/bell"};
	_cleanup_(cleanup_close) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char byte;
	int r = fd < 0 ? errno : bind_path(fd, "write/bell");

	if (r != 0)
		return r;
	if (chmod("write/bell", 0660) < 0)
		return errno;
	if (sendto(fd, "!", 1, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&at, sizeof(at)) !=
		1)
		return errno;
	if (recv(fd, &byte, 1, MSG_DONTWAIT) != 1)
		return errno;
	return unlink("write/bell") < 0 ? errno : 0;
}

/* To the keeper, or of cad to cad-signer; nobody listens here. */
int attempt_unix_stream(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "write/signer.sock"};
	_cleanup_(cleanup_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return 0;
	return errno == ENOENT ? 0 : errno;
}

int walls_listener_fd = -1;

int attempt_accept(void)
{
	int fd = accept4(walls_listener_fd, NULL, NULL, SOCK_CLOEXEC);

	return fd < 0 ? errno : 0;
}
