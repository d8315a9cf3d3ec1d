/* What the files of a mailbox share. */
#ifndef CLIENT_MAIL_MAILBOX_I_H
#define CLIENT_MAIL_MAILBOX_I_H

#include "client/mail/cache.h"
#include "client/mail/imapc.h"

struct mailbox {
	struct imapc *m;
	char name[MAIL_NAME_MAX];
	bool read_only;
	struct cache cache; /* validity, uid_next and modseq are the mailbox's, with a folder or
			     * without */
	struct items items;
	uint32_t exists; /* as the server counts */
	uint32_t uid_next; /* as the server says; the cache's tells what is known */
	uint64_t highest; /* HIGHESTMODSEQ heard; taken over when all of it is known */
	bool closing; /* what is heard until CLOSED is of the mailbox before */
	bool changed; /* the cache on disk is behind */
	bool gone; /* messages left: their bodies can go */
	bool lost_count; /* the server's numbers no longer fit: ask for all UIDs */
	/* while all UIDs are asked for */
	struct buf *seen;
};

/* Is it what is selected on its line? */
bool mailbox_is_selected(const struct mailbox *b);
/* 0, or why nothing can be asked: -ENOTCONN. */
int mailbox_ready(const struct mailbox *b);
/* Selects it (again) from what is known, and brings it up to date. */
int mailbox_select(struct mailbox *b);
/* Whatever came with the last command is followed by what it takes to know it. */
int mailbox_settle(struct mailbox *b);
/* Hears every untagged answer while it is selected. */
int mailbox_hear(void *arg, const struct imap_answer *a);

#endif
