/* The first task of files: a line to the server that does what commands ask. See files_i.h. */
#include "client/console/files_i.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	LOOK_MS = 5000, /* so often it is seen that the line is gone */
	ALIVE_MS = 60 * 1000, /* so often the server is asked whether it is there */
};

struct files_part *files_part(struct console *c)
{
	return c->part_state[PART_FILES];
}

void files_wake(int fd)
{
	const uint64_t one = 1;

	if (write(fd, &one, sizeof one) < 0)
		return; /* it is awake already */
}

void files_drain(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof count) < 0)
		return;
}

static bool is_leaving(const struct files_part *f)
{
	return f->ending || f->c->leaving;
}

/* -- orders ------------------------------------------------------------------------------------ */

void files_order(struct files_part *f,
	int (*run)(struct files_part *f, const struct client_words *w), struct span words,
	bool quiet)
{
	struct files_order *o = calloc(1, sizeof *o);
	char *line = strndup((const char *)words.p, words.len);
	int r = o != NULL && line != NULL ? 0 : -ENOMEM;

	if (r == 0) {
		*o = (struct files_order){.run = run, .quiet = quiet, .words = WORDS_INIT};
		r = words_split(line, &o->words);
	}
	free(line);
	if (r < 0) {
		console_error(f->c, "%s", r == -EINVAL ? "a quote is not closed" : err_text(r));
		if (o != NULL)
			words_done(&o->words);
		free(o);
		return;
	}
	if (f->last != NULL)
		f->last->next = o;
	else
		f->first = o;
	f->last = o;
	f->c->parts[PART_FILES].busy += !quiet;
	files_wake(f->wake_fd);
	if (f->c->parts[PART_FILES].task != NULL)
		task_poke(f->c->parts[PART_FILES].task);
}

static struct files_order *order_take(struct files_part *f)
{
	struct files_order *o = f->first;

	if (o == NULL)
		return NULL;
	f->first = o->next;
	if (f->first == NULL)
		f->last = NULL;
	return o;
}

static void order_done(struct files_part *f, struct files_order *o)
{
	f->c->parts[PART_FILES].busy -= !o->quiet;
	words_done(&o->words);
	free(o);
}

static void orders_drop(struct files_part *f, bool tell)
{
	struct files_order *o;

	while ((o = order_take(f)) != NULL) {
		if (tell && !o->quiet)
			console_error(f->c, "the files are not there: that was not done");
		order_done(f, o);
	}
}

/* -- the line ---------------------------------------------------------------------------------- */

int files_profile(const struct files_part *f, struct profile *p, bool loaded)
{
	struct profile fresh = PROFILE_INIT;
	int r = profile_load(f->c->profile.name, &fresh);

	if (r < 0 && r != -EKEYREJECTED) {
		profile_done(&fresh);
		return loaded ? 0 : r;
	}
	if (loaded)
		profile_done(p);
	*p = fresh;
	return 0;
}

static bool connect(struct files_part *f)
{
	const struct ftp_options options = {.sessions = 1, .want_digest = true, .retries = 1};
	struct console *c = f->c;
	int r = files_profile(f, &f->profile, f->loaded);

	part_trying(c, PART_FILES);
	c->parts[PART_FILES].why[0] = '\0';
	if (r < 0) {
		part_lost(c, PART_FILES, "the profile: %s", err_text(r));
		return false;
	}
	f->loaded = true;
	if (ftp_pool_open(c->client, &f->profile, &options, &f->ui.pool) != CLIENT_OK) {
		part_lost(c, PART_FILES, "%s", c->parts[PART_FILES].why);
		return false;
	}
	if (!f->began)
		(void)snprintf(f->ui.cwd, sizeof f->ui.cwd, "%s", ftp_pool_home(f->ui.pool));
	f->began = true;
	return true;
}

