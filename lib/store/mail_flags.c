/* FLAGS, with the receipts that become due by them, and RECENT. */
#include "store/mail_i.h"

#include <errno.h>
#include <strings.h>

enum { SYSTEM_ALL = 2 * MAIL_NOT_JUNK - 1 };

struct flagging {
	const struct mail_flags_args *args;
	struct mail_writer w;
	struct mail_box box;
	struct mail_flags flags; /* the names as the account's bits */
	struct mail_flags_result *ret;
};

/* -- which flags ------------------------------------------------------------------------------- */

/* What is in the table already. */
static int known_bits(struct store_txn *txn, const char *account,
	const struct mail_flag_names *names, struct mail_flags *ret)
{
	struct mail_keywords k = {.count = 0};
	struct mail_flags f = {.system = names->system};
	int rc = names->count == 0 ? 0 : mail_keywords_read(txn, account, &k);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < names->count; i++)
		for (size_t n = 0; n < k.count; n++)
			if (span_caseeq_str(names->keywords[i], k.names[n]))
				f.keywords |= UINT64_C(1) << n;
	*ret = f;
	return 0;
}

static int begin(struct store_txn *txn, struct flagging *f)
{
	const struct mail_flags_args *a = f->args;
	int rc;

	if (a->count > MAIL_BATCH_MAX || (a->flags.system & ~(uint32_t)SYSTEM_ALL) != 0 ||
		!row_is_text(a->account, sizeof(a->account)))
		return -EINVAL;
	rc = mail_writer_open(txn, a->account, a->now_us, &f->w);
	if (rc == 0)
		rc = mail_box_read(txn, a->account, a->box, &f->box);
	if (rc < 0)
		return rc;
	rc = mail_flags_enter(txn, a->account, &a->flags, &f->flags);
	/* Clients expect that a STORE makes its keywords known, even one that takes them away; but
	 * for that nobody needs a place in the table. */
	if (rc == -ENOBUFS && a->how == MAIL_FLAGS_REMOVE)
		rc = known_bits(txn, a->account, &a->flags, &f->flags);
	return rc;
}

static struct mail_flags changed_flags(const struct flagging *f, struct mail_flags old)
{
	struct mail_flags ret = f->flags;

	if (f->args->how == MAIL_FLAGS_ADD) {
		ret.system = old.system | f->flags.system;
		ret.keywords = old.keywords | f->flags.keywords;
	} else if (f->args->how == MAIL_FLAGS_REMOVE) {
		ret.system = old.system & ~f->flags.system;
		ret.keywords = old.keywords & ~f->flags.keywords;
	}
	return ret;
}

/* -- a message --------------------------------------------------------------------------------- */

/* It asks no more once a receipt was sent, or is certain to be. */
static int note_receipt(
	struct flagging *f, const struct mail_message *before, struct mail_message *after)
{
	struct mail_due due = {.box = f->box.id, .uid = before->uid, .read_us = f->args->now_us};
	const uint32_t came = after->flags.system & ~before->flags.system;

	if (!before->asks)
		return 0;
	if ((after->flags.system & MAIL_MDN_SENT) != 0) {
		after->asks = false;
		return 0;
	}
	if ((came & MAIL_SEEN) == 0 || f->w.account.prefs.receipts != MAIL_RECEIPTS_ALWAYS)
		return 0;
	after->asks = false;
	f->ret->due++;
	return mail_due_add(f->w.txn, &f->w.account, &due);
}

static void set_bit(unsigned char *bits, size_t n)
{
	bits[n / 8] |= (unsigned char)(1U << n % 8);
}

static int change_one(struct flagging *f, size_t n)
{
	struct mail_message before, after;
	int rc = mail_message_read(f->w.txn, f->box.id, f->args->uids[n], &before);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	if (f->args->conditional && before.modseq > f->args->unchanged_since) {
		set_bit(f->ret->refused, n);
		return 0;
	}
	after = before;
	after.flags = changed_flags(f, before.flags);
	if (after.flags.system == before.flags.system &&
		after.flags.keywords == before.flags.keywords)
		return 0;
	set_bit(f->ret->changed, n);
	rc = note_receipt(f, &before, &after);
	return rc < 0 ? rc : mail_message_change(&f->w, &f->box, &before, &after);
}

int op_mail_flags(struct store_txn *txn, const void *args, void *result)
{
	struct flagging f = {.args = args, .ret = result};
	int rc = begin(txn, &f);

	for (size_t i = 0; rc == 0 && i < f.args->count; i++)
		rc = change_one(&f, i);
	if (rc < 0)
		return rc;
	f.ret->modseq = f.w.modseq;
	if (f.w.modseq == 0 && f.ret->due == 0)
		return 0;
	rc = mail_box_write(txn, f.args->account, &f.box);
	return rc < 0 ? rc : mail_writer_close(&f.w);
}

/* -- \Recent ----------------------------------------------------------------------------------- */

int op_mail_recent(struct store_txn *txn, const void *args, void *result)
{
	const struct mail_recent_args *a = args;
	struct mail_recent_result *ret = result;
	struct mail_box box;
	int rc;

	if (!row_is_text(a->account, sizeof(a->account)))
		return -EINVAL;
	rc = mail_box_read(txn, a->account, a->box, &box);
	if (rc < 0)
		return rc;
	ret->from = box.recent_uid;
	ret->to = box.uid_next;
	if (box.recent_uid == box.uid_next)
		return 0;
	box.recent_uid = box.uid_next;
	return mail_box_write(txn, a->account, &box);
}
