/* COPY and MOVE inside an account: rows only, their bodies are counted. */
#include "store/mail_i.h"

#include <errno.h>

struct copying {
	struct mail_writer w;
	struct mail_box boxes[2];
	struct mail_box *from, *to; /* both the same where a mailbox is copied into itself */
	uint32_t end; /* of what was there before */
};

static int begin(struct store_txn *txn, const struct mail_copy_args *a, struct copying *c)
{
	int rc;

	if (a->count == 0 || !row_is_text(a->account, sizeof(a->account)))
		return -EINVAL;
	rc = mail_writer_open(txn, a->account, a->now_us, &c->w);
	if (rc == 0)
		rc = mail_box_read(txn, a->account, a->from, &c->boxes[0]);
	if (rc == 0 && a->to != a->from)
		rc = mail_box_read(txn, a->account, a->to, &c->boxes[1]);
	c->from = &c->boxes[0];
	c->to = a->to != a->from ? &c->boxes[1] : c->from;
	c->end = rc == 0 ? c->from->uid_next : 0;
	return rc;
}

static void tell(const struct copying *c, uint32_t first_uid, struct mail_added *ret)
{
	ret->validity = c->to->validity;
	ret->first_uid = first_uid;
	ret->count = c->to->uid_next - first_uid;
	ret->modseq = c->to->modseq;
}

static int end(struct copying *c, bool moved)
{
	const char *account = c->w.account.name;
	int rc = mail_box_write(c->w.txn, account, c->to);

	if (rc == 0 && moved && c->from != c->to)
		rc = mail_box_write(c->w.txn, account, c->from);
	return rc < 0 ? rc : mail_writer_close(&c->w);
}

static int read_one(struct copying *c, uint32_t uid, struct mail_message *ret)
{
	return uid < c->end ? mail_message_read(c->w.txn, c->from->id, uid, ret) : -ENOENT;
}

static int copy_one(struct copying *c, const struct mail_message *m)
{
	struct mail_message copy = *m;
	int rc;

	copy.gone = false;
	rc = mail_message_add(&c->w, c->to, &copy);
	return rc < 0 ? rc : mail_body_ref_more(c->w.txn, m->blob, 1);
}

int op_mail_copy(struct store_txn *txn, const void *args, void *result)
{
	const struct mail_copy_args *a = args;
	struct copying c;
	struct mail_account before;
	struct mail_message m = {.size = 0};
	uint64_t bytes = 0;
	uint32_t first_uid;
	int rc = begin(txn, a, &c);

	if (rc < 0)
		return rc;
	before = c.w.account;
	first_uid = c.to->uid_next;
	for (size_t i = 0; rc == 0 && i < a->count; i++) {
		rc = read_one(&c, a->uids[i], &m);
		bytes += m.size;
		if (rc == 0)
			rc = copy_one(&c, &m);
	}
	if (rc == 0)
		rc = mail_quota_check(txn, &before, bytes);
	if (rc < 0)
		return rc;
	tell(&c, first_uid, result);
	return end(&c, false);
}

/* 1: moved. What is not there, or not any more, is left out. */
static int move_one(struct copying *c, uint32_t uid)
{
	struct mail_message m, after;
	int rc = read_one(c, uid, &m);

	if (rc == -ENOENT || (rc == 0 && m.gone))
		return 0;
	if (rc == 0)
		rc = copy_one(c, &m);
	after = m;
	after.gone = true;
	if (rc == 0)
		rc = mail_message_change(&c->w, c->from, &m, &after);
	return rc < 0 ? rc : 1;
}

int op_mail_move(struct store_txn *txn, const void *args, void *result)
{
	const struct mail_copy_args *a = args;
	struct mail_move_result *ret = result;
	struct copying c;
	uint32_t first_uid;
	int rc = a->count > MAIL_BATCH_MAX ? -EINVAL : begin(txn, a, &c);

	if (rc < 0)
		return rc;
	c.w.moves = true;
	first_uid = c.to->uid_next;
	for (size_t i = 0; rc >= 0 && i < a->count; i++) {
		rc = move_one(&c, a->uids[i]);
		if (rc == 1)
			ret->moved[i / 8] |= (unsigned char)(1U << i % 8);
	}
	if (rc < 0)
		return rc;
	tell(&c, first_uid, &ret->added);
	if (ret->added.count == 0)
		return 0;
	ret->modseq = c.w.modseq;
	return end(&c, true);
}
