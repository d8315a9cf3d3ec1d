/* The poll loop over all doors. See probe.h. */
#include "client/probe.h"

#include "base/timefmt.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

/* What is said first on a protocol whose server waits; NULL: the server speaks first. */
static const struct {
	const char *protocol;
	const char *alpn;
	bool tls;
	const char *question;
} protocols[] = {
	{"daytimes", NULL, true, NULL},
	{"https", "http/1.1", true, "HEAD / HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n"},
	{"http", NULL, false, "HEAD / HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n"},
	{"ftps", NULL, true, NULL},
	{"imaps", NULL, true, NULL},
	{"submissions", NULL, true, NULL},
	{"ircs", NULL, true, "PING :probe\r\n"},
};

static size_t protocol_of(const struct probe *p)
{
	for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++)
		if (strcmp(p->door->protocol, protocols[i].protocol) == 0)
			return i;
	return 0;
}

static void probe_fail(struct probe *p, const char *reason)
{
	snprintf(p->reason, sizeof p->reason, "%s", reason);
	conn_freep(&p->conn);
	cleanup_close(&p->fd);
	p->state = PROBE_FAILED;
}

/* Starts on the next address; the door has failed when there is none left. */
static void address_next(struct probe *p, int error)
{
	cleanup_close(&p->fd);
	for (; p->next != NULL; p->next = p->next->ai_next) {
		const struct addrinfo *a = p->next;
		union {
			struct sockaddr any;
			struct sockaddr_storage storage;
		} to;

		memcpy(&to.storage, a->ai_addr, a->ai_addrlen);
		/* The port stands at the same place in both families. */
		memcpy((char *)&to.storage + 2, &(uint16_t){__builtin_bswap16(p->door->port)}, 2);
		p->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (p->fd < 0)
			continue;
		if (connect(p->fd, &to.any, a->ai_addrlen) == 0 || errno == EINPROGRESS) {
			p->next = a->ai_next;
			return;
		}
		error = -errno;
		cleanup_close(&p->fd);
	}
	probe_fail(p, err_text(error));
}

static int question_send(struct probe *p)
{
	const char *question = protocols[protocol_of(p)].question;

	p->state = PROBE_ANSWER;
	return question != NULL ? conn_write(p->conn, span_str(question)) : 0;
}

static void step_connect(struct probe *p, struct tls_client *const *clients, const char *host)
{
	socklen_t len = sizeof(int);
	size_t kind = protocol_of(p);
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
	if (r == 0 && protocols[kind].tls) {
		p->state = PROBE_HANDSHAKE;
		r = conn_tls_begin_connect(p->conn, clients[protocols[kind].alpn != NULL], host);
	} else if (r == 0) {
		r = question_send(p);
	}
	if (r < 0)
		probe_fail(p, err_text(r));
}

static void tls_note(struct probe *p)
{
	struct buf until = BUF_INIT(64);
	const struct tls_info *t = conn_tls(p->conn);

	snprintf(p->protocol, sizeof p->protocol, "%s", t->protocol);
	snprintf(p->cipher, sizeof p->cipher, "%s", t->cipher);
	time_rfc3339_utc(&until, t->chain_not_after_us);
	snprintf(p->until, sizeof p->until, "%s", buf_str(&until));
	buf_done(&until);
}

static void step_handshake(struct probe *p)
{
	int r = conn_step_handshake(p->conn);

	if (r == -EAGAIN)
		return;
	if (r < 0) {
		char why[sizeof p->reason];

		snprintf(why, sizeof why, "%s%s", r == -EKEYREJECTED ? "not trusted: " : "",
			conn_tls_reason(p->conn));
		probe_fail(p, why);
		return;
	}
	p->handshake_ms = time_monotonic_ms() - p->started_ms;
	tls_note(p);
	r = question_send(p);
	if (r < 0)
		probe_fail(p, err_text(r));
}

