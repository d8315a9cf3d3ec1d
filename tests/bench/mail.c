/*
 * A lean mail client for figures: some processes, a blocking TLS connection each, that do the same
 * thing for some seconds. Prints one line of JSON.
 *
 *	mail ADDRESS PORT USERS WHAT SECONDS [SUBMISSION-PORT]
 *
 * USERS processes log in as user1, user2 and so on, with the password of BENCH_PASSWORD. WHAT:
 * mix (IMAP commands as a busy mail program sends them), append, fetch, login (a new connection
 *each time), submit (PORT speaks SMTP; each to himself), idle (says READY when all are in IDLE,
 *waits for the end of standard input), notify (user1 idles, and gets mail: how long from its 250 to
 *EXISTS?). Whoever the server is: nothing secret is said.
 */
#include "base/num.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	BUFFER = 1 << 17,
	MESSAGE = 14 << 10, /* bytes of one, about the mean of real ones */
	SHORT = 4 << 10, /* of a submitted one */
	PRELOADED = 100,
	USERS_MAX = 400,
	SECONDS_MAX = 60,
	NOTIFIED_MAX = 200,
};

struct line {
	SSL *ssl;
	int fd;
	char *in;
	size_t have, at;
	unsigned tag;
};

struct bench {
	struct sockaddr_in imap, smtp;
	SSL_CTX *ctx;
	double seconds, end_s;
	unsigned user;
	int ready[2], go[2]; /* all begin together: a byte each, then the end of the other pipe */
	char message[MESSAGE + 512];
};

struct outcome {
	uint64_t done, failed;
	double us[NOTIFIED_MAX];
};

