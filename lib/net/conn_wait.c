/*
 * Waiting: the deadline, the wake, and the calls that write, greet with TLS and say goodbye.
 */
#include "base/timefmt.h"
#include "net/conn_internal.h"
#include "net/wait.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

enum {
	POLL_MAX = 6, /* descriptors of conn_poll()'s caller */
	GOODBYE_MS = 1000, /* for the peer's close_notify */
	BUSY_WAKE_MS = 50, /* how often a session that never waits looks at its wake */
	PRINTF_MAX = 65536,
};

void conn_set_deadline(struct conn *c, int64_t at_ms)
{
	c->deadline_ms = at_ms;
}

void conn_set_timeout_s(struct conn *c, unsigned seconds)
{
	c->deadline_ms = time_monotonic_ms() + (int64_t)seconds * 1000;
}

void conn_set_wake(struct conn *c, int fd, unsigned every_ms, int (*wake)(void *arg), void *arg)
{
	c->wake = (struct conn_wake){.fd = fd,
		.every_ms = every_ms,
		.last_ms = time_monotonic_ms(),
		.call = wake,
		.arg = arg};
}

static int call_wake(struct conn *c, int64_t now_ms)
{
	int r = c->wake.call != NULL ? c->wake.call(c->wake.arg) : 0;

	c->wake.last_ms = now_ms;
	if (r > 0)
		c->wake.woken = true;
	return r;
}

/* Milliseconds until the wake is due; negative: never. */
static int64_t wake_in_ms(const struct conn *c, int64_t now_ms)
{
	int64_t due;

	if (c->wake.call == NULL || c->wake.every_ms == 0)
		return -1;
	due = c->wake.last_ms + (int64_t)c->wake.every_ms - now_ms;
	return due > 0 ? due : 0;
}

/* The time-out for poll() until until_ms or the wake, whichever is first. */
static int poll_ms(const struct conn *c, int64_t until_ms, int64_t now_ms)
{
	int64_t wait = until_ms == INT64_MAX ? -1 : until_ms - now_ms;
	int64_t wake = wake_in_ms(c, now_ms);

	if (until_ms <= now_ms)
		return 0;
	if (wake >= 0 && (wait < 0 || wake < wait))
		wait = wake;
	return wait > INT_MAX ? INT_MAX : (int)wait;
}

/* One poll() of at most timeout_ms. 1: the connection is ready; 0: look again; or an error. */
static int wait_once(struct conn *c, short events, int timeout_ms)
{
	struct pollfd fds[2] = {{.fd = c->fd, .events = events},
		{.fd = c->wake.call != NULL ? c->wake.fd : -1, .events = POLLIN}};
	int64_t now_ms;
	int r = 0;

	if (net_wait(fds, 2, timeout_ms) < 0)
		return errno == EINTR ? 0 : -errno;
	now_ms = time_monotonic_ms();
	if (fds[1].revents != 0 || wake_in_ms(c, now_ms) == 0)
		r = call_wake(c, now_ms);
	if (r < 0)
		return r;
	return fds[0].revents != 0 ? 1 : 0;
}

int conn_wait(struct conn *c, short events)
{
	int r = 0;

	if (c->memory != NULL)
		return -ETIMEDOUT;
	while (r == 0) {
		int64_t now_ms = time_monotonic_ms();

		if (now_ms >= c->deadline_ms)
			return -ETIMEDOUT;
		r = wait_once(c, events, poll_ms(c, c->deadline_ms, now_ms));
	}
	return r < 0 ? r : 0;
}

/* Memory never makes anyone wait: what has no descriptor is ready for all it asks. */
static int poll_memory(struct pollfd *fds, size_t count)
{
	int ready = poll(fds, count, 0);

	if (ready < 0)
		return -errno;
	for (size_t i = 0; i < count; i++)
		if (fds[i].fd < 0 && fds[i].events != 0) {
			fds[i].revents = fds[i].events;
			ready++;
		}
	return ready > 0 ? ready : -ETIMEDOUT;
}

/* One poll() of the caller's descriptors and the wake's. The count that is ready, or an error. */
static int poll_once(struct conn *c, struct pollfd *fds, size_t count, int64_t until_ms)
{
	struct pollfd all[POLL_MAX + 1];
	int64_t now_ms = time_monotonic_ms();
	int ready, r = 0;

	for (size_t i = 0; i < count; i++)
		fds[i].revents = 0;
	memcpy(all, fds, count * sizeof(*fds));
	all[count] =
		(struct pollfd){.fd = c->wake.call != NULL ? c->wake.fd : -1, .events = POLLIN};
	ready = net_wait(all, count + 1, poll_ms(c, until_ms, now_ms));
	if (ready < 0)
		return errno == EINTR ? 0 : -errno;
	memcpy(fds, all, count * sizeof(*fds));
	if (all[count].revents != 0)
		ready--;
	now_ms = time_monotonic_ms();
	if (all[count].revents != 0 || wake_in_ms(c, now_ms) == 0)
		r = call_wake(c, now_ms);
	return r < 0 ? r : ready;
}

