/* rm, mkdir, rmdir, mv, df: commands that move no files' bytes. */
#include "client/ftp/ui.h"

#include "client/table.h"

#include "base/num.h"

#include <errno.h>

/* -- rm ---------------------------------------------------------------------------------------- */

/* A name that is in no listing may be that of an interrupted upload: the server is asked to delete
 * it all the same. */
static int rm_expand(struct ui *u, const char *word, struct walk *found)
{
	struct walk_entry e;
	char path[FTP_PATH_SIZE];
	int r;

	if (word_is_pattern(word))
		return walk_expand(u, word, found);
	r = ui_remote_path(u, word, path);
	if (r != CLIENT_OK)
		return r;
	r = walk_stat(u, path, &e);
	if (r < 0)
		return r == -ECANCELED ? CLIENT_INTERRUPTED
				       : client_fail(client_exit_of(r), "%s", client_why(r));
	e.path = strdup(path);
	r = walk_add(found, &e);
	return r < 0 ? ui_oom() : CLIENT_OK;
}

int ui_rm(struct ui *u, const struct client_words *w)
{
	struct walk found = {.v = NULL};
	struct batch b = {.v = NULL};
	int code = CLIENT_OK, e = 0;

	for (size_t i = 0; i < w->count && code != CLIENT_INTERRUPTED; i++)
		code = ui_first(code, rm_expand(u, w->v[i], &found));
	for (size_t i = 0; i < found.count && e == 0; i++) {
		const struct walk_entry *f = &found.v[i];

		if (f->folder && !u->o.recursive)
			code = ui_first(code,
				ui_fail(CLIENT_NO,
					" is a folder; rm -r deletes it "
					"with all that is in it",
					f->path));
		else
			e = batch_add(&b, f->folder ? FTP_RMTREE : FTP_REMOVE, f->path, -1, NULL);
	}
	if (e < 0)
		code = ui_oom();
	else if (code != CLIENT_INTERRUPTED && b.count > 0)
		code = ui_first(code, batch_run(u, &b));
	batch_done(&b);
	walk_done(&found);
	return code;
}

/* -- folders ----------------------------------------------------------------------------------- */

static int make_one(struct ui *u, const char *path, bool may_exist)
{
	struct ftp_task *t = ftp_task_new(FTP_MKDIR, path);
	struct walk_entry e;
	int code, r;

	if (t == NULL)
		return ui_oom();
	r = ui_do(u, t);
	if (r == -EREMOTEIO && may_exist && walk_stat(u, path, &e) == 1 && e.folder)
		r = 0;
	code = r == 0 ? CLIENT_OK : r == -ECANCELED ? CLIENT_INTERRUPTED : ftp_task_told(t);
	ftp_task_free(t);
	return code;
}

int ui_folder_make(struct ui *u, const char *path, bool parents)
{
	char above[FTP_PATH_SIZE];
	struct walk_entry e;
	int r;

	if (!parents)
		return make_one(u, path, false);
	r = walk_stat(u, path, &e);
	if (r < 0)
		return client_fail(client_exit_of(r), "%s", client_why(r));
	if (r == 1)
		return e.folder ? CLIENT_OK : ui_fail(CLIENT_NO, " is no folder", path);
	ftp_path_folder(path, above);
	r = strcmp(above, "/") != 0 ? ui_folder_make(u, above, true) : CLIENT_OK;
	return r == CLIENT_OK ? make_one(u, path, true) : r;
}

static int each_path(
	struct ui *u, const struct client_words *w, int (*act)(struct ui *u, const char *path))
{
	int code = CLIENT_OK;

	for (size_t i = 0; i < w->count && code != CLIENT_INTERRUPTED; i++) {
		char path[FTP_PATH_SIZE];
		int r = ui_remote_path(u, w->v[i], path);

		code = ui_first(code, r == CLIENT_OK ? act(u, path) : r);
	}
	return code;
}

static int mkdir_act(struct ui *u, const char *path)
{
	return ui_folder_make(u, path, u->o.parents);
}

static int rmdir_act(struct ui *u, const char *path)
{
	return ui_do_told(u, FTP_RMDIR, path, NULL);
}

int ui_mkdir(struct ui *u, const struct client_words *w)
{
	return each_path(u, w, mkdir_act);
}

int ui_rmdir(struct ui *u, const struct client_words *w)
{
	return each_path(u, w, rmdir_act);
}

/* -- mv ---------------------------------------------------------------------------------------- */

int ui_mv(struct ui *u, const struct client_words *w)
{
	const char *last = w->v[w->count - 1];
	char to[FTP_PATH_SIZE], whole[FTP_PATH_SIZE];
	struct walk found = {.v = NULL};
	struct walk_entry e;
	int code = ui_remote_path(u, last, to), there = 0;

	for (size_t i = 0; i + 1 < w->count && code == CLIENT_OK; i++)
		code = walk_expand(u, w->v[i], &found);
	if (code == CLIENT_OK) {
		there = walk_stat(u, to, &e);
		if (there < 0)
			code = client_fail(client_exit_of(there), "%s", client_why(there));
		else if ((found.count > 1 || last[strlen(last) - (*last != '\0')] == '/') &&
			(there == 0 || !e.folder))
			code = ui_fail(CLIENT_NO, " is no folder", to);
	}
	for (size_t i = 0; i < found.count && code == CLIENT_OK; i++) {
		const char *from = found.v[i].path;

		if (there != 1 || !e.folder)
			code = ui_do_told(u, FTP_RENAME, from, to);
		else if (ui_join(to, ftp_path_name(from), whole) < 0)
			code = ui_fail(CLIENT_NO, ": the name would be too long", from);
		else
			code = ui_do_told(u, FTP_RENAME, from, whole);
	}
	walk_done(&found);
	return code;
}

/* -- df ---------------------------------------------------------------------------------------- */

/* The reply's first word that is a number. */
static int number_of(struct span text, uint64_t *ret)
{
	struct span line, word;

	if (!span_split(&text, '\n', &line))
		return -EINVAL;
	while (span_split(&line, ' ', &word))
		if (ftp_size_parse(word, ret) == 0)
			return 0;
	return -EINVAL;
}

int ui_df(struct ui *u, const struct client_words *w)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(UI_NAME_MAX);
	_cleanup_(buf_done) struct buf shown = BUF_INIT(64);
	char path[FTP_PATH_SIZE], number[24];
	struct ftp_task *t;
	uint64_t bytes = 0;
	int code = ui_remote_path(u, w->count > 0 ? w->v[0] : "", path);

	if (code != CLIENT_OK)
		return code;
	buf_addf(&line, "AVBL %s", path);
	t = ftp_task_new(FTP_TEXT, path);
	if (t != NULL)
		t->line = strdup(buf_str(&line));
	if (t == NULL || t->line == NULL) {
		ftp_task_free(t);
		return ui_oom();
	}
	code = ftp_pool_do(u->pool, t);
	if (code == CLIENT_OK && number_of(buf_span(&t->text), &bytes) < 0)
		code = client_fail(ERR_EXIT_TEMP, "the answer to AVBL is no number");
	ftp_task_free(t);
	if (code != CLIENT_OK)
		return code;
	progress_bytes(&shown, bytes);
	snprintf(number, sizeof number, "%llu", (unsigned long long)bytes);
	const struct table_pair pairs[] = {{"folder", path, NULL}, {"available", number, ""}};

	return client_done(u->client, pairs, sizeof pairs / sizeof pairs[0],
		"%s (%s bytes) may still be stored", buf_str(&shown), number);
}
