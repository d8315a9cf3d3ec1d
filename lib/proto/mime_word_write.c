/* Text of any language for header fields: folded, and as encoded words (RFC 2047) where needed. */
#include "base/cleanup.h"
#include "base/text.h"
#include "proto/mime_i.h"

enum {
	LINE_MAX_BYTES = 76,
	AROUND = 12, /* "=?utf-8?q?" and "?=" */
	WORD_MIN = 14, /* of payload: with less room a new line is begun */
	RUN_MAX = 500, /* a longer word without a blank cannot be folded */
	BLANKS_MAX = 20, /* in a row: further ones go */
};

static bool is_letter_or_digit(unsigned char c)
{
	unsigned char lower = mime_lower(c);

	return mime_is_digit(c) || (lower >= 'a' && lower <= 'z');
}

/* What needs no quotes in a phrase (RFC 5322 atext). */
static bool is_atom(unsigned char c)
{
	return is_letter_or_digit(c) || (c > ' ' && c < 0x7f && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* What stands for itself in an encoded word, in a phrase too. */
static bool is_safe(unsigned char c)
{
	return is_letter_or_digit(c) || (c > ' ' && c < 0x7f && strchr("!*+-/", c) != NULL);
}

static void fold(struct buf *b, size_t *column)
{
	buf_add_str(b, "\r\n ");
	*column = 1;
}

/* -- encoded words ----------------------------------------------------------------------------- */

static size_t q_size(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += is_safe(s.p[i]) || s.p[i] == ' ' ? 1 : 3;
	return n;
}

static size_t payload_size(struct span s, bool base64)
{
	return base64 ? (s.len + 2) / 3 * 4 : q_size(s);
}

/* As many whole characters as fit. */
static struct span take_fitting(struct span *rest, size_t room, bool base64)
{
	struct span all = *rest, taken = span_of(all.p, 0);
	uint32_t cp;
	bool bad;

	for (struct span s = all; mime_utf8_next(&s, &cp, &bad);) {
		struct span more = span_of(all.p, all.len - s.len);
		size_t size = base64 ? payload_size(more, true)
				     : q_size(taken) + q_size(mime_skip(more, taken.len));

		if (size > room)
			break;
		taken = more;
	}
	*rest = mime_skip(all, taken.len);
	return taken;
}

static void put_q(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (is_safe(s.p[i]))
			buf_add_byte(b, s.p[i]);
		else if (s.p[i] == ' ')
			buf_add_byte(b, '_');
		else
			buf_addf(b, "=%02X", s.p[i]);
	}
}

static void put_encoded(struct buf *b, struct span text, size_t *column)
{
	bool base64 = payload_size(text, true) < payload_size(text, false);

	while (text.len > 0 && buf_error(b) == 0) {
		struct span piece;
		size_t before;

		if (*column + AROUND + WORD_MIN > LINE_MAX_BYTES)
			fold(b, column);
		piece = take_fitting(&text, LINE_MAX_BYTES - AROUND - *column, base64);
		before = b->len;
		buf_add_str(b, base64 ? "=?utf-8?b?" : "=?utf-8?q?");
		if (base64)
			text_base64(b, piece, 0);
		else
			put_q(b, piece);
		buf_add_str(b, "?=");
		*column += b->len - before;
		if (text.len > 0)
			fold(b, column);
	}
}

/* -- plain text -------------------------------------------------------------------------------- */

static size_t run(struct span s, bool blanks)
{
	size_t n = 0;

	while (n < s.len && (s.p[n] == ' ') == blanks)
		n++;
	return n;
}

/* Folds before the blanks between two words. */
static void put_plain(struct buf *b, struct span s, size_t *column)
{
	while (s.len > 0) {
		size_t blanks = run(s, true), word = run(mime_skip(s, blanks), false);

		if (blanks > 0 && word > 0 && *column > 1 &&
			*column + blanks + word > LINE_MAX_BYTES) {
			buf_add_str(b, "\r\n");
			*column = 0;
		}
		buf_add(b, span_of(s.p, blanks + word));
		*column += blanks + word;
		s = mime_skip(s, blanks + word);
	}
}

/* -- which parts are what ---------------------------------------------------------------------- */

/* A word that cannot stand as it is. */
static bool needs_encoding(struct span word)
{
	for (size_t i = 0; i < word.len; i++)
		if (word.p[i] >= 0x7f ||
			(word.p[i] == '=' && i + 1 < word.len && word.p[i + 1] == '?'))
			return true;
	return word.len > RUN_MAX;
}

/* From the first to the last word that needs it. */
static bool find_encoded(struct span s, size_t *ret_start, size_t *ret_end)
{
	bool found = false;

	for (size_t at = 0; at < s.len;) {
		size_t start = at + run(mime_skip(s, at), true);
		size_t word = run(mime_skip(s, start), false);

		at = start + word;
		if (!needs_encoding(span_of(s.p + start, word)))
			continue;
		if (!found)
			*ret_start = start;
		*ret_end = at;
		found = true;
	}
	return found;
}

static void put_text(struct buf *b, struct span s, size_t *column)
{
	size_t start, end;

	if (!find_encoded(s, &start, &end)) {
		put_plain(b, s, column);
		return;
	}
	if (start > 0) {
		put_plain(b, span_of(s.p, start - 1), column);
		if (*column + 1 + AROUND + WORD_MIN > LINE_MAX_BYTES) {
			fold(b, column);
		} else {
			buf_add_byte(b, ' ');
			(*column)++;
		}
	}
	put_encoded(b, span_of(s.p + start, end - start), column);
	put_plain(b, mime_skip(s, end), column);
}

static void put_phrase(struct buf *b, struct span s, size_t *column)
{
	bool atoms = true;
	size_t start, end, before;

	if (s.len == 0)
		return;
	if (*column > 1 && *column + s.len + 2 > LINE_MAX_BYTES)
		fold(b, column);
	before = b->len;
	if (s.len > LINE_MAX_BYTES || find_encoded(s, &start, &end)) {
		put_encoded(b, s, column);
		return;
	}
	for (size_t i = 0; i < s.len; i++)
		atoms = atoms && (is_atom(s.p[i]) || (s.p[i] == ' ' && s.p[i - 1] != ' '));
	if (atoms) {
		buf_add(b, s);
	} else {
		buf_add_byte(b, '"');
		for (size_t i = 0; i < s.len; i++) {
			if (s.p[i] == '"' || s.p[i] == '\\')
				buf_add_byte(b, '\\');
			buf_add_byte(b, s.p[i]);
		}
		buf_add_byte(b, '"');
	}
	*column += b->len - before;
}

/* Nothing may end the line, and what is no UTF-8 would be read as something else. */
static void clean(struct buf *b, struct span text)
{
	uint32_t cp;
	size_t blanks = 0;
	bool bad;

	while (buf_error(b) == 0 && mime_utf8_next(&text, &cp, &bad)) {
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
			cp = ' ';
		blanks = cp == ' ' ? blanks + 1 : 0;
		if (blanks <= BLANKS_MAX)
			mime_utf8_put(b, cp);
	}
}

void mime_words_encode(struct buf *b, struct span text, bool phrase, size_t *column)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(text.len * 3);

	clean(&line, text);
	if (buf_error(&line) < 0 && b->error == 0)
		b->error = buf_error(&line);
	text = span_trim(buf_span(&line));
	if (phrase)
		put_phrase(b, text, column);
	else
		put_text(b, text, column);
}
