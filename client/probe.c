/* The poll loop over all doors. See probe.h. */
#include "client/probe.h"

#include "base/text.h"
#include "base/timefmt.h"
#include "net/wait.h"
#include "proto/daytime.h"
#include "proto/ftp.h"
#include "proto/irc.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

/* How long one address may keep the next of the same door waiting. */
#define ADDRESS_MS 3000

#define NOT_IT "answers, but as something else"

#define HTTP_QUESTION "HEAD / HTTP/1.1\r\nHost: status\r\nConnection: close\r\n\r\n"

#define IRC_TOKEN "status"

static bool is_time(struct span line)
{
	int64_t at_us;

	return daytime_read_line(line, &at_us) == 0;
}

static bool is_pong(struct span line)
{
	struct irc_message m;

	return irc_parse(line, IRC_SERVER_TAGS_MAX, &m) == 0 && irc_is(m.verb, "PONG") &&
		m.count > 0 && span_eq_str(m.params[m.count - 1], IRC_TOKEN);
}

/* What is said first on a protocol whose server waits (NULL: the server speaks first), and how its
 * first line begins or what it is; both behind TLS where there is TLS. */
static const struct service_kind {
	const char *protocol;
	const char *alpn;
	bool tls;
	bool clear; /* TLS is asked for in clear first, as FTP does (RFC 4217) */
	const char *question;
	const char *begins;
	bool (*is)(struct span line); /* where begins is NULL */
} kinds[] = {
	{"daytimes", NULL, true, false, NULL, NULL, is_time},
	{"https", "http/1.1", true, false, HTTP_QUESTION, "HTTP/1.", NULL},
	{"http", NULL, false, false, HTTP_QUESTION, "HTTP/1.", NULL},
	{"ftps", NULL, true, false, NULL, "220", NULL},
	{"ftp", NULL, true, true, "NOOP\r\n", "200", NULL},
	{"imaps", NULL, true, false, NULL, "* ", NULL},
	{"submissions", NULL, true, false, NULL, "220", NULL},
	{"ircs", NULL, true, false, "PING :" IRC_TOKEN "\r\n", NULL, is_pong},
};

static const struct service_kind *kind_of(const char *protocol)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(protocol, kinds[i].protocol) == 0)
			return &kinds[i];
	return NULL;
}

bool probe_answer_fits(const char *protocol, struct span line)
{
	const struct service_kind *kind = kind_of(protocol);

	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	if (kind == NULL)
		return false;
	return kind->begins != NULL ? span_starts(line, kind->begins) : kind->is(line);
}

static void probe_fail(struct probe *p, const char *reason)
{
	snprintf(p->reason, sizeof p->reason, "%s", reason);
	conn_freep(&p->conn);
	cleanup_close(&p->fd);
	p->state = PROBE_FAILED;
}

/* A connecting socket, or a negative errno. */
static int address_start(const struct addrinfo *a, uint16_t port)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage storage;
	} to = {0};
	int fd;

	memcpy(&to.storage, a->ai_addr, a->ai_addrlen);
	if (a->ai_family == AF_INET6)
		to.v6.sin6_port = htons(port);
	else
		to.v4.sin_port = htons(port);
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, &to.any, a->ai_addrlen) < 0 && errno != EINPROGRESS) {
		int r = -errno;

		cleanup_close(&fd);
		return r;
	}
	return fd;
}

/* Starts on the next address; the door has failed when there is none left. */
static void address_next(struct probe *p, int error)
{
	cleanup_close(&p->fd);
	while (p->next != NULL && p->fd < 0) {
		int r = address_start(p->next, p->door->port);

		p->next = p->next->ai_next;
		if (r < 0)
			error = r;
		else
			p->fd = r;
	}
	if (p->fd < 0)
		probe_fail(p, client_why(error));
	p->address_end_ms = p->next != NULL ? time_monotonic_ms() + ADDRESS_MS : INT64_MAX;
}

static int question_send(struct probe *p)
{
	const char *question = kind_of(p->door->protocol)->question;

	p->state = PROBE_ANSWER;
	return question != NULL ? conn_write(p->conn, span_str(question)) : 0;
}

static void step_connect(struct probe *p, struct tls_client *const *clients, const char *host)
{
	const struct service_kind *kind = kind_of(p->door->protocol);
	socklen_t len = sizeof(int);
	int error = 0, r;

	if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error != 0) {
		address_next(p, -error);
		return;
	}
	r = conn_new(p->fd, &p->conn);
	if (r == 0)
		p->fd = -1;
	if (r == 0 && kind->clear) {
		p->state = PROBE_CLEAR;
	} else if (r == 0 && kind->tls) {
		p->state = PROBE_HANDSHAKE;
		r = conn_tls_begin_connect(p->conn, clients[kind->alpn != NULL], host);
	} else if (r == 0) {
		snprintf(p->protocol, sizeof p->protocol, "plain");
		r = question_send(p);
	}
	if (r < 0)
		probe_fail(p, client_why(r));
}

