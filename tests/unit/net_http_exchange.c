/* HTTP over a connection: requests in any pieces, bodies, refusals, and both sides together. */
#include "net/http.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A server's view of some input, with everything it needs. */
struct side {
	struct conn *c;
	struct buf head, body, out;
	struct http_request request;
};

static void open_side(struct side *s, struct span in, size_t step)
{
	*s = (struct side){.head = BUF_INIT(HTTP_HEAD_MAX),
		.body = BUF_INIT(HTTP_BODY_MAX),
		.out = BUF_INIT(1000000)};
	assert_int_equal(conn_new_memory(in, step, &s->out, &s->c), 0);
}

static void close_side(struct side *s)
{
	conn_free(s->c);
	buf_done(&s->head);
	buf_done(&s->body);
	buf_done(&s->out);
}

static int next(struct side *s)
{
	return http_read_request(s->c, &s->head, &s->request, &s->body);
}

/* Three requests behind each other with the stray line end that libest sends, cut everywhere. */
static void pipelined(void **state)
{
	static const char text[] =
		"POST /one HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nBODY"
		"\r\nGET /two HTTP/1.1\r\nHost: h\r\n\r\n"
		"POST /three HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n\r\n"
		"\r\n";

	(void)state;
	for (size_t step = 0; step < sizeof(text); step++) {
		struct side s;

		open_side(&s, span_of(text, sizeof(text) - 1), step);
		assert_int_equal(next(&s), 1);
		assert_true(span_eq_str(s.request.path, "/one"));
		assert_string_equal(buf_str(&s.body), "BODY");
		assert_int_equal(next(&s), 1);
		assert_true(span_eq_str(s.request.path, "/two"));
		assert_int_equal(s.body.len, 0);
		assert_int_equal(next(&s), 1);
		assert_true(span_eq_str(s.request.path, "/three"));
		assert_string_equal(buf_str(&s.body), "\r\n");
		assert_int_equal(next(&s), 0);
		assert_int_equal(s.out.len, 0);
		close_side(&s);
	}
}

/* A whole request cut off at every byte is never taken for a whole one. */
static void cut_off(void **state)
{
	static const char text[] = "POST /one HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nBODY";

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		struct side s;
		int r;

		open_side(&s, span_of(text, len), 0);
		r = next(&s);
		assert_int_equal(r, len == 0 ? 0 : len == sizeof(text) - 1 ? 1 : -ECONNRESET);
		close_side(&s);
	}
}

struct refusal {
	const char *text;
	int status;
};

