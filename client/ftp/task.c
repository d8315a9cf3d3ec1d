/* Tasks: made, begun by kind, told of. See ftp.h. */
#include "client/ftp/session.h"
#include "client/ftp/work.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>

static int (*const kinds[])(struct session *s) = {
	[FTP_LIST] = list_begin,
	[FTP_STAT] = stat_begin,
	[FTP_GET] = get_begin,
	[FTP_PUT] = put_begin,
	[FTP_REMOVE] = remove_begin,
	[FTP_MKDIR] = mkdir_begin,
	[FTP_RMDIR] = rmdir_begin,
	[FTP_RMTREE] = rmtree_begin,
	[FTP_RENAME] = rename_begin,
	[FTP_DIGEST] = digest_begin,
	[FTP_SET_TIME] = set_time_begin,
	[FTP_TEXT] = text_begin,
};

struct ftp_task *ftp_task_new(enum ftp_task_kind kind, const char *remote)
{
	struct ftp_task *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->kind = kind;
	t->out_fd = -1;
	t->local_dir_fd = AT_FDCWD;
	t->text = BUF_INIT(SESSION_REPLY_MAX);
	t->remote = strdup(remote != NULL ? remote : "/");
	if (t->remote == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void ftp_task_free(struct ftp_task *t)
{
	if (t == NULL)
		return;
	work_free(t->work);
	free(t->remote);
	free(t->to);
	free(t->local);
	free(t->line);
	buf_done(&t->text);
	free(t);
}

/* Is it something that can be said in one line? The rest is the server's to judge. */
static bool word_is_good(const char *word)
{
	return word != NULL && *word != '\0' && text_is_clean(span_str(word));
}

static bool words_are_good(const struct ftp_task *t)
{
	if (t->kind == FTP_TEXT)
		return word_is_good(t->line) && strlen(t->line) <= FTP_PATH_MAX;
	if (!word_is_good(t->remote) || strlen(t->remote) > FTP_PATH_MAX)
		return false;
	if (t->kind == FTP_RENAME)
		return word_is_good(t->to) && strlen(t->to) <= FTP_PATH_MAX;
	if (t->kind == FTP_PUT || (t->kind == FTP_GET && t->out_fd < 0))
		return t->local != NULL;
	return true;
}

int task_begin(struct session *s)
{
	struct ftp_task *t = s->task;

	t->state = FTP_RUNNING;
	t->reason[0] = '\0';
	t->code = 0;
	if (!words_are_good(t))
		return session_fail(s, -EINVAL, "this name cannot be sent to the server");
	return kinds[t->kind](s);
}

void task_stop(struct session *s)
{
	if (s->data.plan != NULL && !s->data.plan->upload)
		(void)data_drain(s);
	s->data.plan = NULL;
	s->busy = NULL;
}

static int exit_of(int error, unsigned code)
{
	static const int network[] = {-ETIMEDOUT, -ECONNRESET, -ECONNREFUSED, -EPIPE, -EPROTO,
		-ENXIO, -EAGAIN, -ENETUNREACH, -EHOSTUNREACH, -ENETDOWN, -EMSGSIZE, -EBUSY};

	if (error == 0)
		return CLIENT_OK;
	if (error == -EREMOTEIO)
		return code >= 400 && code < 500 ? ERR_EXIT_TEMP : CLIENT_NO;
	if (error == -EEXIST || error == -ESTALE || error == -EACCES)
		return CLIENT_NO;
	if (error == -EKEYREJECTED || error == -ECANCELED)
		return client_exit_of(error);
	for (size_t i = 0; i < sizeof network / sizeof network[0]; i++)
		if (error == network[i])
			return ERR_EXIT_TEMP;
	return client_unwritten(error);
}

int ftp_task_told(const struct ftp_task *t)
{
	_cleanup_(buf_done) struct buf what = BUF_INIT((size_t)FTP_LINE_MAX * 4);
	const char *why = t->reason[0] != '\0' ? t->reason : client_why(t->error);
	int code = exit_of(t->error, t->code);

	if (t->error == 0)
		return CLIENT_OK;
	text_escape(&what, span_str(t->kind == FTP_TEXT ? t->line : t->remote));
	if (t->error == -EREMOTEIO)
		return client_fail(
			code, "%s: the server says: %s (%u)", buf_str(&what), why, t->code);
	return client_fail(code, "%s: %s", buf_str(&what), why);
}
