/*
 * FETCH and UID FETCH. \Seen is set first, then the rows are read: what is told is what is stored.
 * Messages that are expunged but not told to be are answered from their rows, which are still
 * there.
 */
#include "services/maild/imap/fetch.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>
#include <string.h>

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
		imap_send_receipts(s);
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
	int r = p->count > 0 && fetch_asks(&j, IMAP_ITEM_FLAGS) ? imap_keywords(s) : 0;

	buf_reset(&s->out);
	s->out.max = FETCH_OUT_MAX;
	while (r == 0 && j.next < p->count) {
		j.batch = j.next;
		j.end = p->count - j.next < FETCH_BATCH ? p->count : j.next + FETCH_BATCH;
		memset(j.changed, 0, sizeof(j.changed));
		if (seen)
			r = set_seen(&j);
		if (r == 0)
			r = fetch_answer(&j);
	}
	buf_done(&j.scratch);
	if (r == 0)
		r = j.lost;
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
	if (asked)
		imap_enable_condstore(s);
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
	if (s->error != 0)
		return s->error;
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
