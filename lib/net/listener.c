/*
 * The accept loop. One poll() watches the listening sockets and a signalfd, so nothing happens
 * behind the back of the loop.
 */
#include "net/listener.h"

#include "base/cleanup.h"
#include "base/timefmt.h"
#include "net/listener_internal.h"
#include "net/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum {
	ACCEPT_BATCH = 32, /* per socket, then signals and the other sockets have their turn */
	WINDOW_MS = 1000,
	FLOOD_REFUSED = 256, /* refusals in a window that are a flood */
	FLOOD_PAUSE_MS = 50, /* doubled with every further window */
	FLOOD_LEVELS = 4,
	SHORTAGE_PAUSE_MS = 100, /* after accept() or fork() lacked resources */
	TELL_MS = 1000,
};

/* What accept_one() found. */
enum outcome { AGAIN, NONE_LEFT, IN_CHILD };

static void tell(
	struct listener *l, enum net_listener_event what, const struct net_peer *peer, int value)
{
	l->config->event(l->config->arg, what, peer, value);
}

static void pause_accepting(struct listener *l, int64_t now_ms, int pause_ms)
{
	l->paused_until_ms = now_ms + pause_ms;
	tell(l, NET_LISTENER_FLOOD, NULL, pause_ms);
}

/* -- sessions ---------------------------------------------------------------------------------- */

static bool is_crash(int signal)
{
	return signal == SIGSEGV || signal == SIGABRT || signal == SIGBUS || signal == SIGILL ||
		signal == SIGSYS;
}

static void reap(struct listener *l)
{
	int status = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (!listener_table_remove(&l->table, pid))
			continue;
		if (l->table.count == 0)
			l->idle_since_ms = time_monotonic_ms();
		if (!WIFSIGNALED(status) || !is_crash(WTERMSIG(status)))
			continue;
		l->crash_seen = true;
		tell(l, NET_LISTENER_CHILD_CRASHED, NULL, WTERMSIG(status));
	}
}

static bool too_many(
	struct listener *l, const struct net_peer *peer, enum net_listener_event *ret_why)
{
	if (l->table.count >= l->config->max_total) {
		*ret_why = NET_LISTENER_REFUSED_TOTAL;
		return true;
	}
	*ret_why = NET_LISTENER_REFUSED_SOURCE;
	return l->config->max_per_source > 0 &&
		listener_table_of(&l->table, net_peer_bucket(peer)) >= l->config->max_per_source;
}

/* A session that has ended but was not reaped yet must not take anybody's place. */
static bool has_room(
	struct listener *l, const struct net_peer *peer, enum net_listener_event *ret_why)
{
	if (!too_many(l, peer, ret_why))
		return true;
	reap(l);
	return !too_many(l, peer, ret_why);
}

/* Tells the first refusal of a kind at once, and then at most one a second with their number. */
static void refused(struct listener *l, const struct net_peer *peer, enum net_listener_event why)
{
	size_t kind = why == NET_LISTENER_REFUSED_TOTAL ? 0 : 1;
	int64_t now_ms = time_monotonic_ms();

	l->untold[kind]++;
	if (now_ms - l->told_ms[kind] >= TELL_MS) {
		tell(l, why, peer, l->untold[kind]);
		l->told_ms[kind] = now_ms;
		l->untold[kind] = 0;
	}
	if (now_ms - l->window_ms >= WINDOW_MS) {
		if (l->window_refused < FLOOD_REFUSED)
			l->flood_level = 0;
		l->window_ms = now_ms;
		l->window_refused = 0;
	}
	if (++l->window_refused != FLOOD_REFUSED)
		return;
	pause_accepting(l, now_ms, FLOOD_PAUSE_MS << l->flood_level);
	if (l->flood_level + 1 < FLOOD_LEVELS)
		l->flood_level++;
}

/* -- accepting --------------------------------------------------------------------------------- */

/* The child's side of the fork: nothing of the listener is left. */
static void become_session(struct listener *l)
{
	for (size_t i = 0; i < l->sockets->count; i++)
		(void)close(l->sockets->fds[i]);
	cleanup_close(&l->signal_fd);
	(void)sigaction(SIGCHLD, &l->old_chld, NULL);
	(void)sigprocmask(SIG_SETMASK, &l->old_mask, NULL);
	listener_table_done(&l->table);
}

