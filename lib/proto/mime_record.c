/*
 * The row that a server keeps of a message. It is written for every message, whatever is in it:
 * what would grow beyond its budget is said poorly instead.
 */
#include "base/cleanup.h"
#include "base/rec.h"
#include "base/text.h"
#include "proto/mime_i.h"

#include <errno.h>

enum {
	RECORD_VERSION = 1,
	PART_SIZE = 56,
	VIEW_MAX = 1 << 20, /* bytes of ENVELOPE, BODY and BODYSTRUCTURE, of each */
	KEY_MAX = 255, /* bytes of a sort key */
	MSGID_MAX = 998,
	REFERENCES_MAX = 100, /* the last ones of a message */
};

/* -- parts ------------------------------------------------------------------------------------- */

static void put_part(struct buf *b, const struct mime_part *p)
{
	buf_add_byte(b, (unsigned char)p->kind);
	buf_add_byte(b, (unsigned char)p->encoding);
	buf_add_byte(b, p->in_digest);
	buf_add_byte(b, (unsigned char)p->depth);
	buf_add_u32(b, p->parent);
	buf_add_u32(b, p->first);
	buf_add_u32(b, p->next);
	buf_add_u64(b, p->header);
	buf_add_u64(b, p->header_len);
	buf_add_u64(b, p->body);
	buf_add_u64(b, p->body_len);
	buf_add_u32(b, p->body_lines);
	buf_add_u32(b, 0);
}

int mime_record_part(const struct mime_record *r, size_t index, struct mime_part *ret)
{
	struct rec rec;

	if (index >= r->part_count)
		return -ENOENT;
	rec = rec_of(span_of(r->parts.p + index * PART_SIZE, PART_SIZE));
	ret->kind = (enum mime_kind)rec_u8(&rec);
	ret->encoding = (enum mime_encoding)rec_u8(&rec);
	ret->in_digest = rec_u8(&rec) != 0;
	ret->depth = rec_u8(&rec);
	ret->parent = rec_u32(&rec);
	ret->first = rec_u32(&rec);
	ret->next = rec_u32(&rec);
	ret->header = rec_u64(&rec);
	ret->header_len = rec_u64(&rec);
	ret->body = rec_u64(&rec);
	ret->body_len = rec_u64(&rec);
	ret->body_lines = rec_u32(&rec);
	return 0;
}

/* The nth part inside, from 1. Children come in order, and behind their parent. */
static int nth_child(
	const struct mime_record *r, const struct mime_part *p, uint32_t n, struct mime_part *ret)
{
	struct mime_part child;
	uint32_t index = p->first, seen = 0;

	while (mime_record_part(r, index, &child) == 0 && ++seen <= r->part_count) {
		if (seen == n) {
			*ret = child;
			return 0;
		}
		index = child.next;
	}
	return -ENOENT;
}

/* A message that is no multipart has one part, itself. */
static int nth_of_message(const struct mime_record *r, const struct mime_part *message, uint32_t n,
	struct mime_part *ret)
{
	if (message->kind == MIME_MULTIPART)
		return nth_child(r, message, n, ret);
	if (n != 1)
		return -ENOENT;
	*ret = *message;
	return 0;
}

int mime_record_section(
	const struct mime_record *r, const uint32_t *numbers, size_t count, struct mime_part *ret)
{
	struct mime_part part, inner;
	int e = mime_record_part(r, 0, &part);

	if (e == 0 && count > 0)
		e = nth_of_message(r, &part, numbers[0], &part);
	for (size_t i = 1; i < count && e == 0; i++) {
		if (part.kind == MIME_MULTIPART) {
			e = nth_child(r, &part, numbers[i], &part);
			continue;
		}
		if (part.kind != MIME_MESSAGE)
			return -ENOENT;
		e = nth_child(r, &part, 1, &inner);
		if (e == 0)
			e = nth_of_message(r, &inner, numbers[i], &part);
	}
	if (e == 0)
		*ret = part;
	return e;
}

/* -- views ------------------------------------------------------------------------------------- */

enum view { VIEW_ENVELOPE, VIEW_BODY, VIEW_BODYSTRUCTURE };

static int put_view(struct buf *ret, const struct mime *m, enum view view, bool poor)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(VIEW_MAX);
	struct mime_view v = {
		.b = &b, .m = m, .extended = view == VIEW_BODYSTRUCTURE, .poor = poor};

	if (view == VIEW_ENVELOPE)
		mime_view_envelope(&v, mime_header(m, &m->parts[0]));
	else
		mime_view_body(&v);
	if (buf_error(&b) == -ENOBUFS && !poor)
		return put_view(ret, m, view, true);
	if (buf_error(&b) < 0)
		return buf_error(&b);
	rec_put_bytes(ret, buf_span(&b));
	return buf_error(ret);
}

