/*
 * How the process got its socket (DESIGN section 4). One rule: SO_ACCEPTCONN set means listening
 * ("wait"), else connected ("nowait").
 */
#ifndef NET_ACTIVATE_H
#define NET_ACTIVATE_H

#include <stdbool.h>
#include <stddef.h>

#define NET_ACTIVATE_MAX 8

struct net_activation {
	bool listening;
	size_t count; /* 1 when connected */
	int fds[NET_ACTIVATE_MAX]; /* all above 2, close-on-exec */
};

/*
 * Takes fd 0 (inetd, StandardInput=socket) or the LISTEN_FDS descriptors from 3 on (LISTEN_PID must
 * be ours; both variables are removed). Afterwards 0 and 1 are /dev/null, and where 2 was the
 * connection too (xinetd) or closed, it is /dev/null until log_open() opens the target: no byte
 * can reach the peer outside TLS. Descriptors above those taken are closed. Mixed listening and
 * connected descriptors, a non-socket, or nothing at all: -EINVAL. More than NET_ACTIVATE_MAX:
 * -E2BIG.
 */
int net_activate(struct net_activation *ret);

#endif
