/* What was said, as lines for a terminal or as JSON. Everything that came from others is made safe
 * here. */
#ifndef CLIENT_CHAT_SHOW_H
#define CLIENT_CHAT_SHOW_H

#include "client/chat/model.h"

struct show_style {
	bool colour;
	bool date; /* the day stands in front of the time */
	const char *window; /* in front of what is said; NULL: none */
};

/* The item's line, or lines, each ended by LF; times in the local zone. */
void show_item(struct buf *b, const struct item *i, const struct show_style *s);
/* What happened, in words, of an item that is no message; no line end. */
void show_event(struct buf *b, const struct item *i);
/* "Saturday, 2026-11-21" in the local zone. */
void show_day(struct buf *b, int64_t at_us);
bool show_same_day(int64_t a_us, int64_t b_us);
/* One JSON object without line end. */
void show_json(struct buf *b, const char *target, const struct item *i);

#endif
