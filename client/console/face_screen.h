/*
 * The screen of the console, in pieces that need no terminal, and the one that has it.
 *
 *	face_screen.c         the face: begin and end, what is ready, when it is drawn
 *	face_screen_term.c    the terminal, by ncursesw; nothing else knows it
 *	face_screen_rescue.c  gives the terminal back when the program dies
 *	face_screen_text.c    cells, widths, wrapping
 *	face_screen_layout.c  what goes where on a screen of a size
 *	face_screen_rows.c    the rows of a place's lines
 *	face_screen_view.c    which of them are looked at: scrolling
 *	face_screen_draw.c    the whole, drawn; face_screen_list.c: the list of places
 *	face_screen_keys.c    what keys do; face_screen_go.c: those that go somewhere
 *	face_screen_paste.c   pasted text
 *	face_screen_help.c    the page of keys and commands
 */
#ifndef CLIENT_CONSOLE_FACE_SCREEN_H
#define CLIENT_CONSOLE_FACE_SCREEN_H

#include "client/console/console.h"
#include "client/term/line.h"

#include <termios.h>
#include <wchar.h>

struct screen;

/* -- text: widths are those of the C library, as ncurses takes them, after setlocale() ----------
 */

enum { FACE_CELL_POINTS = 5 };

/* A character with what combines with it. */
struct face_cell {
	wchar_t points[FACE_CELL_POINTS + 1]; /* ended by 0 */
	size_t columns; /* 1 or 2 */
};

/* The cell that s (not empty) begins with; its bytes. What cannot be printed is replaced. */
size_t face_cell(struct span s, struct face_cell *ret);
size_t face_width(struct span s);
/* The longest beginning, or end, that takes at most columns. */
struct span face_head(struct span s, size_t columns);
struct span face_tail(struct span s, size_t columns);
/*
 * Takes the next row of *rest (not empty) of at most columns (at least 1): broken at a blank where
 * there is one, and the blanks there are dropped. Never empty-handed: at least a cell is taken.
 */
struct span face_wrap(struct span *rest, size_t columns);

/* -- layout ------------------------------------------------------------------------------------ */

/* Parts with 0 rows or columns are not there. */
struct face_layout {
	size_t rows, columns;
	size_t title_rows; /* at the top; 0 or 1 */
	size_t list_columns; /* of the body, on the left; a column of a line behind it */
	size_t body_row, body_rows, body_column, body_columns;
	size_t transfer_row, transfer_rows, transfer_head; /* head: 1 of the rows is a heading */
	size_t notice_row, notice_rows;
	size_t status_rows; /* 0 or 1, above the input */
};
/* What is there: transfers, and rows of what is to be noticed. */
void face_layout_make(
	size_t rows, size_t columns, size_t transfers, size_t notices, struct face_layout *ret);

/* -- rows -------------------------------------------------------------------------------------- */

enum face_look {
	FACE_PLAIN,
	FACE_OWN,
	FACE_QUIET,
	FACE_LOUD,
	FACE_ERROR,
	FACE_HEAD,
	FACE_BAR, /* title, status */
	FACE_ALARM, /* a question */
	FACE_LOOKS,
};

struct face_row {
	enum face_look look;
	size_t indent;
	struct span head, text; /* head: time and who; only in the first row */
};

/* The rows of one line, one after the other. */
struct face_walk {
	const struct place *place;
	size_t index, columns, indent;
	struct buf day_text, head;
	struct span rest;
	bool day, first; /* still to come */
};
void face_walk_begin(const struct place *p, size_t index, size_t columns, struct face_walk *ret);
bool face_walk_next(struct face_walk *w, struct face_row *ret); /* lives until the next */
void face_walk_done(struct face_walk *w);
size_t face_rows_of(const struct place *p, size_t index, size_t columns);

/* -- view -------------------------------------------------------------------------------------- */

struct face_view {
	const struct place *place; /* NULL: free */
	unsigned number; /* of it */
	bool follow; /* shows the end, and what comes */
	size_t from_end; /* lines from the one on top to the end */
	uint64_t added; /* as many lines were there, ever, when that was true */
	size_t row; /* of that line */
	unsigned seen; /* revision that was told to be seen */
	uint64_t used; /* when, by face.uses */
};
struct face_at {
	size_t index, row;
};
void face_view_begin(struct face_view *v, const struct place *p);
/* A line was added: a text that begins anew is looked at from its beginning. */
void face_view_added(struct face_view *v, const struct place *p);
/* What stands on top of a page of rows. */
struct face_at face_view_top(
	const struct face_view *v, const struct place *p, size_t columns, size_t page);
/* Is there more below that page? */
bool face_view_more(const struct face_view *v, const struct place *p, size_t columns, size_t page);
/* Moves by rows, negative upwards. False: it was at that end before. */
bool face_view_move(
	struct face_view *v, const struct place *p, size_t columns, size_t page, long rows);
