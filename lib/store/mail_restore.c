/*
 * After a restore: what was given out since the backup was made is not known here. So every mailbox
 * gets a UIDVALIDITY that lies beyond all that could have been given, and clients read it anew; and
 * new mailboxes get numbers that none can have had.
 */
#include "store/mail_i.h"

#include <errno.h>

enum { ID_LEN = 8, MARGIN = 100000 /* mailboxes made between the backup and now */ };

static int raise_counters(struct store_txn *txn)
{
	struct key validity = key_meta(MAIL_META_VALIDITY), id = key_meta(MAIL_META_BOX);
	uint32_t next = 0;
	uint64_t newest = 0;
	int rc = mail_validity_next(txn, kv_now_us(txn), &next);

	if (rc == 0)
		rc = row_counter_put(txn, &validity, (uint64_t)next + MARGIN);
	if (rc == 0)
		rc = row_counter(txn, &id, &newest);
	return rc < 0 ? rc : row_counter_put(txn, &id, newest + MARGIN);
}

static int renew(struct store_txn *txn, const struct key *key, struct span value)
{
	char account[ACCOUNT_NAME_SIZE];
	struct mail_box b;
	int rc = mail_box_decode(key_span(key), value, &b);

	if (rc == 0 && key->len > 2 + ID_LEN)
		rc = span_copy_str(
			span_of(key->p + 1, key->len - 2 - ID_LEN), account, sizeof(account));
	if (rc == 0)
		rc = mail_validity_next(txn, kv_now_us(txn), &b.validity);
	return rc < 0 ? rc : mail_box_write(txn, account, &b);
}

int mail_restore(struct store_txn *txn)
{
	struct key prefix = key_table(KEY_MAIL_BOX), at = prefix, row;
	struct span key, value;
	int rc = raise_counters(txn);

	while (rc == 0 &&
		(rc = kv_seek(txn, key_span(&prefix), key_span(&at), &key, &value)) == 0) {
		row = at = key_copy(key);
		key_add_number(&at, 0, 1); /* the smallest key behind it */
		rc = renew(txn, &row, value);
	}
	return rc == -ENOENT ? 0 : rc;
}