int conn_poll(struct conn *c, struct pollfd *fds, size_t count, int64_t until_ms)
{
	int r;

	if (count > POLL_MAX)
		return -EINVAL;
	if (c->memory != NULL)
		return poll_memory(fds, count);
	c->wake.woken = false;
	do {
		r = poll_once(c, fds, count, until_ms);
	} while (r == 0 && !c->wake.woken && time_monotonic_ms() < until_ms);
	return r;
}

int conn_tick(struct conn *c)
{
	int64_t now_ms;
	int r;

	if (c->memory != NULL)
		return 0;
	now_ms = time_monotonic_ms();
	if (now_ms >= c->deadline_ms)
		return -ETIMEDOUT;
	if (c->wake.call == NULL || now_ms - c->wake.last_ms < BUSY_WAKE_MS)
		return 0;
	r = wait_once(c, 0, 0);
	if (r >= 0 && c->wake.every_ms == 0)
		c->wake.last_ms = now_ms;
	return r < 0 ? r : 0;
}

int conn_flush(struct conn *c)
{
	int r;

	while ((r = conn_step_flush(c)) == -EAGAIN) {
		r = conn_wait(c, c->write_wants);
		if (r < 0)
			return r;
	}
	return r;
}

int conn_write(struct conn *c, struct span bytes)
{
	if (c->out_sent > 0) {
		buf_consume(&c->out, c->out_sent);
		c->out_sent = 0;
	}
	while (bytes.len > 0) {
		size_t room = CONN_OUT_MAX - c->out.len;
		size_t now = bytes.len < room ? bytes.len : room;
		int r;

		if (c->out_error != 0)
			return c->out_error;
		if (now < bytes.len && c->out.len > 0) {
			r = conn_flush(c);
			if (r < 0)
				return r;
			continue;
		}
		buf_add(&c->out, span_of(bytes.p, now));
		if (buf_error(&c->out) != 0)
			return buf_error(&c->out);
		bytes = span_of(bytes.p + now, bytes.len - now);
	}
	return 0;
}

int conn_printf(struct conn *c, const char *format, ...)
{
	struct buf text = BUF_INIT(PRINTF_MAX);
	va_list args;
	unsigned char *at;
	int len, r;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return -EINVAL;
	at = buf_reserve(&text, (size_t)len);
	if (at == NULL)
		return buf_error(&text) == -ENOBUFS ? -EMSGSIZE : buf_error(&text);
	va_start(args, format);
	(void)vsnprintf((char *)at, (size_t)len + 1, format, args);
	va_end(args);
	r = conn_write(c, span_of(at, (size_t)len));
	buf_wipe(&text);
	return r;
}

static int finish_handshake(struct conn *c)
{
	int r;

	while ((r = conn_step_handshake(c)) == -EAGAIN) {
		r = conn_wait(c, c->read_wants);
		if (r < 0)
			return r;
	}
	return r;
}

int conn_tls_accept(struct conn *c, struct tls_server *server)
{
	int r = conn_flush(c);

	if (r == 0)
		r = conn_tls_begin_accept(c, server);
	return r < 0 ? r : finish_handshake(c);
}

int conn_tls_connect(struct conn *c, struct tls_client *client, const char *host)
{
	int r = conn_flush(c);

	if (r == 0)
		r = conn_tls_begin_connect(c, client, host);
	return r < 0 ? r : finish_handshake(c);
}

/* Reads and drops until the peer has closed too: unread bytes would make close() a reset. */
static int drain(struct conn *c)
{
	unsigned char waste[4096];

	for (;;) {
		ssize_t n = conn_raw_read(c, waste, sizeof(waste));
		int r = n == -EAGAIN ? conn_wait(c, POLLIN) : conn_tick(c);

		if (n == 0 || (n < 0 && n != -EAGAIN))
			return (int)n;
		if (r < 0)
			return r;
	}
}

int conn_close(struct conn *c)
{
	int64_t until_ms;
	int r, bye = 0;

	/* What ended the session must not end its goodbye. */
	conn_set_wake(c, -1, 0, NULL, NULL);
	r = c->handshaking ? -ENOTCONN : conn_flush(c);
	if (r == 0 && c->ops->bye != NULL && !c->said_bye)
		bye = c->ops->bye(c);
	if (r == 0)
		r = bye;
	if (c->fd < 0)
		return r;
	(void)shutdown(c->fd, SHUT_WR);
	until_ms = time_monotonic_ms() + GOODBYE_MS;
	if (until_ms < c->deadline_ms)
		c->deadline_ms = until_ms;
	if (!c->ended && c->in_error != -ECONNRESET)
		bye = drain(c);
	return r == 0 ? bye : r;
}
