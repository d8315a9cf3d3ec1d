/* Inside lib/store only: ringing a list of bells, whoever they were chosen by. */
#ifndef STORE_BELL_I_H
#define STORE_BELL_I_H

#include "store/session.h"

struct bell_listeners {
	struct bell_args *list; /* owned */
	size_t count, room;
};

int bell_listeners_add(struct bell_listeners *l, const struct bell_args *b);
/* Everybody who listens to a topic. */
int bell_listeners_topic(struct store_txn *txn, const char *topic, struct bell_listeners *l);
void bell_listeners_done(struct bell_listeners *l); /* for the cleanup attribute */

struct bell_dead {
	void (*dead)(void *arg, const struct session_row *r); /* NULL: nobody asks */
	void *arg;
};

/*
 * What bell_ring() does, with these. When a session was removed because its process was gone, the
 * topic named after its service is rung in the end: others of it see what that left behind.
 */
int bell_ring_listeners(struct store *s, const char *runtime, const struct bell_listeners *l,
	const struct bell_dead *d);

#endif
