/* Inside lib/store only: the files of blobs. */
#ifndef STORE_BLOB_I_H
#define STORE_BLOB_I_H

#include "store/blob.h"

#define BLOB_PATH_SIZE (3 + 2 * BLOB_ID_LEN + 1) /* "ab/" and the digest in hexadecimal */

void blob_path(const unsigned char *id, char ret[BLOB_PATH_SIZE]);

/* The digest in a file's name (without its folder). False for other names. */
bool blob_of_name(const char *name, unsigned char ret[BLOB_ID_LEN]);

/*
 * Removes files that no row names and that are older than an hour, and old temporaries. Skipped
 * where a writer or a backup holds the folder. The count.
 */
int blob_sweep_files(struct store *s, int64_t now_us, uint64_t *ret);

#endif