/* The index of the line that is selected in a list; count must not be 0. */
size_t face_selected(const struct place *p);
void face_select(struct place *p, long lines);

/* -- the terminal ------------------------------------------------------------------------------ */

/* Keys: characters are themselves, but control characters that have a name here. */
enum face_key {
	FACE_KEY_NONE = 0x110000, /* none is there */
	FACE_KEY_UP,
	FACE_KEY_DOWN,
	FACE_KEY_LEFT,
	FACE_KEY_RIGHT,
	FACE_KEY_HOME,
	FACE_KEY_END,
	FACE_KEY_PAGE_UP,
	FACE_KEY_PAGE_DOWN,
	FACE_KEY_DELETE,
	FACE_KEY_BACKSPACE,
	FACE_KEY_WORD_LEFT,
	FACE_KEY_WORD_RIGHT,
	FACE_KEY_ENTER,
	FACE_KEY_ESCAPE,
	FACE_KEY_F1,
	FACE_KEY_PASTE, /* pasted text begins */
	FACE_KEY_PASTED, /* and ends */
	FACE_KEY_OTHER, /* of no meaning here */
	FACE_KEY_ALT = 0x1000000, /* added to a character */
};

struct face_term {
	struct screen *screen; /* ncurses's; NULL: not begun */
	bool on; /* not given to another program */
	bool utf8, colours;
	size_t rows, columns;
};
int face_term_begin(struct face_term *t); /* told; an exit code */
void face_term_end(struct face_term *t);
void face_term_pause(struct face_term *t);
void face_term_resume(struct face_term *t);
void face_term_size(struct face_term *t); /* it has changed */
void face_term_anew(struct face_term *t); /* nothing that stands there is believed */
uint32_t face_term_key(struct face_term *t); /* does not wait, but for the rest of a sequence */
/* Text from a column on, cut to columns and filled with blanks. */
void face_term_put(struct face_term *t, enum face_look look, size_t row, size_t column,
	size_t columns, struct span text);
/* Shows it, with the cursor there. */
void face_term_show(struct face_term *t, size_t row, size_t column);

/* face_screen_rescue.c: what stands on the terminal when the program dies is undone. */
/* Before ncurses changes it. False: it is none on which something can be put somewhere. */
bool face_rescue_begin(void);
void face_rescue_on(bool on); /* between ncurses's begin and end */

/* -- the whole --------------------------------------------------------------------------------- */

enum { FACE_SAID_MS = 8000 }; /* so long stands what was said where it is not among the lines */

struct face {
	struct face_term term;
	int signal_fd, timer_fd;
	bool timed; /* the timer will draw */
	int64_t drawn_ms;
	struct line line;
	struct face_view views[CONSOLE_PLACES_MAX];
	uint64_t uses; /* of them */
	struct face_layout layout; /* as drawn last */
	size_t list_top; /* the first row of the list that is shown */
	struct buf notice; /* rows, until the next key: candidates, hints */
	bool told_small, tells_small; /* that the list is hidden; tells: until the next key */
	bool help; /* its page is shown */
	struct buf help_text;
	size_t help_top;
	bool pasting, paste_asks; /* paste is being taken; it is asked what to do with it */
	struct buf paste;
	char paste_question[CONSOLE_TEXT_MAX];
	char question[CONSOLE_TEXT_MAX]; /* as drawn last */
	int64_t question_ms; /* since then */
};

static inline struct face *face_of(const struct console *c)
{
	return c->face_state;
}

struct face_view *face_view_of(struct face *f, const struct place *p);
void face_draw(struct console *c);
void face_notice(struct face *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void face_suspend(struct console *c); /* Ctrl-Z */

/* face_screen_list.c */
size_t face_list_rows(const struct console *c, bool headings);
void face_list_draw(struct console *c, struct face *f);
/* "3", "3!": how much of it is unread; "" nothing. */
void face_unread(const struct place *p, struct buf *b);

/* face_screen_keys.c */
void face_key(struct console *c, uint32_t key);

/* A key and what it does, with what help says; the table ends with a NULL function. */
struct face_act {
	uint32_t key;
	void (*run)(struct console *c, struct face *f);
	const char *name, *help; /* NULL: one more key for the same */
};
extern const struct face_act face_acts[], face_mailbox_acts[];
bool face_act(struct console *c, const struct face_act *acts, uint32_t key);
void face_go_number(struct console *c, unsigned number);

/* face_screen_paste.c */
void face_paste_key(struct console *c, struct face *f, uint32_t key);
void face_paste_answer(struct console *c, struct face *f, bool yes);

/* face_screen_help.c */
void face_help_toggle(struct console *c, struct face *f);
void face_help_key(struct console *c, struct face *f, uint32_t key);
void face_help_draw(struct face *f);

/* UTF-8 of a character. */
struct face_bytes {
	unsigned char p[4];
	size_t len;
};
struct face_bytes face_utf8(uint32_t point);

#endif
