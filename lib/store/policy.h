/*
 * Policy settings kept in the store (DESIGN section 11): changed by quintetctl, applied to new
 * sessions at once, listed with meaning, default and range from one table.
 */
#ifndef STORE_POLICY_H
#define STORE_POLICY_H

#include "store/store.h"

#define POLICY_VALUE_SIZE 256

/* A secret is a text that is not shown in lists and the audit; quintetctl keeps a password's hash.
 */
enum policy_kind {
	POLICY_NUMBER,
	POLICY_DURATION_S,
	POLICY_SIZE,
	POLICY_CHOICE,
	POLICY_TEXT,
	POLICY_SECRET
};

struct policy_row {
	const char *name; /* "signup" */
	enum policy_kind kind;
	const char *standard; /* the default, as text */
	uint64_t min, max; /* numbers, durations, sizes; longest text */
	const char *choices; /* "closed|invite|open" */
	const char *meaning; /* one line */
};

extern const struct policy_row policy_table[];
extern const size_t policy_count;

/* Value as set or the default. -ENOENT: no such setting. */
int policy_text(struct store *s, const char *name, char ret[POLICY_VALUE_SIZE]);
int policy_number(struct store *s, const char *name, uint64_t *ret); /* numbers, seconds, bytes */
/* Inside a view or operation. */
struct store_txn;
int policy_number_read(struct store_txn *txn, const char *name, uint64_t *ret);
int policy_text_read(struct store_txn *txn, const char *name, char ret[POLICY_VALUE_SIZE]);

/* -EINVAL, -ERANGE with the reason in the table's terms. Pure. */
int policy_validate(const struct policy_row *row, struct span value);
const struct policy_row *policy_find(const char *name);

/* STORE_OP_POLICY_SET; value "" goes back to the default. Audited. -ENOENT, -EINVAL, -ERANGE. */
struct policy_set_args {
	char name[32];
	char value[POLICY_VALUE_SIZE];
	int64_t now_us;
	char by[64];
};

#endif
