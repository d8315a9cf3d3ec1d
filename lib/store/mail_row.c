/*
 * The records of accounts, mailboxes and messages. What a key says is not said again in the value,
 * but for names, whose keys are written otherwise.
 */
#include "store/mail_i.h"

#include <errno.h>

enum {
	ACCOUNT_VERSION = 1,
	KEYWORDS_VERSION = 1,
	BOX_VERSION = 1,
	MESSAGE_VERSION = 1,
	FLAGS = 2 * MAIL_NOT_JUNK - 1,
	ID_LEN = 8,
	UID_LEN = 4,
	SUBSCRIBED = 1,
	GONE = 1,
	ASKS = 2,
};

/* A byte below count. */
static uint8_t rec_choice(struct rec *r, uint8_t count)
{
	uint8_t v = rec_u8(r);

	if (v >= count)
		r->error = -EBADMSG;
	return v;
}

/* -- accounts ---------------------------------------------------------------------------------- */

int mail_account_decode(struct span key, struct span value, struct mail_account *ret)
{
	struct rec r = row_open(value, ACCOUNT_VERSION);
	struct mail_account a;

	memset(&a, 0, sizeof(a));
	a.modseq = rec_u64(&r);
	a.bytes = rec_u64(&r);
	a.messages = rec_u64(&r);
	a.held = rec_u64(&r);
	a.boxes = rec_u32(&r);
	a.notice = rec_u64(&r);
	a.shown = rec_u64(&r);
	a.due = rec_u64(&r);
	a.prefs.receipts = (enum mail_receipts)rec_choice(&r, MAIL_RECEIPTS_ALWAYS + 1);
	a.prefs.hidden = rec_choice(&r, 2) == 1;
	if (rec_end(&r) < 0 || row_name(key, a.name, sizeof(a.name)) < 0 || a.modseq == 0 ||
		a.shown > a.notice)
		return -EBADMSG;
	*ret = a;
	return 0;
}

int mail_account_read(struct store_txn *txn, const char *account, struct mail_account *ret)
{
	struct key key = key_mail_account(account);
	struct span value;
	int rc = account[0] != '\0' ? row_get(txn, &key, &value) : -ENOENT;

	return rc < 0 ? rc : mail_account_decode(key_span(&key), value, ret);
}

int mail_account_write(struct store_txn *txn, const struct mail_account *a)
{
	struct key key = key_mail_account(a->name);
	struct buf b = row_begin(ACCOUNT_VERSION);

	buf_add_u64(&b, a->modseq);
	buf_add_u64(&b, a->bytes);
	buf_add_u64(&b, a->messages);
	buf_add_u64(&b, a->held);
	buf_add_u32(&b, a->boxes);
	buf_add_u64(&b, a->notice);
	buf_add_u64(&b, a->shown);
	buf_add_u64(&b, a->due);
	buf_add_byte(&b, (unsigned char)a->prefs.receipts);
	buf_add_byte(&b, a->prefs.hidden);
	return row_put(txn, &key, &b);
}

/* -- keywords ---------------------------------------------------------------------------------- */

int mail_keywords_decode(struct span value, struct mail_keywords *ret)
{
	struct rec r = row_open(value, KEYWORDS_VERSION);
	struct mail_keywords k;

	memset(&k, 0, sizeof(k));
	k.count = rec_u8(&r);
	if (k.count > MAIL_KEYWORDS_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < k.count; i++) {
		rec_str(&r, k.names[i], sizeof(k.names[i]));
		if (k.names[i][0] == '\0')
			return -EBADMSG;
	}
	if (rec_end(&r) < 0)
		return -EBADMSG;
	*ret = k;
	return 0;
}

int mail_keywords_read(struct store_txn *txn, const char *account, struct mail_keywords *ret)
{
	struct key key = key_mail_keywords(account);
	struct span value;
	int rc = row_get(txn, &key, &value);

	if (rc == -ENOENT) {
		memset(ret, 0, sizeof(*ret));
		return 0;
	}
	return rc < 0 ? rc : mail_keywords_decode(value, ret);
}

int mail_keywords_write(struct store_txn *txn, const char *account, const struct mail_keywords *k)
{
	struct key key = key_mail_keywords(account);
	struct buf b = row_begin(KEYWORDS_VERSION);

	buf_add_byte(&b, (unsigned char)k->count);
	for (size_t i = 0; i < k->count; i++)
		row_text(&b, k->names[i], sizeof(k->names[i]));
	return row_put(txn, &key, &b);
}

/* -- mailboxes --------------------------------------------------------------------------------- */

