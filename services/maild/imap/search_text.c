/*
 * SEARCH: HEADER, BODY and TEXT. Everything is compared as folded UTF-8: header fields with their
 * encoded words decoded, text parts without transfer encoding and character set, piece by piece,
 * so that a long one is never held. What is encrypted or no text cannot be seen into.
 */
#include "services/maild/imap/fetch.h"
#include "services/maild/imap/gather.h"
#include "services/maild/imap/search.h"

#include "base/cleanup.h"
#include "base/match.h"

#include <errno.h>

static void stick(struct search *x, int r)
{
	if (r < 0 && x->error == 0)
		x->error = r;
}

/* One message and many words can take minutes: nobody searches on whose session is to end. */
static void breathe(struct search *x)
{
	if (x->outside && x->error == 0)
		stick(x, gather_pause(x->s, &x->at_ms));
}

/* Reads bytes of the message into b, which is emptied before. */
static int read_bytes(struct search *x, uint64_t offset, uint64_t len, struct buf *b)
{
	buf_reset(b);
	x->work += len / 64;
	return fetch_blob(x->s->service->store, x->m.blob, offset, len, b);
}

/* -- header fields ----------------------------------------------------------------------------- */

int search_need_header(struct search *x)
{
	struct mime_part part;
	int r;

	if (x->has_header)
		return 0;
	r = mime_record_part(&x->record, 0, &part);
	if (r == 0)
		r = read_bytes(x, part.header,
			part.header_len < SEARCH_HEADER_MAX ? part.header_len : SEARCH_HEADER_MAX,
			&x->header);
	x->has_header = r == 0;
	return r;
}

/* Is the word in the text? Both folded; the empty word is everywhere. */
static bool has_word(struct span text, struct span word)
{
	return word.len == 0 ||
		(word.len <= text.len && memmem(text.p, text.len, word.p, word.len) != NULL);
}

static bool text_has_word(struct search *x, struct span text, struct span word)
{
	breathe(x);
	buf_reset(&x->folded);
	mime_casefold(&x->folded, text);
	stick(x, buf_error(&x->folded));
	return has_word(buf_span(&x->folded), word);
}

