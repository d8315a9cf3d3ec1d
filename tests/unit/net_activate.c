/*
 * The four ways of getting a socket. Each case runs in a child of its own, which tells by its exit
 * status at which check it stopped.
 */
#include "net/activate.h"
#include "net/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* In a child: leaves with the line's number when the condition does not hold. */
#define CHECK(condition)                       \
	do {                                   \
		if (!(condition))              \
			_exit(__LINE__ & 127); \
	} while (0)

static int in_child(void (*run)(void))
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		run();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define IN_CHILD(run) assert_int_equal(in_child(run), 0)

/* A listening TCP socket on loopback. */
static int listening(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0);
	CHECK(listen(fd, 5) == 0);
	return fd;
}

/* Two ends; the peer's one is at 100 or above, out of the way. */
static int connected(int *ret_peer)
{
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	*ret_peer = fcntl(fds[1], F_DUPFD, 100);
	CHECK(*ret_peer >= 100);
	CHECK(close(fds[1]) == 0);
	return fds[0];
}

static void put(int fd, int at)
{
	CHECK(dup2(fd, at) == at);
	if (fd != at)
		CHECK(close(fd) == 0);
}

static void listen_env(int count, bool ours)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%d", count);
	CHECK(setenv("LISTEN_FDS", text, 1) == 0);
	(void)snprintf(text, sizeof(text), "%d", ours ? getpid() : getppid());
	CHECK(setenv("LISTEN_PID", text, 1) == 0);
}

static bool is_null(int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat("/dev/null", &b) == 0 && S_ISCHR(a.st_mode) &&
		a.st_rdev == b.st_rdev;
}

/* What holds after every success. */
static void check_settled(const struct net_activation *a, bool is_listening, size_t count)
{
	CHECK(a->listening == is_listening);
	CHECK(a->count == count);
	for (size_t i = 0; i < count; i++) {
		CHECK(a->fds[i] > 2);
		CHECK((fcntl(a->fds[i], F_GETFD) & FD_CLOEXEC) != 0);
	}
	CHECK(is_null(0) && is_null(1));
	CHECK(getenv("LISTEN_FDS") == NULL && getenv("LISTEN_PID") == NULL);
	for (int fd = a->fds[count - 1] + 1; fd < 200; fd++)
		CHECK(fcntl(fd, F_GETFD) < 0);
}

static void run_inetd(void)
{
	struct net_activation a;
	struct stat st;
	int peer, log[2];

	CHECK(pipe(log) == 0);
	put(log[1], 2);
	put(connected(&peer), 0);
	CHECK(net_activate(&a) == 0);
	check_settled(&a, false, 1);
	CHECK(fstat(2, &st) == 0 && S_ISFIFO(st.st_mode)); /* ours, not the peer's: it stays */
}

static void run_inetd_wait(void)
{
	struct net_activation a;

	put(listening(), 0);
	CHECK(net_activate(&a) == 0);
	check_settled(&a, true, 1);
}

