/* Trees on both sides as sorted lists, and what patterns match on the server. */
#include "client/ftp/ui.h"

#include "base/text.h"
#include "net/wait.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 200, ENTRIES_MAX = 4000000 };

/* -- lists ------------------------------------------------------------------------------------- */

void walk_done(struct walk *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->v[i].path);
	free(w->v);
	*w = (struct walk){.v = NULL};
}

int walk_add(struct walk *w, const struct walk_entry *e)
{
	if (e->path == NULL)
		return -ENOMEM;
	if (w->count == w->cap) {
		size_t cap = w->cap == 0 ? 64 : w->cap * 2;
		struct walk_entry *v =
			w->count < ENTRIES_MAX ? reallocarray(w->v, cap, sizeof *v) : NULL;

		if (v == NULL) {
			free(e->path);
			return -ENOMEM;
		}
		w->v = v;
		w->cap = cap;
	}
	w->v[w->count++] = *e;
	return 0;
}

/* A slash before every other byte. */
static int rank(char c)
{
	return c == '\0' ? 0 : c == '/' ? 1 : (unsigned char)c + 2;
}

int walk_compare(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return rank(*a) - rank(*b);
}

static int entry_compare(const void *a, const void *b)
{
	const struct walk_entry *x = a, *y = b;

	return walk_compare(x->path, y->path);
}

void walk_sort(struct walk *w)
{
	if (w->count > 1)
		qsort(w->v, w->count, sizeof *w->v, entry_compare);
}

/* -- listings ---------------------------------------------------------------------------------- */

bool walk_name_is_good(struct span name)
{
	return name.len > 0 && name.len <= FTP_NAME_MAX && memchr(name.p, '/', name.len) == NULL &&
		memchr(name.p, 0, name.len) == NULL && !span_eq_str(name, ".") &&
		!span_eq_str(name, "..");
}

/* folder, a slash between, and name. */
static char *path_join(const char *folder, struct span name)
{
	size_t len = strlen(folder);
	char *path = malloc(len + 1 + name.len + 1);
	size_t at = len;

	if (path == NULL)
		return NULL;
	if (len > 0)
		memcpy(path, folder, len);
	if (len > 0 && folder[len - 1] != '/')
		path[at++] = '/';
	if (name.len > 0)
		memcpy(path + at, name.p, name.len);
	path[at + name.len] = '\0';
	return path;
}

static void entry_fill(const struct ftp_entry *f, struct walk_entry *ret)
{
	ret->folder = f->type != FTP_ENTRY_FILE;
	ret->size = f->size;
	ret->modify_us = f->modify_us;
	ret->has_digest = f->has_digest;
	memcpy(ret->digest, f->digest, sizeof ret->digest);
	memcpy(ret->owner, f->owner, sizeof ret->owner);
}

