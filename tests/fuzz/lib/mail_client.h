/*
 * An IMAP client that believes nothing: it says what it is given, line by line and literal by
 * literal as a client has to, reads each answer when it has come, and keeps what it was told of the
 * selected mailbox, which has to be what the store has whenever a command has ended that may tell
 * all.
 */
#ifndef TESTS_FUZZ_MAIL_CLIENT_H
#define TESTS_FUZZ_MAIL_CLIENT_H

#include "tests/fuzz/lib/mail_world.h"

#include "proto/imap.h"

/* What was told of a message. */
struct mail_seen {
	uint32_t uid; /* 0: nothing yet */
	bool has_flags;
	uint32_t system;
	uint64_t keywords; /* bits of the account's table */
};

struct mail_client {
	const char *account;
	struct span rest; /* to be said */
	size_t step; /* bytes at a time; 0: a line */
	bool (*between)(struct span line); /* true: that line is none of the client's. NULL */
	struct service *service;
	struct buf out; /* the answers, and how much of them was read */
	size_t read;

	struct span piece; /* of the line or the literal, still to be given */
	struct span line; /* the last one that was given whole; p NULL: a literal was */
	uint64_t literal; /* bytes of it that come next */
	bool busy; /* a command was begun, */
	bool answered; /* its end was told, */
	bool skipping; /* and what the server reads of it then is for nothing */
	bool continued; /* "+" has come: the next line is not a command's */
	bool plain; /* and this one is such */
	unsigned asked; /* literals whose "+" is still to come */
	bool bye, over;

	char tag[IMAP_TAG_MAX + 1], name[16];
	bool uid; /* it began with UID */
	bool silent; /* a change in silence: what flags are then, the client thinks for itself */
	bool utf8, notify;

	uint64_t box; /* 0: none is selected */
	struct mail_seen *list; /* owned */
	size_t count;
};

/* What comes next of the input; for conn_new_source(). */
struct span mail_client_next(void *client);
/* When the session is over. */
void mail_client_end(struct mail_client *c);

/* -- mail_answers.c ---------------------------------------------------------------------------- */

/* Reads what was answered meanwhile. */
void mail_client_hear(struct mail_client *c);
bool mail_client_is(const struct mail_client *c, const char *name);

/* -- mail_seen.c: what the client knows of its mailbox ------------------------------------------
 */

void mail_seen_forget(struct mail_client *c);
void mail_seen_exists(struct mail_client *c, uint64_t count);
void mail_seen_expunge(struct mail_client *c, uint64_t number);
void mail_seen_vanished(struct mail_client *c, struct span set);
void mail_seen_fetch(struct mail_client *c, uint64_t number, const struct imap_answer *a,
	const struct imap_node *list);
/* Nothing is known of flags any more. */
void mail_seen_silence(struct mail_client *c);
/* Is it what the store has? */
void mail_seen_compare(struct mail_client *c);

#endif
