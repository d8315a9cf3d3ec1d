/*
 * The wait-mode listener as a program of its own: this test executes itself with --listener, as a
 * super-server would, and talks to it over loopback. A session greets, then echoes bytes; 'q' ends
 * it, 'c' crashes it.
 */
#include "net/listener.h"

#include "base/num.h"
#include "base/timefmt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 20000 };

/* -- the program: --listener MAX PER_SOURCE IDLE ----------------------------------------------- */

static void print_event(
	void *arg, enum net_listener_event what, const struct net_peer *peer, int value)
{
	static const char *const names[] = {"total", "source", "flood", "crash", "error"};

	(void)arg;
	(void)fprintf(stderr, "%s %s %d\n", names[what], peer != NULL ? peer->text : "-", value);
}

static void session(int fd)
{
	char byte = '+';

	do {
		if (byte == 'c')
			abort();
		if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
			break;
	} while (byte != 'q' && read(fd, &byte, 1) == 1);
	_exit(0);
}

static unsigned number(const char *text)
{
	uint64_t value = 0;

	if (num_parse_u64(span_str(text), 0, 1000000, &value) < 0)
		_exit(100);
	return (unsigned)value;
}

static int listener_main(char **argv)
{
	const struct rlimit none = {0, 0};
	struct net_listener_config config = {.max_total = number(argv[2]),
		.max_per_source = number(argv[3]),
		.idle_exit_s = number(argv[4]),
		.argv = argv,
		.event = print_event};
	struct net_activation sockets;
	int fd = -1, r;

	(void)setrlimit(RLIMIT_CORE, &none);
	r = net_activate(&sockets);
	if (r == 0) {
		(void)fprintf(stderr, "start\n");
		r = net_listener_run(&sockets, &config, &fd);
	}
	if (r == 1)
		session(fd);
	(void)fprintf(stderr, "end %d\n", r);
	return r == 0 ? 0 : 1;
}

/* -- running it -------------------------------------------------------------------------------- */

struct server {
	pid_t pid;
	int log_fd;
	uint16_t port;
	char log[16384]; /* everything it printed so far */
	size_t log_len;
};

struct options {
	const char *max, *per_source, *idle_s;
	bool by_listen_fds;
	const char *notify; /* path of the notify socket */
};

static int listen_on_loopback(uint16_t *ret_port)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* All of 127/8, so that clients can come from several addresses; the test's own port. */
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1000), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

static void exec_listener(const struct options *o, int listen_fd, int log_fd)
{
	char pid[24];

	if (dup2(log_fd, 2) < 0 || dup2(listen_fd, o->by_listen_fds ? 3 : 0) < 0)
		_exit(99);
	if (o->by_listen_fds) {
		/* dup2() onto itself would leave the flag. */
		(void)fcntl(3, F_SETFD, 0);
		(void)snprintf(pid, sizeof(pid), "%d", getpid());
		(void)setenv("LISTEN_PID", pid, 1);
		(void)setenv("LISTEN_FDS", "1", 1);
	}
	if (o->notify != NULL) {
		(void)setenv("NOTIFY_SOCKET", o->notify, 1);
		(void)setenv("WATCHDOG_USEC", "200000", 1);
	}
	(void)execl("/proc/self/exe", "net_listener", "--listener", o->max, o->per_source,
		o->idle_s, (char *)NULL);
	_exit(98);
}

static void start(struct server *s, const struct options *o)
{
	int fds[2];
	int listen_fd = listen_on_loopback(&s->port);

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	s->log_len = 0;
	s->log[0] = '\0';
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0)
		exec_listener(o, listen_fd, fds[1]);
	(void)close(fds[1]);
	(void)close(listen_fd);
	s->log_fd = fds[0];
}

