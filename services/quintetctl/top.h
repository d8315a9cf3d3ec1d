/* quintetctl top: what is seen, and the terminal it is shown on. */
#ifndef QUINTETCTL_TOP_H
#define QUINTETCTL_TOP_H

#include "ctl.h"
#include "store/session.h"

/* A live session. */
struct top_session {
	struct session_row row;
	uint64_t memory; /* bytes */
	bool shared_out; /* pages of several processes count in parts (PSS), else in whole (RSS) */
};

/* By which column, and where to begin: what one wants to see first is on top. */
struct top_order {
	const char *name; /* "memory" */
	char key; /* on the keyboard */
	int (*compare)(const void *a, const void *b); /* of struct top_session, for qsort */
};
extern const struct top_order top_orders[]; /* the first is what one gets; ended by a NULL name */
const struct top_order *top_order_find(const char *name);

struct top_sight {
	struct top_session *list; /* owned */
	size_t count, room;
	unsigned dead; /* rows that nobody has removed yet */
};
/* The live sessions in order. 0 or negative errno. */
int top_look(struct ctl *c, const struct top_order *order, struct top_sight *ret);
void top_sight_done(struct top_sight *s);

/* PSS where /proc tells it to us, else RSS; 0 of a process that is gone. */
uint64_t top_memory(pid_t pid, bool *ret_shared_out);

/*
 * The terminal: a screen of its own, given back at the end. draw() appends lines, each with LF;
 * they replace what stood there without the screen going blank. Goes on until q, Ctrl-C or an error
 * of draw(); a key that is neither is passed to it, 0 else.
 */
int top_screen(unsigned interval_s, int (*draw)(void *arg, char key, struct buf *lines), void *arg);

#endif
