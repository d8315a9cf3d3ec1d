/*
 * FETCH and UID FETCH. \Seen is set first, then the rows are read: what is told is what is stored.
 * Messages that are expunged but not told to be are answered from their rows, which are still
 * there.
 */
#include "services/maild/imap/fetch.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/timefmt.h"

#include <errno.h>
#include <string.h>

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

	if (s->out.len == 0)
		return 0;
	imap_write(s, buf_span(&s->out));
	buf_reset(&s->out);
	j->written = j->open;
	return s->error;
}

int fetch_read(struct fetch *j, uint64_t offset, uint64_t len, struct buf *b)
{
	while (len > 0) {
		size_t n = len < FETCH_PIECE ? (size_t)len : FETCH_PIECE, got = 0;
		unsigned char *p = buf_reserve(b, n);
		int r = p != NULL ? blob_read(j->s->service->store, j->m.blob, offset, p, n, &got)
				  : buf_error(b);

		if (r < 0)
			return r;
		if (got == 0)
			return -EIO;
		buf_commit(b, got);
		offset += got;
		len -= got;
	}
	return 0;
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

bool fetch_put_literal(struct buf *b, uint64_t len, bool binary)
{
	if (len == 0) {
		buf_add(b, SPAN_LIT("\"\""));
		return false;
	}
	buf_add_str(b, binary ? "~{" : "{");
	put_number(b, len);
	buf_add(b, SPAN_LIT("}\r\n"));
	return true;
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
	return r;
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

static bool asked_for(const struct fetch *j, enum imap_item item)
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

	if (changed && !asked_for(j, IMAP_ITEM_FLAGS)) {
		put_blank(b);
		put_flags(j, b);
	}
	if ((j->modseq || (changed && (j->s->enabled & IMAP_CONDSTORE) != 0)) &&
		!asked_for(j, IMAP_ITEM_MODSEQ)) {
		put_blank(b);
		put_modseq(j, b);
	}
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
	if (j->uid && !asked_for(j, IMAP_ITEM_UID))
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

/* An answer that broke off cannot be mended once its beginning was sent. */
static int broken(struct fetch *j, int error)
{
	if (j->open && j->written)
		j->s->error = -EIO;
	else if (j->open)
		j->s->out.len = j->start;
	return error;
}

static int answer(struct fetch *j)
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
	}
	return r;
}

/* -- \Seen ------------------------------------------------------------------------------------- */

static bool sets_seen(const struct imap_fetch *f)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct imap_fetch_item *item = &f->items[i];

		if (!item->peek &&
			(item->item == IMAP_ITEM_SECTION || item->item == IMAP_ITEM_BINARY))
			return true;
	}
	return false;
}

struct unseen {
	const struct fetch *j;
	uint32_t uids[FETCH_BATCH];
	uint16_t at[FETCH_BATCH]; /* in the batch */
	size_t count;
};

static int find_unseen(struct store_txn *txn, void *arg)
{
	struct unseen *u = arg;
	const struct fetch *j = u->j;
	struct mail_message m;

	for (size_t i = j->next; i < j->end; i++) {
		uint32_t uid = j->s->box.uids[j->picks->at[i]];
		int r = mail_message_read(txn, j->s->box.id, uid, &m);

		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		if ((m.flags.system & MAIL_SEEN) != 0 ||
			(j->f->changed && m.modseq <= j->f->changed_since))
			continue;
		u->at[u->count] = (uint16_t)(i - j->next);
		u->uids[u->count++] = uid;
	}
	return 0;
}

static void remember_changed(
	struct fetch *j, const struct unseen *u, const struct mail_flags_result *result)
{
	for (size_t i = 0; i < u->count; i++)
		if ((result->changed[i / 8] & (1U << (i % 8))) != 0)
			j->changed[u->at[i] / 8] |= (unsigned char)(1U << (u->at[i] % 8));
}

