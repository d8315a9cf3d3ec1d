/* Verified connections, and the questions asked over HTTPS. */
#include "client/link.h"

#include "base/num.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "client/task.h"
#include "net/wait.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

/* How long one address may keep the others waiting. */
#define ADDRESS_MS 3000
/* How often a name that is looked up beside other tasks is asked for. */
#define RESOLVE_LOOK_MS 10

void link_done(struct link *l)
{
	conn_freep(&l->conn);
	tls_client_freep(&l->tls);
}

static void leave(int signal_number)
{
	(void)signal_number;
	_exit(CLIENT_INTERRUPTED);
}

static int resolve_error(int r)
{
	if (r == 0)
		return 0;
	return r == EAI_MEMORY ? -ENOMEM : r == EAI_AGAIN ? -EAGAIN : -ENXIO;
}

/* What the C library's thread works on; of one that is given up, for ever. */
struct resolving {
	struct gaicb question, *list[1];
	struct addrinfo hints;
	char host[254], service[8];
	struct resolving *given_up; /* the next */
};

/* Beside other tasks: a thread of the C library asks, and is looked at now and then. */
static int resolve_beside(
	const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	static struct resolving *given_up;
	struct resolving *q = calloc(1, sizeof *q);
	int r, waited = 0;

	if (q == NULL)
		return -ENOMEM;
	q->hints = *hints;
	snprintf(q->host, sizeof q->host, "%s", host);
	snprintf(q->service, sizeof q->service, "%s", service);
	q->question = (struct gaicb){
		.ar_name = q->host, .ar_service = q->service, .ar_request = &q->hints};
	q->list[0] = &q->question;
	r = getaddrinfo_a(GAI_NOWAIT, q->list, 1, NULL);
	while (r == 0 && waited >= 0 && (r = gai_error(&q->question)) == EAI_INPROGRESS) {
		waited = net_wait(NULL, 0, RESOLVE_LOOK_MS);
		r = 0;
	}
	if (waited < 0 && gai_cancel(&q->question) == EAI_NOTCANCELED) {
		q->given_up = given_up;
		given_up = q;
		return -ECANCELED;
	}
	*ret = q->question.ar_result;
	free(q);
	return waited < 0 ? -ECANCELED : resolve_error(r);
}

/* A name server may be slow and cannot be waited for with poll(): Ctrl-C ends the program there,
 * where nothing is half done. */
int link_resolve(const char *host, uint16_t port, struct addrinfo **ret)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	const struct sigaction act = {.sa_handler = leave};
	char service[8];
	sigset_t set, old;
	int r;

	snprintf(service, sizeof service, "%u", (unsigned)port);
	if (task_self() != NULL)
		return resolve_beside(host, service, &hints, ret);
	client_signals(&set);
	for (int i = 1; i < SIGRTMIN; i++)
		if (sigismember(&set, i) == 1)
			sigaction(i, &act, NULL);
	sigprocmask(SIG_UNBLOCK, &set, &old);
	r = getaddrinfo(host, service, &hints, ret);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return resolve_error(r);
}

/* Waits until the socket is connected: 0 or why not. */
static int connected(const struct client *c, int fd, int timeout_ms)
{
	struct pollfd p[2] = {
		{.fd = fd, .events = POLLOUT}, {.fd = c->signal_fd, .events = POLLIN}};
	int n;

	do
		n = net_wait(p, 2, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (p[1].revents != 0)
		return -ECANCELED;
	return n == 0 ? -ETIMEDOUT : link_connected(fd);
}

static int address_dial(
	const struct client *c, const struct addrinfo *a, int64_t end_ms, int *ret_fd)
{
	_cleanup_(cleanup_close) int fd =
		socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
	int64_t left_ms = end_ms - time_monotonic_ms();
	int r;

	if (fd < 0)
		return -errno;
	if (left_ms <= 0)
		return -ETIMEDOUT;
	if (a->ai_next != NULL && left_ms > ADDRESS_MS)
		left_ms = ADDRESS_MS;
	r = connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : -errno;
	if (r == -EINPROGRESS)
		r = connected(c, fd, (int)left_ms);
	if (r == 0)
		*ret_fd = take_fd(&fd);
	return r;
}

int link_begin(const struct addrinfo *a)
{
	_cleanup_(cleanup_close) int fd =
		socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0 && errno != EINPROGRESS)
		return -errno;
	return take_fd(&fd);
}

