/* The words of a call. */
#include "client/peer/wire.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "net/frame.h"

#include <errno.h>

/* What stands behind a word: 'v' the version, 'i' an id, 'n' a number, 'c' a count of bytes, 'h' a
 * digest, 'd' a digest or "-", 't' text to the end, 'f' a file's name to the end. */
static const struct wire_word {
	const char *word;
	const char *fields;
} words[] = {
	[WIRE_HELLO] = {"HELLO", "vh"},
	[WIRE_WELCOME] = {"WELCOME", ""},
	[WIRE_REFUSE] = {"REFUSE", "t"},
	[WIRE_SAY] = {"SAY", "t"},
	[WIRE_PING] = {"PING", ""},
	[WIRE_PONG] = {"PONG", ""},
	[WIRE_BYE] = {"BYE", ""},
	[WIRE_OFFER] = {"OFFER", "inf"},
	[WIRE_DECLINE] = {"DECLINE", "i"},
	[WIRE_ACCEPT] = {"ACCEPT", "ind"},
	[WIRE_BEGIN] = {"BEGIN", "in"},
	[WIRE_DATA] = {"DATA", "ic"},
	[WIRE_DONE] = {"DONE", "ih"},
	[WIRE_STORED] = {"STORED", "i"},
	[WIRE_FAIL] = {"FAIL", "it"},
	[WIRE_STOP] = {"STOP", "it"},
};

enum { WORDS = sizeof words / sizeof words[0] };

#define VERSION "1"

static const struct frame_rule rule = {.max = WIRE_LINE_MAX};

/* -- reading ----------------------------------------------------------------------------------- */

bool wire_name_ok(struct span name)
{
	return name.len > 0 && name.len <= WIRE_NAME_MAX && text_is_clean(name) &&
		memchr(name.p, '/', name.len) == NULL && !span_eq_str(name, ".") &&
		!span_eq_str(name, "..");
}

static bool read_number(struct span word, uint64_t min, uint64_t max, uint64_t *ret)
{
	return num_parse_u64(word, min, max, ret) == 0;
}

static bool read_digest(struct span word, struct wire *w)
{
	_cleanup_(buf_done) struct buf bytes = BUF_INIT(HASH_SHA256_LEN);

	w->has_digest = word.len == (size_t)2 * HASH_SHA256_LEN && text_is_print(word) &&
		text_unhex(&bytes, word) == 0 && bytes.len == HASH_SHA256_LEN;
	if (w->has_digest)
		memcpy(w->digest, bytes.p, HASH_SHA256_LEN);
	return w->has_digest;
}

static bool read_word(char field, struct span word, struct wire *w)
{
	uint64_t id = 0;

	switch (field) {
	case 'v':
		return span_eq_str(word, VERSION);
	case 'i':
		if (!read_number(word, 1, UINT32_MAX, &id))
			return false;
		w->id = (uint32_t)id;
		return true;
	case 'n':
		return read_number(word, 0, INT64_MAX, &w->number);
	case 'c':
		return read_number(word, 1, WIRE_DATA_MAX, &w->number);
	case 'd':
		/* Nothing has no digest, and all else has one. */
		return w->number == 0 ? span_eq_str(word, "-") : read_digest(word, w);
	default:
		return read_digest(word, w);
	}
}

static bool read_fields(const char *fields, struct span rest, struct wire *w)
{
	for (; *fields != '\0'; fields++) {
		struct span word;

		if (*fields == 't' || *fields == 'f') {
			w->text = rest;
			return *fields == 'f' ? wire_name_ok(rest)
					      : rest.len > 0 && rest.len <= WIRE_TEXT_MAX;
		}
		if (!span_split(&rest, ' ', &word) || !read_word(*fields, word, w))
			return false;
	}
	return rest.len == 0;
}

/* 1; 0: a word that is not known; -EBADMSG. */
static int read_line(struct span line, struct wire *ret)
{
	struct wire w = {.kind = WIRE_HELLO};
	struct span word;

	bool blank = line.len > 0 && line.p[line.len - 1] == ' ';

	if (!text_is_clean(line) || !span_split(&line, ' ', &word) || word.len == 0)
		return -EBADMSG;
	for (unsigned i = 0; i < WORDS; i++) {
		if (!span_eq_str(word, words[i].word))
			continue;
		w.kind = (enum wire_kind)i;
		if (!read_fields(words[i].fields, line, &w) ||
			(blank && strpbrk(words[i].fields, "tf") == NULL))
			return -EBADMSG;
		*ret = w;
		return 1;
	}
	return 0;
}

