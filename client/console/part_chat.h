/*
 * The chat in the console: the talk of `quintet chat` as a task, its windows as places.
 *
 *	part_chat.c         the task, and what the talk tells of its life
 *	part_chat_places.c  windows as places, items as lines
 *	part_chat_files.c   files of calls as transfers
 *	part_chat_acts.c    commands, questions, what is said
 */
#ifndef CLIENT_CONSOLE_PART_CHAT_H
#define CLIENT_CONSOLE_PART_CHAT_H

#include "client/chat/acts.h"
#include "client/console/console.h"

struct chat_window {
	struct window *window;
	struct place *place;
};

enum { CHAT_FILES_MAX = 64 };

struct chat_file {
	const void *id; /* NULL: free */
	unsigned transfer; /* its number */
	int64_t at_ms; /* of what is shown */
	uint64_t at;
};

struct chat_part {
	struct console *c;
	struct client
		client; /* the console's without its descriptor: the chat says goodbye itself */
	bool begun; /* talk is there */
	struct talk talk;
	struct chatacts acts;
	int wake_fd; /* counts what was done from outside of the talk's loop */
	bool changed; /* places are to be looked over */
	struct chat_window windows[MODEL_WINDOWS_MAX];
	size_t count;
	unsigned identities; /* of c->identities, that talk uses */
	struct chat_file files[CHAT_FILES_MAX];
	char sync[24]; /* of a script: the PING behind its last command, "" answered */
	unsigned syncs;
};

extern const struct talk_view chat_view;
extern const struct chatacts_face chat_acts_face;

/* The part's, whether it is begun or not; never NULL after part_chat_begin(). */
static inline struct chat_part *chat_of(const struct console *c)
{
	return c->part_state[PART_CHAT];
}
/* Something was done to the talk from outside of its loop. */
void chat_wake(struct chat_part *s);

/* -- part_chat_places.c ------------------------------------------------------------------------ */

struct place *chat_place(struct chat_part *s, struct window *w); /* NULL: the house */
struct window *chat_window(const struct chat_part *s, const struct place *p); /* NULL */
/* Is there a call in that window now? */
bool chat_has_call(const struct chat_part *s, const struct window *w);
/* Places for all windows, with what they are called, unread and so on. */
void chat_places_sync(struct chat_part *s);
/* The talk is gone: its places stay, empty ones of their windows. */
void chat_places_forget(struct chat_part *s);
void chat_place_gone(struct chat_part *s, struct window *w); /* the window is about to close */
void chat_item(void *arg, struct window *w, const struct item *i);
void chat_page(void *arg, const char *target, enum fill_kind kind, struct item *const *items,
	size_t count, const char *error);
void chat_redacted(void *arg, struct window *w, const struct item *i);

/* -- part_chat_files.c ------------------------------------------------------------------------- */

void chat_file(void *arg, const struct talk_file *f);

#endif
