/*
 * \Recent (RFC 3501 section 2.3.2): the first read-write session that is told of a message has it,
 * and no other. So it is taken in a commit before it is told; which one has what lives only here.
 */
#include "services/maild/imap/imap.h"

#include <stdlib.h>

bool imap_is_recent(const struct imap *s, uint32_t uid)
{
	for (size_t i = s->box.recent_count; i-- > 0;)
		if (s->box.recent[i].first <= uid)
			return uid <= s->box.recent[i].last;
	return false;
}

/* The first position whose UID is not below. */
static size_t first_from(const struct imap_box *b, uint32_t uid)
{
	size_t low = 0, high = b->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (b->uids[mid] < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t imap_recent_count(const struct imap *s)
{
	const struct imap_box *b = &s->box;
	size_t count = 0;

	for (size_t i = 0; i < b->recent_count; i++) {
		size_t end = b->recent[i].last == UINT32_MAX ? b->count
							     : first_from(b, b->recent[i].last + 1);

		count += end - first_from(b, b->recent[i].first);
	}
	return count;
}

/* UIDs from <= uid < to. Without memory they are not \Recent anywhere, which hurts nobody. */
void imap_add_recent(struct imap *s, uint32_t from, uint32_t to)
{
	struct imap_box *b = &s->box;
	struct imap_range *last = b->recent_count > 0 ? &b->recent[b->recent_count - 1] : NULL;

	if (from >= to)
		return;
	if (last != NULL && last->last + 1 == from) {
		last->last = to - 1;
		return;
	}
	if (b->recent == NULL || b->recent_count == b->recent_room) {
		size_t room = b->recent_room > 0 ? 2 * b->recent_room : 4;
		void *p = reallocarray(b->recent, room, sizeof(*b->recent));

		if (p == NULL)
			return;
		b->recent = p;
		b->recent_room = room;
	}
	b->recent[b->recent_count++] = (struct imap_range){.first = from, .last = to - 1};
}

void imap_take_recent(struct imap *s, const struct mail_box *box)
{
	struct mail_recent_args args = {.box = box->id};
	struct mail_recent_result result = {.from = 0};

	if (s->box.read_only) {
		/* Nothing is taken: it shows what waits for another session. */
		s->box.recent_count = 0;
		imap_add_recent(s, box->recent_uid, UINT32_MAX);
		return;
	}
	if (box->recent_uid >= box->uid_next || (s->enabled & IMAP_REV2) != 0)
		return;
	(void)span_copy_str(span_str(imap_account(s)), args.account, sizeof(args.account));
	if (store_call(s->service->store, STORE_OP_MAIL_RECENT, &args, &result) == 0)
		imap_add_recent(s, result.from, result.to);
}
