/*
 * Inside lib/store only: what must hold before LMDB may open a folder. The robust mutexes of LMDB
 * tell lock owners apart by pid, so all processes of one environment must live in one PID
 * namespace; and neither overlayfs (copy-up behind a reader's back) nor network file systems keep
 * its promises.
 */
#ifndef STORE_GUARD_H
#define STORE_GUARD_H

#include <stdint.h>

/* 0, -EMEDIUMTYPE with the kind in *ret_kind (static text), or why dir_fd could not be asked. */
int guard_file_system(int dir_fd, const char **ret_kind);

/*
 * Takes a shared lock on the guard file in dir_fd, which names the PID namespace of all who hold
 * one; when nobody does, the file is rewritten. 0 and the descriptor that holds the lock until it
 * is closed; -EXDEV: held from another namespace; -ENOSYS: there is no /proc to ask.
 */
int guard_take(int dir_fd, int *ret_fd);

#endif
