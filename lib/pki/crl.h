/* CRLs (RFC 5280 section 5) and OCSP (RFC 6960, nonce RFC 8954). */
#ifndef PKI_CRL_H
#define PKI_CRL_H

#include "pki/cert.h"

struct pki_crl;
int pki_crl_begin(struct pki_crl **ret);
int pki_crl_add(
	struct pki_crl *c, const unsigned char *serial, size_t len, int64_t revoked_us, int reason);
struct pki_crl_info {
	uint64_t number;
	int64_t this_us, next_us;
	size_t revoked; /* how many; not looked at when signing */
};
/* v2 with AKI and CRLNumber; no revoked list when empty; reason 0 is left out. Frees nothing. */
int pki_crl_sign(struct pki_crl *c, struct span issuer_der, const struct pki_key *key,
	const struct pki_crl_info *head, struct buf *ret_der);
void pki_crl_freep(struct pki_crl **c);

/* For the client and tests: what the head says. Signature checked against issuer_der. */
int pki_crl_read(struct span der, struct span issuer_der, struct pki_crl_info *ret);
int pki_crl_each(struct span der,
	int (*each)(void *arg, struct span serial, int64_t revoked_us, int reason), void *arg);

/* OCSP, the responder's side. */
#define PKI_OCSP_MAX_REQUEST 2048
#define PKI_OCSP_MAX_IDS 16

struct pki_ocsp_id {
	unsigned char issuer_name_hash[32], issuer_key_hash[32];
	size_t hash_len; /* 20 or 32 */
	unsigned char serial[20];
	size_t serial_len;
};
struct pki_ocsp_request {
	struct pki_ocsp_id ids[PKI_OCSP_MAX_IDS];
	size_t count;
};
/* Pure judgement of a request. -EBADMSG. */
int pki_ocsp_request_read(struct span der, struct pki_ocsp_request *ret);

enum pki_ocsp_status { PKI_OCSP_GOOD, PKI_OCSP_REVOKED, PKI_OCSP_UNKNOWN };
struct pki_ocsp_answer {
	enum pki_ocsp_status status;
	int64_t revoked_us;
	int reason;
};
/*
 * Who answers, and from what. look() is asked for every id: it fills the answer, or returns -ENOENT
 * for "not an issuer of ours" (unknown); another error ends the answer.
 */
struct pki_ocsp_responder {
	struct span issuer_der;
	struct span signer_der; /* the delegated responder, issued by issuer_der */
	const struct pki_key *signer_key;
	int64_t now_us, next_us;
	int (*look)(void *arg, const struct pki_ocsp_id *id, struct pki_ocsp_answer *ret);
	void *arg;
};
/*
 * Signs the answer to request; the responder's certificate is included, a nonce of 1 to 32 bytes
 * echoed. -EBADMSG malformed request, -EINVAL certificates and key do not fit.
 */
int pki_ocsp_respond(
	struct span request, const struct pki_ocsp_responder *responder, struct buf *ret_der);
/* Does the id name this issuer? */
bool pki_ocsp_names_issuer(const struct pki_ocsp_id *id, struct span issuer_der);
/* An unsigned error answer: malformedRequest(1), internalError(2), tryLater(3), unauthorized(6). */
int pki_ocsp_error(unsigned code, struct buf *ret_der);

/* The client's side: request with nonce, and the verified answer. -EKEYREJECTED with a static
 * reason. */
int pki_ocsp_request_new(struct span leaf_der, struct span issuer_der, struct buf *ret_der,
	unsigned char ret_nonce[32]);
struct pki_ocsp_question {
	struct span leaf_der, issuer_der, root_pem;
	unsigned char nonce[32];
};
int pki_ocsp_response_read(struct span der, const struct pki_ocsp_question *asked,
	struct pki_ocsp_answer *ret, const char **ret_reason);

#endif
