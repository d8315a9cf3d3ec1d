/* Time-stamp tokens (RFC 3161, RFC 5816) with OpenSSL's TS. */
#ifndef CLIENT_TOKEN_H
#define CLIENT_TOKEN_H

#include "base/buf.h"
#include "base/hash.h"

#include <stdint.h>

#define TOKEN_MAX 65536

/* A query with a random nonce that asks for the signer's certificate. */
struct token_query;
int token_query_new(const unsigned char digest[HASH_SHA256_LEN], struct token_query **ret);
int token_query_der(const struct token_query *q, struct buf *ret);
void token_query_freep(struct token_query **q);

struct token_info {
	int64_t at_us; /* genTime, whole seconds */
	char serial[64]; /* hexadecimal */
};

struct token_trust {
	struct span root_pem, chain_pem;
};

/*
 * Is the answer (DER, nothing behind it) a granted token for the digest, signed by a time-stamping
 * certificate under the root? query NULL: a stored one, for which only the digest is known. The
 * signer is judged as of the time that the token names, so a stamp outlives its certificate.
 * -EKEYREJECTED with a reason (static memory).
 */
int token_check(struct span answer, const struct token_trust *trust,
	const struct token_query *query, const unsigned char digest[HASH_SHA256_LEN],
	struct token_info *ret, const char **ret_reason);

#endif
