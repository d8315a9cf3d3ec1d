/*
 * FTP_PUT: what the server has of it already, the rest, the digest, the time. The server makes the
 * file only of an upload that came to its proper end, so one that must not be is cut.
 */
#include "client/ftp/session.h"
#include "client/ftp/work.h"

#include "base/timefmt.h"

#include <errno.h>
#include <fcntl.h>

static int fail_local(struct session *s, int error)
{
	if (error == -ESTALE)
		return session_fail(
			s, error, "%s: the file changed while it was sent", s->task->local);
	return session_fail(s, error, "%s: %s", s->task->local, err_text(error));
}

/* Whole seconds: not every server takes a fraction. */
static int64_t mtime_us(const struct stat *st)
{
	return st->st_mtim.tv_sec * TIME_S_US;
}

static bool has_changed(const struct ftp_work *w)
{
	struct stat now;

	return fstat(w->fd, &now) < 0 || now.st_size != w->source.st_size ||
		now.st_mtim.tv_sec != w->source.st_mtim.tv_sec ||
		now.st_mtim.tv_nsec != w->source.st_mtim.tv_nsec;
}

static int source_open(struct ftp_task *t)
{
	struct ftp_work *w = t->work;

	if (w->fd >= 0)
		return has_changed(w) ? -ESTALE : 0;
	w->fd = openat(t->local_dir_fd, t->local, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (w->fd < 0 || fstat(w->fd, &w->source) < 0)
		return -errno;
	if (S_ISDIR(w->source.st_mode))
		return -EISDIR;
	if (!S_ISREG(w->source.st_mode))
		return -EINVAL;
	t->size = (uint64_t)w->source.st_size;
	return 0;
}

static ssize_t put_give(struct session *s, unsigned char *p, size_t len)
{
	struct ftp_task *t = s->task;
	struct ftp_work *w = t->work;
	ssize_t n = pread(w->fd, p, len, (off_t)t->at);
	int r;

	if (n < 0)
		return -errno;
	if ((uint64_t)n > t->size - t->at || (n == 0 && (t->at < t->size || has_changed(w))))
		return -ESTALE;
	r = work_add(w, span_of(p, (size_t)n));
	if (r < 0)
		return r;
	t->at += (uint64_t)n;
	if (t->at > w->sent_to)
		w->sent_to = t->at;
	return n;
}

/* -- afterwards -------------------------------------------------------------------------------- */

static int told_set(struct session *s, const struct reply *r)
{
	if (r->code < 200)
		return 0;
	/* The file is there: that its time is not is no reason to say it were not. */
	if (r->code < 300)
		s->task->entry.modify_us = mtime_us(&s->task->work->source);
	return session_finish(s, 0);
}

static int put_time(struct session *s)
{
	struct ftp_task *t = s->task;
	struct buf text = BUF_INIT(32);
	int r;

	t->entry.size = t->size;
	t->entry.has_digest = t->verified;
	memcpy(t->entry.digest, t->digest, sizeof t->digest);
	if (!t->keep_time || (s->features & SESSION_HAS_MFMT) == 0)
		return session_finish(s, 0);
	ftp_time_write(&text, mtime_us(&t->work->source), false);
	r = session_ask(s, told_set, "MFMT %s %s", buf_str(&text), t->remote);
	buf_done(&text);
	return r;
}

static int put_different(struct session *s)
{
	struct ftp_work *w = s->task->work;

	if (!w->again && (w->sent_from > 0 || s->task->began_at > 0)) {
		w->again = true;
		s->task->fresh = true;
		return put_begin(s);
	}
	return session_fail(
		s, -EKEYREJECTED, "what the server has is not what was sent: the SHA-256 differs");
}

static int put_judge(struct session *s, const unsigned char *theirs)
{
	struct ftp_task *t = s->task;

	t->verified = memcmp(t->digest, theirs, sizeof t->digest) == 0;
	return t->verified ? put_time(s) : put_different(s);
}

static int told_hash(struct session *s, const struct reply *r)
{
	unsigned char theirs[32];

	if (r->code < 200)
		return 0;
	if (r->code >= 300)
		return session_refused(s, r);
	return reply_hash(r->text, theirs) ? put_judge(s, theirs) : -EPROTO;
}

static int put_verify(struct session *s)
{
	struct ftp_task *t = s->task;
	struct ftp_work *w = t->work;
	int r = work_digest(w, t->digest);

	if (r < 0)
		return fail_local(s, r);
	if (!s->pool->options.want_digest)
		return put_time(s);
	if (w->has_said)
		return put_judge(s, w->said);
	if ((s->features & SESSION_HAS_HASH) == 0)
		return put_time(s);
	s->patience_s = work_patience_s(t->size);
	return session_ask(s, told_hash, "HASH %s", t->remote);
}

static int put_over(struct session *s, int error)
{
	if (s->data.local)
		return fail_local(s, error);
	return error != 0 ? transfer_failed(s, error) : put_verify(s);
}

/* -- before ------------------------------------------------------------------------------------ */

static int put_transfer(struct session *s)
{
	static const struct data_plan plan = {
		.upload = true, .verb = "STOR", .give = put_give, .over = put_over};
	struct ftp_task *t = s->task;

	t->work->has_said = false;
	t->work->sent_from = t->at;
	work_began(t);
	return transfer_begin(s, &plan, t->at);
}

/* Room is asked for beforehand; servers that do not know the question are fine. */
static int told_room(struct session *s, const struct reply *r)
{
	if (r->code < 200)
		return 0;
	if (r->code == 552 || r->code == 452)
		return session_refused(s, r);
	return put_transfer(s);
}

static int put_room(struct session *s)
{
	uint64_t left = s->task->size - s->task->at;

	if (left < WORK_SMALL)
		return put_transfer(s);
	return session_ask(s, told_room, "ALLO %llu", (unsigned long long)left);
}

static int put_from_start(struct session *s)
{
	int r = work_rewind(s->task->work);

	s->task->at = 0;
	return r < 0 ? fail_local(s, r) : put_room(s);
}

/* The kept bytes are digested here, and then the rest goes out. */
static int busy_kept(struct session *s)
{
	int r = work_catch_up(s->task->work, s->task->at);

	if (r == 1)
		return 1;
	s->busy = NULL;
	return r < 0 ? fail_local(s, r) : put_room(s);
}

static int put_kept(struct session *s)
{
	s->busy = busy_kept;
	return 0;
}

/* What the server digested of the kept part, against the same bytes here. */
static int told_part(struct session *s, const struct reply *r)
{
	unsigned char theirs[32], ours[32];
	int same;

	if (r->code < 200)
		return 0;
	if (r->code >= 300 || !reply_hash(r->text, theirs))
		return put_from_start(s);
	same = work_digest(s->task->work, ours);
	if (same < 0)
		return fail_local(s, same);
	return memcmp(ours, theirs, sizeof ours) == 0 ? put_kept(s) : put_from_start(s);
}

static int told_range(struct session *s, const struct reply *r)
{
	if (r->code < 200)
		return 0;
	if (r->code >= 400)
		return put_from_start(s);
	s->patience_s = work_patience_s(s->task->at);
	return session_ask(s, told_part, "HASH %s", s->task->remote);
}

/* All of it may be there already: the digest is known. */
static int whole_compare(struct session *s)
{
	struct ftp_task *t = s->task;
	int r = work_digest(t->work, t->digest);

	if (r < 0)
		return fail_local(s, r);
	t->verified = memcmp(t->digest, t->entry.digest, sizeof t->digest) == 0;
	return t->verified ? put_time(s) : put_from_start(s);
}

static int busy_compare(struct session *s)
{
	struct ftp_task *t = s->task;
	int r = work_catch_up(t->work, t->at);

	if (r == 1)
		return 1;
	s->busy = NULL;
	if (r < 0)
		return fail_local(s, r);
	if (t->entry.has_digest && t->at == t->size)
		return whole_compare(s);
	return session_ask(s, told_range, "RANG 0 %llu", (unsigned long long)(t->at - 1));
}

/*
 * SIZE told t->at; is that an upload of ours that was cut, or a file? What this run has sent
 * itself needs no proof; anything else is compared by digest or not used.
 */
static int put_decide(struct session *s, bool finished)
{
	const unsigned both = SESSION_HAS_HASH | SESSION_HAS_RANGE;
	struct ftp_task *t = s->task;
	const struct ftp_work *w = t->work;
	bool ours = w->sent_to > 0 && t->at >= w->sent_from && t->at <= w->sent_to;

	if (ours && (!finished || (s->features & SESSION_HAS_HASH) == 0))
		return put_kept(s);
	if ((finished && t->at == t->size && t->entry.has_digest) || (s->features & both) == both) {
		s->busy = busy_compare;
		return 0;
	}
	return put_from_start(s);
}

static int told_facts(struct session *s, const struct reply *r)
{
	struct ftp_task *t = s->task;
	unsigned facts;

	if (r->code < 200)
		return 0;
	t->entry = (struct ftp_entry){.type = FTP_ENTRY_FILE};
	if (r->code >= 300)
		return put_decide(s, false);
	if (reply_facts(r, &t->entry, &facts) < 0)
		return -EPROTO;
	return put_decide(s, t->entry.size == t->at);
}

static int told_size(struct session *s, const struct reply *r)
{
	struct ftp_task *t = s->task;
	uint64_t size;

	if (r->code < 200)
		return 0;
	if (r->code != 213 || ftp_size_parse(r->text, &size) < 0 || size == 0 || size > t->size)
		return put_from_start(s);
	t->at = size;
	t->entry = (struct ftp_entry){.type = FTP_ENTRY_FILE};
	if ((s->features & SESSION_HAS_MLST) == 0)
		return put_decide(s, t->work->sent_to == 0);
	return session_ask(s, told_facts, "MLST %s", t->remote);
}

int put_begin(struct session *s)
{
	struct ftp_task *t = s->task;
	int r = work_need(t);

	if (r == 0)
		r = source_open(t);
	if (r < 0)
		return fail_local(s, r);
	if (t->fresh || (t->work->sent_to == 0 && t->size < WORK_SMALL))
		return put_from_start(s);
	return session_ask(s, told_size, "SIZE %s", t->remote);
}
