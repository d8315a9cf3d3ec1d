/*
 * Changing messages: one place keeps what a mailbox and its account count, the log of changes and
 * the index by which the sweep finds what is gone.
 */
#include "store/mail_i.h"

#include <errno.h>

int mail_writer_open(
	struct store_txn *txn, const char *account, int64_t now_us, struct mail_writer *ret)
{
	struct mail_writer w = {.txn = txn, .now_us = now_us};
	int rc = mail_account_read(txn, account, &w.account);

	if (rc == 0)
		*ret = w;
	return rc;
}

int mail_writer_close(struct mail_writer *w)
{
	return mail_account_write(w->txn, &w->account);
}

uint64_t mail_writer_modseq(struct mail_writer *w)
{
	if (w->modseq == 0)
		w->modseq = ++w->account.modseq;
	return w->modseq;
}

/* The message begins or ceases to count as it is; gone ones do not. */
static void count_in(struct mail_writer *w, struct mail_box *b, const struct mail_message *m)
{
	if (m->gone)
		return;
	b->messages++;
	b->unseen += (m->flags.system & MAIL_SEEN) == 0;
	b->deleted += (m->flags.system & MAIL_DELETED) != 0;
	b->bytes += m->size;
	w->account.messages++;
	w->account.bytes += m->size;
}

static void count_out(struct mail_writer *w, struct mail_box *b, const struct mail_message *m)
{
	if (m->gone)
		return;
	b->messages--;
	b->unseen -= (m->flags.system & MAIL_SEEN) == 0;
	b->deleted -= (m->flags.system & MAIL_DELETED) != 0;
	b->bytes -= m->size;
	w->account.messages--;
	w->account.bytes -= m->size;
}

static int note_gone(struct mail_writer *w, uint64_t box, const struct mail_message *m)
{
	struct mail_gone g = {.phase = MAIL_PHASE_BODY,
		.at_us = w->now_us,
		.box = box,
		.uid = m->uid,
		.modseq = m->modseq,
		.held = mail_row_cost(1, w->moves ? 0 : m->size)};

	w->account.held += g.held;
	memcpy(g.account, w->account.name, sizeof(g.account));
	return mail_gone_write(w->txn, &g);
}

int mail_message_add(struct mail_writer *w, struct mail_box *b, struct mail_message *m)
{
	struct mail_change c;
	int rc;

	if (b->uid_next == UINT32_MAX)
		return -EOVERFLOW;
	m->uid = b->uid_next++;
	m->modseq = m->created_modseq = b->modseq = mail_writer_modseq(w);
	m->saved_us = w->now_us;
	count_in(w, b, m);
	c = (struct mail_change){m->modseq, m->uid, false};
	rc = mail_message_write(w->txn, b->id, m);
	return rc < 0 ? rc : mail_change_write(w->txn, b->id, &c);
}

int mail_message_change(struct mail_writer *w, struct mail_box *b,
	const struct mail_message *before, struct mail_message *after)
{
	struct mail_change c = {.uid = before->uid, .gone = after->gone};
	int rc;

	if (before->gone) {
		after->gone = true;
		after->modseq = before->modseq;
		return mail_message_write(w->txn, b->id, after);
	}
	count_out(w, b, before);
	count_in(w, b, after);
	after->modseq = b->modseq = c.modseq = mail_writer_modseq(w);
	rc = mail_change_remove(w->txn, b->id, before->modseq, before->uid);
	if (rc == 0)
		rc = mail_change_write(w->txn, b->id, &c);
	if (rc == 0 && after->gone)
		rc = note_gone(w, b->id, after);
	return rc < 0 ? rc : mail_message_write(w->txn, b->id, after);
}
