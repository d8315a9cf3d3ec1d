/*
 * quintet mail against a hostile server and hostile senders. The first byte chooses: an IMAP
 * session (log-in, folders, a mailbox and all that is done in it, what maild tells besides), a
 * submission, or a message that is opened, shown and answered; the second in what pieces the
 * server's words arrive, on which the outcome must not depend. Whatever comes out for people is
 * clean.
 */
#include "base/cleanup.h"
#include "base/text.h"
#include "client/mail/imapc.h"
#include "client/mail/smime.h"
#include "client/mail/submit.h"

#include <errno.h>
#include <stdlib.h>

enum { STORY_MAX = 32 << 20, SENT_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void tell(struct buf *story, const char *text)
{
	must(text_is_clean(span_str(text)));
	buf_addf(story, "%s\n", text);
}

static void number(struct buf *story, const char *what, long long n)
{
	buf_addf(story, "%s %lld\n", what, n);
}

/* -- IMAP -------------------------------------------------------------------------------------- */

static void tell_items(struct buf *story, const struct mailbox *b)
{
	size_t count;
	const struct mail_item *i = mailbox_items(b, &count);
	uint32_t last = 0;

	for (size_t k = 0; k < count; k++) {
		must(i[k].uid > last);
		last = i[k].uid;
		number(story, "uid", i[k].uid);
		number(story, "flags", i[k].flags);
		tell(story, i[k].keywords);
		tell(story, i[k].from);
		tell(story, i[k].to);
		tell(story, i[k].cc);
		tell(story, i[k].subject);
		tell(story, i[k].msgid);
	}
}

static uint32_t first_uid(const struct mailbox *b)
{
	size_t count;
	const struct mail_item *i = mailbox_items(b, &count);

	return count > 0 ? i[0].uid : 1;
}

static void acts(struct mailbox *b, struct buf *story)
{
	_cleanup_(buf_done) struct buf message = BUF_INIT(1 << 20), uids = BUF_INIT(1 << 20);
	uint32_t uid = first_uid(b);

	number(story, "message", mailbox_message(b, uid, &message));
	number(story, "size", (long long)message.len);
	number(story, "flag", mailbox_flag(b, &uid, 1, IMAP_FLAG_SEEN, true));
	number(story, "search", mailbox_search(b, SPAN_LIT("TEXT \"\xc3\xa4\""), &uids));
	number(story, "found", (long long)uids.len);
	number(story, "idle", mailbox_idle(b, 10, -1));
	number(story, "move", mailbox_move(b, &uid, 1, "Trash"));
	tell_items(story, b);
	number(story, "append",
		mailbox_append(mailbox_line(b), "Sent", SPAN_LIT("Message-ID: <a@b>\r\n\r\nx\r\n"),
			IMAP_FLAG_SEEN));
	tell_items(story, b);
}

static void tell_folders(struct imapc *m, struct buf *story)
{
	struct mail_folder *f = NULL;
	size_t count = 0;

	number(story, "folders", mail_folders(m, &f, &count));
	for (size_t i = 0; i < count; i++)
		tell(story, f[i].name);
	mail_folders_free(f, count);
}

static void tell_more(struct imapc *m, struct buf *story)
{
	struct mail_receipt *receipts = NULL;
	struct mail_notice *notices = NULL;
	struct mail_person *persons = NULL;
	struct mail_settings settings = {.receipts = ""};
	size_t count = 0;
	unsigned fresh;

	number(story, "receipts", mail_receipts(m, "<a@b>", &receipts, &count));
	for (size_t i = 0; i < count; i++)
		tell(story, receipts[i].subject);
	count = 0;
	number(story, "notices", mail_notices(m, &notices, &count, &fresh));
	for (size_t i = 0; i < count; i++)
		tell(story, notices[i].subject);
	count = 0;
	number(story, "persons", mail_persons(m, &persons, &count));
	for (size_t i = 0; i < count; i++)
		tell(story, persons[i].name);
	number(story, "settings", mail_settings(m, "RECEIPTS", "never", &settings));
	tell(story, settings.receipts);
	free(receipts);
	free(notices);
	free(persons);
}

static void imap(struct span server, size_t step, struct buf *story)
{
	_cleanup_(buf_done) struct buf sent = BUF_INIT(SENT_MAX);
	struct conn *conn = NULL;
	struct imapc *m = NULL;
	struct mailbox *b = NULL;

	must(conn_new_memory(server, step, &sent, &conn) == 0);
	must(imapc_new(NULL, conn, &m) == 0);
	number(story, "login", imapc_login(m, "ann", SPAN_LIT("secret")));
	tell(story, imapc_said(m));
	tell_folders(m, story);
	number(story, "open", mailbox_open(m, NULL, "INBOX", false, &b));
	if (b != NULL) {
		tell_items(story, b);
		acts(b, story);
		mailbox_close(b);
	}
	tell_more(m, story);
	tell(story, imapc_code(m));
	tell(story, imapc_said(m));
	imapc_close(m);
	buf_add(story, buf_span(&sent));
}

/* -- submission -------------------------------------------------------------------------------- */

static void smtp(struct span server, size_t step, struct buf *story)
{
	static const struct span to[] = {SPAN_LIT("bob@x"), SPAN_LIT("j\xc3\xb6rg@x")};
	const struct submit_letter letter = {
		"ann@x", to, 2, SPAN_LIT("Subject: x\r\n\r\n.\r\n\xc3\xbc\r\n")};
	_cleanup_(buf_done) struct buf sent = BUF_INIT(SENT_MAX);
	struct conn *conn = NULL;
	struct submit *s = NULL;
	int r;

	must(conn_new_memory(server, step, &sent, &conn) == 0);
	must(submit_new(NULL, conn, &s) == 0);
	r = submit_login(s, "ann", SPAN_LIT("secret"));
	number(story, "login", r);
	for (int i = 0; r == 0 && i < 3; i++) {
		r = submit_send(s, &letter);
		number(story, "send", r);
		tell(story, submit_said(s));
		r = r == -EREMOTEIO || r == -EBUSY ? 0 : r;
	}
	tell(story, submit_said(s));
	submit_free(s);
	buf_add(story, buf_span(&sent));
}

/* -- messages ---------------------------------------------------------------------------------- */

static void tell_text(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		must(text.p[i] >= ' ' || text.p[i] == '\n' || text.p[i] == '\t');
}

static void view(struct span message, struct buf *story)
{
	struct mail_view v;

	if (mail_view_make(message, &v) < 0)
		return;
	tell(story, v.from);
	tell(story, v.to);
	tell(story, v.cc);
	tell(story, v.subject);
	tell(story, v.date);
	tell_text(buf_span(&v.text));
	for (size_t i = 0; i < v.file_count; i++) {
		_cleanup_(buf_done) struct buf file = BUF_INIT(1 << 20);

		must(strchr(v.files[i].name, '/') == NULL && v.files[i].name[0] != '\0');
		tell(story, v.files[i].name);
		number(story, "file", mail_view_file(&v, i, &file));
	}
	mail_view_done(&v);
}

static void answer(struct span message, enum mail_answer_kind kind)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(64 << 20);
	struct mail_draft d = {.from_address = SPAN_LIT("me@x.org")};
	struct mail_answer a;
	char msgid[256];

