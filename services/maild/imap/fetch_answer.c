/*
 * FETCH's answers: items of the row and the record, and messages, slice by slice.
 */
#include "services/maild/imap/fetch.h"
#include "services/maild/imap/gather.h"

#include "base/text.h"

#include <errno.h>

/* -- items of the row and the record ----------------------------------------------------------- */

static void put_number(struct buf *b, uint64_t n)
{
	unsigned char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (unsigned char)('0' + n % 10);
	while ((n /= 10) > 0);
	buf_add(b, span_of(digits + at, sizeof(digits) - at));
}

static void put_uid(struct fetch *j, struct buf *b)
{
	buf_add(b, SPAN_LIT("UID "));
	put_number(b, j->m.uid);
}

static void put_flags(struct fetch *j, struct buf *b)
{
	imap_put_message_flags(j->s, b, &j->m);
}

static void put_date(struct fetch *j, struct buf *b)
{
	buf_add(b, SPAN_LIT("INTERNALDATE "));
	imap_put_date_time(b, j->m.date_us, j->m.date_offset_s);
}

static void put_saved_date(struct fetch *j, struct buf *b)
{
	buf_add(b, SPAN_LIT("SAVEDATE "));
	imap_put_date_time(b, j->m.saved_us, 0);
}

static void put_size(struct fetch *j, struct buf *b)
{
	buf_add(b, SPAN_LIT("RFC822.SIZE "));
	put_number(b, j->m.size);
}

static void put_modseq(struct fetch *j, struct buf *b)
{
	buf_add(b, SPAN_LIT("MODSEQ ("));
	put_number(b, j->m.modseq);
	buf_add_byte(b, ')');
}

static void put_email_id(struct fetch *j, struct buf *b)
{
	buf_add(b, SPAN_LIT("EMAILID (M"));
	text_hex(b, span_of(j->m.blob, 16));
	buf_add_byte(b, ')');
}

static void put_thread_id(struct fetch *j, struct buf *b)
{
	(void)j;
	buf_add(b, SPAN_LIT("THREADID NIL"));
}

static void put_envelope(struct fetch *j, struct buf *b)
{
	buf_add(b, SPAN_LIT("ENVELOPE "));
	buf_add(b, j->record.envelope);
}

static void put_body(struct fetch *j, struct buf *b)
{
	buf_add(b, SPAN_LIT("BODY "));
	buf_add(b, j->record.body);
}

static void put_structure(struct fetch *j, struct buf *b)
{
	buf_add(b, SPAN_LIT("BODYSTRUCTURE "));
	buf_add(b, j->record.bodystructure);
}

/* -- items of the bytes ------------------------------------------------------------------------ */

int fetch_flush(struct fetch *j)
{
	struct imap *s = j->s;

	if (s->out.len == 0 || (j->open && !j->written && s->out.len == j->bare))
		return 0;
	imap_write(s, buf_span(&s->out));
	buf_reset(&s->out);
	j->written = j->open;
	return s->error;
}

int fetch_blob(struct store *s, const unsigned char blob[BLOB_ID_LEN], uint64_t offset,
	uint64_t len, struct buf *b)
{
	while (len > 0) {
		size_t n = len < FETCH_PIECE ? (size_t)len : FETCH_PIECE, got = 0;
		unsigned char *p = buf_reserve(b, n);
		int r = p != NULL ? blob_read(s, blob, offset, p, n, &got) : buf_error(b);

		if (r < 0)
			return r == -ENOENT ? -EIO : r;
		if (got == 0)
			return -EIO;
		buf_commit(b, got);
		offset += got;
		len -= got;
	}
	return 0;
}

int fetch_read(struct fetch *j, uint64_t offset, uint64_t len, struct buf *b)
{
	return fetch_blob(j->s->service->store, j->m.blob, offset, len, b);
}

