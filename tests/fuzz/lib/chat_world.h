/*
 * The house in which fuzz_chatd_session lets people chat: a world (world.h) with a few accounts, a
 * channel and things said in it.
 */
#ifndef TESTS_FUZZ_CHAT_WORLD_H
#define TESTS_FUZZ_CHAT_WORLD_H

#include "tests/fuzz/lib/world.h"

/* Who connects: an account, by its certificate or by what it said before, or a guest. */
struct chat_person {
	const char *name;
	const char *account; /* "" a guest */
	const char *certificate_fault; /* why the one shown was not taken; "" */
	const char *greeting; /* lines, until it is registered; for those who speak between */
};

/* By index modulo their number, and by name (NULL: nobody is called so). */
const struct chat_person *chat_person_at(unsigned index);
const struct chat_person *chat_person_find(struct span name);

/* Everything as it was when it was made; bob is there, with a session of his that only listens. */
void chat_world_reset(void);

/* A setting of the house, for this input. */
void chat_world_policy(const char *name, const char *value);

/* Time passes. */
void chat_world_wait(unsigned seconds);

/* A whole session: what the peer says, in pieces of step bytes (0: at once); out gets the answers.
 */
void chat_world_session(const struct chat_person *p, struct span in, size_t step, struct buf *out);

struct store *chat_world_store(void);

/* Nobody is left there but bob, and (thorough) every row of the store can be read. */
void chat_world_check(bool thorough);

/* The address that everybody comes from: nobody may be told. */
extern const char chat_world_peer[];

/* -- chat_keeper.c ----------------------------------------------------------------------------- */

/* "drop #CHANNEL", "remove ACCOUNT", "kill NICK", "sweep": true, or it is none of these. */
bool chat_keeper_act(struct store *s, struct span words);

/* -- chat_answers.c ---------------------------------------------------------------------------- */

/* Are these lines of IRC within their limits, and their batches in order? */
void chat_answers_check(struct span out);

#endif
