/* get, put, cat: from words to a batch of transfers. */
#include "client/ftp/ui.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>

/* Folders that a batch works below, held open for it. */
struct roots {
	int *v;
	size_t count;
};

static void roots_done(struct roots *r)
{
	for (size_t i = 0; i < r->count; i++)
		close(r->v[i]);
	free(r->v);
	*r = (struct roots){NULL, 0};
}

/* Keeps fd (closed on failure); returns it, or -ENOMEM. */
static int roots_add(struct roots *r, int fd)
{
	int *v = reallocarray(r->v, r->count + 1, sizeof *v);

	if (v == NULL) {
		close(fd);
		return -ENOMEM;
	}
	r->v = v;
	r->v[r->count++] = fd;
	return fd;
}

static bool ends_with_slash(const char *path)
{
	size_t len = strlen(path);

	return len > 0 && path[len - 1] == '/';
}

static int unwritten(int error, const char *path)
{
	const char *why = error == -ELOOP || error == -ENOTDIR
		? ": a link or a file stands where a folder has to be"
		: ": the folder cannot be made or opened here";

	return ui_fail(client_unwritten(error), why, path);
}

/* -- get --------------------------------------------------------------------------------------- */

struct getting {
	struct ui *u;
	struct batch b;
	struct roots roots;
	const char *to; /* the local path that was named */
	bool to_folder; /* it is a folder: sources go into it */
	int to_fd; /* that folder */
};

static int get_add(struct getting *g, const struct walk_entry *e, const char *remote, int root_fd,
	const char *local)
{
	if (batch_add(&g->b, FTP_GET, remote, root_fd, local) < 0)
		return ui_oom();
	g->b.v[g->b.count - 1].size = e->size;
	g->b.v[g->b.count - 1].modify_us = e->modify_us;
	return CLIENT_OK;
}

