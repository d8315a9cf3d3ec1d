/* The place of poll(2). See wait.h. */
#include "net/wait.h"

int (*net_wait)(struct pollfd *fds, nfds_t count, int timeout_ms) = poll;
