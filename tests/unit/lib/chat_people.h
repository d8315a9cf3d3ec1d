/* What there is to see of people in a store: rows, and the log as text. */
#ifndef TESTS_UNIT_CHAT_PEOPLE_H
#define TESTS_UNIT_CHAT_PEOPLE_H

#include "store/chat.h"

/* A row as it is; the test fails when there is none. */
struct chat_user people_user(struct store *s, const char *who);
bool people_exists(struct store *s, const char *who);
/* The nick that who has now, "" of who is not there. Until the next call. */
const char *people_nick(struct store *s, const char *who);
/* Who has this nick now, "" for nobody. Until the next call. */
const char *people_named(struct store *s, const char *nick);
struct chat_counts people_counts(struct store *s);
uint64_t people_head(struct store *s);

/*
 * The events behind *seq, which moves on, a line each: "ada NICK eve [2]\n": nick, kind, target,
 * subject, ": " text, the number of channels. Order and times are checked. Until the next call.
 */
const char *people_events(struct store *s, uint64_t *seq);

/* A session's row, of this process; its removal, as whoever reaps it does. */
uint64_t people_session(struct store *s);
void people_reap(struct store *s, uint64_t session);

/* store_check() finds nothing; what it finds is printed. */
void people_check(struct store *s);

#endif
