/* quintetctl user: the accounts. What takes rights away rings the bells of the live sessions. */
#include "user.h"
#include "mail.h"

#include "auth/name.h"
#include "auth/password.h"
#include "base/timefmt.h"
#include "store/account.h"
#include "store/cert.h"
#include "store/file.h"
#include "store/session.h"

#include <errno.h>

/* -- add and password: the password is read with the caller's rights ------------------------------
 */

enum { OPT_PASSWORD_FILE, OPT_ADMIN, OPT_NO_PASSWORD };
static const struct ctl_option add_options[] = {{"password-file", "FILE", false},
	{"admin", NULL, false}, {"no-password", NULL, false}, {.name = NULL}};
static const struct ctl_option password_options[] = {
	{"password-file", "FILE", false}, {.name = NULL}};

struct secret_job {
	char name[ACCOUNT_NAME_SIZE];
	struct buf password;
	uint32_t flags;
};
#define SECRET_JOB_INIT ((struct secret_job){.password = {.max = PASSWORD_MAX + 1}})

static void secret_job_done(struct secret_job *j)
{
	buf_wipe(&j->password);
}

/* The store, and the hash of what was read ("" for no password). */
static int prepare(struct ctl *c, const struct secret_job *j, char ret_hash[PASSWORD_HASH_SIZE])
{
	int r = ctl_store(c, STORE_WRITE);

	ret_hash[0] = '\0';
	if (r != CTL_OK || j->password.len == 0)
		return r;
	r = password_hash(buf_span(&j->password), NULL, ret_hash);
	return r < 0 ? ctl_fail(r, "cannot hash the password") : CTL_OK;
}

/* A name that is given again finds what its former owner left. */
static void warn_of_left(struct ctl *c, const char *name)
{
	struct file_usage u = {0};
	struct mail_totals m = {0};

	if (mail_count(c, name, &m) == 0 && m.messages > 0)
		ctl_warn("note: mail of the former account %s is the new one's now: %llu messages",
			name, (unsigned long long)m.messages);
	if (file_usage_get(c->store, name, &u) == 0 && u.files > 0)
		ctl_warn("note: files of the former account %s are the new one's now: %llu", name,
			(unsigned long long)u.files);
}

static int add_part(struct ctl *c, void *arg, struct buf *reply)
{
	const struct secret_job *j = (const struct secret_job *)arg;
	struct account_create_args args = {
		.flags = j->flags, .admin_act = true, .peer = CTL_BY, .service = CTL_BY};
	int r = prepare(c, j, args.password);

	(void)reply;
	if (r != CTL_OK)
		return r;
	(void)snprintf(args.name, sizeof(args.name), "%s", j->name);
	args.now_us = time_now_us();
	r = store_call(c->store, STORE_OP_ACCOUNT_CREATE, &args, NULL);
	explicit_bzero(args.password, sizeof(args.password));
	if (r == -EEXIST) {
		ctl_warn("the name %s is taken", j->name);
		return CTL_REFUSED;
	}
	if (r < 0)
		return ctl_fail(r, "cannot add %s", j->name);
	warn_of_left(c, j->name);
	return CTL_OK;
}

static int run_add(struct ctl *c, const struct ctl_args *a)
{
	_cleanup_(secret_job_done) struct secret_job j = SECRET_JOB_INIT;
	int r = ctl_name(a->word[0], j.name);

	if (r == CTL_OK && name_is_reserved(j.name, c->settings.domain))
		ctl_warn("note: %s is a reserved name", j.name);
	if (r == CTL_OK && a->option[OPT_NO_PASSWORD] == NULL)
		r = ctl_password_read(a->option[OPT_PASSWORD_FILE], j.name, &j.password);
	if (r != CTL_OK)
		return r;
	j.flags = a->option[OPT_ADMIN] != NULL ? ACCOUNT_ADMIN : 0;
	r = ctl_as_admin(c, add_part, &j, NULL);
	if (r == CTL_OK)
		ctl_say(c, "Account %s added.", j.name);
	return r;
}

int user_not_the_house(const char *name)
{
	if (strcmp(name, CTL_HOUSE) != 0)
		return CTL_OK;
	ctl_warn("%s is the account of the services themselves", name);
	return CTL_REFUSED;
}

int user_failed(int error, const char *name)
{
	if (error != -ENOENT)
		return ctl_fail(error, "account %s", name);
	ctl_warn("there is no account %s", name);
	return CTL_REFUSED;
}

