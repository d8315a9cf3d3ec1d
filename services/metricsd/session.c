/* One HTTP request: the figures, a line that says where they are, or why not. */
#include "services/metricsd/metricsd.h"

#include "base/cleanup.h"
#include "service/figures.h"

#include <errno.h>

struct exchange {
	struct service *service;
	const struct metrics_source *source;
	struct http_request request;
};

static int respond(const struct exchange *x, const char *type, struct span body)
{
	const struct http_response response = {.status = 200,
		.content_type = type,
		.body = body,
		.extra = "Cache-Control: no-store\r\n",
		.head_only = span_eq_str(x->request.method, "HEAD")};

	return http_write_response(x->service->conn, &response);
}

static int show_metrics(const struct exchange *x)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(FIGURES_TEXT_MAX);
	int r = x->source->write(x->service, &text);

	if (r == 0)
		return respond(x, FIGURES_TYPE, buf_span(&text));
	log_event(LOG_LEVEL_ERR, "the figures cannot be gathered",
		log_fields({"ERROR", span_str(err_text(r))}));
	return http_write_error(
		x->service->conn, 503, NULL, "The figures cannot be gathered now.\n", false);
}

static int show_way(const struct exchange *x)
{
	return respond(x, "text/plain; charset=utf-8",
		SPAN_LIT("Quintet " QUINTET_VERSION ". The figures are at /metrics.\n"));
}

static const struct route {
	const char *path;
	int (*show)(const struct exchange *x);
} routes[] = {
	{"/metrics", show_metrics},
	{"/", show_way},
};

static int answer(const struct exchange *x)
{
	struct conn *c = x->service->conn;

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (!span_eq_str(x->request.path, routes[i].path))
			continue;
		if (span_eq_str(x->request.method, "GET") || span_eq_str(x->request.method, "HEAD"))
			return routes[i].show(x);
		return http_write_error(
			c, 405, "Allow: GET, HEAD\r\n", "Here one can only read.\n", false);
	}
	return http_write_error(c, 404, NULL, "The figures are at /metrics.\n", false);
}

int metrics_of_store(struct service *s, struct buf *b)
{
	static struct figures f; /* large, and this process answers once */
	int r = service_need_store(s);

	if (r == 0)
		r = figures_read(&s->settings, s->store, &f);
	return r < 0 ? r : figures_write(&f, b);
}

int metrics_run(struct service *s, const struct metrics_source *source)
{
	_cleanup_(buf_done) struct buf head = BUF_INIT(HTTP_HEAD_MAX);
	_cleanup_(buf_done) struct buf body = BUF_INIT(1);
	struct exchange x = {.service = s, .source = source};
	int r;

	/* It is over soon, and nobody's session: no row in the store, no bell. */
	conn_set_wake(s->conn, -1, 0, NULL, NULL);
	conn_set_timeout_s(s->conn, METRICS_SESSION_S);
	r = http_read_request(s->conn, &head, &x.request, &body);
	if (r == 0)
		s->end_reason = "end of input";
	else if (r > 1)
		s->end_reason = "bad request";
	if (r == 1) {
		s->commands++;
		r = answer(&x);
	}
	if (r >= 0)
		r = conn_flush(s->conn);
	if (r == -ETIMEDOUT)
		s->end_reason = "too slow";
	return r < 0 && r != -ETIMEDOUT ? r : 0;
}
