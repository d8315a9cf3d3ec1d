/* The console from its beginning to its end: one loop for the face, the signals and all tasks. */
#include "client/console/console.h"

#include "base/timefmt.h"
#include "client/chat/safe.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
	TICK_MS = 1000, /* what counts down in the status line */
	ORDER_MS = 1500, /* for what ends in order: QUIT, LOGOUT */
	TOGETHER_MS = 200, /* what is told within that belongs together */
	HURRY_MS = 400, /* for the rest, whose waits fail from then on */
};

/* -- words ------------------------------------------------------------------------------------- */

static bool is_for_lines(const struct place *p)
{
	return p->kind == PLACE_CHANNEL || p->kind == PLACE_PERSON || p->kind == PLACE_CALL;
}

/* Lines that come together stand together, the last of them. */
static void said_keep(struct console *c, const char *text)
{
	int64_t now_ms = time_monotonic_ms();
	const char *rest = now_ms - c->said_ms < TOGETHER_MS ? c->said : "";
	_cleanup_(buf_done) struct buf b = BUF_INIT(2 * sizeof c->said);

	while (*rest != '\0' && strlen(rest) + strlen(text) + 2 > sizeof c->said) {
		const char *end = strchr(rest, '\n');

		rest = end != NULL ? end + 1 : "";
	}
	buf_addf(&b, "%s%s%.*s", rest, *rest != '\0' ? "\n" : "", (int)sizeof c->said, text);
	snprintf(c->said, sizeof c->said, "%s", buf_str(&b));
	safe_end(c->said);
	c->said_ms = now_ms;
}

static void line_tell(struct console *c, enum line_look look, struct span text)
{
	_cleanup_(buf_done) struct buf clean = BUF_INIT(8 * (size_t)CONSOLE_TEXT_MAX);
	const struct console_face *face = c->face;
	struct place_line l = {.at_us = time_now_us(), .look = look, .who = ""};

	safe_text(&clean, text);
	l.text = buf_str(&clean);
	said_keep(c, l.text);
	place_add(c, c->places[0], &l);
	if (!is_for_lines(c->current))
		return;
	/* The same words: the face has had them. */
	c->face = NULL;
	place_add(c, c->current, &l);
	c->face = face;
}

static void say_v(struct console *c, enum line_look look, const char *format, va_list ap)
	__attribute__((format(printf, 3, 0)));
static void say_v(struct console *c, enum line_look look, const char *format, va_list ap)
{
	char text[2 * CONSOLE_TEXT_MAX];
	struct span rest, line;

	vsnprintf(text, sizeof text, format, ap);
	rest = span_str(text);
	while (span_split(&rest, '\n', &line))
		line_tell(c, look, line);
}

void console_say(struct console *c, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say_v(c, LINE_QUIET, format, ap);
	va_end(ap);
}

void console_error(struct console *c, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say_v(c, LINE_ERROR, format, ap);
	va_end(ap);
	if (c->scripted && c->code == CLIENT_OK)
		c->code = CLIENT_NO;
}

void console_changed(struct console *c)
{
	c->changed = true;
}

/* What engines tell the person. */
static void engine_told(void *arg, bool error, const char *text)
{
	struct console *c = arg;

	if (error && part_told(c, text))
		return;
	if (error)
		console_error(c, "%s", text);
	else
		console_say(c, "%s", text);
}

/* -- the loop ---------------------------------------------------------------------------------- */

void console_leave(struct console *c, int code)
{
	if (c->leaving)
		return;
	c->leaving = true;
	if (code != CLIENT_OK)
		c->code = code;
	questions_end(c);
	(void)eventfd_write(c->client->signal_fd, 1);
	for (size_t i = 0; i < PARTS; i++) {
		if (c->parts[i].task != NULL)
			task_poke(c->parts[i].task);
		if (c->parts[i].poked != NULL)
			c->parts[i].poked(c);
	}
}

/* The signal that came, the last of several; 0 none. */
static int signal_read(int fd)
{
	struct signalfd_siginfo info;
	int n = 0;

	while (read(fd, &info, sizeof info) == (ssize_t)sizeof info)
		n = (int)info.ssi_signo;
	return n;
}

static void signal_act(struct console *c, int n)
{
	if (n == SIGINT && c->face->interrupt != NULL && c->face->interrupt(c))
		return;
	if (n != 0)
		console_leave(c, CLIENT_INTERRUPTED);
}

