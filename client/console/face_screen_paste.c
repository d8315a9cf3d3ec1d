/*
 * Pasted text. A line of it is put into the input, as if typed; of several it is asked first, and
 * nothing in them is a command: who pastes a log does not mean the slashes in it.
 */
#include "client/console/face_screen.h"

#include "base/text.h"

enum { FIRST_COLUMNS = 40 };

/* A line as it may be typed: tabs are blanks, other control characters and broken ones are not. */
static void clean(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char byte = s.p[i] == '\t' ? ' ' : s.p[i];

		if (byte >= 0x20 && byte != 0x7f)
			buf_add_byte(out, byte);
	}
	if (!text_is_clean(buf_span(out)))
		buf_reset(out);
}

static size_t lines_of(struct span text)
{
	struct span line;
	size_t count = 0;

	while (span_split(&text, '\n', &line))
		count++;
	return count;
}

static void ask(struct face *f, const char *where)
{
	struct span text = buf_span(&f->paste), first = span_of(NULL, 0);
	_cleanup_(buf_done) struct buf b = BUF_INIT(LINE_MAX_BYTES);

	(void)span_split(&text, '\n', &first);
	clean(&b, first);
	first = face_head(buf_span(&b), FIRST_COLUMNS);
	(void)snprintf(f->paste_question, sizeof f->paste_question,
		"Send these %zu pasted lines to %.60s? They begin: %.*s",
		lines_of(buf_span(&f->paste)), where, (int)first.len,
		first.len > 0 ? (const char *)first.p : "");
	f->paste_asks = true;
}

static void ended(struct console *c, struct face *f)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(LINE_MAX_BYTES);

	f->pasting = false;
	/* The end of the last line is not one more. */
	while (f->paste.len > 0 && f->paste.p[f->paste.len - 1] == '\n')
		f->paste.len--;
	if (buf_error(&f->paste) < 0) {
		face_notice(f, "That is too much to be pasted.");
	} else if (lines_of(buf_span(&f->paste)) > 1) {
		ask(f, c->current->name);
		return;
	} else {
		clean(&b, buf_span(&f->paste));
		line_replace(&f->line, f->line.cursor, buf_span(&b));
	}
	buf_reset(&f->paste);
}

void face_paste_key(struct console *c, struct face *f, uint32_t key)
{
	struct face_bytes typed;

	if (key == FACE_KEY_PASTE) {
		f->pasting = true;
		f->paste_asks = false;
		buf_reset(&f->paste);
	} else if (key == FACE_KEY_PASTED) {
		if (f->pasting)
			ended(c, f);
	} else if (key == FACE_KEY_ENTER) {
		buf_add_byte(&f->paste, '\n');
	} else if (key < FACE_KEY_NONE) {
		typed = face_utf8(key);
		buf_add(&f->paste, span_of(typed.p, typed.len));
	}
}

/* Said as it is; a slash in front is doubled, which takes its meaning. */
static void say(struct console *c, struct span text)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(LINE_MAX_BYTES),
				       said = BUF_INIT(LINE_MAX_BYTES);

	clean(&line, text);
	if (line.len > 0 && line.p[0] == '/')
		buf_add_byte(&said, '/');
	buf_add(&said, buf_span(&line));
	console_line(c, buf_span(&said));
}

void face_paste_answer(struct console *c, struct face *f, bool yes)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT((size_t)1 << 20);
	struct span rest, line;

	f->paste_asks = false;
	if (yes)
		buf_add(&text, buf_span(&f->paste));
	buf_reset(&f->paste);
	if (yes)
		face_view_of(f, c->current)->follow = true;
	rest = buf_span(&text);
	while (span_split(&rest, '\n', &line))
		say(c, line);
}
