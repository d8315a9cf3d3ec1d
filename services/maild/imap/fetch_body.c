/*
 * BODY[...], BODY.PEEK[...] and RFC822, .HEADER, .TEXT: which bytes of the message a section is
 * (RFC 9051 section 6.4.5), and they themselves.
 */
#include "services/maild/imap/fetch.h"

#include "base/cleanup.h"

#include <errno.h>

/* The message whose header and text are meant: the whole one, or that which a part holds. */
static int find_message(
	const struct fetch *j, const struct imap_fetch_item *item, struct mime_part *ret)
{
	struct mime_part part;
	int r;

	if (item->number_count == 0)
		return mime_record_part(&j->record, 0, ret);
	r = mime_record_section(&j->record, item->numbers, item->number_count, &part);
	if (r < 0)
		return r;
	if (part.kind != MIME_MESSAGE || part.first == MIME_NONE)
		return -ENOENT;
	return mime_record_part(&j->record, part.first, ret);
}

static void take(struct fetch *j, uint64_t offset, uint64_t len)
{
	j->source.there = true;
	j->source.offset = offset;
	j->source.len = len;
}

static void find_part(struct fetch *j, const struct imap_fetch_item *item)
{
	struct mime_part part;

	if (item->number_count == 0) {
		take(j, 0, j->record.size);
		return;
	}
	if (mime_record_section(&j->record, item->numbers, item->number_count, &part) < 0)
		return;
	if (item->section == IMAP_MIME)
		take(j, part.header, part.header_len);
	else
		take(j, part.body, part.body_len);
	j->source.encoding = item->section == IMAP_WHOLE && part.kind == MIME_LEAF ? part.encoding
										   : MIME_IDENTITY;
}

void fetch_section_find(struct fetch *j, const struct imap_fetch_item *item)
{
	struct mime_part part;

	j->source = (struct fetch_source){.kind = FETCH_BYTES, .encoding = MIME_IDENTITY};
	if (item->section == IMAP_WHOLE || item->section == IMAP_MIME) {
		find_part(j, item);
		return;
	}
	if (find_message(j, item, &part) < 0)
		return;
	if (item->section == IMAP_TEXT) {
		take(j, part.body, part.body_len);
		return;
	}
	take(j, part.header, part.header_len);
	if (item->section != IMAP_HEADER)
		j->source.kind = FETCH_FIELDS;
}

/* -- writing ----------------------------------------------------------------------------------- */

static int put_bytes(struct fetch *j, const struct imap_fetch_item *item)
{
	struct buf *b = &j->s->out;
	uint64_t from, len;
	int r = 0;

	fetch_cut(item, j->source.len, &from, &len);
	fetch_put_literal(b, len, false);
	from += j->source.offset;
	while (r == 0 && len > 0) {
		uint64_t n = len < FETCH_PIECE ? len : FETCH_PIECE;

		r = fetch_read(j, from, n, b);
		from += n;
		len -= n;
		if (r == 0 && !j->in_view && b->len >= FETCH_SLICE)
			r = fetch_flush(j);
	}
	return r;
}

int fetch_fields(struct fetch *j, const struct imap_fetch_item *item, struct buf *ret)
{
	int r;

	buf_reset(&j->scratch);
	r = fetch_read(j, j->source.offset, j->source.len, &j->scratch);
	if (r == 0)
		mime_header_pick(ret, buf_span(&j->scratch), item->fields, item->field_count,
			item->section == IMAP_FIELDS_NOT);
	return r < 0 ? r : buf_error(ret);
}

static int put_fields(struct fetch *j, const struct imap_fetch_item *item)
{
	_cleanup_(buf_done) struct buf fields = BUF_INIT(FETCH_OUT_MAX);
	uint64_t from, len;
	int r = fetch_fields(j, item, &fields);

	if (r < 0)
		return r;
	fetch_cut(item, fields.len, &from, &len);
	fetch_put_literal(&j->s->out, len, false);
	buf_add(&j->s->out, span_of(fields.p + from, (size_t)len));
	return 0;
}

int fetch_section_put(struct fetch *j, const struct imap_fetch_item *item)
{
	struct buf *b = &j->s->out;

	imap_put_section(b, item);
	buf_add_byte(b, ' ');
	if (!j->source.there) {
		buf_add(b, SPAN_LIT("NIL"));
		return 0;
	}
	return j->source.kind == FETCH_FIELDS ? put_fields(j, item) : put_bytes(j, item);
}