int walk_parse(struct span text, const char *folder, struct walk *ret, size_t *ret_bad)
{
	struct span line;

	*ret_bad = 0;
	while (span_split(&text, '\n', &line)) {
		struct ftp_entry f;
		struct walk_entry e = {.path = NULL};
		struct span name;
		unsigned facts;
		int r = ftp_facts_read(line, &f, &facts, &name);

		if (r < 0)
			return r;
		if (f.type == FTP_ENTRY_SELF || f.type == FTP_ENTRY_PARENT)
			continue;
		/* A name with control characters could not be asked for. */
		if (!walk_name_is_good(name) || !text_is_clean(name)) {
			++*ret_bad;
			continue;
		}
		entry_fill(&f, &e);
		e.path = path_join(folder, name);
		r = walk_add(ret, &e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* -- the server's side ------------------------------------------------------------------------- */

struct remote_walk {
	struct ui *u;
	const char *top;
	struct walk *ret;
	size_t asked; /* entries up to here were looked at for folders */
	size_t under_way;
	bool deep;
	int code;
};

static bool is_deep(const char *path)
{
	size_t depth = 0;

	for (; *path != '\0'; path++)
		depth += *path == '/';
	return depth > DEPTH_MAX;
}

/* Asks for one folder; relative "" is the top. */
static int list_ask(struct remote_walk *r, const char *relative)
{
	char path[FTP_PATH_SIZE];
	struct ftp_task *t;

	if (is_deep(relative) || ui_join(r->top, relative, path) < 0)
		return ui_fail(CLIENT_NO, " is too deep; left out", relative);
	t = ftp_task_new(FTP_LIST, path);
	if (t != NULL)
		t->tag = strdup(relative);
	if (t == NULL || t->tag == NULL) {
		ftp_task_free(t);
		return ui_oom();
	}
	ftp_pool_add(r->u->pool, t);
	r->under_way++;
	return CLIENT_OK;
}

static int list_take(struct remote_walk *r, struct ftp_task *t)
{
	size_t bad = 0;
	int code = t->error == -ECANCELED ? CLIENT_INTERRUPTED : ftp_task_told(t);

	r->under_way--;
	if (code == CLIENT_OK) {
		int e = walk_parse(buf_span(&t->text), t->tag, r->ret, &bad);

		if (e < 0)
			code = ui_fail(
				client_exit_of(e), ": the listing of it cannot be read", t->remote);
		else if (bad > 0)
			code = ui_fail(
				CLIENT_NO, ": names that cannot be files' are left out", t->remote);
	}
	free(t->tag);
	ftp_task_free(t);
	return code;
}

static void folders_ask(struct remote_walk *r)
{
	while (r->deep && r->under_way < FTP_SESSIONS_MAX && r->asked < r->ret->count) {
		const struct walk_entry *e = &r->ret->v[r->asked++];

		if (e->folder)
			r->code = ui_first(r->code, list_ask(r, e->path));
	}
}

int walk_remote(struct ui *u, const char *folder, bool deep, struct walk *ret)
{
	struct remote_walk r = {.u = u, .top = folder, .ret = ret, .deep = deep};

	r.code = list_ask(&r, "");
	while (r.under_way > 0) {
		struct ftp_task *t;
		int run = ftp_pool_run(u->pool, 0, -1);

		while ((t = ftp_pool_take(u->pool)) != NULL)
			r.code = ui_first(r.code, list_take(&r, t));
		if (run < 0)
			return client_exit_of(run);
		folders_ask(&r);
	}
	walk_sort(ret);
	/* What is there is worth having, though some of it could not be read. */
	ret->code = ui_first(ret->code, r.code);
	return ret->count > 0 && r.code != CLIENT_INTERRUPTED ? CLIENT_OK : r.code;
}

int walk_quiet(struct ui *u, const char *folder, struct walk *ret)
{
	struct ftp_task *t = ftp_task_new(FTP_LIST, folder);
	size_t bad;
	int r = t != NULL ? ui_do(u, t) : -ENOMEM;

	if (r == 0)
		r = walk_parse(buf_span(&t->text), "", ret, &bad);
	ftp_task_free(t);
	walk_sort(ret);
	return r;
}

int walk_stat(struct ui *u, const char *path, struct walk_entry *ret)
{
	struct ftp_task *t = ftp_task_new(FTP_STAT, path);
	int r = t != NULL ? ui_do(u, t) : -ENOMEM;

	*ret = (struct walk_entry){.path = NULL};
	if (r == 0)
		entry_fill(&t->entry, ret);
	if (r == -EREMOTEIO && t->code >= 500)
		r = -ENOENT;
	ftp_task_free(t);
	return r == 0 ? 1 : r == -ENOENT ? 0 : r;
}

/* -- patterns ---------------------------------------------------------------------------------- */

/* What matches one component, below each of the folders in from. */
static int component(
	struct ui *u, const struct walk *from, const char *pattern, bool last, struct walk *ret)
{
	for (size_t i = 0; i < from->count; i++) {
		struct walk all = {.v = NULL};
		int r = walk_quiet(u, from->v[i].path, &all);

		for (size_t k = 0; r == 0 && k < all.count; k++) {
			struct walk_entry e = all.v[k];

			if (!glob_match(pattern, span_str(e.path)) || (!last && !e.folder))
				continue;
			e.path = path_join(from->v[i].path, span_str(all.v[k].path));
			r = walk_add(ret, &e);
		}
		walk_done(&all);
		if (r == -ECANCELED || r == -ENOMEM)
			return r;
	}
	return 0;
}

/* A component without a pattern: it is there or it is not. */
static int plain_component(
	struct ui *u, const struct walk *from, const char *word, bool last, struct walk *ret)
{
	_cleanup_(buf_done) struct buf plain = BUF_INIT(WORDS_LINE_MAX);

	word_plain(&plain, word);
	for (size_t i = 0; i < from->count; i++) {
		struct walk_entry e = {.folder = true};
		char path[FTP_PATH_SIZE];
		int r = ui_join(from->v[i].path, buf_str(&plain), path);

		/* Before the first pattern nothing needs to be asked: the listing tells. */
		if (r == 0 && (last || from->count > 1))
			r = walk_stat(u, path, &e) == 1 ? 0 : -ENOENT;
		e.path = r == 0 ? strdup(path) : NULL;
		if (r == 0 && walk_add(ret, &e) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int expand(struct ui *u, const char *pattern, struct walk *ret)
{
	struct walk from = {.v = NULL};
	struct walk_entry top = {.path = strdup(pattern[0] == '/' ? "/" : u->cwd), .folder = true};
	struct span rest = span_str(pattern), part;
	int r = walk_add(&from, &top);

	while (r == 0 && span_split(&rest, '/', &part)) {
		struct walk next = {.v = NULL};
		char word[2 * FTP_PATH_SIZE];
		bool last = rest.len == 0;

		if (part.len == 0)
			continue;
		r = span_copy_str(part, word, sizeof word);
		if (r == 0)
			r = word_is_pattern(word) ? component(u, &from, word, last, &next)
						  : plain_component(u, &from, word, last, &next);
		walk_done(&from);
		from = next;
	}
	*ret = from;
	walk_sort(ret);
	return r;
}

static int add_stated(struct ui *u, const char *path, struct walk *ret)
{
	struct walk_entry e;
	int r = walk_stat(u, path, &e);

	if (r == 1) {
		e.path = strdup(path);
		if (walk_add(ret, &e) < 0)
			return -ENOMEM;
	}
	return r;
}

static int expand_told(int r, const char *what, const char *why)
{
	if (r == -ECANCELED)
		return CLIENT_INTERRUPTED;
	return r < 0     ? client_fail(client_exit_of(r), "%s", client_why(r))
		: r == 0 ? ui_fail(CLIENT_NO, why, what)
			 : CLIENT_OK;
}

int walk_expand(struct ui *u, const char *word, struct walk *ret)
{
	struct walk found = {.v = NULL};
	bool pattern = word_is_pattern(word);
	char path[FTP_PATH_SIZE];
	int r = 0;

	/* Outside of a session a name that looks like a pattern may just be one. */
	if (!pattern || !u->shell) {
		r = ui_remote_path(u, word, path);
		if (r != CLIENT_OK)
			return r;
		r = add_stated(u, path, ret);
	}
	if (!pattern || r != 0)
		return expand_told(r, path, ": no such file or folder");
	r = expand(u, word, &found);
	for (size_t i = 0; i < found.count; i++) {
		if (r < 0)
			break;
		r = walk_add(ret, &found.v[i]) < 0 ? -ENOMEM : 1;
		found.v[i].path = NULL;
	}
	walk_done(&found);
	return expand_told(r, word, ": nothing matches it");
}

/* -- this side --------------------------------------------------------------------------------- */

static int entry_local(int dir_fd, const char *name, struct walk_entry *ret)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return S_ISLNK(st.st_mode) ? -ELOOP : -EINVAL;
	ret->folder = S_ISDIR(st.st_mode);
	ret->size = ret->folder ? 0 : (uint64_t)st.st_size;
	ret->modify_us = (int64_t)st.st_mtim.tv_sec * INT64_C(1000000) + st.st_mtim.tv_nsec / 1000;
	return 0;
}

static void left_out(struct walk *w, const char *path, int error)
{
	const char *why = error == -ELOOP ? " is a symbolic link; left out"
		: error == -EINVAL        ? " is no plain file; left out"
		: error == -ENAMETOOLONG  ? " is too deep; left out"
					  : " cannot be read; left out";

	w->code = ui_first(w->code, ui_fail(CLIENT_NO, why, path));
}

/* Everything directly in relative ("" the top). */
static int folder_read(int top_fd, const char *relative, struct walk *ret)
{
	int fd =
		is_deep(relative) ? -ENAMETOOLONG : local_folder(top_fd, span_str(relative), false);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *d;
	int r = 0;

	if (dir == NULL) {
		left_out(ret, relative, fd);
		cleanup_close(&fd);
		return 0;
	}
	while (r == 0 && (d = readdir(dir)) != NULL) {
		struct walk_entry e = {.path = NULL};
		struct span name = span_str(d->d_name);
		int error;

		if (!walk_name_is_good(name))
			continue;
		error = entry_local(dirfd(dir), d->d_name, &e);
		e.path = path_join(relative, name);
		if (error == 0) {
			r = walk_add(ret, &e);
		} else if (e.path != NULL) {
			left_out(ret, e.path, error);
			free(e.path);
		}
	}
	closedir(dir);
	return r;
}

int walk_local(struct ui *u, int dir_fd, struct walk *ret)
{
	int r = folder_read(dir_fd, "", ret);

	for (size_t i = 0; r == 0 && i < ret->count; i++) {
		if (ret->v[i].folder)
			r = folder_read(dir_fd, ret->v[i].path, ret);
		if (client_interrupted(u->client))
			r = -ECANCELED;
		/* Whatever else is under way has its turn. */
		(void)net_wait(NULL, 0, 0);
	}
	walk_sort(ret);
	return r == 0
		? CLIENT_OK
		: client_fail(client_exit_of(r), "the folder cannot be read: %s", err_text(r));
}
