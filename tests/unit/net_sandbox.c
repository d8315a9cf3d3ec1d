/*
 * The walls of lib/net/sandbox.h, each tried from inside by a child of its own: what is forbidden
 * must fail in the way promised, and what the services need must work.
 */
#include "base/cleanup.h"
#include "net/sandbox.h"
#include "tests/unit/lib/walls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char room[] = "/tmp/quintet-sandbox-XXXXXX";

/* Runs stage, then attempt, in a child: 0, the attempt's errno, or 1000 + the signal. */
static int in_child(int (*stage)(const void *arg), const void *arg, int (*attempt)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int r = stage(arg);

		_exit(r < 0 ? 200 : attempt());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void expect_all(int (*stage)(const void *arg), const void *arg, const struct wall *walls)
{
	bool failed = false;

	for (const struct wall *w = walls; w->name != NULL; w++) {
		int got;

		if (w->min_abi > walls_landlock_abi()) {
			print_message("%s: not with this kernel\n", w->name);
			continue;
		}
		got = in_child(stage, arg, w->attempt);
		if (got == w->expected)
			continue;
		print_error("%s: got %d, expected %d\n", w->name, got, w->expected);
		failed = true;
	}
	assert_false(failed);
}

/* -- limits ----------------------------------------------------------------------------------- */

static int stage_limits(const void *session)
{
	if (setgid(65534) < 0 || setuid(65534) < 0)
		return errno == EPERM ? sandbox_limits(64, session != NULL) : -errno;
	return sandbox_limits(64, session != NULL);
}

static int limit_is(int what, rlim_t value)
{
	struct rlimit now;

	if (getrlimit((__rlimit_resource_t)what, &now) < 0)
		return errno;
	return now.rlim_cur == value && now.rlim_max == value ? 0 : 99;
}

static int attempt_core(void)
{
	return limit_is(RLIMIT_CORE, 0);
}

static int attempt_nofile(void)
{
	return limit_is(RLIMIT_NOFILE, 64);
}

static int attempt_privileges(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 99;
}

static const struct wall walls_session[] = {
	{"core", attempt_core, 0, 0},
	{"nofile", attempt_nofile, 0, 0},
	{"no_new_privs", attempt_privileges, 0, 0},
	{"fork", attempt_fork, EAGAIN, 0},
	{0},
};
static const struct wall walls_listener[] = {
	{"core", attempt_core, 0, 0},
	{"nofile", attempt_nofile, 0, 0},
	{"no_new_privs", attempt_privileges, 0, 0},
	{"fork", attempt_fork, 0, 0},
	{0},
};

static void test_limits(void **state)
{
	(void)state;
	expect_all(stage_limits, "session", walls_session);
	expect_all(stage_limits, NULL, walls_listener);
}

/* A limit that the activator set lower stays. */
static int stage_lower_limit(const void *arg)
{
	struct rlimit low = {64, 64};

	(void)arg;
	return setrlimit(RLIMIT_NOFILE, &low) < 0 ? -errno : sandbox_limits(4096, false);
}

static void test_limits_are_not_raised(void **state)
{
	(void)state;
	assert_int_equal(in_child(stage_lower_limit, NULL, attempt_nofile), 0);
}

/* -- paths ------------------------------------------------------------------------------------ */

static int stage_paths(const void *tcp)
{
	static const struct sandbox_path paths[] = {
		{"read", SANDBOX_READ},
		{"write", SANDBOX_READ | SANDBOX_WRITE},
		{"one-file", SANDBOX_READ | SANDBOX_WRITE},
		{"run", SANDBOX_READ | SANDBOX_EXECUTE},
		{"is-not-there", SANDBOX_READ},
	};
	int r;

	if (chdir(room) < 0)
		return -errno;
	r = sandbox_paths(paths, COUNT(paths), *(const unsigned *)tcp);
	/* a kernel without Landlock cannot run this test, and must not seem to pass it */
	return r == 0 ? 0 : -1;
}

static const struct wall walls_paths[] = {
	{"read /etc/passwd", attempt_read_passwd, EACCES, 0},
	{"list /", attempt_list_root, EACCES, 0},
	{"read inside", attempt_read_inside, 0, 0},
	{"list inside", attempt_list_inside, 0, 0},
	{"write what may be read", attempt_write_read_only, EACCES, 0},
	{"make a file where one may read", attempt_create_read_only, EACCES, 0},
	{"truncate what may be read", attempt_truncate_read_only, EACCES, 3},
	{"make, rename and remove", attempt_write_inside, 0, 0},
	{"make a socket", attempt_socket_inside, 0, 0},
	{"make a device", attempt_device_inside, EACCES, 0},
	{"make a link", attempt_symlink_inside, EACCES, 0},
	{"write one file", attempt_write_one_file, 0, 0},
	{"go around by ..", attempt_dotdot, EACCES, 0},
	{"exec outside", attempt_exec_true, EACCES, 0},
	{"exec what may be read", attempt_exec_readable, EACCES, 0},
	{"exec what may be run", attempt_exec_allowed, ENOEXEC, 0},
	{"connect by TCP", attempt_tcp_connect, EACCES, 4},
	{"bind by TCP", attempt_tcp_bind, EACCES, 4},
	{"connect to an abstract socket", attempt_abstract, EPERM, 6},
	{"signal the parent", attempt_signal_parent, EPERM, 6},
	{0},
};

static void test_paths(void **state)
{
	static const unsigned none = 0;

	(void)state;
	expect_all(stage_paths, &none, walls_paths);
}

/* Each of TCP's two ways is let through by itself, and no more. */
static void test_tcp(void **state)
{
	static const unsigned may_bind = SANDBOX_TCP_BIND, may_connect = SANDBOX_TCP_CONNECT,
			      both = SANDBOX_TCP_BIND | SANDBOX_TCP_CONNECT;
	static const struct wall bind_only[] = {
		{"connect by TCP", attempt_tcp_connect, EACCES, 4},
		{"bind by TCP", attempt_tcp_bind, 0, 0},
		{"read /etc/passwd", attempt_read_passwd, EACCES, 0},
		{0},
	};
	static const struct wall connect_only[] = {
		{"connect by TCP", attempt_tcp_connect, ECONNREFUSED, 0},
		{"bind by TCP", attempt_tcp_bind, EACCES, 4},
		{0},
	};
	static const struct wall all[] = {
		{"connect by TCP", attempt_tcp_connect, ECONNREFUSED, 0},
		{"bind by TCP", attempt_tcp_bind, 0, 0},
		{"connect to an abstract socket", attempt_abstract, EPERM, 6},
		{0},
	};

	(void)state;
	expect_all(stage_paths, &may_bind, bind_only);
	expect_all(stage_paths, &may_connect, connect_only);
	expect_all(stage_paths, &both, all);
}

/* What a container's filter answers to landlock_create_ruleset. */
static int stage_answer(const void *arg)
{
	struct sock_filter rows[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)*(const int *)arg),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = COUNT(rows), .filter = rows};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}

