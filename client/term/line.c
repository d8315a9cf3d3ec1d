/*
 * A line editor of the usual keys (those of readline's emacs mode that fingers know), as a machine
 * that takes bytes and gives text to draw: the terminal is the caller's. Small enough not to bring
 * a library along for one prompt.
 */
#include "client/term/line.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "client/term/width.h"

void line_done(struct line *l)
{
	buf_done(&l->text);
	buf_done(&l->kept);
	buf_done(&l->killed);
	for (size_t i = 0; i < l->history_count; i++)
		free(l->history[i]);
	free((void *)l->history);
	l->history = NULL;
	l->history_count = 0;
}

void line_remember(struct line *l, struct span text)
{
	char *copy;

	if (text.len == 0 || !text_is_clean(text))
		return;
	if (l->history_count > 0 && span_eq_str(text, l->history[l->history_count - 1]))
		return;
	if (l->history == NULL)
		l->history = calloc(LINE_HISTORY_MAX, sizeof *l->history);
	copy = strndup((const char *)text.p, text.len);
	if (l->history == NULL || copy == NULL) {
		free(copy);
		return;
	}
	if (l->history_count == LINE_HISTORY_MAX) {
		free(l->history[0]);
		memmove((void *)l->history, (void *)(l->history + 1),
			(LINE_HISTORY_MAX - 1) * sizeof *l->history);
		l->history_count--;
	}
	l->history[l->history_count++] = copy;
}

void line_next(struct line *l, bool remember)
{
	if (remember)
		line_remember(l, buf_span(&l->text));
	buf_reset(&l->text);
	buf_reset(&l->kept);
	l->cursor = 0;
	l->key_count = 0;
	l->history_at = l->history_count;
}

/* Replaces the bytes from start to end; false when the line would get too long. */
static bool splice(struct line *l, size_t start, size_t end, struct span text)
{
	_cleanup_(buf_done) struct buf new = BUF_INIT(LINE_MAX_BYTES);

	buf_add(&new, span_of(l->text.p, start));
	buf_add(&new, text);
	buf_add(&new, span_of(l->text.p + end, l->text.len - end));
	if (buf_error(&new) < 0)
		return false;
	buf_reset(&l->text);
	buf_add(&l->text, buf_span(&new));
	l->cursor = start + text.len;
	return true;
}

void line_replace(struct line *l, size_t start, struct span text)
{
	if (start <= l->cursor)
		(void)splice(l, start, l->cursor, text);
}

static void cut(struct line *l, size_t start, size_t end, bool keep)
{
	if (end <= start)
		return;
	if (keep) {
		buf_reset(&l->killed);
		buf_add(&l->killed, span_of(l->text.p + start, end - start));
	}
	(void)splice(l, start, end, span_of(NULL, 0));
}

static size_t left_of(const struct line *l)
{
	return l->cursor > 0 ? width_before(buf_span(&l->text), l->cursor) : 0;
}

static size_t right_of(const struct line *l)
{
	return width_behind(buf_span(&l->text), l->cursor);
}

static size_t word_left(const struct line *l)
{
	size_t at = l->cursor;

	while (at > 0 && l->text.p[at - 1] == ' ')
		at--;
	while (at > 0 && l->text.p[at - 1] != ' ' && l->text.p[at - 1] != '/')
		at--;
	/* A slash in front goes with nothing: one more step then. */
	return at == l->cursor && at > 0 ? at - 1 : at;
}

static size_t word_right(const struct line *l)
{
	size_t at = l->cursor;

	while (at < l->text.len && l->text.p[at] == ' ')
		at++;
	while (at < l->text.len && l->text.p[at] != ' ')
		at++;
	return at;
}

static void history_show(struct line *l, size_t at)
{
	if (l->history_at == l->history_count) {
		buf_reset(&l->kept);
		buf_add(&l->kept, buf_span(&l->text));
	}
	l->history_at = at;
	buf_reset(&l->text);
	buf_add(&l->text, at == l->history_count ? buf_span(&l->kept) : span_str(l->history[at]));
	l->cursor = l->text.len;
}

static void up(struct line *l)
{
	if (l->history_at > 0 && l->history_at <= l->history_count)
		history_show(l, l->history_at - 1);
}

static void down(struct line *l)
{
	if (l->history_at < l->history_count)
		history_show(l, l->history_at + 1);
}

static void left(struct line *l)
{
	l->cursor = left_of(l);
}

static void right(struct line *l)
{
	l->cursor = right_of(l);
}

static void home(struct line *l)
{
	l->cursor = 0;
}

static void end(struct line *l)
{
	l->cursor = l->text.len;
}

static void erase(struct line *l)
{
	cut(l, left_of(l), l->cursor, false);
}

static void delete_right(struct line *l)
{
	size_t at = l->cursor;

	cut(l, at, right_of(l), false);
	l->cursor = at;
}

static void kill_right(struct line *l)
{
	cut(l, l->cursor, l->text.len, true);
}

static void kill_left(struct line *l)
{
	cut(l, 0, l->cursor, true);
}

static void kill_word(struct line *l)
{
	cut(l, word_left(l), l->cursor, true);
}

