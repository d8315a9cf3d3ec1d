/*
 * sync up|down: one folder is made like the other. Sizes decide first, then SHA-256: that of the
 * server comes with its listing or is asked for, ours is computed. What differs is copied, whole
 * and verified as any other transfer; nothing is deleted unless --delete was said.
 */
#include "client/ftp/ui.h"

#include "client/table.h"

#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>

struct sync {
	struct ui *u;
	bool up;
	int local_fd;
	char remote[FTP_PATH_SIZE];
	struct walk here, there;
	struct plan plan;
	struct buf rows; /* --dry-run --json */
	size_t same, copied, deleted;
};

static int fail(int error, const char *path)
{
	return error == -ENOMEM ? ui_oom()
		: error == -ECANCELED
		? CLIENT_INTERRUPTED
		: ui_fail(client_unwritten(error), " cannot be read or written here", path);
}

/* -- both sides -------------------------------------------------------------------------------- */

static int local_open(struct sync *s, const char *word)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(WORDS_LINE_MAX);

	ui_local_path(s->u, word, &path);
	if (!s->up && !s->u->o.dry_run && mkdir(buf_str(&path), 0777) < 0 && errno != EEXIST)
		return ui_fail(ERR_EXIT_CONFIG, ": the folder cannot be made", buf_str(&path));
	s->local_fd = open(buf_str(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->local_fd >= 0)
		return walk_local(s->u, s->local_fd, &s->here);
	return !s->up && s->u->o.dry_run && errno == ENOENT
		? CLIENT_OK
		: ui_fail(ERR_EXIT_CONFIG, ": no such folder here", buf_str(&path));
}

static int remote_open(struct sync *s, const char *word)
{
	struct walk_entry e;
	int r = ui_remote_path(s->u, word, s->remote);

	if (r != CLIENT_OK)
		return r;
	r = walk_stat(s->u, s->remote, &e);
	if (r < 0)
		return client_fail(client_exit_of(r), "%s", client_why(r));
	if (r == 1 && !e.folder)
		return ui_fail(CLIENT_NO, " is no folder", s->remote);
	if (r == 1)
		return walk_remote(s->u, s->remote, true, &s->there);
	if (!s->up)
		return ui_fail(CLIENT_NO, ": no such folder", s->remote);
	return s->u->o.dry_run ? CLIENT_OK : ui_folder_make(s->u, s->remote, true);
}

/* -- digests ----------------------------------------------------------------------------------- */

/* The plan points to them as they are; they are filled in where they are missing. */
static struct walk_entry *entry_of(struct walk *w, const struct walk_entry *e)
{
	return &w->v[e - w->v];
}

static int local_digests(struct sync *s)
{
	for (size_t i = 0; i < s->plan.count; i++) {
		const struct plan_step *step = &s->plan.v[i];
		struct walk_entry *e;
		int r;

		if (step->act != PLAN_DIGEST)
			continue;
		e = entry_of(&s->here, s->up ? step->from : step->to);
		r = local_digest(s->u, s->local_fd, e->path, e->digest);
		if (r < 0)
			return fail(r, e->path);
		e->has_digest = true;
	}
	return CLIENT_OK;
}

/* Those that did not come with the listing. One that cannot be had counts as different. */
static int remote_digests(struct sync *s)
{
	struct batch b = {.v = NULL, .silent = true};
	int code = CLIENT_OK;
	size_t n = 0;

	for (size_t i = 0; i < s->plan.count && code == CLIENT_OK; i++) {
		const struct plan_step *step = &s->plan.v[i];
		char path[FTP_PATH_SIZE];

		if (step->act == PLAN_DIGEST && !(s->up ? step->to : step->from)->has_digest &&
			(ui_join(s->remote, step->to->path, path) < 0 ||
				batch_add(&b, FTP_DIGEST, path, AT_FDCWD, NULL) < 0))
			code = ui_oom();
	}
	if (code == CLIENT_OK && b.count > 0)
		code = batch_run(s->u, &b);
	for (size_t i = 0; i < s->plan.count && n < b.count; i++) {
		const struct plan_step *step = &s->plan.v[i];
		struct walk_entry *e;

		if (step->act != PLAN_DIGEST || (s->up ? step->to : step->from)->has_digest)
			continue;
		e = entry_of(&s->there, s->up ? step->to : step->from);
		e->has_digest = b.v[n].code == CLIENT_OK;
		memcpy(e->digest, b.v[n++].digest, sizeof e->digest);
	}
	batch_done(&b);
	return code;
}

