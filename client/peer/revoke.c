/* See revoke.h. */
#include "client/peer/revoke.h"

#include "base/timefmt.h"
#include "client/certs.h"
#include "client/link.h"
#include "net/http.h"
#include "net/tls.h"
#include "pki/crl.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>

enum { LIMIT_MS = 8000, ANSWER_MAX = 32768 };

enum revoke_state { REVOKE_CONNECT, REVOKE_TLS, REVOKE_ANSWER, REVOKE_DONE };

struct revoke {
	struct talk_source source;
	struct talk *talk;
	enum revoke_state state;
	void (*done)(void *arg, enum fault f, const char *why);
	void *arg;
	int fd; /* connecting */
	struct conn *conn;
	struct tls_client *tls;
	struct buf leaf, issuer, request, answer;
	unsigned char nonce[32];
};

bool revoke_server(const struct talk *t, struct sockaddr_storage *ret)
{
	socklen_t len = sizeof *ret;
	int fd = talk_socket(t);

	*ret = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
	return fd >= 0 && getpeername(fd, (struct sockaddr *)ret, &len) == 0 &&
		(ret->ss_family == AF_INET || ret->ss_family == AF_INET6);
}

void revoke_free(struct revoke *r)
{
	if (r == NULL)
		return;
	talk_source_remove(r->talk, &r->source);
	conn_freep(&r->conn);
	cleanup_close(&r->fd);
	tls_client_freep(&r->tls);
	buf_done(&r->leaf);
	buf_done(&r->issuer);
	buf_done(&r->request);
	buf_done(&r->answer);
	free(r);
}

static void revoke_freep(struct revoke **r)
{
	revoke_free(*r);
	*r = NULL;
}

/* The last thing that is done: r may be gone behind it. */
static void tell(struct revoke *r, enum fault f, const char *why)
{
	r->state = REVOKE_DONE;
	r->source.fd = -1;
	r->source.until_ms = INT64_MAX;
	r->done(r->arg, f, why);
}

static void fail(struct revoke *r, int error)
{
	const char *why = r->conn != NULL ? conn_tls_reason(r->conn) : "";
	char text[256];

	snprintf(text, sizeof text, "the authority does not answer: %s%s%s", client_why(error),
		*why != '\0' ? ": " : "", why);
	tell(r, FAULT_UNCHECKED, text);
}

/* -- the answer -------------------------------------------------------------------------------- */

static void judge(struct revoke *r, struct span body)
{
	const struct profile *p = talk_profile(r->talk);
	struct pki_ocsp_question asked = {.leaf_der = buf_span(&r->leaf),
		.issuer_der = buf_span(&r->issuer),
		.root_pem = buf_span(&p->root_pem)};
	struct pki_ocsp_answer a;
	const char *reason = "the authority's answer is malformed";

	memcpy(asked.nonce, r->nonce, sizeof asked.nonce);
	if (pki_ocsp_response_read(body, &asked, &a, &reason) < 0)
		tell(r, FAULT_UNCHECKED, reason);
	else if (a.status == PKI_OCSP_REVOKED)
		tell(r, FAULT_REVOKED, "");
	else if (a.status == PKI_OCSP_GOOD)
		tell(r, FAULT_NONE, "");
	else
		tell(r, FAULT_UNCHECKED, "the authority does not know it");
}

/* Length of the head with the empty line behind it; 0: it is not whole. */
static size_t head_len(struct span s)
{
	static const char end[] = "\r\n\r\n";
	const unsigned char *p = s.len > 0 ? memmem(s.p, s.len, end, sizeof end - 1) : NULL;

	return p != NULL ? (size_t)(p - s.p) + sizeof end - 1 : 0;
}

/* Is the answer whole? ended: nothing more comes. True: it was told, and r may be gone. */
static bool look(struct revoke *r, bool ended)
{
	struct span all = buf_span(&r->answer);
	size_t head = head_len(all);
	struct http_answer a;

	if (head == 0) {
		if (!ended && all.len <= HTTP_HEAD_MAX)
			return false;
		fail(r, -EPROTO);
	} else if (http_parse_answer(span_of(all.p, head), &a) < 0 || !a.has_length ||
		a.content_length > ANSWER_MAX) {
		fail(r, -EPROTO);
	} else if (all.len - head < a.content_length) {
		if (!ended)
			return false;
		fail(r, -ECONNRESET);
	} else if (a.status == 200) {
		judge(r, span_of(all.p + head, a.content_length));
	} else {
		tell(r, FAULT_UNCHECKED, "the authority has no answer");
	}
	return true;
}

/* -- the steps --------------------------------------------------------------------------------- */

static int step_connect(struct revoke *r)
{
	int e = link_connected(r->fd);

	if (e < 0)
		return e;
	e = conn_new(r->fd, &r->conn);
	if (e < 0)
		return e;
	r->fd = -1;
	r->state = REVOKE_TLS;
	return conn_tls_begin_connect(r->conn, r->tls, talk_profile(r->talk)->host);
}

