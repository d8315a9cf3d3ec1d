/* The files of the outbox. */
#ifndef CLIENT_MAIL_OUTBOX_I_H
#define CLIENT_MAIL_OUTBOX_I_H

#include "client/mail/mail.h"

enum {
	OUTBOX_NAME_SIZE = 64,
	OUTBOX_TO_MAX = 1000,
	OUTBOX_FILE_MAX = 2 * MAIL_MESSAGE_MAX + (1 << 20),
};

/* A letter's name is when it was written and something random; what became of it is how its file
 * ends. */
enum outbox_state { OUTBOX_WAITING, OUTBOX_SENT, OUTBOX_REFUSED };
extern const char *const outbox_ends[]; /* ".wait" ... */

/* A letter out of its file. */
struct outbox_file {
	struct buf bytes;
	char from[MIME_ADDRESS_MAX + 1];
	bool keep;
	enum smime_how how;
	struct span *to; /* into bytes; owned */
	size_t to_count;
	struct span message, copy; /* copy: the message, if there is no other */
};
void outbox_file_done(struct outbox_file *f);
int outbox_write(int dir_fd, const char *name, const struct outbox_letter *l);
/* -EBADMSG: damaged. -ENOENT. */
int outbox_read(int dir_fd, const char *name, enum outbox_state state, struct outbox_file *ret);

/* The folder; made when it is missing. */
int outbox_open(const struct profile *p, int *ret_fd);
/* Whoever sends or changes holds it; gone with the descriptor. -EBUSY: somebody else does. */
int outbox_lock(int dir_fd, int *ret_fd);
/* Names in that state without their ends, oldest first, each ended by NUL. */
int outbox_names(int dir_fd, enum outbox_state state, struct buf *ret, size_t *ret_count);
/* From one state to another. */
int outbox_turn(int dir_fd, const char *name, enum outbox_state from, enum outbox_state to);
int outbox_drop(int dir_fd, const char *name, enum outbox_state state);
/* Why it was refused. */
int outbox_why_write(int dir_fd, const char *name, const char *why);
void outbox_why_read(int dir_fd, const char *name, struct buf *ret);

#endif