/* xinetd: 0, 1 and 2 are all the connection. Nothing may reach the peer. */
static void run_xinetd(void)
{
	static const char leak[] = "leak";
	struct net_activation a;
	char byte;
	int peer;

	put(connected(&peer), 0);
	CHECK(dup2(0, 1) == 1 && dup2(0, 2) == 2);
	CHECK(dup2(peer, 3) == 3); /* survives only as what is closed: so look from a fork */
	if (fork() == 0) {
		CHECK(close(0) == 0 && close(1) == 0 && close(2) == 0);
		/* End of file without a byte: every copy of the other end was closed. */
		CHECK(read(3, &byte, 1) == 0);
		_exit(0);
	}
	CHECK(net_activate(&a) == 0);
	check_settled(&a, false, 1);
	CHECK(is_null(2));
	CHECK(write(1, leak, 4) == 4 && write(2, leak, 4) == 4);
	CHECK(close(a.fds[0]) == 0);
	{
		int status = 0;

		CHECK(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
}

static void run_stderr_closed(void)
{
	struct net_activation a;
	int peer;

	put(connected(&peer), 0);
	CHECK(close(2) == 0);
	CHECK(net_activate(&a) == 0);
	check_settled(&a, false, 1);
	CHECK(is_null(2));
}

static void run_stdout_closed(void)
{
	struct net_activation a;
	int peer;

	put(connected(&peer), 0);
	CHECK(close(1) == 0);
	CHECK(net_activate(&a) == 0);
	check_settled(&a, false, 1);
}

static void run_systemd(void)
{
	struct net_activation a;
	int two[2] = {listening(), listening()};

	put(fcntl(two[0], F_DUPFD, 50), 3);
	put(fcntl(two[1], F_DUPFD, 50), 4);
	CHECK(dup2(4, 9) == 9); /* something that was inherited by mistake */
	listen_env(2, true);
	CHECK(net_activate(&a) == 0);
	check_settled(&a, true, 2);
	CHECK(a.fds[0] == 3 && a.fds[1] == 4);
}

static void run_systemd_connected(void)
{
	struct net_activation a;
	int peer;

	put(connected(&peer), 3);
	listen_env(1, true);
	CHECK(net_activate(&a) == 0);
	check_settled(&a, false, 1);
}

/* LISTEN_FDS meant for somebody else: fd 0 counts. */
static void run_foreign_pid(void)
{
	struct net_activation a;
	int peer;

	put(connected(&peer), 0);
	listen_env(2, false);
	CHECK(net_activate(&a) == 0);
	check_settled(&a, false, 1);
}

static void expect_error(int error)
{
	struct net_activation a = {.count = 77};

	CHECK(net_activate(&a) == error);
	CHECK(a.count == 77);
}

static void run_nothing(void)
{
	CHECK(close(0) == 0);
	expect_error(-EINVAL);
}

static void run_no_socket(void)
{
	put(open("/dev/null", O_RDWR), 0);
	expect_error(-EINVAL);
}

static void run_datagram(void)
{
	put(socket(AF_INET, SOCK_DGRAM, 0), 0);
	expect_error(-EINVAL);
}

static void run_mixed(void)
{
	int peer, l = listening(), c = connected(&peer);

	put(fcntl(l, F_DUPFD, 50), 3);
	put(fcntl(c, F_DUPFD, 50), 4);
	listen_env(2, true);
	expect_error(-EINVAL);
}

static void run_two_connected(void)
{
	int peer, a = connected(&peer), b = connected(&peer);

	put(fcntl(a, F_DUPFD, 50), 3);
	put(fcntl(b, F_DUPFD, 50), 4);
	listen_env(2, true);
	expect_error(-EINVAL);
}

static void run_too_many(void)
{
	put(listening(), 3);
	for (int fd = 4; fd < 3 + NET_ACTIVATE_MAX + 1; fd++)
		CHECK(dup2(3, fd) == fd);
	listen_env(NET_ACTIVATE_MAX + 1, true);
	expect_error(-E2BIG);
}

static void run_most(void)
{
	struct net_activation a;

	put(listening(), 3);
	for (int fd = 4; fd < 3 + NET_ACTIVATE_MAX; fd++)
		CHECK(dup2(3, fd) == fd);
	listen_env(NET_ACTIVATE_MAX, true);
	CHECK(net_activate(&a) == 0);
	check_settled(&a, true, NET_ACTIVATE_MAX);
}

static void run_bad_number(void)
{
	put(listening(), 3);
	listen_env(1, true);
	CHECK(setenv("LISTEN_FDS", "1x", 1) == 0);
	expect_error(-EINVAL);
}

/* The error text of a failed start does not go to the peer either. */
static void run_guarded_on_error(void)
{
	int peer;

	put(connected(&peer), 2);
	put(open("/dev/null", O_RDWR), 0);
	CHECK(dup2(2, 3) == 3);
	listen_env(NET_ACTIVATE_MAX, true);
	expect_error(-EINVAL);
	CHECK(is_null(2));
}

static void ways_in(void **state)
{
	(void)state;
	IN_CHILD(run_inetd);
	IN_CHILD(run_inetd_wait);
	IN_CHILD(run_xinetd);
	IN_CHILD(run_stderr_closed);
	IN_CHILD(run_stdout_closed);
	IN_CHILD(run_systemd);
	IN_CHILD(run_systemd_connected);
	IN_CHILD(run_foreign_pid);
	IN_CHILD(run_most);
}

static void ways_not_in(void **state)
{
	(void)state;
	IN_CHILD(run_nothing);
	IN_CHILD(run_no_socket);
	IN_CHILD(run_datagram);
	IN_CHILD(run_mixed);
	IN_CHILD(run_two_connected);
	IN_CHILD(run_too_many);
	IN_CHILD(run_bad_number);
	IN_CHILD(run_guarded_on_error);
}

/* -- who is there ------------------------------------------------------------------------------ */

static void peer_on(int family, const struct sockaddr *at, socklen_t len, struct net_peer *ret)
{
	struct sockaddr_storage bound;
	socklen_t bound_len = sizeof(bound);
	int l = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int c = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int s;

	assert_true(l >= 0 && c >= 0);
	assert_int_equal(bind(l, at, len), 0);
	assert_int_equal(listen(l, 1), 0);
	assert_int_equal(getsockname(l, (struct sockaddr *)&bound, &bound_len), 0);
	assert_int_equal(connect(c, (const struct sockaddr *)&bound, bound_len), 0);
	s = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	assert_true(s >= 0);
	assert_int_equal(net_peer_of(s, ret), 0);
	(void)close(s);
	(void)close(c);
	(void)close(l);
}

static void peers(void **state)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in6 mapped = {.sin6_family = AF_INET6};
	struct net_peer p;
	int fds[2];

	(void)state;
	peer_on(AF_INET, (const struct sockaddr *)&v4, sizeof(v4), &p);
	assert_string_equal(p.text, "127.0.0.1");
	assert_int_equal(p.bucket_len, 4);
	assert_true(p.port != 0 && !p.is_unix);
	peer_on(AF_INET6, (const struct sockaddr *)&v6, sizeof(v6), &p);
	assert_string_equal(p.text, "::1");
	assert_int_equal(p.bucket_len, 8); /* the /64 */
	assert_int_equal(inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr), 1);
	peer_on(AF_INET6, (const struct sockaddr *)&mapped, sizeof(mapped), &p);
	assert_string_equal(p.text, "127.0.0.1");
	assert_true(span_eq(net_peer_bucket(&p), span_of("\x7f\0\0\x01", 4)));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(net_peer_of(fds[0], &p), 0);
	assert_true(p.is_unix && p.uid == getuid() && p.pid == getpid());
	assert_int_equal(p.bucket_len, sizeof(uid_t));
	(void)close(fds[0]);
	(void)close(fds[1]);
	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(net_peer_of(fds[0], &p), -ENOTCONN);
	(void)close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ways_in),
		cmocka_unit_test(ways_not_in),
		cmocka_unit_test(peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