static void refusals(void **state)
{
	static const struct refusal cases[] = {
		{"rubbish\r\n\r\n", 400},
		{"\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400}, /* one stray line, not two */
		{"GET / HTTP/1.1\nHost: h\n\n", 400},
		{"GET / HTTP/1.1\r\nHost: h\r\n X: folded\r\n\r\n", 400},
		{"POST / HTTP/1.1\r\nHost: h\r\n\r\n", 411},
		{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\n\r\n", 413},
		{"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501},
		{"GET / HTTP/3.0\r\nHost: h\r\n\r\n", 505},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_answer a;
		struct side s;
		const char *end;

		open_side(&s, span_str(cases[i].text), 1);
		assert_int_equal(next(&s), cases[i].status);
		assert_int_equal(conn_flush(s.c), 0);
		end = strstr(buf_str(&s.out), "\r\n\r\n");
		assert_non_null(end);
		assert_int_equal(http_parse_answer(
					 span_of(s.out.p, (size_t)(end + 4 - buf_str(&s.out))), &a),
			0);
		assert_int_equal(a.status, cases[i].status);
		assert_false(a.keep_alive);
		close_side(&s);
	}
}

static void too_long(void **state)
{
	struct buf in = BUF_INIT(100000);
	struct side s;

	(void)state;
	buf_add_str(&in, "GET /");
	for (int i = 0; i < HTTP_HEAD_MAX; i++)
		buf_add_byte(&in, 'a');
	buf_add_str(&in, " HTTP/1.1\r\nHost: h\r\n\r\n");
	open_side(&s, buf_span(&in), 0);
	assert_int_equal(next(&s), 414);
	close_side(&s);
	buf_reset(&in);
	buf_add_str(&in, "GET / HTTP/1.1\r\nHost: h\r\n");
	for (int i = 0; i < 1000; i++)
		buf_add_str(&in, "Header: value\r\n");
	buf_add_str(&in, "\r\n");
	open_side(&s, buf_span(&in), 0);
	assert_int_equal(next(&s), 431);
	close_side(&s);
	/* A body for which the caller has no room. */
	open_side(&s,
		SPAN_LIT("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nhello world"), 0);
	s.body = BUF_INIT(10);
	assert_int_equal(next(&s), 413);
	close_side(&s);
	buf_done(&in);
}

static void expects_continue(void **state)
{
	static const char head[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n"
				   "Expect: 100-continue\r\n\r\nok";
	struct side s;

	(void)state;
	/* The body has not come with the head: it is asked for. */
	open_side(&s, span_of(head, sizeof(head) - 1), sizeof(head) - 3);
	assert_int_equal(next(&s), 1);
	assert_string_equal(buf_str(&s.body), "ok");
	assert_int_equal(conn_flush(s.c), 0);
	assert_string_equal(buf_str(&s.out), "HTTP/1.1 100 Continue\r\n\r\n");
	close_side(&s);
	/* It has: then it need not be. */
	open_side(&s, span_of(head, sizeof(head) - 1), 0);
	assert_int_equal(next(&s), 1);
	assert_int_equal(conn_flush(s.c), 0);
	assert_int_equal(s.out.len, 0);
	close_side(&s);
}

static void responses(void **state)
{
	struct http_response r = {.status = 200,
		.content_type = "text/plain",
		.body = SPAN_LIT("hello"),
		.extra = "X-Extra: 1\r\n",
		.keep_alive = true};
	struct side s;

	(void)state;
	open_side(&s, SPAN_LIT(""), 0);
	assert_int_equal(http_write_response(s.c, &r), 0);
	assert_int_equal(s.out.len, 0); /* head and body leave together */
	assert_int_equal(conn_flush(s.c), 0);
	assert_true(span_starts(buf_span(&s.out), "HTTP/1.1 200 OK\r\nDate: "));
	assert_non_null(strstr(buf_str(&s.out), "\r\nContent-Type: text/plain\r\n"));
	assert_non_null(strstr(buf_str(&s.out), "\r\nContent-Length: 5\r\n"));
	assert_non_null(strstr(buf_str(&s.out), "\r\nX-Extra: 1\r\n"));
	assert_non_null(strstr(buf_str(&s.out), "\r\nConnection: keep-alive\r\n"));
	assert_non_null(strstr(buf_str(&s.out), "\r\n\r\nhello"));
	buf_reset(&s.out);
	r.head_only = true;
	assert_int_equal(http_write_response(s.c, &r), 0);
	assert_int_equal(conn_flush(s.c), 0);
	assert_non_null(strstr(buf_str(&s.out), "\r\nContent-Length: 5\r\n"));
	assert_null(strstr(buf_str(&s.out), "hello"));
	buf_reset(&s.out);
	r = (struct http_response){.status = 204};
	assert_int_equal(http_write_response(s.c, &r), 0);
	assert_int_equal(conn_flush(s.c), 0);
	assert_null(strstr(buf_str(&s.out), "Content-"));
	assert_non_null(strstr(buf_str(&s.out), "\r\nConnection: close\r\n"));
	close_side(&s);
}

/* Reads one answer from text. */
static int read_answer(
	const char *text, size_t step, size_t max, struct http_answer *ret, struct buf *body)
{
	struct conn *c = NULL;
	struct buf head = BUF_INIT(HTTP_HEAD_MAX);
	int r;

	*body = BUF_INIT(max);
	assert_int_equal(conn_new_memory(span_str(text), step, NULL, &c), 0);
	r = http_read_answer(c, &head, ret, body);
	conn_free(c);
	buf_done(&head);
	return r;
}

static void client_reads(void **state)
{
	static const char counted[] = "HTTP/1.1 100 Continue\r\n\r\n"
				      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
	static const char to_end[] = "HTTP/1.1 200 OK\r\n\r\nhello";
	struct http_answer a;
	struct buf body;

	(void)state;
	for (size_t step = 0; step < sizeof(counted); step++) {
		assert_int_equal(read_answer(counted, step, 5, &a, &body), 0);
		assert_string_equal(buf_str(&body), "hello");
		assert_true(a.keep_alive);
		buf_done(&body);
	}
	assert_int_equal(read_answer(counted, 0, 4, &a, &body), -EMSGSIZE);
	buf_done(&body);
	assert_int_equal(read_answer(to_end, 0, 5, &a, &body), 0);
	assert_string_equal(buf_str(&body), "hello");
	assert_false(a.keep_alive);
	buf_done(&body);
	assert_int_equal(read_answer(to_end, 0, 4, &a, &body), -EMSGSIZE);
	buf_done(&body);
	assert_int_equal(
		read_answer("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", 0, 9, &a, &body),
		-ECONNRESET);
	buf_done(&body);
	assert_int_equal(read_answer("", 0, 9, &a, &body), -ECONNRESET);
	buf_done(&body);
	assert_int_equal(read_answer("SSH-2.0-hello\r\n\r\n", 0, 9, &a, &body), -EPROTO);
	buf_done(&body);
	assert_int_equal(
		read_answer("HTTP/1.1 204 None\r\nConnection: close\r\n\r\n", 0, 9, &a, &body), 0);
	assert_false(a.keep_alive);
	buf_done(&body);
}

/* What our client writes our server reads. */
static void round_trip(void **state)
{
	struct buf wire = BUF_INIT(10000);
	struct conn *c = NULL;
	struct side s;

	(void)state;
	assert_int_equal(conn_new_memory(span_of(NULL, 0), 0, &wire, &c), 0);
	assert_int_equal(http_write_request(c, "POST", "host:8443", "/a?b", "x/y",
				 "Authorization: Basic YTpi\r\n", SPAN_LIT("the body")),
		0);
	assert_int_equal(
		http_write_request(c, "GET", "host:8443", "/c", NULL, NULL, span_of(NULL, 0)), 0);
	assert_int_equal(
		http_write_request(c, "GET", "host", "/c\r\nEvil: 1", NULL, NULL, span_of(NULL, 0)),
		-EINVAL);
	assert_int_equal(conn_flush(c), 0);
	open_side(&s, buf_span(&wire), 3);
	assert_int_equal(next(&s), 1);
	assert_true(span_eq_str(s.request.method, "POST"));
	assert_true(span_eq_str(s.request.target, "/a?b"));
	assert_true(span_eq_str(http_header(&s.request, "Content-Type"), "x/y"));
	assert_true(span_eq_str(http_header(&s.request, "Authorization"), "Basic YTpi"));
	assert_string_equal(buf_str(&s.body), "the body");
	assert_int_equal(next(&s), 1);
	assert_true(span_eq_str(s.request.path, "/c"));
	assert_false(s.request.has_length);
	assert_int_equal(next(&s), 0);
	close_side(&s);
	conn_free(c);
	buf_done(&wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pipelined),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(refusals),
		cmocka_unit_test(too_long),
		cmocka_unit_test(expects_continue),
		cmocka_unit_test(responses),
		cmocka_unit_test(client_reads),
		cmocka_unit_test(round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
