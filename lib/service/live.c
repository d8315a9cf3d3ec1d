/*
 * Visible and mortal (DESIGN section 8). A session that lasts has a row in the store, listens to
 * the bell of its account, and watches the next session of its service by pidfd, whose row it
 * removes when that dies. Each wake looks whether the identity still holds. A slow poll backs it
 * all up.
 */
#include "base/cleanup.h"
#include "base/timefmt.h"
#include "service/internal.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

enum {
	REGISTER_AFTER_MS = 1000,
	SLOW_POLL_MS = 15000,
	LOOK_EVERY_MS = 500, /* at neighbour and account, while the bell rings on and on */
	UPDATE_EVERY_MS = 60000, /* a commit: rarely */
	REAPS_MAX = 64, /* dead neighbours buried in one go */
};

static int wake(void *arg);

static void copy_text(char *ret, size_t size, const char *text)
{
	(void)snprintf(ret, size, "%s", text);
}

static const char *account_name(const struct service *s)
{
	return s->who.proof != AUTH_NONE ? s->who.account.name : "";
}

static uint64_t bytes_moved(const struct service *s)
{
	return conn_bytes_in(s->conn) + conn_bytes_out(s->conn) + s->data_in + s->data_out;
}

static int describe(const struct service *s, struct session_row *ret)
{
	struct session_row row = {.id = s->session_id, .pid = getpid()};
	int r = session_start_ticks(row.pid, &row.start_ticks);

	if (r < 0)
		return r;
	copy_text(row.service, sizeof(row.service), s->def->name);
	copy_text(row.peer, sizeof(row.peer), s->peer.text);
	copy_text(row.account, sizeof(row.account), account_name(s));
	if (s->bell != NULL)
		copy_text(row.bell, sizeof(row.bell), bell_name(s->bell));
	row.since_us = time_now_us() - (time_monotonic_ms() - s->started_ms) * 1000;
	row.bytes_in = conn_bytes_in(s->conn) + s->data_in;
	row.bytes_out = conn_bytes_out(s->conn) + s->data_out;
	*ret = row;
	return 0;
}

static struct bell_args bell_args_of(const struct service *s, const char *account)
{
	struct bell_args args = {.session_id = s->session_id};

	(void)snprintf(args.topic, sizeof(args.topic), "account/%s", account);
	copy_text(args.bell, sizeof(args.bell), bell_name(s->bell));
	copy_text(args.service, sizeof(args.service), s->def->name);
	return args;
}

static int watch_fd(struct service *s, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* A session without an account has no bell to listen to, unless its service has its own use for it.
 */
static int open_bell(struct service *s)
{
	int r;

	if (s->bell != NULL || (*account_name(s) == '\0' && !s->def->bell))
		return 0;
	r = bell_open(s->settings.runtime, &s->bell);
	if (r == 0)
		r = watch_fd(s, bell_fd(s->bell));
	return r;
}

/* The row of a session whose process is gone; its bell's socket has no owner any more. */
static void reap(struct service *s, const struct session_row *dead)
{
	struct session_remove_args args = {.id = dead->id};
	char path[sizeof(s->settings.runtime) + sizeof(dead->bell) + 16];

	copy_text(args.service, sizeof(args.service), s->def->name);
	(void)store_call(s->store, STORE_OP_SESSION_REMOVE, &args, NULL);
	if (dead->bell[0] == '\0' || strchr(dead->bell, '/') != NULL)
		return;
	(void)snprintf(path, sizeof(path), "%s/bells/%s", s->settings.runtime, dead->bell);
	(void)unlink(path);
}

static void unwatch(struct service *s)
{
	cleanup_close(&s->watch_fd);
	s->watch_fd = -1;
	s->live.watched = 0;
	s->live.died = false;
}

/* From its pidfd's opening on, a process that is alive can be told from its successor in the pid.
 */
static bool watch_row(struct service *s, const struct session_row *row)
{
	s->watch_fd = (int)syscall(SYS_pidfd_open, row->pid, 0);
	if (!session_alive(row))
		return false;
	/* Where pidfds are not to be had, the slow poll does it alone. */
	if (s->watch_fd >= 0 && watch_fd(s, s->watch_fd) == 0)
		s->live.watched = row->id;
	return true;
}

/* The count reaped. */
static int watch_successor(struct service *s)
{
	struct session_row row;
	int reaped = 0;

	for (; reaped < REAPS_MAX; reaped++) {
		if (session_successor(s->store, s->def->name, s->session_id, &row) < 0) {
			unwatch(s);
			return reaped;
		}
		if (s->live.watched == row.id && !s->live.died)
			return reaped;
		unwatch(s);
		if (watch_row(s, &row))
			return reaped;
		unwatch(s);
		reap(s, &row);
	}
	return reaped;
}

/* Who is gone is news to the others of such a service. */
static void look_around(struct service *s)
{
	if (watch_successor(s) > 0 && s->def->bell)
		(void)bell_ring(s->store, s->settings.runtime, s->def->name, NULL, NULL);
}

static int still_valid(struct service *s)
{
	int r;

	if (s->who.proof == AUTH_NONE || s->store == NULL)
		return 0;
	r = auth_still_valid(s->store, &s->who);
	if (r == -EACCES) {
		s->live.revoked = true;
		s->end_reason = "revoked";
	}
	/* Busy for a moment is no reason to end a session: the next wake asks again. */
	return err_is_temporary(r) && r != -ESTALE ? 0 : r;
}

/* Takes back what was done of a registration. */
static void forget(struct service *s)
{
	struct session_remove_args args = {.id = s->session_id};

	unwatch(s);
	if (s->session_id != 0) {
		copy_text(args.service, sizeof(args.service), s->def->name);
		(void)store_call(s->store, STORE_OP_SESSION_REMOVE, &args, NULL);
	}
	s->session_id = 0;
	s->live.account[0] = '\0';
	bell_closep(&s->bell);
	s->bell = NULL;
	cleanup_close(&s->epoll_fd);
	s->epoll_fd = -1;
}

/* Bell and registration first, then the look at the account: no ring can fall in between. */
static int register_bell(struct service *s)
{
	struct bell_args args;
	int r = open_bell(s);

	/* Whoever logged out keeps the bell for the next log-in. */
	if (r < 0 || s->bell == NULL || *account_name(s) == '\0')
		return r;
	args = bell_args_of(s, account_name(s));
	r = store_call(s->store, STORE_OP_BELL_ADD, &args, NULL);
	if (r == 0)
		copy_text(s->live.account, sizeof(s->live.account), account_name(s));
	return r;
}

static int register_row(struct service *s)
{
	struct session_row row;
	int r;

	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll_fd < 0)
		return -errno;
	r = open_bell(s);
	if (r == 0)
		r = describe(s, &row);
	if (r == 0)
		r = store_call(s->store, STORE_OP_SESSION_ADD, &row, &s->session_id);
	if (r == 0)
		r = register_bell(s);
	return r;
}

