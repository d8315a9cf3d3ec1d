/*
 * A lean chat client for figures: many TLS connections of one process in one channel, served by
 * epoll. Prints one line of JSON.
 *
 *	chat ADDRESS PORT CLIENTS WHAT COUNT
 *
 * WHAT: paced (COUNT messages, one every 10 ms: when has the last receiver got it?); burst (COUNT
 * messages as fast as they are taken: deliveries a second, and how many never come); idle (says
 *READY when all have joined, and waits for the end of standard input). Whoever the server is:
 *nothing secret is said.
 */
#include "base/num.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum {
	LINE = 8192,
	CLIENTS_MAX = 1000,
	COUNT_MAX = 200000,
	TEXT = 64,
	PACE_US = 10000,
	PATIENCE_S = 30, /* without any delivery */
	EVENTS = 64,
	QUIET_MS = 300, /* without an event: all have heard of all */
};

struct client {
	SSL *ssl;
	int fd;
	unsigned number;
	bool joined;
	uint64_t got; /* messages, in their order */
	uint64_t wrong; /* out of their order, or twice */
	char in[LINE];
	size_t have;
};

struct bench {
	struct sockaddr_in to;
	SSL_CTX *ctx;
	int epoll_fd;
	struct client *clients;
	uint64_t count, joined, delivered;
	double *sent_s, *last_s; /* by message: when it went out, when the last one had it */
	unsigned *receivers;
	uint64_t sent;
	char *out; /* the sender's bytes not yet taken */
	size_t out_len, out_at;
};

static _Noreturn void die(const char *what, const char *detail)
{
	fprintf(stderr, "chat: %s: %s\n", what, detail);
	exit(1);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* -- connections ------------------------------------------------------------------------------- */

static void say(struct client *c, const char *text)
{
	size_t count;

	if (SSL_write_ex(c->ssl, text, strlen(text), &count) != 1 || count != strlen(text))
		die("write", "not taken");
}

static void open_client(struct bench *b, struct client *c, unsigned number)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
	const int one = 1;
	char hello[160];

	c->number = number;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&b->to, sizeof(b->to)) < 0)
		die("connect", strerror(errno));
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->ssl = SSL_new(b->ctx);
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1 || SSL_connect(c->ssl) != 1)
		die("TLS", "handshake");
	(void)snprintf(hello, sizeof(hello), "NICK bench%u\r\nUSER bench 0 * :bench\r\n", number);
	say(c, hello);
	(void)fcntl(c->fd, F_SETFL, O_NONBLOCK);
	if (epoll_ctl(b->epoll_fd, EPOLL_CTL_ADD, c->fd, &event) < 0)
		die("epoll", strerror(errno));
}

/* -- lines ------------------------------------------------------------------------------------- */

static void take_message(struct bench *b, struct client *c, const char *text)
{
	struct span word = span_str(text), digits;
	uint64_t number = UINT64_MAX;

	(void)span_split(&word, ' ', &digits);
	(void)num_parse_u64(digits, 0, UINT64_MAX, &number);
	if (number != c->got || number >= b->count)
		c->wrong++;
	c->got = number + 1;
	if (number >= b->count)
		return;
	b->delivered++;
	b->receivers[number]++;
	b->last_s[number] = now_s();
}

static void take_line(struct bench *b, struct client *c, char *line)
{
	char answer[LINE];
	const char *verb = line;
	const char *text;

	if (strncmp(line, "PING", 4) == 0) {
		(void)snprintf(answer, sizeof(answer), "PONG%.500s\r\n", line + 4);
		say(c, answer);
		return;
	}
	if (*line == ':')
		verb = strchr(line, ' ');
	if (verb == NULL)
		return;
	if (strncmp(verb, " 001 ", 5) == 0)
		say(c, "JOIN #bench\r\n");
	else if (strncmp(verb, " 366 ", 5) == 0 && !c->joined) {
		c->joined = true;
		b->joined++;
	} else if (strncmp(verb, " PRIVMSG #bench :", 17) == 0) {
		text = verb + 17;
		take_message(b, c, text);
	} else if (strncmp(line, "ERROR", 5) == 0 || strncmp(verb, " 433 ", 5) == 0) {
		die("server", line);
	}
}

static void take_lines(struct bench *b, struct client *c)
{
	char *start = c->in, *end;

	while ((end = memchr(start, '\n', c->have - (size_t)(start - c->in))) != NULL) {
		*(end > start && end[-1] == '\r' ? end - 1 : end) = '\0';
		take_line(b, c, start);
		start = end + 1;
	}
	c->have -= (size_t)(start - c->in);
	memmove(c->in, start, c->have);
}

static void receive(struct bench *b, struct client *c)
{
	size_t count;

	while (SSL_read_ex(c->ssl, c->in + c->have, sizeof(c->in) - 1 - c->have, &count) == 1) {
		c->have += count;
		take_lines(b, c);
	}
	if (SSL_get_error(c->ssl, 0) != SSL_ERROR_WANT_READ)
		die("connection", "ended by the server");
}

/* -- the sender -------------------------------------------------------------------------------- */

static void queue_message(struct bench *b)
{
	b->sent_s[b->sent] = now_s();
	b->out_len += (size_t)snprintf(b->out + b->out_len, TEXT + 32,
		"PRIVMSG #bench :%-7llu%0*d\r\n", (unsigned long long)b->sent, TEXT - 7, 0);
	b->sent++;
}