/* -- sort keys --------------------------------------------------------------------------------- */

static void put_key(struct buf *ret, struct span text)
{
	_cleanup_(buf_done) struct buf key = BUF_INIT((size_t)MIME_FIELD_MAX * 6);

	mime_casefold(&key, mime_utf8_cut(text, KEY_MAX));
	rec_put_bytes(ret, mime_utf8_cut(buf_span(&key), KEY_MAX));
}

/* RFC 5957: the name, or else the address. */
static void put_display_key(struct buf *ret, const struct mime_address *a)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT((size_t)MIME_FIELD_MAX * 4);

	buf_add(&text, a->name);
	if (a->name.len == 0) {
		buf_add(&text, a->local);
		if (a->domain.len > 0)
			buf_add_byte(&text, '@');
		buf_add(&text, a->domain);
	}
	put_key(ret, buf_span(&text));
}

/* The keys of the first address of a field: its local part, and as it is shown. */
static int put_address_keys(struct buf *ret, struct span header, const char *name, bool display)
{
	_cleanup_(mime_addresses_done) struct mime_addresses a = {.count = 0};
	struct mime_address none = {.group_begin = false}, *first = &none;
	struct mime_field field;
	int r = 0;

	if (mime_field(header, name, 0, &field) == 0)
		r = mime_addresses_parse(field.value, false, &a);
	if (r < 0)
		return r;
	if (a.count > 0)
		first = &a.list[0];
	put_key(ret, first->group_begin ? first->name : first->local);
	if (display)
		put_display_key(ret, first);
	return 0;
}

static void put_subject(struct buf *ret, struct span header)
{
	_cleanup_(buf_done) struct buf base = BUF_INIT((size_t)MIME_FIELD_MAX * 6);
	struct mime_field field;
	bool reply = false;

	if (mime_field(header, "Subject", 0, &field) == 0)
		mime_base_subject(&base, field.value, &reply);
	buf_add_byte(ret, reply);
	rec_put_bytes(ret, mime_utf8_cut(buf_span(&base), KEY_MAX));
}

static void put_date(struct buf *ret, struct span header)
{
	struct mime_field field;
	int64_t at_us = INT64_MIN;
	int32_t offset_s = 0;

	if (mime_field(header, "Date", 0, &field) == 0)
		(void)mime_date_parse(field.value, &at_us, &offset_s);
	rec_put_i64(ret, at_us);
	buf_add_u32(ret, (uint32_t)offset_s);
}

/* -- threads ----------------------------------------------------------------------------------- */

static void put_msgid(struct buf *b, struct span msgid)
{
	_cleanup_(buf_done) struct buf plain = BUF_INIT(MSGID_MAX);

	mime_msgid_plain(&plain, msgid);
	if (buf_error(&plain) < 0)
		buf_reset(&plain);
	buf_add_u16(b, (uint16_t)plain.len);
	buf_add(b, buf_span(&plain));
}

static size_t count_msgids(struct span value)
{
	struct span msgid;
	size_t count = 0;

	while (mime_msgid_next(&value, &msgid))
		count++;
	return count;
}

/* RFC 5256: those of References, or else the first of In-Reply-To. */
static void put_references(struct buf *ret, struct span header)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT((size_t)MIME_FIELD_MAX * 2);
	struct mime_field field = {.value = {NULL, 0}};
	struct span msgid;
	size_t count = 0, skip, only = 1;

	if (mime_field(header, "References", 0, &field) == 0)
		count = count_msgids(field.value);
	if (count > 0)
		only = count;
	else if (mime_field(header, "In-Reply-To", 0, &field) < 0)
		field.value = span_of(NULL, 0);
	skip = count > REFERENCES_MAX ? count - REFERENCES_MAX : 0;
	for (size_t i = 0; i < only && mime_msgid_next(&field.value, &msgid); i++)
		if (i >= skip)
			put_msgid(&list, msgid);
	rec_put_bytes(ret, buf_span(&list));
}

bool mime_record_reference(struct span *rest, struct span *ret)
{
	struct rec rec = rec_of(*rest);
	uint16_t len = rec_u16(&rec);
	struct span msgid = rec_raw(&rec, len);

	if (rest->len == 0 || rec.error < 0)
		return false;
	*ret = msgid;
	*rest = rec.rest;
	return true;
}

