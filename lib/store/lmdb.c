/*
 * The one file that knows LMDB. Opened without thread-local reader slots (MDB_NOTLS) and with no
 * writable map; no DUPSORT and no MDB_CURRENT, where most defects of 0.9.24 are. Pages are flushed
 * before the meta page that makes them valid is written, as ever; that page is flushed by ourselves
 * (MDB_NOMETASYNC), when the writer's lock is free again: see settled.h.
 */
#include "base/cleanup.h"
#include "base/fault.h"
#include "store/kv.h"
#include "store/settled.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
	FREE_LIST_DBI = 0, /* LMDB keeps its free pages as rows of database 0 */
	FULL_DISK_BYTES = 1 << 20,
};

struct kv_env {
	MDB_env *env;
	bool write, unlocked;
	unsigned dead_cleared;
	struct settled settled;
};

struct store_txn {
	struct kv_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	int64_t now_us;
	int error; /* of the first write that failed */
	bool write; /* and no trial */
	unsigned writes; /* rows put and removed */
};

static int map_error(int rc)
{
	switch (rc) {
	case MDB_SUCCESS:
		return 0;
	case MDB_NOTFOUND:
		return -ENOENT;
	case MDB_KEYEXIST:
		return -EEXIST;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
		return -ENOSPC;
	case MDB_READERS_FULL:
		return -EBUSY;
	case MDB_MAP_RESIZED:
		return -EAGAIN;
	case MDB_BAD_VALSIZE:
		return -EINVAL;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
		return -EBADMSG;
	case MDB_PANIC:
		return -ENOTRECOVERABLE;
	default:
		return rc > 0 ? -rc : -EIO;
	}
}

static MDB_val to_val(struct span s)
{
	/* LMDB does not write through the pointers of keys and values that it is given. */
	MDB_val v = {.mv_size = s.len};

	memcpy(&v.mv_data, &s.p, sizeof(v.mv_data));
	return v;
}

static struct span of_val(const MDB_val *v)
{
	return span_of(v->mv_data, v->mv_size);
}

/* data.mdb is opened without O_CLOEXEC by LMDB 0.9. */
static int close_on_exec(MDB_env *env)
{
	int fd = -1;
	int rc = mdb_env_get_fd(env, &fd);

	if (rc != 0)
		return map_error(rc);
	return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
}

static int open_env(MDB_env *env, const struct kv_options *o)
{
	unsigned flags = MDB_NOTLS;
	int rc = mdb_env_set_maxreaders(env, KV_READERS_MAX);

	if (!o->write)
		flags |= MDB_RDONLY;
	if (o->unlocked)
		flags |= MDB_NOLOCK;
	else
		flags |= MDB_NOMETASYNC;
	if (rc == 0)
		rc = mdb_env_set_mapsize(env, o->map_bytes);
	if (rc == 0)
		rc = mdb_env_open(env, o->dir, flags, 0660);
	return rc != 0 ? map_error(rc) : close_on_exec(env);
}

/* Something is wrong with a number that is ahead: another environment was here. */
static int open_settled(struct kv_env *e, const char *dir)
{
	MDB_envinfo info;
	uint64_t newest;
	int rc;

	if (settled_open(dir, &e->settled) < 0)
		return 0;
	newest = settled_newest(&e->settled);
	rc = mdb_env_info(e->env, &info);
	if (rc == 0 && newest > info.me_last_txnid)
		settled_reset(&e->settled);
	return map_error(rc);
}

int kv_open(const struct kv_options *options, struct kv_env **ret)
{
	struct kv_env *e;
	int major, minor, patch, rc;

	(void)mdb_version(&major, &minor, &patch);
	if (!kv_version_ok(major, minor, patch))
		return -ELIBBAD;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return -ENOMEM;
	e->write = options->write;
	e->unlocked = options->unlocked;
	rc = map_error(mdb_env_create(&e->env));
	if (rc == 0)
		rc = open_env(e->env, options);
	if (rc == 0 && !e->unlocked)
		rc = open_settled(e, options->dir);
	if (rc < 0) {
		kv_close(e);
		return rc;
	}
	*ret = e;
	return 0;
}

void kv_close(struct kv_env *env)
{
	if (env == NULL)
		return;
	if (env->env != NULL)
		mdb_env_close(env->env);
	settled_close(&env->settled);
	free(env);
}

void kv_closep(struct kv_env **env)
{
	kv_close(*env);
}

int kv_fd(const struct kv_env *env)
{
	int fd = -1;

	return mdb_env_get_fd(env->env, &fd) == 0 ? fd : -1;
}

