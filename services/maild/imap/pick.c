/* From sets to positions in the mailbox as this client knows it. */
#include "services/maild/imap/imap.h"

#include <errno.h>
#include <stdlib.h>

int imap_position(const struct imap *s, uint32_t uid, size_t *ret)
{
	size_t low = 0, high = s->box.count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->box.uids[mid] < uid)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == s->box.count || s->box.uids[low] != uid)
		return -ENOENT;
	*ret = low;
	return 0;
}

bool imap_is_gone(const struct imap *s, uint32_t uid)
{
	size_t low = 0, high = s->box.gone_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->box.gone[mid] < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->box.gone_count && s->box.gone[low] == uid;
}

/* In an empty mailbox "*" is nothing, and "1:*" too, which clients say without looking. */
static int check_empty(const struct imap_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->list[i].last != IMAP_STAR ||
			(set->list[i].first != IMAP_STAR && set->list[i].first != 1))
			return -EBADMSG;
	return 0;
}

static int make_room(const struct imap *s, struct imap_picks *p)
{
	*p = (struct imap_picks){.at = NULL};
	if (s->box.count == 0)
		return 0;
	p->at = reallocarray(NULL, s->box.count, sizeof(*p->at));
	return p->at != NULL ? 0 : -ENOMEM;
}

/* Both lists ascend: one walk. */
static void pick_uids(const struct imap *s, const struct imap_set *set, struct imap_picks *p)
{
	size_t at = 0;

	for (size_t i = 0; i < set->count; i++) {
		while (at < s->box.count && s->box.uids[at] < set->list[i].first)
			at++;
		while (at < s->box.count && s->box.uids[at] <= set->list[i].last)
			p->at[p->count++] = (uint32_t)at++;
	}
}

static void pick_saved(const struct imap *s, struct imap_picks *p)
{
	size_t at = 0;

	for (size_t i = 0; i < s->saved_count; i++) {
		while (at < s->box.count && s->box.uids[at] < s->saved[i])
			at++;
		if (at < s->box.count && s->box.uids[at] == s->saved[i])
			p->at[p->count++] = (uint32_t)at;
	}
}

static void pick_numbers(const struct imap_set *set, struct imap_picks *p)
{
	for (size_t i = 0; i < set->count; i++)
		for (uint32_t n = set->list[i].first; n <= set->list[i].last; n++)
			p->at[p->count++] = n - 1;
}

int imap_pick(struct imap *s, struct imap_set *set, bool uid, struct imap_picks *ret)
{
	struct imap_picks p;
	int r;

	if (s->box.count == 0) {
		*ret = (struct imap_picks){.at = NULL};
		return uid || set->saved ? 0 : check_empty(set);
	}
	if (!set->saved)
		imap_set_settle(set, uid ? s->box.uids[s->box.count - 1] : (uint32_t)s->box.count);
	if (!set->saved && !uid &&
		(set->count == 0 || set->list[0].first == 0 ||
			set->list[set->count - 1].last > s->box.count))
		return -EBADMSG;
	r = make_room(s, &p);
	if (r < 0)
		return r;
	if (set->saved)
		pick_saved(s, &p);
	else if (uid)
		pick_uids(s, set, &p);
	else
		pick_numbers(set, &p);
	*ret = p;
	return 0;
}

void imap_picks_done(struct imap_picks *p)
{
	free(p->at);
	*p = (struct imap_picks){.at = NULL};
}

uint32_t *imap_pick_uids(const struct imap *s, const struct imap_picks *p)
{
	uint32_t *uids = reallocarray(NULL, p->count > 0 ? p->count : 1, sizeof(*uids));

	for (size_t i = 0; uids != NULL && i < p->count; i++)
		uids[i] = s->box.uids[p->at[i]];
	return uids;
}
