/*
 * Content-Type and its like, as they were written: type, subtype and parameters. What RFC 2231 cut
 * into pieces is put together here; how much of it is looked at is bounded, whatever is sent.
 */
#include "proto/mime_i.h"

#include "base/match.h"

#include <errno.h>

enum { PIECES_MAX = 100 }; /* of one field, pieces of RFC 2231 each counted */

/* A parameter as it stands: name, name*, name*0 or name*0*. */
struct piece {
	struct span name, value;
	uint32_t number; /* MIME_NONE: not cut */
	bool encoded;
};

struct pieces {
	struct piece list[PIECES_MAX];
	size_t count;
};

void mime_raw_done(struct mime_raw *raw)
{
	free(raw->list);
	buf_done(&raw->text);
	*raw = (struct mime_raw){.count = 0};
}

/* -- words ------------------------------------------------------------------------------------- */

static bool is_token(unsigned char c)
{
	return c > ' ' && c < 0x7f && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

static struct span take_token(struct span *rest)
{
	struct span all = *rest;
	size_t n = 0;

	while (n < all.len && is_token(all.p[n]))
		n++;
	MIME_WORK(n);
	*rest = mime_skip(all, n);
	return span_of(all.p, n);
}

static bool take_byte(struct span *rest, unsigned char c)
{
	if (rest->len == 0 || rest->p[0] != c)
		return false;
	*rest = mime_skip(*rest, 1);
	return true;
}

/* Goes behind the next ';'. False at the end. */
static bool next_param(struct span *rest)
{
	const unsigned char *at = rest->len > 0 ? memchr(rest->p, ';', rest->len) : NULL;

	if (at == NULL)
		return false;
	*rest = mime_skip(*rest, (size_t)(at - rest->p) + 1);
	return true;
}

/* Bare values with blanks inside are no words of MIME, but are sent. */
static struct span take_bare(struct span *rest)
{
	struct span all = *rest;
	size_t n = 0;

	while (n < all.len && all.p[n] != ';' &&
		!(all.p[n] == '(' && n > 0 && mime_is_blank(all.p[n - 1])))
		n++;
	*rest = mime_skip(all, n);
	return span_of(all.p, n);
}

/* -- pieces ------------------------------------------------------------------------------------ */

/* Takes "*0", "*0*" or "*" from the name's end. */
static void split_name(struct piece *piece)
{
	struct span name = piece->name, tail;
	const unsigned char *star = memchr(name.p, '*', name.len);
	uint32_t number = 0;
	size_t digits = 0;

	piece->number = MIME_NONE;
	if (star == NULL || star == name.p)
		return;
	tail = mime_skip(name, (size_t)(star - name.p) + 1);
	while (digits < tail.len && digits < 5 && mime_is_digit(tail.p[digits]))
		number = number * 10 + (uint32_t)(tail.p[digits++] - '0');
	if (tail.len > digits && !(tail.len == digits + 1 && tail.p[digits] == '*'))
		return;
	piece->name.len = (size_t)(star - name.p);
	piece->encoded = digits == 0 || tail.len > digits;
	if (digits > 0)
		piece->number = number;
}

/* Text has room: a value is never longer than what it was read from. */
static bool take_piece(struct span *rest, struct buf *text, struct piece *ret)
{
	size_t start = text->len;

	*ret = (struct piece){.number = MIME_NONE};
	(void)mime_skip_comments(rest, NULL);
	ret->name = take_token(rest);
	(void)mime_skip_comments(rest, NULL);
	if (ret->name.len == 0 || !take_byte(rest, '='))
		return false;
	(void)mime_skip_comments(rest, NULL);
	if (rest->len > 0 && rest->p[0] == '"')
		mime_take_quoted(rest, text);
	else
		mime_unfold(text, take_bare(rest));
	ret->value = span_of(text->p + start, text->len - start);
	split_name(ret);
	return true;
}

static void take_pieces(struct span rest, struct buf *text, struct pieces *ret)
{
	while (ret->count < PIECES_MAX && next_param(&rest))
		if (take_piece(&rest, text, &ret->list[ret->count]))
			ret->count++;
}

/* -- parameters -------------------------------------------------------------------------------- */

static void emit(struct mime_raw *raw, struct mime_raw_param param)
{
	for (size_t i = 0; i < raw->count; i++)
		if (raw->list[i].extended == param.extended &&
			match_eq(raw->list[i].name, param.name))
			return;
	if (raw->count < MIME_PARAMS_MAX)
		raw->list[raw->count++] = param;
}

static const struct piece *find_piece(const struct pieces *pieces, struct span name, uint32_t n)
{
	MIME_WORK(pieces->count);
	for (size_t i = 0; i < pieces->count; i++)
		if (pieces->list[i].number == n && match_eq(pieces->list[i].name, name))
			return &pieces->list[i];
	return NULL;
}

static void add_encoded(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (is_token(s.p[i]) && strchr("*'%", s.p[i]) == NULL)
			buf_add_byte(b, s.p[i]);
		else
			buf_addf(b, "%%%02X", s.p[i]);
	}
}

