/* Inside lib/store only: rows of mail, looked at by store_check() and the fuzzer. */
#ifndef STORE_MAIL_CHECK_H
#define STORE_MAIL_CHECK_H

#include "store/mail_i.h"

/* A row of any table of mail. -EBADMSG; -ENOENT: not one of mail's. Pure. */
int mail_row_decode(struct span key, struct span value);
/* A row of KEY_META. -ENOENT: not one of mail's. Pure. */
int mail_meta_row_decode(struct span name, struct span value);

/*
 * What other rows should say of this one, which decodes. A sentence for people when they do not,
 * else NULL.
 */
const char *mail_row_check(struct store_txn *txn, struct span key, struct span value);

/* How many messages refer to each body: what the rows of bodies say, which come first in the order
 * of keys, less the messages that have been seen. */
struct mail_sums {
	struct buf bodies; /* struct mail_sum, in the order of blobs */
};
struct mail_sum {
	unsigned char blob[BLOB_ID_LEN];
	int64_t left;
};
/* Looks at a row of bodies or messages. -ENOMEM. */
int mail_sums_row(struct mail_sums *s, struct span key, struct span value);
/* All rows have been looked at: a body that has another number of messages; NULL: there is none. */
const unsigned char *mail_sums_wrong(const struct mail_sums *s);
void mail_sums_done(struct mail_sums *s); /* for the cleanup attribute */

#endif
