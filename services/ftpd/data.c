/*
 * The data connection's life: accepted or connected, then TLS, then the proof that it is this very
 * log-in's.
 */
#include "services/ftpd/data_internal.h"

#include "base/cleanup.h"
#include "base/timefmt.h"
#include "store/policy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>

enum {
	ACCEPTS_MAX = 16, /* foreign ones turned away in one go */
	LISTENER_LIFE_MS = 120000, /* from EPSV to the transfer's command */
};

#ifdef QUINTET_TEST
struct data_hook data_hook;
#endif

int data_new(struct data **ret)
{
	struct data *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return -ENOMEM;
	d->listener_fd = d->fd = -1;
	*ret = d;
	return 0;
}

void data_free(struct data *d)
{
	if (d == NULL)
		return;
	data_reset(d, true);
	free(d);
}

void data_reset(struct data *d, bool all)
{
	cleanup_close(&d->listener_fd);
	cleanup_close(&d->fd);
	conn_freep(&d->conn);
	d->active = d->connecting = d->foreign_told = false;
	d->listening_ms = 0;
	if (!all)
		return;
	d->only_extended = false;
	d->description[0] = '\0';
}

bool data_is_ready(const struct data *d)
{
	if (d->fd >= 0 || d->active)
		return true;
	return d->listening_ms != 0 && time_monotonic_ms() - d->listening_ms < LISTENER_LIFE_MS;
}

/* -- addresses --------------------------------------------------------------------------------- */

static int check_family(const struct data_address *a)
{
	return a->any.sa_family == AF_INET || a->any.sa_family == AF_INET6 ? 0 : -EAFNOSUPPORT;
}

int data_address_local(int fd, struct data_address *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->len = sizeof(ret->room);
	if (getsockname(fd, &ret->any, &ret->len) < 0)
		return -errno;
	return check_family(ret);
}

int data_address_peer(int fd, struct data_address *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->len = sizeof(ret->room);
	if (getpeername(fd, &ret->any, &ret->len) < 0)
		return -errno;
	return check_family(ret);
}

unsigned data_address_host(const struct data_address *a, struct span *ret_host)
{
	if (a->any.sa_family == AF_INET) {
		*ret_host = span_of(&a->v4.sin_addr, sizeof(a->v4.sin_addr));
		return DATA_IPV4;
	}
	if (IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr)) {
		*ret_host = span_of(a->v6.sin6_addr.s6_addr + 12, 4);
		return DATA_IPV4;
	}
	*ret_host = span_of(&a->v6.sin6_addr, sizeof(a->v6.sin6_addr));
	return DATA_IPV6;
}

bool data_address_same_host(const struct data_address *a, const struct data_address *b)
{
	struct span host_a, host_b;

	if (check_family(a) < 0 || check_family(b) < 0 ||
		data_address_host(a, &host_a) != data_address_host(b, &host_b) ||
		!span_eq(host_a, host_b))
		return false;
	/* Only a link-local address has a scope; the same one on another link is somebody else's.
	 */
	return host_a.len == 4 || a->v6.sin6_scope_id == b->v6.sin6_scope_id;
}

uint16_t data_address_port(const struct data_address *a)
{
	return ntohs(a->any.sa_family == AF_INET ? a->v4.sin_port : a->v6.sin6_port);
}

void data_address_set_port(struct data_address *a, uint16_t port)
{
	if (a->any.sa_family == AF_INET)
		a->v4.sin_port = htons(port);
	else
		a->v6.sin6_port = htons(port);
}

/* -- the connection ---------------------------------------------------------------------------- */

static void tell_foreign(struct data *d, const struct data_address *from)
{
	struct span host = {0};
	char text[INET6_ADDRSTRLEN] = "";
	int family;

	if (d->foreign_told)
		return;
	d->foreign_told = true;
	family = data_address_host(from, &host) == DATA_IPV4 ? AF_INET : AF_INET6;
	(void)inet_ntop(family, host.p, text, sizeof(text));
	log_event(LOG_LEVEL_WARNING, "a foreign address came to the data port",
		log_fields({"FROM", span_str(text)}));
}

/* The network's passing troubles with a connection that is no more (accept(2), "Error handling").
 */
static bool is_passing(int error)
{
	static const int passing[] = {EINTR, ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN,
		ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH};

	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
		if (error == passing[i])
			return true;
	return false;
}

/* One accept that counts: with it the port is closed again. */
static int accept_peer(struct data *d, const struct data_address *peer)
{
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		struct data_address from = {.len = sizeof(from.room)};
		_cleanup_(cleanup_close) int fd =
			accept4(d->listener_fd, &from.any, &from.len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && errno == EAGAIN)
			return -EAGAIN;
		if (fd < 0 && !is_passing(errno))
			return -errno;
		if (fd < 0)
			continue;
		if (data_address_same_host(&from, peer)) {
			d->fd = take_fd(&fd);
			cleanup_close(&d->listener_fd);
			return 0;
		}
		tell_foreign(d, &from);
	}
	return -EAGAIN;
}

