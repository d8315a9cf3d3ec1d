/* FTP_LIST: a folder's entries by MLSD, line by line; names that could lead elsewhere are dropped.
 */
#include "client/ftp/session.h"
#include "client/ftp/work.h"

#include "base/text.h"

#include <errno.h>

#define LIST_MAX ((size_t)256 << 20)

/* Only what is one component, and no trick on terminals. */
static bool name_is_good(struct span name)
{
	if (name.len == 0 || name.len > FTP_NAME_MAX || !text_is_clean(name))
		return false;
	if (memchr(name.p, '/', name.len) != NULL)
		return false;
	return !span_eq_str(name, ".") && !span_eq_str(name, "..");
}

static void line_take(struct ftp_task *t, struct span line)
{
	struct ftp_entry e;
	struct span name;
	unsigned facts;

	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	if (ftp_facts_read(line, &e, &facts, &name) < 0 || !name_is_good(name))
		return;
	if (e.type != FTP_ENTRY_FILE && e.type != FTP_ENTRY_FOLDER)
		return;
	buf_add(&t->text, line);
	buf_add_byte(&t->text, '\n');
}

/* Lines may come in pieces. */
static int piece_take(struct ftp_task *t, struct span piece, bool ends)
{
	struct buf *carry = &t->work->line;

	if (ends && carry->len == 0) {
		line_take(t, piece);
		return 0;
	}
	buf_add(carry, piece);
	if (buf_error(carry) < 0)
		return -EPROTO;
	if (ends) {
		line_take(t, buf_span(carry));
		buf_reset(carry);
	}
	return 0;
}

static ssize_t list_take(struct session *s, struct span bytes)
{
	struct ftp_task *t = s->task;
	struct span rest = bytes;
	int r = 0;

	while (r == 0 && rest.len > 0) {
		bool ends = memchr(rest.p, '\n', rest.len) != NULL;
		struct span piece;

		(void)span_split(&rest, '\n', &piece);
		r = piece_take(t, piece, ends);
	}
	t->at += bytes.len;
	if (buf_error(&t->text) < 0)
		r = -EMSGSIZE;
	return r < 0 ? r : (ssize_t)bytes.len;
}

static int list_over(struct session *s, int error)
{
	if (s->data.local)
		return session_fail(s, error, "the listing is not one, or too long");
	if (error != 0)
		return transfer_failed(s, error);
	return session_finish(s, 0);
}

int list_begin(struct session *s)
{
	static const struct data_plan plan = {.verb = "MLSD", .take = list_take, .over = list_over};
	struct ftp_task *t = s->task;
	int r = work_need(t);

	if (r < 0)
		return session_fail(s, r, "%s", err_text(r));
	buf_done(&t->text);
	t->text = BUF_INIT(LIST_MAX);
	buf_reset(&t->work->line);
	t->at = 0;
	return transfer_begin(s, &plan, 0);
}
