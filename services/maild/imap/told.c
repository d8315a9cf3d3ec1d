/* What a client is told of messages' flags, and of the flags that there are. */
#include "services/maild/imap/imap.h"

#include <inttypes.h>

#define SYSTEM_FLAGS "\\Answered \\Flagged \\Deleted \\Seen \\Draft"
#define KNOWN_KEYWORDS " $MDNSent $Forwarded $Junk $NotJunk"

static void put_separator(struct buf *b)
{
	if (b->len > 0 && b->p[b->len - 1] != '(')
		buf_add_byte(b, ' ');
}

/*
 * Keywords that came into the account's table after the last look are left out: the change that
 * brought them is not told yet, and with it FLAGS comes first.
 */
void imap_put_message_flags(struct imap *s, struct buf *b, const struct mail_message *m)
{
	uint64_t keywords = m->flags.keywords;

	buf_add_str(b, "FLAGS (");
	imap_put_flags(b, m->flags.system);
	for (size_t i = 0; keywords != 0 && i < s->keywords.count; i++, keywords >>= 1) {
		if ((keywords & 1) == 0)
			continue;
		put_separator(b);
		buf_add_str(b, s->keywords.names[i]);
	}
	if ((s->enabled & IMAP_REV2) == 0 && imap_is_recent(s, m->uid)) {
		put_separator(b);
		buf_add_str(b, "\\Recent");
	}
	buf_add_byte(b, ')');
}

void imap_put_told(
	struct imap *s, struct buf *b, size_t position, const struct mail_message *m, bool uid)
{
	buf_addf(b, "* %zu FETCH (", position + 1);
	if (uid || (s->enabled & (IMAP_QRESYNC | IMAP_REV2)) != 0)
		buf_addf(b, "UID %" PRIu32 " ", m->uid);
	if ((s->enabled & IMAP_CONDSTORE) != 0)
		buf_addf(b, "MODSEQ (%" PRIu64 ") ", m->modseq);
	imap_put_message_flags(s, b, m);
	buf_add_str(b, ")\r\n");
}

static void put_names(const struct imap *s, struct buf *b)
{
	buf_add_str(b, SYSTEM_FLAGS KNOWN_KEYWORDS);
	for (size_t i = 0; i < s->keywords.count; i++)
		buf_addf(b, " %s", s->keywords.names[i]);
}

void imap_tell_keywords(struct imap *s)
{
	struct buf *b = &s->out;

	buf_reset(b);
	buf_add_str(b, "* FLAGS (");
	put_names(s, b);
	buf_add_str(b, ")\r\n* OK [PERMANENTFLAGS (");
	if (!s->box.read_only) {
		put_names(s, b);
		buf_add_str(b, s->keywords.count < MAIL_KEYWORDS_MAX ? " \\*" : "");
	}
	buf_add_str(b, ")] Flags that are kept\r\n");
	imap_write(s, buf_span(b));
	s->box.keywords_told = s->keywords.count;
}

struct look {
	struct imap *s;
};

static int read_keywords(struct store_txn *txn, void *arg)
{
	struct look *l = arg;

	return mail_keywords_read(txn, imap_account(l->s), &l->s->keywords);
}

int imap_keywords(struct imap *s)
{
	int r = store_view(s->service->store, read_keywords, &(struct look){.s = s});

	if (r == 0 && s->state == IMAP_SELECTED && s->keywords.count > s->box.keywords_told)
		imap_tell_keywords(s);
	return r;
}
