/* Sequence sets (RFC 3501 section 9: sequence-set), with "$" of RFC 5182. */
#include "proto/imap_i.h"

#include <errno.h>
#include <stdlib.h>

/* One end of a range. The highest 32-bit number is no UID and no sequence number of ours: it is
 * taken for its neighbour, so that it is not mistaken for '*'. */
static int in_end(struct imap_in *in, uint32_t *ret)
{
	uint64_t n;

	if (imap_in_char(in, '*')) {
		*ret = IMAP_STAR;
		return 0;
	}
	if (imap_in_number(in, UINT32_MAX, &n) < 0 || n == 0)
		return -EBADMSG;
	*ret = n == IMAP_STAR ? IMAP_STAR - 1 : (uint32_t)n;
	return 0;
}

static int in_range(struct imap_in *in, struct imap_range *ret)
{
	uint32_t first, last;
	int r = in_end(in, &first);

	if (r < 0)
		return r;
	last = first;
	if (imap_in_char(in, ':')) {
		r = in_end(in, &last);
		if (r < 0)
			return r;
	}
	ret->first = first < last ? first : last;
	ret->last = first < last ? last : first;
	return 0;
}

static int in_ranges(struct imap_in *in, struct imap_set *s)
{
	size_t room = 0;
	struct imap_range range, *slot;
	int r;

	do {
		r = in_range(in, &range);
		if (r < 0)
			return r;
		if (s->count >= IMAP_SET_MAX)
			return -EBADMSG;
		slot = imap_grow((void **)&s->list, &s->count, &room, sizeof(*slot));
		if (slot == NULL)
			return -ENOMEM;
		*slot = range;
	} while (imap_in_char(in, ','));
	return 0;
}

int imap_in_set(struct imap_in *in, struct imap_set *ret)
{
	struct imap_set s = {.saved = imap_in_char(in, '$')};
	size_t from = in->at;
	int r = s.saved ? 0 : in_ranges(in, &s);

	if (r < 0) {
		in->at = from;
		imap_set_done(&s);
		return r;
	}
	*ret = s;
	return 0;
}

static int by_first(const void *a, const void *b)
{
	const struct imap_range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

void imap_set_settle(struct imap_set *s, uint32_t highest)
{
	uint32_t star = highest > 0 ? highest : 1;
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++) {
		struct imap_range *r = &s->list[i];
		uint32_t first = r->first == IMAP_STAR ? star : r->first;
		uint32_t last = r->last == IMAP_STAR ? star : r->last;

		r->first = first < last ? first : last;
		r->last = first < last ? last : first;
	}
	if (s->count > 1)
		qsort(s->list, s->count, sizeof(*s->list), by_first);
	for (size_t i = 1; i < s->count; i++) {
		struct imap_range *last = &s->list[kept];

		if (s->list[i].first - 1 > last->last)
			s->list[++kept] = s->list[i];
		else if (s->list[i].last > last->last)
			last->last = s->list[i].last;
	}
	if (s->count > 0)
		s->count = kept + 1;
}

bool imap_set_has(const struct imap_set *settled, uint32_t n)
{
	size_t low = 0, high = settled->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (settled->list[mid].last < n)
			low = mid + 1;
		else
			high = mid;
	}
	return low < settled->count && settled->list[low].first <= n;
}

void imap_set_done(struct imap_set *s)
{
	free(s->list);
	*s = (struct imap_set){.list = NULL};
}

void imap_put_set(struct buf *b, const uint32_t *numbers, size_t count)
{
	for (size_t i = 0, end; i < count; i = end) {
		for (end = i + 1; end < count && numbers[end] == numbers[end - 1] + 1;)
			end++;
		buf_addf(b, "%s%u", i > 0 ? "," : "", numbers[i]);
		if (end - i > 1)
			buf_addf(b, ":%u", numbers[end - 1]);
	}
}
