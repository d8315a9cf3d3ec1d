/*
 * BODY and BODYSTRUCTURE (RFC 3501 section 7.4.2, RFC 9051 section 7.5.2). All fields of a part are
 * always there, whatever its header lacks.
 */
#include "base/cleanup.h"
#include "proto/mime_i.h"

#include <errno.h>

enum { POOR_PARAMS = 1 };

/* A multipart must have a part, even where the message has none. */
#define NO_PART "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0"
#define NO_ENVELOPE "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"

static void fail(struct mime_view *v, int error)
{
	if (v->b->error == 0)
		v->b->error = error;
}

/* -- fields ------------------------------------------------------------------------------------ */

static void put_params(struct mime_view *v, const struct mime_raw *raw)
{
	size_t count = raw->count;

	if (v->poor && count > POOR_PARAMS)
		count = POOR_PARAMS;
	for (size_t i = 0; i < count; i++) {
		struct mime_raw_param p = raw->list[i];
		_cleanup_(buf_done) struct buf name = BUF_INIT(p.name.len + 1);

		buf_add(&name, p.name);
		if (p.extended)
			buf_add_byte(&name, '*');
		buf_add_byte(v->b, i == 0 ? '(' : ' ');
		mime_view_string(v, buf_span(&name), true);
		buf_add_byte(v->b, ' ');
		mime_view_string(v, p.value, true);
	}
	buf_add_str(v->b, count > 0 ? ")" : "NIL");
}

/* The field's text, or NIL; with standard, that where the field is missing or empty. */
static void put_field(
	struct mime_view *v, struct span header, const char *name, const char *standard)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(MIME_FIELD_MAX);
	struct mime_field field;
	bool present = mime_field(header, name, 0, &field) == 0;

	if (present)
		mime_unfold(&text, field.value);
	if (text.len == 0 && standard != NULL) {
		buf_add_str(&text, standard);
		present = true;
	}
	if (buf_error(&text) < 0)
		fail(v, buf_error(&text));
	mime_view_string(v, buf_span(&text), present);
}

/* A word without comments and parameters. */
static void put_encoding(struct mime_view *v, struct span header)
{
	_cleanup_(mime_raw_done) struct mime_raw raw = {.count = 0};
	struct mime_field field;

	if (mime_field(header, "Content-Transfer-Encoding", 0, &field) == 0 &&
		mime_raw_parse(field.value, &raw) < 0)
		fail(v, -ENOMEM);
	mime_view_string(v, raw.type.len > 0 ? raw.type : SPAN_LIT("7bit"), true);
}

static void put_disposition(struct mime_view *v, struct span header)
{
	_cleanup_(mime_raw_done) struct mime_raw raw = {.count = 0};
	struct mime_field field;

	if (mime_field(header, "Content-Disposition", 0, &field) == 0 &&
		mime_raw_parse(field.value, &raw) < 0)
		fail(v, -ENOMEM);
	if (raw.type.len == 0) {
		buf_add_str(v->b, "NIL");
		return;
	}
	buf_add_byte(v->b, '(');
	mime_view_string(v, raw.type, true);
	buf_add_byte(v->b, ' ');
	put_params(v, &raw);
	buf_add_byte(v->b, ')');
}

/* "en, fi" (RFC 3282): one tag as a string, several as a list. */
static void put_language(struct mime_view *v, struct span header)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT((size_t)MIME_FIELD_MAX * 3);
	struct mime_view out = {.b = &list};
	struct mime_field field = {.value = {NULL, 0}};
	struct span rest, word;
	size_t count = 0;

	(void)mime_field(header, "Content-Language", 0, &field);
	rest = field.value;
	while (!v->poor && count < MIME_PARAMS_MAX && span_split(&rest, ',', &word)) {
		(void)mime_skip_comments(&word, NULL);
		for (size_t i = 0; i < word.len; i++)
			if (mime_is_blank(word.p[i]) || word.p[i] == '(')
				word.len = i;
		if (word.len == 0)
			continue;
		if (count++ > 0)
			buf_add_byte(&list, ' ');
		mime_view_string(&out, word, true);
	}
	if (count > 1)
		buf_add_byte(v->b, '(');
	buf_add(v->b, count > 0 ? buf_span(&list) : SPAN_LIT("NIL"));
	if (count > 1)
		buf_add_byte(v->b, ')');
}

