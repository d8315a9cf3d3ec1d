/* The second task of files: what is to be got and put, several at once. See files_i.h. */
#include "client/console/files_i.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
	DRAW_MS = 200, /* so often progress is shown */
	RUNNING = FILES_SESSIONS * FILES_AHEAD,
	RETRY_MS = 5000,
	RETRIES = 1000000, /* a lost line is waited for, however long it takes */
};

static bool is_leaving(const struct files_moves *m)
{
	return m->f->ending || m->f->c->leaving;
}

static size_t running_count(const struct files_moves *m)
{
	size_t n = 0;

	for (size_t i = 0; i < RUNNING; i++)
		n += m->running[i] != NULL;
	return n;
}

/* -- items ------------------------------------------------------------------------------------- */

static void root_leave(struct files_root *root)
{
	if (root == NULL || --root->uses > 0)
		return;
	cleanup_close(&root->fd);
	free(root);
}

static void item_free(struct files_item *i)
{
	cleanup_close(&i->folder_fd);
	root_leave(i->root);
	free(i->remote);
	free(i->local);
	free(i);
}

/* Into the list of transfers. */
static void item_list(struct files_moves *m, struct files_item *i)
{
	struct transfer *t = i->number == 0
		? transfer_new(m->f->c, i->kind == FTP_PUT, ftp_path_name(i->remote))
		: NULL;

	if (t == NULL)
		return;
	t->size = i->size;
	i->number = t->number;
}

static void item_over(struct files_moves *m, struct files_item *i, bool done, const char *why)
{
	struct transfer *t = transfer_find(m->f->c, i->number);

	if (t != NULL) {
		t->state = done ? TRANSFER_DONE : TRANSFER_FAILED;
		t->rate = 0;
		(void)snprintf(t->why, sizeof t->why, "%s", why);
		if (done)
			t->size = t->at = i->task != NULL ? i->task->at : t->at;
	}
	console_changed(m->f->c);
	item_free(i);
}

static struct files_item *item_take(struct files_moves *m)
{
	struct files_item *i = m->first;

	if (i == NULL)
		return NULL;
	m->first = i->next;
	if (m->first == NULL)
		m->last = NULL;
	m->waiting--;
	return i;
}

/* -- what comes in ----------------------------------------------------------------------------- */

/* The folders that a batch works below are closed with it. */
struct taking {
	struct {
		int fd;
		struct files_root *root;
	} roots[64];
	size_t count;
};

static struct files_root *root_of(struct taking *t, int fd)
{
	struct files_root *root;

	for (size_t i = 0; i < t->count; i++)
		if (t->roots[i].fd == fd)
			return t->roots[i].root;
	if (t->count == sizeof t->roots / sizeof t->roots[0])
		return NULL;
	root = calloc(1, sizeof *root);
	if (root == NULL)
		return NULL;
	/* One use is this table's. */
	*root = (struct files_root){fcntl(fd, F_DUPFD_CLOEXEC, 3), 1};
	if (root->fd < 0) {
		free(root);
		return NULL;
	}
	t->roots[t->count].fd = fd;
	t->roots[t->count++].root = root;
	return root;
}

static int item_add(struct files_moves *m, struct taking *t, const struct batch_item *b)
{
	struct files_item *i = calloc(1, sizeof *i);

	if (i == NULL)
		return -ENOMEM;
	i->kind = b->kind;
	i->folder_fd = -1;
	i->size = b->size;
	i->remote = strdup(b->remote);
	i->local = strdup(b->local);
	i->root = b->root_fd != AT_FDCWD ? root_of(t, b->root_fd) : NULL;
	if (i->root != NULL)
		i->root->uses++;
	if (i->remote == NULL || i->local == NULL || (b->root_fd != AT_FDCWD && i->root == NULL)) {
		item_free(i);
		return -ENOMEM;
	}
	if (m->last != NULL)
		m->last->next = i;
	else
		m->first = i;
	m->last = i;
	if (m->waiting++ < FILES_LISTED)
		item_list(m, i);
	return 0;
}

static void run(void *arg);

int files_take(void *taker, const struct batch *b)
{
	struct files_part *f = taker;
	struct taking t = {.count = 0};
	size_t left = 0;
	int r = 0;

	for (size_t i = 0; i < b->count; i++)
		left += item_add(&f->moves, &t, &b->v[i]) < 0;
	for (size_t i = 0; i < t.count; i++)
		root_leave(t.roots[i].root);
	if (left > 0)
		(void)client_fail(ERR_EXIT_TEMP, "%zu files are left out: no memory", left);
	if (b->count > 1)
		console_say(f->c, "%zu files are on their way: /transfers", b->count - left);
	if (f->moves.task == NULL)
		r = task_start("files moved", run, &f->moves, &f->moves.task);
	else
		files_wake(f->moves.wake_fd);
	files_status(f);
	return r < 0 ? client_fail(ERR_EXIT_TEMP, "%s", err_text(r)) : CLIENT_OK;
}

