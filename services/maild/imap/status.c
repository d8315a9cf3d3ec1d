/* STATUS (RFC 3501, 9051; CONDSTORE, STATUS=SIZE, APPENDLIMIT, OBJECTID, QUOTA). */
#include "services/maild/imap/imap.h"

#include "base/cleanup.h"

#include <errno.h>
#include <inttypes.h>

void imap_put_name(const struct imap *s, struct buf *b, const char *name)
{
	imap_put_mailbox(b, span_str(name), (s->enabled & (IMAP_UTF8 | IMAP_REV2)) != 0);
}

struct counting {
	const struct mail_box *box;
	bool deleted; /* else recent */
	uint64_t recent, bytes;
};

static int count_one(void *arg, const struct mail_message *m)
{
	struct counting *c = arg;

	c->recent++;
	if ((m->flags.system & MAIL_DELETED) != 0)
		c->bytes += m->size;
	return 0;
}

static int count(struct store_txn *txn, void *arg)
{
	struct counting *c = arg;

	return mail_messages_each(
		txn, c->box->id, c->deleted ? 1 : c->box->recent_uid, count_one, c);
}

static uint64_t recent_of(const struct imap *s, const struct mail_box *box)
{
	struct counting c = {.box = box};

	if (s->state == IMAP_SELECTED && s->box.id == box->id)
		return imap_recent_count(s);
	if (box->recent_uid < box->uid_next)
		(void)store_view(s->service->store, count, &c);
	return c.recent;
}

static uint64_t deleted_bytes(const struct imap *s, const struct mail_box *box)
{
	struct counting c = {.box = box, .deleted = true};

	if (box->deleted > 0)
		(void)store_view(s->service->store, count, &c);
	return c.bytes;
}

static void put_item(struct imap *s, struct buf *b, const struct mail_box *box, unsigned item)
{
	switch ((enum imap_status_item)item) {
	case IMAP_STATUS_MESSAGES:
		buf_addf(b, "MESSAGES %" PRIu32, box->messages);
		break;
	case IMAP_STATUS_RECENT:
		buf_addf(b, "RECENT %" PRIu64, recent_of(s, box));
		break;
	case IMAP_STATUS_UIDNEXT:
		buf_addf(b, "UIDNEXT %" PRIu32, box->uid_next);
		break;
	case IMAP_STATUS_UIDVALIDITY:
		buf_addf(b, "UIDVALIDITY %" PRIu32, box->validity);
		break;
	case IMAP_STATUS_UNSEEN:
		buf_addf(b, "UNSEEN %" PRIu32, box->unseen);
		break;
	case IMAP_STATUS_HIGHESTMODSEQ:
		buf_addf(b, "HIGHESTMODSEQ %" PRIu64, box->modseq);
		break;
	case IMAP_STATUS_SIZE:
		buf_addf(b, "SIZE %" PRIu64, box->bytes);
		break;
	case IMAP_STATUS_APPENDLIMIT:
		buf_addf(b, "APPENDLIMIT %" PRIu64, s->size_limit);
		break;
	case IMAP_STATUS_MAILBOXID:
		buf_addf(b, "MAILBOXID (F%" PRIu64 ")", box->id);
		break;
	case IMAP_STATUS_DELETED:
		buf_addf(b, "DELETED %" PRIu32, box->deleted);
		break;
	case IMAP_STATUS_DELETED_STORAGE:
		buf_addf(b, "DELETED-STORAGE %" PRIu64, deleted_bytes(s, box));
		break;
	}
}

void imap_put_status(struct imap *s, struct buf *b, const struct mail_box *box, unsigned items)
{
	bool first = true;

	buf_add_str(b, "STATUS ");
	imap_put_name(s, b, box->name);
	buf_add_str(b, " (");
	for (unsigned item = 1; item != 0 && item <= items; item <<= 1) {
		if ((items & item) == 0)
			continue;
		if (!first)
			buf_add_byte(b, ' ');
		first = false;
		put_item(s, b, box, item);
	}
	buf_add_byte(b, ')');
}

struct look {
	struct imap *s;
	struct buf name;
	struct mail_box box;
};

static int find_box(struct store_txn *txn, void *arg)
{
	struct look *l = arg;

	return mail_box_find(txn, imap_account(l->s), buf_span(&l->name), &l->box);
}

static int tell(struct imap_call *c, struct look *l, unsigned items)
{
	struct imap *s = c->s;
	int r = store_view(s->service->store, find_box, l);

	if (r < 0)
		return imap_failed(c, r);
	if ((items & IMAP_STATUS_HIGHESTMODSEQ) != 0)
		imap_enable_condstore(s);
	buf_reset(&s->out);
	buf_add_str(&s->out, "* ");
	imap_put_status(s, &s->out, &l->box, items);
	buf_add_str(&s->out, "\r\n");
	imap_write(s, buf_span(&s->out));
	return imap_ok(c, "That is how it is");
}

int imap_cmd_status(struct imap_call *c)
{
	struct look look = {.s = c->s, .name = BUF_INIT(IMAP_LITERAL_MAX)};
	unsigned items = 0;
	int r = imap_in_space(&c->in), bad;

	if (r == 0)
		r = imap_in_mailbox(&c->in, &look.name);
	bad = r < 0 && r != -EINVAL ? r : imap_in_space(&c->in);
	if (bad == 0)
		bad = imap_in_status(&c->in, &items);
	if (bad < 0 || !imap_in_end(&c->in))
		r = imap_bad(c, "STATUS takes a mailbox and a list of items");
	else
		r = tell(c, &look, items);
	buf_done(&look.name);
	return r;
}
