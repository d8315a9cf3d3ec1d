/*
 * The face with a screen: what it waits for, and when it draws. Keys are answered at once; what
 * comes by itself at most twenty times a second, by a timer when it comes faster.
 */
#include "client/console/face_screen.h"

#include "base/timefmt.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { FD_KEYS, FD_SIGNAL, FD_TIMER, FDS };
enum { DRAW_MS = 50, NOTICE_MAX = 8192, HELP_MAX = 65536, PASTE_MAX = 1 << 20 };
enum { KEYS_AT_ONCE = 4096 }; /* then the others have their turn */

_Static_assert((int)FDS <= (int)CONSOLE_FACE_FDS, "the loop has room for them");

/* -- begin and end ------------------------------------------------------------------------------
 */

static void own_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGWINCH);
	sigaddset(ret, SIGTSTP);
	sigaddset(ret, SIGCONT);
}

static void face_free(struct face *f)
{
	line_done(&f->line);
	buf_done(&f->notice);
	buf_done(&f->help_text);
	buf_done(&f->paste);
	cleanup_close(&f->signal_fd);
	cleanup_close(&f->timer_fd);
	free(f);
}

static struct face *face_new(void)
{
	struct face *f = calloc(1, sizeof *f);
	sigset_t set;

	if (f == NULL)
		return NULL;
	own_signals(&set);
	f->line = LINE_INIT;
	f->notice = BUF_INIT((size_t)NOTICE_MAX);
	f->help_text = BUF_INIT((size_t)HELP_MAX);
	f->paste = BUF_INIT((size_t)PASTE_MAX);
	f->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	f->signal_fd = sigprocmask(SIG_BLOCK, &set, NULL) < 0
		? -1
		: signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (f->timer_fd >= 0 && f->signal_fd >= 0)
		return f;
	face_free(f);
	return NULL;
}

static int begin(struct console *c)
{
	struct face *f = face_new();
	int code;

	if (f == NULL)
		return client_fail(ERR_EXIT_TEMP, "cannot make the screen: %m");
	code = face_term_begin(&f->term);
	if (code != CLIENT_OK) {
		face_free(f);
		return code;
	}
	c->face_state = f;
	line_next(&f->line, false);
	face_draw(c);
	return CLIENT_OK;
}

