/* Patterns against names, character by character; no recursion, so no pattern can take for ever. */
#include "client/ftp/ui.h"

/* The next character of s, taken off. */
static uint32_t take(struct span *s)
{
	uint32_t point;
	size_t len = width_char(*s, &point);

	/* Bytes that are no UTF-8 stay apart from each other and from all characters. */
	if (len == 1 && s->p[0] >= 0x80)
		point = 0x110000U + s->p[0];
	*s = span_of(s->p + len, s->len - len);
	return point;
}

/* A set behind its '['. -1: it is not closed, so the bracket is a plain character. */
static int set_match(struct span *pattern, uint32_t c)
{
	struct span p = *pattern;
	bool inverse = p.len > 0 && (p.p[0] == '!' || p.p[0] == '^');
	bool found = false;

	if (inverse)
		p = span_of(p.p + 1, p.len - 1);
	for (bool first = true; p.len > 0; first = false) {
		uint32_t low = take(&p), high;

		if (low == ']' && !first) {
			*pattern = p;
			return found != inverse;
		}
		if (low == '\\' && p.len > 0)
			low = take(&p);
		high = low;
		if (p.len > 1 && p.p[0] == '-' && p.p[1] != ']') {
			p = span_of(p.p + 1, p.len - 1);
			high = take(&p);
		}
		found = found || (c >= low && c <= high);
	}
	return -1;
}

/* One element of the pattern that is no star, against one character; it is taken off. */
static bool one_match(struct span *pattern, uint32_t c)
{
	uint32_t p = take(pattern);
	int in_set;

	if (p == '?')
		return true;
	if (p == '\\' && pattern->len > 0)
		return take(pattern) == c;
	if (p != '[')
		return p == c;
	in_set = set_match(pattern, c);
	return in_set < 0 ? c == '[' : in_set != 0;
}

bool glob_match(const char *pattern, struct span name)
{
	struct span p = span_str(pattern), star = {NULL, 0}, from = {NULL, 0};

	if (name.len > 0 && name.p[0] == '.' && pattern[0] != '.' &&
		!(pattern[0] == '\\' && pattern[1] == '.'))
		return false;
	for (;;) {
		struct span rest = name, was = p;

		if (p.len > 0 && p.p[0] == '*') {
			p = star = span_of(p.p + 1, p.len - 1);
			from = name;
			continue;
		}
		if (name.len == 0 && p.len == 0)
			return true;
		if (name.len > 0 && p.len > 0 && one_match(&p, take(&rest))) {
			name = rest;
			continue;
		}
		p = was;
		/* The last star takes one character more. */
		if (star.p == NULL || from.len == 0)
			return false;
		(void)take(&from);
		name = from;
		p = star;
	}
}
