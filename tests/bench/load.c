/*
 * A bounded load of short TLS connections: connect, full handshake, first byte, close. Single
 * process, epoll, so that it costs the measured side as little as possible. Prints one line of
 *JSON.
 *
 *	load ADDRESS PORT ROOT.pem NAME CONNECTIONS CONCURRENCY
 */
#include "base/num.h"
#include "base/timefmt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNECTIONS 100000
#define MAX_CONCURRENCY 1000
#define GIVE_UP_S 120

enum state { CONNECTING, SHAKING, READING };

struct one {
	int fd;
	enum state state;
	SSL *ssl;
	int64_t began_ns;
};

struct load {
	int epoll_fd;
	SSL_CTX *ctx;
	struct sockaddr_in to;
	const char *name;
	size_t want, begun, ended, failed;
	double *took_ms;
	struct one *slots;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void one_begin(struct load *l, struct one *o)
{
	struct epoll_event e = {.events = EPOLLOUT, .data.ptr = o};

	o->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	o->state = CONNECTING;
	o->began_ns = now_ns();
	l->begun++;
	if (o->fd < 0 ||
		(connect(o->fd, (struct sockaddr *)&l->to, sizeof l->to) < 0 &&
			errno != EINPROGRESS) ||
		epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, o->fd, &e) < 0) {
		perror("load: connect");
		exit(1);
	}
}

static void one_end(struct load *l, struct one *o, int good)
{
	if (good)
		l->took_ms[l->ended - l->failed] = (double)(now_ns() - o->began_ns) / 1e6;
	else
		l->failed++;
	l->ended++;
	if (o->ssl != NULL) {
		(void)SSL_shutdown(o->ssl);
		SSL_free(o->ssl);
		o->ssl = NULL;
	}
	close(o->fd);
	if (l->begun < l->want)
		one_begin(l, o);
}

static void want(struct load *l, struct one *o, int r)
{
	int e = SSL_get_error(o->ssl, r);
	struct epoll_event ev = {
		.events = e == SSL_ERROR_WANT_WRITE ? EPOLLOUT : EPOLLIN, .data.ptr = o};

	if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE)
		one_end(l, o, 0);
	else
		epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, o->fd, &ev);
}

static void one_step(struct load *l, struct one *o)
{
	unsigned char bytes[512];
	socklen_t len = sizeof(int);
	int error = 0, r;

	if (o->state == CONNECTING) {
		if (getsockopt(o->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error != 0) {
			one_end(l, o, 0);
			return;
		}
		o->ssl = SSL_new(l->ctx);
		SSL_set_fd(o->ssl, o->fd);
		SSL_set1_host(o->ssl, l->name);
		SSL_set_tlsext_host_name(o->ssl, l->name);
		SSL_set_connect_state(o->ssl);
		o->state = SHAKING;
	}
	if (o->state == SHAKING) {
		r = SSL_do_handshake(o->ssl);
		if (r != 1) {
			want(l, o, r);
			return;
		}
		o->state = READING;
	}
	r = SSL_read(o->ssl, bytes, sizeof bytes);
	if (r > 0)
		one_end(l, o, 1);
	else
		want(l, o, r);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void run(struct load *l, size_t concurrency)
{
	int64_t began_ns = now_ns();
	struct epoll_event events[64];
	double seconds;
	size_t good;

	for (size_t i = 0; i < concurrency && l->begun < l->want; i++)
		one_begin(l, &l->slots[i]);
	while (l->ended < l->want && now_ns() - began_ns < (int64_t)GIVE_UP_S * 1000000000) {
		int n = epoll_wait(l->epoll_fd, events, 64, 1000);

		for (int i = 0; i < n; i++)
			one_step(l, events[i].data.ptr);
	}
	seconds = (double)(now_ns() - began_ns) / 1e9;
	good = l->ended - l->failed;
	qsort(l->took_ms, good, sizeof l->took_ms[0], compare);
	printf("{\"connections\":%zu,\"failed\":%zu,\"seconds\":%.4f,\"per_second\":%.1f,\"p50_ms\":%.3f,"
	       "\"p99_ms\":%.3f}\n",
		good, l->want - good, seconds, (double)good / seconds,
		good > 0 ? l->took_ms[good / 2] : 0.0,
		good > 0 ? l->took_ms[good * 99 / 100] : 0.0);
}

int main(int argc, char **argv)
{
	struct load l = {.to = {.sin_family = AF_INET}};
	uint64_t port, count, concurrency;

	if (argc != 7 || inet_pton(AF_INET, argv[1], &l.to.sin_addr) != 1 ||
		num_parse_u64(span_str(argv[2]), 1, UINT16_MAX, &port) < 0 ||
		num_parse_u64(span_str(argv[5]), 1, MAX_CONNECTIONS, &count) < 0 ||
		num_parse_u64(span_str(argv[6]), 1, MAX_CONCURRENCY, &concurrency) < 0) {
		fputs("usage: load ADDRESS PORT ROOT.pem NAME CONNECTIONS CONCURRENCY\n", stderr);
		return 100;
	}
	if ((ntohl(l.to.sin_addr.s_addr) >> 24) != 127) {
		fputs("load: loopback only\n", stderr);
		return 100;
	}
	l.to.sin_port = htons((uint16_t)port);
	l.name = argv[4];
	l.want = count;
	l.took_ms = calloc(count, sizeof l.took_ms[0]);
	l.slots = calloc(concurrency, sizeof l.slots[0]);
	l.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	l.ctx = SSL_CTX_new(TLS_client_method());
	if (l.took_ms == NULL || l.slots == NULL || l.epoll_fd < 0 || l.ctx == NULL ||
		SSL_CTX_load_verify_locations(l.ctx, argv[3], NULL) != 1) {
		fputs("load: cannot start\n", stderr);
		return 1;
	}
	SSL_CTX_set_verify(l.ctx, SSL_VERIFY_PEER, NULL);
	run(&l, concurrency);
	free(l.took_ms);
	free(l.slots);
	SSL_CTX_free(l.ctx);
	return l.failed > 0 || l.ended < l.want;
}
