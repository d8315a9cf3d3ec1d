/*
 * The growing buffer. Memory is grown by copying and wiping the old place, so that a buffer that
 * is wiped at the end has left no copy of a secret behind on the heap.
 */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CAP = 64 };

void buf_done(struct buf *b)
{
	free(b->p);
	*b = BUF_INIT(b->max);
}

void buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	buf_done(b);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->error = 0;
	if (b->p != NULL)
		b->p[0] = '\0';
}

/* The next capacity for need bytes (NUL included): doubled, never beyond what max asks for. */
static size_t next_cap(const struct buf *b, size_t need)
{
	size_t cap = b->cap < FIRST_CAP / 2 ? FIRST_CAP : b->cap;

	if (cap <= SIZE_MAX / 2)
		cap *= 2;
	if (cap < need)
		cap = need;
	if (b->max < SIZE_MAX && cap > b->max + 1)
		cap = b->max + 1;
	return cap;
}

static int grow(struct buf *b, size_t need)
{
	size_t cap = next_cap(b, need);
	unsigned char *p = malloc(cap);

	if (p == NULL)
		return -ENOMEM;
	if (b->p != NULL) {
		memcpy(p, b->p, b->len);
		explicit_bzero(b->p, b->cap);
		free(b->p);
	}
	p[b->len] = '\0';
	b->p = p;
	b->cap = cap;
	return 0;
}

unsigned char *buf_reserve(struct buf *b, size_t len)
{
	if (b->error != 0)
		return NULL;
	if (b->len > b->max || len > b->max - b->len || len > SIZE_MAX - 1 - b->len) {
		b->error = -ENOBUFS;
		return NULL;
	}
	if (b->p == NULL || b->len + len + 1 > b->cap)
		b->error = grow(b, b->len + len + 1);
	return b->error == 0 ? b->p + b->len : NULL;
}

void buf_commit(struct buf *b, size_t len)
{
	if (b->error != 0 || b->p == NULL)
		return;
	b->len += len;
	b->p[b->len] = '\0';
}

void buf_add(struct buf *b, struct span bytes)
{
	unsigned char *at;

	if (bytes.len == 0)
		return;
	at = buf_reserve(b, bytes.len);
	if (at == NULL)
		return;
	memcpy(at, bytes.p, bytes.len);
	buf_commit(b, bytes.len);
}

void buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, span_str(s));
}

void buf_add_byte(struct buf *b, unsigned char c)
{
	buf_add(b, span_of(&c, 1));
}

void buf_addf(struct buf *b, const char *format, ...)
{
	va_list args, again;
	unsigned char *at;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0 && b->error == 0)
		b->error = -ENOMEM;
	at = len > 0 ? buf_reserve(b, (size_t)len) : NULL;
	if (at != NULL) {
		(void)vsnprintf((char *)at, (size_t)len + 1, format, again);
		buf_commit(b, (size_t)len);
	}
	va_end(again);
}

void buf_add_u16(struct buf *b, uint16_t v)
{
	unsigned char bytes[2] = {(unsigned char)(v >> 8), (unsigned char)(v & 0xff)};

	buf_add(b, span_of(bytes, sizeof(bytes)));
}

void buf_add_u32(struct buf *b, uint32_t v)
{
	unsigned char bytes[4];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(v >> (24 - 8 * i));
	buf_add(b, span_of(bytes, sizeof(bytes)));
}

void buf_add_u64(struct buf *b, uint64_t v)
{
	unsigned char bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(v >> (56 - 8 * i));
	buf_add(b, span_of(bytes, sizeof(bytes)));
}

void buf_consume(struct buf *b, size_t len)
{
	if (b->p == NULL || len == 0)
		return;
	if (len > b->len)
		len = b->len;
	b->len -= len;
	memmove(b->p, b->p + len, b->len);
	b->p[b->len] = '\0';
}

const char *buf_str(const struct buf *b)
{
	return b->p != NULL ? (const char *)b->p : "";
}
