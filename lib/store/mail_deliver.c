/*
 * DELIVER: first everything that could stand in the way is looked at, for all recipients; then the
 * message is added to each INBOX, with what is noted beside it.
 */
#include "store/mail_i.h"

#include <errno.h>

struct delivery {
	struct store_txn *txn;
	const struct mail_deliver_args *args;
	bool keyed;
	bool has[MAIL_RECIPIENTS_MAX]; /* this submission already */
	struct mail_deliver_result *ret;
};

/* -- before ------------------------------------------------------------------------------------ */

static bool texts_ok(const struct mail_deliver_args *a)
{
	return row_is_text(a->sender, sizeof(a->sender)) && a->sender[0] != '\0' &&
		row_is_text(a->msgid, sizeof(a->msgid)) && row_is_text(a->from, sizeof(a->from)) &&
		row_is_text(a->subject, sizeof(a->subject)) &&
		(!a->mdn.set || row_is_text(a->mdn.msgid, sizeof(a->mdn.msgid)));
}

static bool args_ok(const struct mail_deliver_args *a)
{
	if (a->count == 0 || a->count > MAIL_RECIPIENTS_MAX || (a->mdn.set && a->count != 1))
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!row_is_text(a->recipients[i], sizeof(a->recipients[i])))
			return false;
	return texts_ok(a);
}

static bool named_before(const struct mail_deliver_args *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(a->recipients[i], a->recipients[n]) == 0)
			return true;
	return false;
}

static int look_at(struct delivery *d, size_t n)
{
	const struct mail_deliver_args *a = d->args;
	struct mail_account account;
	int rc = mail_account_ready(d->txn, a->recipients[n], a->now_us, &account);

	d->has[n] = named_before(a, n);
	if (rc < 0 || d->has[n])
		return rc;
	if (d->keyed) {
		rc = mail_done_find(d->txn, a->recipients[n], a->key, a->now_us);
		d->has[n] = rc == 1;
		if (rc != 0)
			return rc < 0 ? rc : 0;
	}
	return mail_quota_check(d->txn, &account, a->body.blob.size);
}

/* What is noted of the message is the sender's: it may have no mail yet. */
static int look_at_sender(struct delivery *d)
{
	struct mail_account account;
	int rc = mail_account_ready(d->txn, d->args->sender, d->args->now_us, &account);

	return rc == -ENOENT ? -EINVAL : rc;
}

/* -- one recipient ----------------------------------------------------------------------------- */

/* What becomes of the row of the message that this one answers; *n is the notice of it then. Only
 * the first answer counts. */
static int note_answer(struct delivery *d, struct mail_notice *n)
{
	const struct mail_deliver_args *a = d->args;
	struct mail_sent s;
	uint64_t number = 0;
	int rc = mail_sent_find(d->txn, a->recipients[0], a->mdn.msgid, a->sender, &number, &s);

	if (rc == -ENOENT || (rc == 0 && (s.read_us != 0 || s.declined)))
		return 0;
	if (rc < 0)
		return rc;
	if (a->mdn.displayed)
		s.read_us = a->now_us;
	s.declined = !a->mdn.displayed;
	s.automatic = a->mdn.automatic;
	n->kind = s.declined ? MAIL_NOTICE_DECLINED : MAIL_NOTICE_READ;
	n->box = 0;
	n->uid = 0;
	memcpy(n->msgid, s.msgid, sizeof(n->msgid));
	memcpy(n->subject, s.subject, sizeof(n->subject));
	return mail_sent_write(d->txn, a->recipients[0], number, &s);
}

static int note_new(struct delivery *d, struct mail_writer *w, uint64_t box, uint32_t uid)
{
	const struct mail_deliver_args *a = d->args;
	struct mail_notice n = {
		.kind = MAIL_NOTICE_NEW, .at_us = a->now_us, .box = box, .uid = uid};
	int rc = 0;

	memcpy(n.from, a->from, sizeof(n.from));
	memcpy(n.msgid, a->msgid, sizeof(n.msgid));
	memcpy(n.subject, a->subject, sizeof(n.subject));
	if (a->mdn.set)
		rc = note_answer(d, &n);
	return rc < 0 ? rc : mail_notice_add(d->txn, &w->account, &n);
}

/* The message in the INBOX, and its notice. */
static int add_to(struct delivery *d, const char *recipient)
{
	const struct mail_deliver_args *a = d->args;
	struct mail_message m = {
		.size = a->body.blob.size, .date_us = a->now_us, .asks = a->body.asks};
	struct mail_writer w;
	struct mail_box box;
	int rc = mail_writer_open(d->txn, recipient, a->now_us, &w);

	memcpy(m.blob, a->body.blob.id, sizeof(m.blob));
	if (rc == 0)
		rc = mail_box_find(d->txn, recipient, SPAN_LIT("INBOX"), &box);
	if (rc == 0)
		rc = mail_message_add(&w, &box, &m);
	if (rc == 0)
		rc = mail_box_write(d->txn, recipient, &box);
	if (rc == 0)
		rc = note_new(d, &w, box.id, m.uid);
	return rc < 0 ? rc : mail_writer_close(&w);
}

static int note_sent(struct delivery *d, const char *recipient)
{
	const struct mail_deliver_args *a = d->args;
	struct mail_sent s = {
		.sent_us = a->now_us, .delivered_us = a->now_us, .asked = a->body.asks};

	memcpy(s.msgid, a->msgid, sizeof(s.msgid));
	memcpy(s.recipient, recipient, sizeof(s.recipient));
	memcpy(s.subject, a->subject, sizeof(s.subject));
	return mail_sent_add(d->txn, a->sender, &s);
}

static int deliver_to(struct delivery *d, size_t n)
{
	const char *recipient = d->args->recipients[n];
	int rc;

	if (d->has[n]) {
		d->ret->duplicates++;
		return 0;
	}
	rc = add_to(d, recipient);
	if (rc == 0 && d->keyed)
		rc = mail_done_note(d->txn, recipient, d->args->key, d->args->now_us);
	if (rc == 0 && d->args->track)
		rc = note_sent(d, recipient);
	d->ret->delivered += rc == 0;
	return rc;
}

/* -- the operation ----------------------------------------------------------------------------- */

int mail_deliver(
	struct store_txn *txn, const struct mail_deliver_args *a, struct mail_deliver_result *ret)
{
	static const unsigned char no_key[sizeof(a->key)];
	struct delivery d = {.txn = txn, .args = a, .ret = ret};
	int rc = args_ok(a) ? 0 : -EINVAL;

	if (rc < 0)
		return rc;
	d.keyed = memcmp(a->key, no_key, sizeof(no_key)) != 0;
	for (size_t i = 0; rc == 0 && i < a->count; i++) {
		ret->bad = i;
		rc = look_at(&d, i);
	}
	if (rc < 0)
		return rc;
	ret->bad = 0;
	rc = a->track ? look_at_sender(&d) : 0;
	for (size_t i = 0; rc == 0 && i < a->count; i++)
		rc = deliver_to(&d, i);
	if (rc == 0 && ret->delivered > 0)
		rc = mail_body_ref(txn, &a->body, ret->delivered);
	return rc == -ENOENT ? -EBADMSG : rc; /* they have all been looked at */
}

int op_mail_deliver(struct store_txn *txn, const void *args, void *result)
{
	return mail_deliver(txn, args, result);
}
