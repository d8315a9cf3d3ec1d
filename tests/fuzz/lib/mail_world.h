/*
 * The house of fuzz_maild_imap: a world (world.h) with people, ann's mailboxes and mail in them,
 * and what happens in it while a session goes on.
 */
#ifndef TESTS_FUZZ_MAIL_WORLD_H
#define TESTS_FUZZ_MAIL_WORLD_H

#include "tests/fuzz/lib/world.h"

/* Everything as it was when it was made. */
void mail_world_reset(void);
const struct world *mail_world(void);
/* No session is left, and (thorough) all rows agree. */
void mail_world_check(bool thorough);

/* A message of mail_letters.c comes from bob. */
void mail_world_deliver(unsigned letter, const char *to);

/* "deliver> N NAME", "wait> SECONDS", "sweep>", "remove> NAME", "policy> NAME VALUE": true, it was
 * done. */
bool mail_world_act(struct span line);

/* A service that ends a session of this door; the connection is the caller's to make. */
void mail_world_begin(struct service *s, const struct service_door *door);
void mail_world_end(struct service *s);

/* -- mail_letters.c ---------------------------------------------------------------------------- */

/* By index modulo their number; appended. */
void mail_letter(unsigned index, struct buf *ret);
enum { MAIL_LETTERS = 12, MAIL_LETTER_LARGE = 11 /* lies in a file of its own */ };

#endif