static enum outcome serve(struct listener *l, int *fd, const struct net_peer *peer, int *ret_fd)
{
	pid_t pid = fork();

	if (pid < 0) {
		tell(l, NET_LISTENER_ERROR, peer, -errno);
		pause_accepting(l, time_monotonic_ms(), SHORTAGE_PAUSE_MS);
		return NONE_LEFT;
	}
	if (pid == 0) {
		become_session(l);
		*ret_fd = take_fd(fd);
		return IN_CHILD;
	}
	listener_table_add(&l->table, pid, net_peer_bucket(peer));
	return AGAIN;
}

static enum outcome accept_failed(struct listener *l, int error)
{
	switch (error) {
	case EAGAIN:
		return NONE_LEFT;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		tell(l, NET_LISTENER_ERROR, NULL, -error);
		pause_accepting(l, time_monotonic_ms(), SHORTAGE_PAUSE_MS);
		return NONE_LEFT;
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
	case EOPNOTSUPP:
	case EFAULT:
		/* The socket itself is broken: trying again at once would be a busy loop. */
		tell(l, NET_LISTENER_ERROR, NULL, -error);
		pause_accepting(l, time_monotonic_ms(), WINDOW_MS);
		return NONE_LEFT;
	default:
		/* accept(2): errors of the network that came with this connection. */
		return AGAIN;
	}
}

static enum outcome accept_one(struct listener *l, int listen_fd, int *ret_fd)
{
	_cleanup_(cleanup_close) int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	enum net_listener_event why;
	struct net_peer peer;

	if (fd < 0)
		return accept_failed(l, errno);
	if (net_peer_of(fd, &peer) < 0)
		return AGAIN; /* gone already */
	if (has_room(l, &peer, &why))
		return serve(l, &fd, &peer, ret_fd);
	refused(l, &peer, why);
	return AGAIN;
}

static bool paused(const struct listener *l)
{
	return l->paused_until_ms > time_monotonic_ms();
}

static enum outcome accept_batch(struct listener *l, int listen_fd, int *ret_fd)
{
	enum outcome o = AGAIN;

	for (int i = 0; i < ACCEPT_BATCH && o == AGAIN && !paused(l); i++)
		o = accept_one(l, listen_fd, ret_fd);
	return o;
}

/* -- the loop ---------------------------------------------------------------------------------- */

