/* Checks of the store: room, readers, files, mail, sessions. */
#include "check.h"
#include "mail.h"

#include "store/file.h"
#include "store/policy.h"
#include "store/session.h"

#include <errno.h>
#include <sys/statvfs.h>

void check_store(struct check_report *r)
{
	struct store_health h;
	int error = store_health(r->c->store, &h);
	unsigned percent;
	enum check_verdict v;

	if (error < 0) {
		check_say(r, CHECK_BAD, "store", "quintetctl check", "%s", err_text(error));
		return;
	}
	percent = h.map_bytes > 0 ? (unsigned)(h.used_bytes * 100 / h.map_bytes) : 0;
	v = percent >= 80 ? CHECK_CARE : CHECK_GOOD;
	check_say(r, percent >= 95 ? CHECK_BAD : v, "store",
		percent >= 80 ? "quintetctl sweep; lower chat_keep, mail_quota or files_quota"
			      : NULL,
		"%llu MiB of %llu in use (%u%%), %llu MiB free for reuse, schema %u",
		(unsigned long long)(h.used_bytes >> 20), (unsigned long long)(h.map_bytes >> 20),
		percent, (unsigned long long)(h.free_bytes >> 20), h.schema);
	v = h.readers * 10 > h.readers_max * 9 ? CHECK_CARE : CHECK_GOOD;
	check_say(r, v, "readers", v == CHECK_CARE ? "quintetctl top --sort since" : NULL,
		"%u of %u; of dead processes %u, removed now", h.readers, h.readers_max,
		h.dead_readers_cleared);
}

/* -- files and mail -----------------------------------------------------------------------------
 */

static int add_usage(void *arg, const char *account, const struct file_usage *u)
{
	struct file_usage *sum = (struct file_usage *)arg;

	(void)account;
	sum->files += u->files;
	sum->bytes += u->bytes;
	sum->partial_bytes += u->partial_bytes;
	return 0;
}

/* Uploads are refused when no more room is left than files_keep_free says. */
static void room_line(struct check_report *r)
{
	char path[CTL_PATH_MAX] = "";
	uint64_t keep_free = 0, room;
	struct statvfs fs = {.f_bavail = 0};
	enum check_verdict v;
	int error = path_join(path, "%s/files", r->c->settings.state);

	if (error == 0)
		error = policy_number(r->c->store, "files_keep_free", &keep_free);
	if (error == 0 && statvfs(path, &fs) != 0)
		error = -errno;
	if (error < 0) {
		check_say(r, CHECK_CARE, "room for files", "systemd-tmpfiles --create", "%s: %s",
			path, err_text(error));
		return;
	}
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	v = room / 2 < keep_free || fs.f_bavail < fs.f_blocks / 20 ? CHECK_CARE : CHECK_GOOD;
	if (room <= keep_free)
		v = CHECK_BAD;
	check_say(r, v, "room for files",
		v == CHECK_GOOD ? NULL : "make room on the disk; or quintetctl set files_keep_free",
		"%llu MiB free, of which uploads leave %llu", (unsigned long long)(room >> 20),
		(unsigned long long)(keep_free >> 20));
}

void check_files(struct check_report *r)
{
	struct file_usage sum = {0};
	int error = file_usage_each(r->c->store, add_usage, &sum);

	if (error < 0)
		check_say(r, CHECK_BAD, "files", "quintetctl check", "%s", err_text(error));
	else
		check_say(r, CHECK_GOOD, "files", NULL,
			"%llu with an owner, %llu MiB; interrupted uploads %llu MiB",
			(unsigned long long)sum.files, (unsigned long long)(sum.bytes >> 20),
			(unsigned long long)(sum.partial_bytes >> 20));
	room_line(r);
}

void check_mail(struct check_report *r)
{
	struct mail_totals sum = {0};
	int error = mail_count(r->c, NULL, &sum);

	if (error < 0)
		check_say(r, CHECK_BAD, "mail", "quintetctl check", "%s", err_text(error));
	else
		check_say(r, CHECK_GOOD, "mail", NULL,
			"%llu messages in %llu mailboxes, %llu MiB as their owners count",
			(unsigned long long)sum.messages, (unsigned long long)sum.boxes,
			(unsigned long long)(sum.bytes >> 20));
}

/* -- sessions -----------------------------------------------------------------------------------
 */

struct census {
	unsigned live, dead;
};

static int census_one(void *arg, const struct session_row *row)
{
	struct census *n = (struct census *)arg;

	if (session_alive(row))
		n->live++;
	else
		n->dead++;
	return 0;
}

void check_sessions(struct check_report *r)
{
	struct census n = {0};
	int error = session_each(r->c->store, NULL, census_one, &n);

	if (error < 0)
		check_say(r, CHECK_BAD, "sessions", "quintetctl check", "%s", err_text(error));
	else
		check_say(r, CHECK_GOOD, "sessions", NULL, "%u live, %u rows of dead ones", n.live,
			n.dead);
}