static void step_answer(struct probe *p)
{
	int r = conn_step_flush(p->conn);

	if (r == 0 || r == -EAGAIN)
		r = conn_step_fill(p->conn);
	if (conn_pending(p->conn).len > 0 &&
		memchr(conn_pending(p->conn).p, '\n', conn_pending(p->conn).len) != NULL) {
		p->answer_ms = time_monotonic_ms() - p->started_ms;
		p->state = PROBE_DONE;
		conn_freep(&p->conn);
	} else if (r == 0) {
		probe_fail(p, "closed without an answer");
	} else if (r < 0 && r != -EAGAIN) {
		probe_fail(p, err_text(r));
	}
}

static void probe_step(struct probe *p, struct tls_client *const *clients, const char *host)
{
	enum probe_state before;

	/* One readiness may finish several states: TLS keeps bytes of its own. */
	do {
		before = p->state;
		if (p->state == PROBE_CONNECT)
			step_connect(p, clients, host);
		else if (p->state == PROBE_HANDSHAKE)
			step_handshake(p);
		else if (p->state == PROBE_ANSWER)
			step_answer(p);
	} while (p->state != before && p->state < PROBE_DONE);
}

static size_t poll_set(struct probe *probes, size_t count, struct pollfd *fds)
{
	size_t open = 0;

	for (size_t i = 0; i < count; i++) {
		struct probe *p = &probes[i];

		fds[i] = (struct pollfd){.fd = -1};
		if (p->state >= PROBE_DONE)
			continue;
		open++;
		if (p->state == PROBE_CONNECT)
			fds[i] = (struct pollfd){.fd = p->fd, .events = POLLOUT};
		else
			fds[i] = (struct pollfd){
				.fd = conn_fd(p->conn), .events = conn_events(p->conn)};
	}
	return open;
}

static int probe_loop(const struct client *c, const char *host, struct tls_client *const *clients,
	struct probe *probes, size_t count)
{
	int64_t end_ms = time_monotonic_ms() + INT64_C(1000) * c->timeout_s;
	struct pollfd fds[DIRECTORY_MAX_DOORS + 1];

	while (poll_set(probes, count, fds) > 0) {
		int64_t left_ms = end_ms - time_monotonic_ms();

		fds[count] = (struct pollfd){.fd = c->signal_fd, .events = POLLIN};
		if (left_ms <= 0)
			break;
		if (poll(fds, count + 1, (int)left_ms) < 0 && errno != EINTR)
			return -errno;
		if ((fds[count].revents & POLLIN) != 0)
			return -ECANCELED;
		for (size_t i = 0; i < count; i++)
			if (fds[i].revents != 0)
				probe_step(&probes[i], clients, host);
	}
	for (size_t i = 0; i < count; i++)
		if (probes[i].state < PROBE_DONE)
			probe_fail(&probes[i], "no answer in time");
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

int probe_all(struct client *c, const struct profile *p, struct probe *probes, size_t *ret_count)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct tls_client *clients[2] = {NULL, NULL};
	struct addrinfo *list = NULL;
	size_t count = p->doors.door_count;
	int r = clients_new(p, clients);

	if (r == 0 && getaddrinfo(p->host, NULL, &hints, &list) != 0)
		r = -EHOSTUNREACH;
	for (size_t i = 0; r == 0 && i < count; i++) {
		probes[i] = (struct probe){.door = &p->doors.doors[i],
			.fd = -1,
			.next = list,
			.started_ms = time_monotonic_ms()};
		address_next(&probes[i], -EHOSTUNREACH);
	}
	if (r == 0)
		r = probe_loop(c, p->host, clients, probes, count);
	for (size_t i = 0; r == 0 && i < count; i++)
		conn_freep(&probes[i].conn);
	if (list != NULL)
		freeaddrinfo(list);
	tls_client_freep(&clients[0]);
	tls_client_freep(&clients[1]);
	if (r == 0)
		*ret_count = count;
	return r;
}
