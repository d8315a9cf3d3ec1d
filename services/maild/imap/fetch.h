/*
 * FETCH: what its files share. Answers are made in s->out inside views, a slice at a time, and
 * written outside of them. What is made of a message's own bytes (enum fetch_kind) is made in the
 * view too when they lie inline in the store; else the view ends there, the bytes are read and
 * written piece by piece, and the next view goes on behind.
 */
#ifndef MAILD_IMAP_FETCH_H
#define MAILD_IMAP_FETCH_H

#include "services/maild/imap/imap.h"

enum {
	FETCH_SLICE = 256 << 10, /* bytes of answers after which a view ends */
	FETCH_PIECE = 128 << 10, /* of a body that is read at once */
	FETCH_OUT_MAX = 96 << 20, /* a whole header, and a structure, may stand in it */
	FETCH_BATCH = 1024, /* messages whose \Seen is set in one operation */
	FETCH_LEAVES = 8, /* parts that are looked at for a preview */
	FETCH_PREVIEW = 200, /* its characters (RFC 8970 section 3) */
};

enum fetch_kind { FETCH_BYTES, FETCH_FIELDS, FETCH_DECODED, FETCH_DECODED_SIZE, FETCH_PREVIEW_OF };

/* What an item is made of. */
struct fetch_source {
	enum fetch_kind kind;
	bool there;
	uint64_t offset, len; /* in the message */
	enum mime_encoding encoding;
	struct mime_part leaves[FETCH_LEAVES];
	size_t leaf_count;
};

struct fetch {
	struct imap *s;
	const struct imap_fetch *f;
	const struct imap_picks *picks;
	bool uid, modseq; /* told, though nobody asked by name */
	size_t next, end; /* in picks: this batch */
	size_t batch; /* where it began */
	unsigned char changed[FETCH_BATCH / 8]; /* \Seen is new */

	bool open; /* the answer of picks[next] has begun */
	bool written; /* and something of it was sent */
	size_t start; /* where it begins in out, unless written */
	size_t bare; /* and where its items do */
	struct mail_message m;
	size_t item;
	bool has_record;
	struct mime_record record; /* of m, in a view */

	bool in_view;
	bool late; /* source waits for the end of the view */
	struct fetch_source source;
	struct buf scratch;
	bool unknown_encoding;
	int64_t at_ms; /* of gather_pause() */
	int lost; /* why a message was left out */
};

/* fetch_answer.c: picks up to end, told. Is an item asked for by name? */
int fetch_answer(struct fetch *j);
bool fetch_asks(const struct fetch *j, enum imap_item item);
/* Sends what is in out; outside of views only. */
int fetch_flush(struct fetch *j);
/* Bytes of a message, appended to b; in views too, where they are inline. -EIO: there are less,
 * or none. */
int fetch_blob(struct store *s, const unsigned char blob[BLOB_ID_LEN], uint64_t offset,
	uint64_t len, struct buf *b);
int fetch_read(struct fetch *j, uint64_t offset, uint64_t len, struct buf *b);

/* fetch_body.c: where an item's bytes are, and the item out of them. */
void fetch_section_find(struct fetch *j, const struct imap_fetch_item *item);
int fetch_section_put(struct fetch *j, const struct imap_fetch_item *item);
/* The fields of the header in source that are asked for. */
int fetch_fields(struct fetch *j, const struct imap_fetch_item *item, struct buf *ret);

/* fetch_binary.c: BINARY and BINARY.SIZE. */
void fetch_binary_find(struct fetch *j, const struct imap_fetch_item *item);
int fetch_binary_put(struct fetch *j, const struct imap_fetch_item *item);

/* fetch_preview.c */
void fetch_preview_find(struct fetch *j);
int fetch_preview_put(struct fetch *j);

/* The part of len bytes that "<offset.length>" leaves. */
void fetch_cut(
	const struct imap_fetch_item *item, uint64_t len, uint64_t *ret_from, uint64_t *ret_len);
/* "{n}" CR LF of a literal. */
void fetch_put_literal(struct buf *b, uint64_t len, bool binary);

#endif
