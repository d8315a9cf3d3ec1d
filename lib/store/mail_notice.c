/* Notices, read, and how they come to be shown. */
#include "store/mail_i.h"

#include <errno.h>

int mail_notices_each(struct store_txn *txn, const char *account,
	int (*each)(void *arg, const struct mail_notice *n), void *arg)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix = key_mail_notice(account);
	struct mail_account a;
	struct mail_notice n;
	struct span key, value;
	int rc = mail_account_read(txn, account, &a);

	if (rc == 0)
		rc = kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it);
	while (rc == 0 && (rc = kv_iter_prev(&it, &key, &value)) == 1) {
		rc = mail_notice_decode(key, value, &n);
		n.shown = n.id <= a.shown;
		if (rc == 0)
			rc = each(arg, &n);
	}
	return rc == -ENOENT ? 0 : rc;
}

/* Those that are there are a run of numbers. */
int mail_notices_count(struct store_txn *txn, const char *account, uint32_t *ret_new)
{
	struct key prefix = key_mail_notice(account);
	struct mail_account a;
	struct span key = {NULL, 0}, value;
	uint64_t oldest;
	int rc = mail_account_read(txn, account, &a);

	if (rc == 0)
		rc = kv_seek(txn, key_span(&prefix), key_span(&prefix), &key, &value);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	*ret_new = 0;
	if (rc == -ENOENT)
		return 0;
	oldest = key_number(key_tail(key, sizeof(oldest)));
	if (a.shown >= oldest)
		oldest = a.shown + 1;
	*ret_new = (uint32_t)(a.notice + 1 - oldest);
	return 0;
}

int op_mail_shown(struct store_txn *txn, const void *args, void *result)
{
	const struct mail_shown_args *s = args;
	struct mail_account a;
	int rc = mail_account_ready(txn, s->account, kv_now_us(txn), &a);

	(void)result;
	if (rc < 0 || s->id <= a.shown)
		return rc;
	a.shown = s->id < a.notice ? s->id : a.notice;
	return mail_account_write(txn, &a);
}
