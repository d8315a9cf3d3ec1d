/* Masks with '*' and '?'. */
#include "base/match.h"

unsigned char match_fold(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

bool match_eq(struct span a, struct span b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (match_fold(a.p[i]) != match_fold(b.p[i]))
			return false;
	return true;
}

static bool one_matches(unsigned char mask, unsigned char c)
{
	return mask == '?' || match_fold(mask) == match_fold(c);
}

/*
 * Only the last '*' is ever gone back to, one byte further on: what an earlier one took need not
 * change, since the part between them has matched at the first place where it does.
 */
bool match_mask(struct span mask, struct span text)
{
	size_t m = 0, t = 0, star = mask.len, star_text = 0;

	while (t < text.len) {
		if (m < mask.len && mask.p[m] == '*') {
			star = m++;
			star_text = t;
		} else if (m < mask.len && one_matches(mask.p[m], text.p[t])) {
			m++;
			t++;
		} else if (star < mask.len) {
			m = star + 1;
			t = ++star_text;
		} else {
			return false;
		}
	}
	while (m < mask.len && mask.p[m] == '*')
		m++;
	return m == mask.len;
}
