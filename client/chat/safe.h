/* Text from others, for a terminal. */
#ifndef CLIENT_CHAT_SAFE_H
#define CLIENT_CHAT_SAFE_H

#include "client/term/width.h"

#include "base/buf.h"

/*
 * Appends s as UTF-8 of one line: IRC's formatting codes are dropped, other control characters
 * become ^X, invalid bytes U+FFFD, and characters that turn the direction of text, hide, or end
 * lines become <U+XXXX>.
 */
void safe_text(struct buf *b, struct span s);
void safe_word(struct buf *b, const char *s);

/* For a text that may have been cut to fit: no half character stays at its end. */
void safe_end(char *text);

#endif
