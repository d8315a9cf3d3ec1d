/*
 * One upload: a temporary in the target's folder, SHA-256 on the way, quota reserved as it grows,
 * and at the end one commit: fsync, store row, rename, fsync of the folder. Until then the target
 * is as it was. What is interrupted stays as its owner's partial (STORE_OP_PARTIAL_PUT) and can be
 * continued; nothing received leaves nothing behind.
 *
 * A temporary's name is FILE_TEMP_PREFIX and random hexadecimal; it is held locked (flock) while an
 * upload writes to it, so that two sessions never share one.
 */
#ifndef FTPD_UPLOAD_H
#define FTPD_UPLOAD_H

#include "services/ftpd/tree.h"

enum upload_how {
	UPLOAD_REPLACE, /* STOR: from `at` on if at_set: continues one's partial, else a copy of the
			   finished file's first bytes */
	UPLOAD_APPEND, /* APPE: continues one's partial if there is one, else appends to a copy of
			  the finished file (reflink where the file system can), else a new file */
	UPLOAD_UNIQUE, /* STOU: path is the name wished for, a free one near it is taken */
};

struct upload_request {
	enum upload_how how;
	const char *path;
	bool at_set;
	uint64_t at; /* REST */
	uint64_t announced; /* ALLO: bytes to come, 0 unknown */
};

struct upload;

/*
 * Rights, place, room and quota are checked; no file is made yet. -ERANGE: `at` is beyond what is
 * there; -EBUSY: another session is at the same partial; -EDQUOT, -ENOSPC; else as tree.h.
 */
int upload_new(struct tree *t, const struct upload_request *request, struct upload **ret);

/* The path that will be written. STOU chooses it, and may have to choose again at the commit, when
 * somebody else's file has come there meanwhile. */
const char *upload_path(const struct upload *u);

/* Work before the first byte in slices: copying or digesting what is kept. 1: more; 0: ready. */
int upload_prepare(struct upload *u);

/* Bytes of the client, in order. The first ones make the temporary. -EDQUOT, -ENOSPC, -EFBIG, -EIO;
 * -EIDRM: the target's folder was removed. */
int upload_write(struct upload *u, struct span bytes);

/*
 * All is there: makes it the file, durable and with its row. On failure it is as interrupted.
 * Rights count as they are now: -EACCES when somebody else's file has come there; -EIDRM: the
 * folder was removed or moved, and what was received goes.
 */
int upload_commit(struct upload *u, struct ftp_entry *ret);

/* Ends it without commit: what was received becomes the partial (keep) or goes; what had been
 * interrupted before stays in either case. Frees. */
void upload_end(struct upload *u, bool keep);

/* Bytes of the file so far, those before `at` included. */
uint64_t upload_size(const struct upload *u);

/* One's own interrupted upload to path: how much can be continued (SIZE), those bytes for reading
 * (HASH of a part), and away with it (SITE DROP). -ENOENT; -EBUSY: a session is at it. */
int upload_partial(struct tree *t, const char *path, uint64_t *ret_size);
int upload_partial_read(struct tree *t, const char *path, int *ret_fd, uint64_t *ret_size);
int upload_drop(struct tree *t, const char *path);

#endif
