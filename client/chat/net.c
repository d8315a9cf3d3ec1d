/* The line to the server: addresses, TLS, pings, and coming back after a while. */
#include "client/chat/talk.h"

#include "base/timefmt.h"
#include "client/link.h"
#include "net/tls.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>

enum {
	ADDRESS_MS = 3000, /* how long one address may keep the next waiting */
	PAUSE_FIRST_MS = 1000, /* and twice that after each further loss in a row */
	PAUSE_MAX_MS = 60000,
	STEADY_MS = 60000, /* ready for so long: losses are counted anew */
	QUIET_MS = 90000, /* nothing heard: an own PING asks */
	ANSWER_MS = 30000, /* until its answer */
	LOGIN_MS = 60000,
};

/* -- losing it --------------------------------------------------------------------------------- */

static void reason_set(struct talk *t, int error)
{
	if (error != 0)
		snprintf(t->reason, sizeof t->reason, "%s", client_why(error));
	else if (t->reason[0] == '\0')
		snprintf(t->reason, sizeof t->reason, "the connection was cut");
}

static void line_close(struct talk *t)
{
	conn_freep(&t->conn);
	cleanup_close(&t->fd);
	t->next_address = NULL;
	t->address_ms = t->until_ms = INT64_MAX;
	t->ping_ms = 0;
}

void net_end(struct talk *t, int code, const char *format, ...)
{
	va_list ap;

	if (t->state == TALK_OVER)
		return;
	va_start(ap, format);
	vsnprintf(t->reason, sizeof t->reason, format, ap);
	va_end(ap);
	safe_end(t->reason);
	t->state = TALK_OVER;
	t->code = code;
	talk_forget(t);
	line_close(t);
}

/* Half of it is chance, so that not all come back at the same moment. */
static int64_t pause_ms(const struct talk *t)
{
	int64_t ms = PAUSE_FIRST_MS;

	for (unsigned i = 1; i < t->losses && ms < PAUSE_MAX_MS; i++)
		ms *= 2;
	if (ms > PAUSE_MAX_MS)
		ms = PAUSE_MAX_MS;
	return ms / 2 + time_now_us() % (ms / 2 + 1);
}

/* Who was never let in is told at once; who was, comes back. */
static void give_up(struct talk *t)
{
	char why[sizeof t->reason];
	bool reached = t->state > TALK_TLS;

	memcpy(why, t->reason, sizeof why);
	net_end(t, ERR_EXIT_TEMP, "%s%s%s%s", reached ? "" : "cannot reach ",
		reached || t->profile == NULL ? "" : t->profile->host, reached ? "" : ": ", why);
}

void net_lose(struct talk *t, int error)
{
	int64_t now_ms = time_monotonic_ms(), wait_ms;

	if (t->state == TALK_OVER || t->state == TALK_OFF)
		return;
	reason_set(t, error);
	if (t->leaving) {
		net_end(t, CLIENT_OK, "left");
		return;
	}
	if (t->state == TALK_READY && now_ms - t->ready_ms >= STEADY_MS)
		t->losses = 0;
	if (!t->was_ready || t->losses >= t->options.retries) {
		give_up(t);
		return;
	}
	t->losses++;
	t->state = TALK_OFF;
	talk_forget(t);
	line_close(t);
	wait_ms = pause_ms(t);
	t->until_ms = now_ms + wait_ms;
	if (t->view->lost != NULL)
		t->view->lost(t->view_arg, t->reason, (unsigned)((wait_ms + 999) / 1000));
	t->reason[0] = '\0';
}

/* -- getting it -------------------------------------------------------------------------------- */

static void address_next(struct talk *t, int error)
{
	cleanup_close(&t->fd);
	while (t->next_address != NULL && t->fd < 0) {
		int r = link_begin(t->next_address);

		t->next_address = t->next_address->ai_next;
		if (r < 0)
			error = r;
		else
			t->fd = r;
	}
	t->address_ms = t->next_address != NULL ? time_monotonic_ms() + ADDRESS_MS : INT64_MAX;
	if (t->fd < 0)
		net_lose(t, error);
}

static int64_t timeout_ms(const struct talk *t)
{
	return time_monotonic_ms() + INT64_C(1000) * t->client->timeout_s;
}

static void connect_begin(struct talk *t)
{
	t->state = TALK_CONNECT;
	t->until_ms = timeout_ms(t);
	t->next_address = t->addresses;
	address_next(t, -ENXIO);
}

static int step_connect(struct talk *t)
{
	int r = link_connected(t->fd);

	if (r == -EAGAIN)
		return 0;
	if (r < 0) {
		address_next(t, r);
		return 0;
	}
	r = conn_new(t->fd, &t->conn);
	if (r < 0)
		return r;
	t->fd = -1;
	t->state = TALK_TLS;
	t->until_ms = timeout_ms(t);
	return conn_tls_begin_connect(t->conn, t->tls, t->profile->host);
}

