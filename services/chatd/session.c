/*
 * The session behind TLS: one loop over the connection, the bell and the clock. Lines are run while
 * the output takes their answers; the log is read while the output takes what it says. A client
 * that does not read holds up nobody: it lags behind in the log, up to a limit.
 */
#include "services/chatd/chatd.h"

#include "base/cleanup.h"
#include "base/timefmt.h"
#include "store/policy.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>

enum {
	GOODBYE_S = 2,
	LAGGING_S = 20, /* for a client that has much to read before its goodbye */
	REPLY_S = 60, /* for a client that lets more answers pile up than are held */
	LINES_MAX = 64, /* lines run in a row, before their answers are sent */
	ENDLESS = 1 << 16, /* bytes without a whole line, until the session ends */
	LINE_BUF_MAX = 2 * IRC_LINE_MAX,
};

static const struct frame_rule line_rule = {.max = IRC_LINE_MAX, .bare_lf_ok = true};

/* -- ends -------------------------------------------------------------------------------------- */

void chatd_end(struct chatd *c, const char *reason, const char *format, ...)
{
	char text[CHAT_TOPIC_SIZE], line[IRC_BODY_MAX];
	va_list args;

	if (c->quit)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	c->quit = true;
	c->service->end_reason = reason;
	if (c->quit_text[0] == '\0')
		(void)snprintf(c->quit_text, sizeof(c->quit_text), "%s", text);
	(void)snprintf(line, sizeof(line), "ERROR :Closing link: %s", text);
	c->answering.aside = true;
	chatd_send(c, &(struct chatd_tags){.at_us = 0}, span_str(line));
	c->answering.aside = false;
}

static void time_out(struct chatd *c)
{
	if (!c->registered)
		chatd_end(c, "not registered in time", "You did not register in time");
	else
		chatd_end(c, "idle", "Ping timeout");
}

/* To an account that was removed a moment ago nothing works any more, even before the bell rings.
 */
static bool is_revoked(struct chatd *c)
{
	return chatd_logged_in(c) &&
		auth_still_valid(c->service->store, &c->service->who) == -EACCES;
}

/* What ended the loop, in words for the client. */
static int explain(struct chatd *c, int r)
{
	if (r == -EINVAL && is_revoked(c))
		r = -EACCES;
	switch (r) {
	case -EACCES:
		(void)snprintf(c->quit_text, sizeof(c->quit_text), "No longer logged in");
		chatd_end(c, "revoked", "Your certificate or account is no longer valid here");
		return 0;
	case -ETIMEDOUT:
		time_out(c);
		return 0;
	case -ESHUTDOWN:
		chatd_end(c, "told to end", "Service stops");
		return 0;
	case -ECONNRESET:
	case -EPIPE:
		(void)snprintf(c->quit_text, sizeof(c->quit_text), "Connection lost");
		return r;
	default:
		if (r < 0)
			chatd_end(c, NULL, "Something failed here; the administrator can look");
		return r;
	}
}

/* The position that the client has reached for certain. What it said goodbye to has reached it. */
static uint64_t seen_of(const struct chatd *c)
{
	bool clean = c->service->end_reason != NULL && strcmp(c->service->end_reason, "quit") == 0;

	return clean ? c->seq : c->sure;
}

static void detach(struct chatd *c)
{
	struct chat_detach_args args = {.by = chatd_actor(c),
		.text = span_str(c->quit_text[0] != '\0' ? c->quit_text : "Connection lost"),
		.seen = seen_of(c)};
	struct chat_result result = {.answer = CHAT_DONE};
	int r;

	if (!c->registered)
		return;
	c->registered = false;
	r = store_call(c->service->store, STORE_OP_CHAT_DETACH, &args, &result);
	if (r == 0)
		(void)chat_ring(c->service->store, c->service->settings.runtime, &result.ring, 0);
}

static void free_session(struct chatd *c)
{
	chatd_post_done(c);
	chatd_multiline_done(c);
	chatd_sasl_done(c);
	chatd_metadata_done(c);
	chatd_monitor_done(c);
	free(c->rooms);
	if (c->pass != NULL) {
		explicit_bzero(c->pass, strlen(c->pass));
		free(c->pass);
	}
	explicit_bzero(c->policy.password, sizeof(c->policy.password));
	buf_done(&c->answering.first);
	buf_done(&c->line);
	buf_done(&c->body);
	buf_done(&c->tags);
}

static int finish(struct chatd *c, int r)
{
	r = explain(c, r);
	conn_set_wake(c->conn, -1, 0, NULL, NULL);
	conn_set_timeout_s(c->conn, GOODBYE_S);
	/* Gone for the others before the client sees its end: whoever waits for that may go on. */
	detach(c);
	if (c->lagging) {
		conn_set_timeout_s(c->conn, LAGGING_S);
		(void)conn_flush(c->conn);
	}
	return r < 0 ? r : 0;
}

/* -- lines ------------------------------------------------------------------------------------- */

