/* What an account's mail takes and may take, and what becomes of it when the account is removed. */
#include "store/mail_i.h"

#include <errno.h>

enum {
	ROW_BYTES = 1024, /* of a message, beside its bytes */
	SLACK = 8 << 20, /* small quotas have room for rows */
};

/* -- usage ------------------------------------------------------------------------------------- */

int mail_usage_read(struct store_txn *txn, const char *account, struct mail_usage *ret)
{
	struct mail_usage u = {.bytes = 0};
	struct mail_account a;
	int rc = mail_account_read(txn, account, &a);

	if (rc == 0) {
		u.bytes = a.bytes;
		u.messages = a.messages;
	}
	if (rc == 0 || rc == -ENOENT)
		rc = policy_number_read(txn, "mail_quota", &u.limit);
	if (rc == 0)
		*ret = u;
	return rc;
}

int mail_quota_check(struct store_txn *txn, const struct mail_account *a, uint64_t more)
{
	const uint64_t all = mail_row_cost(a->messages, a->bytes) + a->held;
	uint64_t limit = 0;
	int rc = policy_number_read(txn, "mail_quota", &limit);

	if (rc < 0 || limit == 0)
		return rc;
	if (more > limit || a->bytes > limit - more)
		return -EDQUOT;
	return all / 2 > limit + SLACK ? -EDQUOT : 0;
}

uint64_t mail_row_cost(uint64_t messages, uint64_t bytes)
{
	return messages * ROW_BYTES + bytes;
}

int mail_held_swept(struct store_txn *txn, const char *account, uint64_t cost)
{
	struct mail_account a;
	int rc = mail_account_read(txn, account, &a);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	/* Another account may have had the name. */
	a.held -= cost < a.held ? cost : a.held;
	return mail_account_write(txn, &a);
}

static int totals_of_all(struct store_txn *txn, struct mail_totals *t)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix = key_table(KEY_MAIL_ACCOUNT);
	struct mail_account a;
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = mail_account_decode(key, value, &a);
		if (rc < 0)
			return rc;
		t->boxes += a.boxes;
		t->messages += a.messages;
		t->bytes += a.bytes;
	}
	return rc;
}

int mail_totals(struct store_txn *txn, const char *account, struct mail_totals *ret)
{
	struct mail_totals t = {.boxes = 0};
	struct mail_account a;
	int rc;

	if (account == NULL) {
		rc = totals_of_all(txn, &t);
	} else {
		rc = mail_account_read(txn, account, &a);
		if (rc == 0)
			t = (struct mail_totals){a.boxes, a.messages, a.bytes};
		else if (rc == -ENOENT)
			rc = 0;
	}
	if (rc == 0)
		*ret = t;
	return rc;
}

/* -- removal ----------------------------------------------------------------------------------- */

/* Its messages are many perhaps: they go with the next sweep, a piece at a time. */
static int bury_boxes(struct store_txn *txn, const char *account)
{
	struct key prefix = key_mail_box(account);
	struct span key, value;
	struct key row;
	int rc;

	while ((rc = kv_seek(txn, key_span(&prefix), key_span(&prefix), &key, &value)) == 0) {
		row = key_copy(key);
		rc = mail_box_bury(txn, account, key_number(key_tail(key, sizeof(uint64_t))), 0);
		if (rc == 0)
			rc = row_del(txn, &row);
		if (rc < 0)
			return rc;
	}
	return rc == -ENOENT ? 0 : rc;
}

static int remove_prefix(struct store_txn *txn, struct key prefix)
{
	struct span key, value;
	int rc;

	while ((rc = kv_seek(txn, key_span(&prefix), key_span(&prefix), &key, &value)) == 0) {
		rc = kv_del(txn, key);
		if (rc < 0)
			return rc;
	}
	return rc == -ENOENT ? 0 : rc;
}

static int remove_row(struct store_txn *txn, struct key key)
{
	int rc = row_del(txn, &key);

	return rc == -ENOENT ? 0 : rc;
}

static struct key sent_ids(const char *account)
{
	struct key k = key_table(KEY_MAIL_SENT_ID);

	key_add_name(&k, account);
	return k;
}

int mail_account_gone(struct store_txn *txn, const char *account)
{
	const struct key prefixes[] = {
		key_mail_name(account),
		key_mail_sent(account),
		sent_ids(account),
		key_mail_notice(account),
		key_mail_due(account),
	};
	const struct key rows[] = {
		key_mail_account(account),
		key_mail_keywords(account),
		key_seen(account),
	};
	int rc = bury_boxes(txn, account);

	for (size_t i = 0; rc == 0 && i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		rc = remove_prefix(txn, prefixes[i]);
	for (size_t i = 0; rc == 0 && i < sizeof(rows) / sizeof(rows[0]); i++)
		rc = remove_row(txn, rows[i]);
	return rc;
}

/* Receipts that it owes are nobody's to send. */
int mail_account_kept(struct store_txn *txn, const char *account)
{
	int rc = remove_prefix(txn, key_mail_due(account));

	return rc == 0 ? remove_row(txn, key_seen(account)) : rc;
}

int mail_is_left(struct store_txn *txn, const char *account)
{
	struct mail_account a;
	int rc = mail_account_read(txn, account, &a);

	if (rc == 0)
		return 1;
	return rc == -ENOENT ? 0 : rc;
}
