/* Completion by TAB, and its pure parts. */
#ifndef CLIENT_FTP_COMPLETE_H
#define CLIENT_FTP_COMPLETE_H

#include "client/ftp/ui.h"

/* Bytes that all names have in common at their beginning, whole characters. */
size_t complete_common(const struct walk *w);

/* Copies those that begin so; names with a dot in front only when asked for. -ENOMEM. */
int complete_filter(const struct walk *all, struct span begin, struct walk *ret);

/*
 * Completes the word at the cursor as far as it is clear. When it was clear no further, *ret has
 * what it could be, to be shown. Negative errno when names could not be had.
 */
int complete_run(struct ui *u, struct line *l, struct walk *ret);

#endif
