/* The tasks that are a command or two: no data connection, nothing to go on with. */
#include "client/ftp/session.h"
#include "client/ftp/work.h"

#include "base/text.h"

#include <errno.h>

/* Seconds that removing a large tree may take, beside the timeout. */
enum { TREE_PATIENCE_S = 600 };

static int told_done(struct session *s, const struct reply *r)
{
	if (r->code < 200)
		return 0;
	if (r->code >= 300)
		return session_refused(s, r);
	session_note(s, r);
	s->task->code = s->code;
	return session_finish(s, 0);
}

int remove_begin(struct session *s)
{
	return session_ask(s, told_done, "DELE %s", s->task->remote);
}

int mkdir_begin(struct session *s)
{
	return session_ask(s, told_done, "MKD %s", s->task->remote);
}

int rmdir_begin(struct session *s)
{
	return session_ask(s, told_done, "RMD %s", s->task->remote);
}

static int told_from(struct session *s, const struct reply *r)
{
	if (r->code < 200)
		return 0;
	if (r->code >= 400)
		return session_refused(s, r);
	return session_ask(s, told_done, "RNTO %s", s->task->to);
}

int rename_begin(struct session *s)
{
	return session_ask(s, told_from, "RNFR %s", s->task->remote);
}

/* The server wants it said twice. */
static int told_once(struct session *s, const struct reply *r)
{
	if (r->code < 200)
		return 0;
	if (r->code >= 400)
		return session_refused(s, r);
	s->patience_s = TREE_PATIENCE_S;
	return session_ask(s, told_done, "SITE RMTREE %s", s->task->remote);
}

int rmtree_begin(struct session *s)
{
	return session_ask(s, told_once, "SITE RMTREE %s", s->task->remote);
}

static int told_facts(struct session *s, const struct reply *r)
{
	unsigned facts;

	if (r->code < 200)
		return 0;
	if (r->code >= 300)
		return session_refused(s, r);
	if (reply_facts(r, &s->task->entry, &facts) < 0)
		return -EPROTO;
	s->task->size = s->task->entry.size;
	return session_finish(s, 0);
}

/* Servers without MLST: a file has a size, and where one can go is a folder. */
static int told_folder(struct session *s, const struct reply *r)
{
	if (r->code < 200)
		return 0;
	if (r->code >= 300)
		return session_refused(s, r);
	s->task->entry.type = FTP_ENTRY_FOLDER;
	return session_finish(s, 0);
}

static int told_time(struct session *s, const struct reply *r)
{
	if (r->code < 200)
		return 0;
	if (r->code == 213 && ftp_time_parse(r->text, &s->task->entry.modify_us) < 0)
		return -EPROTO;
	return session_finish(s, 0);
}

static int told_size(struct session *s, const struct reply *r)
{
	struct ftp_task *t = s->task;

	if (r->code < 200)
		return 0;
	t->entry = (struct ftp_entry){.type = FTP_ENTRY_FILE};
	if (r->code != 213)
		return session_ask(s, told_folder, "CWD %s", t->remote);
	if (ftp_size_parse(r->text, &t->entry.size) < 0)
		return -EPROTO;
	t->size = t->entry.size;
	return session_ask(s, told_time, "MDTM %s", t->remote);
}

int stat_begin(struct session *s)
{
	if ((s->features & SESSION_HAS_MLST) == 0)
		return session_ask(s, told_size, "SIZE %s", s->task->remote);
	return session_ask(s, told_facts, "MLST %s", s->task->remote);
}

static int told_digest(struct session *s, const struct reply *r)
{
	if (r->code < 200)
		return 0;
	if (r->code >= 300)
		return session_refused(s, r);
	return reply_hash(r->text, s->task->digest) ? session_finish(s, 0) : -EPROTO;
}

/* How long it may take depends on a size that nobody asked for. */
int digest_begin(struct session *s)
{
	s->patience_s = TREE_PATIENCE_S;
	return session_ask(s, told_digest, "HASH %s", s->task->remote);
}

int set_time_begin(struct session *s)
{
	struct buf text = BUF_INIT(32);
	int r;

	ftp_time_write(&text, s->task->entry.modify_us, false);
	r = session_ask(s, told_done, "MFMT %s %s", buf_str(&text), s->task->remote);
	buf_done(&text);
	return r;
}

static int told_text(struct session *s, const struct reply *r)
{
	struct ftp_task *t = s->task;

	if (r->code < 200)
		return 0;
	buf_reset(&t->text);
	buf_add(&t->text, r->lines);
	if (r->code >= 400)
		return session_refused(s, r);
	t->code = r->code;
	return session_finish(s, 0);
}

int text_begin(struct session *s)
{
	return session_ask(s, told_text, "%s", s->task->line);
}
