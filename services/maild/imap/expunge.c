/* EXPUNGE, UID EXPUNGE (RFC 4315), CLOSE: in batches, so that nobody waits for long. */
#include "services/maild/imap/imap.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

static struct mail_expunge_args args_of(const struct imap *s)
{
	struct mail_expunge_args args = {.box = s->box.id, .now_us = time_now_us()};

	(void)span_copy_str(span_str(imap_account(s)), args.account, sizeof(args.account));
	return args;
}

static int expunge_uids(struct imap *s, const uint32_t *uids, size_t count, uint64_t *ret_count)
{
	struct mail_expunge_args args = args_of(s);
	int r = 0;

	for (size_t from = 0; r == 0 && from < count; from += MAIL_BATCH_MAX) {
		struct mail_expunge_result result = {.more = false};

		args.uids = uids + from;
		args.count = count - from < MAIL_BATCH_MAX ? count - from : MAIL_BATCH_MAX;
		r = store_call(s->service->store, STORE_OP_MAIL_EXPUNGE, &args, &result);
		*ret_count += result.count;
	}
	return r;
}

struct deleted {
	const struct imap *s;
	struct buf uids;
};

static void deleted_done(struct deleted *d)
{
	buf_done(&d->uids);
}

static int gather_deleted(void *arg, const struct mail_message *m)
{
	struct deleted *d = arg;

	if ((m->flags.system & MAIL_DELETED) == 0)
		return 0;
	buf_add(&d->uids, span_of(&m->uid, sizeof(m->uid)));
	return buf_error(&d->uids);
}

static int find_deleted(struct store_txn *txn, void *arg)
{
	struct deleted *d = arg;
	struct mail_box box;
	int r = mail_box_read(txn, imap_account(d->s), d->s->box.id, &box);

	if (r < 0 || box.deleted == 0)
		return r;
	return mail_messages_each(txn, box.id, 1, gather_deleted, d);
}

/* Everything that has \Deleted. It is looked for in a view: among very many messages, or very many
 * that are gone, that takes longer than writers may be kept waiting. */
static int expunge_all(struct imap *s, uint64_t *ret_count)
{
	_cleanup_(deleted_done) struct deleted d = {.s = s, .uids = BUF_INIT(UINT32_MAX)};
	int r = store_view(s->service->store, find_deleted, &d);

	if (r < 0)
		return r;
	return expunge_uids(s, (const uint32_t *)(const void *)d.uids.p,
		d.uids.len / sizeof(uint32_t), ret_count);
}

static int in_uids(struct imap_call *c, uint32_t **ret, size_t *ret_count)
{
	struct imap_set set = {.list = NULL};
	struct imap_picks picks = {.at = NULL};
	int r = imap_in_space(&c->in);

	if (r == 0)
		r = imap_in_set(&c->in, &set);
	if (r == 0 && !imap_in_end(&c->in))
		r = -EBADMSG;
	if (r == 0)
		r = imap_pick(c->s, &set, true, &picks);
	if (r == 0) {
		*ret = imap_pick_uids(c->s, &picks);
		*ret_count = picks.count;
		r = *ret != NULL ? 0 : -ENOMEM;
	}
	imap_picks_done(&picks);
	imap_set_done(&set);
	return r;
}

/* What was expunged is told before, so that HIGHESTMODSEQ is true. */
static int end(struct imap_call *c, uint64_t count)
{
	struct imap *s = c->s;
	int r;

	if (count > 0)
		imap_changed(s);
	r = imap_sync(s, false);
	if (r < 0)
		return r;
	if (count > 0 && (s->enabled & IMAP_CONDSTORE) != 0)
		return imap_ok(c, "[HIGHESTMODSEQ %" PRIu64 "] Expunged", s->box.modseq);
	return imap_ok(c, "Expunged");
}

int imap_cmd_expunge(struct imap_call *c)
{
	_cleanup_(cleanup_free) uint32_t *uids = NULL;
	struct imap *s = c->s;
	uint64_t expunged = 0;
	size_t count = 0;
	int r = 0;

	if (c->uid)
		r = in_uids(c, &uids, &count);
	if (r == -EBADMSG || (!c->uid && !imap_in_end(&c->in)))
		return imap_bad(c, c->uid ? "UID EXPUNGE takes UIDs" : "EXPUNGE takes no argument");
	if (r == 0 && s->box.read_only)
		return imap_no(c, "[READ-ONLY] The mailbox is open for reading only");
	if (r == 0)
		r = c->uid ? expunge_uids(s, uids, count, &expunged) : expunge_all(s, &expunged);
	if (r == -ENOENT)
		return imap_no(c, "The mailbox is gone");
	return r < 0 ? imap_failed(c, r) : end(c, expunged);
}

int imap_cmd_close(struct imap_call *c)
{
	struct imap *s = c->s;
	uint64_t count = 0, modseq;
	int r = 0;

	if (!imap_in_end(&c->in))
		return imap_bad(c, "CLOSE takes no argument");
	if (!s->box.read_only)
		r = expunge_all(s, &count);
	if (r < 0 && r != -ENOENT)
		return imap_failed(c, r);
	if (count > 0)
		imap_changed(s);
	modseq = s->box.modseq;
	imap_unselect(s);
	/* Told is what the client knows; what was expunged just now it will find out. */
	if (count > 0 && (s->enabled & IMAP_QRESYNC) != 0)
		return imap_ok(c, "[HIGHESTMODSEQ %" PRIu64 "] Closed", modseq);
	return imap_ok(c, "Closed");
}
