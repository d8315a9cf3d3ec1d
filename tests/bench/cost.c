/*
 * What one connection costs a program that gets it on fd 0 and 1: CPU of the whole process by
 *wait4, and private memory of the idle session after its first line. Programs are started by
 *posix_spawn, one connection each; prints one line of JSON with medians.
 *
 *	cost RUNS ROOT.pem NAME PROGRAM [ARGUMENT ...]
 */
#include "base/num.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_RUNS 1000
#define GIVE_UP_S 5

struct sample {
	double cpu_ms, wall_ms, private_kb;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* A connected TCP pair on loopback: real sockets, since some programs look at the peer. */
static void tcp_pair(int *ret_server_fd, int *ret_client_fd)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t len = sizeof a;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 || bind(listener, (struct sockaddr *)&a, sizeof a) < 0 ||
		listen(listener, 1) < 0 || getsockname(listener, (struct sockaddr *)&a, &len) < 0)
		die("listen");
	*ret_client_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*ret_client_fd < 0 || connect(*ret_client_fd, (struct sockaddr *)&a, sizeof a) < 0)
		die("connect");
	*ret_server_fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (*ret_server_fd < 0)
		die("accept");
	close(listener);
}

/* Private_Clean and Private_Dirty of a process. */
static double private_kb(pid_t pid)
{
	char path[64], line[256];
	double sum = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	while (fgets(line, sizeof line, f) != NULL) {
		struct span rest = span_str(line), key;
		uint64_t kb = 0;

		if (!span_starts(rest, "Private_") || !span_split(&rest, ':', &key))
			continue;
		rest = span_trim(rest);
		if (span_split(&rest, ' ', &key) && num_parse_u64(key, 0, UINT32_MAX, &kb) == 0)
			sum += (double)kb;
	}
	fclose(f);
	return sum;
}

static pid_t start(int server_fd, char **program)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int r;

	posix_spawn_file_actions_init(&actions);
	/* Both, as inetd does: some write to 1. */
	posix_spawn_file_actions_adddup2(&actions, server_fd, 0);
	posix_spawn_file_actions_adddup2(&actions, server_fd, 1);
	r = posix_spawn(&pid, program[0], &actions, NULL, program, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (r != 0) {
		fprintf(stderr, "cost: %s: %s\n", program[0], strerror(r));
		exit(1);
	}
	close(server_fd);
	return pid;
}

/* Waits for its end, but not for ever: a program that stays is killed and is an error. */
static struct rusage reap(pid_t pid, const char *program)
{
	int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct rusage use;
	bool late = pid_fd < 0 ||
		poll(&(struct pollfd){.fd = pid_fd, .events = POLLIN}, 1, GIVE_UP_S * 1000) != 1;

	if (late)
		(void)kill(pid, SIGKILL);
	if (wait4(pid, NULL, 0, &use) < 0)
		die("wait4");
	if (late) {
		fprintf(stderr, "cost: %s did not end within %d s\n", program, GIVE_UP_S);
		exit(1);
	}
	close(pid_fd);
	return use;
}

static bool greet(SSL *ssl, int client_fd, const char *name)
{
	const struct timeval limit = {.tv_sec = GIVE_UP_S};
	char line[256];

	if (setsockopt(client_fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0)
		die("SO_RCVTIMEO");
	SSL_set_fd(ssl, client_fd);
	SSL_set1_host(ssl, name);
	return SSL_connect(ssl) == 1 && SSL_read(ssl, line, sizeof line) > 0;
}

/* One session: program, connection, first line. */
struct session {
	SSL *ssl;
	int client_fd;
	pid_t pid;
};

static struct session session_begin(SSL_CTX *ctx, const char *name, char **program)
{
	struct session s = {.ssl = SSL_new(ctx)};
	int server_fd;

	tcp_pair(&server_fd, &s.client_fd);
	s.pid = start(server_fd, program);
	if (!greet(s.ssl, s.client_fd, name)) {
		(void)kill(s.pid, SIGKILL);
		fprintf(stderr, "cost: no answer from %s\n", program[0]);
		exit(1);
	}
	return s;
}

static struct rusage session_end(struct session *s, const char *program)
{
	struct rusage use;

	(void)SSL_write(s->ssl, "end\r\n", 5);
	(void)SSL_shutdown(s->ssl);
	/* Some programs end at our close_notify, some only when the socket goes. */
	(void)poll(&(struct pollfd){.fd = s->client_fd, .events = POLLIN}, 1, 20);
	close(s->client_fd);
	use = reap(s->pid, program);
	SSL_free(s->ssl);
	return use;
}

static struct sample once(SSL_CTX *ctx, const char *name, char **program)
{
	double began = now_ms();
	struct session session = session_begin(ctx, name, program);
	struct sample s = {.wall_ms = now_ms() - began};
	struct rusage use;

	/* The process has answered and waits: what it holds now is what an idle session costs. */
	usleep(2000);
	s.private_kb = private_kb(session.pid);
	use = session_end(&session, program[0]);
	s.cpu_ms = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e3 +
		(double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e3;
	return s;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(const struct sample *s, size_t n, size_t offset)
{
	static double v[MAX_RUNS];

	for (size_t i = 0; i < n; i++)
		memcpy(&v[i], (const char *)&s[i] + offset, sizeof v[i]);
	qsort(v, n, sizeof v[0], compare);
	return v[n / 2];
}

int main(int argc, char **argv)
{
	static struct sample samples[MAX_RUNS];
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct session other;
	uint64_t runs;

	if (argc < 5 || num_parse_u64(span_str(argv[1]), 1, MAX_RUNS, &runs) < 0) {
		fputs("usage: cost RUNS ROOT.pem NAME PROGRAM [ARGUMENT ...]\n", stderr);
		return 100;
	}
	if (ctx == NULL || SSL_CTX_load_verify_locations(ctx, argv[2], NULL) != 1)
		die("root");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	/* Code is shared by all who run it: a page that only one process has mapped counts as
	 * private, so there must be a second one. */
	other = session_begin(ctx, argv[3], argv + 4);
	(void)once(ctx, argv[3], argv + 4);
	for (size_t i = 0; i < runs; i++)
		samples[i] = once(ctx, argv[3], argv + 4);
	(void)session_end(&other, argv[4]);
	printf("{\"cpu_ms\":%.3f,\"wall_ms\":%.3f,\"private_kb\":%.0f}\n",
		median(samples, runs, offsetof(struct sample, cpu_ms)),
		median(samples, runs, offsetof(struct sample, wall_ms)),
		median(samples, runs, offsetof(struct sample, private_kb)));
	SSL_CTX_free(ctx);
	return 0;
}