static void read_signals(struct listener *l)
{
	struct signalfd_siginfo info;

	while (read(l->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			l->stopping = true;
	reap(l);
}

static bool idle_over(const struct listener *l, int64_t now_ms)
{
	return l->config->idle_exit_s > 0 && l->table.count == 0 &&
		now_ms - l->idle_since_ms >= (int64_t)l->config->idle_exit_s * 1000;
}

static void sooner(int64_t *at_ms, int64_t other_ms)
{
	if (other_ms < *at_ms)
		*at_ms = other_ms;
}

/* For poll(): until the next thing that has to happen by itself. */
static int next_ms(const struct listener *l, int64_t now_ms)
{
	int64_t at_ms = INT64_MAX;

	if (l->config->idle_exit_s > 0 && l->table.count == 0)
		sooner(&at_ms, l->idle_since_ms + (int64_t)l->config->idle_exit_s * 1000);
	if (l->watchdog_ms > 0)
		sooner(&at_ms, l->watchdog_due_ms);
	if (l->crash_seen)
		sooner(&at_ms, l->executed_ms + LISTENER_EXEC_MS);
	if (l->paused_until_ms > now_ms)
		sooner(&at_ms, l->paused_until_ms);
	if (at_ms == INT64_MAX)
		return -1;
	at_ms -= now_ms;
	if (at_ms < 0)
		return 0;
	return at_ms > INT_MAX ? INT_MAX : (int)at_ms;
}

static void upkeep(struct listener *l, int64_t now_ms)
{
	if (l->watchdog_ms > 0 && now_ms >= l->watchdog_due_ms) {
		(void)notify_send("WATCHDOG=1");
		l->watchdog_due_ms = now_ms + l->watchdog_ms;
	}
	if (l->crash_seen && now_ms - l->executed_ms >= LISTENER_EXEC_MS)
		listener_reexec(l);
}

static void watch(const struct listener *l, struct pollfd *fds)
{
	bool pause = paused(l);

	for (size_t i = 0; i < l->sockets->count; i++)
		fds[i] = (struct pollfd){.fd = pause ? -1 : l->sockets->fds[i], .events = POLLIN};
	fds[l->sockets->count] = (struct pollfd){.fd = l->signal_fd, .events = POLLIN};
}

/* 1 in a child, 0 when it is over. */
static int loop(struct listener *l, int *ret_fd)
{
	struct pollfd fds[NET_ACTIVATE_MAX + 1];
	size_t count = l->sockets->count;

	for (;;) {
		int64_t now_ms = time_monotonic_ms();

		upkeep(l, now_ms);
		if (l->stopping || idle_over(l, now_ms))
			return 0;
		watch(l, fds);
		if (poll(fds, count + 1, next_ms(l, now_ms)) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		if (fds[count].revents != 0)
			read_signals(l);
		for (size_t i = 0; i < count && !l->stopping; i++)
			if (fds[i].revents != 0 &&
				accept_batch(l, l->sockets->fds[i], ret_fd) == IN_CHILD)
				return 1;
	}
}

/* -- beginning and end ------------------------------------------------------------------------- */

static int watch_signals(struct listener *l)
{
	struct sigaction by_default = {.sa_handler = SIG_DFL};
	sigset_t wanted;

	(void)sigemptyset(&wanted);
	(void)sigaddset(&wanted, SIGCHLD);
	(void)sigaddset(&wanted, SIGTERM);
	(void)sigaddset(&wanted, SIGINT);
	/* Were it ignored, the kernel would keep no status of our children. */
	if (sigaction(SIGCHLD, &by_default, &l->old_chld) < 0 ||
		sigprocmask(SIG_BLOCK, &wanted, &l->old_mask) < 0)
		return -errno;
	l->signal_fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	return l->signal_fd < 0 ? -errno : 0;
}

/* accept() must not wait for a connection that went away between poll() and it. */
static int make_nonblocking(const struct net_activation *sockets)
{
	for (size_t i = 0; i < sockets->count; i++) {
		int flags = fcntl(sockets->fds[i], F_GETFL);

		if (flags < 0 || fcntl(sockets->fds[i], F_SETFL, flags | O_NONBLOCK) < 0)
			return -errno;
	}
	return 0;
}

static int begin(struct listener *l)
{
	int64_t now_ms = time_monotonic_ms();
	int r;

	l->idle_since_ms = now_ms;
	l->executed_ms = now_ms - LISTENER_EXEC_MS;
	l->window_ms = l->told_ms[0] = l->told_ms[1] = now_ms - WINDOW_MS;
	l->watchdog_ms = notify_watchdog_ms();
	l->watchdog_due_ms = now_ms;
	listener_restore(l);
	r = make_nonblocking(l->sockets);
	if (r == 0)
		r = watch_signals(l);
	if (r == 0)
		reap(l);
	return r;
}

int net_listener_run(
	const struct net_activation *sockets, const struct net_listener_config *config, int *ret_fd)
{
	struct listener l = {.sockets = sockets, .config = config, .signal_fd = -1};
	int r;

	if (!sockets->listening || sockets->count == 0 || config->max_total == 0 ||
		config->max_total > NET_LISTENER_MAX)
		return -EINVAL;
	r = listener_table_init(&l.table, config->max_total);
	if (r < 0)
		return r;
	r = begin(&l);
	if (r == 0) {
		(void)notify_send("READY=1");
		r = loop(&l, ret_fd);
	}
	if (r == 1)
		return r;
	(void)notify_send("STOPPING=1");
	if (l.signal_fd >= 0) {
		cleanup_close(&l.signal_fd);
		(void)sigaction(SIGCHLD, &l.old_chld, NULL);
		(void)sigprocmask(SIG_SETMASK, &l.old_mask, NULL);
	}
	listener_table_done(&l.table);
	return r;
}
