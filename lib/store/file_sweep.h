/* Inside lib/store only: the sweep of ftpd's tree. */
#ifndef STORE_FILE_SWEEP_H
#define STORE_FILE_SWEEP_H

#include "store/blob.h"

/* No folder of ftpd's lies deeper: FILE_PATH_MAX bytes hold no longer way down. */
#define FILE_DEPTH_MAX 1024

/*
 * Reservations of dead processes; temporaries older than a day that no upload holds and no partial
 * names; rows older than an hour whose file is gone. Counts are added to *result.
 */
int file_sweep(struct store *s, int64_t now_us, struct sweep_result *result);

/* Is there nothing at that path of the tree? path begins with "/". */
bool file_is_gone(int files_fd, const char *path);

#endif
