/*
 * Is a peer's certificate revoked? Asked of the authority over TLS (OCSP with a nonce, so the
 * answer is of now), without waiting: a source in the talk's loop.
 */
#ifndef CLIENT_PEER_REVOKE_H
#define CLIENT_PEER_REVOKE_H

#include "client/chat/chat.h"
#include "client/peer/fault.h"

#include <sys/socket.h>

struct revoke;

struct revoke_question {
	struct talk *talk;
	struct sockaddr_storage server; /* where the authority is; the port is the profile's */
	struct span leaf_der;
	/* Called once, later: FAULT_NONE, FAULT_REVOKED, FAULT_UNCHECKED. revoke_free() may be
	 * called in it. */
	void (*done)(void *arg, enum fault f, const char *why);
	void *arg;
};

/* -ENOENT: the issuer is not among the profile's; -ENOSPC, -ENOMEM, -EIO; or connect's error. */
int revoke_ask(const struct revoke_question *q, struct revoke **ret);
/* Also while it is under way: done() is not called then. NULL is fine. */
void revoke_free(struct revoke *r);

/* Where the server of the talk is, to be asked later; false: there is no line now. */
bool revoke_server(const struct talk *t, struct sockaddr_storage *ret);

#endif
