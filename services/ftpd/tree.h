/*
 * The file tree: STATE/files with the folders shared/ and home/NAME/, seen as "/shared" and
 * "/home/NAME" (only one's own). Every access goes by openat2 with RESOLVE_BENEATH,
 * RESOLVE_NO_SYMLINKS and RESOLVE_NO_MAGICLINKS below a descriptor; making, removing and renaming
 * resolve the folder so and act on one component. Paths are normalised ones (ftp_path_resolve).
 * "/" and "/home" are made up: nothing can be made, removed or renamed in them, nor "/shared" and
 * "/home/NAME" themselves.
 *
 * Rights: in /shared everyone reads, makes files and folders, and overwrites, removes and renames
 * what is their own by the store's row; an administrator all; everyone all when the policy
 * files_delete is "all". What has no row (dropped in) belongs to nobody: administrators only,
 * unless "all". In /home/NAME its owner may do all; what is renamed into a home or out of it is its
 * mover's from then on, and a folder that holds files of others is not taken home. Removing an
 * empty folder in /shared needs its owner or an administrator too. Functions return 0 or -ENOENT,
 * -EACCES (not yours, or the made-up places), -EISDIR, -ENOTDIR, -EEXIST, -ENOTEMPTY, -ELOOP,
 * -ENXIO (neither file nor folder), -ENOSPC, or a store error.
 */
#ifndef FTPD_TREE_H
#define FTPD_TREE_H

#include "proto/ftp.h"
#include "store/file.h"

struct tree;

/* Before the walls: opens STATE/files, making it and shared/ and home/ if missing (02770). */
int tree_open(const char *state, struct tree **ret);
void tree_free(struct tree *t);
void tree_freep(struct tree **t);

/* After log-in: for whom it acts; home/NAME is made if missing. The store is borrowed. */
int tree_log_in(struct tree *t, struct store *s, const char *account, bool admin);
void tree_log_out(struct tree *t);

/* With owner and digest where the store's row has and is believed; *ret_inode, *ret_mtime_ns may be
 * NULL. */
int tree_stat(struct tree *t, const char *path, struct ftp_entry *ret);

/* A regular file for reading. */
int tree_open_file(struct tree *t, const char *path, int *ret_fd, struct ftp_entry *ret);

/* The descriptor of an existing folder (O_RDONLY), for temporaries; -EACCES for "/" and "/home". */
int tree_open_folder(struct tree *t, const char *path, int *ret_fd);

int tree_make_folder(struct tree *t, const char *path);
int tree_remove_folder(struct tree *t, const char *path); /* empty but for temporaries */
int tree_remove_file(struct tree *t, const char *path); /* and one's own partial of it */
int tree_may_rename(struct tree *t, const char *from); /* RNFR */
int tree_rename(struct tree *t, const char *from, const char *to);
int tree_set_mtime(struct tree *t, const char *path, int64_t modify_us);

/* Free bytes for this account there: of the disk (less the policy files_keep_free) and of the
 * quota, the smaller. */
int tree_available(struct tree *t, const char *path, uint64_t *ret);

struct store *tree_store(struct tree *t);

/* Entries of a folder, or the one file; in slices. Temporaries are left out. */
struct tree_list;
int tree_list_open(struct tree *t, const char *path, struct tree_list **ret);
/* Calls each() for at most max entries; 1: more to come; 0: done. Nonzero of each() ends it and is
 * returned. */
int tree_list_next(struct tree_list *l, size_t max,
	int (*each)(void *arg, const char *name, const struct ftp_entry *e), void *arg);
void tree_list_free(struct tree_list *l);

#endif
