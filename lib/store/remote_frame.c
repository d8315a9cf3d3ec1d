/*
 * The frames between a service and the keeper, see remote.h: pure, no sockets. What comes in was
 * made by another process, so lengths are bounded before anything is believed.
 */
#include "store/remote.h"

#include "base/rec.h"
#include "store/shape.h"

#include <errno.h>

enum {
	LENGTH_LEN = 4,
	ANSWER_HEAD_LEN = 8 + 4, /* behind the length */
	/* Whatever needs so few bytes is an answer; calls are longer. */
	FRAME_MIN = ANSWER_HEAD_LEN,
	FRAME_MAX = REMOTE_HEAD_LEN - LENGTH_LEN + SHAPE_MESSAGE_MAX,
	ERRNO_MAX = 4095, /* as the kernel's */
};

int remote_frame(struct span bytes, size_t *ret_len)
{
	struct rec r = rec_of(bytes);
	size_t len;

	if (bytes.len < LENGTH_LEN) {
		*ret_len = 0;
		return 0;
	}
	len = rec_u32(&r);
	if (len < FRAME_MIN)
		return -EBADMSG;
	if (len > FRAME_MAX)
		return -EMSGSIZE;
	*ret_len = LENGTH_LEN + len;
	return bytes.len >= *ret_len ? 1 : 0;
}

/* The length stands in front of what is not written yet: it is filled in afterwards. */
static size_t frame_begin(struct buf *b)
{
	buf_add_u32(b, 0);
	return b->len;
}

static void frame_end(struct buf *b, size_t start)
{
	size_t len = b->len - start;
	unsigned char *p = b->p + start - LENGTH_LEN;

	for (size_t i = 0; i < LENGTH_LEN; i++)
		p[i] = (unsigned char)(len >> (8 * (LENGTH_LEN - 1 - i)));
}

/* What a frame that failed has left behind goes again; the error has been told. */
static int frame_drop(struct buf *b, size_t len, int rc)
{
	b->len = len;
	if (b->p != NULL)
		b->p[len] = '\0';
	b->error = 0;
	return rc;
}

int remote_call_write(struct buf *b, enum store_op op, const void *args,
	const struct store_ticket *ticket, bool again)
{
	const size_t before = b->len;
	size_t start;
	int rc;

	if (buf_error(b) != 0)
		return buf_error(b);
	start = frame_begin(b);
	buf_add_u64(b, shape_version());
	buf_add_u16(b, (uint16_t)op);
	buf_add_byte(b, again ? 1 : 0);
	buf_add(b, span_of(ticket->caller, sizeof(ticket->caller)));
	buf_add_u64(b, ticket->number);
	rc = shape_put(op, args, b);
	if (rc == 0)
		rc = buf_error(b);
	if (rc < 0)
		return frame_drop(b, before, rc);
	frame_end(b, start);
	return 0;
}

/* A whole frame without its length: -EBADMSG when it says another one than it has. */
static int frame_open(struct span frame, struct rec *ret)
{
	size_t len;
	int rc = remote_frame(frame, &len);

	if (rc != 1 || len != frame.len)
		return -EBADMSG;
	*ret = rec_of(span_of(frame.p + LENGTH_LEN, frame.len - LENGTH_LEN));
	return 0;
}

int remote_call_read(struct span frame, struct remote_call_head *ret)
{
	struct remote_call_head h = {0};
	struct span caller;
	struct rec r;
	uint8_t again;
	int rc = frame_open(frame, &r);

	if (rc < 0)
		return rc;
	h.version = rec_u64(&r);
	h.op = (enum store_op)rec_u16(&r);
	again = rec_u8(&r);
	caller = rec_raw(&r, sizeof(h.ticket.caller));
	h.ticket.number = rec_u64(&r);
	if (r.error != 0 || again > 1)
		return -EBADMSG;
	h.again = again == 1;
	memcpy(h.ticket.caller, caller.p, sizeof(h.ticket.caller));
	h.args = r.rest;
	*ret = h;
	return 0;
}

static size_t result_size(const struct op_def *def, int rc)
{
	if (def == NULL || (rc < 0 && (def->flags & OP_TELLS) == 0))
		return 0;
	return def->result_size;
}

int remote_answer_write(struct buf *b, const struct store_batch_item *item)
{
	const size_t before = b->len;
	size_t start;
	int rc = buf_error(b);

	if (rc != 0)
		return rc;
	start = frame_begin(b);
	buf_add_u64(b, item->ticket.number);
	buf_add_u32(b, (uint32_t)(int32_t)item->rc);
	buf_add(b, span_of(item->result, result_size(op_find(item->op), item->rc)));
	rc = buf_error(b);
	if (rc < 0)
		return frame_drop(b, before, rc);
	frame_end(b, start);
	return 0;
}

int remote_answer_read(struct span frame, enum store_op op, struct remote_answer *ret)
{
	struct remote_answer a = {0};
	struct rec r;
	uint32_t code;
	int rc = frame_open(frame, &r);

	if (rc < 0)
		return rc;
	a.number = rec_u64(&r);
	code = rec_u32(&r);
	if (r.error != 0 || (code != 0 && code < (uint32_t)-ERRNO_MAX))
		return -EBADMSG;
	a.rc = (int)(int32_t)code;
	a.result = r.rest;
	if (a.result.len != result_size(op_find(op), a.rc))
		return -EBADMSG;
	*ret = a;
	return 0;
}
