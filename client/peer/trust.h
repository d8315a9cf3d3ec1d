/* Is it the person who was asked? What can be told from a certificate alone; revocation is asked
 * for by revoke.h. */
#ifndef CLIENT_PEER_TRUST_H
#define CLIENT_PEER_TRUST_H

#include "client/peer/fault.h"
#include "client/profile.h"

#include "base/hash.h"

/* Who it has to be, as the server has stamped the request or the answer. */
struct trust_expect {
	char account[65];
	unsigned char spki_sha256[HASH_SHA256_LEN];
};

/*
 * Chain to the profile's root, dates, purpose, account, key: FAULT_NONE or the first that is wrong.
 * ret_why (at least 256 bytes): what people may want to know besides, "" if nothing.
 */
enum fault trust_judge(const struct profile *p, struct span leaf_der,
	const struct trust_expect *expect, int64_t now_us, char ret_why[256]);

/* Is the key the expected one, whatever else is wrong? */
bool trust_has_key(struct span leaf_der, const struct trust_expect *expect);

#endif
