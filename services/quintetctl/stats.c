/* quintetctl stats and metrics: the store in numbers, for people and for Prometheus. */
#include "ctl.h"

#include "base/timefmt.h"
#include "service/figures.h"

#include <errno.h>

static const struct ctl_column columns[] = {
	{"accounts", CTL_NUMBER},
	{"accounts_locked", CTL_NUMBER},
	{"accounts_admins", CTL_NUMBER},
	{"invites", CTL_NUMBER},
	{"throttled", CTL_NUMBER},
	{"certificates_valid", CTL_NUMBER},
	{"certificates_expiring", CTL_NUMBER},
	{"certificates_expired", CTL_NUMBER},
	{"certificates_revoked", CTL_NUMBER},
	{"certificates_begun", CTL_NUMBER},
	{"sessions", CTL_NUMBER},
	{"sessions_by_service", CTL_TEXT},
	{"files", CTL_NUMBER},
	{"files_bytes", CTL_NUMBER},
	{"interrupted_uploads", CTL_NUMBER},
	{"interrupted_uploads_bytes", CTL_NUMBER},
	{"chat_channels", CTL_NUMBER},
	{"chat_present", CTL_NUMBER},
	{"chat_events", CTL_NUMBER},
	{"chat_bytes", CTL_NUMBER},
	{"mailboxes", CTL_NUMBER},
	{"mail_messages", CTL_NUMBER},
	{"mail_bytes", CTL_NUMBER},
	{"mail_expunged_bytes", CTL_NUMBER},
	{"receipts_due", CTL_NUMBER},
	{"bodies_in_store", CTL_NUMBER},
	{"bodies_in_files", CTL_NUMBER},
	{"bodies_bytes", CTL_NUMBER},
	{"audit_rows", CTL_NUMBER},
	{"audit_closed", CTL_NUMBER},
	{"audit_since", CTL_TEXT},
	{"map_bytes", CTL_NUMBER},
	{"map_used_bytes", CTL_NUMBER},
	{"map_free_bytes", CTL_NUMBER},
};

static void number(struct ctl_table *t, uint64_t n)
{
	ctl_cell(t, "%llu", (unsigned long long)n);
}

static void session_cells(struct ctl_table *t, const struct store_stats *s)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1024);
	uint64_t live = 0;

	for (size_t i = 0; i < s->service_count; i++) {
		live += s->services[i].live;
		if (s->services[i].live > 0)
			buf_addf(&text, "%s%s %llu", text.len > 0 ? ", " : "", s->services[i].name,
				(unsigned long long)s->services[i].live);
	}
	number(t, live);
	ctl_cell_span(t, buf_span(&text));
}

static void account_cells(struct ctl_table *t, const struct store_stats *s)
{
	number(t, s->accounts.people);
	number(t, s->accounts.locked);
	number(t, s->accounts.admins);
	number(t, s->accounts.invites);
	number(t, s->accounts.throttled);
	number(t, s->certs.valid);
	number(t, s->certs.expiring);
	number(t, s->certs.expired);
	number(t, s->certs.revoked);
	number(t, s->certs.intents);
}

static void content_cells(struct ctl_table *t, const struct store_stats *s)
{
	number(t, s->files.files);
	number(t, s->files.bytes);
	number(t, s->files.partials);
	number(t, s->files.partial_bytes);
	number(t, s->chat.channels);
	number(t, s->chat.present);
	number(t, s->chat.events);
	number(t, s->chat.bytes);
	number(t, s->mail.boxes);
	number(t, s->mail.messages);
	number(t, s->mail.bytes);
	number(t, s->mail.held);
	number(t, s->mail.due);
	number(t, s->blobs.inlined);
	number(t, s->blobs.files);
	number(t, s->blobs.bytes);
	number(t, s->audit.rows);
	number(t, s->audit.closed);
	ctl_cell_time(t, s->audit.oldest_us);
}

static int run_stats(struct ctl *c, const struct ctl_args *a)
{
	struct ctl_table t = CTL_TABLE(columns);
	struct store_stats s = {.service_count = 0};
	struct store_health h = {0};
	int r = ctl_store(c, STORE_READ);

	(void)a;
	if (r != CTL_OK)
		return r;
	r = store_stats(
		c->store, time_now_us(), FIGURES_SOON_DAYS * INT64_C(86400) * TIME_S_US, &s);
	if (r == 0)
		r = store_health(c->store, &h);
	if (r < 0)
		return ctl_fail(r, "cannot count");
	account_cells(&t, &s);
	session_cells(&t, &s);
	content_cells(&t, &s);
	number(&t, h.map_bytes);
	number(&t, h.used_bytes);
	number(&t, h.free_bytes);
	return ctl_table_record(c, &t);
}

static int run_metrics(struct ctl *c, const struct ctl_args *a)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(FIGURES_TEXT_MAX);
	static struct figures f; /* large, and this process prints it once */
	int r = ctl_store(c, STORE_READ);

	(void)a;
	if (r != CTL_OK)
		return r;
	r = figures_read(&c->settings, c->store, &f);
	if (r == 0)
		r = figures_write(&f, &text);
	if (r < 0)
		return ctl_fail(r, "cannot gather the figures");
	if (fwrite(text.p, 1, text.len, stdout) != text.len || fflush(stdout) != 0)
		return ctl_fail(-errno, "cannot print");
	return CTL_OK;
}

const struct ctl_command ctl_stats_commands[] = {
	{"stats", NULL, "", 0, 0, NULL, CTL_AS_ADMIN, run_stats,
		"how much there is of everything: accounts, certificates, files, chat, mail"},
	{"metrics", NULL, "", 0, 0, NULL, CTL_AS_ADMIN, run_metrics,
		"the figures that metricsd gives to Prometheus"},
	{.noun = NULL}};
