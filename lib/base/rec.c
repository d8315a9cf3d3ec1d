/* Packed records: every read is checked against what is left, the first miss sticks. */
#include "base/rec.h"

#include <errno.h>

struct span rec_raw(struct rec *r, size_t len)
{
	struct span head;

	if (r->error != 0 || len > r->rest.len) {
		r->error = -EBADMSG;
		return (struct span){NULL, 0};
	}
	if (len == 0)
		return span_of(r->rest.p, 0);
	head = span_of(r->rest.p, len);
	r->rest = span_of(r->rest.p + len, r->rest.len - len);
	return head;
}

/* A big-endian number of size bytes. */
static uint64_t number(struct rec *r, size_t size)
{
	struct span s = rec_raw(r, size);
	uint64_t v = 0;

	for (size_t i = 0; i < s.len; i++)
		v = v << 8 | s.p[i];
	return v;
}

uint8_t rec_u8(struct rec *r)
{
	return (uint8_t)number(r, 1);
}

uint16_t rec_u16(struct rec *r)
{
	return (uint16_t)number(r, 2);
}

uint32_t rec_u32(struct rec *r)
{
	return (uint32_t)number(r, 4);
}

uint64_t rec_u64(struct rec *r)
{
	return number(r, 8);
}

int64_t rec_i64(struct rec *r)
{
	return (int64_t)number(r, 8);
}

struct span rec_bytes(struct rec *r, size_t max)
{
	uint32_t len = rec_u32(r);

	if (len > max)
		r->error = -EBADMSG;
	return rec_raw(r, len);
}

void rec_str(struct rec *r, char *ret, size_t size)
{
	struct span s = rec_bytes(r, size > 0 ? size - 1 : 0);

	if (size == 0)
		return;
	ret[0] = '\0';
	if (r->error == 0 && span_copy_str(s, ret, size) < 0)
		r->error = -EBADMSG;
}

int rec_end(const struct rec *r)
{
	return r->error != 0 || r->rest.len > 0 ? -EBADMSG : 0;
}

void rec_put_bytes(struct buf *b, struct span bytes)
{
	if (bytes.len > UINT32_MAX) {
		if (b->error == 0)
			b->error = -ENOBUFS;
		return;
	}
	buf_add_u32(b, (uint32_t)bytes.len);
	buf_add(b, bytes);
}

void rec_put_str(struct buf *b, const char *s)
{
	rec_put_bytes(b, span_str(s));
}
