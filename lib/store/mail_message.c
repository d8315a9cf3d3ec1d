/* Messages, read. */
#include "store/mail_i.h"

#include <errno.h>

int mail_message_read(struct store_txn *txn, uint64_t box, uint32_t uid, struct mail_message *ret)
{
	struct key key = key_mail_message_row(box, uid);
	struct span value;
	int rc = row_get(txn, &key, &value);

	return rc < 0 ? rc : mail_message_decode(key_span(&key), value, ret);
}

int mail_messages_each(struct store_txn *txn, uint64_t box, uint32_t from,
	int (*each)(void *arg, const struct mail_message *m), void *arg)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix = key_mail_message(box), first = key_mail_message_row(box, from);
	struct mail_message m;
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&prefix), key_span(&first), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = mail_message_decode(key, value, &m);
		if (rc == 0 && !m.gone)
			rc = each(arg, &m);
	}
	return rc;
}

static int gather_uid(void *arg, const struct mail_message *m)
{
	struct buf *b = arg;

	buf_add(b, span_of(&m->uid, sizeof(m->uid)));
	return buf_error(b);
}

int mail_uids_read(struct store_txn *txn, uint64_t box, struct buf *ret)
{
	return mail_messages_each(txn, box, 0, gather_uid, ret);
}
