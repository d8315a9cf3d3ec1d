/* Threads: from links to trees (RFC 5256, REFERENCES, steps 2 to 4 and 6; ORDEREDSUBJECT). */
#include "services/maild/imap/thread.h"

#include <errno.h>
#include <stdlib.h>

/* -- lists of children ------------------------------------------------------------------------- */

void thread_append(struct threads *t, uint32_t parent, uint32_t child)
{
	struct thread_node *p = &t->nodes[parent];

	t->nodes[child].next = THREAD_NONE;
	if (p->last == THREAD_NONE)
		p->first = child;
	else
		t->nodes[p->last].next = child;
	p->last = child;
}

/* The children of from become the last ones of to. */
static void splice(struct threads *t, uint32_t to, uint32_t from)
{
	struct thread_node *p = &t->nodes[to], *q = &t->nodes[from];

	if (q->first == THREAD_NONE)
		return;
	if (p->last == THREAD_NONE)
		p->first = q->first;
	else
		t->nodes[p->last].next = q->first;
	p->last = q->last;
	q->first = q->last = THREAD_NONE;
}

/* A dummy at the top stands where its first child would. */
static const struct thread_node *dated(const struct threads *t, uint32_t i)
{
	const struct thread_node *n = &t->nodes[i];

	return n->number == 0 && n->first != THREAD_NONE ? &t->nodes[n->first] : n;
}

