/* The outer shape of DER (X.690), checked before a foreign structure is given to a decoder that
 * would also take BER. Pure. */
#ifndef PKI_DER_H
#define PKI_DER_H

#include "base/span.h"

struct der_tlv {
	unsigned char tag; /* the identifier octet; one-octet tags only */
	struct span value;
	struct span whole; /* with tag and length */
};

/* Takes the next value off rest. -EBADMSG: truncated, a long tag, a length that is not DER. */
int der_next(struct span *rest, struct der_tlv *ret);

/*
 * One value and nothing behind it; everything inside, down to DER_DEPTH_MAX levels, has definite
 * minimal lengths, the right kind of encoding, minimal integers and object identifiers. What octet
 * strings hold is not looked at. -EBADMSG.
 */
#define DER_DEPTH_MAX 24
int der_check(struct span der);

#endif
