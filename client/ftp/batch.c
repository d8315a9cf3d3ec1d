/*
 * Many transfers at once. A few more than there are sessions are given to the pool at a time, so
 * that a large tree does not hold a descriptor for each of its files.
 */
#include "client/ftp/ui.h"

#include "client/table.h"

#include "base/text.h"
#include "base/timefmt.h"

#include <errno.h>
#include <fcntl.h>

enum { DRAW_MS = 200, AHEAD = 2 };

struct run {
	struct ui *u;
	struct batch *b;
	size_t next, under_way, ended;
	uint64_t ended_bytes, all_bytes;
	uint64_t ended_moved; /* what was there before left out, for the rate */
	struct progress_meter meter;
	bool drawn;
	struct buf rows; /* --json */
	int code;
};

void batch_done(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		free(b->v[i].remote);
		free(b->v[i].local);
	}
	free(b->v);
	*b = (struct batch){.v = NULL};
}

int batch_add(struct batch *b, enum ftp_task_kind kind, const char *remote, int root_fd,
	const char *local)
{
	struct batch_item *i;

	if (b->count == b->cap) {
		size_t cap = b->cap == 0 ? 64 : b->cap * 2;
		struct batch_item *v = reallocarray(b->v, cap, sizeof *v);

		if (v == NULL)
			return -ENOMEM;
		b->v = v;
		b->cap = cap;
	}
	i = &b->v[b->count];
	*i = (struct batch_item){.kind = kind, .root_fd = root_fd, .folder_fd = -1};
	i->remote = strdup(remote);
	i->local = local != NULL ? strdup(local) : NULL;
	if (i->remote == NULL || (local != NULL && i->local == NULL)) {
		free(i->remote);
		free(i->local);
		return -ENOMEM;
	}
	b->count++;
	return 0;
}

/* -- the bar ----------------------------------------------------------------------------------- */

struct view {
	struct progress_view v;
	uint64_t moved;
	const struct ftp_task *first;
};

/* What this run of it has moved: nothing before it is clear where it goes on. */
static uint64_t moved_by(const struct ftp_task *t)
{
	return t->began_ms > 0 && t->at > t->began_at ? t->at - t->began_at : 0;
}

static int view_add(void *arg, const struct ftp_task *t)
{
	struct view *view = arg;

	if (t->kind != FTP_GET && t->kind != FTP_PUT)
		return 0;
	view->v.at += t->at;
	view->moved += moved_by(t);
	if (t->state != FTP_RUNNING)
		return 0;
	if (view->first == NULL)
		view->first = t;
	else
		view->v.others++;
	return 0;
}

static void bar_clear(struct run *r)
{
	if (r->drawn)
		fputs("\r\x1b[K", stderr);
	r->drawn = false;
}

static void bar_draw(struct run *r)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(16384);
	_cleanup_(buf_done) struct buf name = BUF_INIT(8192);
	struct view view = {.v = {.at = r->ended_bytes, .size = r->all_bytes, .known = true}};
	size_t columns = tty_columns(STDERR_FILENO);

	(void)ftp_pool_each(r->u->pool, view_add, &view);
	progress_sample(&r->meter, time_monotonic_ms(), r->ended_moved + view.moved);
	if (!r->u->bar || view.first == NULL)
		return;
	ui_name(&name, ftp_path_name(view.first->remote));
	view.v.name = buf_str(&name);
	view.v.rate = progress_rate(&r->meter);
	/* The last column is left free: some terminals wrap there. */
	progress_line(&line, &view.v, columns > 1 ? columns - 1 : 1);
	fprintf(stderr, "\r%s\x1b[K", buf_str(&line));
	r->drawn = true;
}

/* -- one transfer ------------------------------------------------------------------------------ */

static const char *const verbs[][2] = {[FTP_GET] = {"got", "get"},
	[FTP_PUT] = {"put", "put"},
	[FTP_REMOVE] = {"deleted", "delete"},
	[FTP_RMTREE] = {"deleted", "delete"}};

static void row_add(struct run *r, const struct batch_item *i, const struct ftp_task *t)
{
	_cleanup_(buf_done) struct buf size = BUF_INIT(32);
	_cleanup_(buf_done) struct buf digest = BUF_INIT(128);
	bool moved = i->kind == FTP_GET || i->kind == FTP_PUT;

	if (moved && t->error == 0) {
		buf_addf(&size, "%llu", (unsigned long long)t->at);
		text_hex(&digest, span_of(t->digest, sizeof t->digest));
	}
	const struct table_pair pairs[] = {{"action", verbs[i->kind][1], NULL},
		{"remote", i->remote, NULL}, {"local", moved ? i->local : NULL, NULL},
		{"size", moved ? buf_str(&size) : NULL, ""},
		{"sha256", moved ? buf_str(&digest) : NULL, NULL},
		{"state", t->error == 0 ? "done" : "failed", NULL},
		{"reason",
			t->error == 0        ? NULL
				: *t->reason ? t->reason
					     : client_why(t->error),
			NULL}};

	buf_add_str(&r->rows, r->rows.len > 0 ? ",\n " : "[");
	table_pairs_json(pairs, sizeof pairs / sizeof pairs[0], &r->rows);
}

