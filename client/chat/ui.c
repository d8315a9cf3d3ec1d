/* The session with a person or a script: keys, lines, signals. */
#include "client/chat/ui.h"

#include "base/timefmt.h"
#include "client/peer/peer.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { TICK_MS = 300, SCRIPT_MAX = 65536 };

/* -- keys -------------------------------------------------------------------------------------- */

static void line_take(struct chatui *u)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(LINE_MAX_BYTES);

	buf_add(&text, buf_span(&u->line.text));
	line_next(&u->line, true);
	u->redraw = true;
	if (text.len > 0)
		chatacts_line(&u->acts, buf_span(&text));
	talk_mark_read(&u->talk, u->talk.current);
}

static void interrupted(struct chatui *u)
{
	if (u->line.text.len > 0) {
		line_next(&u->line, false);
		u->redraw = true;
		return;
	}
	if (u->pressed) {
		u->code = CLIENT_INTERRUPTED;
		talk_leave(&u->talk, "");
		return;
	}
	u->pressed = true;
	chatui_say(u, "Ctrl-C once more, Ctrl-D or /quit leave");
}

static void key_act(struct chatui *u, unsigned char key)
{
	enum line_event e = line_key(&u->line, key);

	if (e != LINE_INTERRUPT && e != LINE_NONE)
		u->pressed = false;
	switch (e) {
	case LINE_CHANGED:
		u->redraw = true;
		break;
	case LINE_ENTER:
		line_take(u);
		break;
	case LINE_TAB:
		if (!chatui_complete(u))
			buf_add_str(&u->out, "\a");
		break;
	case LINE_END:
		talk_leave(&u->talk, "");
		break;
	case LINE_INTERRUPT:
		interrupted(u);
		break;
	case LINE_CLEAR:
		buf_add_str(&u->out, "\x1b[H\x1b[2J");
		u->redraw = true;
		break;
	case LINE_PAGE_UP:
		chatui_older(u, CHATACTS_OLDER);
		break;
	case LINE_PAGE_DOWN:
	case LINE_NONE:
		break;
	}
}

static void keys_ready(void *arg)
{
	struct chatui *u = arg;
	unsigned char typed[512];
	ssize_t n = read(STDIN_FILENO, typed, sizeof typed);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		/* The terminal is gone. */
		u->watch.fd = -1;
		talk_leave(&u->talk, "");
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		key_act(u, typed[i]);
}

/* -- a script ---------------------------------------------------------------------------------- */

void chatui_await(struct chatui *u)
{
	if (u->talk.state != TALK_READY || u->talk.leaving)
		return;
	snprintf(u->sync, sizeof u->sync, "script-%u", ++u->syncs);
	if (talk_line(&u->talk, "PING :%s", u->sync) < 0)
		u->sync[0] = '\0';
}

/* The next line of a script may need what this one has led to. */
static void script_line(struct chatui *u, struct span line)
{
	chatacts_line(&u->acts, line);
	if (*line.p == '/')
		chatui_await(u);
}

static void script_lines(struct chatui *u)
{
	struct span rest = buf_span(&u->script), line;
	size_t used = 0;

	while (memchr(rest.p != NULL ? (const char *)rest.p : "", '\n', rest.len) != NULL &&
		u->sync[0] == '\0' && !u->talk.leaving &&
		u->talk.outgoing_count < TALK_OUTGOING_MAX / 2) {
		(void)span_split(&rest, '\n', &line);
		used += line.len + 1;
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		if (line.len > 0)
			script_line(u, line);
	}
	buf_consume(&u->script, used);
	if (u->script.len >= SCRIPT_MAX && used == 0 && u->talk.outgoing_count == 0) {
		chatui_error(u, "a line is too long");
		buf_reset(&u->script);
	}
}

static void script_ready(void *arg)
{
	struct chatui *u = arg;
	unsigned char *p = buf_reserve(&u->script, SCRIPT_MAX + 1 - u->script.len);
	ssize_t n;

	if (p == NULL)
		return;
	n = read(STDIN_FILENO, p, SCRIPT_MAX - u->script.len);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0) {
		buf_commit(&u->script, (size_t)n);
		return;
	}
	if (u->script.len > 0 && u->script.p[u->script.len - 1] != '\n')
		buf_add_byte(&u->script, '\n');
	u->ended = true;
}

static bool calls_idle(const struct talk *t)
{
	return t->calls_state == NULL || peer_is_idle(t->calls_state);
}

/* Lines of `quintet chat call` are for the call, and for questions about it. */
static bool takes_lines(const struct chatui *u)
{
	const struct talk *t = &u->talk;

	if (!u->ready || u->sync[0] != '\0' || t->leaving ||
		t->outgoing_count >= TALK_OUTGOING_MAX / 2)
		return false;
	return u->call == NULL || t->current->kind == WINDOW_CALL || t->question_count > 0;
}

/* What was read is run when there is a line; at its end what is under way is awaited, files of a
 * call too. */
static void script_step(struct chatui *u)
{
	const struct talk *t = &u->talk;

	if (takes_lines(u))
		script_lines(u);
	u->watch.fd = takes_lines(u) && !u->ended && u->script.len < SCRIPT_MAX ? STDIN_FILENO : -1;
	if (!u->ended || u->script.len > 0 || u->sync[0] != '\0' || t->leaving)
		return;
	if (u->call != NULL && t->current->kind == WINDOW_CALL && !peer_is_moving(t->calls_state))
		chatacts_line(&u->acts, SPAN_LIT("/hangup"));
	else if (t->state == TALK_READY && t->outgoing_count == 0 && t->fill_count == 0 &&
		t->question_count == 0 && calls_idle(t))
		talk_leave(&u->talk, "");
}