static bool is_address_field(struct span name)
{
	static const char *const names[] = {"From", "To", "Cc", "Bcc", "Sender", "Reply-To"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (span_caseeq_str(name, names[i]))
			return true;
	return false;
}

/* "bob (at work) @ example.org" is found by "bob@example.org". */
static bool has_address(struct search *x, struct span value, struct span word)
{
	_cleanup_(mime_addresses_done) struct mime_addresses list = {0};
	int r = mime_addresses_parse(value, false, &list);

	stick(x, r);
	buf_reset(&x->plain);
	for (size_t i = 0; r == 0 && i < list.count; i++) {
		const struct mime_address *a = &list.list[i];

		buf_add(&x->plain, a->name);
		if (a->group_begin || a->group_end)
			continue;
		buf_add(&x->plain, SPAN_LIT(" <"));
		buf_add(&x->plain, a->local);
		buf_add_byte(&x->plain, '@');
		buf_add(&x->plain, a->domain);
		buf_add(&x->plain, SPAN_LIT(">, "));
	}
	return r == 0 && text_has_word(x, buf_span(&x->plain), word);
}

static bool field_has_word(struct search *x, const struct mime_field *f, struct span word)
{
	buf_reset(&x->text);
	mime_words_decode(&x->text, f->value);
	if (text_has_word(x, buf_span(&x->text), word))
		return true;
	return is_address_field(f->name) && has_address(x, f->value, word);
}

bool search_header(struct search *x, uint32_t node)
{
	const struct imap_search_node *n = &x->program->nodes[node];
	struct span word = search_word(x, node), rest = buf_span(&x->header);
	struct mime_field f;

	while (x->error == 0 && mime_field_next(&rest, &f)) {
		if (!match_eq(f.name, n->name))
			continue;
		if (word.len == 0 || field_has_word(x, &f, word))
			return true;
	}
	return false;
}

/* A whole header: names and decoded values. */
static bool header_has_word(struct search *x, struct span header, struct span word)
{
	struct mime_field f;

	while (x->error == 0 && mime_field_next(&header, &f)) {
		buf_reset(&x->text);
		buf_add(&x->text, f.name);
		buf_add(&x->text, SPAN_LIT(": "));
		mime_words_decode(&x->text, f.value);
		if (text_has_word(x, buf_span(&x->text), word))
			return true;
	}
	return false;
}

/* -- text, piece by piece ---------------------------------------------------------------------- */

struct reader {
	struct search *x;
	struct span word;
	const char *charset;
	size_t unit; /* bytes that must not be parted: 4 of UTF-16 and UTF-32, else lines */
	bool html;
	struct buf held; /* decoded, not yet looked at */
	struct buf tail; /* folded: the end of what was looked at */
	bool found;
};

/* Folded behind what is left of the piece before, so that a word may lie across. */
static void look(struct reader *r, struct span utf8)
{
	struct search *x = r->x;
	size_t keep = r->word.len > 0 ? r->word.len - 1 : 0;

	buf_reset(&x->folded);
	buf_add(&x->folded, buf_span(&r->tail));
	mime_casefold(&x->folded, utf8);
	stick(x, buf_error(&x->folded));
	r->found = has_word(buf_span(&x->folded), r->word);
	keep = keep < x->folded.len ? keep : x->folded.len;
	buf_reset(&r->tail);
	buf_add(&r->tail, span_of(x->folded.p + x->folded.len - keep, keep));
	stick(x, buf_error(&r->tail));
}

static void convert(struct reader *r, struct span bytes)
{
	struct search *x = r->x;
	_cleanup_(buf_done) struct buf plain = BUF_INIT(SEARCH_TEXT_MAX);

	buf_reset(&x->text);
	stick(x, mime_to_utf8(&x->text, span_str(r->charset), bytes));
	if (r->html) {
		mime_html_text(&plain, buf_span(&x->text));
		look(r, buf_span(&plain));
	} else {
		look(r, buf_span(&x->text));
	}
}

/* How much of what is held can be looked at without the rest. */
static size_t ready(const struct reader *r)
{
	const unsigned char *end = r->held.p;

	if (r->html)
		return r->held.len > SEARCH_HTML_MAX ? r->held.len : 0;
	if (r->unit > 1)
		return r->held.len - r->held.len % r->unit;
	if (r->held.len > 0)
		end = memrchr(r->held.p, '\n', r->held.len);
	if (end != NULL && r->held.len > 0)
		return (size_t)(end - r->held.p) + 1;
	return r->held.len > SEARCH_PIECE ? r->held.len : 0;
}

static void drain(struct reader *r, size_t len)
{
	if (len == 0)
		return;
	if (r->html && r->held.len > SEARCH_HTML_MAX)
		r->html = false;
	convert(r, span_of(r->held.p, len));
	buf_consume(&r->held, len);
}

static void read_body(struct reader *r, const struct mime_part *p)
{
	struct search *x = r->x;
	struct mime_decoder decoder = {.encoding = p->encoding};
	uint64_t from = p->body, left = p->body_len;

	while (left > 0 && !r->found && x->error == 0) {
		uint64_t n = left < SEARCH_PIECE ? left : SEARCH_PIECE;

		stick(x, read_bytes(x, from, n, &x->plain));
		if (x->error == 0)
			stick(x, mime_decode(&decoder, buf_span(&x->plain), &r->held));
		from += n;
		left -= n;
		if (left == 0 && x->error == 0)
			stick(x, mime_decode_end(&decoder, &r->held));
		if (x->error == 0)
			drain(r, left == 0 ? r->held.len : ready(r));
		breathe(x);
	}
}

static bool body_has_word(
	struct search *x, const struct mime_part *p, const struct mime_type *type, struct span word)
{
	const char *charset = mime_param(&type->params, "charset");
	struct reader r = {.x = x,
		.word = word,
		.charset = charset != NULL ? charset : "us-ascii",
		.unit = 1,
		.html = strcmp(type->subtype, "html") == 0,
		.held = BUF_INIT(SEARCH_TEXT_MAX),
		.tail = BUF_INIT(SEARCH_WORDS_MAX)};

	if (strncasecmp(r.charset, "utf-16", 6) == 0 || strncasecmp(r.charset, "utf-32", 6) == 0)
		r.unit = 4;
	read_body(&r, p);
	buf_done(&r.held);
	buf_done(&r.tail);
	return r.found;
}

/* -- parts ------------------------------------------------------------------------------------- */

static bool is_searched(const struct mime_part *p, const struct mime_type *type)
{
	return p->kind == MIME_LEAF && p->encoding != MIME_OTHER && p->body_len > 0 &&
		(strcmp(type->type, "text") == 0 || strcmp(type->type, "message") == 0);
}

/* A part with its own header: that of the message itself does not belong to its body. */
static bool part_has_word(
	struct search *x, size_t index, const struct mime_part *p, struct span word, bool header)
{
	_cleanup_(buf_done) struct buf own = BUF_INIT(SEARCH_HEADER_MAX);
	_cleanup_(mime_type_done) struct mime_type type = {0};
	struct mime_field f = {0};
	int r = 0;

	if (index == 0)
		r = search_need_header(x);
	else
		r = read_bytes(x, p->header,
			p->header_len < SEARCH_HEADER_MAX ? p->header_len : SEARCH_HEADER_MAX,
			&own);
	stick(x, r);
	if (r < 0)
		return false;
	if (header && header_has_word(x, buf_span(index == 0 ? &x->header : &own), word))
		return true;
	if (p->kind != MIME_LEAF)
		return false;
	(void)mime_field(buf_span(index == 0 ? &x->header : &own), "Content-Type", 0, &f);
	stick(x, mime_type_parse(f.value, &type));
	return x->error == 0 && is_searched(p, &type) && body_has_word(x, p, &type, word);
}

bool search_body(struct search *x, uint32_t node, bool with_header)
{
	struct span word = search_word(x, node);
	struct mime_part p;

	if (word.len == 0)
		return true;
	for (size_t i = 0; i < x->record.part_count && x->error == 0; i++)
		if (mime_record_part(&x->record, i, &p) == 0 &&
			part_has_word(x, i, &p, word, i > 0 || with_header))
			return true;
	return false;
}