/* How much there is now, and how it came there. */
static void add_amount(struct buf *line, const struct ftp_task *t)
{
	int64_t took_ms = time_monotonic_ms() - t->began_ms;
	uint64_t moved = moved_by(t);

	buf_add_str(line, ": ");
	progress_bytes(line, t->at);
	if (moved > 0 && t->began_at > 0) {
		buf_add_str(line, ", from ");
		progress_bytes(line, t->began_at);
		buf_add_str(line, " on");
	}
	if (moved > 0) {
		buf_add_str(line, ", ");
		progress_bytes(line, moved * 1000 / (uint64_t)(took_ms > 0 ? took_ms : 1));
		buf_add_str(line, "/s");
	} else if (t->at > 0) {
		buf_add_str(line, ", there already");
	}
	buf_add_str(line, t->verified ? ", verified" : "");
}

static void tell(struct run *r, const struct batch_item *i, const struct ftp_task *t)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(65536);

	if (r->u->o.quiet || t->error != 0)
		return;
	buf_addf(&line, "%s ", verbs[i->kind][0]);
	ui_name(&line, i->remote);
	if (i->kind == FTP_GET || i->kind == FTP_PUT)
		add_amount(&line, t);
	puts(buf_str(&line));
	(void)fflush(stdout);
}

static struct ftp_task *task_make(const struct ui *u, struct batch_item *i)
{
	struct ftp_task *t = ftp_task_new(i->kind, i->remote);
	struct span folder;
	const char *name = i->local;

	if (t == NULL)
		return NULL;
	if (name != NULL && i->root_fd != AT_FDCWD) {
		local_split(i->local, &folder, &name);
		i->folder_fd = local_folder(i->root_fd, folder, false);
		t->local_dir_fd = i->folder_fd;
	}
	t->local = name != NULL ? strdup(name) : NULL;
	t->fresh = u->o.fresh;
	t->keep_time = true;
	t->no_overwrite = u->o.no_overwrite;
	t->size = i->size;
	t->tag = i;
	if (name != NULL && t->local == NULL) {
		ftp_task_free(t);
		return NULL;
	}
	return t;
}

/* What stands in the way on this side, before anything is asked for. */
static int item_check(const struct batch_item *i, const struct ftp_task *t)
{
	if (i->kind != FTP_GET || t->local == NULL)
		return 0;
	if (i->root_fd != AT_FDCWD && i->folder_fd < 0)
		return i->folder_fd;
	return local_is_plain(t->local_dir_fd, t->local);
}

static void begin(struct run *r, struct batch_item *i)
{
	struct ftp_task *t = task_make(r->u, i);
	int e = t == NULL ? -ENOMEM : item_check(i, t);

	if (e == 0) {
		ftp_pool_add(r->u->pool, t);
		r->under_way++;
		return;
	}
	bar_clear(r);
	i->code = e == -ENOMEM ? ui_oom()
			       : ui_fail(ERR_EXIT_CONFIG,
					 e == -ELOOP ? ": a symbolic link is in the way here"
						     : ": what is here is no plain file",
					 i->local);
	if (t != NULL) {
		t->error = e;
		if (r->u->client->json && !r->b->silent)
			row_add(r, i, t);
	}
	cleanup_close(&i->folder_fd);
	ftp_task_free(t);
	r->ended_bytes += i->size;
	r->code = ui_first(r->code, i->code);
}

static void finish(struct run *r, struct ftp_task *t)
{
	struct batch_item *i = t->tag;

	r->under_way--;
	r->ended++;
	r->ended_bytes += i->size;
	r->ended_moved += moved_by(t);
	bar_clear(r);
	i->code = t->error == -ECANCELED ? CLIENT_INTERRUPTED : ftp_task_told(t);
	memcpy(i->digest, t->digest, sizeof i->digest);
	r->code = ui_first(r->code, i->code);
	if (!r->b->silent && r->u->client->json)
		row_add(r, i, t);
	else if (!r->b->silent)
		tell(r, i, t);
	cleanup_close(&i->folder_fd);
	ftp_task_free(t);
}

static int rows_print(struct run *r)
{
	if (r->b->silent || !r->u->client->json || r->code == CLIENT_INTERRUPTED)
		return CLIENT_OK;
	buf_add_str(&r->rows, r->rows.len > 0 ? "]\n" : "[]\n");
	if (buf_error(&r->rows) < 0)
		return client_fail(ERR_EXIT_TEMP, "too many results for one list");
	fputs(buf_str(&r->rows), stdout);
	return CLIENT_OK;
}

int batch_run(struct ui *u, struct batch *b)
{
	struct run r = {.u = u, .b = b, .rows = BUF_INIT(256U << 20)};
	int run = 1;

	if (u->take != NULL && b->count > 0 && (b->v[0].kind == FTP_GET || b->v[0].kind == FTP_PUT))
		return u->take(u->taker, b);
	for (size_t i = 0; i < b->count; i++)
		r.all_bytes += b->v[i].size;
	progress_sample(&r.meter, time_monotonic_ms(), 0);
	while (run >= 0 && (r.next < b->count || r.under_way > 0)) {
		struct ftp_task *t;

		while (r.next < b->count && r.under_way < (size_t)u->parallel * AHEAD)
			begin(&r, &b->v[r.next++]);
		if (r.under_way == 0)
			continue;
		run = ftp_pool_run(u->pool, DRAW_MS, -1);
		while ((t = ftp_pool_take(u->pool)) != NULL)
			finish(&r, t);
		if (run >= 0)
			bar_draw(&r);
	}
	bar_clear(&r);
	/* Ctrl-C says more than what it cut off. */
	if (run < 0)
		r.code = client_exit_of(run);
	r.code = ui_first(r.code, rows_print(&r));
	buf_done(&r.rows);
	return r.code;
}