void fetch_cut(
	const struct imap_fetch_item *item, uint64_t len, uint64_t *ret_from, uint64_t *ret_len)
{
	uint64_t from = 0;

	if (item->partial) {
		from = item->offset < len ? item->offset : len;
		len = item->length < len - from ? item->length : len - from;
	}
	*ret_from = from;
	*ret_len = len;
}

void fetch_put_literal(struct buf *b, uint64_t len, bool binary)
{
	buf_add_str(b, binary ? "~{" : "{");
	put_number(b, len);
	buf_add(b, SPAN_LIT("}\r\n"));
}

static void find_source(struct fetch *j, const struct imap_fetch_item *item)
{
	if (item->item == IMAP_ITEM_PREVIEW)
		fetch_preview_find(j);
	else if (item->item == IMAP_ITEM_SECTION)
		fetch_section_find(j, item);
	else
		fetch_binary_find(j, item);
}

static int put_source(struct fetch *j, const struct imap_fetch_item *item)
{
	if (item->item == IMAP_ITEM_PREVIEW)
		return fetch_preview_put(j);
	if (item->item == IMAP_ITEM_SECTION)
		return fetch_section_put(j, item);
	return fetch_binary_put(j, item);
}

/* -- messages ---------------------------------------------------------------------------------- */

/* put NULL: made of the bytes. */
static const struct {
	void (*put)(struct fetch *j, struct buf *b);
	bool record; /* is looked at */
} items[] = {
	[IMAP_ITEM_UID] = {put_uid, false},
	[IMAP_ITEM_FLAGS] = {put_flags, false},
	[IMAP_ITEM_INTERNALDATE] = {put_date, false},
	[IMAP_ITEM_SIZE] = {put_size, false},
	[IMAP_ITEM_ENVELOPE] = {put_envelope, true},
	[IMAP_ITEM_BODY] = {put_body, true},
	[IMAP_ITEM_BODYSTRUCTURE] = {put_structure, true},
	[IMAP_ITEM_SECTION] = {NULL, true},
	[IMAP_ITEM_BINARY] = {NULL, true},
	[IMAP_ITEM_BINARY_SIZE] = {NULL, true},
	[IMAP_ITEM_MODSEQ] = {put_modseq, false},
	[IMAP_ITEM_EMAILID] = {put_email_id, false},
	[IMAP_ITEM_THREADID] = {put_thread_id, false},
	[IMAP_ITEM_SAVEDATE] = {put_saved_date, false},
	[IMAP_ITEM_PREVIEW] = {NULL, true},
};

static int need_record(struct store_txn *txn, struct fetch *j)
{
	struct span bytes;
	int r = 0;

	if (j->has_record)
		return 0;
	r = mail_structure_read(txn, j->m.blob, &bytes);
	if (r == 0)
		r = mime_record_open(bytes, &j->record);
	j->has_record = r == 0;
	return r == -ENOENT ? -EIO : r;
}

static void put_blank(struct buf *b)
{
	if (b->len == 0 || b->p[b->len - 1] != '(')
		buf_add_byte(b, ' ');
}

/* 1: the view has to end first. */
static int put_item(struct store_txn *txn, struct fetch *j, const struct imap_fetch_item *item)
{
	struct buf *b = &j->s->out;
	int r = items[item->item].record ? need_record(txn, j) : 0;

	if (r < 0)
		return r;
	put_blank(b);
	if (items[item->item].put != NULL) {
		items[item->item].put(j, b);
		return buf_error(b);
	}
	find_source(j, item);
	if (j->source.there && j->m.size > BLOB_INLINE_MAX) {
		j->late = true;
		return 1;
	}
	r = put_source(j, item);
	return r < 0 ? r : buf_error(b);
}

bool fetch_asks(const struct fetch *j, enum imap_item item)
{
	for (size_t i = 0; i < j->f->count; i++)
		if (j->f->items[i].item == item)
			return true;
	return false;
}