#ifdef QUINTET_TEST
bool (*chatd_between)(struct span line);
#endif

static int take_line(struct chatd *c, struct span line)
{
#ifdef QUINTET_TEST
	if (chatd_between != NULL && chatd_between(line))
		return 0;
#endif
	c->last_ms = time_monotonic_ms();
	c->lines_at = conn_bytes_in(c->conn);
	conn_set_timeout_s(c->conn, REPLY_S);
	/* Messages count in the store. */
	if (!chatd_is_free(line))
		chatd_cost(c);
	return chatd_command(c, line);
}

static void refuse_line(struct chatd *c, int fault)
{
	c->bad++;
	if (fault == -EMSGSIZE)
		chatd_numeric(c, 417, ":Input line was too long");
	else
		chatd_standard(c, "FAIL", "*", "INVALID_LINE", "", "That is no line of IRC");
}

/* A line that never ends costs no memory, but it is no client's either. */
static void wait_for_line(struct chatd *c)
{
	if (conn_bytes_in(c->conn) - c->lines_at > ENDLESS)
		chatd_end(c, "an endless line", "That line does not end");
}

static int take_end(struct chatd *c)
{
	c->service->end_reason = "end of input";
	(void)snprintf(c->quit_text, sizeof(c->quit_text), "Connection closed");
	c->quit = true;
	return 0;
}

/* The lines that are there. *ret_more: there may be others. */
static int run_lines(struct chatd *c, bool *ret_more)
{
	struct span line;
	int r = 0;

	*ret_more = false;
	for (int i = 0; i < LINES_MAX && r == 0 && !c->quit; i++) {
		if (time_monotonic_ms() < c->held_until_ms)
			return chatd_post(c);
		r = conn_step_line(c->conn, &line_rule, &line);
		if (r == -EAGAIN) {
			wait_for_line(c);
			return chatd_post(c);
		}
		if (r == 0) {
			r = chatd_post(c);
			return r < 0 ? r : take_end(c);
		}
		if (r == 1) {
			r = take_line(c, line);
		} else if (r == -EMSGSIZE || r == -EPROTO) {
			refuse_line(c, r);
			r = 0;
		}
		if (r == 0 && c->bad >= CHATD_BAD_MAX)
			chatd_end(c, "no IRC", "Too many lines that are no IRC");
	}
	if (r == -ECONNRESET)
		(void)chatd_post(c);
	*ret_more = r == 0 && !c->quit;
	return r;
}

/* -- the log ----------------------------------------------------------------------------------- */

/* The output is full: how far is it to fall behind? */
static int check_lag(struct chatd *c)
{
	uint64_t lag = 0;
	int r = c->registered ? chatd_lag(c, &lag) : 0;

	if (r < 0)
		return err_is_temporary(r) && r != -ESTALE ? 0 : r;
	c->lagging = c->policy.lag > 0 && lag > c->policy.lag;
	if (c->lagging)
		chatd_end(c, "lagging",
			"You read too slowly; what you missed is kept, connect again for it");
	return 0;
}

/* 0; 1: the output is full. */
static int read_log(struct chatd *c)
{
	int r = chatd_deliver(c, 0);

	if (r < 0)
		return err_is_temporary(r) && r != -ESTALE ? 0 : r;
	return r;
}

static int flush(struct chatd *c)
{
	int r = conn_step_flush(c->conn);

	if (r == 0)
		c->unsent = 0;
	return r;
}

/* With its pings, which are rare, a session gives back what a busy time took. */
static void trim(struct chatd *c)
{
	struct buf *const bufs[] = {&c->line, &c->body, &c->tags};

	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		buf_done(bufs[i]);
	conn_trim(c->conn);
	(void)malloc_trim(0);
}

/* One round without waiting. *ret_now: there is more to do at once. */
static int work(struct chatd *c, bool rung, bool *ret_now)
{
	bool more = false, due;
	int r = flush(c);

	if (r == -EAGAIN)
		return rung ? check_lag(c) : 0;
	if (r == 0)
		r = run_lines(c, &more);
	if (r == 0 && !c->quit)
		r = read_log(c);
	due = r >= 0 && chatd_ping_due(c);
	if (r >= 0)
		r = flush(c);
	if (r == 0 && due)
		trim(c);
	*ret_now = r == 0 && more;
	return r == -EAGAIN ? 0 : r;
}

/* -- the loop ---------------------------------------------------------------------------------- */

static int64_t deadline_ms(const struct chatd *c)
{
	if (!c->registered)
		return c->login_until_ms;
	return c->last_ms + (int64_t)c->service->door->idle_s * 1000;
}

static int64_t wake_at_ms(const struct chatd *c, bool *ret_held)
{
	int64_t until_ms = deadline_ms(c), ping_ms = chatd_ping_at_ms(c);

	if (ping_ms < until_ms)
		until_ms = ping_ms;
	*ret_held = c->held_until_ms > time_monotonic_ms();
	if (*ret_held && c->held_until_ms < until_ms)
		until_ms = c->held_until_ms;
	return until_ms;
}

