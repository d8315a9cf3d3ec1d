/* The plain connection: lines by rule in any pieces, waiting, waking, ends. */
#include "base/timefmt.h"
#include "net/conn_internal.h"
#include "tests/unit/lib/test_pair.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const struct frame_rule rule5 = {.max = 5};

static struct conn *memory(const char *in, size_t step, struct buf *out)
{
	struct conn *c = NULL;

	assert_int_equal(conn_new_memory(span_str(in), step, out, &c), 0);
	return c;
}

static void expect_line(struct conn *c, const char *expected)
{
	struct span line;

	assert_int_equal(conn_read_line(c, &rule5, &line), 1);
	assert_int_equal(line.len, strlen(expected));
	assert_memory_equal(line.p, expected, line.len);
}

/* Every fault is told once, and the line after it is read as if nothing had been. */
static void goes_on_after_bad_lines(void **state)
{
	static const char text[] =
		"one\r\nfarmuchtoolong\r\ntwo\r\nba\rd\r\nsix\r\nlf\nlast5\r\nnever";
	struct span line;

	(void)state;
	for (size_t step = 0; step < sizeof(text); step++) {
		struct conn *c = memory(text, step, NULL);

		expect_line(c, "one");
		assert_int_equal(conn_read_line(c, &rule5, &line), -EMSGSIZE);
		expect_line(c, "two");
		assert_int_equal(conn_read_line(c, &rule5, &line), -EPROTO);
		expect_line(c, "six");
		assert_int_equal(conn_read_line(c, &rule5, &line), -EPROTO);
		expect_line(c, "last5");
		/* The end inside a line is a cut. */
		assert_int_equal(conn_read_line(c, &rule5, &line), -ECONNRESET);
		conn_free(c);
	}
}

static void ends_between_lines(void **state)
{
	struct conn *c = memory("a\r\n", 1, NULL);
	struct span line;

	(void)state;
	expect_line(c, "a");
	assert_int_equal(conn_read_line(c, &rule5, &line), 0);
	assert_int_equal(conn_read_line(c, &rule5, &line), 0);
	conn_free(c);
}

/* A line that never ends is read and dropped in bounded memory. */
static void endless_line(void **state)
{
	enum { LEN = 1000000 };
	struct buf in = BUF_INIT(LEN + 10);
	struct conn *c = NULL;
	struct span line;
	struct frame_rule huge = {.max = LEN};

	(void)state;
	for (size_t i = 0; i < LEN; i++)
		buf_add_byte(&in, 'x');
	buf_add_str(&in, "\r\nok\r\n");
	assert_int_equal(conn_new_memory(buf_span(&in), 0, NULL, &c), 0);
	assert_int_equal(conn_read_line(c, &rule5, &line), -EMSGSIZE);
	assert_true(c->in.cap <= CONN_IN_MAX + 1);
	expect_line(c, "ok");
	conn_free(c);
	/* Longer than the buffer, though the rule would allow it. */
	assert_int_equal(conn_new_memory(buf_span(&in), 0, NULL, &c), 0);
	assert_int_equal(conn_read_line(c, &huge, &line), -EMSGSIZE);
	expect_line(c, "ok");
	conn_free(c);
	buf_done(&in);
}

static void counted_blocks(void **state)
{
	static const char text[] = "LEN\r\n12345678rest";

	(void)state;
	for (size_t step = 0; step < sizeof(text); step++) {
		struct conn *c = memory(text, step, NULL);
		struct buf out = BUF_INIT(8), more = BUF_INIT(8);
		struct span some;

		expect_line(c, "LEN");
		assert_int_equal(conn_read_exact(c, 9, &out), -EMSGSIZE);
		assert_int_equal(conn_read_exact(c, 0, &out), 0);
		assert_int_equal(conn_read_exact(c, 8, &out), 0);
		assert_string_equal(buf_str(&out), "12345678");
		assert_int_equal(conn_read_exact(c, 1, &out), -EMSGSIZE);
		assert_true(conn_read_some(c, 1, &some) == 1 && some.p[0] == 'r');
		assert_int_equal(conn_read_some(c, 0, &some), -EINVAL);
		assert_int_equal(conn_read_exact(c, 4, &more), -ECONNRESET);
		buf_done(&out);
		buf_done(&more);
		conn_free(c);
	}
}

