/*
 * quintet mail's engine. Pure parts and network parts without user interface; nothing here writes
 *to the terminal.
 *
 *	link.c conn_imap.c     one IMAP connection as a state machine: imapc.h
 *	submit.c               one submission over SMTP
 *	outbox.c               what waits to be sent: files, sent once
 *	cache.c cache_file.c   the local copy of a mailbox, by UIDVALIDITY and MODSEQ
 *	mailbox.c              list, read, flag, move, search: on imapc and cache
 *	compose.c              a message out of its parts; reply.c: out of another
 *	smime.c trust.c        signed and encrypted messages; certificates of others
 *	receipts.c notices.c people.c  what the server tells beyond IMAP
 *	ui: cmd.c (cmd_mail) and one file per subcommand, view*.c (the terminal)
 */
#ifndef CLIENT_MAIL_MAIL_H
#define CLIENT_MAIL_MAIL_H

#include "client/client.h"
#include "client/profile.h"
#include "proto/imap.h"
#include "proto/mime.h"

/* -- one IMAP connection (imapc.h has the inside) ------------------------------------------------
 */

struct imapc;

/* Connects to the door "imaps" of the profile's directory, logs in (EXTERNAL by the profile's
 * certificate, or user and password), enables CONDSTORE or QRESYNC. Told on standard error when it
 * fails: an exit code. */
struct mail_login {
	const char *user; /* NULL: the profile's */
	struct span password; /* empty: by certificate */
};
int imapc_open(struct client *c, const struct profile *p, const struct mail_login *login,
	struct imapc **ret);
void imapc_close(struct imapc *m); /* LOGOUT */
void imapc_closep(struct imapc **m);

/* Each untagged answer goes to heard(), if that is set (-ECANCELED and the like end the run), the
 * tagged one decides: 0 OK; -EREMOTEIO: NO or BAD, imapc_said() tells; else the line is lost. A
 * command is sent as pieces: text, and literals, which wait for "+" or not as the server can. */
typedef int (*imapc_heard)(void *arg, const struct imap_answer *a);
struct imapc_piece {
	struct span text; /* without CR LF */
	bool literal;
};
int imapc_run(struct imapc *m, const struct imapc_piece *pieces, size_t count, imapc_heard heard,
	void *arg);
