/* One transfer: its commands, its data connection's states, and how both come to one end. */
#include "client/ftp/session.h"
#include "client/ftp/work.h"
#include "client/link.h"

#include <errno.h>

/* The server did not see this log-in's TLS session on the data connection. Tickets can run out, so
 * it is tried again, although it begins with 5. */
enum { CODE_UNBOUND = 522 };

void transfer_stop(struct session *s, int error, bool local)
{
	struct data *d = &s->data;

	/* What has come is kept. */
	if (!local && !d->plan->upload && d->used < d->len) {
		int r = data_drain(s);

		local = r < 0 && r != -EAGAIN;
		error = local ? r : error;
	}
	data_close(d);
	d->state = DATA_OVER;
	d->error = error;
	d->local = local;
	session_wait(s);
}

/* What the server said last, and what became of the bytes, as one result. */
static int outcome(const struct session *s)
{
	const struct data *d = &s->data;

	if (d->local)
		return d->error;
	if (d->code >= 300)
		return d->error == -EKEYREJECTED ? d->error : -EREMOTEIO;
	return d->error;
}

int transfer_failed(struct session *s, int error)
{
	struct ftp_task *t = s->task;

	if (error != -EREMOTEIO) {
		if (error == -EKEYREJECTED)
			snprintf(t->reason, sizeof t->reason,
				"the data connection is not bound to this log-in");
		return session_again(s, error == 0 ? -ECONNRESET : error);
	}
	t->code = s->code;
	snprintf(t->reason, sizeof t->reason, "%s", s->reason);
	if (s->code < 500 || s->code == CODE_UNBOUND)
		return session_again(s, error);
	return session_finish(s, error);
}

static int transfer_end(struct session *s)
{
	const struct data_plan *plan = s->data.plan;
	int error = outcome(s);

	s->data.plan = NULL;
	s->deadline_ms = INT64_MAX;
	return plan->over(s, error);
}

/* Refused before anything moved. */
static int end_early(struct session *s, const struct reply *r)
{
	session_note(s, r);
	s->data.code = r->code;
	data_close(&s->data);
	return transfer_end(s);
}

/* The connection could not even be begun: nothing was asked yet. */
static int end_unconnected(struct session *s, int error)
{
	s->data.code = 0;
	s->data.error = error;
	data_close(&s->data);
	return transfer_end(s);
}

/* Replies to RETR, STOR, MLSD. */
static int answered(struct session *s, const struct reply *r)
{
	struct data *d = &s->data;

	if (r->code < 200) {
		d->begun = true;
		return 0;
	}
	session_note(s, r);
	d->answered = true;
	d->code = r->code;
	if (r->code < 300 && d->plan->upload && d->error == 0)
		work_note_answer(s->task, r->text);
	session_wait(s);
	if (d->state == DATA_DRAIN || d->state == DATA_OVER)
		return 0;
	/* A download's last bytes may come behind the reply; nothing comes behind a refusal, nor
	 * is an upload whole that the server did not wait for. */
	if (r->code >= 300 || d->plan->upload || !d->begun)
		transfer_stop(s, r->code >= 300 ? 0 : -EPROTO, false);
	return 0;
}

static int command(struct session *s)
{
	/* The server may have to digest or copy what it has before it says 150. */
	if (s->data.plan->upload)
		s->patience_s = work_patience_s(s->data.at);
	return session_ask(s, answered, "%s %s", s->data.plan->verb, s->task->remote);
}

static int told_rest(struct session *s, const struct reply *r)
{
	if (r->code < 200)
		return 0;
	return r->code == 350 ? command(s) : end_early(s, r);
}

static int addressed(struct session *s, uint16_t port)
{
	int r = s->pool->scripted ? 0 : data_connect(s, port);

	if (s->pool->scripted && s->data.conn != NULL)
		s->data.state = DATA_MOVE;
	if (r < 0)
		return end_unconnected(s, r);
	if (s->data.at == 0)
		return command(s);
	return session_ask(s, told_rest, "REST %llu", (unsigned long long)s->data.at);
}

static int told_pasv(struct session *s, const struct reply *r)
{
	struct ftp_address a;

	if (r->code < 200)
		return 0;
	if (r->code >= 300)
		return end_early(s, r);
	/* The address in it is nobody's business: RFC 2577 section 2, and NAT. */
	return ftp_pasv_read(r->text, &a) == 0 ? addressed(s, a.port) : -EPROTO;
}

