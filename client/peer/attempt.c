/* See attempt.h. */
#include "client/peer/attempt.h"

#include "base/timefmt.h"
#include "client/link.h"
#include "client/peer/revoke.h"
#include "net/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>

enum {
	CONNECT_MS = 6000,
	SHAKE_MS = 5000, /* for the handshake of whoever comes */
	WAIT_MS = 15000, /* and for that of whom we call: others may be served before */
	PROVE_MS = 12000, /* for all that follows */
	LEAVE_MS = 1000,
	RECORD_HANDSHAKE = 0x16, /* the first byte of TLS, RFC 8446 section 5.1 */
	WHY_SIZE = 256,
};

enum attempt_state {
	ATTEMPT_CONNECT,
	ATTEMPT_FIRST, /* is it TLS what comes? */
	ATTEMPT_SHAKE,
	ATTEMPT_PROVE,
	ATTEMPT_LEAVE, /* was told; says goodbye */
};

struct attempt {
	struct talk_source source;
	struct attempt *next;
	struct attempt_setup s;
	enum attempt_state state;
	int fd; /* connecting */
	struct conn *conn;
	struct revoke *revoke;
	unsigned char theirs[HASH_SHA256_LEN]; /* what they have to say */
	bool expected; /* has shown the key */
	bool bound; /* has said it */
	bool unrevoked;
	bool welcoming, welcomed; /* we have said so; they have */
};

/* -- the list ---------------------------------------------------------------------------------- */

static void attempt_free(struct attempt *a)
{
	struct attempt **at = &a->s.list->first;

	while (*at != NULL && *at != a)
		at = &(*at)->next;
	if (*at == a) {
		*at = a->next;
		a->s.list->count--;
	}
	talk_source_remove(a->s.talk, &a->source);
	revoke_free(a->revoke);
	conn_freep(&a->conn);
	cleanup_close(&a->fd);
	free(a);
}

size_t attempts_of(const struct attempts *list, const void *arg)
{
	size_t n = 0;

	for (const struct attempt *a = list->first; a != NULL; a = a->next)
		if (a->s.arg == arg && a->state != ATTEMPT_LEAVE)
			n++;
	return n;
}

void attempts_drop(struct attempts *list, const void *arg)
{
	struct attempt *next;

	for (struct attempt *a = list->first; a != NULL; a = next) {
		next = a->next;
		if (a->s.arg == arg && a->state != ATTEMPT_LEAVE)
			attempt_free(a);
	}
}

void attempts_end(struct attempts *list)
{
	while (list->first != NULL)
		attempt_free(list->first);
}

bool attempt_is_expected(const struct attempt *a)
{
	return a->expected;
}

struct conn *attempt_take(struct attempt *a)
{
	struct conn *conn = take_ptr(&a->conn);

	attempt_free(a);
	return conn;
}

void attempt_where(const struct attempt *a, char ret[DCC_ADDRESS_SIZE + 10])
{
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof ss;
	char text[DCC_ADDRESS_SIZE] = "?";
	int fd = a->conn != NULL ? conn_fd(a->conn) : a->fd;

	if (fd >= 0 && getpeername(fd, (struct sockaddr *)&ss, &len) == 0) {
		if (ss.ss_family == AF_INET)
			(void)inet_ntop(
				AF_INET, &((struct sockaddr_in *)&ss)->sin_addr, text, sizeof text);
		else if (ss.ss_family == AF_INET6)
			(void)inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&ss)->sin6_addr, text,
				sizeof text);
	}
	snprintf(ret, DCC_ADDRESS_SIZE + 10, "%s", text);
}

/* -- the end of it ----------------------------------------------------------------------------- */

/* Waits for the other side's end, so that our last words are not lost by a reset. */
static void step_leave(struct attempt *a)
{
	int sent = conn_step_flush(a->conn), filled;
	struct span taken;

	if (sent == 0)
		sent = conn_step_bye(a->conn);
	filled = conn_step_fill(a->conn);
	if (filled > 0)
		(void)conn_read_some(a->conn, conn_pending(a->conn).len, &taken);
	if ((sent < 0 && sent != -EAGAIN) || (filled <= 0 && filled != -EAGAIN)) {
		attempt_free(a);
		return;
	}
	a->source.events = conn_events(a->conn);
}

/* Does the other side understand a word of ours? */
static bool can_tell(const struct attempt *a, enum fault f)
{
	return a->conn != NULL && a->state == ATTEMPT_PROVE && f != FAULT_CUT && f != FAULT_REFUSED;
}

