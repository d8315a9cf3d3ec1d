/* Commands of one IMAP connection, and the calls that wait for their answers. */
#include "client/mail/imapc.h"

#include "base/timefmt.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>

enum {
	CHUNK = 65536, /* given to the connection at once: its own buffer never makes us wait */
	IDLE_MS = 20 * 60 * 1000, /* RFC 2177: at most 29 minutes */
	NOOP_MS = 15000,
};

/* -- waiting ----------------------------------------------------------------------------------- */

static int64_t patience_ms(const struct imapc *m)
{
	return time_monotonic_ms() + INT64_C(1000) * m->timeout_s;
}

/* Until something can be read or written. */
static int wait_line(struct imapc *m)
{
	struct pollfd p = {.fd = conn_fd(m->conn), .events = conn_events(m->conn)};
	int r = conn_poll(m->conn, &p, 1, patience_ms(m));

	if (r == 0)
		r = -ETIMEDOUT;
	return r < 0 ? imapc_lose(m, r) : 0;
}

int imapc_next(struct imapc *m)
{
	for (;;) {
		int r = imapc_step(m);

		if (r == 0)
			r = wait_line(m);
		if (r != 0)
			return r;
	}
}

int imapc_tell(struct imapc *m, imapc_heard heard, void *arg)
{
	int r = m->listen != NULL ? m->listen(m->listen_arg, &m->answer) : 0;

	if (r >= 0 && heard != NULL)
		r = heard(arg, &m->answer);
	return r < 0 ? imapc_lose(m, r) : 0;
}

static bool early_take(struct imapc *m, uint32_t tag, int *ret)
{
	for (size_t i = 0; i < m->early_count; i++) {
		if (m->early[i].tag != tag)
			continue;
		*ret = m->early[i].result;
		m->early[i] = m->early[--m->early_count];
		return true;
	}
	return false;
}

/* One that is waited for later. */
static int early_put(struct imapc *m, uint32_t tag)
{
	if (tag == 0 || tag > m->tag || m->early_count == IMAPC_EARLY)
		return imapc_lose(m, -EPROTO);
	m->early[m->early_count].tag = tag;
	m->early[m->early_count++].result = imapc_note(m);
	return 0;
}

/* 1: the tagged answer of tag has come, its result in *ret; 0: it was another answer. */
static int hear(struct imapc *m, uint32_t tag, imapc_heard heard, void *arg, int *ret)
{
	uint32_t got = 0;

	if (imapc_is_plus(&m->answer))
		return 0;
	if (span_eq_str(m->answer.tag, "*"))
		return imapc_tell(m, heard, arg);
	if (!imapc_is_tag(&m->answer, &got))
		return imapc_lose(m, -EPROTO);
	if (got != tag)
		return early_put(m, got);
	*ret = imapc_note(m);
	return 1;
}

int imapc_wait(struct imapc *m, uint32_t tag, imapc_heard heard, void *arg)
{
	int result = 0, r = early_take(m, tag, &result) ? 1 : 0;

	while (r == 0) {
		r = imapc_next(m);
		if (r == 1)
			r = hear(m, tag, heard, arg, &result);
	}
	return r < 0 ? r : result;
}

int imapc_wait_quiet(struct imapc *m, uint32_t tag)
{
	char code[sizeof m->code], said[sizeof m->said];
	int r;

	memcpy(code, m->code, sizeof code);
	memcpy(said, m->said, sizeof said);
	r = imapc_wait(m, tag, NULL, NULL);
	memcpy(m->code, code, sizeof code);
	memcpy(m->said, said, sizeof said);
	return r;
}

int imapc_ignore(void *arg, const struct imap_answer *a)
{
	(void)arg;
	(void)a;
	return 0;
}

/* -- sending ----------------------------------------------------------------------------------- */