int kv_reader_check(struct kv_env *env)
{
	int dead = 0;
	int rc = mdb_reader_check(env->env, &dead);

	if (rc != 0)
		return map_error(rc);
	env->dead_cleared += (unsigned)dead;
	return dead;
}

/* -- transactions ------------------------------------------------------------------------------ */

static int begin(struct kv_env *e, unsigned flags, MDB_txn **ret)
{
	int rc = mdb_txn_begin(e->env, NULL, flags, ret);

	if (rc == MDB_READERS_FULL && kv_reader_check(e) > 0)
		rc = mdb_txn_begin(e->env, NULL, flags, ret);
	if (rc == MDB_MAP_RESIZED && mdb_env_set_mapsize(e->env, 0) == 0)
		rc = mdb_txn_begin(e->env, NULL, flags, ret);
	return map_error(rc);
}

/* What is to be told of is on disk. */
static int settle(struct kv_env *e, uint64_t id)
{
	if (e->unlocked || settled_newest(&e->settled) >= id)
		return 0;
	if (fdatasync(kv_fd(e)) < 0)
		return -errno;
	settled_raise(&e->settled, id);
	return 0;
}

/*
 * Which transaction was the last stands in lock.mdb, which whoever reads can write; the data file
 * knows better. With a number that was changed a commit would be lost.
 */
static int check_last(const struct store_txn *t)
{
	uint64_t id = mdb_txn_id(t->txn);
	MDB_envinfo info;
	int rc;

	if (t->env->unlocked)
		return 0;
	rc = mdb_env_info(t->env->env, &info);
	if (rc != 0)
		return map_error(rc);
	return (t->write ? id == info.me_last_txnid + 1 : id <= info.me_last_txnid) ? 0 : -EBADMSG;
}

int kv_begin(struct kv_env *env, bool write, int64_t now_us, struct store_txn **ret)
{
	struct store_txn *t = calloc(1, sizeof(*t));
	int rc;

	if (t == NULL)
		return -ENOMEM;
	t->env = env;
	t->now_us = now_us;
	t->write = write;
	rc = begin(env, write ? 0 : MDB_RDONLY, &t->txn);
	if (rc == 0)
		rc = check_last(t);
	if (rc == 0 && !write)
		rc = settle(env, mdb_txn_id(t->txn));
	if (rc == 0)
		rc = map_error(mdb_dbi_open(t->txn, NULL, 0, &t->dbi));
	if (rc < 0) {
		t->write = false; /* nothing was seen that could be told of */
		kv_abort(t);
		return rc;
	}
	*ret = t;
	return 0;
}

int kv_begin_trial(struct store_txn *outer, struct store_txn **ret)
{
	struct store_txn *t = calloc(1, sizeof(*t));
	int rc;

	if (t == NULL)
		return -ENOMEM;
	*t = *outer;
	t->txn = NULL;
	t->write = false;
	rc = map_error(mdb_txn_begin(outer->env->env, outer->txn, 0, &t->txn));
	if (rc < 0) {
		kv_abort(t);
		return rc;
	}
	*ret = t;
	return 0;
}

unsigned kv_writes(const struct store_txn *txn)
{
	return txn->writes;
}

int kv_error(const struct store_txn *txn)
{
	return txn->error;
}

/* LMDB reports a short write as EIO, and a full disk cuts writes short. */
static int disk_error(const struct kv_env *env, int error)
{
	struct statvfs fs;

	if (error != -EIO || fstatvfs(kv_fd(env), &fs) < 0)
		return error;
	return fs.f_bavail * fs.f_frsize < FULL_DISK_BYTES ? -ENOSPC : error;
}

/* LMDB numbers a transaction that wrote nothing, too, and gives that number to the next. */
static int settle_commit(struct kv_env *e, uint64_t id)
{
	MDB_envinfo info;
	int rc = mdb_env_info(e->env, &info);

	if (rc != 0)
		return map_error(rc);
	return settle(e, id < info.me_last_txnid ? id : info.me_last_txnid);
}

int kv_commit(struct store_txn *txn)
{
	int rc = txn->error;
	uint64_t id;

	if (rc == 0) {
		id = mdb_txn_id(txn->txn);
		rc = disk_error(txn->env, map_error(mdb_txn_commit(txn->txn)));
		txn->txn = NULL;
		/* It can be seen already: not what -ENOSPC means. */
		if (rc == 0 && settle_commit(txn->env, id) < 0)
			rc = -EIO;
		if (rc == 0)
			fault_at(FAULT_COMMITTED);
	}
	kv_abort(txn);
	return rc;
}

