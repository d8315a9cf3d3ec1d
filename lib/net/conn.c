/*
 * The connection's core: buffers, the plain socket, and the steps that never wait.
 */
#include "net/conn.h"

#include "base/cleanup.h"
#include "net/conn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Above this, an empty input buffer is given back while the session waits. */
enum { IN_KEEP = 2 * CONN_READ_CHUNK };

ssize_t conn_raw_read(struct conn *c, void *p, size_t len)
{
	ssize_t n;

	do {
		n = recv(c->fd, p, len, 0);
	} while (n < 0 && errno == EINTR);
	if (n >= 0)
		return n;
	return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

ssize_t conn_raw_write(struct conn *c, struct span bytes)
{
	ssize_t n;

	do {
		n = send(c->fd, bytes.p, bytes.len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n >= 0)
		return n;
	return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

static ssize_t plain_read(struct conn *c, unsigned char *p, size_t len)
{
	c->read_wants = POLLIN;
	return conn_raw_read(c, p, len);
}

static ssize_t plain_write(struct conn *c, struct span bytes)
{
	c->write_wants = POLLOUT;
	return conn_raw_write(c, bytes);
}

static bool plain_more(const struct conn *c)
{
	(void)c;
	return false;
}

static void plain_release(struct conn *c)
{
	(void)c;
}

static const struct conn_ops plain_ops = {
	.read = plain_read, .write = plain_write, .more = plain_more, .release = plain_release};

int conn_new(int fd, struct conn **ret)
{
	static const int one = 1;
	int flags = fcntl(fd, F_GETFL);
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return -ENOMEM;
	if (flags >= 0 && (flags & O_NONBLOCK) == 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	/* Writes are gathered here, so the kernel need not wait for more. Fails on Unix sockets. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->fd = fd;
	c->ops = &plain_ops;
	c->in = BUF_INIT(CONN_IN_MAX);
	c->out = BUF_INIT(CONN_OUT_MAX);
	c->read_wants = POLLIN;
	c->write_wants = POLLOUT;
	c->deadline_ms = INT64_MAX;
	c->wake.fd = -1;
	*ret = c;
	return 0;
}

void conn_free(struct conn *c)
{
	if (c == NULL)
		return;
	c->ops->release(c);
	cleanup_close(&c->fd);
	buf_wipe(&c->in);
	buf_wipe(&c->out);
	free(c);
}

void conn_freep(struct conn **c)
{
	conn_free(*c);
	*c = NULL;
}

int conn_fd(const struct conn *c)
{
	return c->fd;
}

uint64_t conn_bytes_in(const struct conn *c)
{
	return c->bytes_in;
}

uint64_t conn_bytes_out(const struct conn *c)
{
	return c->bytes_out;
}

struct span conn_pending(const struct conn *c)
{
	return c->in.len > c->in_used ? span_of(c->in.p + c->in_used, c->in.len - c->in_used)
				      : span_of(NULL, 0);
}

short conn_events(const struct conn *c)
{
	short events = 0;

	if (c->handshaking)
		return c->read_wants;
	if (!c->ended && c->in_error == 0 && c->in.len - c->in_used < CONN_IN_MAX)
		events = c->read_wants;
	if ((c->out.len > c->out_sent || c->held) && c->out_error == 0)
		events = (short)(events | c->write_wants);
	return events;
}

int conn_step_handshake(struct conn *c)
{
	int r = 0;

	if (!c->handshaking)
		return c->in_error;
	r = c->ops->handshake(c);
	if (r == -EAGAIN)
		return r;
	c->handshaking = false;
	c->read_wants = POLLIN;
	if (r < 0)
		c->in_error = c->out_error = r;
	return r;
}

/* Drops what was handed out, and the memory of a past flood. */
static void in_compact(struct conn *c)
{
	if (c->in_used == c->in.len && c->in.cap > IN_KEEP)
		buf_wipe(&c->in);
	else
		buf_consume(&c->in, c->in_used);
	c->in_used = 0;
}

void conn_trim(struct conn *c)
{
	if (c->in_used == c->in.len) {
		buf_wipe(&c->in);
		c->in_used = 0;
	}
	if (c->out_sent == c->out.len) {
		buf_wipe(&c->out);
		c->out_sent = 0;
	}
}

int conn_step_fill(struct conn *c)
{
	int total = 0;

	in_compact(c);
	if (c->in.len >= CONN_IN_MAX)
		return -ENOBUFS;
	while (!c->ended && c->in_error == 0 && c->in.len < CONN_IN_MAX) {
		size_t room = CONN_IN_MAX - c->in.len;
		size_t ask = room < CONN_READ_CHUNK ? room : CONN_READ_CHUNK;
		unsigned char *p = buf_reserve(&c->in, ask);
		ssize_t n;

		if (p == NULL)
			return buf_error(&c->in);
		n = c->ops->read(c, p, ask);
		if (n == -EAGAIN)
			return total > 0 ? total : -EAGAIN;
		if (n == 0)
			c->ended = true;
		if (n < 0)
			c->in_error = (int)n;
		if (n <= 0)
			break;
		buf_commit(&c->in, (size_t)n);
		c->bytes_in += (uint64_t)n;
		total += (int)n;
		if ((size_t)n < ask && !c->ops->more(c))
			return total;
	}
	return total > 0 ? total : c->in_error;
}

int conn_step_flush(struct conn *c)
{
	while (c->out.len > c->out_sent && c->out_error == 0) {
		struct span rest = span_of(c->out.p + c->out_sent, c->out.len - c->out_sent);
		ssize_t n = c->ops->write(c, rest);

		if (n == -EAGAIN)
			return -EAGAIN;
		if (n < 0) {
			c->out_error = (int)n;
			break;
		}
		c->out_sent += (size_t)n;
		c->bytes_out += (uint64_t)n;
	}
	buf_reset(&c->out);
	c->out_sent = 0;
	if (c->out_error == 0 && c->held) {
		int r = c->ops->flush(c);

		if (r == -EAGAIN)
			return r;
		c->out_error = r;
	}
	return c->out_error;
}
