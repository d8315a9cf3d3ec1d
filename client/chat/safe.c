/*
 * Text from others, made harmless for a terminal: nothing in it can move the cursor, colour, ring,
 * or turn the direction of what stands beside it.
 */
#include "client/chat/safe.h"

#include "base/text.h"

enum { BOLD = 0x02, COLOUR = 0x03, HEX_COLOUR = 0x04 };

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(unsigned char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static size_t run(struct span s, size_t at, size_t most, bool (*is)(unsigned char c))
{
	size_t n = 0;

	while (n < most && at + n < s.len && is(s.p[at + n]))
		n++;
	return n;
}

/* A colour code's digits: "\003" 1-2 digits, and behind a comma 1-2 more. */
static size_t colour_len(struct span s)
{
	bool hex = *s.p == HEX_COLOUR;
	size_t most = hex ? 6 : 2, len = 1, n = run(s, 1, most, hex ? is_hex : is_digit), more;

	if (n == 0 || (hex && n < 6))
		return len;
	len += n;
	if (len + 1 >= s.len || s.p[len] != ',')
		return len;
	more = run(s, len + 1, most, hex ? is_hex : is_digit);
	return more == 0 || (hex && more < 6) ? len : len + 1 + more;
}

/* Formatting codes of IRC are dropped: their length, 0 when it is none. */
static size_t format_len(struct span s)
{
	switch (*s.p) {
	case COLOUR:
	case HEX_COLOUR:
		return colour_len(s);
	case BOLD:
	case 0x0f: /* plain */
	case 0x11: /* monospace */
	case 0x16: /* reverse */
	case 0x1d: /* italic */
	case 0x1e: /* struck */
	case 0x1f: /* underlined */
		return 1;
	default:
		return 0;
	}
}

/* Characters that do not show but change how others do, or end lines where no line ends. */
static bool is_sly(uint32_t p)
{
	static const struct {
		uint32_t first, last;
	} sly[] = {{0x61c, 0x61c}, {0x115f, 0x1160}, {0x180e, 0x180e}, {0x200b, 0x200b},
		{0x200e, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164},
		{0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};

	for (size_t i = 0; i < sizeof sly / sizeof sly[0]; i++)
		if (p >= sly[i].first && p <= sly[i].last)
			return true;
	return false;
}

static void add_char(struct buf *b, struct span c, uint32_t point)
{
	if (c.len == 1 && point < 0x20)
		buf_addf(b, "^%c", (int)(point + '@'));
	else if (c.len == 1 && point == 0x7f)
		buf_add_str(b, "^?");
	else if ((c.len == 1 && point > 0x7f) || !text_is_utf8(c))
		buf_add_str(b, "\xef\xbf\xbd");
	else if (c.len > 1 && (point < 0xa0 || is_sly(point)))
		buf_addf(b, "<U+%04X>", (unsigned)point);
	else
		buf_add(b, c);
}

void safe_text(struct buf *b, struct span s)
{
	while (s.len > 0) {
		size_t len = format_len(s);
		uint32_t point;

		if (len == 0) {
			len = width_char(s, &point);
			add_char(b, span_of(s.p, len), point);
		}
		s = span_of(s.p + len, s.len - len);
	}
}

void safe_word(struct buf *b, const char *s)
{
	safe_text(b, span_str(s));
}

void safe_end(char *text)
{
	struct span s = span_str(text), last;
	size_t at = s.len;
	uint32_t point;

	while (at > 0 && (s.p[at - 1] & 0xc0) == 0x80)
		at--;
	if (at == 0 || s.p[at - 1] < 0x80)
		return;
	last = span_of(s.p + at - 1, s.len - at + 1);
	if (last.len == 1 || width_char(last, &point) != last.len)
		text[at - 1] = '\0';
}
