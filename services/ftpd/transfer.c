/*
 * One transfer's state machine. A stage is a function that goes as far as it can without waiting
 * and says whether it waits, is done, or has ended the transfer.
 */
#include "services/ftpd/transfer_internal.h"

#include "base/timefmt.h"
#include "services/ftpd/job.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { LOOK_MS = 100 }; /* how often the kernel is asked what is not yet acknowledged */

#define PATIENCE                                                                               \
	{                                                                                      \
		.connect_ms = 30000, .secure_ms = 10000, .stall_ms = 60000, .goodbye_ms = 2000 \
	}

#ifdef QUINTET_TEST
struct transfer_patience transfer_patience = PATIENCE;
#else
static const struct transfer_patience transfer_patience = PATIENCE;
#endif

/* -- beginning and end ------------------------------------------------------------------------- */

struct transfer *transfer_new(struct ftpd *f, const struct transfer_kind *kind, int *ret_r)
{
	struct transfer *t = NULL;

	if (!f->prot_private)
		*ret_r = ftpd_reply(
			f, 521, "Data connections are protected here: PBSZ 0 and PROT P first.");
	else if (!data_is_ready(f->data))
		*ret_r = ftpd_reply(f, 425, "There is no data connection: EPSV or PASV first.");
	else if ((t = calloc(1, sizeof(*t))) == NULL)
		*ret_r = ftpd_reply(f, 451, "Out of memory, try again later.");
	if (t == NULL)
		return NULL;
	t->kind = kind;
	t->fd = -1;
	t->keep = true;
	t->began_ms = time_monotonic_ms();
	t->until_ms = INT64_MAX;
	f->transfer = t;
	*ret_r = 0;
	return t;
}

static void log_end(const struct transfer *t)
{
	struct buf count = BUF_INIT(32);

	buf_addf(&count, "%ju", (uintmax_t)t->moved);
	log_event(LOG_LEVEL_INFO, t->code == 226 ? "transfer done" : "transfer failed",
		log_fields({"VERB", span_str(t->kind->verb)}, {"PATH", span_str(t->path)},
			{"BYTES", buf_span(&count)},
			{"REASON", span_str(t->code == 226 ? "" : t->reason)}));
	buf_done(&count);
}

/* Told when all of it is so: whoever reads that an upload failed finds what is kept of it. */
static void drop(struct ftpd *f)
{
	struct transfer *t = f->transfer;
	/* Listings are no news. */
	bool is_news = t->list == NULL || t->code != 226;

	data_reset(f->data, false);
	t->kind->release(t, t->keep);
	if (is_news)
		log_end(t);
	free(t->bytes);
	free(t);
	f->transfer = NULL;
}

int transfer_buffer(struct transfer *t)
{
	if (t->bytes == NULL)
		t->bytes = malloc(TRANSFER_CHUNK);
	return t->bytes != NULL ? 0 : -ENOMEM;
}

void transfer_moved(struct transfer *t, size_t count)
{
	t->moved += count;
	t->until_ms = time_monotonic_ms() + transfer_patience.stall_ms;
}

int transfer_fail(struct transfer *t, unsigned code, const char *reason)
{
	t->code = code;
	t->reason = reason;
	return TRANSFER_OVER;
}

int transfer_wait(struct transfer *t, unsigned code, const char *reason)
{
	if (time_monotonic_ms() < t->until_ms)
		return TRANSFER_WAIT;
	return transfer_fail(t, code, reason);
}

int transfer_enter(struct transfer *t, enum transfer_stage stage)
{
	const int64_t patience_ms[] = {
		[TRANSFER_CONNECT] = transfer_patience.connect_ms,
		[TRANSFER_SECURE] = transfer_patience.secure_ms,
		[TRANSFER_MOVE] = transfer_patience.stall_ms,
		[TRANSFER_GOODBYE] = transfer_patience.stall_ms,
		[TRANSFER_DRAIN] = transfer_patience.goodbye_ms,
	};

	t->stage = stage;
	t->until_ms = time_monotonic_ms() + patience_ms[stage];
	return TRANSFER_ON;
}

/* A reply with a ticket that the client can use for its next data connection, sent at once. */
static int reply_with_ticket(struct ftpd *f, unsigned code, const char *text)
{
	int r = conn_tls_ticket(f->control);

	if (r < 0 && r != -ENOTCONN)
		return r;
	r = ftpd_reply(f, code, "%s", text);
	if (r == 0)
		r = conn_step_flush(f->control);
	return r == -EAGAIN ? 0 : r;
}

/* -- the stages -------------------------------------------------------------------------------- */

static int step_prepare(struct ftpd *f, struct transfer *t)
{
	const char *text;
	int r = t->kind->prepare != NULL ? t->kind->prepare(t) : 0;

	(void)f;
	if (r == 1) {
		t->now = true;
		return TRANSFER_WAIT;
	}
	if (r == 0)
		return transfer_enter(t, TRANSFER_CONNECT);
	t->code = ftpd_error_code(r, &text);
	return transfer_fail(t, t->code, text);
}

