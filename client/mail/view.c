/* A message taken apart for reading: its text, and what is attached. Nothing is ever loaded from
 * elsewhere. */
#include "client/mail/mail.h"

#include "base/timefmt.h"

#include <errno.h>

enum {
	TEXT_MAX = 16 << 20,
	FIELD_MAX = 65536,
	FILES_MAX = MIME_PARTS_MAX,
};

void mail_view_done(struct mail_view *v)
{
	mime_done(&v->mime);
	free(v->from);
	free(v->to);
	free(v->cc);
	free(v->subject);
	free(v->date);
	free(v->msgid);
	free(v->reply_to);
	buf_done(&v->text);
	for (size_t i = 0; i < v->file_count; i++)
		free(v->files[i].name);
	free(v->files);
	*v = (struct mail_view){.files = NULL};
}

/* -- header ------------------------------------------------------------------------------------ */

static char *field_text(struct span header, const char *name)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(FIELD_MAX);
	struct mime_field f;

	if (mime_field(header, name, 0, &f) == 0)
		mime_words_decode(&b, f.value);
	return strdup(buf_error(&b) == 0 ? buf_str(&b) : "");
}

/* "21 Nov 2026 14:05", where we are. */
static char *date_text(int64_t at_us)
{
	static const char *const months[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct time_parts t;
	char text[64] = "";

	if (at_us != INT64_MIN && time_local(at_us, &t) == 0)
		snprintf(text, sizeof text, "%d %s %d %02d:%02d", t.day, months[t.month - 1],
			t.year, t.hour, t.minute);
	return strdup(text);
}

static int header_read(struct mail_view *v)
{
	struct span header = mime_header(&v->mime, &v->mime.parts[0]);
	struct mime_field f;
	int32_t offset_s;

	v->sent_us = INT64_MIN;
	if (mime_field(header, "Date", 0, &f) == 0 &&
		mime_date_parse(f.value, &v->sent_us, &offset_s) < 0)
		v->sent_us = INT64_MIN;
	v->from = field_text(header, "From");
	v->to = field_text(header, "To");
	v->cc = field_text(header, "Cc");
	v->subject = field_text(header, "Subject");
	v->msgid = field_text(header, "Message-ID");
	v->reply_to = field_text(header, "Reply-To");
	v->date = date_text(v->sent_us);
	return v->from != NULL && v->to != NULL && v->cc != NULL && v->subject != NULL &&
			v->msgid != NULL && v->reply_to != NULL && v->date != NULL
		? 0
		: -ENOMEM;
}

/* -- which parts ------------------------------------------------------------------------------- */

static bool is_type(const struct mime *m, uint32_t part, const char *type, const char *subtype)
{
	_cleanup_(mime_type_done) struct mime_type t = {.type = ""};

	return part < m->count && mime_type_of(m, &m->parts[part], &t) == 0 &&
		strcmp(t.type, type) == 0 && (subtype == NULL || strcmp(t.subtype, subtype) == 0);
}

/* Of the same in several forms: plain text before what holds other parts, before HTML. */
static uint32_t choose(const struct mime *m, uint32_t alternative)
{
	uint32_t chosen = MIME_NONE, rank = 0;

	for (uint32_t i = m->parts[alternative].first; i != MIME_NONE && i < m->count;
		i = m->parts[i].next) {
		uint32_t own = is_type(m, i, "text", "plain") ? 4
			: m->parts[i].kind == MIME_MULTIPART  ? 3
			: is_type(m, i, "text", "html")       ? 2
							      : 1;

		if (own > rank) {
			rank = own;
			chosen = i;
		}
	}
	return chosen;
}

/* Is a part hidden by what it lies in? Parts come before those inside of them. */
static bool is_hidden(const struct mime *m, const bool *hidden, uint32_t part)
{
	uint32_t parent = m->parts[part].parent;

	if (parent >= part)
		return false;
	if (hidden[parent] || m->parts[parent].kind == MIME_MESSAGE)
		return true;
	return is_type(m, parent, "multipart", "alternative") && choose(m, parent) != part;
}

static bool is_attachment(const struct mime *m, const struct mime_part *p)
{
	struct mime_type t = {.type = ""};
	struct mime_field f;
	bool is = false;

	if (mime_field(mime_header(m, p), "Content-Disposition", 0, &f) == 0 &&
		mime_type_parse(f.value, &t) == 0)
		is = strcmp(t.type, "attachment") == 0;
	mime_type_done(&t);
	return is;
}

/* -- text -------------------------------------------------------------------------------------- */

/* Without control characters (C1 are two bytes), lines ended by LF. */
static void add_clean(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = s.p[i];

		if (c == '\r' && i + 1 < s.len && s.p[i + 1] == '\n')
			continue;
		if (c == '\r')
			c = '\n';
		if (c == 0xc2 && i + 1 < s.len && s.p[i + 1] >= 0x80 && s.p[i + 1] < 0xa0) {
			i++;
			continue;
		}
		if (c >= ' ' ? c != 0x7f : c == '\n' || c == '\t')
			buf_add_byte(b, c);
	}
}

