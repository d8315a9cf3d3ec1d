/* quintetctl: what its commands for chat lend to the others. */
#ifndef QUINTETCTL_CHAT_H
#define QUINTETCTL_CHAT_H

#include "ctl.h"
#include "store/chat.h"

/* What an account has in chat, to be counted before it is removed and told after. */
struct chat_left {
	const char *name;
	unsigned joined, founded; /* channels */
};
int chat_left_count(struct ctl *c, struct chat_left *n); /* 0 or negative errno */
/* Also wakes who is in chat: they see it go. */
void chat_left_say(struct ctl *c, const struct chat_left *n);

/* Wakes those of chat whom a commit concerns; that it cannot is said. */
void chat_wake(struct ctl *c, const struct chat_ring *ring);

#endif
