/*
 * STORE (RFC 3501, 9051; CONDSTORE). Whether a message was expunged by another session meanwhile
 * makes no difference: its row still takes flags and is answered for, until the client is told.
 */
#include "services/maild/imap/imap.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum {
	SLICE = 256, /* messages that are read in one view */
	TRIES_MAX = 4, /* of a silent change, while others change the same messages */
};

struct storing {
	struct imap *s;
	struct imap_set set;
	struct imap_picks picks;
	enum mail_flags_how how;
	bool silent, conditional, uid;
	uint64_t since; /* UNCHANGEDSINCE */
	uint32_t system;
	struct span keywords[MAIL_KEYWORDS_MAX];
	size_t keyword_count;
	uint32_t *uids; /* owned: of picks */
	uint32_t *modified; /* owned: positions or UIDs that were refused */
	size_t modified_count;
	bool due; /* receipts are to be sent */
};

static void storing_done(struct storing *t)
{
	imap_set_done(&t->set);
	imap_picks_done(&t->picks);
	free(t->uids);
	free(t->modified);
}

/* -- arguments --------------------------------------------------------------------------------- */

/* "(UNCHANGEDSINCE n) " */
static int in_modifier(struct imap_in *in, struct storing *t)
{
	if (!imap_in_char(in, '('))
		return 0;
	if (!imap_in_word(in, "UNCHANGEDSINCE") || imap_in_space(in) < 0 ||
		imap_in_number(in, INT64_MAX, &t->since) < 0 || !imap_in_char(in, ')') ||
		imap_in_space(in) < 0)
		return -EBADMSG;
	t->conditional = true;
	return 0;
}

/* "+FLAGS.SILENT" */
static int in_how(struct imap_in *in, struct storing *t)
{
	t->how = imap_in_char(in, '+')  ? MAIL_FLAGS_ADD
		: imap_in_char(in, '-') ? MAIL_FLAGS_REMOVE
					: MAIL_FLAGS_SET;
	t->silent = imap_in_word(in, "FLAGS.SILENT");
	return t->silent || imap_in_word(in, "FLAGS") ? 0 : -EBADMSG;
}

static int in_store(struct imap_in *in, struct storing *t)
{
	int r = imap_in_space(in);

	if (r == 0)
		r = imap_in_set(in, &t->set);
	if (r == 0)
		r = imap_in_space(in);
	if (r == 0)
		r = in_modifier(in, t);
	if (r == 0)
		r = in_how(in, t);
	if (r == 0)
		r = imap_in_space(in);
	if (r == 0)
		r = imap_in_flags(
			in, &t->system, t->keywords, MAIL_KEYWORDS_MAX, &t->keyword_count);
	return r == 0 && !imap_in_end(in) ? -EBADMSG : r;
}

/* -- changing ---------------------------------------------------------------------------------- */

static bool bit(const unsigned char *bits, size_t n)
{
	return (bits[n / 8] & 1U << n % 8) != 0;
}

struct batch {
	uint32_t uids[MAIL_BATCH_MAX];
	size_t count;
	bool conditional;
	uint64_t since;
	struct mail_flags_result result;
};

static int call(struct storing *t, struct batch *b)
{
	struct imap *s = t->s;
	struct mail_flags_args args = {.box = s->box.id,
		.uids = b->uids,
		.count = b->count,
		.how = t->how,
		.flags = {.system = t->system, .keywords = t->keywords, .count = t->keyword_count},
		.conditional = b->conditional,
		.unchanged_since = b->since,
		.now_us = time_now_us()};
	int r;

	(void)span_copy_str(span_str(imap_account(s)), args.account, sizeof(args.account));
	b->result = (struct mail_flags_result){.modseq = 0};
	r = store_call(s->service->store, STORE_OP_MAIL_FLAGS, &args, &b->result);
	if (r < 0)
		return r;
	imap_own_change(s, b->result.modseq);
	t->due = t->due || b->result.due > 0;
	return 0;
}

/* What was refused is all that is left in the batch. */
static void keep_refused(struct batch *b)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->count; i++)
		if (bit(b->result.refused, i))
			b->uids[kept++] = b->uids[i];
	b->count = kept;
}

/*
 * A silent change must not hide what another session changed a moment ago and this client was not
 * told: only what is as it was told is changed in silence; else the news come first.
 */
static int change_silently(struct storing *t, struct batch *b)
{
	struct imap *s = t->s;
	int r = 0;

	for (int i = 0; r == 0 && b->count > 0 && i < TRIES_MAX; i++) {
		r = imap_sync(s, true);
		b->conditional = i < TRIES_MAX - 1;
		b->since = s->box.modseq;
		if (t->conditional) {
			b->conditional = true;
			b->since = t->since < b->since ? t->since : b->since;
		}
		if (r == 0)
			r = call(t, b);
		if (r == 0)
			keep_refused(b);
		if (t->conditional && b->since == t->since)
			break;
	}
	return r;
}

static int change_batch(struct storing *t, struct batch *b)
{
	int r;

	if (t->silent)
		return change_silently(t, b);
	b->conditional = t->conditional;
	b->since = t->since;
	r = call(t, b);
	if (r == 0)
		keep_refused(b);
	return r;
}

/* -- answers ----------------------------------------------------------------------------------- */

struct answers {
	struct storing *t;
	size_t next, end; /* in picks */
	const struct batch *refused;
};