static void clear_fail(struct probe *p, int error)
{
	const bool odd = error == -EMSGSIZE || error == -EPROTO || error == -ENOBUFS;

	if (error == 0)
		probe_fail(p, "closed without an answer");
	else
		probe_fail(p, odd ? NOT_IT : client_why(error));
}

/* One whole reply of the clear part: the greeting is answered by asking for TLS, and the answer to
 * that begins it. What came behind in clear makes beginning it fail. */
static void clear_reply(
	struct probe *p, unsigned code, struct tls_client *const *clients, const char *host)
{
	unsigned expected = p->asked ? 234 : 220;
	int r;

	if (code != expected) {
		probe_fail(p, p->asked ? "refuses TLS" : NOT_IT);
		return;
	}
	if (p->asked) {
		p->state = PROBE_HANDSHAKE;
		r = conn_tls_begin_connect(p->conn, clients[0], host);
	} else {
		p->asked = true;
		r = conn_write(p->conn, SPAN_LIT("AUTH TLS\r\n"));
	}
	if (r < 0)
		probe_fail(p, r == -EPROTO ? "speaks in clear where TLS begins" : client_why(r));
}

static void step_clear(struct probe *p, struct tls_client *const *clients, const char *host)
{
	static const struct frame_rule rule = {.max = FTP_LINE_MAX, .bare_lf_ok = true};
	struct ftp_reply_line reply = {.code = 0};
	struct span line;
	bool done = false;
	int filled = conn_step_fill(p->conn), r;

	while (p->state == PROBE_CLEAR && (r = conn_step_line(p->conn, &rule, &line)) != -EAGAIN) {
		if (r > 0)
			r = ftp_reply_parse(line, p->inside, &reply, &done) < 0 ? -EPROTO : 1;
		if (r <= 0) {
			clear_fail(p, r);
			return;
		}
		if (p->inside == 0)
			p->inside = reply.code;
		if (done) {
			p->inside = 0;
			clear_reply(p, reply.code, clients, host);
		}
	}
	if (p->state != PROBE_CLEAR)
		return;
	r = conn_step_flush(p->conn);
	if (r == 0 || r == -EAGAIN)
		r = filled;
	if (r <= 0 && r != -EAGAIN)
		clear_fail(p, r);
}

static void tls_note(struct probe *p)
{
	_cleanup_(buf_done) struct buf until = BUF_INIT(64);
	const struct tls_info *t = conn_tls(p->conn);

	snprintf(p->protocol, sizeof p->protocol, "%s", t->protocol);
	snprintf(p->cipher, sizeof p->cipher, "%s", t->cipher);
	time_rfc3339_utc(&until, t->chain_not_after_us);
	snprintf(p->until, sizeof p->until, "%s", buf_str(&until));
}

static void handshake_fail(struct probe *p, int error)
{
	const struct tls_info *t = conn_tls(p->conn);
	const char *why = conn_tls_reason(p->conn);
	char text[sizeof p->reason];

	p->clock_suspect = error == -EKEYREJECTED && t != NULL && t->clock_suspect;
	snprintf(text, sizeof text, "%s%s", error == -EKEYREJECTED ? "not trusted: " : "no TLS: ",
		*why != '\0' ? why : client_why(error));
	probe_fail(p, text);
}

static void step_handshake(struct probe *p)
{
	int r = conn_step_handshake(p->conn);

	if (r == -EAGAIN)
		return;
	if (r < 0) {
		handshake_fail(p, r);
		return;
	}
	p->handshake_ms = time_monotonic_ms() - p->started_ms;
	tls_note(p);
	r = question_send(p);
	if (r < 0)
		probe_fail(p, client_why(r));
}

/* Says goodbye without waiting for the other side's. */
static void probe_finish(struct probe *p)
{
	p->answer_ms = time_monotonic_ms() - p->started_ms;
	p->state = PROBE_DONE;
	conn_set_deadline(p->conn, time_monotonic_ms());
	(void)conn_close(p->conn);
	conn_freep(&p->conn);
}

static void step_answer(struct probe *p)
{
	const unsigned char *end;
	struct span have;
	int r = conn_step_flush(p->conn);

	if (r == 0 || r == -EAGAIN)
		r = conn_step_fill(p->conn);
	have = conn_pending(p->conn);
	end = have.len > 0 ? memchr(have.p, '\n', have.len) : NULL;
	if (end != NULL &&
		probe_answer_fits(p->door->protocol, span_of(have.p, (size_t)(end - have.p))))
		probe_finish(p);
	else if (end != NULL || r == -ENOBUFS)
		probe_fail(p, NOT_IT);
	else if (r == 0)
		probe_fail(p, "closed without an answer");
	else if (r < 0 && r != -EAGAIN)
		probe_fail(p, client_why(r));
}

