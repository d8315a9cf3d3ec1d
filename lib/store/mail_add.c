/* APPEND: messages that a client puts into a mailbox itself. */
#include "store/mail_i.h"

#include <errno.h>

enum { NEVER_ASKS = MAIL_SEEN | MAIL_DRAFT | MAIL_MDN_SENT };

struct append {
	struct mail_writer w;
	struct mail_box box;
};

static int append_one(struct append *p, const struct mail_append_item *item)
{
	struct mail_message m = {.size = item->body.blob.size, .date_us = p->w.now_us};
	int rc = mail_flags_enter(p->w.txn, p->w.account.name, &item->flags, &m.flags);

	if (item->date_us != 0) {
		m.date_us = item->date_us;
		m.date_offset_s = item->date_offset_s;
	}
	/* Copies of what one sent or reads already, and drafts, are nobody's to be answered. */
	m.asks = item->body.asks && (item->flags.system & NEVER_ASKS) == 0;
	memcpy(m.blob, item->body.blob.id, sizeof(m.blob));
	if (rc == 0)
		rc = mail_message_add(&p->w, &p->box, &m);
	return rc < 0 ? rc : mail_body_ref(p->w.txn, &item->body, 1);
}

static int append_all(struct append *p, const struct mail_append_args *a)
{
	uint64_t bytes = 0;
	int rc;

	for (size_t i = 0; i < a->count; i++)
		bytes += a->items[i].body.blob.size;
	rc = mail_quota_check(p->w.txn, &p->w.account, bytes);
	for (size_t i = 0; rc == 0 && i < a->count; i++)
		rc = append_one(p, &a->items[i]);
	return rc;
}

int op_mail_append(struct store_txn *txn, const void *args, void *result)
{
	const struct mail_append_args *a = args;
	struct mail_added *ret = result;
	struct append p = {.box = {.id = 0}};
	int rc;

	if (a->count == 0 || a->count > MAIL_APPEND_MAX ||
		!row_is_text(a->account, sizeof(a->account)))
		return -EINVAL;
	rc = mail_writer_open(txn, a->account, a->now_us, &p.w);
	if (rc == 0)
		rc = mail_box_read(txn, a->account, a->box, &p.box);
	if (rc < 0)
		return rc;
	ret->validity = p.box.validity;
	ret->first_uid = p.box.uid_next;
	ret->count = (uint32_t)a->count;
	rc = append_all(&p, a);
	if (rc < 0)
		return rc;
	ret->modseq = p.box.modseq;
	ret->recent = a->recent && p.box.recent_uid == ret->first_uid;
	if (ret->recent)
		p.box.recent_uid = p.box.uid_next;
	rc = mail_box_write(txn, a->account, &p.box);
	return rc < 0 ? rc : mail_writer_close(&p.w);
}
