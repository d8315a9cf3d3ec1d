/*
 * Calls between two people: asked for through the server, then direct, over TLS with a certificate
 * on both sides (quintet(7)). Several at once, in the talk's loop; nothing here waits.
 */
#ifndef CLIENT_PEER_PEER_H
#define CLIENT_PEER_PEER_H

#include "client/chat/chat.h"

extern const struct talk_calls peer_calls;

/* Where files that are received go, for what peer_calls.begin() gave; the current folder if this is
 * never called. -errno: it cannot be opened, or nothing can be written there. */
int peer_downloads(void *calls, const char *folder);

/* Is nothing going on: no call, no request that waits? For `quintet chat call`, which ends then. */
bool peer_is_idle(const void *calls);

/* Is there a call in the window of that name ("=NICK"), whose end was not told yet? */
bool peer_has_call(const void *calls, const char *window);

/* Is a file on its way, or one of ours offered? */
bool peer_is_moving(const void *calls);

#endif
