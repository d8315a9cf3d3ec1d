/*
 * From a message's bytes to the commit that hands it to all its recipients, and only then to 250.
 * The body stays where it came in: the new header is put right in front of it.
 */
#include "services/maild/smtp/smtp.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/timefmt.h"

#include <errno.h>

enum {
	HEADER_MAX = 1 << 20, /* bytes of a header that is taken */
	SUBJECT_MAX = 1 << 17, /* decoded, before it is cut */
	WHO_MAX = 1024,
	ID_BYTES = 8,
	ID_LEN = 2 * ID_BYTES, /* in hexadecimal */
};

struct delivery {
	struct smtp_session *s;
	struct span submitted; /* as it came */
	size_t header_len; /* of it */
	struct span message; /* as it is kept */
	char id[ID_LEN + 1];
	struct maild_body body;
	struct mail_deliver_args args;
	struct mail_deliver_result result;
};

static void delivery_done(struct delivery *d)
{
	maild_body_done(&d->body);
}

static struct smtp_house house_of(const struct smtp_session *s)
{
	return (struct smtp_house){.account = smtp_account(s),
		.domain = s->service->settings.domain,
		.host = s->service->settings.host};
}

/* 0; 1: refused; negative as conn. */
static int refused(int r)
{
	return r < 0 ? r : 1;
}

/* -- may it be sent? --------------------------------------------------------------------------- */

static int check_authors(struct delivery *d)
{
	_cleanup_(buf_done) struct buf who = BUF_INIT(WHO_MAX);
	struct smtp_house house = house_of(d->s);
	struct span header = span_of(d->submitted.p, d->header_len);
	int r = smtp_header_authors(header, &house, &who);

	if (r == 0)
		return 0;
	if (r == -EPERM)
		return refused(smtp_say(d->s, 550, "5.7.1",
			"You are %s@%s: From and Sender cannot name %.200s.", house.account,
			house.domain, buf_str(&who)));
	if (r == -EBADMSG)
		return refused(smtp_say(d->s, 550, "5.6.0",
			"From (and Sender) is there once, with addresses of yours."));
	return refused(smtp_say_failure(d->s, r, "a header cannot be read"));
}

/* Nobody answers what has no sender: it is for receipts and other reports. */
static int check_empty_sender(struct delivery *d)
{
	struct mime_type type = {.params = {.count = 0}};
	bool ok;

	if (d->s->envelope.sender[0] != '\0')
		return 0;
	if (mime_type_of(&d->body.mime, &d->body.mime.parts[0], &type) < 0)
		return refused(smtp_say_failure(d->s, -ENOMEM, "a message cannot be read"));
	ok = strcmp(type.type, "multipart") == 0 && strcmp(type.subtype, "report") == 0;
	mime_type_done(&type);
	return ok ? 0
		  : refused(smtp_say(d->s, 550, "5.7.1",
			    "MAIL FROM:<> is for receipts; this message is none."));
}

/* -- as it is kept ----------------------------------------------------------------------------- */

static int make_id(char ret[ID_LEN + 1])
{
	_cleanup_(buf_done) struct buf hex = BUF_INIT(ID_LEN);
	unsigned char bytes[ID_BYTES];
	int r = hash_random(bytes, sizeof(bytes));

	if (r < 0)
		return r;
	text_hex(&hex, span_of(bytes, sizeof(bytes)));
	return span_copy_str(buf_span(&hex), ret, ID_LEN + 1);
}

static int write_header(struct delivery *d, struct buf *ret)
{
	const struct smtp_session *s = d->s;
	const struct tls_info *tls = conn_tls(s->conn);
	struct smtp_stamp stamp = {.house = house_of(s),
		.sender = s->envelope.sender,
		.tls = tls != NULL ? tls->protocol : "TLS",
		.id = d->id,
		.is_utf8 = s->envelope.is_utf8,
		.extended = s->extended,
		.now_us = d->args.now_us};

	return smtp_header_write(ret, span_of(d->submitted.p, d->header_len), &stamp);
}

