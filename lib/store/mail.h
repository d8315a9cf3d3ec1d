/*
 * Mail in the store: per account its mailboxes, and in them rows of messages whose bytes are blobs
 * (a message to fifty people is stored once). Every change of a mailbox has a number, its MODSEQ,
 * counted per account, and a row in the mailbox's log of changes, written in the same commit; an
 * IMAP session tells its client what it reads there behind its own position, so all sessions see
 * the same.
 *
 * An expunged message's row stays, marked gone, until the sweep: sessions whose clients were not
 * yet told can still answer for it. UIDs are never given again below one UIDVALIDITY, and no
 * UIDVALIDITY is ever given again.
 *
 *	mail_row.c mail_note_row.c mail_decode.c mail_check.c   records, and whether they agree
 *	mail_box.c mail_box_ops.c mail_rename.c mail_name.c     mailboxes, names, subscriptions
 *	mail_message.c mail_change.c mail_keyword.c             messages and the log of changes
 *	mail_writer.c mail_body.c                               what all that change messages share
 *	mail_add.c mail_deliver.c mail_copy.c mail_flags.c mail_expunge.c   who change them
 *	mail_receipt.c mail_sent.c mail_notice.c                receipts, notices
 *	mail_prefs.c mail_presence.c mail_ring.c                people, bells
 *	mail_account.c mail_sweep.c mail_restore.c              quotas, removal, retention
 */
#ifndef STORE_MAIL_H
#define STORE_MAIL_H

#include "base/buf.h"
#include "store/account.h"
#include "store/blob.h"
#include "store/session.h"

enum {
	MAIL_NAME_SIZE = 161, /* of a mailbox, UTF-8, '/' between levels; with NUL */
	MAIL_KEYWORDS_MAX = 64, /* different ones of one account */
	MAIL_KEYWORD_SIZE = 65,
	MAIL_BOXES_MAX = 1000, /* of one account */
	MAIL_RECIPIENTS_MAX = 100, /* of one message */
	MAIL_BATCH_MAX = 4096, /* UIDs that one operation changes */
	MAIL_APPEND_MAX = 64, /* messages of one MULTIAPPEND */
	MAIL_MSGID_SIZE = 256, /* a Message-ID with its brackets; with NUL */
	MAIL_ADDRESS_SIZE = 255,
	MAIL_SUBJECT_SIZE = 201, /* decoded, cut at a character */
	MAIL_STRUCTURE_MAX = 4 << 20, /* bytes of a message's structure (proto/mime.h) */
	MAIL_NOTICES_MAX = 1000, /* kept of one account, the newest */
	MAIL_SENT_MAX = 20000, /* rows of what was sent, of one account: the newest */
};

/* -- flags ------------------------------------------------------------------------------------- */

enum mail_flag {
	MAIL_ANSWERED = 1,
	MAIL_FLAGGED = 2,
	MAIL_DELETED = 4,
	MAIL_SEEN = 8,
	MAIL_DRAFT = 16,
	/* Keywords that mean something here have a bit of their own, the others one of the
	 * account's table. */
	MAIL_MDN_SENT = 32, /* $MDNSent */
	MAIL_FORWARDED = 64, /* $Forwarded */
	MAIL_JUNK = 128, /* $Junk */
	MAIL_NOT_JUNK = 256, /* $NotJunk */
};

struct mail_flags {
	uint32_t system; /* enum mail_flag */
	uint64_t keywords; /* bit n: name n of the account's table */
};

/* The account's table: names as first written; compared without regard to case. */
struct mail_keywords {
	size_t count;
	char names[MAIL_KEYWORDS_MAX][MAIL_KEYWORD_SIZE];
};
int mail_keywords_read(struct store_txn *txn, const char *account, struct mail_keywords *ret);

/* Flags as a client names them: what is new among the keywords is entered by the operation.
 * -ENOBUFS from it: the table is full. */
struct mail_flag_names {
	uint32_t system;
	const struct span *keywords; /* without those that are enum mail_flag */
	size_t count;
};

