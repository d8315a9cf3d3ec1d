/* What an account leaves behind in ftpd's tree, in batches under the tree's lock: files first, then
 * their rows, so that what is cut off in between is healed by the sweep. */
#include "leave.h"

#include "store/file.h"

#include <errno.h>

enum { FOLDERS_MAX = 64 << 20 };

struct owned {
	char path[FILE_PATH_MAX + 1];
	struct file_row row;
};

struct batch {
	const char *name;
	bool folders; /* those too */
	struct owned list[FILE_REMOVE_MAX];
	size_t count;
};

static int gather(void *arg, struct span path, const struct file_row *row)
{
	struct batch *b = (struct batch *)arg;
	struct owned *o = &b->list[b->count];

	if (strcmp(row->owner, b->name) != 0 || (row->folder && !b->folders))
		return 0;
	if (span_copy_str(path, o->path, sizeof(o->path)) < 0)
		return -EBADMSG;
	o->row = *row;
	return ++b->count == FILE_REMOVE_MAX;
}

static int next_batch(struct ctl *c, struct batch *b)
{
	int r;

	b->count = 0;
	r = file_each(c->store, SPAN_LIT(""), gather, b);
	return r < 0 ? r : 0;
}

static struct batch *batch_new(const char *name)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (b != NULL)
		b->name = name;
	return b;
}

/* -- interrupted uploads ------------------------------------------------------------------------
 */

struct partial {
	const char *name;
	char path[FILE_PATH_MAX + 1];
	struct file_partial p;
};

static int find_partial(void *arg, struct span path, const struct file_partial *p)
{
	struct partial *f = (struct partial *)arg;

	if (strcmp(p->account, f->name) != 0)
		return 0;
	f->p = *p;
	return span_copy_str(path, f->path, sizeof(f->path)) < 0 ? -EBADMSG : 1;
}

/* Nobody goes on with them: the temporary lies in the folder of the path. */
static int remove_partials(struct ctl *c, int files_fd, const char *name)
{
	struct partial_args args = {.now_us = 0};
	char temp[FILE_PATH_MAX + FILE_TEMP_SIZE + 2];
	struct partial f = {.name = name};
	int r;

	while ((r = file_partial_each(c->store, find_partial, &f)) == 1) {
		args.path = span_str(f.path);
		args.partial = f.p;
		(void)snprintf(temp, sizeof(temp), "%.*s/%s", (int)(strrchr(f.path, '/') - f.path),
			f.path, f.p.temp);
		r = leave_tree_remove(files_fd, temp, false);
		if (r == 0 || r == -ENOENT || r == -ENOTDIR)
			r = store_call(c->store, STORE_OP_PARTIAL_REMOVE, &args, NULL);
		if (r < 0 && r != -ENOENT && r != -ESTALE)
			return r;
	}
	return r;
}

/* -- deleting -----------------------------------------------------------------------------------
 */

static bool is_no_more(int error)
{
	return error == 0 || error == -ENOENT || error == -ENOTDIR || error == -EISDIR ||
		error == -ELOOP;
}

static int delete_batch(struct ctl *c, int files_fd, const struct batch *b, struct leave_counts *n)
{
	struct file_remove_args args = {.count = b->count};
	int r = leave_tree_lock(files_fd);

	for (size_t i = 0; r == 0 && i < b->count; i++) {
		args.paths[i] = span_str(b->list[i].path);
		r = leave_tree_remove(files_fd, b->list[i].path, false);
		n->files += r == 0;
		if (is_no_more(r))
			r = 0;
	}
	if (r == 0)
		r = store_call(c->store, STORE_OP_FILE_REMOVE, &args, NULL);
	leave_tree_unlock(files_fd);
	return r;
}

static int delete_files(struct ctl *c, int files_fd, const char *name, struct leave_counts *n)
{
	struct batch *b = batch_new(name);
	int r = b == NULL ? -ENOMEM : 0;

	do {
		if (r == 0)
			r = next_batch(c, b);
		if (r == 0 && b->count > 0)
			r = delete_batch(c, files_fd, b, n);
	} while (r == 0 && b->count > 0);
	free(b);
	return r;
}

struct folders {
	const char *name;
	struct buf paths; /* each with its NUL, parents first: they are gone through from the end */
};

static int gather_folder(void *arg, struct span path, const struct file_row *row)
{
	struct folders *f = (struct folders *)arg;

	if (!row->folder || strcmp(row->owner, f->name) != 0)
		return 0;
	buf_add(&f->paths, path);
	buf_add_byte(&f->paths, '\0');
	return buf_error(&f->paths);
}

/* The last path of the list, taken off. */
static const char *last_folder(struct folders *f)
{
	size_t at = f->paths.len - 1;

	while (at > 0 && f->paths.p[at - 1] != '\0')
		at--;
	f->paths.len = at;
	return (const char *)f->paths.p + at;
}

static int delete_folder(struct ctl *c, int files_fd, const char *path, struct leave_counts *n)
{
	struct file_remove_args args = {.count = 1};
	int r = leave_tree_lock(files_fd);

	if (r < 0)
		return r;
	args.paths[0] = span_str(path);
	r = leave_tree_remove(files_fd, path, true);
	n->folders += r == 0;
	if (r == -ENOTEMPTY || r == -EEXIST)
		n->shared++;
	if (is_no_more(r) || r == -ENOTEMPTY || r == -EEXIST)
		r = store_call(c->store, STORE_OP_FILE_REMOVE, &args, NULL);
	leave_tree_unlock(files_fd);
	return r;
}

