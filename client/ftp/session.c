/* A session's life: connecting, TLS, steps, deadlines, the end. See session.h. */
#include "client/ftp/session.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "client/ftp/work.h"
#include "client/link.h"
#include "net/tls.h"

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>

/* How long one address may keep the next waiting. */
#define ADDRESS_MS 3000

void session_lose(struct session *s, int error)
{
	if (s->state == SESSION_ENDED)
		return;
	s->state = SESSION_ENDED;
	if (s->error == 0)
		s->error = error;
	if (s->task != NULL)
		task_stop(s);
	data_close(&s->data);
	conn_freep(&s->conn);
	cleanup_close(&s->fd);
	s->deadline_ms = INT64_MAX;
}

/* Starts on the next address; the session has ended when there is none left. */
static void address_next(struct session *s, int error)
{
	cleanup_close(&s->fd);
	while (s->next != NULL && s->fd < 0) {
		int r = link_begin(s->next);

		s->next = s->next->ai_next;
		if (r < 0)
			error = r;
		else
			s->fd = r;
	}
	s->address_end_ms = s->next != NULL ? time_monotonic_ms() + ADDRESS_MS : INT64_MAX;
	if (s->fd < 0)
		session_lose(s, error);
}

int session_new(struct ftp_pool *p, struct session **ret)
{
	struct session *s = calloc(1, sizeof *s);

	if (s == NULL)
		return -ENOMEM;
	s->pool = p;
	s->fd = -1;
	s->data.fd = -1;
	s->lines = BUF_INIT(SESSION_REPLY_MAX);
	s->next = p->addresses;
	*ret = s;
	if (p->scripted)
		return 0;
	session_wait(s);
	address_next(s, -ENXIO);
	return 0;
}

void session_free(struct session *s)
{
	if (s == NULL)
		return;
	data_done(&s->data);
	conn_freep(&s->conn);
	cleanup_close(&s->fd);
	buf_done(&s->lines);
	free(s);
}

static int step_connect(struct session *s)
{
	int r = link_connected(s->fd);

	if (r == -EAGAIN)
		return 0;
	if (r < 0) {
		address_next(s, r);
		return 0;
	}
	r = conn_new(s->fd, &s->conn);
	if (r < 0)
		return r;
	s->fd = -1;
	s->state = SESSION_TLS;
	session_wait(s);
	return conn_tls_begin_connect(s->conn, s->pool->tls, s->pool->profile->host);
}

/* Why there is no TLS, for people. */
static int tls_failed(struct session *s, int error)
{
	const struct tls_info *t = conn_tls(s->conn);
	const char *why = conn_tls_reason(s->conn);

	snprintf(s->reason, sizeof s->reason, "%s%s%s",
		error == -EKEYREJECTED ? "not trusted: " : "no TLS: ",
		*why != '\0' ? why : client_why(error),
		error == -EKEYREJECTED && t != NULL && t->clock_suspect
			? " (only the dates are wrong: perhaps this machine's clock is off)"
			: "");
	return error;
}

static int step_tls(struct session *s)
{
	int r = conn_step_handshake(s->conn);

	if (r == -EAGAIN)
		return 0;
	return r < 0 ? tls_failed(s, r) : session_login(s);
}

static int step_busy(struct session *s)
{
	int r = s->busy != NULL ? s->busy(s) : 0;

	return r < 0 ? r : 0;
}

static int step_talk(struct session *s)
{
	static int (*const steps[])(struct session * s) = {session_read, transfer_step, step_busy};
	int sent = conn_step_flush(s->conn);

	/* A server that refuses may say why before it stops to listen. */
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		int r = steps[i](s);

		if (r < 0 || s->state == SESSION_ENDED)
			return r;
	}
	if (sent == 0 || sent == -EAGAIN)
		sent = conn_step_flush(s->conn);
	return sent == -EAGAIN ? 0 : sent;
}

void session_step(struct session *s)
{
	enum session_state before;

	/* One readiness may finish several states: TLS keeps bytes of its own. */
	do {
		int r = 0;

		before = s->state;
		if (s->state == SESSION_CONNECT)
			r = step_connect(s);
		else if (s->state == SESSION_TLS)
			r = step_tls(s);
		else if (s->state != SESSION_ENDED)
			r = step_talk(s);
		if (r < 0)
			session_lose(s, r);
	} while (s->state != before && s->state != SESSION_ENDED);
}

