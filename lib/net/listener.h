/*
 * Wait mode: accept, fork without exec, one process per connection, with a total and a per-source
 * limit, a back-off under flood and an exit when idle (DESIGN section 4).
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "net/activate.h"
#include "net/peer.h"

#define NET_LISTENER_MAX 4096 /* most sessions at once that max_total may ask for */

enum net_listener_event {
	NET_LISTENER_REFUSED_TOTAL, /* peer is set; value: refusals since the last such event, which
				     * come once a second at most */
	NET_LISTENER_REFUSED_SOURCE, /* the same */
	NET_LISTENER_FLOOD, /* accepting pauses; value is the pause in milliseconds */
	NET_LISTENER_CHILD_CRASHED, /* value is the signal; the listener re-executes itself */
	NET_LISTENER_ERROR, /* value is a negative errno of accept or fork; it goes on */
};

struct net_listener_config {
	unsigned max_total; /* sessions at once */
	unsigned max_per_source; /* sessions at once of one peer bucket; 0: no limit */
	unsigned idle_exit_s; /* no session for so long: leave; 0: never */
	char *const *argv; /* for the re-execution after a crash */
	void (*event)(
		void *arg, enum net_listener_event what, const struct net_peer *peer, int value);
	void *arg;
};

/*
 * Runs the accept loop. In each child it returns 1 with the connection in *ret_fd (close-on-exec,
 * blocking mode as accepted; listeners closed, signals as before). In the parent it returns 0 after
 * SIGTERM or SIGINT (sessions go on) or when idle, or a negative errno (-EINVAL: limits out of
 * range). Speaks sd_notify (READY, STOPPING, WATCHDOG) when NOTIFY_SOCKET is set. A refused
 * connection is closed at once and costs no fork. After a child dies of SIGSEGV, SIGABRT, SIGBUS,
 * SIGILL or SIGSYS it re-executes /proc/self/exe with the same listeners, at most once in ten
 * seconds, so that the address layout changes; live sessions go on and are still counted.
 */
int net_listener_run(const struct net_activation *sockets, const struct net_listener_config *config,
	int *ret_fd);

#endif
