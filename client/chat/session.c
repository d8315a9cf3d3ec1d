/* The session's life, and what its other parts and the view share. */
#include "client/chat/talk.h"

#include "base/timefmt.h"
#include "client/link.h"
#include "net/tls.h"

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>

/* -- beginning and end ------------------------------------------------------------------------- */

static void window_closing(void *arg, struct window *w)
{
	const struct talk *t = arg;

	if (t->view->closing != NULL)
		t->view->closing(t->view_arg, w);
}

int talk_begin(struct talk *t, struct client *c, const struct profile *p,
	const struct talk_options *o, const struct talk_view *view, void *arg)
{
	*t = (struct talk){.client = c,
		.profile = p,
		.options = *o,
		.view = view,
		.view_arg = arg,
		.calls = o->calls,
		.fd = -1,
		.until_ms = 0,
		.address_ms = INT64_MAX,
		.wanted = BUF_INIT(2048)};
	t->outgoing_end = &t->outgoing;
	for (size_t i = 0; i < TALK_BATCHES_MAX; i++) {
		t->batches[i].tags = BUF_INIT(IRC_LINE_MAX);
		t->batches[i].source = BUF_INIT(IRC_LINE_MAX);
		t->batches[i].text = BUF_INIT(MODEL_TEXT_MAX);
	}
	if (windows_begin(&t->model) < 0)
		return -ENOMEM;
	t->model.closing = window_closing;
	t->model.closing_arg = t;
	t->current = t->model.windows[0];
	return 0;
}

int talk_identity(struct talk *t)
{
	const struct profile *p = t->profile;
	struct tls_client *fresh = NULL;
	bool cert = t->options.user == NULL && p->cert_pem.len > 0;
	const struct tls_client_config config = {.root_pem = buf_span(&p->root_pem),
		.extra_pem = buf_span(&p->chain_pem),
		.key_pem = cert ? buf_span(&p->key_pem) : span_of(NULL, 0),
		.cert_pem = cert ? buf_span(&p->cert_pem) : span_of(NULL, 0),
		.alpn = "irc"};

	if (tls_client_new(&config, &fresh) < 0)
		return -EINVAL;
	tls_client_freep(&t->tls);
	t->tls = fresh;
	return 0;
}

int talk_prepare(struct talk *t)
{
	const struct profile *p = t->profile;
	const struct directory_door *door = directory_door(&p->doors, "ircs");
	int r;

	if (door == NULL)
		return client_fail(CLIENT_NO, "%s does not offer chat (\"ircs\")", p->host);
	t->port = door->port;
	if (talk_identity(t) < 0)
		return client_fail(ERR_EXIT_CONFIG, "the profile's certificates cannot be used: %s",
			tls_error_text());
	r = link_resolve(p->host, t->port, &t->addresses);
	return r < 0 ? client_fail(client_exit_of(r), "cannot reach %s: %s", p->host, client_why(r))
		     : CLIENT_OK;
}

void talk_attach(struct talk *t, struct conn *conn)
{
	t->conn = conn;
	t->until_ms = INT64_MAX;
	login_begin(t);
}

void talk_done(struct talk *t)
{
	while (talk_answer(t, false))
		;
	if (t->calls != NULL && t->calls_state != NULL)
		t->calls->end(t->calls_state);
	t->calls_state = NULL;
	conn_freep(&t->conn);
	cleanup_close(&t->fd);
	if (t->addresses != NULL)
		freeaddrinfo(t->addresses);
	t->addresses = NULL;
	tls_client_freep(&t->tls);
	fill_forget(t);
	outgoing_done(t);
	incoming_forget(t);
	for (size_t i = 0; i < TALK_BATCHES_MAX; i++) {
		buf_done(&t->batches[i].tags);
		buf_done(&t->batches[i].source);
		buf_done(&t->batches[i].text);
	}
	buf_done(&t->wanted);
	windows_done(&t->model);
}

