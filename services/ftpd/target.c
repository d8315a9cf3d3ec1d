/* One component in its folder, and the lock under which it and its row change together. */
#include "base/cleanup.h"
#include "services/ftpd/tree_i.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

static int open_parent(struct tree *t, const char *path, int *ret_fd)
{
	char folder[FTP_PATH_SIZE];

	ftp_path_folder(path, folder);
	return tree_open_folder(t, folder, ret_fd);
}

int tree_target(struct tree *t, const char *path, struct tree_target *ret)
{
	_cleanup_(tree_target_done) struct tree_target target = TREE_TARGET_INIT;
	int r = tree_place(t, path, &target.place);

	/* Nothing can be in "/" beside what is. */
	if ((r == 0 && target.place.top) || (r == -ENOENT && strrchr(path, '/') == path))
		r = -EACCES;
	if (r == 0)
		r = open_parent(t, path, &target.folder_fd);
	if (r < 0)
		return r;
	target.name = ftp_path_name(path);
	target.exists =
		fstatat(target.folder_fd, target.name, &target.st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!target.exists && errno != ENOENT)
		return -errno;
	r = rights_read(t, path, &target.rights);
	if (r < 0)
		return r;
	*ret = target;
	target.folder_fd = -1;
	return 0;
}

void tree_target_done(struct tree_target *target)
{
	cleanup_close(&target->folder_fd);
}

int tree_target_check(const struct tree_target *target)
{
	int r = target->exists ? tree_kind(&target->st) : -ENOENT;

	return r == 0 && !target->rights.change ? -EACCES : r;
}

int tree_target_may_write(const struct tree_target *target)
{
	if (!target->exists)
		return 0;
	if (S_ISDIR(target->st.st_mode))
		return -EISDIR;
	return tree_target_check(target);
}

int tree_lock(const struct tree *t, const struct tree **ret_held)
{
	while (flock(t->root_fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return -errno;
	*ret_held = t;
	return 0;
}

void tree_unlock(const struct tree **held)
{
	if (*held != NULL)
		(void)flock((*held)->root_fd, LOCK_UN);
	*held = NULL;
}
