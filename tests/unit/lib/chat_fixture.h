/* People who chat: accounts and guests, with a session each. */
#ifndef TESTS_UNIT_CHAT_FIXTURE_H
#define TESTS_UNIT_CHAT_FIXTURE_H

#include "store/chat.h"

/*
 * A new session, at FIXTURE_NOW, of an account, which is made when there is none, or of a new guest
 * (account NULL). A refusal fails the test. The actor's who lives as long as the program.
 */
struct chat_actor chat_fixture_person(struct store *s, const char *account, const char *nick);

/* The same, of a client that showed a certificate whose key's digest is that byte 32 times. */
struct chat_actor chat_fixture_keyed(
	struct store *s, const char *account, const char *nick, unsigned char key);

/* The session ends: "gone". */
void chat_fixture_leave(struct store *s, struct chat_actor by);

#endif
