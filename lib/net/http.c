/*
 * The parsers: request heads, answer heads, Basic credentials. Pure functions over bytes. What two
 * implementations could read differently is refused, since a proxy in front may be the other one.
 */
#include "net/http.h"

#include "base/num.h"
#include "base/text.h"

#include <errno.h>

enum { OK = 0, METHOD_MAX = 32, LENGTH_DIGITS = 12, BASIC_MAX = 1024 };

/* The client reads answers of our own services; they are bounded by its buffer anyhow. */
static const uint64_t ANSWER_BODY_MAX = UINT64_C(1) << 40;

static bool is_token_char(unsigned char c)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
		memchr(others, c, sizeof(others) - 1) != NULL;
}

static bool is_token(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_token_char(s.p[i]))
			return false;
	return s.len > 0;
}

/* Field values: visible ASCII, blank, tab, and bytes above ASCII (RFC 9110 section 5.5). */
static bool is_field_value(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f)
			return false;
	return true;
}

static bool is_target(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7f || s.p[i] == '#')
			return false;
	return s.len > 0;
}

/* Splits the next line off *head. 1, 0 when there is none, -EPROTO. */
static int next_line(struct span *head, struct span *ret_line)
{
	static const struct frame_rule rule = {.max = HTTP_HEAD_MAX};
	size_t used = 0;
	int r = frame_line(*head, &rule, ret_line, &used);

	if (r == 1)
		*head = span_of(head->p + used, head->len - used);
	return r < 0 ? -EPROTO : r;
}

/* One header line. False: malformed; a line that begins with a blank (obs-fold) is. */
static bool parse_header(struct span line, struct http_header *ret)
{
	struct span rest = line, name;

	if (!span_split(&rest, ':', &name) || name.len == line.len || !is_token(name) ||
		!is_field_value(rest))
		return false;
	*ret = (struct http_header){name, span_trim(rest)};
	return true;
}

/* Digits only. 0; -ERANGE: a number above max; -EINVAL. */
static int parse_length(struct span value, uint64_t max, size_t *ret)
{
	uint64_t length = 0;
	int r = 0;

	for (size_t i = 0; i < value.len; i++)
		if (value.p[i] < '0' || value.p[i] > '9')
			return -EINVAL;
	if (value.len > LENGTH_DIGITS)
		return -ERANGE;
	r = num_parse_u64(value, 0, max, &length);
	if (r == 0)
		*ret = (size_t)length;
	return r;
}

/* Is the word one of a comma-separated list? */
static bool list_has(struct span list, const char *word)
{
	struct span one;

	while (span_split(&list, ',', &one))
		if (span_caseeq_str(span_trim(one), word))
			return true;
	return false;
}

struct span http_header(const struct http_request *r, const char *name)
{
	const struct http_header *found = NULL;

	for (size_t i = 0; i < r->header_count; i++) {
		if (!span_caseeq_str(r->headers[i].name, name))
			continue;
		if (found != NULL)
			return span_of(NULL, 0);
		found = &r->headers[i];
	}
	return found != NULL ? found->value : span_of(NULL, 0);
}

/* -- request line ------------------------------------------------------------------------------ */

/* absolute-form, which servers must take (RFC 9112 section 3.2.2), is cut down to origin-form. */
static bool to_origin_form(struct span *target)
{
	static const char *const schemes[] = {"http://", "https://"};
	const unsigned char *slash;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t len = strlen(schemes[i]);

		if (target->len <= len || !span_caseeq_str(span_of(target->p, len), schemes[i]))
			continue;
		slash = memchr(target->p + len, '/', target->len - len);
		if (slash == target->p + len)
			return false;
		*target = slash != NULL ? span_of(slash, target->len - (size_t)(slash - target->p))
					: SPAN_LIT("/");
		return true;
	}
	return target->p[0] == '/';
}

