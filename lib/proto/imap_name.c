/*
 * Mailbox names: modified UTF-7 (RFC 3501 section 5.1.3) to and from UTF-8, LIST's patterns. Every
 * name has one spelling only: what would encode differently is refused.
 */
#include "base/cleanup.h"
#include "base/text.h"
#include "proto/imap_i.h"

#include <errno.h>

enum { NAME_BYTES_MAX = IMAP_LINE_MAX };

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static bool is_direct(unsigned char c)
{
	return c >= 0x20 && c < 0x7f;
}

static int base64_value(unsigned char c)
{
	const char *at = c != '\0' ? strchr(base64, c) : NULL;

	return at != NULL ? (int)(at - base64) : -EINVAL;
}

static void put_utf8(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_add_byte(b, (unsigned char)c);
		return;
	}
	if (c < 0x800) {
		buf_add_byte(b, (unsigned char)(0xc0 | c >> 6));
	} else if (c < 0x10000) {
		buf_add_byte(b, (unsigned char)(0xe0 | c >> 12));
		buf_add_byte(b, (unsigned char)(0x80 | (c >> 6 & 0x3f)));
	} else {
		buf_add_byte(b, (unsigned char)(0xf0 | c >> 18));
		buf_add_byte(b, (unsigned char)(0x80 | (c >> 12 & 0x3f)));
		buf_add_byte(b, (unsigned char)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_add_byte(b, (unsigned char)(0x80 | (c & 0x3f)));
}

/* UTF-16 code units on their way to characters. */
struct units {
	uint32_t high; /* the first of a pair; 0: none waits */
	struct buf *to;
};

static int take_unit(struct units *u, uint32_t unit)
{
	bool low = unit >= 0xdc00 && unit < 0xe000;

	if (low != (u->high != 0))
		return -EINVAL;
	if (low) {
		put_utf8(u->to, 0x10000 + ((u->high - 0xd800) << 10) + (unit - 0xdc00));
		u->high = 0;
	} else if (unit >= 0xd800 && unit < 0xdc00) {
		u->high = unit;
	} else if (unit < 0x80 && (is_direct((unsigned char)unit) || unit == 0)) {
		return -EINVAL;
	} else {
		put_utf8(u->to, unit);
	}
	return 0;
}

/* "&...-": the bytes between the two, at least one. */
static int decode_shift(struct span s, struct buf *ret)
{
	struct units u = {.to = ret};
	uint32_t bits = 0;
	unsigned have = 0;
	int r;

	for (size_t i = 0; i < s.len; i++) {
		int value = base64_value(s.p[i]);

		if (value < 0)
			return value;
		bits = bits << 6 | (uint32_t)value;
		have += 6;
		if (have < 16)
			continue;
		have -= 16;
		r = take_unit(&u, bits >> have & 0xffff);
		if (r < 0)
			return r;
	}
	/* What is left is filling: less than a letter's worth, and zero. */
	if (u.high != 0 || have >= 6 || (bits & ((1u << have) - 1)) != 0)
		return -EINVAL;
	return 0;
}

int imap_name_decode(struct span mutf7, struct buf *ret)
{
	bool behind_shift = false;
	const unsigned char *end;
	size_t len;
	int r;

	for (size_t i = 0; i < mutf7.len; i++) {
		if (!is_direct(mutf7.p[i]))
			return -EINVAL;
		if (mutf7.p[i] != '&') {
			buf_add_byte(ret, mutf7.p[i]);
			behind_shift = false;
			continue;
		}
		end = memchr(mutf7.p + i, '-', mutf7.len - i);
		if (end == NULL)
			return -EINVAL;
		len = (size_t)(end - mutf7.p) - i - 1;
		if (len == 0)
			buf_add_byte(ret, '&');
		/* Two shifts in a row would have been one. */
		r = len == 0           ? 0
			: behind_shift ? -EINVAL
				       : decode_shift(span_of(mutf7.p + i + 1, len), ret);
		if (r < 0)
			return r;
		behind_shift = len > 0;
		i += len + 1;
	}
	return buf_error(ret);
}

/* The character at *at, which is past it then; the text is well-formed. */
static uint32_t next_char(struct span s, size_t *at)
{
	unsigned char lead = s.p[(*at)++];
	uint32_t c = lead < 0xe0 ? lead & 0x1f : lead < 0xf0 ? lead & 0x0f : lead & 0x07;

	if (lead < 0x80)
		return lead;
	while (*at < s.len && (s.p[*at] & 0xc0) == 0x80)
		c = c << 6 | (s.p[(*at)++] & 0x3f);
	return c;
}

struct packer {
	struct buf *to;
	uint32_t bits;
	unsigned have;
};

static void pack_unit(struct packer *p, uint32_t unit)
{
	p->bits = p->bits << 16 | unit;
	p->have += 16;
	while (p->have >= 6) {
		p->have -= 6;
		buf_add_byte(p->to, (unsigned char)base64[p->bits >> p->have & 0x3f]);
	}
}

static void pack_char(struct packer *p, uint32_t c)
{
	if (c >= 0x10000) {
		pack_unit(p, 0xd800 + ((c - 0x10000) >> 10));
		pack_unit(p, 0xdc00 + ((c - 0x10000) & 0x3ff));
	} else {
		pack_unit(p, c);
	}
}

static void encode_shift(struct buf *b, struct span s, size_t *at)
{
	struct packer p = {.to = b};

	buf_add_byte(b, '&');
	while (*at < s.len && !is_direct(s.p[*at]))
		pack_char(&p, next_char(s, at));
	if (p.have > 0)
		buf_add_byte(b, (unsigned char)base64[p.bits << (6 - p.have) & 0x3f]);
	buf_add_byte(b, '-');
}

void imap_name_encode(struct buf *b, struct span utf8)
{
	for (size_t i = 0; i < utf8.len;) {
		if (!is_direct(utf8.p[i])) {
			encode_shift(b, utf8, &i);
		} else {
			buf_add_byte(b, utf8.p[i]);
			if (utf8.p[i] == '&')
				buf_add_byte(b, '-');
			i++;
		}
	}
}

static bool is_inbox(struct span name)
{
	return name.len >= 5 && span_caseeq_str(span_of(name.p, 5), "INBOX") &&
		(name.len == 5 || name.p[5] == '/');
}

int imap_name_take(struct imap_in *in, struct span raw, struct buf *ret)
{
	size_t from = ret->len;
	struct span name;
	int r = 0;

	if (in->utf8)
		buf_add(ret, raw);
	else
		r = imap_name_decode(raw, ret);
	if (r < 0)
		return r;
	if (buf_error(ret) < 0)
		return buf_error(ret);
	name = span_of(ret->p + from, ret->len - from);
	if (name.len == 0 || !text_is_clean(name))
		return -EINVAL;
	if (is_inbox(name))
		memcpy(ret->p + from, "INBOX", 5);
	return 0;
}

int imap_in_mailbox(struct imap_in *in, struct buf *ret)
{
	struct span raw;
	int r = imap_in_astring(in, &raw);

	return r < 0 ? r : imap_name_take(in, raw, ret);
}

static bool is_bare(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!imap_is_astring(s.p[i]))
			return false;
	return s.len > 0 && !span_caseeq_str(s, "NIL");
}