static int step_tls(struct revoke *r)
{
	const char *host = talk_profile(r->talk)->host;
	bool v6 = strchr(host, ':') != NULL;
	char authority[270];
	int e = conn_step_handshake(r->conn);

	if (e < 0)
		return e;
	r->state = REVOKE_ANSWER;
	conn_set_deadline(r->conn, time_monotonic_ms());
	snprintf(authority, sizeof authority, v6 ? "[%s]:%u" : "%s:%u", host,
		talk_profile(r->talk)->ca_port);
	e = http_write_request(r->conn, "POST", authority, "/ocsp", "application/ocsp-request",
		NULL, buf_span(&r->request));
	return e == 0 ? conn_step_flush(r->conn) : e;
}

/* 1: it was told, and r may be gone. */
static int step_answer(struct revoke *r)
{
	int e = conn_step_flush(r->conn), filled = conn_step_fill(r->conn);
	struct span have = conn_pending(r->conn), taken;

	if (e < 0 && e != -EAGAIN)
		return e;
	if (have.len > 0) {
		(void)conn_read_some(r->conn, have.len, &taken);
		buf_add(&r->answer, taken);
		if (buf_error(&r->answer) < 0)
			return -EPROTO;
	}
	if (filled < 0 && filled != -EAGAIN)
		return filled;
	return look(r, filled == 0) ? 1 : 0;
}

static int step_state(struct revoke *r)
{
	switch (r->state) {
	case REVOKE_CONNECT:
		return step_connect(r);
	case REVOKE_TLS:
		return step_tls(r);
	case REVOKE_ANSWER:
		return step_answer(r);
	default:
		return 0;
	}
}

/* What the loop has to wait for. */
static void arm(struct revoke *r)
{
	if (r->conn != NULL) {
		r->source.fd = conn_fd(r->conn);
		r->source.events = conn_events(r->conn);
	}
}

static void step(void *arg, short revents)
{
	struct revoke *r = arg;
	enum revoke_state before;
	int e;

	(void)revents;
	if (time_monotonic_ms() >= r->source.until_ms) {
		fail(r, -ETIMEDOUT);
		return;
	}
	/* One readiness may finish several states: TLS keeps bytes of its own. */
	do {
		before = r->state;
		e = step_state(r);
	} while (e == 0 && r->state != before);
	if (e < 0 && e != -EAGAIN)
		fail(r, e);
	else if (e != 1)
		arm(r);
}

/* -- asking ------------------------------------------------------------------------------------ */

static int dial(struct revoke *r, const struct sockaddr_storage *server)
{
	struct sockaddr_storage to = *server;
	uint16_t port = htons(talk_profile(r->talk)->ca_port);
	socklen_t len =
		to.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	if (to.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&to)->sin6_port = port;
	else if (to.ss_family == AF_INET)
		((struct sockaddr_in *)&to)->sin_port = port;
	else
		return -ENOTCONN;
	r->fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->fd < 0)
		return -errno;
	return connect(r->fd, (const struct sockaddr *)&to, len) == 0 || errno == EINPROGRESS
		? 0
		: -errno;
}

static int request_make(struct revoke *r, struct span leaf_der)
{
	_cleanup_(certs_done) struct certs chain = CERTS_INIT;
	struct span issuer = {0};
	int e = certs_read(buf_span(&talk_profile(r->talk)->chain_pem), &chain);

	if (e == 0)
		e = certs_issuer(leaf_der, &chain, &issuer);
	if (e < 0)
		return e;
	buf_add(&r->leaf, leaf_der);
	buf_add(&r->issuer, issuer);
	if (buf_error(&r->leaf) < 0 || buf_error(&r->issuer) < 0)
		return -ENOMEM;
	return pki_ocsp_request_new(
		buf_span(&r->leaf), buf_span(&r->issuer), &r->request, r->nonce);
}

static int prepare(struct revoke *r, const struct revoke_question *q)
{
	const struct profile *p = talk_profile(q->talk);
	const struct tls_client_config config = {.root_pem = buf_span(&p->root_pem),
		.extra_pem = buf_span(&p->chain_pem),
		.alpn = "http/1.1"};
	int e = request_make(r, q->leaf_der);

	if (e == 0)
		e = tls_client_new(&config, &r->tls);
	if (e == 0)
		e = dial(r, &q->server);
	if (e < 0)
		return e;
	r->source.fd = r->fd;
	r->source.events = POLLOUT;
	return talk_source_add(r->talk, &r->source);
}

int revoke_ask(const struct revoke_question *q, struct revoke **ret)
{
	_cleanup_(revoke_freep) struct revoke *r = calloc(1, sizeof *r);
	int e;

	if (r == NULL)
		return -ENOMEM;
	*r = (struct revoke){.source = {.fd = -1, .step = step, .arg = r},
		.talk = q->talk,
		.done = q->done,
		.arg = q->arg,
		.fd = -1,
		.leaf = BUF_INIT(PROFILE_FILE_MAX),
		.issuer = BUF_INIT(PROFILE_FILE_MAX),
		.request = BUF_INIT(PKI_OCSP_MAX_REQUEST),
		.answer = BUF_INIT(HTTP_HEAD_MAX + ANSWER_MAX)};
	r->source.until_ms = time_monotonic_ms() + LIMIT_MS;
	e = prepare(r, q);
	if (e == 0)
		*ret = take_ptr(&r);
	return e;
}
