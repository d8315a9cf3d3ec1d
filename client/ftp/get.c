/*
 * FTP_GET: what the file is like, what of it is here already, the rest, the digest, and then the
 * file is put into its place.
 */
#include "client/ftp/session.h"
#include "client/ftp/work.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

enum { WRITE_BACK = 8 << 20 };

static bool is_file(const struct ftp_task *t)
{
	return t->out_fd < 0;
}

static int fail_local(struct session *s, int error)
{
	const struct ftp_task *t = s->task;
	const char *why = error == -EBUSY        ? "another transfer is at it"
		: error == -EPIPE && !is_file(t) ? "who read it has gone"
						 : err_text(error);

	return session_fail(s, error, "%s: %s", is_file(t) ? t->local : "output", why);
}

/* -- the bytes --------------------------------------------------------------------------------- */

/* A pipe takes this much without waiting when poll() says it takes some. */
static size_t out_room(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return DATA_BUFFER;
	return poll(&p, 1, 0) > 0 ? 4096 : 0;
}

static ssize_t out_write(const struct ftp_task *t, struct span bytes)
{
	size_t room = out_room(t->out_fd);
	ssize_t n;

	if (room == 0)
		return 0;
	do
		n = write(t->out_fd, bytes.p, bytes.len < room ? bytes.len : room);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	return n;
}

/* The disk begins early, so that the flush at the end, for which everything waits, is short. */
static void write_back(const struct ftp_task *t, uint64_t more)
{
	uint64_t to = t->at / WRITE_BACK * WRITE_BACK;

	if (t->at - to < more && to >= WRITE_BACK)
		(void)sync_file_range(
			t->work->fd, (off_t)(to - WRITE_BACK), WRITE_BACK, SYNC_FILE_RANGE_WRITE);
}

static ssize_t get_take(struct session *s, struct span bytes)
{
	struct ftp_task *t = s->task;
	struct ftp_work *w = t->work;
	ssize_t n = (ssize_t)bytes.len;
	int r;

	w->overflow = bytes.len > t->size - t->at;
	if (w->overflow)
		return -EFBIG;
	if (!is_file(t))
		n = out_write(t, bytes);
	else if ((r = file_write_all(w->fd, bytes)) < 0)
		n = r;
	if (n <= 0)
		return n;
	t->at += (uint64_t)n;
	if (is_file(t))
		write_back(t, (uint64_t)n);
	r = work_add(w, span_of(bytes.p, (size_t)n));
	return r < 0 ? r : n;
}

/* -- afterwards -------------------------------------------------------------------------------- */

static int get_done(struct session *s)
{
	struct ftp_task *t = s->task;
	int r = is_file(t) ? part_publish(t) : 0;

	if (r == -EEXIST)
		part_drop(t->work);
	return r < 0 ? fail_local(s, r) : session_finish(s, 0);
}

static int get_different(struct session *s)
{
	struct ftp_task *t = s->task;

	if (is_file(t))
		part_drop(t->work);
	return session_fail(
		s, -EKEYREJECTED, "what came is not what the server has: the SHA-256 differs");
}

/* From the first byte, once: what was here before the line was lost may have been another's. */
static int get_anew(struct session *s)
{
	struct ftp_task *t = s->task;
	struct ftp_work *w = t->work;

	if (!is_file(t) || w->again)
		return get_different(s);
	w->again = true;
	w->known = w->inherited = w->overflow = w->digested = false;
	t->fresh = true;
	return get_begin(s);
}

/* Was it the file that changed, or is it the bytes that are wrong? */
static int told_again(struct session *s, const struct reply *r)
{
	struct ftp_entry now;
	unsigned facts;

	if (r->code < 200)
		return 0;
	if (r->code >= 300)
		return session_refused(s, r);
	if (reply_facts(r, &now, &facts) < 0)
		return -EPROTO;
	if (now.size == s->task->work->remote.size &&
		now.modify_us == s->task->work->remote.modify_us)
		return get_different(s);
	return get_anew(s);
}

static int get_judge(struct session *s, const unsigned char *theirs)
{
	struct ftp_task *t = s->task;
	struct ftp_work *w = t->work;

	t->verified = memcmp(t->digest, theirs, sizeof t->digest) == 0;
	if (t->verified)
		return get_done(s);
	if (w->inherited || (s->features & SESSION_HAS_MLST) == 0)
		return get_anew(s);
	return session_ask(s, told_again, "MLST %s", t->remote);
}

