/*
 * What the keeper reads from its socket: frames, and in them the arguments of every operation. A
 * stream is cut into frames; arguments that are taken, put and taken again are the same bytes as
 * before, and the answers' frames are read as a service reads them.
 */
#include "store/remote.h"
#include "store/shape.h"

#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Put again, they are what they were: nothing else is the same arguments. */
static void put_again(enum store_op op, const void *args, struct span bytes)
{
	struct buf b = BUF_INIT(SHAPE_MESSAGE_MAX);
	struct shape_arena arena = {NULL};
	void *again = NULL;

	if (shape_put(op, args, &b) < 0 || !span_eq(buf_span(&b), bytes) ||
		shape_take(op, buf_span(&b), &arena, &again) < 0)
		abort();
	(void)shape_is_timely(op, again, 0, 1);
	shape_done(&arena);
	buf_done(&b);
}

static void take(enum store_op op, struct span bytes)
{
	struct shape_arena arena = {NULL};
	void *args = NULL;
	int rc = shape_take(op, bytes, &arena, &args);

	if (rc == 0)
		put_again(op, args, bytes);
	else if (rc != -EBADMSG && rc != -ENOMEM)
		abort();
	shape_done(&arena);
}

static void read_call(struct span frame)
{
	struct remote_call_head h;

	if (remote_call_read(frame, &h) == 0)
		take(h.op, h.args);
}

static void read_answer(struct span frame, enum store_op op)
{
	static struct store_batch_item item;
	struct buf b = BUF_INIT(2 * OP_RESULT_MAX);
	struct remote_answer a;

	if (remote_answer_read(frame, op, &a) < 0)
		return;
	item.op = op;
	item.rc = a.rc;
	item.ticket.number = a.number;
	if (a.result.len > 0)
		memcpy(item.result, a.result.p, a.result.len);
	if (remote_answer_write(&b, &item) < 0 || !span_eq(buf_span(&b), frame))
		abort();
	buf_done(&b);
}

/* First byte: an operation; what follows: its arguments, or, for 255, a stream of frames. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest, frame;
	size_t len = 0;

	if (size == 0)
		return 0;
	rest = span_of(data + 1, size - 1);
	if (data[0] != UINT8_MAX) {
		take((enum store_op)data[0], rest);
		return 0;
	}
	while (remote_frame(rest, &len) == 1) {
		frame = span_of(rest.p, len);
		read_call(frame);
		for (enum store_op op = 0; op < STORE_OP_COUNT; op++)
			read_answer(frame, op);
		rest = span_of(rest.p + len, rest.len - len);
	}
	return 0;
}
