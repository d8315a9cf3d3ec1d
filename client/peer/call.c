/* A call: lines both ways, files beside them, and its end. */
#include "client/peer/peer_i.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/timefmt.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>

enum {
	QUIET_MS = 60000, /* nothing heard: asked */
	ANSWER_MS = 30000,
	LEAVE_MS = 2000,
	UNSENT_MAX = 131072, /* of lines; files wait until all is sent */
	UNREAD_BY_KERNEL = 65536, /* so that a line is not behind much of a file */
	FILE_SLICES = 4, /* between two looks at the line */
};

struct call *call_find(const struct peers *p, const char *window)
{
	struct call *c = p->calls;

	while (c != NULL && (window == NULL || strcmp(c->window, window) != 0))
		c = c->next;
	return c;
}

struct call *call_with(const struct peers *p, const char *nick)
{
	struct call *c = p->calls;

	while (c != NULL && (c->leaving || !irc_eq(span_str(c->nick), span_str(nick))))
		c = c->next;
	return c;
}

void call_note(struct call *c, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	talk_note(c->peers->talk, c->window, "%s", text);
}

void call_wake(struct call *c)
{
	c->source.until_ms = 0;
}

/* -- the end ----------------------------------------------------------------------------------- */

void call_free(struct call *c)
{
	struct call **at = &c->peers->calls;

	while (*at != NULL && *at != c)
		at = &(*at)->next;
	if (*at == c) {
		*at = c->next;
		c->peers->call_count--;
	}
	give_end(c);
	take_end(c);
	talk_source_remove(c->peers->talk, &c->source);
	conn_freep(&c->conn);
	free(c);
}

static void call_over(struct call *c, const char *why)
{
	if (!c->leaving)
		call_note(
			c, "the call with %s is over%s%s", c->nick, *why != '\0' ? ": " : "", why);
	call_free(c);
}

/* Says goodbye, and waits a little for the other side's. */
static void call_leave(struct call *c)
{
	const struct wire bye = {.kind = WIRE_BYE};

	(void)call_send(c, &bye);
	give_end(c);
	take_end(c);
	c->leaving = true;
	c->leave_ms = time_monotonic_ms() + LEAVE_MS;
	call_wake(c);
}

void call_hang_up(struct call *c)
{
	if (c->leaving)
		return;
	call_note(c, "the call with %s is over", c->nick);
	call_leave(c);
}

void call_part(struct call *c)
{
	const struct wire bye = {.kind = WIRE_BYE};

	if (!c->leaving)
		(void)call_send(c, &bye);
	if (conn_step_flush(c->conn) == 0)
		(void)conn_step_bye(c->conn);
}

/* -- out --------------------------------------------------------------------------------------- */

static int send_bytes(struct call *c, struct span bytes)
{
	if (c->unsent + bytes.len > UNSENT_MAX)
		return -EPIPE;
	c->unsent += bytes.len;
	call_wake(c);
	return conn_write(c->conn, bytes);
}

int call_send(struct call *c, const struct wire *w)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(WIRE_LINE_MAX + 2);

	wire_write(&line, w);
	return buf_error(&line) < 0 ? buf_error(&line) : send_bytes(c, buf_span(&line));
}

int call_send_data(struct call *c, uint32_t id, struct span bytes)
{
	const struct wire w = {.kind = WIRE_DATA, .id = id, .number = bytes.len};
	int r = call_send(c, &w);

	return r == 0 ? send_bytes(c, bytes) : r;
}

void call_say(struct call *c, struct span text)
{
	struct wire w = {.kind = WIRE_SAY};
	int r = 0;

	if (c->leaving) {
		call_note(c, "the call is over");
		return;
	}
	while (r == 0 && wire_say_next(&text, &w.text)) {
		r = call_send(c, &w);
		if (r == 0)
			talk_call_said(
				c->peers->talk, c->window, talk_nick(c->peers->talk), w.text);
	}
	if (r < 0)
		call_note(c, "not sent: %s does not read", c->nick);
}

/* -- in ---------------------------------------------------------------------------------------- */

static int on_say(struct call *c, const struct wire *w)
{
	talk_call_said(c->peers->talk, c->window, c->nick, w->text);
	return 0;
}