int service_register(struct service *s)
{
	int r;

	if (s->session_id != 0)
		return 0;
	r = service_need_store(s);
	if (r == 0)
		r = register_row(s);
	if (r < 0) {
		forget(s);
		return r;
	}
	s->live.updated_ms = time_monotonic_ms();
	s->live.updated_bytes = bytes_moved(s);
	look_around(s);
	conn_set_wake(s->conn, s->epoll_fd, SLOW_POLL_MS, wake, s);
	return still_valid(s);
}

/* What cannot be registered goes on. With an identity it asks the store itself every second. */
static int register_late(struct service *s)
{
	int r = service_register(s);

	if (r == 0 || s->live.revoked)
		return r;
	if (!s->live.warned)
		log_event(LOG_LEVEL_WARNING, "the session is not registered",
			log_fields({"ERROR", span_str(err_text(r))}));
	s->live.warned = true;
	if (s->who.proof == AUTH_NONE)
		conn_set_wake(s->conn, -1, SLOW_POLL_MS, wake, s);
	return still_valid(s);
}

static void update_row(struct service *s, int64_t now_ms)
{
	struct session_row row;

	if (now_ms - s->live.updated_ms < UPDATE_EVERY_MS ||
		bytes_moved(s) == s->live.updated_bytes)
		return;
	s->live.updated_ms = now_ms;
	s->live.updated_bytes = bytes_moved(s);
	if (describe(s, &row) == 0)
		(void)store_call(s->store, STORE_OP_SESSION_UPDATE, &row, NULL);
}

/* Who died, if anybody did. The count of what happened. */
static int take_events(struct service *s)
{
	struct epoll_event events[2];
	int n = epoll_wait(s->epoll_fd, events, 2, 0);

	for (int i = 0; i < n; i++)
		if (s->bell == NULL || events[i].data.fd != bell_fd(s->bell))
			s->live.died = true;
	return n;
}

/* A busy bell means new events and hardly ever anything else: the look waits for its turn. */
static bool looks_later(struct service *s, int64_t now_ms)
{
	if (!s->def->bell || now_ms - s->live.looked_ms >= LOOK_EVERY_MS)
		return false;
	if (!s->live.look_due)
		conn_set_wake(s->conn, s->epoll_fd, LOOK_EVERY_MS, wake, s);
	s->live.look_due = true;
	return true;
}

static int look(struct service *s, bool rung, int64_t now_ms)
{
	/* Nothing rang: this is the slow poll. A death and the poll both mean a new look. */
	if (take_events(s) <= 0 && !rung)
		update_row(s, now_ms);
	s->live.looked_ms = now_ms;
	if (s->live.look_due)
		conn_set_wake(s->conn, s->epoll_fd, SLOW_POLL_MS, wake, s);
	s->live.look_due = false;
	look_around(s);
	return still_valid(s);
}

/* Runs while the connection waits: a bell rang, the watched process died, or time has passed. */
static int wake(void *arg)
{
	struct service *s = arg;
	int64_t now_ms;
	bool rung;
	int r;

	if (s->session_id == 0)
		return register_late(s);
	now_ms = time_monotonic_ms();
	rung = s->bell != NULL && bell_drain(s->bell) > 0;
	r = rung && looks_later(s, now_ms) ? 0 : look(s, rung, now_ms);
	if (r < 0 || !s->def->bell)
		return r;
	s->live.rung = true;
	return 1;
}

bool service_rung(struct service *s)
{
	bool rung = s->live.rung;

	s->live.rung = false;
	return rung;
}

void service_live_begin(struct service *s)
{
	if (s->session_id == 0)
		conn_set_wake(s->conn, -1, REGISTER_AFTER_MS, wake, s);
}

void service_live_end(struct service *s)
{
	if (s->store != NULL)
		forget(s);
}

int service_logged_in(struct service *s, const struct auth_identity *who)
{
	struct session_row row;
	struct bell_args old;
	int r;

	s->who = *who;
	log_context("ACCOUNT", span_str(account_name(s)));
	if (s->session_id == 0 || strcmp(s->live.account, account_name(s)) == 0)
		return 0;
	if (s->live.account[0] != '\0') {
		old = bell_args_of(s, s->live.account);
		(void)store_call(s->store, STORE_OP_BELL_REMOVE, &old, NULL);
		s->live.account[0] = '\0';
	}
	r = register_bell(s);
	if (r == 0)
		r = describe(s, &row);
	if (r == 0)
		r = store_call(s->store, STORE_OP_SESSION_UPDATE, &row, NULL);
	return r;
}
