/*
 * The append-only, hash-chained audit table: hash(n) = SHA-256(hash(n-1) || row n). Operations
 * append their own rows in their own commit; STORE_OP_AUDIT_APPEND is for what changes nothing
 * else. What is older than policy audit_keep is removed by the sweep from the beginning on; the
 * chain then begins at an anchor, which its newest closing row (AUDIT_CLOSE_EVENT) repeats.
 */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "store/store.h"

#include <stdbool.h>

struct audit_row {
	uint64_t seq;
	int64_t at_us;
	char event[32]; /* "account-create", "login-refused", "cert-issue" ... */
	char account[33]; /* whom it is about, or "" */
	char by[64]; /* peer address, account or "quintetctl" */
	char detail[192]; /* clean UTF-8 */
	unsigned char hash[32];
};

/* STORE_OP_AUDIT_APPEND takes a struct audit_row; seq and hash are set by the operation. -EINVAL:
 * no event, or AUDIT_CLOSE_EVENT, which nobody but STORE_OP_AUDIT_CLOSE says. */
#define AUDIT_CLOSE_EVENT "audit-close"

/* STORE_OP_AUDIT_CLOSE: removes rows older than policy audit_keep from the beginning, but never the
 * newest one; nothing when it did so less than 20 hours before, unless at the same now_us. */
struct audit_close_args {
	int64_t now_us;
};
struct audit_close_result {
	uint64_t rows; /* removed by this call */
	bool more; /* call again with the same now_us */
};

/* Where the chain begins. */
struct audit_closed {
	uint64_t seq; /* the newest row that was removed; 0: none was */
	int64_t at_us; /* when */
	unsigned char hash[32]; /* of that row: what the next one is chained to */
};
int audit_closed_get(struct store *s, struct audit_closed *ret);

/* In order from seq on; each() nonzero stops. */
int audit_each(struct store *s, uint64_t from, int (*each)(void *arg, const struct audit_row *r),
	void *arg);

/* Re-computes the chain from where it begins: 0 and the head, or -EBADMSG and the first bad row in
 * *ret_seq: that behind the anchor, too, when closing row and anchor differ. */
int audit_verify(struct store *s, uint64_t *ret_seq, unsigned char ret_head[32]);

#endif