static int on_ping(struct call *c, const struct wire *w)
{
	const struct wire pong = {.kind = WIRE_PONG};

	(void)w;
	return call_send(c, &pong);
}

static int on_pong(struct call *c, const struct wire *w)
{
	(void)c;
	(void)w;
	return 0;
}

static int on_bye(struct call *c, const struct wire *w)
{
	(void)w;
	if (!c->leaving)
		call_note(c, "%s has ended the call", c->nick);
	call_leave(c);
	return 0;
}

static int on_refuse(struct call *c, const struct wire *w)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(900);
	char word[32] = "?";

	(void)span_copy_str(w->text, word, sizeof word);
	fault_text(&text, FAULT_REFUSED, c->nick, word);
	call_note(c, "the call is over: %s", buf_str(&text));
	call_leave(c);
	return 0;
}

/* HELLO and WELCOME come once, before there is a call. */
static int on_hello(struct call *c, const struct wire *w)
{
	(void)c;
	(void)w;
	return -EBADMSG;
}

static int handle(struct call *c, const struct wire *w)
{
	static int (*const handlers[])(struct call * c, const struct wire *w) = {
		[WIRE_HELLO] = on_hello,
		[WIRE_WELCOME] = on_hello,
		[WIRE_REFUSE] = on_refuse,
		[WIRE_SAY] = on_say,
		[WIRE_PING] = on_ping,
		[WIRE_PONG] = on_pong,
		[WIRE_BYE] = on_bye,
		[WIRE_OFFER] = take_handle,
		[WIRE_DECLINE] = give_handle,
		[WIRE_ACCEPT] = give_handle,
		[WIRE_BEGIN] = take_handle,
		[WIRE_DATA] = take_handle,
		[WIRE_DONE] = take_handle,
		[WIRE_STORED] = give_handle,
		[WIRE_FAIL] = take_handle,
		[WIRE_STOP] = give_handle,
	};

	c->heard_ms = time_monotonic_ms();
	c->pinged = false;
	/* After goodbye nothing is listened to, but its end is read. */
	return c->leaving ? 0 : handlers[w->kind](c, w);
}

/* All that is there. 0, -EBADMSG, or what ended it. */
static int words_read(struct call *c)
{
	for (;;) {
		struct wire w = {.kind = WIRE_PING};
		struct span taken;
		size_t used = 0;
		int r = wire_next(&c->reader, conn_pending(c->conn), &w, &used), handled = 0;

		if (r < 0)
			return r;
		if (r == 1)
			handled = handle(c, &w);
		if (used > 0)
			(void)conn_read_some(c->conn, used, &taken);
		if (handled < 0)
			return handled;
		if (r == 0)
			return 0;
	}
}

/* 1: there may be more at once; 0: it has to be waited for; negative: the end. */
static int step_in(struct call *c)
{
	int filled = conn_step_fill(c->conn), r = words_read(c);

	if (r < 0)
		return r;
	if (filled == 0)
		return -ECONNRESET;
	if (filled < 0 && filled != -EAGAIN)
		return filled;
	return filled > 0 ? 1 : 0;
}

/* -- the steps --------------------------------------------------------------------------------- */

/* What waits is sent, then files get their turn. As step_in(). */
static int step_out(struct call *c)
{
	bool more = false;
	int r = conn_step_flush(c->conn);

	if (r == 0)
		c->unsent = 0;
	if (r < 0 && r != -EAGAIN)
		return r;
	if (c->leaving)
		return r == 0 ? conn_step_bye(c->conn) : 0;
	for (int i = 0; i < FILE_SLICES; i++)
		more = give_work(c, r == 0);
	more = take_work(c) || more;
	if (c->unsent > 0 && r == 0) {
		r = conn_step_flush(c->conn);
		if (r == 0)
			c->unsent = 0;
	}
	if (r < 0 && r != -EAGAIN)
		return r;
	return more ? 1 : 0;
}

