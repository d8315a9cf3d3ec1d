/*
 * The selected mailbox against the store's log of changes. One view gathers what is new behind the
 * position that was told; what is told of it is read in further, short views, and written outside.
 */
#include "services/maild/imap/imap.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>

enum { SLICE = 256 }; /* messages whose flags are read in one view */

/* -- bookkeeping ------------------------------------------------------------------------------- */

void imap_changed(struct imap *s)
{
	(void)mail_ring(s->service->store, s->service->settings.runtime, imap_account(s));
}

/* Without memory the change is told once more than needed. */
void imap_own_change(struct imap *s, uint64_t modseq)
{
	struct imap_box *b = &s->box;

	if (modseq == 0)
		return;
	if (b->own_count == b->own_room) {
		size_t room = b->own_room > 0 ? 2 * b->own_room : 8;
		void *p = reallocarray(b->own, room, sizeof(*b->own));

		if (p == NULL)
			return;
		b->own = p;
		b->own_room = room;
	}
	b->own[b->own_count++] = modseq;
}

static bool is_own(const struct imap_box *b, uint64_t modseq)
{
	for (size_t i = b->own_count; i-- > 0;)
		if (b->own[i] == modseq)
			return true;
	return false;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* A growing list of numbers; 0 or -ENOMEM. */
static int push(uint32_t **list, size_t *count, size_t *room, uint32_t n)
{
	if (*count == *room) {
		size_t more = *room + *room / 2 + 16;
		void *p = reallocarray(*list, more, sizeof(**list));

		if (p == NULL)
			return -ENOMEM;
		*list = p;
		*room = more;
	}
	(*list)[(*count)++] = n;
	return 0;
}

/* -- gathering --------------------------------------------------------------------------------- */

struct news {
	struct imap *s;
	struct mail_box box; /* as it is now */
	struct numbers {
		uint32_t *list; /* owned */
		size_t count, room;
	} came, went, changed; /* UIDs */
};

static int note(struct numbers *n, uint32_t uid)
{
	return push(&n->list, &n->count, &n->room, uid);
}

static void news_done(struct news *n)
{
	free(n->came.list);
	free(n->went.list);
	free(n->changed.list);
}

/* What came and went unnoticed is nothing to tell. */
static int gather(void *arg, const struct mail_change *c)
{
	struct news *n = arg;
	struct imap *s = n->s;
	size_t at;

	if (c->gone) {
		if (imap_position(s, c->uid, &at) < 0 || imap_is_gone(s, c->uid))
			return 0;
		return note(&n->went, c->uid);
	}
	if (c->uid >= s->box.next_uid)
		return note(&n->came, c->uid);
	return is_own(&s->box, c->modseq) ? 0 : note(&n->changed, c->uid);
}

static int look(struct store_txn *txn, void *arg)
{
	struct news *n = arg;
	struct imap *s = n->s;
	int r = mail_box_read(txn, imap_account(s), s->box.id, &n->box);

	if (r == 0)
		r = mail_keywords_read(txn, imap_account(s), &s->keywords);
	if (r < 0 || n->box.modseq <= s->box.modseq)
		return r;
	return mail_changes_each(txn, s->box.id, s->box.modseq, gather, n);
}

/* -- the lists --------------------------------------------------------------------------------- */

static int take_went(struct imap_box *b, const struct numbers *went)
{
	for (size_t i = 0; i < went->count; i++)
		if (push(&b->gone, &b->gone_count, &b->gone_room, went->list[i]) < 0)
			return -ENOMEM;
	if (went->count > 0)
		qsort(b->gone, b->gone_count, sizeof(*b->gone), by_number);
	return 0;
}

static int take_came(struct imap_box *b, struct numbers *came)
{
	if (came->count > 1)
		qsort(came->list, came->count, sizeof(*came->list), by_number);
	for (size_t i = 0; i < came->count; i++) {
		if (push(&b->uids, &b->count, &b->room, came->list[i]) < 0)
			return -ENOMEM;
		b->next_uid = came->list[i] + 1;
	}
	return 0;
}

/* Takes what is gone out of the list. Both ascend. */
static void drop_gone(struct imap_box *b)
{
	size_t kept = 0, next = 0;

	for (size_t i = 0; i < b->count; i++) {
		if (next < b->gone_count && b->gone[next] == b->uids[i]) {
			next++;
			continue;
		}
		b->uids[kept++] = b->uids[i];
	}
	b->count = kept;
	b->gone_count = 0;
}

/* -- telling ----------------------------------------------------------------------------------- */

/* From the highest number down, so that none of them moves another. */
static void tell_expunges(struct imap *s)
{
	struct imap_box *b = &s->box;
	size_t at;

	if (b->gone_count == 0)
		return;
	if ((s->enabled & IMAP_QRESYNC) != 0) {
		buf_reset(&s->out);
		buf_add_str(&s->out, "* VANISHED ");
		imap_put_set(&s->out, b->gone, b->gone_count);
		buf_add_str(&s->out, "\r\n");
		imap_write(s, buf_span(&s->out));
	} else {
		for (size_t i = b->gone_count; i-- > 0;)
			if (imap_position(s, b->gone[i], &at) == 0)
				imap_untagged(s, "%zu EXPUNGE", at + 1);
	}
	drop_gone(b);
}

static void tell_counts(struct imap *s)
{
	imap_untagged(s, "%zu EXISTS", s->box.count);
	if ((s->enabled & IMAP_REV2) == 0)
		imap_untagged(s, "%zu RECENT", imap_recent_count(s));
}

struct slice {
	struct imap *s;
	const struct numbers *uids;
	size_t next;
};

static int put_slice(struct store_txn *txn, void *arg)
{
	struct slice *l = arg;
	struct imap *s = l->s;
	struct mail_message m;
	size_t at;

	for (size_t i = 0; i < SLICE && l->next < l->uids->count; i++, l->next++) {
		int r = imap_position(s, l->uids->list[l->next], &at);

		if (r == 0)
			r = mail_message_read(txn, s->box.id, l->uids->list[l->next], &m);
		if (r < 0 && r != -ENOENT)
			return r;
		if (r == 0 && !m.gone)
			imap_put_told(s, &s->out, at, &m, false);
	}
	return 0;
}

static int tell_changed(struct imap *s, const struct numbers *changed)
{
	struct slice slice = {.s = s, .uids = changed};
	int r = 0;

	while (r == 0 && s->error == 0 && slice.next < changed->count) {
		buf_reset(&s->out);
		r = store_view(s->service->store, put_slice, &slice);
		imap_write(s, buf_span(&s->out));
	}
	return r;
}

static int tell(struct imap *s, struct news *n, bool no_expunge)
{
	int r = take_went(&s->box, &n->went);

	if (r == 0)
		r = take_came(&s->box, &n->came);
	if (r < 0)
		return r;
	if (n->came.count > 0 || s->box.read_only)
		imap_take_recent(s, &n->box);
	if (!no_expunge)
		tell_expunges(s);
	if (s->keywords.count > s->box.keywords_told)
		imap_tell_keywords(s);
	if (n->came.count > 0)
		tell_counts(s);
	if (imap_notify_flags(s))
		r = tell_changed(s, &n->changed);
	if (r < 0)
		return r;
	s->box.modseq = n->box.modseq;
	s->box.own_count = 0;
	if (n->came.count > 0 && s->notifying != NULL)
		imap_notify_new(s, s->box.count - n->came.count);
	return 0;
}

int imap_sync(struct imap *s, bool no_expunge)
{
	_cleanup_(news_done) struct news n = {.s = s};
	int r;

	if (s->state != IMAP_SELECTED || s->box.deleted)
		return 0;
	r = store_view(s->service->store, look, &n);
	if (r == -ENOENT) {
		s->box.deleted = true;
		return 0;
	}
	if (r == 0)
		r = tell(s, &n, no_expunge);
	if (r == -ENOMEM)
		return r;
	/* What cannot be read now is told later. */
	if (r < 0)
		log_event(LOG_LEVEL_WARNING, "changes of a mailbox were not read",
			log_fields({"ERROR", span_str(err_text(r))}));
	return 0;
}
