/* Text as the outside gives it: validity, escaping, base64, hexadecimal. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/buf.h"

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool text_is_utf8(struct span s);

/* UTF-8 without control characters (C0, DEL, C1); empty is fine. */
bool text_is_clean(struct span s);

/* Printable ASCII, 0x20 to 0x7e. */
bool text_is_print(struct span s);

/*
 * Appends the bytes with everything that could forge a log line or a terminal sequence escaped:
 * control bytes, quote, backslash, invalid UTF-8 and C1 controls become \xHH.
 */
void text_escape(struct buf *b, struct span s);

/* Appends s as a JSON string with its quotes (RFC 8259), control characters (C1 too) escaped;
 * invalid UTF-8 becomes U+FFFD. */
void text_json(struct buf *b, struct span s);

void text_hex(struct buf *b, struct span s); /* lower case, no separators */

/* Hexadecimal of either case with optional ':' between bytes. -EINVAL, or -ENOBUFS from the buffer.
 */
int text_unhex(struct buf *b, struct span s);

/* Base64 with padding (RFC 4648 section 4). line_len 0: one unbroken line; else LF after each line.
 */
void text_base64(struct buf *b, struct span s, size_t line_len);

/*
 * Decodes base64, skipping space, tab, CR and LF (RFC 8951 section 3). -EINVAL on any other byte,
 * wrong padding or nonzero spare bits; -ENOBUFS when the result does not fit the buffer.
 */
int text_unbase64(struct buf *b, struct span s);

/* Base64url without padding (RFC 4648 section 5), for tokens. */
void text_base64url(struct buf *b, struct span s);

/*
 * One field of application/x-www-form-urlencoded: appends the percent-decoded bytes, '+' is blank.
 * -EINVAL on a bad escape. plus_is_blank false for paths.
 */
int text_percent_decode(struct buf *b, struct span s, bool plus_is_blank);
void text_percent_encode(struct buf *b, struct span s);

#endif
