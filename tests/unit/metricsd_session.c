/* metricsd: what it answers, and that hostile requests get no further than their refusal. */
#include "services/metricsd/metricsd.h"

#include "base/cleanup.h"
#include "service/figures.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static int good(struct service *s, struct buf *b)
{
	(void)s;
	buf_add_str(b, "quintet_x 1\n");
	return buf_error(b);
}

static int broken(struct service *s, struct buf *b)
{
	(void)s;
	(void)b;
	return -EIO;
}

static int (*writer)(struct service *s, struct buf *b) = good;

/* The answer to these bytes, in static memory. */
static const char *ask(struct span in, size_t step)
{
	static struct buf out;
	const struct service_door door = {.name = "metrics"};
	const struct metrics_source source = {writer};
	struct service s = SERVICE_INIT;

	buf_done(&out);
	out = BUF_INIT(FIGURES_TEXT_MAX);
	s.door = &door;
	assert_int_equal(conn_new_memory(in, step, &out, &s.conn), 0);
	assert_true(metrics_run(&s, &source) <= 0);
	conn_freep(&s.conn);
	return buf_str(&out);
}

static void expect(const char *request, const char *status)
{
	char line[64];

	(void)snprintf(line, sizeof(line), "HTTP/1.1 %s", status);
	for (size_t step = 0; step < 3; step++) {
		const char *answer = ask(span_str(request), step);

		assert_memory_equal(answer, line, strlen(line));
		assert_non_null(strstr(answer, "Connection: close\r\n"));
	}
}

#define HOST "Host: 127.0.0.1:9547\r\n\r\n"

static void test_answers(void **state)
{
	const char *text;

	(void)state;
	expect("GET /metrics HTTP/1.1\r\n" HOST, "200 ");
	text = ask(SPAN_LIT("GET /metrics?x=y HTTP/1.1\r\n" HOST), 0);
	assert_non_null(strstr(text, "\r\n\r\nquintet_x 1\n"));
	assert_non_null(strstr(text, "Content-Type: text/plain; version=0.0.4"));
	text = ask(SPAN_LIT("HEAD /metrics HTTP/1.1\r\n" HOST), 0);
	assert_non_null(strstr(text, "Content-Length: 12\r\n"));
	assert_null(strstr(text, "quintet_x"));
	expect("GET / HTTP/1.1\r\n" HOST, "200 ");
	/* One answer, whatever follows. */
	text = ask(SPAN_LIT("GET /metrics HTTP/1.1\r\n" HOST "GET /metrics HTTP/1.1\r\n" HOST), 0);
	assert_null(strstr(text + 1, "HTTP/1.1 200"));
}

static void test_refusals(void **state)
{
	_cleanup_(buf_done) struct buf longest = BUF_INIT(1 << 20);

	(void)state;
	expect("GET /other HTTP/1.1\r\n" HOST, "404 ");
	expect("GET /metrics/ HTTP/1.1\r\n" HOST, "404 ");
	expect("DELETE /metrics HTTP/1.1\r\n" HOST, "405 ");
	expect("POST /metrics HTTP/1.1\r\nContent-Length: 4000000000\r\n" HOST, "413 ");
	expect("POST /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HOST, "501 ");
	expect("GET /metrics HTTP/1.1\r\n\r\n", "400 ");
	expect("GET /metrics\r\n\r\n", "400 ");
	expect("\x16\x03\x01\x02\x01\r\n\r\n", "400 ");
	buf_add_str(&longest, "GET /");
	for (size_t i = 0; i < 100000; i++)
		buf_add_byte(&longest, 'x');
	buf_add_str(&longest, "\r\n");
	assert_memory_equal(ask(buf_span(&longest), 1000), "HTTP/1.1 414", 12);
	assert_string_equal(ask(SPAN_LIT(""), 0), "");
	writer = broken;
	expect("GET /metrics HTTP/1.1\r\n" HOST, "503 ");
	writer = good;
}

/* -- the exposition -----------------------------------------------------------------------------
 */

static void test_text(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(FIGURES_TEXT_MAX);
	static struct figures f = {.now_us = 10000000, .signer = FIGURES_UP};

	(void)state;
	f.stats.service_count = 1;
	(void)snprintf(f.stats.services[0].name, sizeof(f.stats.services[0].name), "a\"b\\c\nd");
	f.stats.services[0].live = 3;
	f.ends[0] = (struct figures_end){.what = "root", .end_us = 8500000};
	f.end_count = 1;
	f.health.used_bytes = UINT64_MAX;
	assert_int_equal(figures_write(&f, &b), 0);
	assert_non_null(strstr(buf_str(&b), "\nquintet_sessions{service=\"a\\\"b\\\\c\\nd\"} 3\n"));
	assert_non_null(strstr(buf_str(&b), "\nquintet_sessions{service=\"ftpd\"} 0\n"));
	assert_non_null(strstr(
		buf_str(&b), "\nquintet_certificate_seconds_left{name=\"root\"} -1.500000\n"));
	assert_non_null(strstr(buf_str(&b), "\nquintet_store_used_bytes 18446744073709551615\n"));
	assert_non_null(strstr(buf_str(&b), "\nquintet_signer_up 1\n"));
	assert_null(strstr(buf_str(&b), "quintet_keeper_up"));
	assert_null(strstr(buf_str(&b), "\n\n"));
}

static void test_sockets(void **state)
{
	const struct span table = SPAN_LIT(
		"Num       RefCount Protocol Flags    Type St Inode Path\n"
		"0000000000000000: 00000002 00000000 00010000 0001 01 1234 /run/a.sock\n"
		"0000000000000000: 00000003 00000000 00000000 0001 03 1235 /run/b.sock\n"
		"0000000000000000: 00000003 00000000 00000000 0001 03 1236\n"
		"0000000000000000: 00000002 00000000 00010000 0001 01 1237 /run/with a blank\n"
		"cut");

	(void)state;
	assert_true(figures_listed(table, "/run/a.sock"));
	assert_false(figures_listed(table, "/run/b.sock")); /* a connection only */
	assert_false(figures_listed(table, "/run/a.soc"));
	assert_false(figures_listed(table, ""));
	assert_true(figures_listed(table, "/run/with a blank"));
	assert_int_equal(figures_reach("/nowhere/x.sock"), FIGURES_DOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
