/* Bulk data past the buffers, steps that never wait, and waiting for several at once. */
#include "base/timefmt.h"
#include "net/conn_internal.h"
#include "tests/unit/lib/test_pair.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { BULK = 3000000, PIECE = 200000 };

static const struct frame_rule rule5 = {.max = 5};
static struct test_world world;
static struct tls_server *server;
static struct tls_client *client;

static int begin(void **state)
{
	(void)state;
	test_world_make(&world);
	server = test_server(&world, NULL);
	client = test_client(&world, NULL, NULL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	tls_server_free(server);
	tls_client_free(client);
	test_world_done(&world);
	return 0;
}

static void make_pair(struct test_pair *p, bool tls)
{
	test_pair_plain(p);
	if (tls)
		test_pair_tls(p, server, client, "localhost");
	assert_int_equal(p->server_result, 0);
	assert_int_equal(p->client_result, 0);
}

static unsigned char byte_at(size_t i)
{
	return (unsigned char)(i * 7 + i / 251);
}

/* Reads what is there; the count so far. *ret_end: what ended it, or 1: nothing yet. */
static size_t take_all(struct conn *c, size_t have, ssize_t *ret_end)
{
	static unsigned char p[PIECE];
	ssize_t n;

	while ((n = conn_step_read(c, p, sizeof(p))) > 0) {
		for (size_t i = 0; i < (size_t)n; i++)
			assert_int_equal(p[i], byte_at(have + i));
		have += (size_t)n;
	}
	*ret_end = n == -EAGAIN ? 1 : n;
	return have;
}

/* All bytes from one to the other, then the goodbye; neither ever waits. */
static void send_all(struct conn *from, struct conn *to, bool bye)
{
	unsigned char *bytes = malloc(BULK);
	size_t sent = 0, got = 0;
	ssize_t stop = 1;
	bool said = false;

	assert_non_null(bytes);
	for (size_t i = 0; i < BULK; i++)
		bytes[i] = byte_at(i);
	while (stop == 1) {
		struct span rest = span_of(bytes + sent, BULK - sent);
		ssize_t n = rest.len > 0 ? conn_step_write(from, rest) : -EAGAIN;

		assert_true(n > 0 || n == -EAGAIN);
		sent += n > 0 ? (size_t)n : 0;
		if (n < 0 && sent == BULK && bye && !said)
			said = conn_step_bye(from) == 0;
		if (n < 0 && sent == BULK && !bye && (!from->held || from->ops->flush(from) == 0))
			(void)shutdown(conn_fd(from), SHUT_WR);
		got = take_all(to, got, &stop);
	}
	assert_int_equal(got, BULK);
	assert_int_equal(stop, bye ? 0 : -ECONNRESET);
	free(bytes);
}

static void clean_end(void **state)
{
	(void)state;
	for (int tls = 0; tls < 2; tls++) {
		struct test_pair p;
		unsigned char byte;
		ssize_t stop = 1;

		make_pair(&p, tls == 1);
		send_all(p.client, p.server, true);
		assert_int_equal(conn_bytes_out(p.client), BULK);
		assert_int_equal(conn_bytes_in(p.server), BULK);
		/* Said twice is said once; nothing can follow, but the other way is open. */
		assert_int_equal(conn_step_bye(p.client), 0);
		assert_int_equal(conn_step_write(p.client, SPAN_LIT("x")), -EINVAL);
		assert_int_equal(conn_step_read(p.server, &byte, 1), 0);
		byte = byte_at(0);
		assert_int_equal(conn_step_write(p.server, span_of(&byte, 1)), 1);
		assert_int_equal(conn_step_bye(p.server), 0);
		assert_int_equal(take_all(p.client, 0, &stop), 1);
		assert_int_equal(stop, 0);
		assert_int_equal(conn_close(p.client), 0);
		test_pair_done(&p);
	}
}

/* Without a close_notify the bytes are there, but so is the doubt. */
static void cut_end(void **state)
{
	struct test_pair p;
	unsigned char byte;

	(void)state;
	make_pair(&p, true);
	send_all(p.client, p.server, false);
	assert_int_equal(conn_step_read(p.server, &byte, 1), -ECONNRESET);
	test_pair_done(&p);
}

static void bulk_needs_empty_buffers(void **state)
{
	struct test_pair p;
	unsigned char byte;

	(void)state;
	make_pair(&p, true);
	assert_int_equal(conn_step_read(p.server, &byte, 0), -EINVAL);
	assert_int_equal(conn_write(p.client, SPAN_LIT("line\r\n")), 0);
	assert_int_equal(conn_step_write(p.client, SPAN_LIT("x")), -EINVAL);
	assert_int_equal(conn_flush(p.client), 0);
	assert_int_equal(conn_step_fill(p.server), 6);
	assert_int_equal(conn_step_read(p.server, &byte, 1), -EINVAL);
	test_pair_done(&p);
	test_pair_plain(&p);
	assert_int_equal(conn_tls_begin_accept(p.server, server), 0);
	assert_int_equal(conn_step_read(p.server, &byte, 1), -EINVAL);
	assert_int_equal(conn_step_write(p.server, SPAN_LIT("x")), -EINVAL);
	assert_int_equal(conn_step_bye(p.server), -ENOTCONN);
	test_pair_done(&p);
}

static void bulk_over_memory(void **state)
{
	struct buf out = BUF_INIT(100);
	struct conn *c = NULL;
	unsigned char p[4];

	(void)state;
	assert_int_equal(conn_new_memory(SPAN_LIT("abcdef"), 3, &out, &c), 0);
	assert_int_equal(conn_step_read(c, p, 4), 3);
	assert_int_equal(conn_step_write(c, SPAN_LIT("xy")), 2);
	assert_int_equal(conn_step_read(c, p, 2), 2);
	assert_int_equal(conn_step_read(c, p, 4), 1);
	assert_int_equal(conn_step_read(c, p, 4), 0);
	assert_int_equal(conn_step_bye(c), 0);
	assert_false(conn_has_more(c));
	assert_string_equal(buf_str(&out), "xy");
	conn_free(c);
	buf_done(&out);
}

/* -- lines ------------------------------------------------------------------------------------- */

static int step_line(struct conn *c, struct span *ret)
{
	int r;

	while ((r = conn_step_line(c, &rule5, ret)) == -EAGAIN)
		if (conn_step_fill(c) < 0)
			return -EIO;
	return r;
}

static void expect_line(struct conn *c, const char *expected)
{
	struct span line;

	assert_int_equal(step_line(c, &line), 1);
	assert_int_equal(line.len, strlen(expected));
	assert_memory_equal(line.p, expected, line.len);
}

static void lines_in_steps(void **state)
{
	static const char text[] = "one\r\nfarmuchtoolong\r\ntwo\r\nba\rd\r\nsix\r\nlf\nlast5\r\n";
	struct span line;

	(void)state;
	for (size_t step = 0; step < sizeof(text); step++) {
		struct conn *c = NULL;

		assert_int_equal(conn_new_memory(span_str(text), step, NULL, &c), 0);
		assert_int_equal(conn_step_line(c, &rule5, &line), -EAGAIN);
		expect_line(c, "one");
		assert_int_equal(step_line(c, &line), -EMSGSIZE);
		expect_line(c, "two");
		assert_int_equal(step_line(c, &line), -EPROTO);
		expect_line(c, "six");
		assert_int_equal(step_line(c, &line), -EPROTO);
		expect_line(c, "last5");
		assert_int_equal(step_line(c, &line), 0);
		conn_free(c);
	}
}

/* Told at once, not when the line has come to its end; one fault however long it is. */
static void endless_line_in_steps(void **state)
{
	static const char many[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	struct test_pair p;
	struct span line;

	(void)state;
	make_pair(&p, false);
	for (int i = 0; i < 5000; i++) {
		int r;

		assert_int_equal(conn_write(p.client, span_str(many)), 0);
		assert_int_equal(conn_flush(p.client), 0);
		assert_true(conn_step_fill(p.server) > 0);
		r = conn_step_line(p.server, &rule5, &line);
		assert_int_equal(r, i == 0 ? -EMSGSIZE : -EAGAIN);
		assert_true(conn_pending(p.server).len == 0);
	}
	/* Going on by the waiting call is the same line still. */
	assert_int_equal(conn_write(p.client, SPAN_LIT("x\r\nok\r\nxx")), 0);
	assert_int_equal(conn_flush(p.client), 0);
	assert_int_equal(conn_read_line(p.server, &rule5, &line), 1);
	assert_memory_equal(line.p, "ok", 2);
	assert_int_equal(conn_step_line(p.server, &rule5, &line), -EAGAIN);
	assert_int_equal(shutdown(conn_fd(p.client), SHUT_WR), 0);
	assert_int_equal(step_line(p.server, &line), -ECONNRESET);
	test_pair_done(&p);
}

/* -- waiting ----------------------------------------------------------------------------------- */

struct woken {
	int count, answer;
};

static int wake(void *arg)
{
	struct woken *w = arg;

	w->count++;
	return w->answer;
}

static void polls_several(void **state)
{
	struct test_pair a, b;
	struct pollfd fds[7] = {{0}};

	(void)state;
	make_pair(&a, false);
	make_pair(&b, false);
	fds[0] = (struct pollfd){.fd = conn_fd(a.server), .events = POLLIN};
	fds[1] = (struct pollfd){.fd = -1, .events = POLLIN};
	fds[2] = (struct pollfd){.fd = conn_fd(b.server), .events = POLLIN};
	assert_int_equal(conn_poll(a.server, fds, 7, INT64_MAX), -EINVAL);
	assert_int_equal(conn_poll(a.server, fds, 3, time_monotonic_ms() + 20), 0);
	assert_int_equal(conn_poll(a.server, fds, 3, 0), 0);
	assert_int_equal(write(conn_fd(b.client), "x", 1), 1);
	assert_int_equal(conn_poll(a.server, fds, 3, INT64_MAX), 1);
	assert_int_equal(fds[0].revents, 0);
	assert_int_equal(fds[1].revents, 0);
	assert_int_equal(fds[2].revents, POLLIN);
	/* A time that has come hides nothing that is there. */
	fds[0].events = POLLIN | POLLOUT;
	assert_int_equal(conn_poll(a.server, fds, 3, 0), 2);
	assert_int_equal(fds[0].revents, POLLOUT);
	test_pair_done(&a);
	test_pair_done(&b);
}

static void poll_is_woken(void **state)
{
	struct woken w = {0};
	struct test_pair p;
	struct pollfd fd;
	int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int64_t start_ms = time_monotonic_ms();

	(void)state;
	assert_true(bell >= 0);
	make_pair(&p, false);
	fd = (struct pollfd){.fd = conn_fd(p.server), .events = POLLIN};
	/* By time: between, the wait goes on. */
	conn_set_wake(p.server, bell, 20, wake, &w);
	assert_int_equal(conn_poll(p.server, &fd, 1, start_ms + 110), 0);
	assert_true(time_monotonic_ms() >= start_ms + 110);
	assert_in_range(w.count, 1, 6);
	/* By a ring, which ends the wait even when the caller's own is ready. */
	conn_set_wake(p.server, bell, 0, wake, &w);
	w = (struct woken){.answer = -EACCES};
	assert_int_equal(eventfd_write(bell, 1), 0);
	assert_int_equal(write(conn_fd(p.client), "x", 1), 1);
	assert_int_equal(conn_poll(p.server, &fd, 1, INT64_MAX), -EACCES);
	assert_int_equal(w.count, 1);
	w.answer = 0;
	assert_int_equal(conn_poll(p.server, &fd, 1, INT64_MAX), 1);
	test_pair_done(&p);
	(void)close(bell);
}

static void poll_over_memory(void **state)
{
	struct conn *c = NULL;
	struct pollfd fds[2] = {{.fd = -1, .events = POLLIN}, {.fd = -1, .events = 0}};

	(void)state;
	assert_int_equal(conn_new_memory(SPAN_LIT("x"), 0, NULL, &c), 0);
	assert_int_equal(conn_poll(c, fds, 2, INT64_MAX), 1);
	assert_int_equal(fds[0].revents, POLLIN);
	assert_int_equal(conn_poll(c, fds + 1, 1, INT64_MAX), -ETIMEDOUT);
	conn_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clean_end),
		cmocka_unit_test(cut_end),
		cmocka_unit_test(bulk_needs_empty_buffers),
		cmocka_unit_test(bulk_over_memory),
		cmocka_unit_test(lines_in_steps),
		cmocka_unit_test(endless_line_in_steps),
		cmocka_unit_test(polls_several),
		cmocka_unit_test(poll_is_woken),
		cmocka_unit_test(poll_over_memory),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
