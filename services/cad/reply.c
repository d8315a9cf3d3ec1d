/* Answers. Header and body leave in one write; each refusal carries its reason as text. */
#include "services/cad/cad.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>

#define TEXT_TYPE "text/plain; charset=utf-8"
#define BASE64_HEADER "Content-Transfer-Encoding: base64\r\n"
#define CHALLENGE_HEADER "WWW-Authenticate: Basic realm=\"quintet\", charset=\"UTF-8\"\r\n"

enum { LIBEST_LINE = 64, RETRY_S = 5, BODY_MAX = 8 << 20 };

static int respond(struct cad_exchange *x, unsigned status, const char *content_type,
	const char *extra, struct span body)
{
	const struct http_response response = {
		.status = status,
		.content_type = content_type,
		.body = body,
		.extra = extra,
		.keep_alive = x->keep_alive,
		.head_only = x->head_only,
	};

	return http_write_response(x->cad->s->conn, &response);
}

static int respond_text(
	struct cad_exchange *x, unsigned status, const char *extra, const char *text)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(1024);

	buf_addf(&line, "%s\n", text);
	return buf_error(&line) < 0 ? buf_error(&line)
				    : respond(x, status, TEXT_TYPE, extra, buf_span(&line));
}

int cad_reply(struct cad_exchange *x, const char *content_type, struct span body)
{
	return respond(x, 200, content_type, NULL, body);
}

/*
 * strongSwan's pki takes no line break at all; libest's client, which names itself, needs them. All
 * others take either (RFC 8951 section 3).
 */
int cad_reply_base64(struct cad_exchange *x, const char *content_type, struct span der)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(BODY_MAX);
	struct span agent = http_header(x->request, "User-Agent");

	text_base64(&text, der, span_starts(agent, "libest") ? LIBEST_LINE : 0);
	if (buf_error(&text) < 0)
		return cad_unavailable(x, buf_error(&text));
	return respond(x, 200, content_type, BASE64_HEADER, buf_span(&text));
}

int cad_text(struct cad_exchange *x, unsigned status, const char *text)
{
	return respond_text(x, status, NULL, text);
}

int cad_text_wait(struct cad_exchange *x, unsigned status, unsigned wait_s, const char *text)
{
	char extra[48];

	(void)snprintf(extra, sizeof(extra), "Retry-After: %u\r\n", wait_s > 0 ? wait_s : RETRY_S);
	return respond_text(x, status, extra, text);
}

int cad_wrong_method(struct cad_exchange *x, const char *allow)
{
	char extra[48];

	(void)snprintf(extra, sizeof(extra), "Allow: %s\r\n", allow);
	return respond_text(x, 405, extra, "this path takes another method");
}

int cad_challenge(struct cad_exchange *x, const char *text)
{
	return respond_text(x, 401, CHALLENGE_HEADER, text);
}

int cad_unavailable(struct cad_exchange *x, int error)
{
	log_event(LOG_LEVEL_WARNING, "temporarily unavailable",
		log_fields({"ERROR", span_str(err_text(error))}));
	return cad_text_wait(x, 503, RETRY_S, "temporarily unavailable, try again");
}

static const struct {
	uint32_t status; /* of the signer */
	unsigned http;
} statuses[] = {
	{EINVAL, 400},
	{EKEYREJECTED, 400},
	{EPERM, 403},
	{EEXIST, 409},
};

int cad_refused(struct cad_exchange *x, const struct signer_answer *a)
{
	if (a->status == EACCES)
		return cad_challenge(x, a->reason);
	if (a->status == EBUSY)
		return cad_text_wait(x, 429, a->wait_s, a->reason);
	if (a->status == EAGAIN)
		return cad_text_wait(x, 503, a->wait_s, a->reason);
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].status == a->status)
			return cad_text(x, statuses[i].http, a->reason);
	return cad_text(x, 500, a->reason);
}

int cad_body_is(struct cad_exchange *x, const char *media_type)
{
	struct span value = http_header(x->request, "Content-Type");
	struct span type;
	int r;

	if (span_split(&value, ';', &type) && span_caseeq_str(span_trim(type), media_type))
		return 1;
	r = cad_text(x, 415, "the body's media type is not the one this path takes");
	return r < 0 ? r : 0;
}
