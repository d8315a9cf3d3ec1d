/*
 * Removing a folder with all that is in it, in slices. A first walk looks whether everything may
 * go; the second removes, each entry judged again, rows in batches with their files. One folder is
 * open at a time: the first walk finds back into a parent by the position it left, the second by
 * starting over, as what it has seen is gone.
 */
#include "base/cleanup.h"
#include "base/text.h"
#include "services/ftpd/tree_i.h"

#include <errno.h>
#include <fcntl.h>

enum {
	SLICE = FILE_REMOVE_MAX, /* entries; removing them is one commit */
	DEPTH_MAX = FTP_PATH_MAX / 2,
	RETRIES = 3, /* for a folder that gets new entries while it is removed */
};

struct gone {
	struct buf paths; /* each with its NUL */
	size_t count;
};

struct rmtree {
	struct tree *tree;
	char top[FTP_PATH_SIZE];
	char path[FTP_PATH_SIZE]; /* the folder at hand, or where it went wrong */
	DIR *dir; /* of path; NULL: to be opened */
	bool back; /* it was left for a folder in it */
	size_t depth; /* below top */
	long positions[DEPTH_MAX];
	bool removing;
	bool temps[DEPTH_MAX]; /* went from the folder of that depth */
	unsigned tries;
	uint64_t removed;
	struct gone rows, trees; /* of this slice: paths alone, and with all below */
};

int rmtree_new(struct tree *t, const char *path, struct rmtree **ret)
{
	_cleanup_(tree_target_done) struct tree_target target = TREE_TARGET_INIT;
	struct rmtree *m;
	int r = tree_target(t, path, &target);

	if (r == 0)
		r = tree_target_check(&target);
	if (r == 0 && !S_ISDIR(target.st.st_mode))
		r = -ENOTDIR;
	if (r < 0)
		return r;
	m = calloc(1, sizeof(*m));
	if (m == NULL)
		return -ENOMEM;
	m->tree = t;
	m->rows.paths = m->trees.paths = BUF_INIT((size_t)SLICE * FTP_PATH_SIZE);
	(void)snprintf(m->top, sizeof(m->top), "%s", path);
	(void)snprintf(m->path, sizeof(m->path), "%s", path);
	*ret = m;
	return 0;
}

static void close_dir(struct rmtree *m)
{
	if (m->dir != NULL)
		(void)closedir(m->dir);
	m->dir = NULL;
}

void rmtree_free(struct rmtree *m)
{
	if (m == NULL)
		return;
	close_dir(m);
	buf_done(&m->rows.paths);
	buf_done(&m->trees.paths);
	free(m);
}

void rmtree_freep(struct rmtree **m)
{
	rmtree_free(*m);
}

uint64_t rmtree_removed(const struct rmtree *m)
{
	return m->removed;
}

const char *rmtree_path(const struct rmtree *m)
{
	return m->path;
}

/* -- walking -----------------------------------------------------------------------------------
 */

static int open_dir(struct rmtree *m)
{
	_cleanup_(cleanup_close) int fd = -1;
	int r = tree_open_folder(m->tree, m->path, &fd);

	if (r < 0)
		return r;
	m->dir = fdopendir(fd);
	if (m->dir == NULL)
		return -errno;
	(void)take_fd(&fd);
	if (m->back && !m->removing)
		seekdir(m->dir, m->positions[m->depth]);
	m->back = false;
	return 0;
}

/* Appends a component to m->path; *ret_len is its length before. */
static int push_name(struct rmtree *m, const char *name, size_t *ret_len)
{
	size_t len = strlen(m->path);
	int n = snprintf(m->path + len, sizeof(m->path) - len, "/%s", name);

	if (n < 0 || (size_t)n >= sizeof(m->path) - len) {
		m->path[len] = '\0';
		return -ENAMETOOLONG;
	}
	*ret_len = len;
	return 0;
}

/* Into the folder that m->path names. */
static int descend(struct rmtree *m)
{
	if (m->depth + 1 >= DEPTH_MAX)
		return -ENAMETOOLONG;
	m->positions[m->depth++] = telldir(m->dir);
	m->tries = 0;
	close_dir(m);
	return 0;
}

static void ascend(struct rmtree *m)
{
	char parent[FTP_PATH_SIZE];

	ftp_path_folder(m->path, parent);
	memcpy(m->path, parent, strlen(parent) + 1);
	m->depth--;
	m->back = true;
}

/* The next name, NULL at the folder's end. */
static int next_name(struct rmtree *m, const char **ret)
{
	const struct dirent *e;

	do {
		errno = 0;
		e = readdir(m->dir);
		if (e == NULL && errno != 0)
			return -errno;
	} while (e != NULL && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0));
	*ret = e != NULL ? e->d_name : NULL;
	return 0;
}