static int step_connect(struct ftpd *f, struct transfer *t)
{
	struct buf text = BUF_INIT(TRANSFER_TEXT_MAX);
	int r = data_connect(f);

	if (r == -EAGAIN)
		return transfer_wait(t, 425, "no data connection came");
	if (r < 0)
		return transfer_fail(t, 425, "the data connection could not be made");
	t->kind->announce(t, &text);
	r = reply_with_ticket(f, 150, buf_str(&text));
	buf_done(&text);
	return r < 0 ? r : transfer_enter(t, TRANSFER_SECURE);
}

/* A client that cannot resume is told so: an upload is dropped for a moment and ended in order, so
 * that it comes to look for the reply. A download is cut, lest its nothing be taken for the file.
 */
static int refuse_stranger(struct transfer *t)
{
	int r = transfer_fail(
		t, 522, "the data connection's TLS has to resume this log-in's session");

	if (!t->kind->incoming || t->conn == NULL || transfer_buffer(t) < 0)
		return r;
	return transfer_enter(t, TRANSFER_DRAIN);
}

static int step_secure(struct ftpd *f, struct transfer *t)
{
	int r = data_secure(f, &t->conn);

	if (r == -EAGAIN)
		return transfer_wait(t, 425, "TLS was not begun on the data connection in time");
	if (r == -EKEYREJECTED)
		return refuse_stranger(t);
	if (r < 0)
		return transfer_fail(t, 425, "TLS failed on the data connection");
	if (transfer_buffer(t) < 0)
		return transfer_fail(t, 451, "out of memory, try again later");
	return transfer_enter(t, TRANSFER_MOVE);
}

static int step_move(struct ftpd *f, struct transfer *t)
{
	return t->kind->incoming ? transfer_receive(f, t) : transfer_send(f, t);
}

/* close_notify and FIN, so that the client knows that this was all. */
static int say_bye(struct transfer *t)
{
	int r = conn_step_bye(t->conn);

	if (r == -EAGAIN)
		return transfer_wait(t, 426, "the data connection stalled");
	if (r < 0)
		return transfer_fail(t, 426, "the data connection was cut");
	t->said_bye = true;
	return TRANSFER_ON;
}

/* Has everything been acknowledged by the peer's machine? -EPIPE: it never will be. */
static int look_arrived(struct transfer *t)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);
	int fd = conn_fd(t->conn), unsent = 0;

	/* Our FIN counts as one. */
	if (fd < 0 || ioctl(fd, SIOCOUTQ, &unsent) < 0 || unsent <= 1)
		return 1;
	if (unsent != t->unsent)
		t->until_ms = time_monotonic_ms() + transfer_patience.stall_ms;
	t->unsent = unsent;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && info.tcpi_state == TCP_CLOSE)
		return -EPIPE;
	return 0;
}

/* A download is complete when it has arrived, and nothing unread may be left here: close() would
 * make that a reset, which can destroy what is on its way. */
static int await_end(struct transfer *t)
{
	ssize_t n = t->peer_ended ? 0 : conn_step_read(t->conn, t->bytes, TRANSFER_CHUNK);
	int r = look_arrived(t);

	if (n <= 0 && n != -EAGAIN)
		t->peer_ended = true;
	t->now = n > 0;
	if (r < 0)
		return transfer_fail(t, 426, "the data connection was cut before all had arrived");
	if (r == 0)
		return transfer_wait(t, 426, "the data connection stalled");
	if (!t->arrived) {
		t->arrived = true;
		t->until_ms = time_monotonic_ms() + transfer_patience.goodbye_ms;
	}
	return t->peer_ended || time_monotonic_ms() >= t->until_ms ? TRANSFER_OVER : TRANSFER_WAIT;
}

static int step_goodbye(struct ftpd *f, struct transfer *t)
{
	int r = TRANSFER_ON;

	(void)f;
	/* An uploader has said everything and may be gone. */
	if (t->kind->incoming) {
		(void)conn_step_bye(t->conn);
		return TRANSFER_OVER;
	}
	if (!t->said_bye)
		r = say_bye(t);
	return r == TRANSFER_ON ? await_end(t) : r;
}

/* So that a client that only looks for the reply when it has sent all gets to see it, if that is
 * soon. */
static int step_drain(struct ftpd *f, struct transfer *t)
{
	size_t budget = TRANSFER_STEP_MAX;
	ssize_t n = 1;

	(void)f;
	if (!t->said_bye)
		(void)conn_step_bye(t->conn);
	t->said_bye = true;
	while (n > 0 && budget > 0) {
		n = conn_step_read(t->conn, t->bytes, TRANSFER_CHUNK);
		budget -= n > 0 && (size_t)n < budget ? (size_t)n : budget;
	}
	t->now = n > 0;
	if ((n <= 0 && n != -EAGAIN) || time_monotonic_ms() >= t->until_ms)
		return TRANSFER_OVER;
	return TRANSFER_WAIT;
}

