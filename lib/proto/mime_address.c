/*
 * Addresses (RFC 5322 section 3.4 with its obsolete forms, RFC 6532), as lenient as can be: every
 * byte is looked at a fixed number of times, whatever is open, nested or missing.
 */
#include "base/cleanup.h"
#include "base/text.h"
#include "proto/mime_i.h"

#include <errno.h>

struct reader {
	struct span rest;
	struct mime_addresses a;
	size_t cap;
	bool raw_names, in_group;
};

void mime_addresses_done(struct mime_addresses *a)
{
	free(a->list);
	buf_done(&a->text);
	*a = (struct mime_addresses){.count = 0};
}

/* -- pieces of the source ---------------------------------------------------------------------- */

/* How long a quoted string or a comment is that s begins with; else one byte. */
static size_t unit(struct span s)
{
	size_t depth = 0, i;

	if (s.p[0] == '"') {
		for (i = 1; i < s.len && s.p[i] != '"'; i++)
			i += s.p[i] == '\\' && i + 1 < s.len;
		return i < s.len ? i + 1 : s.len;
	}
	if (s.p[0] != '(')
		return 1;
	for (i = 0; i < s.len; i++) {
		if (s.p[i] == '\\' && i + 1 < s.len)
			i++;
		else if (s.p[i] == '(')
			depth++;
		else if (s.p[i] == ')' && --depth == 0)
			return i + 1;
	}
	return s.len;
}

/* Up to the first of the bytes that is not inside something; *rest stands before it. */
static struct span take_until(struct span *rest, const char *stops)
{
	struct span all = *rest;
	size_t n = 0;

	while (n < all.len && (all.p[n] == '\0' || strchr(stops, all.p[n]) == NULL))
		n += unit(span_of(all.p + n, all.len - n));
	MIME_WORK(n);
	*rest = mime_skip(all, n);
	return span_of(all.p, n);
}

static bool at_byte(struct span s, char c)
{
	return s.len > 0 && s.p[0] == (unsigned char)c;
}

static void drop_byte(struct span *rest)
{
	*rest = mime_skip(*rest, 1);
}

/* -- words out of pieces ----------------------------------------------------------------------- */

/* Words with one blank between them, unquoted, without comments; with glue, without blanks. */
static void put_words(struct buf *b, struct span s, bool glue)
{
	size_t start = b->len;

	while (s.len > 0) {
		if (mime_skip_comments(&s, NULL)) {
			if (!glue && s.len > 0 && b->len > start)
				buf_add_byte(b, ' ');
		} else if (s.p[0] == '"') {
			mime_take_quoted(&s, b);
		} else {
			buf_add_byte(b, s.p[0]);
			drop_byte(&s);
		}
	}
}

/* A domain ends at what cannot be in one, or a blank that no dot is beside. */
static void put_domain(struct buf *b, struct span s)
{
	size_t start = b->len;

	while (s.len > 0 && (s.p[0] == '\0' || strchr("\"<>,;", s.p[0]) == NULL)) {
		if (!mime_skip_comments(&s, NULL)) {
			buf_add_byte(b, s.p[0]);
			drop_byte(&s);
		} else if (b->len > start && b->p[b->len - 1] != '.' && !at_byte(s, '.')) {
			return;
		}
	}
}

static struct span text_from(const struct reader *r, size_t start)
{
	return span_of(r->a.text.p + start, r->a.text.len - start);
}

static void put_name(struct reader *r, struct span raw, struct span *ret)
{
	size_t start;

	if (raw.len == 0)
		return;
	start = r->a.text.len;
	if (r->raw_names)
		buf_add(&r->a.text, raw);
	else
		mime_words_decode(&r->a.text, raw);
	*ret = text_from(r, start);
}

static void take_name(struct reader *r, struct span phrase, struct span *ret)
{
	_cleanup_(buf_done) struct buf raw = BUF_INIT(phrase.len + 1);

	put_words(&raw, phrase, false);
	put_name(r, buf_span(&raw), ret);
}

