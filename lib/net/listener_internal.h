/* The inside of the listener: who is being served, and the re-execution. */
#ifndef NET_LISTENER_INTERNAL_H
#define NET_LISTENER_INTERNAL_H

#include "base/buf.h"
#include "net/listener.h"

#include <signal.h>

struct listener_child {
	pid_t pid;
	size_t bucket_len;
	unsigned char bucket[NET_PEER_BUCKET_MAX];
};

/* The sessions that run now. */
struct listener_table {
	struct listener_child *children;
	size_t count;
	size_t max;
};

int listener_table_init(struct listener_table *t, size_t max);
void listener_table_done(struct listener_table *t);
size_t listener_table_of(const struct listener_table *t, struct span bucket);
void listener_table_add(struct listener_table *t, pid_t pid, struct span bucket); /* count < max */
bool listener_table_remove(struct listener_table *t, pid_t pid);

/*
 * The table as text for the environment of the re-executed listener, and back. What does not parse
 * or fit is left out: such sessions are not counted.
 */
void listener_table_save(const struct listener_table *t, struct buf *ret);
void listener_table_load(struct listener_table *t, struct span text);

struct listener {
	const struct net_activation *sockets;
	const struct net_listener_config *config;
	struct listener_table table;
	int signal_fd;
	sigset_t old_mask;
	struct sigaction old_chld;
	bool stopping;
	bool crash_seen; /* re-execution is due */
	int64_t executed_ms; /* when the last re-execution was; very early: never */
	int64_t idle_since_ms;
	unsigned watchdog_ms;
	int64_t watchdog_due_ms;
	/* Flood: refusals in the present second, and the pause they led to. */
	int64_t window_ms;
	unsigned window_refused;
	unsigned flood_level;
	int64_t paused_until_ms;
	int64_t told_ms[2]; /* when REFUSED_TOTAL and REFUSED_SOURCE were last told */
	int untold[2]; /* refusals since */
};

/* Milliseconds that have to pass between two re-executions. */
#define LISTENER_EXEC_MS 10000

/* Takes over what a predecessor in this process left in the environment. */
void listener_restore(struct listener *l);

/* Does not return when it works; the listener goes on when it does not. */
void listener_reexec(struct listener *l);

#endif
