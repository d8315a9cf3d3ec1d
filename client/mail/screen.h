/*
 * The view of quintet mail on a terminal: a list of messages, one of them read, pages of other
 * things, all drawn anew as a whole when something changed. No terminal library: the few sequences
 * that every terminal of today knows. While nobody types, the line to the server is in IDLE, so
 * what is new shows by itself.
 *
 *	screen.c         begin and end, the line and what comes by it
 *	screen_term.c    the terminal: keys, size, the line that asks
 *	screen_draw.c    what is drawn
 *	screen_text.c    long texts, wrapped and paged
 *	screen_list.c    the list and its keys
 *	screen_letter.c  a message that is read, and its keys
 *	screen_write.c   new letters, replies, forwards
 *	screen_pages.c   help, notices, receipts, people, mailboxes
 *	subject.c        what encrypted messages are about
 */
#ifndef CLIENT_MAIL_SCREEN_H
#define CLIENT_MAIL_SCREEN_H

#include "client/mail/draft.h"
#include "client/term/tty.h"

/* -- screen_term.c ------------------------------------------------------------------------------
 */

/* Keys: characters are themselves. */
enum screen_key {
	KEY_NONE = 0x110000, /* none in that time */
	KEY_UP,
	KEY_DOWN,
	KEY_LEFT,
	KEY_RIGHT,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_HOME,
	KEY_END,
	KEY_ENTER,
	KEY_ESCAPE,
	KEY_BACKSPACE,
	KEY_OTHER, /* of no meaning here */
	KEY_RESIZE, /* the terminal has another size */
	KEY_NEWS, /* something came from the server */
	KEY_GONE, /* a signal, or the terminal is gone: leave */
};

enum screen_look { LOOK_PLAIN, LOOK_BAR, LOOK_LOUD, LOOK_BOLD };

struct screen_term {
	const struct client *client;
	struct termios cooked;
	bool on;
	int winch_fd; /* SIGWINCH */
	int watch_fd; /* readable when the keyboard or winch_fd is */
	size_t rows, columns;
	unsigned char typed[256]; /* read, not taken */
	size_t typed_at, typed_count;
	struct buf out; /* not yet written */
};

int term_begin(const struct client *c, struct screen_term *ret); /* told; an exit code */
void term_end(struct screen_term *t);
/* Gives the terminal to another program, and takes it back. */
void term_pause(struct screen_term *t);
int term_resume(struct screen_term *t);
/* The next key, waited for so long (negative: for ever). */
uint32_t term_key(struct screen_term *t, int wait_ms);
/* A row (from 0) with that text, made harmless and cut to the width. */
void term_row(struct screen_term *t, size_t row, enum screen_look look, struct span text);
void term_flush(struct screen_term *t);
/* Asks in the last row; what stands in ret is what is changed. False: it was given up. */
bool term_ask(struct screen_term *t, const char *question, struct buf *ret);

/* What functions tell on standard output and error, taken instead of shown: the last line of it. */
struct screen_hush {
	int out_fd, err_fd, memory_fd;
};
void hush_begin(struct screen_hush *h);
void hush_end(struct screen_hush *h, char *ret, size_t size);

/* -- screen_text.c ------------------------------------------------------------------------------
 */

struct screen_text {
	struct buf text; /* clean lines, LF */
	struct screen_line {
		size_t at, len;
	} * lines; /* as wrapped to width */
	size_t count, width, top;
};
#define SCREEN_TEXT_INIT ((struct screen_text){.text = BUF_INIT(8 * (size_t)MAIL_MESSAGE_MAX)})
void text_done(struct screen_text *t);
/* Takes a copy: tabs are blanks, nothing in it is a control character. */
void text_set(struct screen_text *t, struct span text);
/* To that width; top stays at what it showed. -ENOMEM. */
int text_wrap(struct screen_text *t, size_t width);
/* Moves by rows of a page so long. */
void text_move(struct screen_text *t, long rows, size_t page);

