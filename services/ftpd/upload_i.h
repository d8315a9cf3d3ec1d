/* What the parts of an upload share. Not for the rest of ftpd. */
#ifndef FTPD_UPLOAD_I_H
#define FTPD_UPLOAD_I_H

#include "services/ftpd/tree_i.h"
#include "services/ftpd/upload.h"

struct hash;

/* -- room (quota.c) ---------------------------------------------------------------------------- */

/* What the account and the disk have left for one upload. */
struct room {
	struct tree *tree;
	int folder_fd; /* borrowed: whose disk */
	uint64_t quota; /* 0: none */
	uint64_t keep_free; /* of the disk */
	uint64_t replaces; /* bytes of the account's own that the upload will free */
	uint64_t limit; /* how long the file may become by the quota, as last looked at */
	uint64_t id, reserved; /* id 0: no reservation */
	uint64_t disk_seen; /* the disk has room until the file is so long */
};

/*
 * For a file that begins with kept bytes and gets about announced more (0: unknown). Looks first;
 * reserves if announced. -EDQUOT, -ENOSPC, -EFBIG.
 */
int room_begin(struct room *r, uint64_t kept, uint64_t announced);
/* Before the file becomes size bytes long. */
int room_grow(struct room *r, uint64_t size);
/* After r->replaces has changed. */
int room_renew(struct room *r);
/* Gives the reservation back, if a commit has not taken it. */
void room_release(struct room *r);

/* -- an upload --------------------------------------------------------------------------------- */

struct upload {
	struct tree *tree;
	enum upload_how how;
	char path[FTP_PATH_SIZE];
	int folder_fd;
	struct room room;

	int fd; /* the temporary, held locked; -1: not made yet */
	char temp[FILE_TEMP_SIZE];
	bool partial; /* the temporary has a row: it was interrupted before */

	uint64_t kept; /* bytes in front of the client's first one */
	int source_fd; /* where they are copied from; -1: they are in the temporary */
	uint64_t copied, digested; /* of kept */

	bool placed; /* the temporary is as long as size, and written from there on */
	uint64_t size; /* of the file so far */
	uint64_t written_back; /* of it: the disk was told to begin */
	struct hash *hash; /* of all of it */
	int error; /* the first failure of a write */
	bool committed;
};

const char *upload_name(const struct upload *u);

/* Makes the temporary if it is not there. (upload_write.c) */
int upload_make_temp(struct upload *u);

/* Before the first byte: the temporary is there, and what is behind `kept` is cut off. */
int upload_place(struct upload *u);

/*
 * Under the lock: is the target's folder still the one where the temporary lies, and may the file
 * be written there? -EIDRM: the folder is gone or another; else as tree_target_may_write(). The
 * target is to be done with tree_target_done(). (upload_commit.c)
 */
int upload_target(struct upload *u, struct tree_target *ret);

/* STOU: the first free name like the one wished for. (upload.c) */
int upload_choose_name(struct tree *t, const char *wish, char ret[FTP_PATH_SIZE]);

/* -- partials (partial.c) ---------------------------------------------------------------------- */

/* Finds one's partial of u->path and takes it: u->fd, u->temp, u->partial; *ret_size can be
 * continued. -ENOENT: there is none; -EBUSY: another session is at it. */
int partial_take(struct upload *u, uint64_t *ret_size);
/* Cuts it to u->kept, the row first. */
int partial_cut(struct upload *u);
/* What was received becomes the partial, or goes; of a partial that was continued, what it was
 * before is there again. */
void partial_keep(struct upload *u);
void partial_discard(struct upload *u); /* one without a row */
void partial_restore(struct upload *u); /* one with */

#endif
