/*
 * The session behind TLS: one loop over the control connection, the transfer's or the job's next
 * step, and the clock. While a transfer or a job is under way only urgent lines are run; the others
 * stay unread, in their order, and a peer that sends more of them than the buffer holds waits. So
 * does one that does not read its replies.
 */
#include "services/ftpd/data.h"
#include "services/ftpd/job.h"
#include "services/ftpd/transfer.h"
#include "services/ftpd/tree.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>

enum {
	GOODBYE_S = 2,
	REPLY_S = 60, /* for a peer that lets more replies pile up than are held */
	LINES_MAX = 16, /* lines run in a row, before their replies are sent */
	ENDLESS = 1 << 20, /* bytes without a whole line, until the session ends */
	OVER = 1, /* the session has come to its end */
};

static const struct frame_rule line_rule = {.max = FTP_LINE_MAX, .bare_lf_ok = true};

static bool is_busy(const struct ftpd *f)
{
	return f->transfer != NULL || f->job != NULL;
}

/* -- ends -------------------------------------------------------------------------------------- */

/* What the peer is told when the session ends and it was not the peer who ended it. */
static int goodbye(struct ftpd *f, const char *reason, const char *text)
{
	f->service->end_reason = reason;
	conn_set_wake(f->control, -1, 0, NULL, NULL);
	conn_set_timeout_s(f->control, GOODBYE_S);
	(void)ftpd_reply(f, 421, "%s", text);
	return OVER;
}

static int time_out(struct ftpd *f)
{
	if (!f->logged_in)
		return goodbye(f, "no log-in in time", "No log-in came in time: goodbye.");
	return goodbye(f, "idle", "Nothing was said for too long: goodbye.");
}

static void stop_work(struct ftpd *f)
{
	if (f->transfer != NULL)
		(void)transfer_abort(f, false);
	if (f->job != NULL)
		(void)job_abort(f, false);
}

static int finish(struct ftpd *f, int r)
{
	stop_work(f);
	if (r == -EACCES)
		r = goodbye(f, "revoked",
			"Your certificate or account is no longer valid here: goodbye.");
	if (r == -ETIMEDOUT)
		r = time_out(f);
	if (r == -ESHUTDOWN)
		r = goodbye(
			f, "told to end", "This service stops for now, try again soon: goodbye.");
	return r < 0 ? r : 0;
}

/* -- lines ------------------------------------------------------------------------------------- */

static int refuse_line(struct ftpd *f, int fault)
{
	f->bad++;
	return ftpd_reply(f, 500, "%s",
		fault == -EMSGSIZE ? "The line is too long."
				   : "The line has a NUL or a lone CR in it.");
}

/* A browser or a mailer that was led here says things that nobody should get an answer to. */
static int take_line(struct ftpd *f, struct span line)
{
	int r;

	f->last_ms = time_monotonic_ms();
	f->lines_at = conn_bytes_in(f->control);
	conn_set_timeout_s(f->control, REPLY_S);
	if (ftp_line_is_foreign(line))
		return goodbye(f, "another protocol", "This is FTP: goodbye.");
	r = ftpd_command(f, line);
	if (r == 0 && f->quit && f->service->end_reason == NULL)
		f->service->end_reason = "quit";
	return r;
}

/* In the midst of work: is the next line one that is run at once? What is no whole line yet says
 * how the input goes on, so it is looked at as well. */
static bool may_take(const struct ftpd *f)
{
	struct span line;
	size_t used;
	int r;

	if (!is_busy(f))
		return true;
	r = frame_line(conn_pending(f->control), &line_rule, &line, &used);
	return r == 0 || (r == 1 && ftpd_command_is_urgent(line));
}

/* A line that never ends costs no memory, but it is no client's either. */
static int wait_for_line(struct ftpd *f)
{
	if (conn_bytes_in(f->control) - f->lines_at <= ENDLESS)
		return 0;
	return goodbye(f, "an endless line", "That line does not end: goodbye.");
}

/* The lines that are there. 0: go on; *ret_more when there may be others; OVER; or as conn. */
static int run_lines(struct ftpd *f, bool *ret_more)
{
	struct span line;
	int r = 0;

	*ret_more = false;
	for (int i = 0; i < LINES_MAX && r == 0 && !f->quit; i++) {
		if (!may_take(f))
			return 0;
		r = conn_step_line(f->control, &line_rule, &line);
		if (r == -EAGAIN)
			return wait_for_line(f);
		if (r == 0) {
			/* A transfer that is under way is completed first. */
			f->service->end_reason = "end of input";
			return is_busy(f) ? 0 : OVER;
		}
		if (r == 1)
			r = take_line(f, line);
		else if (r == -EMSGSIZE || r == -EPROTO)
			r = refuse_line(f, r);
		if (r == 0 && f->bad >= FTPD_BAD_MAX)
			r = goodbye(f, "too many bad commands", "Too many bad commands: goodbye.");
	}
	*ret_more = r == 0 && !f->quit;
	return r;
}

/* -- the loop ---------------------------------------------------------------------------------- */

