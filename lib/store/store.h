/*
 * The one store of all services: an LMDB environment plus a folder of blobs (DESIGN section 8).
 * Reading is a view: a callback in a snapshot. Writing is a named operation: a function of this
 * module over (transaction, arguments, result). Services never see a write transaction, and no
 * transaction ever spans network I/O.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/span.h"

#include <stdint.h>

struct store;
struct store_txn;

enum store_mode {
	STORE_READ, /* views only: cheaper; store_call() upgrades by itself when first needed */
	STORE_WRITE,
	STORE_CREATE, /* make the folders and an empty environment first if missing (quintetctl
			 init) */
};

/*
 * Opens the environment in STATE/store and the blobs in STATE/blobs; state may be relative. At most
 * once per process, never before a fork that goes on using it. -ENOENT: not initialised.
 * -EMEDIUMTYPE: overlayfs, network or FUSE file system. -EXDEV: processes of another PID namespace
 * have it open (store_open_reason tells). -ESTALE: schema of another version. -ELIBBAD: an LMDB
 * release with the close-time races (0.9.26 to 0.9.31). -EBUSY after retries.
 */
int store_open(const char *state, enum store_mode mode, struct store **ret);
/*
 * The same for reading, with every write going to the keeper that listens at that Unix socket,
 * which does it for many at a time and lets each user do what is his (keeper(8)). The environment
 * is never opened for writing: data.mdb may be read-only. keeper NULL or "": as store_open(state,
 * STORE_READ).
 */
int store_open_kept(const char *state, const char *keeper, struct store **ret);
/*
 * The modes of STATE/store and its files. kept: for processes that write through a keeper, whose
 * user owns them all: the group reads the data and locks; else the group may write all of it, as
 * STORE_CREATE makes it. -EPERM: they are somebody else's.
 */
int store_modes(const char *state, bool kept);
void store_close(struct store *s);
void store_closep(struct store **s);

/* A sentence for people about the last failed store_open, or "". Static memory. */
const char *store_open_reason(void);

/*
 * Runs fn in a read snapshot and returns what it returned. Pointers that the txn_ and *_read
 * functions give are valid inside fn only. A view inside a view (each() calling account_get()) sees
 * the same snapshot. -ECHILD in a process forked after store_open().
 */
int store_view(struct store *s, int (*fn)(struct store_txn *txn, void *arg), void *arg);

/* Gives the pages back that views have touched, before a long wait. */
void store_trim(struct store *s);