/* The pieces of a name in their order, as far as none is missing. Some count from 1. */
static void join(struct mime_raw *raw, const struct pieces *pieces, struct span name)
{
	uint32_t first = find_piece(pieces, name, 0) != NULL ? 0 : 1;
	const struct piece *piece = find_piece(pieces, name, first);
	struct mime_raw_param param = {.name = name};
	size_t start = raw->text.len;

	if (piece == NULL)
		return;
	for (uint32_t n = first; find_piece(pieces, name, n) != NULL; n++)
		param.extended = param.extended || find_piece(pieces, name, n)->encoded;
	if (param.extended && !piece->encoded)
		buf_add_str(&raw->text, "''");
	for (uint32_t n = first; (piece = find_piece(pieces, name, n)) != NULL; n++) {
		if (param.extended && !piece->encoded)
			add_encoded(&raw->text, piece->value);
		else
			buf_add(&raw->text, piece->value);
	}
	param.value = span_of(raw->text.p + start, raw->text.len - start);
	emit(raw, param);
}

static void join_all(struct mime_raw *raw, const struct pieces *pieces)
{
	for (size_t i = 0; i < pieces->count; i++) {
		const struct piece *piece = &pieces->list[i];
		bool joined = false;

		if (piece->number == MIME_NONE) {
			emit(raw,
				(struct mime_raw_param){piece->name, piece->value, piece->encoded});
			continue;
		}
		for (size_t k = 0; k < i && !joined; k++)
			joined = pieces->list[k].number != MIME_NONE &&
				match_eq(pieces->list[k].name, piece->name);
		if (!joined)
			join(raw, pieces, piece->name);
	}
}

static int take_params(struct mime_raw *raw, struct span rest)
{
	struct pieces *pieces = malloc(sizeof(*pieces));

	if (pieces == NULL)
		return -ENOMEM;
	pieces->count = 0;
	take_pieces(rest, &raw->text, pieces);
	raw->list = calloc(MIME_PARAMS_MAX, sizeof(*raw->list));
	if (raw->list != NULL)
		join_all(raw, pieces);
	free(pieces);
	return raw->list != NULL ? buf_error(&raw->text) : -ENOMEM;
}

int mime_raw_parse(struct span value, struct mime_raw *ret)
{
	/* What was read, and beside it what is put together (each byte as "%XX" at most): spans
	 * into it stay good, because it never grows. */
	size_t room = value.len * 4 + (size_t)2 * PIECES_MAX + 1;
	struct mime_raw raw = {.text = BUF_INIT(room)};
	struct span rest = value;
	int r = -ENOMEM;

	(void)mime_skip_comments(&rest, NULL);
	raw.type = take_token(&rest);
	(void)mime_skip_comments(&rest, NULL);
	if (take_byte(&rest, '/')) {
		(void)mime_skip_comments(&rest, NULL);
		raw.subtype = take_token(&rest);
	}
	if (memchr(value.p != NULL ? value.p : (const void *)"", ';', value.len) == NULL) {
		*ret = raw;
		return 0;
	}
	if (buf_reserve(&raw.text, room) != NULL)
		r = take_params(&raw, rest);
	if (r < 0)
		mime_raw_done(&raw);
	else
		*ret = raw;
	return r;
}

/* -- Content-Type ------------------------------------------------------------------------------ */

static int set_default(bool in_digest, struct mime_raw *raw)
{
	raw->type = SPAN_LIT("text");
	raw->subtype = SPAN_LIT("plain");
	raw->count = 0;
	if (in_digest) {
		raw->type = SPAN_LIT("message");
		raw->subtype = SPAN_LIT("rfc822");
		return 0;
	}
	if (raw->list == NULL)
		raw->list = calloc(MIME_PARAMS_MAX, sizeof(*raw->list));
	if (raw->list == NULL)
		return -ENOMEM;
	raw->list[raw->count++] =
		(struct mime_raw_param){SPAN_LIT("charset"), SPAN_LIT("us-ascii"), false};
	return 0;
}

int mime_raw_type(struct span header, bool in_digest, struct mime_raw *ret)
{
	struct mime_field field;
	struct mime_raw raw = {.count = 0};
	bool given = mime_field(header, "Content-Type", 0, &field) == 0;
	int r = 0;

	if (given)
		r = mime_raw_parse(field.value, &raw);
	if (r < 0)
		return r;
	if (raw.subtype.len == 0 && span_caseeq_str(raw.type, "text"))
		raw.subtype = SPAN_LIT("plain");
	if (raw.type.len == 0 || raw.subtype.len == 0)
		r = set_default(in_digest && !given, &raw);
	if (r < 0)
		mime_raw_done(&raw);
	else
		*ret = raw;
	return r;
}

bool mime_raw_is(const struct mime_raw *raw, const char *type, const char *subtype)
{
	return span_caseeq_str(raw->type, type) &&
		(subtype == NULL || span_caseeq_str(raw->subtype, subtype));
}

const struct mime_raw_param *mime_raw_find(const struct mime_raw *raw, const char *name)
{
	for (size_t i = 0; i < raw->count; i++)
		if (span_caseeq_str(raw->list[i].name, name) && !raw->list[i].extended)
			return &raw->list[i];
	return NULL;
}

void mime_raw_decode(struct span value, struct span *ret_charset, struct buf *b)
{
	struct span rest = value, charset = {NULL, 0}, language;

	if (!span_split(&rest, '\'', &charset) || !span_split(&rest, '\'', &language) ||
		charset.len + language.len + 2 > value.len) {
		rest = value;
		charset = span_of(NULL, 0);
	}
	for (size_t i = 0; i < rest.len; i++) {
		int high = -1, low = -1;

		if (rest.p[i] == '%' && i + 2 < rest.len) {
			high = mime_hex(rest.p[i + 1]);
			low = mime_hex(rest.p[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			buf_add_byte(b, (unsigned char)(high << 4 | low));
			i += 2;
		} else {
			buf_add_byte(b, rest.p[i]);
		}
	}
	*ret_charset = charset;
}