int link_connected(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	socklen_t len = sizeof(int);
	int error = 0;

	if (poll(&p, 1, 0) <= 0)
		return -EAGAIN;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return -error;
}

int link_dial(const struct client *c, const char *host, uint16_t port, int *ret_fd)
{
	struct addrinfo *list = NULL;
	int64_t end_ms = time_monotonic_ms() + INT64_C(1000) * c->timeout_s;
	int r = link_resolve(host, port, &list);

	if (r < 0)
		return r;
	r = -ENXIO;
	for (const struct addrinfo *a = list; a != NULL && r != 0 && r != -ECANCELED;
		a = a->ai_next)
		r = address_dial(c, a, end_ms, ret_fd);
	freeaddrinfo(list);
	return r;
}

static int tls_failed(const struct link *l, int error)
{
	const struct tls_info *info = conn_tls(l->conn);
	const char *reason = conn_tls_reason(l->conn);

	if (error != -EKEYREJECTED) {
		bool plain = error == -EPROTO && *reason != '\0';

		return client_fail(client_exit_of(error), "no TLS with %s: %s%s%s", l->authority,
			client_why(error), plain ? ": " : "", plain ? reason : "");
	}
	if (info != NULL && info->peer_subject[0] != '\0')
		client_fail(CLIENT_UNTRUSTED,
			"%s is not trusted: %s (it shows the certificate of %s, issued by %s)",
			l->authority, reason, info->peer_subject, info->peer_issuer);
	else
		client_fail(CLIENT_UNTRUSTED, "%s is not trusted: %s", l->authority, reason);
	if (info != NULL && info->clock_suspect)
		client_fail(CLIENT_UNTRUSTED,
			"only the dates are wrong: perhaps it is this machine's clock that is off, "
			"look at it first");
	return CLIENT_UNTRUSTED;
}

static int link_start(struct client *c, const struct tls_client_config *config, const char *host,
	uint16_t port, struct link *ret)
{
	_cleanup_(cleanup_close) int fd = -1;
	bool v6 = strchr(host, ':') != NULL;
	int r = tls_client_new(config, &ret->tls);

	if (r < 0)
		return client_fail(ERR_EXIT_CONFIG, "the profile's certificates cannot be used: %s",
			tls_error_text());
	snprintf(ret->host, sizeof ret->host, "%s", host);
	snprintf(ret->authority, sizeof ret->authority, "%s%s%s:%u", v6 ? "[" : "", host,
		v6 ? "]" : "", (unsigned)port);
	ret->timeout_s = c->timeout_s;
	r = link_dial(c, host, port, &fd);
	if (r < 0)
		return client_fail(
			client_exit_of(r), "cannot reach %s: %s", ret->authority, client_why(r));
	r = conn_new(fd, &ret->conn);
	if (r < 0)
		return client_fail(
			ERR_EXIT_TEMP, "cannot reach %s: %s", ret->authority, client_why(r));
	(void)take_fd(&fd);
	conn_set_timeout_s(ret->conn, c->timeout_s);
	conn_set_wake(ret->conn, c->signal_fd, 0, client_wake, c);
	r = conn_tls_connect(ret->conn, ret->tls, host);
	return r < 0 ? tls_failed(ret, r) : CLIENT_OK;
}

int link_open(struct client *c, const struct profile *p, uint16_t port, const char *alpn,
	bool with_cert, struct link *ret)
{
	bool cert = with_cert && p->cert_pem.len > 0;
	const struct tls_client_config config = {.root_pem = buf_span(&p->root_pem),
		.extra_pem = buf_span(&p->chain_pem),
		.key_pem = cert ? buf_span(&p->key_pem) : span_of(NULL, 0),
		.cert_pem = cert ? buf_span(&p->cert_pem) : span_of(NULL, 0),
		.alpn = alpn};

	return link_start(c, &config, p->host, port, ret);
}