/* -- one of them ------------------------------------------------------------------------------- */

static struct ftp_task *task_make(struct files_item *i)
{
	struct ftp_task *t = ftp_task_new(i->kind, i->remote);
	struct span folder;
	const char *name = i->local;

	if (t == NULL)
		return NULL;
	if (i->root != NULL) {
		local_split(i->local, &folder, &name);
		i->folder_fd = local_folder(i->root->fd, folder, false);
		t->local_dir_fd = i->folder_fd;
	}
	t->local = strdup(name);
	t->keep_time = true;
	t->size = i->size;
	t->tag = i;
	if (t->local == NULL) {
		ftp_task_free(t);
		return NULL;
	}
	return t;
}

/* What stands in the way on this side, before anything is asked for. */
static int task_check(const struct files_item *i, const struct ftp_task *t)
{
	if (i->root != NULL && i->folder_fd < 0)
		return i->folder_fd;
	return i->kind == FTP_GET ? local_is_plain(t->local_dir_fd, t->local) : 0;
}

static void item_begin(struct files_moves *m, struct files_item *i)
{
	struct ftp_task *t = task_make(i);
	int r = t == NULL ? -ENOMEM : task_check(i, t);

	item_list(m, i);
	if (r < 0) {
		const char *why = r == -ELOOP ? "a symbolic link is in the way here"
			: r == -ENOMEM        ? "no memory"
					      : "what is here is no plain file";

		console_error(m->f->c, "%s: %s", ftp_path_name(i->remote), why);
		ftp_task_free(t);
		item_over(m, i, false, why);
		return;
	}
	for (size_t k = 0; k < RUNNING; k++)
		if (m->running[k] == NULL) {
			m->running[k] = i;
			break;
		}
	i->task = t;
	progress_sample(&i->meter, time_monotonic_ms(), 0);
	ftp_pool_add(m->pool, t);
}

/* "got /home/ann/a: 1.0 MiB, 2.0 MiB/s, verified" */
static void done_tell(struct files_moves *m, const struct ftp_task *t)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(65536);
	int64_t took_ms = time_monotonic_ms() - t->began_ms;
	uint64_t moved = t->began_ms > 0 && t->at > t->began_at ? t->at - t->began_at : 0;

	buf_add_str(&line, t->kind == FTP_PUT ? "put " : "got ");
	ui_name(&line, t->remote);
	buf_add_str(&line, ": ");
	progress_bytes(&line, t->at);
	if (moved > 0) {
		buf_add_str(&line, ", ");
		progress_bytes(&line, moved * 1000 / (uint64_t)(took_ms > 0 ? took_ms : 1));
		buf_add_str(&line, "/s");
	} else if (t->at > 0) {
		buf_add_str(&line, ", there already");
	}
	console_say(m->f->c, "%s%s", buf_str(&line), t->verified ? ", verified" : "");
}

static void item_finish(struct files_moves *m, struct ftp_task *t)
{
	struct files_item *i = t->tag;
	char why[256];

	for (size_t k = 0; k < RUNNING; k++)
		if (m->running[k] == i)
			m->running[k] = NULL;
	if (t->error == 0) {
		done_tell(m, t);
	} else if (t->error != -ECANCELED) {
		(void)ftp_task_told(t);
	} else if (i->dropped) {
		console_say(m->f->c, "stopped: %s; what is there is kept for the next time",
			ftp_path_name(i->remote));
	}
	(void)snprintf(why, sizeof why, "%.250s",
		t->error == 0                    ? (t->verified ? "verified" : "")
			: t->error == -ECANCELED ? "stopped; what is there is kept"
			: t->reason[0] != '\0'   ? t->reason
						 : client_why(t->error));
	item_over(m, i, t->error == 0, why);
	/* What is listed has changed. */
	if (t->kind == FTP_PUT && t->error == 0 && m->waiting == 0 && running_count(m) == 0)
		files_order(m->f, files_do_names, span_of("", 0), true);
	ftp_task_free(t);
}

/* -- /cancel ----------------------------------------------------------------------------------- */

static bool queue_drop(struct files_moves *m, unsigned number)
{
	struct files_item *before = NULL;

	for (struct files_item *i = m->first; i != NULL; before = i, i = i->next) {
		if (i->number != number)
			continue;
		if (before != NULL)
			before->next = i->next;
		else
			m->first = i->next;
		if (m->last == i)
			m->last = before;
		m->waiting--;
		item_over(m, i, false, "stopped before it began");
		return true;
	}
	return false;
}

bool files_drop(struct files_part *f, unsigned number)
{
	struct files_moves *m = &f->moves;

	for (size_t k = 0; k < RUNNING; k++)
		if (m->running[k] != NULL && m->running[k]->number == number) {
			m->running[k]->dropped = true;
			files_wake(m->wake_fd);
			return true;
		}
	return queue_drop(m, number);
}

