/*
 * Old audit rows are removed from the beginning of the chain, a bounded piece per commit. What is
 * left begins with the hash of the newest row that went: that is remembered beside the table, and
 * a closing row in the chain itself says the same, so that neither can be changed alone.
 */
#include "store/audit.h"

#include "base/hash.h"
#include "base/text.h"
#include "store/ops.h"
#include "store/row.h"

#include <errno.h>
#include <stdio.h>

#define AGAIN_US (INT64_C(20) * 3600 * 1000000) /* one closing row a day is enough */

enum { CLOSED_VERSION = 1, CLOSE_AT_ONCE = 2000 };

int audit_closed_decode(struct span value, struct audit_closed *ret)
{
	struct rec r = row_open(value, CLOSED_VERSION);
	struct audit_closed c = {.seq = rec_u64(&r)};
	struct span hash;

	c.at_us = rec_i64(&r);
	hash = rec_raw(&r, sizeof(c.hash));
	if (rec_end(&r) < 0)
		return -EBADMSG;
	memcpy(c.hash, hash.p, sizeof(c.hash));
	*ret = c;
	return 0;
}

int audit_closed_read(struct store_txn *txn, struct audit_closed *ret)
{
	struct key key = key_meta("audit-closed");
	struct span value;
	int rc = row_get(txn, &key, &value);

	if (rc == -ENOENT) {
		*ret = (struct audit_closed){.seq = 0};
		return 0;
	}
	return rc < 0 ? rc : audit_closed_decode(value, ret);
}

static int closed_write(struct store_txn *txn, const struct audit_closed *c)
{
	struct key key = key_meta("audit-closed");
	struct buf b = row_begin(CLOSED_VERSION);

	buf_add_u64(&b, c->seq);
	rec_put_i64(&b, c->at_us);
	buf_add(&b, span_of(c->hash, sizeof(c->hash)));
	return row_put(txn, &key, &b);
}

int audit_closed_text(const struct audit_closed *c, char ret[AUDIT_CLOSED_TEXT_SIZE])
{
	struct buf hex = BUF_INIT(2 * sizeof(c->hash) + 1);
	int rc;

	text_hex(&hex, span_of(c->hash, sizeof(c->hash)));
	rc = buf_error(&hex);
	if (rc == 0)
		(void)snprintf(ret, AUDIT_CLOSED_TEXT_SIZE, "through=%llu hash=%s",
			(unsigned long long)c->seq, buf_str(&hex));
	buf_done(&hex);
	return rc;
}

static int closed_view(struct store_txn *txn, void *arg)
{
	return audit_closed_read(txn, arg);
}

int audit_closed_get(struct store *s, struct audit_closed *ret)
{
	return store_view(s, closed_view, ret);
}

/* The oldest row goes if it is from before that time and not the newest: 1; else 0. */
static int remove_oldest(struct store_txn *txn, int64_t before_us, struct audit_closed *c)
{
	struct key table = key_table(KEY_AUDIT), newest = key_meta("audit");
	struct audit_head head = {.seq = 0};
	struct audit_row row = {.seq = 0};
	struct span key = {NULL, 0}, value = {NULL, 0};
	int rc = row_get(txn, &newest, &value);

	if (rc == 0)
		rc = audit_head_decode(value, &head);
	if (rc == 0)
		rc = kv_seek(txn, key_span(&table), key_span(&table), &key, &value);
	if (rc == 0)
		rc = audit_decode(value, &row);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	if (row.at_us >= before_us || row.seq >= head.seq)
		return 0;
	rc = kv_del(txn, key);
	if (rc < 0)
		return rc;
	c->seq = row.seq;
	memcpy(c->hash, row.hash, sizeof(c->hash));
	return 1;
}

/* Both places are told. */
static int close_chain(struct store_txn *txn, const struct audit_closed *c)
{
	const struct audit_note note = {c->at_us, AUDIT_CLOSE_EVENT, "", "sweep"};
	char text[AUDIT_CLOSED_TEXT_SIZE];
	int rc = closed_write(txn, c);

	if (rc == 0)
		rc = audit_closed_text(c, text);
	return rc < 0 ? rc : audit_note(txn, &note, "%s", text);
}

int op_audit_close(struct store_txn *txn, const void *args, void *result)
{
	const struct audit_close_args *a = args;
	struct audit_close_result *res = result;
	struct audit_closed c = {.seq = 0};
	uint64_t keep_s = 0;
	int rc = policy_number_read(txn, "audit_keep", &keep_s);

	if (rc == 0)
		rc = audit_closed_read(txn, &c);
	if (rc < 0)
		return rc;
	if (c.seq > 0 && c.at_us != a->now_us && a->now_us - c.at_us < AGAIN_US)
		return 0;
	c.at_us = a->now_us;
	while (rc >= 0 && res->rows < CLOSE_AT_ONCE) {
		rc = remove_oldest(txn, a->now_us - (int64_t)keep_s * 1000000, &c);
		if (rc != 1)
			break;
		res->rows++;
	}
	if (rc < 0 || res->rows == 0)
		return rc;
	res->more = rc == 1;
	return close_chain(txn, &c);
}

int audit_sweep(struct store *s, int64_t now_us, uint64_t *rows)
{
	const struct audit_close_args args = {.now_us = now_us};
	struct audit_close_result done = {.more = true};
	int rc = 0;

	while (rc == 0 && done.more) {
		done = (struct audit_close_result){.rows = 0};
		rc = store_call(s, STORE_OP_AUDIT_CLOSE, &args, &done);
		if (rc == 0)
			*rows += done.rows;
	}
	return rc;
}
