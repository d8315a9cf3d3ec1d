/*
 * Inside lib/store only: what the files of mail share. All run inside a transaction.
 *
 * How an operation changes messages: mail_writer_open() the account, mail_box_read() each box it
 * touches, then mail_message_add() or mail_message_change() per message, and at the end
 * mail_box_write() for each box and mail_writer_close(). Counts of the box and of the account, the
 * log of changes and the sweep's index follow by themselves; bodies are counted by
 * mail_body_ref() and mail_body_unref().
 */
#ifndef STORE_MAIL_I_H
#define STORE_MAIL_I_H

#include "store/mail.h"
#include "store/ops.h"
#include "store/policy.h"
#include "store/row.h"

/* Counters beside those of other files: the newest mailbox's number, the newest UIDVALIDITY. */
#define MAIL_META_BOX "mail-box"
#define MAIL_META_VALIDITY "mail-validity"

/* -- mail_row.c: records; each read is -ENOENT, -EBADMSG ----------------------------------------
 */

/* What an account has beside its boxes. */
struct mail_account {
	char name[ACCOUNT_NAME_SIZE];
	uint64_t modseq; /* the newest given */
	uint64_t bytes, messages; /* of all boxes; what is gone does not count */
	uint64_t held; /* bytes of what is gone and waits for the sweep (mail_row_cost()) */
	uint32_t boxes;
	uint64_t notice, shown; /* the newest id given; all up to here have been shown */
	uint64_t due; /* the newest id given */
	struct mail_prefs prefs;
};

int mail_account_decode(struct span key, struct span value, struct mail_account *ret);
int mail_account_read(struct store_txn *txn, const char *account, struct mail_account *ret);
int mail_account_write(struct store_txn *txn, const struct mail_account *a);

int mail_keywords_decode(struct span value, struct mail_keywords *ret);
int mail_keywords_write(struct store_txn *txn, const char *account, const struct mail_keywords *k);

int mail_box_decode(struct span key, struct span value, struct mail_box *ret);
/* The row only: its name's is written by mail_box.c. */
int mail_box_write(struct store_txn *txn, const char *account, const struct mail_box *b);

int mail_message_decode(struct span key, struct span value, struct mail_message *ret);
/* The row only, as it is. */
int mail_message_write(struct store_txn *txn, uint64_t box, const struct mail_message *m);

/* -- mail_note_row.c: records of what is noted beside messages ----------------------------------
 */

int mail_sent_decode(struct span value, struct mail_sent *ret);
int mail_sent_read(
	struct store_txn *txn, const char *account, uint64_t number, struct mail_sent *ret);
int mail_sent_write(
	struct store_txn *txn, const char *account, uint64_t number, const struct mail_sent *s);
/* A new one, with its index; the oldest beyond MAIL_SENT_MAX goes. */
int mail_sent_add(struct store_txn *txn, const char *account, const struct mail_sent *s);
/* The newest of that message to that recipient, among the newest of that Message-ID, which a
 * sender may use again as often as he likes. -ENOENT. */
int mail_sent_find(struct store_txn *txn, const char *account, const char *msgid,
	const char *recipient, uint64_t *ret_number, struct mail_sent *ret);
int mail_sent_remove(struct store_txn *txn, const char *account, uint64_t number);

/* The account's counters are the caller's to write (mail_account_write, mail_writer_close). */
int mail_notice_decode(struct span key, struct span value, struct mail_notice *ret);
/* A new one: sets its id from a, and drops the oldest beyond MAIL_NOTICES_MAX. */
int mail_notice_add(struct store_txn *txn, struct mail_account *a, const struct mail_notice *n);

/* Kept without the blob: it is the message's. */
int mail_due_decode(struct span key, struct span value, struct mail_due *ret);
int mail_due_add(struct store_txn *txn, struct mail_account *a, const struct mail_due *d);
/* Without the blob too. */
int mail_due_read(struct store_txn *txn, const char *account, uint64_t id, struct mail_due *ret);
int mail_due_remove(struct store_txn *txn, const char *account, uint64_t id);

/* A submission was delivered to the account: by its digest, which tells the sender too. 1: it was
 * noted within the 24 hours before now_us; 0; or negative. */
int mail_done_find(
	struct store_txn *txn, const char *account, const unsigned char *digest, int64_t now_us);
int mail_done_note(
	struct store_txn *txn, const char *account, const unsigned char *digest, int64_t now_us);
int mail_done_decode(struct span value, int64_t *ret_at_us);

#define MAIL_INBOX "INBOX"

/* -- mail_box.c: accounts and boxes -------------------------------------------------------------
 */

