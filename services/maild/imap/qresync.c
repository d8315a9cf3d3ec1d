/*
 * QRESYNC (RFC 7162): what a client missed since it was here last, told when it selects a mailbox
 * or asks for VANISHED. Where the log of changes does not reach back so far, all UIDs that are not
 * there (any more) are told: too many, never too few.
 */
#include "services/maild/imap/imap.h"

#include "base/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum { SLICE = 256 };

/* -- the parameter ----------------------------------------------------------------------------- */

/* " (known-sequence-set known-uid-set)": a hint for servers that keep no log. */
static int in_match(struct imap_in *in)
{
	struct imap_set numbers = {.list = NULL}, uids = {.list = NULL};
	int r = imap_in_set(in, &numbers);

	if (r == 0)
		r = imap_in_space(in);
	if (r == 0)
		r = imap_in_set(in, &uids);
	imap_set_done(&numbers);
	imap_set_done(&uids);
	if (r == 0 && !imap_in_char(in, ')'))
		r = -EBADMSG;
	return r;
}

static int in_known(struct imap_in *in, struct imap_qresync *q)
{
	int r = 0;

	if (!imap_in_char(in, ' '))
		return 0;
	if (!imap_in_char(in, '(')) {
		r = imap_in_set(in, &q->known);
		q->has_known = r == 0;
		if (r < 0 || !imap_in_char(in, ' '))
			return r;
		if (!imap_in_char(in, '('))
			return -EBADMSG;
	}
	return in_match(in);
}

int imap_in_qresync(struct imap_in *in, struct imap_qresync *ret)
{
	struct imap_qresync q = {.set = true};
	uint64_t validity;
	int r;

	if (!imap_in_char(in, '(') || imap_in_number(in, UINT32_MAX, &validity) < 0 ||
		imap_in_space(in) < 0 || imap_in_number(in, INT64_MAX, &q.modseq) < 0)
		return -EBADMSG;
	q.validity = (uint32_t)validity;
	r = in_known(in, &q);
	if (r == 0 && !imap_in_char(in, ')'))
		r = -EBADMSG;
	if (r < 0) {
		imap_qresync_done(&q);
		return r;
	}
	*ret = q;
	return 0;
}

void imap_qresync_done(struct imap_qresync *q)
{
	imap_set_done(&q->known);
}

/* -- what changed ------------------------------------------------------------------------------ */

struct missed {
	struct imap *s;
	uint64_t since;
	const struct imap_set *uids; /* settled; NULL: all */
	bool complete; /* the log reaches back so far */
	struct missed_list {
		uint32_t *list; /* owned */
		size_t count, room;
	} gone, changed;
	int error;
};

static void missed_done(struct missed *m)
{
	free(m->gone.list);
	free(m->changed.list);
}

static int note(struct missed_list *l, uint32_t uid)
{
	if (l->count == l->room) {
		size_t room = l->room > 0 ? 2 * l->room : 64;
		void *p = reallocarray(l->list, room, sizeof(*l->list));

		if (p == NULL)
			return -ENOMEM;
		l->list = p;
		l->room = room;
	}
	l->list[l->count++] = uid;
	return 0;
}

/* What this session's client is not told yet to be there cannot have vanished for it. */
static int gather(void *arg, const struct mail_change *c)
{
	struct missed *m = arg;

	if (c->uid >= m->s->box.next_uid || (m->uids != NULL && !imap_set_has(m->uids, c->uid)))
		return 0;
	return note(c->gone ? &m->gone : &m->changed, c->uid);
}

