/* Strings of answers. */
#include "base/text.h"
#include "proto/imap_i.h"

static bool can_quote(struct span s, bool utf8_ok)
{
	bool eight = false;

	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == '\0')
			return false;
		eight |= s.p[i] >= 0x80;
	}
	return !eight || (utf8_ok && text_is_utf8(s));
}

void imap_put_string(struct buf *b, struct span s, bool utf8_ok)
{
	if (!can_quote(s, utf8_ok)) {
		buf_addf(b, "{%zu}\r\n", s.len);
		buf_add(b, s);
		return;
	}
	buf_add_byte(b, '"');
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_add_byte(b, '\\');
		buf_add_byte(b, s.p[i]);
	}
	buf_add_byte(b, '"');
}
