/* SHA-256, HMAC and random bytes. The one place in base that knows libcrypto. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/span.h"

#include <stdint.h>

#define HASH_SHA256_LEN 32

/* -EIO when libcrypto fails. */
int hash_sha256(struct span bytes, unsigned char ret[HASH_SHA256_LEN]);

/* RFC 2104 with SHA-256. */
int hash_hmac_sha256(struct span key, struct span bytes, unsigned char ret[HASH_SHA256_LEN]);

/* A running SHA-256. */
struct hash;
int hash_new(struct hash **ret);
int hash_update(struct hash *h, struct span bytes);
int hash_final(struct hash *h, unsigned char ret[HASH_SHA256_LEN]);
void hash_free(struct hash *h);
void hash_freep(struct hash **h);

/* Fills p from the kernel's generator. -EIO. */
int hash_random(void *p, size_t len);

#endif
