/*
 * The records of what is noted beside messages: what was sent to whom, notices, receipts that are
 * due, and which submissions have been delivered.
 */
#include "store/mail_i.h"

#include <errno.h>

#define DAY_US (INT64_C(86400) * 1000000)

enum {
	SENT_VERSION = 1,
	NOTICE_VERSION = 1,
	DUE_VERSION = 1,
	DONE_VERSION = 1,
	ASKED = 1,
	DECLINED = 2,
	AUTOMATIC = 4,
	ID_LEN = 8,
	SAME_ID_MAX = 10 * MAIL_RECIPIENTS_MAX, /* rows of one Message-ID that are looked at */
};

static uint64_t number_of(struct span key)
{
	return key_number(key_tail(key, ID_LEN));
}

/* The newest or the oldest number of an account's rows in a table; 0: none. */
static int edge_number(struct store_txn *txn, const struct key *prefix, bool newest, uint64_t *ret)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct span key = {NULL, 0}, value;
	int rc = kv_iter_open(txn, key_span(prefix), key_span(prefix), &it);

	if (rc == 0)
		rc = newest ? kv_iter_prev(&it, &key, &value) : kv_iter_next(&it, &key, &value);
	if (rc >= 0)
		*ret = rc == 1 ? number_of(key) : 0;
	return rc < 0 ? rc : 0;
}

/* -- sent -------------------------------------------------------------------------------------- */

int mail_sent_decode(struct span value, struct mail_sent *ret)
{
	struct rec r = row_open(value, SENT_VERSION);
	struct mail_sent s;
	uint8_t bits;

	memset(&s, 0, sizeof(s));
	rec_str(&r, s.msgid, sizeof(s.msgid));
	rec_str(&r, s.recipient, sizeof(s.recipient));
	rec_str(&r, s.subject, sizeof(s.subject));
	s.sent_us = rec_i64(&r);
	s.delivered_us = rec_i64(&r);
	s.read_us = rec_i64(&r);
	bits = rec_u8(&r);
	if (rec_end(&r) < 0 || s.recipient[0] == '\0' || bits > (ASKED | DECLINED | AUTOMATIC))
		return -EBADMSG;
	s.asked = (bits & ASKED) != 0;
	s.declined = (bits & DECLINED) != 0;
	s.automatic = (bits & AUTOMATIC) != 0;
	*ret = s;
	return 0;
}

int mail_sent_read(
	struct store_txn *txn, const char *account, uint64_t number, struct mail_sent *ret)
{
	struct key key = key_mail_sent_row(account, number);
	struct span value;
	int rc = row_get(txn, &key, &value);

	return rc < 0 ? rc : mail_sent_decode(value, ret);
}

int mail_sent_write(
	struct store_txn *txn, const char *account, uint64_t number, const struct mail_sent *s)
{
	struct key key = key_mail_sent_row(account, number);
	struct buf b = row_begin(SENT_VERSION);

	row_text(&b, s->msgid, sizeof(s->msgid));
	row_text(&b, s->recipient, sizeof(s->recipient));
	row_text(&b, s->subject, sizeof(s->subject));
	rec_put_i64(&b, s->sent_us);
	rec_put_i64(&b, s->delivered_us);
	rec_put_i64(&b, s->read_us);
	buf_add_byte(&b,
		(unsigned char)((s->asked ? ASKED : 0) | (s->declined ? DECLINED : 0) |
			(s->automatic ? AUTOMATIC : 0)));
	return row_put(txn, &key, &b);
}

int mail_sent_add(struct store_txn *txn, const char *account, const struct mail_sent *s)
{
	struct key prefix = key_mail_sent(account), index;
	uint64_t newest = 0, oldest = 0;
	int rc = edge_number(txn, &prefix, true, &newest);

	if (rc == 0)
		rc = edge_number(txn, &prefix, false, &oldest);
	if (rc == 0 && oldest != 0 && newest - oldest >= MAIL_SENT_MAX - 1)
		rc = mail_sent_remove(txn, account, oldest);
	if (rc < 0)
		return rc;
	index = key_mail_sent_id_row(account, span_str(s->msgid), newest + 1);
	rc = mail_sent_write(txn, account, newest + 1, s);
	return rc < 0 ? rc : row_mark(txn, &index);
}

int mail_sent_find(struct store_txn *txn, const char *account, const char *msgid,
	const char *recipient, uint64_t *ret_number, struct mail_sent *ret)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix = key_mail_sent_id(account, span_str(msgid));
	struct mail_sent s;
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it);

	for (int i = 0; rc == 0 && i < SAME_ID_MAX; i++) {
		rc = kv_iter_prev(&it, &key, &value);
		if (rc != 1)
			break;
		rc = mail_sent_read(txn, account, number_of(key), &s);
		if (rc < 0 || strcmp(s.msgid, msgid) != 0 || strcmp(s.recipient, recipient) != 0)
			continue;
		*ret_number = number_of(key);
		*ret = s;
		return 0;
	}
	return rc == 0 ? -ENOENT : rc;
}

int mail_sent_remove(struct store_txn *txn, const char *account, uint64_t number)
{
	struct key key = key_mail_sent_row(account, number), index;
	struct mail_sent s;
	int rc = mail_sent_read(txn, account, number, &s);

	if (rc < 0)
		return rc;
	index = key_mail_sent_id_row(account, span_str(s.msgid), number);
	rc = row_del(txn, &index);
	return rc < 0 ? rc : row_del(txn, &key);
}