static void dot_blocks(void **state)
{
	static const char text[] = "a\r\n..b\r\n.\r\nNEXT\r\n";

	(void)state;
	for (size_t step = 0; step < sizeof(text); step++) {
		struct conn *c = memory(text, step, NULL);
		struct buf out = BUF_INIT(7), small = BUF_INIT(6);

		assert_int_equal(conn_read_dot(c, &out), 1);
		assert_string_equal(buf_str(&out), "a\r\n.b\r\n");
		expect_line(c, "NEXT");
		conn_free(c);
		/* Over the maximum it is dropped whole, and the next line is the next line. */
		c = memory(text, step, NULL);
		assert_int_equal(conn_read_dot(c, &small), -EMSGSIZE);
		expect_line(c, "NEXT");
		conn_free(c);
		c = memory("a\r\nb\n.\r\n", step, NULL);
		buf_reset(&out);
		assert_int_equal(conn_read_dot(c, &out), -EPROTO);
		conn_free(c);
		c = memory("a\r\n.\r", step, NULL);
		buf_reset(&out);
		assert_int_equal(conn_read_dot(c, &out), -ECONNRESET);
		conn_free(c);
		buf_done(&out);
		buf_done(&small);
	}
}

static void writes_in_order(void **state)
{
	struct buf out = BUF_INIT(1000000);
	struct conn *c = memory("", 0, &out);
	struct buf big = BUF_INIT(1000000);

	(void)state;
	for (size_t i = 0; i < 2 * CONN_OUT_MAX + 10; i++)
		buf_add_byte(&big, (unsigned char)(i % 251));
	assert_int_equal(conn_printf(c, "%s %d\r\n", "hello", 42), 0);
	assert_int_equal(out.len, 0);
	assert_int_equal(conn_flush(c), 0);
	assert_string_equal(buf_str(&out), "hello 42\r\n");
	buf_reset(&out);
	assert_int_equal(conn_write(c, buf_span(&big)), 0);
	assert_int_equal(conn_close(c), 0);
	assert_true(span_eq(buf_span(&out), buf_span(&big)));
	assert_int_equal(conn_bytes_out(c), big.len + 10);
	conn_free(c);
	buf_done(&big);
	buf_done(&out);
}

/* What was written is sent before the session waits for the next request. */
static void flushes_before_waiting(void **state)
{
	struct test_pair p;
	struct span line;

	(void)state;
	test_pair_plain(&p);
	assert_int_equal(conn_write(p.server, SPAN_LIT("hi\r\n")), 0);
	conn_set_timeout_s(p.server, 0);
	conn_set_deadline(p.server, time_monotonic_ms() + 20);
	assert_int_equal(conn_read_line(p.server, &rule5, &line), -ETIMEDOUT);
	expect_line(p.client, "hi");
	test_pair_done(&p);
}

static void times_out(void **state)
{
	struct test_pair p;
	struct span line;
	int64_t began_ms = time_monotonic_ms();

	(void)state;
	test_pair_plain(&p);
	/* A drip that never completes a line does not move the deadline. */
	assert_int_equal(conn_write(p.client, SPAN_LIT("a")), 0);
	assert_int_equal(conn_flush(p.client), 0);
	conn_set_deadline(p.server, began_ms + 50);
	assert_int_equal(conn_read_line(p.server, &rule5, &line), -ETIMEDOUT);
	assert_true(time_monotonic_ms() >= began_ms + 50);
	/* Over, even where bytes are there all the time. */
	assert_int_equal(conn_write(p.client, SPAN_LIT("b")), 0);
	assert_int_equal(conn_flush(p.client), 0);
	assert_int_equal(conn_read_line(p.server, &rule5, &line), -ETIMEDOUT);
	test_pair_done(&p);
}

/* A peer who does not read holds up a write until the deadline, no longer. */
static void writing_times_out(void **state)
{
	static const unsigned char block[65536];
	struct test_pair p;
	int r = 0;

	(void)state;
	test_pair_plain(&p);
	conn_set_deadline(p.server, time_monotonic_ms() + 50);
	for (int i = 0; i < 100 && r == 0; i++)
		r = conn_write(p.server, span_of(block, sizeof(block)));
	assert_int_equal(r, -ETIMEDOUT);
	test_pair_done(&p);
}

struct wake_count {
	int fd;
	unsigned calls, until;
};

static int count_wake(void *arg)
{
	struct wake_count *w = arg;
	uint64_t value = 0;

	if (w->fd >= 0)
		(void)!read(w->fd, &value, sizeof(value));
	return ++w->calls >= w->until ? -EACCES : 0;
}

static void wakes_by_descriptor(void **state)
{
	struct wake_count w = {.fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK), .until = 1};
	struct test_pair p;
	struct span line;

	(void)state;
	assert_true(w.fd >= 0);
	test_pair_plain(&p);
	conn_set_wake(p.server, w.fd, 0, count_wake, &w);
	assert_int_equal(conn_read_line(p.server, &rule5, &line), -EACCES);
	assert_int_equal(w.calls, 1);
	/* A wake that is content lets the wait go on; the deadline ends it. */
	w.until = 100;
	conn_set_deadline(p.server, time_monotonic_ms() + 30);
	assert_int_equal(eventfd_write(w.fd, 1), 0);
	assert_int_equal(conn_read_line(p.server, &rule5, &line), -ETIMEDOUT);
	assert_int_equal(w.calls, 2);
	test_pair_done(&p);
	(void)close(w.fd);
}