void talk_leave(struct talk *t, const char *reason)
{
	t->leaving = true;
	if (t->state >= TALK_LOGIN && t->state < TALK_OVER &&
		talk_send(t, "QUIT :%s", reason) == 0) {
		t->until_ms = time_monotonic_ms() + 1000;
		return;
	}
	net_end(t, CLIENT_OK, "left");
}

/* -- lines out --------------------------------------------------------------------------------- */

static bool line_is_one(const char *line)
{
	return strchr(line, '\n') == NULL && strchr(line, '\r') == NULL;
}

static int send_v(struct talk *t, const char *tags, const char *format, va_list ap)
	__attribute__((format(printf, 3, 0)));
static int send_v(struct talk *t, const char *tags, const char *format, va_list ap)
{
	char line[IRC_BODY_MAX + 2];
	int n;

	if (t->conn == NULL || t->state < TALK_LOGIN || t->state == TALK_OVER)
		return -ENOTCONN;
	n = vsnprintf(line, sizeof line, format, ap);
	if (n <= 0 || n > IRC_BODY_MAX || !line_is_one(line))
		return -EMSGSIZE;
	if (strlen(tags) > IRC_CLIENT_TAGS_MAX)
		return -EMSGSIZE;
	if (*tags != '\0')
		return conn_printf(t->conn, "@%s %s\r\n", tags, line);
	return conn_printf(t->conn, "%s\r\n", line);
}

int talk_send(struct talk *t, const char *format, ...)
{
	va_list ap;
	int r;

	va_start(ap, format);
	r = send_v(t, "", format, ap);
	va_end(ap);
	return r;
}

int talk_send_tagged(struct talk *t, const char *tags, const char *format, ...)
{
	va_list ap;
	int r;

	va_start(ap, format);
	r = send_v(t, tags, format, ap);
	va_end(ap);
	return r;
}

int talk_line(struct talk *t, const char *format, ...)
{
	va_list ap;
	int r;

	if (t->state != TALK_READY)
		return -ENOTCONN;
	va_start(ap, format);
	r = send_v(t, "", format, ap);
	va_end(ap);
	return r;
}

void talk_label(struct talk *t, char letter, char ret[TALK_ID_SIZE])
{
	snprintf(ret, TALK_ID_SIZE, "%c%u", letter, ++t->numbers);
}

/* -- ready and lost ---------------------------------------------------------------------------- */

/* Channels that the server has taken us out of meanwhile, or that a guest has to join anew. */
static void join_again(struct talk *t)
{
	for (size_t i = 1; i < t->model.count; i++) {
		struct window *w = t->model.windows[i];

		if (w->kind == WINDOW_CHANNEL && w->was_joined && !w->joined)
			(void)talk_send(
				t, "JOIN %s%s%s", w->name, w->key[0] != '\0' ? " " : "", w->key);
		w->was_joined = false;
		if (w->kind == WINDOW_PERSON)
			fill_window(t, w);
	}
}

/* Who wrote while nobody was here. */
static void people_ask(struct talk *t)
{
	enum { DAYS = 30 };
	int64_t now_us = t->clock_us != 0 ? t->clock_us : time_now_us();
	int64_t from_us =
		t->people_us != 0 ? t->people_us : now_us - DAYS * INT64_C(86400) * TIME_S_US;
	char from[128] = "timestamp=", to[128] = "timestamp=";

	if (!t->options.people)
		return;
	irc_time_write(from_us, from + strlen(from));
	irc_time_write(now_us + 3600 * TIME_S_US, to + strlen(to));
	(void)fill_ask(t, FILL_TARGETS, "*", from, to, 50);
}

void talk_ready(struct talk *t)
{
	t->state = TALK_READY;
	t->until_ms = INT64_MAX;
	t->ready_ms = t->heard_ms = time_monotonic_ms();
	t->was_ready = true;
	join_again(t);
	people_ask(t);
	outgoing_check(t);
	if (t->view->ready != NULL)
		t->view->ready(t->view_arg);
	talk_changed(t);
	fill_next(t);
	outgoing_flush(t);
}