static struct pollfd poll_data(const struct data *d, bool *now)
{
	struct pollfd p = {.fd = d->fd, .events = POLLOUT};

	if (d->state <= DATA_CONNECT || d->state == DATA_OVER || d->waiting)
		return d->state == DATA_CONNECT ? p : (struct pollfd){.fd = -1};
	if (d->state == DATA_CONNECTED)
		return (struct pollfd){.fd = -1};
	*now = *now || d->more;
	p.fd = conn_fd(d->conn);
	if (d->state == DATA_TLS)
		p.events = conn_events(d->conn);
	else if (d->state == DATA_DRAIN || !d->plan->upload)
		p.events = conn_wants_read(d->conn);
	else
		p.events = conn_wants_write(d->conn);
	return p;
}

bool session_poll(const struct session *s, struct pollfd *fds, int64_t *until_ms)
{
	bool now = s->state == SESSION_READY && s->busy != NULL;

	for (size_t i = 0; i < SESSION_FDS; i++)
		fds[i] = (struct pollfd){.fd = -1};
	if (s->state == SESSION_ENDED)
		return true;
	if (s->deadline_ms < *until_ms)
		*until_ms = s->deadline_ms;
	if (s->state == SESSION_CONNECT) {
		fds[0] = (struct pollfd){.fd = s->fd, .events = POLLOUT};
		if (s->address_end_ms < *until_ms)
			*until_ms = s->address_end_ms;
		return false;
	}
	fds[0] = (struct pollfd){.fd = conn_fd(s->conn), .events = conn_events(s->conn)};
	if (s->data.plan == NULL)
		return now;
	fds[1] = poll_data(&s->data, &now);
	if (s->data.waiting)
		fds[2] = (struct pollfd){.fd = s->task->out_fd, .events = POLLOUT};
	return now;
}

void session_tick(struct session *s, int64_t now_ms)
{
	if (s->state == SESSION_CONNECT && now_ms >= s->address_end_ms)
		address_next(s, -ETIMEDOUT);
	if (s->state != SESSION_ENDED && now_ms >= s->deadline_ms)
		session_lose(s, -ETIMEDOUT);
}

bool session_is_idle(struct session *s)
{
	if (s->state == SESSION_READY && s->task == NULL)
		session_step(s);
	return s->state == SESSION_READY && s->task == NULL;
}

/* -- what a task says of itself ----------------------------------------------------------------
 */

static struct ftp_task *task_leave(struct session *s)
{
	struct ftp_task *t = s->task;

	s->task = NULL;
	s->busy = NULL;
	data_close(&s->data);
	s->data.plan = NULL;
	/* Replies still to come would be taken for the next task's. */
	if (s->asked_count > 0)
		session_lose(s, -EPROTO);
	else
		s->deadline_ms = INT64_MAX;
	return t;
}

int session_finish(struct session *s, int error)
{
	pool_finish(s->pool, task_leave(s), error);
	return 0;
}

int session_fail(struct session *s, int error, const char *format, ...)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(sizeof s->task->reason - 1);
	char plain[sizeof s->task->reason / 2];
	va_list ap;

	va_start(ap, format);
	vsnprintf(plain, sizeof plain, format, ap);
	va_end(ap);
	if (text_is_clean(span_str(plain)))
		buf_add_str(&text, plain);
	else
		text_escape(&text, span_str(plain));
	snprintf(s->task->reason, sizeof s->task->reason, "%s", buf_str(&text));
	return session_finish(s, error);
}

int session_refused(struct session *s, const struct reply *r)
{
	session_note(s, r);
	s->task->code = s->code;
	snprintf(s->task->reason, sizeof s->task->reason, "%s", s->reason);
	if (s->code >= 400 && s->code < 500)
		return session_again(s, -EREMOTEIO);
	return session_finish(s, -EREMOTEIO);
}

int session_again(struct session *s, int error)
{
	pool_again(s->pool, task_leave(s), error);
	return 0;
}
