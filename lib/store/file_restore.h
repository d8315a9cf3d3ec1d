/* Inside lib/store only: ftpd's tree and its rows coming back from a backup. */
#ifndef STORE_FILE_RESTORE_H
#define STORE_FILE_RESTORE_H

/*
 * Copies DIR/files to STATE/files, folders that are there included. -EEXIST, with the reason, when
 * there are files in it already that no earlier attempt left. 0 when the backup has no tree.
 */
int file_restore_tree(int dir_fd, int state_fd, const char *state);

/*
 * Fits the rows of an environment that nobody else has open yet to the tree just copied. A file has
 * another inode now: a digest stays only when the copy still has it, for a backup's bytes may have
 * changed, and else goes; sizes and times become those of the copy, owners stay. Rows without their
 * file go, as do partials and reservations. Usage follows.
 */
int file_restore_rows(const char *store_dir, int state_fd);

#endif