int imapc_runf(struct imapc *m, imapc_heard heard, void *arg, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* The response code and text of the last tagged answer. */
const char *imapc_code(const struct imapc *m);
const char *imapc_said(const struct imapc *m);
bool imapc_can(const struct imapc *m, const char *capability);

/* IDLE until something is heard, watch_fd (-1 none) is readable (returns 3), every_ms have passed
 * (2), or a signal (-ECANCELED). 1: something was heard. */
int imapc_idle(struct imapc *m, unsigned every_ms, int watch_fd, imapc_heard heard, void *arg);

/* -- a mailbox, by way of the cache ---------------------------------------------------------------
 */

struct mail_item { /* a line of a list */
	uint32_t uid;
	uint64_t modseq;
	uint32_t flags; /* enum imap_flag */
	char *keywords; /* blank-separated; owned, as the next */
	int64_t date_us; /* INTERNALDATE */
	uint64_t size;
	char *from, *to, *subject, *msgid; /* decoded, clean UTF-8 */
	bool encrypted, is_signed, attachments; /* as BODYSTRUCTURE shows */
	bool asks; /* for a receipt */
};

struct mailbox; /* selected, with its cache */

/* Selects by QRESYNC from what the cache knows: a second look costs one round trip. */
int mailbox_open(struct imapc *m, const char *name, bool read_only, struct mailbox **ret);
void mailbox_close(struct mailbox *b);
/* Its items, ascending by UID; valid until the next call that may hear the server. */
const struct mail_item *mailbox_items(const struct mailbox *b, size_t *ret_count);
int mailbox_refresh(struct mailbox *b); /* NOOP, and what came of it */
/* The whole message: from the cache if it is there. Sets nothing. */
int mailbox_message(struct mailbox *b, uint32_t uid, struct buf *ret);
int mailbox_flag(struct mailbox *b, const uint32_t *uids, size_t count, uint32_t flags, bool on);
int mailbox_move(struct mailbox *b, const uint32_t *uids, size_t count, const char *to);
int mailbox_expunge(struct mailbox *b, const uint32_t *uids, size_t count);
/* UIDs that match, ascending (uint32_t appended). criteria: IMAP's own words, or free text made
 * into OR SUBJECT FROM TEXT by mailbox_criteria(). */
int mailbox_search(struct mailbox *b, struct span criteria, struct buf *ret_uids);
void mailbox_criteria(struct buf *b, char *const *words, size_t count);
/* Puts a message into a mailbox (Sent, Drafts), once: a Message-ID that is there already is left.
 */
int mailbox_append(struct imapc *m, const char *name, struct span message, uint32_t flags);

struct mail_folder {
	char *name; /* owned */
	uint32_t messages, unseen, uid_next, validity;
	uint64_t modseq;
	const char *use; /* "\\Sent" or "" */
};
/* All mailboxes with their counts, in one round trip (LIST-STATUS). */
int mail_folders(struct imapc *m, struct mail_folder **ret, size_t *ret_count);
void mail_folders_free(struct mail_folder *f, size_t count);

/* -- sending --------------------------------------------------------------------------------------
 */

struct mail_draft { /* what a person writes; all UTF-8, borrowed */
	const struct mime_mailbox *to, *cc, *bcc;
	size_t to_count, cc_count, bcc_count;
	struct span from_name, from_address; /* the profile's */
	struct span subject, text;
	const struct mime_attachment *attachments;
	size_t attachment_count;
	struct span in_reply_to, references;
	bool want_receipt;
};
/* The message, CR LF, with Date and Message-ID; Bcc is not in it. */
int mail_compose(const struct mail_draft *d, struct buf *ret, char ret_msgid[256]);
/* A draft's fields for a reply or a forward of that message: quoted text and addressees. Owned by
 * ret, done by mail_answer_done(). */
struct mail_answer;

/* The outbox: a folder of the profile, a file per message with its envelope; what is in it is sent
 * in order, each once (the server knows a sender's retry by its Message-ID), and then put into
 * Sent.
 */
int outbox_add(
	const struct profile *p, struct span envelope, struct span message, char ret_name[64]);
/* Sends what waits. *ret_sent, *ret_left. 0, or the first failure; a refused message moves to
 * "refused" with the server's words. */
int outbox_send(struct client *c, const struct profile *p, const struct mail_login *login,
	unsigned *ret_sent, unsigned *ret_left);

/* -- S/MIME
 * ---------------------------------------------------------------------------------------- */

struct smime_verdict {
	bool was_signed, was_encrypted;
	bool good; /* signed, and everything about it holds */
	char signer[256]; /* address of the certificate */
	bool from_matches; /* it is the From of the message */
	char reason[160]; /* for people, when not good */
};
/* Wraps a composed message: subject and the other headers inside too (protected headers).
 * Recipients' certificates: smime_recipients(). */
int smime_sign(struct client *c, const struct profile *p, struct span message, struct buf *ret);
int smime_encrypt(const struct span *certs_der, size_t count, struct span message, struct buf *ret);
/* Opens what is encrypted, verifies what is signed; the readable message is in ret (the message
 * itself when it is neither). -ENOKEY: no key of ours opens it. */
int smime_open(struct client *c, const struct profile *p, struct span message, struct buf *ret,
	struct smime_verdict *ret_verdict);
/* The valid certificates of an account, from cad, DER each behind its length (rec.h); checked to
 * our root, dates and revocation. -ENOENT: none. */
int smime_certificates(
	struct client *c, const struct profile *p, const char *account, struct buf *ret);

#endif
