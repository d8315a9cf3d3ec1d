/* Runs of bytes: comparing, trimming, splitting, copying. */
#include "base/span.h"

#include <errno.h>

static unsigned char fold(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

bool span_caseeq_str(struct span a, const char *s)
{
	struct span b = span_str(s);

	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (fold(a.p[i]) != fold(b.p[i]))
			return false;
	return true;
}

bool span_starts(struct span a, const char *prefix)
{
	size_t len = strlen(prefix);

	return a.len >= len && (len == 0 || memcmp(a.p, prefix, len) == 0);
}

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

struct span span_trim(struct span a)
{
	while (a.len > 0 && is_blank(a.p[a.len - 1]))
		a.len--;
	while (a.len > 0 && is_blank(a.p[0])) {
		a.p++;
		a.len--;
	}
	return a;
}

bool span_split(struct span *rest, unsigned char sep, struct span *ret_head)
{
	struct span all = *rest;
	const unsigned char *at;
	size_t head;

	if (all.p == NULL || all.len == 0)
		return false;
	at = memchr(all.p, sep, all.len);
	head = at != NULL ? (size_t)(at - all.p) : all.len;
	*ret_head = (struct span){all.p, head};
	if (at != NULL)
		head++;
	*rest = (struct span){all.p + head, all.len - head};
	return true;
}

int span_copy_str(struct span a, char *ret, size_t size)
{
	if (a.len > 0 && memchr(a.p, 0, a.len) != NULL)
		return -EINVAL;
	if (a.len >= size)
		return -ENOBUFS;
	if (a.len > 0)
		memcpy(ret, a.p, a.len);
	ret[a.len] = '\0';
	return 0;
}

bool span_eq_secret(struct span a, struct span b)
{
	volatile unsigned char different = 0;

	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		different = (unsigned char)(different | (a.p[i] ^ b.p[i]));
	return different == 0;
}
