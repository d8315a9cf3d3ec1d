/* A line editor as a machine: it takes the bytes of keys and gives text to draw. */
#ifndef CLIENT_TERM_LINE_H
#define CLIENT_TERM_LINE_H

#include "base/buf.h"

#define LINE_MAX_BYTES 4096
#define LINE_HISTORY_MAX 500

enum line_event {
	LINE_NONE,
	LINE_CHANGED, /* to be drawn again */
	LINE_ENTER,
	LINE_TAB,
	LINE_END, /* Ctrl-D on an empty line */
	LINE_INTERRUPT, /* Ctrl-C */
	LINE_CLEAR, /* Ctrl-L */
	LINE_PAGE_UP,
	LINE_PAGE_DOWN,
};

struct line {
	struct buf text;
	size_t cursor; /* bytes */
	unsigned char keys[8]; /* of a sequence not yet complete */
	size_t key_count;
	char **history;
	size_t history_count, history_at; /* at == count: the new line */
	struct buf kept; /* the new line while an older one is shown */
	struct buf killed;
};
#define LINE_INIT                                        \
	((struct line){.text = BUF_INIT(LINE_MAX_BYTES), \
		.kept = BUF_INIT(LINE_MAX_BYTES),        \
		.killed = BUF_INIT(LINE_MAX_BYTES)})

void line_done(struct line *l);
enum line_event line_key(struct line *l, unsigned char key);
/* Puts text in place of the bytes from start to the cursor, which ends behind it. */
void line_replace(struct line *l, size_t start, struct span text);
/* Empties the line; remembers it first when it is worth it. */
void line_next(struct line *l, bool remember);
void line_remember(struct line *l, struct span text);
/* Appends what draws prompt and line anew on a terminal of width columns, cursor and all. */
void line_draw(const struct line *l, const char *prompt, size_t width, struct buf *out);

#endif