static int tls_failed(struct talk *t, int error)
{
	const struct tls_info *info = conn_tls(t->conn);
	const char *why = conn_tls_reason(t->conn);
	char text[sizeof t->reason];

	snprintf(text, sizeof text, "%s%s%s", error == -EKEYREJECTED ? "not trusted: " : "no TLS: ",
		*why != '\0' ? why : client_why(error),
		error == -EKEYREJECTED && info != NULL && info->clock_suspect
			? " (only the dates are wrong: perhaps this machine's clock is off)"
			: "");
	if (error == -EKEYREJECTED) {
		net_end(t, CLIENT_UNTRUSTED, "%s", text);
		return 0;
	}
	memcpy(t->reason, text, sizeof text);
	net_lose(t, 0);
	return 0;
}

static int step_tls(struct talk *t)
{
	int r = conn_step_handshake(t->conn);
	const struct tls_info *info;

	if (r == -EAGAIN)
		return 0;
	if (r < 0)
		return tls_failed(t, r);
	info = conn_tls(t->conn);
	if (info != NULL)
		snprintf(t->security, sizeof t->security, "%s, %s", info->protocol, info->cipher);
	t->until_ms = time_monotonic_ms() + LOGIN_MS;
	login_begin(t);
	return 0;
}

/* -- lines ------------------------------------------------------------------------------------- */

static const struct frame_rule rule = {.max = IRC_LINE_MAX, .bare_lf_ok = true};

/* All lines that are there. One that is none is the server's mistake; it is skipped. What a line
 * leads to may close the connection, so a copy is handled. */
static int lines_read(struct talk *t)
{
	unsigned char copy[IRC_LINE_MAX];

	for (;;) {
		struct span line;
		int r = conn_step_line(t->conn, &rule, &line);

		if (r == -EAGAIN)
			return 0;
		if (r == -EMSGSIZE || r == -EPROTO)
			continue;
		if (r <= 0)
			return r < 0 ? r : -ECONNRESET;
		t->heard_ms = time_monotonic_ms();
		t->ping_ms = 0;
		if (line.len > 0)
			memcpy(copy, line.p, line.len);
		incoming_line(t, span_of(copy, line.len));
		if (t->conn == NULL)
			return 0;
	}
}

static int step_talk(struct talk *t)
{
	int r = conn_step_flush(t->conn);

	while (r == 0 || r == -EAGAIN) {
		int filled = conn_step_fill(t->conn), read = 0;

		if (filled != -EAGAIN)
			read = lines_read(t);
		if (t->conn == NULL)
			return 0;
		/* What was said before the end is heard. */
		if (filled == 0)
			return -ECONNRESET;
		if (filled < 0 && filled != -EAGAIN && filled != -ENOBUFS)
			return filled;
		if (read < 0)
			return read;
		r = conn_step_flush(t->conn);
		if (filled == -EAGAIN)
			break;
	}
	return r == -EAGAIN ? 0 : r;
}

/* -- time -------------------------------------------------------------------------------------- */

static void quiet(struct talk *t, int64_t now_ms)
{
	if (t->state != TALK_READY)
		return;
	if (t->ping_ms != 0 && now_ms - t->ping_ms >= ANSWER_MS) {
		net_lose(t, -ETIMEDOUT);
	} else if (t->ping_ms == 0 && now_ms - t->heard_ms >= QUIET_MS) {
		t->ping_ms = now_ms;
		(void)talk_send(t, "PING :alive");
	}
}

static void tick(struct talk *t)
{
	int64_t now_ms = time_monotonic_ms();

	if (t->state == TALK_CONNECT && now_ms >= t->address_ms)
		address_next(t, -ETIMEDOUT);
	if (t->state != TALK_OVER && now_ms >= t->until_ms) {
		if (t->state == TALK_OFF)
			connect_begin(t);
		else
			net_lose(t, -ETIMEDOUT);
	}
	quiet(t, now_ms);
}

void net_step(struct talk *t)
{
	enum talk_state before;

	/* One readiness may finish several states: TLS keeps bytes of its own. */
	do {
		int r = 0;

		before = t->state;
		if (t->state == TALK_CONNECT)
			r = step_connect(t);
		else if (t->state == TALK_TLS)
			r = step_tls(t);
		else if (t->conn != NULL)
			r = step_talk(t);
		if (r < 0)
			net_lose(t, r);
	} while (t->state != before && t->state != TALK_OVER && t->state != TALK_OFF);
	tick(t);
	if (t->conn != NULL && t->state >= TALK_LOGIN) {
		int r = conn_step_flush(t->conn);

		if (r < 0 && r != -EAGAIN)
			net_lose(t, r);
	}
}

void net_poll(const struct talk *t, struct pollfd *ret, int64_t *until_ms)
{
	int64_t until = t->state == TALK_OVER ? INT64_MAX : t->until_ms;

	*ret = (struct pollfd){.fd = -1};
	if (t->conn != NULL)
		*ret = (struct pollfd){.fd = conn_fd(t->conn), .events = conn_events(t->conn)};
	else if (t->fd >= 0)
		*ret = (struct pollfd){.fd = t->fd, .events = POLLOUT};
	if (t->state == TALK_CONNECT && t->address_ms < until)
		until = t->address_ms;
	if (t->state == TALK_READY && t->ping_ms != 0 && t->ping_ms + ANSWER_MS < until)
		until = t->ping_ms + ANSWER_MS;
	if (t->state == TALK_READY && t->ping_ms == 0 && t->heard_ms + QUIET_MS < until)
		until = t->heard_ms + QUIET_MS;
	if (until < *until_ms)
		*until_ms = until;
}