/* -- notices ----------------------------------------------------------------------------------- */

int mail_notice_decode(struct span key, struct span value, struct mail_notice *ret)
{
	struct rec r = row_open(value, NOTICE_VERSION);
	struct mail_notice n;
	uint8_t kind;

	memset(&n, 0, sizeof(n));
	n.id = number_of(key);
	kind = rec_u8(&r);
	n.at_us = rec_i64(&r);
	n.box = rec_u64(&r);
	n.uid = rec_u32(&r);
	rec_str(&r, n.from, sizeof(n.from));
	rec_str(&r, n.msgid, sizeof(n.msgid));
	rec_str(&r, n.subject, sizeof(n.subject));
	if (rec_end(&r) < 0 || kind > MAIL_NOTICE_DECLINED || n.id == 0)
		return -EBADMSG;
	n.kind = (enum mail_notice_kind)kind;
	*ret = n;
	return 0;
}

static int write_notice(struct store_txn *txn, const char *account, const struct mail_notice *n)
{
	struct key key = key_mail_notice_row(account, n->id);
	struct buf b = row_begin(NOTICE_VERSION);

	buf_add_byte(&b, (unsigned char)n->kind);
	rec_put_i64(&b, n->at_us);
	buf_add_u64(&b, n->box);
	buf_add_u32(&b, n->uid);
	row_text(&b, n->from, sizeof(n->from));
	row_text(&b, n->msgid, sizeof(n->msgid));
	row_text(&b, n->subject, sizeof(n->subject));
	return row_put(txn, &key, &b);
}

/* They go from the oldest on only, so what is there is a run of numbers. */
int mail_notice_add(struct store_txn *txn, struct mail_account *a, const struct mail_notice *n)
{
	struct key prefix = key_mail_notice(a->name), key;
	struct mail_notice one = *n;
	uint64_t oldest = 0;
	int rc = edge_number(txn, &prefix, false, &oldest);

	if (rc < 0)
		return rc;
	one.id = ++a->notice;
	if (oldest != 0 && one.id - oldest >= MAIL_NOTICES_MAX) {
		key = key_mail_notice_row(a->name, oldest);
		rc = row_del(txn, &key);
	}
	return rc < 0 ? rc : write_notice(txn, a->name, &one);
}

/* -- receipts that are due --------------------------------------------------------------------- */

int mail_due_decode(struct span key, struct span value, struct mail_due *ret)
{
	struct rec r = row_open(value, DUE_VERSION);
	struct mail_due d;

	memset(&d, 0, sizeof(d));
	d.id = number_of(key);
	d.box = rec_u64(&r);
	d.uid = rec_u32(&r);
	d.read_us = rec_i64(&r);
	if (rec_end(&r) < 0 || d.id == 0 || d.box == 0 || d.uid == 0)
		return -EBADMSG;
	*ret = d;
	return 0;
}

int mail_due_add(struct store_txn *txn, struct mail_account *a, const struct mail_due *d)
{
	struct key key = key_mail_due_row(a->name, ++a->due);
	struct buf b = row_begin(DUE_VERSION);

	buf_add_u64(&b, d->box);
	buf_add_u32(&b, d->uid);
	rec_put_i64(&b, d->read_us);
	return row_add(txn, &key, &b);
}

int mail_due_read(struct store_txn *txn, const char *account, uint64_t id, struct mail_due *ret)
{
	struct key key = key_mail_due_row(account, id);
	struct span value;
	int rc = row_get(txn, &key, &value);

	return rc < 0 ? rc : mail_due_decode(key_span(&key), value, ret);
}

int mail_due_remove(struct store_txn *txn, const char *account, uint64_t id)
{
	struct key key = key_mail_due_row(account, id);

	return row_del(txn, &key);
}

/* -- submissions that were delivered: by days, so that the sweep finds the old ones --------------
 */

static uint16_t day_of(int64_t at_us)
{
	if (at_us < 0)
		return 0;
	return (uint16_t)(at_us / DAY_US);
}

int mail_done_decode(struct span value, int64_t *ret_at_us)
{
	struct rec r = row_open(value, DONE_VERSION);
	int64_t at_us = rec_i64(&r);

	if (rec_end(&r) < 0)
		return -EBADMSG;
	*ret_at_us = at_us;
	return 0;
}

int mail_done_find(
	struct store_txn *txn, const char *account, const unsigned char *digest, int64_t now_us)
{
	struct span value;
	struct key key;
	int64_t at_us = 0;
	int rc;

	for (int64_t back_us = 0; back_us <= DAY_US; back_us += DAY_US) {
		key = key_mail_done(day_of(now_us - back_us), account, digest);
		rc = row_get(txn, &key, &value);
		if (rc == 0)
			rc = mail_done_decode(value, &at_us);
		if (rc == 0 && now_us - at_us < DAY_US)
			return 1;
		if (rc < 0 && rc != -ENOENT)
			return rc;
	}
	return 0;
}

int mail_done_note(
	struct store_txn *txn, const char *account, const unsigned char *digest, int64_t now_us)
{
	struct key key = key_mail_done(day_of(now_us), account, digest);
	struct buf b = row_begin(DONE_VERSION);

	rec_put_i64(&b, now_us);
	return row_put(txn, &key, &b);
}