static void probe_step(struct probe *p, struct tls_client *const *clients, const char *host)
{
	enum probe_state before;

	/* One readiness may finish several states: TLS keeps bytes of its own. */
	do {
		before = p->state;
		if (p->state == PROBE_CONNECT)
			step_connect(p, clients, host);
		else if (p->state == PROBE_CLEAR)
			step_clear(p, clients, host);
		else if (p->state == PROBE_HANDSHAKE)
			step_handshake(p);
		else if (p->state == PROBE_ANSWER)
			step_answer(p);
	} while (p->state != before && p->state < PROBE_DONE);
}

static struct pollfd poll_of(const struct probe *p)
{
	if (p->state >= PROBE_DONE)
		return (struct pollfd){.fd = -1};
	if (p->state == PROBE_CONNECT)
		return (struct pollfd){.fd = p->fd, .events = POLLOUT};
	return (struct pollfd){.fd = conn_fd(p->conn), .events = conn_events(p->conn)};
}

/* Gives up on addresses that took too long, and tells when to look again; false: all are done. */
static bool loop_prepare(struct probe_run *run, struct pollfd *fds, int64_t *io_until_ms)
{
	int64_t now_ms = time_monotonic_ms();
	bool open = false;

	for (size_t i = 0; i < run->count; i++) {
		struct probe *p = &run->probes[i];

		if (p->state == PROBE_CONNECT && p->address_end_ms <= now_ms)
			address_next(p, -ETIMEDOUT);
		if (p->state == PROBE_CONNECT && p->address_end_ms < *io_until_ms)
			*io_until_ms = p->address_end_ms;
		fds[i] = poll_of(p);
		open = open || p->state < PROBE_DONE;
	}
	return open;
}

static int probe_loop(const struct client *c, const char *host, struct probe_run *run)
{
	int64_t end_ms = time_monotonic_ms() + INT64_C(1000) * c->timeout_s;
	struct pollfd fds[DIRECTORY_MAX_DOORS + 1];

	for (;;) {
		int64_t until_ms = end_ms, left_ms;

		if (!loop_prepare(run, fds, &until_ms))
			return 0;
		left_ms = until_ms - time_monotonic_ms();
		if (left_ms < 0)
			left_ms = 0;
		fds[run->count] = (struct pollfd){.fd = c->signal_fd, .events = POLLIN};
		if (net_wait(fds, run->count + 1, (int)left_ms) < 0 && errno != EINTR)
			return -errno;
		if (fds[run->count].revents != 0)
			return -ECANCELED;
		for (size_t i = 0; i < run->count; i++)
			if (fds[i].revents != 0)
				probe_step(&run->probes[i], run->clients, host);
		if (time_monotonic_ms() >= end_ms)
			break;
	}
	for (size_t i = 0; i < run->count; i++)
		if (run->probes[i].state < PROBE_DONE)
			probe_fail(&run->probes[i], client_why(-ETIMEDOUT));
	return 0;
}

static int clients_new(const struct profile *p, struct tls_client *clients[2])
{
	struct tls_client_config config = {
		.root_pem = buf_span(&p->root_pem), .extra_pem = buf_span(&p->chain_pem)};
	int r = tls_client_new(&config, &clients[0]);

	config.alpn = "http/1.1";
	return r < 0 ? r : tls_client_new(&config, &clients[1]);
}

static void probe_start(struct probe *p, const struct directory_door *door, struct addrinfo *list)
{
	*p = (struct probe){
		.door = door, .fd = -1, .next = list, .started_ms = time_monotonic_ms()};
	if (kind_of(door->protocol) == NULL)
		probe_fail(p, "this client does not know its protocol");
	else
		address_next(p, -ENXIO);
}

int probe_all(struct client *c, const struct profile *p, struct probe_run *ret)
{
	int r;

	if (p->doors.door_count == 0)
		return client_fail(CLIENT_NO, "%s offers no services", p->host);
	if (clients_new(p, ret->clients) < 0)
		return client_fail(ERR_EXIT_CONFIG, "the profile's certificates cannot be used: %s",
			tls_error_text());
	r = link_resolve(p->host, 0, &ret->addresses);
	if (r < 0)
		return client_fail(
			client_exit_of(r), "cannot reach %s: %s", p->host, client_why(r));
	for (; ret->count < p->doors.door_count; ret->count++)
		probe_start(&ret->probes[ret->count], &p->doors.doors[ret->count], ret->addresses);
	r = probe_loop(c, p->host, ret);
	return r < 0 ? client_fail(client_exit_of(r), "cannot reach %s: %s", p->host, client_why(r))
		     : CLIENT_OK;
}

void probe_done(struct probe_run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		conn_freep(&run->probes[i].conn);
		cleanup_close(&run->probes[i].fd);
	}
	if (run->addresses != NULL)
		freeaddrinfo(run->addresses);
	tls_client_freep(&run->clients[0]);
	tls_client_freep(&run->clients[1]);
}
