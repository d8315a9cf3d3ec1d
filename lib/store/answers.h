/*
 * Inside lib/store: what was answered to the calls of a keeper's last batch, so that a caller who
 * could not hear it may ask again. Written in the batch's own commit. Refusals are not remembered:
 * they changed nothing, and asking again does no harm.
 */
#ifndef STORE_ANSWERS_H
#define STORE_ANSWERS_H

#include "store/batch.h"

#define ANSWERS_KEPT_US (INT64_C(600) * 1000000)

/*
 * Those that were carried out, into the rows of this life from part *part on, which is moved behind
 * them. Older rows of those parts go; others stay until they are too old, and do no harm.
 */
int answers_put(struct store_txn *txn, uint64_t life, const struct store_batch_item *items,
	size_t count, uint16_t *part);

/* -ENOENT; -EBADMSG: that ticket is another operation's. */
int answers_find(struct store_txn *txn, const struct store_ticket *t, enum store_op op,
	struct store_batch_item *ret);

/* Removes rows that are too old. */
int answers_expire(struct store_txn *txn, int64_t now_us);

int answers_decode(struct span key, struct span value); /* 0 or -EBADMSG */

#endif
