/*
 * The base subject (RFC 5256 section 2.1): what replies and forwards have in common. Each byte is
 * taken away once; what was looked at in vain is taken away by the next step, or stays for good.
 */
#include "base/cleanup.h"
#include "proto/mime_i.h"

static struct span trim_left(struct span s)
{
	while (s.len > 0 && s.p[0] == ' ')
		s = mime_skip(s, 1);
	return s;
}

static bool has_prefix(struct span s, const char *lower)
{
	size_t len = strlen(lower);

	return s.len >= len && span_caseeq_str(span_of(s.p, len), lower);
}

/* "[text]" and blanks behind it: how long it is, 0: none. */
static size_t blob(struct span s)
{
	size_t i = 1;

	if (s.len == 0 || s.p[0] != '[')
		return 0;
	while (i < s.len && s.p[i] != '[' && s.p[i] != ']')
		i++;
	MIME_WORK(i);
	if (i == s.len || s.p[i] != ']')
		return 0;
	for (i++; i < s.len && s.p[i] == ' ';)
		i++;
	return i;
}

/* "re:", "fw:", "fwd:", a blob before the colon: how long it is, 0: none. */
static size_t reply_word(struct span s)
{
	static const char *const words[] = {"re", "fwd", "fw"};
	struct span rest = s;
	size_t i = 0;

	while (i < 3 && !has_prefix(s, words[i]))
		i++;
	if (i == 3)
		return 0;
	rest = trim_left(mime_skip(rest, strlen(words[i])));
	rest = mime_skip(rest, blob(rest));
	return rest.len > 0 && rest.p[0] == ':' ? s.len - rest.len + 1 : 0;
}

static bool strip_trailer(struct span *s, bool *reply)
{
	static const struct span fwd = SPAN_LIT("(fwd)");

	if (s->len > 0 && s->p[s->len - 1] == ' ') {
		s->len--;
		return true;
	}
	if (s->len < fwd.len || !has_prefix(span_of(s->p + s->len - fwd.len, fwd.len), "(fwd)"))
		return false;
	s->len -= fwd.len;
	*reply = true;
	return true;
}

/* All blobs at the front; then a reply's word takes them with it, else they go as long as they
 * leave something. */
static bool strip_leader(struct span *s, bool *reply)
{
	struct span rest = trim_left(*s), last = rest;
	size_t n;

	while ((n = blob(rest)) > 0) {
		last = rest;
		rest = mime_skip(rest, n);
	}
	n = reply_word(rest);
	if (n > 0) {
		*reply = true;
		*s = mime_skip(rest, n);
		return true;
	}
	*s = rest.len > 0 ? rest : last;
	return false;
}

static bool strip_forward(struct span *s, bool *reply)
{
	if (s->len < 6 || !has_prefix(*s, "[fwd:") || s->p[s->len - 1] != ']')
		return false;
	*s = span_of(s->p + 5, s->len - 6);
	*reply = true;
	return true;
}

/* Tabs and runs of blanks become one blank. */
static void squeeze(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] != ' ' || i == 0 || s.p[i - 1] != ' ')
			buf_add_byte(b, s.p[i]);
}

void mime_base_subject(struct buf *b, struct span value, bool *ret_reply)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT((size_t)MIME_FIELD_MAX * 6);
	_cleanup_(buf_done) struct buf line = BUF_INIT((size_t)MIME_FIELD_MAX * 6);
	bool reply = false;
	struct span s;

	mime_words_decode(&text, value);
	squeeze(&line, buf_span(&text));
	s = buf_span(&line);
	do {
		while (strip_trailer(&s, &reply))
			;
		while (strip_leader(&s, &reply))
			;
	} while (strip_forward(&s, &reply));
	mime_casefold(b, s);
	*ret_reply = reply;
}
