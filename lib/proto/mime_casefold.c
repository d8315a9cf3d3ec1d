/* Text for comparing: letters without case, marks apart from their letters (RFC 5051 in effect). */
#include "proto/mime_i.h"

enum { STEPS_MAX = 4 }; /* of taking one letter apart */

static uint32_t fold(uint32_t cp)
{
	size_t low = 0, high = mime_fold_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct mime_fold *f = &mime_folds[mid];

		if (cp > f->last)
			low = mid + 1;
		else if (cp < f->first)
			high = mid;
		else
			return (cp - f->first) % f->step == 0 ? (uint32_t)((int64_t)cp + f->delta)
							      : cp;
	}
	return cp;
}

static const struct mime_pair *find_pair(uint32_t cp)
{
	size_t low = 0, high = mime_pair_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (cp == mime_pairs[mid].whole)
			return &mime_pairs[mid];
		if (cp > mime_pairs[mid].whole)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static void put_apart(struct buf *b, uint32_t cp)
{
	uint32_t marks[STEPS_MAX];
	size_t count = 0;
	const struct mime_pair *pair;

	while (count < STEPS_MAX && (pair = find_pair(cp)) != NULL) {
		marks[count++] = pair->mark;
		cp = pair->base;
	}
	mime_utf8_put(b, fold(cp));
	while (count > 0)
		if (marks[--count] != 0)
			mime_utf8_put(b, marks[count]);
}

static void put_folded(struct buf *b, uint32_t cp)
{
	if (cp == 0xdf || cp == 0x1e9e) /* the sharp s has no other small form */
		buf_add_str(b, "ss");
	else
		put_apart(b, fold(cp));
}

static size_t ascii_run(struct span s)
{
	size_t n = 0;

	while (n < s.len && s.p[n] < 0x80)
		n++;
	return n;
}

void mime_casefold(struct buf *b, struct span text)
{
	uint32_t cp;
	bool bad;

	while (text.len > 0 && buf_error(b) == 0) {
		size_t n = ascii_run(text);
		unsigned char *to = buf_reserve(b, n);
		unsigned char first;

		if (to == NULL)
			return;
		for (size_t i = 0; i < n; i++)
			to[i] = mime_lower(text.p[i]);
		buf_commit(b, n);
		text = mime_skip(text, n);
		if (text.len == 0)
			return;
		first = text.p[0];
		(void)mime_utf8_next(&text, &cp, &bad);
		if (bad)
			buf_add_byte(b, first);
		else
			put_folded(b, cp);
	}
}
