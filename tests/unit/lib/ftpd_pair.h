/*
 * ftpd's session state over a control connection on the loopback, with the client's end in the same
 * process, for the tests of data connections and transfers. Asserts on failure.
 */
#ifndef TESTS_UNIT_LIB_FTPD_PAIR_H
#define TESTS_UNIT_LIB_FTPD_PAIR_H

#include "services/ftpd/ftpd.h"
#include "tests/unit/lib/store_fixture.h"
#include "tests/unit/lib/test_pair.h"

#define FTPD_PAIR_TEXT 4096

enum ftpd_pair_network {
	FTPD_PAIR_IPV4, /* 127.0.0.1 */
	FTPD_PAIR_IPV6, /* ::1 */
	FTPD_PAIR_MAPPED, /* the server's socket is an IPv6 one, the client's IPv4 */
	FTPD_PAIR_UNIX,
};

/* The client's side of a data connection. */
struct ftpd_pair_data {
	struct conn *conn;
	int handshake; /* -EAGAIN until it is over */
};

struct ftpd_pair {
	struct store_fixture *store;
	struct test_world world;
	struct tls_server *server;
	struct tls_client *tls; /* the client's context */
	enum ftpd_pair_network network;
	struct service service;
	struct ftpd f;
	struct conn *client; /* its end of the control connection */
	struct ftpd_pair_data data;
	char text[FTPD_PAIR_TEXT]; /* of the last reply */
};

/* For cmocka: *state is a struct ftpd_pair without connections; account "ann" is logged in. */
int ftpd_pair_setup(void **state);
int ftpd_pair_teardown(void **state);

/* The control connection, in clear or with TLS of a log-in of its own; prot_private is set. What
 * was open before is closed. False: this machine has no such network. */
bool ftpd_pair_open(struct ftpd_pair *p, enum ftpd_pair_network network, bool tls);
void ftpd_pair_close(struct ftpd_pair *p);

void ftpd_pair_policy(struct ftpd_pair *p, const char *name, const char *value);

/* Runs a handler as if the argument had come. */
void ftpd_pair_call(struct ftpd_pair *p, int (*run)(struct ftpd_call *c), const char *argument);

/* One look at everything that can move without waiting: transfer, control, handshake of data. */
void ftpd_pair_turn(struct ftpd_pair *p);

/* The next reply's code; its text goes to p->text. Turns until it is there. */
unsigned ftpd_pair_reply(struct ftpd_pair *p);

/* EPSV, and its port. */
uint16_t ftpd_pair_passive(struct ftpd_pair *p);

/* A socket connected to the port on the network's address; from: the client's own address, NULL
 * for the usual one. */
int ftpd_pair_connect(const struct ftpd_pair *p, uint16_t port, const char *from);

/* p->data over fd: TLS begins, resuming the control connection's session or not. */
void ftpd_pair_secure(struct ftpd_pair *p, int fd, bool resume);

/* EPSV, connect and TLS in one go. */
void ftpd_pair_data(struct ftpd_pair *p, bool resume);
void ftpd_pair_data_close(struct ftpd_pair *p);

/* Begins the transfer as its command does. */
void ftpd_pair_stor(struct ftpd_pair *p, const char *path);
void ftpd_pair_retr(struct ftpd_pair *p, const char *path);

#endif
