/* Acts in channels, done with few words; what the log gained by them comes back as text. */
#ifndef TESTS_UNIT_CHAT_ACTS_H
#define TESTS_UNIT_CHAT_ACTS_H

#include "store/chat.h"

/* Each gives the operation's answer; an error fails the test. */
enum chat_answer acts_join(
	struct store *s, struct chat_actor by, const char *channel, const char *key);
enum chat_answer acts_enter(struct store *s, struct chat_actor by, const char *channel);
enum chat_answer acts_part(struct store *s, struct chat_actor by, const char *channel);
enum chat_answer acts_kick(
	struct store *s, struct chat_actor by, const char *channel, const char *nick);
enum chat_answer acts_invite(
	struct store *s, struct chat_actor by, const char *channel, const char *nick);
enum chat_answer acts_topic(
	struct store *s, struct chat_actor by, const char *channel, const char *text);
enum chat_answer acts_rename(
	struct store *s, struct chat_actor by, const char *channel, const char *name);
enum chat_answer acts_drop(struct store *s, const char *channel);

/* The same as an operator of the house. */
extern bool acts_override;

/* "+ov-bl ada ben *!*@x": every mode of k, l, o, h, v, b, e, I takes a word but "-l". The answer to
 * the last change; to all of them in ret_each, which may be NULL. */
enum chat_answer acts_mode(struct store *s, struct chat_actor by, const char *channel,
	const char *changes, enum chat_answer *ret_each);

/* The events since the last call are these: "ada MODE #c +o ben", "* KICK #c ada: why", each with
 * LF; those that say who is there are left out. */
void acts_expect(struct store *s, const char *events);
/* Goes on from the log's end: what a test begins with, too. */
void acts_forget(struct store *s);

/* -- what holds now: a failure when there is no such row ----------------------------------------
 */

struct chat_channel acts_channel(struct store *s, const char *name);
bool acts_exists(struct store *s, const char *name);
/* "@%+-": the roles of a person by who, and '-' where it has not joined; "?" there is no row. */
const char *acts_member(struct store *s, const char *channel, const char *who);
/* The masks of a list, each with LF; the nicks of the members; who in which channels; open
 * invitations. In a buffer that the next call takes. */
const char *acts_list(struct store *s, const char *channel, enum chat_list list);
const char *acts_members(struct store *s, const char *channel);
const char *acts_joined(struct store *s, const char *who);
const char *acts_invites(struct store *s, const char *who);

#endif
