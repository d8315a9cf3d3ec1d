/*
 * Work that takes long and needs no data connection, in slices between the control connection's
 * lines: digests of files, SITE RMTREE. At most one per session, and at most 2 digests at once over
 * all sessions (lock files in RUNTIME/locks, as for passwords): -EBUSY gives 450.
 */
#ifndef FTPD_JOB_H
#define FTPD_JOB_H

#include "services/ftpd/ftpd.h"

/*
 * From the store's row where that is believed and the whole file is asked for; else computed, and
 * noted in the row when whole. style: how the reply looks. whole: first and length do not count;
 * else 554 when they are not in the file; and a part is one of one's own interrupted upload if SIZE
 * has told of that, so that a client may ask whether it is the same before it goes on. Result as
 * ftpd_command(); sets f->job when it takes time.
 */
enum job_style { JOB_HASH, JOB_XSHA256, JOB_XCRC };
struct job_digest {
	enum ftp_hash hash;
	enum job_style style;
	uint64_t first, length;
	bool whole;
};
int job_digest(struct ftpd *f, const char *path, const struct job_digest *what);

/* Everything at and below a folder whose every entry may be removed; else nothing is removed. */
int job_rmtree(struct ftpd *f, const char *path);

/* One slice (some milliseconds); at the end it has replied and f->job is NULL. */
int job_step(struct ftpd *f);
/* Ends it: 426 and 226 for ABOR. */
int job_abort(struct ftpd *f, bool reply);

#endif