static int told_hash(struct session *s, const struct reply *r)
{
	struct ftp_task *t = s->task;
	unsigned char theirs[32];

	if (r->code < 200)
		return 0;
	if (r->code >= 300)
		return session_refused(s, r);
	if (!reply_hash(r->text, theirs))
		return -EPROTO;
	memcpy(t->entry.digest, theirs, sizeof theirs);
	t->entry.has_digest = true;
	return get_judge(s, theirs);
}

static int get_verify(struct session *s)
{
	struct ftp_task *t = s->task;
	int r = t->work->digested ? 0 : work_digest(t->work, t->digest);

	if (r < 0)
		return fail_local(s, r);
	t->work->digested = true;
	if (!s->pool->options.want_digest)
		return get_done(s);
	if (t->entry.has_digest)
		return get_judge(s, t->entry.digest);
	if ((s->features & SESSION_HAS_HASH) == 0)
		return get_done(s);
	s->patience_s = work_patience_s(t->size);
	return session_ask(s, told_hash, "HASH %s", t->remote);
}

static int get_over(struct session *s, int error)
{
	struct ftp_task *t = s->task;
	struct ftp_work *w = t->work;

	if (w->overflow)
		return get_anew(s);
	if (s->data.local)
		return fail_local(s, error);
	if (error != 0 || t->at < t->size)
		return transfer_failed(s, error);
	return get_verify(s);
}

/* -- before ------------------------------------------------------------------------------------ */

static int get_transfer(struct session *s)
{
	static const struct data_plan to_file = {
		.verb = "RETR", .take = get_take, .over = get_over};
	static const struct data_plan to_pipe = {
		.verb = "RETR", .eager = true, .take = get_take, .over = get_over};
	struct ftp_task *t = s->task;

	/* All of it is here, but for the last word. */
	if (t->at == t->size && t->at > 0)
		return get_verify(s);
	return transfer_begin(s, is_file(t) ? &to_file : &to_pipe, t->at);
}

static int get_catch_up(struct session *s)
{
	struct ftp_task *t = s->task;
	int r = t->work->digested ? 0 : work_catch_up(t->work, t->at);

	if (r == 1)
		return 1;
	s->busy = NULL;
	return r < 0 ? fail_local(s, r) : get_transfer(s);
}

static int get_fit(struct session *s)
{
	struct ftp_task *t = s->task;
	struct ftp_work *w = t->work;
	const struct ftp_entry *e = &t->entry;
	int r = 0;

	t->size = e->size;
	if (is_file(t))
		r = part_fit(t, e, &t->at);
	else if (w->known && (w->remote.size != e->size || w->remote.modify_us != e->modify_us))
		return session_fail(s, -ESTALE, "the file changed while it was read");
	if (r < 0)
		return fail_local(s, r);
	w->remote = *e;
	w->known = true;
	work_began(t);
	s->busy = get_catch_up;
	return 0;
}

static int told_facts(struct session *s, const struct reply *r)
{
	struct ftp_task *t = s->task;
	unsigned facts;

	if (r->code < 200)
		return 0;
	if (r->code >= 300)
		return session_refused(s, r);
	if (reply_facts(r, &t->entry, &facts) < 0)
		return -EPROTO;
	if (t->entry.type != FTP_ENTRY_FILE)
		return session_fail(s, -EISDIR, "it is a folder");
	return (facts & FTP_FACT_SIZE) != 0 ? get_fit(s) : -EPROTO;
}

/* Servers without MLST. */
static int told_time(struct session *s, const struct reply *r)
{
	if (r->code < 200)
		return 0;
	if (r->code == 213 && ftp_time_parse(r->text, &s->task->entry.modify_us) < 0)
		return -EPROTO;
	return get_fit(s);
}

static int told_size(struct session *s, const struct reply *r)
{
	struct ftp_task *t = s->task;

	if (r->code < 200)
		return 0;
	if (r->code != 213)
		return session_refused(s, r);
	t->entry = (struct ftp_entry){.type = FTP_ENTRY_FILE};
	if (ftp_size_parse(r->text, &t->entry.size) < 0)
		return -EPROTO;
	return session_ask(s, told_time, "MDTM %s", t->remote);
}

int get_begin(struct session *s)
{
	struct ftp_task *t = s->task;
	int r = work_need(t);

	if (r == 0 && is_file(t))
		r = part_open(t);
	if (r < 0)
		return fail_local(s, r);
	if ((s->features & SESSION_HAS_MLST) == 0)
		return session_ask(s, told_size, "SIZE %s", t->remote);
	return session_ask(s, told_facts, "MLST %s", t->remote);
}
