/* The parts of requests that reading and making share. Inside lib/pki only. */
#ifndef PKI_CSR_ATTR_H
#define PKI_CSR_ATTR_H

#include "pki/ossl.h"

/*
 * Our attribute: one OCTET STRING, the old key's DER signature over the request's
 * SubjectPublicKeyInfo. The request's own signature covers it.
 */
#define PKI_OID_OLD_PROOF "2.25.302597204394015287195851150710686463950"

/* DER, one request, nothing behind it; NULL otherwise. */
X509_REQ *pki_x509_req_of(struct span der);

/* Is the value one of the character strings? */
bool pki_is_string(const ASN1_TYPE *value);

/* The signature; points into req. -ENOENT: no such attribute; -EBADMSG. */
int pki_csr_old_proof(const X509_REQ *req, struct span *ret);

#endif
