/* Verified connections, and the questions asked over HTTPS. */
#include "client/link.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/timefmt.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

void link_done(struct link *l)
{
	conn_freep(&l->conn);
	tls_client_freep(&l->tls);
}

/* A name server may be slow: Ctrl-C keeps its usual meaning there, nothing is half done yet. */
static int resolve(const char *host, uint16_t port, struct addrinfo **ret)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	char service[8];
	sigset_t set, old;
	int r;

	snprintf(service, sizeof service, "%u", (unsigned)port);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_UNBLOCK, &set, &old);
	r = getaddrinfo(host, service, &hints, ret);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return r == 0 ? 0 : r == EAI_MEMORY ? -ENOMEM : -EHOSTUNREACH;
}

/* Waits until the socket is connected: 0 or why not. */
static int connected(const struct client *c, int fd, int timeout_ms)
{
	struct pollfd p[2] = {
		{.fd = fd, .events = POLLOUT}, {.fd = c->signal_fd, .events = POLLIN}};
	socklen_t len = sizeof(int);
	int error = 0, n;

	do
		n = poll(p, 2, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if ((p[1].revents & POLLIN) != 0)
		return -ECANCELED;
	if (n == 0)
		return -ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return -error;
}

int link_dial(struct client *c, const char *host, uint16_t port, int *ret_fd)
{
	struct addrinfo *list = NULL;
	int64_t end_ms = time_monotonic_ms() + INT64_C(1000) * c->timeout_s;
	int r = resolve(host, port, &list);

	if (r < 0)
		return r;
	r = -EHOSTUNREACH;
	for (const struct addrinfo *a = list; a != NULL && r != -ECANCELED; a = a->ai_next) {
		int64_t left_ms = end_ms - time_monotonic_ms();
		_cleanup_(cleanup_close) int fd = socket(a->ai_family,
			a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);

		if (fd < 0 || left_ms <= 0)
			continue;
		/* Not all of the time for one dead address when others follow. */
		if (a->ai_next != NULL && left_ms > 3000)
			left_ms = 3000;
		r = connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : -errno;
		if (r == -EINPROGRESS)
			r = connected(c, fd, (int)left_ms);
		if (r == 0) {
			*ret_fd = take_fd(&fd);
			break;
		}
	}
	freeaddrinfo(list);
	return r;
}

static int tls_failed(const struct link *l, int error)
{
	const struct tls_info *info = conn_tls(l->conn);

	if (error == -ECANCELED)
		return CLIENT_INTERRUPTED;
	if (error != -EKEYREJECTED)
		return client_fail(client_exit_of(error), "no TLS with %s: %s", l->host,
			conn_tls_reason(l->conn));
	client_fail(CLIENT_UNTRUSTED, "%s is not trusted: %s", l->host, conn_tls_reason(l->conn));
	if (info != NULL && info->clock_suspect)
		fputs("quintet: only the dates are wrong: this machine's own clock may be the one that is "
		      "off; check it first\n",
			stderr);
	return CLIENT_UNTRUSTED;
}

static int link_start(struct client *c, const struct tls_client_config *config, const char *host,
	uint16_t port, struct link *ret)
{
	_cleanup_(cleanup_close) int fd = -1;
	int r = tls_client_new(config, &ret->tls);

	if (r < 0)
		return client_fail(
			ERR_EXIT_CONFIG, "key or certificate cannot be used: %s", tls_error_text());
	snprintf(ret->host, sizeof ret->host, "%s", host);
	r = link_dial(c, host, port, &fd);
	if (r == -ECANCELED)
		return CLIENT_INTERRUPTED;
	if (r < 0)
		return client_fail(ERR_EXIT_TEMP, "cannot reach %s port %u: %s", host,
			(unsigned)port, err_text(r));
	r = conn_new(fd, &ret->conn);
	if (r < 0)
		return client_fail(ERR_EXIT_TEMP, "%s", err_text(r));
	(void)take_fd(&fd);
	conn_set_timeout_s(ret->conn, c->timeout_s);
	conn_set_wake(ret->conn, c->signal_fd, 0, client_wake, c);
	return 0;
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
	int r = link_start(c, &config, p->host, port, ret);

	if (r != 0)
		return r;
	r = conn_tls_connect(ret->conn, ret->tls, p->host);
	return r < 0 ? tls_failed(ret, r) : CLIENT_OK;
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
	int r = link_start(c, &config, host, port, ret);

	if (r != 0)
		return r;
	r = conn_tls_connect(ret->conn, ret->tls, host);
	return r < 0 ? tls_failed(ret, r) : CLIENT_OK;
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
	struct http_answer answer;
	int r = q->user != NULL ? basic_header(q->user, q->password, &extra) : 0;

	if (r == 0)
		r = http_write_request(l->conn, q->method, l->host, q->target, q->content_type,
			q->user != NULL ? buf_str(&extra) : NULL, q->body);
	if (r == 0)
		r = conn_flush(l->conn);
	if (r == 0)
		r = http_read_answer(l->conn, &head, &answer, ret_body);
	if (r < 0)
		return r;
	*ret_status = answer.status;
	return 0;
}

int link_refused(unsigned status, struct span body)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(512);
	struct span line;

	if (!span_split(&body, '\n', &line))
		line = SPAN_LIT("");
	line = span_trim(line);
	if (line.len > 300)
		line.len = 300;
	text_escape(&text, line);
	if (text.len == 0)
		buf_add_str(&text, http_status_text(status));
	return client_fail(status == 503 || status == 429 ? ERR_EXIT_TEMP : CLIENT_NO,
		"the server says: %s (%u)", buf_str(&text), status);
}
