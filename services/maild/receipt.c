/*
 * Receipts that an account owes by its own setting (RFC 8098): the commit that first set \Seen has
 * noted each; here it is written and handed to the asker in one commit with the end of the note, so
 * that it goes out once, whoever is killed when.
 */
#include "services/maild/maild.h"

#include "base/cleanup.h"
#include "base/timefmt.h"
#include "proto/smtp.h"

#include <errno.h>
#include <poll.h>

enum {
	AT_ONCE = 32, /* looked up in one view */
	HEADER_MAX = 1 << 20, /* of a message that is answered */
	RECEIPT_MAX = 64 << 10,
	ADDRESS_MAX = 512,
};

struct dues {
	struct mail_due list[AT_ONCE];
	size_t count;
	uint64_t behind; /* ids up to here were dealt with */
	const char *account;
};

static int take_due(void *arg, const struct mail_due *d)
{
	struct dues *dues = arg;

	if (d->id <= dues->behind)
		return 0;
	dues->list[dues->count++] = *d;
	return dues->count == AT_ONCE ? 1 : 0;
}

static int read_dues(struct store_txn *txn, void *arg)
{
	struct dues *dues = arg;
	int r;

	dues->count = 0;
	r = mail_due_each(txn, dues->account, take_due, dues);
	return r < 0 ? r : 0;
}

/* -- the message that is answered -------------------------------------------------------------- */

struct header_of {
	const unsigned char *blob;
	struct mime_part part;
};

static int read_header_size(struct store_txn *txn, void *arg)
{
	struct header_of *h = arg;
	struct mime_record record;
	struct span bytes;
	int r = mail_structure_read(txn, h->blob, &bytes);

	if (r == 0)
		r = mime_record_open(bytes, &record);
	return r == 0 ? mime_record_part(&record, 0, &h->part) : r;
}

/* A receipt asks for nothing but the header. */
static int read_header(struct store *s, const struct mail_due *due, struct buf *ret)
{
	struct header_of h = {.blob = due->blob};
	int r = store_view(s, read_header_size, &h);

	if (r < 0)
		return r;
	if (h.part.header_len > HEADER_MAX)
		return -EFBIG;
	return maild_body_read(s, due->blob, h.part.header, (size_t)h.part.header_len, ret);
}

/* -- one receipt ------------------------------------------------------------------------------- */

struct receipt {
	struct buf header, text, to;
	struct maild_body body;
	char recipient[1][ACCOUNT_NAME_SIZE];
	struct mail_receipt_args args;
};

static void receipt_done(struct receipt *x)
{
	maild_body_done(&x->body);
	buf_done(&x->header);
	buf_done(&x->text);
	buf_done(&x->to);
}

static int write_text(struct service *s, const struct mail_due *due, struct receipt *x)
{
	const struct service_settings *settings = &s->settings;
	char reader[ACCOUNT_NAME_SIZE + sizeof(settings->domain) + 1];
	const struct mime_receipt_plan plan = {.reader = reader,
		.domain = settings->domain,
		.displayed = true,
		.read_us = due->read_us};
	struct mime original = {.count = 0};
	int r = read_header(s->store, due, &x->header);

	if (r < 0)
		return r;
	(void)snprintf(reader, sizeof(reader), "%s@%s", s->who.account.name, settings->domain);
	buf_add_str(&x->text, "Return-Path: <>\r\n");
	r = mime_parse(buf_span(&x->header), &original);
	if (r == 0)
		r = mime_receipt_write(&original, &plan, &x->to, &x->text);
	mime_done(&original);
	return r;
}

/* -ENOENT: it was asked for from elsewhere, or whoever asked is gone. */
static int find_recipient(struct service *s, struct receipt *x)
{
	struct span rest = buf_span(&x->to), local;
	struct smtp_path path = {.is_utf8 = false};
	struct account account;

	if (!span_split(&rest, '@', &local) ||
		span_copy_str(local, path.local, sizeof(path.local)) < 0 ||
		span_copy_str(rest, path.domain, sizeof(path.domain)) < 0 ||
		smtp_local_account(&path, s->settings.domain, s->settings.host, x->recipient[0],
			sizeof(x->recipient[0])) < 0)
		return -ENOENT;
	return account_get(s->store, x->recipient[0], &account);
}