/* -- mailboxes --------------------------------------------------------------------------------- */

enum mail_use { /* SPECIAL-USE, RFC 6154; at most one mailbox of an account has each */
	MAIL_USE_NONE,
	MAIL_USE_SENT,
	MAIL_USE_DRAFTS,
	MAIL_USE_TRASH,
	MAIL_USE_JUNK,
	MAIL_USE_ARCHIVE,
	MAIL_USE_FLAGGED,
	MAIL_USE_ALL, /* never ours: refused */
};

struct mail_box {
	uint64_t id; /* in the whole store, never used again; 0: a name that is subscribed to or has
		      * children, and is no mailbox */
	char name[MAIL_NAME_SIZE];
	uint32_t validity; /* UIDVALIDITY */
	uint32_t uid_next;
	uint32_t recent_uid; /* messages from here on have been \Recent in no session */
	uint64_t modseq; /* HIGHESTMODSEQ, at least 1 */
	uint64_t modseq_floor; /* the log of changes holds everything behind it */
	enum mail_use use;
	bool subscribed;
	int64_t created_us;
	uint32_t messages, unseen, deleted; /* counted in the same commits */
	uint64_t bytes;
};

/* In views. Names: "INBOX" in any case is INBOX. -ENOENT. */
int mail_box_find(
	struct store_txn *txn, const char *account, struct span name, struct mail_box *ret);
int mail_box_read(struct store_txn *txn, const char *account, uint64_t id, struct mail_box *ret);
/* In the order of names (INBOX first), subscribed names that are no mailboxes included (id 0). */
int mail_boxes_each(struct store_txn *txn, const char *account,
	int (*each)(void *arg, const struct mail_box *b), void *arg);
/* UTF-8 in NFC or nearly, clean, no empty level, no '*' or '%', at most 20 levels. Pure. */
bool mail_box_name_ok(struct span name);

/* All operations on boxes take the account first. Result of those below: struct mail_box_result.
 * -EINVAL: a name that cannot be; -EDQUOT: too many mailboxes. */
struct mail_box_result {
	struct mail_box box;
};

/*
 * STORE_OP_MAIL_OPEN: the account's INBOX, Sent, Drafts, Trash, Junk and Archive, all subscribed,
 * if it has no mail row yet (delivery does the same by itself). Result: none. -ENOENT: no account.
 */
struct mail_open_args {
	char account[ACCOUNT_NAME_SIZE];
	int64_t now_us;
};
/* STORE_OP_MAIL_CREATE: with the levels above it that are missing. -EEXIST; -EBUSY: another has
 * that use. */
struct mail_create_args {
	char account[ACCOUNT_NAME_SIZE];
	struct span name;
	enum mail_use use;
	int64_t now_us;
};
/* STORE_OP_MAIL_DELETE: -EPERM INBOX; -ENOENT; children stay, and with them the name as a level. */
struct mail_delete_args {
	char account[ACCOUNT_NAME_SIZE];
	struct span name;
	int64_t now_us;
};
/* STORE_OP_MAIL_RENAME: with all below it; subscriptions go along; INBOX: its messages go to the
 * new mailbox and it stays (RFC 3501 section 6.3.5). -ENOENT, -EEXIST, -EINVAL (below itself),
 * -ENOBUFS (INBOX has too many for one commit). */
struct mail_rename_args {
	char account[ACCOUNT_NAME_SIZE];
	struct span from, to;
	int64_t now_us;
};
/* STORE_OP_MAIL_SUBSCRIBE: any good name. Unsubscribing from what is not: -ENOENT. */
struct mail_subscribe_args {
	char account[ACCOUNT_NAME_SIZE];
	struct span name;
	bool on;
};

/* -- messages ---------------------------------------------------------------------------------- */

