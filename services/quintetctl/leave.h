/*
 * What an account leaves behind in ftpd's tree: deleted, or given to another. Both can be asked for
 * again when they were cut off, also when the account itself is no more.
 */
#ifndef QUINTETCTL_LEAVE_H
#define QUINTETCTL_LEAVE_H

#include "ctl.h"

struct leave_counts {
	uint64_t files, folders; /* deleted, or given */
	uint64_t shared; /* folders that hold what is others': nobody's from now on */
	char place[ACCOUNT_NAME_SIZE + 24]; /* of a home that was given, in that of the heir; "" */
};

/* Has it files, a home or interrupted uploads? 1, 0 or negative errno. */
int leave_is_there(struct ctl *c, const char *name);

/* Says what is wrong: there is no such account, it is the same, or its quota has no room. */
int leave_check_heir(struct ctl *c, const char *name, const char *heir);

/* The home with all that is in it, and what is the account's in /shared. Negative errno. */
int leave_delete(struct ctl *c, const char *name, struct leave_counts *ret);

/* The home becomes a folder in the heir's, and all files are the heir's. Negative errno. */
int leave_give(struct ctl *c, const char *name, const char *heir, struct leave_counts *ret);

/* -- the tree (leave_tree.c) --------------------------------------------------------------------
 */

/* STATE/files, open. -ENOENT: there is none. */
int leave_tree_open(const struct ctl *c, int *ret_fd);
/* The lock that everybody holds who changes tree and rows together (store/file.h). */
int leave_tree_lock(int files_fd);
void leave_tree_unlock(int files_fd);

/* Removes one file, or an empty folder, by its virtual path; links are not followed. -ENOENT,
 * -ENOTEMPTY. */
int leave_tree_remove(int files_fd, const char *path, bool folder);
/* home/NAME with all that is in it. -ENOENT. */
int leave_tree_remove_home(int files_fd, const char *name);
bool leave_tree_has_home(int files_fd, const char *name);
/* home/NAME becomes home/HEIR/NAME, or NAME-2 and so on. -ENOENT: there was none, or nothing in it.
 * back: undoes it. */
int leave_tree_give_home(int files_fd, const char *name, const char *heir, char *ret, size_t size);
int leave_tree_take_back(int files_fd, const char *name, const char *heir, const char *place);

#endif
