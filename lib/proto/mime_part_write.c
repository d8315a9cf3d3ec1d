/* Composing: text and attachments with their headers (RFC 2045, 2183, 2231). */
#include "base/cleanup.h"
#include "base/text.h"
#include "proto/mime_i.h"

enum {
	TEXT_LINE_MAX = 78, /* what is longer is broken by quoted-printable */
	QP_LINE_MAX = 76,
	BASE64_LINE = 57, /* bytes of one line of 76 letters */
	PARAM_MAX = 60, /* letters of a parameter in one piece */
};

/* Takes a line without its end: CR LF, LF or CR. False: nothing is left. */
static bool line_next(struct span *rest, struct span *ret)
{
	size_t len = 0, skip;

	if (rest->len == 0)
		return false;
	while (len < rest->len && rest->p[len] != '\r' && rest->p[len] != '\n')
		len++;
	skip = len + 1 < rest->len && rest->p[len] == '\r' && rest->p[len + 1] == '\n' ? 2 : 1;
	*ret = span_of(rest->p, len);
	*rest = mime_skip(*rest, len + skip);
	return true;
}

static bool is_from(struct span line)
{
	return span_starts(line, "From ");
}

static bool line_is_plain(struct span line)
{
	if (line.len > TEXT_LINE_MAX || is_from(line) || span_eq_str(line, "."))
		return false;
	for (size_t i = 0; i < line.len; i++)
		if ((line.p[i] < ' ' && line.p[i] != '\t') || line.p[i] >= 0x7f)
			return false;
	return line.len == 0 || (line.p[line.len - 1] != ' ' && line.p[line.len - 1] != '\t');
}

static bool text_is_plain(struct span text)
{
	struct span line;

	while (line_next(&text, &line))
		if (!line_is_plain(line))
			return false;
	return true;
}

static bool is_ascii(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] >= 0x80)
			return false;
	return true;
}

/* May this byte stand for itself? Not so a blank at the end, and what a mailbox or a transport
 * takes for its own: "From " and a lone dot at the beginning. */
static bool stands(struct span line, size_t i)
{
	unsigned char c = line.p[i];

	if (c == ' ' || c == '\t')
		return i + 1 < line.len;
	if (i == 0 && (is_from(line) || span_eq_str(line, ".")))
		return false;
	return c > ' ' && c < 0x7f && c != '=';
}

static void put_qp_line(struct buf *b, struct span line)
{
	size_t column = 0;

	for (size_t i = 0; i < line.len; i++) {
		bool plain = stands(line, i);
		size_t width = plain ? 1 : 3;

		/* The last place of a line is the soft break's, but on the last line. */
		if (column + width + (i + 1 < line.len ? 1 : 0) > QP_LINE_MAX) {
			buf_add_str(b, "=\r\n");
			column = 0;
		}
		if (plain)
			buf_add_byte(b, line.p[i]);
		else
			buf_addf(b, "=%02X", line.p[i]);
		column += width;
	}
	buf_add_str(b, "\r\n");
}

void mime_put_text(struct buf *b, struct span utf8, const char *subtype)
{
	bool plain = text_is_plain(utf8);
	struct span line;

	buf_addf(b, "Content-Type: text/%s; charset=%s\r\nContent-Transfer-Encoding: %s\r\n\r\n",
		subtype, is_ascii(utf8) ? "us-ascii" : "utf-8",
		plain ? "7bit" : "quoted-printable");
	while (line_next(&utf8, &line)) {
		if (!plain) {
			put_qp_line(b, line);
			continue;
		}
		buf_add(b, line);
		buf_add_str(b, "\r\n");
	}
}

void mime_put_base64(struct buf *b, struct span bytes)
{
	while (bytes.len > 0 && buf_error(b) == 0) {
		size_t len = bytes.len < BASE64_LINE ? bytes.len : BASE64_LINE;

		text_base64(b, span_of(bytes.p, len), 0);
		buf_add_str(b, "\r\n");
		bytes = mime_skip(bytes, len);
	}
}

