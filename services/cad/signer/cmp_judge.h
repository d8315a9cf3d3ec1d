/*
 * The CMP door's judgement (RFC 4210, RFC 4211): is this a message worth giving to OpenSSL, and
 * what does it ask? Pure; works on DER alone.
 */
#ifndef CAD_SIGNER_CMP_JUDGE_H
#define CAD_SIGNER_CMP_JUDGE_H

#include "base/span.h"

#define CMP_MESSAGE_MAX 16384
#define CMP_REFERENCE_MAX 32
#define CMP_NONCE_MAX 64 /* transaction ids, nonces */
#define CMP_EXTRA_CERTS_MAX 8
#define CMP_ITERATIONS_MAX 10000 /* of the password-based MAC */

enum cmp_body {
	CMP_IR = 0,
	CMP_CR = 2,
	CMP_P10CR = 4,
	CMP_KUR = 7,
	CMP_RR = 11,
	CMP_GENM = 21,
	CMP_ERROR = 23,
	CMP_CERTCONF = 24
};

enum cmp_protection { CMP_PROTECT_NONE, CMP_PROTECT_MAC, CMP_PROTECT_SIGNATURE };

/* Spans point into the message. */
struct cmp_judged {
	enum cmp_body body;
	enum cmp_protection protection;
	struct span sender_kid; /* under a MAC the reference */
	struct span signer_cert; /* the first extra certificate, DER; empty when there is none */
	struct span spki; /* of the template of ir, cr, kur: the value without tag and length */
	struct span p10; /* of p10cr: the PKCS#10 request */
	int revocation_reason; /* of rr; 0 when none was given */
	bool certificate_refused; /* certConf: the client does not want it */
};

/* 0; -EBADMSG with static text in *ret_reason. */
int cmp_judge(struct span message, struct cmp_judged *ret, const char **ret_reason);

/* Does it begin a transaction (and not go on with one)? */
static inline bool cmp_begins(enum cmp_body body)
{
	return body != CMP_CERTCONF && body != CMP_ERROR;
}

#endif
