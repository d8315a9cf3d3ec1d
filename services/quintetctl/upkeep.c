/*
 * quintetctl backup, restore, migrate, check, sweep: the store as a whole. A backup's folder is
 * made by whoever runs the command and given to the user who owns the store, who then writes below
 * it through a descriptor: folders above it need not be open to that user. He writes backups
 * himself, so that he can read them when he brings one back.
 */
#include "ctl.h"

#include "base/timefmt.h"
#include "store/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>

/* -- backup and restore ---------------------------------------------------------------------------
 */

struct copy_job {
	const char *dir; /* as given, for messages */
	char path[64]; /* the backup below the open folder */
	int fd;
};

static int open_folder(struct copy_job *j)
{
	j->fd = open(j->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (j->fd < 0)
		return -errno;
	(void)snprintf(j->path, sizeof(j->path), "/proc/self/fd/%d/state", j->fd);
	return 0;
}

static int make_folder(const struct ctl *c, const char *dir)
{
	const char *owner = ctl_owner(c);
	const struct passwd *pw;

	if (mkdir(dir, 0700) != 0)
		return -errno;
	if (owner == NULL)
		return 0;
	pw = getpwnam(owner);
	if (pw == NULL)
		return -ENOENT;
	return chown(dir, pw->pw_uid, pw->pw_gid) != 0 ? -errno : 0;
}

static int backup_part(struct ctl *c, void *arg, struct buf *reply)
{
	const struct copy_job *j = (const struct copy_job *)arg;
	int r = ctl_store(c, STORE_WRITE);

	(void)reply;
	if (r != CTL_OK)
		return r;
	ctl_many_files();
	r = store_backup(c->store, c->settings.state, j->path);
	if (r < 0)
		return ctl_fail(r, "cannot write the backup %s", j->dir);
	return ctl_audit(c, "backup", "", j->dir);
}

static int run_backup(struct ctl *c, const struct ctl_args *a)
{
	struct copy_job j = {.dir = a->word[0], .fd = -1};
	int r = make_folder(c, j.dir);

	if (r == -EEXIST) {
		ctl_warn("%s exists: a backup goes into a folder of its own", j.dir);
		return CTL_REFUSED;
	}
	if (r == 0)
		r = open_folder(&j);
	if (r < 0)
		return ctl_fail(r, "cannot make the folder %s", j.dir);
	c->direct = c->direct || c->drops;
	r = ctl_as_admin(c, backup_part, &j, NULL);
	cleanup_close(&j.fd);
	if (r == CTL_OK)
		ctl_say(c,
			"Backup written to %s. Keys are not in it: keep %s, and root.key off line.",
			j.dir, c->settings.conf);
	else
		ctl_warn("%s is incomplete: remove it", j.dir);
	return r;
}

static int restore_part(struct ctl *c, void *arg, struct buf *reply)
{
	const struct copy_job *j = (const struct copy_job *)arg;
	int r;

	(void)reply;
	ctl_many_files();
	r = store_restore(j->path, c->settings.state);
	if (r == -EEXIST) {
		ctl_warn("%s: move it away before restoring",
			store_open_reason()[0] != '\0' ? store_open_reason() : c->settings.state);
		return CTL_REFUSED;
	}
	if (r == -EBADMSG) {
		ctl_warn("%s is damaged: a digest or a record does not fit", j->dir);
		return CTL_REFUSED;
	}
	if (r == -EACCES)
		ctl_warn("what is in %s must belong to whoever runs this; when that is root, to %s",
			j->dir, CTL_KEEPER);
	if (r < 0)
		return ctl_fail(r, "cannot restore %s", j->dir);
	r = ctl_store_modes(c);
	if (r == CTL_OK)
		r = ctl_store(c, STORE_WRITE);
	return r == CTL_OK ? ctl_audit(c, "restore", "", j->dir) : r;
}

static int run_restore(struct ctl *c, const struct ctl_args *a)
{
	struct copy_job j = {.dir = a->word[0], .fd = -1};
	int r;

	if (!c->direct) {
		/* It would go on with the store that was there before. */
		ctl_warn("the keeper answers at %s: stop all services first "
			 "(systemctl stop quintet.target quintet-wait.target, and their sessions)",
			c->settings.keeper);
		return CTL_REFUSED;
	}
	r = open_folder(&j);
	if (r < 0)
		return ctl_fail(r, "cannot open the folder %s", j.dir);
	r = c->drops ? ctl_state_folders(c) : CTL_OK;
	if (r == CTL_OK)
		r = ctl_as_admin(c, restore_part, &j, NULL);
	cleanup_close(&j.fd);
	if (r == CTL_OK)
		ctl_say(c, "Restored from %s.", j.dir);
	return r;
}

/* -- migrate, check, sweep
 * -------------------------------------------------------------------------- */

static int run_migrate(struct ctl *c, const struct ctl_args *a)
{
	int steps = store_migrate(c->settings.state);

	(void)a;
	if (steps < 0) {
		if (store_open_reason()[0] != '\0')
			ctl_warn("%s", store_open_reason());
		return ctl_fail(steps, "cannot migrate the store in %s", c->settings.state);
	}
	if (steps > 0)
		ctl_say(c, "The store is brought to the form of this version; steps: %d.", steps);
	else
		ctl_say(c, "The store has the form of this version; nothing is to be done.");
	return CTL_OK;
}

static void report_one(void *arg, const char *what)
{
	unsigned *count = (unsigned *)arg;

	(*count)++;
	ctl_warn("%s", what);
}

static int run_check(struct ctl *c, const struct ctl_args *a)
{
	unsigned count = 0;
	int r = ctl_store(c, STORE_READ);

	(void)a;
	if (r != CTL_OK)
		return r;
	r = store_check(c->store, report_one, &count);
	if (r < 0 && r != -EBADMSG)
		return ctl_fail(r, "cannot check the store");
	if (r < 0) {
		ctl_warn("the store is damaged: %u findings", count);
		return CTL_REFUSED;
	}
	ctl_say(c, "Every record of every table, the audit chain and the blobs are sound.");
	return CTL_OK;
}

static int run_sweep(struct ctl *c, const struct ctl_args *a)
{
	static const struct ctl_column columns[] = {
		{"rows_removed", CTL_NUMBER}, {"files_removed", CTL_NUMBER}};
	_cleanup_(ctl_table_done) struct ctl_table t = CTL_TABLE(columns);
	struct sweep_args args = {.now_us = time_now_us()};
	struct sweep_result done = {0};
	int r = ctl_store(c, STORE_WRITE);

	(void)a;
	if (r != CTL_OK)
		return r;
	ctl_many_files();
	r = store_call(c->store, STORE_OP_SWEEP, &args, &done);
	if (r < 0)
		return ctl_fail(r, "cannot sweep");
	ctl_cell(&t, "%llu", (unsigned long long)done.rows);
	ctl_cell(&t, "%llu", (unsigned long long)done.files);
	return ctl_table_record(c, &t);
}

const struct ctl_command ctl_store_commands[] = {
	{"backup", NULL, "DIR", 1, 1, NULL, CTL_AS_ROOT, run_backup,
		"a consistent copy of store, blobs and files while all runs"},
	{"restore", NULL, "DIR", 1, 1, NULL, CTL_AS_ROOT, run_restore, "bring a backup back"},
	{"migrate", NULL, "", 0, 0, NULL, CTL_AS_KEEPER, run_migrate,
		"bring the store to this version's form"},
	{"check", NULL, "", 0, 0, NULL, CTL_AS_ADMIN, run_check, "read and check every record"},
	{"sweep", NULL, "", 0, 0, NULL, CTL_AS_ADMIN, run_sweep, "remove what is left over"},
	{.noun = NULL}};