static void fail(struct attempt *a, enum fault f, const char *why)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(WIRE_LINE_MAX);
	const struct wire w = {.kind = WIRE_REFUSE, .text = span_str(fault_word(f))};
	bool tell = can_tell(a, f);

	revoke_free(a->revoke);
	a->revoke = NULL;
	a->state = ATTEMPT_LEAVE;
	a->source.until_ms = time_monotonic_ms() + LEAVE_MS;
	a->s.done(a->s.arg, a, f, why);
	if (!tell) {
		attempt_free(a);
		return;
	}
	wire_write(&line, &w);
	(void)conn_write(a->conn, buf_span(&line));
	a->source.fd = conn_fd(a->conn);
	step_leave(a);
}

/* -- proving ----------------------------------------------------------------------------------- */

static int exporter(const struct attempt *a, bool caller, unsigned char ret[HASH_SHA256_LEN])
{
	char label[64 + DCC_TOKEN_SIZE];

	snprintf(label, sizeof label, "EXPORTER-quintet-call %s %s", caller ? "caller" : "answerer",
		a->s.token);
	return tls_exporter(a->conn, label, ret, HASH_SHA256_LEN);
}

static int hello(struct attempt *a)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(WIRE_LINE_MAX);
	struct wire w = {.kind = WIRE_HELLO, .has_digest = true};
	int r = exporter(a, a->s.caller, w.digest);

	if (r == 0)
		r = exporter(a, !a->s.caller, a->theirs);
	if (r < 0)
		return r;
	wire_write(&line, &w);
	return conn_write(a->conn, buf_span(&line));
}

/* Both believe each other, and know it. */
static bool is_proven(const struct attempt *a)
{
	return a->welcoming && a->welcomed;
}

/* Says that they are believed, once that is so. */
static void welcome(struct attempt *a)
{
	if (!a->bound || !a->unrevoked || a->welcoming)
		return;
	a->welcoming = true;
	(void)conn_write(a->conn, SPAN_LIT("WELCOME\r\n"));
	(void)conn_step_flush(a->conn);
}

static void arm(struct attempt *a);

static void revoke_told(void *arg, enum fault f, const char *why)
{
	struct attempt *a = arg;
	char text[WHY_SIZE];

	snprintf(text, sizeof text, "%s", why);
	revoke_free(a->revoke);
	a->revoke = NULL;
	a->unrevoked = f == FAULT_NONE;
	if (f != FAULT_NONE) {
		fail(a, f, text);
		return;
	}
	welcome(a);
	if (is_proven(a))
		a->s.done(a->s.arg, a, FAULT_NONE, "");
	else
		arm(a);
}

static enum fault because(char *why, int error, enum fault f)
{
	snprintf(why, WHY_SIZE, "%s", client_why(error));
	return f;
}

static enum fault ask_revoked(struct attempt *a, struct span der, char *why)
{
	const struct revoke_question q = {.talk = a->s.talk,
		.server = a->s.authority,
		.leaf_der = der,
		.done = revoke_told,
		.arg = a};
	int r = revoke_ask(&q, &a->revoke);

	return r < 0 ? because(why, r, FAULT_UNCHECKED) : FAULT_NONE;
}

/* The handshake is done: who is it? */
static enum fault judge(struct attempt *a, char *why)
{
	const struct tls_info *info = conn_tls(a->conn);
	const struct profile *p = talk_profile(a->s.talk);
	enum fault f;

	a->state = ATTEMPT_PROVE;
	a->source.until_ms = time_monotonic_ms() + PROVE_MS;
	conn_set_deadline(a->conn, time_monotonic_ms());
	a->expected = trust_has_key(info->peer_der, &a->s.expect);
	if (strcmp(info->alpn, WIRE_ALPN) != 0)
		return FAULT_ALPN;
	f = trust_judge(p, info->peer_der, &a->s.expect, time_now_us(), why);
	if (f == FAULT_NONE && hello(a) < 0)
		f = FAULT_MEMORY;
	return f == FAULT_NONE ? ask_revoked(a, info->peer_der, why) : f;
}

/* HELLO, then WELCOME; REFUSE in the place of either. */
static enum fault on_line(struct attempt *a, const struct wire *w, char *why)
{
	char word[32] = "?";

