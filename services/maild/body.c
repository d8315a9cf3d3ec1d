/*
 * A message on its way into the store and out of it: parsed once, its structure written once, its
 * bytes sealed as a blob; read back in pieces, with no transaction open between them.
 */
#include "services/maild/maild.h"

#include "store/policy.h"

#include <errno.h>

int maild_size_limit(struct store *s, uint64_t *ret)
{
	return policy_number(s, "mail_size", ret);
}

static int seal(struct store *s, struct span message, struct maild_body *b)
{
	int r = blob_begin(s, message.len, &b->writer);

	if (r == 0)
		r = blob_write(b->writer, message);
	if (r == 0)
		r = blob_seal(b->writer, &b->body.blob);
	return r;
}

static int describe(struct maild_body *b)
{
	struct mime_record record = {.asks = false};
	int r = mime_record_write(&b->mime, &b->structure);

	if (r == 0)
		r = mime_record_open(buf_span(&b->structure), &record);
	if (r < 0)
		return r;
	b->body.structure = buf_span(&b->structure);
	b->body.asks = record.asks;
	return 0;
}

int maild_body_make(struct store *s, struct span message, struct maild_body *ret)
{
	struct maild_body b = {.structure = BUF_INIT(MAIL_STRUCTURE_MAX)};
	int r = mime_parse(message, &b.mime);

	if (r < 0)
		return r;
	r = describe(&b);
	if (r == 0)
		r = seal(s, message, &b);
	if (r < 0) {
		maild_body_done(&b);
		return r;
	}
	*ret = b;
	return 0;
}

void maild_body_done(struct maild_body *b)
{
	blob_endp(&b->writer);
	b->writer = NULL;
	buf_done(&b->structure);
	mime_done(&b->mime);
	b->body = (struct mail_body){.asks = false};
}

int maild_body_read(struct store *s, const unsigned char blob[BLOB_ID_LEN], uint64_t offset,
	size_t len, struct buf *b)
{
	unsigned char *to = buf_reserve(b, len);
	size_t have = 0;

	if (to == NULL)
		return buf_error(b);
	while (have < len) {
		size_t n = 0;
		int r = blob_read(s, blob, offset + have, to + have, len - have, &n);

		if (r < 0)
			return r;
		if (n == 0)
			return -EBADMSG;
		have += n;
	}
	buf_commit(b, len);
	return 0;
}
