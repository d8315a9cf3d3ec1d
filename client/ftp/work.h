/*
 * What a transfer keeps from one connection to the next: its local file, the digest of what is
 * there already, and what the file at the other end was like when it began. A download goes into a
 * part beside its target, ".NAME.quintet-part", and ".NAME.quintet-from" tells what it is a part
 * of, so that another run of the program goes on with it.
 */
#ifndef CLIENT_FTP_WORK_H
#define CLIENT_FTP_WORK_H

#include "base/hash.h"
#include "client/ftp/ftp.h"

#include <sys/stat.h>

/* Below it nothing is resumed over runs, nor room asked for beforehand: not worth the questions. */
#define WORK_SMALL (UINT64_C(1) << 20)

struct ftp_work {
	int64_t after_ms; /* not before that is it tried again */
	unsigned losses; /* since it last got on */
	uint64_t lost_at; /* where it was at the last loss */

	int fd; /* the part, or an upload's source */
	struct hash *hash; /* of the first `hashed` bytes */
	uint64_t hashed;
	bool again; /* it was begun anew after a difference; that is done once */

	/* downloads */
	int dir_fd;
	char name[FTP_NAME_MAX + 1], part[FTP_NAME_MAX + 1], note[FTP_NAME_MAX + 1];
	struct ftp_entry remote; /* what the part is of */
	bool known; /* remote is set */
	bool inherited; /* from another run */
	bool noted; /* the note is written */
	bool digested; /* all of it: the task's digest is set */
	bool overflow; /* more came than the file is long */

	struct buf line; /* of a listing: the first piece of one that is not whole yet */

	/* uploads */
	struct stat source; /* as it was when it was opened */
	uint64_t sent_from, sent_to; /* what this run sent of it */
	unsigned char said[HASH_SHA256_LEN]; /* the digest in the server's last word */
	bool has_said;
};

/* Makes the task's work if it has none. -ENOMEM, -EIO. */
int work_need(struct ftp_task *t);
void work_free(struct ftp_work *w);

/* The digest so far is of nothing. */
int work_rewind(struct ftp_work *w);
/* The next bytes of it. */
int work_add(struct ftp_work *w, struct span bytes);
/* Digests the file up to there, a slice at a time: 1: more; 0: done; -ESTALE: it is shorter. */
int work_catch_up(struct ftp_work *w, uint64_t upto);
/* The digest, after which the work is rewound. */
int work_digest(struct ftp_work *w, unsigned char ret[HASH_SHA256_LEN]);

/* Notes where this run of the task began, for progress. */
void work_began(struct ftp_task *t);

/* Seconds that a server may need to digest or store that much. */
unsigned work_patience_s(uint64_t size);

/* The last word on an upload, which may tell the digest. */
void work_note_answer(struct ftp_task *t, struct span text);

/* -- part.c ------------------------------------------------------------------------------------ */

/* Opens and locks the part of t->local. -EEXIST: no_overwrite; -EISDIR; -EINVAL: the target is
 * neither file nor folder; -EBUSY: another process is at it; others of the file system. */
int part_open(struct ftp_task *t);

/* How many bytes of it can be kept for this remote file; else it is emptied. */
int part_fit(struct ftp_task *t, const struct ftp_entry *remote, uint64_t *ret_at);

/* Keeps the part for later, or removes it if it is empty. */
void part_keep(struct ftp_task *t);

/* Removes it. */
void part_drop(struct ftp_work *w);

/* It is whole: on disk, with its time, in the target's place. */
int part_publish(struct ftp_task *t);

#endif
