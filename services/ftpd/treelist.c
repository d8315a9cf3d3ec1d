/*
 * A folder's entries in slices: a batch is read from the folder, looked at, and given its owners
 * and digests from one snapshot of the store. What is neither file nor folder, and names that could
 * not be said on the wire, are left out, as are temporaries.
 */
#include "base/cleanup.h"
#include "base/text.h"
#include "services/ftpd/tree_i.h"

#include <errno.h>
#include <fcntl.h>

enum { BATCH = 64 };

struct item {
	char name[FTP_NAME_MAX + 1];
	struct stat st;
	struct ftp_entry entry;
};

struct tree_list {
	struct tree *tree;
	char path[FTP_PATH_SIZE]; /* of the folder */
	struct tree_place place; /* what its entries have in common */
	DIR *dir; /* NULL: all entries are in items from the start */
	bool end; /* of the folder */
	size_t count, at; /* of items */
	struct item items[BATCH];
};

/* -- what is not read from a folder ------------------------------------------------------------
 */

static int add_known(struct tree_list *l, const char *path, const char *name)
{
	struct item *item = &l->items[l->count];
	int r = tree_stat(l->tree, path, &item->entry);

	if (r < 0)
		return r;
	(void)snprintf(item->name, sizeof(item->name), "%s", name);
	l->count++;
	return 0;
}

/* "/" and "/home". */
static int add_made_up(struct tree_list *l, const char *path)
{
	char home[8 + ACCOUNT_NAME_SIZE];
	int r;

	if (strcmp(path, "/home") == 0) {
		(void)snprintf(home, sizeof(home), "/home/%s", l->tree->account);
		return add_known(l, home, l->tree->account);
	}
	r = add_known(l, "/shared", "shared");
	return r == 0 ? add_known(l, "/home", "home") : r;
}

static int open_folder(struct tree_list *l)
{
	_cleanup_(cleanup_close) int fd = -1;
	int r = tree_walk(l->tree, l->place.relative, O_RDONLY | O_DIRECTORY, &fd);

	if (r < 0)
		return r;
	l->dir = fdopendir(fd);
	if (l->dir == NULL)
		return -errno;
	(void)take_fd(&fd);
	l->end = false;
	/* Of its entries, none is a top. */
	l->place.top = false;
	return 0;
}

int tree_list_open(struct tree *t, const char *path, struct tree_list **ret)
{
	struct tree_list *l = calloc(1, sizeof(*l));
	int r;

	if (l == NULL)
		return -ENOMEM;
	l->tree = t;
	l->end = true;
	(void)snprintf(l->path, sizeof(l->path), "%s", path);
	r = tree_place(t, l->path, &l->place);
	if (r == 0 && l->place.area == TREE_MADE_UP)
		r = add_made_up(l, l->path);
	else if (r == 0)
		r = open_folder(l);
	if (r == -ENOTDIR)
		r = add_known(l, l->path, ftp_path_name(l->path));
	if (r == 0)
		*ret = l;
	else
		tree_list_free(l);
	return r;
}

void tree_list_free(struct tree_list *l)
{
	if (l == NULL)
		return;
	if (l->dir != NULL)
		(void)closedir(l->dir);
	free(l);
}

/* -- batches -----------------------------------------------------------------------------------
 */

static bool is_shown(const char *name)
{
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !tree_is_temp(name) &&
		text_is_clean(span_str(name));
}

/* 1: read; 0: the folder's end. What is gone meanwhile is skipped. */
static int read_one(struct tree_list *l, struct item *item)
{
	for (;;) {
		const struct dirent *e;

		errno = 0;
		e = readdir(l->dir);
		if (e == NULL)
			return -errno;
		if (!is_shown(e->d_name) ||
			fstatat(dirfd(l->dir), e->d_name, &item->st, AT_SYMLINK_NOFOLLOW) < 0 ||
			tree_kind(&item->st) < 0)
			continue;
		(void)snprintf(item->name, sizeof(item->name), "%s", e->d_name);
		return 1;
	}
}

static int child_path(const struct tree_list *l, const char *name, char ret[FTP_PATH_SIZE])
{
	int n = snprintf(ret, FTP_PATH_SIZE, "%s/%s", l->path, name);

	return n < 0 || n >= FTP_PATH_SIZE ? -ENAMETOOLONG : 0;
}

static int fill_batch(struct store_txn *txn, void *arg)
{
	struct tree_list *l = arg;
	char path[FTP_PATH_SIZE];
	struct rights rights;
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->count; i++) {
		/* Too deep to be named: shown as nobody's. */
		if (child_path(l, l->items[i].name, path) < 0)
			path[0] = '\0';
		r = rights_read_in(txn, l->tree, &l->place, path, &rights);
		if (r == 0)
			entry_fill(&l->place, &l->items[i].st, &rights, &l->items[i].entry);
	}
	return r;
}

static int next_batch(struct tree_list *l)
{
	int r = 1;

	l->count = l->at = 0;
	while (r > 0 && l->count < BATCH) {
		r = read_one(l, &l->items[l->count]);
		if (r > 0)
			l->count++;
	}
	if (r < 0)
		return r;
	l->end = r == 0;
	/* Logged out in between: nobody may see more. */
	if (l->tree->store == NULL)
		return -EACCES;
	return store_view(l->tree->store, fill_batch, l);
}

int tree_list_next(struct tree_list *l, size_t max,
	int (*each)(void *arg, const char *name, const struct ftp_entry *e), void *arg)
{
	while (max > 0) {
		struct item *item = &l->items[l->at];
		int r = 0;

		if (l->at == l->count && l->end)
			return 0;
		if (l->at == l->count) {
			r = next_batch(l);
		} else {
			l->at++;
			max--;
			r = each(arg, item->name, &item->entry);
		}
		if (r != 0)
			return r;
	}
	return l->at < l->count || !l->end ? 1 : 0;
}