static bool is_refused(const struct batch *b, uint32_t uid)
{
	size_t low = 0, high = b->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (b->uids[mid] < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < b->count && b->uids[low] == uid;
}

static void put_silent(const struct storing *t, const struct mail_message *m, size_t at)
{
	struct buf *b = &t->s->out;

	buf_addf(b, "* %zu FETCH (", at + 1);
	if (t->uid || (t->s->enabled & (IMAP_QRESYNC | IMAP_REV2)) != 0)
		buf_addf(b, "UID %" PRIu32 " ", m->uid);
	buf_addf(b, "MODSEQ (%" PRIu64 "))\r\n", m->modseq);
}

static int put_answers(struct store_txn *txn, void *arg)
{
	struct answers *a = arg;
	struct storing *t = a->t;
	struct imap *s = t->s;
	struct mail_message m;
	size_t at = 0;

	for (size_t i = 0; i < SLICE && a->next < a->end; i++, a->next++) {
		uint32_t uid = t->uids[a->next];
		int r = mail_message_read(txn, s->box.id, uid, &m);

		if (r == 0)
			r = imap_position(s, uid, &at);
		if (r == -ENOENT || (r == 0 && is_refused(a->refused, uid)))
			continue;
		if (r < 0)
			return r;
		if (t->silent)
			put_silent(t, &m, at);
		else
			imap_put_told(s, &s->out, at, &m, t->uid);
	}
	return 0;
}

/* Of the batch picks[from..end). A silent change tells the new MODSEQs, to who knows of them. */
static int answer_batch(struct storing *t, size_t from, size_t end, const struct batch *refused)
{
	struct imap *s = t->s;
	struct answers a = {.t = t, .next = from, .end = end, .refused = refused};
	int r = t->keyword_count > 0 ? imap_keywords(s) : 0;

	if (t->silent && (s->enabled & IMAP_CONDSTORE) == 0)
		return r;
	while (r == 0 && s->error == 0 && a.next < end) {
		buf_reset(&s->out);
		r = store_view(s->service->store, put_answers, &a);
		imap_write(s, buf_span(&s->out));
	}
	return r;
}

/* MODIFIED names numbers as the command did. */
static int note_modified(struct storing *t, const struct batch *b)
{
	size_t at;
	void *p;

	if (b->count == 0)
		return 0;
	p = reallocarray(t->modified, t->modified_count + b->count, sizeof(*t->modified));
	if (p == NULL)
		return -ENOMEM;
	t->modified = p;
	for (size_t i = 0; i < b->count; i++)
		if (t->uid)
			t->modified[t->modified_count++] = b->uids[i];
		else if (imap_position(t->s, b->uids[i], &at) == 0)
			t->modified[t->modified_count++] = (uint32_t)at + 1;
	return 0;
}

/* -- the command ------------------------------------------------------------------------------- */

static int change_in_batches(struct storing *t, struct batch *b)
{
	size_t count = t->picks.count;
	int r = 0;

	for (size_t from = 0; r == 0 && from < count; from += MAIL_BATCH_MAX) {
		size_t end = count - from < MAIL_BATCH_MAX ? count : from + MAIL_BATCH_MAX;

		b->count = end - from;
		memcpy(b->uids, t->uids + from, b->count * sizeof(*b->uids));
		r = change_batch(t, b);
		if (r == 0)
			r = answer_batch(t, from, end, b);
		if (r == 0)
			r = note_modified(t, b);
	}
	return r;
}

static int change_all(struct storing *t)
{
	struct batch *b = malloc(sizeof(*b));
	int r = b != NULL ? change_in_batches(t, b) : -ENOMEM;

	free(b);
	return r;
}

static int end(struct imap_call *c, struct storing *t)
{
	struct imap *s = t->s;
	_cleanup_(buf_done) struct buf set = BUF_INIT(IMAP_LINE_MAX << 4);

	imap_changed(s);
	if (t->due)
		imap_send_receipts(s);
	if (t->modified_count == 0)
		return imap_ok(c, "Stored");
	imap_put_set(&set, t->modified, t->modified_count);
	return imap_ok(c, "[MODIFIED %s] Others had changed those", buf_str(&set));
}

static int run(struct imap_call *c, struct storing *t)
{
	struct imap *s = c->s;
	int r;

	if (s->box.read_only)
		return imap_no(c, "[READ-ONLY] The mailbox is open for reading only");
	if (t->conditional)
		imap_enable_condstore(s);
	r = imap_pick(s, &t->set, c->uid, &t->picks);
	if (r == -EBADMSG)
		return imap_bad(c, "There is no message of that number");
	if (r == 0) {
		t->uids = imap_pick_uids(s, &t->picks);
		r = t->uids != NULL ? change_all(t) : -ENOMEM;
	}
	if (r == -ENOBUFS)
		return imap_no(c, "[LIMIT] There are as many keywords as there may be");
	if (r == -ENOENT)
		return imap_no(c, "The mailbox is gone");
	return r < 0 ? imap_failed(c, r) : end(c, t);
}

int imap_cmd_store(struct imap_call *c)
{
	_cleanup_(storing_done) struct storing t = {.s = c->s, .uid = c->uid};
	int r = in_store(&c->in, &t);

	if (r == -ENOMEM)
		return imap_failed(c, r);
	if (r < 0)
		return imap_bad(c, "That is no STORE");
	return run(c, &t);
}