int thread_compare(const struct threads *t, uint32_t a, uint32_t b)
{
	const struct thread_node *x = dated(t, a), *y = dated(t, b);

	if (x->sent_us != y->sent_us)
		return x->sent_us < y->sent_us ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

static int compare(const void *a, const void *b, void *arg)
{
	return thread_compare(arg, *(const uint32_t *)a, *(const uint32_t *)b);
}

/* Puts the children of a node in order; scratch has room for them all. */
static void sort_children(struct threads *t, uint32_t node, uint32_t *scratch)
{
	struct thread_node *p = &t->nodes[node];
	size_t count = 0;

	if (p->first == p->last)
		return;
	for (uint32_t i = p->first; i != THREAD_NONE; i = t->nodes[i].next)
		scratch[count++] = i;
	qsort_r(scratch, count, sizeof(*scratch), compare, t);
	p->first = p->last = THREAD_NONE;
	for (size_t i = 0; i < count; i++)
		thread_append(t, node, scratch[i]);
}

/* -- dummies (step 3) -------------------------------------------------------------------------- */

/* Top down into order: who stands later in it has no children that stand before. */
static void order_nodes(const struct threads *t, uint32_t *order)
{
	size_t count = 0;

	for (size_t i = 0; i < t->count; i++)
		if (t->nodes[i].parent == THREAD_NONE)
			order[count++] = (uint32_t)i;
	for (size_t done = 0; done < count; done++)
		for (uint32_t i = t->nodes[order[done]].first; i != THREAD_NONE;
			i = t->nodes[i].next)
			order[count++] = i;
}

/* Dummies among the children give their place to their own children, which have none. */
static void lift_children(struct threads *t, uint32_t node)
{
	uint32_t i = t->nodes[node].first;

	t->nodes[node].first = t->nodes[node].last = THREAD_NONE;
	while (i != THREAD_NONE) {
		uint32_t next = t->nodes[i].next;

		if (t->nodes[i].number != 0)
			thread_append(t, node, i);
		else
			splice(t, node, i);
		i = next;
	}
}

/* At the top a dummy stays when it holds several together. */
static void gather_roots(struct threads *t, const uint32_t *order)
{
	for (size_t i = 0; i < t->count && t->nodes[order[i]].parent == THREAD_NONE; i++) {
		const struct thread_node *n = &t->nodes[order[i]];

		if (n->number != 0 || n->first != n->last)
			t->roots[t->root_count++] = order[i];
		else if (n->first != THREAD_NONE)
			t->roots[t->root_count++] = n->first;
	}
}

static void prune(struct threads *t, uint32_t *scratch)
{
	for (size_t i = t->count; i-- > 0;)
		if (t->nodes[i].parent != THREAD_NONE)
			thread_append(t, t->nodes[i].parent, (uint32_t)i);
	order_nodes(t, scratch);
	for (size_t i = t->count; i-- > 0;)
		lift_children(t, scratch[i]);
	gather_roots(t, scratch);
}

/* -- by subject alone -------------------------------------------------------------------------- */

static int compare_subjects(const void *a, const void *b, void *arg)
{
	const struct threads *t = arg;
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	struct span x = thread_subject(t, &t->nodes[left]);
	struct span y = thread_subject(t, &t->nodes[right]);
	size_t len = x.len < y.len ? x.len : y.len;
	int r = len > 0 ? memcmp(x.p, y.p, len) : 0;

	if (r == 0)
		r = (x.len > y.len) - (x.len < y.len);
	return r != 0 ? r : thread_compare(t, left, right);
}

/* The first of each subject is the parent of the others. */
static void group_subjects(struct threads *t, uint32_t *scratch)
{
	for (size_t i = 0; i < t->count; i++)
		scratch[i] = (uint32_t)i;
	if (t->count > 0)
		qsort_r(scratch, t->count, sizeof(*scratch), compare_subjects, t);
	for (size_t i = 0; i < t->count; i++) {
		uint32_t root = t->root_count > 0 ? t->roots[t->root_count - 1] : THREAD_NONE;

		if (root != THREAD_NONE &&
			span_eq(thread_subject(t, &t->nodes[root]),
				thread_subject(t, &t->nodes[scratch[i]])))
			thread_append(t, root, scratch[i]);
		else
			t->roots[t->root_count++] = scratch[i];
	}
}

/* -- the whole --------------------------------------------------------------------------------- */

static void sort_roots(struct threads *t)
{
	if (t->root_count > 1)
		qsort_r(t->roots, t->root_count, sizeof(*t->roots), compare, t);
}

/* Children first, for a dummy stands where its first child does. */
static void sort_all(struct threads *t, uint32_t *scratch)
{
	for (size_t i = 0; i < t->count; i++)
		sort_children(t, (uint32_t)i, scratch);
	sort_roots(t);
}

static int by_references(struct threads *t, uint32_t *scratch)
{
	int r;

	prune(t, scratch);
	sort_all(t, scratch);
	r = thread_merge_subjects(t);
	if (r == 0)
		sort_all(t, scratch);
	return r;
}

int thread_finish(struct threads *t)
{
	size_t room = 2 * t->count + 1; /* subjects bring dummies of their own */
	uint32_t *scratch = calloc(room, sizeof(*scratch));
	int r = 0;

	t->roots = calloc(room, sizeof(*t->roots));
	if (scratch == NULL || t->roots == NULL) {
		r = -ENOMEM;
	} else if (t->how == IMAP_THREAD_ORDEREDSUBJECT) {
		group_subjects(t, scratch);
		sort_roots(t);
	} else {
		r = by_references(t, scratch);
	}
	free(scratch);
	return r;
}

/* -- as it is told ----------------------------------------------------------------------------- */

struct branches {
	uint32_t *next; /* the sibling that is to be told when a branch ends */
	size_t count, room;
};

static int push(struct branches *b, uint32_t next)
{
	if (b->count == b->room) {
		size_t room = b->room > 0 ? b->room * 2 : 32;
		uint32_t *more = reallocarray(b->next, room, sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		b->next = more;
		b->room = room;
	}
	b->next[b->count++] = next;
	return 0;
}

/* A branch has ended: the next one, and the ends of all that end with it. */
static uint32_t after_branch(const struct threads *t, struct branches *b, struct buf *ret)
{
	buf_add_byte(ret, ')');
	while (b->count > 0) {
		uint32_t node = b->next[b->count - 1];

		if (node != THREAD_NONE) {
			b->next[b->count - 1] = t->nodes[node].next;
			buf_add_byte(ret, '(');
			return node;
		}
		b->count--;
		buf_add_byte(ret, ')');
	}
	return THREAD_NONE;
}

int thread_put(const struct threads *t, size_t i, struct buf *ret)
{
	struct branches b = {0};
	uint32_t node = t->roots[i];
	int r = 0;

	buf_add_byte(ret, '(');
	while (r == 0 && node != THREAD_NONE) {
		const struct thread_node *n = &t->nodes[node];

		if (n->number != 0)
			buf_addf(ret, n->first != THREAD_NONE ? "%u " : "%u", n->number);
		node = n->first;
		if (node == THREAD_NONE) {
			node = after_branch(t, &b, ret);
		} else if (n->first != n->last) {
			buf_add_byte(ret, '(');
			r = push(&b, t->nodes[node].next);
		}
	}
	free(b.next);
	return r < 0 ? r : buf_error(ret);
}
