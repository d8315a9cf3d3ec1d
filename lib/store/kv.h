/*
 * Inside lib/store only: ordered keys and values on LMDB, everything in one database. All codes are
 * 0 or negative errno (lmdb.c maps LMDB's own). Spans that come out point into the map and live
 * until the next write through the same transaction, at most until its end.
 */
#ifndef STORE_KV_H
#define STORE_KV_H

#include "base/span.h"

#include <stdint.h>

/* One size in every process and for ever: a sparse map costs address space only. */
#define KV_MAP_BYTES (UINT64_C(64) << 30)
#define KV_READERS_MAX 8192
#define KV_KEY_MAX 200

struct kv_env;

struct kv_options {
	const char *dir;
	bool write;
	bool unlocked; /* a private copy that nobody else opens: no lock file */
	uint64_t map_bytes;
};

/* -ENOENT: no environment there. -ELIBBAD: see kv_version_ok. -EBUSY, -EAGAIN: try again. */
int kv_open(const struct kv_options *options, struct kv_env **ret);
void kv_close(struct kv_env *env);
void kv_closep(struct kv_env **env);

/* Releases 0.9.26 to 0.9.31 destroy the shared mutexes while others use them. */
bool kv_version_ok(int major, int minor, int patch);

/* The descriptor of the data file, for permissions and free space of its file system. */
int kv_fd(const struct kv_env *env);

/* Frees the reader slots of dead processes. Their count. */
int kv_reader_check(struct kv_env *env);

struct kv_stat {
	uint64_t map_bytes, used_bytes, free_bytes;
	unsigned readers, readers_max;
	unsigned dead_cleared; /* since kv_open */
};
/* Walks the free list and the reader table. */
int kv_stat(struct kv_env *env, struct kv_stat *ret);

/* Is more than this share of the map in use? Cheap while the file has not grown that far. 1, 0 or
 * negative errno. */
int kv_fuller_than(struct kv_env *env, unsigned percent);

/* A compacted copy of a snapshot, written to fd. */
int kv_copy(struct kv_env *env, int fd);

/* The transaction: struct store_txn of store.h. -ENOTRECOVERABLE: a failed write of the meta page
 * has spoiled this handle; close and open again. */
struct store_txn;
int kv_begin(struct kv_env *env, bool write, int64_t now_us, struct store_txn **ret);
/* Ends it in any case. The first error of any kv_put() or kv_del() in it is returned, and nothing
 * is written then; nor is it with -ENOSPC. */
int kv_commit(struct store_txn *txn);
void kv_abort(struct store_txn *txn);

/* A write transaction inside a write transaction, to be aborted: a trial run. */
int kv_begin_trial(struct store_txn *outer, struct store_txn **ret);

/* How often something was put or removed in it, and the first error of that, kv_commit()'s. */
unsigned kv_writes(const struct store_txn *txn);
int kv_error(const struct store_txn *txn);

/* The time at which the caller began: operations read no clock, since they may run twice. */
int64_t kv_now_us(const struct store_txn *txn);

int kv_get(struct store_txn *txn, struct span key, struct span *ret); /* -ENOENT */
int kv_put(struct store_txn *txn, struct span key, struct span value); /* replaces */
int kv_add(struct store_txn *txn, struct span key, struct span value); /* -EEXIST */
int kv_del(struct store_txn *txn, struct span key); /* -ENOENT; key may point into the map */

/* The first row at or behind from whose key has the prefix; from empty: the first of the prefix.
 * -ENOENT. Finds its place anew each time, so rows may be written between two calls. */
int kv_seek(struct store_txn *txn, struct span prefix, struct span from, struct span *ret_key,
	struct span *ret_value);

/* All rows of a prefix in key order, while nothing is written in the transaction. prefix {NULL, 0}:
 * every row there is. */
struct kv_iter {
	void *cursor;
	unsigned char prefix[KV_KEY_MAX];
	size_t prefix_len;
	unsigned char from[KV_KEY_MAX];
	size_t from_len;
	bool started;
};
int kv_iter_open(struct store_txn *txn, struct span prefix, struct span from, struct kv_iter *ret);
/* 1 and a row; 0 at the end. */
int kv_iter_next(struct kv_iter *it, struct span *ret_key, struct span *ret_value);
/* The same backwards, one direction for an iteration: first the last row in front of from; the last
 * of the prefix when from is empty or the prefix. */
int kv_iter_prev(struct kv_iter *it, struct span *ret_key, struct span *ret_value);
void kv_iter_done(struct kv_iter *it); /* for the cleanup attribute; safe on a zeroed one */

#endif
