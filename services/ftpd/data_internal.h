/*
 * The inside of struct data, for data.c (accepting, binding), passive.c (EPSV, PASV) and active.c
 * (EPRT, PORT); and how addresses are compared: an IPv4 address mapped into IPv6 is that IPv4
 * address.
 */
#ifndef FTPD_DATA_INTERNAL_H
#define FTPD_DATA_INTERNAL_H

#include "services/ftpd/data.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum { DATA_IPV4 = 1, DATA_IPV6 = 2 }; /* as RFC 2428 numbers them */

struct data_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage room;
	};
	socklen_t len;
};

struct data {
	int listener_fd; /* -1: none */
	int64_t listening_ms; /* since when */
	bool only_extended; /* EPSV ALL was said */
	bool active; /* an address to go to was given */
	bool connecting; /* fd is on its way to it */
	bool foreign_told; /* once per listener */
	struct data_address to;
	int fd; /* connected or connecting, not yet conn's; -1: none */
	struct conn *conn;
	char description[96];
};

/* Of a connected socket. -EAFNOSUPPORT: not IP; else negative errno. */
int data_address_local(int fd, struct data_address *ret);
int data_address_peer(int fd, struct data_address *ret);

/* DATA_IPV4 or DATA_IPV6, and the host's 4 or 16 bytes (into a). */
unsigned data_address_host(const struct data_address *a, struct span *ret_host);
bool data_address_same_host(const struct data_address *a, const struct data_address *b);

uint16_t data_address_port(const struct data_address *a);
void data_address_set_port(struct data_address *a, uint16_t port);

/* A listener in the place of whatever was there. -EADDRINUSE: no port of the range is free;
 * -EAFNOSUPPORT; else negative errno. */
int data_listen(struct ftpd *f, struct data_address *ret);

/* An active address in the place of whatever was there. */
void data_aim(struct data *d, const struct data_address *to);

#ifdef QUINTET_TEST
/*
 * For tests and fuzzers over a control connection in memory: while set, EPSV and PASV need no
 * socket, and data_connect() and data_secure() give what open() gives (0, or what they shall
 * return: -EAGAIN, -EKEYREJECTED, ...). The connection belongs to the data from then on.
 */
struct data_hook {
	int (*connect)(void *arg); /* NULL: 0 */
	int (*open)(void *arg, struct conn **ret);
	void *arg;
};
extern struct data_hook data_hook;
#endif

#endif
