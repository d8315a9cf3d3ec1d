/* Checks of what is around the store: keeper and signer, the disk, the clock. */
#include "check.h"

#include "base/timefmt.h"
#include "store/audit.h"
#include "store/stats.h"

#include <errno.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

#define CLOCK "install and enable systemd-timesyncd or chrony"

enum { OFF_MS = 1000 /* what a clock may be off without a word */ };

static void socket_line(struct check_report *r, const char *what, const char *path)
{
	_cleanup_(cleanup_close) int fd = -1;
	char remedy[128];
	int error = signer_connect(path, &fd);

	(void)snprintf(remedy, sizeof(remedy), "systemctl restart %s.socket",
		strcmp(what, "signer") == 0 ? "cad-signer" : what);
	if (error < 0)
		check_say(r, CHECK_BAD, what, remedy, "cannot be reached at %s: %s", path,
			err_text(error));
	else
		check_say(r, CHECK_GOOD, what, NULL, "takes connections");
}

void check_keeper(struct check_report *r)
{
	if (r->c->settings.keeper[0] == '\0')
		check_say(r, CHECK_GOOD, "keeper", NULL,
			"none: every service writes the store itself");
	else
		socket_line(r, "keeper", r->c->settings.keeper);
}

void check_signer(struct check_report *r)
{
	char path[CTL_PATH_MAX] = "";

	if (path_join(path, "%s/signer.sock", r->c->settings.runtime) == 0)
		socket_line(r, "signer", path);
}

/* -- disk ---------------------------------------------------------------------------------------
 */

static enum check_verdict judge_room(uint64_t left, uint64_t all)
{
	if (all == 0) /* a file system without a fixed number of inodes */
		return CHECK_GOOD;
	if (left < all / 100)
		return CHECK_BAD;
	return left < all / 20 ? CHECK_CARE : CHECK_GOOD;
}

void check_disk(struct check_report *r)
{
	const char *state = r->c->settings.state;
	struct statvfs fs;
	enum check_verdict v;

	if (statvfs(state, &fs) != 0) {
		check_say(
			r, CHECK_BAD, "disk", "quintetctl init", "%s: %s", state, err_text(-errno));
		return;
	}
	v = judge_room(fs.f_bavail, fs.f_blocks);
	check_say(r, v, "disk", v == CHECK_GOOD ? NULL : "make room; quintetctl sweep",
		"%llu MiB of %llu free where %s is",
		(unsigned long long)((uint64_t)fs.f_bavail * fs.f_frsize >> 20),
		(unsigned long long)((uint64_t)fs.f_blocks * fs.f_frsize >> 20), state);
	v = judge_room(fs.f_favail, fs.f_files);
	if (fs.f_files > 0)
		check_say(r, v, "inodes", v == CHECK_GOOD ? NULL : "remove files; quintetctl sweep",
			"%llu of %llu free", (unsigned long long)fs.f_favail,
			(unsigned long long)fs.f_files);
}

/* -- clock --------------------------------------------------------------------------------------
 */

static int last_row(void *arg, const struct audit_row *row)
{
	*(int64_t *)arg = row->at_us;
	return 0;
}

/* Time goes on: the record's newest row is from before now. */
static void sanity_line(struct check_report *r)
{
	struct store_stats s;
	int64_t newest_us = 0;
	int error = store_stats(r->c->store, r->now_us, 0, &s);

	if (error == 0)
		error = audit_each(r->c->store, s.audit.newest, last_row, &newest_us);
	if (error < 0)
		check_say(r, CHECK_BAD, "time", "quintetctl check", "%s", err_text(error));
	else if (newest_us > r->now_us + 60 * TIME_S_US)
		check_say(r, CHECK_BAD, "time", CLOCK,
			"the clock stands before the newest audit row: it went back");
	else
		check_say(r, CHECK_GOOD, "time", NULL, "goes on from the newest audit row");
}

void check_clock(struct check_report *r)
{
	struct timex t = {.modes = 0};
	int state = adjtimex(&t);
	long off_ms = t.esterror / 1000;

	if (state < 0)
		check_say(r, CHECK_CARE, "clock", CLOCK, "the kernel does not tell: %s",
			err_text(-errno));
	else if (state == TIME_ERROR || (t.status & STA_UNSYNC) != 0)
		check_say(r, CHECK_CARE, "clock", CLOCK, "nobody synchronises it");
	else
		check_say(r, off_ms > OFF_MS ? CHECK_CARE : CHECK_GOOD, "clock",
			off_ms > OFF_MS ? CLOCK : NULL, "synchronised, about %ld ms off", off_ms);
	sanity_line(r);
}
