/* Inside lib/store only: what struct store holds, and how an environment is opened. */
#ifndef STORE_STORE_I_H
#define STORE_STORE_I_H

#include "store/kv.h"
#include "store/store.h"

#include <sys/types.h>

/*
 * Changes when an older program could misread a row or break what a newer one keeps. Tables of
 * their own do neither: an older program never looks at them (only its store_check() calls them
 * unknown), and a store without them is one where nothing was put yet. So ftpd's tables came
 * without a step.
 */
#define STORE_SCHEMA 1
#define STORE_PATH_MAX 512

enum {
	STORE_FULL_PERCENT = 95, /* beyond it only what frees or secures */
	STORE_DIR_MODE = 02770,
	STORE_FILE_MODE = 0660,
	STORE_DIR_KEPT = 02750, /* where only the keeper writes */
	STORE_FILE_KEPT = 0640,
};

struct store {
	char state[STORE_PATH_MAX];
	enum store_mode mode;
	struct kv_env *env;
	int guard_fd;
	int blobs_fd; /* -1 until first used */
	pid_t pid; /* an environment does not survive a fork */
	struct store_txn *view; /* the view that is open: views in views share it */
	unsigned dead_before; /* cleared through earlier handles of this store */
	struct remote *remote; /* where writes go; NULL: they are done here */
	uint64_t life; /* whose answers are remembered; 0: no batch yet */
	int64_t expired_us; /* when old answers were looked for last */
};

/* Opens STATE/store behind its guards, without looking at the schema. Sets the reason. */
int env_open(const char *state, enum store_mode mode, struct kv_env **ret, int *ret_guard_fd);

/* Opens with some patience: while others open or close it may fail for a moment. -EBUSY. */
int env_reopen(const struct kv_options *options, struct kv_env **ret);

/* What store_open_reason() says. */
void env_reason(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The map's size: KV_MAP_BYTES, in test builds smaller by QUINTET_TEST_MAP_BYTES. */
uint64_t env_map_bytes(void);

/* Makes a folder that may exist, with the group bit and mode that all of them have. */
int env_make_dir(const char *path);

/* STATE and the folders of store and blobs in it. */
int env_make_folders(const char *state);

/* The schema of what this transaction sees: -ENOENT when there is none yet. */
int schema_read(struct store_txn *txn, uint32_t *ret);
int schema_write(struct store_txn *txn, uint32_t schema);
/* 0, or -ESTALE. */
int schema_check(struct store_txn *txn);

/* Before any use of s->env: the right process, and open for what is wanted. */
int store_ready(struct store *s, enum store_mode mode);

/* A write transaction of the schema that is known, through a new handle where the old is spoilt. */
int store_begin_write(struct store *s, int64_t now_us, struct store_txn **ret);

/*
 * The operation in a transaction, result zeroed before; in test builds it is rehearsed first.
 * store_try() only finds out whether it would be refused: nothing of it stays.
 */
struct op_def;
int store_run(struct store_txn *txn, const struct op_def *def, const void *args, void *result);
int store_try(struct store_txn *txn, const struct op_def *def, const void *args, void *result);

/* The folder of blobs, opened at first use. */
int store_blobs_fd(struct store *s, int *ret_fd);

#endif
