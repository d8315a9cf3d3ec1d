/* What an account has chosen: whether it answers receipts, and whether others see it. */
#include "store/mail_i.h"

#include <errno.h>

int mail_prefs_read(struct store_txn *txn, const char *account, struct mail_prefs *ret)
{
	struct mail_account a;
	int rc = mail_account_read(txn, account, &a);

	if (rc == -ENOENT) {
		*ret = (struct mail_prefs){.receipts = MAIL_RECEIPTS_ASK};
		return 0;
	}
	if (rc == 0)
		*ret = a.prefs;
	return rc;
}

int op_mail_prefs(struct store_txn *txn, const void *args, void *result)
{
	const struct mail_prefs_args *p = args;
	struct mail_account a;
	int rc = 0;

	(void)result;
	if ((unsigned)p->prefs.receipts > MAIL_RECEIPTS_ALWAYS)
		return -EINVAL;
	rc = mail_account_ready(txn, p->account, kv_now_us(txn), &a);
	if (rc < 0)
		return rc;
	a.prefs = p->prefs;
	return mail_account_write(txn, &a);
}
