/* Content-Type, Content-Disposition: their words and parameters, decoded. */
#include "base/cleanup.h"
#include "base/text.h"
#include "proto/mime_i.h"

#include <errno.h>

void mime_type_done(struct mime_type *t)
{
	free(t->params.list);
	t->params = (struct mime_params){.count = 0};
}

static void copy_lower(struct span s, char *ret, size_t size)
{
	size_t n = s.len < size ? s.len : size - 1;

	for (size_t i = 0; i < n; i++)
		ret[i] = (char)mime_lower(s.p[i]);
	ret[n] = '\0';
}

/* Encoded words are not allowed here, but many send names of files so. */
static bool is_name(struct span name)
{
	return span_caseeq_str(name, "name") || span_caseeq_str(name, "filename");
}

/* To UTF-8 without NUL. */
static int decode_value(const struct mime_raw_param *raw, struct buf *b)
{
	_cleanup_(buf_done) struct buf bytes = BUF_INIT((size_t)MIME_FIELD_MAX * 3);
	struct span charset;

	if (!raw->extended && is_name(raw->name)) {
		mime_words_decode(b, raw->value);
		return buf_error(b);
	}
	if (!raw->extended)
		return mime_to_utf8(b, SPAN_LIT("us-ascii"), raw->value);
	mime_raw_decode(raw->value, &charset, &bytes);
	if (buf_error(&bytes) < 0)
		return buf_error(&bytes);
	return mime_to_utf8(b, charset, buf_span(&bytes));
}

static int set_param(const struct mime_raw_param *raw, struct mime_param *ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT((size_t)MIME_FIELD_MAX * 4);
	int r = decode_value(raw, &b);
	struct span value;
	size_t n = 0;

	if (r == -ENOMEM)
		return r;
	copy_lower(raw->name, ret->name, sizeof(ret->name));
	value = mime_utf8_cut(buf_span(&b), sizeof(ret->value) - 1);
	for (size_t i = 0; i < value.len; i++)
		if (value.p[i] != '\0')
			ret->value[n++] = (char)value.p[i];
	ret->value[n] = '\0';
	return 0;
}

static bool has_extended(const struct mime_raw *raw, const struct mime_raw_param *param)
{
	for (size_t i = 0; i < raw->count; i++) {
		struct span a = raw->list[i].name, b = param->name;
		size_t k = 0;

		if (!raw->list[i].extended || a.len != b.len)
			continue;
		while (k < a.len && mime_lower(a.p[k]) == mime_lower(b.p[k]))
			k++;
		if (k == a.len)
			return true;
	}
	return false;
}

/* A name that is there both ways is meant as its extended value says (RFC 2231, RFC 6266). */
static int set_params(const struct mime_raw *raw, struct mime_params *ret)
{
	struct mime_params params = {.count = 0};

	if (raw->count == 0) {
		*ret = params;
		return 0;
	}
	params.list = calloc(raw->count, sizeof(*params.list));
	if (params.list == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < raw->count; i++) {
		if (!raw->list[i].extended && has_extended(raw, &raw->list[i]))
			continue;
		if (set_param(&raw->list[i], &params.list[params.count]) < 0) {
			free(params.list);
			return -ENOMEM;
		}
		params.count++;
	}
	*ret = params;
	return 0;
}

static int set_type(const struct mime_raw *raw, struct mime_type *ret)
{
	struct mime_type t = {.params.count = 0};

	copy_lower(raw->type, t.type, sizeof(t.type));
	copy_lower(raw->subtype, t.subtype, sizeof(t.subtype));
	if (set_params(raw, &t.params) < 0)
		return -ENOMEM;
	*ret = t;
	return 0;
}

/* A disposition is a word alone: it is taken for no type that lacks its second half. */
int mime_type_parse(struct span value, struct mime_type *ret)
{
	_cleanup_(mime_raw_done) struct mime_raw raw = {.count = 0};
	int r = mime_raw_parse(value, &raw);

	if (r < 0)
		return r;
	if (raw.type.len > 0)
		return set_type(&raw, ret);
	mime_raw_done(&raw);
	r = mime_raw_type(span_of(NULL, 0), false, &raw);
	return r < 0 ? r : set_type(&raw, ret);
}

int mime_type_of(const struct mime *m, const struct mime_part *p, struct mime_type *ret)
{
	_cleanup_(mime_raw_done) struct mime_raw raw = {.count = 0};
	int r = mime_raw_type(mime_header(m, p), p->in_digest, &raw);

	return r < 0 ? r : set_type(&raw, ret);
}

const char *mime_param(const struct mime_params *params, const char *name)
{
	for (size_t i = 0; i < params->count; i++)
		if (span_caseeq_str(span_str(params->list[i].name), name))
			return params->list[i].value;
	return NULL;
}

/* -- names of files ---------------------------------------------------------------------------- */

enum { NAME_MAX_BYTES = 200 };

/* No folders, no control characters, nothing that hides the file or breaks a line. */
static void clean_name(struct span name, struct buf *ret)
{
	uint32_t cp;
	bool bad;

	for (size_t i = 0; i < name.len; i++) {
		if (name.p[i] != '/' && name.p[i] != '\\')
			continue;
		if (i + 1 < name.len) {
			name = mime_skip(name, i + 1);
			i = (size_t)-1;
		} else {
			name.len--;
		}
	}
	name = mime_trim(name);
	while (name.len > 0 && name.p[0] == '.')
		name = mime_skip(name, 1);
	name = mime_utf8_cut(name, NAME_MAX_BYTES);
	while (mime_utf8_next(&name, &cp, &bad))
		if (cp >= 0x20 && (cp < 0x7f || cp > 0x9f) && !mime_is_hidden(cp))
			mime_utf8_put(ret, cp);
}

static int name_of(struct span header, const char *field_name, const char *param, struct buf *ret)
{
	struct mime_field field;
	struct mime_type type;
	const char *name;
	size_t before = ret->len;

	if (mime_field(header, field_name, 0, &field) < 0)
		return -ENOENT;
	if (mime_type_parse(field.value, &type) < 0)
		return -ENOMEM;
	name = mime_param(&type.params, param);
	if (name != NULL)
		clean_name(span_str(name), ret);
	mime_type_done(&type);
	if (buf_error(ret) < 0)
		return buf_error(ret);
	return ret->len > before ? 0 : -ENOENT;
}

int mime_filename(const struct mime *m, const struct mime_part *p, struct buf *ret)
{
	struct span header = mime_header(m, p);
	int r = name_of(header, "Content-Disposition", "filename", ret);

	return r == -ENOENT ? name_of(header, "Content-Type", "name", ret) : r;
}
