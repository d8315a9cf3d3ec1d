/* The HTTP side of daytimed: time-stamp queries are posted to / or /tsa (RFC 3161 section 3.4). */
#include "services/daytimed/daytimed.h"

#include "base/cleanup.h"

#include <errno.h>

enum { REQUESTS_MAX = 1000 };

#define TYPE_QUERY "application/timestamp-query"
#define TYPE_REPLY "application/timestamp-reply"

struct exchange {
	struct service *service;
	const struct tsa *tsa;
	struct http_request request;
	struct span body;
};

static int respond(const struct exchange *x, const char *type, struct span body)
{
	const struct http_response response = {.status = 200,
		.content_type = type,
		.body = body,
		.extra = "Cache-Control: no-store\r\n",
		.keep_alive = x->request.keep_alive,
		.head_only = span_eq_str(x->request.method, "HEAD")};

	return http_write_response(x->service->conn, &response);
}

static int handle_help(const struct exchange *x)
{
	return respond(x, "text/plain; charset=utf-8",
		SPAN_LIT("Quintet time stamps (RFC 3161). To have FILE stamped:\n\n"
			 "  openssl ts -query -data FILE -cert -sha256 -out FILE.tsq\n"
			 "  curl --cacert root.pem -H 'Content-Type: " TYPE_QUERY "' \\\n"
			 "       --data-binary @FILE.tsq https://HOST:PORT/tsa -o FILE.tsr\n"
			 "  openssl ts -verify -data FILE -in FILE.tsr -CAfile root.pem\n"));
}

/* The media type without its parameters. */
static bool is_query_type(struct span value)
{
	struct span type = {0};

	(void)span_split(&value, ';', &type);
	return span_caseeq_str(span_trim(type), TYPE_QUERY);
}

static int handle_stamp(const struct exchange *x)
{
	_cleanup_(buf_done) struct buf reply = BUF_INIT(TSA_REPLY_MAX);
	struct clock_state clock = clock_state_now();
	char serial[TSA_SERIAL_SIZE];
	int r;

	if (!is_query_type(http_header(&x->request, "Content-Type")))
		return http_write_error(x->service->conn, 415, NULL,
			"A time-stamp query has the type " TYPE_QUERY ".\n", x->request.keep_alive);
	if (x->body.len == 0)
		return http_write_error(x->service->conn, 400, NULL,
			"The body is empty: it should be a time-stamp query in DER.\n",
			x->request.keep_alive);
	r = tsa_answer(x->tsa, &clock, x->body, &reply, serial);
	if (r < 0) {
		log_event(LOG_LEVEL_ERR, "a time stamp could not be made",
			log_fields({"ERROR", span_str(err_text(r))}));
		return http_write_error(x->service->conn, 500, NULL,
			"The time stamp could not be made.\n", x->request.keep_alive);
	}
	log_event(LOG_LEVEL_INFO, serial[0] != '\0' ? "time stamp given" : "time stamp refused",
		log_fields({"SERIAL", span_str(serial)}));
	return respond(x, TYPE_REPLY, buf_span(&reply));
}

static const struct route {
	const char *path;
	const char *method;
	int (*handle)(const struct exchange *x);
} routes[] = {
	{"/", "GET", handle_help},
	{"/", "HEAD", handle_help},
	{"/", "POST", handle_stamp},
	{"/tsa", "POST", handle_stamp},
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

static int refuse_method(const struct exchange *x)
{
	bool root = span_eq_str(x->request.path, "/");

	return http_write_error(x->service->conn, 405,
		root ? "Allow: GET, HEAD, POST\r\n" : "Allow: POST\r\n",
		"Time-stamp queries are posted here.\n", x->request.keep_alive);
}

static int answer(const struct exchange *x)
{
	bool path_is_known = false;

	for (size_t i = 0; i < ROUTES; i++) {
		if (!span_eq_str(x->request.path, routes[i].path))
			continue;
		if (span_eq_str(x->request.method, routes[i].method))
			return routes[i].handle(x);
		path_is_known = true;
	}
	if (path_is_known)
		return refuse_method(x);
	return http_write_error(x->service->conn, 404, NULL,
		"Nothing is here. Time-stamp queries are posted to /tsa.\n", x->request.keep_alive);
}

bool daytimed_wants_http(const struct service *s)
{
	const struct tls_info *tls = conn_tls(s->conn);

	return strcmp(s->door->name, "timestamp") == 0 ||
		(tls != NULL && strcmp(tls->alpn, "http/1.1") == 0);
}

/* Reads and answers one request. 1: another may follow; 0: the end; negative: as conn. */
static int serve_request(struct exchange *x, struct buf *head, struct buf *body)
{
	struct service *s = x->service;
	int r;

	conn_set_timeout_s(s->conn, s->door->idle_s);
	r = http_read_request(s->conn, head, &x->request, body);
	if (r == 0)
		s->end_reason = "end of input";
	if (r > 1)
		s->end_reason = "bad request";
	if (r != 1)
		return r > 1 ? 0 : r;
	s->commands++;
	x->body = buf_span(body);
	r = answer(x);
	if (r == 0)
		r = conn_flush(s->conn);
	return r < 0 ? r : x->request.keep_alive;
}

int daytimed_http(struct service *s, const struct tsa *tsa)
{
	_cleanup_(buf_done) struct buf head = BUF_INIT(HTTP_HEAD_MAX);
	_cleanup_(buf_done) struct buf body = BUF_INIT(TSA_QUERY_MAX);
	struct exchange x = {.service = s, .tsa = tsa};
	int r = 1;

	for (unsigned i = 0; r == 1 && i < REQUESTS_MAX; i++)
		r = serve_request(&x, &head, &body);
	if (r == -ETIMEDOUT)
		s->end_reason = "idle";
	return r < 0 && r != -ETIMEDOUT ? r : 0;
}
