/* Flags by name, read and written. */
#include "proto/imap_i.h"

#include <errno.h>

struct flag_row {
	const char *name;
	uint32_t bit;
};
static const struct flag_row flags[] = {
	{"\\Answered", IMAP_FLAG_ANSWERED},
	{"\\Flagged", IMAP_FLAG_FLAGGED},
	{"\\Deleted", IMAP_FLAG_DELETED},
	{"\\Seen", IMAP_FLAG_SEEN},
	{"\\Draft", IMAP_FLAG_DRAFT},
	{"$MDNSent", IMAP_FLAG_MDN_SENT},
	{"$Forwarded", IMAP_FLAG_FORWARDED},
	{"$Junk", IMAP_FLAG_JUNK},
	{"$NotJunk", IMAP_FLAG_NOT_JUNK},
};

uint32_t imap_flag_find(struct span name)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (span_caseeq_str(name, flags[i].name))
			return flags[i].bit;
	return 0;
}

void imap_put_flags(struct buf *b, uint32_t system)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if ((system & flags[i].bit) == 0)
			continue;
		if (b->len == 0 || b->p[b->len - 1] != '(')
			buf_add_byte(b, ' ');
		buf_add_str(b, flags[i].name);
	}
}

struct flag_list {
	uint32_t system;
	struct span *keywords;
	size_t max, count;
};

static int take_flag(struct imap_in *in, void *data)
{
	struct flag_list *l = data;
	size_t from = in->at;
	bool backslash = imap_in_char(in, '\\');
	struct span name;
	uint32_t bit;
	int r = imap_in_atom(in, &name);

	if (r < 0)
		return r;
	bit = imap_flag_find(span_of(in->p + from, in->at - from));
	l->system |= bit;
	if (bit != 0)
		return 0;
	/* \Recent is no client's to set, and other system flags do not exist. */
	if (backslash || l->count >= l->max)
		return -EBADMSG;
	l->keywords[l->count++] = name;
	return 0;
}

int imap_in_flags(struct imap_in *in, uint32_t *ret_system, struct span *ret_keywords, size_t max,
	size_t *ret_count)
{
	struct flag_list l = {.keywords = ret_keywords, .max = max};
	size_t from = in->at;
	int r;

	if (imap_in_peek(in) == '(') {
		r = imap_in_list_of(in, true, take_flag, &l);
	} else {
		do
			r = take_flag(in, &l);
		while (r == 0 && imap_in_char(in, ' '));
	}
	if (r < 0) {
		in->at = from;
		return r;
	}
	*ret_system = l.system;
	*ret_count = l.count;
	return 0;
}
