/*
 * From an older schema to this one. Each step is one commit that also sets the schema's number, so
 * a migration that is interrupted goes on where it stopped, and older programs leave with -ESTALE
 * at their next transaction. Schema 1 is the first that was ever released.
 */
#include "store/store_i.h"

#include "base/timefmt.h"
#include "store/row.h"

#include <errno.h>

struct migration {
	uint32_t from;
	int (*run)(struct store_txn *txn); /* NULL ends the list */
};

#ifdef QUINTET_TEST
/*
 * A schema that never existed, to prove the mechanism: policy values were bare text under another
 * table byte.
 */
enum { OLD_POLICY = 'p', POLICY_VERSION = 1 };

static int from_test_schema(struct store_txn *txn)
{
	struct key prefix = key_table((enum key_table)OLD_POLICY);
	struct key old, fresh;
	struct span key, value;
	struct buf b;
	int rc;

	while ((rc = kv_seek(txn, key_span(&prefix), key_span(&prefix), &key, &value)) == 0) {
		old = key_copy(key);
		fresh = old;
		fresh.p[0] = KEY_POLICY;
		b = row_begin(POLICY_VERSION);
		rec_put_bytes(&b, value);
		rc = row_put(txn, &fresh, &b);
		if (rc == 0)
			rc = row_del(txn, &old);
		if (rc < 0)
			return rc;
	}
	return rc == -ENOENT ? 0 : rc;
}
#endif

static const struct migration migrations[] = {
#ifdef QUINTET_TEST
	{0, from_test_schema},
#endif
	{STORE_SCHEMA, NULL},
};

static int run_step(struct store_txn *txn, const struct migration *m)
{
	const struct audit_note note = {kv_now_us(txn), "migrate", "", "quintetctl"};
	int rc = m->run(txn);

	if (rc == 0)
		rc = schema_write(txn, m->from + 1);
	if (rc < 0 || m->from + 1 != STORE_SCHEMA) /* the audit table is of the newest schema */
		return rc;
	return audit_note(txn, &note, "schema=%u", m->from + 1);
}

/* 1 after a step, 0 when there is nothing to do. */
static int step(struct kv_env *env)
{
	const struct migration *m = migrations;
	struct store_txn *txn = NULL;
	uint32_t schema = 0;
	int rc = kv_begin(env, true, time_now_us(), &txn);

	if (rc < 0)
		return rc;
	rc = schema_read(txn, &schema);
	while (m->run != NULL && m->from != schema)
		m++;
	if (rc < 0 || schema == STORE_SCHEMA || m->run == NULL) {
		kv_abort(txn);
		if (rc == 0 && schema != STORE_SCHEMA) {
			env_reason("no way leads from schema %u to %u", schema,
				(unsigned)STORE_SCHEMA);
			rc = -ESTALE;
		}
		return rc;
	}
	rc = run_step(txn, m);
	if (rc < 0) {
		kv_abort(txn);
		return rc;
	}
	rc = kv_commit(txn);
	return rc < 0 ? rc : 1;
}

int store_migrate(const char *state)
{
	_cleanup_(kv_closep) struct kv_env *env = NULL;
	_cleanup_(cleanup_close) int guard_fd = -1;
	int steps = 0;
	int rc = env_open(state, STORE_WRITE, &env, &guard_fd);

	while (rc == 0) {
		rc = step(env);
		if (rc == 0)
			return steps;
		if (rc > 0) {
			steps++;
			rc = 0;
		}
	}
	return rc;
}
