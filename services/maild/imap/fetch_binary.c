/*
 * BINARY[...], BINARY.PEEK[...] and BINARY.SIZE[...] (RFC 3516): a part without its transfer
 * encoding. It is decoded twice, once to know how long it is and whether NULs are in it, so that
 * nothing long is ever held.
 */
#include "services/maild/imap/fetch.h"
#include "services/maild/imap/gather.h"

#include "base/cleanup.h"

#include <errno.h>

enum { DECODED_MAX = 2 * FETCH_PIECE + 64 };

void fetch_binary_find(struct fetch *j, const struct imap_fetch_item *item)
{
	bool fields;

	fetch_section_find(j, item);
	fields = j->source.kind == FETCH_FIELDS;
	if (!fields)
		j->source.kind =
			item->item == IMAP_ITEM_BINARY ? FETCH_DECODED : FETCH_DECODED_SIZE;
}

/* -- decoding ---------------------------------------------------------------------------------- */

struct decoded {
	uint64_t from, len; /* the window that is wanted */
	uint64_t at; /* decoded so far */
	bool nul; /* in the window */
	bool spoiled;
	struct buf *out; /* NULL: only to be measured */
};

static int take_piece(struct fetch *j, struct decoded *d, struct span piece)
{
	uint64_t begin = d->from > d->at ? d->from - d->at : 0;
	uint64_t end = d->from + d->len > d->at ? d->from + d->len - d->at : 0;

	d->at += piece.len;
	end = end < piece.len ? end : piece.len;
	if (begin >= end)
		return 0;
	piece = span_of(piece.p + begin, (size_t)(end - begin));
	if (d->out == NULL) {
		d->nul = d->nul || memchr(piece.p, 0, piece.len) != NULL;
		return 0;
	}
	buf_add(d->out, piece);
	if (!j->in_view && d->out->len >= FETCH_SLICE)
		return fetch_flush(j);
	return buf_error(d->out);
}

static int decode(struct fetch *j, struct decoded *d)
{
	_cleanup_(buf_done) struct buf plain = BUF_INIT(DECODED_MAX);
	struct mime_decoder decoder = {.encoding = j->source.encoding};
	uint64_t from = j->source.offset, left = j->source.len;
	int r = 0;

	while (r == 0 && left > 0) {
		uint64_t n = left < FETCH_PIECE ? left : FETCH_PIECE;

		buf_reset(&j->scratch);
		buf_reset(&plain);
		r = fetch_read(j, from, n, &j->scratch);
		if (r == 0)
			r = mime_decode(&decoder, buf_span(&j->scratch), &plain);
		from += n;
		left -= n;
		if (r == 0 && left == 0)
			r = mime_decode_end(&decoder, &plain);
		if (r == 0)
			r = take_piece(j, d, buf_span(&plain));
		/* Many items of a long part take long, and tell little. */
		if (r == 0 && !j->in_view)
			r = gather_pause(j->s, &j->at_ms);
	}
	d->spoiled = decoder.spoiled;
	return r;
}

/* Of what has no encoding only the window is read. */
static int measure_plain(struct fetch *j, const struct imap_fetch_item *item, struct decoded *ret,
	uint64_t *ret_size)
{
	uint64_t from, len;
	int r = 0;

	*ret_size = j->source.len;
	fetch_cut(item, j->source.len, &from, &len);
	j->source.offset += from;
	j->source.len = len;
	*ret = (struct decoded){.len = len};
	if (item->item == IMAP_ITEM_BINARY)
		r = decode(j, ret);
	ret->at = 0;
	return r;
}

static int measure(struct fetch *j, const struct imap_fetch_item *item, struct decoded *ret,
	uint64_t *ret_size)
{
	struct decoded d = {.len = UINT64_MAX / 2};
	uint64_t from, len;
	int r;

	if (j->source.encoding == MIME_IDENTITY)
		return measure_plain(j, item, ret, ret_size);
	if (item->partial) {
		d.from = item->offset;
		d.len = item->length < UINT64_MAX / 4 ? item->length : UINT64_MAX / 4;
	}
	r = decode(j, &d);
	if (r < 0)
		return r;
	fetch_cut(item, d.at, &from, &len);
	*ret = (struct decoded){.from = from, .len = len, .nul = d.nul, .spoiled = d.spoiled};
	*ret_size = d.at;
	return 0;
}

/* -- writing ----------------------------------------------------------------------------------- */

static void put_name(struct fetch *j, const struct imap_fetch_item *item)
{
	imap_put_section(&j->s->out, item);
	buf_add_byte(&j->s->out, ' ');
}

static int put_nothing(struct fetch *j, const struct imap_fetch_item *item)
{
	put_name(j, item);
	buf_add_str(&j->s->out, item->item == IMAP_ITEM_BINARY_SIZE ? "0" : "NIL");
	return 0;
}

/* RFC 3516 section 4.3: the command ends with NO; the other items are told. */
static int unknown(struct fetch *j, const struct imap_fetch_item *item)
{
	struct buf *b = &j->s->out;

	j->unknown_encoding = true;
	if (item->item == IMAP_ITEM_BINARY)
		return put_nothing(j, item);
	if (b->len > 0 && b->p[b->len - 1] == ' ')
		b->len--;
	return 0;
}

static int put_fields(struct fetch *j, const struct imap_fetch_item *item)
{
	_cleanup_(buf_done) struct buf fields = BUF_INIT(FETCH_OUT_MAX);
	uint64_t from, len;
	int r = fetch_fields(j, item, &fields);

	if (r < 0)
		return r;
	put_name(j, item);
	if (item->item == IMAP_ITEM_BINARY_SIZE) {
		buf_addf(&j->s->out, "%zu", fields.len);
		return 0;
	}
	fetch_cut(item, fields.len, &from, &len);
	fetch_put_literal(&j->s->out, len, memchr(fields.p + from, 0, (size_t)len) != NULL);
	buf_add(&j->s->out, span_of(fields.p + from, (size_t)len));
	return 0;
}

static int put_decoded(struct fetch *j, const struct imap_fetch_item *item)
{
	struct decoded d = {0};
	uint64_t size = 0;
	int r = measure(j, item, &d, &size);

	if (r < 0)
		return r;
	if (d.spoiled)
		return unknown(j, item);
	put_name(j, item);
	if (item->item == IMAP_ITEM_BINARY_SIZE) {
		buf_addf(&j->s->out, "%llu", (unsigned long long)size);
		return 0;
	}
	fetch_put_literal(&j->s->out, d.len, d.nul);
	d.out = &j->s->out;
	return decode(j, &d);
}

int fetch_binary_put(struct fetch *j, const struct imap_fetch_item *item)
{
	if (!j->source.there)
		return put_nothing(j, item);
	if (j->source.kind == FETCH_FIELDS)
		return put_fields(j, item);
	if (j->source.encoding == MIME_OTHER)
		return unknown(j, item);
	return put_decoded(j, item);
}
