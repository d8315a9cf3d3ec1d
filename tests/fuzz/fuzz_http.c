/*
 * HTTP: the head parser, the answer parser, Basic, and both readers over a connection. The first
 * byte is the size of the pieces in which the input arrives; the outcome must not depend on it.
 */
#include "net/http.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* A span that a parser gave lies in what the parser was given. */
static void inside(struct span part, struct span whole)
{
	if (part.len > 0)
		must(part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
	for (size_t i = 0; i < part.len; i++)
		must(part.p[i] != '\r' && part.p[i] != '\n' && part.p[i] != '\0');
}

static void check_request(const struct http_request *r, struct span head)
{
	size_t lengths = 0;

	inside(r->method, head);
	must(r->method.len > 0 && r->target.len > 0 && r->minor <= 1);
	must(r->path.len + r->query.len <= r->target.len);
	must(r->target.p[0] == '/' || span_eq_str(r->target, "*"));
	if (!span_eq_str(r->target, "/"))
		inside(r->target, head);
	must(r->header_count <= HTTP_MAX_HEADERS && r->content_length <= HTTP_BODY_MAX);
	for (size_t i = 0; i < r->header_count; i++) {
		inside(r->headers[i].name, head);
		inside(r->headers[i].value, head);
		must(!span_caseeq_str(r->headers[i].name, "Transfer-Encoding"));
		lengths += span_caseeq_str(r->headers[i].name, "Content-Length");
	}
	must(lengths == (r->has_length ? 1U : 0U));
	must(r->has_length || r->content_length == 0);
}

/* Serves every request of the input and writes down what happened. */
static void serve(struct span in, size_t step, struct buf *story)
{
	struct buf head = BUF_INIT(HTTP_HEAD_MAX), body = BUF_INIT(HTTP_BODY_MAX);
	struct buf out = BUF_INIT(1 << 20);
	struct http_request request;
	struct conn *c = NULL;
	int r;

	must(conn_new_memory(in, step, &out, &c) == 0);
	while ((r = http_read_request(c, &head, &request, &body)) == 1) {
		check_request(&request, buf_span(&head));
		must(body.len == request.content_length);
		buf_add(story, request.target);
		buf_add(story, buf_span(&body));
		must(http_write_error(c, 404, NULL, "none", request.keep_alive) == 0);
		if (!request.keep_alive)
			break;
	}
	must(r <= 1 || (r >= 400 && r < 600));
	must(r >= 0 || r == -ECONNRESET);
	buf_add_u32(story, (uint32_t)r);
	(void)conn_close(c);
	conn_free(c);
	buf_done(&head);
	buf_done(&body);
	buf_done(&out);
}

static void ask(struct span in, size_t step, struct buf *story)
{
	struct buf head = BUF_INIT(HTTP_HEAD_MAX), body = BUF_INIT(1000);
	struct http_answer answer;
	struct conn *c = NULL;
	int r;

	must(conn_new_memory(in, step, NULL, &c) == 0);
	r = http_read_answer(c, &head, &answer, &body);
	if (r == 0) {
		inside(answer.content_type, buf_span(&head));
		inside(answer.retry_after, buf_span(&head));
		must(answer.status >= 200 && answer.status <= 599);
		buf_add(story, buf_span(&body));
	}
	buf_add_u32(story, (uint32_t)r);
	conn_free(c);
	buf_done(&head);
	buf_done(&body);
}

static void pure(struct span in)
{
	struct buf password = BUF_INIT(64);
	struct http_request request;
	struct http_answer answer;
	char user[16];
	int status = http_parse_head(in, &request);

	must(status == 0 || (status >= 400 && status < 600));
	if (status == 0)
		check_request(&request, in);
	(void)http_parse_answer(in, &answer);
	if (http_parse_basic(in, user, sizeof(user), &password) == 0)
		must(strlen(user) < sizeof(user) && password.len <= 64);
	buf_wipe(&password);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT(2 * size + 16), pieces = BUF_INIT(2 * size + 16);
	struct span in;
	size_t step;

	if (size < 1)
		return 0;
	step = 1U + data[0] % 32;
	in = span_of(data + 1, size - 1);
	pure(in);
	serve(in, 0, &whole);
	serve(in, step, &pieces);
	must(span_eq(buf_span(&whole), buf_span(&pieces)));
	buf_reset(&whole);
	buf_reset(&pieces);
	ask(in, 0, &whole);
	ask(in, step, &pieces);
	must(span_eq(buf_span(&whole), buf_span(&pieces)));
	buf_done(&whole);
	buf_done(&pieces);
	return 0;
}
