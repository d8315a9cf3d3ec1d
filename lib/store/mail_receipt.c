/* RECEIPT: a receipt that is due is sent, once: its row goes in the commit that delivers it. */
#include "store/mail_i.h"

#include <errno.h>

/* The message may have gone meanwhile, or its mailbox. */
static int mark_sent(struct store_txn *txn, struct mail_writer *w, const struct mail_due *due)
{
	struct mail_message before, after;
	struct mail_box box;
	int rc = mail_box_read(txn, w->account.name, due->box, &box);

	if (rc == 0)
		rc = mail_message_read(txn, due->box, due->uid, &before);
	if (rc != 0)
		return rc == -ENOENT ? 0 : rc;
	after = before;
	after.flags.system |= MAIL_MDN_SENT;
	after.asks = false;
	if (after.flags.system == before.flags.system && after.asks == before.asks)
		return 0;
	rc = mail_message_change(w, &box, &before, &after);
	return rc < 0 ? rc : mail_box_write(txn, w->account.name, &box);
}

/* A message may have been copied before it was read, and is one message all the same: 1 when its
 * writer has an answer. */
static int was_answered(struct store_txn *txn, const struct mail_deliver_args *a)
{
	struct mail_sent s;
	uint64_t number = 0;
	int rc = -ENOENT;

	if (a->mdn.set && row_is_text(a->mdn.msgid, sizeof(a->mdn.msgid)) &&
		row_is_text(a->sender, sizeof(a->sender)))
		rc = mail_sent_find(txn, a->recipients[0], a->mdn.msgid, a->sender, &number, &s);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	return s.read_us != 0 || s.declined ? 1 : 0;
}

int op_mail_receipt(struct store_txn *txn, const void *args, void *result)
{
	const struct mail_receipt_args *a = args;
	struct mail_deliver_result *ret = result;
	struct mail_writer w;
	struct mail_due due;
	int rc;

	if (!row_is_text(a->account, sizeof(a->account)))
		return -EINVAL;
	rc = mail_due_read(txn, a->account, a->due, &due);
	if (rc == 0)
		rc = mail_writer_open(txn, a->account, a->deliver.now_us, &w);
	if (rc == 0)
		rc = mail_due_remove(txn, a->account, a->due);
	if (rc == 0)
		rc = mark_sent(txn, &w, &due);
	if (rc == 0)
		rc = mail_writer_close(&w);
	if (rc < 0 || a->deliver.count == 0)
		return rc;
	rc = was_answered(txn, &a->deliver);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = mail_deliver(txn, &a->deliver, ret);
	if (rc != -ENOENT) /* who asked is there no more: it is done with */
		return rc;
	ret->bad = 0;
	return 0;
}
