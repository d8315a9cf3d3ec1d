/*
 * Content-addressed bodies (SHA-256) with reference counts: small ones inline in the store, larger
 * ones as files under blobs/ab/. Flow: blob_write the bytes as they come, blob_seal (digest; a
 * large one is flushed and renamed into place), then STORE_OP_BLOB_PUT, or the operation that
 * refers to it, makes it visible and counts the reference in its own commit, within the hour: what
 * nothing refers to by then is an orphan, and STORE_OP_SWEEP removes it.
 */
#ifndef STORE_BLOB_H
#define STORE_BLOB_H

#include "store/store.h"

/*
 * Measured beside each other on ext4: a durable 60,000 byte blob takes 0.4 ms inline and 0.7 ms as
 * a file, at 250,000 bytes 0.7 and 1.0. A month of churn (45,000 blobs of mail's sizes, 12,000
 * alive) leaves a file of 189 MB for 173 MB in use; with four times the limit 326 for 291. It may
 * be raised later, but not lowered: rows up to it exist.
 */
#define BLOB_INLINE_MAX 65536
#define BLOB_ID_LEN 32

struct blob_writer;
int blob_begin(struct store *s, uint64_t max_bytes, struct blob_writer **ret);
int blob_write(struct blob_writer *w, struct span bytes); /* -EFBIG over max, -ENOSPC */

struct blob_sealed {
	unsigned char id[BLOB_ID_LEN];
	uint64_t size;
	struct span inline_bytes; /* owned by the writer; empty when it went to a file */
};
int blob_seal(struct blob_writer *w, struct blob_sealed *ret);
void blob_end(struct blob_writer *w); /* frees; an unsealed file is removed */
void blob_endp(struct blob_writer **w);

/* STORE_OP_BLOB_PUT: takes a struct blob_sealed, +1 reference (an equal body is stored once).
 * STORE_OP_BLOB_UNREF: takes id (32 bytes), -1; at 0 the row goes, the file at the next sweep.
 * -ENOENT. -EINVAL: bytes of another digest or size, where they are inline. */

/* Reading: size, then pieces; no transaction stays open between calls. -ENOENT; *ret_len 0 at the
 * end. */
int blob_size(struct store *s, const unsigned char id[BLOB_ID_LEN], uint64_t *ret);
int blob_read(struct store *s, const unsigned char id[BLOB_ID_LEN], uint64_t offset, void *p,
	size_t len, size_t *ret_len);

/*
 * STORE_OP_SWEEP: removes orphaned files and temporaries of blobs older than an hour, expired
 * invites, stale throttle rows, intents whose certificate would have expired, dead sessions' rows;
 * of ftpd's tree expired partials, temporaries older than a day that no partial names and no upload
 * holds, rows older than an hour whose file is gone, and reservations of dead processes. Result:
 */
struct sweep_args {
	int64_t now_us;
};
struct sweep_result {
	uint64_t files, rows;
};

#endif
