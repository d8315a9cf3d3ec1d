/* Bytes that only BINARY could carry (RFC 3516), made fit for every other command. */
#include "proto/mime_i.h"

#include <errno.h>

/* What belongs to no leaf: there a NUL means nothing. */
static void put_rest(struct buf *b, struct span bytes)
{
	const unsigned char *nul;

	while (bytes.len > 0) {
		nul = memchr(bytes.p, '\0', bytes.len);
		buf_add(b, span_of(bytes.p, nul == NULL ? bytes.len : (size_t)(nul - bytes.p)));
		if (nul == NULL)
			return;
		buf_add_byte(b, '?');
		bytes = span_of(nul + 1, bytes.len - (size_t)(nul + 1 - bytes.p));
	}
}

/* The header with its Content-Transfer-Encoding as base64. */
static void put_header(struct buf *b, struct span header)
{
	struct span rest = header;
	struct mime_field f;

	while (mime_field_next(&rest, &f))
		if (!span_caseeq_str(f.name, "Content-Transfer-Encoding"))
			put_rest(b, f.whole);
	buf_add_str(b, "Content-Transfer-Encoding: base64\r\n\r\n");
}

int mime_binary_wrap(const struct mime *m, struct buf *ret)
{
	uint64_t at = 0;

	for (size_t i = 0; i < m->count; i++) {
		const struct mime_part *p = &m->parts[i];
		struct span body = mime_body(m, p);

		if (p->kind != MIME_LEAF || p->header < at || body.len == 0 ||
			memchr(body.p, '\0', body.len) == NULL)
			continue;
		put_rest(ret, span_of(m->bytes.p + at, (size_t)(p->header - at)));
		put_header(ret, mime_header(m, p));
		mime_put_base64(ret, body);
		at = p->body + p->body_len;
	}
	put_rest(ret, span_of(m->bytes.p + at, m->bytes.len - (size_t)at));
	return buf_error(ret);
}