static int parse_target(struct span target, struct http_request *ret)
{
	struct span rest;

	if (!is_target(target))
		return 400;
	if (!(span_eq_str(target, "*") && span_eq_str(ret->method, "OPTIONS")) &&
		!to_origin_form(&target))
		return 400;
	ret->target = rest = target;
	(void)span_split(&rest, '?', &ret->path);
	ret->query = rest;
	return OK;
}

static int parse_version(struct span version, unsigned *ret_minor)
{
	if (version.len != 8 || !span_starts(version, "HTTP/") || version.p[6] != '.' ||
		version.p[5] < '0' || version.p[5] > '9' || version.p[7] < '0' ||
		version.p[7] > '9')
		return 400;
	if (version.p[5] != '1' || version.p[7] > '1')
		return 505;
	*ret_minor = (unsigned)(version.p[7] - '0');
	return OK;
}

static int parse_request_line(struct span line, struct http_request *ret)
{
	struct span rest = line, target;
	int status;

	if (!span_split(&rest, ' ', &ret->method) || !is_token(ret->method) ||
		ret->method.len > METHOD_MAX || !span_split(&rest, ' ', &target))
		return 400;
	status = parse_version(rest, &ret->minor);
	return status != OK ? status : parse_target(target, ret);
}

/* -- what the headers mean for framing --------------------------------------------------------- */

static size_t count_header(const struct http_request *r, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < r->header_count; i++)
		if (span_caseeq_str(r->headers[i].name, name))
			count++;
	return count;
}

static int judge_length(struct http_request *r)
{
	size_t lengths = count_header(r, "Content-Length");
	int error;

	if (count_header(r, "Transfer-Encoding") > 0)
		return lengths > 0 || r->minor == 0 ? 400 : 501;
	if (lengths > 1)
		return 400;
	if (lengths == 0)
		return span_eq_str(r->method, "POST") ? 411 : OK;
	error = parse_length(http_header(r, "Content-Length"), HTTP_BODY_MAX, &r->content_length);
	r->has_length = error == 0;
	if (error == -ERANGE)
		return 413;
	return error == 0 ? OK : 400;
}

static int judge_host(const struct http_request *r)
{
	static const unsigned char never[] = {'/', '?', '#', '@', '\\', ','};
	size_t hosts = count_header(r, "Host");
	struct span host = http_header(r, "Host");

	if (hosts > 1 || (hosts == 0 && r->minor > 0))
		return 400;
	for (size_t i = 0; i < host.len; i++)
		if (host.p[i] <= 0x20 || host.p[i] >= 0x7f ||
			memchr(never, host.p[i], sizeof(never)) != NULL)
			return 400;
	return OK;
}

static int judge_connection(struct http_request *r)
{
	bool close = false, keep = false;

	for (size_t i = 0; i < r->header_count; i++) {
		if (!span_caseeq_str(r->headers[i].name, "Connection"))
			continue;
		close = close || list_has(r->headers[i].value, "close");
		keep = keep || list_has(r->headers[i].value, "keep-alive");
	}
	r->keep_alive = !close && (r->minor > 0 || keep);
	if (count_header(r, "Expect") == 0)
		return OK;
	if (!span_caseeq_str(http_header(r, "Expect"), "100-continue"))
		return 417;
	r->expect_continue = r->minor > 0;
	return OK;
}

/* All header lines up to the empty one, with nothing behind it. */
static int parse_headers(struct span head, struct http_request *ret)
{
	struct span line;
	int r;

	while ((r = next_line(&head, &line)) == 1 && line.len > 0) {
		if (ret->header_count == HTTP_MAX_HEADERS)
			return 431;
		if (!parse_header(line, &ret->headers[ret->header_count]))
			return 400;
		ret->header_count++;
	}
	return r == 1 && head.len == 0 ? OK : 400;
}

