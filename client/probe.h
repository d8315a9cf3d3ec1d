/*
 * Reaching many doors at once: each probe is a small state machine (connect, handshake, question,
 * answer) and one poll loop drives them all, so that a dead service costs the others nothing.
 */
#ifndef CLIENT_PROBE_H
#define CLIENT_PROBE_H

#include "client/link.h"

enum probe_state {
	PROBE_CONNECT,
	PROBE_CLEAR, /* asking for TLS */
	PROBE_HANDSHAKE,
	PROBE_ANSWER,
	PROBE_DONE,
	PROBE_FAILED
};

struct probe {
	const struct directory_door *door;
	enum probe_state state;
	const struct addrinfo *next; /* addresses not yet tried */
	int64_t address_end_ms; /* when the next of them is tried; INT64_MAX: there is none */
	int fd; /* connecting; afterwards the conn owns it */
	struct conn *conn;
	bool asked; /* for TLS */
	unsigned inside; /* the code of the reply in clear that is being read; 0 none */
	int64_t started_ms, handshake_ms, answer_ms; /* durations once done */
	char protocol[16], cipher[48], until[32]; /* until: empty without TLS */
	char reason[160]; /* why it failed */
	bool clock_suspect; /* nothing but dates was wrong */
};

struct probe_run {
	struct probe probes[DIRECTORY_MAX_DOORS];
	size_t count;
	struct addrinfo *addresses;
	struct tls_client *clients[2]; /* without and with ALPN */
};

/*
 * Probes every door of the profile's directory, which has to live as long as the run. An exit code:
 * not 0 when nothing could be tried at all or after Ctrl-C. probe_done() after, in any case.
 */
int probe_all(struct client *c, const struct profile *p, struct probe_run *ret);
void probe_done(struct probe_run *run);

/* Is this the first line that a service of this protocol says? */
bool probe_answer_fits(const char *protocol, struct span line);

#endif
