/*
 * quintet chat without a command: a person at a terminal that scrolls, with a line editor at the
 * bottom; or commands from standard input, one a line.
 *
 *	ui.c           both kinds of session, and the loop's hooks
 *	ui_print.c     the view: what is printed when, the prompt
 *	ui_complete.c  completion by TAB
 *	acts.h         /commands
 */
#ifndef CLIENT_CHAT_UI_H
#define CLIENT_CHAT_UI_H

#include "client/chat/acts.h"
#include "client/chat/show.h"
#include "client/chat/talk.h"
#include "client/term/line.h"
#include "client/term/tty.h"

enum { CHATUI_SHOWN = 15 };

struct chatui {
	struct talk talk;
	struct chatacts acts;
	bool person; /* at a terminal; else a script */
	struct line line;
	struct termios cooked;
	size_t columns; /* as drawn last */
	struct buf out; /* to be written with the next round */
	bool drawn; /* the line stands on the terminal */
	bool redraw;
	int64_t day_us; /* of the day printed last; 0 none */
	bool pressed; /* Ctrl-C was, on an empty line */
	bool ended; /* standard input is at its end */
	bool ready; /* was, once */
	int code; /* to leave with */
	struct talk_watch watch;
	struct talk_source tick; /* the terminal's width */
	struct buf script; /* of standard input, not yet taken */
	char sync[24]; /* a script's: the PING behind its last command, "" answered */
	unsigned syncs;
	const char *call; /* quintet chat call: whom; NULL */
	bool calling, called; /* it was asked for; there was a call */
};

/* What the command line says of the session. */
struct chatui_start {
	struct client_words channels; /* to be in */
	const char *call; /* only to call this nick: "NICK [FILE]", the file to be sent; NULL */
	const char *downloads; /* where files go that come in calls; NULL: here */
};
/* An exit code. */
int chatui_run(struct client *c, const struct profile *p, const struct talk_options *o,
	const struct chatui_start *start);

/* A script's next line waits until the server has answered what it was asked so far. */
void chatui_await(struct chatui *u);

extern const struct talk_view chatui_view;
extern const struct chatacts_face chatui_face;

/* -- ui_print.c -------------------------------------------------------------------------------- */

/* The client's words, in the window that is looked at; not kept. */
void chatui_say(struct chatui *u, const char *format, ...) __attribute__((format(printf, 2, 3)));
void chatui_error(struct chatui *u, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Writes what is due, and the line below it. */
void chatui_flush(struct chatui *u);
void chatui_prompt(const struct chatui *u, struct buf *b);
/* Looks at another window: the last of what was said there. */
void chatui_show(struct chatui *u, struct window *w);
/* Older than what was shown of the present window, from memory or the server. */
void chatui_older(struct chatui *u, size_t count);

/* -- ui_complete.c ----------------------------------------------------------------------------- */

/* Completes the word at the cursor; false: there is nothing. Candidates are listed when it is not
 * clear. */
bool chatui_complete(struct chatui *u);

#endif