struct mail_message {
	uint32_t uid;
	uint64_t modseq;
	uint64_t created_modseq; /* when it came into this mailbox */
	struct mail_flags flags;
	int64_t date_us; /* INTERNALDATE */
	int32_t date_offset_s; /* its zone */
	int64_t saved_us; /* when it came into this mailbox */
	uint64_t size;
	unsigned char blob[BLOB_ID_LEN];
	bool gone; /* expunged; its bytes are kept until the sweep */
	bool asks; /* asks for a receipt, and none was sent or refused */
};

/* In views. A gone row is found too. -ENOENT. */
int mail_message_read(struct store_txn *txn, uint64_t box, uint32_t uid, struct mail_message *ret);
/* In UID order from `from` on, those that are not gone; nonzero of each() ends it and comes back.
 */
int mail_messages_each(struct store_txn *txn, uint64_t box, uint32_t from,
	int (*each)(void *arg, const struct mail_message *m), void *arg);
/* All UIDs that are there, ascending: appended as uint32_t (host order) to b. */
int mail_uids_read(struct store_txn *txn, uint64_t box, struct buf *ret);

/* The structure of a message, as given when it was added: valid in the view. */
int mail_structure_read(
	struct store_txn *txn, const unsigned char blob[BLOB_ID_LEN], struct span *ret);

struct mail_change {
	uint64_t modseq;
	uint32_t uid;
	bool gone; /* expunged; else it came or its flags changed */
};
/* The newest change of each message behind `since`, in the order of modseq, then UID. */
int mail_changes_each(struct store_txn *txn, uint64_t box, uint64_t since,
	int (*each)(void *arg, const struct mail_change *c), void *arg);

/* -- what changes messages: operations ----------------------------------------------------------
 */

/* A body ready to be referred to: sealed (blob.h), with its structure (proto/mime.h's record). */
struct mail_body {
	struct blob_sealed blob;
	struct span structure;
	bool asks; /* has Disposition-Notification-To, and is no receipt itself */
};

/*
 * STORE_OP_MAIL_DELIVER: to all recipients, or to none, in one commit. A recipient that already has
 * this submission (same sender, key, within 24 hours) is left out. What is written beside the
 * messages: a notice for each recipient; where `track`, a row of what was sent for each (struct
 * mail_sent), and where `mdn` is set, the row of the message that it answers is marked read; the
 * notice then tells of that message instead of the MDN. Only the first answer counts, and only
 * that of somebody it was sent to.
 * -ENOENT: no such account, -EDQUOT over quota: *_at tell which; nothing was delivered.
 */
struct mail_deliver_args {
	char sender[ACCOUNT_NAME_SIZE]; /* who is logged in */
	struct mail_body body;
	const char (*recipients)[ACCOUNT_NAME_SIZE];
	size_t count;
	unsigned char key[32]; /* digest of sender, Message-ID and the bytes as submitted; zeros:
				* always new */
	bool track; /* the message asks for receipts or is tracked: all but receipts are */
	char msgid[MAIL_MSGID_SIZE];
	char from[MAIL_ADDRESS_SIZE]; /* for notices */
	char subject[MAIL_SUBJECT_SIZE];
	struct mail_mdn {
		bool set;
		char msgid[MAIL_MSGID_SIZE]; /* the original's */
		bool displayed; /* else it was deleted or otherwise not shown */
		bool automatic;
	} mdn; /* the sender of this message has read that one of the (only) recipient */
	int64_t now_us;
};
struct mail_deliver_result {
	uint32_t delivered, duplicates;
	size_t bad; /* index of the recipient that stood in the way, after an error */
};

/* STORE_OP_MAIL_APPEND: all or none. -ENOENT: no such mailbox (any more); -EDQUOT; -ENOBUFS. */
struct mail_append_item {
	struct mail_body body;
	struct mail_flag_names flags;
	int64_t date_us; /* INTERNALDATE; 0: now */
	int32_t date_offset_s;
};
struct mail_append_args {
	char account[ACCOUNT_NAME_SIZE];
	uint64_t box;
	const struct mail_append_item *items;
	size_t count;
	bool recent; /* they are \Recent in this session, which has the mailbox selected: as by
		      * STORE_OP_MAIL_RECENT, if nothing before them waits for that */
	int64_t now_us;
};
struct mail_added { /* also of COPY and MOVE */
	uint32_t validity;
	uint32_t first_uid; /* and so on, in the order given */
	uint32_t count;
	bool recent; /* APPEND: they are the session's */
	uint64_t modseq; /* of the target */
};

