/*
 * The /commands of the chat, for whoever shows it: quintet chat, and the console. What they do goes
 * to the talk; what they tell goes to the face.
 *
 *	acts.c        the table, and those that are little more than a line to the server
 *	acts_rooms.c  ... of windows and what was said in them
 */
#ifndef CLIENT_CHAT_ACTS_H
#define CLIENT_CHAT_ACTS_H

#include "client/chat/talk.h"

enum { CHATACTS_OLDER = 30 };

struct chatacts_face {
	void (*say)(void *arg, const char *text); /* the client's words, where the person looks */
	void (*error)(void *arg, const char *text);
	void (*show)(void *arg, struct window *w); /* looks at another window */
	void (*older)(void *arg, size_t count); /* than what is shown of the present window */
};

struct chatacts {
	struct talk *talk;
	const struct chatacts_face *face;
	void *arg;
	char wanted[MODEL_NAME_SIZE]; /* a channel that is looked at once it is joined; "" */
	char wanted_key[64];
};

struct chatacts_command {
	const char *name;
	void (*run)(struct chatacts *a, struct span words); /* trimmed */
	const char *usage, *help;
	bool offline; /* makes sense without the server */
	bool needs_words;
};
extern const struct chatacts_command chatacts_commands[]; /* ended by a NULL name */

/* What was typed or read: a command, or something to be said. */
void chatacts_line(struct chatacts *a, struct span line);
/* What stands behind a command's name, trimmed; usage and the line to the server are looked at. */
void chatacts_run(struct chatacts *a, const struct chatacts_command *k, struct span words);
/* Said in the present window. */
void chatacts_said(struct chatacts *a, struct span line);
/* The talk has changed: the channel that was wanted may be there. */
void chatacts_changed(struct chatacts *a);

/* -- for acts*.c ------------------------------------------------------------------------------- */

void chatacts_say(struct chatacts *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void chatacts_error(struct chatacts *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The next word of *rest; empty at the end. */
struct span chatacts_word(struct span *rest);
/* A line to the server, and why it could not be sent. */
void chatacts_send(struct chatacts *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The channel that is meant: the first word of *rest if it is one, else the present window; NULL:
 * told. */
const char *chatacts_channel(struct chatacts *a, struct span *rest, char ret[MODEL_NAME_SIZE]);
/* Something said to somebody; an error is told. */
void chatacts_message(struct chatacts *a, const char *target, struct span text, unsigned flags);

void chatacts_win(struct chatacts *a, struct span words);
void chatacts_unread(struct chatacts *a, struct span words);
void chatacts_close(struct chatacts *a, struct span words);
void chatacts_names(struct chatacts *a, struct span words);
void chatacts_history(struct chatacts *a, struct span words);
void chatacts_redact(struct chatacts *a, struct span words);
void chatacts_group(struct chatacts *a, struct span words);
void chatacts_query(struct chatacts *a, struct span words);

#endif
