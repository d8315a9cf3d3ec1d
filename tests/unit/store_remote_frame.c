/* Frames between services and the keeper: whole, cut, bent. */
#include "store/remote.h"

#include "store/mail.h"
#include "store/session.h"
#include "store/shape.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct store_ticket ticket = {.caller = "0123456789abcde", .number = 0x0102030405};
static const struct mail_shown_args shown = {.account = "alice", .id = 77};

static void write_call(struct buf *b, bool again)
{
	assert_int_equal(remote_call_write(b, STORE_OP_MAIL_SHOWN, &shown, &ticket, again), 0);
}

static void test_call(void **state)
{
	struct buf b = BUF_INIT(1024);
	struct shape_arena arena = {NULL};
	struct remote_call_head h;
	void *args = NULL;
	size_t len = 0;

	(void)state;
	write_call(&b, true);
	assert_int_equal(remote_frame(buf_span(&b), &len), 1);
	assert_int_equal(len, b.len);
	assert_int_equal(remote_call_read(buf_span(&b), &h), 0);
	assert_true(h.version == shape_version());
	assert_int_equal(h.op, STORE_OP_MAIL_SHOWN);
	assert_true(h.again);
	assert_memory_equal(h.ticket.caller, ticket.caller, sizeof(ticket.caller));
	assert_true(h.ticket.number == ticket.number);
	assert_int_equal(h.args.len, b.len - REMOTE_HEAD_LEN);
	assert_int_equal(shape_take(h.op, h.args, &arena, &args), 0);
	assert_string_equal(((struct mail_shown_args *)args)->account, "alice");
	assert_true(((struct mail_shown_args *)args)->id == 77);
	shape_done(&arena);
	buf_reset(&b);
	write_call(&b, false);
	assert_int_equal(remote_call_read(buf_span(&b), &h), 0);
	assert_false(h.again);
	buf_done(&b);
}

/* One behind the other, as they come from a stream, byte for byte. */
static void test_stream(void **state)
{
	struct buf b = BUF_INIT(1024);
	size_t one, len = 0;

	(void)state;
	write_call(&b, false);
	one = b.len;
	write_call(&b, true);
	for (size_t have = 0; have < one; have++) {
		assert_int_equal(remote_frame(span_of(b.p, have), &len), 0);
		assert_int_equal(len, have < 4 ? 0 : one);
	}
	assert_int_equal(remote_frame(buf_span(&b), &len), 1);
	assert_int_equal(len, one);
	buf_consume(&b, len);
	assert_int_equal(remote_frame(buf_span(&b), &len), 1);
	assert_int_equal(len, b.len);
	buf_done(&b);
}

static void test_bent(void **state)
{
	struct buf b = BUF_INIT(1024);
	struct remote_call_head h;
	struct remote_answer a;
	size_t len = 0;

	(void)state;
	assert_int_equal(remote_frame(SPAN_LIT("\0\0\0\x0b"), &len), -EBADMSG);
	assert_int_equal(remote_frame(SPAN_LIT("\0\0\0\x0c"), &len), 0);
	assert_int_equal(remote_frame(SPAN_LIT("\0\x80\0\x23"), &len), 0);
	assert_int_equal(remote_frame(SPAN_LIT("\0\x80\0\x24"), &len), -EMSGSIZE);
	assert_int_equal(remote_frame(SPAN_LIT("\xff\xff\xff\xff"), &len), -EMSGSIZE);
	write_call(&b, false);
	for (len = 0; len < b.len; len++)
		assert_int_equal(remote_call_read(span_of(b.p, len), &h), -EBADMSG);
	b.p[14] = 2; /* again */
	assert_int_equal(remote_call_read(buf_span(&b), &h), -EBADMSG);
	/* An answer is too short to be a call, and the other way round. */
	assert_int_equal(
		remote_call_read(SPAN_LIT("\0\0\0\x0c\0\0\0\0\0\0\0\0\0\0\0\0"), &h), -EBADMSG);
	assert_int_equal(remote_answer_read(buf_span(&b), STORE_OP_MAIL_SHOWN, &a), -EBADMSG);
	buf_done(&b);
}

