/*
 * The folders of a house where systemd-tmpfiles has not made them. What services share is given to
 * their group by root; STATE itself stays root's alone, or one service could put another store in
 * the place of the one there is.
 */
#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

enum { SHARED = 02770, CLOSED = 02750 };

static int folder(mode_t mode, const char *base, const char *name)
{
	char path[CTL_PATH_MAX];
	int r = path_join(path, "%s%s%s", base, *name != '\0' ? "/" : "", name);

	if (r == 0)
		r = folder_make(path, mode);
	return r < 0 ? ctl_fail(r, "cannot make the folder %s", path) : CTL_OK;
}

/* By descriptor: the folder above may be writable to that group. */
static int give(const char *path, mode_t mode, const char *user)
{
	_cleanup_(cleanup_close) int fd = -1;
	const struct group *gr = getgrnam("quintet");
	const struct passwd *pw = user != NULL ? getpwnam(user) : NULL;

	if (gr == NULL || (user != NULL && pw == NULL)) {
		ctl_warn("there is no %s %s (it comes with the package's sysusers)",
			gr == NULL ? "group" : "account", gr == NULL ? "quintet" : user);
		return CTL_USAGE;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchown(fd, pw != NULL ? pw->pw_uid : 0, gr->gr_gid) != 0 ||
		fchmod(fd, mode) != 0)
		return ctl_fail(-errno, "cannot give %s to the group quintet", path);
	return CTL_OK;
}

/* A folder that the services share; one that is there stays as it is. */
static int shared_folder(
	const struct ctl *c, mode_t mode, const char *base, const char *name, const char *user)
{
	char path[CTL_PATH_MAX];
	struct stat st;
	int r = path_join(path, "%s%s%s", base, *name != '\0' ? "/" : "", name);

	if (r == 0 && stat(path, &st) == 0)
		return CTL_OK;
	r = folder(mode, base, name);
	return r == CTL_OK && c->drops ? give(path, mode, user) : r;
}

int ctl_state_folders(const struct ctl *c)
{
	static const char *const tree[] = {"files", "files/shared", "files/home"};
	const char *state = c->settings.state;
	bool kept = c->drops && c->settings.keeper[0] != '\0';
	int r = shared_folder(c, kept ? CLOSED : SHARED, state, "", NULL);
	size_t i;

	if (r == CTL_OK && kept)
		r = shared_folder(c, CLOSED, state, "store", CTL_KEEPER);
	if (r == CTL_OK && kept)
		r = shared_folder(c, SHARED, state, "blobs", NULL);
	for (i = 0; r == CTL_OK && i < sizeof(tree) / sizeof(tree[0]); i++)
		r = shared_folder(c, SHARED, state, tree[i], NULL);
	return r;
}

int ctl_house_folders(const struct ctl *c)
{
	static const char *const private[] = {"credentials", "credentials/daytimed",
		"credentials/ftpd", "credentials/chatd", "credentials/maild", "credentials/cad",
		"credentials/cad-signer"};
	static const char *const shared[] = {"bells", "locks"};
	int r = folder(0755, c->settings.conf, "");
	size_t i;

	if (r == CTL_OK)
		r = folder(0755, c->settings.conf, "pki");
	for (i = 0; r == CTL_OK && i < sizeof(private) / sizeof(private[0]); i++)
		r = folder(0700, c->settings.conf, private[i]);
	if (r == CTL_OK)
		r = ctl_state_folders(c);
	/* Nobody but root may put a socket in the signer's or the keeper's place. */
	if (r == CTL_OK)
		r = shared_folder(c, CLOSED, c->settings.runtime, "", NULL);
	for (i = 0; r == CTL_OK && i < sizeof(shared) / sizeof(shared[0]); i++)
		r = shared_folder(c, SHARED, c->settings.runtime, shared[i], NULL);
	return r;
}
