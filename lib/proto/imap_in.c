/* The words of an IMAP command: atoms, strings, literals, numbers, lists (RFC 3501 section 9). */
#include "base/text.h"
#include "proto/imap_i.h"

#include <errno.h>
#include <stdlib.h>

bool imap_is_atom(unsigned char c)
{
	return c > ' ' && c < 0x7f && strchr("(){%*\"\\]", c) == NULL;
}

bool imap_is_astring(unsigned char c)
{
	return imap_is_atom(c) || c == ']';
}

/* Digits up to a limit; false when there are none or too many. */
static bool read_digits(struct span s, uint64_t max, uint64_t *ret, size_t *ret_len)
{
	uint64_t n = 0;
	size_t len = 0;

	for (; len < s.len && imap_is_digit(s.p[len]); len++) {
		unsigned digit = s.p[len] - '0';

		if (n > (max - digit) / 10 || digit > max)
			return false;
		n = n * 10 + digit;
	}
	if (len == 0)
		return false;
	*ret = n;
	*ret_len = len;
	return true;
}

int imap_literal_end(struct span line, struct imap_literal *ret)
{
	struct imap_literal l = {.size = 0};
	size_t end = line.len, begin, len;

	if (end == 0 || line.p[--end] != '}')
		return 0;
	l.plus = end > 0 && line.p[end - 1] == '+';
	if (l.plus)
		end--;
	for (begin = end; begin > 0 && imap_is_digit(line.p[begin - 1]);)
		begin--;
	if (begin == end || begin == 0 || line.p[begin - 1] != '{')
		return 0;
	if (!read_digits(span_of(line.p + begin, end - begin), INT64_MAX, &l.size, &len))
		return -EBADMSG;
	l.prefix = begin - 1;
	l.binary = l.prefix > 0 && line.p[l.prefix - 1] == '~';
	if (l.binary)
		l.prefix--;
	*ret = l;
	return 1;
}

static struct span rest_of(const struct imap_in *in)
{
	return span_of(in->p + in->at, in->len - in->at);
}

static struct span take_while(struct imap_in *in, bool (*is)(unsigned char))
{
	size_t from = in->at;

	while (in->at < in->len && is(in->p[in->at]))
		in->at++;
	return span_of(in->p + from, in->at - from);
}

int imap_in_tag(struct imap_in *in, struct span *ret)
{
	size_t from = in->at;
	struct span tag = take_while(in, imap_is_astring);

	if (tag.len == 0 || tag.len > IMAP_TAG_MAX || memchr(tag.p, '+', tag.len) != NULL) {
		in->at = from;
		return -EBADMSG;
	}
	*ret = tag;
	return 0;
}

int imap_in_atom(struct imap_in *in, struct span *ret)
{
	struct span atom = take_while(in, imap_is_atom);

	if (atom.len == 0)
		return -EBADMSG;
	*ret = atom;
	return 0;
}

/* Behind the opening quote: the length up to the closing one; -EBADMSG: none. */
static int quoted_end(const struct imap_in *in, size_t *ret_len)
{
	struct span s = rest_of(in);

	for (size_t i = 1; i < s.len; i++) {
		if (s.p[i] == '"') {
			*ret_len = i - 1;
			return 0;
		}
		if (s.p[i] == '\\' && (++i >= s.len || (s.p[i] != '"' && s.p[i] != '\\')))
			return -EBADMSG;
		if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == '\0')
			return -EBADMSG;
	}
	return -EBADMSG;
}

static int in_quoted(struct imap_in *in, struct span *ret)
{
	unsigned char *p;
	size_t raw, len = 0;
	int r = quoted_end(in, &raw);

	if (r < 0)
		return r;
	p = in->p + in->at + 1;
	if (in->utf8 && !text_is_utf8(span_of(p, raw)))
		return -EBADMSG;
	for (size_t i = 0; i < raw; i++) {
		if (p[i] == '\\')
			i++;
		p[len++] = p[i];
	}
	in->at += raw + 2;
	*ret = span_of(p, len);
	return 0;
}

