/* The parts of OCSP that responder and client share. Inside lib/pki only. */
#ifndef PKI_OCSP_MSG_H
#define PKI_OCSP_MSG_H

#include "pki/crl.h"
#include "pki/ossl.h"

PKI_FREEP(ocsp_request_freep, OCSP_REQUEST, OCSP_REQUEST_free)
PKI_FREEP(ocsp_response_freep, OCSP_RESPONSE, OCSP_RESPONSE_free)
PKI_FREEP(ocsp_basic_freep, OCSP_BASICRESP, OCSP_BASICRESP_free)
PKI_FREEP(ocsp_certid_freep, OCSP_CERTID, OCSP_CERTID_free)

/* A request in DER with nothing behind it, and what it asks. NULL: malformed. */
OCSP_REQUEST *ocsp_request_of(struct span der, struct pki_ocsp_request *ret);

/* Appends a response's DER. */
int ocsp_response_add(OCSP_RESPONSE *response, struct buf *ret_der);

#endif