/* -- the view -----------------------------------------------------------------------------------
 */

struct screen {
	struct mailui *u;
	struct screen_term term;
	struct mailbox *box; /* NULL: no line */
	char name[MAIL_NAME_MAX]; /* of the mailbox */
	bool sent; /* it is the one of what was sent: people are those it went to */
	struct mail_settings settings;

	uint32_t *rows; /* UIDs that are listed, ascending */
	size_t row_count, at, top;
	bool searching;
	struct buf found; /* UIDs of the search, ascending */
	char words[128]; /* searched for */
	struct mailui_subjects subjects;
	struct mail_receipt *receipts; /* of what was sent; may be NULL */
	size_t receipt_count;

	struct reading *reading; /* the message that is read; NULL */

	unsigned notices; /* new ones */
	uint64_t notice_id; /* the last that was told of */
	uint32_t last_uid; /* the last message that was told of */
	char status[512]; /* the last row, until the next key */
	bool leave;
	int code; /* to leave with */
	int64_t typed_ms; /* the last key */
	int64_t retry_ms; /* when the line is tried again */
	unsigned retry_s;
};

/* The next key, or what happened meanwhile. */
uint32_t screen_key(struct screen *s);
void screen_say(struct screen *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Says what went wrong with the mailbox, if something did; true: it did not. */
bool screen_worked(struct screen *s, int r, const char *doing);
/* A question that one key answers: that key, one of keys; 0: another one, or left. */
uint32_t screen_choose(struct screen *s, const char *question, const char *keys);
/* Opens that mailbox; when it does not work, the old one stays. */
void screen_open(struct screen *s, const char *name);
/* What is listed, after anything has changed; the cursor stays at its message. */
void screen_list_make(struct screen *s);
const struct mail_item *screen_item(struct screen *s); /* at the cursor; NULL */
void screen_receipts_load(struct screen *s);

/* A key and what it does; the tables end with a NULL function. */
struct screen_act {
	uint32_t key;
	void (*run)(struct screen *s);
	const char *name; /* of the key; NULL: one more key for the same */
	const char *help;
};
bool screen_act(struct screen *s, const struct screen_act *acts, uint32_t key);
extern const struct screen_act screen_list_acts[], screen_letter_acts[];

/* screen_draw.c */
void draw_list(struct screen *s);
void draw_text(struct screen *s, const char *name, const char *loud, struct screen_text *t);
void draw_rows(struct screen *s, const char *name, const struct screen_text *t, size_t at);
void draw_status(struct screen *s, const char *keys);
size_t draw_page(const struct screen *s); /* rows between the bars */

/* screen_list.c: what both the list and the message know. */
void list_run(struct screen *s);
void list_flag(struct screen *s);
void list_unread(struct screen *s);
void list_delete(struct screen *s);
void list_move(struct screen *s);
/* The next that is unread, behind the cursor or from the beginning. False: none is. */
bool list_to_unread(struct screen *s);

/* screen_letter.c: reads the message at the cursor, and others from there. */
void letter_run(struct screen *s);
uint32_t letter_uid(const struct screen *s); /* of the one that is read; 0 */
/* The one that is read, else the one at the cursor, opened into own. NULL: told. */
const struct mailui_letter *letter_here(struct screen *s, struct mailui_letter *own);

/* screen_write.c */
void write_new(struct screen *s);
void write_answer(struct screen *s, enum mail_answer_kind kind);

/* screen_pages.c */
void page_run(struct screen *s, const char *title, struct span text);
void page_help(struct screen *s);
void page_notices(struct screen *s);
void page_receipts(struct screen *s);
void page_people(struct screen *s);
/* A mailbox out of all; other: one may be named that is not there. False: none. */
bool page_mailbox(struct screen *s, const char *title, bool other, char ret[MAIL_NAME_MAX]);

#endif
