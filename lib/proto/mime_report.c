/* Receipts: message disposition notifications (RFC 8098), read and written. */
#include "base/cleanup.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "proto/mime_i.h"

#include <errno.h>

enum { REPORT_MAX = 64 << 10, TEXT_MAX = 16 << 10, SUBJECT_MAX = 200, MSGID_MAX = 255 };

/* -- reading ----------------------------------------------------------------------------------- */

/* multipart/report of this kind? 1, 0, -ENOMEM. */
static int is_report(const struct mime *m)
{
	_cleanup_(mime_type_done) struct mime_type t = {.type = ""};
	const char *kind;
	int r = mime_type_of(m, &m->parts[0], &t);

	if (r < 0)
		return r;
	kind = mime_param(&t.params, "report-type");
	return strcmp(t.type, "multipart") == 0 && strcmp(t.subtype, "report") == 0 &&
		kind != NULL && span_caseeq_str(span_str(kind), "disposition-notification");
}

/* The part that machines read: index, 0 for none, -ENOMEM. */
static int find_part(const struct mime *m)
{
	for (size_t i = 1; i < m->count; i++) {
		_cleanup_(mime_type_done) struct mime_type t = {.type = ""};
		int r;

		if (m->parts[i].parent != 0)
			continue;
		r = mime_type_of(m, &m->parts[i], &t);
		if (r < 0)
			return r;
		if (strcmp(t.type, "message") == 0 &&
			(strcmp(t.subtype, "disposition-notification") == 0 ||
				strcmp(t.subtype, "global-disposition-notification") == 0))
			return (int)i;
	}
	return 0;
}

static int decoded(const struct mime *m, const struct mime_part *p, struct buf *b)
{
	struct mime_decoder d = {.encoding = p->encoding};
	struct span body = mime_body(m, p);
	int r;

	body.len = body.len < REPORT_MAX ? body.len : REPORT_MAX;
	r = mime_decode(&d, body, b);
	return r < 0 ? r : mime_decode_end(&d, b);
}

/* The value of a field, without blanks around it. */
static int value_of(struct span header, const char *name, struct buf *b)
{
	struct mime_field field;
	int r = mime_field(header, name, 0, &field);

	if (r < 0)
		return r;
	mime_unfold(b, field.value);
	return buf_error(b);
}

/* "manual-action/MDN-sent-manually; displayed" */
static int read_disposition(struct span fields, struct mime_receipt *r)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
	struct span rest, mode = {NULL, 0}, type = {NULL, 0};
	int error = value_of(fields, "Disposition", &b);

	if (error < 0)
		return error == -ENOMEM ? error : -ENOENT;
	rest = buf_span(&b);
	(void)span_split(&rest, ';', &mode);
	/* Behind the type modifiers may stand: "displayed/error". */
	(void)span_split(&rest, '/', &type);
	mode = span_trim(mode);
	r->manual = mode.len >= 13 && span_caseeq_str(span_of(mode.p, 13), "manual-action");
	r->displayed = span_caseeq_str(span_trim(type), "displayed");
	return 0;
}

static int read_msgid(struct span fields, struct mime_receipt *r)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
	struct span rest, id;
	int error = value_of(fields, "Original-Message-ID", &b);

	if (error < 0)
		return error == -ENOMEM ? error : 0;
	rest = buf_span(&b);
	if (mime_msgid_next(&rest, &id))
		(void)span_copy_str(id, r->original_msgid, sizeof(r->original_msgid));
	return 0;
}

/* "rfc822; local@domain" */
static int read_recipient(struct span fields, struct mime_receipt *r)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
	struct span rest, type = {NULL, 0};
	int error = value_of(fields, "Final-Recipient", &b);

	if (error < 0)
		return error == -ENOMEM ? error : 0;
	rest = buf_span(&b);
	(void)span_split(&rest, ';', &type);
	(void)span_copy_str(span_trim(rest), r->final_recipient, sizeof(r->final_recipient));
	return 0;
}

int mime_receipt_parse(const struct mime *m, struct mime_receipt *ret)
{
	_cleanup_(buf_done) struct buf fields = BUF_INIT(REPORT_MAX + 4);
	struct mime_receipt receipt = {.original_msgid = ""};
	int r = is_report(m);
	int part = r > 0 ? find_part(m) : 0;

	if (r < 0 || part < 0)
		return r < 0 ? r : part;
	if (part == 0)
		return -ENOENT;
	r = decoded(m, &m->parts[part], &fields);
	if (r == 0)
		r = read_disposition(buf_span(&fields), &receipt);
	if (r == 0)
		r = read_msgid(buf_span(&fields), &receipt);
	if (r == 0)
		r = read_recipient(buf_span(&fields), &receipt);
	if (r == 0)
		*ret = receipt;
	return r;
}