/* The new header ends where the body begins. */
static int stamp_message(struct delivery *d)
{
	_cleanup_(buf_done) struct buf header = BUF_INIT(SMTP_FIELDS_MAX + d->header_len);
	unsigned char *body = d->s->message.p + SMTP_FIELDS_MAX + d->header_len;
	int r = write_header(d, &header);

	if (r < 0)
		return r;
	memcpy(body - header.len, header.p, header.len);
	d->message = span_of(body - header.len, header.len + d->submitted.len - d->header_len);
	return 0;
}

/* -- what is said of it in the store ----------------------------------------------------------- */

/* A retry is known by its Message-ID: without one, equal bytes may well be two messages. */
static int make_key(struct delivery *d)
{
	struct hash *h = NULL;
	struct mime_field field;
	int r;

	if (mime_field(span_of(d->submitted.p, d->header_len), "Message-ID", 0, &field) < 0)
		return 0;
	r = hash_new(&h);
	if (r == 0)
		r = hash_update(h, span_of(d->args.sender, strlen(d->args.sender) + 1));
	if (r == 0)
		r = hash_update(h, field.value);
	if (r == 0)
		r = hash_update(h, d->submitted);
	if (r == 0)
		r = hash_final(h, d->args.key);
	hash_free(h);
	return r;
}

static void copy_subject(struct span header, char ret[MAIL_SUBJECT_SIZE])
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(SUBJECT_MAX);
	struct mime_field field;
	size_t len;

	if (mime_field(header, "Subject", 0, &field) < 0)
		return;
	mime_words_decode(&text, field.value);
	len = text.len < MAIL_SUBJECT_SIZE ? text.len : MAIL_SUBJECT_SIZE - 1;
	while (len > 0 && len < text.len && (text.p[len] & 0xc0) == 0x80)
		len--;
	(void)span_copy_str(span_of(text.p, len), ret, MAIL_SUBJECT_SIZE);
}

static void copy_msgid(struct span header, char ret[MAIL_MSGID_SIZE])
{
	struct mime_field field;
	struct span msgid;

	if (mime_field(header, "Message-ID", 0, &field) == 0 &&
		mime_msgid_next(&field.value, &msgid))
		(void)span_copy_str(msgid, ret, MAIL_MSGID_SIZE);
}

/* A receipt counts where its reader is who sends it, and it goes to one person. */
static void copy_receipt(struct delivery *d)
{
	const struct smtp_session *s = d->s;
	struct mail_mdn *mdn = &d->args.mdn;
	struct mime_receipt receipt;
	struct smtp_path path = {.is_utf8 = false};
	char name[ACCOUNT_NAME_SIZE];
	struct span rest, local = {0};

	if (mime_receipt_parse(&d->body.mime, &receipt) < 0)
		return;
	d->args.track = false;
	rest = span_str(receipt.final_recipient);
	(void)span_split(&rest, '@', &local);
	if (d->args.count != 1 || span_copy_str(local, path.local, sizeof(path.local)) < 0 ||
		span_copy_str(rest, path.domain, sizeof(path.domain)) < 0 ||
		smtp_local_account(&path, s->service->settings.domain, s->service->settings.host,
			name, sizeof(name)) < 0 ||
		strcmp(name, d->args.sender) != 0)
		return;
	mdn->set = true;
	mdn->displayed = receipt.displayed;
	mdn->automatic = !receipt.manual;
	memcpy(mdn->msgid, receipt.original_msgid, sizeof(mdn->msgid));
}

static void describe(struct delivery *d)
{
	const struct smtp_session *s = d->s;
	struct span header = mime_header(&d->body.mime, &d->body.mime.parts[0]);

	d->args.body = d->body.body;
	d->args.recipients = s->envelope.recipients;
	d->args.count = s->envelope.count;
	d->args.track = true;
	(void)snprintf(d->args.from, sizeof(d->args.from), "%s@%.220s", smtp_account(s),
		s->service->settings.domain);
	copy_msgid(header, d->args.msgid);
	copy_subject(header, d->args.subject);
	copy_receipt(d);
}

