/* Accounts, invites and one-time CMP references. Names are already valid and folded (auth/name.h).
 */
#ifndef STORE_ACCOUNT_H
#define STORE_ACCOUNT_H

#include "store/store.h"

#define ACCOUNT_NAME_SIZE 33 /* 32 bytes and NUL */
#define ACCOUNT_HASH_SIZE 128
#define INVITE_HASH_LEN 32
#define INVITE_TOKEN_SIZE 65 /* 64 characters and NUL */

enum account_flag {
	ACCOUNT_ADMIN = 1,
	ACCOUNT_LOCKED = 2,
	ACCOUNT_HOST = 4, /* a host or service, named by its certificates; no log-in */
	ACCOUNT_FTP_UNBOUND = 8, /* its data connections need not resume the log-in's TLS session
				  */
};

struct account {
	char name[ACCOUNT_NAME_SIZE];
	uint32_t flags;
	int64_t created_us;
	int64_t password_us; /* last change; 0: none set */
	uint64_t password_gen; /* counts password changes: sessions opened by password compare it */
	uint64_t account_gen; /* counts locks and re-creations: every session compares it */
	char password[ACCOUNT_HASH_SIZE]; /* crypt(3) string, "" none */
};

/* In a view: -ENOENT. */
int account_read(struct store_txn *txn, const char *name, struct account *ret);
/* On its own: a view of one row. */
int account_get(struct store *s, const char *name, struct account *ret);
/* In name order after `after` ("" from the start); each() returns nonzero to stop, which is
 * returned. */
int account_each(struct store *s, const char *after,
	int (*each)(void *arg, const struct account *a), void *arg);

/*
 * STORE_OP_ACCOUNT_CREATE. With need_invite the invite is checked and used up in the same commit:
 * -EKEYREJECTED when unknown, expired, used up, or bound to another name. It is shown by its token:
 * the hash is no proof, since whoever reads the store has it. -EEXIST: the name is
 * taken. -EEXIST when the name was removed within the last 90 days, or still owns files or mail,
 * too, unless admin_act (files, mail and certificates of the old owner must not come to a new one).
 */
struct account_create_args {
	char name[ACCOUNT_NAME_SIZE];
	char password[ACCOUNT_HASH_SIZE]; /* "" for none (invite plus certificate only) */
	uint32_t flags;
	bool need_invite;
	bool admin_act;
	char invite[INVITE_TOKEN_SIZE]; /* the token as it was hashed, see auth_token_read() */
	int64_t now_us;
	char peer[64]; /* for the audit row */
	char service[16];
};

/* STORE_OP_ACCOUNT_PASSWORD: sets the hash, bumps password_gen. -ENOENT. With only_rehash the
 * generation stays (a stronger cost for the same password) and the old hash must still be there:
 * -ESTALE. */
struct account_password_args {
	char name[ACCOUNT_NAME_SIZE];
	char password[ACCOUNT_HASH_SIZE];
	char old[ACCOUNT_HASH_SIZE]; /* only_rehash */
	bool only_rehash;
	int64_t now_us;
	char peer[64];
	char service[16];
};

/* STORE_OP_ACCOUNT_FLAGS: (flags & ~clear) | set. Locking bumps account_gen. -ENOENT. */
struct account_flags_args {
	char name[ACCOUNT_NAME_SIZE];
	uint32_t set, clear;
	int64_t now_us;
};

/*
 * STORE_OP_ACCOUNT_REMOVE: revokes all its certificates, takes it out of chat with what it said to
 * others and they to it, removes its mail (unless keep_mail: then it lies there unreachable, and
 * is that of an account that an administrator makes by the same name) and its row, leaves a
 * tombstone. Of a name that is removed already, mail that was kept goes. -ENOENT.
 */
struct account_remove_args {
	char name[ACCOUNT_NAME_SIZE];
	bool keep_mail;
	int64_t now_us;
};
struct account_remove_result {
	unsigned revoked;
};

struct invite {
	unsigned char hash[INVITE_HASH_LEN];
	char name[ACCOUNT_NAME_SIZE]; /* "" for any free name */
	int64_t created_us, expires_us;
	uint32_t uses_left;
	uint32_t flags; /* given to the account */
};

/* STORE_OP_INVITE_CREATE takes a struct invite. STORE_OP_INVITE_REMOVE takes hash (32 bytes).
 * -ENOENT. */
int invite_get(struct store *s, const unsigned char hash[INVITE_HASH_LEN], struct invite *ret);
int invite_each(struct store *s, int (*each)(void *arg, const struct invite *i), void *arg);

/* A CMP reference: the secret is never stored (the signer derives it). */
struct cmp_ref {
	char reference[33]; /* random, printable */
	char name[ACCOUNT_NAME_SIZE]; /* the account is created by the first use if it does not
					 exist */
	int64_t created_us, expires_us;
};

/* STORE_OP_CMP_CREATE takes a struct cmp_ref (-EEXIST). STORE_OP_CMP_CONSUME: reference and time;
 * -ENOENT when unknown, used or expired; creates the account when missing. */
struct cmp_consume_args {
	char reference[33];
	int64_t now_us;
};
int cmp_ref_get(struct store *s, const char *reference, struct cmp_ref *ret);

#endif
