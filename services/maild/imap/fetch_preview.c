/*
 * PREVIEW (RFC 8970): the first characters of what of a message is text. It is made when it is
 * asked for, out of the first bytes of the first text.
 */
#include "services/maild/imap/fetch.h"

#include "base/cleanup.h"

#include <errno.h>

enum {
	HEADER_LOOK = 16 << 10, /* of a part's header */
	BODY_LOOK = 16 << 10,
	TEXT_MAX = 256 << 10,
};

void fetch_preview_find(struct fetch *j)
{
	struct mime_part part;

	j->source = (struct fetch_source){.kind = FETCH_PREVIEW_OF, .there = true};
	for (size_t i = 0; i < j->record.part_count && j->source.leaf_count < FETCH_LEAVES; i++)
		if (mime_record_part(&j->record, i, &part) == 0 && part.kind == MIME_LEAF)
			j->source.leaves[j->source.leaf_count++] = part;
}

static int read_some(struct fetch *j, uint64_t offset, uint64_t len, uint64_t max, struct buf *b)
{
	buf_reset(b);
	return fetch_read(j, offset, len < max ? len : max, b);
}

static int type_of(struct fetch *j, const struct mime_part *p, struct mime_type *ret)
{
	struct mime_field field = {0};
	int r = read_some(j, p->header, p->header_len, HEADER_LOOK, &j->scratch);

	if (r < 0)
		return r;
	if (mime_field(buf_span(&j->scratch), "Content-Type", 0, &field) < 0)
		field.value = span_of(NULL, 0);
	return mime_type_parse(field.value, ret);
}

/* The text's beginning in UTF-8. */
static int text_of(
	struct fetch *j, const struct mime_part *p, const struct mime_type *type, struct buf *ret)
{
	_cleanup_(buf_done) struct buf plain = BUF_INIT(TEXT_MAX), utf8 = BUF_INIT(TEXT_MAX);
	struct mime_decoder decoder = {.encoding = p->encoding};
	const char *charset = mime_param(&type->params, "charset");
	int r = read_some(j, p->body, p->body_len, BODY_LOOK, &j->scratch);

	if (r == 0)
		r = mime_decode(&decoder, buf_span(&j->scratch), &plain);
	if (r == 0)
		r = mime_to_utf8(
			&utf8, span_str(charset != NULL ? charset : "us-ascii"), buf_span(&plain));
	if (r < 0)
		return r;
	if (strcmp(type->subtype, "html") == 0)
		mime_html_text(ret, buf_span(&utf8));
	else
		buf_add(ret, buf_span(&utf8));
	return buf_error(ret);
}

static bool is_space(unsigned char c)
{
	return c <= ' ' || c == 0x7f;
}

/* Blanks in a row become one; cut behind so many characters. */
static void shorten(struct buf *b, struct span text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = text.p[i];
		bool begins = (c & 0xc0) != 0x80;

		if (is_space(c) && (b->len == 0 || b->p[b->len - 1] == ' '))
			continue;
		if (begins && count++ == FETCH_PREVIEW)
			break;
		buf_add_byte(b, is_space(c) ? ' ' : c);
	}
	if (b->len > 0 && b->p[b->len - 1] == ' ')
		b->len--;
}

static bool is_text(const struct mime_type *type)
{
	return strcmp(type->type, "text") == 0 &&
		(strcmp(type->subtype, "plain") == 0 || strcmp(type->subtype, "html") == 0);
}

static int preview(struct fetch *j, struct buf *ret)
{
	for (size_t i = 0; i < j->source.leaf_count; i++) {
		_cleanup_(mime_type_done) struct mime_type type = {0};
		_cleanup_(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
		const struct mime_part *p = &j->source.leaves[i];
		int r = type_of(j, p, &type);

		if (r < 0)
			return r;
		if (!is_text(&type) || p->encoding == MIME_OTHER)
			continue;
		r = text_of(j, p, &type, &text);
		if (r < 0 && r != -ENOBUFS)
			return r;
		shorten(ret, buf_span(&text));
		return buf_error(ret);
	}
	return 0;
}

int fetch_preview_put(struct fetch *j)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(4 * FETCH_PREVIEW + 16);
	int r = preview(j, &text);

	if (r < 0)
		return r;
	buf_add(&j->s->out, SPAN_LIT("PREVIEW "));
	imap_put_string(
		&j->s->out, buf_span(&text), (j->s->enabled & (IMAP_UTF8 | IMAP_REV2)) != 0);
	return 0;
}
