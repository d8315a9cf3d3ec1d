/* Usage as the rows of files and partials sum it up, owner by owner, beside what is counted. */
#include "store/file_i.h"

#include <errno.h>

enum { ROOM_FIRST = 64 };

/* Where the account's sum is, or belongs. */
static size_t place_of(const struct usage_sums *s, const char *account)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(s->list[middle].account, account) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct usage_sums *s, size_t i, const char *account)
{
	return i < s->count && strcmp(s->list[i].account, account) == 0;
}

static int grow(struct usage_sums *s)
{
	size_t room = s->room == 0 ? ROOM_FIRST : s->room * 2;
	struct usage_sum *list;

	if (s->count < s->room)
		return 0;
	list = reallocarray(s->list, room, sizeof(*list));
	if (list == NULL)
		return -ENOMEM;
	s->list = list;
	s->room = room;
	return 0;
}

static int sum_of(struct usage_sums *s, const char *account, struct usage **ret)
{
	size_t i = place_of(s, account);
	int rc = is_at(s, i, account) ? 0 : grow(s);

	if (rc < 0)
		return rc;
	if (!is_at(s, i, account)) {
		memmove(&s->list[i + 1], &s->list[i], (s->count - i) * sizeof(s->list[0]));
		s->list[i] = (struct usage_sum){.seen = false};
		(void)span_copy_str(
			span_str(account), s->list[i].account, sizeof(s->list[i].account));
		s->count++;
	}
	*ret = &s->list[i].usage;
	return 0;
}

int usage_sums_file(struct usage_sums *s, const struct file_row *row)
{
	struct usage *u = NULL;
	int rc;

	if (row->folder || row->owner[0] == '\0')
		return 0;
	rc = sum_of(s, row->owner, &u);
	if (rc < 0)
		return rc;
	u->bytes += row->size;
	u->files++;
	return 0;
}

int usage_sums_partial(struct usage_sums *s, const struct file_partial *p)
{
	struct usage *u = NULL;
	int rc = p->size == 0 ? 0 : sum_of(s, p->account, &u);

	if (rc == 0 && u != NULL)
		u->partial_bytes += p->size;
	return rc;
}

bool usage_sums_agree(struct usage_sums *s, const char *account, const struct usage *u)
{
	size_t i = place_of(s, account);

	if (!is_at(s, i, account))
		return false;
	s->list[i].seen = true;
	return memcmp(&s->list[i].usage, u, sizeof(*u)) == 0;
}

const char *usage_sums_missing(const struct usage_sums *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (!s->list[i].seen)
			return s->list[i].account;
	return NULL;
}

void usage_sums_done(struct usage_sums *s)
{
	free(s->list);
	*s = (struct usage_sums){.count = 0};
}