static int delete_folders(struct ctl *c, int files_fd, const char *name, struct leave_counts *n)
{
	struct folders f = {.name = name, .paths = BUF_INIT(FOLDERS_MAX)};
	int r = file_each(c->store, SPAN_LIT(""), gather_folder, &f);

	while (r == 0 && f.paths.len > 0)
		r = delete_folder(c, files_fd, last_folder(&f), n);
	buf_done(&f.paths);
	return r;
}

static int delete_home(struct ctl *c, int files_fd, const char *name)
{
	char home[ACCOUNT_NAME_SIZE + sizeof("/home/")];
	struct file_remove_args args = {.count = 1, .below = true};
	int r = leave_tree_lock(files_fd);

	if (r < 0)
		return r;
	(void)snprintf(home, sizeof(home), "/home/%s", name);
	args.paths[0] = span_str(home);
	r = leave_tree_remove_home(files_fd, name);
	if (r == -ENOENT)
		r = 0;
	if (r == 0)
		r = store_call(c->store, STORE_OP_FILE_REMOVE, &args, NULL);
	leave_tree_unlock(files_fd);
	return r;
}

int leave_delete(struct ctl *c, const char *name, struct leave_counts *ret)
{
	_cleanup_(cleanup_close) int files_fd = -1;
	int r = leave_tree_open(c, &files_fd);

	*ret = (struct leave_counts){.files = 0};
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = remove_partials(c, files_fd, name);
	if (r == 0)
		r = delete_home(c, files_fd, name);
	if (r == 0)
		r = delete_files(c, files_fd, name, ret);
	return r < 0 ? r : delete_folders(c, files_fd, name, ret);
}

/* -- giving -------------------------------------------------------------------------------------
 */

static int give_home(
	struct ctl *c, int files_fd, const char *name, const char *heir, struct leave_counts *n)
{
	char from[2 * ACCOUNT_NAME_SIZE + 40], to[2 * ACCOUNT_NAME_SIZE + 40];
	struct file_rename_args args;
	int r = leave_tree_lock(files_fd);

	if (r < 0)
		return r;
	r = leave_tree_give_home(files_fd, name, heir, n->place, sizeof(n->place));
	if (r == 0) {
		(void)snprintf(from, sizeof(from), "/home/%s", name);
		(void)snprintf(to, sizeof(to), "/home/%s/%s", heir, n->place);
		args = (struct file_rename_args){span_str(from), span_str(to)};
		r = store_call(c->store, STORE_OP_FILE_RENAME, &args, NULL);
		if (r < 0)
			(void)leave_tree_take_back(files_fd, name, heir, n->place);
	} else {
		n->place[0] = '\0';
	}
	leave_tree_unlock(files_fd);
	return r == -ENOENT ? 0 : r;
}

static int give_batch(
	struct ctl *c, const struct batch *b, const char *heir, struct leave_counts *n)
{
	struct file_put_args args = {.reservation = 0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < b->count; i++) {
		args.path = span_str(b->list[i].path);
		args.row = b->list[i].row;
		(void)snprintf(args.row.owner, sizeof(args.row.owner), "%s", heir);
		r = store_call(c->store, STORE_OP_FILE_PUT, &args, NULL);
		n->files += r == 0 && !args.row.folder;
		n->folders += r == 0 && args.row.folder;
	}
	return r;
}

/* Nobody may put another file there between looking and writing. */
static int give_owned(
	struct ctl *c, int files_fd, const char *name, const char *heir, struct leave_counts *n)
{
	struct batch *b = batch_new(name);
	int r = b == NULL ? -ENOMEM : 0;

	if (r == 0)
		b->folders = true;
	while (r == 0) {
		r = leave_tree_lock(files_fd);
		if (r < 0)
			break;
		r = next_batch(c, b);
		if (r == 0)
			r = give_batch(c, b, heir, n);
		leave_tree_unlock(files_fd);
		if (b->count == 0)
			break;
	}
	free(b);
	return r;
}

int leave_give(struct ctl *c, const char *name, const char *heir, struct leave_counts *ret)
{
	_cleanup_(cleanup_close) int files_fd = -1;
	int r = leave_tree_open(c, &files_fd);

	*ret = (struct leave_counts){.files = 0};
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = remove_partials(c, files_fd, name);
	if (r == 0)
		r = give_home(c, files_fd, name, heir, ret);
	return r < 0 ? r : give_owned(c, files_fd, name, heir, ret);
}

/* -- before -------------------------------------------------------------------------------------
 */

int leave_is_there(struct ctl *c, const char *name)
{
	_cleanup_(cleanup_close) int files_fd = -1;
	struct file_usage u = {.files = 0};
	int r = file_usage_get(c->store, name, &u);

	if (r < 0 || u.files > 0 || u.partial_bytes > 0)
		return r < 0 ? r : 1;
	return leave_tree_open(c, &files_fd) == 0 && leave_tree_has_home(files_fd, name);
}

int leave_check_heir(struct ctl *c, const char *name, const char *heir)
{
	struct file_usage mine = {.files = 0}, his = {.files = 0};
	struct account account;
	int r = account_get(c->store, heir, &account);

	if (r == -ENOENT || strcmp(name, heir) == 0 || (r == 0 && account.flags & ACCOUNT_HOST)) {
		ctl_warn("--to %s: the account of somebody else is needed", heir);
		return CTL_REFUSED;
	}
	if (r == 0)
		r = file_usage_get(c->store, name, &mine);
	if (r == 0)
		r = file_usage_get(c->store, heir, &his);
	if (r < 0)
		return ctl_fail(r, "cannot look at %s", heir);
	if (his.quota == 0 ||
		his.bytes + his.partial_bytes + his.reserved + mine.bytes <= his.quota)
		return CTL_OK;
	ctl_warn("the quota of %s has no room for %llu bytes more: quintetctl set files_quota",
		heir, (unsigned long long)mine.bytes);
	return CTL_REFUSED;
}
