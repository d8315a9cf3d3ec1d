/*
 * Who may do what (tree.h). A home is its owner's. In /shared the store's row of a path names the
 * owner; what has none belongs to nobody; administrators, and with the policy files_delete "all"
 * everybody, may change everything.
 */
#include "base/cleanup.h"
#include "services/ftpd/tree_i.h"
#include "store/policy.h"

#include <errno.h>

struct question {
	const struct tree *tree;
	const struct tree_place *place;
	const char *path;
	struct rights *ret;
};

static int everything(
	struct store_txn *txn, const struct tree *t, const struct tree_place *place, bool *ret)
{
	char value[POLICY_VALUE_SIZE];
	int r;

	*ret = place->area == TREE_HOME || (place->area == TREE_SHARED && t->admin);
	if (*ret || place->area == TREE_MADE_UP)
		return 0;
	r = policy_text_read(txn, "files_delete", value);
	if (r == 0)
		*ret = strcmp(value, "all") == 0;
	return r;
}

int rights_read_in(struct store_txn *txn, const struct tree *t, const struct tree_place *place,
	const char *path, struct rights *ret)
{
	struct rights rights = {0};
	int r = everything(txn, t, place, &rights.all);

	if (r < 0)
		return r;
	r = file_read(txn, span_str(path), &rights.row);
	if (r < 0 && r != -ENOENT)
		return r;
	rights.has_row = r == 0;
	rights.change = rights.all ||
		(rights.has_row && rights.row.owner[0] != '\0' &&
			strcmp(rights.row.owner, t->account) == 0);
	*ret = rights;
	return 0;
}

static int answer(struct store_txn *txn, void *arg)
{
	struct question *q = arg;

	return rights_read_in(txn, q->tree, q->place, q->path, q->ret);
}

int rights_read(struct tree *t, const char *path, struct rights *ret)
{
	struct tree_place place;
	struct question q = {.tree = t, .place = &place, .path = path, .ret = ret};
	int r = tree_place(t, path, &place);

	if (r < 0)
		return r;
	r = store_view(t->store, answer, &q);
	/* The tops are nobody's to remove or rename. */
	if (r == 0 && place.top)
		ret->change = false;
	return r;
}

bool rights_believe(const struct rights *r, const struct stat *st)
{
	return r->has_row && r->row.has_digest && r->row.size == (uint64_t)st->st_size &&
		r->row.inode == st->st_ino && r->row.mtime_ns == entry_mtime_ns(st);
}

static int found(void *arg, struct span path, const struct file_row *row)
{
	(void)arg;
	(void)path;
	(void)row;
	return 1;
}

int rights_any_row(struct tree *t, const char *path)
{
	return file_each(t->store, span_str(path), found, NULL);
}