static void end(struct console *c)
{
	struct face *f = face_of(c);
	sigset_t set;

	if (f == NULL)
		return;
	c->face_state = NULL;
	face_term_end(&f->term);
	face_free(f);
	own_signals(&set);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* -- what comes ---------------------------------------------------------------------------------
 */

static size_t fds_of(struct console *c, struct pollfd *fds)
{
	const struct face *f = face_of(c);

	/* Another program has the terminal. */
	if (f == NULL || !f->term.on)
		return 0;
	fds[FD_KEYS] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
	fds[FD_SIGNAL] = (struct pollfd){.fd = f->signal_fd, .events = POLLIN};
	fds[FD_TIMER] = (struct pollfd){.fd = f->timer_fd, .events = POLLIN};
	return FDS;
}

/* Draws after that time, unless something is drawn before. */
static void timer_set(struct face *f, int64_t wait_ms)
{
	struct itimerspec when = {
		.it_value = {wait_ms / 1000, wait_ms % 1000 * 1000000 + (wait_ms == 0)}};

	f->timed = timerfd_settime(f->timer_fd, 0, &when, NULL) == 0;
}

static void draw_now(struct console *c)
{
	struct face *f = face_of(c);
	int64_t said_ms = c->said_ms + FACE_SAID_MS - time_monotonic_ms();

	f->timed = false;
	face_draw(c);
	f->drawn_ms = time_monotonic_ms();
	if (*c->said != '\0' && said_ms > 0)
		timer_set(f, said_ms);
}

static void draw(struct console *c)
{
	struct face *f = face_of(c);
	int64_t since_ms;

	if (f == NULL || !f->term.on)
		return;
	since_ms = time_monotonic_ms() - f->drawn_ms;
	if (since_ms >= DRAW_MS)
		draw_now(c);
	else
		timer_set(f, DRAW_MS - since_ms);
}

/* Ctrl-Z stops this program, too, as any other of the job. */
static void stops_let(bool let)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	(void)sigprocmask(let ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

/* Leaves the terminal to the shell until somebody wants the program back. */
void face_suspend(struct console *c)
{
	struct face *f = face_of(c);

	face_term_pause(&f->term);
	/* As the key does it: to all of the job. */
	(void)kill(0, SIGTSTP);
	stops_let(true);
	stops_let(false);
	face_term_resume(&f->term);
}

static void signals_take(struct console *c)
{
	struct face *f = face_of(c);
	struct signalfd_siginfo info;

	while (read(f->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
		switch (info.ssi_signo) {
		case SIGWINCH:
			face_term_size(&f->term);
			break;
		case SIGTSTP:
			face_suspend(c);
			break;
		default:
			/* Whoever had the terminal meanwhile may have changed everything. */
			face_term_pause(&f->term);
			face_term_resume(&f->term);
			break;
		}
}

/* A key may end the face, or give its terminal away. */
static bool has_terminal(const struct console *c)
{
	return face_of(c) != NULL && face_of(c)->term.on && !c->leaving;
}

static void keys_take(struct console *c)
{
	for (int i = 0; i < KEYS_AT_ONCE && has_terminal(c); i++) {
		uint32_t key = face_term_key(&face_of(c)->term);

		if (key == FACE_KEY_NONE)
			return;
		face_key(c, key);
	}
}

static void ready(struct console *c, const struct pollfd *fds, size_t count)
{
	struct face *f = face_of(c);
	uint64_t times;

	if (f == NULL || count != FDS)
		return;
	if (fds[FD_TIMER].revents != 0 && read(f->timer_fd, &times, sizeof times) < 0)
		f->timed = false;
	if (fds[FD_SIGNAL].revents != 0)
		signals_take(c);
	if ((fds[FD_KEYS].revents & POLLIN) != 0)
		keys_take(c);
	else if (fds[FD_KEYS].revents != 0)
		/* The terminal is gone. */
		console_leave(c, CLIENT_INTERRUPTED);
	if (has_terminal(c) &&
		(fds[FD_KEYS].revents | fds[FD_SIGNAL].revents | fds[FD_TIMER].revents) != 0)
		draw_now(c);
}

/* -- what is told -------------------------------------------------------------------------------
 */

struct face_view *face_view_of(struct face *f, const struct place *p)
{
	struct face_view *oldest = &f->views[0];

	f->uses++;
	for (size_t i = 0; i < CONSOLE_PLACES_MAX; i++) {
		struct face_view *v = &f->views[i];

		if (v->place == p && v->number == p->number) {
			v->used = f->uses;
			return v;
		}
		/* Those of closed places are not asked for any more. */
		if (v->used < oldest->used)
			oldest = v;
	}
	face_view_begin(oldest, p);
	oldest->used = f->uses;
	return oldest;
}

static void line_added(struct console *c, const struct place *p, const struct place_line *l)
{
	struct face *f = face_of(c);

	(void)l;
	if (f != NULL)
		face_view_added(face_view_of(f, p), p);
}

void face_notice(struct face *f, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	buf_reset(&f->notice);
	buf_add_str(&f->notice, text);
}

static void pause_face(struct console *c)
{
	if (face_of(c) == NULL)
		return;
	face_term_pause(&face_of(c)->term);
	stops_let(true);
}

static void resume_face(struct console *c)
{
	if (face_of(c) == NULL)
		return;
	stops_let(false);
	face_term_resume(&face_of(c)->term);
	draw_now(c);
}

/* Ctrl-C is a key here; one that comes as a signal was meant for who has the terminal now. */
static bool interrupt(struct console *c)
{
	return face_of(c) != NULL && !face_of(c)->term.on;
}

static void help(struct console *c)
{
	if (!face_of(c)->help)
		face_help_toggle(c, face_of(c));
}

const struct console_face console_screen = {.begin = begin,
	.end = end,
	.poll = fds_of,
	.ready = ready,
	.draw = draw,
	.line_added = line_added,
	.interrupt = interrupt,
	.pause = pause_face,
	.resume = resume_face,
	.help = help};