	if (w->kind == WIRE_REFUSE) {
		(void)span_copy_str(w->text, word, sizeof word);
		snprintf(why, WHY_SIZE, "%s", word);
		return FAULT_REFUSED;
	}
	if (w->kind != (a->bound ? WIRE_WELCOME : WIRE_HELLO))
		return FAULT_WORDS;
	if (a->bound)
		a->welcomed = true;
	else if (!span_eq_secret(span_of(w->digest, sizeof w->digest),
			 span_of(a->theirs, sizeof a->theirs)))
		return FAULT_BINDING;
	a->bound = true;
	welcome(a);
	return FAULT_NONE;
}

/* One line, if one is there. Words that are not known are skipped in a call, not here. */
static enum fault read_line(struct attempt *a, bool *ret_any, char *why)
{
	struct span have = conn_pending(a->conn), taken;
	struct wire_reader reader = {0};
	struct wire w = {.kind = WIRE_PING};
	size_t used = 0;
	int r = wire_next(&reader, have, &w, &used);

	*ret_any = r == 1;
	if (r < 0 || used > WIRE_LINE_MAX || (r == 0 && used > 0))
		return FAULT_WORDS;
	if (r == 0)
		return FAULT_NONE;
	if (!span_starts(have, "HELLO ") && !span_starts(have, "REFUSE ") &&
		!span_starts(have, "WELCOME\r"))
		return FAULT_WORDS;
	(void)conn_read_some(a->conn, used, &taken);
	return on_line(a, &w, why);
}

static enum fault step_prove(struct attempt *a, char *why)
{
	int sent = conn_step_flush(a->conn), filled;
	enum fault f = FAULT_NONE;
	bool any = true;

	/* What comes behind that is read once there is a call. */
	if (a->welcomed)
		return sent < 0 && sent != -EAGAIN ? FAULT_CUT : FAULT_NONE;
	filled = conn_step_fill(a->conn);
	while (f == FAULT_NONE && any && !a->welcomed)
		f = read_line(a, &any, why);
	if (f != FAULT_NONE || a->welcomed)
		return f;
	if (filled == 0 || (filled < 0 && filled != -EAGAIN) || (sent < 0 && sent != -EAGAIN))
		return FAULT_CUT;
	return FAULT_NONE;
}

/* -- the handshake ----------------------------------------------------------------------------- */

static enum fault tls_failed(const struct attempt *a, int error, char *why)
{
	const char *reason = conn_tls_reason(a->conn);

	if (error == -ECONNRESET)
		return FAULT_CUT;
	/* What OpenSSL says when the first bytes are no record of TLS at all. */
	if (strcmp(reason, "wrong version number") == 0)
		return FAULT_PLAIN;
	snprintf(why, WHY_SIZE, "%s", *reason != '\0' ? reason : client_why(error));
	return FAULT_TLS;
}

static enum fault step_shake(struct attempt *a, char *why)
{
	int r = conn_step_handshake(a->conn);

	if (r == -EAGAIN)
		return FAULT_NONE;
	return r < 0 ? tls_failed(a, r, why) : judge(a, why);
}

/* The first byte of a client tells whether it is TLS: plain text deserves words of its own. (That
 * of a server may have been read along with sending ours.) */
static enum fault step_first(struct attempt *a, char *why)
{
	unsigned char first = 0;
	ssize_t n = recv(conn_fd(a->conn), &first, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return FAULT_NONE;
	if (n < 0)
		return because(why, -errno, FAULT_CUT);
	if (n == 0)
		return FAULT_CUT;
	if (first != RECORD_HANDSHAKE)
		return FAULT_PLAIN;
	a->state = ATTEMPT_SHAKE;
	return FAULT_NONE;
}

static enum fault tls_begin(struct attempt *a, char *why)
{
	int r = a->s.server != NULL ? conn_tls_begin_accept(a->conn, a->s.server)
				    : conn_tls_begin_connect(a->conn, a->s.client, "");

	a->state = a->s.server != NULL ? ATTEMPT_FIRST : ATTEMPT_SHAKE;
	a->source.until_ms = time_monotonic_ms() + (a->s.server != NULL ? SHAKE_MS : WAIT_MS);
	return r < 0 ? tls_failed(a, r, why) : FAULT_NONE;
}

static enum fault step_connect(struct attempt *a, char *why)
{
	unsigned char first;
	int r = link_connected(a->fd);

