/*
 * quintet ftp without a command: a session at the terminal, with history and completion, or a
 * script on standard input, which ends at the first command that fails. While the person thinks,
 * the pool's loop runs on, so that sessions stay alive or come back.
 */
#include "client/ftp/complete.h"

#include "client/ask.h"
#include "client/files.h"

#include "base/file.h"

#include <errno.h>
#include <sys/signalfd.h>

#define HISTORY_FILE "ftp-history"
#define HISTORY_BYTES (1U << 20)

enum { TICK_MS = 500 };

struct shell {
	struct ui *u;
	struct line line;
	struct buf prompt;
	size_t columns; /* as drawn last */
	struct termios cooked;
	unsigned char typed[256]; /* read ahead */
	size_t typed_at, typed_len;
};

/* -- the terminal ------------------------------------------------------------------------------ */

static void put(const char *text)
{
	(void)file_write_all(STDOUT_FILENO, span_str(text));
}

static void draw(struct shell *s)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(65536);

	s->columns = tty_columns(STDOUT_FILENO);
	line_draw(&s->line, buf_str(&s->prompt), s->columns, &out);
	put(buf_str(&out));
}

static void prompt_make(struct shell *s)
{
	buf_reset(&s->prompt);
	ui_name(&s->prompt, s->u->cwd);
	buf_add_str(&s->prompt, "> ");
}

/* -- signals ----------------------------------------------------------------------------------- */

/* Takes the signals that have come: true when all were Ctrl-C. */
static bool signals_take(const struct client *c)
{
	struct signalfd_siginfo info;
	bool only_int = true;

	while (read(c->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
		only_int = only_int && info.ssi_signo == SIGINT;
	return only_int;
}

/* -- one line ---------------------------------------------------------------------------------- */

/* In columns, as ls(1) does. */
static void names_show(const struct shell *s, const struct walk *w)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(4U << 20);
	size_t widest = 1, per_row, column = 0;

	for (size_t i = 0; i < w->count; i++) {
		size_t width = width_of(span_str(w->v[i].path)) + w->v[i].folder + 2;

		widest = width > widest ? width : widest;
	}
	per_row = s->columns > widest ? s->columns / widest : 1;
	buf_add_str(&out, "\r\n");
	for (size_t i = 0; i < w->count; i++) {
		size_t width = width_of(span_str(w->v[i].path)) + w->v[i].folder;

		ui_name(&out, w->v[i].path);
		buf_add_str(&out, w->v[i].folder ? "/" : "");
		column = (column + 1) % per_row;
		if (column == 0 || i + 1 == w->count)
			buf_add_str(&out, "\r\n");
		else
			buf_addf(&out, "%*s", (int)(widest - width), "");
	}
	put(buf_str(&out));
}

static void complete(struct shell *s)
{
	struct walk w = {.v = NULL};

	if (complete_run(s->u, &s->line, &w) < 0 || w.count == 0)
		put("\a");
	if (w.count > 0)
		names_show(s, &w);
	walk_done(&w);
	draw(s);
}

/* What a key has led to: 1 the line is ready, 0 go on, -ENODATA the person leaves, -ECANCELED by
 * Ctrl-C. */
static int key_act(struct shell *s, unsigned char key)
{
	switch (line_key(&s->line, key)) {
	case LINE_CHANGED:
		draw(s);
		return 0;
	case LINE_TAB:
		complete(s);
		return 0;
	case LINE_CLEAR:
		put("\x1b[H\x1b[2J");
		draw(s);
		return 0;
	case LINE_INTERRUPT:
		put("^C\r\n");
		if (s->line.text.len == 0)
			return -ECANCELED;
		line_next(&s->line, false);
		draw(s);
		return 0;
	case LINE_END:
		return -ENODATA;
	case LINE_ENTER:
		s->line.cursor = s->line.text.len;
		draw(s);
		put("\r\n");
		return 1;
	case LINE_PAGE_UP:
	case LINE_PAGE_DOWN:
	case LINE_NONE:
		break;
	}
	return 0;
}

/* Keys that were typed: as key_act(). What is behind the line's end stays for the next. */
static int keys_take(struct shell *s)
{
	int r = 0;

	if (s->typed_at == s->typed_len) {
		ssize_t n = read(STDIN_FILENO, s->typed, sizeof s->typed);

		if (n <= 0)
			return n < 0 && (errno == EINTR || errno == EAGAIN) ? 0 : -ENODATA;
		s->typed_at = 0;
		s->typed_len = (size_t)n;
	}
	while (r == 0 && s->typed_at < s->typed_len)
		r = key_act(s, s->typed[s->typed_at++]);
	return r;
}

/* Waits for keys with the pool running. */
static int line_edit(struct shell *s)
{
	int r = 0;

	prompt_make(s);
	line_next(&s->line, false);
	(void)tty_raw(STDIN_FILENO, &s->cooked);
	draw(s);
	while (r == 0) {
		int run = s->typed_at < s->typed_len
			? 3
			: ftp_pool_run(s->u->pool, TICK_MS, STDIN_FILENO);

		if (run == 3)
			r = keys_take(s);
		else if (run < 0)
			r = run == -ECANCELED && signals_take(s->u->client) ? 0 : -ECANCELED;
		else if (tty_columns(STDOUT_FILENO) != s->columns)
			draw(s);
	}
	tty_restore(STDIN_FILENO, &s->cooked);
	if (r < 0)
		put("\r\n");
	return r;
}

/* -- commands ---------------------------------------------------------------------------------- */

static int line_run(struct ui *u, const char *line)
{
	_cleanup_(words_done) struct words w = WORDS_INIT;
	int r = words_split(line, &w);

	if (r == -EINVAL)
		return client_fail(ERR_EXIT_CONFIG, "a quote is not closed");
	if (r < 0)
		return client_fail(ERR_EXIT_CONFIG, "the line is too long");
	if (w.count == 0 || w.v[0][0] == '#')
		return CLIENT_OK;
	return ui_run(u, (int)w.count, w.v);
}

/* After an interrupted command: on to the next prompt? */
static bool goes_on(struct ui *u, int code)
{
	if (code != CLIENT_INTERRUPTED)
		return true;
	fputs("stopped; what is there already is kept for the next time\n", stderr);
	return signals_take(u->client);
}

static int converse(struct shell *s)
{
	for (;;) {
		int r = line_edit(s), code;

		if (r < 0)
			return r == -ENODATA ? CLIENT_OK : CLIENT_INTERRUPTED;
		line_remember(&s->line, buf_span(&s->line.text));
		code = line_run(s->u, buf_str(&s->line.text));
		(void)fflush(stdout);
		if (s->u->leave)
			return CLIENT_OK;
		if (!goes_on(s->u, code))
			return CLIENT_INTERRUPTED;
	}
}

/* -- history ----------------------------------------------------------------------------------- */

static void history_read(struct shell *s)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(HISTORY_BYTES);
	struct span rest, line;

	if (files_read(s->u->profile->dir_fd, HISTORY_FILE, &text) < 0)
		return;
	rest = buf_span(&text);
	while (span_split(&rest, '\n', &line))
		line_remember(&s->line, line);
}

