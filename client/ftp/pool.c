/* Who does what when: tasks to sessions, again or not, and the end. See pool.h. */
#include "client/ftp/pool.h"

#include "base/timefmt.h"
#include "client/ftp/session.h"
#include "client/ftp/work.h"

#include <errno.h>

enum {
	PAUSE_FIRST_MS = 500, /* and twice that after each further loss in a row */
	PAUSE_MAX_MS = 30000,
	LIMIT_MS = 30000, /* until a server that refused a session is asked for more again */
	GOT_ON = 1 << 20, /* bytes after which losses are counted anew */
};

/* -- queues ------------------------------------------------------------------------------------ */

void pool_push(struct ftp_queue *q, struct ftp_task *t)
{
	t->next = NULL;
	if (q->last != NULL)
		q->last->next = t;
	else
		q->first = t;
	q->last = t;
}

void pool_push_front(struct ftp_queue *q, struct ftp_task *t)
{
	t->next = q->first;
	q->first = t;
	if (q->last == NULL)
		q->last = t;
}

bool pool_remove(struct ftp_queue *q, struct ftp_task *t)
{
	struct ftp_task *before = NULL;

	for (struct ftp_task *i = q->first; i != NULL; before = i, i = i->next) {
		if (i != t)
			continue;
		if (before != NULL)
			before->next = t->next;
		else
			q->first = t->next;
		if (q->last == t)
			q->last = before;
		t->next = NULL;
		return true;
	}
	return false;
}

/* -- how tasks end ----------------------------------------------------------------------------- */

void pool_finish(struct ftp_pool *p, struct ftp_task *t, int error)
{
	t->state = error == 0 ? FTP_DONE : FTP_FAILED;
	t->error = error;
	if (error == 0)
		t->reason[0] = '\0';
	if (error != 0 && t->kind == FTP_GET && t->work != NULL)
		part_keep(t);
	work_free(t->work);
	t->work = NULL;
	pool_push(&p->finished, t);
}

static int64_t pause_ms(unsigned losses)
{
	int64_t ms = PAUSE_FIRST_MS;

	for (unsigned i = 1; i < losses && ms < PAUSE_MAX_MS; i++)
		ms *= 2;
	return ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS;
}

void pool_again(struct ftp_pool *p, struct ftp_task *t, int error)
{
	struct ftp_work *w;

	t->attempts++;
	if (work_need(t) < 0) {
		pool_finish(p, t, -ENOMEM);
		return;
	}
	w = t->work;
	if (t->at >= w->lost_at + GOT_ON)
		w->losses = 0;
	w->lost_at = t->at;
	if (++w->losses > p->options.retries) {
		pool_finish(p, t, error);
		return;
	}
	w->after_ms = time_monotonic_ms() + pause_ms(w->losses);
	t->state = FTP_WAITING;
	pool_push_front(&p->waiting, t);
}

/* -- sessions ---------------------------------------------------------------------------------- */

static unsigned session_count(const struct ftp_pool *p, bool ready_only)
{
	unsigned count = 0;

	for (size_t i = 0; i < FTP_SESSIONS_MAX; i++)
		if (p->sessions[i] != NULL)
			count += !ready_only || p->sessions[i]->state == SESSION_READY;
	return count;
}

static struct session *session_idle(struct ftp_pool *p)
{
	for (size_t i = 0; i < FTP_SESSIONS_MAX; i++)
		if (p->sessions[i] != NULL && session_is_idle(p->sessions[i]))
			return p->sessions[i];
	return NULL;
}

/* The first shows whether there is a server to log in to; then the others. */
static struct session *session_more(struct ftp_pool *p)
{
	unsigned count = session_count(p, false);
	struct session *s = NULL;

	if (p->limit < p->options.sessions && time_monotonic_ms() >= p->limit_until_ms)
		p->limit = p->options.sessions;
	if (count >= p->limit || (count > 0 && session_count(p, true) == 0))
		return NULL;
	for (size_t i = 0; i < FTP_SESSIONS_MAX; i++)
		if (p->sessions[i] == NULL) {
			if (session_new(p, &s) == 0)
				p->sessions[i] = s;
			return s;
		}
	return NULL;
}

/* The first that is due. */
static struct ftp_task *task_due(const struct ftp_pool *p, int64_t *until_ms)
{
	int64_t now_ms = time_monotonic_ms();

	for (struct ftp_task *t = p->waiting.first; t != NULL; t = t->next) {
		if (t->work == NULL || t->work->after_ms <= now_ms)
			return t;
		if (t->work->after_ms < *until_ms)
			*until_ms = t->work->after_ms;
	}
	return NULL;
}

