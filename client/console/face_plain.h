/*
 * The console as lines, for screen readers, scripts and simple terminals: all that is said is
 * printed once, with where it was said in front.
 *
 *	face_plain.c        keys and lines in, the prompt
 *	face_plain_print.c  what is printed when
 */
#ifndef CLIENT_CONSOLE_FACE_PLAIN_H
#define CLIENT_CONSOLE_FACE_PLAIN_H

#include "client/console/console.h"
#include "client/term/line.h"
#include "client/term/tty.h"

struct plain_told { /* of a transfer */
	unsigned number;
	int state, quarter;
	int64_t at_ms;
};

struct plain {
	bool editing; /* keys one by one; else whole lines come */
	struct line line;
	struct termios cooked;
	size_t columns; /* as drawn last */
	struct buf out; /* to be written with the next round */
	bool drawn, redraw; /* the line stands on the terminal; is to be drawn anew */
	bool pressed; /* Ctrl-C was, on an empty line */
	struct buf in; /* lines not yet taken */
	bool ended; /* standard input is at its end */
	int64_t began_ms;
	unsigned shows; /* of c->shows, that were printed */
	size_t printed; /* lines of a letter or of files that is looked at */
	struct plain_told told[CONSOLE_TRANSFERS_MAX];
};

static inline struct plain *plain_of(const struct console *c)
{
	return c->face_state;
}

/* -- face_plain_print.c ------------------------------------------------------------------------ */

void plain_line(struct plain *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void plain_flush(struct console *c);
/* What is looked at now, where that is news; transfers. */
void plain_place(struct console *c);
void plain_transfers(struct console *c);
void plain_line_added(struct console *c, const struct place *p, const struct place_line *l);
void plain_older_added(struct console *c, const struct place *p, size_t count);

#endif