/* STORE_OP_MAIL_COPY: all or none; gone ones are copied too, as the session still sees them.
 * -ENOENT: a UID that is not there at all, or no mailbox; -EDQUOT. Result: struct mail_added. */
struct mail_copy_args {
	char account[ACCOUNT_NAME_SIZE];
	uint64_t from, to;
	const uint32_t *uids; /* ascending */
	size_t count;
	int64_t now_us;
};

/* STORE_OP_MAIL_MOVE: at most MAIL_BATCH_MAX; those that are gone stay gone and are left out: bit n
 * of moved tells of uids[n]. */
struct mail_move_result {
	struct mail_added added;
	uint64_t modseq; /* of the source's expunges */
	unsigned char moved[MAIL_BATCH_MAX / 8];
};

enum mail_flags_how { MAIL_FLAGS_SET, MAIL_FLAGS_ADD, MAIL_FLAGS_REMOVE };
/*
 * STORE_OP_MAIL_FLAGS: at most MAIL_BATCH_MAX messages; gone rows change too. With unchanged_since,
 * those whose modseq is higher are left alone. All that change share one modseq. Where \Seen is
 * new, the account answers receipts always, and the message asks: a row of a receipt that is due
 * (mail_due_each) in the same commit.
 */
struct mail_flags_args {
	char account[ACCOUNT_NAME_SIZE];
	uint64_t box;
	const uint32_t *uids;
	size_t count;
	enum mail_flags_how how;
	struct mail_flag_names flags;
	bool conditional;
	uint64_t unchanged_since;
	int64_t now_us;
};
struct mail_flags_result {
	uint64_t modseq; /* what the changed ones have now; 0: none changed */
	uint32_t due; /* receipts that are due now */
	unsigned char changed[MAIL_BATCH_MAX / 8];
	unsigned char refused[MAIL_BATCH_MAX / 8]; /* unchanged_since */
};

/* STORE_OP_MAIL_EXPUNGE: those of uids that have \Deleted (all with any_flags); uids NULL: all of
 * the mailbox, at most MAIL_BATCH_MAX at once. */
struct mail_expunge_args {
	char account[ACCOUNT_NAME_SIZE];
	uint64_t box;
	const uint32_t *uids;
	size_t count;
	bool any_flags;
	int64_t now_us;
};
struct mail_expunge_result {
	uint64_t modseq; /* 0: none */
	uint32_t count;
	bool more; /* uids NULL: call again */
};

/* STORE_OP_MAIL_RECENT: the session takes what is \Recent: everything from the old recent_uid on.
 */
struct mail_recent_args {
	char account[ACCOUNT_NAME_SIZE];
	uint64_t box;
};
struct mail_recent_result {
	uint32_t from, to; /* the old recent_uid and the new: those in between are the session's */
};

/* -- quota ------------------------------------------------------------------------------------- */

struct mail_usage {
	uint64_t bytes, limit; /* as their owner counts them; limit 0: none (policy mail_quota) */
	uint64_t messages;
};
int mail_usage_read(struct store_txn *txn, const char *account, struct mail_usage *ret);

/* -- receipts ---------------------------------------------------------------------------------- */

/* What was sent to whom, and what became of it. Kept for policy mail_receipts_keep. */
struct mail_sent {
	char msgid[MAIL_MSGID_SIZE];
	char recipient[ACCOUNT_NAME_SIZE];
	char subject[MAIL_SUBJECT_SIZE];
	int64_t sent_us, delivered_us;
	int64_t read_us; /* 0: not known to be */
	bool asked; /* for a receipt */
	bool declined; /* it was answered by "deleted" */
	bool automatic; /* the receipt was sent by the reader's setting */
};
/* Newest first; msgid empty: all. */
int mail_sent_each(struct store_txn *txn, const char *account, struct span msgid,
	int (*each)(void *arg, const struct mail_sent *s), void *arg);

