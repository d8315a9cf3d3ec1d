/* A cap on how many processes do something dear at once: lock files. */
#ifndef BASE_SLOT_H
#define BASE_SLOT_H

/*
 * Takes one of count slots of a kind: a lock on one of the files RUNTIME/locks/KIND.N (the folder
 * is made if missing), held while the descriptor is open; a killed process lets go by itself.
 * -EAGAIN: all are taken.
 */
int slot_try(const char *runtime, const char *kind, unsigned count, int *ret_fd);

#endif
