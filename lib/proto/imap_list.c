/* LIST with its options (RFC 3501, 5258, 5819, 6154) and STATUS items. */
#include "base/text.h"
#include "proto/imap_i.h"

#include <errno.h>

enum { PATTERNS_MAX = 100, PATTERN_BYTES_MAX = 16 << 10 };

struct word_row {
	const char *name;
	unsigned bit;
};

static unsigned word_bit(struct span word, const struct word_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (span_caseeq_str(word, rows[i].name))
			return rows[i].bit;
	return 0;
}

static int take_status(struct imap_in *in, void *data)
{
	static const struct word_row rows[] = {
		{"MESSAGES", IMAP_STATUS_MESSAGES},
		{"RECENT", IMAP_STATUS_RECENT},
		{"UIDNEXT", IMAP_STATUS_UIDNEXT},
		{"UIDVALIDITY", IMAP_STATUS_UIDVALIDITY},
		{"UNSEEN", IMAP_STATUS_UNSEEN},
		{"HIGHESTMODSEQ", IMAP_STATUS_HIGHESTMODSEQ},
		{"SIZE", IMAP_STATUS_SIZE},
		{"APPENDLIMIT", IMAP_STATUS_APPENDLIMIT},
		{"MAILBOXID", IMAP_STATUS_MAILBOXID},
		{"DELETED", IMAP_STATUS_DELETED},
		{"DELETED-STORAGE", IMAP_STATUS_DELETED_STORAGE},
	};
	unsigned *items = data;
	unsigned bit = word_bit(imap_in_name(in), rows, sizeof(rows) / sizeof(rows[0]));

	*items |= bit;
	return bit != 0 ? 0 : -EBADMSG;
}

int imap_in_status(struct imap_in *in, unsigned *ret_items)
{
	size_t from = in->at;
	unsigned items = 0;
	int r = imap_in_list_of(in, false, take_status, &items);

	if (r < 0) {
		in->at = from;
		return r;
	}
	*ret_items = items;
	return 0;
}

static int take_selection(struct imap_in *in, void *data)
{
	static const struct word_row rows[] = {
		{"SUBSCRIBED", IMAP_LIST_SUBSCRIBED},
		{"REMOTE", IMAP_LIST_REMOTE},
		{"RECURSIVEMATCH", IMAP_LIST_RECURSIVEMATCH},
		{"SPECIAL-USE", IMAP_LIST_SPECIAL_USE},
	};
	struct imap_list *l = data;
	unsigned bit = word_bit(imap_in_name(in), rows, sizeof(rows) / sizeof(rows[0]));

	l->options |= bit;
	return bit != 0 ? 0 : -EBADMSG;
}

static int take_return(struct imap_in *in, void *data)
{
	static const struct word_row rows[] = {
		{"SUBSCRIBED", IMAP_RETURN_SUBSCRIBED},
		{"CHILDREN", IMAP_RETURN_CHILDREN},
		{"SPECIAL-USE", IMAP_RETURN_SPECIAL_USE},
		{"STATUS", IMAP_RETURN_STATUS},
	};
	struct imap_list *l = data;
	unsigned bit = word_bit(imap_in_name(in), rows, sizeof(rows) / sizeof(rows[0]));

	l->options |= bit;
	if (bit == IMAP_RETURN_STATUS)
		return imap_in_space(in) < 0 ? -EBADMSG : imap_in_status(in, &l->status);
	return bit != 0 ? 0 : -EBADMSG;
}

static int in_selection(struct imap_in *in, struct imap_list *l)
{
	static const unsigned bases = IMAP_LIST_SUBSCRIBED | IMAP_LIST_SPECIAL_USE;
	int r;

	if (imap_in_peek(in) != '(')
		return 0;
	l->extended = true;
	r = imap_in_list_of(in, true, take_selection, l);
	if (r < 0)
		return r;
	/* RFC 5258 section 3.1: it only says how others are meant. */
	if ((l->options & IMAP_LIST_RECURSIVEMATCH) != 0 && (l->options & bases) == 0)
		return -EBADMSG;
	return imap_in_space(in);
}

static bool is_list_char(unsigned char c)
{
	return imap_is_astring(c) || c == '%' || c == '*';
}

static int in_list_mailbox(struct imap_in *in, struct span *ret)
{
	size_t from = in->at;

	if (imap_in_peek(in) == '"' || imap_in_peek(in) == '{')
		return imap_in_string(in, ret);
	while (in->at < in->len && is_list_char(in->p[in->at]))
		in->at++;
	*ret = span_of(in->p + from, in->at - from);
	return ret->len > 0 ? 0 : -EBADMSG;
}

/* As UTF-8; what is none of the wire's spellings names no mailbox, and matches none as it is. */
static int put_decoded(const struct imap_in *in, struct span raw, struct buf *ret)
{
	size_t from = ret->len;

	if (memchr(raw.p, '\0', raw.len) != NULL)
		return -EBADMSG;
	if (in->utf8 || imap_name_decode(raw, ret) < 0) {
		ret->len = from;
		buf_add(ret, raw);
	}
	return buf_error(ret) == -ENOMEM ? -ENOMEM : buf_error(ret) < 0 ? -EBADMSG : 0;
}

static int take_pattern(struct imap_in *in, void *data)
{
	struct imap_list *l = data;
	struct span raw;
	int r = in_list_mailbox(in, &raw);

	if (r < 0)
		return r;
	if (l->pattern_count >= PATTERNS_MAX)
		return -EBADMSG;
	r = put_decoded(in, raw, &l->patterns);
	if (r < 0)
		return r;
	buf_add_byte(&l->patterns, '\0');
	l->pattern_count++;
	return buf_error(&l->patterns) < 0 ? -EBADMSG : 0;
}

static int in_patterns(struct imap_in *in, struct imap_list *l)
{
	if (imap_in_peek(in) != '(')
		return take_pattern(in, l);
	l->extended = true;
	return imap_in_list_of(in, false, take_pattern, l);
}

static int in_returns(struct imap_in *in, struct imap_list *l)
{
	if (imap_in_end(in))
		return 0;
	if (imap_in_space(in) < 0 || !imap_in_word(in, "RETURN") || imap_in_space(in) < 0)
		return -EBADMSG;
	l->extended = true;
	return imap_in_list_of(in, true, take_return, l);
}

static int in_command(struct imap_in *in, struct imap_list *l)
{
	struct span reference;
	int r = in_selection(in, l);

	if (r < 0)
		return r;
	r = imap_in_astring(in, &reference);
	if (r < 0)
		return r;
	r = put_decoded(in, reference, &l->reference);
	if (r < 0)
		return r;
	r = imap_in_space(in);
	if (r < 0)
		return r;
	r = in_patterns(in, l);
	if (r < 0)
		return r;
	r = in_returns(in, l);
	return r < 0 ? r : imap_in_end(in) ? 0 : -EBADMSG;
}

int imap_in_list(struct imap_in *in, struct imap_list *ret)
{
	struct imap_list l = {
		.reference = BUF_INIT(PATTERN_BYTES_MAX), .patterns = BUF_INIT(PATTERN_BYTES_MAX)};
	size_t from = in->at;
	int r = in_command(in, &l);

	if (r < 0) {
		in->at = from;
		imap_list_done(&l);
		return r;
	}
	*ret = l;
	return 0;
}

void imap_list_done(struct imap_list *l)
{
	buf_done(&l->reference);
	buf_done(&l->patterns);
	*l = (struct imap_list){.extended = false};
}
