/* What the commands of quintet ftp share: paths, names, single tasks. */
#include "client/ftp/ui.h"

#include "base/text.h"

#include <errno.h>
#include <stdarg.h>

int ui_oom(void)
{
	return client_fail(ERR_EXIT_TEMP, "%s", err_text(-ENOMEM));
}

void ui_name(struct buf *b, const char *name)
{
	if (text_is_clean(span_str(name)))
		buf_add_str(b, name);
	else
		text_escape(b, span_str(name));
}

int ui_fail(int code, const char *what, const char *name)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(65536);

	ui_name(&text, name);
	return client_fail(code, "%s%s", buf_str(&text), what);
}

void ui_local_path(const struct ui *u, const char *word, struct buf *ret)
{
	const char *home = getenv("HOME");

	/* In a session nobody else has done this. */
	if (u->shell && home != NULL && word[0] == '~' && (word[1] == '/' || word[1] == '\0')) {
		buf_add_str(ret, home);
		word++;
	}
	if (u->shell)
		word_plain(ret, word);
	else
		buf_add_str(ret, word);
}

int ui_remote_path(const struct ui *u, const char *word, char ret[FTP_PATH_SIZE])
{
	_cleanup_(buf_done) struct buf plain = BUF_INIT(WORDS_LINE_MAX);
	int r;

	if (u->shell)
		word_plain(&plain, word);
	else
		buf_add_str(&plain, word);
	r = buf_error(&plain) < 0 ? -ENAMETOOLONG : ftp_path_resolve(u->cwd, buf_span(&plain), ret);
	return r < 0 ? ui_fail(ERR_EXIT_CONFIG, " cannot be a name on the server", buf_str(&plain))
		     : CLIENT_OK;
}

int ui_join(const char *folder, const char *relative, char ret[FTP_PATH_SIZE])
{
	/* A relative path cannot begin with a slash, so it is below the folder. */
	return ftp_path_resolve(folder, span_str(relative), ret);
}

int ui_do(struct ui *u, struct ftp_task *t)
{
	struct ftp_task *back = NULL;
	int r;

	ftp_pool_add(u->pool, t);
	do {
		r = ftp_pool_run(u->pool, 0, -1);
		while (back == NULL && (back = ftp_pool_take(u->pool)) != NULL)
			if (back != t)
				back = NULL;
	} while (r > 0 && back == NULL);
	return r < 0 ? r : t->error;
}

int ui_do_told(struct ui *u, enum ftp_task_kind kind, const char *remote, const char *to)
{
	struct ftp_task *t = ftp_task_new(kind, remote);
	int code;

	if (t != NULL && to != NULL)
		t->to = strdup(to);
	if (t == NULL || (to != NULL && t->to == NULL)) {
		ftp_task_free(t);
		return ui_oom();
	}
	code = ftp_pool_do(u->pool, t);
	ftp_task_free(t);
	return code;
}