/* -- attachments ------------------------------------------------------------------------------- */

static bool is_token(unsigned char c)
{
	return c > ' ' && c < 0x7f && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

/* attribute-char of RFC 2231 section 7 */
static bool is_attribute(unsigned char c)
{
	return is_token(c) && c != '*' && c != '\'' && c != '%';
}

static bool type_ok(const char *type)
{
	struct span rest = span_str(type), head = {NULL, 0};

	if (!span_split(&rest, '/', &head) || head.len == 0 || rest.len == 0)
		return false;
	for (size_t i = 0; i < head.len; i++)
		if (!is_token(head.p[i]))
			return false;
	for (size_t i = 0; i < rest.len; i++)
		if (!is_token(rest.p[i]))
			return false;
	/* These may not be in base64 (RFC 2046 section 5). */
	return !span_caseeq_str(head, "message") && !span_caseeq_str(head, "multipart");
}

static bool param_is_simple(struct span value)
{
	if (value.len > PARAM_MAX || !text_is_print(value))
		return false;
	return memchr(value.p, '"', value.len) == NULL && memchr(value.p, '\\', value.len) == NULL;
}

/* One piece of an extended value, cut between letters. */
static void put_piece(struct buf *b, struct span *rest)
{
	size_t from = b->len;

	while (rest->len > 0 && b->len - from + 3 <= PARAM_MAX) {
		if (is_attribute(rest->p[0]))
			buf_add_byte(b, rest->p[0]);
		else
			buf_addf(b, "%%%02X", rest->p[0]);
		*rest = mime_skip(*rest, 1);
		if (buf_error(b) < 0)
			return;
	}
}

/* "; name=value", on a line of its own (or several, RFC 2231). */
static void put_param(struct buf *b, const char *name, struct span value)
{
	_cleanup_(buf_done) struct buf pieces = BUF_INIT(MIME_FIELD_MAX);
	const char *charset = "utf-8''";

	if (param_is_simple(value)) {
		buf_addf(b, ";\r\n\t%s=\"%.*s\"", name, (int)value.len, (const char *)value.p);
		return;
	}
	put_piece(&pieces, &value);
	if (value.len == 0) {
		buf_addf(b, ";\r\n\t%s*=%s%s", name, charset, buf_str(&pieces));
		return;
	}
	for (unsigned n = 0; buf_error(&pieces) == 0 && pieces.len > 0; n++) {
		buf_addf(b, ";\r\n\t%s*%u*=%s%s", name, n, n == 0 ? charset : "", buf_str(&pieces));
		buf_reset(&pieces);
		put_piece(&pieces, &value);
	}
	if (buf_error(&pieces) < 0 && b->error == 0)
		b->error = buf_error(&pieces);
}

/* The last part of a path, without control characters. */
static void put_name(struct buf *b, struct span filename)
{
	uint32_t cp;
	bool bad;

	for (size_t i = filename.len; i > 0; i--) {
		if (filename.p[i - 1] != '/')
			continue;
		filename = mime_skip(filename, i);
		break;
	}
	filename = mime_utf8_cut(filename, MIME_WORD_MAX / 4);
	while (mime_utf8_next(&filename, &cp, &bad))
		if (cp >= 0x20 && (cp < 0x7f || cp >= 0xa0) && !mime_is_hidden(cp))
			mime_utf8_put(b, cp);
}

void mime_put_attachment(struct buf *b, const struct mime_attachment *a)
{
	_cleanup_(buf_done) struct buf name = BUF_INIT(MIME_WORD_MAX);

	put_name(&name, a->filename);
	buf_addf(b, "Content-Type: %s", type_ok(a->type) ? a->type : "application/octet-stream");
	if (name.len > 0)
		put_param(b, "name", buf_span(&name));
	buf_add_str(b, "\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment");
	if (name.len > 0)
		put_param(b, "filename", buf_span(&name));
	buf_add_str(b, "\r\n\r\n");
	mime_put_base64(b, a->bytes);
}
