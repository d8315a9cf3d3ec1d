/*
 * Messages (RFC 5322, MIME: RFC 2045 to 2049, 2231, 2047, 6532) for maild and the client: one pure
 * parser with bounds on everything, which never refuses a message: what is malformed or too deep is
 * read as plain bytes. Spans point into what was parsed.
 *
 *	mime.c mime_header.c      the tree of parts, header fields
 *	mime_raw.c mime_type.c    Content-Type and others with parameters (RFC 2231)
 *	mime_word.c mime_word_write.c  encoded words (RFC 2047), read and written
 *	mime_charset.c mime_table.c  character sets (tables, iconv)
 *	mime_casefold.c mime_subject.c  text for comparing
 *	mime_decode.c             base64, quoted-printable, piece by piece
 *	mime_address.c mime_date.c mime_msgid.c  addresses, dates, Message-IDs
 *	mime_envelope.c mime_body.c  ENVELOPE, BODY, BODYSTRUCTURE
 *	mime_record.c             all that a server wants to keep, in one row
 *	mime_text.c mime_html.c mime_entity.c  what of a message is text, for searching and reading
 *	mime_write.c mime_part_write.c  composing: fields, encoded words, parts
 *	mime_binary.c             NULs out of a message
 *	mime_report.c             receipts (RFC 8098), read and written
 */
#ifndef PROTO_MIME_H
#define PROTO_MIME_H

#include "base/buf.h"

#include <stdint.h>

enum {
	MIME_DEPTH_MAX = 32, /* a part that lies deeper is a leaf */
	MIME_PARTS_MAX = 1000, /* further ones belong to the last */
	MIME_FIELDS_MAX = 5000, /* of one header: further ones are not looked at */
	MIME_FIELD_MAX = 64 << 10, /* bytes of one field that are looked at */
	MIME_PARAMS_MAX = 50,
	MIME_ADDRESSES_MAX = 1000, /* of one field */
	MIME_ADDRESS_MAX = 254, /* bytes of local@domain */
	MIME_WORD_MAX = 1024, /* bytes of a decoded parameter or name */
};
#define MIME_NONE UINT32_MAX

/* -- the tree ---------------------------------------------------------------------------------- */

enum mime_kind {
	MIME_LEAF,
	MIME_MULTIPART, /* children */
	MIME_MESSAGE, /* message/rfc822 or global: one child, the message inside */
};
enum mime_encoding {
	MIME_IDENTITY /* 7bit, 8bit, binary, none */,
	MIME_BASE64,
	MIME_QP,
	MIME_OTHER
};

struct mime_part {
	enum mime_kind kind;
	uint32_t parent, first, next; /* indices; MIME_NONE */
	uint32_t depth; /* 0: the message itself */
	bool in_digest; /* of a multipart/digest: message/rfc822 unless it says otherwise */
	enum mime_encoding encoding;
	uint64_t header, header_len; /* offset in the message; with the blank line */
	uint64_t body, body_len;
	uint32_t body_lines;
};

struct mime {
	struct span bytes; /* the message, borrowed */
	struct mime_part *parts; /* owned; parts[0] is the message itself */
	size_t count;
};

/* Lines may end in CR LF or LF. -ENOMEM only. */
int mime_parse(struct span message, struct mime *ret);
void mime_done(struct mime *m);

static inline struct span mime_header(const struct mime *m, const struct mime_part *p)
{
	return span_of(m->bytes.p + p->header, (size_t)p->header_len);
}
static inline struct span mime_body(const struct mime *m, const struct mime_part *p)
{
	return span_of(m->bytes.p + p->body, (size_t)p->body_len);
}

/* -- header fields ----------------------------------------------------------------------------- */

struct mime_field {
	struct span name; /* without ':' and blanks */
	struct span value; /* raw: folded, its own leading blank and line end included */
	struct span whole; /* name to the last line end */
};
/* Takes the next field off *rest; lines that are no fields are skipped. False at the blank line or
 * the end. */
bool mime_field_next(struct span *rest, struct mime_field *ret);
/* The nth (from 0) of that name; case does not matter. -ENOENT. */
int mime_field(struct span header, const char *name, size_t n, struct mime_field *ret);
/* Appends the value unfolded: line ends go, outer blanks too; nothing is decoded. */
void mime_unfold(struct buf *b, struct span value);

/* Appends the fields that are named (or, with except, all others) as they are and a blank line:
 * BODY[HEADER.FIELDS ...]. */
void mime_header_pick(
	struct buf *b, struct span header, const struct span *names, size_t count, bool except);

/* "type/subtype; name=value ...", Content-Disposition and the like. */
struct mime_param {
	char name[64]; /* lower case; RFC 2231's numbers and '*' are gone */
	char value[MIME_WORD_MAX]; /* UTF-8 */
};
struct mime_params { /* owned */
	struct mime_param *list;
	size_t count;
};
struct mime_type {
	char type[64], subtype[64]; /* lower case; a disposition has its word in type */
	struct mime_params params;
};
/* A value without a subtype (a disposition) has its word in type; what cannot be read is
 * "text/plain; charset=us-ascii". -ENOMEM. */