void imap_put_mailbox(struct buf *b, struct span utf8, bool utf8_ok)
{
	_cleanup_(buf_done) struct buf name = BUF_INIT(NAME_BYTES_MAX);

	if (utf8_ok)
		buf_add(&name, utf8);
	else
		imap_name_encode(&name, utf8);
	if (buf_error(&name) < 0)
		b->error = buf_error(&name);
	else if (is_bare(buf_span(&name)))
		buf_add(b, buf_span(&name));
	else
		imap_put_string(b, buf_span(&name), utf8_ok);
}

static unsigned char upper(unsigned char c)
{
	return c >= 'a' && c <= 'z' ? (unsigned char)(c - ('a' - 'A')) : c;
}

/* Where to go on when what was tried fails: a wildcard and the end of what it took. */
struct wildcard {
	size_t pattern, name;
	bool set;
};

bool imap_pattern(struct span pattern, struct span name)
{
	struct wildcard star = {.set = false}, percent = {.set = false};
	size_t p = 0, n = 0, fold = is_inbox(name) ? 5 : 0;

	while (n < name.len || p < pattern.len) {
		unsigned char c = p < pattern.len ? pattern.p[p] : 0;

		if (c == '*' || c == '%') {
			struct wildcard w = {++p, n, true};

			star = c == '*' ? w : star;
			percent = c == '%' ? w : (struct wildcard){.set = false};
		} else if (n < name.len && p < pattern.len &&
			(c == name.p[n] || (n < fold && upper(c) == name.p[n]))) {
			p++;
			n++;
		} else if (percent.set && percent.name < name.len && name.p[percent.name] != '/') {
			n = ++percent.name;
			p = percent.pattern;
		} else if (star.set && star.name < name.len) {
			percent.set = false;
			n = ++star.name;
			p = star.pattern;
		} else {
			return false;
		}
	}
	return true;
}