/* Every write. The list is in ops.h: id, argument struct, result struct. */
enum store_op {
	STORE_OP_ACCOUNT_CREATE,
	STORE_OP_ACCOUNT_PASSWORD,
	STORE_OP_ACCOUNT_FLAGS,
	STORE_OP_ACCOUNT_REMOVE,
	STORE_OP_INVITE_CREATE,
	STORE_OP_INVITE_REMOVE,
	STORE_OP_CMP_CREATE,
	STORE_OP_CMP_CONSUME,
	STORE_OP_CERT_INTENT,
	STORE_OP_CERT_ISSUED,
	STORE_OP_CERT_REVOKE,
	STORE_OP_CA_PUT,
	STORE_OP_CRL_PUT,
	STORE_OP_AUDIT_APPEND,
	STORE_OP_AUDIT_CLOSE,
	STORE_OP_THROTTLE_FAIL,
	STORE_OP_THROTTLE_CLEAR,
	STORE_OP_SESSION_ADD,
	STORE_OP_SESSION_UPDATE,
	STORE_OP_SESSION_REMOVE,
	STORE_OP_BELL_ADD,
	STORE_OP_BELL_REMOVE,
	STORE_OP_POLICY_SET,
	STORE_OP_BLOB_PUT,
	STORE_OP_BLOB_UNREF,
	STORE_OP_FILE_PUT,
	STORE_OP_FILE_REMOVE,
	STORE_OP_FILE_RENAME,
	STORE_OP_FILE_NOTE,
	STORE_OP_FILE_RESERVE,
	STORE_OP_PARTIAL_PUT,
	STORE_OP_PARTIAL_REMOVE,
	STORE_OP_CHAT_ATTACH,
	STORE_OP_CHAT_DETACH,
	STORE_OP_CHAT_SEEN,
	STORE_OP_CHAT_LOGIN,
	STORE_OP_CHAT_NICK,
	STORE_OP_CHAT_USER,
	STORE_OP_CHAT_JOIN,
	STORE_OP_CHAT_PART,
	STORE_OP_CHAT_KICK,
	STORE_OP_CHAT_INVITE,
	STORE_OP_CHAT_TOPIC,
	STORE_OP_CHAT_RENAME,
	STORE_OP_CHAT_MODE,
	STORE_OP_CHAT_POST,
	STORE_OP_CHAT_REDACT,
	STORE_OP_CHAT_MARK,
	STORE_OP_CHAT_META,
	STORE_OP_CHAT_ANNOUNCE,
	STORE_OP_CHAT_DROP,
	STORE_OP_CHAT_SWEEP,
	STORE_OP_MAIL_OPEN,
	STORE_OP_MAIL_CREATE,
	STORE_OP_MAIL_DELETE,
	STORE_OP_MAIL_RENAME,
	STORE_OP_MAIL_SUBSCRIBE,
	STORE_OP_MAIL_DELIVER,
	STORE_OP_MAIL_APPEND,
	STORE_OP_MAIL_COPY,
	STORE_OP_MAIL_MOVE,
	STORE_OP_MAIL_FLAGS,
	STORE_OP_MAIL_EXPUNGE,
	STORE_OP_MAIL_RECENT,
	STORE_OP_MAIL_RECEIPT,
	STORE_OP_MAIL_SHOWN,
	STORE_OP_MAIL_PREFS,
	STORE_OP_MAIL_SWEEP,
	STORE_OP_SWEEP,
	STORE_OP_COUNT
};

/*
 * Runs the operation in one durable commit: when 0 comes back it is on disk. The operation's own
 * refusals (-EEXIST, -ENOENT, -EDQUOT ...) come back as they are and change nothing; see its
 * header. -ENOSPC: disk or map full (the map counts as full at 95% except for operations that free
 * or secure something). -ESTALE, -EIO. -EDEADLK inside a view or each(): gather first, call after.
 * Through a keeper: -EHOSTDOWN it cannot be reached, or does not answer (it may have been done
 * then); -EPERM it does not let this user do that.
 * result may be NULL where the operation has none. In test builds every operation runs twice
 * (abort, then for real).
 */
int store_call(struct store *s, enum store_op op, const void *args, void *result);

/* For quintetctl health and its warning at 80%. */
struct store_health {
	uint64_t map_bytes;
	uint64_t used_bytes; /* pages in use, free-list pages not counted */
	uint64_t free_bytes; /* on the free list */
	unsigned readers;
	unsigned readers_max;
	unsigned dead_readers_cleared;
	uint32_t schema;
};
int store_health(struct store *s, struct store_health *ret);

/*
 * A consistent snapshot of environment and blobs while everything runs, into dir, which must not
 * exist. Each file is flushed. Files of ftpd (STATE/files) are included with their owners' rows,
 * interrupted uploads are not. Two descriptors are open for each level of that tree.
 */
int store_backup(struct store *s, const char *state, const char *dir);

/*
 * Makes a new state from a backup; state must hold no store and no files of ftpd (-EEXIST, and
 * store_open_reason()). Checks the blobs' digests: -EBADMSG. Files keep their owners; a digest of
 * theirs stays where the copy still has it, else there is none.
 */
int store_restore(const char *dir, const char *state);

/* Brings an older schema to this one (quintetctl migrate). The count of steps run. */
int store_migrate(const char *state);

/* Walks every row of every table and decodes it; audit chain, blob references and what accounts use
 * of the files included. 0 or -EBADMSG. */
int store_check(struct store *s, void (*report)(void *arg, const char *what), void *arg);

#endif
