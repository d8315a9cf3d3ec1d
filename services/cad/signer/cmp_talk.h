/*
 * One CMP transaction (RFC 4210) inside the signer: the judgement by cmp_judge, the protocol by
 * OpenSSL's server, the decisions by the handlers in cmp_decide.c.
 */
#ifndef CAD_SIGNER_CMP_TALK_H
#define CAD_SIGNER_CMP_TALK_H

#include "services/cad/signer/cmp_judge.h"
#include "services/cad/signer/sign.h"

#include <openssl/cmp.h>

struct cmp_talk {
	OSSL_CMP_SRV_CTX *server;
	struct sign *g;
	const struct signer_request *r; /* the message being answered */
	struct cmp_judged judged; /* of that message */
	char reference[CMP_REFERENCE_MAX + 1]; /* under a MAC */
	/* Under a signature: whose certificate, and what speaks against it (NULL nothing). */
	struct sign_old signer;
	bool has_signer;
	const char *signer_trouble;
	bool verified; /* a handler was reached: the protection holds */
	unsigned char issued_serial[CERT_SERIAL_LEN];
	unsigned char issued_sha256[32];
	bool has_issued;
	char account[ACCOUNT_NAME_SIZE]; /* whom the transaction is about, once known */
};

/* Ends the connection's transaction, if there is one. */
void cmp_talk_end(struct sign *g);

/* The handlers, called by OpenSSL once the protection was verified. */
OSSL_CMP_PKISI *cmp_decide_request(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *message, int id,
	const OSSL_CRMF_MSG *crm, const X509_REQ *p10, X509 **ret_cert, STACK_OF(X509) * *ret_chain,
	STACK_OF(X509) * *ret_roots);
OSSL_CMP_PKISI *cmp_decide_revocation(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *message,
	const X509_NAME *issuer, const ASN1_INTEGER *serial);
int cmp_decide_general(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *message,
	const STACK_OF(OSSL_CMP_ITAV) * in, STACK_OF(OSSL_CMP_ITAV) * *ret_out);
void cmp_decide_error(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *message,
	const OSSL_CMP_PKISI *status, const ASN1_INTEGER *code,
	const OSSL_CMP_PKIFREETEXT *details);
int cmp_decide_confirmation(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *message, int id,
	const ASN1_OCTET_STRING *hash, const OSSL_CMP_PKISI *status);

/* A certificate of ours from DER; NULL when it does not decode. */
X509 *cmp_x509(struct span der);

/* Takes back what the client did not want. */
int cmp_revoke_issued(struct cmp_talk *t);

#endif