	if (r == -EAGAIN)
		return FAULT_NONE;
	if (r < 0)
		return because(why, r, FAULT_UNREACHABLE);
	/* Who is called by TLS does not speak first. */
	if (recv(a->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
		return FAULT_PLAIN;
	r = conn_new(a->fd, &a->conn);
	if (r < 0)
		return FAULT_MEMORY;
	a->fd = -1;
	return tls_begin(a, why);
}

/* -- the steps --------------------------------------------------------------------------------- */

static enum fault advance(struct attempt *a, char *why)
{
	switch (a->state) {
	case ATTEMPT_CONNECT:
		return step_connect(a, why);
	case ATTEMPT_FIRST:
		return step_first(a, why);
	case ATTEMPT_SHAKE:
		return step_shake(a, why);
	default:
		return step_prove(a, why);
	}
}

static enum fault advance_all(struct attempt *a, char *why)
{
	enum attempt_state before;
	enum fault f;

	/* One readiness may finish several states: TLS keeps bytes of its own. */
	do {
		before = a->state;
		f = advance(a, why);
	} while (f == FAULT_NONE && a->state != before);
	return f;
}

static enum fault late(const struct attempt *a, char *why)
{
	return a->state == ATTEMPT_CONNECT ? because(why, -ETIMEDOUT, FAULT_UNREACHABLE)
					   : FAULT_SLOW;
}

/* What the loop has to wait for: the first byte, what TLS wants, or only our own last words. */
static void arm(struct attempt *a)
{
	short events = POLLOUT;

	a->source.fd = a->fd;
	if (a->conn != NULL) {
		a->source.fd = conn_fd(a->conn);
		events = conn_events(a->conn);
	}
	if (a->state == ATTEMPT_FIRST)
		events = POLLIN;
	if (a->welcomed) {
		events = (short)(events & POLLOUT);
		/* One that hangs up now would wake the loop without end. */
		if (events == 0)
			a->source.fd = -1;
	}
	a->source.events = events;
}

static void step(void *arg, short revents)
{
	struct attempt *a = arg;
	bool is_late = time_monotonic_ms() >= a->source.until_ms;
	char why[WHY_SIZE] = "";
	enum fault f;

	(void)revents;
	if (a->state == ATTEMPT_LEAVE) {
		if (is_late)
			attempt_free(a);
		else
			step_leave(a);
		return;
	}
	f = is_late ? late(a, why) : advance_all(a, why);
	if (f != FAULT_NONE)
		fail(a, f, why);
	else if (is_proven(a))
		a->s.done(a->s.arg, a, FAULT_NONE, "");
	else
		arm(a);
}

/* -- beginning --------------------------------------------------------------------------------- */

static int attempt_new(const struct attempt_setup *s, struct attempt **ret)
{
	struct attempt *a;
	int r;

	if (s->list->count >= ATTEMPTS_MAX)
		return -ENOSPC;
	a = calloc(1, sizeof *a);
	if (a == NULL)
		return -ENOMEM;
	*a = (struct attempt){.source = {.fd = -1, .step = step, .arg = a}, .s = *s, .fd = -1};
	r = talk_source_add(s->talk, &a->source);
	if (r < 0) {
		free(a);
		return r;
	}
	a->next = s->list->first;
	s->list->first = a;
	s->list->count++;
	*ret = a;
	return 0;
}

int attempt_accept(const struct attempt_setup *s, int fd)
{
	struct attempt *a = NULL;
	char why[WHY_SIZE];
	int r = attempt_new(s, &a);

	if (r < 0)
		return r;
	r = conn_new(fd, &a->conn);
	if (r == 0 && tls_begin(a, why) != FAULT_NONE) {
		/* The connection has the descriptor already; nothing was told yet. */
		a->source.until_ms = 0;
		return 0;
	}
	if (r < 0)
		attempt_free(a);
	else
		arm(a);
	return r;
}

static socklen_t address_of(const char *text, uint16_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};

	if (inet_pton(AF_INET, text, &four.sin_addr) == 1) {
		memcpy(ret, &four, sizeof four);
		return sizeof four;
	}
	if (inet_pton(AF_INET6, text, &six.sin6_addr) == 1) {
		memcpy(ret, &six, sizeof six);
		return sizeof six;
	}
	return 0;
}

int attempt_connect(const struct attempt_setup *s, const char *address, uint16_t port)
{
	struct sockaddr_storage to = {.ss_family = AF_UNSPEC};
	socklen_t len = address_of(address, port, &to);
	struct attempt *a = NULL;
	int r = len == 0 ? -EINVAL : attempt_new(s, &a);

	if (r < 0)
		return r;
	a->source.until_ms = time_monotonic_ms() + CONNECT_MS;
	a->fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->fd < 0 ||
		(connect(a->fd, (const struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS)) {
		r = -errno;
		attempt_free(a);
		return r;
	}
	arm(a);
	return 0;
}
