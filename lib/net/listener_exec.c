/*
 * Re-execution after a crash. Sessions are forks and share the listener's address layout; whoever
 * made one crash may have learnt something about it, so the listener starts over with a new one.
 * The sockets stay at their places; who is being served travels in the environment.
 */
#include "net/listener_internal.h"

#include "base/num.h"
#include "base/timefmt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define ENV_STATE "QUINTET_LISTENER_SESSIONS"
#define ENV_WHEN "QUINTET_LISTENER_EXECUTED_MS"

enum { STATE_MAX = 120000 }; /* the kernel takes 128 KiB per variable */

void listener_restore(struct listener *l)
{
	const char *state = getenv(ENV_STATE), *when = getenv(ENV_WHEN);
	uint64_t at_ms = 0;

	if (state != NULL)
		listener_table_load(&l->table, span_str(state));
	if (when != NULL && num_parse_u64(span_str(when), 0, INT64_MAX, &at_ms) == 0)
		l->executed_ms = (int64_t)at_ms;
	(void)unsetenv(ENV_STATE);
	(void)unsetenv(ENV_WHEN);
}

static int set_number(const char *name, int64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%jd", (intmax_t)value);
	return setenv(name, text, 1) < 0 ? -errno : 0;
}

static int set_environment(const struct listener *l)
{
	struct buf state = BUF_INIT(STATE_MAX);
	int r;

	listener_table_save(&l->table, &state);
	r = buf_error(&state);
	if (r == 0 && setenv(ENV_STATE, buf_str(&state), 1) < 0)
		r = -errno;
	buf_done(&state);
	if (r == 0)
		r = set_number(ENV_WHEN, l->executed_ms);
	if (r == 0)
		r = set_number("LISTEN_PID", getpid());
	if (r == 0)
		r = set_number("LISTEN_FDS", (int64_t)l->sockets->count);
	return r;
}

static void unset_environment(void)
{
	static const char *const names[] = {ENV_STATE, ENV_WHEN, "LISTEN_PID", "LISTEN_FDS"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unsetenv(names[i]);
}

static void keep_sockets(const struct listener *l, int flags)
{
	for (size_t i = 0; i < l->sockets->count; i++)
		(void)fcntl(l->sockets->fds[i], F_SETFD, flags);
}

void listener_reexec(struct listener *l)
{
	sigset_t blocked;
	int r;

	l->crash_seen = false;
	l->executed_ms = time_monotonic_ms();
	r = set_environment(l);
	if (r == 0) {
		keep_sockets(l, 0);
		(void)sigprocmask(SIG_SETMASK, &l->old_mask, &blocked);
		(void)execv("/proc/self/exe", l->config->argv);
		r = -errno;
		(void)sigprocmask(SIG_SETMASK, &blocked, NULL);
		keep_sockets(l, FD_CLOEXEC);
	}
	unset_environment();
	l->config->event(l->config->arg, NET_LISTENER_ERROR, NULL, r);
}
