/* Long texts: made harmless, wrapped at words to the width of the terminal, moved through. */
#include "client/mail/screen.h"

#include "client/chat/safe.h"

#include <errno.h>

enum { TAB = 8 };

void text_done(struct screen_text *t)
{
	buf_done(&t->text);
	free(t->lines);
	t->lines = NULL;
	t->count = 0;
}

static void tab_add(struct buf *b, size_t line_at)
{
	size_t used = width_of(span_of(b->p + line_at, b->len - line_at));

	for (size_t i = used % TAB; i < TAB; i++)
		buf_add_byte(b, ' ');
}

static void line_add(struct buf *b, struct span line)
{
	size_t start = b->len;
	struct span part;

	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	while (span_split(&line, '\t', &part)) {
		safe_text(b, part);
		if (line.p != NULL && line.p == part.p + part.len + 1)
			tab_add(b, start);
	}
	buf_add_byte(b, '\n');
}

void text_set(struct screen_text *t, struct span text)
{
	struct span line;

	buf_reset(&t->text);
	while (span_split(&text, '\n', &line))
		line_add(&t->text, line);
	t->count = t->width = t->top = 0;
}

/* How much of the line goes into one row: whole words if that is possible. */
static size_t row_len(struct span line, size_t width, size_t *ret_skip)
{
	struct span head = width_head(line, width);
	size_t at = head.len;

	*ret_skip = 0;
	if (head.len == line.len)
		return line.len;
	if (head.len == 0) {
		uint32_t point;

		return width_char(line, &point);
	}
	if (line.p[head.len] != ' ')
		while (at > 0 && line.p[at - 1] != ' ')
			at--;
	if (at == 0)
		return head.len;
	/* The blank between goes with the end of the row. */
	*ret_skip = at < line.len && line.p[at] == ' ' ? 1 : 0;
	return at;
}

static int rows_add(struct screen_text *t, size_t *room, struct span line)
{
	do {
		size_t skip, len = row_len(line, t->width, &skip);

		if (t->count == *room) {
			size_t more = *room > 0 ? 2 * *room : 256;
			struct screen_line *lines = reallocarray(t->lines, more, sizeof *t->lines);

			if (lines == NULL)
				return -ENOMEM;
			t->lines = lines;
			*room = more;
		}
		t->lines[t->count++] = (struct screen_line){(size_t)(line.p - t->text.p), len};
		line = span_of(line.p + len + skip, line.len - len - skip);
	} while (line.len > 0);
	return 0;
}

int text_wrap(struct screen_text *t, size_t width)
{
	struct span rest = buf_span(&t->text), line;
	size_t shown = t->top < t->count ? t->lines[t->top].at : 0, room = 0;
	int r = buf_error(&t->text);

	if (t->width == width || r < 0)
		return r;
	free(t->lines);
	t->lines = NULL;
	t->count = t->top = 0;
	t->width = width > 0 ? width : 1;
	while (r == 0 && span_split(&rest, '\n', &line))
		r = rows_add(t, &room, line);
	while (t->top + 1 < t->count && t->lines[t->top + 1].at <= shown)
		t->top++;
	return r;
}

void text_move(struct screen_text *t, long rows, size_t page)
{
	size_t last = t->count > page ? t->count - page : 0;
	size_t by = rows < 0 ? (size_t)-rows : (size_t)rows;

	if (rows < 0)
		t->top = t->top > by ? t->top - by : 0;
	else
		t->top = by < last && t->top < last - by ? t->top + by : last;
}
