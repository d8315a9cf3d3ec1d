/* Inside the handlers of people and of what was missed: what they share. */
#ifndef CHATD_PEOPLE_H
#define CHATD_PEOPLE_H

#include "services/chatd/chatd.h"

#include <stdlib.h>

#define CHATD_GATHER_MAX ((size_t)16 << 20) /* bytes of one answer */

/* -- gather.c: numerics that are gathered inside a view and sent behind it, since nothing waits for
 * a client while it holds a snapshot */

/* Appends one; what it is given holds no line ends. */
void chatd_gather(struct buf *b, unsigned number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void chatd_gather_send(struct chatd *c, const struct buf *b);

/* -- people.c ----------------------------------------------------------------------------------
 */

/* Is somebody to be seen without being asked for by nick: not invisible, or in a channel with the
 * client? 1, 0 or negative. */
int chatd_sees_person(struct store_txn *txn, const struct chatd *c, const struct chat_user *u);

/* Who has the nick now, copied out of a view. 1, 0 or negative. */
int chatd_person(struct chatd *c, struct span nick, struct chat_user *ret, bool *ret_found);

/* -- past.c: history as it is sent to the client ------------------------------------------------
 */

struct chatd_past {
	struct chat_target target;
	struct span name; /* of the target, as it stands on the batch */
	unsigned roles; /* the client's in the channel: what it may read of "@#channel" */
	bool timed; /* clients without server-time get the time in the text */
	uint64_t *seqs; /* owned: positions, in order */
	size_t count;
};
void chatd_past_done(struct chatd_past *p);

/* Gathers the positions of a range, redacted messages left out; only: further to be left out when
 * it says false; NULL. In a view. 0 or negative. */
int chatd_past_gather(struct store_txn *txn, const struct chat_range *range,
	bool (*only)(const struct chatd *c, const struct chat_event *e), const struct chatd *c,
	struct chatd_past *p);

/* Moves what came behind to the end. -ENOMEM. */
int chatd_past_append(struct chatd_past *p, const struct chatd_past *behind);

/* Sends what was gathered in a batch "chathistory". 0 or negative. */
int chatd_past_send(struct chatd *c, const struct chatd_past *p);

/* -- metadata.c, metadata_show.c ---------------------------------------------------------------
 */

/* 760 of what a client of draft/metadata may know of somebody, for WHOIS. */
int chatd_whois_metadata(
	struct store_txn *txn, const struct chatd *c, const struct chat_user *u, struct buf *ret);

#endif
