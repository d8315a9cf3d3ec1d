/*
 * quintet mail's engine. Pure parts and network parts without user interface; nothing here writes
 * to the terminal, but for what went wrong with a connection (client_fail).
 *
 *	conn_imap.c imapc_*.c  one IMAP connection as a state machine: imapc.h
 *	submit.c               one submission over SMTP: submit.h
 *	outbox.c               what waits to be sent: files, sent once
 *	cache.c cache_file.c   the local copy of a mailbox, by UIDVALIDITY and MODSEQ: cache.h
 *	mailbox*.c             list, read, flag, move, search: on imapc and cache
 *	item.c                 a FETCH answer as a line of a list
 *	view.c                 a message taken apart for reading
 *	compose.c              a message out of its parts; reply.c: out of another
 *	smime*.c trust.c       signed and encrypted messages; certificates of others
 *	receipts.c notices.c people.c  what the server tells beyond IMAP
 *	ui: cmd.c (cmd_mail) and one file per subcommand, view*.c (the terminal)
 */
#ifndef CLIENT_MAIL_MAIL_H
#define CLIENT_MAIL_MAIL_H

#include "client/client.h"
#include "client/profile.h"
#include "proto/imap.h"
#include "proto/mime.h"

enum {
	MAIL_MESSAGE_MAX = 64 << 20, /* bytes of a message that is looked at */
	MAIL_NAME_MAX = 1024, /* of a mailbox */
};

/* -- one IMAP connection (imapc.h has the inside) ------------------------------------------------
 */

struct imapc;

/* Connects to the door "imaps" of the profile's directory, logs in (EXTERNAL by the profile's
 * certificate, or user and password), enables QRESYNC or CONDSTORE, and UTF-8. Told on standard
 * error when it fails: an exit code. */
struct mail_login {
	const char *user; /* NULL: the profile's */
	struct span password; /* empty: by certificate */
};
int imapc_open(struct client *c, const struct profile *p, const struct mail_login *login,
	struct imapc **ret);
void imapc_close(struct imapc *m); /* LOGOUT; NULL is fine */
void imapc_closep(struct imapc **m);

/* Each untagged answer goes to heard(), if that is set (negative ends the run, and the line is lost
 * with it), the tagged one decides: 0 OK; -EREMOTEIO: NO or BAD, imapc_said() tells; else the line
 * is lost: client_why() tells, and every later call fails in the same way. A command is sent as
 * pieces: text, and literals, which wait for "+" or not as the server can. */
typedef int (*imapc_heard)(void *arg, const struct imap_answer *a);
struct imapc_piece {
	struct span text; /* without CR LF */
	bool literal;
};
int imapc_run(struct imapc *m, const struct imapc_piece *pieces, size_t count, imapc_heard heard,
	void *arg);