static void wakes_by_time(void **state)
{
	struct wake_count w = {.fd = -1, .until = 3};
	struct test_pair p;
	struct span line;
	int64_t began_ms = time_monotonic_ms();

	(void)state;
	test_pair_plain(&p);
	conn_set_wake(p.server, -1, 10, count_wake, &w);
	assert_int_equal(conn_read_line(p.server, &rule5, &line), -EACCES);
	assert_int_equal(w.calls, 3);
	assert_true(time_monotonic_ms() >= began_ms + 30);
	test_pair_done(&p);
}

/* A peer who always has more to say does not escape its revocation. */
static void wakes_the_busy(void **state)
{
	struct wake_count w = {.fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK), .until = 1};
	int64_t until_ms = time_monotonic_ms() + 5000;
	struct test_pair p;
	struct span line;
	int r = 1;

	(void)state;
	test_pair_plain(&p);
	conn_set_wake(p.server, w.fd, 0, count_wake, &w);
	while (r == 1 && time_monotonic_ms() < until_ms) {
		assert_int_equal(conn_write(p.client, SPAN_LIT("busy\r\n")), 0);
		assert_int_equal(conn_flush(p.client), 0);
		r = conn_read_line(p.server, &rule5, &line);
	}
	assert_int_equal(r, -EACCES);
	test_pair_done(&p);
	(void)close(w.fd);
}

static void peer_gone(void **state)
{
	static const unsigned char block[65536];
	struct test_pair p;
	struct span some;
	int r = 0;

	(void)state;
	test_pair_plain(&p);
	conn_freep(&p.client);
	assert_int_equal(conn_read_some(p.server, 10, &some), 0);
	/* No SIGPIPE, an error. */
	r = conn_write(p.server, span_of(block, sizeof(block)));
	if (r == 0)
		r = conn_flush(p.server);
	assert_int_equal(r, -EPIPE);
	assert_int_equal(conn_write(p.server, SPAN_LIT("x")), -EPIPE);
	assert_int_equal(conn_close(p.server), -EPIPE);
	test_pair_done(&p);
}

/* What the peer still sends must not turn our last answer into a reset; and it may not stay. */
static void closing_waits_a_little(void **state)
{
	struct test_pair p;
	int64_t began_ms;

	(void)state;
	test_pair_plain(&p);
	assert_int_equal(conn_write(p.client, SPAN_LIT("unread")), 0);
	assert_int_equal(conn_flush(p.client), 0);
	assert_int_equal(conn_write(p.server, SPAN_LIT("bye\r\n")), 0);
	began_ms = time_monotonic_ms();
	assert_int_equal(conn_close(p.server), -ETIMEDOUT);
	assert_true(time_monotonic_ms() - began_ms >= 900);
	assert_true(time_monotonic_ms() - began_ms < 5000);
	expect_line(p.client, "bye");
	test_pair_done(&p);
}

static void events(void **state)
{
	struct test_pair p;

	(void)state;
	test_pair_plain(&p);
	assert_int_equal(conn_events(p.server), POLLIN);
	assert_int_equal(conn_step_fill(p.server), -EAGAIN);
	assert_int_equal(conn_write(p.server, SPAN_LIT("x")), 0);
	assert_int_equal(conn_events(p.server), POLLIN | POLLOUT);
	assert_int_equal(conn_step_flush(p.server), 0);
	assert_int_equal(conn_events(p.server), POLLIN);
	assert_int_equal(shutdown(conn_fd(p.client), SHUT_WR), 0);
	assert_int_equal(conn_step_fill(p.server), 0);
	assert_int_equal(conn_events(p.server), 0);
	assert_null(conn_tls(p.server));
	test_pair_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_on_after_bad_lines),
		cmocka_unit_test(ends_between_lines),
		cmocka_unit_test(endless_line),
		cmocka_unit_test(counted_blocks),
		cmocka_unit_test(dot_blocks),
		cmocka_unit_test(writes_in_order),
		cmocka_unit_test(flushes_before_waiting),
		cmocka_unit_test(times_out),
		cmocka_unit_test(writing_times_out),
		cmocka_unit_test(wakes_by_descriptor),
		cmocka_unit_test(wakes_by_time),
		cmocka_unit_test(wakes_the_busy),
		cmocka_unit_test(peer_gone),
		cmocka_unit_test(closing_waits_a_little),
		cmocka_unit_test(events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
