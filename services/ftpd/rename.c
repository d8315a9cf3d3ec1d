/*
 * Renaming. The file system first, then the rows: in between, what was moved has no owner at its
 * new place, which only an administrator can use. For that a row of somebody else's at the new
 * place goes before. A failure of the rows takes the move back where nothing was replaced.
 */
#include "base/cleanup.h"
#include "base/timefmt.h"
#include "services/ftpd/tree_i.h"

#include <errno.h>
#include <fcntl.h>

struct renaming {
	struct tree *tree;
	const char *from, *to;
	struct tree_target source, target;
};

static void renaming_done(struct renaming *m)
{
	tree_target_done(&m->source);
	tree_target_done(&m->target);
}

int tree_may_rename(struct tree *t, const char *from)
{
	_cleanup_(tree_target_done) struct tree_target target = TREE_TARGET_INIT;
	int r = tree_target(t, from, &target);

	return r == 0 ? tree_target_check(&target) : r;
}

/* What has no row belongs to nobody. */
static int all_mine(struct tree *t, const char *folder)
{
	_cleanup_(rmtree_freep) struct rmtree *walk = NULL;
	int r = rmtree_new(t, folder, &walk);

	while (r == 0 && (r = rmtree_check(walk)) == 1)
		r = 0;
	return r;
}

static int is_others(void *arg, struct span path, const struct file_row *row)
{
	const struct tree *t = arg;

	(void)path;
	return row->owner[0] != '\0' && strcmp(row->owner, t->account) != 0 ? -EACCES : 0;
}

/*
 * A folder of one's own may hold files of others: they are not to be taken out of /shared, by an
 * administrator neither, since they would go on counting for people who cannot see them.
 */
static int check_taking_home(const struct renaming *m)
{
	int r = file_each(m->tree->store, span_str(m->from), is_others, m->tree);

	return r == 0 && !m->source.rights.all ? all_mine(m->tree, m->from) : r;
}

static int check_folder(const struct renaming *m)
{
	if (m->target.exists)
		return -EEXIST;
	if (ftp_path_below(m->to, m->from))
		return -EINVAL;
	if (m->source.place.area == TREE_SHARED && m->target.place.area == TREE_HOME)
		return check_taking_home(m);
	return 0;
}

static int check(const struct renaming *m)
{
	int r = tree_target_check(&m->source);

	if (r < 0)
		return r;
	if (S_ISDIR(m->source.st.st_mode))
		return check_folder(m);
	return m->target.exists && S_ISDIR(m->target.st.st_mode)
		? -EEXIST
		: tree_target_may_write(&m->target);
}

/* A file of the same owner keeps its row until the other comes. */
static int clear_rows(const struct renaming *m)
{
	const struct rights *from = &m->source.rights, *to = &m->target.rights;
	struct file_remove_args args = {
		.paths = {span_str(m->to)}, .count = 1, .below = !m->target.exists};
	int r;

	if (m->target.exists && to->has_row && from->has_row &&
		strcmp(from->row.owner, to->row.owner) == 0)
		return 0;
	if (m->target.exists)
		args.stored_before_us = INT64_MAX; /* the row alone, not others' partials */
	r = rights_any_row(m->tree, m->to);
	return r == 1 ? store_call(m->tree->store, STORE_OP_FILE_REMOVE, &args, NULL) : r;
}

static int move_entry(const struct tree_target *from, const struct tree_target *to, bool replace)
{
	if (renameat2(from->folder_fd, from->name, to->folder_fd, to->name,
		    replace ? 0 : RENAME_NOREPLACE) < 0)
		return -errno;
	return 0;
}

static int move_rows(const struct renaming *m)
{
	struct file_rename_args args = {.from = span_str(m->from), .to = span_str(m->to)};

	return store_call(m->tree->store, STORE_OP_FILE_RENAME, &args, NULL);
}

/*
 * Into a home and out of it, what comes is the mover's from now on: it counts for him, and what he
 * gives to /shared he can take back.
 */
static int take_over(struct renaming *m)
{
	struct rights *from = &m->source.rights;
	const struct stat *st = &m->source.st;
	struct file_put_args args = {.path = span_str(m->from), .row = from->row};
	struct file_partial partial = {.temp = ""};
	bool believed = rights_believe(from, st);
	int r;

	if (m->source.place.area == m->target.place.area ||
		(from->has_row && strcmp(from->row.owner, m->tree->account) == 0))
		return 0;
	args.row.folder = S_ISDIR(st->st_mode);
	args.row.size = args.row.folder ? 0 : (uint64_t)st->st_size;
	args.row.inode = st->st_ino;
	args.row.mtime_ns = entry_mtime_ns(st);
	args.row.has_digest = believed;
	args.row.stored_us = time_now_us();
	(void)snprintf(args.row.owner, sizeof(args.row.owner), "%s", m->tree->account);
	from->row = args.row;
	from->has_row = true;
	(void)file_partial_get(m->tree->store, m->tree->account, args.path, 0, &partial);
	r = store_call(m->tree->store, STORE_OP_FILE_PUT, &args, NULL);
	/* Its row is gone with this. */
	if (r == 0 && !args.row.folder && partial.temp[0] != '\0')
		(void)partial_unlink(m->source.folder_fd, partial.temp);
	return r;
}

static int rename_both(struct renaming *m)
{
	int r = take_over(m);

	if (r == 0)
		r = clear_rows(m);
	if (r == 0)
		r = move_entry(&m->source, &m->target, m->target.exists);
	if (r < 0)
		return r;
	r = move_rows(m);
	if (r < 0 && !m->target.exists)
		(void)move_entry(&m->target, &m->source, false);
	if (r == 0)
		r = tree_flush(m->target.folder_fd);
	return r == 0 ? tree_flush(m->source.folder_fd) : r;
}

int tree_rename(struct tree *t, const char *from, const char *to)
{
	_cleanup_(renaming_done) struct renaming m = {
		.tree = t,
		.from = from,
		.to = to,
		.source = TREE_TARGET_INIT,
		.target = TREE_TARGET_INIT,
	};
	_cleanup_(tree_unlock) const struct tree *held = NULL;
	int r = tree_lock(t, &held);

	if (r == 0)
		r = tree_target(t, from, &m.source);
	if (r == 0)
		r = tree_target_check(&m.source);
	if (r == 0)
		r = tree_target(t, to, &m.target);
	if (r == 0 && strcmp(from, to) == 0)
		return 0;
	if (r == 0)
		r = check(&m);
	return r == 0 ? rename_both(&m) : r;
}
