/*
 * Tells what the MIME reader sees in messages, for test_mime_oracle.py to compare with others: one
 * line of JSON for each file named.
 */
#include "proto/mime.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/timefmt.h"

#include <stdio.h>

enum { MESSAGE_MAX = 32 << 20 };

static void tell_string(struct buf *b, const char *name, struct span s)
{
	buf_addf(b, "\"%s\": ", name);
	text_json(b, s);
	buf_add_str(b, ", ");
}

static void tell_bytes(struct buf *b, const char *name, struct span s)
{
	buf_addf(b, "\"%s\": \"", name);
	text_base64(b, s, 0);
	buf_add_str(b, "\", ");
}

/* -- fields ------------------------------------------------------------------------------------ */

static void tell_subject(struct buf *b, struct span header)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 20), base = BUF_INIT(1 << 20);
	struct mime_field field;
	bool reply = false;

	if (mime_field(header, "Subject", 0, &field) == 0) {
		mime_words_decode(&text, field.value);
		mime_base_subject(&base, field.value, &reply);
	}
	tell_string(b, "subject", buf_span(&text));
	tell_string(b, "base_subject", buf_span(&base));
	buf_addf(b, "\"reply\": %s, ", reply ? "true" : "false");
}

static void tell_date(struct buf *b, struct span header)
{
	struct mime_field field;
	int64_t at_us;
	int32_t offset_s;

	if (mime_field(header, "Date", 0, &field) == 0 &&
		mime_date_parse(field.value, &at_us, &offset_s) == 0)
		buf_addf(b, "\"date\": [%lld, %d], ", (long long)(at_us / TIME_S_US), offset_s);
	else
		buf_add_str(b, "\"date\": null, ");
}

static void tell_addresses(struct buf *b, struct span header, const char *name)
{
	struct mime_addresses a;
	struct mime_field field = {.value = {NULL, 0}};

	(void)mime_field(header, name, 0, &field);
	if (mime_addresses_parse(field.value, false, &a) < 0)
		exit(1);
	buf_addf(b, "\"%s\": [", name);
	for (size_t i = 0; i < a.count; i++) {
		buf_add_str(b, i > 0 ? ", {" : "{");
		tell_string(b, "name", a.list[i].name);
		tell_string(b, "local", a.list[i].local);
		tell_string(b, "domain", a.list[i].domain);
		buf_addf(b, "\"group\": %d}",
			a.list[i].group_begin         ? 1
				: a.list[i].group_end ? 2
						      : 0);
	}
	buf_add_str(b, "], ");
	mime_addresses_done(&a);
}

/* -- parts ------------------------------------------------------------------------------------- */

static void tell_type(struct buf *b, const struct mime *m, const struct mime_part *p)
{
	struct mime_type type;

	if (mime_type_of(m, p, &type) < 0)
		exit(1);
	tell_string(b, "type", span_str(type.type));
	tell_string(b, "subtype", span_str(type.subtype));
	buf_add_str(b, "\"params\": {");
	for (size_t i = 0; i < type.params.count; i++) {
		buf_add_str(b, i > 0 ? ", " : "");
		text_json(b, span_str(type.params.list[i].name));
		buf_add_str(b, ": ");
		text_json(b, span_str(type.params.list[i].value));
	}
	buf_add_str(b, "}, ");
	mime_type_done(&type);
}

static void tell_part(struct buf *b, const struct mime *m, const struct mime_part *p)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(MESSAGE_MAX), text = BUF_INIT(MESSAGE_MAX);
	_cleanup_(buf_done) struct buf name = BUF_INIT(1024);
	struct mime_decoder d = {.encoding = p->encoding};

	buf_addf(b, "{\"kind\": %d, \"parent\": %lld, \"lines\": %u, \"size\": %llu, ",
		(int)p->kind, p->parent == MIME_NONE ? -1LL : (long long)p->parent, p->body_lines,
		(unsigned long long)p->body_len);
	tell_type(b, m, p);
	if (mime_filename(m, p, &name) == 0)
		tell_string(b, "filename", buf_span(&name));
	if (p->kind == MIME_LEAF) {
		(void)mime_decode(&d, mime_body(m, p), &body);
		(void)mime_decode_end(&d, &body);
		tell_bytes(b, "body", buf_span(&body));
		if (mime_text(m, p, &text) == 0)
			tell_string(b, "text", buf_span(&text));
	}
	tell_bytes(b, "raw", mime_body(m, p));
	buf_add_str(b, "\"end\": 0}");
}

static void tell_message(struct buf *b, const struct mime *m)
{
	static const char *const fields[] = {"From", "Sender", "Reply-To", "To", "Cc"};
	struct span header = mime_header(m, &m->parts[0]);
	_cleanup_(buf_done) struct buf record = BUF_INIT(4 << 20);
	struct mime_record r;

	if (mime_record_write(m, &record) < 0 || mime_record_open(buf_span(&record), &r) < 0)
		exit(1);
	buf_add_byte(b, '{');
	tell_subject(b, header);
	tell_date(b, header);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		tell_addresses(b, header, fields[i]);
	tell_bytes(b, "envelope", r.envelope);
	tell_bytes(b, "bodystructure", r.bodystructure);
	tell_string(b, "msgid", r.msgid);
	buf_add_str(b, "\"parts\": [");
	for (size_t i = 0; i < m->count; i++) {
		buf_add_str(b, i > 0 ? ", " : "");
		tell_part(b, m, &m->parts[i]);
	}
	buf_add_str(b, "]}\n");
}

static bool read_file(const char *path, struct buf *b)
{
	_cleanup_(cleanup_fclose) FILE *f = fopen(path, "rbe");
	char piece[4096];
	size_t n;

	while (f != NULL && (n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_add(b, span_of(piece, n));
	return f != NULL && ferror(f) == 0 && buf_error(b) == 0;
}

int main(int argc, char **argv)
{
	mime_charset_warm();
	for (int i = 1; i < argc; i++) {
		_cleanup_(buf_done) struct buf message = BUF_INIT(MESSAGE_MAX);
		_cleanup_(buf_done) struct buf out = BUF_INIT((size_t)MESSAGE_MAX * 4);
		struct mime m;

		if (!read_file(argv[i], &message) || mime_parse(buf_span(&message), &m) < 0)
			return 1;
		tell_message(&out, &m);
		mime_done(&m);
		if (buf_error(&out) < 0 || fwrite(out.p, 1, out.len, stdout) != out.len)
			return 1;
	}
	return 0;
}
