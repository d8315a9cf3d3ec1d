/*
 * The audit table. A row is stored with its hash behind it; the head (newest number and hash) is
 * a row of its own, so that cutting off the end shows too.
 */
#include "store/audit.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/text.h"
#include "store/ops.h"
#include "store/row.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { AUDIT_VERSION = 1, AUDIT_ROW_MAX = 512, DETAIL_MAX = 512 };

int audit_decode(struct span value, struct audit_row *ret)
{
	struct rec r = row_open(value, AUDIT_VERSION);
	struct audit_row a = {.seq = rec_u64(&r)};
	struct span hash;

	a.at_us = rec_i64(&r);
	rec_str(&r, a.event, sizeof(a.event));
	rec_str(&r, a.account, sizeof(a.account));
	rec_str(&r, a.by, sizeof(a.by));
	rec_str(&r, a.detail, sizeof(a.detail));
	hash = rec_raw(&r, sizeof(a.hash));
	if (rec_end(&r) < 0)
		return -EBADMSG;
	memcpy(a.hash, hash.p, sizeof(a.hash));
	*ret = a;
	return 0;
}

static void encode(struct buf *b, const struct audit_row *a)
{
	buf_add_byte(b, AUDIT_VERSION);
	buf_add_u64(b, a->seq);
	rec_put_i64(b, a->at_us);
	row_text(b, a->event, sizeof(a->event));
	row_text(b, a->account, sizeof(a->account));
	row_text(b, a->by, sizeof(a->by));
	row_text(b, a->detail, sizeof(a->detail));
}

/* hash(n) = SHA-256(hash(n-1) || row n) */
static int chain(const unsigned char before[32], struct span row, unsigned char ret[32])
{
	struct buf b = BUF_INIT(AUDIT_ROW_MAX);
	int rc;

	buf_add(&b, span_of(before, 32));
	buf_add(&b, row);
	rc = buf_error(&b);
	if (rc == 0)
		rc = hash_sha256(buf_span(&b), ret);
	buf_done(&b);
	return rc;
}

int audit_head_decode(struct span value, struct audit_head *ret)
{
	struct rec r = row_open(value, AUDIT_VERSION);
	struct audit_head h = {.seq = rec_u64(&r)};
	struct span hash = rec_raw(&r, sizeof(h.hash));

	if (rec_end(&r) < 0)
		return -EBADMSG;
	memcpy(h.hash, hash.p, sizeof(h.hash));
	*ret = h;
	return 0;
}

/* All zeros before the first row. */
static int head_read(struct store_txn *txn, struct audit_head *ret)
{
	struct key key = key_meta("audit");
	struct span value;
	int rc = row_get(txn, &key, &value);

	if (rc == -ENOENT) {
		*ret = (struct audit_head){0};
		return 0;
	}
	return rc < 0 ? rc : audit_head_decode(value, ret);
}

static int head_write(struct store_txn *txn, const struct audit_head *h)
{
	struct key key = key_meta("audit");
	struct buf b = row_begin(AUDIT_VERSION);

	buf_add_u64(&b, h->seq);
	buf_add(&b, span_of(h->hash, sizeof(h->hash)));
	return row_put(txn, &key, &b);
}

static int append(struct store_txn *txn, const struct audit_row *given)
{
	struct buf b = BUF_INIT(AUDIT_ROW_MAX);
	struct audit_row a = *given;
	struct audit_head head;
	struct key key;
	int rc = head_read(txn, &head);

	if (rc < 0)
		return rc;
	a.seq = head.seq + 1;
	encode(&b, &a);
	rc = buf_error(&b);
	if (rc == 0)
		rc = chain(head.hash, buf_span(&b), head.hash);
	if (rc < 0) {
		buf_done(&b);
		return rc;
	}
	buf_add(&b, span_of(head.hash, sizeof(head.hash)));
	head.seq = a.seq;
	key = key_audit(a.seq);
	rc = row_add(txn, &key, &b);
	return rc < 0 ? rc : head_write(txn, &head);
}

/* Clean and short enough, cut at a character's end. */
static void tidy_copy(char *to, size_t size, const char *from)
{
	struct buf b = BUF_INIT(4 * DETAIL_MAX + 1);
	struct span s = span_of(from, strnlen(from, DETAIL_MAX));

	if (text_is_clean(s))
		buf_add(&b, s);
	else
		text_escape(&b, s);
	s = buf_span(&b);
	if (s.len > size - 1)
		s.len = size - 1;
	while (s.len > 0 && !text_is_utf8(s))
		s.len--;
	if (s.len > 0)
		memcpy(to, s.p, s.len);
	to[s.len] = '\0';
	buf_done(&b);
}

