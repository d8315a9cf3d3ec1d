/* The commands of quintet chat for scripts. Each gets the words behind its name; an exit code. */
#ifndef CLIENT_CHAT_ONCE_H
#define CLIENT_CHAT_ONCE_H

#include "client/chat/talk.h"

struct once_options {
	const char *count; /* -n */
	const char *since; /* --since */
	bool notice, join, events;
};

/* words[0] the target, the others the text; none: standard input's lines. */
int once_send(struct client *c, const struct profile *p, const struct talk_options *o,
	const struct once_options *own, const struct client_words *words);
int once_tail(struct client *c, const struct profile *p, const struct talk_options *o,
	const struct once_options *own, const struct client_words *words);
int once_history(struct client *c, const struct profile *p, const struct talk_options *o,
	const struct once_options *own, const struct client_words *words);

#endif
