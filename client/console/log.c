/* The lines of a place: each one allocation with its texts, at most CONSOLE_LINES_MAX of them. */
#include "client/console/console.h"

#include <string.h>

/* Copies the texts; false: no memory. */
static bool line_make(struct place_line *to, const struct place_line *from)
{
	size_t who = strlen(from->who) + 1, text = strlen(from->text) + 1;
	char *p = malloc(who + text);

	if (p == NULL)
		return false;
	memcpy(p, from->who, who);
	memcpy(p + who, from->text, text);
	*to = *from;
	to->who = p;
	to->text = p + who;
	return true;
}

static void line_free(struct place_line *l)
{
	/* who is where the allocation begins. */
	void *p;

	memcpy(&p, &l->who, sizeof p);
	free(p);
}

/* Room for more lines; false: no memory. */
static bool reserve(struct place *p, size_t more)
{
	size_t room = p->room > 0 ? p->room : 32;
	void *v;

	if (p->count + more <= p->room)
		return true;
	while (room < p->count + more)
		room *= 2;
	v = reallocarray(p->lines, room, sizeof *p->lines);
	if (v == NULL)
		return false;
	p->lines = v;
	p->room = room;
	return true;
}

static void drop(struct place *p, size_t at)
{
	line_free(&p->lines[at]);
	p->count--;
	memmove(p->lines + at, p->lines + at + 1, (p->count - at) * sizeof *p->lines);
}

static bool insert(struct place *p, size_t at, const struct place_line *l)
{
	struct place_line copy;

	if (!line_make(&copy, l))
		return false;
	if (!reserve(p, 1)) {
		line_free(&copy);
		return false;
	}
	memmove(p->lines + at + 1, p->lines + at, (p->count - at) * sizeof *p->lines);
	p->lines[at] = copy;
	p->count++;
	return true;
}

static void changed(struct console *c, struct place *p)
{
	p->revision++;
	console_changed(c);
}

static bool counts(const struct place_line *l)
{
	return l->look == LINE_PLAIN || l->look == LINE_LOUD || l->look == LINE_ERROR;
}

void place_add(struct console *c, struct place *p, const struct place_line *l)
{
	if (p->count >= CONSOLE_LINES_MAX)
		drop(p, 0);
	if (!insert(p, p->count, l))
		return;
	p->added++;
	if (p != c->current && counts(l)) {
		p->unread++;
		p->called = p->called || l->look == LINE_LOUD;
	}
	changed(c, p);
	if (c->face != NULL && c->face->line_added != NULL)
		c->face->line_added(c, p, &p->lines[p->count - 1]);
}

void place_add_older(struct console *c, struct place *p, const struct place_line *l, size_t count)
{
	size_t fits = CONSOLE_LINES_MAX - p->count, put = 0;

	if (p->count > CONSOLE_LINES_MAX)
		return;
	/* The nearest ones when there is no room for all. */
	for (size_t i = count > fits ? count - fits : 0; i < count; i++)
		put += insert(p, put, &l[i]) ? 1 : 0;
	if (put == 0)
		return;
	changed(c, p);
	if (c->face != NULL && c->face->older_added != NULL)
		c->face->older_added(c, p, put);
}

bool place_reword(
	struct console *c, struct place *p, int64_t at_us, const char *who, const char *text)
{
	for (size_t i = p->count; i-- > 0;) {
		struct place_line other = p->lines[i], copy;

		if (other.at_us != at_us || strcmp(other.who, who) != 0)
			continue;
		other.text = text;
		if (!line_make(&copy, &other))
			return false;
		line_free(&p->lines[i]);
		p->lines[i] = copy;
		changed(c, p);
		return true;
	}
	return false;
}

/* Where the line with that id is, or would be. */
static size_t find(const struct place *p, uint32_t id)
{
	size_t from = 0, to = p->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (p->lines[middle].id < id)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

void place_put(struct console *c, struct place *p, const struct place_line *l)
{
	size_t at = find(p, l->id);
	struct place_line copy;

	if (at < p->count && p->lines[at].id == l->id) {
		if (!line_make(&copy, l))
			return;
		line_free(&p->lines[at]);
		p->lines[at] = copy;
	} else if (p->count < CONSOLE_LINES_MAX) {
		(void)insert(p, at, l);
	} else if (at > 0 && insert(p, at, l)) {
		drop(p, 0);
	}
	changed(c, p);
}

void place_take(struct console *c, struct place *p, uint32_t id)
{
	size_t at = find(p, id);

	if (at >= p->count || p->lines[at].id != id)
		return;
	drop(p, at);
	if (p->selected == id)
		p->selected = at < p->count ? p->lines[at].id : 0;
	changed(c, p);
}

void place_clear(struct place *p)
{
	for (size_t i = 0; i < p->count; i++)
		line_free(&p->lines[i]);
	free(p->lines);
	p->lines = NULL;
	p->count = p->room = 0;
	p->revision++;
}
