/* One connection of the signer: requests in, answers out, by one table of kinds. */
#include "services/cad/signer/sign.h"

#include "base/cleanup.h"
#include "services/cad/signer/cmp_talk.h"

#include <errno.h>

enum { SIGN_SEND_MS = 10000, SIGN_PAUSE_S = 5 };

static const struct sign_kind {
	const char *name;
	int (*handler)(struct sign *g, const struct signer_request *r, struct sign_reply *reply);
	uint8_t kind;
	bool admin;
} kinds[] = {
	{"enroll", sign_enroll, SIGNER_ENROLL, false},
	{"ocsp", sign_ocsp, SIGNER_OCSP, false},
	{"crl", sign_crl, SIGNER_CRL, false},
	{"cmp", sign_cmp, SIGNER_CMP, false},
	{"host", sign_host, SIGNER_HOST, true},
	{"cmp-secret", sign_cmp_secret, SIGNER_CMP_SECRET, true},
};

static const struct sign_kind *find_kind(uint8_t kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].kind == kind)
			return &kinds[i];
	return NULL;
}

int sign_refuse(struct sign_reply *reply, int status, const char *reason)
{
	reply->status = (uint32_t)status;
	reply->reason = reason;
	buf_reset(&reply->payload);
	return 0;
}

struct auth_source sign_source(const struct sign *g, const struct signer_request *r)
{
	return (struct auth_source){
		.bucket = r->bucket,
		.peer = r->peer,
		.service = "cad",
		.runtime = g->s->settings.runtime,
		.domain = g->s->settings.domain,
	};
}

/* A failure of ours, told as temporary where it is. */
static void fail(const struct sign_kind *kind, int error, struct sign_reply *reply)
{
	log_msg(LOG_LEVEL_ERR, "%s: %s", kind->name, err_text(error));
	if (!err_is_temporary(error)) {
		sign_refuse(reply, EIO, "the signer failed");
		return;
	}
	reply->wait_s = SIGN_PAUSE_S;
	sign_refuse(reply, EAGAIN, "temporarily unavailable");
}

static void log_outcome(const struct sign_kind *kind, const struct signer_request *r,
	const struct sign_reply *reply)
{
	if (kind->kind == SIGNER_OCSP || kind->kind == SIGNER_CRL)
		return;
	log_event(LOG_LEVEL_INFO, reply->status == 0 ? "answered" : "refused",
		log_fields({"KIND", span_str(kind->name)}, {"FOR", span_str(r->peer)},
			{"NAME", span_str(r->name)}, {"REASON", span_str(reply->reason)}));
}

void sign_serve(struct sign *g, const struct signer_request *r, struct sign_reply *reply)
{
	const struct sign_kind *kind = find_kind(r->kind);
	int error;

	if (kind == NULL) {
		sign_refuse(reply, EINVAL, "no such request");
		return;
	}
	/* What cad says of its peers goes into the audit table: that it is the administrator is
	 * not believed. */
	if ((kind->admin || strcmp(r->peer, "quintetctl") == 0) &&
		!sign_caller_is_admin(g, &g->s->peer)) {
		sign_refuse(reply, EPERM, "only the administrator may ask for this");
	} else {
		error = kind->handler(g, r, reply);
		if (error == 0)
			error = buf_error(&reply->payload);
		if (error < 0)
			fail(kind, error, reply);
	}
	log_outcome(kind, r, reply);
}

static int answer(int fd, const struct sign_reply *reply)
{
	_cleanup_(buf_wipe) struct buf out = BUF_INIT(SIGNER_ANSWER_MAX + 4);
	struct signer_answer a = {.status = reply->status, .wait_s = reply->wait_s};
	int r;

	if (reply->status == 0)
		a.payload = buf_span(&reply->payload);
	if (reply->reason != NULL)
		(void)snprintf(a.reason, sizeof(a.reason), "%s", reply->reason);
	r = signer_answer_write(&out, &a);
	return r < 0 ? r : signer_send(fd, buf_span(&out), SIGN_SEND_MS);
}

/* One request. 1 to go on, 0 at the end, or a negative errno. */
static int exchange(struct sign *g, int fd)
{
	_cleanup_(buf_wipe) struct buf scratch = BUF_INIT(SIGNER_MESSAGE_MAX);
	struct sign_reply reply = SIGN_REPLY_INIT;
	struct signer_request r = {0};
	int n = signer_receive(fd, (int)g->s->door->idle_s * 1000, &scratch, &r);

	if (n == 0)
		return 0;
	if (n == -EBADMSG)
		sign_refuse(&reply, EINVAL, "not a request");
	else if (n < 0)
		return n;
	else
		sign_serve(g, &r, &reply);
	g->s->commands++;
	if (n > 0)
		n = answer(fd, &reply) < 0 ? -EPIPE : 1;
	else
		(void)answer(fd, &reply);
	explicit_bzero(&r, sizeof(r));
	buf_wipe(&reply.payload);
	return n;
}

int sign_run(struct sign *g)
{
	int fd = conn_fd(g->s->conn);
	int r;

	if (!sign_caller_allowed(&g->s->peer)) {
		log_event(LOG_LEVEL_WARNING, "caller refused",
			log_fields({"PEER", span_str(g->s->peer.text)}));
		g->s->end_reason = "caller refused";
		return 0;
	}
	do {
		r = exchange(g, fd);
	} while (r > 0);
	cmp_talk_end(g);
	return r == -ETIMEDOUT || r == -EPIPE || r == -EBADMSG ? 0 : r;
}
