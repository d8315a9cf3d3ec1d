/*
 * A lean FTPS client for figures: AUTH TLS, log-in, PROT P, EPSV; each data connection offers the
 * newest session that any connection was given. Plain OpenSSL, blocking sockets, one process per
 * client. Prints one line of JSON.
 *
 *	ftp ADDRESS PORT ROOT.pem NAME USER WHAT COUNT CLIENTS [FOLDER]
 *
 * WHAT: login; get, put (COUNT MiB each way, file "big"); retr, stor (COUNT files of 1 KiB in one
 * session); idle (COUNT log-ins that say READY and wait for the end of standard input). The
 * password is in BENCH_PASSWORD; or the client's certificate and key are in BENCH_CERT (PEM), and
 * then USER alone logs in. BENCH_SUITES: the suites of TLS 1.3. BENCH_IMPLICIT: no AUTH.
 */
#include "base/num.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 262144, LINE = 2048, SMALL = 1024, MAX_CLIENTS = 64, MAX_COUNT = 1000000 };

struct bench {
	struct sockaddr_in to;
	const char *name, *user, *password, *folder;
	bool implicit;
	SSL_CTX *ctx;
	SSL_SESSION *newest;
	uint64_t count;
	unsigned char *bytes;
	uint64_t resumed, transfers;
};

struct session {
	struct bench *b;
	SSL *ssl;
	int fd;
	char in[LINE];
	size_t have;
};

static _Noreturn void die(const char *what, const char *detail)
{
	fprintf(stderr, "ftp: %s: %s\n", what, detail);
	exit(1);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int connect_to(const struct bench *b, uint16_t port)
{
	struct sockaddr_in to = b->to;
	const int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons(port);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("connect", strerror(errno));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct bench *b = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	SSL_SESSION_free(b->newest);
	b->newest = session;
	return 1;
}

static SSL *tls(struct bench *b, int fd, bool resume)
{
	SSL *ssl = SSL_new(b->ctx);

	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 || SSL_set1_host(ssl, b->name) != 1 ||
		SSL_set_tlsext_host_name(ssl, b->name) != 1)
		die("TLS", "cannot start");
	if (resume && b->newest != NULL)
		(void)SSL_set_session(ssl, b->newest);
	if (SSL_connect(ssl) != 1)
		die("TLS", "handshake failed");
	return ssl;
}

static size_t take(struct session *s, char *p, size_t len)
{
	ssize_t n = s->ssl != NULL ? SSL_read(s->ssl, p, (int)len) : read(s->fd, p, len);

	if (n <= 0)
		die("control connection", "ended");
	return (size_t)n;
}

/* The last line of a reply; its code must be the one wanted, 0: any. */
static const char *reply(struct session *s, unsigned want)
{
	static char line[LINE];

	for (;;) {
		char *lf = memchr(s->in, '\n', s->have);
		size_t len = lf != NULL ? (size_t)(lf - s->in) + 1 : 0;

		if (len == 0) {
			if (s->have == sizeof(s->in))
				die("reply", "too long");
			s->have += take(s, s->in + s->have, sizeof(s->in) - s->have);
			continue;
		}
		memcpy(line, s->in, len);
		line[len - 1] = '\0';
		s->have -= len;
		memmove(s->in, s->in + len, s->have);
		if (len < 5 || line[3] != ' ' || line[0] < '1' || line[0] > '5')
			continue;
		if (want != 0 && (unsigned)(line[0] - '0') != want / 100)
			die("reply", line);
		return line;
	}
}

static void say(struct session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct session *s, const char *format, ...)
{
	char line[LINE];
	va_list args;
	int len;
	bool good;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line) - 2, format, args);
	va_end(args);
	memcpy(line + len, "\r\n", 2);
	len += 2;
	good = s->ssl != NULL ? SSL_write(s->ssl, line, len) == len
			      : write(s->fd, line, (size_t)len) == len;
	if (!good)
		die("control connection", "cannot be written");
}

static void log_in(struct bench *b, struct session *s)
{
	const char *answer;

	*s = (struct session){.b = b, .fd = connect_to(b, ntohs(b->to.sin_port))};
	if (!b->implicit) {
		(void)reply(s, 200);
		say(s, "AUTH TLS");
		(void)reply(s, 200);
	}
	s->ssl = tls(b, s->fd, false);
	if (b->implicit)
		(void)reply(s, 200);
	say(s, "USER %s", b->user);
	answer = reply(s, 0);
	if (answer[0] == '3') {
		say(s, "PASS %s", b->password);
		answer = reply(s, 0);
	}
	if (answer[0] != '2')
		die("log-in", answer);
}

