/*
 * Reaching many doors at once: each probe is a small state machine (connect, handshake, question,
 * answer) and one poll loop drives them all, so that a dead service costs the others nothing.
 */
#ifndef CLIENT_PROBE_H
#define CLIENT_PROBE_H

#include "client/link.h"

struct addrinfo;

enum probe_state { PROBE_CONNECT, PROBE_HANDSHAKE, PROBE_ANSWER, PROBE_DONE, PROBE_FAILED };

struct probe {
	const struct directory_door *door;
	enum probe_state state;
	const struct addrinfo *next; /* addresses not yet tried */
	int fd; /* connecting; afterwards the conn owns it */
	struct conn *conn;
	int64_t started_ms, handshake_ms, answer_ms; /* durations once done */
	char protocol[16], cipher[48], until[32];
	char reason[160]; /* why it failed */
};

/*
 * Probes every door of the profile's directory. probes: room for DIRECTORY_MAX_DOORS; *ret_count as
 * many as doors. 0, -ECANCELED after Ctrl-C, or a negative errno when nothing could be tried.
 */
int probe_all(struct client *c, const struct profile *p, struct probe *probes, size_t *ret_count);

#endif
