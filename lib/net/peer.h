/* Who is at the other end of a socket: from getpeername and SO_PEERCRED, never from the
 * environment. */
#ifndef NET_PEER_H
#define NET_PEER_H

#include "base/span.h"

#include <stdint.h>
#include <sys/types.h>

#define NET_PEER_BUCKET_MAX 16

struct net_peer {
	char text[64]; /* "192.0.2.1", "2001:db8::1", "unix:1000"; v4-mapped addresses as IPv4 */
	uint16_t port; /* 0 for Unix sockets */
	/* What limits and throttles count: an IPv4 address, an IPv6 /64, a uid. */
	unsigned char bucket[NET_PEER_BUCKET_MAX];
	size_t bucket_len;
	bool is_unix;
	uid_t uid; /* Unix sockets only */
	gid_t gid;
	pid_t pid;
};

/* -ENOTCONN when nobody is there any more, -EAFNOSUPPORT for other families. */
int net_peer_of(int fd, struct net_peer *ret);

static inline struct span net_peer_bucket(const struct net_peer *p)
{
	return span_of(p->bucket, p->bucket_len);
}

#endif
