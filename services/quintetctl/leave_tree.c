/* The tree's side of what an account leaves: every step below a descriptor, no link followed. */
#include "leave.h"

#include "store/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { DEPTH_MAX = FILE_PATH_MAX / 2, PLACES_MAX = 1000, HOME_MODE = 02770 };

static void close_dir(DIR **dir)
{
	if (*dir != NULL)
		(void)closedir(*dir);
}

int leave_tree_open(const struct ctl *c, int *ret_fd)
{
	char path[CTL_PATH_MAX];
	int r = path_join(path, "%s/files", c->settings.state);

	if (r < 0)
		return r;
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return *ret_fd < 0 ? -errno : 0;
}

int leave_tree_lock(int files_fd)
{
	while (flock(files_fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

void leave_tree_unlock(int files_fd)
{
	(void)flock(files_fd, LOCK_UN);
}

/* A folder below, for what is to be done in it. */
static int open_folder(int at_fd, const char *path, int *ret_fd)
{
	struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	long fd = syscall(SYS_openat2, at_fd, path, &how, sizeof(how));

	if (fd < 0)
		return -errno;
	*ret_fd = (int)fd;
	return 0;
}

int leave_tree_remove(int files_fd, const char *path, bool folder)
{
	_cleanup_(cleanup_close) int fd = -1;
	const char *slash = strrchr(path, '/');
	char parent[CTL_PATH_MAX];
	int r;

	if (slash == NULL || slash == path)
		return -EINVAL;
	r = path_join(parent, "%.*s", (int)(slash - path - 1), path + 1);
	if (r == 0)
		r = open_folder(files_fd, parent, &fd);
	if (r < 0)
		return r;
	return unlinkat(fd, slash + 1, folder ? AT_REMOVEDIR : 0) < 0 ? -errno : 0;
}

static int remove_entries(int at_fd, const char *name, unsigned depth);

static int remove_entry(int dir_fd, const char *name, unsigned depth)
{
	int r;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	r = remove_entries(dir_fd, name, depth + 1);
	if (r == 0 && unlinkat(dir_fd, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

static int remove_entries(int at_fd, const char *name, unsigned depth)
{
	_cleanup_(close_dir) DIR *dir = NULL;
	const struct dirent *e;
	int fd = -1, r = depth > DEPTH_MAX ? -ELOOP : open_folder(at_fd, name, &fd);

	if (r < 0)
		return r;
	dir = fdopendir(fd);
	if (dir == NULL) {
		cleanup_close(&fd);
		return -ENOMEM;
	}
	while (r == 0 && (errno = 0, e = readdir(dir)) != NULL)
		r = remove_entry(fd, e->d_name, depth);
	return r < 0 ? r : -errno;
}

int leave_tree_remove_home(int files_fd, const char *name)
{
	_cleanup_(cleanup_close) int home_fd = -1;
	int r = open_folder(files_fd, "home", &home_fd);

	ctl_many_files();
	if (r == 0)
		r = remove_entries(home_fd, name, 0);
	if (r == 0 && unlinkat(home_fd, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

bool leave_tree_has_home(int files_fd, const char *name)
{
	_cleanup_(cleanup_close) int home_fd = -1, fd = -1;

	return open_folder(files_fd, "home", &home_fd) == 0 && open_folder(home_fd, name, &fd) == 0;
}

int leave_tree_give_home(int files_fd, const char *name, const char *heir, char *ret, size_t size)
{
	_cleanup_(cleanup_close) int home_fd = -1, heir_fd = -1;
	int r = open_folder(files_fd, "home", &home_fd);

	if (r == 0 && unlinkat(home_fd, name, AT_REMOVEDIR) == 0)
		return -ENOENT; /* it was empty */
	if (r == 0 && mkdirat(home_fd, heir, HOME_MODE) < 0 && errno != EEXIST)
		r = -errno;
	if (r == 0)
		r = open_folder(home_fd, heir, &heir_fd);
	(void)snprintf(ret, size, "%s", name);
	for (unsigned n = 2; r == 0 && n < PLACES_MAX; n++) {
		if (renameat2(home_fd, name, heir_fd, ret, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			return -errno;
		(void)snprintf(ret, size, "%s-%u", name, n);
	}
	return r < 0 ? r : -EEXIST;
}

int leave_tree_take_back(int files_fd, const char *name, const char *heir, const char *place)
{
	_cleanup_(cleanup_close) int home_fd = -1, heir_fd = -1;
	int r = open_folder(files_fd, "home", &home_fd);

	if (r == 0)
		r = open_folder(home_fd, heir, &heir_fd);
	if (r == 0 && renameat2(heir_fd, place, home_fd, name, RENAME_NOREPLACE) < 0)
		r = -errno;
	return r;
}