/* What cannot be sent leaves what was there before, and no error. */
static void test_unwritable(void **state)
{
	struct mail_shown_args bad = shown;
	struct buf b = BUF_INIT(REMOTE_HEAD_LEN + 20);

	(void)state;
	memset(bad.account, 'x', sizeof(bad.account));
	buf_add_str(&b, "before");
	assert_int_equal(remote_call_write(&b, STORE_OP_MAIL_SHOWN, &bad, &ticket, false), -EINVAL);
	assert_int_equal(
		remote_call_write(&b, STORE_OP_MAIL_SHOWN, &shown, &ticket, false), -EINVAL);
	assert_int_equal(buf_error(&b), 0);
	assert_string_equal(buf_str(&b), "before");
	buf_consume(&b, 6);
	write_call(&b, false);
	buf_done(&b);
}

static void check_answer(const struct store_batch_item *item, size_t result_size)
{
	struct buf b = BUF_INIT(2 * OP_RESULT_MAX);
	struct remote_answer a;
	size_t len = 0;

	assert_int_equal(remote_answer_write(&b, item), 0);
	assert_int_equal(remote_frame(buf_span(&b), &len), 1);
	assert_int_equal(len, b.len);
	assert_int_equal(remote_answer_read(buf_span(&b), item->op, &a), 0);
	assert_true(a.number == item->ticket.number);
	assert_int_equal(a.rc, item->rc);
	assert_int_equal(a.result.len, result_size);
	assert_memory_equal(a.result.p, item->result, result_size);
	for (len = 0; len < b.len; len++)
		assert_int_equal(remote_answer_read(span_of(b.p, len), item->op, &a), -EBADMSG);
	/* Whole, but of another length than that result has. */
	buf_add_byte(&b, 0);
	b.p[3]++;
	assert_int_equal(remote_answer_read(buf_span(&b), item->op, &a), -EBADMSG);
	buf_done(&b);
}

static void test_answer(void **state)
{
	struct store_batch_item item = {.op = STORE_OP_SESSION_ADD, .ticket = ticket};

	(void)state;
	memset(item.result, 0x5a, sizeof(item.result));
	check_answer(&item, sizeof(uint64_t));
	item.rc = -ENOSPC;
	check_answer(&item, 0);
	item.op = STORE_OP_MAIL_DELIVER; /* tells of its refusals too */
	check_answer(&item, sizeof(struct mail_deliver_result));
	item.op = STORE_OP_MAIL_SHOWN;
	check_answer(&item, 0);
	item.rc = 0;
	check_answer(&item, 0);
}

/* rc is 0 or a negative errno. */
static void test_answer_code(void **state)
{
	unsigned char frame[] = "\0\0\0\x0c\0\0\0\0\0\0\0\7\xff\xff\xff\xff";
	const struct span whole = span_of(frame, sizeof(frame) - 1);
	struct remote_answer a;

	(void)state;
	assert_int_equal(remote_answer_read(whole, STORE_OP_MAIL_SHOWN, &a), 0);
	assert_int_equal(a.rc, -1);
	assert_true(a.number == 7);
	frame[14] = 0;
	assert_int_equal(remote_answer_read(whole, STORE_OP_MAIL_SHOWN, &a), -EBADMSG);
	memcpy(frame + 12, "\0\0\0\1", 4);
	assert_int_equal(remote_answer_read(whole, STORE_OP_MAIL_SHOWN, &a), -EBADMSG);
	memcpy(frame + 12, "\x80\0\0\0", 4);
	assert_int_equal(remote_answer_read(whole, STORE_OP_MAIL_SHOWN, &a), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_bent),
		cmocka_unit_test(test_unwritable),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_answer_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
