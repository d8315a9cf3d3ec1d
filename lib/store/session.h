/* Live sessions of all services, and the bells they listen to (DESIGN section 8). */
#ifndef STORE_SESSION_H
#define STORE_SESSION_H

#include "store/account.h"

struct session_row {
	uint64_t id; /* set by STORE_OP_SESSION_ADD's result */
	int32_t pid;
	uint64_t start_ticks; /* field 22 of /proc/pid/stat: tells a reused pid apart */
	char service[16];
	char peer[64];
	char account[ACCOUNT_NAME_SIZE];
	int64_t since_us;
	char bell[64]; /* its socket's file name under the bell folder, "" none */
	uint64_t bytes_in, bytes_out;
};

/* STORE_OP_SESSION_ADD: struct session_row -> uint64_t id. STORE_OP_SESSION_UPDATE: row by id
 * (-ENOENT). STORE_OP_SESSION_REMOVE: struct session_remove_args; removes the row and its bells'
 * registrations. */
struct session_remove_args {
	uint64_t id;
	char service[16];
};

int session_each(struct store *s, const char *service /* NULL: all */,
	int (*each)(void *arg, const struct session_row *r), void *arg);

/* The session of the same service with the next higher id, wrapping to the lowest: whom to watch.
 * -ENOENT when there is no other. */
int session_successor(struct store *s, const char *service, uint64_t id, struct session_row *ret);

/* Field 22 of /proc/pid/stat: for the row of one's own session. -ENOENT, -EACCES, -EBADMSG. */
int session_start_ticks(int32_t pid, uint64_t *ret);

/* Does the process of that row still run (pid and start time agree)? */
bool session_alive(const struct session_row *r);

/* STORE_OP_BELL_ADD / _REMOVE: (topic, socket name, session id). -ENOENT: no such session, or not
 * its bell; _ADD -EEXIST: another session's. */
struct bell_args {
	char topic[64]; /* "account/NAME", "channel/...": chosen by the service */
	char bell[64];
	uint64_t session_id;
	char service[16];
};

/*
 * A bell: a Unix datagram socket in RUNTIME/bells (made if missing; the path may be relative and
 * longer than a socket's address). Order for a listener: bell_open,
 * STORE_OP_BELL_ADD, then read the position. Order for a ringer: commit, then bell_ring.
 */
struct bell;
int bell_open(const char *runtime, struct bell **ret); /* makes a socket of a random name, 0660 */
void bell_close(struct bell *b); /* removes the socket */
void bell_closep(struct bell **b);
int bell_fd(const struct bell *b);
const char *bell_name(const struct bell *b);
unsigned bell_drain(struct bell *b); /* reads away what is there: how many rings */

/*
 * One datagram to every listener of the topic. Dead listeners (ECONNREFUSED, ENOENT) are reported
 * to dead(), which may be NULL; their registration and socket are removed here, and their session's
 * row if its process is gone: the topic named after its service is rung then, too. The count rung,
 * or a negative errno of the look-up.
 */
int bell_ring(struct store *s, const char *runtime, const char *topic,
	void (*dead)(void *arg, const struct session_row *r), void *arg);

#endif
