/* The items of a mailbox, ascending by UID. See cache.h. */
#include "client/mail/cache.h"

#include <errno.h>

void item_done(struct mail_item *i)
{
	free(i->keywords);
	free(i->from);
	free(i->to);
	free(i->cc);
	free(i->subject);
	free(i->msgid);
	*i = (struct mail_item){.uid = 0};
}

/* What its texts take. */
static size_t bytes_of(const struct mail_item *i)
{
	const char *const texts[] = {i->keywords, i->from, i->to, i->cc, i->subject, i->msgid};
	size_t sum = 0;

	for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
		sum += texts[k] != NULL ? strlen(texts[k]) + 1 : 0;
	return sum;
}

/* It is gone, or another one takes its place. */
static void drop(struct items *s, struct mail_item *i)
{
	s->bytes -= bytes_of(i);
	item_done(i);
}

size_t items_at(const struct items *s, uint32_t uid)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->list[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct mail_item *items_find(const struct items *s, uint32_t uid)
{
	size_t at = items_at(s, uid);

	return at < s->count && s->list[at].uid == uid ? &s->list[at] : NULL;
}

static int make_room(struct items *s)
{
	size_t room = s->room > 0 ? 2 * s->room : 64;
	struct mail_item *list;

	if (s->count < s->room)
		return 0;
	if (s->count >= ITEMS_MAX)
		return -E2BIG;
	list = reallocarray(s->list, room, sizeof *list);
	if (list == NULL)
		return -ENOMEM;
	s->list = list;
	s->room = room;
	return 0;
}

int items_put(struct items *s, struct mail_item *i)
{
	struct mail_item *old = items_find(s, i->uid);
	size_t at, bytes = bytes_of(i);
	int r;

	if (s->bytes + bytes > ITEMS_BYTES_MAX) {
		item_done(i);
		return -E2BIG;
	}
	s->bytes += bytes;
	if (old != NULL) {
		drop(s, old);
		*old = *i;
		*i = (struct mail_item){.uid = 0};
		return 0;
	}
	r = make_room(s);
	if (r < 0) {
		drop(s, i);
		return r;
	}
	at = items_at(s, i->uid);
	memmove(s->list + at + 1, s->list + at, (s->count - at) * sizeof *s->list);
	s->list[at] = *i;
	s->count++;
	*i = (struct mail_item){.uid = 0};
	return 0;
}

void items_remove(struct items *s, size_t at)
{
	drop(s, &s->list[at]);
	s->count--;
	memmove(s->list + at, s->list + at + 1, (s->count - at) * sizeof *s->list);
}

void items_keep(struct items *s, bool (*keep)(void *arg, uint32_t uid), void *arg, bool *ret_any)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++) {
		if (keep(arg, s->list[i].uid)) {
			s->list[kept++] = s->list[i];
		} else {
			drop(s, &s->list[i]);
			*ret_any = true;
		}
	}
	s->count = kept;
}

int items_keywords(struct items *s, struct mail_item *i, char **keywords)
{
	size_t old = strlen(i->keywords), new = strlen(*keywords);

	if (s->bytes + new > ITEMS_BYTES_MAX + old)
		return -E2BIG;
	s->bytes = s->bytes + new - old;
	free(i->keywords);
	i->keywords = *keywords;
	*keywords = NULL;
	return 0;
}

void items_clear(struct items *s)
{
	for (size_t i = 0; i < s->count; i++)
		item_done(&s->list[i]);
	free(s->list);
	*s = (struct items){.list = NULL};
}
