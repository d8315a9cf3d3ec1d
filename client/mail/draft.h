/* A letter on its way out, as the person and the editor have it: owned texts. */
#ifndef CLIENT_MAIL_DRAFT_H
#define CLIENT_MAIL_DRAFT_H

#include "client/mail/ui.h"

struct draft {
	struct buf to, cc, bcc; /* addresses as typed, by commas */
	struct buf subject, text;
	struct buf in_reply_to, references;
	struct mime_attachment *files; /* owned, as their bytes; names are the command's words */
	struct buf *file_bytes;
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
 * emptied; others told. *always: an unchanged one counts too. */
int draft_edit(const struct mailui *u, struct draft *d, bool always);

/* Adds a file to it; an exit code, told. */
int draft_attach(const struct mailui *u, struct draft *d, const char *path);

/* Composes, protects, puts into the outbox and sends. What came of it is told; an exit code. */
int draft_send(struct mailui *u, const struct draft *d);

#endif
