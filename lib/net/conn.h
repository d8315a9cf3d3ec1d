/*
 * One connection, plain or TLS, with an input buffer, an output buffer and a deadline. The core
 * never blocks (conn_step_*, for the client's poll loop); the conn_* calls on top wait with poll
 * until the deadline of the present stage.
 *
 * End of input is told apart: clean (close_notify, or FIN on a plain connection) or cut
 * (-ECONNRESET), since a cut could shorten data.
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "base/buf.h"
#include "net/frame.h"

#include <stdint.h>
#include <sys/types.h>

struct conn;
struct tls_server;
struct tls_client;
struct tls_info;

#define CONN_IN_MAX 65536 /* most bytes held unread */
#define CONN_OUT_MAX 262144 /* most bytes held unsent: conn_write flushes by itself before */

/* Takes over fd (made non-blocking, closed by conn_free). -ENOMEM, and fd is still the caller's. */
int conn_new(int fd, struct conn **ret);

/*
 * A connection over memory for tests and fuzzers: reads come from in, in pieces of at most step
 * bytes (0: all at once), then a clean end; writes are appended to out. Both are borrowed.
 */
int conn_new_memory(struct span in, size_t step, struct buf *out, struct conn **ret);

/* The same, with what comes asked for when all before it was read: next() gives bytes that live
 * until it is called again; none: the clean end. So tests see what was answered so far. */
int conn_new_source(struct span (*next)(void *arg), void *arg, struct buf *out, struct conn **ret);

/* Closes at once, without close_notify. NULL is fine. */
void conn_free(struct conn *c);
void conn_freep(struct conn **c);

int conn_fd(const struct conn *c); /* -1 for memory */

/* Absolute, on time_monotonic_ms()'s clock; INT64_MAX: none. Every waiting call obeys it. */
void conn_set_deadline(struct conn *c, int64_t at_ms);

/* The deadline, seconds from now. */
void conn_set_timeout_s(struct conn *c, unsigned seconds);

/*
 * While any call waits, fd is watched as well; when it is readable, or when every_ms passed since
 * the last call (0: never), wake(arg) runs. If that returns negative, the waiting call returns it;
 * if positive, conn_poll() returns 0 and the others wait on. This is how a revocation ends a
 * session in mid-wait. fd may be -1. wake NULL: none.
 */
void conn_set_wake(struct conn *c, int fd, unsigned every_ms, int (*wake)(void *arg), void *arg);

/*
 * TLS on the connection; what was written before is sent first. Unread plain bytes must not be
 * there: -EPROTO (nothing clear is executed). -ETIMEDOUT, -ECONNRESET, -EPROTO (conn_tls_reason
 * tells), -EKEYREJECTED: the client does not believe the server. The context must outlive the
 * connection.
 */
int conn_tls_accept(struct conn *c, struct tls_server *server);
int conn_tls_connect(struct conn *c, struct tls_client *client, const char *host);

/*
 * What was negotiated and who is there; NULL while not TLS. Lives as long as the connection. After
 * -EKEYREJECTED too, so that people can be told whose certificate it was; then nothing was
 * negotiated and peer_ok is false.
 */
const struct tls_info *conn_tls(const struct conn *c);

/* Why the last TLS call failed, for logs and people: "certificate has expired", "peer closed". */
const char *conn_tls_reason(const struct conn *c);

/*
 * One line by rule. 1: *ret is the line, valid until the next read call. 0: clean end of input
 * before a first byte. -EMSGSIZE, -EPROTO: as frame_line; the offending bytes up to the next LF are
 * skipped, so the session may go on after a reply (a line that never ends costs nothing more than
 * reading). -ETIMEDOUT, -ECONNRESET (cut, or input ended inside a line), or what wake() returned.
 */
int conn_read_line(struct conn *c, const struct frame_rule *rule, struct span *ret);

/* Exactly len bytes are appended to out. -EMSGSIZE when out cannot take them. Else as above. */
int conn_read_exact(struct conn *c, size_t len, struct buf *out);

/* What is there, at least one byte, at most max: count, with *ret valid until the next read call.
 * 0: end. */
int conn_read_some(struct conn *c, size_t max, struct span *ret);

/* A dot-stuffed block into out; 1 when complete; see frame_dot_read. Over the max the rest is read
 * and dropped: -EMSGSIZE. */
int conn_read_dot(struct conn *c, struct buf *out);

