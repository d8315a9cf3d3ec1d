/* The HTTP parsers, case by case: what is taken, what is refused, and with which status. */
#include "net/http.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define GET "GET / HTTP/1.1\r\nHost: h\r\n"
#define POST "POST / HTTP/1.1\r\nHost: h\r\n"

struct head_case {
	const char *head;
	int status;
};

static const struct head_case head_cases[] = {
	/* request lines */
	{GET "\r\n", 0},
	{"GET / HTTP/1.0\r\n\r\n", 0},
	{"GET /a/b?c=%20d HTTP/1.1\r\nHost: h\r\n\r\n", 0},
	{"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 0},
	{"GET http://h/a HTTP/1.1\r\nHost: h\r\n\r\n", 0},
	{"GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"GET h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"GET /  HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400},
	{" GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"G@T / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGH / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{" / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"GET /\r\n\r\n", 400},
	{"GET\r\n\r\n", 400},
	{"\r\n\r\n", 400},
	{"", 400},
	{"GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505},
	{"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
	{"GET / HTTP/0.9\r\nHost: h\r\n\r\n", 505},
	{"GET / http/1.1\r\nHost: h\r\n\r\n", 400},
	{"GET / HTTP/11\r\nHost: h\r\n\r\n", 400},
	{"GET / HTTP/1.10\r\nHost: h\r\n\r\n", 400},
	/* header lines */
	{GET "A: b\r\nC:d\r\nE:\r\nF: \t g \t \r\n\r\n", 0},
	{GET "X: \x80\xff\r\n\r\n", 0},
	{GET "A : b\r\n\r\n", 400},
	{GET ": b\r\n\r\n", 400},
	{GET "A\r\n\r\n", 400},
	{GET " folded\r\n\r\n", 400},
	{GET "A: b\r\n\tfolded\r\n\r\n", 400},
	{GET "A b: c\r\n\r\n", 400},
	{GET "A(b): c\r\n\r\n", 400},
	{GET "A: b\x01\r\n\r\n", 400},
	{GET "A: b\x7f\r\n\r\n", 400},
	{GET "A: b\n\r\n", 400},
	{GET "A: b\rc\r\n\r\n", 400},
	{GET "A: b\r\n\n", 400},
	{GET, 400},
	{GET "\r\nrest", 400},
	/* Host */
	{"GET / HTTP/1.1\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
	{"GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: user@a\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n", 0},
	{"GET / HTTP/1.1\r\nHost:\r\n\r\n", 0},
	/* length and encoding: where requests are smuggled */
	{POST "Content-Length: 0\r\n\r\n", 0},
	{POST "Content-Length: 65536\r\n\r\n", 0},
	{POST "Content-Length: 65537\r\n\r\n", 413},
	{POST "Content-Length: 99999999999999999999999999\r\n\r\n", 413},
	{POST "\r\n", 411},
	{"POST / HTTP/1.0\r\n\r\n", 411},
	{POST "Content-Length: +3\r\n\r\n", 400},
	{POST "Content-Length: -3\r\n\r\n", 400},
	{POST "Content-Length: 03\r\n\r\n", 400},
	{POST "Content-Length: 0x3\r\n\r\n", 400},
	{POST "Content-Length: 3 3\r\n\r\n", 400},
	{POST "Content-Length: 3, 3\r\n\r\n", 400},
	{POST "Content-Length: 3;a\r\n\r\n", 400},
	{POST "Content-Length:\r\n\r\n", 400},
	{POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400},
	{POST "Content-Length: 3\r\ncontent-length: 4\r\n\r\n", 400},
	{POST "Content-Length : 3\r\n\r\n", 400},
	{POST "Transfer-Encoding: chunked\r\n\r\n", 501},
	{POST "Transfer-Encoding: xchunked\r\n\r\n", 501},
	{POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
	{POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400},
	{POST "Transfer-Encoding : chunked\r\nContent-Length: 3\r\n\r\n", 400},
	{"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
	{GET "Transfer-Encoding: chunked\r\n\r\n", 501},
	/* Expect */
	{POST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n", 0},
	{POST "Content-Length: 3\r\nExpect: 100-Continue\r\n\r\n", 0},
	{POST "Content-Length: 3\r\nExpect: miracles\r\n\r\n", 417},
	{POST "Content-Length: 3\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n\r\n", 417},
};

static void heads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(head_cases) / sizeof(head_cases[0]); i++) {
		struct http_request r = {.minor = 77};
		int status = http_parse_head(span_str(head_cases[i].head), &r);

		if (status != head_cases[i].status)
			fail_msg("case %zu: %d for %s", i, status, head_cases[i].head);
		assert_int_equal(r.minor == 77, status != 0);
	}
}

static void head_fields(void **state)
{
	struct http_request r;

	(void)state;
	assert_int_equal(http_parse_head(SPAN_LIT("POST /a/b?c?d HTTP/1.1\r\nhost: x:1\r\nA: \t1 2 "
						  "\r\nB:2\r\nb: 3\r\nContent-Length: 12\r\n\r\n"),
				 &r),
		0);
	assert_true(span_eq_str(r.method, "POST"));
	assert_true(span_eq_str(r.target, "/a/b?c?d"));
	assert_true(span_eq_str(r.path, "/a/b"));
	assert_true(span_eq_str(r.query, "c?d"));
	assert_int_equal(r.minor, 1);
	assert_int_equal(r.header_count, 5);
	assert_true(r.has_length);
	assert_int_equal(r.content_length, 12);
	assert_true(span_eq_str(http_header(&r, "a"), "1 2"));
	assert_true(span_eq_str(http_header(&r, "HOST"), "x:1"));
	assert_null(http_header(&r, "B").p); /* twice is none */
	assert_null(http_header(&r, "C").p);
	assert_int_equal(
		http_parse_head(SPAN_LIT("GET http://u/p?q HTTP/1.1\r\nHost: u\r\n\r\n"), &r), 0);
	assert_true(span_eq_str(r.target, "/p?q"));
	assert_true(span_eq_str(r.path, "/p"));
	assert_int_equal(
		http_parse_head(SPAN_LIT("GET HTTP://u HTTP/1.1\r\nHost: u\r\n\r\n"), &r), 0);
	assert_true(span_eq_str(r.path, "/"));
	assert_int_equal(r.query.len, 0);
	assert_false(r.has_length);
}

struct keep_case {
	const char *head;
	bool keep;
};

static void keep_alive(void **state)
{
	static const struct keep_case cases[] = {
		{GET "\r\n", true},
		{GET "Connection: close\r\n\r\n", false},
		{GET "Connection: keep-alive\r\n\r\n", true},
		{GET "Connection: TE, Close\r\n\r\n", false},
		{GET "Connection: keep-alive\r\nConnection: close\r\n\r\n", false},
		{GET "Connection: closet\r\n\r\n", true},
		{"GET / HTTP/1.0\r\n\r\n", false},
		{"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
		{"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false},
	};
	struct http_request r;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(http_parse_head(span_str(cases[i].head), &r), 0);
		if (r.keep_alive != cases[i].keep)
			fail_msg("case %zu", i);
	}
}

/* Fills up to a head of len bytes with one long header, or one long target. */
static void long_head(struct buf *b, size_t len, bool in_target)
{
	static const char end[] = " HTTP/1.1\r\nHost: h\r\n";

	buf_reset(b);
	buf_add_str(b, in_target ? "GET /" : "GET / HTTP/1.1\r\nHost: h\r\nA: ");
	while (b->len < len - (in_target ? sizeof(end) + 1 : 4))
		buf_add_byte(b, 'a');
	buf_add_str(b, in_target ? end : "\r\n");
	buf_add_str(b, "\r\n");
	assert_int_equal(b->len, len);
}

static void head_limits(void **state)
{
	struct buf b = BUF_INIT(20000);
	struct http_request r;

	(void)state;
	long_head(&b, HTTP_HEAD_MAX, false);
	assert_int_equal(http_parse_head(buf_span(&b), &r), 0);
	long_head(&b, HTTP_HEAD_MAX + 1, false);
	assert_int_equal(http_parse_head(buf_span(&b), &r), 431);
	long_head(&b, HTTP_HEAD_MAX, true);
	assert_int_equal(http_parse_head(buf_span(&b), &r), 0);
	long_head(&b, HTTP_HEAD_MAX + 100, true);
	assert_int_equal(http_parse_head(buf_span(&b), &r), 414);
	for (size_t n = HTTP_MAX_HEADERS - 1; n <= HTTP_MAX_HEADERS; n++) {
		buf_reset(&b);
		buf_add_str(&b, GET);
		for (size_t i = 0; i < n; i++)
			buf_addf(&b, "H%zu: v\r\n", i);
		buf_add_str(&b, "\r\n");
		assert_int_equal(
			http_parse_head(buf_span(&b), &r), n + 1 <= HTTP_MAX_HEADERS ? 0 : 431);
	}
	buf_done(&b);
}

struct answer_case {
	const char *head;
	int result;
	unsigned status;
	bool keep;
};

static void answers(void **state)
{
	static const struct answer_case cases[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 0, 200, true},
		{"HTTP/1.1 200 \r\n\r\n", 0, 200, true},
		{"HTTP/1.1 404\r\n\r\n", 0, 404, true},
		{"HTTP/1.0 200 OK\r\n\r\n", 0, 200, false},
		{"HTTP/1.1 202 A\r\nRetry-After: 7\r\nConnection: close\r\n\r\n", 0, 202, false},
		{"HTTP/2.0 200 OK\r\n\r\n", -EPROTO, 0, false},
		{"HTTP/1.1 20 OK\r\n\r\n", -EPROTO, 0, false},
		{"HTTP/1.1 2000 OK\r\n\r\n", -EPROTO, 0, false},
		{"HTTP/1.1 099 OK\r\n\r\n", -EPROTO, 0, false},
		{"HTTP/1.1  200 OK\r\n\r\n", -EPROTO, 0, false},
		{"HTTP/1.1 200 O\x01K\r\n\r\n", -EPROTO, 0, false},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", -EPROTO, 0, false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", -EPROTO, 0,
			false},
		{"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n", -EPROTO, 0, false},
		{"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", -EPROTO, 0, false},
		{"HTTP/1.1 200 OK\r\n", -EPROTO, 0, false},
		{"HTTP/1.1 200 OK\n\n", -EPROTO, 0, false},
	};
	struct http_answer a;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int r = http_parse_answer(span_str(cases[i].head), &a);

		if (r != cases[i].result)
			fail_msg("case %zu: %d", i, r);
		if (r == 0) {
			assert_int_equal(a.status, cases[i].status);
			assert_int_equal(a.keep_alive, cases[i].keep);
		}
	}
	assert_int_equal(http_parse_answer(SPAN_LIT("HTTP/1.1 202 A\r\nretry-after: 7\r\n"
						    "Content-Type: a/b; c\r\n\r\n"),
				 &a),
		0);
	assert_true(span_eq_str(a.retry_after, "7"));
	assert_true(span_eq_str(a.content_type, "a/b; c"));
}

struct basic_case {
	const char *value;
	const char *user; /* NULL: refused */
	const char *password;
};

static void basic(void **state)
{
	static const struct basic_case cases[] = {
		{"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"},
		{"basic  QWxhZGRpbjpvcGVuIHNlc2FtZQ== ", "Aladdin", "open sesame"},
		{"Basic YTpiOmM=", "a", "b:c"},
		{"Basic YTo=", "a", ""},
		{"Basic OmI=", "", "b"},
		{"Basic YQ==", NULL, NULL}, /* no colon */
		{"Basic YQ", NULL, NULL}, /* no padding */
		{"Basic YToA", NULL, NULL}, /* NUL */
		{"Basic YToN", NULL, NULL}, /* CR */
		{"Basic", NULL, NULL},
		{"Basic !!!!", NULL, NULL},
		{"Bearer YTpi", NULL, NULL},
		{"", NULL, NULL},
	};
	char user[8];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf password = BUF_INIT(100);
		int r = http_parse_basic(span_str(cases[i].value), user, sizeof(user), &password);

		if (r != (cases[i].user != NULL ? 0 : -EINVAL))
			fail_msg("case %zu: %d", i, r);
		if (r == 0) {
			assert_string_equal(user, cases[i].user);
			assert_string_equal(buf_str(&password), cases[i].password);
		}
		buf_wipe(&password);
	}
	/* A user of seven letters fits, one of eight does not. */
	{
		struct buf password = BUF_INIT(3), tight = BUF_INIT(2);

		assert_int_equal(
			http_parse_basic(SPAN_LIT("Basic MTIzNDU2NzphYmM="), user, 8, &password),
			0);
		assert_int_equal(
			http_parse_basic(SPAN_LIT("Basic MTIzNDU2Nzg6YWJj"), user, 8, &password),
			-EINVAL);
		assert_int_equal(
			http_parse_basic(SPAN_LIT("Basic MTIzNDU2NzphYmM="), user, 8, &tight),
			-EINVAL);
		buf_wipe(&password);
		buf_wipe(&tight);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads),
		cmocka_unit_test(head_fields),
		cmocka_unit_test(keep_alive),
		cmocka_unit_test(head_limits),
		cmocka_unit_test(answers),
		cmocka_unit_test(basic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
