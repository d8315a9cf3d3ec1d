/* Inside the handlers of channels: what is shown of one, and the parts of MODE, LIST and messages.
 */
#ifndef CHATD_SHOW_H
#define CHATD_SHOW_H

#include "services/chatd/chatd.h"

/* -- topic.c: 332 and 333; nothing without a topic */
void chatd_show_topic(struct chatd *c, const struct chat_channel *channel);

/* -- names.c: "@", or "@+" with multi-prefix */
void chatd_add_prefix(const struct chatd *c, unsigned roles, struct buf *b);

/* -- modelist.c: the entries of a list of a channel and the numeric of their end */
int chatd_show_list(struct chatd *c, const struct chat_channel *channel, enum chat_list list);

/* -- usermode.c: MODE of a nick */
int chatd_user_mode(struct chatd_call *call);

/* -- list_filter.c: does LIST show a channel? words: its first parameter, comma-separated masks and
 * conditions (ELIST=CMNTU): "*an*", "!mask", "<n" and ">n" of members who are there, "C<n" and
 * "T>n" of minutes since it was made or its topic was set. All conditions hold, and one of the
 * masks, if there are any. */
bool chatd_list_passes(struct span words, const struct chat_channel *channel, int64_t now_us);

/* -- post.c: one more message to be posted; what it points to is copied. Posts by itself when no
 * more may wait. */
int chatd_post_add(struct chatd *c, const struct chat_post *post);
/* 301 when whoever has the nick is away, or absent. 0 or negative. */
int chatd_say_away(struct chatd *c, struct span nick);

/* -- message.c ----------------------------------------------------------------------------------
 */

/* Sets status and target: "@#channel" goes to operators. */
void chatd_aim(struct chat_post *post, struct span target);
/* Appends those of a client's tags that go on to others: client-only ones. */
void chatd_client_tags(const struct chatd *c, struct span tags, struct buf *ret);
/* Would the text reach others whole, in one line? to: as it was given. */
bool chatd_fits(const struct chatd *c, const char *verb, struct span to, struct span text);

#endif