/* The account's row, made with the first mailboxes if it has none. -ENOENT: no such account, or
 * that of a host. */
int mail_account_ready(
	struct store_txn *txn, const char *account, int64_t now_us, struct mail_account *ret);

/* A new mailbox of that name, which is free; a subscription to the name is its. a->boxes is
 * counted, the caller writes a. */
struct mail_box_new {
	struct span name;
	enum mail_use use;
	bool subscribed;
	int64_t now_us;
};
int mail_box_make(struct store_txn *txn, struct mail_account *a, const struct mail_box_new *n,
	struct mail_box *ret);

/* The same within policy mail_boxes: -EDQUOT; -EEXIST. And all levels above a name that are no
 * mailboxes. */
int mail_box_make_named(struct store_txn *txn, struct mail_account *a, const struct mail_box_new *n,
	struct mail_box *ret);
int mail_levels_make(
	struct store_txn *txn, struct mail_account *a, const char *name, int64_t now_us);

/* "INBOX" in any case as first level is INBOX; else the same. -EINVAL: too long. */
int mail_name_canon(struct span name, char ret[MAIL_NAME_SIZE]);

/* Rows of names in that writing: -ENOENT; id 0: the name is only subscribed to. */
int mail_name_read(struct store_txn *txn, const char *account, const char *name, uint64_t *ret_id);
int mail_name_write(struct store_txn *txn, const char *account, const char *name, uint64_t id);
int mail_name_remove(struct store_txn *txn, const char *account, const char *name);
/* The name out of the key of its row: -EBADMSG. */
int mail_name_of_key(struct span key, char ret[MAIL_NAME_SIZE]);

/* A number that no mailbox has had. */
int mail_validity_next(struct store_txn *txn, int64_t now_us, uint32_t *ret);

/*
 * -EDQUOT: the account may not have that many bytes more. Beside the quota itself, what waits for
 * the sweep and what rows take is bounded too: who adds and expunges all day, or adds very short
 * messages, gets to about twice the quota and no further.
 */
int mail_quota_check(struct store_txn *txn, const struct mail_account *a, uint64_t more);
/* What so many messages of so many bytes take on the disk, about: rows are not for nothing. */
uint64_t mail_row_cost(uint64_t messages, uint64_t bytes);
/* So much of what the account held was swept. It may be there no more. */
int mail_held_swept(struct store_txn *txn, const char *account, uint64_t cost);

/* -- mail_writer.c: changing messages -----------------------------------------------------------
 */

struct mail_writer {
	struct store_txn *txn;
	struct mail_account account;
	uint64_t modseq; /* of all that this operation changes; 0: nothing so far */
	int64_t now_us;
	bool moves; /* what becomes gone has its body elsewhere: only its row is held */
};

/* -ENOENT: no mail of that name (mail_account_ready() makes it). One writer per account at a time:
 * it holds the account's row until mail_writer_close() writes it. */
int mail_writer_open(
	struct store_txn *txn, const char *account, int64_t now_us, struct mail_writer *ret);
int mail_writer_close(struct mail_writer *w);

/* The modseq of this operation: the account's next at the first call. */
uint64_t mail_writer_modseq(struct mail_writer *w);

/* A new message at the box's end: m's uid and modseqs are set, and saved_us to now_us. -EOVERFLOW:
 * no UID is left. b follows and is the caller's to write. */
int mail_message_add(struct mail_writer *w, struct mail_box *b, struct mail_message *m);

/*
 * The message before becomes after, of the same box and UID: flags, asks, or gone. Sets
 * after->modseq. A message that was gone before stays so, and its change is in no log: only its row
 * is written, with the modseq it has.
 */
int mail_message_change(struct mail_writer *w, struct mail_box *b,
	const struct mail_message *before, struct mail_message *after);

/* The account's bits for these names, in *ret; new ones are entered in its table. -ENOBUFS: the
 * table is full. -EINVAL: no such keyword can be. */
int mail_flags_enter(struct store_txn *txn, const char *account,
	const struct mail_flag_names *names, struct mail_flags *ret);

/* -- mail_body.c: bodies and their structures ---------------------------------------------------
 */

/* Count more messages refer to the body; the first brings blob and structure in. */
int mail_body_ref(struct store_txn *txn, const struct mail_body *body, uint64_t count);
/* One that is there already. */
int mail_body_ref_more(
	struct store_txn *txn, const unsigned char blob[BLOB_ID_LEN], uint64_t count);
/* The last takes blob and structure away. */
int mail_body_unref(struct store_txn *txn, const unsigned char blob[BLOB_ID_LEN]);

