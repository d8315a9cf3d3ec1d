/*
 * Encoded words (RFC 2047) and what surrounds them, read. Words that follow each other in one
 * character set are put together before they are converted: many cut characters in two.
 */
#include "base/cleanup.h"
#include "base/match.h"
#include "base/text.h"
#include "proto/mime_i.h"

enum { CHARSET_MAX = 40 };

struct word {
	struct span charset, text;
	bool base64;
	size_t len; /* with its marks */
};

/* What was decoded and waits for its neighbour. */
struct gather {
	struct buf *out;
	struct buf bytes;
	struct span charset;
	size_t no_end; /* before here no word can end: looked for, not found */
};

/* -- one word ---------------------------------------------------------------------------------- */

/* The next "?="; what was looked through in vain is not looked through again. Blanks do not belong
 * there, but are sent. */
static bool find_end(struct span all, size_t from, size_t *no_end, size_t *ret_end)
{
	if (from < *no_end)
		return false;
	for (size_t i = from; i + 1 < all.len; i++) {
		MIME_WORK(1);
		if (all.p[i] == '?' && all.p[i + 1] == '=') {
			*ret_end = i;
			return true;
		}
		*no_end = i + 1;
	}
	return false;
}

/* "=?charset*language?B?text?=" at an offset. */
static bool take_word(struct span all, size_t at, size_t *no_end, struct word *ret)
{
	size_t charset = at + 2, i = charset, end;
	struct word w = {.charset = {NULL, 0}};

	if (at + 2 > all.len || all.p[at] != '=' || all.p[at + 1] != '?')
		return false;
	while (i < all.len && i - charset < CHARSET_MAX && all.p[i] > ' ' && all.p[i] < 0x7f &&
		all.p[i] != '?' && all.p[i] != '*')
		i++;
	w.charset = span_of(all.p + charset, i - charset);
	if (i < all.len && all.p[i] == '*')
		for (size_t tag = 0; i < all.len && tag < CHARSET_MAX && all.p[i] != '?'; tag++)
			i++;
	if (w.charset.len == 0 || i + 3 > all.len || all.p[i] != '?' || all.p[i + 2] != '?')
		return false;
	w.base64 = mime_lower(all.p[i + 1]) == 'b';
	if (!w.base64 && mime_lower(all.p[i + 1]) != 'q')
		return false;
	if (!find_end(all, i + 3, no_end, &end))
		return false;
	w.text = span_of(all.p + i + 3, end - i - 3);
	w.len = end + 2 - at;
	*ret = w;
	return true;
}

static void decode_q(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		int high = -1, low = -1;

		if (s.p[i] == '=' && i + 2 < s.len) {
			high = mime_hex(s.p[i + 1]);
			low = mime_hex(s.p[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			buf_add_byte(b, (unsigned char)(high << 4 | low));
			i += 2;
		} else {
			buf_add_byte(b, s.p[i] == '_' ? ' ' : s.p[i]);
		}
	}
}

/* -- text -------------------------------------------------------------------------------------- */

/* What ends a line, or turns the direction of all that follows: a name could dress up the address
 * behind it. */
static bool is_turn(uint32_t cp)
{
	return (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

/* UTF-8 for a line of text: no control characters. */
static void put_clean(struct buf *b, struct span utf8)
{
	uint32_t cp;
	bool bad;

	if (text_is_clean(utf8) && (utf8.len == 0 || memchr(utf8.p, 0xe2, utf8.len) == NULL)) {
		buf_add(b, utf8);
		return;
	}
	while (buf_error(b) == 0 && mime_utf8_next(&utf8, &cp, &bad)) {
		if (cp == '\t' || cp == '\n' || cp == '\r')
			buf_add_byte(b, ' ');
		else if (cp >= 0x20 && (cp < 0x7f || cp > 0x9f) && !is_turn(cp))
			mime_utf8_put(b, cp);
	}
}

static void convert(struct buf *out, struct span charset, struct span bytes)
{
	_cleanup_(buf_done) struct buf utf8 = BUF_INIT(bytes.len * 6 + 16);

	(void)mime_to_utf8(&utf8, charset, bytes);
	put_clean(out, buf_span(&utf8));
}

static void flush(struct gather *g)
{
	if (g->bytes.len == 0)
		return;
	convert(g->out, g->charset, buf_span(&g->bytes));
	buf_reset(&g->bytes);
}

static void put_word(struct gather *g, const struct word *w)
{
	struct mime_decoder d = {.encoding = MIME_BASE64};

	if (!match_eq(g->charset, w->charset))
		flush(g);
	g->charset = w->charset;
	if (!w->base64) {
		decode_q(&g->bytes, w->text);
		return;
	}
	(void)mime_decode(&d, w->text, &g->bytes);
	(void)mime_decode_end(&d, &g->bytes);
}

static void put_plain(struct gather *g, struct span s)
{
	flush(g);
	if (s.len > 0)
		convert(g->out, SPAN_LIT("us-ascii"), s);
}

/* The blanks between two words are none of the text. */
static size_t next_word_at(struct span all, size_t at)
{
	while (at < all.len && mime_is_blank(all.p[at]))
		at++;
	return at;
}

static void decode_all(struct gather *g, struct span all)
{
	size_t plain = 0, i = 0;
	bool behind_word = false;
	struct word w;

	while (i < all.len) {
		const unsigned char *mark = memchr(all.p + i, '=', all.len - i);

		i = mark != NULL ? (size_t)(mark - all.p) : all.len;
		if (!take_word(all, i, &g->no_end, &w)) {
			i++;
			continue;
		}
		if (!behind_word || next_word_at(all, plain) != i)
			put_plain(g, span_of(all.p + plain, i - plain));
		put_word(g, &w);
		i += w.len;
		plain = i;
		behind_word = true;
	}
	put_plain(g, mime_skip(all, plain));
}

void mime_words_decode(struct buf *b, struct span value)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(value.len);
	struct gather g = {.out = b, .bytes = BUF_INIT(value.len)};

	mime_unfold(&text, value);
	decode_all(&g, buf_span(&text));
	buf_done(&g.bytes);
	if (buf_error(&text) < 0 && buf_error(b) == 0)
		b->error = buf_error(&text);
}