static int call_seen(struct fetch *j, const struct unseen *u)
{
	struct imap *s = j->s;
	struct mail_flags_result result;
	struct mail_flags_args args = {
		.box = s->box.id,
		.uids = u->uids,
		.count = u->count,
		.how = MAIL_FLAGS_ADD,
		.flags = {.system = MAIL_SEEN},
		.now_us = time_now_us(),
	};
	int r;

	memcpy(args.account, imap_account(s), sizeof(args.account));
	r = store_call(s->service->store, STORE_OP_MAIL_FLAGS, &args, &result);
	if (r < 0 || result.modseq == 0)
		return r;
	imap_own_change(s, result.modseq);
	remember_changed(j, u, &result);
	imap_changed(s);
	if (result.due > 0)
		maild_receipts_send(s->service);
	return 0;
}

/* Mail can be read in a store that is full: then it is not marked. So in a mailbox that is gone. */
static int set_seen(struct fetch *j)
{
	struct unseen *u = malloc(sizeof(*u));
	int r = u != NULL ? 0 : -ENOMEM;

	if (r == 0) {
		u->j = j;
		u->count = 0;
		r = store_view(j->s->service->store, find_unseen, u);
	}
	if (r == 0 && u->count > 0)
		r = call_seen(j, u);
	free(u);
	return r == -ENOSPC || r == -ENOENT ? 0 : r;
}

/* -- the whole --------------------------------------------------------------------------------- */

int imap_fetch_picks(
	struct imap *s, const struct imap_fetch *f, const struct imap_picks *p, bool uid)
{
	struct fetch j = {.s = s,
		.f = f,
		.picks = p,
		.uid = uid,
		.modseq = f->changed,
		.scratch = BUF_INIT(FETCH_OUT_MAX)};
	bool seen = sets_seen(f) && !s->box.read_only;
	int r = p->count > 0 && asked_for(&j, IMAP_ITEM_FLAGS) ? imap_keywords(s) : 0;

	buf_reset(&s->out);
	s->out.max = FETCH_OUT_MAX;
	while (r == 0 && j.next < p->count) {
		j.batch = j.next;
		j.end = p->count - j.next < FETCH_BATCH ? p->count : j.next + FETCH_BATCH;
		memset(j.changed, 0, sizeof(j.changed));
		if (seen)
			r = set_seen(&j);
		if (r == 0)
			r = answer(&j);
	}
	buf_done(&j.scratch);
	return r == 0 && j.unknown_encoding ? -ENOTSUP : r;
}

/* -- the command ------------------------------------------------------------------------------- */

/* RFC 9394 section 3.3: of what the set means. */
static void cut_partial(const struct imap_fetch *f, struct imap_picks *p)
{
	uint64_t first = (uint64_t)(f->partial_first < 0 ? -f->partial_first : f->partial_first);
	uint64_t last = (uint64_t)(f->partial_last < 0 ? -f->partial_last : f->partial_last);
	uint64_t from = first < last ? first : last, to = first < last ? last : first;
	size_t begin_at;

	if (from == 0 || from > p->count) {
		p->count = 0;
		return;
	}
	to = to < p->count ? to : p->count;
	begin_at = (size_t)(f->partial_first < 0 ? p->count - to : from - 1);
	memmove(p->at, p->at + begin_at, (size_t)(to - from + 1) * sizeof(*p->at));
	p->count = (size_t)(to - from + 1);
}

struct since {
	struct imap *s;
	uint64_t since;
	struct buf uids;
	bool whole; /* the log reaches back so far */
};

static int gather_change(void *arg, const struct mail_change *c)
{
	struct since *x = arg;

	buf_add(&x->uids, span_of(&c->uid, sizeof(c->uid)));
	return buf_error(&x->uids);
}

static int read_changes(struct store_txn *txn, void *arg)
{
	struct since *x = arg;
	struct mail_box box;
	int r = mail_box_read(txn, imap_account(x->s), x->s->box.id, &box);

	if (r < 0 || x->since < box.modseq_floor)
		return r == -ENOENT ? 0 : r;
	x->whole = true;
	return mail_changes_each(txn, box.id, x->since, gather_change, x);
}