static int told_epsv(struct session *s, const struct reply *r)
{
	uint16_t port;

	if (r->code < 200)
		return 0;
	if (r->code >= 500) {
		s->no_epsv = true;
		return session_ask(s, told_pasv, "PASV");
	}
	if (r->code >= 300)
		return end_early(s, r);
	return ftp_epsv_read(r->text, &port) == 0 ? addressed(s, port) : -EPROTO;
}

int transfer_begin(struct session *s, const struct data_plan *plan, uint64_t at)
{
	struct data *d = &s->data;

	if (!s->pool->scripted)
		data_close(d);
	if (d->buffer == NULL)
		d->buffer = malloc(DATA_BUFFER);
	if (d->buffer == NULL)
		return -ENOMEM;
	*d = (struct data){.plan = plan, .at = at, .fd = -1, .conn = d->conn, .buffer = d->buffer};
	if (s->no_epsv)
		return session_ask(s, told_pasv, "PASV");
	return session_ask(s, told_epsv, "EPSV");
}

/* The server has the end of an upload, or will have to wait for its disk. */
static void wait_for_word(struct session *s)
{
	const struct ftp_task *t = s->task;

	s->patience_s = work_patience_s(t->size);
	session_wait(s);
	s->patience_s = 0;
}

static int step_move(struct session *s)
{
	struct data *d = &s->data;
	int r = d->plan->upload ? data_upload(s) : data_download(s);

	if (r == -EAGAIN) {
		/* Whoever reads what we write may take all the time in the world. */
		if (d->waiting)
			s->deadline_ms = INT64_MAX;
		return r;
	}
	if (r < 0) {
		transfer_stop(s, r, d->local);
		return 0;
	}
	d->state = DATA_BYE;
	wait_for_word(s);
	return 0;
}

/* Both goodbyes, and both ways: a server waits a while for that of a downloader, and a socket
 * closed with bytes unread in it cuts what is still on its way. */
static int step_bye(struct session *s)
{
	struct data *d = &s->data;
	int r = conn_step_bye(d->conn);

	if (r == -EAGAIN)
		return r;
	/* A download is whole already. */
	if (r < 0 && d->plan->upload)
		transfer_stop(s, r, false);
	else
		d->state = DATA_DRAIN;
	return 0;
}

static int step_drain(struct session *s)
{
	struct data *d = &s->data;
	ssize_t n = conn_step_read(d->conn, d->buffer, DATA_BUFFER);

	if (n == -EAGAIN && !d->answered)
		return -EAGAIN;
	if (n <= 0) {
		data_close(d);
		d->state = DATA_OVER;
	}
	return 0;
}

static int step_connect(struct session *s)
{
	int r = link_connected(s->data.fd);

	if (r == -EAGAIN)
		return r;
	if (r < 0)
		transfer_stop(s, r, false);
	else
		s->data.state = DATA_CONNECTED;
	return 0;
}

static int step_tls(struct session *s)
{
	int r = s->data.conn == NULL ? data_begin_tls(s) : 0;

	if (r == 0)
		r = data_step_tls(s);
	if (r == -EAGAIN)
		return r;
	if (r < 0)
		transfer_stop(s, r, false);
	else
		s->data.state = DATA_MOVE;
	session_wait(s);
	return 0;
}

static int step_once(struct session *s)
{
	struct data *d = &s->data;

	switch (d->state) {
	case DATA_CONNECT:
		return step_connect(s);
	case DATA_CONNECTED:
		if (!d->begun)
			return -EAGAIN;
		d->state = DATA_TLS;
		return 0;
	case DATA_TLS:
		return step_tls(s);
	case DATA_MOVE:
		return d->begun ? step_move(s) : -EAGAIN;
	case DATA_BYE:
		return step_bye(s);
	case DATA_DRAIN:
		return step_drain(s);
	case DATA_OVER:
		return d->answered ? 1 : -EAGAIN;
	case DATA_NONE:
		break;
	}
	return -EAGAIN;
}

int transfer_step(struct session *s)
{
	int r = 0;

	while (s->data.plan != NULL && r == 0)
		r = step_once(s);
	if (r == 1 && s->data.plan != NULL)
		return transfer_end(s);
	return r == -EAGAIN ? 0 : r;
}