/* quintet chat call: asked for once, and over with the call. */
static void call_step(struct chatui *u)
{
	struct talk *t = &u->talk;

	if (u->call == NULL || !u->ready || t->leaving)
		return;
	if (!u->calling)
		(void)t->calls->command(t->calls_state, t->current->name, "call", u->call);
	u->calling = true;
	u->called = u->called || t->current->kind == WINDOW_CALL;
	if (calls_idle(t))
		talk_leave(t, "");
}

/* -- the loop ---------------------------------------------------------------------------------- */

static bool each_round(void *arg)
{
	struct chatui *u = arg;

	call_step(u);
	if (!u->person)
		script_step(u);
	else if (u->ready && u->talk.current->unread > 0)
		talk_mark_read(&u->talk, u->talk.current);
	chatui_flush(u);
	return false;
}

static void on_signal(void *arg)
{
	struct chatui *u = arg;
	struct signalfd_siginfo info;

	while (read(u->talk.client->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
		u->code = CLIENT_INTERRUPTED;
	/* A second one does not wait for the server. */
	if (u->talk.leaving)
		net_end(&u->talk, CLIENT_INTERRUPTED, "stopped");
	else
		talk_leave(&u->talk, "");
}

static void on_tick(void *arg, short revents)
{
	struct chatui *u = arg;

	(void)revents;
	u->tick.until_ms = time_monotonic_ms() + TICK_MS;
	if (u->drawn && tty_columns(STDOUT_FILENO) != u->columns)
		u->redraw = true;
}

static void channels_wanted(struct chatui *u, const struct client_words *channels)
{
	for (size_t i = 0; i < channels->count; i++)
		(void)talk_window(&u->talk, span_str(channels->v[i]));
	for (size_t i = 0; i < channels->count; i++) {
		struct window *w = windows_find(&u->talk.model, span_str(channels->v[i]));

		/* As if we had been in it: joined when the server has not done so. */
		if (w != NULL)
			w->was_joined = w->kind == WINDOW_CHANNEL;
		if (w != NULL && i == 0)
			u->talk.current = w;
	}
}

static int over(struct chatui *u, int code)
{
	const struct talk *t = &u->talk;

	if (u->person)
		buf_add_str(&u->out, "\r\x1b[K");
	u->redraw = false;
	chatui_flush(u);
	if (code > 0 && code != CLIENT_INTERRUPTED && t->reason[0] != '\0')
		return client_fail(code, "%s", t->reason);
	if (code == CLIENT_OK && u->code == CLIENT_OK && u->call != NULL && !u->called)
		return CLIENT_NO;
	return code != CLIENT_OK ? code : u->code;
}

static int run(struct chatui *u)
{
	int code = talk_loop(&u->talk, &u->watch, INT64_MAX);

	return over(u, code);
}

static int person(struct chatui *u)
{
	int r = tty_raw(STDIN_FILENO, &u->cooked), code;

	if (r < 0)
		return client_fail(ERR_EXIT_TEMP, "the terminal does not answer: %s", err_text(r));
	u->tick = (struct talk_source){.fd = -1, .step = on_tick, .arg = u};
	(void)talk_source_add(&u->talk, &u->tick);
	code = run(u);
	talk_source_remove(&u->talk, &u->tick);
	tty_restore(STDIN_FILENO, &u->cooked);
	return code;
}

static int calls_begin(struct chatui *u, const struct chatui_start *start)
{
	struct talk *t = &u->talk;
	int r;

	if (t->calls->begin(t, &t->calls_state) < 0)
		return client_fail(ERR_EXIT_TEMP, "%s", err_text(-ENOMEM));
	r = start->downloads != NULL ? peer_downloads(t->calls_state, start->downloads) : 0;
	if (r < 0)
		return client_fail(ERR_EXIT_CONFIG, "%s: %s", start->downloads, err_text(r));
	u->call = start->call;
	return CLIENT_OK;
}

static int session(struct chatui *u, const struct chatui_start *start)
{
	int code;

	channels_wanted(u, &start->channels);
	code = talk_prepare(&u->talk);
	if (code == CLIENT_OK)
		code = calls_begin(u, start);
	if (code != CLIENT_OK)
		return code;
	return u->person ? person(u) : run(u);
}

int chatui_run(struct client *c, const struct profile *p, const struct talk_options *o,
	const struct chatui_start *start)
{
	struct chatui *u = calloc(1, sizeof *u);
	struct talk_options options = *o;
	int code;

	options.calls = &peer_calls;
	if (u == NULL || talk_begin(&u->talk, c, p, &options, &chatui_view, u) < 0) {
		free(u);
		return client_fail(ERR_EXIT_TEMP, "%s", err_text(-ENOMEM));
	}
	u->person = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
	u->acts = (struct chatacts){.talk = &u->talk, .face = &chatui_face, .arg = u};
	u->line = LINE_INIT;
	u->out = BUF_INIT(16U << 20);
	u->script = BUF_INIT(SCRIPT_MAX + 2);
	u->watch = (struct talk_watch){.fd = u->person ? STDIN_FILENO : -1,
		.ready = u->person ? keys_ready : script_ready,
		.signal = on_signal,
		.stop = each_round,
		.arg = u};
	code = session(u, start);
	talk_done(&u->talk);
	line_done(&u->line);
	buf_done(&u->out);
	buf_done(&u->script);
	free(u);
	return code;
}