/* A comment is a name when there is no other. */
static void take_comment_name(struct reader *r, struct span comment, struct span *ret)
{
	_cleanup_(buf_done) struct buf raw = BUF_INIT(comment.len + 1);

	for (size_t i = 0; i < comment.len; i++) {
		if (comment.p[i] == '\\' && i + 1 < comment.len)
			i++;
		if (comment.p[i] != '\r' && comment.p[i] != '\n')
			buf_add_byte(&raw, comment.p[i]);
	}
	put_name(r, mime_trim(buf_span(&raw)), ret);
}

static struct span last_comment(struct span s)
{
	struct span comment = {NULL, 0};

	while (s.len > 0)
		if (!mime_skip_comments(&s, &comment))
			s = mime_skip(s, unit(s));
	return comment;
}

/* "local@domain" of a piece; the last '@' that stands alone parts them. */
static void take_spec(struct reader *r, struct span s, struct mime_address *ret)
{
	struct span local = s, domain = {NULL, 0};
	size_t start;

	for (size_t i = 0; i < s.len; i += unit(span_of(s.p + i, s.len - i))) {
		if (s.p[i] != '@')
			continue;
		local = span_of(s.p, i);
		domain = mime_skip(s, i + 1);
	}
	start = r->a.text.len;
	put_words(&r->a.text, local, local.len < s.len);
	ret->local = text_from(r, start);
	start = r->a.text.len;
	put_domain(&r->a.text, domain);
	ret->domain = text_from(r, start);
}

/* -- the list ---------------------------------------------------------------------------------- */

static int emit(struct reader *r, const struct mime_address *address)
{
	if (r->a.count == r->cap) {
		size_t cap = r->cap == 0 ? 2 : r->cap * 2;
		struct mime_address *list = realloc(r->a.list, cap * sizeof(*list));

		if (list == NULL)
			return -ENOMEM;
		r->a.list = list;
		r->cap = cap;
	}
	r->a.list[r->a.count++] = *address;
	return 0;
}

static void take_angle(struct reader *r, struct mime_address *address)
{
	struct span piece, route;

	drop_byte(&r->rest);
	(void)mime_skip_comments(&r->rest, NULL);
	if (at_byte(r->rest, '@')) {
		size_t start = r->a.text.len;

		route = take_until(&r->rest, ":>");
		put_words(&r->a.text, route, true);
		address->route = text_from(r, start);
		if (at_byte(r->rest, ':'))
			drop_byte(&r->rest);
	}
	piece = take_until(&r->rest, ">,");
	take_spec(r, piece, address);
	if (at_byte(r->rest, '>'))
		drop_byte(&r->rest);
}

static int take_mailbox(struct reader *r, struct span phrase)
{
	struct mime_address address = {.group_begin = false};
	struct span behind, comment;

	if (at_byte(r->rest, '<')) {
		take_name(r, phrase, &address.name);
		take_angle(r, &address);
		behind = take_until(&r->rest, ",;");
		comment = last_comment(behind);
	} else {
		take_spec(r, phrase, &address);
		comment = last_comment(phrase);
	}
	if (address.name.len == 0)
		take_comment_name(r, comment, &address.name);
	if (address.local.len + address.domain.len == 0 && phrase.len == 0)
		return 0;
	return emit(r, &address);
}

static int begin_group(struct reader *r, struct span phrase)
{
	struct mime_address address = {.group_begin = true};

	drop_byte(&r->rest);
	take_name(r, phrase, &address.name);
	r->in_group = true;
	return emit(r, &address);
}

static int end_group(struct reader *r)
{
	static const struct mime_address address = {.group_end = true};

	r->in_group = false;
	return emit(r, &address);
}

static bool has_at(struct span s)
{
	return s.len > 0 && memchr(s.p, '@', s.len) != NULL;
}

/* What is before the address or the separator; a colon inside an address begins no group. */
static struct span take_phrase(struct reader *r)
{
	struct span all = r->rest, piece = take_until(&r->rest, ",;<:");
	bool address = has_at(piece);