static void flush(struct bench *b)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = &b->clients[0]};
	size_t count;

	while (b->out_at < b->out_len) {
		if (SSL_write_ex(b->clients[0].ssl, b->out + b->out_at, b->out_len - b->out_at,
			    &count) != 1)
			break;
		b->out_at += count;
	}
	if (b->out_at < b->out_len)
		event.events |= EPOLLOUT;
	(void)epoll_ctl(b->epoll_fd, EPOLL_CTL_MOD, b->clients[0].fd, &event);
}

/* -- runs -------------------------------------------------------------------------------------- */

static int serve(struct bench *b, int wait_ms)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(b->epoll_fd, events, EVENTS, wait_ms);

	for (int i = 0; i < n; i++) {
		receive(b, events[i].data.ptr);
		if ((events[i].events & EPOLLOUT) != 0)
			flush(b);
	}
	return n;
}

/* All that was sent is there, or nothing has come for long. */
static void drain(struct bench *b, uint64_t wanted)
{
	double quiet_s = now_s();
	uint64_t before;

	while (b->delivered < wanted && now_s() - quiet_s < PATIENCE_S) {
		before = b->delivered;
		(void)serve(b, 100);
		if (b->delivered != before)
			quiet_s = now_s();
	}
}

static void paced(struct bench *b)
{
	double next_s = now_s();
	int wait_ms;

	while (b->sent < b->count) {
		if (now_s() >= next_s) {
			b->out_len = b->out_at = 0;
			queue_message(b);
			flush(b);
			next_s += PACE_US / 1e6;
		}
		wait_ms = (int)((next_s - now_s()) * 1e3);
		(void)serve(b, wait_ms > 0 ? wait_ms : 0);
	}
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void report(struct bench *b, uint64_t clients, double seconds)
{
	uint64_t wanted = b->count * (clients - 1), whole = 0, wrong = 0;
	double *us = calloc(b->count + 1, sizeof(*us));

	if (us == NULL)
		die("memory", "none");
	for (uint64_t i = 0; i < b->count; i++)
		if (b->receivers[i] == clients - 1)
			us[whole++] = (b->last_s[i] - b->sent_s[i]) * 1e6;
	for (uint64_t i = 0; i < clients; i++)
		wrong += b->clients[i].wrong;
	qsort(us, whole, sizeof(*us), compare);
	printf("{\"deliveries\": %llu, \"lost\": %llu, \"wrong\": %llu, \"seconds\": %.6f, "
	       "\"per_s\": %.0f, \"p50_us\": %.0f, \"p99_us\": %.0f}\n",
		(unsigned long long)b->delivered, (unsigned long long)(wanted - b->delivered),
		(unsigned long long)wrong, seconds, (double)b->delivered / seconds,
		whole > 0 ? us[whole / 2] : -1, whole > 0 ? us[whole * 99 / 100] : -1);
	free(us);
}

static void run(struct bench *b, uint64_t clients, const char *what)
{
	double start_s;
	double end_s = 0;

	while (b->joined < clients)
		(void)serve(b, 1000);
	/* What all these joins still tell everybody is not to be measured. */
	while (serve(b, QUIET_MS) > 0)
		;
	if (strcmp(what, "idle") == 0) {
		printf("READY\n");
		(void)fflush(stdout);
		(void)getchar();
		return;
	}
	start_s = now_s();
	if (strcmp(what, "paced") == 0) {
		paced(b);
	} else {
		while (b->sent < b->count)
			queue_message(b);
		flush(b);
	}
	drain(b, b->count * (clients - 1));
	for (uint64_t i = 0; i < b->count; i++)
		if (b->last_s[i] > end_s)
			end_s = b->last_s[i];
	report(b, clients, end_s - start_s);
}

static uint64_t number(const char *text, uint64_t max)
{
	uint64_t value;

	if (num_parse_u64(span_str(text), 1, max, &value) < 0)
		die("number", text);
	return value;
}

static void prepare(struct bench *b, char **argv, uint64_t clients)
{
	b->to = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons((uint16_t)number(argv[2], 65535))};
	if (inet_pton(AF_INET, argv[1], &b->to.sin_addr) != 1)
		die("address", argv[1]);
	b->ctx = SSL_CTX_new(TLS_client_method());
	b->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	b->clients = calloc(clients, sizeof(*b->clients));
	b->sent_s = calloc(b->count, sizeof(double));
	b->last_s = calloc(b->count, sizeof(double));
	b->receivers = calloc(b->count, sizeof(unsigned));
	b->out = malloc((size_t)b->count * (TEXT + 32));
	if (b->ctx == NULL || b->epoll_fd < 0 || b->clients == NULL || b->sent_s == NULL ||
		b->last_s == NULL || b->receivers == NULL || b->out == NULL)
		die("memory", "none");
	SSL_CTX_set_read_ahead(b->ctx, 1);
	(void)SSL_CTX_set_mode(
		b->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

int main(int argc, char **argv)
{
	struct bench b = {.count = 0};
	uint64_t clients;

	if (argc != 6)
		die("usage", "ADDRESS PORT CLIENTS paced|burst|idle COUNT");
	clients = number(argv[3], CLIENTS_MAX);
	b.count = number(argv[5], COUNT_MAX);
	prepare(&b, argv, clients);
	for (unsigned i = 0; i < clients; i++)
		open_client(&b, &b.clients[i], i);
	run(&b, clients, argv[4]);
	return 0;
}
