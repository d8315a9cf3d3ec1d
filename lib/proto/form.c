/*
 * Form bodies. All decoded values lie in one buffer that is reserved at its final size before the
 * first value is decoded, so that the spans handed out stay where they are.
 */
#include "proto/form.h"

#include "base/text.h"

#include <errno.h>

enum { FORM_MAX_BYTES = 16384 };

/* Names are ours: lower-case letters, digits, '_' and '-'. */
static int read_name(struct span name, char *ret, size_t size)
{
	if (name.len == 0 || name.len >= size)
		return -EINVAL;
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = name.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
			return -EINVAL;
	}
	return span_copy_str(name, ret, size);
}

static int read_field(struct form *f, struct span pair)
{
	struct form_field *field = &f->fields[f->count];
	struct span name;
	size_t start = f->bytes.len;
	int r;

	if (memchr(pair.p, '=', pair.len) == NULL)
		return -EINVAL;
	(void)span_split(&pair, '=', &name);
	r = read_name(name, field->name, sizeof(field->name));
	if (r < 0)
		return r;
	if (form_value(f, field->name).p != NULL)
		return -EEXIST;
	r = text_percent_decode(&f->bytes, pair, true);
	if (r < 0)
		return r;
	field->value = span_of(f->bytes.p + start, f->bytes.len - start);
	f->count++;
	return 0;
}

int form_parse(struct span body, struct form *ret)
{
	struct form f = {.bytes = BUF_INIT(FORM_MAX_BYTES)};
	struct span pair;
	bool more = body.len > 0;
	int r = 0;

	if (body.len > FORM_MAX_BYTES)
		return -E2BIG;
	if (buf_reserve(&f.bytes, body.len) == NULL && body.len > 0)
		return -ENOMEM;
	while (r == 0 && more) {
		if (f.count == FORM_MAX_FIELDS) {
			r = -E2BIG;
			break;
		}
		more = memchr(body.p, '&', body.len) != NULL;
		r = span_split(&body, '&', &pair) ? read_field(&f, pair) : -EINVAL;
		if (more && body.len == 0)
			r = -EINVAL;
	}
	if (r < 0) {
		form_done(&f);
		return r;
	}
	*ret = f;
	return 0;
}

struct span form_value(const struct form *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++)
		if (span_eq_str(span_str(f->fields[i].name), name))
			return f->fields[i].value;
	return (struct span){NULL, 0};
}

void form_done(struct form *f)
{
	buf_wipe(&f->bytes);
	f->count = 0;
}

void form_add(struct buf *b, const char *name, struct span value)
{
	if (b->len > 0)
		buf_add_byte(b, '&');
	buf_add_str(b, name);
	buf_add_byte(b, '=');
	text_percent_encode(b, value);
}
