/* Credentials, and the connection itself: handed over, or taken from the accept loop in a process
 * of its own. */
#include "base/cleanup.h"
#include "base/timefmt.h"
#include "net/listener.h"
#include "service/internal.h"

#include <errno.h>

enum {
	SESSION_FILES = 64,
	LISTENER_FILES = 128, /* and one for each session */
	PATH_SIZE = 512,
};

static int read_below(const char *folder, const char *name, struct buf *b)
{
	char path[PATH_SIZE];
	int len = snprintf(path, sizeof(path), "%s/%s", folder, name);

	if (len < 0 || (size_t)len >= sizeof(path))
		return -ENAMETOOLONG;
	return service_read_file(path, b);
}

int service_read_credential(const struct service *s, const char *name, struct buf *b)
{
	return read_below(s->settings.credentials, name, b);
}

/* Root and issuing CAs. Right after init, before a first roll-over, the chain may be in one file.
 */
static int read_trust(const struct service *s, struct buf *b)
{
	int r = read_below(s->settings.conf, "pki/root.pem", b);

	if (r == 0)
		r = read_below(s->settings.conf, "pki/chain.pem", b);
	return r;
}

int service_credentials(struct service *s)
{
	_cleanup_(buf_wipe) struct buf key = BUF_INIT(SERVICE_PEM_MAX);
	_cleanup_(buf_wipe) struct buf cert = BUF_INIT(SERVICE_PEM_MAX);
	_cleanup_(buf_wipe) struct buf trust = BUF_INIT(SERVICE_PEM_MAX);
	struct tls_server_config config;
	int r;

	if (!s->door->tls)
		return 0;
	r = service_read_credential(s, "tls.key", &key);
	if (r < 0)
		return service_fault(s, r, "the TLS key (tls.key) cannot be read");
	r = service_read_credential(s, "tls.pem", &cert);
	if (r < 0)
		return service_fault(s, r, "the TLS certificate (tls.pem) cannot be read");
	if (s->def->client_certs)
		r = read_trust(s, &trust);
	if (r < 0)
		return service_fault(s, r, "pki/root.pem or pki/chain.pem cannot be read");
	config = (struct tls_server_config){.key_pem = buf_span(&key),
		.cert_pem = buf_span(&cert),
		.trust_pem = buf_span(&trust),
		.alpn = s->door->alpn,
		.resumable = s->door->resumable};
	r = tls_server_new(&config, &s->tls);
	if (r < 0)
		return service_fault(s, r, tls_error_text());
	return 0;
}

struct event_text {
	enum log_level level;
	const char *text;
};

static const struct event_text events[] = {
	[NET_LISTENER_REFUSED_TOTAL] = {LOG_LEVEL_WARNING, "refused: too many sessions (--max)"},
	[NET_LISTENER_REFUSED_SOURCE] = {LOG_LEVEL_WARNING,
		"refused: too many sessions of one source (--per-source)"},
	[NET_LISTENER_FLOOD] = {LOG_LEVEL_WARNING, "a flood: accepting pauses"},
	[NET_LISTENER_CHILD_CRASHED] = {LOG_LEVEL_ERR,
		"a session died of a signal: the listener starts afresh"},
	[NET_LISTENER_ERROR] = {LOG_LEVEL_ERR, "the accept loop goes on after an error"},
};

static void log_listener_event(
	void *arg, enum net_listener_event what, const struct net_peer *peer, int value)
{
	char number[16];

	(void)arg;
	(void)snprintf(number, sizeof(number), "%d", value);
	log_event(events[what].level, events[what].text,
		log_fields({"PEER", span_str(peer != NULL ? peer->text : "")},
			{"VALUE", span_str(number)},
			{"ERROR", span_str(what == NET_LISTENER_ERROR ? err_text(value) : "")}));
}

/* 1 in the process of a new connection, 0 when the listener has ended. */
static int listen_and_fork(struct service *s, int *ret_fd)
{
	const struct net_listener_config config = {.max_total = s->max_total,
		.max_per_source = s->max_per_source,
		.idle_exit_s = s->idle_exit_s,
		.argv = s->argv,
		.event = log_listener_event,
		.arg = s};
	int r = sandbox_limits(LISTENER_FILES + s->max_total, false);

	if (r < 0)
		return service_fault(s, r, "the listener's limits cannot be set");
	if (s->tls != NULL)
		tls_server_warm(s->tls);
	r = net_listener_run(&s->sockets, &config, ret_fd);
	if (r < 0)
		return service_fault(s, r, "the accept loop failed");
	return r;
}

static void describe_source(struct service *s)
{
	s->source = (struct auth_source){.bucket = net_peer_bucket(&s->peer),
		.peer = s->peer.text,
		.service = s->def->name,
		.runtime = s->settings.runtime,
		.domain = s->settings.domain};
	log_context("PEER", span_str(s->peer.text));
}

int service_connection(struct service *s)
{
	_cleanup_(cleanup_close) int fd = -1;
	int r;

	if (s->sockets.listening) {
		r = listen_and_fork(s, &fd);
		if (r <= 0)
			return r;
	} else {
		fd = take_fd(&s->sockets.fds[0]);
	}
	s->started_ms = time_monotonic_ms();
	r = sandbox_limits(SESSION_FILES, true);
	if (r < 0)
		return service_fault(s, r, "the session's limits cannot be set");
	r = net_peer_of(fd, &s->peer);
	/* Nobody there any more is nobody's fault. */
	if (r == -ENOTCONN)
		return 0;
	if (r < 0)
		return service_fault(s, r, "the connection is of a kind that is not served");
	describe_source(s);
	r = conn_new(fd, &s->conn);
	if (r < 0)
		return service_fault(s, r, "the connection cannot be set up");
	(void)take_fd(&fd);
	return 1;
}