int audit_note(struct store_txn *txn, const struct audit_note *note, const char *format, ...)
{
	struct audit_row a = {.at_us = note->at_us};
	char detail[DETAIL_MAX];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(detail, sizeof(detail), format, ap);
	va_end(ap);
	tidy_copy(a.event, sizeof(a.event), note->event);
	tidy_copy(a.account, sizeof(a.account), note->account);
	tidy_copy(a.by, sizeof(a.by), note->by);
	tidy_copy(a.detail, sizeof(a.detail), detail);
	return append(txn, &a);
}

int op_audit_append(struct store_txn *txn, const void *args, void *result)
{
	const struct audit_row *a = args;
	const struct audit_note note = {a->at_us, a->event, a->account, a->by};

	(void)result;
	if (a->event[0] == '\0' || !row_is_text(a->event, sizeof(a->event)) ||
		strcmp(a->event, AUDIT_CLOSE_EVENT) == 0 ||
		!row_is_text(a->account, sizeof(a->account)) ||
		!row_is_text(a->by, sizeof(a->by)) || !row_is_text(a->detail, sizeof(a->detail)))
		return -EINVAL;
	return audit_note(txn, &note, "%s", a->detail);
}

/* -- reading ----------------------------------------------------------------------------------- */

struct each_args {
	uint64_t from;
	int (*each)(void *arg, const struct audit_row *r);
	void *arg;
};

static int each_view(struct store_txn *txn, void *arg)
{
	const struct each_args *e = arg;
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key table = key_table(KEY_AUDIT);
	struct key from = key_audit(e->from);
	struct audit_row a;
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&table), key_span(&from), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = audit_decode(value, &a);
		if (rc == 0)
			rc = e->each(e->arg, &a);
	}
	return rc;
}

int audit_each(struct store *s, uint64_t from, int (*each)(void *arg, const struct audit_row *r),
	void *arg)
{
	struct each_args e = {from, each, arg};

	return store_view(s, each_view, &e);
}

struct verify_args {
	uint64_t seq; /* the row looked at */
	unsigned char hash[32];
	char closing[sizeof(((struct audit_row *)0)->detail)]; /* of the newest closing row */
};

/* One row against the one before it. */
static int verify_row(struct verify_args *v, struct span key, struct span value)
{
	unsigned char hash[32];
	struct audit_row a;
	struct key expected = key_audit(++v->seq);

	if (!span_eq(key, key_span(&expected)) || audit_decode(value, &a) < 0 || a.seq != v->seq)
		return -EBADMSG;
	if (chain(v->hash, span_of(value.p, value.len - sizeof(hash)), hash) < 0)
		return -EIO;
	if (memcmp(hash, a.hash, sizeof(hash)) != 0)
		return -EBADMSG;
	memcpy(v->hash, hash, sizeof(hash));
	if (strcmp(a.event, AUDIT_CLOSE_EVENT) == 0)
		memcpy(v->closing, a.detail, sizeof(v->closing));
	return 0;
}

/* What the chain says of its beginning is what is remembered beside it. */
static int verify_closing(struct verify_args *v, const struct audit_closed *closed)
{
	char expected[AUDIT_CLOSED_TEXT_SIZE] = "";
	int rc = closed->seq > 0 ? audit_closed_text(closed, expected) : 0;

	if (rc < 0 || strcmp(expected, v->closing) == 0)
		return rc;
	v->seq = closed->seq + 1;
	return -EBADMSG;
}

static int verify_view(struct store_txn *txn, void *arg)
{
	struct verify_args *v = arg;
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key table = key_table(KEY_AUDIT);
	struct audit_closed closed;
	struct audit_head head = {0};
	struct span key, value;
	int rc = audit_closed_read(txn, &closed);

	if (rc < 0)
		return rc;
	v->seq = closed.seq;
	memcpy(v->hash, closed.hash, sizeof(v->hash));
	rc = kv_iter_open(txn, key_span(&table), key_span(&table), &it);
	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1)
		rc = verify_row(v, key, value);
	if (rc == 0)
		rc = head_read(txn, &head);
	if (rc < 0)
		return rc;
	if (head.seq == v->seq && memcmp(head.hash, v->hash, sizeof(v->hash)) == 0)
		return verify_closing(v, &closed);
	v->seq++; /* rows are missing at the end */
	return -EBADMSG;
}

int audit_verify(struct store *s, uint64_t *ret_seq, unsigned char ret_head[32])
{
	struct verify_args v = {0};
	int rc = store_view(s, verify_view, &v);

	if (rc == -EBADMSG && ret_seq != NULL)
		*ret_seq = v.seq;
	if (rc == 0 && ret_seq != NULL)
		*ret_seq = v.seq;
	if (rc == 0 && ret_head != NULL)
		memcpy(ret_head, v.hash, sizeof(v.hash));
	return rc;
}