int mime_type_parse(struct span value, struct mime_type *ret);
/* Of a part (a multipart/digest's default is message/rfc822). */
int mime_type_of(const struct mime *m, const struct mime_part *p, struct mime_type *ret);
/* NULL: none. */
const char *mime_param(const struct mime_params *params, const char *name);
void mime_type_done(struct mime_type *t);
/* The name of an attachment: filename of Content-Disposition, name of Content-Type; made harmless
 * (no folders, no control characters). -ENOENT. */
int mime_filename(const struct mime *m, const struct mime_part *p, struct buf *ret);

/* -- words and character sets -------------------------------------------------------------------
 */

/*
 * Opens the converters that iconv has modules for: UTF-7, ISO-2022-JP, Shift_JIS, EUC-JP, GB18030
 * (GBK, GB2312), Big5, EUC-KR (CP949), ISO-2022-KR. Half a millisecond, some 150 KiB; a process
 * that forks does it before. sandbox_calls() forbids mapping code, so that none can be loaded
 * later: one that is not open then is read as an unknown set. All others that are known (UTF-8,
 * -16 and -32, ISO 8859, windows-125x and 874, KOI8, IBM and Macintosh ones) are tables of ours and
 * need nothing. No other set is known, whatever iconv has.
 */
void mime_charset_warm(void);
/* Any character set to UTF-8: what cannot be is U+FFFD. An unknown one is read as UTF-8 if it is,
 * else as windows-1252. -ENOMEM, -ENOBUFS. */
int mime_to_utf8(struct buf *b, struct span charset, struct span bytes);
/* Is the name known? For SEARCH CHARSET. */
bool mime_charset_known(struct span charset);
/* The value of an unstructured field, decoded (RFC 2047), unfolded, valid UTF-8 without control
 * characters. */
void mime_words_decode(struct buf *b, struct span value);
/* ASCII as it is, else encoded words of UTF-8; used bytes of the line so far in *column, folded
 * with CR LF and a blank. phrase: as a display name, quoted where needed. */
void mime_words_encode(struct buf *b, struct span text, bool phrase, size_t *column);
/* Folds letters of all scripts and takes marks apart from them, for comparing without case
 * (i;unicode-casemap in effect). Malformed UTF-8 stays. */
void mime_casefold(struct buf *b, struct span text);

/* -- bodies ------------------------------------------------------------------------------------ */

/* Decoding in pieces; bytes that do not belong are skipped, what stands behind base64's padding
 * too. Start from {encoding}. */
struct mime_decoder {
	enum mime_encoding encoding;
	unsigned char held[4];
	unsigned state, count;
	uint64_t tabs;
	bool spoiled; /* something was not of the encoding (RFC 3516: UNKNOWN-CTE) */
};
int mime_decode(struct mime_decoder *d, struct span in, struct buf *out); /* -ENOBUFS, -ENOMEM */
int mime_decode_end(struct mime_decoder *d, struct buf *out);

/* The message with every leaf that holds a NUL in base64, so that it can be told as text (RFC 3516
 * section 4.4); other NULs become '?'. -ENOMEM, -ENOBUFS. */
int mime_binary_wrap(const struct mime *m, struct buf *ret);

/* -- addresses and dates ------------------------------------------------------------------------
 */

struct mime_address {
	struct span local, domain; /* unquoted; into text; domain empty: none was given */
	struct span name; /* decoded display name or comment, into text */
	struct span route; /* "@a,@b" of old */
	bool group_begin, group_end; /* name is the group's at its begin; then no address */
};
struct mime_addresses { /* owned */
	struct mime_address *list;
	size_t count;
	struct buf text;
};
/* As lenient as can be. raw_names: display names stay as they are (for ENVELOPE). -ENOMEM. */
int mime_addresses_parse(struct span value, bool raw_names, struct mime_addresses *ret);
void mime_addresses_done(struct mime_addresses *a);
/* One address of a form that people type: "bob", "bob@host", "Bob B <bob@host>"; appends
 * local@domain, in no need of quotes. -EINVAL. */
int mime_address_typed(struct span text, const char *standard_domain, struct buf *ret);

/* date-time of RFC 5322 with its obsolete forms; the zone in *ret_offset_s. -EINVAL. */
int mime_date_parse(struct span value, int64_t *ret_us, int32_t *ret_offset_s);

/* First Message-ID in a value with its brackets, then *rest behind it; false: none. No blanks are
 * in one but in quotes. */
bool mime_msgid_next(struct span *rest, struct span *ret);

/* -- IMAP's view ------------------------------------------------------------------------------- */

