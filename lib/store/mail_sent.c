/* What was sent, and the receipts that are due, read. */
#include "store/mail_i.h"

#include <errno.h>

enum { ID_LEN = 8 };

int mail_sent_each(struct store_txn *txn, const char *account, struct span msgid,
	int (*each)(void *arg, const struct mail_sent *s), void *arg)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix =
		msgid.len > 0 ? key_mail_sent_id(account, msgid) : key_mail_sent(account);
	struct mail_sent s;
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it);

	while (rc == 0 && (rc = kv_iter_prev(&it, &key, &value)) == 1) {
		rc = mail_sent_read(txn, account, key_number(key_tail(key, ID_LEN)), &s);
		if (rc == 0 && (msgid.len == 0 || span_eq_str(msgid, s.msgid)))
			rc = each(arg, &s);
	}
	return rc;
}

int mail_due_each(struct store_txn *txn, const char *account,
	int (*each)(void *arg, const struct mail_due *d), void *arg)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix = key_mail_due(account);
	struct mail_message m;
	struct mail_due d;
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = mail_due_decode(key, value, &d);
		if (rc == 0)
			rc = mail_message_read(txn, d.box, d.uid, &m);
		if (rc == -ENOENT) { /* swept: the row follows */
			rc = 0;
			continue;
		}
		if (rc == 0) {
			memcpy(d.blob, m.blob, sizeof(d.blob));
			rc = each(arg, &d);
		}
	}
	return rc;
}
