/* Inside lib/store only: what backup.c, restore.c and check.c share. */
#ifndef STORE_BACKUP_I_H
#define STORE_BACKUP_I_H

#include "store/row.h"

/* Written last: a backup without it is not whole. */
#define BACKUP_MARK_NAME "quintet-backup"
#define BACKUP_MARK "quintet backup 1\n"

/*
 * Calls each() for every blob row of an environment that nobody else has open (a copy). row.bytes
 * point into the map. Nonzero stops and is returned.
 */
int backup_each_blob(const char *store_dir,
	int (*each)(void *arg, const unsigned char *id, const struct blob_row *row), void *arg);

/* Does the row's own content have the digest it is called by? 0 or -EBADMSG. */
int blob_check_inline(const unsigned char *id, const struct blob_row *row);

#endif
