/*
 * The submission session behind TLS: a line, its command, the next. While it waits it watches the
 * connection, the session's own wake (revocation) and the word to end.
 */
#include "services/maild/smtp/smtp.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>
#include <poll.h>

enum {
	GOODBYE_S = 2,
	ENDLESS = 1 << 16, /* bytes without a whole line, until the session ends */
	BAD_MAX = 10,
	UNSENT_MAX = 128, /* replies that wait, of a client that goes on without reading them */
};

/* AUTH alone may be longer than other lines: the command table sees to these. */
static const struct frame_rule line_rule = {.max = SMTP_AUTH_MAX};

void smtp_end(struct smtp_session *s, const char *reason)
{
	s->quit = true;
	if (s->service->end_reason == NULL)
		s->service->end_reason = reason;
}

/* -- waiting ----------------------------------------------------------------------------------- */

void smtp_wait_s(struct smtp_session *s, unsigned seconds)
{
	s->until_ms = time_monotonic_ms() + (int64_t)seconds * 1000;
	conn_set_deadline(s->conn, s->until_ms);
}

/* Waits until something can be sent. 0: look again. */
static int wait_to_write(struct smtp_session *s)
{
	struct pollfd fds[2] = {
		{.fd = conn_fd(s->conn), .events = conn_wants_write(s->conn)},
		{.fd = s->end_fd, .events = s->end_fd >= 0 ? POLLIN : 0},
	};
	int r = conn_poll(s->conn, fds, 2, s->until_ms);

	if (r > 0 && fds[1].revents != 0)
		return -ESHUTDOWN;
	if (r >= 0 && time_monotonic_ms() >= s->until_ms)
		return -ETIMEDOUT;
	return r < 0 ? r : 0;
}

static int flush_all(struct smtp_session *s)
{
	int r;

	s->unsent = 0;
	while ((r = conn_step_flush(s->conn)) == -EAGAIN) {
		r = wait_to_write(s);
		if (r < 0)
			return r;
	}
	return r;
}

static int wait_once(struct smtp_session *s)
{
	/* What came along with the end of the handshake is where poll() does not see it. */
	bool more = conn_has_more(s->conn);
	struct pollfd fds[2] = {
		{.fd = conn_fd(s->conn), .events = conn_events(s->conn)},
		{.fd = s->end_fd, .events = s->end_fd >= 0 ? POLLIN : 0},
	};
	int r = conn_poll(s->conn, fds, 2, more ? 0 : s->until_ms);

	if (r > 0 && fds[1].revents != 0)
		return -ESHUTDOWN;
	return r < 0 ? r : 0;
}

int smtp_fill(struct smtp_session *s)
{
	for (;;) {
		int r = conn_step_flush(s->conn);

		if (r < 0 && r != -EAGAIN)
			return r;
		s->unsent = 0;
		r = wait_once(s);
		if (r < 0)
			return r;
		r = conn_step_fill(s->conn);
		if (r != -EAGAIN)
			return r > 0 ? 1 : r;
		if (time_monotonic_ms() >= s->until_ms)
			return -ETIMEDOUT;
	}
}

static void wait_for_command(struct smtp_session *s)
{
	if (s->logged_in) {
		smtp_wait_s(s, s->service->door->idle_s);
		return;
	}
	s->until_ms = s->login_until_ms;
	conn_set_deadline(s->conn, s->until_ms);
}

/* -- lines ------------------------------------------------------------------------------------- */

static int refuse_line(struct smtp_session *s, int fault)
{
	if (fault == -EMSGSIZE)
		return smtp_refuse(s, 500, "5.5.2", "The line is too long.");
	return smtp_refuse(s, 500, "5.5.2", "Lines end in CR LF and hold no other CR, LF or NUL.");
}

static int take_line(struct smtp_session *s, struct span line)
{
	int r;

	s->lines_at = conn_bytes_in(s->conn);
	wait_for_command(s);
	r = s->authenticating ? smtp_auth_line(s, line) : smtp_command(s, line);
	/* Its message is no line. */
	s->lines_at = conn_bytes_in(s->conn);
	wait_for_command(s);
	return r;
}

/* A line that never ends costs no memory, but it is no client's either. */
static int wait_for_line(struct smtp_session *s)
{
	if (conn_bytes_in(s->conn) - s->lines_at <= ENDLESS)
		return smtp_fill(s);
	smtp_end(s, "an endless line");
	return smtp_say(s, 421, "4.7.0", "That line does not end: goodbye.");
}

/* 0 or more: go on. */
static int step(struct smtp_session *s)
{
	struct span line;
	int r = s->unsent < UNSENT_MAX ? 0 : flush_all(s);

	if (r < 0)
		return r;
	r = conn_step_line(s->conn, &line_rule, &line);
	if (r == -EAGAIN)
		return wait_for_line(s);
	if (r == 0) {
		smtp_end(s, "end of input");
		return 0;
	}
	if (r == 1)
		r = take_line(s, line);
	else if (r == -EMSGSIZE || r == -EPROTO)
		r = refuse_line(s, r);
	if (r < 0 || s->quit || s->bad < BAD_MAX)
		return r;
	smtp_end(s, "too many bad commands");
	return smtp_say(s, 421, "4.7.0", "Too many commands that are none: goodbye.");
}

/* -- the session ------------------------------------------------------------------------------- */

/* What ended the loop, in words for the client. */
static int finish(struct smtp_session *s, int r)
{
	conn_set_wake(s->conn, -1, 0, NULL, NULL);
	smtp_wait_s(s, GOODBYE_S);
	switch (r) {
	case -EACCES:
		smtp_end(s, "revoked");
		(void)smtp_say(s, 421, "4.7.0",
			"Your certificate or account is no longer valid here: goodbye.");
		return 0;
	case -ETIMEDOUT:
		smtp_end(s, s->logged_in ? "idle" : "no log-in in time");
		(void)smtp_say(s, 421, "4.4.2", "%s: goodbye.",
			s->logged_in ? "Nothing was said for too long" : "No log-in came in time");
		return 0;
	case -ESHUTDOWN:
		smtp_end(s, "told to end");
		(void)smtp_say(
			s, 421, "4.3.2", "This service stops for now, try again soon: goodbye.");
		return 0;
	default:
		return r < 0 ? r : 0;
	}
}

static int greet(struct smtp_session *s)
{
	int r = maild_size_limit(s->service->store, &s->size_limit);

	wait_for_command(s);
	if (r < 0) {
		smtp_end(s, "the store is not available");
		log_event(LOG_LEVEL_ERR, "the policy cannot be read",
			log_fields({"ERROR", span_str(err_text(r))}));
		return smtp_say(s, 421, "4.3.0", "Not possible at the moment; try again later.");
	}
	return smtp_say(s, 220, "", "%s ESMTP Quintet, for members of the house",
		s->service->settings.host);
}

int smtp_run(struct service *service)
{
	struct smtp_session s = {.service = service,
		.conn = service->conn,
		.end_fd = -1,
		.login_until_ms = time_monotonic_ms() + (int64_t)service->door->login_s * 1000};
	sigset_t old;
	int r = service_watch_end(&old, &s.end_fd);

	if (r == 0)
		r = greet(&s);
	while (r >= 0 && !s.quit)
		r = step(&s);
	r = finish(&s, r);
	if (s.end_fd >= 0)
		service_unwatch_end(&old, &s.end_fd);
	smtp_envelope_reset(&s);
	explicit_bzero(&s.sasl, sizeof(s.sasl));
	return r;
}
