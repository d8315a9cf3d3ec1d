/*
 * quintetctl user remove: an account goes, its sessions end, and what becomes of its files and its
 * mail is the administrator's word. The same command again finishes what was cut off, and disposes
 * later of what was kept.
 */
#include "chat.h"
#include "leave.h"
#include "mail.h"
#include "user.h"

#include "base/timefmt.h"
#include "store/file.h"
#include "store/session.h"

#include <errno.h>
#include <poll.h>

enum { OPT_FILES, OPT_TO, OPT_MAIL };
static const struct ctl_option remove_options[] = {{"files", "keep|delete|give", false},
	{"to", "NAME", false}, {"mail", "delete|keep", false}, {.name = NULL}};

enum files_fate { FILES_KEEP, FILES_DELETE, FILES_GIVE };

struct removal {
	struct ctl *c;
	char name[ACCOUNT_NAME_SIZE];
	enum files_fate files;
	char heir[ACCOUNT_NAME_SIZE];
	bool keep_mail, mail_said; /* said: by option */
	bool gone; /* the account was removed before: only what it left is looked after */
	unsigned revoked;
	unsigned ended, still; /* live sessions */
};

enum { END_MS = 5000, LOOK_EVERY_MS = 20 };

/* -- what was asked for -------------------------------------------------------------------------
 */

static int read_files(struct removal *m, const struct ctl_args *a)
{
	static const char *const words[] = {"keep", "delete", "give"};
	const char *given = a->option[OPT_FILES] != NULL ? a->option[OPT_FILES] : words[0];
	size_t i = 0;

	while (i < sizeof(words) / sizeof(words[0]) && strcmp(given, words[i]) != 0)
		i++;
	if (i == sizeof(words) / sizeof(words[0])) {
		ctl_warn("--files: keep, delete or give, not \"%s\"", given);
		return CTL_USAGE;
	}
	m->files = (enum files_fate)i;
	if ((m->files == FILES_GIVE) != (a->option[OPT_TO] != NULL)) {
		ctl_warn("--files give needs --to NAME, and nothing else does");
		return CTL_USAGE;
	}
	return m->files == FILES_GIVE ? ctl_name(a->option[OPT_TO], m->heir) : CTL_OK;
}

static int read_mail(struct removal *m, const struct ctl_args *a)
{
	const char *given = a->option[OPT_MAIL] != NULL ? a->option[OPT_MAIL] : "delete";

	m->mail_said = a->option[OPT_MAIL] != NULL;
	m->keep_mail = strcmp(given, "keep") == 0;
	if (m->keep_mail || strcmp(given, "delete") == 0)
		return CTL_OK;
	ctl_warn("--mail: delete or keep, not \"%s\"", given);
	return CTL_USAGE;
}

/* -- the account --------------------------------------------------------------------------------
 */

static int count_session(void *arg, const struct session_row *row)
{
	struct removal *m = (struct removal *)arg;

	m->still += strcmp(row->account, m->name) == 0 && session_alive(row);
	return 0;
}

static int count_sessions(struct removal *m)
{
	m->still = 0;
	return session_each(m->c->store, NULL, count_session, m);
}

/* They were rung; nothing is done to files that one of them may still be writing. */
static void wait_for_sessions(struct removal *m)
{
	const int64_t end_ms = time_monotonic_ms() + END_MS;

	m->ended = m->still;
	while (m->still > 0 && time_monotonic_ms() < end_ms && count_sessions(m) == 0)
		if (m->still > 0)
			(void)poll(NULL, 0, LOOK_EVERY_MS);
	m->ended -= m->still < m->ended ? m->still : m->ended;
}

/* What was kept of an account of before, or nothing: the refusal. */
static int remove_left(struct removal *m, int error)
{
	int left = leave_is_there(m->c, m->name);

	if (error == -ENOENT && left != 1)
		return left < 0 ? left : -ENOENT;
	m->gone = true;
	return 0;
}

static int remove_account(struct removal *m)
{
	struct account_remove_args args = {.now_us = time_now_us()};
	struct account_remove_result done = {0};
	struct account account;
	int r = account_get(m->c->store, m->name, &account);

	(void)snprintf(args.name, sizeof(args.name), "%s", m->name);
	m->gone = r == -ENOENT;
	/* What was kept once goes only by an order of its own. */
	m->keep_mail |= m->gone && !m->mail_said;
	args.keep_mail = m->keep_mail;
	if (r == 0)
		r = count_sessions(m);
	if (r == 0 || m->gone)
		r = store_call(m->c->store, STORE_OP_ACCOUNT_REMOVE, &args, &done);
	if (m->gone && (r == 0 || r == -ENOENT))
		return remove_left(m, r);
	if (r < 0)
		return r;
	m->revoked = done.revoked;
	ctl_ring(m->c, m->name);
	wait_for_sessions(m);
	return 0;
}

/* -- saying -------------------------------------------------------------------------------------
 */

