/* The plain face: what comes from standard input, by keys or as lines. See face_plain.h. */
#include "client/console/face_plain.h"

#include "base/timefmt.h"

#include <errno.h>
#include <unistd.h>

enum { IN_MAX = 65536, BEGIN_MS = 10000, OUT_MAX = 16 << 20 };

/* -- keys -------------------------------------------------------------------------------------- */

static void line_take(struct console *c)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(LINE_MAX_BYTES);
	struct plain *f = plain_of(c);

	buf_add(&text, buf_span(&f->line.text));
	line_next(&f->line, true);
	f->redraw = true;
	if (text.len > 0 || c->current->kind == PLACE_LETTER)
		console_line(c, buf_span(&text));
	chat_seen(c, c->current);
}

static bool interrupt(struct console *c)
{
	struct plain *f = plain_of(c);

	if (c->scripted || f->pressed)
		return false;
	f->pressed = true;
	console_say(c, "Ctrl-C once more, or /quit, leaves");
	return true;
}

static void complete(struct console *c)
{
	_cleanup_(buf_done) struct buf added = BUF_INIT(65536), names = BUF_INIT(65536);
	struct plain *f = plain_of(c);
	struct span before = span_of(f->line.text.p, f->line.cursor);

	if (!console_complete(c, before, &added, &names))
		buf_add_str(&f->out, "\a");
	else if (added.len > 0)
		line_replace(&f->line, f->line.cursor, buf_span(&added));
	else
		plain_line(f, "%s", buf_str(&names));
	f->redraw = true;
}

static void key_act(struct console *c, unsigned char key)
{
	struct plain *f = plain_of(c);
	enum line_event e = line_key(&f->line, key);

	if (e != LINE_INTERRUPT && e != LINE_NONE)
		f->pressed = false;
	switch (e) {
	case LINE_CHANGED:
		f->redraw = true;
		break;
	case LINE_ENTER:
		line_take(c);
		break;
	case LINE_TAB:
		complete(c);
		break;
	case LINE_END:
		console_line(c, SPAN_LIT("/quit"));
		break;
	case LINE_INTERRUPT:
		if (f->line.text.len > 0) {
			line_next(&f->line, false);
			f->redraw = true;
		} else if (!interrupt(c)) {
			console_leave(c, CLIENT_INTERRUPTED);
		}
		break;
	case LINE_CLEAR:
		buf_add_str(&f->out, "\x1b[H\x1b[2J");
		f->redraw = true;
		break;
	case LINE_PAGE_UP:
		chat_older(c, c->current);
		break;
	case LINE_PAGE_DOWN:
	case LINE_NONE:
		break;
	}
}

/* -- lines ------------------------------------------------------------------------------------- */

/* Nothing that a line has led to is under way, transfers aside. */
static bool is_settled(const struct console *c)
{
	for (size_t i = 0; i < PARTS; i++)
		if (c->parts[i].busy > 0)
			return false;
	return c->errands == 0;
}

/* A script's first line waits until all is there that can be. */
static bool is_begun(const struct console *c)
{
	const struct plain *f = plain_of(c);

	for (unsigned id = 0; id < PARTS; id++)
		if (c->parts[id].state == PART_TRYING && c->parts[id].losses == 0 &&
			time_monotonic_ms() - f->began_ms < BEGIN_MS)
			return false;
	return true;
}

static bool takes_lines(const struct console *c)
{
	return !c->leaving && (!c->scripted || (is_begun(c) && is_settled(c)));
}

static bool line_next_in(struct plain *f, struct span *ret)
{
	const unsigned char *end = f->in.len > 0 ? memchr(f->in.p, '\n', f->in.len) : NULL;

	if (end == NULL)
		return false;
	*ret = span_of(f->in.p, (size_t)(end - f->in.p));
	return true;
}

static void lines_take(struct console *c)
{
	struct plain *f = plain_of(c);
	struct span line;

	while (takes_lines(c) && line_next_in(f, &line)) {
		_cleanup_(buf_done) struct buf copy = BUF_INIT(IN_MAX + 2);
		size_t used = line.len + 1;

		/* What came of the line before, while it is looked at. */
		plain_place(c);
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		buf_add(&copy, line);
		buf_consume(&f->in, used);
		f->pressed = false;
		if (copy.len > 0 || c->current->kind == PLACE_LETTER)
			console_line(c, buf_span(&copy));
	}
	if (f->in.len >= IN_MAX && !line_next_in(f, &line)) {
		console_error(c, "a line is too long");
		buf_reset(&f->in);
	}
}

