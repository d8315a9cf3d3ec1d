/* ENVELOPE (RFC 3501 section 7.4.2), and how strings of messages are said in IMAP. */
#include "proto/mime_i.h"

#include <errno.h>

enum {
	QUOTED_MAX = 4096, /* a longer string is a literal */
	POOR_STRING = 32,
	POOR_ADDRESSES = 100,
};

/* -- strings ----------------------------------------------------------------------------------- */

static bool quotable(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < ' ' || s.p[i] > 0x7e)
			if (s.p[i] != '\t')
				return false;
	return s.len <= QUOTED_MAX;
}

static void put_quoted(struct buf *b, struct span s)
{
	buf_add_byte(b, '"');
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_add_byte(b, '\\');
		buf_add_byte(b, s.p[i]);
	}
	buf_add_byte(b, '"');
}

/* No NUL may be in a literal either. */
static void put_literal(struct buf *b, struct span s)
{
	buf_addf(b, "{%zu}\r\n", s.len);
	for (size_t i = 0; i < s.len; i++)
		buf_add_byte(b, s.p[i] != '\0' ? s.p[i] : '?');
}

void mime_put_nstring(struct buf *b, struct span s, bool present)
{
	if (!present)
		buf_add_str(b, "NIL");
	else if (quotable(s))
		put_quoted(b, s);
	else
		put_literal(b, s);
}

void mime_view_string(struct mime_view *v, struct span s, bool present)
{
	if (v->poor)
		s = mime_utf8_cut(s, POOR_STRING);
	mime_put_nstring(v->b, s, present);
}

/* -- addresses --------------------------------------------------------------------------------- */

static void put_address(struct mime_view *v, const struct mime_address *a)
{
	bool group = a->group_begin || a->group_end;

	buf_add_byte(v->b, '(');
	mime_view_string(v, a->name, a->name.len > 0 && !group);
	buf_add_byte(v->b, ' ');
	mime_view_string(v, a->route, a->route.len > 0);
	buf_add_byte(v->b, ' ');
	mime_view_string(v, a->group_begin ? a->name : a->local, !a->group_end);
	buf_add_byte(v->b, ' ');
	mime_view_string(v, a->domain, !group);
	buf_add_byte(v->b, ')');
}

/* Appends those of one field's value; *count of all fields of the name so far. */
static void put_value(struct mime_view *v, struct span value, size_t *count)
{
	size_t max = v->poor ? POOR_ADDRESSES : MIME_ADDRESSES_MAX;
	struct mime_addresses a;

	if (mime_addresses_parse(value, true, &a) < 0) {
		v->b->error = v->b->error == 0 ? -ENOMEM : v->b->error;
		return;
	}
	for (size_t i = 0; i < a.count && *count < max; i++, (*count)++) {
		if (*count == 0)
			buf_add_byte(v->b, '(');
		put_address(v, &a.list[i]);
	}
	mime_addresses_done(&a);
}

/* A name that is there more than once, against the standard, has all its addresses. */
static size_t put_list(struct mime_view *v, struct span header, const char *name)
{
	struct mime_field field;
	size_t count = 0, seen = 0;

	while (mime_field_named(&header, name, &seen, &field))
		put_value(v, field.value, &count);
	if (count > 0)
		buf_add_byte(v->b, ')');
	return count;
}

static void put_addresses(
	struct mime_view *v, struct span header, const char *name, const char *other)
{
	buf_add_byte(v->b, ' ');
	if (put_list(v, header, name) > 0)
		return;
	if (other == NULL || put_list(v, header, other) == 0)
		buf_add_str(v->b, "NIL");
}

/* -- the envelope ------------------------------------------------------------------------------ */

static void put_text(struct mime_view *v, struct span header, const char *name)
{
	struct mime_field field;
	struct buf text = BUF_INIT(MIME_FIELD_MAX);
	bool present = mime_field(header, name, 0, &field) == 0;

	if (present)
		mime_unfold(&text, field.value);
	if (buf_error(&text) < 0 && v->b->error == 0)
		v->b->error = buf_error(&text);
	mime_view_string(v, buf_span(&text), present);
	buf_done(&text);
}

void mime_view_envelope(struct mime_view *v, struct span header)
{
	buf_add_byte(v->b, '(');
	put_text(v, header, "Date");
	buf_add_byte(v->b, ' ');
	put_text(v, header, "Subject");
	put_addresses(v, header, "From", NULL);
	put_addresses(v, header, "Sender", "From");
	put_addresses(v, header, "Reply-To", "From");
	put_addresses(v, header, "To", NULL);
	put_addresses(v, header, "Cc", NULL);
	put_addresses(v, header, "Bcc", NULL);
	buf_add_byte(v->b, ' ');
	put_text(v, header, "In-Reply-To");
	buf_add_byte(v->b, ' ');
	put_text(v, header, "Message-ID");
	buf_add_byte(v->b, ')');
}

void mime_put_envelope(struct buf *b, struct span header)
{
	struct mime_view v = {.b = b};

	mime_view_envelope(&v, header);
}
