/*
 * The IMAP session: one command after the other. Whatever waits, waits here: for input, for the end
 * of the process, for news; what was answered goes out before. No transaction is open meanwhile.
 */
#include "services/maild/imap/imap.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>

enum {
	GOODBYE_S = 2,
	REPLY_S = 60, /* for a client that lets more answers pile up than are held */
	BAD_MAX = 20, /* commands in a row that are none */
	BAD_BEFORE_LOGIN_MAX = 5,
	COMMAND_KEPT = 4096, /* memory of a command that is kept for the next */
	SCRATCH_MAX = 64 << 20, /* an answer made in memory */
	LINE_SCRATCH_MAX = 8 << 20, /* COPYUID of very many */
};

/* -- waiting ----------------------------------------------------------------------------------- */

static int64_t deadline_ms(const struct imap *s)
{
	if (s->state == IMAP_NOT_AUTHENTICATED)
		return s->service->started_ms + (int64_t)s->service->door->login_s * 1000;
	return s->active_ms + (int64_t)s->service->door->idle_s * 1000;
}

/* 1: something came that poll() would not see. */
static int wait_once(struct imap *s, int64_t until_ms)
{
	struct pollfd fds[2] = {{.fd = conn_fd(s->conn), .events = conn_events(s->conn)},
		{.fd = s->end_fd, .events = s->end_fd >= 0 ? POLLIN : 0}};
	int r;

	if (conn_has_more(s->conn) && conn_step_fill(s->conn) > 0)
		return 1;
	r = conn_poll(s->conn, fds, 2, until_ms);
	if (r > 0 && fds[1].revents != 0)
		return -ESHUTDOWN;
	if (r >= 0 && (fds[0].revents != 0 || conn_events(s->conn) == 0))
		(void)conn_step_fill(s->conn);
	return r < 0 ? r : 0;
}

/* 0: look again. */
static int wait_to_write(struct imap *s, int64_t until_ms)
{
	struct pollfd fds[2] = {{.fd = conn_fd(s->conn), .events = conn_wants_write(s->conn)},
		{.fd = s->end_fd, .events = s->end_fd >= 0 ? POLLIN : 0}};
	int r = conn_poll(s->conn, fds, 2, until_ms);

	if (r > 0 && fds[1].revents != 0)
		return -ESHUTDOWN;
	if (r >= 0 && time_monotonic_ms() >= until_ms)
		return -ETIMEDOUT;
	return r < 0 ? r : 0;
}

int imap_flush(struct imap *s)
{
	int64_t until_ms = time_monotonic_ms() + REPLY_S * INT64_C(1000);

	s->unsent = 0;
	while (s->error == 0) {
		int r = conn_step_flush(s->conn);

		if (r == 0)
			return 0;
		s->error = r == -EAGAIN ? wait_to_write(s, until_ms) : r;
	}
	return s->error;
}

int imap_wait(struct imap *s, int64_t until_ms)
{
	int64_t end_ms = deadline_ms(s);
	int r;

	if (s->error != 0)
		return s->error;
	r = imap_flush(s);
	if (r == 0)
		r = wait_once(s, until_ms < end_ms ? until_ms : end_ms);
	if (r == 0 && time_monotonic_ms() >= end_ms)
		return -ETIMEDOUT;
	return r < 0 ? r : 0;
}

void imap_trim(struct imap *s)
{
	buf_done(&s->command);
	buf_done(&s->out);
	buf_done(&s->line);
	conn_trim(s->conn);
	(void)malloc_trim(0);
}

/* -- ends -------------------------------------------------------------------------------------- */

static void bye(struct imap *s, const char *reason, const char *text)
{
	s->service->end_reason = reason;
	/* An answer broke off: nobody could tell this from the rest of it. */
	if (s->error != 0)
		return;
	conn_set_wake(s->conn, -1, 0, NULL, NULL);
	conn_set_timeout_s(s->conn, GOODBYE_S);
	(void)conn_printf(s->conn, "* BYE %s\r\n", text);
}

/* What the client is told when it was not the client who ended it. */
static int finish(struct imap *s, int r)
{
	switch (r) {
	case -EACCES:
		bye(s, "revoked", "Your certificate or account is no longer valid here");
		return 0;
	case -ETIMEDOUT:
		s->service->end_reason = "the client does not read";
		if (s->error == 0)
			bye(s, s->state == IMAP_NOT_AUTHENTICATED ? "no log-in in time" : "idle",
				"Nothing was said for too long");
		return 0;
	case -ESHUTDOWN:
		bye(s, "told to end", "[UNAVAILABLE] This service stops for now, come back soon");
		return 0;
	case -ENODEV:
		bye(s, "its mailbox is gone", "The selected mailbox was deleted");
		return 0;
	case -E2BIG:
		bye(s, "too much", "[TOOBIG] That is more than is taken here");
		return 0;
	default:
		return r < 0 ? r : 0;
	}
}

static void free_session(struct imap *s)
{
	imap_unselect(s);
	imap_notify_free(s);
	free(s->box.uids);
	free(s->box.gone);
	free(s->box.own);
	free(s->saved);
	buf_wipe(&s->command);
	buf_done(&s->out);
	buf_done(&s->line);
}

/* -- the loop ---------------------------------------------------------------------------------- */

/* Passwords do not stay, and a large command is no reason to keep its memory. */
static void forget_command(struct imap *s, const struct imap_call *c)
{
	if (c->command != NULL && (c->command->flags & IMAP_SECRET) != 0)
		buf_wipe(&s->command);
	else if (s->command.cap > COMMAND_KEPT)
		buf_done(&s->command);
}

static int check_bad(struct imap *s)
{
	unsigned max = s->state == IMAP_NOT_AUTHENTICATED ? BAD_BEFORE_LOGIN_MAX : BAD_MAX;

	if (s->bad < max)
		return 0;
	bye(s, "too many bad commands", "Too many commands that are none");
	s->logout = true;
	return 0;
}

static int serve(struct imap *s)
{
	int r = 0;

	while (r >= 0 && !s->logout) {
		struct imap_call c = {.s = s};

		r = imap_read_command(s, &c);
		if (r > 0) {
			r = imap_command_run(&c);
			forget_command(s, &c);
		}
		if (r == 0 && s->error != 0)
			r = s->error;
		if (r == 0 && s->box.deleted)
			r = -ENODEV;
		if (r == 0 && !s->logout)
			r = check_bad(s);
	}
	return r;
}

static void begin(struct imap *s, struct service *service)
{
	const struct auth_identity nobody = {.proof = AUTH_NONE};

	*s = (struct imap){.service = service,
		.conn = service->conn,
		.end_fd = -1,
		.state = IMAP_NOT_AUTHENTICATED,
		.command = BUF_INIT(IMAP_COMMAND_MAX + IMAP_LINE_MAX),
		.out = BUF_INIT(SCRATCH_MAX),
		.line = BUF_INIT(LINE_SCRATCH_MAX),
		.active_ms = time_monotonic_ms()};
	/* What the handshake proved waits until the client says EXTERNAL. */
	if (service->who.proof != AUTH_NONE)
		(void)service_logged_in(service, &nobody);
}

int imap_run(struct service *service)
{
	struct imap s;
	sigset_t old;
	int r;

	begin(&s, service);
	r = service_watch_end(&old, &s.end_fd);
	if (r == 0)
		r = maild_size_limit(service->store, &s.size_limit);
	if (r == 0) {
		imap_greet(&s);
		r = serve(&s);
	}
	r = finish(&s, r);
	free_session(&s);
	if (s.end_fd >= 0)
		service_unwatch_end(&old, &s.end_fd);
	return r;
}
