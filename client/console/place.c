/* The list of places: the house first, then by kind and name, each with a number that stays. */
#include "client/console/console.h"

#include "proto/irc.h"

#include <string.h>

/* Chat's names are told apart as its server does it, mailboxes and paths to the letter. */
static bool is_chats(enum place_kind kind)
{
	return kind == PLACE_CHANNEL || kind == PLACE_PERSON || kind == PLACE_CALL;
}

static bool is_named(const struct place *p, struct span name)
{
	return is_chats(p->kind) ? irc_eq(span_str(p->name), name)
				 : span_eq(span_str(p->name), name);
}

static int compare(const struct place *a, const struct place *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	/* INBOX before all other mailboxes. */
	if (a->kind == PLACE_MAILBOX &&
		(strcmp(a->name, "INBOX") == 0) != (strcmp(b->name, "INBOX") == 0))
		return strcmp(a->name, "INBOX") == 0 ? -1 : 1;
	return strcasecmp(a->name, b->name);
}

static void sort_in(struct console *c, struct place *p)
{
	size_t at = 0;

	while (at < c->place_count && compare(c->places[at], p) <= 0)
		at++;
	memmove((void *)(c->places + at + 1), (void *)(c->places + at),
		(c->place_count - at) * sizeof(struct place *));
	c->places[at] = p;
	c->place_count++;
	console_changed(c);
}

static void take_out(struct console *c, const struct place *p)
{
	for (size_t i = 0; i < c->place_count; i++) {
		if (c->places[i] != p)
			continue;
		c->place_count--;
		memmove((void *)(c->places + i), (void *)(c->places + i + 1),
			(c->place_count - i) * sizeof(struct place *));
		return;
	}
}

struct place *place_open(struct console *c, enum place_kind kind, const char *name)
{
	struct place *p;

	for (size_t i = 0; i < c->place_count; i++)
		if (c->places[i]->kind == kind && is_named(c->places[i], span_str(name)))
			return c->places[i];
	if (c->place_count == CONSOLE_PLACES_MAX)
		return NULL;
	p = calloc(1, sizeof *p);
	if (p == NULL)
		return NULL;
	p->kind = kind;
	p->number = c->place_numbers++;
	snprintf(p->name, sizeof p->name, "%s", name);
	sort_in(c, p);
	return p;
}

struct place *place_find(struct console *c, const char *name)
{
	for (size_t i = 0; i < c->place_count; i++)
		if (is_named(c->places[i], span_str(name)))
			return c->places[i];
	/* Who types is spared the capitals where nothing else is meant. */
	for (size_t i = 0; i < c->place_count; i++)
		if (strcasecmp(c->places[i]->name, name) == 0)
			return c->places[i];
	return NULL;
}

struct place *place_number(struct console *c, unsigned number)
{
	for (size_t i = 0; i < c->place_count; i++)
		if (c->places[i]->number == number)
			return c->places[i];
	return NULL;
}

void place_rename(struct console *c, struct place *p, const char *name)
{
	snprintf(p->name, sizeof p->name, "%s", name);
	take_out(c, p);
	sort_in(c, p);
}

void place_close(struct console *c, struct place *p)
{
	if (p == c->places[0])
		return;
	if (p == c->current)
		place_show(c, c->places[0]);
	take_out(c, p);
	place_clear(p);
	free(p);
	console_changed(c);
}

void place_show(struct console *c, struct place *p)
{
	c->current = p;
	c->shows++;
	if (p->kind != PLACE_MAILBOX) {
		p->unread = 0;
		p->called = false;
	}
	chat_shown(c, p);
	console_changed(c);
}
