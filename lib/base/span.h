/* A run of bytes that somebody else owns. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
	const unsigned char *p;
	size_t len;
};

#define SPAN_LIT(s) ((struct span){(const unsigned char *)("" s), sizeof(s) - 1})

static inline struct span span_of(const void *p, size_t len)
{
	return (struct span){p, len};
}

/* The bytes of a C string, without its NUL; NULL gives the empty span. */
static inline struct span span_str(const char *s)
{
	return (struct span){(const unsigned char *)s, s != NULL ? strlen(s) : 0};
}

static inline bool span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline bool span_eq_str(struct span a, const char *s)
{
	return span_eq(a, span_str(s));
}

/* ASCII case folded comparison, for protocol words. */
bool span_caseeq_str(struct span a, const char *s);

/* True when the bytes begin with the C string. */
bool span_starts(struct span a, const char *prefix);

/* Without leading and trailing spaces and tabs. */
struct span span_trim(struct span a);

/*
 * Splits at the first byte equal to sep: *ret_head gets what is before it, *rest what is after it.
 * Without a sep the whole goes to *ret_head and *rest becomes empty. False when *rest was
 * NULL/empty.
 */
bool span_split(struct span *rest, unsigned char sep, struct span *ret_head);

/*
 * Copies the bytes as a C string of at most size - 1 bytes. -EINVAL when they hold a NUL,
 * -ENOBUFS when they do not fit; ret is untouched then.
 */
int span_copy_str(struct span a, char *ret, size_t size);

/* Same bytes, in time that depends on the lengths only. For secrets. */
bool span_eq_secret(struct span a, struct span b);

#endif