/* -EINVAL: a line end in it. */
int imapc_runf(struct imapc *m, imapc_heard heard, void *arg, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* The response code and text of the last tagged answer (clean UTF-8). */
const char *imapc_code(const struct imapc *m);
const char *imapc_said(const struct imapc *m);
bool imapc_can(const struct imapc *m, const char *capability);
/* For people, after a failure of any call on it: the server's words, or what became of the line. */
const char *imapc_why(const struct imapc *m, int error);

/* IDLE until something is heard, watch_fd (-1 none) is readable (returns 3), every_ms have passed
 * (2; 0: never), or a signal (-ECANCELED). 1: something was heard. The line is free for commands
 * again when it returns. A server without IDLE is asked by NOOP every 15 s. */
int imapc_idle(struct imapc *m, unsigned every_ms, int watch_fd, imapc_heard heard, void *arg);

/* -- a mailbox, by way of the cache ---------------------------------------------------------------
 */

struct mail_item { /* a line of a list */
	uint32_t uid;
	uint64_t modseq;
	uint32_t flags; /* enum imap_flag */
	char *keywords; /* blank-separated; owned, as the next; never NULL */
	int64_t date_us; /* INTERNALDATE */
	int64_t sent_us; /* Date of the message; INT64_MIN: none */
	uint64_t size;
	char *from, *to, *cc, *subject, *msgid; /* decoded, clean UTF-8: "Ann <ann@host>, ..." */
	bool encrypted, is_signed, attachments; /* as BODYSTRUCTURE shows */
	bool asks; /* for a receipt */
};

struct mailbox; /* selected, with its cache */

/* Selects by QRESYNC from what the cache knows: a second look costs one round trip, new messages
 * included. The profile's folder holds the cache (NULL: none is kept). -EREMOTEIO: imapc_said(). A
 * connection has one mailbox at a time; opening another closes it on the server, the struct stays
 * the caller's to close. */
int mailbox_open(struct imapc *m, const struct profile *p, const char *name, bool read_only,
	struct mailbox **ret);
void mailbox_close(struct mailbox *b); /* keeps the cache; NULL is fine */
void mailbox_closep(struct mailbox **b);
const char *mailbox_name(const struct mailbox *b);
struct imapc *mailbox_line(const struct mailbox *b);
/* Its items, ascending by UID; valid until the next call that may hear the server. */
const struct mail_item *mailbox_items(const struct mailbox *b, size_t *ret_count);
const struct mail_item *mailbox_item(const struct mailbox *b, uint32_t uid); /* NULL */
int mailbox_refresh(struct mailbox *b); /* NOOP, and what came of it */
/* As imapc_idle(), with what came of it; every_ms and watch_fd as there. */
int mailbox_idle(struct mailbox *b, unsigned every_ms, int watch_fd);
/* The whole message: from the cache if it is there. Sets nothing. -ENOENT: gone. */
int mailbox_message(struct mailbox *b, uint32_t uid, struct buf *ret);
/* flags: enum imap_flag. */
int mailbox_flag(struct mailbox *b, const uint32_t *uids, size_t count, uint32_t flags, bool on);
int mailbox_move(struct mailbox *b, const uint32_t *uids, size_t count, const char *to);
int mailbox_copy(struct mailbox *b, const uint32_t *uids, size_t count, const char *to);
int mailbox_expunge(struct mailbox *b, const uint32_t *uids, size_t count);
/* UIDs that match, ascending (uint32_t appended). criteria: IMAP's own words, or free text made
 * into them by mailbox_criteria(): each word in subject, an address or the text. Encrypted text is
 * not searched: the server cannot read it. */
int mailbox_search(struct mailbox *b, struct span criteria, struct buf *ret_uids);
void mailbox_criteria(struct buf *b, char *const *words, size_t count);
/* Puts a message into a mailbox (Sent, Drafts), once: a Message-ID that is there already is left.
 * The mailbox is made if it is missing. What is selected stays so. */
int mailbox_append(struct imapc *m, const char *name, struct span message, uint32_t flags);

struct mail_folder {
	char *name; /* owned */
	uint32_t messages, unseen, uid_next, validity;
	uint64_t modseq;
	const char *use; /* "\\Sent" or ""; static */
	bool selectable;
};
/* All mailboxes with their counts, in one round trip (LIST-STATUS). */
int mail_folders(struct imapc *m, struct mail_folder **ret, size_t *ret_count);
void mail_folders_free(struct mail_folder *f, size_t count);
/* The one with that special use, else with that name; NULL. */
const struct mail_folder *mail_folder_find(
	const struct mail_folder *f, size_t count, const char *use, const char *name);

/* -- reading (view.c) ----------------------------------------------------------------------------
 */

struct mail_file { /* an attachment */
	char *name; /* harmless; "attachment-2.bin" where it has none; owned */
	char type[130]; /* "image/png" */
	uint32_t part; /* of the tree */
	uint64_t size; /* decoded, about */
};
struct mail_view { /* owned, by mail_view_done(); points into the message */
	struct mime mime;
	char *from, *to, *cc, *subject, *date, *msgid; /* for people, clean; never NULL */
	char *reply_to;
	int64_t sent_us; /* INT64_MIN: none */
	struct buf text; /* all readable text parts, UTF-8, LF, without control characters */
	struct mail_file *files;
	size_t file_count;
	bool html; /* the text was made out of HTML */
};
int mail_view_make(struct span message, struct mail_view *ret); /* -ENOMEM */
void mail_view_done(struct mail_view *v);
int mail_view_file(const struct mail_view *v, size_t index, struct buf *ret); /* decoded */

/* -- writing ------------------------------------------------------------------------------------
 */

struct mail_draft { /* what a person writes; all UTF-8, borrowed */
	const struct mime_mailbox *to, *cc, *bcc;
	size_t to_count, cc_count, bcc_count;
	struct span from_name, from_address; /* the profile's: mail_own_address() */
	struct span subject, text;
	const struct mime_attachment *attachments;
	size_t attachment_count;
	struct span in_reply_to, references;
	bool want_receipt;
};
/* The message, CR LF, with Date and Message-ID; Bcc is not in it. -EINVAL: nobody to send it to, an
 * address with control characters. */
int mail_compose(const struct mail_draft *d, struct buf *ret, char ret_msgid[256]);
/* user@domain of the profile (or of another user). */
void mail_own_address(const struct profile *p, const char *user, char ret[320]);

/* A draft's fields for a reply or a forward of that (readable) message: quoted text and addressees.
 * Owned; the lists point into it. */
enum mail_answer_kind { MAIL_REPLY, MAIL_REPLY_ALL, MAIL_FORWARD };
struct mail_answer {
	struct mime_mailbox *to, *cc;
	size_t to_count, cc_count;
	struct buf subject, text, in_reply_to, references;
	struct mime_attachment *attachments; /* of what is forwarded */
	size_t attachment_count;
	struct buf names; /* what the spans point into */
	struct buf files;
	char (*types)[130];
};
/* own: one's address, which is left out of the addressees (unless nobody else is left). */
int mail_answer_make(
	struct span message, enum mail_answer_kind kind, const char *own, struct mail_answer *ret);
void mail_answer_done(struct mail_answer *a);

/* Addresses as a person types them, several by commas; without "@" the domain is the profile's.
 * Owned. -EINVAL with *ret_bad, the one that is none. */
struct mail_people {
	struct mime_mailbox *list;
	size_t count;
	struct buf text;
};
int mail_people_parse(
	struct span typed, const char *domain, struct mail_people *ret, char ret_bad[128]);
void mail_people_done(struct mail_people *p);

/* -- sending --------------------------------------------------------------------------------------
 */

/*
 * The outbox: a folder of the profile, a file per message with its envelope; what is in it is sent
 * in order, each once (the server knows a sender's retry by its Message-ID), and then put into
 * Sent.
 */
enum smime_how {
	SMIME_PLAIN, /* neither */
	SMIME_SIGN,
	SMIME_AUTO, /* signs; encrypts if that is possible */
	SMIME_ENCRYPT, /* -ENOENT when it is not, ret_missing: who has no certificate */
};

struct outbox_letter {
	const char *from; /* envelope sender; "": of a receipt */
	const struct span *to; /* envelope recipients: addresses */
	size_t to_count;
	bool keep; /* put it into Sent when it is gone */
	struct span message;
	struct span copy; /* what Sent gets; empty: the message */
	enum smime_how how; /* still to be done, once, before it goes */
};
/* 0: it is on disk and will be sent. -EINVAL: addresses that cannot be. */
int outbox_add(const struct profile *p, const struct outbox_letter *l, char ret_name[64]);
struct outbox_result {
	unsigned sent, left, refused;
	char why[512]; /* of the last refusal, or of why some are left; "" */
};
/* Sends what waits, told on standard error only when no connection comes about. An exit code: 0
 * when nothing is left and nothing was refused; CLIENT_NO: refused ones are under "refused". m: a
 * line for Sent, NULL: one is opened when it is needed. */
int outbox_send(struct client *c, const struct profile *p, const struct mail_login *login,
	struct imapc *m, struct outbox_result *ret);
/* What waits ("waiting") and what was refused ("refused"), oldest first. Nonzero from each() stops
 */
struct outbox_entry {
	const char *name;
	const char *state; /* "waiting", "sent" (not yet in Sent), "refused" */
	const char *why; /* the server's words */
	struct span message;
	struct span recipients; /* one a line */
};
int outbox_each(
	const struct profile *p, int (*each)(void *arg, const struct outbox_entry *e), void *arg);
int outbox_remove(const struct profile *p, const char *name); /* -ENOENT; -EBUSY: being sent */
int outbox_retry(const struct profile *p, const char *name); /* a refused one once more */

/* -- S/MIME (smime.h has the inside) --------------------------------------------------------------
 */

struct smime_verdict {
	bool was_signed, was_encrypted;
	bool good; /* signed, and everything about it holds: signature, authority, revocation,
		    * whole message, address */
	char signer[256]; /* address of the certificate */
	bool from_matches; /* it is the From of the message */
	int64_t signed_us; /* as the signer says; 0 */
	char reason[160]; /* for people, when not good; also when it could not be decrypted */
};
/* Wraps a composed message: subject and the other headers inside too (protected headers).
 * Recipients' certificates: smime_certificates(). -EINVAL: our certificate cannot sign mail. */
int smime_sign(struct client *c, const struct profile *p, struct span message, struct buf *ret);
/* Of a signed (or a composed) message; the Subject outside becomes "...". */
int smime_encrypt(const struct span *certs_der, size_t count, struct span message, struct buf *ret);
/* Opens what is encrypted, verifies what is signed; the readable message is in ret (the message
 * itself when it is neither), with what is protected in place of what stood outside. 0 also when a
 * signature is bad: look at the verdict and say it. -ENOKEY: no key of ours opens it; -EBADMSG: it
 * is encrypted and broken (ret is empty then). Signed parts inside of others are not believed: good
 * is only what is signed as a whole. */
int smime_open(struct client *c, const struct profile *p, struct span message, struct buf *ret,
	struct smime_verdict *ret_verdict);
/* The valid certificates of an account, from cad, DER each behind its length (rec.h); checked to
 * our root, dates and revocation. -ENOENT: none; other errors: it could not be learned. */
int smime_certificates(
	struct client *c, const struct profile *p, const char *account, struct buf *ret);

/* All at once for sending: signs, and encrypts when every recipient (and the sender) has a
 * certificate. */
/* *ret_encrypted. Without a certificate of one's own SMIME_AUTO leaves the message as it is. */
struct smime_letter {
	struct span message; /* composed */
	const struct span *to; /* addresses of all recipients, Bcc too */
	size_t to_count;
	enum smime_how how;
};
int smime_protect(struct client *c, const struct profile *p, const struct smime_letter *l,
	struct buf *ret, bool *ret_encrypted, char ret_missing[256]);

/* -- what maild tells beyond IMAP (XQUINTET) ------------------------------------------------------
 */

struct mail_receipt { /* of one message for one recipient; times 0: not */
	char msgid[256], recipient[65], subject[256];
	int64_t sent_us, delivered_us, read_us;
	bool asked, declined, automatic;
};
/* msgid NULL: all. -ENOTSUP: this server cannot. */
int mail_receipts(struct imapc *m, const char *msgid, struct mail_receipt **ret, size_t *ret_count);

/* Where a receipt for the message would go. -ENOENT: none may. */
int mail_receipt_to(struct span message, const char *own, struct buf *ret);
/* Does the message ask for a receipt that is still to be answered (not answered before, none of
 * one's own, no receipt itself)? */
bool mail_receipt_is_due(const struct mail_item *item, struct span message, const char *own);
/* Puts the receipt into the outbox (yes) and sets $MDNSent, so that it is asked once. message: as
 * it came, not opened: a receipt names the subject and is sent in clear. */
int mail_receipt_answer(
	struct mailbox *b, const struct profile *p, uint32_t uid, struct span message, bool yes);

enum mail_notice_kind { MAIL_NOTICE_NEW, MAIL_NOTICE_READ, MAIL_NOTICE_DECLINED };
struct mail_notice {
	uint64_t id;
	enum mail_notice_kind kind;
	bool shown;
	int64_t at_us;
	uint32_t uid; /* with mailbox; 0 */
	char mailbox[256], from[256], msgid[256], subject[256];
};
/* Oldest first. *ret_new: those not shown yet. */
int mail_notices(struct imapc *m, struct mail_notice **ret, size_t *ret_count, unsigned *ret_new);
int mail_notices_shown(struct imapc *m, uint64_t up_to_id);

struct mail_person {
	char name[65];
	bool online, hidden;
	int64_t seen_us; /* 0: not known */
};
int mail_persons(struct imapc *m, struct mail_person **ret, size_t *ret_count);

struct mail_settings {
	char receipts[16], presence[16]; /* "ask", "never", "always"; "shown", "hidden" */
};
/* what: "RECEIPTS" or "PRESENCE" with value, or NULL to ask only. -EREMOTEIO: refused. */
int mail_settings(struct imapc *m, const char *what, const char *value, struct mail_settings *ret);

#endif