/* -- the commit -------------------------------------------------------------------------------- */

struct full {
	const char *account;
	struct mail_usage usage;
};

static int read_usage(struct store_txn *txn, void *arg)
{
	struct full *full = arg;

	return mail_usage_read(txn, full->account, &full->usage);
}

static int say_full(struct delivery *d)
{
	struct full full = {.account = d->args.recipients[d->result.bad]};
	int r = store_view(d->s->service->store, read_usage, &full);

	if (r < 0)
		return smtp_say_failure(d->s, r, "a quota cannot be read");
	return smtp_say(d->s, 552, "5.2.2",
		"The mailbox of %s has no room for the %llu bytes of this message (its quota is "
		"%llu). Nobody was given it.",
		full.account, (unsigned long long)d->message.len,
		(unsigned long long)full.usage.limit);
}

static int say_error(struct delivery *d, int error)
{
	if (d->result.bad >= d->args.count || (error != -EDQUOT && error != -ENOENT))
		return smtp_say_failure(d->s, error, "a message cannot be delivered");
	if (error == -EDQUOT)
		return say_full(d);
	return smtp_say(d->s, 550, "5.1.1", "There is no %s here any more. Nobody was given it.",
		d->args.recipients[d->result.bad]);
}

static int commit(struct delivery *d)
{
	struct smtp_session *s = d->s;
	struct service *service = s->service;
	int r = store_call(service->store, STORE_OP_MAIL_DELIVER, &d->args, &d->result);

	if (r < 0)
		return say_error(d, r);
	for (size_t i = 0; i < d->args.count; i++)
		(void)mail_ring(service->store, service->settings.runtime, d->args.recipients[i]);
	log_event(LOG_LEVEL_INFO, "message taken",
		log_fields({"ID", span_str(d->id)}, {"MSGID", span_str(d->args.msgid)}));
	if (d->result.delivered == 0)
		return smtp_say(s, 250, "2.0.0", "It was delivered before, and was not again.");
	return smtp_say(s, 250, "2.0.0", "Delivered to %u as %s.", d->result.delivered, d->id);
}

/* Each step: 0; 1: refused, and told; negative: as conn, or an error to be told. */
static int run(struct delivery *d)
{
	struct smtp_session *s = d->s;
	int r;

	if (d->header_len > HEADER_MAX)
		return smtp_say(s, 552, "5.3.4", "The header has more than %d bytes.", HEADER_MAX);
	r = check_authors(d);
	if (r != 0)
		return r < 0 ? r : 0;
	r = make_id(d->id);
	if (r == 0)
		r = make_key(d);
	if (r == 0)
		r = stamp_message(d);
	if (r == 0)
		r = maild_body_make(s->service->store, d->message, &d->body);
	if (r == -ENOBUFS)
		return smtp_say(s, 554, "5.6.0", "The message has too many parts or fields.");
	if (r < 0)
		return smtp_say_failure(s, r, "a message cannot be kept");
	r = check_empty_sender(d);
	if (r != 0)
		return r < 0 ? r : 0;
	describe(d);
	return commit(d);
}

int smtp_deliver(struct smtp_session *s)
{
	_cleanup_(delivery_done) struct delivery d = {.s = s};
	int r;

	d.submitted = span_of(s->message.p + SMTP_FIELDS_MAX, s->message.len - SMTP_FIELDS_MAX);
	d.header_len = smtp_header_length(d.submitted);
	d.args.now_us = time_now_us();
	memcpy(d.args.sender, smtp_account(s), ACCOUNT_NAME_SIZE);
	r = run(&d);
	smtp_envelope_reset(s);
	return r < 0 ? r : 0;
}