/* What is held back as a flood stays with the sender. */
static struct pollfd connection(const struct chatd *c, bool held)
{
	struct pollfd p = {.fd = conn_fd(c->conn), .events = conn_events(c->conn)};

	if (held)
		p.events = (short)(p.events & ~POLLIN);
	/* Nothing to wait for there: a client that hung up would wake us for ever. */
	if (p.events == 0)
		p.fd = -1;
	return p;
}

static int wait(struct chatd *c, bool now)
{
	struct pollfd fds[2];
	bool held;
	int64_t until_ms = wake_at_ms(c, &held);
	int r;

	/* What came along with the end of the handshake is where poll() does not see it. */
	if (!held && conn_has_more(c->conn) && conn_step_fill(c->conn) > 0)
		now = true;
	fds[0] = connection(c, held);
	fds[1] = (struct pollfd){.fd = c->end_fd, .events = c->end_fd >= 0 ? POLLIN : 0};
	r = conn_poll(c->conn, fds, 2, now ? 0 : until_ms);
	if (r == -ETIMEDOUT && now)
		r = 0;
	if (r > 0 && fds[1].revents != 0)
		return -ESHUTDOWN;
	if (r >= 0 && (fds[0].revents != 0 || (!held && conn_events(c->conn) == 0)))
		(void)conn_step_fill(c->conn);
	if (r >= 0 && time_monotonic_ms() >= deadline_ms(c))
		return -ETIMEDOUT;
	return r < 0 ? r : 0;
}

static int serve(struct chatd *c)
{
	bool now;
	int r;

	do {
		now = false;
		r = work(c, service_rung(c->service), &now);
		if (r >= 0 && !c->quit)
			r = wait(c, now);
	} while (r >= 0 && !c->quit);
	return r;
}

/* -- the session ------------------------------------------------------------------------------- */

static int read_choice(struct store_txn *txn, const char *name, const char *choice, bool *ret)
{
	char value[POLICY_VALUE_SIZE];
	int r = policy_text_read(txn, name, value);

	if (r == 0)
		*ret = strcmp(value, choice) == 0;
	return r;
}

static int stop_at_first(void *arg, const struct chat_event *e)
{
	int64_t *at_us = arg;

	*at_us = e->at_us;
	return 1;
}

static int read_policy(struct store_txn *txn, void *arg)
{
	struct chatd *c = arg;
	struct chatd_policy *p = &c->policy;
	int r = read_choice(txn, "chat_accounts", "required", &p->accounts_required);

	if (r == 0)
		r = read_choice(txn, "chat_auto_login", "yes", &p->auto_log_in);
	if (r == 0)
		r = read_choice(txn, "chat_register_early", "yes", &p->register_early);
	if (r == 0)
		r = read_choice(txn, "signup", "invite", &p->invites);
	if (r == 0)
		r = policy_text_read(txn, "chat_password", p->password);
	if (r == 0)
		r = policy_number_read(txn, "chat_flood_rate", &p->flood_rate);
	if (r == 0)
		r = policy_number_read(txn, "chat_flood_burst", &p->flood_burst);
	if (r == 0)
		r = policy_number_read(txn, "chat_lag", &p->lag);
	if (r == 0)
		r = chat_events_each(txn, 0, stop_at_first, &c->created_us);
	return r < 0 ? r : 0;
}

/* What the handshake proved waits until the client asks for it, or does not. */
static void begin(struct chatd *c, struct service *s)
{
	const struct auth_identity nobody = {.proof = AUTH_NONE};

	*c = (struct chatd){.service = s,
		.conn = s->conn,
		.end_fd = -1,
		.verb = "*",
		.line = BUF_INIT(LINE_BUF_MAX),
		.body = BUF_INIT(LINE_BUF_MAX),
		.tags = BUF_INIT(LINE_BUF_MAX),
		.certificate = s->who,
		.created_us = time_now_us(),
		.last_ms = time_monotonic_ms(),
		.login_until_ms = s->started_ms + (int64_t)s->door->login_s * 1000};
	chatd_read_key(c);
	if (s->who.proof != AUTH_NONE)
		(void)service_logged_in(s, &nobody);
	chatd_answer_begin(c, span_of(NULL, 0));
}

int chatd_run(struct service *s, const unsigned char guest_key[32])
{
	struct chatd c;
	sigset_t old;
	int r;

	begin(&c, s);
	memcpy(c.guest_key, guest_key, sizeof(c.guest_key));
	r = service_watch_end(&old, &c.end_fd);
	if (r == 0)
		r = store_view(s->store, read_policy, &c);
	if (r >= 0)
		r = serve(&c);
	r = finish(&c, r);
	if (c.end_fd >= 0)
		service_unwatch_end(&old, &c.end_fd);
	free_session(&c);
	return r;
}