void kv_abort(struct store_txn *txn)
{
	uint64_t seen = 0;

	if (txn == NULL)
		return;
	if (txn->txn != NULL) {
		seen = txn->write ? mdb_txn_id(txn->txn) - 1 : 0;
		mdb_txn_abort(txn->txn);
	}
	/* Why nothing is written follows from what was seen. */
	(void)settle(txn->env, seen);
	free(txn);
}

int64_t kv_now_us(const struct store_txn *txn)
{
	return txn->now_us;
}

int kv_get(struct store_txn *txn, struct span key, struct span *ret)
{
	MDB_val k = to_val(key), v;
	int rc = mdb_get(txn->txn, txn->dbi, &k, &v);

	if (rc != 0)
		return map_error(rc);
	*ret = of_val(&v);
	return 0;
}

/* Remembers the first failure of a write: the commit then refuses whatever the caller overlooked.
 */
static int wrote(struct store_txn *txn, int rc)
{
	int error = map_error(rc);

	txn->writes += error == 0;
	if (error < 0 && error != -ENOENT && error != -EEXIST && txn->error == 0)
		txn->error = error;
	return error;
}

int kv_put(struct store_txn *txn, struct span key, struct span value)
{
	MDB_val k = to_val(key), v = to_val(value);

	return wrote(txn, mdb_put(txn->txn, txn->dbi, &k, &v, 0));
}

int kv_add(struct store_txn *txn, struct span key, struct span value)
{
	MDB_val k = to_val(key), v = to_val(value);

	return wrote(txn, mdb_put(txn->txn, txn->dbi, &k, &v, MDB_NOOVERWRITE));
}

int kv_del(struct store_txn *txn, struct span key)
{
	unsigned char copy[KV_KEY_MAX];
	MDB_val k = {.mv_size = key.len, .mv_data = copy};

	if (key.len > sizeof(copy))
		return -EINVAL;
	memcpy(copy, key.p, key.len);
	return wrote(txn, mdb_del(txn->txn, txn->dbi, &k, NULL));
}

/* -- ranges ------------------------------------------------------------------------------------ */

int kv_iter_open(struct store_txn *txn, struct span prefix, struct span from, struct kv_iter *ret)
{
	struct kv_iter it = {.prefix_len = prefix.len};
	MDB_cursor *cursor = NULL;
	int rc;

	if (from.len == 0)
		from = prefix;
	if (prefix.len > sizeof(it.prefix) || from.len > sizeof(it.from))
		return -EINVAL;
	if (prefix.len == 0 && prefix.p != NULL) /* a key that did not fit */
		return -EINVAL;
	if (prefix.len > 0) {
		memcpy(it.prefix, prefix.p, prefix.len);
		memcpy(it.from, from.p, from.len);
		it.from_len = from.len;
	}
	rc = mdb_cursor_open(txn->txn, txn->dbi, &cursor);
	if (rc != 0)
		return map_error(rc);
	it.cursor = cursor;
	*ret = it;
	return 0;
}

/* What the cursor found, if it is still of the prefix. */
static int found(const struct kv_iter *it, int rc, const MDB_val *k, const MDB_val *v,
	struct span *ret_key, struct span *ret_value)
{
	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc != 0)
		return map_error(rc);
	if (k->mv_size < it->prefix_len || memcmp(k->mv_data, it->prefix, it->prefix_len) != 0)
		return 0;
	*ret_key = of_val(k);
	*ret_value = of_val(v);
	return 1;
}

int kv_iter_next(struct kv_iter *it, struct span *ret_key, struct span *ret_value)
{
	MDB_val k = {.mv_size = it->from_len, .mv_data = it->from}, v;
	MDB_cursor_op op = MDB_NEXT;

	if (!it->started)
		op = it->from_len > 0 ? MDB_SET_RANGE : MDB_FIRST;
	it->started = true;
	return found(it, mdb_cursor_get(it->cursor, &k, &v, op), &k, &v, ret_key, ret_value);
}

/* The smallest key behind all of the prefix; false: there is none. */
static bool behind_prefix(struct kv_iter *it)
{
	memcpy(it->from, it->prefix, it->prefix_len);
	it->from_len = it->prefix_len;
	while (it->from_len > 0 && it->from[it->from_len - 1] == UCHAR_MAX)
		it->from_len--;
	if (it->from_len == 0)
		return false;
	it->from[it->from_len - 1]++;
	return true;
}