/* -- may there be one? ------------------------------------------------------------------------- */

/* The addresses of a field; -ENOENT: it is not there, or empty. */
static int addresses_of(struct span header, const char *name, struct mime_addresses *ret)
{
	struct mime_field field;
	int r = mime_field(header, name, 0, &field);

	return r < 0 ? r : mime_addresses_parse(field.value, true, ret);
}

static const struct mime_address *first_address(const struct mime_addresses *a, size_t *ret_count)
{
	const struct mime_address *first = NULL;

	*ret_count = 0;
	for (size_t i = 0; i < a->count; i++) {
		const struct mime_address *x = &a->list[i];

		if (x->group_begin || x->group_end || x->local.len == 0 || x->domain.len == 0)
			continue;
		if (first == NULL)
			first = x;
		(*ret_count)++;
	}
	return first;
}

static bool same_domain(struct span a, struct span b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (mime_lower(a.p[i]) != mime_lower(b.p[i]))
			return false;
	return true;
}

/* Section 2.1: none is sent by itself to another address than the message came from. */
static int check_return_path(struct span header, const struct mime_address *to)
{
	_cleanup_(mime_addresses_done) struct mime_addresses path = {.list = NULL};
	const struct mime_address *from;
	size_t count;
	int r = addresses_of(header, "Return-Path", &path);

	if (r < 0)
		return r;
	from = first_address(&path, &count);
	if (from == NULL || count != 1)
		return -ENOENT;
	return span_eq(from->local, to->local) && same_domain(from->domain, to->domain) ? 0
											: -ENOENT;
}

/* Section 2.2: what must be understood and is not forbids it. None is known here. */
static int check_options(struct span header)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
	struct span rest, option, name = {NULL, 0}, importance = {NULL, 0};
	int r = value_of(header, "Disposition-Notification-Options", &b);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r == -ENOBUFS ? -ENOENT : r;
	rest = buf_span(&b);
	while (span_split(&rest, ';', &option)) {
		(void)span_split(&option, '=', &name);
		(void)span_split(&option, ',', &importance);
		if (span_caseeq_str(span_trim(importance), "required"))
			return -ENOENT;
		importance = span_of(NULL, 0);
	}
	return 0;
}

/* Where to, if there may be one. */
static int judge(const struct mime *m, bool manual, struct buf *ret_to)
{
	_cleanup_(mime_addresses_done) struct mime_addresses asked = {.list = NULL};
	struct span header = mime_header(m, &m->parts[0]);
	const struct mime_address *to;
	size_t count;
	int r = addresses_of(header, "Disposition-Notification-To", &asked);

	if (r < 0)
		return r;
	to = first_address(&asked, &count);
	if (to == NULL || (!manual && count != 1))
		return -ENOENT;
	r = is_report(m);
	if (r != 0)
		return r < 0 ? r : -ENOENT;
	r = check_options(header);
	if (r == 0 && !manual)
		r = check_return_path(header, to);
	if (r < 0)
		return r;
	buf_add(ret_to, to->local);
	buf_add_byte(ret_to, '@');
	buf_add(ret_to, to->domain);
	return buf_error(ret_to);
}

/* -- writing ----------------------------------------------------------------------------------- */

/* What of the original is said again. */
struct told {
	struct buf subject, msgid, recipient;
};

static void told_done(struct told *t)
{
	buf_done(&t->subject);
	buf_done(&t->msgid);
	buf_done(&t->recipient);
}

static int tell(const struct mime *m, struct told *t)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(MIME_FIELD_MAX);
	struct span header = mime_header(m, &m->parts[0]), rest, id;
	struct mime_field field;

	if (mime_field(header, "Subject", 0, &field) == 0)
		mime_words_decode(&t->subject, field.value);
	t->subject.len = mime_utf8_cut(buf_span(&t->subject), SUBJECT_MAX).len;
	if (value_of(header, "Message-ID", &b) == 0) {
		rest = buf_span(&b);
		if (mime_msgid_next(&rest, &id) && id.len <= MSGID_MAX && text_is_print(id))
			buf_add(&t->msgid, id);
	}
	buf_reset(&b);
	if (value_of(header, "Original-Recipient", &b) == 0 && b.len < TEXT_MAX)
		buf_add(&t->recipient, buf_span(&b));
	return buf_error(&t->subject) == -ENOMEM || buf_error(&t->msgid) == -ENOMEM ||
			buf_error(&b) == -ENOMEM
		? -ENOMEM
		: 0;
}

