/*
 * Composing: header fields. Whatever text is given, a field stays one field: control characters
 * become blanks, addresses are quoted where they must be.
 */
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/timefmt.h"
#include "proto/mime_i.h"

#include <errno.h>

enum { LINE_WANTED = 76, RANDOM_LETTERS = 24 };

void mime_put_field(struct buf *b, const char *name, struct span text)
{
	size_t column = strlen(name) + 2;

	buf_addf(b, "%s: ", name);
	mime_words_encode(b, text, false, &column);
	buf_add_str(b, "\r\n");
}

/* -- addresses --------------------------------------------------------------------------------- */

static bool is_alnum(unsigned char c)
{
	return mime_is_digit(c) || (mime_lower(c) >= 'a' && mime_lower(c) <= 'z');
}

static bool is_atext(unsigned char c)
{
	return is_alnum(c) || c >= 0x80 || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* dot-atom of RFC 5322 section 3.2.3 */
static bool is_dot_atom(struct span s)
{
	bool dot = true;

	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '.' ? dot : !is_atext(s.p[i]))
			return false;
		dot = s.p[i] == '.';
	}
	return !dot;
}

static void put_local(struct buf *b, struct span local)
{
	if (is_dot_atom(local)) {
		buf_add(b, local);
		return;
	}
	buf_add_byte(b, '"');
	for (size_t i = 0; i < local.len; i++) {
		if (local.p[i] == '"' || local.p[i] == '\\')
			buf_add_byte(b, '\\');
		buf_add_byte(b, local.p[i]);
	}
	buf_add_byte(b, '"');
}

static void put_domain(struct buf *b, struct span domain)
{
	for (size_t i = 0; i < domain.len; i++) {
		unsigned char c = domain.p[i];

		if (is_alnum(c) || c >= 0x80 || (c != '\0' && strchr(".-:[]_", c) != NULL))
			buf_add_byte(b, c);
	}
}

/* Well-formed UTF-8 without control characters. */
static void put_clean(struct buf *b, struct span text)
{
	uint32_t cp;
	bool bad;

	while (mime_utf8_next(&text, &cp, &bad))
		mime_utf8_put(b, cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ? ' ' : cp);
}

static void put_address(struct buf *b, struct span address)
{
	_cleanup_(buf_done) struct buf clean = BUF_INIT(MIME_FIELD_MAX);
	struct span s;
	const unsigned char *at;

	put_clean(&clean, address);
	s = span_trim(buf_span(&clean));
	at = s.len > 0 ? memrchr(s.p, '@', s.len) : NULL;
	if (at == NULL) {
		put_local(b, s);
		return;
	}
	put_local(b, span_of(s.p, (size_t)(at - s.p)));
	buf_add_byte(b, '@');
	put_domain(b, mime_skip(s, (size_t)(at - s.p) + 1));
}

/* The bytes behind the last line's beginning. */
static size_t column_of(const struct buf *b)
{
	const unsigned char *end = b->len > 0 ? memrchr(b->p, '\n', b->len) : NULL;

	return end != NULL ? b->len - (size_t)(end - b->p) - 1 : b->len;
}

static void put_mailbox(struct buf *b, const struct mime_mailbox *m)
{
	_cleanup_(buf_done) struct buf address = BUF_INIT(MIME_FIELD_MAX);
	size_t column = column_of(b), before = b->len;
	bool named;

	put_address(&address, m->address);
	if (buf_error(&address) < 0) {
		if (b->error == 0)
			b->error = buf_error(&address);
		return;
	}
	mime_words_encode(b, m->name, true, &column);
	named = b->len > before;
	column = column_of(b);
	if (named)
		buf_add_str(b, column + address.len + 4 > LINE_WANTED ? "\r\n <" : " <");
	buf_add(b, buf_span(&address));
	if (named)
		buf_add_byte(b, '>');
}

void mime_put_addresses(
	struct buf *b, const char *name, const struct mime_mailbox *list, size_t count)
{
	buf_addf(b, "%s: ", name);
	for (size_t i = 0; i < count; i++) {
		size_t wanted = list[i].name.len + list[i].address.len + 5;

		if (i > 0)
			buf_add_str(b, column_of(b) + wanted > LINE_WANTED ? ",\r\n " : ", ");
		put_mailbox(b, &list[i]);
	}
	buf_add_str(b, "\r\n");
}

/* -- what is made up --------------------------------------------------------------------------- */

void mime_put_date(struct buf *b, int64_t at_us)
{
	struct time_parts t;

	if (time_local(at_us, &t) < 0 && time_utc(0, &t) < 0)
		return;
	buf_add_str(b, "Date: ");
	time_rfc5322(b, &t);
	buf_add_str(b, "\r\n");
}

int mime_boundary_new(struct buf *ret)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEF";
	unsigned char random[RANDOM_LETTERS];
	int r = hash_random(random, sizeof(random));

	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof(random); i++)
		buf_add_byte(ret, (unsigned char)letters[random[i] % 32]);
	return buf_error(ret);
}

int mime_msgid_new(const char *domain, struct buf *ret)
{
	int r;

	buf_add_byte(ret, '<');
	r = mime_boundary_new(ret);
	if (r < 0)
		return r;
	buf_add_byte(ret, '@');
	put_domain(ret, span_str(domain));
	buf_add_byte(ret, '>');
	return buf_error(ret);
}