static int (*const stages[])(struct ftpd *f, struct transfer *t) = {
	[TRANSFER_PREPARE] = step_prepare,
	[TRANSFER_CONNECT] = step_connect,
	[TRANSFER_SECURE] = step_secure,
	[TRANSFER_MOVE] = step_move,
	[TRANSFER_GOODBYE] = step_goodbye,
	[TRANSFER_DRAIN] = step_drain,
};

/* -- the end ----------------------------------------------------------------------------------- */

/* Where an upload stopped matters to who wants to go on with it. */
static void write_failure(const struct transfer *t, struct buf *b)
{
	ftp_quote(b, t->path);
	buf_addf(b, ": %s", t->reason);
	if (t->upload != NULL && t->keep && t->moved > 0)
		buf_addf(b, ", at byte %ju", (uintmax_t)upload_size(t->upload));
	buf_add_str(b, ".");
}

/* The data connection first, so that the client sees its end; then the commit, or what is kept
 * becomes the partial; then the reply, as the client may go on at once. */
static int conclude(struct ftpd *f)
{
	struct transfer *t = f->transfer;
	struct buf text = BUF_INIT(TRANSFER_TEXT_MAX);
	unsigned code;
	int r;

	t->conn = NULL;
	data_reset(f->data, false);
	if (t->code == 0) {
		r = t->kind->finish(t, &text);
		t->code = r == 0 ? 226 : ftpd_error_code(r, &t->reason);
	}
	if (t->code != 226)
		write_failure(t, &text);
	code = t->code;
	drop(f);
	r = reply_with_ticket(f, code, buf_str(&text));
	buf_done(&text);
	return r;
}

int transfer_step(struct ftpd *f)
{
	struct transfer *t = f->transfer;
	int r;

	t->now = false;
	do {
		r = stages[t->stage](f, t);
	} while (r == TRANSFER_ON);
	return r == TRANSFER_OVER ? conclude(f) : r;
}

int transfer_abort(struct ftpd *f, bool reply)
{
	struct transfer *t = f->transfer;
	struct buf text = BUF_INIT(TRANSFER_TEXT_MAX);
	int r = 0;

	t->reason = reply ? "aborted" : "the session ended";
	t->code = 426;
	write_failure(t, &text);
	drop(f);
	if (reply)
		r = ftpd_reply(f, 426, "%s", buf_str(&text));
	if (reply && r == 0)
		r = reply_with_ticket(f, 226, "The transfer was aborted.");
	buf_done(&text);
	return r;
}

int ftpd_cmd_abor(struct ftpd_call *c)
{
	struct ftpd *f = c->f;
	bool ready;

	if (f->transfer != NULL)
		return transfer_abort(f, true);
	if (f->job != NULL)
		return job_abort(f, true);
	ready = data_is_ready(f->data);
	data_reset(f->data, false);
	return ftpd_reply(f, 226, "%s",
		ready ? "The data connection is closed." : "There was nothing to abort.");
}

/* -- waiting and telling ----------------------------------------------------------------------- */

void transfer_poll(const struct ftpd *f, struct pollfd *ret, int64_t *ret_until_ms, bool *ret_now)
{
	const struct transfer *t = f->transfer;
	bool reading = t->kind->incoming || t->said_bye;

	*ret = (struct pollfd){.fd = -1};
	*ret_until_ms = t->until_ms;
	*ret_now = t->now || t->stage == TRANSFER_PREPARE;
	if (t->conn == NULL) {
		data_poll(f->data, ret);
		return;
	}
	if (!t->peer_ended)
		ret->fd = conn_fd(t->conn);
	if (reading)
		ret->events = conn_wants_read(t->conn);
	else
		ret->events = conn_wants_write(t->conn);
	/* Memory never makes wait. What TLS holds is no reason either: a step goes on until TLS has
	 * no whole record left, and the rest of one comes through the socket. */
	if (conn_fd(t->conn) < 0)
		*ret_now = true;
	if (t->stage == TRANSFER_GOODBYE && t->said_bye && !t->arrived) {
		int64_t look_ms = time_monotonic_ms() + LOOK_MS;

		*ret_until_ms = look_ms < t->until_ms ? look_ms : t->until_ms;
	}
}

void transfer_describe(const struct ftpd *f, struct buf *b)
{
	const struct transfer *t = f->transfer;

	buf_addf(b, "%s %s: %ju bytes in %jd s", t->kind->verb, t->path, (uintmax_t)t->moved,
		(intmax_t)((time_monotonic_ms() - t->began_ms) / 1000));
	if (t->fd >= 0)
		buf_addf(b, ", %ju to come", (uintmax_t)(t->left + (t->len - t->at)));
}
