/* What the commands for files do: those of client/ftp, told in the console. See files_i.h. */
#include "client/console/files_i.h"

#include "base/text.h"

#include <errno.h>

/* Entries of a folder, and they are remembered. */
static int folder_read(struct files_part *f, const char *path, bool show)
{
	struct walk w = {.v = NULL};
	int code = show ? walk_remote(&f->ui, path, false, &w) : walk_quiet(&f->ui, path, &w);

	if (code == CLIENT_OK && show)
		files_show(f, path, &w);
	if (code == CLIENT_OK && !show)
		files_refresh(f, path, &w);
	if (code == CLIENT_OK)
		files_remember(f, path, &w);
	walk_done(&w);
	return code;
}

int files_do_names(struct files_part *f, const struct client_words *w)
{
	(void)w;
	return folder_read(f, f->ui.cwd, false);
}

/* Single files of a listing. */
static void files_tell(struct files_part *f, const struct walk *found)
{
	for (size_t i = 0; i < found->count; i++) {
		_cleanup_(buf_done) struct buf line = BUF_INIT(65536);

		if (found->v[i].folder)
			continue;
		files_line(&found->v[i], &line);
		console_say(f->c, "%s", buf_str(&line));
	}
}

int files_do_ls(struct files_part *f, const struct client_words *w)
{
	struct walk found = {.v = NULL};
	int code = CLIENT_OK;

	if (w->count == 0)
		return folder_read(f, f->ui.cwd, true);
	for (size_t i = 0; i < w->count && code != CLIENT_INTERRUPTED; i++)
		code = ui_first(code, walk_expand(&f->ui, w->v[i], &found));
	files_tell(f, &found);
	for (size_t i = 0; i < found.count && code != CLIENT_INTERRUPTED; i++)
		if (found.v[i].folder)
			code = ui_first(code, folder_read(f, found.v[i].path, true));
	walk_done(&found);
	return code;
}

int files_do_cd(struct files_part *f, const struct client_words *w)
{
	const char *word = w->count > 0 ? w->v[0] : ftp_pool_home(f->ui.pool);
	_cleanup_(buf_done) struct buf name = BUF_INIT(UI_NAME_MAX);
	char path[FTP_PATH_SIZE];
	struct walk_entry e;
	int r = ui_remote_path(&f->ui, word, path);

	if (r != CLIENT_OK)
		return r;
	r = walk_stat(&f->ui, path, &e);
	if (r < 0)
		return client_fail(client_exit_of(r), "%s", client_why(r));
	if (r == 0 || !e.folder)
		return ui_fail(CLIENT_NO, r == 0 ? ": no such folder" : " is no folder", path);
	memcpy(f->ui.cwd, path, sizeof f->ui.cwd);
	ui_name(&name, path);
	console_say(f->c, "the folder on the server is %s", buf_str(&name));
	return folder_read(f, path, false);
}

/* -- moving ------------------------------------------------------------------------------------ */

int files_do_get(struct files_part *f, const struct client_words *w)
{
	int code;

	f->ui.o.recursive = true;
	code = ui_get(&f->ui, w);
	f->ui.o.recursive = false;
	return code;
}

int files_do_put(struct files_part *f, const struct client_words *w)
{
	int code;

	f->ui.o.recursive = true;
	code = ui_put(&f->ui, w);
	f->ui.o.recursive = false;
	return code;
}

/* -- folders and names ------------------------------------------------------------------------- */

static int changed(struct files_part *f, int code, const char *what)
{
	if (code == CLIENT_OK)
		console_say(f->c, "%s", what);
	(void)folder_read(f, f->ui.cwd, false);
	return code;
}

int files_do_mkdir(struct files_part *f, const struct client_words *w)
{
	int code;

	f->ui.o.parents = true;
	code = ui_mkdir(&f->ui, w);
	f->ui.o.parents = false;
	return changed(f, code, "made");
}

int files_do_rm(struct files_part *f, const struct client_words *w)
{
	const bool deep = w->count > 0 && strcmp(w->v[0], "-r") == 0;
	const struct client_words names = {w->v + deep, w->count - deep};
	int code;

	if (names.count == 0)
		return client_fail(ERR_EXIT_CONFIG, "which files?");
	f->ui.o.recursive = deep;
	code = ui_rm(&f->ui, &names);
	f->ui.o.recursive = false;
	return changed(f, code, "deleted");
}

int files_do_mv(struct files_part *f, const struct client_words *w)
{
	if (w->count < 2)
		return client_fail(ERR_EXIT_CONFIG, "from where, and where to?");
	return changed(f, ui_mv(&f->ui, w), "moved");
}

/* -- digests, room ----------------------------------------------------------------------------- */

static int digest_one(struct files_part *f, const char *path)
{
	_cleanup_(buf_done) struct buf hex = BUF_INIT(128), name = BUF_INIT(UI_NAME_MAX);
	struct ftp_task *t = ftp_task_new(FTP_DIGEST, path);
	int code;

	if (t == NULL)
		return ui_oom();
	code = ftp_pool_do(f->ui.pool, t);
	if (code == CLIENT_OK) {
		text_hex(&hex, span_of(t->digest, sizeof t->digest));
		ui_name(&name, path);
		console_say(f->c, "SHA-256 %s  %s", buf_str(&hex), buf_str(&name));
	}
	ftp_task_free(t);
	return code;
}

int files_do_digest(struct files_part *f, const struct client_words *w)
{
	struct walk found = {.v = NULL};
	int code = CLIENT_OK;

	for (size_t i = 0; i < w->count && code != CLIENT_INTERRUPTED; i++)
		code = ui_first(code, walk_expand(&f->ui, w->v[i], &found));
	for (size_t i = 0; i < found.count && code != CLIENT_INTERRUPTED; i++)
		code = ui_first(code,
			found.v[i].folder ? ui_fail(CLIENT_NO, " is a folder", found.v[i].path)
					  : digest_one(f, found.v[i].path));
	walk_done(&found);
	return code;
}

int files_do_df(struct files_part *f, const struct client_words *w)
{
	return ui_df(&f->ui, w);
}
