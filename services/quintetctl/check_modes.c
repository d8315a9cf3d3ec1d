/* Checks of owners and modes: what services must reach, and what nobody else may. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

enum base { IN_STATE, IN_RUNTIME, IN_CONF };

/* As systemd-tmpfiles, init and the sockets make them. */
static const struct place {
	const char *name, *user, *group;
	enum base base;
	mode_t mode;
	bool optional; /* nothing is said when it is missing */
	bool kept; /* it is the keeper's, where there is one */
} places[] = {
	{"", "root", "root", IN_CONF, 0755, false, false},
	{"/pki", "root", "root", IN_CONF, 0755, false, false},
	{"/pki/root.pem", "root", "root", IN_CONF, 0644, false, false},
	{"/pki/chain.pem", "root", "root", IN_CONF, 0644, false, false},
	{"/quintet.env", "root", "root", IN_CONF, 0644, true, false},
	{"/credentials", "root", "root", IN_CONF, 0700, false, false},
	{"", "root", "quintet", IN_STATE, 02750, false, true},
	{"/store", CTL_KEEPER, "quintet", IN_STATE, 02750, false, true},
	{"/store/data.mdb", CTL_KEEPER, "quintet", IN_STATE, 0640, false, true},
	{"/store/settled", CTL_KEEPER, "quintet", IN_STATE, 0640, true, true},
	{"/store/lock.mdb", CTL_KEEPER, "quintet", IN_STATE, 0660, true, true},
	{"/store/guard", CTL_KEEPER, "quintet", IN_STATE, 0660, true, true},
	{"/blobs", "root", "quintet", IN_STATE, 02770, false, false},
	{"/files", "root", "quintet", IN_STATE, 02770, false, false},
	{"/files/shared", "root", "quintet", IN_STATE, 02770, true, false},
	{"/files/home", "root", "quintet", IN_STATE, 02770, true, false},
	{"", "root", "quintet", IN_RUNTIME, 02750, false, false},
	{"/bells", "root", "quintet", IN_RUNTIME, 02770, false, false},
	{"/locks", "root", "quintet", IN_RUNTIME, 02770, false, false},
};

static const char *const users[] = {"quintet-daytimed", "quintet-ftpd", "quintet-chatd",
	"quintet-maild", "quintet-cad", "quintet-signer", "quintet-metrics"};

void check_users(struct check_report *r)
{
	_cleanup_(buf_done) struct buf missing = BUF_INIT(1024);
	const char *admin = r->c->settings.admin_user;

	if (admin[0] == '\0') {
		check_say(r, CHECK_GOOD, "users", NULL,
			"one for all services: they are not kept apart");
		return;
	}
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++)
		if (getpwnam(users[i]) == NULL)
			buf_addf(&missing, " %s", users[i]);
	if (getpwnam(admin) == NULL)
		buf_addf(&missing, " %s", admin);
	if (r->c->settings.keeper[0] != '\0' && getpwnam(CTL_KEEPER) == NULL)
		buf_add_str(&missing, " " CTL_KEEPER);
	if (missing.len > 0)
		check_say(
			r, CHECK_BAD, "users", "systemd-sysusers", "missing:%s", buf_str(&missing));
	else
		check_say(r, CHECK_GOOD, "users", NULL, "every service has its own");
}

/* -- several users ------------------------------------------------------------------------------
 */

static const char *base_of(const struct ctl *c, enum base base)
{
	const char *const bases[] = {
		[IN_STATE] = c->settings.state,
		[IN_RUNTIME] = c->settings.runtime,
		[IN_CONF] = c->settings.conf,
	};

	return bases[base];
}

static bool is_owned(const struct stat *st, const struct place *p)
{
	const struct passwd *pw = getpwnam(p->user);
	const struct group *gr = getgrnam(p->group);

	return pw != NULL && gr != NULL && st->st_uid == pw->pw_uid && st->st_gid == gr->gr_gid;
}

/* True when there is nothing to say. */
static bool place_line(struct check_report *r, const struct place *p)
{
	char path[CTL_PATH_MAX] = "", remedy[2 * CTL_PATH_MAX + 80];
	struct stat st;

	if (path_join(path, "%s%s", base_of(r->c, p->base), p->name) < 0)
		return true;
	if (lstat(path, &st) != 0) {
		if (errno == ENOENT && p->optional)
			return true;
		check_say(r, errno == EACCES ? CHECK_CARE : CHECK_BAD, "permissions",
			errno == EACCES ? "run it as root" : "systemd-tmpfiles --create", "%s: %s",
			path, err_text(-errno));
		return false;
	}
	if ((st.st_mode & 07777) == p->mode && is_owned(&st, p))
		return true;
	(void)snprintf(remedy, sizeof(remedy), "chown %s:%s %s; chmod %o %s", p->user, p->group,
		path, (unsigned)p->mode, path);
	check_say(r, CHECK_BAD, "permissions", remedy,
		"%s has mode %o of uid %u, gid %u; it should be %o of %s:%s", path,
		(unsigned)st.st_mode & 07777, (unsigned)st.st_uid, (unsigned)st.st_gid,
		(unsigned)p->mode, p->user, p->group);
	return false;
}

static bool kept_line(struct check_report *r, const struct place *p)
{
	struct place direct = *p;

	if (!p->kept || r->c->settings.keeper[0] != '\0')
		return place_line(r, p);
	/* Without a keeper all services write the store; what one of them has made is its own. */
	if (p->name[0] != '\0' && strcmp(p->name, "/store") != 0)
		return true;
	direct.mode = 02770;
	direct.user = "root";
	return place_line(r, &direct);
}

/* -- one user -----------------------------------------------------------------------------------
 */

/* All that can be asked for is that others are kept out. */
static bool private_line(struct check_report *r, const char *name)
{
	char path[CTL_PATH_MAX] = "", remedy[CTL_PATH_MAX + 16];
	struct stat st;

	if (path_join(path, "%s%s", name[0] == '/' ? r->c->settings.conf : r->c->settings.state,
		    name) < 0 ||
		lstat(path, &st) != 0 || (st.st_mode & 07) == 0)
		return true;
	(void)snprintf(remedy, sizeof(remedy), "chmod o= %s", path);
	check_say(r, CHECK_BAD, "permissions", remedy, "%s is open to everybody on this machine",
		path);
	return false;
}

void check_modes(struct check_report *r)
{
	bool good = true;

	if (r->c->settings.admin_user[0] == '\0') {
		good = private_line(r, "/credentials");
		good &= private_line(r, "");
	} else {
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
			good &= kept_line(r, &places[i]);
	}
	if (good)
		check_say(r, CHECK_GOOD, "permissions", NULL,
			"folders and files are as they should be");
}