/* Reads what the listener prints until it says what, in whole. */
static void wait_log(struct server *s, const char *what)
{
	int64_t until_ms = time_monotonic_ms() + PATIENCE_MS;

	while (strstr(s->log, what) == NULL) {
		struct pollfd p = {.fd = s->log_fd, .events = POLLIN};
		ssize_t n;

		assert_true(time_monotonic_ms() < until_ms);
		if (poll(&p, 1, 1000) <= 0)
			continue;
		n = read(s->log_fd, s->log + s->log_len, sizeof(s->log) - 1 - s->log_len);
		if (n <= 0)
			fail_msg("no \"%s\" in: %s", what, s->log);
		s->log_len += (size_t)n;
		s->log[s->log_len] = '\0';
	}
}

static int status_of(struct server *s)
{
	int status = 0;

	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	(void)close(s->log_fd);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void stop(struct server *s)
{
	assert_int_equal(kill(s->pid, SIGTERM), 0);
	assert_int_equal(status_of(s), 0);
}

/* A client from 127.0.0.LAST. */
static int call_from(const struct server *s, unsigned last)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(s->port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	from.sin_addr.s_addr = htonl(0x7f000000U + last);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* The next byte; 0 when the connection was closed. */
static char get(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char byte = 0;

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	return read(fd, &byte, 1) == 1 ? byte : 0;
}

static int call(const struct server *s)
{
	int fd = call_from(s, 1);

	assert_int_equal(get(fd), '+');
	return fd;
}

static void call_refused(const struct server *s, unsigned last)
{
	int fd = call_from(s, last);

	assert_int_equal(get(fd), 0);
	(void)close(fd);
}

static void put(int fd, char byte)
{
	assert_int_equal(send(fd, &byte, 1, MSG_NOSIGNAL), 1);
}

/* Ends a session from its side, so that it is over when this returns. */
static void quit(int fd)
{
	put(fd, 'q');
	assert_int_equal(get(fd), 'q');
	assert_int_equal(get(fd), 0);
	(void)close(fd);
}

/* A call that may have to wait until the ended session's process is really gone. */
static int call_when_room(const struct server *s)
{
	int64_t until_ms = time_monotonic_ms() + PATIENCE_MS;

	for (;;) {
		int fd = call_from(s, 1);

		if (get(fd) == '+')
			return fd;
		(void)close(fd);
		assert_true(time_monotonic_ms() < until_ms);
		(void)usleep(2000);
	}
}

/* -- the tests --------------------------------------------------------------------------------- */

static void total_limit(void **state)
{
	struct server s;
	int fds[3];

	(void)state;
	for (int by_fds = 0; by_fds < 2; by_fds++) {
		start(&s,
			&(struct options){.max = "3",
				.per_source = "0",
				.idle_s = "0",
				.by_listen_fds = by_fds != 0});
		for (int i = 0; i < 3; i++)
			fds[i] = call(&s);
		call_refused(&s, 1);
		wait_log(&s, "total 127.0.0.1 1\n");
		/* The others are not affected, and room returns. */
		put(fds[0], 'x');
		assert_int_equal(get(fds[0]), 'x');
		quit(fds[1]);
		fds[1] = call_when_room(&s);
		call_refused(&s, 1);
		for (int i = 0; i < 3; i++)
			quit(fds[i]);
		stop(&s);
	}
}

static void source_limit(void **state)
{
	struct server s;
	int a, b;

	(void)state;
	start(&s, &(struct options){.max = "10", .per_source = "1", .idle_s = "0"});
	a = call_from(&s, 2);
	assert_int_equal(get(a), '+');
	call_refused(&s, 2);
	wait_log(&s, "source 127.0.0.2 1\n");
	b = call_from(&s, 3);
	assert_int_equal(get(b), '+');
	quit(a);
	quit(b);
	stop(&s);
}

static void idle_exit(void **state)
{
	struct server s;
	int64_t began_ms;
	int fd;

	(void)state;
	start(&s, &(struct options){.max = "3", .per_source = "0", .idle_s = "1"});
	fd = call(&s);
	/* A session keeps it, however long. */
	(void)usleep(1300000);
	put(fd, 'x');
	assert_int_equal(get(fd), 'x');
	began_ms = time_monotonic_ms();
	quit(fd);
	assert_int_equal(status_of(&s), 0);
	assert_true(time_monotonic_ms() - began_ms >= 900);
}

static void term_leaves_sessions(void **state)
{
	struct server s;
	int fd;

	(void)state;
	start(&s, &(struct options){.max = "3", .per_source = "0", .idle_s = "0"});
	fd = call(&s);
	stop(&s);
	put(fd, 'x');
	assert_int_equal(get(fd), 'x');
	quit(fd);
}

static size_t count_in(const char *text, const char *what)
{
	size_t count = 0;

	for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
		count++;
	return count;
}

static void crash_starts_over(void **state)
{
	struct server s;
	int kept, other;

	(void)state;
	start(&s, &(struct options){.max = "2", .per_source = "0", .idle_s = "0"});
	kept = call(&s);
	other = call(&s);
	put(other, 'c');
	assert_int_equal(get(other), 0);
	(void)close(other);
	wait_log(&s, "crash - 6\nstart\n");
	/* Same process, same socket; who is served is still counted. */
	other = call_when_room(&s);
	call_refused(&s, 1);
	put(kept, 'x');
	assert_int_equal(get(kept), 'x');
	/* A session from before leaves: its place is free. */
	quit(kept);
	kept = call_when_room(&s);
	call_refused(&s, 1);
	/* Not again within ten seconds, and served all the same. */
	put(other, 'c');
	assert_int_equal(get(other), 0);
	(void)close(other);
	other = call_when_room(&s);
	assert_int_equal(count_in(s.log, "start\n"), 2);
	quit(other);
	quit(kept);
	stop(&s);
}

static void flood_backs_off(void **state)
{
	struct server s;
	int fd;

	(void)state;
	start(&s, &(struct options){.max = "1", .per_source = "0", .idle_s = "0"});
	fd = call(&s);
	for (int i = 0; i < 300; i++)
		call_refused(&s, 1);
	wait_log(&s, "flood - 50\n");
	assert_true(count_in(s.log, "total ") < 100); /* told with numbers, not one by one */
	quit(fd);
	fd = call_when_room(&s);
	quit(fd);
	stop(&s);
}

static void expect_notify(int fd, const char *expected)
{
	int64_t until_ms = time_monotonic_ms() + PATIENCE_MS;
	char text[64] = "";

	do {
		ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

		assert_true(n > 0 && time_monotonic_ms() < until_ms);
		text[n] = '\0';
	} while (strcmp(text, expected) != 0);
}

static void notifies(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct server s;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	char folder[] = "/tmp/net-listener-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s/notify", folder);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	start(&s,
		&(struct options){
			.max = "2", .per_source = "0", .idle_s = "0", .notify = at.sun_path});
	expect_notify(fd, "READY=1");
	expect_notify(fd, "WATCHDOG=1");
	expect_notify(fd, "WATCHDOG=1");
	stop(&s);
	expect_notify(fd, "STOPPING=1");
	(void)close(fd);
	assert_int_equal(unlink(at.sun_path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void bad_limits(void **state)
{
	const struct net_activation none = {.listening = true, .count = 1, .fds = {-1}};
	struct net_listener_config config = {.max_total = 0, .event = print_event};
	int fd = -1;

	(void)state;
	assert_int_equal(net_listener_run(&none, &config, &fd), -EINVAL);
	config.max_total = NET_LISTENER_MAX + 1;
	assert_int_equal(net_listener_run(&none, &config, &fd), -EINVAL);
	config.max_total = 1;
	assert_int_equal(
		net_listener_run(&(struct net_activation){.count = 1}, &config, &fd), -EINVAL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(total_limit),
		cmocka_unit_test(source_limit),
		cmocka_unit_test(idle_exit),
		cmocka_unit_test(term_leaves_sessions),
		cmocka_unit_test(crash_starts_over),
		cmocka_unit_test(flood_backs_off),
		cmocka_unit_test(notifies),
		cmocka_unit_test(bad_limits),
	};

	if (argc == 5 && strcmp(argv[1], "--listener") == 0)
		return listener_main(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
