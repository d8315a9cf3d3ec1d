/* quintetctl audit: the hash-chained record of what was done and refused. */
#include "ctl.h"

#include "base/timefmt.h"
#include "store/audit.h"

#include <errno.h>

enum { OPT_VERIFY, OPT_ACCOUNT, OPT_EVENT, OPT_FROM, OPT_LAST };
static const struct ctl_option audit_options[] = {{"verify", NULL, false},
	{"account", "NAME", false}, {"event", "EVENT", false}, {"from", "NUMBER", false},
	{"last", "N", false}, {.name = NULL}};

struct choice {
	struct ctl_table table;
	const char *account, *event; /* NULL: any */
	uint64_t skip; /* of the rows that fit: only the last ones are wanted */
	uint64_t fit;
	bool counting;
};

static void choice_done(struct choice *ch)
{
	ctl_table_done(&ch->table);
}

static bool fits(const struct choice *ch, const struct audit_row *row)
{
	return (ch->account == NULL || strcmp(ch->account, row->account) == 0) &&
		(ch->event == NULL || strcmp(ch->event, row->event) == 0);
}

static int one(void *arg, const struct audit_row *row)
{
	struct choice *ch = (struct choice *)arg;

	if (!fits(ch, row) || ++ch->fit <= ch->skip || ch->counting)
		return 0;
	ctl_cell(&ch->table, "%llu", (unsigned long long)row->seq);
	ctl_cell_time(&ch->table, row->at_us);
	ctl_cell(&ch->table, "%s", row->event);
	ctl_cell(&ch->table, "%s", row->account);
	ctl_cell(&ch->table, "%s", row->by);
	ctl_cell(&ch->table, "%s", row->detail);
	return 0;
}

static int list(struct ctl *c, struct choice *ch, uint64_t from, uint64_t last)
{
	int r = 0;

	if (last > 0) {
		ch->counting = true;
		r = audit_each(c->store, from, one, ch);
		ch->counting = false;
		ch->skip = ch->fit > last ? ch->fit - last : 0;
		ch->fit = 0;
	}
	if (r >= 0)
		r = audit_each(c->store, from, one, ch);
	return r < 0 ? ctl_fail(r, "cannot list the audit rows") : ctl_table_rows(c, &ch->table);
}

static int verify(struct ctl *c)
{
	static const struct ctl_column columns[] = {{"intact", CTL_BOOL}, {"rows", CTL_NUMBER},
		{"head", CTL_TEXT}, {"first_bad", CTL_NUMBER}, {"closed_through", CTL_NUMBER},
		{"closed_at", CTL_TEXT}, {"closed_hash", CTL_TEXT}};
	_cleanup_(ctl_table_done) struct ctl_table t = CTL_TABLE(columns);
	_cleanup_(choice_done) struct choice ch = {.counting = true};
	struct audit_closed closed = {.seq = 0};
	unsigned char head[32] = {0};
	uint64_t bad = 0;
	int r = audit_verify(c->store, &bad, head), status;

	if (r < 0 && r != -EBADMSG)
		return ctl_fail(r, "cannot verify the audit rows");
	if ((audit_each(c->store, 0, one, &ch) < 0 || audit_closed_get(c->store, &closed) < 0) &&
		r == 0)
		r = -EBADMSG;
	ctl_cell_bool(&t, r == 0);
	ctl_cell(&t, "%llu", (unsigned long long)ch.fit);
	ctl_cell_hex(&t, head, r == 0 ? sizeof(head) : 0);
	if (r == 0)
		ctl_cell(&t, "%s", "");
	else
		ctl_cell(&t, "%llu", (unsigned long long)bad);
	ctl_cell(&t, "%llu", (unsigned long long)closed.seq);
	ctl_cell_time(&t, closed.at_us);
	ctl_cell_hex(&t, closed.hash, closed.seq > 0 ? sizeof(closed.hash) : 0);
	status = ctl_table_record(c, &t);
	if (r == 0)
		return status;
	ctl_warn("row %llu does not fit the chain: the record was changed behind our back",
		(unsigned long long)bad);
	return CTL_REFUSED;
}

static int run_audit(struct ctl *c, const struct ctl_args *a)
{
	static const struct ctl_column columns[] = {{"number", CTL_NUMBER}, {"at", CTL_TEXT},
		{"event", CTL_TEXT}, {"account", CTL_TEXT}, {"by", CTL_TEXT}, {"detail", CTL_TEXT}};
	_cleanup_(choice_done) struct choice ch = {.table = CTL_TABLE(columns)};
	uint64_t from = 0, last = 0;
	int r = CTL_OK;

	if (a->words > 0 && strcmp(a->word[0], "list") != 0) {
		ctl_warn("audit: \"list\" or --verify, not \"%s\"", a->word[0]);
		return CTL_USAGE;
	}
	ch.account = a->option[OPT_ACCOUNT];
	ch.event = a->option[OPT_EVENT];
	if (a->option[OPT_FROM] != NULL)
		r = ctl_number("--from", a->option[OPT_FROM], 0, UINT64_MAX, &from);
	if (r == CTL_OK && a->option[OPT_LAST] != NULL)
		r = ctl_number("--last", a->option[OPT_LAST], 1, UINT32_MAX, &last);
	if (r == CTL_OK)
		r = ctl_store(c, STORE_READ);
	if (r != CTL_OK)
		return r;
	return a->option[OPT_VERIFY] != NULL ? verify(c) : list(c, &ch, from, last);
}

const struct ctl_command ctl_audit_commands[] = {
	{"audit", NULL, "[list]", 0, 1, audit_options, CTL_AS_ADMIN, run_audit,
		"list the audit rows; with --verify check their chain"},
	{.noun = NULL}};
