/* Message-IDs (RFC 5322 section 3.6.4), found in whatever is around them. */
#include "proto/mime_i.h"

/* "<...>" without blanks, '<' and '>' but in quotes. Each byte is looked at once. */
bool mime_msgid_next(struct span *rest, struct span *ret)
{
	struct span all = *rest;
	size_t start = 0;
	bool inside = false, quoted = false;

	for (size_t i = 0; i < all.len; i++) {
		unsigned char c = all.p[i];

		if (inside && c == '"') {
			quoted = !quoted;
		} else if (quoted && c == '\\' && i + 1 < all.len) {
			i++;
		} else if (c == '\r' || c == '\n' || (!quoted && (c == '<' || mime_is_blank(c)))) {
			inside = c == '<';
			quoted = false;
			start = i;
		} else if (inside && !quoted && c == '>') {
			inside = false;
			if (i == start + 1)
				continue;
			*ret = span_of(all.p + start, i + 1 - start);
			*rest = mime_skip(all, i + 1);
			return true;
		}
	}
	*rest = span_of(NULL, 0);
	return false;
}

void mime_msgid_plain(struct buf *b, struct span msgid)
{
	for (size_t i = 0; i < msgid.len; i++) {
		if (msgid.p[i] == '"')
			continue;
		if (msgid.p[i] == '\\' && i + 1 < msgid.len)
			i++;
		buf_add_byte(b, msgid.p[i]);
	}
}