/* -- parts ------------------------------------------------------------------------------------- */

static void put_part(struct mime_view *v, const struct mime_part *p);

static void put_children(struct mime_view *v, const struct mime_part *p)
{
	if (p->first == MIME_NONE) {
		buf_add_str(v->b, NO_PART);
		buf_add_str(v->b, v->extended ? " NIL NIL NIL NIL)" : ")");
	}
	for (uint32_t i = p->first; i != MIME_NONE; i = v->m->parts[i].next)
		put_part(v, &v->m->parts[i]);
}

/* A message that is too deep, or encoded, has nothing inside that could be told. */
static void put_message(struct mime_view *v, const struct mime_part *p)
{
	const struct mime_part *child = p->first != MIME_NONE ? &v->m->parts[p->first] : NULL;

	buf_add_byte(v->b, ' ');
	if (child == NULL) {
		buf_add_str(v->b, NO_ENVELOPE " " NO_PART);
		buf_add_str(v->b, v->extended ? " NIL NIL NIL NIL)" : ")");
		return;
	}
	if (v->poor)
		buf_add_str(v->b, NO_ENVELOPE);
	else
		mime_view_envelope(v, mime_header(v->m, child));
	buf_add_byte(v->b, ' ');
	put_part(v, child);
}

static void put_tail(struct mime_view *v, struct span header)
{
	buf_add_byte(v->b, ' ');
	put_disposition(v, header);
	buf_add_byte(v->b, ' ');
	put_language(v, header);
	buf_add_byte(v->b, ' ');
	put_field(v, header, "Content-Location", NULL);
}

static void put_multipart(
	struct mime_view *v, const struct mime_part *p, const struct mime_raw *raw)
{
	put_children(v, p);
	buf_add_byte(v->b, ' ');
	mime_view_string(v, raw->subtype, true);
	if (!v->extended)
		return;
	buf_add_byte(v->b, ' ');
	put_params(v, raw);
	put_tail(v, mime_header(v->m, p));
}

static void put_single(struct mime_view *v, const struct mime_part *p, const struct mime_raw *raw)
{
	struct span header = mime_header(v->m, p);
	bool message =
		mime_raw_is(raw, "message", "rfc822") || mime_raw_is(raw, "message", "global");

	mime_view_string(v, raw->type, true);
	buf_add_byte(v->b, ' ');
	mime_view_string(v, raw->subtype, true);
	buf_add_byte(v->b, ' ');
	put_params(v, raw);
	buf_add_byte(v->b, ' ');
	put_field(v, header, "Content-ID", NULL);
	buf_add_byte(v->b, ' ');
	put_field(v, header, "Content-Description", NULL);
	buf_add_byte(v->b, ' ');
	put_encoding(v, header);
	buf_addf(v->b, " %llu", (unsigned long long)p->body_len);
	if (message)
		put_message(v, p);
	if (message || mime_raw_is(raw, "text", NULL))
		buf_addf(v->b, " %lu", (unsigned long)p->body_lines);
	if (!v->extended)
		return;
	buf_add_byte(v->b, ' ');
	put_field(v, header, "Content-MD5", NULL);
	put_tail(v, header);
}

/* A multipart that lies too deep is a leaf to us, but has to look like one of its kind. */
static void put_part(struct mime_view *v, const struct mime_part *p)
{
	_cleanup_(mime_raw_done) struct mime_raw raw = {.count = 0};

	if (buf_error(v->b) < 0)
		return;
	if (mime_raw_type(mime_header(v->m, p), p->in_digest, &raw) < 0) {
		fail(v, -ENOMEM);
		return;
	}
	buf_add_byte(v->b, '(');
	if (mime_raw_is(&raw, "multipart", NULL))
		put_multipart(v, p, &raw);
	else
		put_single(v, p, &raw);
	buf_add_byte(v->b, ')');
}

void mime_view_body(struct mime_view *v)
{
	put_part(v, &v->m->parts[0]);
}

void mime_put_body(struct buf *b, const struct mime *m, bool extended)
{
	struct mime_view v = {.b = b, .m = m, .extended = extended};

	mime_view_body(&v);
}