int link_open_door(struct client *c, const struct profile *p, const char *door, const char *alpn,
	bool with_cert, struct link *ret)
{
	const struct directory_door *d = directory_door(&p->doors, door);

	if (d == NULL)
		return client_fail(CLIENT_NO, "%s does not offer \"%s\"", p->host, door);
	return link_open(c, p, d->port, alpn, with_cert, ret);
}

int link_open_bootstrap(struct client *c, const char *host, uint16_t port, struct link *ret)
{
	const struct tls_client_config config = {.bootstrap = true, .alpn = "http/1.1"};

	return link_start(c, &config, host, port, ret);
}

static int basic_header(const char *user, struct span password, struct buf *ret)
{
	_cleanup_(buf_wipe) struct buf pair = BUF_INIT(2048);

	buf_add_str(&pair, user);
	buf_add_byte(&pair, ':');
	buf_add(&pair, password);
	buf_add_str(ret, "Authorization: Basic ");
	text_base64(ret, buf_span(&pair), 0);
	buf_add_str(ret, "\r\n");
	return buf_error(&pair) < 0 ? buf_error(&pair) : buf_error(ret);
}

int link_ask(
	struct link *l, const struct link_question *q, unsigned *ret_status, struct buf *ret_body)
{
	_cleanup_(buf_wipe) struct buf extra = BUF_INIT(4096);
	_cleanup_(buf_done) struct buf head = BUF_INIT(HTTP_HEAD_MAX);
	struct http_answer answer = {0};
	uint64_t retry_s = 0;
	int r = q->user != NULL ? basic_header(q->user, q->password, &extra) : 0;

	conn_set_timeout_s(l->conn, l->timeout_s);
	if (r == 0)
		r = http_write_request(l->conn, q->method, l->authority, q->target, q->content_type,
			q->user != NULL ? buf_str(&extra) : NULL, q->body);
	if (r == 0)
		r = conn_flush(l->conn);
	if (r == 0)
		r = http_read_answer(l->conn, &head, &answer, ret_body);
	if (r < 0)
		return r;
	(void)num_parse_u64(answer.retry_after, 1, 1000000, &retry_s);
	l->retry_s = (unsigned)retry_s;
	*ret_status = answer.status;
	return 0;
}

void link_refusal(unsigned status, struct span body, struct buf *ret)
{
	struct span line;

	if (!span_split(&body, '\n', &line))
		line = SPAN_LIT("");
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	line = span_trim(line);
	if (line.len > 200)
		line.len = 200;
	if (line.len == 0)
		line = span_str(http_status_text(status));
	text_escape(ret, line);
}

int link_ask_told(struct link *l, const struct link_question *q, struct buf *ret_body)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1024);
	char when[48] = "";
	unsigned status;
	int r = link_ask(l, q, &status, ret_body);

	if (r < 0)
		return client_fail(
			client_exit_of(r), "no answer from %s: %s", l->authority, client_why(r));
	if (status / 100 == 2)
		return CLIENT_OK;
	link_refusal(status, buf_span(ret_body), &text);
	if (l->retry_s > 0)
		snprintf(when, sizeof when, "; try again in %u s", l->retry_s);
	return client_fail(status >= 500 || status == 429 ? ERR_EXIT_TEMP : CLIENT_NO,
		"%s says: %s (%u)%s", l->host, buf_str(&text), status, when);
}

int link_ask_ca(struct client *c, const struct profile *p, const struct link_question *q,
	struct buf *ret_body)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	int r = link_open(c, p, p->ca_port, "http/1.1", true, &l);

	if (r != CLIENT_OK)
		return r;
	r = link_ask_told(&l, q, ret_body);
	if (r == CLIENT_OK)
		(void)conn_close(l.conn);
	return r;
}