static int read_data(struct wire_reader *r, struct span in, struct wire *ret, size_t *ret_used)
{
	size_t now = in.len < r->left ? in.len : r->left;

	*ret_used = now;
	if (now == 0)
		return 0;
	*ret = (struct wire){.kind = WIRE_DATA, .id = r->id, .text = span_of(in.p, now)};
	r->left -= (uint32_t)now;
	return 1;
}

int wire_next(struct wire_reader *r, struct span in, struct wire *ret, size_t *ret_used)
{
	size_t all = 0;

	for (;;) {
		struct span rest = span_of(in.len > 0 ? in.p + all : NULL, in.len - all), line;
		struct wire w;
		size_t used = 0;
		int found;

		if (r->left > 0) {
			found = read_data(r, rest, ret, &used);
			*ret_used = all + used;
			return found;
		}
		found = frame_line(rest, &rule, &line, &used);
		if (found < 0)
			return -EBADMSG;
		if (found == 0) {
			*ret_used = all;
			return 0;
		}
		all += used;
		found = read_line(line, &w);
		if (found < 0)
			return found;
		if (found == 1 && w.kind != WIRE_DATA) {
			*ret = w;
			*ret_used = all;
			return 1;
		}
		if (found == 1)
			*r = (struct wire_reader){.id = w.id, .left = (uint32_t)w.number};
	}
}

/* -- writing ----------------------------------------------------------------------------------- */

/* The length of the character at the beginning; 0: it is none, or one that is not allowed. */
static size_t char_len(struct span s, bool is_name)
{
	for (size_t len = 1; len <= 4 && len <= s.len; len++)
		if (text_is_clean(span_of(s.p, len)))
			return is_name && *s.p == '/' ? 0 : len;
	return 0;
}

static void write_text(struct buf *b, struct span text, bool is_name)
{
	size_t room = is_name ? WIRE_NAME_MAX : WIRE_TEXT_MAX;
	size_t start = b->len;

	while (text.len > 0) {
		size_t len = char_len(text, is_name), take = len > 0 ? len : 1;

		if (take > room)
			break;
		if (len > 0)
			buf_add(b, span_of(text.p, len));
		else
			buf_add_byte(b, '?');
		room -= take;
		text = span_of(text.p + take, text.len - take);
	}
	if (b->len == start)
		buf_add_byte(b, '?');
}

static void write_field(struct buf *b, char field, const struct wire *w)
{
	switch (field) {
	case 'v':
		buf_add_str(b, VERSION);
		break;
	case 'i':
		buf_addf(b, "%lu", (unsigned long)w->id);
		break;
	case 'n':
	case 'c':
		buf_addf(b, "%llu", (unsigned long long)w->number);
		break;
	case 'h':
	case 'd':
		if (w->has_digest)
			text_hex(b, span_of(w->digest, sizeof w->digest));
		else
			buf_add_byte(b, '-');
		break;
	default:
		write_text(b, w->text, field == 'f');
	}
}

void wire_write(struct buf *b, const struct wire *w)
{
	buf_add_str(b, words[w->kind].word);
	for (const char *f = words[w->kind].fields; *f != '\0'; f++) {
		buf_add_byte(b, ' ');
		write_field(b, *f, w);
	}
	buf_add_str(b, "\r\n");
}

/* How many bytes of a long line go: whole characters only. */
static size_t fitting(struct span line)
{
	size_t len = line.len;

	if (len <= WIRE_TEXT_MAX)
		return len;
	len = WIRE_TEXT_MAX;
	while (len > WIRE_TEXT_MAX - 4 && (line.p[len] & 0xc0U) == 0x80U)
		len--;
	return len;
}

bool wire_say_next(struct span *rest, struct span *ret)
{
	while (rest->len > 0) {
		const unsigned char *end = memchr(rest->p, '\n', rest->len);
		size_t line = end != NULL ? (size_t)(end - rest->p) : rest->len;
		size_t now = fitting(span_of(rest->p, line));
		size_t past = now == line && end != NULL ? now + 1 : now;

		*ret = span_of(rest->p, now);
		*rest = span_of(rest->p + past, rest->len - past);
		if (ret->len > 0 && ret->p[ret->len - 1] == '\r')
			ret->len--;
		if (span_trim(*ret).len > 0)
			return true;
	}
	return false;
}
