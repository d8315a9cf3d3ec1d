/* Verified connections of a profile, and HTTPS questions over them. */
#ifndef CLIENT_LINK_H
#define CLIENT_LINK_H

#include "client/profile.h"
#include "net/conn.h"
#include "net/http.h"
#include "net/tls.h"

/* A non-blocking socket that is connecting or connected, tried over all addresses of the host. */
int link_dial(struct client *c, const char *host, uint16_t port, int *ret_fd);

struct link {
	struct tls_client *tls;
	struct conn *conn;
	char host[254];
};

#define LINK_INIT ((struct link){NULL, NULL, ""})

void link_done(struct link *l);

/*
 * Connects to host:port, does TLS with the profile's root (and certificate, when with_cert and
 * there is one) and verifies. Says on standard error what went wrong; an exit code, 0 when
 * connected.
 */
int link_open(struct client *c, const struct profile *p, uint16_t port, const char *alpn,
	bool with_cert, struct link *ret);

/* The same by the door's name in the service directory. */
int link_open_door(struct client *c, const struct profile *p, const char *door, const char *alpn,
	bool with_cert, struct link *ret);

/* For the first contact only: any server is accepted, so nothing secret is sent and what comes back
 * is checked against a fingerprint before it is used. */
int link_open_bootstrap(struct client *c, const char *host, uint16_t port, struct link *ret);

struct link_question {
	const char *method, *target;
	const char *content_type;
	struct span body;
	const char *user; /* Basic, or NULL */
	struct span password;
};

/* One exchange. 0 with status and body, or a negative errno. */
int link_ask(
	struct link *l, const struct link_question *q, unsigned *ret_status, struct buf *ret_body);

/* The server's refusal as a sentence for people on standard error; an exit code. */
int link_refused(unsigned status, struct span body);

#endif
