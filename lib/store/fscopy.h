/* Inside lib/store only: copying files so that they are on disk afterwards. */
#ifndef STORE_FSCOPY_H
#define STORE_FSCOPY_H

#include "base/span.h"

#include <stdint.h>

/* Where a file is: a name below a folder. */
struct fs_place {
	int dir_fd;
	const char *name;
};

/*
 * Copies a regular file, mode and modification time included, flushed; to must not exist.
 * ret_sha256 (32 bytes) may be NULL. Folders are not flushed.
 */
int fs_copy_file(struct fs_place from, struct fs_place to, unsigned char *ret_sha256);

/* The digest and size of a file. */
int fs_hash_file(struct fs_place from, unsigned char ret_sha256[32], uint64_t *ret_size);

/*
 * A folder with all folders and regular files in it, while people work there (other kinds are left
 * out). *to must not exist, unless into is set: then folders that are there are used and files
 * replaced. -ENOENT: no such folder; -ELOOP: more than a thousand levels; -EMFILE: two descriptors
 * are open at each level.
 */
struct fs_tree {
	const char *leave_out; /* entries whose names begin so are left out */
	bool into;
	unsigned depth; /* 0 */
};
int fs_copy_tree(const struct fs_tree *t, struct fs_place from, struct fs_place to);

/* A new file of these bytes, flushed. */
int fs_write_file(struct fs_place to, struct span bytes);

/* Makes a folder if it is missing and opens it. The descriptor or negative errno. */
int fs_open_folder(struct fs_place at, bool make, unsigned mode);

int fs_flush_folder(int dir_fd);

#endif
