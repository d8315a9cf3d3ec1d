/*
 * Many operations in one durable commit, for the keeper. Each is as if it had been alone: one that
 * is refused leaves nothing of it and does not disturb the others; they happen in the order given.
 */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "store/ops.h"

enum { STORE_CALLER_ID_LEN = 16 };

/* Who asked, so that asking again (after the keeper died, say) does nothing twice. */
struct store_ticket {
	unsigned char caller[STORE_CALLER_ID_LEN]; /* random, one per store handle */
	uint64_t number; /* grows by one with each of its calls */
};

struct store_batch_item {
	enum store_op op;
	const void *args;
	struct store_ticket ticket;
	int rc; /* what the operation returned; set by store_batch() */
	/* A struct for the operation. Valid when rc is 0, or always under OP_TELLS. */
	_Alignas(max_align_t) unsigned char result[OP_RESULT_MAX];
};

/*
 * Runs them in order. 0: all is on disk, and so is what each was answered; each rc tells. Negative:
 * nothing has happened, but for -EIO, which tells that this is not known. Where disk or map are
 * full each is tried by itself, so that what frees or secures gets through. An op_def's after is
 * not run: the caller's side does that. -EDEADLK in a view; -EROFS of store_open_kept().
 */
int store_batch(struct store *s, struct store_batch_item *items, size_t count);
/* The same of the first of them, *ret_done, at least one: as many as have begun within most_ms.
 * With the others nothing has happened. */
int store_batch_some(struct store *s, struct store_batch_item *items, size_t count,
	unsigned most_ms, size_t *ret_done);

/*
 * What was answered to that ticket, if it was carried out. Only the last batch of each life of a
 * keeper need be remembered, since all of a batch are answered before the next one begins; kept for
 * ten minutes. -ENOENT: it was not carried out, so it may be now.
 */
int store_batch_answer(struct store *s, const struct store_ticket *t, enum store_op op,
	struct store_batch_item *ret);

/* Now and then while there is work: frees the reader slots of processes that were killed, whose
 * snapshots hold pages. Their count, or a negative errno. */
int store_batch_tend(struct store *s);

#endif
