/* The data connection itself: where it goes, its TLS, bytes either way. See data.h. */
#include "client/ftp/session.h"

#include "base/cleanup.h"
#include "net/tls.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage storage;
};

static void port_set(union address *a, uint16_t port)
{
	if (a->any.sa_family == AF_INET6)
		a->v6.sin6_port = htons(port);
	else
		a->v4.sin_port = htons(port);
}

/* From this end's address to the other end's: what the server checks. */
int data_connect(struct session *s, uint16_t port)
{
	static const int one = 1;
	_cleanup_(cleanup_close) int fd = -1;
	union address from = {0}, to = {0};
	socklen_t from_len = sizeof from, to_len = sizeof to;
	int control = conn_fd(s->conn);

	if (getsockname(control, &from.any, &from_len) < 0 ||
		getpeername(control, &to.any, &to_len) < 0)
		return -errno;
	port_set(&from, 0);
	port_set(&to, port);
	fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Its port is chosen with the other end known: else thousands of files use all of them up.
	 */
	if (fd >= 0)
		(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
	if (fd < 0 || bind(fd, &from.any, from_len) < 0)
		return -errno;
	if (connect(fd, &to.any, to_len) < 0 && errno != EINPROGRESS)
		return -errno;
	s->data.fd = take_fd(&fd);
	s->data.state = DATA_CONNECT;
	return 0;
}

int data_begin_tls(struct session *s)
{
	struct data *d = &s->data;
	int r = conn_new(d->fd, &d->conn);

	if (r < 0)
		return r;
	d->fd = -1;
	return conn_tls_begin_resume(d->conn, s->pool->tls, s->pool->profile->host, s->conn);
}

/* The same server, by its certificate, and the same log-in, by resumption. */
static bool is_bound(const struct session *s)
{
	const struct tls_info *control = conn_tls(s->conn), *data = conn_tls(s->data.conn);

	return control != NULL && data != NULL && data->resumed &&
		memcmp(control->peer_sha256, data->peer_sha256, sizeof data->peer_sha256) == 0;
}

static void security_note(struct session *s)
{
	const struct tls_info *t = conn_tls(s->data.conn);

	snprintf(s->pool->security, sizeof s->pool->security, "%s, %s, data connections resumed",
		t->protocol, t->cipher);
}

int data_step_tls(struct session *s)
{
	int r = conn_step_handshake(s->data.conn);

	if (r < 0)
		return r;
	if (!is_bound(s))
		return -EKEYREJECTED;
	security_note(s);
	return 0;
}

int data_drain(struct session *s)
{
	struct data *d = &s->data;

	d->waiting = false;
	while (d->used < d->len) {
		ssize_t n = d->plan->take(s, span_of(d->buffer + d->used, d->len - d->used));

		if (n < 0) {
			d->local = true;
			d->used = d->len = 0;
			return (int)n;
		}
		d->used += (size_t)n;
		d->waiting = d->used < d->len;
		if (d->waiting)
			return -EAGAIN;
	}
	d->used = d->len = 0;
	return 0;
}

/* What came before the end or the cut is kept, whatever follows. */
static int download_end(struct session *s, int error)
{
	int r = data_drain(s);

	return r < 0 ? r : error;
}

int data_download(struct session *s)
{
	struct data *d = &s->data;
	size_t left = DATA_SLICE;

	d->more = false;
	while (left > 0) {
		ssize_t n;

		if (d->len == DATA_BUFFER || d->waiting) {
			int r = data_drain(s);

			if (r < 0)
				return r;
		}
		n = conn_step_read(d->conn, d->buffer + d->len, DATA_BUFFER - d->len);
		if (n == -EAGAIN && d->plan->eager)
			return download_end(s, -EAGAIN);
		if (n == -EAGAIN)
			return -EAGAIN;
		if (n <= 0)
			return download_end(s, (int)n);
		session_wait(s);
		d->len += (size_t)n;
		left -= (size_t)n < left ? (size_t)n : left;
	}
	d->more = true;
	return -EAGAIN;
}

/* The next buffer: its length, 0 at the end, negative. */
static ssize_t upload_fill(struct session *s)
{
	struct data *d = &s->data;
	ssize_t n = d->plan->give(s, d->buffer, DATA_BUFFER);

	d->used = 0;
	d->len = n > 0 ? (size_t)n : 0;
	d->local = n < 0;
	return n;
}

int data_upload(struct session *s)
{
	struct data *d = &s->data;
	size_t left = DATA_SLICE;

	d->more = false;
	while (left > 0) {
		ssize_t n = d->used == d->len ? upload_fill(s) : 1;

		if (n <= 0)
			return (int)n;
		n = conn_step_write(d->conn, span_of(d->buffer + d->used, d->len - d->used));
		if (n < 0)
			return (int)n;
		session_wait(s);
		d->used += (size_t)n;
		left -= (size_t)n < left ? (size_t)n : left;
	}
	d->more = true;
	return -EAGAIN;
}

void data_close(struct data *d)
{
	conn_freep(&d->conn);
	cleanup_close(&d->fd);
	d->state = DATA_NONE;
	d->waiting = d->more = false;
}

void data_done(struct data *d)
{
	data_close(d);
	free(d->buffer);
	d->buffer = NULL;
}
