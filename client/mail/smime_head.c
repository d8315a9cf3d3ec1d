/* Headers of signed and encrypted messages: what is protected, and what describes a body. */
#include "client/mail/smime.h"

#include "base/text.h"

#include <errno.h>

enum { FIELD_MAX = 65536, ADDRESS_MAX = 1024 };

bool smime_is_content(struct span name)
{
	return name.len >= 8 && span_caseeq_str(span_of(name.p, 8), "Content-");
}

void smime_pick(struct buf *b, struct span header, bool content)
{
	struct mime_field f;

	while (mime_field_next(&header, &f))
		if (smime_is_content(f.name) == content)
			buf_add(b, f.whole);
}

/* The type with its parameters, and the mark that tells of what else is in the header. */
static void put_type(struct buf *b, struct span header)
{
	_cleanup_(buf_done) struct buf value = BUF_INIT(FIELD_MAX);
	struct mime_field f;

	if (mime_field(header, "Content-Type", 0, &f) == 0)
		mime_unfold(&value, f.value);
	else
		buf_add_str(&value, "text/plain; charset=us-ascii");
	buf_add_str(b, "Content-Type: ");
	buf_add(b, buf_span(&value));
	buf_add_str(b, ";\r\n protected-headers=\"v1\"\r\n");
}

/* What is of the way it is sent, or of this copy only, is not protected. */
static bool is_outside(struct span name)
{
	static const char *const names[] = {"MIME-Version", "Return-Path", "Received", "Bcc"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (span_caseeq_str(name, names[i]))
			return true;
	return false;
}

int smime_protected(struct buf *b, const struct mime *m)
{
	struct span header = mime_header(m, &m->parts[0]), rest = header;
	struct mime_field f;

	put_type(b, header);
	while (mime_field_next(&rest, &f))
		if (!is_outside(f.name) && !span_caseeq_str(f.name, "Content-Type"))
			buf_add(b, f.whole);
	buf_add_str(b, "\r\n");
	buf_add(b, mime_body(m, &m->parts[0]));
	return buf_error(b);
}

bool smime_is_protected(const struct mime *m)
{
	_cleanup_(mime_type_done) struct mime_type t = {.type = ""};

	if (mime_type_of(m, &m->parts[0], &t) < 0)
		return false;
	/* The older mark, and that of RFC 9788. */
	return mime_param(&t.params, "protected-headers") != NULL ||
		mime_param(&t.params, "hp") != NULL;
}

int smime_from(struct span header, struct buf *ret)
{
	_cleanup_(mime_addresses_done) struct mime_addresses a = {.list = NULL};
	struct mime_field f, second;
	int r = mime_field(header, "From", 0, &f);

	if (r < 0 || mime_field(header, "From", 1, &second) == 0)
		return -ENOENT;
	r = mime_addresses_parse(f.value, false, &a);
	if (r < 0)
		return r;
	if (a.count != 1 || a.list[0].group_begin || a.list[0].domain.len == 0)
		return -ENOENT;
	buf_add(ret, a.list[0].local);
	buf_add_byte(ret, '@');
	buf_add(ret, a.list[0].domain);
	return buf_error(ret);
}

/* Names are folded to lower case here, so the local part may be too. */
bool smime_same_address(const char *a, struct span b)
{
	return a[0] != '\0' && span_caseeq_str(b, a);
}
