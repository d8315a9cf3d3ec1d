/*
 * One connection of a meeting, until it is known who is there: TCP, TLS, the certificate, the
 * exporter's value, revocation. Never waits: a source in the talk's loop, with limits of its own.
 */
#ifndef CLIENT_PEER_ATTEMPT_H
#define CLIENT_PEER_ATTEMPT_H

#include "client/peer/trust.h"
#include "client/peer/wire.h"

#include "client/chat/chat.h"
#include "net/tls.h"
#include "proto/dcc.h"

#include <sys/socket.h>

struct attempt;
struct attempts {
	struct attempt *first;
	size_t count;
};

enum { ATTEMPTS_MAX = 16 }; /* of all meetings, those that say goodbye included */

struct attempt_setup {
	struct talk *talk;
	struct attempts *list; /* it is in there until it is freed */
	struct tls_server *server; /* for attempt_accept */
	struct tls_client *client; /* for attempt_connect */
	struct trust_expect expect;
	char token[DCC_TOKEN_SIZE];
	bool caller; /* it was our request */
	struct sockaddr_storage authority; /* see revoke.h */
	/*
	 * Called once, later. FAULT_NONE: whoever was expected is there; attempt_take() in it. Else
	 * why not; the attempt says goodbye and frees itself. is_expected: it has shown the key
	 * that was expected, so nobody better will come.
	 */
	void (*done)(void *arg, struct attempt *a, enum fault f, const char *why);
	void *arg;
};

/* Somebody has connected: takes fd over. -ENOMEM, -ENOSPC: fd is still the caller's. */
int attempt_accept(const struct attempt_setup *s, int fd);
/* -ENOSPC, -ENOMEM, -EINVAL (no address), or why connecting failed at once. */
int attempt_connect(const struct attempt_setup *s, const char *address, uint16_t port);

bool attempt_is_expected(const struct attempt *a);
/* Where the other side is, for people. */
void attempt_where(const struct attempt *a, char ret[DCC_ADDRESS_SIZE + 10]);
/* The connection, which may hold bytes already; the attempt is gone. */
struct conn *attempt_take(struct attempt *a);

/* How many of arg's are under way. */
size_t attempts_of(const struct attempts *list, const void *arg);
/* Ends those of arg without a word; those that say goodbye go on. */
void attempts_drop(struct attempts *list, const void *arg);
/* Ends all. */
void attempts_end(struct attempts *list);

#endif
