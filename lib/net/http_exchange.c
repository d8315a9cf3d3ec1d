/* The exchange: requests and answers over a connection, both sides. */
#include "base/timefmt.h"
#include "net/http.h"

#include <errno.h>
#include <stdio.h>

/* Longest header that we write ourselves; the caller's extra lines come on top. */
enum { WRITE_HEAD_MAX = 65536, ERROR_TEXT_MAX = 512 };

struct status_text {
	unsigned status;
	const char *text;
};

static const struct status_text status_texts[] = {
	{100, "Continue"},
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{204, "No Content"},
	{304, "Not Modified"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{411, "Length Required"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{417, "Expectation Failed"},
	{422, "Unprocessable Content"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{503, "Service Unavailable"},
	{505, "HTTP Version Not Supported"},
};

const char *http_status_text(unsigned status)
{
	for (size_t i = 0; i < sizeof(status_texts) / sizeof(status_texts[0]); i++)
		if (status_texts[i].status == status)
			return status_texts[i].text;
	return "Unknown";
}

/* -- reading a head ---------------------------------------------------------------------------- */

static const struct frame_rule head_rule = {.max = HTTP_HEAD_MAX};

/*
 * Reads lines into head until the empty one, which is included. 1; 0: the clean end before a first
 * byte; -EMSGSIZE: too long; -EPROTO: a line breaks the rule; else as conn.
 */
static int read_head(struct conn *c, struct buf *head)
{
	bool skipped = false;
	struct span line;

	buf_reset(head);
	for (;;) {
		int r = conn_read_line(c, &head_rule, &line);

		if (r <= 0)
			return r == 0 && head->len > 0 ? -ECONNRESET : r;
		if (line.len == 0 && head->len == 0) {
			if (skipped)
				return -EPROTO;
			skipped = true;
			continue;
		}
		if (line.len + 2 > HTTP_HEAD_MAX - head->len)
			return -EMSGSIZE;
		buf_add(head, line);
		buf_add_str(head, "\r\n");
		if (buf_error(head) != 0)
			return buf_error(head) == -ENOBUFS ? -EMSGSIZE : buf_error(head);
		if (line.len == 0)
			return 1;
	}
}

/* -- the server's side ------------------------------------------------------------------------- */

/* Answers and gives the status back: the connection has to be closed behind it. */
static int refuse(struct conn *c, unsigned status)
{
	int r = http_write_error(c, status, NULL, http_status_text(status), false);

	return r < 0 ? r : (int)status;
}

static int read_body(struct conn *c, const struct http_request *request, struct buf *body)
{
	int r = 0;

	if (request->content_length > body->max)
		return refuse(c, 413);
	if (request->content_length == 0)
		return 1;
	if (request->expect_continue && conn_pending(c).len == 0) {
		r = conn_write(c, SPAN_LIT("HTTP/1.1 100 Continue\r\n\r\n"));
		if (r < 0)
			return r;
	}
	r = conn_read_exact(c, request->content_length, body);
	return r == 0 ? 1 : r;
}

int http_read_request(struct conn *c, struct buf *head, struct http_request *ret, struct buf *body)
{
	struct http_request request;
	int r, status;

	buf_reset(body);
	r = read_head(c, head);
	if (r == -EMSGSIZE)
		return refuse(c, head->len == 0 ? 414 : 431);
	if (r == -EPROTO)
		return refuse(c, 400);
	if (r <= 0)
		return r;
	status = http_parse_head(buf_span(head), &request);
	if (status != 0)
		return refuse(c, (unsigned)status);
	r = read_body(c, &request, body);
	if (r == 1)
		*ret = request;
	return r;
}

static bool has_no_body(unsigned status)
{
	return status < 200 || status == 204 || status == 304;
}

int http_write_response(struct conn *c, const struct http_response *response)
{
	struct buf head = BUF_INIT(WRITE_HEAD_MAX);
	bool bare = has_no_body(response->status);
	int r;

	buf_addf(&head, "HTTP/1.1 %u %s\r\nDate: ", response->status,
		http_status_text(response->status));
	time_http(&head, time_now_us());
	buf_add_str(&head, "\r\n");
	if (response->content_type != NULL && !bare)
		buf_addf(&head, "Content-Type: %s\r\n", response->content_type);
	if (!bare)
		buf_addf(&head, "Content-Length: %zu\r\n", response->body.len);
	if (response->extra != NULL)
		buf_add_str(&head, response->extra);
	buf_addf(&head, "Connection: %s\r\n\r\n", response->keep_alive ? "keep-alive" : "close");
	r = buf_error(&head);
	if (r == 0)
		r = conn_write(c, buf_span(&head));
	if (r == 0 && !bare && !response->head_only)
		r = conn_write(c, response->body);
	buf_done(&head);
	return r;
}

int http_write_error(
	struct conn *c, unsigned status, const char *extra, const char *text, bool keep_alive)
{
	char line[ERROR_TEXT_MAX];
	struct http_response response = {.status = status,
		.content_type = "text/plain; charset=utf-8",
		.extra = extra,
		.keep_alive = keep_alive};

	(void)snprintf(line, sizeof(line), "%s\n", text);
	response.body = span_str(line);
	return http_write_response(c, &response);
}

/* -- the client's side ------------------------------------------------------------------------- */

/* Nothing in them may begin a line of its own. */
static bool is_header_text(const char *s)
{
	return s == NULL || strpbrk(s, "\r\n") == NULL;
}

/* NOLINTNEXTLINE(readability-function-size): a request has that many parts */
int http_write_request(struct conn *c, const char *method, const char *host, const char *target,
	const char *content_type, const char *extra, struct span body)
{
	struct buf head = BUF_INIT(WRITE_HEAD_MAX);
	int r;

	if (!is_header_text(method) || !is_header_text(host) || !is_header_text(target) ||
		!is_header_text(content_type))
		return -EINVAL;
	buf_addf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: quintet/%s\r\n", method, target,
		host, QUINTET_VERSION);
	if (content_type != NULL)
		buf_addf(&head, "Content-Type: %s\r\n", content_type);
	if (body.len > 0 || strcmp(method, "POST") == 0)
		buf_addf(&head, "Content-Length: %zu\r\n", body.len);
	if (extra != NULL)
		buf_add_str(&head, extra);
	buf_add_str(&head, "\r\n");
	r = buf_error(&head);
	if (r == 0)
		r = conn_write(c, buf_span(&head));
	if (r == 0)
		r = conn_write(c, body);
	buf_wipe(&head);
	return r;
}

/* Everything up to the clean end; a cut is an error, so a short body cannot pass for a whole. */
static int read_to_end(struct conn *c, struct buf *body)
{
	struct span some;
	int r;

	while ((r = conn_read_some(c, CONN_IN_MAX, &some)) > 0) {
		buf_add(body, some);
		if (buf_error(body) != 0)
			return buf_error(body) == -ENOBUFS ? -EMSGSIZE : buf_error(body);
	}
	return r;
}

int http_read_answer(struct conn *c, struct buf *head, struct http_answer *ret, struct buf *body)
{
	struct http_answer answer;
	int r;

	buf_reset(body);
	do {
		r = read_head(c, head);
		if (r == -EMSGSIZE)
			return -EPROTO;
		if (r <= 0)
			return r == 0 ? -ECONNRESET : r;
		r = http_parse_answer(buf_span(head), &answer);
		if (r < 0)
			return r;
	} while (answer.status < 200);
	if (has_no_body(answer.status))
		r = 0;
	else if (answer.has_length)
		r = conn_read_exact(c, answer.content_length, body);
	else
		r = read_to_end(c, body);
	if (!answer.has_length && !has_no_body(answer.status))
		answer.keep_alive = false;
	if (r == 0)
		*ret = answer;
	return r;
}
