/*
 * The inside of struct conn, for conn*.c and tls_conn*.c only. What carries the bytes (a plain
 * socket, TLS, memory) is a small table of functions, so that conn*.c knows nothing of OpenSSL.
 */
#ifndef NET_CONN_INTERNAL_H
#define NET_CONN_INTERNAL_H

#include "net/conn.h"

#include <poll.h>
#include <sys/types.h>

/* Most bytes asked for in one read: a TLS record. */
#define CONN_READ_CHUNK 16384

struct conn_ops {
	/*
	 * The count, or 0 at the clean end. -EAGAIN: c->read_wants says for what to wait.
	 * -ECONNRESET: cut.
	 */
	ssize_t (*read)(struct conn *c, unsigned char *p, size_t len);
	/* The count, at least 1. -EAGAIN: c->write_wants says for what to wait. */
	ssize_t (*write)(struct conn *c, struct span bytes);
	/* What write() took and holds still (c->held): 0, -EAGAIN or an error. NULL: holds nothing.
	 */
	int (*flush)(struct conn *c);
	/* May bytes be there that poll() does not see? */
	bool (*more)(const struct conn *c);
	/* 0, or -EAGAIN with c->read_wants set. NULL: there is none. */
	int (*handshake)(struct conn *c);
	/* Says goodbye in the carrier's own way, without waiting. NULL: there is none. */
	int (*bye)(struct conn *c);
	void (*release)(struct conn *c);
};

struct conn_wake {
	int fd;
	unsigned every_ms;
	int64_t last_ms; /* of the last call, or of the setting */
	int (*call)(void *arg);
	void *arg;
	bool woken; /* the call wants conn_poll() to return */
};

struct tls_conn;
struct conn_memory;

struct conn {
	int fd;
	const struct conn_ops *ops;
	struct tls_conn *tls; /* NULL: none was begun */
	struct conn_memory *memory; /* NULL: a socket */
	struct buf in;
	size_t in_used; /* bytes at the start of in that were handed out already */
	size_t in_seen; /* bytes behind those that are known to hold no LF */
	struct buf out;
	size_t out_sent; /* bytes at the start of out that were sent already */
	short read_wants;
	short write_wants;
	bool handshaking;
	bool skipping; /* a refused line's rest is not there yet: it is dropped when it comes */
	bool said_bye;
	bool held; /* the carrier took bytes that the socket did not take yet */
	bool bulk; /* bulk data was moved: its buffers are kept */
	bool ended; /* the clean end was read */
	int in_error; /* sticky: what ended the input */
	int out_error; /* sticky */
	int64_t deadline_ms;
	struct conn_wake wake;
	uint64_t bytes_in;
	uint64_t bytes_out;
};

/* The plain socket's recv and send, for TLS to stand on: as ops->read and ops->write. */
ssize_t conn_raw_read(struct conn *c, void *p, size_t len);
ssize_t conn_raw_write(struct conn *c, struct span bytes);

/* Waits until the events on the connection, the deadline, or what wake() says (conn_wait.c). */
int conn_wait(struct conn *c, short events);

/*
 * Deadline and wake looked at without waiting, so that a peer who never lets us wait escapes
 * neither.
 */
int conn_tick(struct conn *c);

#endif