static int give(struct imapc *m, struct span bytes)
{
	int r = 0;

	while (r == 0 && bytes.len > 0) {
		size_t n = bytes.len < CHUNK ? bytes.len : CHUNK;

		r = conn_write(m->conn, span_of(bytes.p, n));
		bytes = span_of(bytes.p + n, bytes.len - n);
		while (r == 0 && bytes.len > 0 && (r = conn_step_flush(m->conn)) == -EAGAIN)
			r = wait_line(m);
	}
	return r < 0 ? imapc_lose(m, r) : 0;
}

/* The server's leave to go on. 1: it has refused the command instead, which is kept as early. */
static int wait_plus(struct imapc *m, uint32_t tag)
{
	uint32_t got = 0;

	for (;;) {
		int r = imapc_next(m);

		if (r < 0)
			return r;
		if (imapc_is_plus(&m->answer))
			return 0;
		if (span_eq_str(m->answer.tag, "*"))
			r = imapc_tell(m, NULL, NULL);
		else
			r = imapc_is_tag(&m->answer, &got) ? early_put(m, got)
							   : imapc_lose(m, -EPROTO);
		if (r < 0 || got == tag)
			return r < 0 ? r : 1;
	}
}

static int give_literal(struct imapc *m, struct span bytes, uint32_t tag)
{
	bool plus = imapc_can(m, "LITERAL+") || (imapc_can(m, "LITERAL-") && bytes.len <= 4096);
	int r = conn_printf(m->conn, "{%zu%s}\r\n", bytes.len, plus ? "+" : "");

	if (r < 0)
		return imapc_lose(m, r);
	r = plus ? 0 : wait_plus(m, tag);
	return r == 0 ? give(m, bytes) : r;
}

static bool is_one_line(struct span s)
{
	return s.len == 0 ||
		(memchr(s.p, '\r', s.len) == NULL && memchr(s.p, '\n', s.len) == NULL &&
			memchr(s.p, '\0', s.len) == NULL);
}

int imapc_send(struct imapc *m, const struct imapc_piece *pieces, size_t count, uint32_t *ret_tag)
{
	int r = m->error;

	for (size_t i = 0; i < count; i++)
		if (!pieces[i].literal && !is_one_line(pieces[i].text))
			return -EINVAL;
	if (r < 0)
		return r;
	*ret_tag = ++m->tag;
	r = conn_printf(m->conn, "q%u ", m->tag);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = pieces[i].literal ? give_literal(m, pieces[i].text, m->tag)
				      : give(m, pieces[i].text);
	if (r == 0)
		r = conn_printf(m->conn, "\r\n");
	return r < 0 ? imapc_lose(m, r) : 0;
}

int imapc_run(struct imapc *m, const struct imapc_piece *pieces, size_t count, imapc_heard heard,
	void *arg)
{
	uint32_t tag;
	int r = imapc_send(m, pieces, count, &tag);

	return r == 0 ? imapc_wait(m, tag, heard, arg) : r;
}

int imapc_runf(struct imapc *m, imapc_heard heard, void *arg, const char *format, ...)
{
	_cleanup_(buf_wipe) struct buf text = BUF_INIT(IMAP_LINE_MAX);
	struct imapc_piece piece = {.literal = false};
	char *words = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&words, format, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	buf_add(&text, span_of(words, (size_t)n));
	explicit_bzero(words, (size_t)n);
	free(words);
	piece.text = buf_span(&text);
	return buf_error(&text) < 0 ? -EMSGSIZE : imapc_run(m, &piece, 1, heard, arg);
}

/* -- IDLE -------------------------------------------------------------------------------------- */

struct idle {
	imapc_heard heard;
	void *arg;
	bool any;
};

static int idle_heard(void *arg, const struct imap_answer *a)
{
	struct idle *i = arg;

	/* "* OK Still here" is nothing new. */
	if (a->status.len == 0)
		i->any = true;
	return i->heard != NULL ? i->heard(i->arg, a) : 0;
}