static int step_time(struct call *c, int64_t now_ms)
{
	const struct wire ping = {.kind = WIRE_PING};

	if (c->leaving)
		return now_ms >= c->leave_ms ? -ETIMEDOUT : 0;
	if (c->pinged && now_ms - c->heard_ms >= QUIET_MS + ANSWER_MS)
		return -ETIMEDOUT;
	if (c->pinged || now_ms - c->heard_ms < QUIET_MS)
		return 0;
	c->pinged = true;
	return call_send(c, &ping);
}

static void arm(struct call *c, bool at_once)
{
	int64_t until_ms = c->heard_ms + QUIET_MS + (c->pinged ? ANSWER_MS : 0);

	c->source.fd = conn_fd(c->conn);
	c->source.events = conn_events(c->conn);
	c->source.until_ms = at_once ? 0 : c->leaving ? c->leave_ms : until_ms;
}

static const char *why_over(const struct call *c, int error)
{
	if (error == -EBADMSG)
		return "the other side breaks the rules of the protocol";
	if (error == -EPIPE && c->unsent > 0)
		return "the other side does not read";
	return error == -ECONNRESET ? "the line was cut" : client_why(error);
}

static void step(void *arg, short revents)
{
	struct call *c = arg;
	int in, out = 0, r;

	(void)revents;
	r = step_time(c, time_monotonic_ms());
	in = r < 0 ? r : step_in(c);
	if (in >= 0)
		out = step_out(c);
	if (in < 0 || (out < 0 && out != -EAGAIN))
		call_over(c, why_over(c, in < 0 ? in : out));
	else
		arm(c, in == 1 || out == 1);
}

/* -- the beginning ----------------------------------------------------------------------------- */

/* "=NICK"; a second call with the same has a number behind. */
static void window_name(const struct peers *p, struct call *c)
{
	snprintf(c->window, sizeof c->window, "=%s", c->nick);
	for (unsigned i = 2; call_find(p, c->window) != NULL && i < 100; i++)
		snprintf(c->window, sizeof c->window, "=%s.%u", c->nick, i);
}

int call_new(struct peers *p, const struct offer *o, struct conn *conn, struct call **ret)
{
	struct call *c = p->call_count < CALLS_MAX ? calloc(1, sizeof *c) : NULL;

	if (c == NULL)
		return p->call_count < CALLS_MAX ? -ENOMEM : -ENOSPC;
	c->peers = p;
	c->source = (struct talk_source){.fd = -1, .until_ms = 0, .step = step, .arg = c};
	c->heard_ms = time_monotonic_ms();
	snprintf(c->nick, sizeof c->nick, "%s", o->nick);
	snprintf(c->account, sizeof c->account, "%s", o->expect.account);
	window_name(p, c);
	if (talk_source_add(p->talk, &c->source) < 0) {
		free(c);
		return -ENOSPC;
	}
	c->conn = conn;
	c->next = p->calls;
	p->calls = c;
	p->call_count++;
	/* Nothing ever waits here; if it had to, it would not. */
	conn_set_deadline(conn, time_monotonic_ms());
	*ret = c;
	return 0;
}

static void first_file(struct call *c, struct offer *o)
{
	if (o->file && o->ours) {
		if (give_begin(c, take_fd(&o->file_fd), o->name) < 0)
			call_note(c, "%s cannot be offered", o->name);
	} else if (o->file) {
		c->awaited = true;
		c->awaited_size = o->size;
		memcpy(c->awaited_name, o->name, sizeof c->awaited_name);
	}
}

void call_begin(struct offer *o, struct conn *conn)
{
	int low = UNREAD_BY_KERNEL;
	const struct tls_info *info = conn_tls(conn);
	struct call *c = NULL;
	int r = call_new(o->peers, o, conn, &c);

	if (r < 0) {
		talk_note(o->peers->talk, NULL, "no call with %s: %s", o->nick,
			r == -ENOSPC ? "there are too many" : err_text(r));
		conn_free(conn);
		return;
	}
	(void)setsockopt(conn_fd(conn), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low, sizeof low);
	(void)talk_call_open(o->peers->talk, c->window, true);
	call_note(c, "call with %s, who is %s: no one else reads it (%s, %s). /send FILE, /hangup",
		c->nick, c->account, info->protocol, info->cipher);
	first_file(c, o);
}
