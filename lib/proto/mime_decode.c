/*
 * Transfer encodings, in pieces of any size: what is held back between two calls is less than one
 * unit of the encoding, or the blanks at a line's end so far (RFC 2045 section 6.7 rule 3).
 */
#include "proto/mime_i.h"

/* -- base64 ------------------------------------------------------------------------------------ */

enum { SKIP = 64, PAD = 65, BAD = 66 };

static unsigned value_of(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26u;
	if (mime_is_digit(c))
		return c - '0' + 52u;
	if (c == '+' || c == '/')
		return c == '+' ? 62 : 63;
	if (c == '=')
		return PAD;
	return mime_is_blank(c) ? SKIP : BAD;
}

/* What 2, 3 or 4 letters hold. */
static size_t unit_bytes(const unsigned char held[4], unsigned count, unsigned char ret[3])
{
	ret[0] = (unsigned char)(held[0] << 2 | held[1] >> 4);
	ret[1] = (unsigned char)(held[1] << 4 | (count > 2 ? held[2] >> 2 : 0));
	ret[2] = (unsigned char)((count > 2 ? held[2] << 6 : 0) | (count > 3 ? held[3] : 0));
	return count < 2 ? 0 : count - 1;
}

static void end_unit(struct mime_decoder *d, struct buf *out)
{
	unsigned char bytes[3];

	if (d->count >= 2)
		buf_add(out, span_of(bytes, unit_bytes(d->held, d->count, bytes)));
	if (d->count == 1)
		d->spoiled = true;
	d->count = 0;
}

/* State: how much padding a unit has, or that it is over. Whole padding ends all: what follows was
 * put there by somebody else (lists add their lines so). */
enum { B64_OVER = 4 };

static void pad(struct mime_decoder *d, struct buf *out)
{
	if (d->count < 2) {
		d->spoiled = true;
	} else if (d->count + ++d->state == 4) {
		end_unit(d, out);
		d->state = B64_OVER;
	}
}

static void decode_base64(struct mime_decoder *d, struct span in, struct buf *out)
{
	for (size_t i = 0; i < in.len; i++) {
		unsigned v = value_of(in.p[i]);

		if (v == SKIP)
			continue;
		if (d->state == B64_OVER || v == BAD) {
			d->spoiled = d->spoiled || v != PAD;
		} else if (v == PAD) {
			pad(d, out);
		} else {
			d->spoiled = d->spoiled || d->state > 0;
			d->state = 0;
			d->held[d->count++] = (unsigned char)v;
			if (d->count == 4)
				end_unit(d, out);
		}
	}
}

/* -- quoted-printable -------------------------------------------------------------------------- */

/* State: how much of an escape was read. Held: '=' and what came behind it. */
enum { QP_TEXT, QP_ESCAPE, QP_SOFT };

static void drop_blanks(struct mime_decoder *d)
{
	d->count = 0;
	d->tabs = 0;
}

static void flush_blanks(struct mime_decoder *d, struct buf *out)
{
	for (unsigned i = 0; i < d->count; i++)
		buf_add_byte(out, (d->tabs >> i & 1) != 0 ? '\t' : ' ');
	drop_blanks(d);
}

enum { BLANKS_MAX = 64 };

/* Blanks at a line's end were added on the way: a run of them is held until what follows is seen.
 */
static void hold_blank(struct mime_decoder *d, unsigned char c, struct buf *out)
{
	if (d->count == BLANKS_MAX)
		flush_blanks(d, out);
	d->tabs = c == '\t' ? d->tabs | UINT64_C(1) << d->count : d->tabs;
	d->count++;
}

static void qp_text(struct mime_decoder *d, unsigned char c, struct buf *out)
{
	if (c == ' ' || c == '\t') {
		hold_blank(d, c, out);
		return;
	}
	if (c == '\r' || c == '\n')
		drop_blanks(d);
	flush_blanks(d, out);
	if (c == '=') {
		d->state = QP_ESCAPE;
		d->held[0] = 0;
		return;
	}
	if ((c < ' ' && c != '\r' && c != '\n') || c > 0x7e)
		d->spoiled = true;
	buf_add_byte(out, c);
}

static void qp_soft(struct mime_decoder *d, unsigned char c, struct buf *out);

/* Behind '=': two digits, or the end of the line; else the '=' was text. */
static void qp_escape(struct mime_decoder *d, unsigned char c, struct buf *out)
{
	unsigned char first = d->held[0];

	if (first == 0 && mime_is_blank(c)) {
		d->state = QP_SOFT;
		qp_soft(d, c, out);
	} else if (first == 0 && mime_hex(c) >= 0) {
		d->held[0] = c;
	} else if (first != 0 && mime_hex(c) >= 0) {
		buf_add_byte(out, (unsigned char)(mime_hex(first) << 4 | mime_hex(c)));
		d->state = QP_TEXT;
	} else {
		d->spoiled = true;
		d->state = QP_TEXT;
		buf_add_byte(out, '=');
		if (first != 0)
			buf_add_byte(out, first);
		qp_text(d, c, out);
	}
}

/* Behind "= " or "=\r": blanks up to the end of the line, or else it was text. */
static void qp_soft(struct mime_decoder *d, unsigned char c, struct buf *out)
{
	if (c == '\n') {
		d->state = QP_TEXT;
		drop_blanks(d);
	} else if (mime_is_blank(c)) {
		if (c != '\r' && d->count < BLANKS_MAX)
			hold_blank(d, c, out);
	} else {
		d->spoiled = true;
		d->state = QP_TEXT;
		buf_add_byte(out, '=');
		qp_text(d, c, out);
	}
}

static void decode_qp(struct mime_decoder *d, struct span in, struct buf *out)
{
	static void (*const steps[])(struct mime_decoder *, unsigned char, struct buf *) = {
		qp_text, qp_escape, qp_soft};

	for (size_t i = 0; i < in.len; i++)
		steps[d->state](d, in.p[i], out);
}

int mime_decode(struct mime_decoder *d, struct span in, struct buf *out)
{
	if (d->encoding == MIME_BASE64)
		decode_base64(d, in, out);
	else if (d->encoding == MIME_QP)
		decode_qp(d, in, out);
	else
		buf_add(out, in);
	return buf_error(out);
}

int mime_decode_end(struct mime_decoder *d, struct buf *out)
{
	if (d->encoding == MIME_BASE64) {
		d->spoiled = d->spoiled || d->count > 0;
		end_unit(d, out);
	} else if (d->encoding == MIME_QP && d->state == QP_ESCAPE && d->held[0] != 0) {
		d->spoiled = true;
		buf_add_byte(out, '=');
		buf_add_byte(out, d->held[0]);
	}
	d->state = QP_TEXT;
	drop_blanks(d);
	return buf_error(out);
}