/* nstring: quoted, or a literal where it must be (8 bits, line ends; NUL becomes '?'). */
void mime_put_nstring(struct buf *b, struct span s, bool present);
void mime_put_envelope(struct buf *b, struct span header); /* RFC 3501 section 7.4.2 */
/* BODY, or with extension data BODYSTRUCTURE, of a whole message. */
void mime_put_body(struct buf *b, const struct mime *m, bool extended);

/* Base subject (RFC 5256 section 2.1), case folded; *ret_reply: it was a reply or forward. */
void mime_base_subject(struct buf *b, struct span value, bool *ret_reply);

/*
 * All that a server wants to know of a message again and again, made once at delivery: parts,
 * ENVELOPE, BODY, BODYSTRUCTURE, the keys of SORT and THREAD. Written into bytes; opened in place.
 */
/* 4 MiB are always enough: what would make it larger is said poorly. -ENOMEM, -ENOBUFS. */
int mime_record_write(const struct mime *m, struct buf *ret);
struct mime_record {
	uint64_t size; /* of the message */
	struct span parts; /* packed: mime_record_part */
	size_t part_count;
	struct span envelope, body, bodystructure; /* as sent, without their names */
	int64_t date_us; /* of Date; INT64_MIN: none that can be read */
	int32_t date_offset_s; /* its zone: SENTON goes by the day there */
	struct span subject; /* base subject, folded */
	bool reply;
	struct span from, to, cc; /* first address's local part, folded */
	struct span from_display, to_display; /* RFC 5957, folded */
	struct span msgid; /* with brackets, without quotes (RFC 5256); empty */
	struct span references; /* packed msgids, each behind its length: mime_record_reference */
	bool asks; /* Disposition-Notification-To, and no report itself */
};
int mime_record_open(struct span bytes, struct mime_record *ret); /* -EBADMSG */
int mime_record_part(
	const struct mime_record *r, size_t index, struct mime_part *ret); /* -ENOENT */
/* The part of a section "1.2.3" (numbers as in IMAP: a message's only part is 1). count 0: the
 * message itself. -ENOENT. */
int mime_record_section(
	const struct mime_record *r, const uint32_t *numbers, size_t count, struct mime_part *ret);
bool mime_record_reference(struct span *rest, struct span *ret);

/* -- text -------------------------------------------------------------------------------------- */

/* Appends a leaf's content, decoded, in UTF-8, if it is text (text/anything, reports, a multipart
 * in which no part was found); -EINVAL when it is not; -ENOBUFS, -ENOMEM. */
int mime_text(const struct mime *m, const struct mime_part *p, struct buf *ret);
/* Text out of HTML, for people: no links followed, nothing loaded; where a link leads is said
 * behind its text when the two differ. Valid UTF-8 without control characters but line ends. */
void mime_html_text(struct buf *b, struct span html);

/* -- composing --------------------------------------------------------------------------------- */

/* "Name: text" CR LF, folded, encoded words as needed. */
void mime_put_field(struct buf *b, const char *name, struct span text);
/* The same for addresses "Name <local@domain>", each decoded UTF-8. */
struct mime_mailbox {
	struct span name, address;
};
void mime_put_addresses(
	struct buf *b, const char *name, const struct mime_mailbox *list, size_t count);
void mime_put_date(struct buf *b, int64_t at_us); /* "Date: ...", local zone */
/* "<random@domain>" */
int mime_msgid_new(const char *domain, struct buf *ret);
int mime_boundary_new(struct buf *ret); /* 24 random letters */

/* A text part with its header: 7bit, quoted-printable as fits; lines CR LF. */
void mime_put_text(struct buf *b, struct span utf8, const char *subtype);
/* An attachment with its header, base64. */
struct mime_attachment {
	const char *type; /* "image/png" */
	struct span filename; /* UTF-8; empty: none */
	struct span bytes;
};
void mime_put_attachment(struct buf *b, const struct mime_attachment *a);
void mime_put_base64(struct buf *b, struct span bytes); /* lines of 76, CR LF */

/* -- receipts (RFC 8098) ------------------------------------------------------------------------
 */

struct mime_receipt {
	char original_msgid[256]; /* with brackets */
	char final_recipient[255]; /* local@domain */
	bool manual, displayed; /* manual-action; displayed, else deleted */
};
/* Is the message one? -ENOENT. */
int mime_receipt_parse(const struct mime *m, struct mime_receipt *ret);

/* Makes the receipt for a message; -ENOENT: it asks for none that may be given (it does not ask, is
 * one itself, or by itself (automatic) may not: Return-Path differs, section 2.1). *ret_to: where
 * it goes (local@domain). */
struct mime_receipt_plan {
	const char *reader; /* local@domain */
	const char *domain; /* for Message-ID and Reporting-UA */
	bool manual, displayed;
	int64_t read_us;
};
int mime_receipt_write(const struct mime *original, const struct mime_receipt_plan *plan,
	struct buf *ret_to, struct buf *ret);

#endif