/* 0, or a negative errno that ends it all. */
static int round_run(struct console *c, int signal_fd)
{
	struct pollfd fds[1 + CONSOLE_FACE_FDS] = {{.fd = signal_fd, .events = POLLIN}};
	size_t count = c->face->poll(c, fds + 1);
	int r = tasks_round(fds, 1 + count, c->changed ? 0 : TICK_MS);

	if (r < 0)
		return r;
	if (fds[0].revents != 0)
		signal_act(c, signal_read(signal_fd));
	c->face->ready(c, fds + 1, count);
	questions_refresh(c);
	if (c->changed || time_monotonic_ms() - c->drawn_ms >= TICK_MS) {
		c->changed = false;
		c->drawn_ms = time_monotonic_ms();
		c->face->draw(c);
	}
	return 0;
}

/* Everything says goodbye, but nobody waits long for an answer; a signal ends that, too. */
static void tasks_leave(int signal_fd)
{
	int64_t order_ms = time_monotonic_ms() + ORDER_MS, end_ms = order_ms + HURRY_MS, now_ms;

	while (tasks_count() > 0 && (now_ms = time_monotonic_ms()) < end_ms) {
		struct pollfd p = {.fd = signal_fd, .events = POLLIN};
		bool hurry = now_ms >= order_ms;

		if (hurry)
			tasks_cancel();
		if (tasks_round(&p, 1, (int)((hurry ? end_ms : order_ms) - now_ms)) < 0)
			return;
		if (p.revents != 0 && signal_read(signal_fd) != 0)
			order_ms = 0;
	}
}

static int loop(struct console *c, int signal_fd)
{
	int r = 0;

	while (!c->leaving && r == 0)
		r = round_run(c, signal_fd);
	if (r < 0) {
		console_error(c, "the console cannot wait: %s", err_text(r));
		console_leave(c, ERR_EXIT_TEMP);
	}
	tasks_leave(signal_fd);
	c->face->draw(c);
	return c->code;
}

/* -- begin and end ----------------------------------------------------------------------------- */

static int parts_begin(struct console *c)
{
	static int (*const begin[])(struct console * c) = {[PART_CHAT] = part_chat_begin,
		[PART_MAIL] = part_mail_begin,
		[PART_FILES] = part_files_begin,
		[PART_TIME] = part_time_begin,
		[PART_IDENTITY] = part_identity_begin};
	int r = 0;

	for (unsigned i = 0; i < PARTS && r == 0; i++) {
		c->parts[i].state = PART_TRYING;
		r = begin[i](c);
	}
	return r;
}

/* The parts, below the face. */
static int live(struct console *c, int signal_fd)
{
	int r, code;

	console_say(c, "%s at %s; /help tells the commands, /quit leaves", c->profile.user,
		c->profile.host);
	r = parts_begin(c);
	client_sink(engine_told, c);
	if (r < 0)
		console_leave(c, ERR_EXIT_TEMP);
	code = loop(c, signal_fd);
	client_sink(NULL, NULL);
	c->face->end(c);
	return r < 0 ? client_fail(code, "the console cannot begin: %s", err_text(r)) : code;
}

static int run(struct console *c, int signal_fd)
{
	int code, r = tasks_begin();

	if (r < 0)
		return client_fail(ERR_EXIT_BUG, "the console cannot begin: %s", err_text(r));
	code = c->face->begin(c);
	if (code == CLIENT_OK)
		code = live(c, signal_fd);
	tasks_end();
	return code;
}

static void console_done(struct console *c)
{
	part_chat_end(c);
	part_mail_end(c);
	part_files_end(c);
	questions_end(c);
	for (size_t i = 0; i < c->place_count; i++) {
		place_clear(c->places[i]);
		free(c->places[i]);
	}
	profile_done(&c->profile);
}

static bool is_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && term != NULL &&
		*term != '\0' && strcmp(term, "dumb") != 0;
}

static int console_run(struct console *c, const struct client *given)
{
	int code = profile_need_cert(given, &c->profile);

	if (code != CLIENT_OK)
		return code;
	c->current = place_open(c, PLACE_HOUSE, "house");
	if (c->current == NULL)
		return client_fail(ERR_EXIT_TEMP, "%s", err_text(-ENOMEM));
	c->face = given->plain || !is_terminal() ? &console_plain : &console_screen;
	return run(c, given->signal_fd);
}

int cmd_console(struct client *c)
{
	struct client own = *c;
	struct console *all = calloc(1, sizeof *all);
	int code;

	if (all == NULL)
		return client_fail(ERR_EXIT_TEMP, "%s", err_text(-ENOMEM));
	all->client = &own;
	all->profile = PROFILE_INIT;
	own.signal_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	code = own.signal_fd < 0 ? client_fail(ERR_EXIT_TEMP, "the console cannot begin: %m")
				 : console_run(all, c);
	console_done(all);
	free(all);
	cleanup_close(&own.signal_fd);
	return code;
}
