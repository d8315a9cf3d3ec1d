/*
 * The dialogue and the HTTP side over connections in memory: banner, every request, errors and what
 * they count, pieces of every size, limits.
 */
#include "base/timefmt.h"
#include "proto/daytime.h"
#include "services/daytimed/daytimed.h"
#include "services/daytimed/zone.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct service_door dialogue_door = {.name = "daytime", .idle_s = 5};
static const struct service_door http_door = {.name = "timestamp", .idle_s = 5};

struct run {
	struct service s;
	struct buf out;
	int result;
};

/* One session from first to last byte; the peer sends in and then its end. */
static struct run serve(const struct service_door *door, struct span in, size_t step)
{
	struct run run = {.s = SERVICE_INIT, .out = BUF_INIT(1 << 20)};

	run.s.door = door;
	assert_int_equal(conn_new_memory(in, step, &run.out, &run.s.conn), 0);
	if (daytimed_wants_http(&run.s))
		run.result = daytimed_http(&run.s, NULL);
	else
		run.result = daytimed_dialogue(&run.s, ZONE_FOLDER);
	(void)conn_close(run.s.conn);
	return run;
}

static void run_done(struct run *run)
{
	conn_freep(&run->s.conn);
	buf_done(&run->out);
}

/* The next line of the answers, without its CR LF, which must be there. */
static struct span next_line(struct span *rest)
{
	struct span line = {0};

	assert_true(span_split(rest, '\n', &line));
	assert_true(line.len > 0 && line.p[line.len - 1] == '\r');
	line.len--;
	assert_true(line.len <= DAYTIME_LINE_MAX);
	return line;
}

static void assert_now(struct span line)
{
	int64_t at_us = 0, now_us = time_now_us();

	assert_int_equal(daytime_read_line(line, &at_us), 0);
	assert_true(at_us > now_us - 30 * TIME_S_US && at_us <= now_us);
}

static void test_silent_peer_gets_the_banner(void **state)
{
	struct run run = serve(&dialogue_door, SPAN_LIT(""), 0);
	struct span rest = buf_span(&run.out);

	(void)state;
	assert_int_equal(run.result, 0);
	assert_now(next_line(&rest));
	assert_int_equal(rest.len, 0);
	assert_string_equal(run.s.end_reason, "end of input");
	assert_int_equal(run.s.commands, 0);
	run_done(&run);
}

static const char all_requests[] = "daytime\r\nDAYTIME\ndaytime rfc3339\r\nDayTime EPOCH\r\n"
				   "daytime zone Asia/Tokyo\r\ndaytime zone UTC\r\n"
				   "daytime exchange 12345\r\nwhoami\r\nhelp\r\nend\r\ndaytime\r\n";

static void check_all_answers(struct run *run)
{
	struct span rest = buf_span(&run->out), line;
	struct daytime_exchange x;
	int64_t at_us;

	for (int i = 0; i < 3; i++)
		assert_now(next_line(&rest));
	line = next_line(&rest);
	assert_int_equal(time_parse_rfc3339(line, &at_us), 0);
	assert_true(time_now_us() - at_us < 30 * TIME_S_US);
	line = next_line(&rest);
	assert_int_equal(line.len, 17);
	assert_true(line.p[10] == '.');
	line = next_line(&rest);
	assert_now(line);
	assert_true(span_eq(span_of(line.p + line.len - 6, 6), SPAN_LIT("+09:00")));
	line = next_line(&rest);
	assert_true(span_eq(span_of(line.p + line.len - 6, 6), SPAN_LIT("+00:00")));
	assert_int_equal(daytime_read_exchange(next_line(&rest), &x), 0);
	assert_true(x.t1_ns == 12345 && x.t3_ns >= x.t2_ns);
	assert_true(time_now_ns() - x.t3_ns < INT64_C(30000000000));
	assert_true(span_starts(next_line(&rest), "whoami nobody: "));
	assert_true(span_starts(next_line(&rest), "requests: daytime, "));
	assert_int_equal(rest.len, 0);
}

static void test_all_requests_in_pieces(void **state)
{
	(void)state;
	for (size_t step = 0; step < 40; step++) {
		struct run run = serve(&dialogue_door, span_str(all_requests), step);

		assert_int_equal(run.result, 0);
		assert_string_equal(run.s.end_reason, "end");
		assert_int_equal(run.s.commands, 10);
		check_all_answers(&run);
		run_done(&run);
	}
}

