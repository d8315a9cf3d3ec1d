/*
 * Remembered answers. A row holds some of them and is small enough for a page of its tree, so that
 * rows that are written again and again do not fragment the free list. Results are mostly zeros:
 * they are kept as runs (zeros to skip, bytes that follow).
 */
#include "store/answers.h"

#include "store/row.h"

#include <errno.h>

enum {
	ANSWERS_V = 1,
	ANSWERS_ROW_MAX = 1900, /* an answer that is longer has a row of its own */
	ANSWERS_MAX = 4096,
	ZEROS_MIN = 5, /* fewer are not worth a new run */
};

/* How far the run of zeros goes, or of what is to be kept. */
static size_t zeros(const unsigned char *p, size_t len)
{
	size_t n = 0;

	while (n < len && p[n] == 0)
		n++;
	return n;
}

static size_t literal(const unsigned char *p, size_t len)
{
	size_t n = 0;

	while (n < len) {
		size_t z = zeros(p + n, len - n);

		if (z >= ZEROS_MIN || n + z == len)
			break;
		n += z + 1;
	}
	return n > len ? len : n;
}

static void pack(struct buf *b, const unsigned char *p, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t skip = zeros(p + at, len - at);
		size_t keep = literal(p + at + skip, len - at - skip);

		buf_add_u16(b, (uint16_t)skip);
		buf_add_u16(b, (uint16_t)keep);
		buf_add(b, span_of(p + at + skip, keep));
		at += skip + keep;
	}
}

static void unpack(struct rec *r, unsigned char *p, size_t len)
{
	size_t at = 0;

	while (at < len && r->error == 0) {
		size_t skip = rec_u16(r), keep = rec_u16(r);
		struct span bytes = rec_raw(r, keep);

		if (skip + keep == 0 || skip + keep > len - at || bytes.len != keep) {
			r->error = -EBADMSG;
			return;
		}
		memset(p + at, 0, skip);
		memcpy(p + at + skip, bytes.p, keep);
		at += skip + keep;
	}
}

/* -- writing ----------------------------------------------------------------------------------- */

static bool is_remembered(const struct store_batch_item *item)
{
	return item->rc == 0;
}

static void put_one(struct buf *b, const struct store_batch_item *item)
{
	const struct op_def *def = op_find(item->op);
	size_t len = def != NULL ? def->result_size : 0;

	buf_add(b, span_of(item->ticket.caller, sizeof(item->ticket.caller)));
	buf_add_u64(b, item->ticket.number);
	buf_add_u16(b, (uint16_t)item->op);
	buf_add_u16(b, (uint16_t)len);
	pack(b, item->result, len);
}

static struct buf begin_row(struct store_txn *txn)
{
	struct buf b = row_begin(ANSWERS_V);

	rec_put_i64(&b, kv_now_us(txn));
	return b;
}

static int end_row(struct store_txn *txn, uint64_t life, uint16_t part, struct buf *b)
{
	struct key key = key_answer(life, part);

	return row_put(txn, &key, b);
}

int answers_put(struct store_txn *txn, uint64_t life, const struct store_batch_item *items,
	size_t count, uint16_t *part)
{
	_cleanup_(buf_done) struct buf row = begin_row(txn);
	const size_t empty = row.len;
	uint16_t at = *part;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		size_t before = row.len;

		if (!is_remembered(&items[i]))
			continue;
		put_one(&row, &items[i]);
		if (row.len <= ANSWERS_ROW_MAX || before == empty)
			continue;
		row.len = before; /* one too many: it begins the next */
		rc = end_row(txn, life, at++, &row);
		row = begin_row(txn);
		put_one(&row, &items[i]);
	}
	if (rc == 0 && row.len > empty)
		rc = end_row(txn, life, at++, &row);
	if (rc == 0)
		*part = at;
	return rc;
}

/* -- reading ----------------------------------------------------------------------------------- */

static void take_one(struct rec *r, struct store_batch_item *ret)
{
	struct span caller = rec_raw(r, sizeof(ret->ticket.caller));
	size_t len;

	if (caller.len == sizeof(ret->ticket.caller))
		memcpy(ret->ticket.caller, caller.p, caller.len);
	ret->ticket.number = rec_u64(r);
	ret->op = (enum store_op)rec_u16(r);
	ret->rc = 0;
	memset(ret->result, 0, sizeof(ret->result));
	len = rec_u16(r);
	if (len > sizeof(ret->result))
		r->error = -EBADMSG;
	else
		unpack(r, ret->result, len);
}

static bool same(const struct store_ticket *a, const struct store_ticket *b)
{
	return a->number == b->number && memcmp(a->caller, b->caller, sizeof(a->caller)) == 0;
}

/* 1: found in this row. */
static int look(struct span value, const struct store_ticket *t, struct store_batch_item *ret)
{
	struct rec r = row_open(value, ANSWERS_V);
	struct store_batch_item item = {.args = NULL};

	(void)rec_i64(&r);
	while (r.error == 0 && r.rest.len > 0) {
		take_one(&r, &item);
		if (r.error != 0 || t == NULL || !same(&item.ticket, t))
			continue;
		*ret = item;
		return 1;
	}
	return rec_end(&r);
}

int answers_find(struct store_txn *txn, const struct store_ticket *t, enum store_op op,
	struct store_batch_item *ret)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	const struct key all = key_table(KEY_ANSWER);
	struct store_batch_item item;
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&all), span_of(NULL, 0), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = look(value, t, &item);
		if (rc != 1)
			continue;
		if (item.op != op)
			return -EBADMSG;
		*ret = item;
		return 0;
	}
	return rc < 0 ? rc : -ENOENT;
}

int answers_expire(struct store_txn *txn, int64_t now_us)
{
	const struct key all = key_table(KEY_ANSWER);
	struct key from = all;
	struct span key, value;
	int rc = 0;

	while (rc == 0) {
		struct rec r;
		int64_t at_us;

		rc = kv_seek(txn, key_span(&all), key_span(&from), &key, &value);
		if (rc < 0)
			break;
		r = row_open(value, ANSWERS_V);
		at_us = rec_i64(&r);
		from = key_copy(key);
		if (at_us <= now_us - ANSWERS_KEPT_US || at_us > now_us + ANSWERS_KEPT_US)
			rc = kv_del(txn, key_span(&from));
		key_add(&from, "", 1); /* behind it */
	}
	return rc == -ENOENT ? 0 : rc;
}

int answers_decode(struct span key, struct span value)
{
	struct store_batch_item item;

	if (key.len != 1 + sizeof(uint64_t) + sizeof(uint16_t) || value.len > ANSWERS_MAX)
		return -EBADMSG;
	return look(value, NULL, &item);
}
