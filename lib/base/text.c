/* UTF-8 checks, escaping, hexadecimal and percent encoding. */
#include "base/text.h"

#include <errno.h>

static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";

/* A lead byte range of RFC 3629 section 4, with the range of its second byte. */
struct utf8_row {
	unsigned char first_min, first_max, second_min, second_max;
	size_t len;
};

static const struct utf8_row utf8_rows[] = {
	{0xc2, 0xdf, 0x80, 0xbf, 2},
	{0xe0, 0xe0, 0xa0, 0xbf, 3},
	{0xe1, 0xec, 0x80, 0xbf, 3},
	{0xed, 0xed, 0x80, 0x9f, 3},
	{0xee, 0xef, 0x80, 0xbf, 3},
	{0xf0, 0xf0, 0x90, 0xbf, 4},
	{0xf1, 0xf3, 0x80, 0xbf, 4},
	{0xf4, 0xf4, 0x80, 0x8f, 4},
};

static size_t row_len(const struct utf8_row *row, struct span s)
{
	if (s.len < row->len || s.p[1] < row->second_min || s.p[1] > row->second_max)
		return 0;
	for (size_t i = 2; i < row->len; i++)
		if ((s.p[i] & 0xc0) != 0x80)
			return 0;
	return row->len;
}

/* The length of the well-formed sequence that s (not empty) begins with; 0 when it is malformed. */
static size_t utf8_len(struct span s)
{
	if (s.p[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof(utf8_rows) / sizeof(utf8_rows[0]); i++)
		if (s.p[0] >= utf8_rows[i].first_min && s.p[0] <= utf8_rows[i].first_max)
			return row_len(&utf8_rows[i], s);
	return 0;
}

/* Is the sequence of len bytes at p one of C0, DEL, C1? */
static bool is_control(const unsigned char *p, size_t len)
{
	if (len == 1)
		return p[0] < 0x20 || p[0] == 0x7f;
	return len == 2 && p[0] == 0xc2 && p[1] < 0xa0;
}

static struct span after(struct span s, size_t len)
{
	return span_of(s.p + len, s.len - len);
}

bool text_is_utf8(struct span s)
{
	while (s.len > 0) {
		size_t len = utf8_len(s);

		if (len == 0)
			return false;
		s = after(s, len);
	}
	return true;
}

bool text_is_clean(struct span s)
{
	while (s.len > 0) {
		size_t len = utf8_len(s);

		if (len == 0 || is_control(s.p, len))
			return false;
		s = after(s, len);
	}
	return true;
}

bool text_is_print(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < 0x20 || s.p[i] > 0x7e)
			return false;
	return true;
}

static void add_hex_byte(struct buf *b, const char *prefix, unsigned char c, const char *digits)
{
	buf_add_str(b, prefix);
	buf_add_byte(b, (unsigned char)digits[c >> 4]);
	buf_add_byte(b, (unsigned char)digits[c & 15]);
}

void text_escape(struct buf *b, struct span s)
{
	while (s.len > 0 && b->error == 0) {
		size_t len = utf8_len(s);
		bool plain = len > 0 && !is_control(s.p, len) && s.p[0] != '"' && s.p[0] != '\\';

		if (len == 0)
			len = 1;
		if (plain)
			buf_add(b, span_of(s.p, len));
		else
			for (size_t i = 0; i < len; i++)
				add_hex_byte(b, "\\x", s.p[i], hex_lower);
		s = after(s, len);
	}
}

static void json_char(struct buf *b, const unsigned char *p, size_t len)
{
	if (len == 0)
		buf_add_str(b, "\xef\xbf\xbd");
	else if (p[0] == '"' || p[0] == '\\') {
		buf_add_byte(b, '\\');
		buf_add_byte(b, p[0]);
	} else if (p[0] == '\n')
		buf_add_str(b, "\\n");
	else if (p[0] < 0x20 || p[0] == 0x7f)
		add_hex_byte(b, "\\u00", p[0], hex_lower);
	else if (is_control(p, len)) /* C1: two bytes, U+0080 to U+009F */
		add_hex_byte(b, "\\u00", p[1], hex_lower);
	else
		buf_add(b, span_of(p, len));
}

void text_json(struct buf *b, struct span s)
{
	buf_add_byte(b, '"');
	while (s.len > 0 && b->error == 0) {
		size_t len = utf8_len(s);

		json_char(b, s.p, len);
		s = after(s, len > 0 ? len : 1);
	}
	buf_add_byte(b, '"');
}

void text_hex(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		add_hex_byte(b, "", s.p[i], hex_lower);
}

static int hex_value(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that two hexadecimal digits make, or -1. */
static int hex_pair(struct span s)
{
	int high, low;

	if (s.len < 2)
		return -1;
	high = hex_value(s.p[0]);
	low = hex_value(s.p[1]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* What a decoder returns at its end; what a failed one appended is taken back. */
static int finish(struct buf *b, size_t start, int error)
{
	if (error == 0)
		error = b->error;
	if (error < 0 && b->p != NULL && b->len > start) {
		b->len = start;
		b->p[start] = '\0';
	}
	return error;
}

int text_unhex(struct buf *b, struct span s)
{
	size_t start = b->len;

	while (s.len > 0) {
		int byte = hex_pair(s);

		if (byte < 0)
			return finish(b, start, -EINVAL);
		buf_add_byte(b, (unsigned char)byte);
		s = after(s, 2);
		if (s.len > 1 && s.p[0] == ':')
			s = after(s, 1);
	}
	return finish(b, start, 0);
}

int text_percent_decode(struct buf *b, struct span s, bool plus_is_blank)
{
	size_t start = b->len;

	while (s.len > 0) {
		int byte = s.p[0];
		size_t len = 1;

		if (byte == '%') {
			byte = hex_pair(after(s, 1));
			len = 3;
		} else if (byte == '+' && plus_is_blank) {
			byte = ' ';
		}
		if (byte < 0)
			return finish(b, start, -EINVAL);
		buf_add_byte(b, (unsigned char)byte);
		s = after(s, len);
	}
	return finish(b, start, 0);
}

/* RFC 3986 section 2.3. */
static bool is_unreserved(unsigned char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ||
		c == '.' || c == '_' || c == '~';
}

void text_percent_encode(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (is_unreserved(s.p[i]))
			buf_add_byte(b, s.p[i]);
		else
			add_hex_byte(b, "%", s.p[i], hex_upper);
}