static void test_errors_are_told(void **state)
{
	static const struct {
		const char *request, *answer;
	} rows[] = {
		{"time\r\n", "error: unknown request, try help"},
		{"\r\n", "error: empty request, try help"},
		{" daytime\r\n", "error: empty request, try help"},
		{"daytime utc\r\n", "error: unknown option of this request, try help"},
		{"daytime rfc3339 3\r\n", "error: this takes no argument, try help"},
		{"daytime  rfc3339\r\n", "error: this takes no argument, try help"},
		{"end now\r\n", "error: unknown option of this request, try help"},
		{"daytime zone\r\n", "error: this takes one argument, try help"},
		{"daytime zone Asia/Tokyo x\r\n", "error: this takes one argument, try help"},
		{"daytime zone Asia/Tokyo\tx\r\n", "error: no such zone"},
		{"daytime zone ../../etc/passwd\r\n", "error: no such zone"},
		{"daytime zone asia/tokyo\r\n", "error: no such zone"},
		{"daytime exchange\r\n", "error: this takes one argument, try help"},
		{"daytime exchange 1x\r\n", "error: the time is not a number of nanoseconds"},
		{"daytime exchange 9223372036854775808\r\n",
			"error: the time is not a number of nanoseconds"},
		{"day\rtime\r\n", "error: the line has a NUL or a lone CR in it"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char in[256];
		struct run run;
		struct span rest, line;

		(void)snprintf(in, sizeof(in), "%sdaytime\r\n", rows[i].request);
		run = serve(&dialogue_door, span_str(in), 0);
		rest = buf_span(&run.out);
		assert_now(next_line(&rest));
		line = next_line(&rest);
		if (!span_eq_str(line, rows[i].answer))
			fail_msg("%s: %.*s", rows[i].request, (int)line.len, (const char *)line.p);
		/* The session goes on. */
		assert_now(next_line(&rest));
		assert_int_equal(rest.len, 0);
		assert_int_equal(run.result, 0);
		run_done(&run);
	}
}

static void test_long_lines(void **state)
{
	struct buf in = BUF_INIT(1 << 20);
	struct run run;
	struct span rest;

	(void)state;
	for (size_t i = 0; i < 100000; i++)
		buf_add_byte(&in, 'x');
	buf_add_str(&in, "\r\ndaytime\r\n");
	run = serve(&dialogue_door, buf_span(&in), 1000);
	rest = buf_span(&run.out);
	assert_now(next_line(&rest));
	assert_true(span_eq_str(next_line(&rest), "error: the line is too long"));
	assert_now(next_line(&rest));
	assert_int_equal(rest.len, 0);
	run_done(&run);
	buf_done(&in);
}

static void test_too_many_bad_requests(void **state)
{
	struct buf in = BUF_INIT(4096);
	struct run run;
	struct span rest;

	(void)state;
	/* Good ones between do not make up for bad ones. */
	for (int i = 0; i < 20; i++)
		buf_add_str(&in, "what\r\ndaytime\r\n");
	run = serve(&dialogue_door, buf_span(&in), 0);
	rest = buf_span(&run.out);
	assert_now(next_line(&rest));
	for (int i = 0; i < DAYTIMED_BAD_MAX; i++) {
		assert_true(span_starts(next_line(&rest), "error: unknown request"));
		if (i < DAYTIMED_BAD_MAX - 1)
			assert_now(next_line(&rest));
	}
	assert_true(span_eq_str(next_line(&rest), "error: too many bad requests, closing"));
	assert_int_equal(rest.len, 0);
	assert_int_equal(run.result, 0);
	run_done(&run);
	buf_done(&in);
}

static void test_input_that_ends_inside_a_line(void **state)
{
	struct run run = serve(&dialogue_door, SPAN_LIT("dayti"), 0);
	struct span rest = buf_span(&run.out);

	(void)state;
	assert_now(next_line(&rest));
	assert_int_equal(rest.len, 0);
	assert_int_equal(run.result, -ECONNRESET);
	run_done(&run);
}

static void test_whoami(void **state)
{
	struct run run = {.s = SERVICE_INIT, .out = BUF_INIT(4096)};
	struct span rest;

	(void)state;
	run.s.door = &dialogue_door;
	run.s.who.proof = AUTH_CERTIFICATE;
	(void)snprintf(run.s.who.account.name, sizeof(run.s.who.account.name), "demo");
	assert_int_equal(conn_new_memory(SPAN_LIT("whoami\n"), 0, &run.out, &run.s.conn), 0);
	assert_int_equal(daytimed_dialogue(&run.s, ZONE_FOLDER), 0);
	(void)conn_close(run.s.conn);
	rest = buf_span(&run.out);
	(void)next_line(&rest);
	assert_true(span_eq_str(next_line(&rest), "whoami demo"));
	run_done(&run);
}

static void test_http_refusals(void **state)
{
	static const struct {
		const char *request, *status;
	} rows[] = {
		{"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 "},
		{"GET /tsa HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 405 "},
		{"DELETE / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 405 "},
		{"GET /other HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 404 "},
		{"POST /tsa HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.1 415 "},
		{"POST /tsa HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n"
		 "\r\nx",
			"HTTP/1.1 415 "},
		{"POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/timestamp-query\r\n"
		 "Content-Length: 0\r\n\r\n",
			"HTTP/1.1 400 "},
		{"POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/timestamp-query\r\n\r\n",
			"HTTP/1.1 411 "},
		{"POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/timestamp-query\r\n"
		 "Content-Length: 8193\r\n\r\n",
			"HTTP/1.1 413 "},
		{"what\r\n\r\n", "HTTP/1.1 400 "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct run run = serve(&http_door, span_str(rows[i].request), 0);

		if (!span_starts(buf_span(&run.out), rows[i].status))
			fail_msg("%s: %s", rows[i].request, buf_str(&run.out));
		assert_int_equal(run.result, 0);
		run_done(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_silent_peer_gets_the_banner),
		cmocka_unit_test(test_all_requests_in_pieces),
		cmocka_unit_test(test_errors_are_told),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_too_many_bad_requests),
		cmocka_unit_test(test_input_that_ends_inside_a_line),
		cmocka_unit_test(test_whoami),
		cmocka_unit_test(test_http_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
