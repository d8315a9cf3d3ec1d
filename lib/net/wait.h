/*
 * The one way in which connections, and the client around them, wait: poll(2), unless a program
 * with several things under way at once has put its own in the place (client/task.h).
 */
#ifndef NET_WAIT_H
#define NET_WAIT_H

#include <poll.h>

/* As poll(2): the count that is ready, 0 after timeout_ms (negative: never), or -1 and errno. */
extern int (*net_wait)(struct pollfd *fds, nfds_t count, int timeout_ms);

#endif