/* From the control connection's own address, as the client expects it. */
static int begin_connect(struct ftpd *f, struct data *d)
{
	struct data_address local;
	int r = data_address_local(conn_fd(f->control), &local);

	if (r < 0)
		return r;
	data_address_set_port(&local, 0);
	d->fd = socket(
		local.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (d->fd < 0 || bind(d->fd, &local.any, local.len) < 0)
		return -errno;
	d->connecting = true;
	return 0;
}

/* connect() again tells how the first one went. */
static int connect_peer(struct ftpd *f, struct data *d)
{
	int r = d->connecting ? 0 : begin_connect(f, d);

	if (r < 0)
		return r;
	if (connect(d->fd, &d->to.any, d->to.len) == 0 || errno == EISCONN) {
		d->connecting = d->active = false;
		return 0;
	}
	return errno == EINPROGRESS || errno == EALREADY || errno == EINTR ? -EAGAIN : -errno;
}

int data_connect(struct ftpd *f)
{
	struct data *d = f->data;
	struct data_address peer;
	int r;

#ifdef QUINTET_TEST
	if (data_hook.open != NULL)
		return data_hook.connect != NULL ? data_hook.connect(data_hook.arg) : 0;
#endif
	if (d->fd >= 0 && !d->connecting)
		return 0;
	if (d->active)
		return connect_peer(f, d);
	if (d->listener_fd < 0)
		return -ENOTCONN;
	r = data_address_peer(conn_fd(f->control), &peer);
	return r < 0 ? r : accept_peer(d, &peer);
}

/* May this account's data connections do without resumption? */
static bool is_unbound(const struct ftpd *f)
{
	char value[POLICY_VALUE_SIZE];

	if ((f->service->who.account.flags & ACCOUNT_FTP_UNBOUND) != 0)
		return true;
	return policy_text(f->service->store, "ftp_unbound", value) == 0 &&
		strcmp(value, "yes") == 0;
}

static int check_binding(const struct ftpd *f, const struct conn *conn)
{
	const struct tls_info *control = conn_tls(f->control), *data = conn_tls(conn);

	if (conn_tls_resumed_from(conn, f->control))
		return 0;
	if (control == NULL || data == NULL || !is_unbound(f))
		return -EKEYREJECTED;
	return control->peer_der.len == 0 || span_eq(control->peer_der, data->peer_der)
		? 0
		: -EKEYREJECTED;
}

static void describe(struct data *d)
{
	const struct tls_info *info = conn_tls(d->conn);

	if (info != NULL)
		(void)snprintf(d->description, sizeof(d->description), "%s, %s, %s", info->protocol,
			info->cipher, info->resumed ? "resumed" : "not resumed");
}

static int begin_tls(struct ftpd *f, struct data *d)
{
	int r = conn_new(d->fd, &d->conn);

	if (r < 0)
		return r;
	(void)take_fd(&d->fd);
	return conn_tls_begin_accept(d->conn, f->service->tls);
}

/* A client's small writes (Nagle) would wait 40 ms for the acknowledgement of its handshake. */
static void acknowledge(const struct data *d)
{
	static const int one = 1;

	(void)setsockopt(conn_fd(d->conn), IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one));
}

int data_secure(struct ftpd *f, struct conn **ret_conn)
{
	struct data *d = f->data;
	int r = 0;

#ifdef QUINTET_TEST
	if (data_hook.open != NULL) {
		if (d->conn == NULL)
			r = data_hook.open(data_hook.arg, &d->conn);
		*ret_conn = d->conn;
		return r;
	}
#endif
	if (d->conn == NULL)
		r = begin_tls(f, d);
	if (r == 0)
		r = conn_step_handshake(d->conn);
	if (r < 0)
		return r;
	acknowledge(d);
	describe(d);
	*ret_conn = d->conn;
	return check_binding(f, d->conn);
}

void data_poll(const struct data *d, struct pollfd *ret)
{
	*ret = (struct pollfd){.fd = -1};
	if (d->conn != NULL)
		*ret = (struct pollfd){.fd = conn_fd(d->conn), .events = conn_events(d->conn)};
	else if (d->connecting)
		*ret = (struct pollfd){.fd = d->fd, .events = POLLOUT};
	else if (d->listener_fd >= 0)
		*ret = (struct pollfd){.fd = d->listener_fd, .events = POLLIN};
}

const char *data_describe(const struct data *d)
{
	return d->description;
}