static int compare_uids(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

/* Of 100,000 messages few have changed: the log of changes says which are worth a look. */
static int keep_changed(struct imap *s, const struct imap_fetch *f, struct imap_picks *p)
{
	struct since x = {.s = s, .since = f->changed_since, .uids = BUF_INIT(UINT32_MAX)};
	int r = store_view(s->service->store, read_changes, &x);
	size_t kept = 0, count = x.uids.len / sizeof(uint32_t), at = 0;
	uint32_t *uids = (uint32_t *)(void *)x.uids.p;

	if (r == 0 && x.whole && count > 0)
		qsort(uids, count, sizeof(*uids), compare_uids);
	for (size_t i = 0; r == 0 && x.whole && i < p->count; i++) {
		uint32_t uid = s->box.uids[p->at[i]];

		while (at < count && uids[at] < uid)
			at++;
		if (at < count && uids[at] == uid)
			p->at[kept++] = p->at[i];
	}
	if (r == 0 && x.whole)
		p->count = kept;
	buf_done(&x.uids);
	return r;
}

/* RFC 7162 section 3.1: who asks for MODSEQ is told it from now on. */
static void enable_condstore(struct imap *s, const struct imap_fetch *f)
{
	bool asked = f->changed;

	for (size_t i = 0; i < f->count; i++)
		asked = asked || f->items[i].item == IMAP_ITEM_MODSEQ;
	if (!asked || (s->enabled & IMAP_CONDSTORE) != 0)
		return;
	s->enabled |= IMAP_CONDSTORE;
	imap_untagged(s, "OK [HIGHESTMODSEQ %llu] Highest", (unsigned long long)s->box.modseq);
}

static int parse(struct imap_call *c, struct imap_set *set, struct imap_fetch *f)
{
	int r = imap_in_space(&c->in);

	if (r == 0)
		r = imap_in_set(&c->in, set);
	if (r == 0)
		r = imap_in_space(&c->in);
	if (r == 0)
		r = imap_in_fetch(&c->in, f);
	if (r == 0 && !imap_in_end(&c->in))
		r = -EBADMSG;
	return r;
}

static int fetch_set(struct imap_call *c, struct imap_set *set, const struct imap_fetch *f)
{
	_cleanup_(imap_picks_done) struct imap_picks picks = {0};
	struct imap *s = c->s;
	int r = imap_pick(s, set, c->uid, &picks);

	if (r == -EBADMSG)
		return imap_bad(c, "There is no such message");
	if (r < 0)
		return imap_failed(c, r);
	enable_condstore(s, f);
	if (f->partial)
		cut_partial(f, &picks);
	if (f->vanished)
		r = imap_tell_vanished(s, f->changed_since, set);
	if (r == 0 && f->changed)
		r = keep_changed(s, f, &picks);
	if (r == 0)
		r = imap_fetch_picks(s, f, &picks, c->uid);
	if (r == -ENOTSUP)
		return imap_no(c, "[UNKNOWN-CTE] A part cannot be decoded");
	return r < 0 ? imap_failed(c, r) : imap_ok(c, "Fetched");
}

int imap_cmd_fetch(struct imap_call *c)
{
	_cleanup_(imap_set_done) struct imap_set set = {0};
	_cleanup_(imap_fetch_done) struct imap_fetch f = {0};
	int r = parse(c, &set, &f);

	if (r == -EBADMSG || r == -EINVAL)
		return imap_bad(c, "What is to be fetched is not understood");
	if (r < 0)
		return imap_failed(c, r);
	if (f.vanished && (!c->uid || !f.changed || (c->s->enabled & IMAP_QRESYNC) == 0))
		return imap_bad(c, "VANISHED goes with UID FETCH, CHANGEDSINCE and QRESYNC");
	if (f.partial && !c->uid)
		return imap_bad(c, "PARTIAL goes with UID FETCH");
	return fetch_set(c, &set, &f);
}
