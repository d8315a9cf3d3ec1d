/* A server and a client connection over a socket pair in one process, driven without waiting. */
#ifndef TEST_PAIR_H
#define TEST_PAIR_H

#include "net/conn.h"
#include "net/tls.h"
#include "tests/unit/lib/test_pki.h"

/* A root, an issuing CA, and what a server needs. */
struct test_world {
	struct test_ca root, issuing;
	struct test_leaf server;
	struct buf server_pem; /* leaf and issuing */
	struct buf trust_pem; /* root and issuing */
};

void test_world_make(struct test_world *w);
void test_world_done(struct test_world *w);

struct test_pair {
	struct conn *server, *client;
	int server_result, client_result; /* of the handshakes */
};

/* Two connected connections with a deadline some seconds away. */
void test_pair_plain(struct test_pair *p);

/* Both handshakes to their end, good or bad. */
void test_pair_tls(
	struct test_pair *p, struct tls_server *s, struct tls_client *c, const char *host);
void test_pair_done(struct test_pair *p);

/* Contexts for the world; alpn and client may be NULL. */
struct tls_server *test_server(const struct test_world *w, const char *const *alpn);
struct tls_client *test_client(
	const struct test_world *w, const struct test_leaf *client, const char *alpn);

#endif