static void put_own_msgid(struct buf *ret, struct span header)
{
	_cleanup_(buf_done) struct buf plain = BUF_INIT(MSGID_MAX);
	struct mime_field field;
	struct span msgid;

	if (mime_field(header, "Message-ID", 0, &field) == 0 &&
		mime_msgid_next(&field.value, &msgid))
		mime_msgid_plain(&plain, msgid);
	if (buf_error(&plain) < 0)
		buf_reset(&plain);
	rec_put_bytes(ret, buf_span(&plain));
}

/* A receipt is never asked for a receipt. */
static int asks(const struct mime *m, bool *ret)
{
	struct span header = mime_header(m, &m->parts[0]);
	struct mime_field field;
	struct mime_raw raw;
	const struct mime_raw_param *report;
	int r;

	*ret = mime_field(header, "Disposition-Notification-To", 0, &field) == 0;
	if (!*ret)
		return 0;
	r = mime_raw_type(header, false, &raw);
	if (r < 0)
		return r;
	report = mime_raw_find(&raw, "report-type");
	if (mime_raw_is(&raw, "multipart", "report") && report != NULL &&
		span_caseeq_str(report->value, "disposition-notification"))
		*ret = false;
	mime_raw_done(&raw);
	return 0;
}

/* -- the row ----------------------------------------------------------------------------------- */

static int put_keys(const struct mime *m, struct buf *ret)
{
	struct span header = mime_header(m, &m->parts[0]);
	bool asked;
	int r;

	put_date(ret, header);
	put_subject(ret, header);
	if ((r = put_address_keys(ret, header, "From", true)) < 0 ||
		(r = put_address_keys(ret, header, "To", true)) < 0 ||
		(r = put_address_keys(ret, header, "Cc", false)) < 0 || (r = asks(m, &asked)) < 0)
		return r;
	put_own_msgid(ret, header);
	put_references(ret, header);
	buf_add_byte(ret, asked);
	return 0;
}

int mime_record_write(const struct mime *m, struct buf *ret)
{
	int r = 0;

	buf_add_byte(ret, RECORD_VERSION);
	buf_add_u64(ret, m->bytes.len);
	buf_add_u32(ret, (uint32_t)m->count);
	for (size_t i = 0; i < m->count; i++)
		put_part(ret, &m->parts[i]);
	for (enum view view = VIEW_ENVELOPE; view <= VIEW_BODYSTRUCTURE && r == 0; view++)
		r = put_view(ret, m, view, false);
	if (r == 0)
		r = put_keys(m, ret);
	return r < 0 ? r : buf_error(ret);
}

static bool inside(const struct mime_record *r, const struct mime_part *p)
{
	return p->header <= r->size && p->header_len <= r->size - p->header && p->body <= r->size &&
		p->body_len <= r->size - p->body;
}

static bool parts_ok(const struct mime_record *r)
{
	struct mime_part p;

	for (size_t i = 0; i < r->part_count; i++) {
		(void)mime_record_part(r, i, &p);
		if (p.kind > MIME_MESSAGE || p.encoding > MIME_OTHER || !inside(r, &p))
			return false;
	}
	return r->part_count > 0;
}

int mime_record_open(struct span bytes, struct mime_record *ret)
{
	struct rec rec = rec_of(bytes);
	struct mime_record r = {.size = 0};
	uint8_t version = rec_u8(&rec);

	r.size = rec_u64(&rec);
	r.part_count = rec_u32(&rec);
	if (version != RECORD_VERSION || r.part_count > MIME_PARTS_MAX)
		return -EBADMSG;
	r.parts = rec_raw(&rec, r.part_count * PART_SIZE);
	r.envelope = rec_bytes(&rec, VIEW_MAX);
	r.body = rec_bytes(&rec, VIEW_MAX);
	r.bodystructure = rec_bytes(&rec, VIEW_MAX);
	r.date_us = rec_i64(&rec);
	r.date_offset_s = (int32_t)rec_u32(&rec);
	r.reply = rec_u8(&rec) != 0;
	r.subject = rec_bytes(&rec, KEY_MAX);
	r.from = rec_bytes(&rec, KEY_MAX);
	r.from_display = rec_bytes(&rec, KEY_MAX);
	r.to = rec_bytes(&rec, KEY_MAX);
	r.to_display = rec_bytes(&rec, KEY_MAX);
	r.cc = rec_bytes(&rec, KEY_MAX);
	r.msgid = rec_bytes(&rec, MSGID_MAX);
	r.references = rec_bytes(&rec, (size_t)MIME_FIELD_MAX * 2);
	r.asks = rec_u8(&rec) != 0;
	if (rec_end(&rec) < 0 || !parts_ok(&r))
		return -EBADMSG;
	*ret = r;
	return 0;
}
