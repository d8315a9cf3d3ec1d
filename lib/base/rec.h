/*
 * Reading packed binary records (store rows, the signer's messages) with a sticky error: read all
 * fields, then look at rec_end() once. Every access is checked; after an error reads give zeros
 * and empty spans. Writing is buf.h plus rec_put_bytes().
 */
#ifndef BASE_REC_H
#define BASE_REC_H

#include "base/buf.h"

struct rec {
	struct span rest;
	int error;
};

static inline struct rec rec_of(struct span bytes)
{
	return (struct rec){.rest = bytes};
}

uint8_t rec_u8(struct rec *r);
uint16_t rec_u16(struct rec *r);
uint32_t rec_u32(struct rec *r);
uint64_t rec_u64(struct rec *r);
int64_t rec_i64(struct rec *r);

/* The next len bytes; the pointer is into the input. */
struct span rec_raw(struct rec *r, size_t len);

/* A byte string with its length in front (u32); -EBADMSG sticks when it is longer than max. */
struct span rec_bytes(struct rec *r, size_t max);

/* The same as a C string without NUL and shorter than size, copied. */
void rec_str(struct rec *r, char *ret, size_t size);

/* 0 when everything was read without error and nothing is left over, else -EBADMSG. */
int rec_end(const struct rec *r);

void rec_put_bytes(struct buf *b, struct span bytes);
void rec_put_str(struct buf *b, const char *s);
static inline void rec_put_i64(struct buf *b, int64_t v)
{
	buf_add_u64(b, (uint64_t)v);
}

#endif
