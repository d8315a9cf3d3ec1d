/* Small files in a folder that is held open: whole or not at all. */
#ifndef CLIENT_FILES_H
#define CLIENT_FILES_H

#include "base/buf.h"

/* A whole file appended to ret; a missing one appends nothing. */
int files_read(int dir_fd, const char *name, struct buf *ret);

/*
 * Mode 0600 in a temporary, flushed, renamed, and the folder flushed: a full disk or a crash leaves
 * the old file whole. Writers of one folder hold its lock.
 */
int files_write(int dir_fd, const char *name, struct span bytes);

/* Removing a missing one is fine. */
int files_remove(int dir_fd, const char *name);

/* Removes a folder with all that is in it; links are not followed. */
int files_remove_folder(int parent_fd, const char *name);

/*
 * The folder's lock, kept until files_unlock() or the end of the process. Short waits only, so it
 * is never held across the network. File systems without locks go without.
 */
void files_lock(int dir_fd, bool exclusive);
void files_unlock(int dir_fd);

#endif
