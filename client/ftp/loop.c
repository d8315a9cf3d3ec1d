/* The one poll loop over all sessions; how the pool begins and ends. */
#include "client/ftp/session.h"
#include "client/link.h"

#include "base/cleanup.h"
#include "base/timefmt.h"
#include "net/tls.h"
#include "net/wait.h"

#include <errno.h>
#include <netdb.h>

enum {
	GOODBYE_MS = 1000, /* that servers get to say theirs */
	FDS = FTP_SESSIONS_MAX * SESSION_FDS,
};

/* -- the loop ---------------------------------------------------------------------------------- */

/* What all sessions wait for; fds has room for FDS. True: some do not wait. */
static bool loop_prepare(struct ftp_pool *p, struct pollfd *fds, bool *work, int64_t *until_ms)
{
	bool now = false;

	for (size_t i = 0; i < FTP_SESSIONS_MAX; i++) {
		struct pollfd *own = fds + i * SESSION_FDS;

		for (size_t k = 0; k < SESSION_FDS; k++)
			own[k] = (struct pollfd){.fd = -1};
		work[i] = p->sessions[i] != NULL && session_poll(p->sessions[i], own, until_ms);
		now = now || work[i];
	}
	return now;
}

static bool is_ready(const struct pollfd *own)
{
	for (size_t k = 0; k < SESSION_FDS; k++)
		if (own[k].fd >= 0 && own[k].revents != 0)
			return true;
	return false;
}

static void loop_step(struct ftp_pool *p, const struct pollfd *fds, const bool *work)
{
	int64_t now_ms = time_monotonic_ms();

	for (size_t i = 0; i < FTP_SESSIONS_MAX; i++) {
		struct session *s = p->sessions[i];

		if (s != NULL && (work[i] || is_ready(fds + i * SESSION_FDS)))
			session_step(s);
		if (s != NULL)
			session_tick(s, now_ms);
	}
}

/* One round: waits until something can be done, and does it. 0; 1: watch_fd is readable; -ECANCELED
 * after a signal. */
static int loop_round(struct ftp_pool *p, int watch_fd, int64_t until_ms)
{
	struct pollfd fds[FDS + 2];
	bool work[FTP_SESSIONS_MAX];
	bool now = loop_prepare(p, fds, work, &until_ms);
	int64_t left_ms = until_ms - time_monotonic_ms();

	if (now || left_ms < 0)
		left_ms = 0;
	if (left_ms > INT32_MAX)
		left_ms = until_ms == INT64_MAX ? -1 : INT32_MAX;
	fds[FDS] = (struct pollfd){.fd = p->c->signal_fd, .events = POLLIN};
	fds[FDS + 1] = (struct pollfd){.fd = watch_fd, .events = POLLIN};
	if (net_wait(fds, FDS + 2, (int)left_ms) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[FDS].revents != 0)
		return -ECANCELED;
	loop_step(p, fds, work);
	return fds[FDS + 1].revents != 0;
}

static bool has_tasks(const struct ftp_pool *p)
{
	for (size_t i = 0; i < FTP_SESSIONS_MAX; i++)
		if (p->sessions[i] != NULL && p->sessions[i]->task != NULL)
			return true;
	return p->waiting.first != NULL;
}

int ftp_pool_run(struct ftp_pool *p, unsigned every_ms, int watch_fd)
{
	int64_t end_ms = every_ms > 0 ? time_monotonic_ms() + every_ms : INT64_MAX;
	int r = 0;

	while (r == 0) {
		int64_t until_ms = end_ms;

		pool_dispatch(p, &until_ms);
		if (p->finished.first != NULL)
			return 1;
		if (watch_fd < 0 && !has_tasks(p))
			return 0;
		if (time_monotonic_ms() >= end_ms)
			return 2;
		r = loop_round(p, watch_fd, until_ms);
	}
	if (r < 0)
		pool_cancel(p);
	return r == 1 ? 3 : r;
}

int ftp_pool_do(struct ftp_pool *p, struct ftp_task *t)
{
	int r = 1;

	ftp_pool_add(p, t);
	while (t->state != FTP_DONE && t->state != FTP_FAILED) {
		int64_t until_ms = INT64_MAX;

		pool_dispatch(p, &until_ms);
		if (t->state == FTP_DONE || t->state == FTP_FAILED)
			break;
		r = loop_round(p, -1, until_ms);
		if (r < 0)
			pool_cancel(p);
	}
	(void)pool_remove(&p->finished, t);
	return ftp_task_told(t);
}

/* -- the beginning ----------------------------------------------------------------------------- */

static int open_told(const struct ftp_pool *p, const struct session *s, uint16_t port)
{
	const char *host = p->profile->host;
	const char *why = s->reason[0] != '\0' ? s->reason : client_why(s->error);

	if (s->error == -EACCES && s->code == 331)
		return client_fail(CLIENT_NO,
			"%s does not let %s in by this certificate (--user %s asks for the "
			"password); it says: %s (331)",
			host, p->user, p->user, why);
	if (s->error == -EACCES)
		return client_fail(
			CLIENT_NO, "%s does not let %s in: %s (%u)", host, p->user, why, s->code);
	if (s->error == -EREMOTEIO)
		return client_fail(s->code >= 400 && s->code < 500 ? ERR_EXIT_TEMP : CLIENT_NO,
			"%s says: %s (%u)", host, why, s->code);
	if (s->error == -EKEYREJECTED)
		return client_fail(CLIENT_UNTRUSTED, "%s:%u is %s", host, (unsigned)port, why);
	return client_fail(
		client_exit_of(s->error), "cannot reach %s:%u: %s", host, (unsigned)port, why);
}