/* Everything that is there. 0, or negative. */
static int idle_drain(struct imapc *m, struct idle *idle)
{
	int r;

	while ((r = imapc_step(m)) == 1) {
		uint32_t tag;

		if (span_eq_str(m->answer.tag, "*"))
			r = imapc_tell(m, idle_heard, idle);
		else if (imapc_is_tag(&m->answer, &tag))
			r = early_put(m, tag);
		/* The server has ended it: what follows is of other commands. */
		if (r < 0 || m->early_count > 0)
			break;
	}
	return r < 0 ? r : 0;
}

/* 1 heard, 2 the time has come, 3 watch_fd; or the server has ended it (0). */
static int idle_wait(struct imapc *m, struct idle *idle, int64_t until_ms, int watch_fd)
{
	for (;;) {
		struct pollfd p[2] = {{.fd = conn_fd(m->conn)},
			{.fd = watch_fd, .events = watch_fd >= 0 ? POLLIN : 0}};
		int r = idle_drain(m, idle);

		if (r < 0)
			return r;
		if (idle->any || m->early_count > 0)
			return idle->any ? 1 : 0;
		p[0].events = conn_events(m->conn);
		r = conn_poll(m->conn, p, 2, until_ms);
		if (r < 0)
			return r == -ECANCELED ? r : imapc_lose(m, r);
		if (p[1].revents != 0 && watch_fd >= 0)
			return 3;
		if (r == 0)
			return 2;
	}
}

static int idle_once(struct imapc *m, struct idle *idle, int64_t until_ms, int watch_fd)
{
	const struct imapc_piece piece = {SPAN_LIT("IDLE"), false};
	uint32_t tag;
	int r = imapc_send(m, &piece, 1, &tag), ended;

	if (r == 0)
		r = wait_plus(m, tag);
	if (r != 0)
		return r < 0 ? r : imapc_wait(m, tag, NULL, NULL);
	r = idle_wait(m, idle, until_ms, watch_fd);
	if (r < 0 && r != -ECANCELED)
		return r;
	ended = conn_printf(m->conn, "DONE\r\n");
	if (ended < 0)
		return imapc_lose(m, ended);
	/* A signal ends every wait: the line is not good for more then. */
	if (r == -ECANCELED)
		return imapc_lose(m, r);
	ended = imapc_wait(m, tag, idle_heard, idle);
	if (ended < 0)
		return ended;
	return r == 2 && idle->any ? 1 : r;
}

/* Without IDLE: a look every now and then. */
static int idle_poll(struct imapc *m, struct idle *idle, int64_t until_ms, int watch_fd)
{
	struct pollfd p = {.fd = watch_fd, .events = watch_fd >= 0 ? POLLIN : 0};
	int64_t next_ms = time_monotonic_ms() + NOOP_MS;
	int r = conn_poll(m->conn, &p, 1, next_ms < until_ms ? next_ms : until_ms);

	if (r < 0)
		return imapc_lose(m, r);
	if (r > 0)
		return 3;
	r = imapc_runf(m, idle_heard, idle, "NOOP");
	if (r < 0)
		return r;
	return idle->any ? 1 : 2;
}

int imapc_idle(struct imapc *m, unsigned every_ms, int watch_fd, imapc_heard heard, void *arg)
{
	struct idle idle = {.heard = heard, .arg = arg};
	bool can = imapc_can(m, "IDLE");
	int64_t end_ms = every_ms > 0 ? time_monotonic_ms() + every_ms : INT64_MAX;

	if (m->error < 0)
		return m->error;
	for (;;) {
		int64_t turn_ms = time_monotonic_ms() + IDLE_MS;
		int64_t until_ms = turn_ms < end_ms ? turn_ms : end_ms;
		int r = can ? idle_once(m, &idle, until_ms, watch_fd)
			    : idle_poll(m, &idle, until_ms, watch_fd);

		if (r < 0 || r == 1 || r == 3 || (r == 2 && time_monotonic_ms() >= end_ms))
			return r;
	}
}