static _Noreturn void die(const char *what, const char *detail)
{
	fprintf(stderr, "mail: %s: %s\n", what, detail);
	exit(1);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What was prepared is not measured. */
static void begin(struct bench *b)
{
	char byte = 0;

	(void)close(b->go[1]);
	if (write(b->ready[1], &byte, 1) != 1 || read(b->go[0], &byte, 1) != 0)
		die("start", strerror(errno));
	b->end_s = now_s() + b->seconds;
}

/* -- lines ------------------------------------------------------------------------------------- */

static void line_open(struct bench *b, const struct sockaddr_in *to, struct line *ret)
{
	const int one = 1;

	*ret = (struct line){
		.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .in = malloc(BUFFER)};
	if (ret->fd < 0 || ret->in == NULL ||
		connect(ret->fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		die("connect", strerror(errno));
	(void)setsockopt(ret->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	ret->ssl = SSL_new(b->ctx);
	if (ret->ssl == NULL || SSL_set_fd(ret->ssl, ret->fd) != 1 || SSL_connect(ret->ssl) != 1)
		die("TLS", "handshake");
}

static void line_close(struct line *l)
{
	(void)SSL_shutdown(l->ssl);
	SSL_free(l->ssl);
	(void)close(l->fd);
	free(l->in);
}

static void say(struct line *l, const char *text, size_t len)
{
	size_t count;

	if (SSL_write_ex(l->ssl, text, len, &count) != 1 || count != len)
		die("write", "not taken");
}

static void fill(struct line *l)
{
	size_t count;

	if (l->at > 0) {
		memmove(l->in, l->in + l->at, l->have - l->at);
		l->have -= l->at;
		l->at = 0;
	}
	if (l->have == BUFFER ||
		SSL_read_ex(l->ssl, l->in + l->have, BUFFER - l->have, &count) != 1)
		die("connection", "ended by the server");
	l->have += count;
}

/* The next line, ended by NUL in place of CR LF. */
static char *hear(struct line *l)
{
	char *start, *end;

	for (;;) {
		start = l->in + l->at;
		end = memchr(start, '\n', l->have - l->at);
		if (end != NULL)
			break;
		fill(l);
	}
	l->at = (size_t)(end + 1 - l->in);
	*(end > start && end[-1] == '\r' ? end - 1 : end) = '\0';
	return start;
}

static void skip(struct line *l, uint64_t count)
{
	uint64_t part;

	while (count > 0) {
		if (l->at == l->have)
			fill(l);
		part = l->have - l->at < count ? l->have - l->at : count;
		l->at += part;
		count -= part;
	}
}

/* -- IMAP -------------------------------------------------------------------------------------- */

/* Reads to the tagged answer, literals skipped. True: OK. */
static bool answered(struct line *l)
{
	struct span digits;
	char tag[16], *text, *brace;
	uint64_t literal;

	(void)snprintf(tag, sizeof(tag), "a%u ", l->tag);
	for (;;) {
		text = hear(l);
		if (strncmp(text, tag, strlen(tag)) == 0)
			return strncmp(text + strlen(tag), "OK", 2) == 0;
		brace = strrchr(text, '{');
		if (brace == NULL || text[strlen(text) - 1] != '}')
			continue;
		digits = span_of(brace + 1, strlen(brace) - 2);
		if (num_parse_u64(digits, 0, UINT32_MAX, &literal) == 0)
			skip(l, literal);
	}
}

static bool ask(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool ask(struct line *l, const char *format, ...)
{
	char text[1024];
	va_list args;
	int len = snprintf(text, sizeof(text), "a%u ", ++l->tag);

	va_start(args, format);
	len += vsnprintf(text + len, sizeof(text) - (size_t)len - 2, format, args);
	va_end(args);
	len += snprintf(text + len, 3, "\r\n");
	say(l, text, (size_t)len);
	return answered(l);
}

static const char *password(void)
{
	const char *p = getenv("BENCH_PASSWORD");

	return p != NULL ? p : "pass";
}

static void log_in(struct bench *b, struct line *l)
{
	line_open(b, &b->imap, l);
	(void)hear(l);
	if (!ask(l, "LOGIN user%u \"%s\"", b->user, password()))
		die("LOGIN", "refused");
}

static bool append(struct bench *b, struct line *l)
{
	char text[128];
	int len = snprintf(
		text, sizeof(text), "a%u APPEND INBOX {%zu+}\r\n", ++l->tag, strlen(b->message));

	say(l, text, (size_t)len);
	say(l, b->message, strlen(b->message));
	say(l, "\r\n", 2);
	return answered(l);
}

static void preload(struct bench *b, struct line *l)
{
	for (int i = 0; i < PRELOADED; i++)
		if (!append(b, l))
			die("APPEND", "refused");
	if (!ask(l, "SELECT INBOX"))
		die("SELECT", "refused");
}

/* One of the commands of a busy mail program; n counts them. */
static bool mixed(struct bench *b, struct line *l, uint64_t n)
{
	unsigned at = (unsigned)(n * 7 % PRELOADED) + 1;

	switch (n % 12) {
	case 0:
		return ask(l, "NOOP");
	case 1:
		return ask(l, "FETCH %u (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)", at);
	case 2:
		return ask(l, "FETCH %u BODY.PEEK[]", at);
	case 3:
		return ask(l, "STORE %u +FLAGS (\\Seen \\Flagged)", at);
	case 4:
		return ask(l,
			"FETCH 1:20 (UID FLAGS BODY.PEEK[HEADER.FIELDS (From To Subject Date)])");
	case 5:
		return ask(l, "STATUS INBOX (MESSAGES UNSEEN UIDNEXT)");
	case 6:
		return append(b, l);
	case 7:
		return ask(l, "SEARCH UNSEEN SINCE 1-Jan-2020");
	case 8:
		return ask(l, "STORE %u -FLAGS (\\Seen)", at);
	case 9:
		return ask(l, "LIST \"\" \"*\"");
	case 10:
		return ask(l, "FETCH %u BODYSTRUCTURE", at);
	default:
		return ask(l, "STORE 1 +FLAGS (\\Deleted)") && ask(l, "EXPUNGE");
	}
}

static bool fetched(struct line *l, uint64_t n)
{
	unsigned at = (unsigned)(n * 7 % PRELOADED) + 1;

	switch (n % 4) {
	case 0:
		return ask(l, "FETCH %u (UID FLAGS ENVELOPE)", at);
	case 1:
		return ask(l, "FETCH %u BODY.PEEK[]", at);
	case 2:
		return ask(l, "FETCH %u BODY.PEEK[HEADER.FIELDS (From To Subject Date)]", at);
	default:
		return ask(l, "FETCH %u (FLAGS RFC822.SIZE BODYSTRUCTURE)", at);
	}
}

/* -- SMTP -------------------------------------------------------------------------------------- */

static unsigned reply(struct line *l)
{
	char *text;

	do
		text = hear(l);
	while (strlen(text) > 3 && text[3] == '-');
	return (unsigned)(text[0] - '0');
}

static bool command(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool command(struct line *l, const char *format, ...)
{
	char text[1024];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text) - 2, format, args);
	va_end(args);
	len += snprintf(text + len, 3, "\r\n");
	say(l, text, (size_t)len);
	return reply(l) <= 3;
}

static void submit_open(struct bench *b, struct line *l)
{
	char plain[256], coded[400];
	int len = snprintf(plain, sizeof(plain), "%cuser%u%c%s", 0, b->user, 0, password());

	(void)EVP_EncodeBlock((unsigned char *)coded, (unsigned char *)plain, len);
	line_open(b, &b->smtp, l);
	(void)reply(l);
	if (!command(l, "EHLO bench") || !command(l, "AUTH PLAIN %s", coded))
		die("AUTH", "refused");
}

static bool submit(struct bench *b, struct line *l, uint64_t n)
{
	char head[512];
	int len = snprintf(head, sizeof(head),
		"From: user%u@quintet.test\r\nTo: user%u@quintet.test\r\nSubject: bench %llu\r\n"
		"Message-ID: <%d.%llu@bench>\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n\r\n",
		b->user, b->user, (unsigned long long)n, (int)getpid(), (unsigned long long)n);

	if (!command(l, "MAIL FROM:<user%u@quintet.test>", b->user) ||
		!command(l, "RCPT TO:<user%u@quintet.test>", b->user) || !command(l, "DATA"))
		return false;
	say(l, head, (size_t)len);
	say(l, b->message + (strlen(b->message) - SHORT), SHORT);
	return command(l, "\r\n.");
}

/* -- what is done ------------------------------------------------------------------------------ */

static void work_imap(struct bench *b, const char *what, struct outcome *o)
{
	struct line l;
	bool good;

	log_in(b, &l);
	if (strcmp(what, "append") != 0)
		preload(b, &l);
	begin(b);
	for (uint64_t n = b->user; now_s() < b->end_s; n++) {
		if (strcmp(what, "append") == 0)
			good = append(b, &l);
		else
			good = strcmp(what, "fetch") == 0 ? fetched(&l, n) : mixed(b, &l, n);
		*(good ? &o->done : &o->failed) += 1;
	}
	(void)ask(&l, "LOGOUT");
	line_close(&l);
}

static void work_login(struct bench *b, struct outcome *o)
{
	struct line l;

	begin(b);
	while (now_s() < b->end_s) {
		log_in(b, &l);
		*(ask(&l, "LOGOUT") ? &o->done : &o->failed) += 1;
		line_close(&l);
	}
}

static void work_submit(struct bench *b, struct outcome *o)
{
	struct line l;

	submit_open(b, &l);
	begin(b);
	for (uint64_t n = 0; now_s() < b->end_s; n++)
		*(submit(b, &l, n) ? &o->done : &o->failed) += 1;
	(void)command(&l, "QUIT");
	line_close(&l);
}

static void begin_idle(struct bench *b, struct line *l)
{
	log_in(b, l);
	if (!ask(l, "SELECT INBOX"))
		die("SELECT", "refused");
	say(l, "i IDLE\r\n", 8);
	while (hear(l)[0] != '+')
		;
}

static void work_notify(struct bench *b, struct outcome *o)
{
	struct line idle, out;
	double sent_s;

	begin_idle(b, &idle);
	submit_open(b, &out);
	begin(b);
	while (now_s() < b->end_s && o->done < NOTIFIED_MAX) {
		(void)usleep(20000);
		if (!submit(b, &out, o->done))
			die("submission", "refused");
		sent_s = now_s();
		while (strstr(hear(&idle), " EXISTS") == NULL)
			;
		o->us[o->done++] = (now_s() - sent_s) * 1e6;
	}
}

static void work(struct bench *b, const char *what, struct outcome *o)
{
	if (strcmp(what, "login") == 0)
		work_login(b, o);
	else if (strcmp(what, "submit") == 0)
		work_submit(b, o);
	else if (strcmp(what, "notify") == 0)
		work_notify(b, o);
	else
		work_imap(b, what, o);
}

/* -- processes --------------------------------------------------------------------------------- */

static void idle(struct bench *b, uint64_t users)
{
	struct line l;

	for (b->user = 1; b->user <= users; b->user++)
		begin_idle(b, &l);
	printf("READY\n");
	(void)fflush(stdout);
	(void)getchar();
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void report(struct outcome *all, double seconds)
{
	size_t count = all->done < NOTIFIED_MAX ? (size_t)all->done : NOTIFIED_MAX;

	qsort(all->us, count, sizeof(all->us[0]), compare);
	printf("{\"done\": %llu, \"failed\": %llu, \"seconds\": %.3f, \"per_s\": %.1f, \"p50_us\": %.0f, "
	       "\"p99_us\": %.0f}\n",
		(unsigned long long)all->done, (unsigned long long)all->failed, seconds,
		(double)all->done / seconds, count > 0 ? all->us[count / 2] : 0,
		count > 0 ? all->us[count * 99 / 100] : 0);
}

static void add(struct outcome *all, int fd)
{
	struct outcome one;

	if (read(fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
		die("worker", "has failed");
	all->done += one.done;
	all->failed += one.failed;
	memcpy(all->us, one.us, sizeof(all->us));
}

static void run(struct bench *b, uint64_t users, const char *what, double seconds)
{
	struct outcome all = {.done = 0};
	int ends[2];
	char byte;

	b->seconds = seconds;
	if (pipe(ends) < 0 || pipe(b->ready) < 0 || pipe(b->go) < 0)
		die("pipe", strerror(errno));
	for (b->user = 1; b->user <= users; b->user++) {
		if (fork() != 0)
			continue;
		struct outcome o = {.done = 0};

		work(b, what, &o);
		_exit(write(ends[1], &o, sizeof(o)) == (ssize_t)sizeof(o) ? 0 : 1);
	}
	(void)close(ends[1]);
	(void)close(b->ready[1]);
	for (uint64_t i = 0; i < users; i++)
		if (read(b->ready[0], &byte, 1) != 1)
			die("worker", "has failed");
	(void)close(b->go[1]);
	for (uint64_t i = 0; i < users; i++)
		add(&all, ends[0]);
	while (wait(NULL) > 0)
		;
	report(&all, seconds);
}

static uint64_t number(const char *text, uint64_t max)
{
	uint64_t value;

	if (num_parse_u64(span_str(text), 1, max, &value) < 0)
		die("number", text);
	return value;
}

static struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)number(port, 65535))};

	if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
		die("address", host);
	return a;
}

static void make_message(struct bench *b)
{
	size_t at = (size_t)snprintf(b->message, sizeof(b->message),
		"From: Bench <user1@quintet.test>\r\nTo: user1@quintet.test\r\n"
		"Subject: a message of the bench\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
		"Message-ID: <bench@quintet.test>\r\nMIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n\r\n");

	while (at < MESSAGE)
		at += (size_t)snprintf(b->message + at, sizeof(b->message) - at,
			"line %zu of a text that is long enough to be like others\r\n", at);
}

int main(int argc, char **argv)
{
	struct bench b = {.ctx = SSL_CTX_new(TLS_client_method())};
	uint64_t users;

	if (argc != 6 && argc != 7)
		die("usage",
			"ADDRESS PORT USERS mix|append|fetch|login|submit|idle|notify SECONDS [PORT]");
	if (b.ctx == NULL)
		die("TLS", "no context");
	b.imap = address(argv[1], argv[2]);
	b.smtp = address(argv[1], argv[argc == 7 ? 6 : 2]);
	users = number(argv[3], USERS_MAX);
	make_message(&b);
	if (strcmp(argv[4], "idle") == 0)
		idle(&b, users);
	else
		run(&b, users, argv[4], (double)number(argv[5], SECONDS_MAX));
	return 0;
}
