/* The channels that the session is in, as of its position in the log: sorted by id. */
#include "services/chatd/chatd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_SIZE = 8 };

/* Where the id is, or would be. */
static size_t place_of(const struct chatd *c, uint64_t id)
{
	size_t low = 0, high = c->room_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->rooms[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct chatd_room *find(const struct chatd *c, uint64_t id)
{
	size_t at = place_of(c, id);

	return at < c->room_count && c->rooms[at].id == id ? &c->rooms[at] : NULL;
}

const struct chatd_room *chatd_room(const struct chatd *c, uint64_t id)
{
	return id != 0 ? find(c, id) : NULL;
}

static int grow(struct chatd *c)
{
	size_t size = c->room_size == 0 ? FIRST_SIZE : 2 * c->room_size;
	struct chatd_room *rooms;

	if (c->room_count < c->room_size)
		return 0;
	rooms = reallocarray(c->rooms, size, sizeof(*rooms));
	if (rooms == NULL)
		return -ENOMEM;
	c->rooms = rooms;
	c->room_size = size;
	return 0;
}

int chatd_room_add(struct chatd *c, uint64_t id, const char *name)
{
	size_t at = place_of(c, id);
	int r;

	if (find(c, id) != NULL)
		return 0;
	r = grow(c);
	if (r < 0)
		return r;
	memmove(c->rooms + at + 1, c->rooms + at, (c->room_count - at) * sizeof(*c->rooms));
	c->rooms[at].id = id;
	(void)snprintf(c->rooms[at].name, sizeof(c->rooms[at].name), "%s", name);
	c->room_count++;
	return 0;
}

void chatd_room_remove(struct chatd *c, uint64_t id)
{
	size_t at = place_of(c, id);

	if (find(c, id) == NULL)
		return;
	c->room_count--;
	memmove(c->rooms + at, c->rooms + at + 1, (c->room_count - at) * sizeof(*c->rooms));
}

void chatd_room_rename(struct chatd *c, uint64_t id, const char *name)
{
	struct chatd_room *room = find(c, id);

	if (room != NULL)
		(void)snprintf(room->name, sizeof(room->name), "%s", name);
}
