/* Receipts: what became of what one sent, and one's own answer to who asks for one. */
#include "client/mail/told.h"

#include "base/timefmt.h"

#include <errno.h>

enum { RECEIPT_MAX = 1 << 20 };

static bool receipt_row(const struct imap_answer *a, const struct imap_node *pairs, void *ret)
{
	struct mail_receipt *r = ret;

	told_text(a, pairs, "MSGID", r->msgid, sizeof r->msgid);
	told_text(a, pairs, "RECIPIENT", r->recipient, sizeof r->recipient);
	told_text(a, pairs, "SUBJECT", r->subject, sizeof r->subject);
	r->sent_us = told_time_us(a, pairs, "SENT");
	r->delivered_us = told_time_us(a, pairs, "DELIVERED");
	r->read_us = told_time_us(a, pairs, "READ");
	r->asked = told_flag(a, pairs, "ASKED");
	r->declined = told_flag(a, pairs, "DECLINED");
	r->automatic = told_flag(a, pairs, "AUTOMATIC");
	return r->recipient[0] != '\0';
}

int mail_receipts(struct imapc *m, const char *msgid, struct mail_receipt **ret, size_t *ret_count)
{
	_cleanup_(imapc_words_done) struct imapc_words w;
	struct told t = {
		.name = "XRECEIPT", .size = sizeof(struct mail_receipt), .row = receipt_row};
	int r = told_can(m);

	imapc_words_begin(m, &w);
	imapc_say(&w, "XRECEIPTS");
	if (msgid != NULL) {
		imapc_say(&w, " ");
		imapc_say_string(&w, span_str(msgid));
	}
	if (r == 0)
		r = imapc_say_run(m, &w, told_heard, &t);
	if (r < 0) {
		free(t.list);
		return r;
	}
	*ret = t.list;
	*ret_count = t.count;
	return 0;
}

/* -- giving one -------------------------------------------------------------------------------- */

/* The receipt for a message that was read now; whom it goes to. */
static int receipt_make(struct span message, const char *own, struct buf *ret_to, struct buf *ret)
{
	struct mime mime = {.parts = NULL};
	const char *at = strchr(own, '@');
	const struct mime_receipt_plan plan = {.reader = own,
		.domain = at != NULL ? at + 1 : "localhost",
		.manual = true,
		.displayed = true,
		.read_us = time_now_us()};
	int r = mime_parse(message, &mime);

	if (r == 0)
		r = mime_receipt_write(&mime, &plan, ret_to, ret);
	mime_done(&mime);
	return r;
}

int mail_receipt_to(struct span message, const char *own, struct buf *ret)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(RECEIPT_MAX);

	return receipt_make(message, own, ret, &text);
}

bool mail_receipt_is_due(const struct mail_item *item, struct span message, const char *own)
{
	_cleanup_(buf_done) struct buf to = BUF_INIT(1024);

	if ((item->flags & (IMAP_FLAG_MDN_SENT | IMAP_FLAG_DRAFT)) != 0)
		return false;
	return mail_receipt_to(message, own, &to) == 0 && !span_caseeq_str(buf_span(&to), own);
}

int mail_receipt_answer(
	struct mailbox *b, const struct profile *p, uint32_t uid, struct span message, bool yes)
{
	_cleanup_(buf_done) struct buf to = BUF_INIT(1024), text = BUF_INIT(RECEIPT_MAX);
	struct outbox_letter letter = {.from = "", .to_count = 1};
	char own[320], name[64];
	struct span address;
	int r;

	mail_own_address(p, NULL, own);
	r = receipt_make(message, own, &to, &text);
	if (r < 0)
		return r;
	/* First the mark: asked again by mistake is worse than a receipt that is never sent. */
	r = mailbox_flag(b, &uid, 1, IMAP_FLAG_MDN_SENT, true);
	if (r < 0 || !yes)
		return r;
	address = buf_span(&to);
	letter.to = &address;
	letter.message = buf_span(&text);
	return outbox_add(p, &letter, name);
}
