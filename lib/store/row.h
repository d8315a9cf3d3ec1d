/*
 * Inside lib/store only: the records behind the keys. Each begins with a version byte of its table;
 * decoding is pure and checks everything, since whoever can write the file can write any bytes.
 */
#ifndef STORE_ROW_H
#define STORE_ROW_H

#include "base/cleanup.h"
#include "base/rec.h"
#include "store/account.h"
#include "store/audit.h"
#include "store/blob.h"
#include "store/cert.h"
#include "store/keys.h"
#include "store/policy.h"
#include "store/session.h"

/* -- building ---------------------------------------------------------------------------------- */

#define ROW_MAX (32U << 20) /* a CRL of many revocations is the longest */

/* A record that holds its version byte. */
struct buf row_begin(uint8_t version);
/* A string in an array of size bytes; -EINVAL sticks when it has no NUL. */
void row_text(struct buf *b, const char *s, size_t size);
/* Writes the record and frees it. The sticky error of b, or that of the write. */
int row_put(struct store_txn *txn, const struct key *key, struct buf *b);
int row_add(struct store_txn *txn, const struct key *key, struct buf *b); /* -EEXIST */
/* An index row: a key without a value. */
int row_mark(struct store_txn *txn, const struct key *key);
int row_del(struct store_txn *txn, const struct key *key);
int row_get(struct store_txn *txn, const struct key *key, struct span *ret);

/* A record to be read; a wrong version sticks as an error. */
struct rec row_open(struct span value, uint8_t version);
/* The name that follows the table byte of a key, to its end. -EBADMSG. */
int row_name(struct span key, char *ret, size_t size);
/* Is it a C string within size bytes? */
bool row_is_text(const char *s, size_t size);

/* A counter of eight bytes: 0 when there is none. */
int row_counter(struct store_txn *txn, const struct key *key, uint64_t *ret);
int row_counter_put(struct store_txn *txn, const struct key *key, uint64_t value);

/* -- decoding, one per table: -EBADMSG --------------------------------------------------------- */

struct tombstone {
	int64_t removed_us;
	uint64_t password_gen, account_gen;
};

struct throttle_row {
	uint64_t level_milli; /* thousandths of a failure, at at_us */
	int64_t at_us;
	int64_t until_us;
};

struct blob_row {
	uint64_t size, refs;
	bool is_file;
	struct span bytes;
};

struct audit_head {
	uint64_t seq; /* of the newest row; 0 when there is none */
	unsigned char hash[32];
};

int account_decode(struct span key, struct span value, struct account *ret);
int tombstone_decode(struct span value, struct tombstone *ret);
int invite_decode(struct span key, struct span value, struct invite *ret);
int cmp_ref_decode(struct span key, struct span value, struct cmp_ref *ret);
int cert_decode(struct span key, struct span value, struct cert *ret);
int ca_decode(struct span key, struct span value, struct ca *ret);
int crl_decode(struct span value, struct crl_info *ret, struct span *ret_der);
int audit_decode(struct span value, struct audit_row *ret);
int audit_head_decode(struct span value, struct audit_head *ret);
int audit_closed_decode(struct span value, struct audit_closed *ret);
int throttle_decode(struct span value, struct throttle_row *ret);
int session_decode(struct span key, struct span value, struct session_row *ret);
int bell_decode(struct span key, struct span value, struct bell_args *ret);
int policy_decode(struct span value, char *ret, size_t size);
int blob_decode(struct span value, struct blob_row *ret);

/* Decodes a row of any table, by its key. Pure. */
int row_decode(struct span key, struct span value);

/* -- what operations of several areas share ---------------------------------------------------- */

/* One row of the audit table, in the operation's own commit. Text that is not clean is escaped,
 * what is too long is cut. */
struct audit_note {
	int64_t at_us;
	const char *event, *account, *by;
};
int audit_note(struct store_txn *txn, const struct audit_note *note, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Where the chain begins: seq 0 when nothing was removed. And what the closing row says of it. */
#define AUDIT_CLOSED_TEXT_SIZE 128
int audit_closed_read(struct store_txn *txn, struct audit_closed *ret);
int audit_closed_text(const struct audit_closed *c, char ret[AUDIT_CLOSED_TEXT_SIZE]);
/* Part of the sweep: adds to *rows what it removed. */
int audit_sweep(struct store *s, int64_t now_us, uint64_t *rows);

int account_write(struct store_txn *txn, const struct account *a);
/* The row of a name that is free, its generations going on where a former owner's ended. */
int account_make(struct store_txn *txn, const char *name, int64_t now_us, struct account *ret);

/* Takes one use of an invite for name. -EKEYREJECTED; the account's flags in *ret_flags. */
int invite_use(struct store_txn *txn, const unsigned char *hash, const char *name, int64_t now_us,
	uint32_t *ret_flags);

int cert_read(struct store_txn *txn, const unsigned char *serial, struct cert *ret);
/* Revokes all certificates and intents of an account. */
int cert_revoke_all(struct store_txn *txn, const char *account, int64_t now_us, unsigned *ret);

/* Removes a session and what it registered. -ENOENT. */
int session_drop(struct store_txn *txn, const char *service, uint64_t id);

#endif