size_t files_drop_all(struct files_part *f)
{
	struct files_moves *m = &f->moves;
	struct files_item *i;
	size_t n = 0;

	for (; (i = item_take(m)) != NULL; n++)
		item_over(m, i, false, "stopped before it began");
	for (size_t k = 0; k < RUNNING; k++)
		if (m->running[k] != NULL) {
			m->running[k]->dropped = true;
			n++;
		}
	files_wake(m->wake_fd);
	return n;
}

/* -- the loop ---------------------------------------------------------------------------------- */

static void item_show(struct files_moves *m, struct files_item *i)
{
	struct transfer *t = transfer_find(m->f->c, i->number);
	const struct ftp_task *task = i->task;

	progress_sample(&i->meter, time_monotonic_ms(), task->at);
	if (t == NULL)
		return;
	t->state = task->state == FTP_RUNNING ? TRANSFER_RUNS : TRANSFER_WAITS;
	t->at = task->at;
	t->size = task->size > 0 ? task->size : i->size;
	t->rate = task->state == FTP_RUNNING ? progress_rate(&i->meter) : 0;
	(void)snprintf(t->why, sizeof t->why, "%.250s", task->reason);
}

void files_status(struct files_part *f)
{
	struct part *p = &f->c->parts[PART_FILES];
	size_t running = running_count(&f->moves), all = running + f->moves.waiting;
	char text[sizeof p->text] = "";

	if (all > 0)
		(void)snprintf(text, sizeof text, "%zu transfer%s", all, all == 1 ? "" : "s");
	if (strcmp(text, p->text) == 0)
		return;
	memcpy(p->text, text, sizeof p->text);
	console_changed(f->c);
}

static void show(struct files_moves *m)
{
	bool any = false;

	for (size_t k = 0; k < RUNNING; k++)
		if (m->running[k] != NULL) {
			item_show(m, m->running[k]);
			any = true;
		}
	files_status(m->f);
	if (any)
		console_changed(m->f->c);
}

static void drops_do(struct files_moves *m)
{
	for (size_t k = 0; k < RUNNING; k++)
		if (m->running[k] != NULL && m->running[k]->dropped)
			ftp_pool_drop(m->pool, m->running[k]->task);
}

/* False: it comes later, or not at all. */
static bool pool_open(struct files_moves *m)
{
	const struct ftp_options options = {
		.sessions = FILES_SESSIONS, .want_digest = true, .retries = RETRIES};

	if (m->pool != NULL)
		return true;
	if (files_profile(m->f, &m->profile, m->profile.dir_fd >= 0) < 0)
		return false;
	return ftp_pool_open(m->f->c->client, &m->profile, &options, &m->pool) == CLIENT_OK;
}

/* Moves until nothing is left, or it ends. */
static void move(struct files_moves *m)
{
	int64_t idle_ms = time_monotonic_ms(), drawn_ms = 0;
	int r = 0;

	while (r >= 0 && !is_leaving(m)) {
		struct ftp_task *t;

		drops_do(m);
		while (running_count(m) < RUNNING && m->first != NULL)
			item_begin(m, item_take(m));
		if (running_count(m) > 0)
			idle_ms = time_monotonic_ms();
		else if (time_monotonic_ms() - idle_ms > FILES_PAUSE_MS)
			return;
		r = ftp_pool_run(
			m->pool, running_count(m) > 0 ? DRAW_MS : FILES_PAUSE_MS, m->wake_fd);
		files_drain(m->wake_fd);
		while ((t = ftp_pool_take(m->pool)) != NULL) {
			item_finish(m, t);
			drawn_ms = 0;
		}
		if (time_monotonic_ms() - drawn_ms < DRAW_MS)
			continue;
		drawn_ms = time_monotonic_ms();
		show(m);
	}
}

static void run(void *arg)
{
	struct files_moves *m = arg;

	while (m->first != NULL && !is_leaving(m)) {
		struct part *p = &m->f->c->parts[PART_FILES];

		/* Whether the server is there is the first task's to find out. */
		if (p->state != PART_UP || !pool_open(m)) {
			if (task_pause(RETRY_MS) == -ECANCELED)
				break;
			continue;
		}
		move(m);
		ftp_pool_closep(&m->pool);
	}
	ftp_pool_closep(&m->pool);
	m->task = NULL;
	files_status(m->f);
}

void files_moves_end(struct files_part *f)
{
	struct files_moves *m = &f->moves;
	struct files_item *i;

	while ((i = item_take(m)) != NULL)
		item_free(i);
	for (size_t k = 0; k < RUNNING; k++)
		if (m->running[k] != NULL)
			item_free(m->running[k]);
	cleanup_close(&m->wake_fd);
	if (m->profile.dir_fd >= 0)
		profile_done(&m->profile);
}
