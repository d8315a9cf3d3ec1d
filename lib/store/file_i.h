/* Inside lib/store only: what the operations on files, the sweep, restore and check share. */
#ifndef STORE_FILE_I_H
#define STORE_FILE_I_H

#include "store/file.h"
#include "store/row.h"

/* -- rows: -EBADMSG when they do not decode; paths point into key or value --------------------- */

struct usage {
	uint64_t bytes, files, partial_bytes;
};

int file_decode(struct span key, struct span value, struct span *ret_path, struct file_row *ret);
int partial_decode(
	struct span key, struct span value, struct span *ret_path, struct file_partial *ret);
int usage_decode(struct span value, struct usage *ret);
int reservation_decode(struct span key, struct span value, struct file_reserve_args *ret);

/* Absolute, normalised, without a slash at its end, clean UTF-8, not "/" and not too long? */
bool file_path_is_good(struct span path);
/* Is path below that folder (not the folder itself)? */
bool file_path_below(struct span path, struct span folder);

/* They write as told; usage is the caller's. */
int file_row_write(struct store_txn *txn, struct span path, const struct file_row *row);
int partial_read(
	struct store_txn *txn, struct span path, const char *account, struct file_partial *ret);
int partial_write(struct store_txn *txn, struct span path, const struct file_partial *p);
int reservation_write(struct store_txn *txn, const struct file_reserve_args *r);

/* -- rows below a folder ("": all), while rows are written and removed ------------------------- */

struct file_walk {
	enum key_table table; /* KEY_FILE or KEY_PARTIAL */
	struct span folder;
	struct key prefix, at;
};

struct file_walk file_walk_of(enum key_table table, struct span folder);
/* 1 and a row; 0 at the end. */
int file_walk_next(
	struct store_txn *txn, struct file_walk *w, struct span *ret_key, struct span *ret_value);

/* -- usage and quota (usage.c) ----------------------------------------------------------------- */

int usage_read(struct store_txn *txn, const char *account, struct usage *ret); /* 0 when none */
int usage_write(struct store_txn *txn, const char *account, const struct usage *u);

/* A file's row or a partial's size comes to its owner or goes. */
int usage_of_file(struct store_txn *txn, const struct file_row *row, bool comes);
int usage_of_partial(struct store_txn *txn, const struct file_partial *p, bool comes);

/* What all reservations of the account hold, but for one (0: none is left out). */
int usage_reserved(struct store_txn *txn, const char *account, uint64_t except_id, uint64_t *ret);
/* All that counts against the quota, as above. */
int usage_total(struct store_txn *txn, const char *account, uint64_t except_id, uint64_t *ret);
/* -EDQUOT when the account's total grew beyond the quota. */
int usage_check(struct store_txn *txn, uint64_t before, uint64_t after);

/* -- shared acts ------------------------------------------------------------------------------- */

/* Removes the row and takes it from its owner's usage. 0 also when there is none. */
int file_forget(struct store_txn *txn, struct span path);
/* The row of a partial, and its part of the usage. */
int partial_forget(struct store_txn *txn, struct span key, struct span value);
/* All rows and partials below a folder. */
int file_forget_below(struct store_txn *txn, struct span folder);

/* Removes reservations of dead processes: of one account, or of all (NULL). */
int file_reap(struct store *s, const char *account, uint64_t *ret_reaped);

/* -- store_check(): what usage should be (file_check.c) -----------------------------------------
 */

struct usage_sum {
	char account[ACCOUNT_NAME_SIZE];
	struct usage usage;
	bool seen; /* its row of KEY_USAGE was there */
};

struct usage_sums {
	struct usage_sum *list; /* in the order of names */
	size_t count, room;
};

int usage_sums_file(struct usage_sums *s, const struct file_row *row); /* -ENOMEM */
int usage_sums_partial(struct usage_sums *s, const struct file_partial *p);
/* All files and partials have been counted: is this what the account's row should say? */
bool usage_sums_agree(struct usage_sums *s, const char *account, const struct usage *u);
/* An account that has files and no row; NULL when there is none. */
const char *usage_sums_missing(const struct usage_sums *s);
void usage_sums_done(struct usage_sums *s); /* for the cleanup attribute */

#endif
