/*
 * A growing byte buffer with a hard maximum and a sticky error: append as often as wanted and look
 * at buf_error() once at the end. After an error nothing more is appended.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/span.h"

#include <stdint.h>

struct buf {
	unsigned char *p; /* NULL until the first append; kept NUL-terminated behind len */
	size_t len;
	size_t cap;
	size_t max; /* the most bytes it may ever hold */
	int error; /* 0, -ENOBUFS (max reached) or -ENOMEM */
};

#define BUF_INIT(max_bytes) ((struct buf){.max = (max_bytes)})

/* Frees the bytes; the buffer is as BUF_INIT(max) left it. Safe on an empty one. */
void buf_done(struct buf *b);

/* As buf_done(), but overwrites the bytes first. For passwords, keys and tokens. */
void buf_wipe(struct buf *b);

/* Forgets content and error, keeps the memory. */
void buf_reset(struct buf *b);

void buf_add(struct buf *b, struct span bytes);
void buf_add_str(struct buf *b, const char *s);
void buf_add_byte(struct buf *b, unsigned char c);
void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Big-endian integers. */
void buf_add_u16(struct buf *b, uint16_t v);
void buf_add_u32(struct buf *b, uint32_t v);
void buf_add_u64(struct buf *b, uint64_t v);

/*
 * Makes room for len more bytes and returns where they go, or NULL with the sticky error set. They
 * count only after buf_commit() of at most as many. The pointer lives until the next append.
 */
unsigned char *buf_reserve(struct buf *b, size_t len);
void buf_commit(struct buf *b, size_t len);

/* Drops the first len bytes (at most all). */
void buf_consume(struct buf *b, size_t len);

/* 0 or the sticky error. */
static inline int buf_error(const struct buf *b)
{
	return b->error;
}

/* The content. The pointer lives until the next append, consume, reset or done. */
static inline struct span buf_span(const struct buf *b)
{
	return (struct span){b->p, b->len};
}

/* The content as a C string ("" when empty). Same pointer life. Never NULL. */
const char *buf_str(const struct buf *b);

#endif
