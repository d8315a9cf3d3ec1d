/* Addresses: the one that a peer is told, and those to which a peer may send us. */
#include "client/peer/peer_i.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

enum { PORT_LEAST = 1024, BACKLOG = 4 };

static socklen_t own(const struct talk *t, struct sockaddr_storage *ret)
{
	socklen_t len = sizeof *ret;
	int fd = talk_socket(t);

	*ret = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
	if (fd < 0 || getsockname(fd, (struct sockaddr *)ret, &len) < 0)
		return 0;
	if (ret->ss_family == AF_INET)
		return sizeof(struct sockaddr_in);
	return ret->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : 0;
}

bool place_own(const struct talk *t, char ret[DCC_ADDRESS_SIZE])
{
	struct sockaddr_storage ss;
	const void *at = &((const struct sockaddr_in *)&ss)->sin_addr;

	if (own(t, &ss) == 0)
		return false;
	if (ss.ss_family == AF_INET6)
		at = &((const struct sockaddr_in6 *)&ss)->sin6_addr;
	return inet_ntop(ss.ss_family, at, ret, DCC_ADDRESS_SIZE) != NULL;
}

static void port_set(struct sockaddr_storage *ss, uint16_t port)
{
	if (ss->ss_family == AF_INET6)
		((struct sockaddr_in6 *)ss)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)ss)->sin_port = htons(port);
}

static uint16_t port_of(const struct sockaddr_storage *ss)
{
	return ss->ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)ss)->sin6_port)
					 : ntohs(((const struct sockaddr_in *)ss)->sin_port);
}

int place_listen(const struct talk *t, int *ret_fd, uint16_t *ret_port)
{
	_cleanup_(cleanup_close) int fd = -1;
	struct sockaddr_storage ss;
	socklen_t len = own(t, &ss);

	if (len == 0)
		return -ENOTCONN;
	port_set(&ss, 0);
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&ss, len) < 0 || listen(fd, BACKLOG) < 0 ||
		getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
		return -errno;
	*ret_port = port_of(&ss);
	*ret_fd = take_fd(&fd);
	return 0;
}

static bool is_loopback(const char *address)
{
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, address, &four) == 1)
		return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
	return inet_pton(AF_INET6, address, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

bool place_ok(const struct talk *t, const char *address, uint16_t port)
{
	char here[DCC_ADDRESS_SIZE];

	if (port < PORT_LEAST)
		return false;
	return !is_loopback(address) || (place_own(t, here) && is_loopback(here));
}
