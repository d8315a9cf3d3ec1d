/* The key and the certificate of a profile, replaced as one although they are two files. */
#ifndef CLIENT_PAIR_H
#define CLIENT_PAIR_H

#include "client/profile.h"
#include "pki/key.h"

/*
 * Writes both: the new key under a second name, the certificate, then the key in its place.
 * Whatever interrupts it, pair_recover() finds a key that fits the certificate. Takes the lock of
 * the profile's folder.
 */
int pair_write(const struct profile *p, const struct pki_key *key, struct span cert_pem);

/* Keeps a key with its certificate under PROFILE_OLD of that folder, by the certificate's serial:
 * what was encrypted to it stays readable. Nothing is kept of what does not fit. */
int pair_keep(int profile_fd, struct span key_pem, struct span cert_pem);

/*
 * Inside profile_load(): when the key does not fit the certificate and the one kept aside does,
 * uses that. 0 (also when there is nothing to do), -EKEYREJECTED when no key fits.
 */
int pair_recover(struct profile *p);

#endif
