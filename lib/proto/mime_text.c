/* What of a part is text. */
#include "base/cleanup.h"
#include "proto/mime_i.h"

#include <errno.h>

/* Reports of all kinds (message/delivery-status) are lines for people too. A multipart in which no
 * part was found has its text in the open. */
static bool is_text(const struct mime_part *p, const struct mime_raw *raw)
{
	if (p->kind == MIME_MULTIPART)
		return p->first == MIME_NONE;
	return p->kind == MIME_LEAF &&
		(mime_raw_is(raw, "text", NULL) || mime_raw_is(raw, "message", NULL));
}

static int decode_body(const struct mime *m, const struct mime_part *p, struct buf *ret)
{
	struct mime_decoder d = {.encoding = p->encoding};
	int r = mime_decode(&d, mime_body(m, p), ret);

	return r < 0 ? r : mime_decode_end(&d, ret);
}

static struct span without_mark(struct span s)
{
	return span_starts(s, "\xef\xbb\xbf") ? mime_skip(s, 3) : s;
}

int mime_text(const struct mime *m, const struct mime_part *p, struct buf *ret)
{
	_cleanup_(mime_raw_done) struct mime_raw raw = {.count = 0};
	_cleanup_(buf_done) struct buf bytes = BUF_INIT((size_t)p->body_len + 2);
	const struct mime_raw_param *charset;
	int r = mime_raw_type(mime_header(m, p), p->in_digest, &raw);

	if (r < 0)
		return r;
	if (!is_text(p, &raw))
		return -EINVAL;
	charset = mime_raw_find(&raw, "charset");
	if (p->encoding == MIME_IDENTITY)
		return mime_to_utf8(ret, charset != NULL ? charset->value : SPAN_LIT("us-ascii"),
			without_mark(mime_body(m, p)));
	r = decode_body(m, p, &bytes);
	if (r < 0)
		return r;
	return mime_to_utf8(ret, charset != NULL ? charset->value : SPAN_LIT("us-ascii"),
		without_mark(buf_span(&bytes)));
}
