/*
 * The tree below one descriptor: where a virtual path lies, reaching it without following links,
 * and looking at what is there. Changes are in change.c.
 */
#include "services/ftpd/tree.h"

#include "base/cleanup.h"
#include "services/ftpd/tree_i.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

enum {
	TOP_MODE = 02770, /* new folders inherit the group */
	WALK_TRIES = 16, /* a rename somewhere in between makes the kernel give up */
};

/* -- opening -----------------------------------------------------------------------------------
 */

static int make_top(int parent_fd, const char *name)
{
	if (mkdirat(parent_fd, name, TOP_MODE) < 0)
		return errno == EEXIST ? 0 : -errno;
	return fchmodat(parent_fd, name, TOP_MODE, 0) < 0 ? -errno : 0;
}

static int open_root(const char *state, int *ret_fd)
{
	_cleanup_(cleanup_close) int state_fd = open(state, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd, r;

	if (state_fd < 0)
		return -errno;
	r = make_top(state_fd, "files");
	if (r < 0)
		return r;
	fd = openat(state_fd, "files", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int tree_open(const char *state, struct tree **ret)
{
	struct tree *t = calloc(1, sizeof(*t));
	int r;

	if (t == NULL)
		return -ENOMEM;
	t->root_fd = -1;
	r = open_root(state, &t->root_fd);
	if (r == 0)
		r = make_top(t->root_fd, "shared");
	if (r == 0)
		r = make_top(t->root_fd, "home");
	if (r == 0)
		*ret = t;
	else
		tree_free(t);
	return r;
}

void tree_free(struct tree *t)
{
	if (t == NULL)
		return;
	cleanup_close(&t->root_fd);
	free(t);
}

void tree_freep(struct tree **t)
{
	tree_free(*t);
}

static int make_home(struct tree *t)
{
	_cleanup_(cleanup_close) int fd = -1;
	int r = tree_walk(t, "home", O_RDONLY | O_DIRECTORY, &fd);

	if (r < 0)
		return r;
	if (mkdirat(fd, t->account, TREE_FOLDER_MODE) < 0)
		return errno == EEXIST ? 0 : -errno;
	return tree_flush(fd);
}

int tree_log_in(struct tree *t, struct store *s, const char *account, bool admin)
{
	int r = span_copy_str(span_str(account), t->account, sizeof(t->account));

	if (r < 0)
		return r;
	t->store = s;
	t->admin = admin;
	r = make_home(t);
	if (r < 0)
		tree_log_out(t);
	return r;
}

void tree_log_out(struct tree *t)
{
	t->store = NULL;
	t->account[0] = '\0';
	t->admin = false;
}

struct store *tree_store(struct tree *t)
{
	return t->store;
}

/* -- places ------------------------------------------------------------------------------------
 */

static int made_up(const char *relative, struct tree_place *ret)
{
	*ret = (struct tree_place){.area = TREE_MADE_UP, .top = true, .relative = relative};
	return 0;
}

int tree_place(const struct tree *t, const char *path, struct tree_place *ret)
{
	char home[8 + ACCOUNT_NAME_SIZE];
	bool shared = ftp_path_below(path, "/shared");

	if (t->store == NULL)
		return -EACCES;
	if (strcmp(path, "/") == 0)
		return made_up(".", ret);
	if (strcmp(path, "/home") == 0)
		return made_up("home", ret);
	(void)snprintf(home, sizeof(home), "/home/%s", t->account);
	if (!shared && !ftp_path_below(path, home))
		return ftp_path_below(path, "/home") ? -EACCES : -ENOENT;
	*ret = (struct tree_place){.area = shared ? TREE_SHARED : TREE_HOME,
		.top = strcmp(path, shared ? "/shared" : home) == 0,
		.relative = path + 1};
	return 0;
}

int tree_walk(const struct tree *t, const char *relative, int flags, int *ret_fd)
{
	struct open_how how = {.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	long fd = -1;

	for (unsigned i = 0; i < WALK_TRIES; i++) {
		fd = syscall(SYS_openat2, t->root_fd, relative, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	if (fd >= 0) {
		*ret_fd = (int)fd;
		return 0;
	}
	/* Out of the tree; a socket or a FIFO; racing renames without end. */
	if (errno == EXDEV)
		return -EACCES;
	if (errno == ENXIO || errno == ENODEV)
		return -ENXIO;
	return errno == EAGAIN ? -EBUSY : -errno;
}

int tree_kind(const struct stat *st)
{
	if (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode))
		return 0;
	return S_ISLNK(st->st_mode) ? -ELOOP : -ENXIO;
}

bool tree_is_temp(const char *name)
{
	return strncmp(name, FILE_TEMP_PREFIX, sizeof(FILE_TEMP_PREFIX) - 1) == 0;
}

int tree_flush(int folder_fd)
{
	return fsync(folder_fd) < 0 ? -errno : 0;
}

/* -- looking -----------------------------------------------------------------------------------
 */

/* What the descriptor is, with what the store knows of the path. */
static int describe(struct tree *t, const char *path, int fd, struct ftp_entry *ret)
{
	struct tree_place place;
	struct rights rights;
	struct stat st;
	int r = tree_place(t, path, &place);

	if (r == 0)
		r = fstat(fd, &st) < 0 ? -errno : tree_kind(&st);
	if (r == 0)
		r = rights_read(t, path, &rights);
	if (r == 0)
		entry_fill(&place, &st, &rights, ret);
	return r;
}

static int open_path(struct tree *t, const char *path, int flags, int *ret_fd)
{
	struct tree_place place;
	int r = tree_place(t, path, &place);

	return r == 0 ? tree_walk(t, place.relative, flags, ret_fd) : r;
}

int tree_stat(struct tree *t, const char *path, struct ftp_entry *ret)
{
	_cleanup_(cleanup_close) int fd = -1;
	int r = open_path(t, path, O_PATH | O_NOFOLLOW, &fd);

	return r == 0 ? describe(t, path, fd, ret) : r;
}

/* O_NONBLOCK: a FIFO that was dropped in blocks nobody. */
int tree_open_file(struct tree *t, const char *path, int *ret_fd, struct ftp_entry *ret)
{
	_cleanup_(cleanup_close) int fd = -1;
	struct ftp_entry entry = {0};
	int r = open_path(t, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd);

	if (r == 0)
		r = describe(t, path, fd, &entry);
	if (r == 0 && entry.type != FTP_ENTRY_FILE)
		r = -EISDIR;
	if (r < 0)
		return r;
	*ret_fd = take_fd(&fd);
	*ret = entry;
	return 0;
}

int tree_open_folder(struct tree *t, const char *path, int *ret_fd)
{
	struct tree_place place;
	int r = tree_place(t, path, &place);

	if (r == 0 && place.area == TREE_MADE_UP)
		return -EACCES;
	return r == 0 ? tree_walk(t, place.relative, O_RDONLY | O_DIRECTORY, ret_fd) : r;
}
