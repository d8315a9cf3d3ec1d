/* Who is in a channel: sorted by nick without regard to case, so that completion goes in order. */
#include "client/chat/model.h"

#include <errno.h>
#include <stdlib.h>

static unsigned char fold(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

static int compare(struct span a, struct span b)
{
	for (size_t i = 0; i < a.len && i < b.len; i++)
		if (fold(a.p[i]) != fold(b.p[i]))
			return fold(a.p[i]) < fold(b.p[i]) ? -1 : 1;
	return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}

/* Where nick is, or where it would stand. */
static bool place(const struct members *m, struct span nick, size_t *ret)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(nick, span_str(m->v[middle].nick));

		if (order == 0) {
			*ret = middle;
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	*ret = low;
	return false;
}

void members_done(struct members *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->v[i].nick);
	free(m->v);
	*m = (struct members){.v = NULL};
}

struct member *members_find(const struct members *m, struct span nick)
{
	size_t at;

	return place(m, nick, &at) ? &m->v[at] : NULL;
}

static int grow(struct members *m)
{
	size_t size = m->size > 0 ? 2 * m->size : 16;
	struct member *v;

	if (m->count < m->size)
		return 0;
	v = realloc(m->v, size * sizeof *v);
	if (v == NULL)
		return -ENOMEM;
	m->v = v;
	m->size = size;
	return 0;
}

static void prefix_set(struct member *member, const char *prefix)
{
	if (prefix != NULL)
		snprintf(member->prefix, sizeof member->prefix, "%s", prefix);
}

static void insert(struct members *m, size_t at, const struct member *member)
{
	memmove(m->v + at + 1, m->v + at, (m->count - at) * sizeof *m->v);
	m->v[at] = *member;
	m->count++;
}

int members_set(struct members *m, struct span nick, const char *prefix)
{
	struct member new = {.nick = NULL};
	size_t at;

	if (place(m, nick, &at)) {
		prefix_set(&m->v[at], prefix);
		return 0;
	}
	if (m->count >= MODEL_MEMBERS_MAX || nick.len == 0 || nick.len > MODEL_NAME_MAX)
		return -ENOSPC;
	if (grow(m) < 0)
		return -ENOMEM;
	new.nick = strndup((const char *)nick.p, nick.len);
	if (new.nick == NULL)
		return -ENOMEM;
	prefix_set(&new, prefix);
	insert(m, at, &new);
	return 1;
}

static struct member take(struct members *m, size_t at)
{
	struct member taken = m->v[at];

	m->count--;
	memmove(m->v + at, m->v + at + 1, (m->count - at) * sizeof *m->v);
	return taken;
}

bool members_remove(struct members *m, struct span nick)
{
	size_t at;

	if (!place(m, nick, &at))
		return false;
	free(take(m, at).nick);
	return true;
}

bool members_rename(struct members *m, struct span from, struct span to)
{
	struct member member;
	size_t at;
	char *nick;

	if (!place(m, from, &at) || to.len == 0 || to.len > MODEL_NAME_MAX)
		return false;
	nick = strndup((const char *)to.p, to.len);
	if (nick == NULL)
		return false;
	member = take(m, at);
	free(member.nick);
	member.nick = nick;
	/* Somebody of the new name: the server would not do that; one of the two is enough. */
	if (place(m, to, &at))
		free(nick);
	else
		insert(m, at, &member);
	return true;
}

void member_prefix(struct member *m, char prefix, bool set, const char *all)
{
	char now[sizeof m->prefix];
	size_t n = 0;

	for (; *all != '\0' && n + 1 < sizeof now; all++) {
		bool has = strchr(m->prefix, *all) != NULL;

		if (*all == prefix ? set : has)
			now[n++] = *all;
	}
	now[n] = '\0';
	memcpy(m->prefix, now, n + 1);
}
