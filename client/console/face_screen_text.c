/* Text in cells, as ncurses counts them: what stands in a cell, how wide text is, where it wraps.
 */
#include "client/console/face_screen.h"
#include "client/term/width.h"

#include <limits.h>

#define REPLACEMENT 0xfffdU

/* Turns the direction of what stands beside it, or ends lines. */
static bool is_sly(uint32_t p)
{
	return p == 0x61c || p == 0x200e || p == 0x200f || (p >= 0x2028 && p <= 0x202e) ||
		(p >= 0x2066 && p <= 0x2069) || p == 0xfeff || (p >= 0xfff9 && p <= 0xfffb);
}

/* Can the locale write it? */
static bool is_known(wchar_t c)
{
	char bytes[MB_LEN_MAX];
	mbstate_t state = {0};

	return wcrtomb(bytes, c, &state) != (size_t)-1;
}

static wchar_t replaced(void)
{
	return is_known((wchar_t)REPLACEMENT) ? (wchar_t)REPLACEMENT : L'?';
}

/* Its columns; -1: it cannot be shown. */
static int columns_of(uint32_t point)
{
	if (point < 0x80)
		return point >= 0x20 && point != 0x7f ? 1 : -1;
	if (point < 0xa0 || is_sly(point) || !is_known((wchar_t)point))
		return -1;
	return wcwidth((wchar_t)point);
}

/* What combines with what stands before it; what does not fit in a cell is dropped. */
static size_t combine(struct span s, size_t at, struct face_cell *c, size_t count)
{
	while (at < s.len && s.p[at] >= 0x80) {
		uint32_t point;
		size_t len = width_char(span_of(s.p + at, s.len - at), &point);

		if (columns_of(point) != 0)
			break;
		if (count < FACE_CELL_POINTS)
			c->points[count++] = (wchar_t)point;
		at += len;
	}
	c->points[count] = 0;
	return at;
}

size_t face_cell(struct span s, struct face_cell *ret)
{
	uint32_t point;
	size_t len = width_char(s, &point);
	int columns = columns_of(point);

	ret->columns = columns == 2 ? 2 : 1;
	if (columns == 0) {
		/* Nothing stands before it that it could combine with. */
		ret->points[0] = L' ';
		return combine(s, 0, ret, 1);
	}
	ret->points[0] = columns > 0 ? (wchar_t)point : replaced();
	return combine(s, len, ret, 1);
}

size_t face_width(struct span s)
{
	struct face_cell c;
	size_t columns = 0;

	for (size_t at = 0; at < s.len;) {
		at += face_cell(span_of(s.p + at, s.len - at), &c);
		columns += c.columns;
	}
	return columns;
}

struct span face_head(struct span s, size_t columns)
{
	struct face_cell c;
	size_t at = 0;

	while (at < s.len) {
		size_t len = face_cell(span_of(s.p + at, s.len - at), &c);

		if (c.columns > columns)
			break;
		columns -= c.columns;
		at += len;
	}
	return span_of(s.p, at);
}

struct span face_tail(struct span s, size_t columns)
{
	struct face_cell c;
	size_t all = face_width(s);

	while (all > columns && s.len > 0) {
		size_t len = face_cell(s, &c);

		all -= c.columns;
		s = span_of(s.p + len, s.len - len);
	}
	return s;
}

/* The last blank of s that has something before it; its length: none. */
static size_t last_blank(struct span s)
{
	size_t begin = 0;

	while (begin < s.len && s.p[begin] == ' ')
		begin++;
	for (size_t i = s.len; i > begin; i--)
		if (s.p[i - 1] == ' ')
			return i - 1;
	return s.len;
}

struct span face_wrap(struct span *rest, size_t columns)
{
	struct span row = face_head(*rest, columns), s = *rest;
	struct face_cell c;
	size_t next;

	if (row.len == 0)
		row = span_of(s.p, face_cell(s, &c));
	next = row.len;
	if (next < s.len && s.p[next] != ' ') {
		size_t blank = last_blank(row);

		if (blank < row.len) {
			next = blank + 1;
			row.len = blank;
		}
	}
	while (next < s.len && next > 0 && s.p[next] == ' ')
		next++;
	while (next < s.len && row.len > 0 && row.p[row.len - 1] == ' ')
		row.len--;
	*rest = span_of(s.p + next, s.len - next);
	return row;
}

struct face_bytes face_utf8(uint32_t p)
{
	if (p < 0x80)
		return (struct face_bytes){{(unsigned char)p}, 1};
	if (p < 0x800)
		return (struct face_bytes){
			{(unsigned char)(0xc0 | p >> 6), (unsigned char)(0x80 | (p & 0x3f))}, 2};
	if (p < 0x10000)
		return (struct face_bytes){
			{(unsigned char)(0xe0 | p >> 12), (unsigned char)(0x80 | (p >> 6 & 0x3f)),
				(unsigned char)(0x80 | (p & 0x3f))},
			3};
	return (struct face_bytes){
		{(unsigned char)(0xf0 | (p >> 18 & 7)), (unsigned char)(0x80 | (p >> 12 & 0x3f)),
			(unsigned char)(0x80 | (p >> 6 & 0x3f)),
			(unsigned char)(0x80 | (p & 0x3f))},
		4};
}
