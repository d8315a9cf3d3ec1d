/*
 * Threads: messages by Message-ID, and who answers whom (RFC 5256, REFERENCES, step 1). Only the
 * way up is kept here; the lists of children are made when all messages are in.
 */
#include "services/maild/imap/thread.h"

#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>

int thread_begin(enum imap_thread how, struct threads *ret)
{
	*ret = (struct threads){.how = how, .text = BUF_INIT(THREAD_TEXT_MAX)};
	return hash_random(&ret->seed, sizeof(ret->seed));
}

void thread_done(struct threads *t)
{
	free(t->nodes);
	free(t->table);
	free(t->roots);
	buf_done(&t->text);
	*t = (struct threads){.how = t->how};
}

struct thread_node *thread_node_new(struct threads *t, uint32_t *ret)
{
	struct thread_node *n;

	if (t->count == t->room) {
		size_t room = t->room > 0 ? t->room * 2 : 64;

		if (room > THREAD_NODES_MAX)
			return NULL;
		n = reallocarray(t->nodes, room, sizeof(*n));
		if (n == NULL)
			return NULL;
		t->nodes = n;
		t->room = room;
	}
	n = &t->nodes[t->count];
	*n = (struct thread_node){.parent = THREAD_NONE,
		.first = THREAD_NONE,
		.last = THREAD_NONE,
		.next = THREAD_NONE};
	*ret = (uint32_t)t->count++;
	return n;
}

/* -- Message-IDs ------------------------------------------------------------------------------- */

uint64_t thread_hash(const struct threads *t, struct span s)
{
	uint64_t h = t->seed ^ UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < s.len; i++) {
		h = (h ^ s.p[i]) * UINT64_C(0x100000001b3);
		h ^= h >> 29;
	}
	return h ^ (h >> 32);
}

static struct span id_of(const struct threads *t, uint32_t node)
{
	return span_of(t->text.p + t->nodes[node].id, t->nodes[node].id_len);
}

static size_t slot_of(const struct threads *t, struct span id)
{
	size_t mask = t->table_size - 1, i = (size_t)thread_hash(t, id) & mask;

	while (t->table[i] != THREAD_NONE && !span_eq(id_of(t, t->table[i]), id))
		i = (i + 1) & mask;
	return i;
}

static int grow_table(struct threads *t)
{
	size_t size = t->table_size > 0 ? t->table_size * 2 : 256;
	uint32_t *old = t->table, *table = calloc(size, sizeof(*table));
	size_t old_size = t->table_size;

	if (table == NULL)
		return -ENOMEM;
	memset(table, 0xff, size * sizeof(*table));
	t->table = table;
	t->table_size = size;
	for (size_t i = 0; i < old_size; i++)
		if (old[i] != THREAD_NONE)
			table[slot_of(t, id_of(t, old[i]))] = old[i];
	free(old);
	return 0;
}

/* The node of an id; a dummy is made where there is none. */
static int find_id(struct threads *t, struct span id, uint32_t *ret)
{
	struct thread_node *n;
	size_t slot;
	int r = 2 * (t->table_count + 1) > t->table_size ? grow_table(t) : 0;

	if (r < 0)
		return r;
	slot = slot_of(t, id);
	if (t->table[slot] != THREAD_NONE) {
		*ret = t->table[slot];
		return 0;
	}
	n = thread_node_new(t, ret);
	if (n == NULL)
		return t->count >= THREAD_NODES_MAX / 2 ? -ENOBUFS : -ENOMEM;
	n->id = t->text.len;
	n->id_len = id.len;
	buf_add(&t->text, id);
	t->table[slot] = *ret;
	t->table_count++;
	return buf_error(&t->text);
}

/* -- links ------------------------------------------------------------------------------------- */

/* Would the child be above its parent? A node that never had children is above nothing. */
static bool makes_loop(struct threads *t, uint32_t parent, uint32_t child)
{
	if (parent == child)
		return true;
	if (!t->nodes[child].linked)
		return false;
	for (uint32_t i = t->nodes[parent].parent; i != THREAD_NONE; i = t->nodes[i].parent)
		if (i == child || t->steps++ > THREAD_STEPS_MAX)
			return true;
	return false;
}

static void link_nodes(struct threads *t, uint32_t parent, uint32_t child)
{
	if (makes_loop(t, parent, child))
		return;
	t->nodes[child].parent = parent;
	t->nodes[parent].linked = true;
}

/* Step 1 (A): each reference answers the one before it, unless its parent is known already. */
static int link_references(struct threads *t, struct span references, uint32_t *ret_last)
{
	uint32_t last = THREAD_NONE, node;
	struct span id;

	while (mime_record_reference(&references, &id)) {
		int r = find_id(t, id, &node);

		if (r < 0)
			return r;
		if (last != THREAD_NONE && t->nodes[node].parent == THREAD_NONE)
			link_nodes(t, last, node);
		last = node;
	}
	*ret_last = last;
	return 0;
}

/* Of several messages with one id the first has it, the others have none. */
static int find_message(struct threads *t, struct span id, uint32_t *ret)
{
	int r = id.len > 0 ? find_id(t, id, ret) : 0;

	if (r < 0 || (id.len > 0 && t->nodes[*ret].number == 0))
		return r;
	return thread_node_new(t, ret) != NULL     ? 0
		: t->count >= THREAD_NODES_MAX / 2 ? -ENOBUFS
						   : -ENOMEM;
}

int thread_add(struct threads *t, const struct thread_message *m)
{
	bool by_subject = t->how == IMAP_THREAD_ORDEREDSUBJECT;
	uint32_t node = 0, last = THREAD_NONE;
	struct thread_node *n;
	int r = find_message(t, by_subject ? span_of(NULL, 0) : m->msgid, &node);

	if (r < 0)
		return r;
	n = &t->nodes[node];
	n->number = m->number;
	n->sent_us = m->sent_us;
	n->reply = m->reply;
	n->subject = t->text.len;
	n->subject_len = m->subject.len;
	buf_add(&t->text, m->subject);
	if (!by_subject)
		r = link_references(t, m->references, &last);
	/* Step 1 (B): its own last reference is its parent, whatever others made of it. */
	t->nodes[node].parent = THREAD_NONE;
	if (r == 0 && last != THREAD_NONE)
		link_nodes(t, last, node);
	return r < 0 ? r : buf_error(&t->text);
}
