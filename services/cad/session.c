/* The HTTP session: one request after the other, a deadline for each, the same loop on both doors
 * and over memory in the tests. */
#include "services/cad/cad.h"

#include "base/cleanup.h"

#include <errno.h>

enum { ANSWER_S = 30, REQUESTS_MAX = 1000 };

static int serve_one(struct cad *c, const struct http_request *request, struct span body)
{
	struct cad_exchange x = {
		.cad = c,
		.request = request,
		.body = body,
		.secret = BUF_INIT(1024),
		.head_only = span_eq_str(request->method, "HEAD"),
		.keep_alive = request->keep_alive && c->s->commands < REQUESTS_MAX,
	};
	int r = cad_dispatch(&x);

	buf_wipe(&x.secret);
	explicit_bzero(&x.who, sizeof(x.who));
	if (r < 0)
		return r;
	return x.keep_alive ? 1 : 0;
}

/* 1 to go on, 0 at the end, or a negative errno. */
static int exchange(struct cad *c, struct buf *head, struct buf *body)
{
	struct http_request request;
	int r;

	conn_set_timeout_s(c->s->conn, c->s->door->idle_s);
	r = http_read_request(c->s->conn, head, &request, body);
	if (r > 1) {
		c->s->end_reason = "a request that is no HTTP";
		return 0;
	}
	if (r <= 0)
		return r;
	c->s->commands++;
	conn_set_timeout_s(c->s->conn, ANSWER_S);
	return serve_one(c, &request, buf_span(body));
}

int cad_run(struct cad *c)
{
	_cleanup_(buf_wipe) struct buf head = BUF_INIT(HTTP_HEAD_MAX);
	_cleanup_(buf_wipe) struct buf body = BUF_INIT(HTTP_BODY_MAX);
	int r;

	do {
		r = exchange(c, &head, &body);
	} while (r > 0);
	return r;
}
