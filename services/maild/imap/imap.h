/*
 * The IMAP session: what its files share.
 *
 *	session.c    the loop, deadlines, goodbye; input.c commands with their literals
 *	commands.c   the command table and its gate (state, arguments)
 *	reply.c      answers
 *	capability.c login.c enable.c id.c namespace.c quota.c
 *	select.c     SELECT EXAMINE CLOSE UNSELECT; qresync.c
 *	sync.c       the selected mailbox against the log of changes; told.c what the client is told
 *	idle.c notify.c
 *	list.c status.c mailbox.c (CREATE DELETE RENAME SUBSCRIBE)
 *	append.c copy.c store.c expunge.c
 *	fetch.c fetch_body.c fetch_binary.c   search.c search_text.c sort.c thread.c saved.c
 *	quintet.c    XRECEIPTS XNOTICES XPEOPLE XSET: what has no standard
 */
#ifndef MAILD_IMAP_H
#define MAILD_IMAP_H

#include "proto/imap.h"
#include "services/maild/maild.h"

/*
 * The mailbox as this client was told it is. Sequence number n is uids[n - 1]. What was expunged
 * meanwhile stays in the list until the client is told (which is not allowed in the answer to
 * FETCH, STORE and SEARCH): its row in the store is gone but readable.
 */
struct imap_box {
	uint64_t id; /* 0: none is selected */
	char name[MAIL_NAME_SIZE];
	uint32_t validity;
	bool read_only;
	bool deleted; /* the mailbox itself is gone: the session says so and closes it */
	uint64_t modseq; /* everything up to here was told */
	uint32_t *uids; /* owned; ascending */
	size_t count, room;
	uint32_t *gone; /* owned, ascending: expunged in the store, not yet told */
	size_t gone_count, gone_room;
	struct imap_range *recent; /* owned, ascending: UIDs that are \Recent in this session */
	size_t recent_count, recent_room;
	uint64_t *own; /* owned: modseqs of this session's own changes, not to be told again */
	size_t own_count, own_room;
	uint32_t next_uid; /* one behind the highest that was ever in uids */
	size_t keywords_told; /* FLAGS was said with so many keywords */
};

enum imap_state { IMAP_NOT_AUTHENTICATED = 1, IMAP_AUTHENTICATED = 2, IMAP_SELECTED = 4 };

enum imap_enabled {
	IMAP_CONDSTORE = 1, /* MODSEQ in FETCH answers */
	IMAP_QRESYNC = 2, /* VANISHED in place of EXPUNGE */
	IMAP_UTF8 = 4,
	IMAP_REV2 = 8,
};

struct imap_notifying; /* notify.c; owned */

struct imap {
	struct service *service;
	struct conn *conn;
	int end_fd;
	enum imap_state state;
	unsigned enabled; /* enum imap_enabled */
	struct imap_box box;
	uint32_t *saved; /* SEARCHRES: UIDs, ascending; owned */
	size_t saved_count;
	struct buf command; /* the one that runs, literals in it */
	char tag[IMAP_TAG_MAX + 1];
	struct buf out; /* scratch of answers, kept for the next */
	struct mail_keywords keywords; /* as of the last look */
	struct imap_notifying *notifying;
	bool has_bell; /* registered for the account's mail */
	unsigned bad; /* commands in a row that were none */
	unsigned refused; /* log-ins */
	bool told_client; /* the log, by ID */
	bool logout;
	uint64_t size_limit;
	int64_t seen_us; /* when the account was there last, as of the log-in */
	int error; /* of the connection: nothing more is written; 0 */
	size_t unsent; /* bytes written since the last imap_flush() */
	int64_t active_ms; /* when the client was heard of last */
	struct buf line; /* scratch of reply.c */
};

static inline const char *imap_account(const struct imap *s)
{
	return s->service->who.account.name;
}

/* login.c: sends the receipts that are due; s->error when that ended the session. */
void imap_send_receipts(struct imap *s);

/* -- commands ---------------------------------------------------------------------------------- */

struct imap_command;
struct imap_call {
	struct imap *s;
	const struct imap_command *command;
	struct imap_in in; /* behind the command's name (and UID's): " args" or the end */
	bool uid; /* UID FETCH and so on */
	struct imap_literal literal; /* APPEND: the message that comes next */
	bool unread; /* that literal's bytes, and the rest of the command, are still to be read */
};

enum imap_command_flag {
	IMAP_NO_EXPUNGE = 1, /* nobody is told of expunges in its answer (not with UID) */
	IMAP_QUIET = 2, /* no untagged news before its end: LOGOUT, IDLE does it by itself */
	IMAP_SECRET = 4, /* never logged */
};
struct imap_command {
	const char *name; /* "FETCH"; "UID FETCH" is the same row with uid_too */
	int (*run)(struct imap_call *c); /* 0: it has said its tagged answer; negative: the end */
	unsigned states; /* enum imap_state, where it may be said */
	bool uid_too; /* UID may stand in front */
	unsigned flags;
};

