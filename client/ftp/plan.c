/* What a sync has to do: two sorted lists of a tree in, steps out. Pure. */
#include "client/ftp/ui.h"

#include <errno.h>

static struct plan_step *step_add(struct plan *p, enum plan_act act, const struct walk_entry *from,
	const struct walk_entry *to)
{
	p->v[p->count] = (struct plan_step){act, from, to};
	return &p->v[p->count++];
}

static bool is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && path[len] == '/';
}

void plan_settle(struct plan_step *s)
{
	if (s->act == PLAN_DIGEST && s->from->has_digest && s->to->has_digest)
		s->act = memcmp(s->from->digest, s->to->digest, sizeof s->to->digest) == 0
			? PLAN_SAME
			: PLAN_DIFFERS;
}

/* Both sides have something of that name. */
static void both(
	struct plan *p, const struct walk_entry *from, const struct walk_entry *to, bool delete)
{
	if (from->folder != to->folder) {
		if (!delete) {
			step_add(p, PLAN_CLASH, from, to);
			return;
		}
		step_add(p, PLAN_DELETE, NULL, to);
		step_add(p, from->folder ? PLAN_FOLDER : PLAN_NEW, from, NULL);
	} else if (from->folder) {
		step_add(p, PLAN_SAME, from, to);
	} else if (from->size != to->size) {
		step_add(p, PLAN_DIFFERS, from, to);
	} else {
		plan_settle(step_add(p, PLAN_DIGEST, from, to));
	}
}

/* The next of both lists, in order: negative from's, positive to's, 0 both. */
static int next_order(const struct walk_entry *from, const struct walk_entry *to)
{
	if (from == NULL || to == NULL)
		return from == NULL ? 1 : -1;
	return walk_compare(from->path, to->path);
}

static void one(
	struct plan *p, const struct walk_entry *from, const struct walk_entry *to, bool delete)
{
	if (from != NULL)
		step_add(p, from->folder ? PLAN_FOLDER : PLAN_NEW, from, NULL);
	else if (delete)
		step_add(p, PLAN_DELETE, NULL, to);
}

int plan_make(const struct walk *from, const struct walk *to, bool delete, struct plan *ret)
{
	size_t i = 0, k = 0;
	const char *clash = NULL;

	/* Two steps for a pair that clashes, and none twice. */
	ret->v = calloc(from->count + to->count + 1, sizeof *ret->v);
	ret->count = 0;
	if (ret->v == NULL)
		return -ENOMEM;
	while (i < from->count || k < to->count) {
		const struct walk_entry *f = i < from->count ? &from->v[i] : NULL;
		const struct walk_entry *t = k < to->count ? &to->v[k] : NULL;
		int order = next_order(f, t);

		i += order <= 0;
		k += order >= 0;
		/* What is below a clash is part of it. */
		if (clash != NULL && is_below(order <= 0 ? f->path : t->path, clash))
			continue;
		if (order != 0) {
			one(ret, order < 0 ? f : NULL, order < 0 ? NULL : t, delete);
			continue;
		}
		clash = f->folder != t->folder && !delete ? f->path : NULL;
		both(ret, f, t, delete);
	}
	return 0;
}

void plan_done(struct plan *p)
{
	free(p->v);
	*p = (struct plan){NULL, 0};
}
