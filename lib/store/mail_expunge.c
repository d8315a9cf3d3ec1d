/* EXPUNGE: rows are marked gone; the sweep takes them, and their bodies, once every session has had
 * the time to tell its client. */
#include "store/mail_i.h"

#include <errno.h>

struct expunging {
	const struct mail_expunge_args *args;
	struct mail_writer w;
	struct mail_box box;
	struct mail_expunge_result *ret;
};

/* Those of a whole mailbox: as many as one operation takes. */
struct gathering {
	bool any;
	uint32_t uids[MAIL_BATCH_MAX];
	size_t count, max;
};

static int gather_one(void *arg, const struct mail_message *m)
{
	struct gathering *g = arg;

	if (g->any || (m->flags.system & MAIL_DELETED) != 0)
		g->uids[g->count++] = m->uid;
	return g->count == g->max;
}

static int expunge_one(struct expunging *x, uint32_t uid)
{
	struct mail_message before, after;
	int rc = mail_message_read(x->w.txn, x->box.id, uid, &before);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	if (before.gone || (!x->args->any_flags && (before.flags.system & MAIL_DELETED) == 0))
		return 0;
	after = before;
	after.gone = true;
	x->ret->count++;
	return mail_message_change(&x->w, &x->box, &before, &after);
}

static int expunge_each(struct expunging *x, const uint32_t *uids, size_t count)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = expunge_one(x, uids[i]);
	return rc;
}

static uint32_t to_expunge(const struct expunging *x)
{
	return x->args->any_flags ? x->box.messages : x->box.deleted;
}

/* The search ends with the last that there is to find. */
static int expunge_all(struct expunging *x)
{
	struct gathering g = {.any = x->args->any_flags, .max = to_expunge(x)};
	int rc;

	if (g.max > MAIL_BATCH_MAX)
		g.max = MAIL_BATCH_MAX;
	rc = g.max == 0 ? 0 : mail_messages_each(x->w.txn, x->box.id, 1, gather_one, &g);
	if (rc >= 0)
		rc = expunge_each(x, g.uids, g.count);
	x->ret->more = g.count > 0 && to_expunge(x) > 0;
	return rc;
}

int op_mail_expunge(struct store_txn *txn, const void *args, void *result)
{
	const struct mail_expunge_args *a = args;
	struct expunging x = {.args = a, .ret = result};
	int rc;

	if ((a->uids != NULL && a->count > MAIL_BATCH_MAX) ||
		!row_is_text(a->account, sizeof(a->account)))
		return -EINVAL;
	rc = mail_writer_open(txn, a->account, a->now_us, &x.w);
	if (rc == 0)
		rc = mail_box_read(txn, a->account, a->box, &x.box);
	if (rc == 0)
		rc = a->uids != NULL ? expunge_each(&x, a->uids, a->count) : expunge_all(&x);
	if (rc < 0 || x.ret->count == 0)
		return rc;
	x.ret->modseq = x.w.modseq;
	rc = mail_box_write(txn, a->account, &x.box);
	return rc < 0 ? rc : mail_writer_close(&x.w);
}