static int step_work(struct ftpd *f)
{
	int r = 0;

	if (!is_busy(f))
		return 0;
	if (f->transfer != NULL)
		r = transfer_step(f);
	else
		r = job_step(f);
	/* The peer's silence counts from here. */
	f->last_ms = time_monotonic_ms();
	return r;
}

/* One round without waiting. *ret_now: there is more to do at once. */
static int work(struct ftpd *f, bool *ret_now)
{
	bool more = false, was_busy;
	int r = conn_step_flush(f->control);

	if (r == 0)
		r = run_lines(f, &more);
	else if (r == -EAGAIN)
		r = 0;
	was_busy = is_busy(f);
	/* What those lines were answered goes out before any more work is done. */
	if (r == 0)
		r = conn_step_flush(f->control);
	if (r == 0 || r == -EAGAIN)
		r = step_work(f);
	if (r == 0)
		r = conn_step_flush(f->control);
	if (r != 0 && r != -EAGAIN)
		return r;
	/* With unsent replies no further line is run. Work that ended lets waiting lines go on. */
	*ret_now = r == 0 && (more || (was_busy && !is_busy(f)));
	return f->quit && !is_busy(f) ? OVER : 0;
}

/* When the peer's patience with us, or ours with the peer, is over. */
static int64_t deadline_ms(const struct ftpd *f)
{
	if (!f->logged_in)
		return f->login_until_ms;
	return is_busy(f) ? INT64_MAX : f->last_ms + (int64_t)f->service->door->idle_s * 1000;
}

/* Reads what came. The peer's end is told by conn_step_line() behind the lines before it; but work
 * for a peer that was cut off ends at once. */
static int receive(struct ftpd *f)
{
	int r = conn_step_fill(f->control);

	if (r >= 0 || r == -EAGAIN || r == -ENOBUFS || !is_busy(f))
		return 0;
	return r;
}

static int wait(struct ftpd *f, bool now)
{
	struct pollfd fds[3] = {{.fd = conn_fd(f->control), .events = conn_events(f->control)},
		{.fd = -1}, {.fd = f->end_fd, .events = f->end_fd >= 0 ? POLLIN : 0}};
	int64_t until_ms = INT64_MAX, end_ms = deadline_ms(f);
	bool transfer_now = false;
	int r;

	/* What came along with the end of the handshake is where poll() does not see it. */
	if (conn_has_more(f->control) && conn_step_fill(f->control) > 0)
		now = true;
	/* Nothing to wait for there: a peer that hung up would wake us for ever. */
	if (fds[0].events == 0)
		fds[0].fd = -1;
	if (f->transfer != NULL)
		transfer_poll(f, &fds[1], &until_ms, &transfer_now);
	if (end_ms < until_ms)
		until_ms = end_ms;
	now = now || transfer_now || f->job != NULL;
	r = conn_poll(f->control, fds, 3, now ? 0 : until_ms);
	if (r == -ETIMEDOUT && now)
		r = 0;
	if (r > 0 && fds[2].revents != 0)
		return -ESHUTDOWN;
	if (r >= 0 && (fds[0].revents != 0 || conn_events(f->control) == 0))
		r = receive(f);
	if (r >= 0 && time_monotonic_ms() >= end_ms)
		return time_out(f);
	return r < 0 ? r : 0;
}

static int serve(struct ftpd *f)
{
	bool now;
	int r;

	do {
		now = false;
		r = work(f, &now);
		if (r == 0)
			r = wait(f, now);
	} while (r == 0);
	return r;
}

/* -- the session ------------------------------------------------------------------------------- */

bool ftpd_is_implicit(const struct service *s)
{
	return !s->door->starttls;
}

static int begin(struct ftpd *f, struct service *s, struct tree *tree)
{
	*f = (struct ftpd){.service = s,
		.control = s->conn,
		.end_fd = -1,
		.tree = tree,
		.cwd = "/",
		.facts = FTP_FACT_ALL,
		.prot_private = ftpd_is_implicit(s),
		.pbsz = ftpd_is_implicit(s),
		.last_ms = time_monotonic_ms(),
		.login_until_ms = s->started_ms + (int64_t)s->door->login_s * 1000,
		.certificate = s->who};
	return data_new(&f->data);
}

/* On the door "ftp" the greeting was said in clear. */
static int greet(struct ftpd *f)
{
	if (!ftpd_is_implicit(f->service))
		return 0;
	return ftpd_reply(
		f, 220, "Quintet files on %s, at your service.", f->service->settings.domain);
}

int ftpd_run(struct service *s, struct tree *tree)
{
	struct ftpd f;
	sigset_t old;
	int r = begin(&f, s, tree);

	if (r < 0)
		return r;
	r = service_watch_end(&old, &f.end_fd);
	if (r == 0)
		r = greet(&f);
	if (r == 0)
		r = serve(&f);
	r = finish(&f, r);
	if (f.end_fd >= 0)
		service_unwatch_end(&old, &f.end_fd);
	data_free(f.data);
	tree_log_out(tree);
	return r;
}
