/* quintetctl top: the live sessions of all services, and the unit each of them runs in. */
#include "top.h"

#include "base/timefmt.h"

#include <errno.h>
#include <systemd/sd-login.h>

enum { OPT_ONCE, OPT_INTERVAL, OPT_SORT };
static const struct ctl_option top_options[] = {{"once", NULL, false},
	{"interval", "SECONDS", false}, {"sort", "COLUMN", false}, {.name = NULL}};

static const struct ctl_column columns[] = {{"account", CTL_TEXT}, {"peer", CTL_TEXT},
	{"service", CTL_TEXT}, {"since", CTL_TEXT}, {"bytes_in", CTL_NUMBER},
	{"bytes_out", CTL_NUMBER}, {"memory", CTL_NUMBER}, {"measure", CTL_TEXT},
	{"pid", CTL_NUMBER}, {"unit", CTL_TEXT}};

static void since_cell(const struct ctl *c, struct ctl_table *t, int64_t since_us, int64_t now_us)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(64);

	if (c->json) {
		ctl_cell_time(t, since_us);
		return;
	}
	time_span_text(&text, (now_us - since_us) / TIME_S_US);
	ctl_cell_span(t, buf_span(&text));
}

/* A program gets the bytes, a person what can be read. */
static void size_cell(const struct ctl *c, struct ctl_table *t, uint64_t size)
{
	if (c->json)
		ctl_cell(t, "%llu", (unsigned long long)size);
	else if (size < 10240)
		ctl_cell(t, "%llu B", (unsigned long long)size);
	else if (size < UINT64_C(10) << 20)
		ctl_cell(t, "%llu KiB", (unsigned long long)(size >> 10));
	else
		ctl_cell(t, "%llu MiB", (unsigned long long)(size >> 20));
}

/* "-" where the session runs in no unit: xinetd, make run. */
static void unit_cell(struct ctl_table *t, pid_t pid)
{
	char *unit = NULL;

	if (sd_pid_get_unit(pid, &unit) < 0)
		unit = NULL;
	ctl_cell(t, "%s", unit != NULL ? unit : "-");
	free(unit);
}

static void cells(const struct ctl *c, const struct top_sight *s, struct ctl_table *t)
{
	int64_t now_us = time_now_us();

	for (size_t i = 0; i < s->count; i++) {
		const struct session_row *row = &s->list[i].row;

		ctl_cell(t, "%s", row->account);
		ctl_cell(t, "%s", row->peer);
		ctl_cell(t, "%s", row->service);
		since_cell(c, t, row->since_us, now_us);
		size_cell(c, t, row->bytes_in);
		size_cell(c, t, row->bytes_out);
		size_cell(c, t, s->list[i].memory);
		ctl_cell(t, "%s", s->list[i].shared_out ? "PSS" : "RSS");
		ctl_cell(t, "%d", (int)row->pid);
		unit_cell(t, (pid_t)row->pid);
	}
}

static void sum_line(const struct top_sight *s, struct buf *b)
{
	uint64_t memory = 0;

	for (size_t i = 0; i < s->count; i++)
		memory += s->list[i].memory;
	buf_addf(b, "%zu live, %llu KiB", s->count, (unsigned long long)(memory >> 10));
	if (s->dead > 0)
		buf_addf(b, ", %u dead (their neighbours or quintetctl sweep remove the rows)",
			s->dead);
	buf_add_byte(b, '\n');
}

static int show_once(struct ctl *c, const struct top_order *order)
{
	_cleanup_(top_sight_done) struct top_sight s = {.list = NULL};
	_cleanup_(buf_done) struct buf sum = BUF_INIT(256);
	struct ctl_table t = CTL_TABLE(columns);
	int r = top_look(c, order, &s);

	if (r < 0)
		return ctl_fail(r, "cannot list the sessions");
	cells(c, &s, &t);
	r = ctl_table_rows(c, &t);
	sum_line(&s, &sum);
	if (r == CTL_OK && !c->json)
		(void)fputs(buf_str(&sum), stdout);
	(void)fflush(stdout);
	return r;
}

/* -- again and again ----------------------------------------------------------------------------
 */

struct watching {
	struct ctl *c;
	const struct top_order *order;
};

static void head_lines(const struct watching *w, const struct top_sight *s, struct buf *lines)
{
	buf_addf(lines, "Quintet at %s, by %s: ", w->c->settings.host, w->order->name);
	sum_line(s, lines);
	for (const struct top_order *o = top_orders; o->name != NULL; o++)
		buf_addf(lines, "%c %s  ", o->key, o->name);
	buf_add_str(lines, "q leave\n\n");
}

static int draw(void *arg, char key, struct buf *lines)
{
	_cleanup_(top_sight_done) struct top_sight s = {.list = NULL};
	struct ctl_table t = CTL_TABLE(columns);
	struct watching *w = (struct watching *)arg;
	int r;

	for (const struct top_order *o = top_orders; o->name != NULL; o++)
		if (o->key == key)
			w->order = o;
	r = top_look(w->c, w->order, &s);
	if (r < 0)
		return r;
	head_lines(w, &s, lines);
	cells(w->c, &s, &t);
	r = ctl_table_text(&t, lines);
	return r < 0 ? r : buf_error(lines);
}

static int read_options(
	const struct ctl_args *a, const struct top_order **ret_order, uint64_t *ret_interval_s)
{
	if (a->option[OPT_SORT] != NULL) {
		*ret_order = top_order_find(a->option[OPT_SORT]);
		if (*ret_order == NULL) {
			ctl_warn("--sort: service, account, peer, since, in, out or memory, not "
				 "\"%s\"",
				a->option[OPT_SORT]);
			return CTL_USAGE;
		}
	}
	if (a->option[OPT_INTERVAL] == NULL)
		return CTL_OK;
	return ctl_number("--interval", a->option[OPT_INTERVAL], 1, 3600, ret_interval_s);
}

static int run_top(struct ctl *c, const struct ctl_args *a)
{
	struct watching w = {.c = c, .order = &top_orders[0]};
	uint64_t interval_s = 2;
	int r = read_options(a, &w.order, &interval_s);

	if (r == CTL_OK)
		r = ctl_store(c, STORE_READ);
	if (r != CTL_OK)
		return r;
	if (c->json || a->option[OPT_ONCE] != NULL || !isatty(STDOUT_FILENO))
		return show_once(c, w.order);
	r = top_screen((unsigned)interval_s, draw, &w);
	return r < 0 ? ctl_fail(r, "cannot show the sessions") : CTL_OK;
}

const struct ctl_command ctl_top_commands[] = {
	{"top", NULL, "", 0, 0, top_options, CTL_AS_ADMIN, run_top,
		"the live sessions of all services"},
	{.noun = NULL}};
