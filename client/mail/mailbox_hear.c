/* What a server tells of the mailbox that is selected, at any time. */
#include "client/mail/mailbox_i.h"

#include <errno.h>

/* -- status answers ---------------------------------------------------------------------------- */

/* Another UIDVALIDITY: nothing that was known is of this mailbox. */
static void validity(struct mailbox *b, uint32_t value)
{
	if (b->cache.validity == value)
		return;
	b->gone |= b->items.count > 0;
	b->changed = true;
	items_clear(&b->items);
	b->cache.validity = value;
	b->cache.uid_next = 0;
	b->cache.modseq = 0;
}

static void code(struct mailbox *b, struct span code)
{
	struct span name;
	uint32_t n = 0;
	uint64_t modseq = 0;

	if (!span_split(&code, ' ', &name))
		return;
	if (span_caseeq_str(name, "CLOSED"))
		b->closing = false;
	if (b->closing)
		return;
	if (span_caseeq_str(name, "UIDVALIDITY") && imapc_u32(code, &n) && n > 0)
		validity(b, n);
	else if (span_caseeq_str(name, "UIDNEXT") && imapc_u32(code, &n))
		b->uid_next = n;
	else if (span_caseeq_str(name, "HIGHESTMODSEQ") && imapc_u64(code, &modseq))
		b->highest = modseq;
	else if (span_caseeq_str(name, "NOMODSEQ"))
		b->highest = 0;
}

/* -- data -------------------------------------------------------------------------------------- */

static bool is_outside(void *arg, uint32_t uid)
{
	return !imap_set_has(arg, uid);
}

static void vanished(struct mailbox *b, const struct imap_answer *a)
{
	const struct imap_node *n = imapc_nth(a, 1);
	struct imap_set set = {.list = NULL};
	struct imap_in in = {.p = NULL};
	_cleanup_(buf_done) struct buf text = BUF_INIT(IMAPC_LINE_MAX);
	bool earlier = n != NULL && n->value == IMAP_VALUE_LIST;

	if (earlier)
		n = imapc_nth(a, 2);
	if (n == NULL || n->value != IMAP_VALUE_ATOM)
		return;
	buf_add(&text, n->text);
	in = (struct imap_in){.p = text.p, .len = text.len};
	if (buf_error(&text) < 0 || imap_in_set(&in, &set) < 0 || !imap_in_end(&in)) {
		b->lost_count = true;
	} else {
		size_t before = b->items.count;
		bool any = false;

		imap_set_settle(&set, UINT32_MAX);
		items_keep(&b->items, is_outside, &set, &any);
		b->gone |= any;
		b->changed |= any;
		/* Those that were never known count too. */
		if (!earlier && before > b->items.count)
			b->exists -= before - b->items.count < b->exists
				? (uint32_t)(before - b->items.count)
				: b->exists;
	}
	imap_set_done(&set);
}

/* Only without QRESYNC. */
static void expunged(struct mailbox *b, uint32_t seq)
{
	if (seq == 0 || b->items.count != b->exists || seq > b->items.count) {
		b->lost_count = true;
	} else {
		items_remove(&b->items, seq - 1);
		b->gone = b->changed = true;
	}
	if (b->exists > 0)
		b->exists--;
}

static int seen_add(struct mailbox *b, uint32_t uid)
{
	buf_add(b->seen, span_of(&uid, sizeof uid));
	return buf_error(b->seen) < 0 ? -E2BIG : 0;
}

static int flags_update(struct mailbox *b, struct mail_item *i, struct mail_item *news)
{
	b->changed |= i->flags != news->flags || strcmp(i->keywords, news->keywords) != 0;
	i->flags = news->flags;
	if (news->modseq > i->modseq)
		i->modseq = news->modseq;
	return items_keywords(&b->items, i, &news->keywords);
}

static int fetched(struct mailbox *b, const struct imap_answer *a)
{
	struct item_news n;
	struct mail_item *i;
	int r = item_of_fetch(a, &n);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (b->seen != NULL)
		r = seen_add(b, n.item.uid);
	i = items_find(&b->items, n.item.uid);
	/* A message never changes but for its flags. */
	if (r == 0 && i != NULL && n.has_flags) {
		r = flags_update(b, i, &n.item);
	} else if (r == 0 && i == NULL && n.has_flags && n.has_details) {
		r = items_put(&b->items, &n.item);
		b->changed = true;
	}
	item_news_done(&n);
	return r;
}

int mailbox_hear(void *arg, const struct imap_answer *a)
{
	struct mailbox *b = arg;
	const struct imap_node *first = imapc_nth(a, 0);
	uint32_t n = 0;

	if (a->status.len > 0) {
		if (a->code.len > 0)
			code(b, a->code);
		return 0;
	}
	if (b->closing || first == NULL || first->value != IMAP_VALUE_ATOM)
		return 0;
	if (imapc_word(a, 0, "VANISHED")) {
		vanished(b, a);
	} else if (imapc_u32(first->text, &n)) {
		if (imapc_word(a, 1, "EXISTS"))
			b->exists = n;
		else if (imapc_word(a, 1, "EXPUNGE"))
			expunged(b, n);
		else if (imapc_word(a, 1, "FETCH"))
			return fetched(b, a);
	}
	return 0;
}