static int password_part(struct ctl *c, void *arg, struct buf *reply)
{
	const struct secret_job *j = (const struct secret_job *)arg;
	struct account_password_args args = {.peer = CTL_BY, .service = CTL_BY};
	int r = prepare(c, j, args.password);

	(void)reply;
	if (r != CTL_OK)
		return r;
	(void)snprintf(args.name, sizeof(args.name), "%s", j->name);
	args.now_us = time_now_us();
	r = store_call(c->store, STORE_OP_ACCOUNT_PASSWORD, &args, NULL);
	explicit_bzero(args.password, sizeof(args.password));
	if (r < 0)
		return user_failed(r, j->name);
	ctl_ring(c, j->name);
	return CTL_OK;
}

static int run_password(struct ctl *c, const struct ctl_args *a)
{
	_cleanup_(secret_job_done) struct secret_job j = SECRET_JOB_INIT;
	int r = ctl_name(a->word[0], j.name);

	if (r == CTL_OK)
		r = user_not_the_house(j.name);
	if (r == CTL_OK)
		r = ctl_password_read(a->option[OPT_PASSWORD_FILE], j.name, &j.password);
	if (r == CTL_OK)
		r = ctl_as_admin(c, password_part, &j, NULL);
	if (r == CTL_OK)
		ctl_say(c, "Password of %s changed; its sessions opened by password end now.",
			j.name);
	return r;
}

/* -- list and show --------------------------------------------------------------------------------
 */

static const char *role_of(const struct account *a)
{
	if (a->flags & ACCOUNT_HOST)
		return "host";
	return a->flags & ACCOUNT_ADMIN ? "admin" : "user";
}

static void account_cells(struct ctl_table *t, const struct account *a)
{
	ctl_cell(t, "%s", a->name);
	ctl_cell(t, "%s", role_of(a));
	ctl_cell(t, "%s", a->flags & ACCOUNT_LOCKED ? "locked" : "open");
	ctl_cell_time(t, a->created_us);
	ctl_cell_time(t, a->password_us);
}

static void usage_cells(struct ctl_table *t, const struct file_usage *u)
{
	ctl_cell(t, "%llu", (unsigned long long)u->files);
	ctl_cell(t, "%llu", (unsigned long long)u->bytes);
	ctl_cell(t, "%llu", (unsigned long long)u->quota);
}

struct listing {
	struct store *store;
	struct ctl_table *table;
};

static int list_one(void *arg, const struct account *a)
{
	const struct listing *l = (const struct listing *)arg;
	struct file_usage u = {0};
	int r = file_usage_get(l->store, a->name, &u);

	account_cells(l->table, a);
	usage_cells(l->table, &u);
	return r;
}

static int run_list(struct ctl *c, const struct ctl_args *a)
{
	static const struct ctl_column columns[] = {{"name", CTL_TEXT}, {"role", CTL_TEXT},
		{"state", CTL_TEXT}, {"created", CTL_TEXT}, {"password_set", CTL_TEXT},
		{"files", CTL_NUMBER}, {"bytes", CTL_NUMBER}, {"quota", CTL_NUMBER}};
	_cleanup_(ctl_table_done) struct ctl_table t = CTL_TABLE(columns);
	struct listing l = {.table = &t};
	int r = ctl_store(c, STORE_READ);

	(void)a;
	if (r != CTL_OK)
		return r;
	l.store = c->store;
	r = account_each(c->store, "", list_one, &l);
	return r < 0 ? ctl_fail(r, "cannot list the accounts") : ctl_table_rows(c, &t);
}

struct counts {
	const char *name;
	int64_t now_us;
	unsigned certificates, sessions;
};

static int count_cert(void *arg, const struct cert *cert)
{
	struct counts *n = (struct counts *)arg;

	n->certificates += cert->state == CERT_ISSUED && cert->not_after_us > n->now_us;
	return 0;
}

static int count_session(void *arg, const struct session_row *row)
{
	struct counts *n = (struct counts *)arg;

	n->sessions += strcmp(row->account, n->name) == 0 && session_alive(row);
	return 0;
}

static int run_show(struct ctl *c, const struct ctl_args *a)
{
	static const struct ctl_column columns[] = {{"name", CTL_TEXT}, {"role", CTL_TEXT},
		{"state", CTL_TEXT}, {"created", CTL_TEXT}, {"password_set", CTL_TEXT},
		{"valid_certificates", CTL_NUMBER}, {"live_sessions", CTL_NUMBER},
		{"files", CTL_NUMBER}, {"bytes", CTL_NUMBER}, {"quota", CTL_NUMBER},
		{"interrupted_uploads_bytes", CTL_NUMBER}, {"reserved_bytes", CTL_NUMBER},
		{"ftp_unbound", CTL_BOOL}};
	_cleanup_(ctl_table_done) struct ctl_table t = CTL_TABLE(columns);
	struct counts n = {.now_us = time_now_us()};
	struct file_usage u = {0};
	char name[ACCOUNT_NAME_SIZE];
	struct account account;
	int r = ctl_name(a->word[0], name);

	if (r == CTL_OK)
		r = ctl_store(c, STORE_READ);
	if (r != CTL_OK)
		return r;
	n.name = name;
	r = account_get(c->store, name, &account);
	if (r == 0)
		r = cert_each(c->store, name, INT64_MAX, count_cert, &n);
	if (r == 0)
		r = session_each(c->store, NULL, count_session, &n);
	if (r == 0)
		r = file_usage_get(c->store, name, &u);
	if (r < 0)
		return user_failed(r, name);
	account_cells(&t, &account);
	explicit_bzero(account.password, sizeof(account.password));
	ctl_cell(&t, "%u", n.certificates);
	ctl_cell(&t, "%u", n.sessions);
	usage_cells(&t, &u);
	ctl_cell(&t, "%llu", (unsigned long long)u.partial_bytes);
	ctl_cell(&t, "%llu", (unsigned long long)u.reserved);
	ctl_cell_bool(&t, (account.flags & ACCOUNT_FTP_UNBOUND) != 0);
	return ctl_table_record(c, &t);
}