	while (at_byte(r->rest, ':') && (address || r->in_group)) {
		drop_byte(&r->rest);
		piece = take_until(&r->rest, ",;<:");
		address = address || has_at(piece);
	}
	return span_of(all.p, all.len - r->rest.len);
}

static int take_next(struct reader *r)
{
	struct span phrase = take_phrase(r), words = phrase;

	(void)mime_skip_comments(&words, NULL);
	if (at_byte(r->rest, '<') || (words.len > 0 && !at_byte(r->rest, ':')))
		return take_mailbox(r, phrase);
	if (at_byte(r->rest, ':') && words.len > 0)
		return begin_group(r, phrase);
	if (at_byte(r->rest, ';') && r->in_group) {
		drop_byte(&r->rest);
		return end_group(r);
	}
	if (r->rest.len > 0)
		drop_byte(&r->rest);
	return 0;
}

static int take_all(struct reader *r)
{
	int e = 0;

	while (e == 0 && r->rest.len > 0 && r->a.count < MIME_ADDRESSES_MAX - 1)
		e = take_next(r);
	if (e == 0 && r->in_group)
		e = end_group(r);
	return e;
}

/* Names grow when they are decoded, by no more than to U+FFFD each byte: the text has room, so
 * that spans into it stay good. */
int mime_addresses_parse(struct span value, bool raw_names, struct mime_addresses *ret)
{
	struct reader r = {.rest = value, .raw_names = raw_names};
	size_t room;
	int e;

	if (r.rest.len > MIME_FIELD_MAX)
		r.rest.len = MIME_FIELD_MAX;
	room = r.rest.len * 4 + 64;
	r.a.text = BUF_INIT(room);
	if (buf_reserve(&r.a.text, room) == NULL)
		return -ENOMEM;
	e = take_all(&r);
	if (e == 0 && buf_error(&r.a.text) < 0)
		e = -ENOMEM;
	if (e < 0)
		mime_addresses_done(&r.a);
	else
		*ret = r.a;
	return e;
}

/* -- what people type -------------------------------------------------------------------------- */

static bool local_ok(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] == 0x7f || strchr("()<>[]:;@\\,\"", s.p[i]) != NULL)
			return false;
	return s.len > 0 && s.p[0] != '.' && s.p[s.len - 1] != '.' && text_is_clean(s);
}

static bool domain_ok(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = mime_lower(s.p[i]);

		if (c < 0x80 && !mime_is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' &&
			c != '.')
			return false;
	}
	return s.len > 0 && s.p[0] != '.' && text_is_clean(s);
}

static int put_typed(const struct mime_address *a, struct span domain, struct buf *ret)
{
	if (a->domain.len > 0)
		domain = a->domain;
	if (a->group_begin || a->group_end || !local_ok(a->local) || !domain_ok(domain) ||
		a->local.len + 1 + domain.len > MIME_ADDRESS_MAX)
		return -EINVAL;
	buf_add(ret, a->local);
	buf_add_byte(ret, '@');
	buf_add(ret, domain);
	return buf_error(ret);
}

/* Mail may have more blanks and words about an address; what is typed so is a mistake. */
static bool ends_with(struct span text, const struct mime_address *a)
{
	struct span last = a->domain.len > 0 ? a->domain : a->local, end;

	text = span_trim(text);
	if (text.len > 0 && text.p[text.len - 1] == '>')
		text.len--;
	text = span_trim(text);
	if (last.len == 0 || a->local.len == 0 || text.len < last.len ||
		memmem(text.p, text.len, a->local.p, a->local.len) == NULL)
		return false;
	end = mime_skip(text, text.len - last.len);
	return span_eq(end, last);
}

int mime_address_typed(struct span text, const char *standard_domain, struct buf *ret)
{
	struct mime_addresses a;
	int r = mime_addresses_parse(text, true, &a);

	if (r < 0)
		return r;
	if (a.count != 1 || !text_is_clean(text) || !ends_with(text, &a.list[0]))
		r = -EINVAL;
	else
		r = put_typed(&a.list[0], span_str(standard_domain), ret);
	mime_addresses_done(&a);
	return r;
}
