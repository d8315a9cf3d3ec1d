/* What the person types about calls. */
#ifndef CLIENT_PEER_COMMANDS_H
#define CLIENT_PEER_COMMANDS_H

#include "client/peer/peer_i.h"

/* As talk_calls.command. */
bool peer_command(struct peers *p, const char *window, const char *name, const char *words);

#endif