int http_parse_head(struct span head, struct http_request *ret)
{
	struct http_request r;
	struct span line;
	int status;

	/* The header table is left as it is: only header_count entries are looked at. */
	memset(&r, 0, offsetof(struct http_request, headers));
	r.header_count = r.content_length = 0;
	r.has_length = r.keep_alive = r.expect_continue = false;
	if (head.len > HTTP_HEAD_MAX)
		return memchr(head.p, '\n', HTTP_HEAD_MAX) == NULL ? 414 : 431;
	if (next_line(&head, &line) != 1)
		return 400;
	status = parse_request_line(line, &r);
	if (status == OK)
		status = parse_headers(head, &r);
	if (status == OK)
		status = judge_host(&r);
	if (status == OK)
		status = judge_connection(&r);
	if (status == OK)
		status = judge_length(&r);
	if (status == OK)
		*ret = r;
	return status;
}

/* -- answers ----------------------------------------------------------------------------------- */

static int parse_status_line(struct span line, struct http_answer *ret)
{
	struct span rest = line, version, code;
	uint64_t status = 0;
	unsigned minor = 0;

	if (!span_split(&rest, ' ', &version) || parse_version(version, &minor) != OK)
		return -EPROTO;
	if (!span_split(&rest, ' ', &code) || code.len != 3 ||
		num_parse_u64(code, 100, 599, &status) < 0 || !is_field_value(rest))
		return -EPROTO;
	ret->status = (unsigned)status;
	ret->keep_alive = minor > 0;
	return 0;
}

static int answer_header(const struct http_header *h, struct http_answer *ret)
{
	if (span_caseeq_str(h->name, "Transfer-Encoding"))
		return -EPROTO;
	if (span_caseeq_str(h->name, "Content-Length")) {
		if (ret->has_length ||
			parse_length(h->value, ANSWER_BODY_MAX, &ret->content_length) < 0)
			return -EPROTO;
		ret->has_length = true;
	} else if (span_caseeq_str(h->name, "Content-Type")) {
		ret->content_type = h->value;
	} else if (span_caseeq_str(h->name, "Retry-After")) {
		ret->retry_after = h->value;
	} else if (span_caseeq_str(h->name, "Connection")) {
		if (list_has(h->value, "close"))
			ret->keep_alive = false;
		else if (list_has(h->value, "keep-alive"))
			ret->keep_alive = true;
	}
	return 0;
}

int http_parse_answer(struct span head, struct http_answer *ret)
{
	struct http_answer a = {0};
	struct http_header h;
	struct span line;
	size_t count = 0;
	int r;

	if (head.len > HTTP_HEAD_MAX || next_line(&head, &line) != 1)
		return -EPROTO;
	r = parse_status_line(line, &a);
	if (r < 0)
		return r;
	while ((r = next_line(&head, &line)) == 1 && line.len > 0)
		if (++count > HTTP_MAX_HEADERS || !parse_header(line, &h) ||
			answer_header(&h, &a) < 0)
			return -EPROTO;
	if (r != 1 || head.len != 0)
		return -EPROTO;
	*ret = a;
	return 0;
}

/* -- Basic ------------------------------------------------------------------------------------- */

/* "user:password"; the user may hold no colon, neither of the two a control character. */
static int split_basic(
	struct span plain, char *ret_user, size_t user_size, struct buf *ret_password)
{
	struct span rest = plain, user;

	for (size_t i = 0; i < plain.len; i++)
		if (plain.p[i] < 0x20 || plain.p[i] == 0x7f)
			return -EINVAL;
	if (!span_split(&rest, ':', &user) || user.len == plain.len || user.len >= user_size)
		return -EINVAL;
	buf_add(ret_password, rest);
	if (buf_error(ret_password) != 0)
		return -EINVAL;
	return span_copy_str(user, ret_user, user_size);
}

int http_parse_basic(struct span value, char *ret_user, size_t user_size, struct buf *ret_password)
{
	struct buf plain = BUF_INIT(BASIC_MAX);
	struct span rest = value, scheme;
	int r = -EINVAL;

	if (span_split(&rest, ' ', &scheme) && span_caseeq_str(scheme, "Basic") &&
		text_unbase64(&plain, span_trim(rest)) == 0)
		r = split_basic(buf_span(&plain), ret_user, user_size, ret_password);
	buf_wipe(&plain);
	return r;
}