/* Runs the command in s->command. 0, or negative: the end. */
int imap_command_run(struct imap_call *c);

/* -- session.c, input.c ------------------------------------------------------------------------
 */

/* Waits for input, a bell or until_ms, what was written sent before. 0: look again; -ETIMEDOUT at
 * the session's deadline, -ESHUTDOWN, or as conn_poll(). */
int imap_wait(struct imap *s, int64_t until_ms);
/* Sends all that was written. A client that reads slowly, but reads, may take as long as it needs.
 * 0; -ETIMEDOUT, -ESHUTDOWN, or as conn_poll(), which stays in s->error. */
int imap_flush(struct imap *s);
/* A line, as conn_step_line() (-EAGAIN never): waits for it. */
int imap_read_line(struct imap *s, struct span *ret);
/* Exactly so many bytes, appended to ret; NULL: they are dropped. */
int imap_read_bytes(struct imap *s, uint64_t size, struct buf *ret);
/* The next command: 1, with c set up; 0: there was none, and that was told; or negative. */
int imap_read_command(struct imap *s, struct imap_call *c);
/* Behind a command that was refused in the midst: a literal that comes without being asked for, and
 * the rest of that command, are read away. */
int imap_skip_literal(struct imap *s, const struct imap_literal *literal);
/* Gives back what a busy time took, before a long wait. */
void imap_trim(struct imap *s);

/* -- reply.c. Errors stick in the connection. ---------------------------------------------------
 */