/* A history that cannot be kept is no reason to complain. */
static void history_write(struct shell *s)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(HISTORY_BYTES);

	for (size_t i = 0; i < s->line.history_count; i++)
		buf_addf(&text, "%s\n", s->line.history[i]);
	if (buf_error(&text) == 0)
		(void)files_write(s->u->profile->dir_fd, HISTORY_FILE, buf_span(&text));
}

/* -- both kinds of session --------------------------------------------------------------------- */

static int person(struct ui *u)
{
	struct shell s = {.u = u, .line = LINE_INIT, .prompt = BUF_INIT(UI_NAME_MAX)};
	int code;

	if (tcgetattr(STDIN_FILENO, &s.cooked) < 0)
		return client_fail(ERR_EXIT_TEMP, "the terminal does not answer: %m");
	printf("%s at %s: %s\n", u->o.user != NULL ? u->o.user : u->profile->user, u->profile->host,
		ftp_pool_security(u->pool));
	(void)fflush(stdout);
	history_read(&s);
	code = converse(&s);
	history_write(&s);
	line_done(&s.line);
	buf_done(&s.prompt);
	return code;
}

static int script(struct ui *u)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(WORDS_LINE_MAX);
	int code = CLIENT_OK, r;

	while (code == CLIENT_OK && !u->leave) {
		r = ask_fd(u->client, STDIN_FILENO, -1, &line);
		if (r < 0)
			return client_fail(r == -ECANCELED ? CLIENT_INTERRUPTED : ERR_EXIT_CONFIG,
				"the commands cannot be read: %s",
				r == -ENOBUFS ? "a line is too long" : err_text(r));
		if (r == 0)
			break;
		code = line_run(u, buf_str(&line));
		(void)fflush(stdout);
	}
	return code;
}

int shell_run(struct ui *u)
{
	u->shell = true;
	return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 ? person(u) : script(u);
}
