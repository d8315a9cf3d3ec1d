/* quintetctl top: the live sessions of all services, and the unit each of them runs in. */
#include "ctl.h"

#include "base/timefmt.h"
#include "store/session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <systemd/sd-login.h>

enum { OPT_ONCE, OPT_INTERVAL };
static const struct ctl_option top_options[] = {
	{"once", NULL, false}, {"interval", "SECONDS", false}, {.name = NULL}};

static const struct ctl_column columns[] = {{"account", CTL_TEXT}, {"peer", CTL_TEXT},
	{"service", CTL_TEXT}, {"since", CTL_TEXT}, {"bytes_in", CTL_NUMBER},
	{"bytes_out", CTL_NUMBER}, {"pid", CTL_NUMBER}, {"unit", CTL_TEXT}};

struct sight {
	struct ctl_table table;
	bool json;
	unsigned live, dead;
	int64_t now_us;
};

static void since_cell(struct sight *s, int64_t since_us)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(64);

	if (s->json) {
		ctl_cell_time(&s->table, since_us);
		return;
	}
	time_span_text(&text, (s->now_us - since_us) / TIME_S_US);
	ctl_cell_span(&s->table, buf_span(&text));
}

/* "-" where the session runs in no unit: xinetd, make run. */
static void unit_cell(struct sight *s, pid_t pid)
{
	char *unit = NULL;

	if (sd_pid_get_unit(pid, &unit) < 0)
		unit = NULL;
	ctl_cell(&s->table, "%s", unit != NULL ? unit : "-");
	free(unit);
}

static int one(void *arg, const struct session_row *row)
{
	struct sight *s = (struct sight *)arg;

	if (!session_alive(row)) {
		s->dead++;
		return 0;
	}
	s->live++;
	ctl_cell(&s->table, "%s", row->account);
	ctl_cell(&s->table, "%s", row->peer);
	ctl_cell(&s->table, "%s", row->service);
	since_cell(s, row->since_us);
	ctl_cell(&s->table, "%llu", (unsigned long long)row->bytes_in);
	ctl_cell(&s->table, "%llu", (unsigned long long)row->bytes_out);
	ctl_cell(&s->table, "%d", (int)row->pid);
	unit_cell(s, (pid_t)row->pid);
	return 0;
}

static int show(struct ctl *c)
{
	struct sight s = {.table = CTL_TABLE(columns), .json = c->json, .now_us = time_now_us()};
	int r = session_each(c->store, NULL, one, &s);

	if (r < 0) {
		ctl_table_done(&s.table);
		return ctl_fail(r, "cannot list the sessions");
	}
	r = ctl_table_rows(c, &s.table);
	if (!c->json)
		(void)printf("%u live%s", s.live, s.dead > 0 ? "" : "\n");
	if (!c->json && s.dead > 0)
		(void)printf(", %u dead (their neighbours or quintetctl sweep remove the rows)\n",
			s.dead);
	(void)fflush(stdout);
	return r;
}

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

/* Redraws in place until Ctrl-C, which is the way out and no error. */
static int watch(struct ctl *c, uint64_t interval_s)
{
	struct sigaction action = {.sa_handler = stop};
	int r = CTL_OK;

	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	while (r == CTL_OK && !stopped) {
		(void)fputs("\033[H\033[2J", stdout);
		r = show(c);
		if (r == CTL_OK && !stopped)
			(void)poll(NULL, 0, (int)interval_s * 1000);
	}
	return r;
}

static int run_top(struct ctl *c, const struct ctl_args *a)
{
	uint64_t interval_s = 2;
	int r = CTL_OK;

	if (a->option[OPT_INTERVAL] != NULL)
		r = ctl_number("--interval", a->option[OPT_INTERVAL], 1, 3600, &interval_s);
	if (r == CTL_OK)
		r = ctl_store(c, STORE_READ);
	if (r != CTL_OK)
		return r;
	if (c->json || a->option[OPT_ONCE] != NULL || !isatty(STDOUT_FILENO))
		return show(c);
	return watch(c, interval_s);
}

const struct ctl_command ctl_top_commands[] = {
	{"top", NULL, "", 0, 0, top_options, CTL_AS_ADMIN, run_top,
		"the live sessions of all services"},
	{.noun = NULL}};
