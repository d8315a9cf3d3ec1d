/* Opening, views and operations: the only places where a transaction begins and ends. */
#include "store/store_i.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/timefmt.h"
#include "store/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Makes the schema row of a new environment; an environment with rows and without one is foreign.
 */
static int create_schema(struct kv_env *env)
{
	const struct span everything = {NULL, 0};
	struct store_txn *txn = NULL;
	struct span key, value;
	uint32_t schema = 0;
	int rc = kv_begin(env, true, 0, &txn);

	if (rc < 0)
		return rc;
	rc = schema_read(txn, &schema);
	if (rc == -ENOENT)
		rc = kv_seek(txn, everything, everything, &key, &value) == -ENOENT
			? schema_write(txn, STORE_SCHEMA)
			: -ESTALE;
	if (rc == 0)
		return kv_commit(txn);
	kv_abort(txn);
	return rc;
}

static int look_at_schema(struct kv_env *env)
{
	struct store_txn *txn = NULL;
	uint32_t schema = 0;
	int rc = kv_begin(env, false, 0, &txn);

	if (rc < 0)
		return rc;
	rc = schema_read(txn, &schema);
	kv_abort(txn);
	if (rc == -ENOENT)
		env_reason("the store was never initialised (quintetctl init)");
	if (rc < 0 || schema == STORE_SCHEMA)
		return rc;
	env_reason("the store has schema %u and this program knows schema %u: %s", schema,
		(unsigned)STORE_SCHEMA,
		schema < STORE_SCHEMA ? "run quintetctl migrate" : "install the newer release");
	return -ESTALE;
}

int store_open(const char *state, enum store_mode mode, struct store **ret)
{
	_cleanup_(store_closep) struct store *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return -ENOMEM;
	s->guard_fd = -1;
	s->blobs_fd = -1;
	rc = env_open(state, mode, &s->env, &s->guard_fd);
	if (rc < 0)
		return rc;
	(void)snprintf(s->state, sizeof(s->state), "%s", state);
	s->mode = mode == STORE_READ ? STORE_READ : STORE_WRITE;
	s->pid = getpid();
	if (mode == STORE_CREATE)
		rc = create_schema(s->env);
	if (rc == 0)
		rc = look_at_schema(s->env);
	if (rc < 0)
		return rc;
	*ret = take_ptr(&s);
	return 0;
}

int store_open_kept(const char *state, const char *keeper, struct store **ret)
{
	_cleanup_(store_closep) struct store *s = NULL;
	int rc = store_open(state, STORE_READ, &s);

	if (rc == 0 && keeper != NULL && *keeper != '\0')
		rc = remote_new(keeper, &s->remote);
	if (rc < 0)
		return rc;
	*ret = take_ptr(&s);
	return 0;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	kv_close(s->env);
	/* The guard goes last: while LMDB has files open, nobody may rewrite it. */
	cleanup_close(&s->guard_fd);
	cleanup_close(&s->blobs_fd);
	remote_free(s->remote);
	free(s);
}

void store_closep(struct store **s)
{
	store_close(*s);
}

/* A new handle on the same environment, under the guard that is still held. */
static int reopen(struct store *s, enum store_mode mode)
{
	struct kv_options options = {.write = mode != STORE_READ, .map_bytes = env_map_bytes()};
	char dir[STORE_PATH_MAX + sizeof("/store")];
	struct kv_stat st;

	(void)snprintf(dir, sizeof(dir), "%s/store", s->state);
	options.dir = dir;
	if (s->env != NULL && kv_stat(s->env, &st) == 0)
		s->dead_before += st.dead_cleared;
	kv_close(s->env);
	s->env = NULL;
	s->mode = mode;
	return env_reopen(&options, &s->env);
}

int store_ready(struct store *s, enum store_mode mode)
{
	if (s->pid != getpid())
		return -ECHILD;
	if (s->env == NULL || (mode == STORE_WRITE && s->mode == STORE_READ))
		return reopen(s, mode == STORE_WRITE ? STORE_WRITE : s->mode);
	return 0;
}

int store_view(struct store *s, int (*fn)(struct store_txn *txn, void *arg), void *arg)
{
	struct store_txn *txn = NULL;
	int rc;

	if (s->view != NULL)
		return fn(s->view, arg);
	rc = store_ready(s, STORE_READ);
	if (rc == 0)
		rc = kv_begin(s->env, false, 0, &txn);
	if (rc < 0)
		return rc;
	rc = schema_check(txn);
	if (rc == 0) {
		s->view = txn;
		rc = fn(txn, arg);
		s->view = NULL;
	}
	kv_abort(txn);
	return rc;
}

/* -- operations -------------------------------------------------------------------------------- */

int store_begin_write(struct store *s, int64_t now_us, struct store_txn **ret)
{
	struct store_txn *txn = NULL;
	int rc = kv_begin(s->env, true, now_us, &txn);

	if (rc == -ENOTRECOVERABLE) {
		rc = reopen(s, STORE_WRITE);
		if (rc == 0)
			rc = kv_begin(s->env, true, now_us, &txn);
	}
	if (rc < 0)
		return rc;
	rc = schema_check(txn);
	if (rc < 0) {
		kv_abort(txn);
		return rc;
	}
	*ret = txn;
	return 0;
}

