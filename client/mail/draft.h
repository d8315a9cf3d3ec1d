/* A letter on its way out, as the person and the editor have it: owned texts. */
#ifndef CLIENT_MAIL_DRAFT_H
#define CLIENT_MAIL_DRAFT_H

#include "client/mail/ui.h"

struct draft {
	struct buf to, cc, bcc; /* addresses as typed, by commas */
	struct buf subject, text;
	struct buf in_reply_to, references;
	struct mime_attachment *files; /* owned, as their bytes and names */
	struct buf *file_bytes;
	char **file_names;
	size_t file_count;
	const struct mime_attachment *forwarded; /* borrowed, of what is passed on */
	size_t forwarded_count;
	bool receipt;
	enum smime_how how;
};
#define DRAFT_INIT                                          \
	((struct draft){.to = BUF_INIT(65536),              \
		.cc = BUF_INIT(65536),                      \
		.bcc = BUF_INIT(65536),                     \
		.subject = BUF_INIT(8192),                  \
		.text = BUF_INIT((size_t)MAIL_MESSAGE_MAX), \
		.in_reply_to = BUF_INIT(8192),              \
		.references = BUF_INIT(65536)})

void draft_done(struct draft *d);

/* "To: ...", "Cc: ...", "Bcc: ...", "Subject: ...", a blank line, the text; and back. -EBADMSG: the
 * head is not of that form. Pure. */
void draft_show(const struct draft *d, struct buf *out);
int draft_read(struct span shown, struct draft *d);

/* Opens $VISUAL, $EDITOR or vi on it. CLIENT_OK; CLIENT_NO: it was left without a change, or
 * emptied; others: with ret_why it did not work; nothing is told. always: an unchanged one counts
 * too. */
int draft_edit(const struct mailui *u, struct draft *d, bool always, char ret_why[256]);

/* Adds a file to it; an exit code, told. */
int draft_attach(const struct mailui *u, struct draft *d, const char *path);

/* An answer to a message: addressees, subject, quoted text. a is what d borrows from then on. An
 * exit code, told. */
int draft_answer(struct mailui *u, const struct mailui_letter *l, enum mail_answer_kind kind,
	struct mail_answer *a, struct draft *d);
/* Marks what was answered, once that is on its way. */
void draft_answered(struct mailbox *b, uint32_t uid, enum mail_answer_kind kind);

/* Composes, protects, puts into the outbox and sends. What came of it is told; an exit code.
 * ret_name (may be NULL): its name in the outbox, "" while it is not there. */
int draft_send(struct mailui *u, const struct draft *d, char ret_name[64]);
/* The same without a word to any server: it waits in the outbox and is sealed when it goes. */
int draft_keep(struct mailui *u, const struct draft *d, char ret_name[64]);

#endif
