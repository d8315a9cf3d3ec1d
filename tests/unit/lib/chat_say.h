/* Messages posted with few words, and events as they are in the log. */
#ifndef TESTS_UNIT_CHAT_SAY_H
#define TESTS_UNIT_CHAT_SAY_H

#include "store/chat.h"

/* A PRIVMSG. */
struct chat_post say_message(const char *target, const char *text);

/* From 192.0.2.1, with acts_override; an error fails the test. */
struct chat_post_result say_all(
	struct store *s, struct chat_actor by, const struct chat_post *posts, size_t count);
struct chat_post_result say_one(struct store *s, struct chat_actor by, struct chat_post one);

/* The answer to a PRIVMSG. An event and a ring there are when it was done, and only then. */
enum chat_answer say(struct store *s, struct chat_actor by, const char *target, const char *text);

/* An event beyond its view. Its spans are those in it. */
struct said {
	uint64_t seq;
	struct chat_event e; /* without spans */
	char who[CHAT_WHO_SIZE], nick[CHAT_NICK_SIZE], target[CHAT_CHANNEL_SIZE],
		peer[CHAT_WHO_SIZE], subject[CHAT_META_KEY_SIZE], text[512], tags[512];
};
struct said say_event(struct store *s, uint64_t seq);

/* The messages of a talk: their positions, a thousand apart. */
uint64_t say_talk(struct store *s, const char *one, const char *other);

void say_policy(struct store *s, const char *name, const char *value);

/* A store with ada, who made #c, ben, who is in it, and gus, a guest; no flood control. For setup.
 */
int say_setup(void **state, struct store **ret, struct chat_actor *ret_ada,
	struct chat_actor *ret_ben, struct chat_actor *ret_gus);
/* Checks the whole store, and ends it. */
int say_teardown(void **state);

#endif
