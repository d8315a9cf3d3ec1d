/*
 * The log of changes: per mailbox one row for the newest change of each message, in the order of
 * modseq. Of a message that is there it lives as long as the message; of one that is gone until
 * the sweep. Beside it the sweep's index of what is gone, by time.
 */
#include "store/mail_i.h"

#include <errno.h>

enum { GONE_VERSION = 1, ID_LEN = 8, UID_LEN = 4, TIME_LEN = 8, CAME = 0, WENT = 1 };

int mail_change_write(struct store_txn *txn, uint64_t box, const struct mail_change *c)
{
	const unsigned char kind = c->gone ? WENT : CAME;
	struct key key = key_mail_change_row(box, c->modseq, c->uid);

	return kv_put(txn, key_span(&key), span_of(&kind, 1));
}

int mail_change_remove(struct store_txn *txn, uint64_t box, uint64_t modseq, uint32_t uid)
{
	struct key key = key_mail_change_row(box, modseq, uid);

	return row_del(txn, &key);
}

int mail_change_decode(struct span key, struct span value, struct mail_change *ret)
{
	struct span tail = key_tail(key, ID_LEN + UID_LEN);
	struct mail_change c;

	if (key.len != 1 + ID_LEN + ID_LEN + UID_LEN || value.len != 1 || value.p[0] > WENT)
		return -EBADMSG;
	c.modseq = key_number(span_of(tail.p, ID_LEN));
	c.uid = (uint32_t)key_number(span_of(tail.p + ID_LEN, UID_LEN));
	c.gone = value.p[0] == WENT;
	*ret = c;
	return 0;
}

int mail_changes_each(struct store_txn *txn, uint64_t box, uint64_t since,
	int (*each)(void *arg, const struct mail_change *c), void *arg)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix = key_mail_change(box);
	struct key from = key_mail_change_row(box, since + 1, 0);
	struct mail_change c;
	struct span key, value;
	int rc;

	if (since == UINT64_MAX)
		return 0;
	rc = kv_iter_open(txn, key_span(&prefix), key_span(&from), &it);
	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = mail_change_decode(key, value, &c);
		if (rc == 0)
			rc = each(arg, &c);
	}
	return rc;
}

/* -- what is gone ------------------------------------------------------------------------------ */

int mail_gone_write(struct store_txn *txn, const struct mail_gone *g)
{
	struct key key = key_mail_gone_row((uint8_t)g->phase, g->at_us, g->box, g->uid);
	struct buf b = row_begin(GONE_VERSION);

	row_text(&b, g->account, sizeof(g->account));
	buf_add_u64(&b, g->modseq);
	buf_add_u64(&b, g->held);
	return row_put(txn, &key, &b);
}

int mail_gone_remove(struct store_txn *txn, const struct mail_gone *g)
{
	struct key key = key_mail_gone_row((uint8_t)g->phase, g->at_us, g->box, g->uid);

	return row_del(txn, &key);
}

int mail_gone_decode(struct span key, struct span value, struct mail_gone *ret)
{
	struct rec r = row_open(value, GONE_VERSION);
	struct mail_gone g;
	struct rec k;

	memset(&g, 0, sizeof(g));
	rec_str(&r, g.account, sizeof(g.account));
	g.modseq = rec_u64(&r);
	g.held = rec_u64(&r);
	if (rec_end(&r) < 0 || key.len != 2 + TIME_LEN + ID_LEN + UID_LEN || g.account[0] == '\0' ||
		(key.p[1] != MAIL_PHASE_BODY && key.p[1] != MAIL_PHASE_LOG))
		return -EBADMSG;
	k = rec_of(span_of(key.p + 2, key.len - 2));
	g.phase = (enum mail_phase)key.p[1];
	g.at_us = key_time(rec_raw(&k, TIME_LEN));
	g.box = rec_u64(&k);
	g.uid = rec_u32(&k);
	*ret = g;
	return 0;
}
