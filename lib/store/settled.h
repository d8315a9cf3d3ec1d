/*
 * Inside lib/store only: how far the store is known to be on disk. A commit flushes its pages while
 * it holds the writer's lock, and the page that makes them valid after it has let go: the next
 * writer need not wait for that. A commit can so be seen before it is on disk, and nobody may tell
 * of it until it is: whoever reads flushes first, unless somebody has. The number of the newest
 * transaction that is on disk stands in a file beside the environment, mapped by all; it may lag
 * behind the truth, and is never ahead of it. Who may not write the store (services beside a
 * keeper) has it read-only.
 */
#ifndef STORE_SETTLED_H
#define STORE_SETTLED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct settled {
	void *map; /* NULL: not known, and 0 is said */
	_Atomic uint64_t *newest; /* the same */
	bool writable; /* else it is only looked at */
};

/* Negative errno: it stays unknown, which costs flushes and nothing else. */
int settled_open(const char *dir, struct settled *ret);
void settled_close(struct settled *s);

uint64_t settled_newest(const struct settled *s);
/* This one and all before it are on disk. Nothing happens where it may not be written. */
void settled_raise(struct settled *s, uint64_t id);
/* The file is that of an environment that was here before; where it may not be written, it stays
 * unknown. */
void settled_reset(struct settled *s);

#endif