static void put_head(
	const struct mime_receipt_plan *plan, const struct told *t, struct span to, struct buf *b)
{
	_cleanup_(buf_done) struct buf subject = BUF_INIT(TEXT_MAX);
	struct mime_mailbox reader = {.address = span_str(plan->reader)};
	struct mime_mailbox asker = {.address = to};

	buf_addf(&subject, "%s: ", plan->displayed ? "Read" : "Not read");
	buf_add(&subject, buf_span(&t->subject));
	mime_put_date(b, plan->read_us);
	mime_put_addresses(b, "From", &reader, 1);
	mime_put_addresses(b, "To", &asker, 1);
	mime_put_field(b, "Subject", buf_span(&subject));
	if (t->msgid.len > 0)
		mime_put_field(b, "References", buf_span(&t->msgid));
	if (!plan->manual)
		buf_add_str(b, "Auto-Submitted: auto-replied\r\n");
	buf_add_str(b, "MIME-Version: 1.0\r\n");
}

static void put_for_people(
	const struct mime_receipt_plan *plan, const struct told *t, struct buf *b)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
	_cleanup_(buf_done) struct buf when = BUF_INIT(64);
	struct time_parts parts;

	if (time_local(plan->read_us, &parts) == 0)
		time_rfc5322(&when, &parts);
	buf_addf(&text, "Your message to %s", plan->reader);
	if (t->subject.len > 0) {
		buf_add_str(&text, "\n\n\t");
		buf_add(&text, buf_span(&t->subject));
		buf_add_byte(&text, '\n');
	}
	buf_addf(&text, "\nwas %s\non %s.\n",
		plan->displayed ? "displayed" : "deleted without being displayed", buf_str(&when));
	if (plan->displayed)
		buf_add_str(&text, "\nThis does not mean that it has been read or understood.\n");
	mime_put_text(b, buf_span(&text), "plain");
}

static void put_for_machines(
	const struct mime_receipt_plan *plan, const struct told *t, struct buf *b)
{
	buf_add_str(b, "Content-Type: message/disposition-notification\r\n\r\n");
	buf_addf(b, "Reporting-UA: %s; Quintet\r\n", plan->domain);
	if (t->recipient.len > 0)
		mime_put_field(b, "Original-Recipient", buf_span(&t->recipient));
	buf_addf(b, "Final-Recipient: rfc822; %s\r\n", plan->reader);
	if (t->msgid.len > 0) {
		buf_add_str(b, "Original-Message-ID: ");
		buf_add(b, buf_span(&t->msgid));
		buf_add_str(b, "\r\n");
	}
	buf_addf(b, "Disposition: %s; %s\r\n",
		plan->manual ? "manual-action/MDN-sent-manually"
			     : "automatic-action/MDN-sent-automatically",
		plan->displayed ? "displayed" : "deleted");
}

static int put_all(
	const struct mime_receipt_plan *plan, const struct told *t, struct span to, struct buf *b)
{
	_cleanup_(buf_done) struct buf boundary = BUF_INIT(64);
	_cleanup_(buf_done) struct buf msgid = BUF_INIT(512);
	int r = mime_boundary_new(&boundary);

	if (r == 0)
		r = mime_msgid_new(plan->domain, &msgid);
	if (r < 0)
		return r;
	put_head(plan, t, to, b);
	buf_addf(b, "Message-ID: %s\r\n", buf_str(&msgid));
	buf_addf(b,
		"Content-Type: multipart/report; report-type=disposition-notification;\r\n"
		"\tboundary=\"%s\"\r\n\r\n--%s\r\n",
		buf_str(&boundary), buf_str(&boundary));
	put_for_people(plan, t, b);
	buf_addf(b, "\r\n--%s\r\n", buf_str(&boundary));
	put_for_machines(plan, t, b);
	buf_addf(b, "\r\n--%s--\r\n", buf_str(&boundary));
	return buf_error(b);
}

int mime_receipt_write(const struct mime *original, const struct mime_receipt_plan *plan,
	struct buf *ret_to, struct buf *ret)
{
	_cleanup_(told_done) struct told t = {.subject = BUF_INIT(MIME_FIELD_MAX),
		.msgid = BUF_INIT(TEXT_MAX),
		.recipient = BUF_INIT(TEXT_MAX)};
	_cleanup_(buf_done) struct buf to = BUF_INIT(MIME_ADDRESS_MAX);
	int r = judge(original, plan->manual, &to);

	if (r < 0)
		return r == -ENOBUFS ? -ENOENT : r;
	r = tell(original, &t);
	if (r == 0)
		r = put_all(plan, &t, buf_span(&to), ret);
	if (r < 0)
		return r;
	buf_add(ret_to, buf_span(&to));
	return buf_error(ret_to);
}