static int add_text(struct mail_view *v, uint32_t part, bool html)
{
	_cleanup_(buf_done) struct buf raw = BUF_INIT(TEXT_MAX), plain = BUF_INIT(TEXT_MAX);
	int r = mime_text(&v->mime, &v->mime.parts[part], &raw);

	if (r < 0)
		return r;
	if (html)
		mime_html_text(&plain, buf_span(&raw));
	if (v->text.len > 0 && v->text.p[v->text.len - 1] != '\n')
		buf_add_byte(&v->text, '\n');
	if (v->text.len > 0)
		buf_add_byte(&v->text, '\n');
	add_clean(&v->text, buf_span(html ? &plain : &raw));
	v->html |= html;
	return buf_error(&v->text) == -ENOMEM ? -ENOMEM : 0;
}

/* -- files ------------------------------------------------------------------------------------- */

static const char *extension_of(const struct mime_type *t)
{
	if (strcmp(t->type, "message") == 0)
		return "eml";
	if (strcmp(t->type, "text") == 0)
		return strcmp(t->subtype, "html") == 0 ? "html" : "txt";
	return "bin";
}

/* Four letters are three bytes, whatever the lines look like. */
static uint64_t decoded_size(const struct mime *m, const struct mime_part *p)
{
	struct span body = mime_body(m, p);
	uint64_t letters = 0;

	if (p->encoding != MIME_BASE64)
		return body.len;
	for (size_t i = 0; i < body.len; i++)
		letters += body.p[i] > ' ' && body.p[i] != '=';
	return letters * 3 / 4;
}

static int add_file(struct mail_view *v, uint32_t part)
{
	_cleanup_(buf_done) struct buf name = BUF_INIT(MIME_WORD_MAX + 64);
	_cleanup_(mime_type_done) struct mime_type t = {.type = ""};
	const struct mime_part *p = &v->mime.parts[part];
	struct mail_file *list = reallocarray(v->files, v->file_count + 1, sizeof *list), *f;
	int r = list != NULL ? mime_type_of(&v->mime, p, &t) : -ENOMEM;

	if (list != NULL)
		v->files = list;
	if (r < 0)
		return r;
	f = &v->files[v->file_count];
	*f = (struct mail_file){.part = part, .size = decoded_size(&v->mime, p)};
	snprintf(f->type, sizeof f->type, "%s/%s", t.type, t.subtype);
	if (mime_filename(&v->mime, p, &name) < 0 || name.len == 0) {
		buf_reset(&name);
		buf_addf(&name, "attachment-%zu.%s", v->file_count + 1, extension_of(&t));
	}
	f->name = strdup(buf_str(&name));
	if (f->name == NULL)
		return -ENOMEM;
	v->file_count++;
	return 0;
}

/* What a signature is made of is of no use to a reader. */
static bool is_signature(const struct mime *m, uint32_t part)
{
	return is_type(m, part, "application", "pkcs7-signature") ||
		is_type(m, part, "application", "x-pkcs7-signature") ||
		is_type(m, part, "application", "pgp-signature");
}

static int part_read(struct mail_view *v, uint32_t part)
{
	const struct mime_part *p = &v->mime.parts[part];
	bool plain, html;

	if (p->kind == MIME_MULTIPART || is_signature(&v->mime, part))
		return 0;
	plain = is_type(&v->mime, part, "text", "plain");
	html = is_type(&v->mime, part, "text", "html");
	if (p->kind == MIME_LEAF && (plain || html) && !is_attachment(&v->mime, p)) {
		int r = add_text(v, part, html);

		if (r != -EINVAL)
			return r;
	}
	return add_file(v, part);
}

static int parts_read(struct mail_view *v)
{
	bool *hidden = calloc(v->mime.count, sizeof *hidden);
	int r = hidden != NULL ? 0 : -ENOMEM;

	for (uint32_t i = 0; r == 0 && i < v->mime.count; i++) {
		hidden[i] = i > 0 && is_hidden(&v->mime, hidden, i);
		if (!hidden[i])
			r = part_read(v, i);
	}
	free(hidden);
	return r;
}

int mail_view_make(struct span message, struct mail_view *ret)
{
	struct mail_view v = {.text = BUF_INIT(TEXT_MAX)};
	int r = mime_parse(message, &v.mime);

	if (r == 0)
		r = header_read(&v);
	if (r == 0)
		r = parts_read(&v);
	if (r < 0) {
		mail_view_done(&v);
		return r;
	}
	*ret = v;
	return 0;
}

int mail_view_file(const struct mail_view *v, size_t index, struct buf *ret)
{
	const struct mime_part *p;
	struct mime_decoder d;
	int r;

	if (index >= v->file_count)
		return -ENOENT;
	p = &v->mime.parts[v->files[index].part];
	d = (struct mime_decoder){.encoding = p->encoding};
	r = mime_decode(&d, mime_body(&v->mime, p), ret);
	return r == 0 ? mime_decode_end(&d, ret) : r;
}