static int read_missed(struct store_txn *txn, void *arg)
{
	struct missed *m = arg;
	struct mail_box box;
	int r = mail_box_read(txn, imap_account(m->s), m->s->box.id, &box);

	if (r < 0)
		return r;
	m->complete = m->since >= box.modseq_floor;
	return mail_changes_each(txn, m->s->box.id, m->since, gather, m);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void sort(struct missed_list *l)
{
	if (l->count > 1)
		qsort(l->list, l->count, sizeof(*l->list), by_number);
}

/* -- telling ----------------------------------------------------------------------------------- */

static void put_range(struct buf *b, uint32_t first, uint32_t last, bool *begun)
{
	if (first > last)
		return;
	if (*begun)
		buf_add_byte(b, ',');
	*begun = true;
	buf_addf(b, "%" PRIu32, first);
	if (last > first)
		buf_addf(b, ":%" PRIu32, last);
}

/* Of first..last those that are not in the list, from position *at of it on. */
static void put_holes(struct imap *s, uint32_t first, uint32_t last, size_t *at, bool *begun)
{
	const struct imap_box *b = &s->box;

	while (*at < b->count && b->uids[*at] < first)
		(*at)++;
	while (*at < b->count && b->uids[*at] <= last) {
		put_range(&s->out, first, b->uids[*at] - 1, begun);
		first = b->uids[(*at)++] + 1;
	}
	put_range(&s->out, first, last, begun);
}

static void put_absent(struct imap *s, const struct imap_set *uids)
{
	uint32_t highest = s->box.next_uid - 1;
	bool begun = false;
	size_t at = 0;

	if (uids == NULL) {
		put_holes(s, 1, highest, &at, &begun);
		return;
	}
	for (size_t i = 0; i < uids->count; i++) {
		uint32_t last = uids->list[i].last;

		put_holes(s, uids->list[i].first, last < highest ? last : highest, &at, &begun);
	}
}

static void tell_vanished(struct missed *m)
{
	struct imap *s = m->s;
	size_t before;

	buf_reset(&s->out);
	buf_add_str(&s->out, "* VANISHED (EARLIER) ");
	before = s->out.len;
	if (m->complete) {
		sort(&m->gone);
		imap_put_set(&s->out, m->gone.list, m->gone.count);
	} else {
		put_absent(s, m->uids);
	}
	if (s->out.len == before)
		return;
	buf_add_str(&s->out, "\r\n");
	imap_write(s, buf_span(&s->out));
}

int imap_tell_vanished(struct imap *s, uint64_t since, const struct imap_set *uids)
{
	_cleanup_(missed_done) struct missed m = {.s = s, .since = since, .uids = uids};
	int r = store_view(s->service->store, read_missed, &m);

	if (r == 0)
		tell_vanished(&m);
	return r;
}

struct slice {
	struct missed *m;
	size_t next;
};

static int put_slice(struct store_txn *txn, void *arg)
{
	struct slice *l = arg;
	struct imap *s = l->m->s;
	const struct missed_list *list = &l->m->changed;
	struct mail_message message;
	size_t at;

	for (size_t i = 0; i < SLICE && l->next < list->count; i++, l->next++) {
		int r = imap_position(s, list->list[l->next], &at);

		if (r == 0)
			r = mail_message_read(txn, s->box.id, list->list[l->next], &message);
		if (r < 0 && r != -ENOENT)
			return r;
		if (r == 0)
			imap_put_told(s, &s->out, at, &message, true);
	}
	return 0;
}

int imap_resync(struct imap *s, struct imap_qresync *q)
{
	_cleanup_(missed_done) struct missed m = {.s = s, .since = q->modseq};
	struct slice slice = {.m = &m};
	int r;

	if (q->has_known) {
		imap_set_settle(&q->known, s->box.next_uid - 1);
		m.uids = &q->known;
	}
	r = store_view(s->service->store, read_missed, &m);
	if (r < 0)
		return r;
	tell_vanished(&m);
	sort(&m.changed);
	while (r == 0 && s->error == 0 && slice.next < m.changed.count) {
		buf_reset(&s->out);
		r = store_view(s->service->store, put_slice, &slice);
		imap_write(s, buf_span(&s->out));
	}
	return r;
}
