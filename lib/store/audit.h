/*
 * The append-only, hash-chained audit table: hash(n) = SHA-256(hash(n-1) || row n). Operations
 * append their own rows in their own commit; STORE_OP_AUDIT_APPEND is for what changes nothing
 * else.
 */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "store/store.h"

struct audit_row {
	uint64_t seq;
	int64_t at_us;
	char event[32]; /* "account-create", "login-refused", "cert-issue" ... */
	char account[33]; /* whom it is about, or "" */
	char by[64]; /* peer address, account or "quintetctl" */
	char detail[192]; /* clean UTF-8 */
	unsigned char hash[32];
};

/* STORE_OP_AUDIT_APPEND takes a struct audit_row; seq and hash are set by the operation. */

/* In order from seq on; each() nonzero stops. */
int audit_each(struct store *s, uint64_t from, int (*each)(void *arg, const struct audit_row *r),
	void *arg);

/* Re-computes the chain: 0 and the head, or -EBADMSG and the first bad row in *ret_seq. */
int audit_verify(struct store *s, uint64_t *ret_seq, unsigned char ret_head[32]);

#endif