	if (mail_answer_make(message, kind, "me@x.org", &a) < 0)
		return;
	d.to = a.to;
	d.to_count = a.to_count;
	d.cc = a.cc;
	d.cc_count = a.cc_count;
	d.subject = buf_span(&a.subject);
	d.text = buf_span(&a.text);
	d.attachments = a.attachments;
	d.attachment_count = a.attachment_count;
	d.in_reply_to = buf_span(&a.in_reply_to);
	d.references = buf_span(&a.references);
	(void)mail_compose(&d, &out, msgid);
	mail_answer_done(&a);
}

static void message(struct span bytes, struct buf *story)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(64 << 20);
	_cleanup_(profile_done) struct profile p = PROFILE_INIT;
	struct mail_item item = {.uid = 1};
	struct smime_verdict v;

	number(story, "open", smime_open(NULL, &p, bytes, &out, &v));
	/* Nobody is trusted here. */
	must(!v.good);
	tell(story, v.reason);
	tell(story, v.signer);
	view(buf_span(&out), story);
	answer(buf_span(&out), MAIL_REPLY_ALL);
	answer(buf_span(&out), MAIL_FORWARD);
	number(story, "due", mail_receipt_is_due(&item, buf_span(&out), "me@x.org"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tasks[])(struct span, size_t, struct buf *) = {imap, smtp};
	struct buf once = BUF_INIT(STORY_MAX), again = BUF_INIT(STORY_MAX);
	struct span rest;

	if (size < 2 || size > 1 << 18)
		return 0;
	rest = span_of(data + 2, size - 2);
	if (data[0] % 3 == 2) {
		message(rest, &once);
	} else {
		tasks[data[0] % 3](rest, 0, &once);
		tasks[data[0] % 3](rest, data[1] % 64 + 1, &again);
		must(span_eq(buf_span(&once), buf_span(&again)));
	}
	buf_done(&once);
	buf_done(&again);
	return 0;
}
