/*
 * The list of all writes. An operation reads and writes through its transaction and does nothing
 * else: it may run more than once. What belongs to it outside the store (files) is its `after`,
 * which runs once, after the commit.
 */
#ifndef STORE_OPS_H
#define STORE_OPS_H

#include "store/store.h"

enum { OP_RESULT_MAX = 1536 };

enum op_flag {
	OP_FREES = 1, /* gives room back */
	OP_SECURES = 2, /* log-in, revocation, locking: must work in a full store too */
	OP_TELLS = 4, /* its result tells of a refusal too */
};

struct op_def {
	const char *name;
	int (*run)(struct store_txn *txn, const void *args, void *result);
	size_t args_size;
	size_t result_size; /* 0: no result; at most OP_RESULT_MAX */
	unsigned flags;
	int (*after)(struct store *s, const void *args, void *result);
};

/* NULL when there is no such operation. */
const struct op_def *op_find(enum store_op op);

#ifdef QUINTET_TEST
/* A test's own operation in the place of every one; NULL: none. */
extern const struct op_def *op_override;
#endif

/* The functions, each described at its argument struct in the public headers. */
int op_account_create(struct store_txn *txn, const void *args, void *result);
int op_account_password(struct store_txn *txn, const void *args, void *result);
int op_account_flags(struct store_txn *txn, const void *args, void *result);
int op_account_remove(struct store_txn *txn, const void *args, void *result);
int op_invite_create(struct store_txn *txn, const void *args, void *result);
int op_invite_remove(struct store_txn *txn, const void *args, void *result);
int op_cmp_create(struct store_txn *txn, const void *args, void *result);
int op_cmp_consume(struct store_txn *txn, const void *args, void *result);
int op_cert_intent(struct store_txn *txn, const void *args, void *result);
int op_cert_issued(struct store_txn *txn, const void *args, void *result);
int op_cert_revoke(struct store_txn *txn, const void *args, void *result);
int op_ca_put(struct store_txn *txn, const void *args, void *result);
int op_crl_put(struct store_txn *txn, const void *args, void *result);
int op_audit_append(struct store_txn *txn, const void *args, void *result);
int op_audit_close(struct store_txn *txn, const void *args, void *result);
int op_throttle_fail(struct store_txn *txn, const void *args, void *result);
int op_throttle_clear(struct store_txn *txn, const void *args, void *result);
int op_session_add(struct store_txn *txn, const void *args, void *result);
int op_session_update(struct store_txn *txn, const void *args, void *result);
int op_session_remove(struct store_txn *txn, const void *args, void *result);
int op_bell_add(struct store_txn *txn, const void *args, void *result);
int op_bell_remove(struct store_txn *txn, const void *args, void *result);
int op_policy_set(struct store_txn *txn, const void *args, void *result);
int op_blob_put(struct store_txn *txn, const void *args, void *result);
int op_blob_unref(struct store_txn *txn, const void *args, void *result);
int op_file_put(struct store_txn *txn, const void *args, void *result);
int op_file_remove(struct store_txn *txn, const void *args, void *result);
int op_file_rename(struct store_txn *txn, const void *args, void *result);
int op_file_note(struct store_txn *txn, const void *args, void *result);
int op_file_reserve(struct store_txn *txn, const void *args, void *result);
int op_partial_put(struct store_txn *txn, const void *args, void *result);
int op_partial_remove(struct store_txn *txn, const void *args, void *result);
int op_sweep(struct store_txn *txn, const void *args, void *result);
int sweep_after(struct store *s, const void *args, void *result);

#endif
