/* What the files of the MIME reader share (proto/mime.h). */
#ifndef PROTO_MIME_I_H
#define PROTO_MIME_I_H

#include "proto/mime.h"

/* Tests bound the work that a message makes, in steps instead of time. */
#ifdef QUINTET_TEST
extern uint64_t mime_work;
#define MIME_WORK(n) ((void)(mime_work += (n)))
#else
#define MIME_WORK(n) ((void)0)
#endif

static inline bool mime_is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline bool mime_is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static inline unsigned char mime_lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

static inline struct span mime_skip(struct span s, size_t n)
{
	MIME_WORK(1);
	return n < s.len ? span_of(s.p + n, s.len - n) : span_of(NULL, 0);
}

/* Without blanks and line ends at both ends. */
struct span mime_trim(struct span s);

/* The value of a hexadecimal digit, or -1. */
int mime_hex(unsigned char c);

/* Takes the next line with its end; false at the end. */
bool mime_line_next(struct span *rest, struct span *ret);

/* The line between header and body. */
static inline bool mime_is_separator(struct span line)
{
	return line.p[0] == '\n' || (line.len == 2 && line.p[0] == '\r' && line.p[1] == '\n');
}

/* The next field of that name; *seen counts those looked at (MIME_FIELDS_MAX). */
bool mime_field_named(
	struct span *rest, const char *name, size_t *seen, struct mime_field *ret_field);

/* Takes blanks, line ends and comments (nested); false if there were none. With comment, what the
 * last comment held (without its parentheses) goes there. */
bool mime_skip_comments(struct span *rest, struct span *ret_comment);

/* The content of a quoted string that rest begins with, unquoted and unfolded, is appended. */
void mime_take_quoted(struct span *rest, struct buf *b);

/*
 * "type/subtype; name=value" with its words as they were written: the pieces of a value that RFC
 * 2231 cut are one again, what is encoded stays so (and the name keeps its '*'). Spans into text
 * or into the value.
 */
struct mime_raw_param {
	struct span name; /* without '*' */
	struct span value; /* unquoted; with extended: charset'language'%XX */
	bool extended;
};
struct mime_raw { /* owned */
	struct span type, subtype; /* empty: there is none that can be read */
	struct mime_raw_param *list;
	size_t count;
	struct buf text;
};
int mime_raw_parse(struct span value, struct mime_raw *ret); /* -ENOMEM */
/* Content-Type of a header with its defaults: type and subtype are never empty. */
int mime_raw_type(struct span header, bool in_digest, struct mime_raw *ret);
void mime_raw_done(struct mime_raw *raw);
bool mime_raw_is(const struct mime_raw *raw, const char *type, const char *subtype);
const struct mime_raw_param *mime_raw_find(const struct mime_raw *raw, const char *name);
/* Charset, and the decoded bytes appended, of an extended value. */
void mime_raw_decode(struct span value, struct span *ret_charset, struct buf *b);

/* Without quotes: two ways to write one Message-ID become one. */
void mime_msgid_plain(struct buf *b, struct span msgid);

/* What fits no budget is said poorly, so that it fits whatever was sent: strings cut, one
 * parameter, no languages, envelopes of messages inside left empty. */
struct mime_view {
	struct buf *b;
	const struct mime *m;
	bool extended, poor;
};
void mime_view_string(struct mime_view *v, struct span s, bool present);
void mime_view_envelope(struct mime_view *v, struct span header);
void mime_view_body(struct mime_view *v);

struct mime_table {
	const char *name;
	uint16_t high[128]; /* of the bytes from 0x80 */
};
const struct mime_table *mime_table_find(const char *name); /* NULL: none */

struct mime_fold {
	uint32_t first, last, step;
	int32_t delta; /* from the letter to its fold */
};
extern const struct mime_fold mime_folds[]; /* ascending */
extern const size_t mime_fold_count;
struct mime_pair {
	uint16_t whole, base, mark; /* mark 0: another letter for the same */
};
extern const struct mime_pair mime_pairs[]; /* ascending */
extern const size_t mime_pair_count;

/* Shown as nothing, or turning what is around it: never in the name of a file. */
static inline bool mime_is_hidden(uint32_t cp)
{
	return cp == 0xad || (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
		(cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff;
}

/* The character that "&name;" or "&#number;" stands for; 0: none. */
uint32_t mime_entity(struct span s, size_t *ret_len);

/* Cuts UTF-8 to at most len bytes, at a character. */
struct span mime_utf8_cut(struct span s, size_t len);
void mime_utf8_put(struct buf *b, uint32_t cp);
/* The next code point; false at the end; malformed bytes one by one as U+FFFD (*ret_bad). */
bool mime_utf8_next(struct span *rest, uint32_t *ret, bool *ret_bad);

#endif