/* -- mail_change.c: the log of changes ----------------------------------------------------------
 */

int mail_change_write(struct store_txn *txn, uint64_t box, const struct mail_change *c);
int mail_change_remove(struct store_txn *txn, uint64_t box, uint64_t modseq, uint32_t uid);
int mail_change_decode(struct span key, struct span value, struct mail_change *ret);

/* What was expunged waits for the sweep: first with its row and its body, then with its row in the
 * log of changes only. */
enum mail_phase { MAIL_PHASE_BODY = 1, MAIL_PHASE_LOG = 2 };
struct mail_gone {
	enum mail_phase phase;
	int64_t at_us; /* when it was expunged */
	uint64_t box;
	uint32_t uid;
	char account[ACCOUNT_NAME_SIZE];
	uint64_t modseq;
	uint64_t held; /* that the account holds for it, until the body is swept */
};
int mail_gone_write(struct store_txn *txn, const struct mail_gone *g);
int mail_gone_remove(struct store_txn *txn, const struct mail_gone *g);
int mail_gone_decode(struct span key, struct span value, struct mail_gone *ret);

/* -- mail_sweep.c, mail_account.c, mail_presence.c ----------------------------------------------
 */

/* A mailbox's row is gone: its messages, their bodies and its log go with the sweeps from at_us +
 * mail_expunged on (at_us 0: with the next). */
struct mail_dead {
	int64_t at_us;
	char account[ACCOUNT_NAME_SIZE];
};
int mail_box_bury(struct store_txn *txn, const char *account, uint64_t box, int64_t at_us);
int mail_dead_decode(struct span value, struct mail_dead *ret);

/* One commit's worth of sweeping, and where the next goes on. */
struct mail_sweep {
	int64_t now_us;
	unsigned stage;
	bool done;
	struct key from;
	uint64_t rows; /* removed by this one */
};
int op_mail_sweep(struct store_txn *txn, const void *args, void *result);
/* All of it; adds to *rows what it removed. */
int mail_sweep(struct store *s, int64_t now_us, uint64_t *rows);

/* An account is being removed: all its mail goes; or stays, without any sign of life. */
int mail_account_gone(struct store_txn *txn, const char *account);
int mail_account_kept(struct store_txn *txn, const char *account);
/* Is there mail of that name? 1, 0 or negative errno. */
int mail_is_left(struct store_txn *txn, const char *account);

/* A session of the account has ended. */
int mail_seen_note(struct store_txn *txn, const char *account, int64_t now_us);
int mail_seen_decode(struct span value, int64_t *ret_at_us);

/* After a restore: every mailbox gets a new UIDVALIDITY, since UIDs given after the backup was made
 * are not known here and could be given twice. */
int mail_restore(struct store_txn *txn);

/* -- mail_deliver.c -----------------------------------------------------------------------------
 */

/* DELIVER inside another operation. Nothing of the message is written before all recipients have
 * been looked at: -ENOENT, -EDQUOT and -EINVAL leave nothing behind. No writer may be open. */
int mail_deliver(
	struct store_txn *txn, const struct mail_deliver_args *a, struct mail_deliver_result *ret);

/* -- the operations -----------------------------------------------------------------------------
 */

int op_mail_open(struct store_txn *txn, const void *args, void *result); /* mail_box_ops.c */
int op_mail_create(struct store_txn *txn, const void *args, void *result);
int op_mail_delete(struct store_txn *txn, const void *args, void *result);
int op_mail_rename(struct store_txn *txn, const void *args, void *result); /* mail_rename.c */
int op_mail_subscribe(struct store_txn *txn, const void *args, void *result);
int op_mail_shown(struct store_txn *txn, const void *args, void *result); /* mail_notice.c */
int op_mail_prefs(struct store_txn *txn, const void *args, void *result); /* mail_prefs.c */
int op_mail_deliver(struct store_txn *txn, const void *args, void *result); /* mail_deliver.c */
int op_mail_append(struct store_txn *txn, const void *args, void *result); /* mail_add.c */
int op_mail_copy(struct store_txn *txn, const void *args, void *result); /* mail_copy.c */
int op_mail_move(struct store_txn *txn, const void *args, void *result);
int op_mail_flags(struct store_txn *txn, const void *args, void *result); /* mail_flags.c */
int op_mail_recent(struct store_txn *txn, const void *args, void *result);
int op_mail_expunge(struct store_txn *txn, const void *args, void *result); /* mail_expunge.c */
int op_mail_receipt(struct store_txn *txn, const void *args, void *result); /* mail_receipt.c */

#endif