static int settle(struct sync *s)
{
	int code = local_digests(s);

	if (code == CLIENT_OK)
		code = remote_digests(s);
	if (code == CLIENT_INTERRUPTED)
		return code;
	for (size_t i = 0; i < s->plan.count; i++) {
		plan_settle(&s->plan.v[i]);
		if (s->plan.v[i].act == PLAN_DIGEST)
			s->plan.v[i].act = PLAN_DIFFERS;
	}
	return code;
}

/* -- telling ----------------------------------------------------------------------------------- */

static const char *const act_names[][2] = {[PLAN_FOLDER] = {"mkdir", "new"},
	[PLAN_NEW] = {"copy", "new"},
	[PLAN_DIFFERS] = {"copy", "differs"},
	[PLAN_DELETE] = {"delete", "not at the source"},
	[PLAN_CLASH] = {"skip", "a file on one side, a folder on the other"}};

static const char *path_of(const struct plan_step *step)
{
	return step->from != NULL ? step->from->path : step->to->path;
}

static void step_tell(struct sync *s, const struct plan_step *step)
{
	_cleanup_(buf_done) struct buf name = BUF_INIT(65536);

	if (s->u->client->json) {
		const struct table_pair pairs[] = {{"action", act_names[step->act][0], NULL},
			{"path", path_of(step), NULL}, {"why", act_names[step->act][1], NULL}};

		buf_add_str(&s->rows, s->rows.len > 0 ? ",\n " : "[");
		table_pairs_json(pairs, sizeof pairs / sizeof pairs[0], &s->rows);
		return;
	}
	ui_name(&name, path_of(step));
	printf("%-6s %s (%s)\n", act_names[step->act][0], buf_str(&name), act_names[step->act][1]);
}

static int dry_run(struct sync *s)
{
	for (size_t i = 0; i < s->plan.count; i++)
		if (s->plan.v[i].act != PLAN_SAME)
			step_tell(s, &s->plan.v[i]);
	if (!s->u->client->json)
		return CLIENT_OK;
	buf_add_str(&s->rows, s->rows.len > 0 ? "]\n" : "[]\n");
	if (buf_error(&s->rows) < 0)
		return ui_oom();
	fputs(buf_str(&s->rows), stdout);
	return CLIENT_OK;
}

/* -- doing ------------------------------------------------------------------------------------- */

static int delete_one(struct sync *s, const struct walk_entry *e)
{
	char path[FTP_PATH_SIZE];
	int r;

	s->deleted++;
	if (s->up)
		return ui_join(s->remote, e->path, path) < 0
			? ui_oom()
			: ui_do_told(s->u, e->folder ? FTP_RMDIR : FTP_REMOVE, path, NULL);
	r = local_remove(s->local_fd, e->path, e->folder);
	return r < 0 ? fail(r, e->path) : CLIENT_OK;
}

/* From the end, so that a folder is empty when its turn comes. */
static int deletions(struct sync *s)
{
	int code = CLIENT_OK;

	for (size_t i = s->plan.count; i > 0 && code != CLIENT_INTERRUPTED; i--) {
		const struct plan_step *step = &s->plan.v[i - 1];
		int r;

		if (step->act != PLAN_DELETE)
			continue;
		r = delete_one(s, step->to);
		code = r == CLIENT_INTERRUPTED ? r : ui_first(code, r);
		if (r == CLIENT_OK && !s->u->o.quiet && !s->u->client->json)
			step_tell(s, step);
	}
	return code;
}

