/* Threads: those with one subject become one (RFC 5256, REFERENCES, step 5). */
#include "services/maild/imap/thread.h"

#include <errno.h>
#include <stdlib.h>

/* A hash table: where the head of each subject stands among the roots. */
struct subjects {
	uint32_t *at;
	size_t size;
};

/* Whose subject is a root's: a dummy's is its first child's. */
static const struct thread_node *told(const struct threads *t, uint32_t root)
{
	const struct thread_node *n = &t->nodes[root];

	return n->number == 0 && n->first != THREAD_NONE ? &t->nodes[n->first] : n;
}

static struct span subject_of(const struct threads *t, uint32_t root)
{
	return thread_subject(t, told(t, root));
}

static uint32_t *slot_of(const struct threads *t, const struct subjects *s, struct span subject)
{
	size_t i = (size_t)thread_hash(t, subject) & (s->size - 1);

	while (s->at[i] != THREAD_NONE && !span_eq(subject_of(t, t->roots[s->at[i]]), subject))
		i = (i + 1) & (s->size - 1);
	return &s->at[i];
}

/* A dummy is the best head of a thread, then what is no reply. */
static bool is_better(const struct threads *t, uint32_t now, uint32_t kept)
{
	const struct thread_node *a = &t->nodes[now], *b = &t->nodes[kept];

	if (b->number == 0)
		return false;
	return a->number == 0 || (b->reply && !a->reply);
}

static void find_heads(const struct threads *t, struct subjects *s)
{
	for (size_t i = 0; i < t->root_count; i++) {
		struct span subject = subject_of(t, t->roots[i]);
		uint32_t *slot = slot_of(t, s, subject);

		if (subject.len > 0 &&
			(*slot == THREAD_NONE || is_better(t, t->roots[i], t->roots[*slot])))
			*slot = (uint32_t)i;
	}
}

/* Two that are equals get a dummy above them, which stands in the place of the head. */
static int join(struct threads *t, uint32_t at, uint32_t now)
{
	uint32_t dummy;

	if (thread_node_new(t, &dummy) == NULL)
		return -ENOMEM;
	thread_append(t, dummy, t->roots[at]);
	thread_append(t, dummy, now);
	t->roots[at] = dummy;
	return 0;
}

static void move_children(struct threads *t, uint32_t to, uint32_t from)
{
	uint32_t i = t->nodes[from].first;

	while (i != THREAD_NONE) {
		uint32_t next = t->nodes[i].next;

		thread_append(t, to, i);
		i = next;
	}
	t->nodes[from].first = t->nodes[from].last = THREAD_NONE;
}

/* Step 5.C; *ret_gone: the root is none any more. */
static int merge(struct threads *t, const struct subjects *s, uint32_t now, bool *ret_gone)
{
	struct span subject = subject_of(t, now);
	uint32_t at = subject.len > 0 ? *slot_of(t, s, subject) : THREAD_NONE;
	uint32_t head = at != THREAD_NONE ? t->roots[at] : now;

	*ret_gone = false;
	if (head == now)
		return 0;
	*ret_gone = true;
	if (t->nodes[head].number == 0 && t->nodes[now].number == 0)
		move_children(t, head, now);
	else if (t->nodes[head].number == 0 || (t->nodes[now].reply && !t->nodes[head].reply))
		thread_append(t, head, now);
	else
		return join(t, at, now);
	return 0;
}

int thread_merge_subjects(struct threads *t)
{
	struct subjects s = {.size = 256};
	size_t kept = 0, count = t->root_count;
	int r = 0;

	while (s.size < 2 * t->root_count + 1)
		s.size *= 2;
	s.at = calloc(s.size, sizeof(*s.at));
	if (s.at == NULL)
		return -ENOMEM;
	memset(s.at, 0xff, s.size * sizeof(*s.at));
	find_heads(t, &s);
	for (size_t i = 0; r == 0 && i < count; i++) {
		bool gone;

		r = merge(t, &s, t->roots[i], &gone);
		if (gone)
			t->roots[i] = THREAD_NONE;
	}
	for (size_t i = 0; i < count; i++)
		if (t->roots[i] != THREAD_NONE)
			t->roots[kept++] = t->roots[i];
	t->root_count = kept;
	free(s.at);
	return r;
}
