/*
 * A strict, small HTTP/1.1 (RFC 9110, 9112): request line, headers, Content-Length, keep-alive.
 * No chunked bodies, no obs-fold, no bare LF. Parsers are pure; the exchange runs over a conn.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "net/conn.h"

#define HTTP_HEAD_MAX 8192
#define HTTP_MAX_HEADERS 64
#define HTTP_BODY_MAX 65536

struct http_header {
	struct span name; /* as sent; compare with span_caseeq_str */
	struct span value; /* trimmed */
};

struct http_request {
	struct span method;
	struct span target; /* origin-form as sent, "/path?query", percent-encoding intact */
	struct span path; /* before '?' */
	struct span query; /* after '?', may be empty */
	unsigned minor; /* 0 or 1: HTTP/1.minor */
	struct http_header headers[HTTP_MAX_HEADERS];
	size_t header_count;
	size_t content_length;
	bool has_length;
	bool keep_alive;
	bool expect_continue;
};

/* The value of the one header of that name, or an empty span with p NULL. */
struct span http_header(const struct http_request *r, const char *name);

/*
 * Parses a head: request line and headers with the empty line that ends them; spans point into it.
 * 0, or the HTTP status to answer with: 400, 411 (a POST without length), 413, 414, 431, 501
 * (Transfer-Encoding), 505. Two Content-Lengths, a missing or double Host on 1.1, a space before a
 * colon, an empty name, control bytes: 400.
 */
int http_parse_head(struct span head, struct http_request *ret);

/*
 * Reads one request. 1: *ret and body (appended to, reset first) are filled; the spans of *ret live
 * in head, which the caller owns and keeps. 0: clean end between requests. Positive values above 1:
 * the status that was already answered on c before the connection has to be closed. Negative: as
 * conn. One stray CR LF before the request line is skipped (RFC 9112 section 2.2). Answers Expect.
 */
int http_read_request(struct conn *c, struct buf *head, struct http_request *ret, struct buf *body);

struct http_response {
	unsigned status;
	const char *content_type; /* NULL when there is no body */
	struct span body;
	const char *extra; /* further complete header lines with CR LF, or NULL */
	bool keep_alive;
	bool head_only; /* answering HEAD: length but no body */
};

/* Header and body go out in one write (one TLS record up to 16 KiB); the header is under 1 KiB. */
int http_write_response(struct conn *c, const struct http_response *response);

/* A short text/plain answer, the reason for people. */
int http_write_error(
	struct conn *c, unsigned status, const char *extra, const char *text, bool keep_alive);

const char *http_status_text(unsigned status);

/* The client's side. */
struct http_answer {
	unsigned status;
	struct span content_type; /* in head */
	struct span retry_after;
	size_t content_length;
	bool has_length;
	bool keep_alive;
};

/* -EPROTO when it is not HTTP/1.x or breaks the rules above. */
int http_parse_answer(struct span head, struct http_answer *ret);

/* extra: further header lines with CR LF (Authorization ...), wiped by the caller; may be NULL. */
int http_write_request(struct conn *c, const char *method, const char *host, const char *target,
	const char *content_type, const char *extra, struct span body);

/* 0, body filled (its max bounds it: -EMSGSIZE); without Content-Length until the clean end. */
int http_read_answer(struct conn *c, struct buf *head, struct http_answer *ret, struct buf *body);

/* Authorization: Basic (RFC 7617): fills user and password, C strings. -EINVAL. */
int http_parse_basic(struct span value, char *ret_user, size_t user_size, struct buf *ret_password);

#endif
