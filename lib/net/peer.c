/* The peer's address as text, and as the bytes that limits count. */
#include "net/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

static void set_ipv4(struct net_peer *p, const void *address)
{
	(void)inet_ntop(AF_INET, address, p->text, sizeof(p->text));
	p->bucket_len = sizeof(struct in_addr);
	memcpy(p->bucket, address, p->bucket_len);
}

static void set_ipv6(struct net_peer *p, const struct in6_addr *address)
{
	if (IN6_IS_ADDR_V4MAPPED(address)) {
		set_ipv4(p, address->s6_addr + 12);
		return;
	}
	(void)inet_ntop(AF_INET6, address, p->text, sizeof(p->text));
	/* One customer has at least a /64, so that is one source. */
	p->bucket_len = 8;
	memcpy(p->bucket, address->s6_addr, p->bucket_len);
}

static int set_unix(int fd, struct net_peer *p)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	p->is_unix = true;
	p->uid = cred.uid;
	p->gid = cred.gid;
	p->pid = cred.pid;
	(void)snprintf(p->text, sizeof(p->text), "unix:%ju", (uintmax_t)cred.uid);
	p->bucket_len = sizeof(cred.uid);
	memcpy(p->bucket, &cred.uid, p->bucket_len);
	return 0;
}

int net_peer_of(int fd, struct net_peer *ret)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage room;
	} address;
	socklen_t len = sizeof(address);
	struct net_peer p = {0};
	int r = 0;

	memset(&address, 0, sizeof(address));
	if (getpeername(fd, &address.any, &len) < 0)
		return -errno;
	switch (address.any.sa_family) {
	case AF_INET:
		set_ipv4(&p, &address.v4.sin_addr);
		p.port = ntohs(address.v4.sin_port);
		break;
	case AF_INET6:
		set_ipv6(&p, &address.v6.sin6_addr);
		p.port = ntohs(address.v6.sin6_port);
		break;
	case AF_UNIX:
		r = set_unix(fd, &p);
		break;
	default:
		return -EAFNOSUPPORT;
	}
	if (r == 0)
		*ret = p;
	return r;
}