/* -- lock, unlock, admin ------------------------------------------------------------------
 */

static int change(struct ctl *c, const char *text, uint32_t set, uint32_t clear)
{
	struct account_flags_args args = {.set = set, .clear = clear, .now_us = time_now_us()};
	int r = ctl_name(text, args.name);

	if (r == CTL_OK && set != 0)
		r = user_not_the_house(args.name);
	if (r == CTL_OK)
		r = ctl_store(c, STORE_WRITE);
	if (r != CTL_OK)
		return r;
	r = store_call(c->store, STORE_OP_ACCOUNT_FLAGS, &args, NULL);
	if (r < 0)
		return user_failed(r, args.name);
	ctl_ring(c, args.name);
	return CTL_OK;
}

static int run_lock(struct ctl *c, const struct ctl_args *a)
{
	int r = change(c, a->word[0], ACCOUNT_LOCKED, 0);

	if (r == CTL_OK)
		ctl_say(c, "Account %s locked; its sessions end now.", a->word[0]);
	return r;
}

static int run_unlock(struct ctl *c, const struct ctl_args *a)
{
	int r = change(c, a->word[0], 0, ACCOUNT_LOCKED);

	if (r == CTL_OK)
		ctl_say(c, "Account %s unlocked.", a->word[0]);
	return r;
}

/* "NAME on|off" for one flag. */
static int change_switch(struct ctl *c, const struct ctl_args *a, uint32_t flag, bool *ret_on)
{
	bool on = strcmp(a->word[1], "on") == 0;

	if (!on && strcmp(a->word[1], "off") != 0) {
		ctl_warn("\"on\" or \"off\", not \"%s\"", a->word[1]);
		return CTL_USAGE;
	}
	*ret_on = on;
	return change(c, a->word[0], on ? flag : 0, on ? 0 : flag);
}

static int run_admin(struct ctl *c, const struct ctl_args *a)
{
	bool on = false;
	int r = change_switch(c, a, ACCOUNT_ADMIN, &on);

	if (r == CTL_OK)
		ctl_say(c, "Account %s is %s administrator.", a->word[0], on ? "an" : "no");
	return r;
}

static int run_ftp_unbound(struct ctl *c, const struct ctl_args *a)
{
	bool on = false;
	int r = change_switch(c, a, ACCOUNT_FTP_UNBOUND, &on);

	if (r == CTL_OK)
		ctl_say(c,
			"FTP data connections of %s %s resume the TLS session of the log-in "
			"from the next log-in on.",
			a->word[0], on ? "need not" : "must");
	return r;
}

const struct ctl_command ctl_user_commands[] = {
	{"user", "add", "NAME", 1, 1, add_options, CTL_AS_ROOT, run_add, "add an account"},
	{"user", "list", "", 0, 0, NULL, CTL_AS_ADMIN, run_list, "list the accounts"},
	{"user", "show", "NAME", 1, 1, NULL, CTL_AS_ADMIN, run_show, "show one account"},
	{"user", "lock", "NAME", 1, 1, NULL, CTL_AS_ADMIN, run_lock,
		"refuse all log-ins and end the live sessions"},
	{"user", "unlock", "NAME", 1, 1, NULL, CTL_AS_ADMIN, run_unlock, "undo a lock"},
	{"user", "admin", "NAME on|off", 2, 2, NULL, CTL_AS_ADMIN, run_admin,
		"make or unmake an administrator"},
	{"user", "ftp-unbound", "NAME on|off", 2, 2, NULL, CTL_AS_ADMIN, run_ftp_unbound,
		"let its FTP data connections come without the log-in's TLS session"},
	{"user", "password", "NAME", 1, 1, password_options, CTL_AS_ROOT, run_password,
		"set a new password"},
	{.noun = NULL}};
