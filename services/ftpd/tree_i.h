/*
 * What the parts of the tree share: where a path lies, who may change what is there, and the lock
 * that keeps the file system and the store's rows together. Not for the rest of ftpd.
 */
#ifndef FTPD_TREE_I_H
#define FTPD_TREE_I_H

#include "services/ftpd/tree.h"

#include <dirent.h>
#include <sys/stat.h>

enum { TREE_FILE_MODE = 0660, TREE_FOLDER_MODE = 0770 };

struct tree {
	int root_fd; /* STATE/files; its flock is tree_lock() */
	struct store *store; /* borrowed; NULL: nobody is logged in */
	char account[ACCOUNT_NAME_SIZE];
	bool admin;
};

/* -- places (tree.c) --------------------------------------------------------------------------- */

enum tree_area { TREE_MADE_UP, TREE_SHARED, TREE_HOME };

struct tree_place {
	enum tree_area area;
	bool top; /* "/shared" or "/home/NAME" itself: nobody's to change */
	const char *relative; /* to the root's descriptor; into the path */
};

/* Pure. -EACCES: nobody is logged in, or it is another's home; -ENOENT: nothing can be there. */
int tree_place(const struct tree *t, const char *path, struct tree_place *ret);

/* openat2 below the root; flags as of open(2), O_CLOEXEC is added. */
int tree_walk(const struct tree *t, const char *relative, int flags, int *ret_fd);

/* 0: a file or folder; -ELOOP: a symbolic link; -ENXIO: something else. */
int tree_kind(const struct stat *st);

bool tree_is_temp(const char *name);

/* Writes the folder's entries to disk. */
int tree_flush(int folder_fd);

/* -- rights.c ---------------------------------------------------------------------------------- */

struct rights {
	bool has_row;
	struct file_row row;
	bool all; /* whatever is there: an administrator, a home, or the policy */
	bool change; /* this path: remove, rename, overwrite */
};

/* From one snapshot of the store. */
int rights_read(struct tree *t, const char *path, struct rights *ret);

/* The same inside a view, for listings. place: that of the path's folder or of the path. */
int rights_read_in(struct store_txn *txn, const struct tree *t, const struct tree_place *place,
	const char *path, struct rights *ret);

/* Are there rows at the path or below? 1 or 0. */
int rights_any_row(struct tree *t, const char *path);

/* Is the row's digest that of the file? */
bool rights_believe(const struct rights *r, const struct stat *st);

/* -- entry.c ----------------------------------------------------------------------------------- */

void entry_fill(const struct tree_place *place, const struct stat *st, const struct rights *r,
	struct ftp_entry *ret);

int64_t entry_mtime_ns(const struct stat *st);

/* -- targets (target.c) ------------------------------------------------------------------------ */

/* One component in its folder, and what is there. */
struct tree_target {
	struct tree_place place;
	int folder_fd; /* O_RDONLY */
	const char *name; /* into the path */
	bool exists;
	struct stat st; /* if it exists; a symbolic link is not followed */
	struct rights rights; /* of the path, also if nothing is there (a row left behind) */
};

#define TREE_TARGET_INIT ((struct tree_target){.folder_fd = -1})

/* -EACCES for the made-up places and the tops; -ENOENT: its folder is not there. */
int tree_target(struct tree *t, const char *path, struct tree_target *ret);
void tree_target_done(struct tree_target *target);

/* Something of one's rights and of a usual kind? 0, -ENOENT, -EACCES, -ELOOP, -ENXIO. */
int tree_target_check(const struct tree_target *target);

/* As the above for a file that will be written there: nothing, or a file. -EISDIR too. */
int tree_target_may_write(const struct tree_target *target);

/* -- the lock (target.c) ----------------------------------------------------------------------- */

/*
 * File system and rows change together under one lock of all sessions, for as long as a commit
 * takes. A process that dies lets go. Never taken twice.
 */
int tree_lock(const struct tree *t, const struct tree **ret_held);
void tree_unlock(const struct tree **held);

/* -- partial.c, for the tree too --------------------------------------------------------------- */

/* Takes a temporary that no session is at. -EBUSY; -ENOENT; -ENXIO: no regular file. */
int partial_open(int folder_fd, const char *temp, int *ret_fd);
/* Removes it. Results as above. */
int partial_unlink(int folder_fd, const char *temp);

/* -- quota.c, for the tree too ----------------------------------------------------------------- */

/* Of the file system of fd, what the policy files_keep_free keeps left out. -ENOSPC. */
int tree_disk_has_room(struct tree *t, int fd);

/* -- rmtree.c ---------------------------------------------------------------------------------- */

/*
 * Looks at everything at and below a folder, then removes it, in slices. -EACCES, -ELOOP, -ENXIO,
 * -EBUSY (an upload is under way in it): nothing was removed, unless rmtree_removed() says so.
 */
struct rmtree;
int rmtree_new(struct tree *t, const char *path, struct rmtree **ret);
void rmtree_free(struct rmtree *m);
void rmtree_freep(struct rmtree **m);
/* The looking alone: 1 more, 0 everything may be removed. */
int rmtree_check(struct rmtree *m);
/* Both: 1 more, 0 everything is gone. */
int rmtree_step(struct rmtree *m);
uint64_t rmtree_removed(const struct rmtree *m);
/* Where it went wrong. */
const char *rmtree_path(const struct rmtree *m);

#endif
