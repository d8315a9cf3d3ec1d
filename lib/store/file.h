/*
 * What the store knows of ftpd's files (DESIGN section 8): who owns a path and what was written
 * there, interrupted uploads, and what each account uses. The bytes are plain files below
 * STATE/files; a path here is the virtual one, "/shared/a/b" or "/home/NAME/x": absolute,
 * normalised, clean UTF-8, at most FILE_PATH_MAX bytes (proto/ftp.h, ftp_path_resolve). Whoever
 * changes the tree and rows together holds an exclusive flock(2) on STATE/files meanwhile, the
 * sweep too; a temporary is held by one of its own while an upload writes to it.
 */
#ifndef STORE_FILE_H
#define STORE_FILE_H

#include "store/account.h"

#define FILE_PATH_MAX 2048 /* bytes */
#define FILE_DIGEST_LEN 32
#define FILE_TEMP_SIZE 48 /* the name of a temporary, without its folder */

/* Temporaries in the tree begin so; no other name may. */
#define FILE_TEMP_PREFIX ".quintet-"

struct file_row {
	char owner[ACCOUNT_NAME_SIZE];
	bool folder; /* then only the owner counts */
	uint64_t size, inode;
	int64_t mtime_ns;
	bool has_digest;
	unsigned char digest[FILE_DIGEST_LEN]; /* SHA-256, believed while size, inode and mtime_ns
						  are the file's */
	int64_t stored_us;
};

/* In a view, or on its own. -ENOENT. */
int file_read(struct store_txn *txn, struct span path, struct file_row *ret);
int file_get(struct store *s, struct span path, struct file_row *ret);

/* Rows at or below a folder ("": all), in the order of keys; nonzero from each() stops. */
int file_each(struct store *s, struct span folder,
	int (*each)(void *arg, struct span path, const struct file_row *row), void *arg);

/*
 * STORE_OP_FILE_PUT: the row of a finished upload or a made folder, replacing that of the path; the
 * owner's usage changes by it (a former owner's too), for a file a partial of (row.owner, path)
 * goes (its temporary is the caller's), and the reservation `reservation` (0: none) is released.
 * -EDQUOT when row.owner would then use more than the policy files_quota, reservations of its other
 * uploads included, unless that is not more than before. -EINVAL: no owner, or a path that is none.
 */
struct file_put_args {
	struct span path;
	struct file_row row;
	uint64_t reservation;
};

/* STORE_OP_FILE_REMOVE: rows of paths that were removed from the tree; those unknown are skipped.
 * With below, the rows below each path too. Partials of these paths go as well, whosever they are
 * (their temporaries are the caller's). With stored_before_us only rows stored before then go and
 * no partials: the sweep's way, which may have looked while an upload was under way. */
#define FILE_REMOVE_MAX 64
struct file_remove_args {
	struct span paths[FILE_REMOVE_MAX];
	size_t count;
	bool below;
	int64_t stored_before_us; /* 0: any */
};

/*
 * STORE_OP_FILE_RENAME: the row of a file, or of a folder with all rows below it, moves; what was
 * at `to` is replaced. Missing rows are fine. Partials below a folder move too (their temporaries
 * lie in it); one of `from` itself stays, as its temporary is not in it. Rows that move count as
 * just stored. -E2BIG: more than FILE_RENAME_MAX rows. -ENAMETOOLONG: a path below would get too
 * long. -EINVAL: one lies in the other.
 */
#define FILE_RENAME_MAX 50000
struct file_rename_args {
	struct span from, to;
};

/* STORE_OP_FILE_NOTE: a digest computed later or a changed mtime; only if the row is still of
 * row.inode (-ESTALE), or, where there is none (a file that was dropped in), without an owner: then
 * row.owner is "". The row's owner stays; usage follows the size, whatever the quota. */
struct file_note_args {
	struct span path;
	struct file_row row;
};

/* An interrupted upload of account to path: a temporary in the path's folder, flushed up to size.
 */
struct file_partial {
	char account[ACCOUNT_NAME_SIZE];
	char temp[FILE_TEMP_SIZE];
	uint64_t size;
	int64_t expires_us;
};

/* -ENOENT; also when it has expired (now_us). */
int file_partial_get(struct store *s, const char *account, struct span path, int64_t now_us,
	struct file_partial *ret);
/* All of them, for quintetctl and the sweep. */
int file_partial_each(struct store *s,
	int (*each)(void *arg, struct span path, const struct file_partial *p), void *arg);

/* STORE_OP_PARTIAL_PUT: replaces one of the same (account, path); its size counts in usage;
 * releases the reservation. expires_us is set from policy files_partial. -EDQUOT.
 * STORE_OP_PARTIAL_REMOVE: the row only; the temporary is the caller's. -ENOENT; -ESTALE when a
 * temporary's name is given and the row has another. */
struct partial_args {
	struct span path;
	struct file_partial partial; /* _REMOVE: account, and temp or "" */
	int64_t now_us;
	uint64_t reservation; /* _PUT: 0 none */
};

struct file_usage {
	uint64_t bytes, files; /* finished */
	uint64_t partial_bytes;
	uint64_t reserved; /* beyond what the uploads will free */
	uint64_t quota; /* as the policy says; 0: none */
};
int file_usage_get(struct store *s, const char *account, struct file_usage *ret);
/* Of all that use something, in the order of names; also names whose account was removed. */
int file_usage_each(struct store *s,
	int (*each)(void *arg, const char *account, const struct file_usage *u), void *arg);

/*
 * STORE_OP_FILE_RESERVE: room for an upload under way: reservation `id` of the account now stands
 * at `bytes` in total (made, raised or lowered; 0 releases). replaces: bytes of the account's own
 * that the upload will free (the file it overwrites, the partial it continues), counted against it.
 * -EDQUOT when usage, partials and all reservations of the account would pass the quota, or it has
 * FILE_RESERVATIONS_MAX: nothing changes. Reservations of dead processes (pid, start_ticks) are
 * removed by the sweep and by file_reservations_reap(), to be called once after -EDQUOT before
 * giving up.
 */
#define FILE_RESERVATIONS_MAX 1024
struct file_reserve_args {
	char account[ACCOUNT_NAME_SIZE];
	uint64_t id; /* random, the caller's choice */
	uint64_t bytes, replaces;
	int32_t pid;
	uint64_t start_ticks; /* session_start_ticks() */
};
int file_reservations_reap(struct store *s, const char *account, unsigned *ret_reaped);

#endif