/* Its end was read, and what was asked for is done, as far as it can be now. */
static void end_look(struct console *c)
{
	struct plain *f = plain_of(c);

	if (!f->ended || f->in.len > 0 || !takes_lines(c) || !is_settled(c) ||
		transfers_busy(c) > 0 || chat_busy(c) || c->certificate.renewing)
		return;
	console_leave(c, CLIENT_OK);
}

static void input_read(struct console *c)
{
	struct plain *f = plain_of(c);
	unsigned char bytes[4096];
	size_t room = f->editing ? sizeof bytes : IN_MAX - f->in.len;
	ssize_t n = read(STDIN_FILENO, bytes, room < sizeof bytes ? room : sizeof bytes);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		if (f->editing)
			console_leave(c, CLIENT_OK);
		if (f->in.len > 0 && f->in.p[f->in.len - 1] != '\n')
			buf_add_byte(&f->in, '\n');
		f->ended = true;
		return;
	}
	if (!f->editing)
		buf_add(&f->in, span_of(bytes, (size_t)n));
	for (ssize_t i = 0; i < n && f->editing && !c->leaving; i++)
		key_act(c, bytes[i]);
}

/* -- the face ---------------------------------------------------------------------------------- */

static bool can_edit(void)
{
	const char *term = getenv("TERM");

	return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && term != NULL &&
		*term != '\0' && strcmp(term, "dumb") != 0;
}

static void plain_resume(struct console *c)
{
	struct plain *f = plain_of(c);

	if (f->editing)
		(void)tty_raw(STDIN_FILENO, &f->cooked);
	f->redraw = true;
}

static void plain_pause(struct console *c)
{
	struct plain *f = plain_of(c);

	if (f->drawn)
		buf_add_str(&f->out, "\r\x1b[K");
	f->drawn = f->redraw = false;
	plain_flush(c);
	if (f->editing)
		tty_restore(STDIN_FILENO, &f->cooked);
}

static int plain_begin(struct console *c)
{
	struct plain *f = calloc(1, sizeof *f);
	int r = 0;

	if (f == NULL)
		return client_fail(ERR_EXIT_TEMP, "%s", err_text(-ENOMEM));
	f->line = LINE_INIT;
	f->out = BUF_INIT(OUT_MAX);
	f->in = BUF_INIT(IN_MAX + 2);
	f->began_ms = time_monotonic_ms();
	f->editing = can_edit();
	c->face_state = f;
	c->scripted = isatty(STDIN_FILENO) != 1;
	f->shows = c->shows;
	if (f->editing)
		r = tty_raw(STDIN_FILENO, &f->cooked);
	if (r < 0) {
		f->editing = false;
		return client_fail(ERR_EXIT_TEMP, "the terminal does not answer: %s", err_text(r));
	}
	return CLIENT_OK;
}

static void plain_end(struct console *c)
{
	struct plain *f = plain_of(c);

	plain_pause(c);
	line_done(&f->line);
	buf_done(&f->out);
	buf_done(&f->in);
	free(f);
	c->face_state = NULL;
}

static size_t plain_poll(struct console *c, struct pollfd *fds)
{
	const struct plain *f = plain_of(c);
	struct span line;
	struct plain *in = plain_of(c);
	bool wants = f->editing ||
		(!f->ended && f->in.len < IN_MAX && takes_lines(c) && !line_next_in(in, &line));

	fds[0] = (struct pollfd){.fd = wants ? STDIN_FILENO : -1, .events = POLLIN};
	return 1;
}

static void plain_ready(struct console *c, const struct pollfd *fds, size_t count)
{
	struct plain *f = plain_of(c);

	if (count > 0 && fds[0].revents != 0)
		input_read(c);
	if (!f->editing) {
		lines_take(c);
		end_look(c);
	}
	if (f->redraw || f->out.len > 0)
		console_changed(c);
}

static void plain_draw(struct console *c)
{
	struct plain *f = plain_of(c);

	plain_place(c);
	plain_transfers(c);
	if (f->drawn && tty_columns(STDOUT_FILENO) != f->columns)
		f->redraw = true;
	plain_flush(c);
}

const struct console_face console_plain = {.begin = plain_begin,
	.end = plain_end,
	.poll = plain_poll,
	.ready = plain_ready,
	.draw = plain_draw,
	.line_added = plain_line_added,
	.older_added = plain_older_added,
	.interrupt = interrupt,
	.pause = plain_pause,
	.resume = plain_resume};
