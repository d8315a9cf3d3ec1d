/* What became of letters, in words; and giving the receipts that others ask for. */
#include "client/mail/imapc.h"
#include "client/mail/smime.h"
#include "client/mail/ui.h"

#include <errno.h>

enum { NAMED_MAX = 100 /* the newest, that are opened for their subjects */ };

const char *mailui_receipt_state(const struct mail_receipt *r)
{
	if (r->read_us != 0)
		return r->automatic ? "read (told by itself)" : "read";
	if (r->declined)
		return "deleted";
	if (r->delivered_us == 0)
		return "sent";
	return r->asked ? "delivered" : "delivered (not asked)";
}

void mailui_receipt_line(
	const struct mail_receipt *list, size_t count, const char *msgid, struct buf *out)
{
	bool first = true;

	for (size_t i = 0; i < count; i++) {
		const struct mail_receipt *r = &list[i];
		int64_t at_us = r->read_us != 0 ? r->read_us : r->delivered_us;
		char when[24] = "";

		if (strcmp(r->msgid, msgid) != 0)
			continue;
		if (at_us != 0)
			mailui_when(at_us, when);
		buf_addf(out, "%s%s %s%s%s", first ? "" : ", ", r->recipient,
			r->read_us != 0                ? "read"
				: r->declined          ? "deleted"
				: r->delivered_us != 0 ? "delivered"
						       : "sent",
			at_us != 0 ? " " : "", when);
		first = false;
	}
}

void mailui_receipt_short(
	const struct mail_receipt *list, size_t count, const char *msgid, char ret[32])
{
	unsigned all = 0, delivered = 0, seen = 0;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i].msgid, msgid) != 0)
			continue;
		all++;
		delivered += list[i].delivered_us != 0;
		seen += list[i].read_us != 0;
	}
	if (all == 0)
		ret[0] = '\0';
	else if (seen == all)
		(void)snprintf(ret, 32, "read");
	else if (seen > 0)
		(void)snprintf(ret, 32, "read %u/%u", seen, all);
	else
		(void)snprintf(ret, 32, "%s", delivered == all ? "delivered" : "sent");
}

void mailui_name_receipts(
	struct mailui *u, struct imapc *line, struct mail_receipt *list, size_t count)
{
	struct mailui_named *named = calloc(NAMED_MAX, sizeof *named);
	size_t n = 0;

	if (named == NULL)
		return;
	for (size_t i = count > NAMED_MAX ? count - NAMED_MAX : 0; i < count; i++)
		named[n++] = (struct mailui_named){
			list[i].msgid, list[i].subject, sizeof list[i].subject};
	mailui_name(u, line, "Sent", named, n);
	free(named);
}

void mailui_name_notices(
	struct mailui *u, struct imapc *line, struct mail_notice *list, size_t count)
{
	struct mailui_named *named = calloc(NAMED_MAX, sizeof *named);
	size_t n = 0, from = count > NAMED_MAX ? count - NAMED_MAX : 0;

	if (named == NULL)
		return;
	/* New mail is where it came in, what was read is one's own. */
	for (size_t i = from; i < count; i++)
		if (list[i].kind == MAIL_NOTICE_NEW)
			named[n++] = (struct mailui_named){
				list[i].msgid, list[i].subject, sizeof list[i].subject};
	mailui_name(u, line, "INBOX", named, n);
	n = 0;
	for (size_t i = from; i < count; i++)
		if (list[i].kind != MAIL_NOTICE_NEW)
			named[n++] = (struct mailui_named){
				list[i].msgid, list[i].subject, sizeof list[i].subject};
	mailui_name(u, line, "Sent", named, n);
	free(named);
}

bool mailui_receipt_is_due(
	const struct mailui *u, struct mailbox *b, uint32_t uid, const struct mailui_letter *l)
{
	const struct mail_item *item = mailbox_item(b, uid);
	char own[320];

	mail_own_address(&u->profile, u->login.user, own);
	return item != NULL && mail_receipt_is_due(item, buf_span(&l->raw), own);
}

void mailui_receipt_question(const struct mailui *u, const struct mailui_letter *l, struct buf *out)
{
	_cleanup_(buf_done) struct buf to = BUF_INIT(1024), from = BUF_INIT(1024);
	char own[320], clean[320];

	mail_own_address(&u->profile, u->login.user, own);
	buf_addf(out, "%.300s asks for a receipt", l->view.from);
	if (mail_receipt_to(buf_span(&l->raw), own, &to) < 0 ||
		(smime_from(mime_header(&l->view.mime, &l->view.mime.parts[0]), &from) == 0 &&
			span_caseeq_str(buf_span(&from), buf_str(&to))))
		return;
	imapc_clean(buf_span(&to), clean, sizeof clean);
	buf_addf(out, " TO SOMEBODY ELSE, %s", clean);
}

int mailui_receipt_give(
	struct mailui *u, struct mailbox *b, uint32_t uid, const struct mailui_letter *l, bool yes)
{
	struct outbox_result sent = {.why = ""};
	int r = mail_receipt_answer(b, &u->profile, uid, buf_span(&l->raw), yes);

	if (r < 0)
		return mailui_failed(u, r, "receipt");
	return yes ? outbox_send(u->client, &u->profile, &u->login, u->line, &sent) : CLIENT_OK;
}