static int attempt_landlock(void)
{
	int r = sandbox_paths(NULL, 0, 0);

	return r < 0 ? -r : 100 + r;
}

static void test_no_landlock(void **state)
{
	static const int enosys = ENOSYS, eopnotsupp = EOPNOTSUPP, eperm = EPERM;

	(void)state;
	assert_int_equal(in_child(stage_answer, &enosys, attempt_landlock), 101);
	assert_int_equal(in_child(stage_answer, &eopnotsupp, attempt_landlock), 101);
	assert_int_equal(in_child(stage_answer, &eperm, attempt_landlock), EPERM);
}

/* -- calls ------------------------------------------------------------------------------------ */

static int stage_calls(const void *arg)
{
	if (chdir(room) < 0)
		return -errno;
	return sandbox_calls(*(const enum sandbox_profile *)arg);
}

#define KILLED (1000 + SIGSYS)

/* The same in each profile. */
static const struct wall walls_calls[] = {
	{"exec", attempt_exec_true, KILLED, 0},
	{"ptrace", attempt_ptrace, KILLED, 0},
	{"read another's memory", attempt_process_vm, KILLED, 0},
	{"new user namespace", attempt_unshare, KILLED, 0},
	{"mount", attempt_mount, KILLED, 0},
	{"load a BPF program", attempt_bpf, KILLED, 0},
	{"io_uring", attempt_io_uring, KILLED, 0},
	{"netlink socket", attempt_netlink, KILLED, 0},
	{"packet socket", attempt_packet, KILLED, 0},
	{"become another user", attempt_setuid, KILLED, 0},
	{"fork", attempt_fork, EPERM, 0},
	{"clone3", attempt_clone3, EPERM, 0},
	{"map memory as code", attempt_mmap_exec, EPERM, 0},
	{"turn memory into code", attempt_mprotect_exec, EPERM, 0},
	{"type into a terminal", attempt_tiocsti, EPERM, 0},
	{"raise a limit", attempt_setrlimit, EPERM, 0},
	{"set-user-id bit", attempt_setuid_bit, EPERM, 0},
	{"signal the parent", attempt_signal_parent, EPERM, 0},
	{"seccomp again", attempt_seccomp, EPERM, 0},
	{"be dumpable", attempt_dumpable, EPERM, 0},
	{"abort", attempt_abort, 1000 + SIGABRT, 0},
	{"is the parent alive", attempt_signal_zero, 0, 0},
	{"files", attempt_store_calls, 0, 0},
	{"locks", attempt_locks, 0, 0},
	{"memory", attempt_memory, 0, 0},
	{"robust mutex", attempt_mutex, 0, 0},
	{"waiting", attempt_waiting, 0, 0},
	{"Unix datagrams", attempt_unix_datagram, 0, 0},
	{"random and clocks", attempt_random_clocks, 0, 0},
	{"pidfd", attempt_pidfd, 0, 0},
	{"read a limit", attempt_getrlimit, 0, 0},
	{0},
};