int kv_iter_prev(struct kv_iter *it, struct span *ret_key, struct span *ret_value)
{
	bool whole =
		it->from_len == it->prefix_len && memcmp(it->from, it->prefix, it->prefix_len) == 0;
	MDB_cursor_op op = MDB_PREV;
	MDB_val k, v;
	int rc;

	if (!it->started && whole && !behind_prefix(it)) {
		op = MDB_LAST;
	} else if (!it->started) {
		k = (MDB_val){.mv_size = it->from_len, .mv_data = it->from};
		rc = mdb_cursor_get(it->cursor, &k, &v, MDB_SET_RANGE);
		if (rc != 0 && rc != MDB_NOTFOUND)
			return map_error(rc);
		op = rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV;
	}
	it->started = true;
	return found(it, mdb_cursor_get(it->cursor, &k, &v, op), &k, &v, ret_key, ret_value);
}

void kv_iter_done(struct kv_iter *it)
{
	if (it->cursor != NULL)
		mdb_cursor_close(it->cursor);
	it->cursor = NULL;
}

int kv_seek(struct store_txn *txn, struct span prefix, struct span from, struct span *ret_key,
	struct span *ret_value)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	int rc = kv_iter_open(txn, prefix, from, &it);

	if (rc == 0)
		rc = kv_iter_next(&it, ret_key, ret_value);
	if (rc < 0)
		return rc;
	return rc == 1 ? 0 : -ENOENT;
}

/* -- room -------------------------------------------------------------------------------------- */

/* The pages that wait on the free list: each of its rows begins with its count of pages. */
static int free_pages(struct kv_env *env, uint64_t *ret)
{
	MDB_cursor *cursor = NULL;
	MDB_txn *txn = NULL;
	MDB_val k, v;
	uint64_t pages = 0;
	size_t count;
	int rc = begin(env, MDB_RDONLY, &txn);

	if (rc < 0)
		return rc;
	rc = mdb_cursor_open(txn, FREE_LIST_DBI, &cursor);
	while (rc == 0) {
		rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
		if (rc == 0 && v.mv_size >= sizeof(count)) {
			memcpy(&count, v.mv_data, sizeof(count));
			pages += count;
		}
	}
	if (cursor != NULL)
		mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	if (rc != MDB_NOTFOUND)
		return map_error(rc);
	*ret = pages;
	return 0;
}

static int count_line(const char *line, void *arg)
{
	unsigned *lines = arg;

	/* "(no active readers)" is the whole answer of an empty table; else a heading comes first.
	 */
	if (line[0] != '(')
		(*lines)++;
	return 0;
}

static unsigned count_readers(struct kv_env *env)
{
	unsigned lines = 0;

	(void)mdb_reader_list(env->env, count_line, &lines);
	return lines > 0 ? lines - 1 : 0;
}

int kv_stat(struct kv_env *env, struct kv_stat *ret)
{
	struct kv_stat st = {.dead_cleared = env->dead_cleared};
	uint64_t free_count = 0;
	MDB_envinfo info;
	MDB_stat page;
	int rc = free_pages(env, &free_count);

	if (rc < 0)
		return rc;
	rc = mdb_env_info(env->env, &info);
	if (rc == 0)
		rc = mdb_env_stat(env->env, &page);
	if (rc != 0)
		return map_error(rc);
	st.map_bytes = info.me_mapsize;
	st.free_bytes = free_count * page.ms_psize;
	st.used_bytes = ((uint64_t)info.me_last_pgno + 1) * page.ms_psize - st.free_bytes;
	st.readers = count_readers(env);
	st.readers_max = info.me_maxreaders;
	*ret = st;
	return 0;
}

int kv_fuller_than(struct kv_env *env, unsigned percent)
{
	struct kv_stat st = {0};
	MDB_envinfo info;
	MDB_stat page;
	uint64_t limit;
	int rc = mdb_env_info(env->env, &info);

	if (rc == 0)
		rc = mdb_env_stat(env->env, &page);
	if (rc != 0)
		return map_error(rc);
	limit = info.me_mapsize / 100 * percent;
	if (((uint64_t)info.me_last_pgno + 1) * page.ms_psize < limit)
		return 0;
	rc = kv_stat(env, &st);
	if (rc < 0)
		return rc;
	return st.used_bytes >= limit;
}

int kv_copy(struct kv_env *env, int fd)
{
	return map_error(mdb_env_copyfd2(env->env, fd, MDB_CP_COMPACT));
}