static void copy_fields(struct receipt *x, struct mail_deliver_args *args)
{
	struct span header = mime_header(&x->body.mime, &x->body.mime.parts[0]), msgid;
	struct mime_receipt receipt;
	struct mime_field field;

	if (mime_field(header, "Message-ID", 0, &field) == 0 &&
		mime_msgid_next(&field.value, &msgid))
		(void)span_copy_str(msgid, args->msgid, sizeof(args->msgid));
	if (mime_receipt_parse(&x->body.mime, &receipt) < 0)
		return;
	args->mdn.set = true;
	args->mdn.displayed = receipt.displayed;
	args->mdn.automatic = true;
	memcpy(args->mdn.msgid, receipt.original_msgid, sizeof(args->mdn.msgid));
}

static int compose(struct service *s, const struct mail_due *due, struct receipt *x)
{
	struct mail_deliver_args *deliver = &x->args.deliver;
	const char *account = s->who.account.name;
	int r = write_text(s, due, x);

	memcpy(x->args.account, account, ACCOUNT_NAME_SIZE);
	memcpy(deliver->sender, account, ACCOUNT_NAME_SIZE);
	x->args.due = due->id;
	deliver->now_us = time_now_us();
	if (r == 0)
		r = find_recipient(s, x);
	if (r == -ENOENT)
		return 0; /* there is nobody to send it to */
	if (r == 0)
		r = maild_body_make(s->store, buf_span(&x->text), &x->body);
	if (r < 0)
		return r;
	(void)snprintf(
		deliver->from, sizeof(deliver->from), "%s@%.220s", account, s->settings.domain);
	copy_fields(x, deliver);
	deliver->body = x->body.body;
	deliver->recipients = (const char(*)[ACCOUNT_NAME_SIZE])x->recipient;
	deliver->count = 1;
	return 0;
}

static int send_one(struct service *s, const struct mail_due *due)
{
	_cleanup_(receipt_done) struct receipt x = {.header = BUF_INIT(HEADER_MAX),
		.text = BUF_INIT(RECEIPT_MAX),
		.to = BUF_INIT(ADDRESS_MAX)};
	struct mail_deliver_result result = {.delivered = 0};
	int r = compose(s, due, &x);

	if (r == 0)
		r = store_call(s->store, STORE_OP_MAIL_RECEIPT, &x.args, &result);
	if (r < 0)
		return r == -ENOENT ? 0 : r; /* another session was quicker */
	(void)mail_ring(s->store, s->settings.runtime, s->who.account.name);
	if (result.delivered > 0)
		(void)mail_ring(s->store, s->settings.runtime, x.recipient[0]);
	return 0;
}

static bool is_revoked(const struct service *s)
{
	struct pollfd none = {.fd = -1};

	return conn_poll(s->conn, &none, 1, time_monotonic_ms()) == -EACCES;
}

int maild_receipts_send(struct service *s)
{
	struct dues dues = {.account = s->who.account.name};
	int r;

	do {
		r = store_view(s->store, read_dues, &dues);
		for (size_t i = 0; r >= 0 && i < dues.count; i++) {
			/* There may be thousands of them. */
			if (is_revoked(s))
				return -EACCES;
			dues.behind = dues.list[i].id;
			r = send_one(s, &dues.list[i]);
			if (r >= 0)
				continue;
			log_event(LOG_LEVEL_WARNING, "a receipt could not be sent",
				log_fields({"ERROR", span_str(err_text(r))}));
			r = 0;
		}
	} while (r >= 0 && dues.count == AT_ONCE);
	if (r < 0)
		log_event(LOG_LEVEL_WARNING, "receipts that are due could not be looked up",
			log_fields({"ERROR", span_str(err_text(r))}));
	return 0;
}
