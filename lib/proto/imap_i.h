/* What the files of IMAP's parsers share among themselves. */
#ifndef PROTO_IMAP_I_H
#define PROTO_IMAP_I_H

#include "proto/imap.h"

#define IMAP_NONE UINT32_MAX

static inline bool imap_is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* ATOM-CHAR and ASTRING-CHAR of RFC 3501: the latter has ']' too. */
bool imap_is_atom(unsigned char c);
bool imap_is_astring(unsigned char c);

/* What comes next, without taking it; 0 at the end. */
static inline unsigned char imap_in_peek(const struct imap_in *in)
{
	return in->at < in->len ? in->p[in->at] : 0;
}

/* A word of letters, digits, '.' and '-', which a '[' or '(' may follow: names of FETCH items. */
struct span imap_in_name(struct imap_in *in);

/* "{5}" CR LF and the bytes; for a command they must be free of NUL. */
int imap_in_literal(struct imap_in *in, bool nul_ok, struct span *ret);

/* Appends to an array that grows by doubling; the new element is zeroed. NULL: no memory. */
void *imap_grow(void **list, size_t *count, size_t *room, size_t size);

/* "(" one " " one ")", at least one unless empty_ok; one takes a single element. */
int imap_in_list_of(
	struct imap_in *in, bool empty_ok, int (*one)(struct imap_in *in, void *data), void *data);

/* A name as imap_in_mailbox() gives it, appended with a NUL behind it; patterns keep what is
 * malformed as it came. */
int imap_name_take(struct imap_in *in, struct span raw, struct buf *ret);

/* One fetch-att, without macros. */
int imap_in_fetch_item(struct imap_in *in, struct imap_fetch *f);
/* RFC 9394: "1:100", "-1:-100"; the one nearer to its end first. */
int imap_in_partial(struct imap_in *in, int64_t *ret_first, int64_t *ret_last);

/* RETURN (...) and the blank behind it, if it is there. */
int imap_search_returns(struct imap_in *in, struct imap_search *s);
/* The keys to the end of the command. */
int imap_search_keys(struct imap_in *in, struct imap_search *s);

#endif
