/* UTF-8 on a terminal: how wide text is, and where its characters begin. */
#ifndef CLIENT_TERM_WIDTH_H
#define CLIENT_TERM_WIDTH_H

#include "base/span.h"

#include <stdint.h>

/* Columns that s takes: wide characters two, combining ones none; a malformed byte one. */
size_t width_of(struct span s);
/* The longest beginning, or end, of s that takes at most columns. */
struct span width_head(struct span s, size_t columns);
struct span width_tail(struct span s, size_t columns);
/* Bytes of the character that s (not empty) begins with; *ret_point U+FFFD when malformed. */
size_t width_char(struct span s, uint32_t *ret_point);
/* Where the character before, or behind, byte at of s begins; combining ones belong to theirs. */
size_t width_before(struct span s, size_t at);
size_t width_behind(struct span s, size_t at);

#endif