int store_try(struct store_txn *txn, const struct op_def *def, const void *args, void *result)
{
	struct store_txn *trial = NULL;
	int rc = kv_begin_trial(txn, &trial);

	if (rc < 0)
		return rc;
	memset(result, 0, OP_RESULT_MAX);
	rc = def->run(trial, args, result);
	if (rc == 0)
		rc = kv_error(trial);
	kv_abort(trial);
	return rc;
}

#ifdef QUINTET_TEST
/* An impure operation gives something else the second time. */
static void compare(const struct op_def *def, const int rc[2], const void *trial, const void *real)
{
	if (rc[0] == rc[1] && memcmp(trial, real, OP_RESULT_MAX) == 0)
		return;
	(void)fprintf(stderr, "operation %s is impure: %d, then %d\n", def->name, rc[0], rc[1]);
	abort();
}
#endif

int store_run(struct store_txn *txn, const struct op_def *def, const void *args, void *result)
{
#ifdef QUINTET_TEST
	_Alignas(max_align_t) unsigned char trial[OP_RESULT_MAX];
	int both[2] = {store_try(txn, def, args, trial), 0};
#endif
	int rc;

	memset(result, 0, OP_RESULT_MAX);
	rc = def->run(txn, args, result);
	if (rc == 0)
		rc = kv_error(txn);
#ifdef QUINTET_TEST
	both[1] = rc;
	compare(def, both, trial, result);
#endif
	return rc;
}

static int run(
	struct store *s, const struct op_def *def, const void *args, void *result, int64_t now_us)
{
	struct store_txn *txn = NULL;
	int rc = store_begin_write(s, now_us, &txn);

	if (rc < 0)
		return rc;
	fault_at(FAULT_WRITE_BEGUN);
	rc = store_run(txn, def, args, result);
	if (rc < 0) {
		kv_abort(txn);
		return rc;
	}
	fault_at(FAULT_WRITE_DONE);
	return kv_commit(txn);
}

static int check_room(struct store *s, const struct op_def *def)
{
	int rc = 0;

	if ((def->flags & (OP_FREES | OP_SECURES)) == 0)
		rc = kv_fuller_than(s->env, STORE_FULL_PERCENT);
	return rc > 0 ? -ENOSPC : rc;
}

static int call_here(struct store *s, const struct op_def *def, const void *args, void *result)
{
	int rc = store_ready(s, STORE_WRITE);

	if (rc == 0)
		rc = check_room(s, def);
	return rc < 0 ? rc : run(s, def, args, result, time_now_us());
}

/* A deadline that passed would be taken for the peer's. */
static int call_keeper(struct store *s, enum store_op op, const void *args, void *result)
{
	int rc = s->pid == getpid() ? remote_call(s->remote, op, args, result) : -ECHILD;

	return rc == -ETIMEDOUT ? -EHOSTDOWN : rc;
}

int store_call(struct store *s, enum store_op op, const void *args, void *result)
{
	const struct op_def *def = op_find(op);
	_Alignas(max_align_t) unsigned char scratch[OP_RESULT_MAX] = {0};
	int rc;

	if (def == NULL || args == NULL || def->result_size > sizeof(scratch))
		return -EINVAL;
	if (s->view != NULL) /* a snapshot may not be held while waiting for the writer's lock */
		return -EDEADLK;
	rc = s->remote != NULL ? call_keeper(s, op, args, scratch)
			       : call_here(s, def, args, scratch);
	if (rc == 0 && def->after != NULL)
		rc = def->after(s, args, scratch);
	if (result != NULL && (rc == 0 || (def->flags & OP_TELLS) != 0))
		memcpy(result, scratch, def->result_size);
	return rc;
}

int store_health(struct store *s, struct store_health *ret)
{
	struct store_txn *txn = NULL;
	struct store_health h = {0};
	struct kv_stat st = {0};
	int rc = store_ready(s, STORE_READ);

	if (rc == 0)
		rc = kv_stat(s->env, &st);
	if (rc == 0)
		rc = kv_begin(s->env, false, 0, &txn);
	if (rc < 0)
		return rc;
	rc = schema_read(txn, &h.schema);
	kv_abort(txn);
	if (rc < 0)
		return rc;
	h.map_bytes = st.map_bytes;
	h.used_bytes = st.used_bytes;
	h.free_bytes = st.free_bytes;
	h.readers = st.readers;
	h.readers_max = st.readers_max;
	h.dead_readers_cleared = s->dead_before + st.dead_cleared;
	*ret = h;
	return 0;
}

int store_blobs_fd(struct store *s, int *ret_fd)
{
	char path[STORE_PATH_MAX + sizeof("/blobs")];

	if (s->blobs_fd < 0) {
		(void)snprintf(path, sizeof(path), "%s/blobs", s->state);
		s->blobs_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (s->blobs_fd < 0)
			return -errno;
	}
	*ret_fd = s->blobs_fd;
	return 0;
}