/* Bytes received and not yet read (pipelined requests). */
struct span conn_pending(const struct conn *c);

/* Buffered; sent by conn_flush, by the next read call that has to wait, or when much is held. */
int conn_write(struct conn *c, struct span bytes);
int conn_printf(struct conn *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
int conn_flush(struct conn *c);

/*
 * Flush, close_notify, and a short wait (at most 1 s, within the deadline) for the peer's. The wake
 * is off from here on. Errors only matter to logs. conn_free() is still to be called.
 */
int conn_close(struct conn *c);

/* Totals of payload bytes. */
uint64_t conn_bytes_in(const struct conn *c);
uint64_t conn_bytes_out(const struct conn *c);

/*
 * Waits for the caller's own descriptors, with the connection's wake watched as well (the
 * connection's own socket is watched only if the caller lists it): for a session that serves
 * several at once. At most 6. The count that is ready (revents as poll(2) sets them), 0 when
 * until_ms (time_monotonic_ms()'s clock; INT64_MAX: none) has come, or what wake() returned. On a
 * connection over memory nothing waits: an entry with fd -1 is ready for what it asks (events 0:
 * nothing), and -ETIMEDOUT when nothing is ready.
 */
struct pollfd;
int conn_poll(struct conn *c, struct pollfd *fds, size_t count, int64_t until_ms);

/*
 * The non-blocking core. 0 or progress count when done, -EAGAIN when conn_events() has to be
 * awaited. Resolving names and connect() are the caller's; fd may still be connecting when
 * conn_tls_begin_connect() is called, its failure then comes from conn_step_handshake().
 */
int conn_step_handshake(struct conn *c);
int conn_step_fill(struct conn *c); /* reads what is there into the buffer; 0: clean end;
				     * -ENOBUFS: CONN_IN_MAX bytes are waiting to be read */
int conn_step_flush(struct conn *c); /* 0: everything is sent */
short conn_events(const struct conn *c); /* POLLIN, POLLOUT as now wanted */

/* A line that is there already, as conn_read_line(); -EAGAIN when none is complete: fill first. */
int conn_step_line(struct conn *c, const struct frame_rule *rule, struct span *ret);

/*
 * Bulk data, past the buffers (nothing may be unread or unsent in them: -EINVAL): one read into p,
 * one write from bytes. The count; -EAGAIN: wait for conn_wants_read() or conn_wants_write(), which
 * TLS may turn around. conn_step_read 0: the clean end (close_notify); -ECONNRESET: cut.
 */
ssize_t conn_step_read(struct conn *c, void *p, size_t len);
ssize_t conn_step_write(struct conn *c, struct span bytes);
short conn_wants_read(const struct conn *c);
short conn_wants_write(const struct conn *c);

/* May conn_step_read() have bytes that poll() does not see? */
bool conn_has_more(const struct conn *c);

/* Gives back the memory of buffers that are empty now: for a session that has nothing to do. */
void conn_trim(struct conn *c);

/* Says goodbye (close_notify, or FIN) without waiting: 0, or -EAGAIN to be called again when
 * writable. Reading goes on until the peer's own end. */
int conn_step_bye(struct conn *c);

/* The server's side of TLS without waiting; go on with conn_step_handshake. */
int conn_tls_begin_accept(struct conn *c, struct tls_server *server);

/*
 * Resumption (RFC 4217 section 10.2, RFC 8446 section 2.2), for ftpd and its client.
 * conn_tls_ticket: a fresh ticket goes out with the next bytes that are flushed (1.3; else nothing
 * happens). -ENOTCONN, -ENOMEM.
 * conn_tls_resumed_from: did data's handshake resume a session of the very server process behind
 * control: since tls_server_fresh(), by the secret in its ticket, or by control's session id?
 * conn_tls_begin_resume: as conn_tls_begin_connect(), offering the newest session that control was
 * given; a session is offered once where the protocol asks for that. control and data must have the
 * same client and host.
 */
int conn_tls_ticket(struct conn *c);
bool conn_tls_resumed_from(const struct conn *data, const struct conn *control);
int conn_tls_begin_resume(
	struct conn *c, struct tls_client *client, const char *host, struct conn *control);

/* For the client's loop: begins TLS without waiting; go on with conn_step_handshake. host is not
 * looked at with tls_client_config.peers. */
int conn_tls_begin_connect(struct conn *c, struct tls_client *client, const char *host);

#endif