/* Until the first session is ready: an exit code. */
static int first_session(struct ftp_pool *p, uint16_t port)
{
	struct session *s = NULL;
	int r = session_new(p, &p->sessions[0]);

	if (r < 0)
		return client_fail(
			ERR_EXIT_TEMP, "cannot reach %s: %s", p->profile->host, client_why(r));
	s = p->sessions[0];
	while (r == 0 && s->state != SESSION_READY && s->state != SESSION_ENDED)
		r = loop_round(p, -1, INT64_MAX);
	if (r < 0)
		return client_fail(client_exit_of(r), "%s", client_why(r));
	return s->state == SESSION_READY ? CLIENT_OK : open_told(p, s, port);
}

static int contexts_new(struct ftp_pool *p, const struct directory_door *door)
{
	bool cert = p->options.password.len == 0 && p->profile->cert_pem.len > 0;
	const struct tls_client_config config = {.root_pem = buf_span(&p->profile->root_pem),
		.extra_pem = buf_span(&p->profile->chain_pem),
		.key_pem = cert ? buf_span(&p->profile->key_pem) : span_of(NULL, 0),
		.cert_pem = cert ? buf_span(&p->profile->cert_pem) : span_of(NULL, 0),
		.alpn = "ftp"};
	int r;

	if (tls_client_new(&config, &p->tls) < 0)
		return client_fail(ERR_EXIT_CONFIG, "the profile's certificates cannot be used: %s",
			tls_error_text());
	r = link_resolve(p->profile->host, door->port, &p->addresses);
	return r < 0 ? client_fail(client_exit_of(r), "cannot reach %s: %s", p->profile->host,
			       client_why(r))
		     : CLIENT_OK;
}

int ftp_pool_open(struct client *c, const struct profile *p, const struct ftp_options *options,
	struct ftp_pool **ret)
{
	const struct directory_door *door = directory_door(&p->doors, "ftps");
	_cleanup_(ftp_pool_closep) struct ftp_pool *pool = NULL;
	int r;

	if (door == NULL)
		return client_fail(CLIENT_NO, "%s does not offer files (\"ftps\")", p->host);
	pool = calloc(1, sizeof *pool);
	if (pool == NULL)
		return client_fail(ERR_EXIT_TEMP, "%s", err_text(-ENOMEM));
	pool->c = c;
	pool->profile = p;
	pool->options = *options;
	if (options->sessions == 0 || options->sessions > FTP_SESSIONS_MAX)
		pool->options.sessions = options->sessions == 0 ? 1 : FTP_SESSIONS_MAX;
	pool->limit = pool->options.sessions;
	snprintf(pool->user, sizeof pool->user, "%s",
		options->user != NULL ? options->user : p->user);
	r = contexts_new(pool, door);
	if (r == CLIENT_OK)
		r = first_session(pool, door->port);
	if (r == CLIENT_OK)
		*ret = take_ptr(&pool);
	return r;
}

/* -- the end ----------------------------------------------------------------------------------- */

static int told_goodbye(struct session *s, const struct reply *r)
{
	(void)s;
	(void)r;
	return 0;
}

static bool is_leaving(const struct ftp_pool *p)
{
	for (size_t i = 0; i < FTP_SESSIONS_MAX; i++)
		if (p->sessions[i] != NULL && p->sessions[i]->state != SESSION_ENDED)
			return true;
	return false;
}

static void pool_goodbye(struct ftp_pool *p)
{
	int64_t end_ms = time_monotonic_ms() + GOODBYE_MS;

	for (size_t i = 0; i < FTP_SESSIONS_MAX; i++) {
		struct session *s = p->sessions[i];

		if (s == NULL)
			continue;
		if (session_is_idle(s) && session_ask(s, told_goodbye, "QUIT") == 0)
			session_step(s);
		else
			session_lose(s, -ECANCELED);
	}
	while (is_leaving(p) && time_monotonic_ms() < end_ms)
		if (loop_round(p, -1, end_ms) < 0)
			break;
}

static void queue_free(struct ftp_queue *q)
{
	struct ftp_task *t;

	while ((t = q->first) != NULL) {
		(void)pool_remove(q, t);
		ftp_task_free(t);
	}
}

void ftp_pool_close(struct ftp_pool *p)
{
	if (p == NULL)
		return;
	pool_goodbye(p);
	pool_cancel(p);
	queue_free(&p->finished);
	if (p->addresses != NULL)
		freeaddrinfo(p->addresses);
	tls_client_freep(&p->tls);
	free(p);
}

void ftp_pool_closep(struct ftp_pool **p)
{
	ftp_pool_close(*p);
	*p = NULL;
}
