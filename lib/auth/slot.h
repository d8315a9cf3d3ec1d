/* The cap on password hashes computed at once, over all processes. Inside lib/auth only. */
#ifndef AUTH_SLOT_H
#define AUTH_SLOT_H

#define SLOT_COUNT 4
#define SLOT_WAIT_MS 5000

/*
 * Takes one of the slots: a lock on one of the files RUNTIME/locks/password.N, held while the
 * descriptor is open. runtime NULL: no cap, *ret_fd is -1. -EAGAIN when none came free in time.
 */
int slot_take(const char *runtime, int *ret_fd);

#endif
