/* Verified connections of a profile, and HTTPS questions over them. */
#ifndef CLIENT_LINK_H
#define CLIENT_LINK_H

#include "client/profile.h"
#include "net/conn.h"
#include "net/http.h"
#include "net/tls.h"

struct addrinfo;

#define LINK_FORM_TYPE "application/x-www-form-urlencoded"

/* The addresses of a host: freeaddrinfo() after. -ENXIO no such name, -EAGAIN no answer. */
int link_resolve(const char *host, uint16_t port, struct addrinfo **ret);

/* For a loop of one's own: a non-blocking socket that is connecting to that address, or negative
 * errno; and whether it is connected: 0, -EAGAIN not yet, or why not. */
int link_begin(const struct addrinfo *a);
int link_connected(int fd);

/* A non-blocking socket that is connected, tried over all addresses of the host. */
int link_dial(const struct client *c, const char *host, uint16_t port, int *ret_fd);

struct link {
	struct tls_client *tls;
	struct conn *conn;
	unsigned timeout_s; /* for each question */
	unsigned retry_s; /* what the last answer said in Retry-After; 0: nothing */
	char host[254];
	char authority[270]; /* for Host: */
};

#define LINK_INIT ((struct link){.conn = NULL})

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

/* The same with everything but success told on standard error; an exit code. */
int link_ask_told(struct link *l, const struct link_question *q, struct buf *ret_body);

/* And over a connection of its own to the authority, with the profile's certificate. */
int link_ask_ca(struct client *c, const struct profile *p, const struct link_question *q,
	struct buf *ret_body);

/* The server's refusal as a sentence for people: its first line, else what the status means. */
void link_refusal(unsigned status, struct span body, struct buf *ret);

#endif