/* A receipt that the account owes by its own setting. */
struct mail_due {
	uint64_t id;
	uint64_t box;
	uint32_t uid;
	int64_t read_us;
	unsigned char blob[BLOB_ID_LEN]; /* the message */
};
int mail_due_each(struct store_txn *txn, const char *account,
	int (*each)(void *arg, const struct mail_due *d), void *arg);
/*
 * STORE_OP_MAIL_RECEIPT: sends one that is due: in one commit the row goes, $MDNSent is set, and
 * the MDN (deliver, as above; count 0: there is nobody to send it to) is delivered. Where who
 * asked is no more, or has an answer already (of a copy of the message), the row goes all the same.
 * -ENOENT: another session has done it; -EDQUOT: it stays due. Result: struct mail_deliver_result.
 */
struct mail_receipt_args {
	char account[ACCOUNT_NAME_SIZE];
	uint64_t due;
	struct mail_deliver_args deliver;
};

/* -- notices ----------------------------------------------------------------------------------- */

enum mail_notice_kind { MAIL_NOTICE_NEW, MAIL_NOTICE_READ, MAIL_NOTICE_DECLINED };
struct mail_notice {
	uint64_t id; /* ascending */
	enum mail_notice_kind kind;
	bool shown;
	int64_t at_us;
	uint64_t box; /* of a new message; 0 */
	uint32_t uid;
	char from[MAIL_ADDRESS_SIZE]; /* who sent, or who read */
	char msgid[MAIL_MSGID_SIZE];
	char subject[MAIL_SUBJECT_SIZE];
};
/* Newest first. */
int mail_notices_each(struct store_txn *txn, const char *account,
	int (*each)(void *arg, const struct mail_notice *n), void *arg);
int mail_notices_count(struct store_txn *txn, const char *account, uint32_t *ret_new);
/* STORE_OP_MAIL_SHOWN: those up to and with id are shown. */
struct mail_shown_args {
	char account[ACCOUNT_NAME_SIZE];
	uint64_t id;
};

/* -- settings of an account, presence ---------------------------------------------------------- */

enum mail_receipts { MAIL_RECEIPTS_ASK, MAIL_RECEIPTS_NEVER, MAIL_RECEIPTS_ALWAYS };
struct mail_prefs {
	enum mail_receipts receipts;
	bool hidden; /* others are not told whether one is there, nor when one was */
};
int mail_prefs_read(struct store_txn *txn, const char *account, struct mail_prefs *ret);
/* STORE_OP_MAIL_PREFS */
struct mail_prefs_args {
	char account[ACCOUNT_NAME_SIZE];
	struct mail_prefs prefs;
};

struct mail_person {
	char account[ACCOUNT_NAME_SIZE];
	bool hidden; /* then the next two tell nothing */
	bool online; /* has a session of any service now */
	int64_t seen_us; /* when one ended last; 0: never */
};
/* When a session of the account ended last; 0: never. */
int mail_seen_read(struct store_txn *txn, const char *account, int64_t *ret_at_us);
/* Everybody but hosts and locked ones. seen_us is kept when a session that was registered ends
 * (session_drop, STORE_OP_SESSION_REMOVE), in the same commit. */
int mail_people_each(
	struct store_txn *txn, int (*each)(void *arg, const struct mail_person *p), void *arg);

/* -- bells, administration ----------------------------------------------------------------------
 */

/* The topic of an account's mail: "mail/NAME". */
void mail_topic(const char *account, char ret[64]);
/* Rings it. */
int mail_ring(struct store *s, const char *runtime, const char *account);

/* Removal of an account removes its mail (account_remove calls it): mailboxes, rows, references. */
struct mail_totals {
	uint64_t boxes, messages, bytes;
};
int mail_totals(
	struct store_txn *txn, const char *account /* NULL: all */, struct mail_totals *ret);

#endif
