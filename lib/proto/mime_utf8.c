/* UTF-8 by code points, for text that may be malformed. */
#include "proto/mime_i.h"

void mime_utf8_put(struct buf *b, uint32_t cp)
{
	if (cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
		cp = 0xfffd;
	if (cp < 0x80) {
		buf_add_byte(b, (unsigned char)cp);
	} else if (cp < 0x800) {
		buf_add_byte(b, (unsigned char)(0xc0 | cp >> 6));
		buf_add_byte(b, (unsigned char)(0x80 | (cp & 0x3f)));
	} else if (cp < 0x10000) {
		buf_add_byte(b, (unsigned char)(0xe0 | cp >> 12));
		buf_add_byte(b, (unsigned char)(0x80 | (cp >> 6 & 0x3f)));
		buf_add_byte(b, (unsigned char)(0x80 | (cp & 0x3f)));
	} else {
		buf_add_byte(b, (unsigned char)(0xf0 | cp >> 18));
		buf_add_byte(b, (unsigned char)(0x80 | (cp >> 12 & 0x3f)));
		buf_add_byte(b, (unsigned char)(0x80 | (cp >> 6 & 0x3f)));
		buf_add_byte(b, (unsigned char)(0x80 | (cp & 0x3f)));
	}
}

/* How many bytes the character has that begins so, and the bits that this one adds; 0: none. */
static size_t lead(unsigned char c, uint32_t *ret_bits)
{
	if (c < 0x80) {
		*ret_bits = c;
		return 1;
	}
	if (c >= 0xc2 && c < 0xe0) {
		*ret_bits = c & 0x1fu;
		return 2;
	}
	if (c >= 0xe0 && c < 0xf0) {
		*ret_bits = c & 0xfu;
		return 3;
	}
	*ret_bits = c & 0x7u;
	return c >= 0xf0 && c < 0xf5 ? 4 : 0;
}

bool mime_utf8_next(struct span *rest, uint32_t *ret, bool *ret_bad)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t cp;
	size_t len, i;

	if (rest->len == 0)
		return false;
	len = lead(rest->p[0], &cp);
	for (i = 1; i < len && i < rest->len && (rest->p[i] & 0xc0) == 0x80; i++)
		cp = cp << 6 | (rest->p[i] & 0x3fu);
	*ret_bad = len == 0 || i < len || cp < least[len] || cp > 0x10ffff ||
		(cp >= 0xd800 && cp < 0xe000);
	*ret = *ret_bad ? 0xfffd : cp;
	*rest = mime_skip(*rest, *ret_bad ? 1 : len);
	return true;
}

struct span mime_utf8_cut(struct span s, size_t len)
{
	if (s.len <= len)
		return s;
	while (len > 0 && (s.p[len] & 0xc0) == 0x80)
		len--;
	return span_of(s.p, len);
}