/* The local folder that the remote one becomes: inside to, or to itself. */
static int get_root(struct getting *g, const char *remote)
{
	const char *name = ftp_path_name(remote);
	int fd;

	if (g->to_folder) {
		fd = local_folder(g->to_fd, span_str(name), true);
	} else {
		if (mkdir(g->to, 0777) < 0 && errno != EEXIST)
			return -errno;
		fd = open(g->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		fd = fd < 0 ? -errno : fd;
	}
	return fd < 0 ? fd : roots_add(&g->roots, fd);
}

static int get_tree(struct getting *g, const char *remote)
{
	struct walk tree = {.v = NULL};
	int code = walk_remote(g->u, remote, true, &tree);
	int root_fd = code == CLIENT_OK ? get_root(g, remote) : -1;

	if (code == CLIENT_OK && root_fd < 0)
		code = unwritten(root_fd, ftp_path_name(remote));
	for (size_t i = 0; i < tree.count && root_fd >= 0; i++) {
		const struct walk_entry *e = &tree.v[i];
		char path[FTP_PATH_SIZE];
		int r = CLIENT_OK;

		if (ui_join(remote, e->path, path) < 0) {
			r = ui_fail(CLIENT_NO, ": too long a path; left out", e->path);
		} else if (e->folder) {
			int fd = local_folder(root_fd, span_str(e->path), true);

			if (fd < 0)
				r = unwritten(fd, e->path);
			cleanup_close(&fd);
		} else {
			r = get_add(g, e, path, root_fd, e->path);
		}
		code = ui_first(code, r);
	}
	code = ui_first(code, tree.code);
	walk_done(&tree);
	return code;
}

static int folder_fail(int error, const char *path)
{
	return ui_fail(ERR_EXIT_CONFIG,
		error == EACCES            ? " may not be opened by you"
			: error == ENOTDIR ? " is no folder"
					   : ": no such folder here",
		path);
}

/* A single file to a name of its own. */
static int get_named(struct getting *g, const struct walk_entry *e)
{
	struct span folder;
	const char *name;
	_cleanup_(buf_done) struct buf parent = BUF_INIT(WORDS_LINE_MAX);
	int fd;

	local_split(g->to, &folder, &name);
	if (folder.len > 0)
		buf_add(&parent, folder);
	else
		buf_add_str(&parent, g->to[0] == '/' ? "/" : ".");
	fd = open(buf_str(&parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return folder_fail(errno, buf_str(&parent));
	fd = roots_add(&g->roots, fd);
	return fd < 0 ? ui_oom() : get_add(g, e, e->path, fd, name);
}

static int get_one(struct getting *g, const struct walk_entry *e)
{
	if (e->folder && !g->u->o.recursive)
		return ui_fail(CLIENT_NO, " is a folder; -r fetches it", e->path);
	if (e->folder)
		return get_tree(g, e->path);
	return g->to_folder ? get_add(g, e, e->path, g->to_fd, ftp_path_name(e->path))
			    : get_named(g, e);
}

static int get_target(struct getting *g, size_t sources)
{
	int fd = open(g->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	g->to_fd = fd < 0 ? -1 : roots_add(&g->roots, fd);
	g->to_folder = g->to_fd >= 0;
	if (!g->to_folder && (sources > 1 || ends_with_slash(g->to)))
		return folder_fail(errno, g->to);
	return CLIENT_OK;
}

int ui_get(struct ui *u, const struct client_words *w)
{
	_cleanup_(buf_done) struct buf to = BUF_INIT(WORDS_LINE_MAX);
	struct getting g = {.u = u, .to_fd = -1};
	struct walk found = {.v = NULL};
	size_t sources = w->count > 1 ? w->count - 1 : 1;
	int code = CLIENT_OK, r;

	if (w->count > 1)
		ui_local_path(u, w->v[w->count - 1], &to);
	g.to = w->count > 1 ? buf_str(&to) : ".";
	for (size_t i = 0; i < sources && code != CLIENT_INTERRUPTED; i++)
		code = ui_first(code, walk_expand(u, w->v[i], &found));
	r = found.count > 0 && code != CLIENT_INTERRUPTED ? get_target(&g, found.count) : code;
	for (size_t i = 0; r == CLIENT_OK && i < found.count; i++) {
		int one = get_one(&g, &found.v[i]);

		code = ui_first(code, one);
		r = one == CLIENT_INTERRUPTED ? one : CLIENT_OK;
	}
	if (r == CLIENT_OK && g.b.count > 0)
		r = batch_run(u, &g.b);
	batch_done(&g.b);
	roots_done(&g.roots);
	walk_done(&found);
	return r == CLIENT_INTERRUPTED ? r : ui_first(code, r);
}

int ui_cat(struct ui *u, const struct client_words *w)
{
	struct walk found = {.v = NULL};
	int code = CLIENT_OK;

	if (u->client->json)
		return client_usage(u->client, "cat prints the files themselves");
	for (size_t i = 0; i < w->count && code != CLIENT_INTERRUPTED; i++)
		code = ui_first(code, walk_expand(u, w->v[i], &found));
	(void)fflush(stdout);
	for (size_t i = 0; i < found.count && code != CLIENT_INTERRUPTED; i++) {
		struct ftp_task *t = NULL;

		if (found.v[i].folder) {
			code = ui_first(code, ui_fail(CLIENT_NO, " is a folder", found.v[i].path));
			continue;
		}
		t = ftp_task_new(FTP_GET, found.v[i].path);
		if (t == NULL) {
			code = ui_oom();
			break;
		}
		t->out_fd = STDOUT_FILENO;
		code = ui_first(code, ftp_pool_do(u->pool, t));
		ftp_task_free(t);
	}
	walk_done(&found);
	return code;
}

/* -- put --------------------------------------------------------------------------------------- */

struct putting {
	struct ui *u;
	struct batch b;
	struct roots roots;
	char to[FTP_PATH_SIZE];
	bool to_folder;
};

static int put_add(struct putting *p, int root_fd, const char *local, const char *remote,
	const struct walk_entry *e)
{
	if (batch_add(&p->b, FTP_PUT, remote, root_fd, local) < 0)
		return ui_oom();
	p->b.v[p->b.count - 1].size = e->size;
	p->b.v[p->b.count - 1].modify_us = e->modify_us;
	return CLIENT_OK;
}

/* Where a source of that name goes. */
static int put_target(const struct putting *p, const char *name, char ret[FTP_PATH_SIZE])
{
	if (!p->to_folder) {
		memcpy(ret, p->to, FTP_PATH_SIZE);
		return CLIENT_OK;
	}
	return ui_join(p->to, name, ret) < 0
		? ui_fail(CLIENT_NO, ": the server takes no such name", name)
		: CLIENT_OK;
}

static int put_tree(struct putting *p, int root_fd, const char *top)
{
	struct walk tree = {.v = NULL};
	int code = ui_folder_make(p->u, top, true);

	if (code == CLIENT_OK)
		code = walk_local(p->u, root_fd, &tree);
	for (size_t i = 0; i < tree.count && code != CLIENT_INTERRUPTED; i++) {
		const struct walk_entry *e = &tree.v[i];
		char path[FTP_PATH_SIZE];
		int r;

		if (ui_join(top, e->path, path) < 0)
			r = ui_fail(
				CLIENT_NO, ": the server takes no such name; left out", e->path);
		else if (e->folder)
			r = ui_folder_make(p->u, path, true);
		else
			r = put_add(p, root_fd, e->path, path, e);
		code = r == CLIENT_INTERRUPTED ? r : ui_first(code, r);
	}
	code = ui_first(code, tree.code);
	walk_done(&tree);
	return code;
}

static int put_folder(struct putting *p, const char *local)
{
	_cleanup_(cleanup_free) char *real = realpath(local, NULL);
	char target[FTP_PATH_SIZE];
	int code, fd;

	if (!p->u->o.recursive)
		return ui_fail(CLIENT_NO, " is a folder; -r sends it", local);
	if (real == NULL)
		return ui_fail(ERR_EXIT_CONFIG, " cannot be read", local);
	code = put_target(p, strrchr(real, '/') + 1, target);
	if (code != CLIENT_OK)
		return code;
	fd = open(local, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ui_fail(ERR_EXIT_CONFIG, " cannot be read", local);
	fd = roots_add(&p->roots, fd);
	return fd < 0 ? ui_oom() : put_tree(p, fd, target);
}

static int put_one(struct putting *p, const char *local)
{
	struct walk_entry e = {.path = NULL};
	char target[FTP_PATH_SIZE];
	struct span folder;
	const char *name;
	struct stat st;
	int code;

	if (stat(local, &st) < 0)
		return ui_fail(ERR_EXIT_CONFIG,
			errno == ENOENT ? ": no such file here" : " cannot be read", local);
	if (S_ISDIR(st.st_mode))
		return put_folder(p, local);
	if (!S_ISREG(st.st_mode))
		return ui_fail(ERR_EXIT_CONFIG, " is no plain file", local);
	local_split(local, &folder, &name);
	code = put_target(p, name, target);
	e.size = (uint64_t)st.st_size;
	return code == CLIENT_OK ? put_add(p, AT_FDCWD, local, target, &e) : code;
}

/* A word of a session may be a pattern; outside of one the shell has done that. */
static int put_word(struct putting *p, const char *word)
{
	_cleanup_(buf_done) struct buf plain = BUF_INIT(WORDS_LINE_MAX);
	glob_t found;
	int code = CLIENT_OK;

	if (!p->u->shell || !word_is_pattern(word)) {
		ui_local_path(p->u, word, &plain);
		return put_one(p, buf_str(&plain));
	}
	if (glob(word, GLOB_TILDE, NULL, &found) != 0)
		return ui_fail(CLIENT_NO, ": nothing here matches it", word);
	for (size_t i = 0; i < found.gl_pathc && code != CLIENT_INTERRUPTED; i++)
		code = ui_first(code, put_one(p, found.gl_pathv[i]));
	globfree(&found);
	return code;
}

static int put_into(struct putting *p, const char *word, size_t sources)
{
	struct walk_entry e;
	int r = ui_remote_path(p->u, word, p->to);

	if (r != CLIENT_OK)
		return r;
	r = walk_stat(p->u, p->to, &e);
	if (r < 0)
		return client_fail(client_exit_of(r), "%s", client_why(r));
	p->to_folder = r == 1 && e.folder;
	if (!p->to_folder && (sources > 1 || ends_with_slash(word)))
		return ui_fail(CLIENT_NO, ": no such folder on the server", p->to);
	return CLIENT_OK;
}

int ui_put(struct ui *u, const struct client_words *w)
{
	struct putting p = {.u = u};
	size_t sources = w->count > 1 ? w->count - 1 : 1;
	bool many = sources > 1 || (u->shell && word_is_pattern(w->v[0]));
	int code = put_into(&p,
		w->count > 1       ? w->v[w->count - 1]
			: u->shell ? ""
				   : ".",
		many ? 2 : 1);

	if (code != CLIENT_OK)
		return code;
	for (size_t i = 0; i < sources && code != CLIENT_INTERRUPTED; i++) {
		int r = put_word(&p, w->v[i]);

		code = r == CLIENT_INTERRUPTED ? r : ui_first(code, r);
	}
	if (code != CLIENT_INTERRUPTED && p.b.count > 0) {
		int r = batch_run(u, &p.b);

		code = r == CLIENT_INTERRUPTED ? r : ui_first(code, r);
	}
	batch_done(&p.b);
	roots_done(&p.roots);
	return code;
}