int imap_in_literal(struct imap_in *in, bool nul_ok, struct span *ret)
{
	struct span s = rest_of(in), head;
	const unsigned char *end = memchr(s.p, '\r', s.len);
	struct imap_literal l;
	size_t skip;

	if (end == NULL)
		return -EBADMSG;
	head = span_of(s.p, (size_t)(end - s.p));
	skip = head.len + 2;
	if (imap_literal_end(head, &l) != 1 || l.prefix != 0)
		return -EBADMSG;
	if (skip > s.len || s.p[skip - 1] != '\n' || l.size > s.len - skip)
		return -EBADMSG;
	if (!nul_ok && memchr(s.p + skip, '\0', (size_t)l.size) != NULL)
		return -EBADMSG;
	in->at += skip + (size_t)l.size;
	*ret = span_of(s.p + skip, (size_t)l.size);
	return 0;
}

int imap_in_string(struct imap_in *in, struct span *ret)
{
	switch (imap_in_peek(in)) {
	case '"':
		return in_quoted(in, ret);
	case '{':
		return imap_in_literal(in, false, ret);
	default:
		return -EBADMSG;
	}
}

int imap_in_astring(struct imap_in *in, struct span *ret)
{
	struct span s;

	if (imap_in_peek(in) == '"' || imap_in_peek(in) == '{')
		return imap_in_string(in, ret);
	s = take_while(in, imap_is_astring);
	if (s.len == 0)
		return -EBADMSG;
	*ret = s;
	return 0;
}

int imap_in_nstring(struct imap_in *in, struct span *ret, bool *ret_nil)
{
	int r;

	if (imap_in_word(in, "NIL")) {
		*ret = span_of(NULL, 0);
		*ret_nil = true;
		return 0;
	}
	r = imap_in_string(in, ret);
	if (r == 0)
		*ret_nil = false;
	return r;
}

int imap_in_number(struct imap_in *in, uint64_t max, uint64_t *ret)
{
	size_t len;

	if (!read_digits(rest_of(in), max, ret, &len))
		return -EBADMSG;
	in->at += len;
	return 0;
}

int imap_in_space(struct imap_in *in)
{
	return imap_in_char(in, ' ') ? 0 : -EBADMSG;
}

bool imap_in_char(struct imap_in *in, char c)
{
	if (in->at >= in->len || in->p[in->at] != (unsigned char)c)
		return false;
	in->at++;
	return true;
}

bool imap_in_word(struct imap_in *in, const char *word)
{
	size_t from = in->at;

	if (span_caseeq_str(take_while(in, imap_is_atom), word))
		return true;
	in->at = from;
	return false;
}

bool imap_in_end(const struct imap_in *in)
{
	return in->at >= in->len;
}

static bool is_name(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || imap_is_digit(c) || c == '.' ||
		c == '-';
}

struct span imap_in_name(struct imap_in *in)
{
	return take_while(in, is_name);
}

int imap_in_list_of(
	struct imap_in *in, bool empty_ok, int (*one)(struct imap_in *in, void *data), void *data)
{
	int r;

	if (!imap_in_char(in, '('))
		return -EBADMSG;
	if (empty_ok && imap_in_char(in, ')'))
		return 0;
	do {
		r = one(in, data);
		if (r < 0)
			return r;
	} while (imap_in_char(in, ' '));
	return imap_in_char(in, ')') ? 0 : -EBADMSG;
}

void *imap_grow(void **list, size_t *count, size_t *room, size_t size)
{
	size_t more = *room > 0 ? *room * 2 : 4;
	unsigned char *p;

	if (*count == *room) {
		p = reallocarray(*list, more, size);
		if (p == NULL)
			return NULL;
		*list = p;
		*room = more;
	}
	p = (unsigned char *)*list + *count * size;
	memset(p, 0, size);
	(*count)++;
	return p;
}