/* May what m->path names go? */
static int judge(struct rmtree *m, const char *name, struct stat *ret_st)
{
	struct rights rights = {0};
	int r;

	if (fstatat(dirfd(m->dir), name, ret_st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	r = tree_kind(ret_st);
	if (r == 0 && !text_is_clean(span_str(name)))
		r = -EINVAL;
	if (r == 0)
		r = rights_read(m->tree, m->path, &rights);
	return r == 0 && !rights.change ? -EACCES : r;
}

/* -- the first walk ----------------------------------------------------------------------------
 */

static int check_temp(const struct rmtree *m, const char *name)
{
	_cleanup_(cleanup_close) int fd = -1;

	return partial_open(dirfd(m->dir), name, &fd);
}

static int check_entry(struct rmtree *m, const char *name)
{
	struct stat st = {0};
	size_t len = 0;
	int r = push_name(m, name, &len);

	if (r == 0)
		r = tree_is_temp(name) ? check_temp(m, name) : judge(m, name, &st);
	if (r == 0 && !tree_is_temp(name) && S_ISDIR(st.st_mode))
		return descend(m);
	if (r == -ENOENT)
		r = 0; /* gone meanwhile */
	/* A path that went wrong stays, to be told. */
	if (r == 0)
		m->path[len] = '\0';
	return r;
}

static int check_one(struct rmtree *m)
{
	const char *name = NULL;
	int r = m->dir == NULL ? open_dir(m) : 0;

	if (r == 0)
		r = next_name(m, &name);
	if (r < 0)
		return r;
	if (name != NULL) {
		r = check_entry(m, name);
		return r < 0 ? r : 1;
	}
	close_dir(m);
	if (m->depth == 0)
		return 0;
	ascend(m);
	return 1;
}

int rmtree_check(struct rmtree *m)
{
	int r = 1;

	for (unsigned i = 0; r == 1 && i < SLICE; i++)
		r = check_one(m);
	return r;
}

/* -- the second walk ---------------------------------------------------------------------------
 */

static void note_gone(struct rmtree *m, struct gone *gone)
{
	buf_add(&gone->paths, span_of(m->path, strlen(m->path) + 1));
	gone->count++;
	m->removed++;
}

static int remove_entry(struct rmtree *m, const char *name)
{
	struct stat st = {0};
	size_t len = 0;
	int r = push_name(m, name, &len);

	if (r < 0)
		return r;
	if (tree_is_temp(name)) {
		r = partial_unlink(dirfd(m->dir), name);
		m->temps[m->depth] = true;
	} else {
		r = judge(m, name, &st);
		if (r == 0 && S_ISDIR(st.st_mode))
			return descend(m);
		if (r == 0 && unlinkat(dirfd(m->dir), name, 0) < 0)
			r = -errno;
		if (r == 0)
			note_gone(m, &m->rows);
	}
	if (r == 0 || r == -ENOENT)
		m->path[len] = '\0';
	return r == -ENOENT ? 0 : r;
}

/* The folder at hand is empty. 1: its parent is next; 0: it was the top. */
static int remove_folder(struct rmtree *m)
{
	_cleanup_(tree_target_done) struct tree_target target = TREE_TARGET_INIT;
	int r = tree_target(m->tree, m->path, &target);

	close_dir(m);
	if (r == 0)
		r = tree_target_check(&target);
	if (r < 0)
		return r;
	if (unlinkat(target.folder_fd, target.name, AT_REMOVEDIR) < 0)
		return errno == ENOTEMPTY && m->tries++ < RETRIES ? 1 : -errno;
	/* To look for rows below is dear. They are of interrupted uploads, or were left behind. */
	note_gone(m, m->temps[m->depth] || m->depth == 0 ? &m->trees : &m->rows);
	m->temps[m->depth] = false;
	if (m->depth == 0)
		return tree_flush(target.folder_fd);
	ascend(m);
	return 1;
}

static int remove_one(struct rmtree *m)
{
	const char *name = NULL;
	int r = m->dir == NULL ? open_dir(m) : 0;

	if (r == 0)
		r = next_name(m, &name);
	if (r < 0)
		return r;
	if (name == NULL)
		return remove_folder(m);
	r = remove_entry(m, name);
	return r < 0 ? r : 1;
}

static int forget_gone(struct rmtree *m, struct gone *gone, bool below)
{
	struct file_remove_args args = {.below = below};
	struct span rest = buf_span(&gone->paths);
	int r = buf_error(&gone->paths);

	while (r == 0 && args.count < gone->count &&
		span_split(&rest, '\0', &args.paths[args.count]))
		args.count++;
	if (r == 0 && args.count > 0)
		r = store_call(m->tree->store, STORE_OP_FILE_REMOVE, &args, NULL);
	buf_reset(&gone->paths);
	gone->count = 0;
	return r;
}

/* Files and rows of one slice go under one lock. */
static int remove_slice(struct rmtree *m)
{
	_cleanup_(tree_unlock) const struct tree *held = NULL;
	int r = tree_lock(m->tree, &held), rows, trees;

	if (r < 0)
		return r;
	r = 1;
	for (unsigned i = 0; r == 1 && i < SLICE; i++)
		r = remove_one(m);
	rows = forget_gone(m, &m->rows, false);
	trees = forget_gone(m, &m->trees, true);
	if (rows == 0)
		rows = trees;
	return r >= 0 && rows < 0 ? rows : r;
}

int rmtree_step(struct rmtree *m)
{
	int r;

	if (m->tree->store == NULL)
		return -EACCES;
	if (m->removing)
		return remove_slice(m);
	r = rmtree_check(m);
	if (r != 0)
		return r;
	m->removing = true;
	m->back = false;
	return 1;
}