static void expect_calls(enum sandbox_profile profile, const struct wall *own)
{
	expect_all(stage_calls, &profile, walls_calls);
	expect_all(stage_calls, &profile, own);
}

static void test_session(void **state)
{
	static const struct wall own[] = {
		{"Unix stream", attempt_unix_stream, 0, 0},
		{"blobs", attempt_blob_calls, 0, 0},
		{"IP socket", attempt_inet, KILLED, 0},
		{"IPv6 socket", attempt_inet6, KILLED, 0},
		{"UDP socket", attempt_inet_datagram, KILLED, 0},
		{"file transfer", attempt_file_calls, EPERM, 0},
		{"accept", attempt_accept, EPERM, 0},
		{"adjtimex", attempt_adjtimex, EPERM, 0},
		{0},
	};

	(void)state;
	expect_calls(SANDBOX_SESSION, own);
}

static void test_session_ip(void **state)
{
	static const struct wall own[] = {
		{"Unix stream", attempt_unix_stream, 0, 0},
		{"blobs", attempt_blob_calls, 0, 0},
		{"IP socket", attempt_inet, 0, 0},
		{"IPv6 socket", attempt_inet6, 0, 0},
		{"UDP socket", attempt_inet_datagram, EPERM, 0},
		{"MPTCP socket", attempt_mptcp, EPERM, 0},
		{"bind by TCP", attempt_tcp_bind, 0, 0},
		{"file transfer", attempt_file_calls, 0, 0},
		{"accept", attempt_accept, EAGAIN, 0},
		{"adjtimex", attempt_adjtimex, EPERM, 0},
		{0},
	};

	(void)state;
	expect_calls(SANDBOX_SESSION_IP, own);
}

static void test_session_time(void **state)
{
	static const struct wall own[] = {
		{"Unix stream", attempt_unix_stream, 0, 0},
		{"blobs", attempt_blob_calls, 0, 0},
		{"IP socket", attempt_inet, KILLED, 0},
		{"adjtimex", attempt_adjtimex, 0, 0},
		{"set the clock", attempt_set_clock, KILLED, 0},
		{0},
	};

	(void)state;
	expect_calls(SANDBOX_SESSION_TIME, own);
}

static void test_signer(void **state)
{
	static const struct wall own[] = {
		{"Unix stream", attempt_unix_stream, 0, 0},
		{"blobs", attempt_blob_calls, EPERM, 0},
		{"IP socket", attempt_inet, KILLED, 0},
		{"accept", attempt_accept, EPERM, 0},
		{"adjtimex", attempt_adjtimex, EPERM, 0},
		{0},
	};

	(void)state;
	expect_calls(SANDBOX_SIGNER, own);
}

static void test_keeper(void **state)
{
	static const struct wall own[] = {
		{"Unix stream", attempt_unix_stream, EPERM, 0},
		{"blobs", attempt_blob_calls, EPERM, 0},
		{"file transfer", attempt_file_calls, EPERM, 0},
		{"IP socket", attempt_inet, KILLED, 0},
		{"accept", attempt_accept, EAGAIN, 0},
		{"adjtimex", attempt_adjtimex, EPERM, 0},
		{0},
	};

	(void)state;
	expect_calls(SANDBOX_KEEPER, own);
}

static void test_unknown_profile(void **state)
{
	(void)state;
	assert_int_equal(sandbox_calls(SANDBOX_PROFILES), -EINVAL);
}

static int make_room(void **state)
{
	(void)state;
	walls_listener_fd = walls_abstract_listener();
	return walls_listener_fd < 0 ? -1 : walls_make_room(room);
}

static int remove_room(void **state)
{
	(void)state;
	close(walls_listener_fd);
	return walls_remove_room(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_limits_are_not_raised),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_no_landlock),
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_session_ip),
		cmocka_unit_test(test_session_time),
		cmocka_unit_test(test_signer),
		cmocka_unit_test(test_keeper),
		cmocka_unit_test(test_unknown_profile),
	};

	return cmocka_run_group_tests(tests, make_room, remove_room);
}