static void kill_word_right(struct line *l)
{
	cut(l, l->cursor, word_right(l), true);
}

static void go_word_left(struct line *l)
{
	l->cursor = word_left(l);
}

static void go_word_right(struct line *l)
{
	l->cursor = word_right(l);
}

static void yank(struct line *l)
{
	(void)splice(l, l->cursor, l->cursor, buf_span(&l->killed));
}

static const struct key {
	const char *bytes;
	void (*act)(struct line *l);
} keys[] = {
	{"\x01", home},
	{"\x02", left},
	{"\x04", delete_right},
	{"\x05", end},
	{"\x06", right},
	{"\x08", erase},
	{"\x0b", kill_right},
	{"\x0e", down},
	{"\x10", up},
	{"\x15", kill_left},
	{"\x17", kill_word},
	{"\x19", yank},
	{"\x7f", erase},
	{"\x1b[A", up},
	{"\x1b[B", down},
	{"\x1b[C", right},
	{"\x1b[D", left},
	{"\x1bOA", up},
	{"\x1bOB", down},
	{"\x1bOC", right},
	{"\x1bOD", left},
	{"\x1b[H", home},
	{"\x1b[F", end},
	{"\x1bOH", home},
	{"\x1bOF", end},
	{"\x1b[1~", home},
	{"\x1b[4~", end},
	{"\x1b[7~", home},
	{"\x1b[8~", end},
	{"\x1b[3~", delete_right},
	{"\x1b[1;5C", go_word_right},
	{"\x1b[1;5D", go_word_left},
	{"\x1b"
	 "b",
		go_word_left},
	{"\x1b"
	 "f",
		go_word_right},
	{"\x1b"
	 "d",
		kill_word_right},
	{"\x1b\x7f", kill_word},
};

/* Is the sequence so far the beginning of one that terminals send? */
static bool sequence_is_open(const struct line *l)
{
	const unsigned char *k = l->keys;
	size_t n = l->key_count;

	if (n == 1 || (n == 2 && (k[1] == '[' || k[1] == 'O')))
		return true;
	return n < sizeof l->keys && k[1] == '[' && !(k[n - 1] >= 0x40 && k[n - 1] <= 0x7e);
}

static enum line_event key_act(struct line *l)
{
	struct span typed = span_of(l->keys, l->key_count);

	if (span_eq_str(typed, "\x1b[5~") || span_eq_str(typed, "\x1b[6~")) {
		l->key_count = 0;
		return typed.p[2] == '5' ? LINE_PAGE_UP : LINE_PAGE_DOWN;
	}
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (span_eq_str(typed, keys[i].bytes)) {
			l->key_count = 0;
			keys[i].act(l);
			return LINE_CHANGED;
		}
	if (l->keys[0] != 0x1b || !sequence_is_open(l))
		l->key_count = 0;
	return LINE_NONE;
}

/* Characters of several bytes wait for their last. */
static enum line_event insert(struct line *l)
{
	struct span typed = span_of(l->keys, l->key_count);
	unsigned char lead = l->keys[0];
	size_t wanted = lead < 0xc2 || lead > 0xf4 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	if (l->key_count < wanted)
		return LINE_NONE;
	l->key_count = 0;
	if (!text_is_clean(typed))
		return LINE_NONE;
	(void)splice(l, l->cursor, l->cursor, typed);
	return LINE_CHANGED;
}

enum line_event line_key(struct line *l, unsigned char key)
{
	/* A character that broke off is forgotten. */
	if (l->key_count > 0 && l->keys[0] >= 0x80 && (key & 0xc0) != 0x80)
		l->key_count = 0;
	if (l->key_count == 0) {
		switch (key) {
		case '\r':
		case '\n':
			return LINE_ENTER;
		case '\t':
			return LINE_TAB;
		case 0x03:
			return LINE_INTERRUPT;
		case 0x0c:
			return LINE_CLEAR;
		case 0x04:
			if (l->text.len == 0)
				return LINE_END;
			break;
		default:
			break;
		}
	}
	l->keys[l->key_count++] = key;
	if (l->keys[0] >= 0x20 && l->keys[0] != 0x7f)
		return insert(l);
	return key_act(l);
}

void line_draw(const struct line *l, const char *prompt, size_t width, struct buf *out)
{
	struct span text = buf_span(&l->text), before = span_of(l->text.p, l->cursor), after;
	struct span shown = span_str(prompt);
	size_t room, used;

	/* A long prompt leaves half of the width to the line. */
	if (width_of(shown) > width / 2)
		shown = width_tail(shown, width / 2);
	room = width - width_of(shown);
	room = room > 1 ? room - 1 : 1;
	before = width_tail(before, room > 4 ? room - 2 : room);
	after = span_of(text.p + l->cursor, text.len - l->cursor);
	used = width_of(before);
	after = width_head(after, room > used ? room - used : 0);
	buf_add_str(out, "\r");
	buf_add(out, shown);
	buf_add(out, before);
	buf_add(out, after);
	buf_add_str(out, "\x1b[K");
	if (width_of(after) > 0)
		buf_addf(out, "\x1b[%zuD", width_of(after));
}
