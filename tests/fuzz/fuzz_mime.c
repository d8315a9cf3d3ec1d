/*
 * Whole messages: parts lie inside each other, what IMAP tells of them can be read by IMAP's
 * grammar, the row opens and says the same, all text is UTF-8. Time is bounded by libFuzzer's own
 * limit (-timeout).
 */
#include "proto/mime.h"

#include "base/text.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* -- IMAP's lists ------------------------------------------------------------------------------ */

static size_t literal_end(struct span s, size_t i)
{
	size_t n = 0;

	for (i++; i < s.len && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		n = n * 10 + (size_t)(s.p[i] - '0');
	must(i + 3 <= s.len && memcmp(s.p + i, "}\r\n", 3) == 0 && n <= s.len - i - 3);
	must(memchr(s.p + i + 3, '\0', n) == NULL);
	return i + 3 + n;
}

static size_t quoted_end(struct span s, size_t i)
{
	for (i++; i < s.len && s.p[i] != '"'; i++) {
		if (s.p[i] == '\\')
			i++;
		must(i < s.len && (s.p[i] >= ' ' || s.p[i] == '\t') && s.p[i] < 0x7f);
	}
	must(i < s.len);
	return i + 1;
}

static void must_be_list(struct span s)
{
	size_t depth = 0, i = 0;

	must(s.len >= 2 && s.p[0] == '(');
	while (i < s.len) {
		if (s.p[i] == '"') {
			i = quoted_end(s, i);
		} else if (s.p[i] == '{') {
			i = literal_end(s, i);
		} else {
			depth += s.p[i] == '(';
			must(s.p[i] != ')' || depth > 0);
			depth -= s.p[i] == ')';
			must(strchr("()NIL 0123456789", s.p[i]) != NULL && s.p[i] != '\0');
			i++;
			must(depth > 0 || i == s.len);
		}
	}
	must(depth == 0);
}

/* -- parts ------------------------------------------------------------------------------------- */

static void must_lie_well(const struct mime *m, size_t index)
{
	const struct mime_part *p = &m->parts[index], *parent;

	must(p->header + p->header_len == p->body && p->body + p->body_len <= m->bytes.len);
	must(p->depth <= MIME_DEPTH_MAX && p->body_lines <= p->body_len);
	must((p->first == MIME_NONE) || (p->first > index && p->kind != MIME_LEAF));
	must(p->next == MIME_NONE || p->next > index);
	must(p->kind != MIME_MESSAGE ||
		(p->first != MIME_NONE && m->parts[p->first].next == MIME_NONE));
	if (index == 0) {
		must(p->parent == MIME_NONE && p->header == 0);
		return;
	}
	must(p->parent < index);
	parent = &m->parts[p->parent];
	must(p->depth == parent->depth + 1 && p->header >= parent->body);
	must(p->body + p->body_len <= parent->body + parent->body_len ||
		p->body_len == 0 /* a delimiter took the line end of an empty part's header */);
	must(p->next == MIME_NONE || m->parts[p->next].header >= p->body + p->body_len);
}

static void read_part(const struct mime *m, const struct mime_part *p)
{
	struct buf text = BUF_INIT(1 << 20), plain = BUF_INIT(1 << 20), name = BUF_INIT(1024);
	struct mime_type type;
	int r = mime_text(m, p, &text);

	must(r == 0 || r == -EINVAL || r == -ENOBUFS);
	must(r != 0 || text_is_utf8(buf_span(&text)));
	mime_html_text(&plain, buf_span(&text));
	must(buf_error(&plain) < 0 || text_is_utf8(buf_span(&plain)));
	must(mime_type_of(m, p, &type) == 0 && type.params.count <= MIME_PARAMS_MAX);
	for (size_t i = 0; i < type.params.count; i++)
		must(text_is_utf8(span_str(type.params.list[i].value)));
	mime_type_done(&type);
	r = mime_filename(m, p, &name);
	must(r == 0 || r == -ENOENT);
	must(text_is_clean(buf_span(&name)) && memchr(buf_str(&name), '/', name.len + 1) == NULL);
	buf_done(&text);
	buf_done(&plain);
	buf_done(&name);
}

/* -- the row ----------------------------------------------------------------------------------- */

static void must_be_same(const struct mime *m, const struct mime_record *r)
{
	struct mime_part p;
	struct span rest = r->references, msgid;

	must(r->size == m->bytes.len && r->part_count == m->count);
	for (size_t i = 0; i < m->count; i++) {
		must(mime_record_part(r, i, &p) == 0);
		must(p.body == m->parts[i].body && p.body_len == m->parts[i].body_len);
		must(p.kind == m->parts[i].kind && p.body_lines == m->parts[i].body_lines);
	}
	must_be_list(r->envelope);
	must_be_list(r->body);
	must_be_list(r->bodystructure);
	while (mime_record_reference(&rest, &msgid))
		must(msgid.len >= 2 || msgid.len == 0);
	must(rest.len == 0);
	for (uint32_t n = 0; n < 4; n++)
		for (uint32_t k = 0; k < 3; k++)
			(void)mime_record_section(r, (const uint32_t[]){n, k, 1}, 1 + k, &p);
}

static void pick(const struct mime *m)
{
	static const struct span names[] = {SPAN_LIT("Subject"), SPAN_LIT("Content-Type")};
	struct buf b = BUF_INIT(1 << 22);

	mime_header_pick(&b, mime_header(m, &m->parts[0]), names, 2, false);
	mime_header_pick(&b, mime_header(m, &m->parts[0]), names, 2, true);
	must(buf_error(&b) < 0 || b.len >= 4);
	buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf record = BUF_INIT(4 << 20);
	struct mime_record r;
	struct mime m;

	must(mime_parse(span_of(data, size), &m) == 0);
	must(m.count >= 1 && m.count <= MIME_PARTS_MAX);
	for (size_t i = 0; i < m.count; i++)
		must_lie_well(&m, i);
	for (size_t i = 0; i < m.count && i < 20; i++)
		read_part(&m, &m.parts[i]);
	must(mime_record_write(&m, &record) == 0);
	must(mime_record_open(buf_span(&record), &r) == 0);
	must_be_same(&m, &r);
	pick(&m);
	/* A row from elsewhere is refused, or harmless. */
	if (mime_record_open(span_of(data, size), &r) == 0)
		must(r.part_count > 0);
	buf_done(&record);
	mime_done(&m);
	return 0;
}