void talk_forget(struct talk *t)
{
	if (t->registered && t->clock_us != 0)
		t->gap_us = t->clock_us;
	if (t->registered && fill_people_known(t))
		t->people_us = t->clock_us;
	t->people_told = false;
	for (size_t i = 1; i < t->model.count; i++) {
		struct window *w = t->model.windows[i];

		w->was_joined = w->was_joined || w->joined;
		w->joined = w->filling = w->names_open = false;
		w->gap = t->gap_us != 0;
		windows_members_clear(&t->model, w);
	}
	incoming_forget(t);
	fill_forget(t);
	outgoing_lost(t);
	t->registered = t->sasl_over = false;
	t->caps = t->offered = 0;
	t->nick_tries = 0;
	t->source_len = 0;
	t->mechanism[0] = t->sync[0] = '\0';
}

/* -- windows ----------------------------------------------------------------------------------- */

bool talk_is_channel(struct span name)
{
	return name.len > 0 && *name.p == '#';
}

/* Of what they said while nobody was here this may be the last. */
static void person_past(struct talk *t, struct window *w)
{
	if (t->people_us != 0 && !fill_people_known(t)) {
		w->gap = true;
		w->sure_us = t->people_us;
	}
	if (t->state == TALK_READY)
		fill_window(t, w);
}

struct window *talk_window(struct talk *t, struct span name)
{
	enum window_kind kind = talk_is_channel(name) ? WINDOW_CHANNEL
		: name.len > 0 && *name.p == '='      ? WINDOW_CALL
						      : WINDOW_PERSON;
	struct window *w = windows_find(&t->model, name);

	if (w != NULL)
		return w;
	w = windows_open(&t->model, kind, name, t->current);
	if (w == NULL)
		return NULL;
	w->sure_us = t->clock_us;
	if (kind == WINDOW_PERSON && t->options.people)
		person_past(t, w);
	talk_changed(t);
	return w;
}

void talk_window_close(struct talk *t, struct window *w)
{
	if (w == t->model.windows[0])
		return;
	window_closing(t, w);
	if (t->current == w)
		t->current = t->model.windows[0];
	fill_drop(t, w->name);
	windows_close(&t->model, w);
	talk_changed(t);
}

void talk_changed(struct talk *t)
{
	if (t->view->changed != NULL)
		t->view->changed(t->view_arg);
}

void talk_add(struct talk *t, struct window *w, struct item *i)
{
	struct item *kept = NULL;

	if (i == NULL || windows_add(w, i, &kept) <= 0)
		return;
	/* Before what is missing this would be out of order: fill.c shows it then. */
	if ((w->filling || w->gap) && kept->seq != 0)
		return;
	kept->shown = true;
	fill_sure(w, kept);
	if (t->view->item != NULL)
		t->view->item(t->view_arg, w, kept);
	talk_changed(t);
}

void talk_mark_read(struct talk *t, struct window *w)
{
	int64_t newest_us = windows_newest_us(w);
	char at[IRC_TIME_SIZE];

	if (newest_us == 0 || w->kind == WINDOW_CALL || w->kind == WINDOW_SERVER)
		return;
	if (w->unread > 0 || newest_us > w->read_us) {
		windows_read(w, newest_us);
		talk_changed(t);
	}
	if (t->state != TALK_READY || !talk_has(t, TALK_MARKER) || w->marker_sent_us >= newest_us)
		return;
	irc_time_write(newest_us, at);
	if (talk_send(t, "MARKREAD %s timestamp=%s", w->name, at) == 0)
		w->marker_sent_us = newest_us;
}

/* -- what calls see ---------------------------------------------------------------------------- */

bool talk_is_ready(const struct talk *t)
{
	return t->state == TALK_READY;
}

const char *talk_nick(const struct talk *t)
{
	return t->nick;
}

const struct profile *talk_profile(const struct talk *t)
{
	return t->profile;
}

bool talk_has_calls(const struct talk *t)
{
	return talk_has(t, TALK_CALLS);
}

int talk_socket(const struct talk *t)
{
	return t->conn != NULL ? conn_fd(t->conn) : -1;
}