static bool is_changed(const struct fetch *j)
{
	size_t n = j->next - j->batch;

	return (j->changed[n / 8] & (1U << (n % 8))) != 0;
}

static void put_implied(struct fetch *j)
{
	struct buf *b = &j->s->out;
	bool changed = is_changed(j);

	if (changed && !fetch_asks(j, IMAP_ITEM_FLAGS)) {
		put_blank(b);
		put_flags(j, b);
	}
	if ((j->modseq || (changed && (j->s->enabled & IMAP_CONDSTORE) != 0)) &&
		!fetch_asks(j, IMAP_ITEM_MODSEQ)) {
		put_blank(b);
		put_modseq(j, b);
	}
	/* A size that nobody can tell was all: "()" is no answer. */
	if (!j->written && b->len == j->bare)
		b->len = j->start;
	else
		buf_add(b, SPAN_LIT(")\r\n"));
}

/* -ENOENT: there is no row any more, or nothing to be told of it. */
static int begin(struct store_txn *txn, struct fetch *j)
{
	struct imap_box *box = &j->s->box;
	size_t at = j->picks->at[j->next];
	struct buf *b = &j->s->out;
	int r = mail_message_read(txn, box->id, box->uids[at], &j->m);

	if (r < 0)
		return r;
	if (j->f->changed && j->m.modseq <= j->f->changed_since)
		return -ENOENT;
	j->open = true;
	j->written = false;
	j->has_record = false;
	j->start = b->len;
	j->item = 0;
	buf_add(b, SPAN_LIT("* "));
	put_number(b, at + 1);
	buf_add(b, SPAN_LIT(" FETCH ("));
	j->bare = b->len;
	if (j->uid && !fetch_asks(j, IMAP_ITEM_UID))
		put_uid(j, b);
	return 0;
}

/* The rest of the open message; 1: the view has to end first. */
static int put_items(struct store_txn *txn, struct fetch *j)
{
	while (j->item < j->f->count) {
		int r = put_item(txn, j, &j->f->items[j->item]);

		if (r != 0)
			return r;
		j->item++;
		if (j->s->out.len > FETCH_SLICE && j->item < j->f->count)
			return 1;
	}
	put_implied(j);
	j->open = false;
	j->next++;
	return buf_error(&j->s->out);
}

static int build(struct store_txn *txn, void *arg)
{
	struct fetch *j = arg;
	int r = 0;

	j->in_view = true;
	j->has_record = false;
	while (r == 0 && j->next < j->end && j->s->out.len < FETCH_SLICE) {
		r = j->open ? 0 : begin(txn, j);
		if (r == -ENOENT) {
			j->next++;
			r = 0;
			continue;
		}
		if (r == 0)
			r = put_items(txn, j);
	}
	j->in_view = false;
	j->has_record = false;
	return r < 0 ? r : 0;
}

/* An answer that broke off cannot be mended once its beginning was sent. Else a message whose bytes
 * are damaged is left out: the others are told before the command fails. */
static int broken(struct fetch *j, int error)
{
	if (!j->open)
		return error;
	if (j->written) {
		j->s->error = -EIO;
		return error;
	}
	j->s->out.len = j->start;
	j->open = false;
	if (error != -EIO && error != -EBADMSG)
		return error;
	j->lost = error;
	j->next++;
	return 0;
}

int fetch_answer(struct fetch *j)
{
	int r = 0;

	while (r == 0 && j->next < j->end) {
		r = store_view(j->s->service->store, build, j);
		if (r == 0 && j->late) {
			j->late = false;
			r = put_source(j, &j->f->items[j->item]);
			j->item++;
		}
		if (r == 0)
			r = buf_error(&j->s->out);
		if (r < 0)
			r = broken(j, r);
		if (r == 0 || j->s->error == 0) {
			int flushed = fetch_flush(j);

			r = r < 0 ? r : flushed;
		}
		if (r == 0 && !j->open)
			r = gather_pause(j->s, &j->at_ms);
	}
	return r;
}