static void say_of_account(const struct removal *m)
{
	if (m->gone) {
		ctl_say(m->c, "There is no account %s any more; what it left:", m->name);
		return;
	}
	ctl_say(m->c,
		"Account %s removed; certificates revoked: %u. The name stays free of others "
		"for 90 days.",
		m->name, m->revoked);
	ctl_say(m->c, "Its sessions have ended: %u.", m->ended);
	if (m->still > 0)
		ctl_warn("%u of its sessions have not ended yet: quintetctl top", m->still);
}

static void say_of_mail(const struct removal *m, const struct mail_totals *t)
{
	const unsigned long long messages = t->messages, boxes = t->boxes;

	if (m->gone && t->boxes == 0)
		return;
	if (m->keep_mail)
		ctl_say(m->c,
			"Its mail is kept; messages: %llu, mailboxes: %llu. quintetctl user add %s "
			"brings it back; user remove %s --mail delete removes it.",
			messages, boxes, m->name, m->name);
	else
		ctl_say(m->c,
			"Its mail is removed; messages: %llu, mailboxes: %llu. The next sweep frees "
			"their room.",
			messages, boxes);
}

static void say_of_kept(const struct removal *m)
{
	struct file_usage u = {0};

	if (file_usage_get(m->c->store, m->name, &u) != 0)
		return;
	if (u.files == 0 && leave_is_there(m->c, m->name) == 0) {
		ctl_say(m->c, "It has left no files.");
		return;
	}
	ctl_say(m->c,
		"Its files stay: %llu (%llu bytes) by the store's count, in %s/files/shared and "
		"%s/files/home/%s. Nobody can sign up under the name while it owns any. "
		"quintetctl user remove %s --files delete, or --files give --to NAME, disposes of "
		"them.",
		(unsigned long long)u.files, (unsigned long long)u.bytes, m->c->settings.state,
		m->c->settings.state, m->name, m->name);
}

static void say_of_files(const struct removal *m, const struct leave_counts *n)
{
	if (m->files == FILES_DELETE)
		ctl_say(m->c,
			"Its home is deleted, and in /shared files: %llu, folders: %llu. Folders "
			"that hold what is others', and are nobody's now: %llu.",
			(unsigned long long)n->files, (unsigned long long)n->folders,
			(unsigned long long)n->shared);
	else
		ctl_say(m->c, "Its files are %s's now; files: %llu, folders: %llu%s%s%s.", m->heir,
			(unsigned long long)n->files, (unsigned long long)n->folders,
			n->place[0] != '\0' ? "; what was its home is the folder " : "", n->place,
			n->place[0] != '\0' ? " in the new owner's" : "");
}

/* -- all ----------------------------------------------------------------------------------------
 */

static int dispose(const struct removal *m)
{
	struct leave_counts n = {.files = 0};
	char detail[128];
	int r;

	if (m->files == FILES_KEEP) {
		say_of_kept(m);
		return CTL_OK;
	}
	r = m->files == FILES_DELETE ? leave_delete(m->c, m->name, &n)
				     : leave_give(m->c, m->name, m->heir, &n);
	(void)snprintf(detail, sizeof(detail), "files=%llu folders=%llu%s%s",
		(unsigned long long)n.files, (unsigned long long)n.folders,
		m->files == FILES_GIVE ? " to=" : " deleted", m->heir);
	(void)ctl_audit(m->c, "account-files", m->name, detail);
	if (r < 0)
		return ctl_fail(r,
			"not all files of %s could be %s; the same command goes on with them",
			m->name, m->files == FILES_DELETE ? "deleted" : "given");
	say_of_files(m, &n);
	return CTL_OK;
}

static int prepare(struct removal *m, const struct ctl_args *a)
{
	int r = ctl_name(a->word[0], m->name);

	if (r == CTL_OK)
		r = user_not_the_house(m->name);
	if (r == CTL_OK)
		r = read_files(m, a);
	if (r == CTL_OK)
		r = read_mail(m, a);
	if (r == CTL_OK)
		r = ctl_store(m->c, STORE_WRITE);
	if (r == CTL_OK && m->files == FILES_GIVE)
		r = leave_check_heir(m->c, m->name, m->heir);
	return r;
}

static int run_remove(struct ctl *c, const struct ctl_args *a)
{
	struct removal m = {.c = c};
	struct chat_left chat = {.name = m.name};
	struct mail_totals mail = {0};
	int r = prepare(&m, a);

	if (r != CTL_OK)
		return r;
	r = chat_left_count(c, &chat);
	if (r >= 0)
		r = mail_count(c, m.name, &mail);
	if (r >= 0)
		r = remove_account(&m);
	if (r < 0)
		return user_failed(r, m.name);
	say_of_account(&m);
	if (!m.gone)
		chat_left_say(c, &chat);
	say_of_mail(&m, &mail);
	return dispose(&m);
}

const struct ctl_command ctl_user_remove_commands[] = {
	{"user", "remove", "NAME", 1, 1, remove_options, CTL_AS_ADMIN, run_remove,
		"remove an account: its certificates, sessions, mail; its files as one says"},
	{.noun = NULL}};