static void prepare(struct session *s)
{
	say(s, "PBSZ 0");
	(void)reply(s, 200);
	say(s, "PROT P");
	(void)reply(s, 200);
	say(s, "TYPE I");
	(void)reply(s, 200);
	if (s->b->folder == NULL)
		return;
	say(s, "CWD %s", s->b->folder);
	(void)reply(s, 200);
}

static void leave(struct session *s)
{
	say(s, "QUIT");
	(void)reply(s, 200);
	(void)SSL_shutdown(s->ssl);
	SSL_free(s->ssl);
	close(s->fd);
}

static uint16_t data_port(struct session *s)
{
	uint64_t port;
	const char *at, *end;

	say(s, "EPSV");
	at = strstr(reply(s, 200), "(|||");
	end = at != NULL ? strchr(at + 4, '|') : NULL;
	if (end == NULL ||
		num_parse_u64(span_of(at + 4, (size_t)(end - at - 4)), 1, UINT16_MAX, &port) < 0)
		die("EPSV", "no port");
	return (uint16_t)port;
}

/* Everything until the peer's end. */
static uint64_t drain(struct session *s, SSL *data)
{
	uint64_t total = 0;
	int n;

	while ((n = SSL_read(data, s->b->bytes, CHUNK)) > 0)
		total += (uint64_t)n;
	return total;
}

static void send_bytes(struct session *s, SSL *data, uint64_t len)
{
	while (len > 0) {
		int now = len < CHUNK ? (int)len : CHUNK;

		if (SSL_write(data, s->b->bytes, now) != now)
			die("data connection", "cannot be written");
		len -= (uint64_t)now;
	}
}

static void transfer(struct session *s, bool up, const char *path, uint64_t len)
{
	int fd = connect_to(s->b, data_port(s));
	uint64_t got;
	SSL *data;

	say(s, "%s %s", up ? "STOR" : "RETR", path);
	(void)reply(s, 100);
	data = tls(s->b, fd, true);
	s->b->resumed += (uint64_t)SSL_session_reused(data);
	s->b->transfers++;
	if (up) {
		send_bytes(s, data, len);
		(void)SSL_shutdown(data);
		(void)shutdown(fd, SHUT_WR);
	}
	got = drain(s, data);
	if (!up && got != len)
		die("RETR", "not all of it came");
	if (!up)
		(void)SSL_shutdown(data);
	SSL_free(data);
	close(fd);
	(void)reply(s, 200);
}

/* -- what is measured -------------------------------------------------------------------------- */

static double run_logins(struct bench *b)
{
	double began = now_s();

	for (uint64_t i = 0; i < b->count; i++) {
		struct session s;

		log_in(b, &s);
		leave(&s);
	}
	return now_s() - began;
}

static double run_big(struct bench *b, bool up)
{
	struct session s;
	double began;

	log_in(b, &s);
	prepare(&s);
	began = now_s();
	transfer(&s, up, "big", b->count << 20);
	began = now_s() - began;
	leave(&s);
	return began;
}

static double run_small(struct bench *b, bool up)
{
	struct session s;
	char path[32];
	double began;

	log_in(b, &s);
	prepare(&s);
	began = now_s();
	for (uint64_t i = 0; i < b->count; i++) {
		(void)snprintf(path, sizeof(path), "small%u", (unsigned)(i % 100));
		transfer(&s, up, path, SMALL);
	}
	began = now_s() - began;
	leave(&s);
	return began;
}

