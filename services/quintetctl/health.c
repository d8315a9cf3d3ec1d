/*
 * quintetctl health and doctor: one table of checks. health is those that the store and what
 * listens tell, in three columns; doctor is all of them, with what to do. Exit status 1 when
 * something failed.
 */
#include "check.h"

#include "base/timefmt.h"

#include <stdarg.h>

static const struct check {
	void (*run)(struct check_report *r);
	bool as_caller; /* it looks at what is root's, and never at the store */
	bool health;
} checks[] = {
	{check_units, true, false},
	{check_users, true, false},
	{check_modes, true, false},
	{check_credentials, true, false},
	{check_root_key, true, false},
	{check_store, false, true},
	{check_files, false, true},
	{check_mail, false, true},
	{check_disk, false, false},
	{check_authorities, false, true},
	{check_services, false, true},
	{check_clock, false, false},
	{check_sessions, false, true},
	{check_keeper, false, true},
	{check_signer, false, true},
};

static const struct ctl_column columns[] = {
	{"what", CTL_TEXT}, {"state", CTL_TEXT}, {"detail", CTL_TEXT}, {"to_do", CTL_TEXT}};

void check_say(struct check_report *r, enum check_verdict v, const char *what, const char *remedy,
	const char *format, ...)
{
	static const char *const words[] = {"ok", "warning", "FAILED"};
	char text[512];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	ctl_cell(&r->table, "%s", what);
	ctl_cell(&r->table, "%s", words[v]);
	ctl_cell(&r->table, "%s", text);
	if (r->with_advice)
		ctl_cell(&r->table, "%s", remedy != NULL ? remedy : "-");
	r->bad |= v == CHECK_BAD;
}

static struct check_report report_of(struct ctl *c, bool with_advice)
{
	struct check_report r = {.c = c, .table = CTL_TABLE(columns), .with_advice = with_advice};

	if (!with_advice)
		r.table.count--;
	r.now_us = time_now_us();
	return r;
}

static void run_checks(struct check_report *r, bool as_caller)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (checks[i].as_caller == as_caller && (r->with_advice || checks[i].health))
			checks[i].run(r);
}

static int finish(struct check_report *r)
{
	int status = ctl_table_rows(r->c, &r->table);

	return status == CTL_OK && r->bad ? CTL_REFUSED : status;
}

static int run_health(struct ctl *c, const struct ctl_args *a)
{
	struct check_report r = report_of(c, false);
	int status = ctl_store(c, STORE_READ);

	(void)a;
	if (status != CTL_OK)
		return status;
	run_checks(&r, false);
	return finish(&r);
}

/* -- doctor -------------------------------------------------------------------------------------
 */

/* The administrator's part sends its cells, which become rows of the one table. */
static int store_part(struct ctl *c, void *arg, struct buf *reply)
{
	struct check_report r = report_of(c, true);
	int status = ctl_store(c, STORE_READ);

	(void)arg;
	if (status != CTL_OK)
		return status;
	run_checks(&r, false);
	buf_add(reply, buf_span(&r.table.cells));
	ctl_table_done(&r.table);
	return r.bad ? CTL_REFUSED : CTL_OK;
}

static void take_cells(struct check_report *r, const struct buf *reply)
{
	buf_add(&r->table.cells, buf_span(reply));
	for (size_t i = 0; i < reply->len; i++)
		r->table.filled += reply->p[i] == '\0';
}

static int run_doctor(struct ctl *c, const struct ctl_args *a)
{
	_cleanup_(buf_done) struct buf reply = BUF_INIT(4u << 20);
	struct check_report r = report_of(c, true);
	int status;

	(void)a;
	run_checks(&r, true);
	status = ctl_as_admin(c, store_part, NULL, &reply);
	take_cells(&r, &reply);
	r.bad |= status == CTL_REFUSED;
	if (status != CTL_OK && status != CTL_REFUSED)
		check_say(&r, CHECK_BAD, "store",
			"as quintetctl says above; quintetctl init, migrate or restore",
			"cannot be opened");
	return finish(&r);
}

const struct ctl_command ctl_health_commands[] = {
	{"health", NULL, "", 0, 0, NULL, CTL_AS_ADMIN, run_health,
		"what needs care: store, files, mail, authorities, certificates, keeper, signer"},
	{"doctor", NULL, "", 0, 0, NULL, CTL_AS_ROOT, run_doctor,
		"all that can be wrong with this host, and what to do"},
	{.noun = NULL}};