static int folder_one(struct sync *s, const char *relative)
{
	char path[FTP_PATH_SIZE];
	int fd;

	if (s->up)
		return ui_join(s->remote, relative, path) < 0
			? ui_fail(CLIENT_NO, ": the server takes no such name", relative)
			: ui_folder_make(s->u, path, true);
	fd = local_folder(s->local_fd, span_str(relative), true);
	if (fd < 0)
		return fail(fd, relative);
	cleanup_close(&fd);
	return CLIENT_OK;
}

static int copy_add(struct sync *s, struct batch *b, const struct walk_entry *e)
{
	char path[FTP_PATH_SIZE];

	if (ui_join(s->remote, e->path, path) < 0)
		return ui_fail(CLIENT_NO, ": the server takes no such name", e->path);
	if (batch_add(b, s->up ? FTP_PUT : FTP_GET, path, s->local_fd, e->path) < 0)
		return ui_oom();
	b->v[b->count - 1].size = e->size;
	b->v[b->count - 1].modify_us = e->modify_us;
	s->copied++;
	return CLIENT_OK;
}

static int copies(struct sync *s)
{
	struct batch b = {.v = NULL};
	int code = CLIENT_OK;

	for (size_t i = 0; i < s->plan.count && code != CLIENT_INTERRUPTED; i++) {
		const struct plan_step *step = &s->plan.v[i];
		int r = CLIENT_OK;

		if (step->act == PLAN_FOLDER)
			r = folder_one(s, step->from->path);
		else if (step->act == PLAN_NEW || step->act == PLAN_DIFFERS)
			r = copy_add(s, &b, step->from);
		else if (step->act == PLAN_CLASH)
			r = ui_fail(CLIENT_NO,
				" is a file on one side and a folder on the other; --delete "
				"replaces it",
				step->from->path);
		else
			s->same += step->act == PLAN_SAME && !step->from->folder;
		code = r == CLIENT_INTERRUPTED ? r : ui_first(code, r);
	}
	if (code != CLIENT_INTERRUPTED) {
		int r = batch_run(s->u, &b);

		code = r == CLIENT_INTERRUPTED ? r : ui_first(code, r);
	}
	batch_done(&b);
	return code;
}

static int sync_do(struct sync *s)
{
	/* A source that could not be read whole must not empty the other side. */
	int seen = s->up ? s->here.code : s->there.code;
	int code;

	if (plan_make(s->up ? &s->here : &s->there, s->up ? &s->there : &s->here,
		    s->u->o.delete &&seen == CLIENT_OK, &s->plan) < 0)
		return ui_oom();
	code = settle(s);
	if (code == CLIENT_INTERRUPTED)
		return code;
	if (s->u->o.delete &&seen != CLIENT_OK)
		client_fail(seen, "nothing is deleted, as the source could not be read whole");
	code = ui_first(s->here.code, ui_first(s->there.code, code));
	if (s->u->o.dry_run)
		return ui_first(code, dry_run(s));
	code = ui_first(code, deletions(s));
	if (code != CLIENT_INTERRUPTED) {
		int r = copies(s);

		code = r == CLIENT_INTERRUPTED ? r : ui_first(code, r);
	}
	if (code == CLIENT_OK && !s->u->o.quiet && !s->u->client->json)
		printf("%zu copied, %zu deleted, %zu the same\n", s->copied, s->deleted, s->same);
	return code;
}

int ui_sync(struct ui *u, const struct client_words *w)
{
	struct sync s = {.u = u, .local_fd = -1, .rows = BUF_INIT(256U << 20)};
	int code;

	s.up = strcasecmp(w->v[0], "up") == 0;
	if (!s.up && strcasecmp(w->v[0], "down") != 0)
		return client_usage(u->client, "sync goes up or down");
	code = local_open(&s, w->v[1]);
	if (code == CLIENT_OK)
		code = remote_open(&s, w->v[2]);
	if (code == CLIENT_OK)
		code = sync_do(&s);
	plan_done(&s.plan);
	walk_done(&s.here);
	walk_done(&s.there);
	cleanup_close(&s.local_fd);
	buf_done(&s.rows);
	return code;
}