static double run_idle(struct bench *b)
{
	struct session *all = calloc(b->count, sizeof(*all));
	char byte;

	if (all == NULL)
		die("idle", "no memory");
	for (uint64_t i = 0; i < b->count; i++)
		log_in(b, &all[i]);
	printf("READY\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	for (uint64_t i = 0; i < b->count; i++)
		leave(&all[i]);
	free(all);
	return 0;
}

static double run(struct bench *b, const char *what)
{
	if (strcmp(what, "login") == 0)
		return run_logins(b);
	if (strcmp(what, "get") == 0 || strcmp(what, "put") == 0)
		return run_big(b, *what == 'p');
	if (strcmp(what, "stor") == 0 || strcmp(what, "retr") == 0)
		return run_small(b, *what == 's');
	if (strcmp(what, "idle") == 0)
		return run_idle(b);
	die("what", what);
}

struct result {
	double seconds;
	uint64_t resumed, transfers;
};

static void start_clients(
	struct bench *b, const char *what, struct result *results, unsigned clients)
{
	for (unsigned i = 0; i < clients; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork", strerror(errno));
		if (pid > 0)
			continue;
		results[i].seconds = run(b, what);
		results[i].resumed = b->resumed;
		results[i].transfers = b->transfers;
		exit(0);
	}
}

static void report(struct bench *b, const char *what, unsigned clients)
{
	struct result *results = mmap(NULL, sizeof(*results) * MAX_CLIENTS, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double began = now_s(), seconds;
	uint64_t resumed = 0, transfers = 0;
	struct rusage use;
	int status, bad = 0;

	if (results == MAP_FAILED)
		die("results", "no memory");
	start_clients(b, what, results, clients);
	while (wait(&status) > 0)
		bad |= status;
	if (bad != 0)
		exit(1);
	/* One client's own clock leaves its log-in and start out. */
	seconds = clients == 1 ? results[0].seconds : now_s() - began;
	for (unsigned i = 0; i < clients; i++) {
		resumed += results[i].resumed;
		transfers += results[i].transfers;
	}
	getrusage(RUSAGE_CHILDREN, &use);
	printf("{\"seconds\":%.4f,\"per_second\":%.2f,\"resumed\":%ju,\"transfers\":%ju,"
	       "\"client_cpu_s\":%.3f}\n",
		seconds, (double)b->count * clients / seconds, (uintmax_t)resumed,
		(uintmax_t)transfers,
		(double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
			(double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6);
}

static void make_context(struct bench *b, const char *root)
{
	const char *cert = getenv("BENCH_CERT"), *suites = getenv("BENCH_SUITES");

	b->ctx = SSL_CTX_new(TLS_client_method());
	if (b->ctx == NULL || SSL_CTX_load_verify_locations(b->ctx, root, NULL) != 1)
		die("TLS", root);
	if (cert != NULL &&
		(SSL_CTX_use_certificate_chain_file(b->ctx, cert) != 1 ||
			SSL_CTX_use_PrivateKey_file(b->ctx, cert, SSL_FILETYPE_PEM) != 1))
		die("BENCH_CERT", cert);
	if (suites != NULL && SSL_CTX_set_ciphersuites(b->ctx, suites) != 1)
		die("BENCH_SUITES", suites);
	(void)SSL_CTX_set_options(b->ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_verify(b->ctx, SSL_VERIFY_PEER, NULL);
	(void)SSL_CTX_set_session_cache_mode(
		b->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(b->ctx, keep_session);
	SSL_CTX_set_app_data(b->ctx, b);
}

int main(int argc, char **argv)
{
	struct bench b = {.to = {.sin_family = AF_INET}};
	uint64_t port, clients;

	if (argc < 9 || argc > 10 || inet_pton(AF_INET, argv[1], &b.to.sin_addr) != 1 ||
		(ntohl(b.to.sin_addr.s_addr) >> 24) != 127 ||
		num_parse_u64(span_str(argv[2]), 1, UINT16_MAX, &port) < 0 ||
		num_parse_u64(span_str(argv[7]), 1, MAX_COUNT, &b.count) < 0 ||
		num_parse_u64(span_str(argv[8]), 1, MAX_CLIENTS, &clients) < 0) {
		fputs("usage: ftp ADDRESS PORT ROOT.pem NAME USER WHAT COUNT CLIENTS [FOLDER]\n",
			stderr);
		return 100;
	}
	b.to.sin_port = htons((uint16_t)port);
	b.name = argv[4];
	b.user = argv[5];
	b.password = getenv("BENCH_PASSWORD");
	b.folder = argc == 10 ? argv[9] : NULL;
	b.implicit = getenv("BENCH_IMPLICIT") != NULL;
	b.bytes = calloc(1, CHUNK);
	if (b.bytes == NULL)
		die("start", "no memory");
	make_context(&b, argv[3]);
	if (strcmp(argv[6], "idle") == 0)
		(void)run(&b, "idle");
	else
		report(&b, argv[6], (unsigned)clients);
	return 0;
}