/* Is the server still there? 0, or why not. */
static int ask_alive(struct files_part *f)
{
	struct ftp_task *t = ftp_task_new(FTP_TEXT, "/");
	int r = -ENOMEM;

	if (t != NULL)
		t->line = strdup("NOOP");
	if (t != NULL && t->line != NULL)
		r = ui_do(&f->ui, t);
	ftp_task_free(t);
	return r == -EREMOTEIO ? 0 : r;
}

/* All that is to be done, then waiting for more. 0, or why the line is lost. */
static int serve(struct files_part *f)
{
	int64_t asked_ms = time_monotonic_ms();
	int r = 0;

	while (r >= 0 && !is_leaving(f)) {
		struct files_order *o;

		while (!is_leaving(f) && (o = order_take(f)) != NULL) {
			const struct client_words w = {o->words.v, o->words.count};

			(void)o->run(f, &w);
			order_done(f, o);
		}
		if (is_leaving(f))
			break;
		r = ftp_pool_run(f->ui.pool, LOOK_MS, f->wake_fd);
		files_drain(f->wake_fd);
		if (r < 0 || f->first != NULL)
			continue;
		/* A server lets idle lines go; one that is away is another thing. */
		if (!ftp_pool_is_alive(f->ui.pool) || time_monotonic_ms() - asked_ms > ALIVE_MS) {
			r = ask_alive(f);
			asked_ms = time_monotonic_ms();
		}
	}
	return r < 0 ? r : 0;
}

/* -- begin and end ----------------------------------------------------------------------------- */

static void end(struct files_part *f)
{
	f->ending = true;
	orders_drop(f, false);
	ftp_pool_closep(&f->ui.pool);
	f->c->parts[PART_FILES].task = NULL;
	/* The other one comes to its end by the same sign. */
	files_wake(f->moves.wake_fd);
	if (f->moves.task != NULL)
		task_poke(f->moves.task);
}

void part_files_end(struct console *c)
{
	struct files_part *f = files_part(c);

	if (f == NULL)
		return;
	orders_drop(f, false);
	files_moves_end(f);
	files_forget(f);
	cleanup_close(&f->wake_fd);
	if (f->loaded)
		profile_done(&f->profile);
	c->part_state[PART_FILES] = NULL;
	free(f);
}

static void run(void *arg)
{
	struct files_part *f = arg;

	while (!is_leaving(f)) {
		int r;

		if (connect(f)) {
			part_up(f->c, PART_FILES);
			if (f->moves.task != NULL)
				task_poke(f->moves.task);
			files_order(f, files_do_names, span_of("", 0), true);
			r = serve(f);
			f->ending = f->ending || r == -ECANCELED;
			ftp_pool_closep(&f->ui.pool);
			if (!is_leaving(f))
				part_lost(f->c, PART_FILES, "%s", client_why(r));
		}
		orders_drop(f, true);
		if (!is_leaving(f) && part_wait(f->c, PART_FILES) < 0)
			f->ending = true;
	}
	end(f);
}

static int descriptors(struct files_part *f)
{
	f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->moves.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return f->wake_fd < 0 || f->moves.wake_fd < 0 ? -errno : 0;
}

int part_files_begin(struct console *c)
{
	struct files_part *f;
	int r;

	if (directory_door(&c->profile.doors, "ftps") == NULL) {
		part_absent(c, PART_FILES);
		return 0;
	}
	f = calloc(1, sizeof *f);
	if (f == NULL)
		return -ENOMEM;
	f->c = c;
	f->profile = PROFILE_INIT;
	f->moves.f = f;
	f->moves.profile = PROFILE_INIT;
	f->ui = (struct ui){.client = c->client,
		.profile = &f->profile,
		.parallel = 1,
		.shell = true,
		.o = {.quiet = true},
		.cwd = "/",
		.take = files_take,
		.taker = f};
	r = descriptors(f);
	c->part_state[PART_FILES] = f;
	if (r == 0)
		r = task_start("files", run, f, &c->parts[PART_FILES].task);
	if (r < 0)
		part_files_end(c);
	return r;
}