/* "* ..." */
void imap_untagged(struct imap *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Bytes as they are: whole answers with their CR LF, made in a buffer. */
void imap_write(struct imap *s, struct span bytes);
/* "TAG OK ..." and so on; text with its "[CODE]". Before it, news of the selected mailbox are told
 * (sync.c), as the command allows. Return 0, or negative: the session cannot go on. */
int imap_ok(struct imap_call *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
int imap_no(struct imap_call *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
int imap_bad(struct imap_call *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The usual words for a negative errno of the store: temporary ones are NO [UNAVAILABLE], -EDQUOT
 * NO [OVERQUOTA], -ENOENT NO [NONEXISTENT], -ENOSPC NO [UNAVAILABLE], others NO [SERVERBUG],
 * logged. */
int imap_failed(struct imap_call *c, int error);

/* -- capability.c ------------------------------------------------------------------------------ */

/* "CAPABILITY IMAP4rev1 ..." in b. */
void imap_put_capability(const struct imap *s, struct buf *b);
void imap_greet(struct imap *s);

/* -- sync.c: the selected mailbox against the store
 * ------------------------------------------------ */

/*
 * Reads the log of changes behind box.modseq and tells: EXISTS and RECENT, FETCH FLAGS of what
 * others changed, EXPUNGE or VANISHED unless no_expunge (they wait in gone then). imap_ok() and its
 * like call it; so do NOOP, IDLE, NOTIFY.
 */
int imap_sync(struct imap *s, bool no_expunge);

/* Rings the account's other sessions: after every operation that changed something. */
void imap_changed(struct imap *s);

/* The session changed flags itself and has told what had to be told: this modseq is not news. */
void imap_own_change(struct imap *s, uint64_t modseq);

bool imap_is_gone(const struct imap *s, uint32_t uid);

/* Positions (index into uids, ascending) that a set means: of sequence numbers, or of UIDs, or "$".
 * 0; -EBADMSG: a sequence number that is not there (BAD). */
struct imap_picks { /* owned */
	uint32_t *at;
	size_t count;
};
int imap_pick(struct imap *s, struct imap_set *set, bool uid, struct imap_picks *ret);
void imap_picks_done(struct imap_picks *p);
/* The position of a UID; -ENOENT. */
int imap_position(const struct imap *s, uint32_t uid, size_t *ret);
/* The UIDs of picks, for operations: owned by the caller (free()); NULL: no memory. */
uint32_t *imap_pick_uids(const struct imap *s, const struct imap_picks *p);
/* recent.c: which are \Recent in this session, each in one session only. */
bool imap_is_recent(const struct imap *s, uint32_t uid);
size_t imap_recent_count(const struct imap *s);
/* Takes what waits for a session; box: as it was just read. */
void imap_take_recent(struct imap *s, const struct mail_box *box);
void imap_add_recent(struct imap *s, uint32_t from, uint32_t to);

/* -- told.c ------------------------------------------------------------------------------------ */

/* "FLAGS (...)" of a message, in b: \Recent as this session has it, keywords by name. */
void imap_put_message_flags(struct imap *s, struct buf *b, const struct mail_message *m);
/* "* n FETCH (UID u FLAGS (...) MODSEQ (m))" as enabled, in b. */
void imap_put_told(
	struct imap *s, struct buf *b, size_t position, const struct mail_message *m, bool uid);
/* "* FLAGS (...)" and PERMANENTFLAGS, as the keywords are now. */
void imap_tell_keywords(struct imap *s);
/* The account's keywords, read again if the store has more; FLAGS and PERMANENTFLAGS are told then.
 */
int imap_keywords(struct imap *s);

/* -- select.c ---------------------------------------------------------------------------------- */

void imap_unselect(struct imap *s);
/* Registers the session for the account's bell (IDLE, NOTIFY). */
int imap_need_bell(struct imap *s);

/* -- qresync.c --------------------------------------------------------------------------------- */

/* "* VANISHED (EARLIER) uids": what was expunged behind since; where the log does not reach back so
 * far, all that is not there of those. uids: settled, NULL for all. */
int imap_tell_vanished(struct imap *s, uint64_t since, const struct imap_set *uids);
/* The parameter of SELECT. */
struct imap_qresync { /* owned */
	bool set;
	uint32_t validity;
	uint64_t modseq;
	bool has_known;
	struct imap_set known;
};
int imap_in_qresync(struct imap_in *in, struct imap_qresync *ret);
void imap_qresync_done(struct imap_qresync *q);
int imap_resync(struct imap *s, struct imap_qresync *q);

/* -- notify.c ---------------------------------------------------------------------------------- */

/* News of mailboxes that are not selected, as asked for; and of the selected one. */
int imap_notify_tell(struct imap *s);
/* May changes of flags be told? Not if what was asked for leaves them out. */
bool imap_notify_flags(const struct imap *s);
/* Messages from this position on are new: FETCH what was asked for of them. */
void imap_notify_new(struct imap *s, size_t first);
void imap_notify_free(struct imap *s);

/* -- fetch.c, search.c ----------------------------------------------------------------------------
 */

/* FETCH answers for these positions. since: only what changed behind it; 0: all. \Seen is set first
 * where items ask for bodies without peek. */
int imap_fetch_picks(
	struct imap *s, const struct imap_fetch *f, const struct imap_picks *p, bool uid);
/* Positions, ascending, that match; *ret_modseq: the highest of them, if the program uses MODSEQ.
 */
int imap_search_run(struct imap *s, const struct imap_search *program, struct imap_picks *ret,
	uint64_t *ret_modseq);
void imap_save_result(struct imap *s, const struct imap_picks *p);

/* -- status.c, list.c
 * ------------------------------------------------------------------------------ */

/* Appends a name for the wire: modified UTF-7, or UTF-8 as enabled. */
void imap_put_name(const struct imap *s, struct buf *b, const char *name);
/* "\Sent" and so on; NULL: none. */
const char *imap_use_name(enum mail_use use);
/* RFC 7162 section 3.1: of the commands that ask for MODSEQ; it is told from now on. */
void imap_enable_condstore(struct imap *s);
/* "STATUS name (...)" in b. */
void imap_put_status(struct imap *s, struct buf *b, const struct mail_box *box, unsigned items);

/* -- handlers ---------------------------------------------------------------------------------- */

int imap_cmd_capability(struct imap_call *c);
int imap_cmd_noop(struct imap_call *c);
int imap_cmd_logout(struct imap_call *c);
int imap_cmd_id(struct imap_call *c);
int imap_cmd_authenticate(struct imap_call *c);
int imap_cmd_login(struct imap_call *c);
int imap_cmd_enable(struct imap_call *c);
int imap_cmd_namespace(struct imap_call *c);
int imap_cmd_select(struct imap_call *c);
int imap_cmd_examine(struct imap_call *c);
int imap_cmd_close(struct imap_call *c);
int imap_cmd_unselect(struct imap_call *c);
int imap_cmd_check(struct imap_call *c);
int imap_cmd_create(struct imap_call *c);
int imap_cmd_delete(struct imap_call *c);
int imap_cmd_rename(struct imap_call *c);
int imap_cmd_subscribe(struct imap_call *c);
int imap_cmd_unsubscribe(struct imap_call *c);
int imap_cmd_list(struct imap_call *c);
int imap_cmd_lsub(struct imap_call *c);
int imap_cmd_status(struct imap_call *c);
int imap_cmd_append(struct imap_call *c); /* reads its messages itself */
int imap_cmd_expunge(struct imap_call *c);
int imap_cmd_store(struct imap_call *c);
int imap_cmd_copy(struct imap_call *c);
int imap_cmd_move(struct imap_call *c);
int imap_cmd_fetch(struct imap_call *c);
int imap_cmd_search(struct imap_call *c);
int imap_cmd_sort(struct imap_call *c);
int imap_cmd_thread(struct imap_call *c);
int imap_cmd_idle(struct imap_call *c);
int imap_cmd_notify(struct imap_call *c);
int imap_cmd_getquota(struct imap_call *c);
int imap_cmd_getquotaroot(struct imap_call *c);
int imap_cmd_xreceipts(struct imap_call *c);
int imap_cmd_xnotices(struct imap_call *c);
int imap_cmd_xpeople(struct imap_call *c);
int imap_cmd_xset(struct imap_call *c);

#endif