static bool box_is_good(const struct mail_box *b)
{
	return b->id != 0 && b->validity != 0 && b->uid_next != 0 && b->modseq != 0 &&
		b->recent_uid != 0 && b->recent_uid <= b->uid_next &&
		b->modseq_floor <= b->modseq && b->unseen <= b->messages &&
		b->deleted <= b->messages && mail_box_name_ok(span_str(b->name));
}

int mail_box_decode(struct span key, struct span value, struct mail_box *ret)
{
	struct rec r = row_open(value, BOX_VERSION);
	struct mail_box b;

	memset(&b, 0, sizeof(b)); /* operations answer with it: no byte may be left to chance */
	b.id = key.len > ID_LEN ? key_number(key_tail(key, ID_LEN)) : 0;
	rec_str(&r, b.name, sizeof(b.name));
	b.validity = rec_u32(&r);
	b.uid_next = rec_u32(&r);
	b.recent_uid = rec_u32(&r);
	b.modseq = rec_u64(&r);
	b.modseq_floor = rec_u64(&r);
	b.use = (enum mail_use)rec_choice(&r, MAIL_USE_ALL);
	b.subscribed = rec_choice(&r, SUBSCRIBED + 1) == SUBSCRIBED;
	b.created_us = rec_i64(&r);
	b.messages = rec_u32(&r);
	b.unseen = rec_u32(&r);
	b.deleted = rec_u32(&r);
	b.bytes = rec_u64(&r);
	if (rec_end(&r) < 0 || !box_is_good(&b))
		return -EBADMSG;
	*ret = b;
	return 0;
}

int mail_box_write(struct store_txn *txn, const char *account, const struct mail_box *box)
{
	struct key key = key_mail_box_row(account, box->id);
	struct buf b = row_begin(BOX_VERSION);

	row_text(&b, box->name, sizeof(box->name));
	buf_add_u32(&b, box->validity);
	buf_add_u32(&b, box->uid_next);
	buf_add_u32(&b, box->recent_uid);
	buf_add_u64(&b, box->modseq);
	buf_add_u64(&b, box->modseq_floor);
	buf_add_byte(&b, (unsigned char)box->use);
	buf_add_byte(&b, box->subscribed);
	rec_put_i64(&b, box->created_us);
	buf_add_u32(&b, box->messages);
	buf_add_u32(&b, box->unseen);
	buf_add_u32(&b, box->deleted);
	buf_add_u64(&b, box->bytes);
	return row_put(txn, &key, &b);
}

/* -- messages ---------------------------------------------------------------------------------- */

int mail_message_decode(struct span key, struct span value, struct mail_message *ret)
{
	struct rec r = row_open(value, MESSAGE_VERSION);
	struct mail_message m;
	struct span blob;
	uint8_t bits;

	memset(&m, 0, sizeof(m));
	m.uid = (uint32_t)key_number(key_tail(key, UID_LEN));
	m.modseq = rec_u64(&r);
	m.created_modseq = rec_u64(&r);
	m.flags.system = rec_u32(&r);
	m.flags.keywords = rec_u64(&r);
	m.date_us = rec_i64(&r);
	m.date_offset_s = (int32_t)rec_u32(&r);
	m.saved_us = rec_i64(&r);
	m.size = rec_u64(&r);
	blob = rec_raw(&r, BLOB_ID_LEN);
	bits = rec_choice(&r, (GONE | ASKS) + 1);
	if (rec_end(&r) < 0 || key.len != 1 + ID_LEN + UID_LEN || m.uid == 0 ||
		m.created_modseq == 0 || m.modseq < m.created_modseq ||
		(m.flags.system & ~(uint32_t)FLAGS) != 0)
		return -EBADMSG;
	memcpy(m.blob, blob.p, sizeof(m.blob));
	m.gone = (bits & GONE) != 0;
	m.asks = (bits & ASKS) != 0;
	*ret = m;
	return 0;
}

int mail_message_write(struct store_txn *txn, uint64_t box, const struct mail_message *m)
{
	struct key key = key_mail_message_row(box, m->uid);
	struct buf b = row_begin(MESSAGE_VERSION);

	buf_add_u64(&b, m->modseq);
	buf_add_u64(&b, m->created_modseq);
	buf_add_u32(&b, m->flags.system);
	buf_add_u64(&b, m->flags.keywords);
	rec_put_i64(&b, m->date_us);
	buf_add_u32(&b, (uint32_t)m->date_offset_s);
	rec_put_i64(&b, m->saved_us);
	buf_add_u64(&b, m->size);
	buf_add(&b, span_of(m->blob, sizeof(m->blob)));
	buf_add_byte(&b, (unsigned char)((m->gone ? GONE : 0) | (m->asks ? ASKS : 0)));
	return row_put(txn, &key, &b);
}