/* A session that is not ready yet begins with it when it is. */
static void task_give(struct session *s, struct ftp_task *t)
{
	int r;

	s->task = t;
	t->state = FTP_RUNNING;
	if (s->state != SESSION_READY)
		return;
	r = task_begin(s);
	if (r < 0)
		session_lose(s, r);
	else
		session_step(s);
}

void pool_dispatch(struct ftp_pool *p, int64_t *until_ms)
{
	struct ftp_task *t;

	pool_sweep(p);
	while ((t = task_due(p, until_ms)) != NULL) {
		struct session *s = session_idle(p);

		if (s == NULL)
			s = session_more(p);
		if (s == NULL)
			return;
		(void)pool_remove(&p->waiting, t);
		task_give(s, t);
		pool_sweep(p);
	}
}

/* A session that never was ready: if others are, the server has enough of us. */
static void unopened(struct ftp_pool *p, struct session *s, struct ftp_task *t)
{
	unsigned ready = session_count(p, true);

	if (ready > 0) {
		p->limit = ready;
		p->limit_until_ms = time_monotonic_ms() + LIMIT_MS;
		t->state = FTP_WAITING;
		pool_push_front(&p->waiting, t);
		return;
	}
	snprintf(t->reason, sizeof t->reason, "%s", s->reason);
	t->code = s->code;
	if (s->error == -EKEYREJECTED || s->error == -EACCES)
		pool_finish(p, t, s->error);
	else
		pool_again(p, t, s->error);
}

void pool_sweep(struct ftp_pool *p)
{
	for (size_t i = 0; i < FTP_SESSIONS_MAX; i++) {
		struct session *s = p->sessions[i];

		if (s == NULL || s->state != SESSION_ENDED)
			continue;
		p->sessions[i] = NULL;
		if (s->task != NULL && !s->was_ready)
			unopened(p, s, s->task);
		else if (s->task != NULL)
			pool_again(p, s->task, s->error);
		session_free(s);
	}
}

void pool_cancel(struct ftp_pool *p)
{
	struct ftp_task *t;

	for (size_t i = 0; i < FTP_SESSIONS_MAX; i++) {
		struct session *s = p->sessions[i];

		if (s == NULL)
			continue;
		session_lose(s, -ECANCELED);
		if (s->task != NULL)
			pool_finish(p, s->task, -ECANCELED);
		session_free(s);
		p->sessions[i] = NULL;
	}
	while ((t = p->waiting.first) != NULL) {
		(void)pool_remove(&p->waiting, t);
		pool_finish(p, t, -ECANCELED);
	}
	p->limit = p->options.sessions;
}

void ftp_pool_drop(struct ftp_pool *p, struct ftp_task *t)
{
	if (pool_remove(&p->waiting, t)) {
		pool_finish(p, t, -ECANCELED);
		return;
	}
	for (size_t i = 0; i < FTP_SESSIONS_MAX; i++) {
		struct session *s = p->sessions[i];

		if (s == NULL || s->task != t)
			continue;
		session_lose(s, -ECANCELED);
		s->task = NULL;
		pool_finish(p, t, -ECANCELED);
		session_free(s);
		p->sessions[i] = NULL;
	}
}

bool ftp_pool_is_alive(const struct ftp_pool *p)
{
	for (size_t i = 0; i < FTP_SESSIONS_MAX; i++)
		if (p->sessions[i] != NULL && p->sessions[i]->state != SESSION_ENDED)
			return true;
	return false;
}

/* -- the user interface's side ----------------------------------------------------------------- */

void ftp_pool_add(struct ftp_pool *p, struct ftp_task *t)
{
	t->state = FTP_WAITING;
	pool_push(&p->waiting, t);
}

struct ftp_task *ftp_pool_take(struct ftp_pool *p)
{
	struct ftp_task *t = p->finished.first;

	if (t != NULL)
		(void)pool_remove(&p->finished, t);
	return t;
}

int ftp_pool_each(struct ftp_pool *p, int (*each)(void *arg, const struct ftp_task *t), void *arg)
{
	int r = 0;

	for (size_t i = 0; i < FTP_SESSIONS_MAX && r == 0; i++)
		if (p->sessions[i] != NULL && p->sessions[i]->task != NULL)
			r = each(arg, p->sessions[i]->task);
	return r;
}

const char *ftp_pool_home(const struct ftp_pool *p)
{
	return p->home[0] != '\0' ? p->home : "/";
}

const char *ftp_pool_security(const struct ftp_pool *p)
{
	return p->security;
}
