/* quintetctl mail: what accounts have in their mailboxes, in numbers; nobody's letters are shown.
 */
#include "mail.h"

#include "base/timefmt.h"

#include <errno.h>

struct listing {
	struct ctl_table *table;
	struct store_txn *txn;
	const char *account;
};

/* -- all accounts ------------------------------------------------------------------------------ */

static int list_account(struct listing *l, const char *account)
{
	struct mail_totals totals = {0};
	struct mail_usage usage = {0};
	uint32_t fresh = 0;
	int r = mail_totals(l->txn, account, &totals);

	if (r == 0)
		r = mail_usage_read(l->txn, account, &usage);
	if (r == 0)
		r = mail_notices_count(l->txn, account, &fresh);
	if (r < 0 || totals.boxes == 0)
		return r;
	ctl_cell(l->table, "%s", account);
	ctl_cell(l->table, "%llu", (unsigned long long)totals.boxes);
	ctl_cell(l->table, "%llu", (unsigned long long)totals.messages);
	ctl_cell(l->table, "%llu", (unsigned long long)totals.bytes);
	ctl_cell(l->table, "%llu", (unsigned long long)usage.limit);
	ctl_cell(l->table, "%u", fresh);
	return 0;
}

static int list_one(void *arg, const struct account *a)
{
	struct listing *l = (struct listing *)arg;

	return list_account(l, a->name);
}

struct everybody {
	struct listing l;
	struct store *store;
};

static int list_all(struct store_txn *txn, void *arg)
{
	struct everybody *e = (struct everybody *)arg;

	e->l.txn = txn;
	return account_each(e->store, "", list_one, &e->l); /* in this same view */
}

static int show_accounts(struct ctl *c)
{
	static const struct ctl_column columns[] = {{"account", CTL_TEXT},
		{"mailboxes", CTL_NUMBER}, {"messages", CTL_NUMBER}, {"bytes", CTL_NUMBER},
		{"quota", CTL_NUMBER}, {"new_notices", CTL_NUMBER}};
	_cleanup_(ctl_table_done) struct ctl_table t = CTL_TABLE(columns);
	struct everybody e = {{.table = &t}, c->store};
	int r = store_view(c->store, list_all, &e);

	return r < 0 ? ctl_fail(r, "cannot list the accounts' mail") : ctl_table_rows(c, &t);
}

/* -- one account ------------------------------------------------------------------------------- */

static const char *use_word(enum mail_use use)
{
	static const char *const words[] = {
		[MAIL_USE_NONE] = "",
		[MAIL_USE_SENT] = "sent",
		[MAIL_USE_DRAFTS] = "drafts",
		[MAIL_USE_TRASH] = "trash",
		[MAIL_USE_JUNK] = "junk",
		[MAIL_USE_ARCHIVE] = "archive",
		[MAIL_USE_FLAGGED] = "flagged",
	};

	return (size_t)use < sizeof(words) / sizeof(words[0]) ? words[use] : "";
}

static int list_box(void *arg, const struct mail_box *b)
{
	struct listing *l = (struct listing *)arg;

	if (b->id == 0)
		return 0;
	ctl_cell(l->table, "%s", b->name);
	ctl_cell(l->table, "%s", use_word(b->use));
	ctl_cell(l->table, "%u", b->messages);
	ctl_cell(l->table, "%u", b->unseen);
	ctl_cell(l->table, "%llu", (unsigned long long)b->bytes);
	ctl_cell(l->table, "%u", b->validity);
	ctl_cell(l->table, "%u", b->uid_next);
	ctl_cell(l->table, "%llu", (unsigned long long)b->modseq);
	return 0;
}

static int list_boxes(struct store_txn *txn, void *arg)
{
	struct listing *l = (struct listing *)arg;
	struct account owner;
	int r = account_read(txn, l->account, &owner);

	return r < 0 ? r : mail_boxes_each(txn, l->account, list_box, l);
}

static int show_boxes(struct ctl *c, const char *word)
{
	static const struct ctl_column columns[] = {{"mailbox", CTL_TEXT}, {"use", CTL_TEXT},
		{"messages", CTL_NUMBER}, {"unseen", CTL_NUMBER}, {"bytes", CTL_NUMBER},
		{"uidvalidity", CTL_NUMBER}, {"uidnext", CTL_NUMBER}, {"modseq", CTL_NUMBER}};
	_cleanup_(ctl_table_done) struct ctl_table t = CTL_TABLE(columns);
	char name[ACCOUNT_NAME_SIZE];
	struct listing l = {.table = &t, .account = name};
	int r = ctl_name(word, name);

	if (r != CTL_OK)
		return r;
	r = store_view(c->store, list_boxes, &l);
	if (r == -ENOENT) {
		ctl_warn("there is no account %s", name);
		return CTL_REFUSED;
	}
	return r < 0 ? ctl_fail(r, "cannot list the mailboxes of %s", name) : ctl_table_rows(c, &t);
}

static int run_mail(struct ctl *c, const struct ctl_args *a)
{
	int r = ctl_store(c, STORE_READ);

	if (r != CTL_OK)
		return r;
	return a->words > 0 ? show_boxes(c, a->word[0]) : show_accounts(c);
}

/* -- what others ask --------------------------------------------------------------------------- */

struct asked {
	const char *account;
	struct mail_totals *ret;
};

static int totals_view(struct store_txn *txn, void *arg)
{
	const struct asked *q = (const struct asked *)arg;

	return mail_totals(txn, q->account, q->ret);
}

int mail_count(struct ctl *c, const char *account, struct mail_totals *ret)
{
	struct asked q = {account, ret};

	return store_view(c->store, totals_view, &q);
}

const struct ctl_command ctl_mail_commands[] = {
	{"mail", NULL, "[NAME]", 0, 1, NULL, CTL_AS_ADMIN, run_mail,
		"mailboxes, messages and bytes of all accounts, or the mailboxes of one"},
	{.noun = NULL}};
