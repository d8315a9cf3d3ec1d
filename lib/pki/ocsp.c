/* The OCSP responder (RFC 6960): answers signed by a delegated certificate. */
#include "pki/crl.h"

#include "pki/ocsp_msg.h"

#include <errno.h>

PKI_FREEP(generalized_freep, ASN1_GENERALIZEDTIME, ASN1_GENERALIZEDTIME_free)

bool pki_ocsp_names_issuer(const struct pki_ocsp_id *id, struct span issuer_der)
{
	PKI_EDGE;
	_cleanup_(pki_x509_freep) X509 *issuer = pki_x509_of(issuer_der);
	const EVP_MD *md = id->hash_len == 20 ? EVP_sha1() : EVP_sha256();
	unsigned char name_hash[EVP_MAX_MD_SIZE], key_hash[EVP_MAX_MD_SIZE];
	const ASN1_BIT_STRING *key;

	if (issuer == NULL || (size_t)EVP_MD_get_size(md) != id->hash_len)
		return false;
	key = X509_get0_pubkey_bitstr(issuer);
	if (X509_NAME_digest(X509_get_subject_name(issuer), md, name_hash, NULL) != 1 ||
		EVP_Digest(key->data, (size_t)key->length, key_hash, NULL, md, NULL) != 1)
		return false;
	return memcmp(name_hash, id->issuer_name_hash, id->hash_len) == 0 &&
		memcmp(key_hash, id->issuer_key_hash, id->hash_len) == 0;
}

struct answers {
	const struct pki_ocsp_responder *by;
	OCSP_BASICRESP *basic;
	ASN1_GENERALIZEDTIME *this_update, *next_update;
};

static int add_status(
	const struct answers *a, OCSP_CERTID *id, const struct pki_ocsp_answer *answer)
{
	_cleanup_(generalized_freep) ASN1_GENERALIZEDTIME *revoked = NULL;
	int status = V_OCSP_CERTSTATUS_UNKNOWN;
	int reason = OCSP_REVOKED_STATUS_NOSTATUS;

	if (answer->status == PKI_OCSP_GOOD)
		status = V_OCSP_CERTSTATUS_GOOD;
	if (answer->status == PKI_OCSP_REVOKED) {
		status = V_OCSP_CERTSTATUS_REVOKED;
		/* As in the CRL: unspecified is said by saying nothing. */
		if (answer->reason != 0)
			reason = answer->reason;
		revoked = ASN1_GENERALIZEDTIME_set(NULL, pki_seconds(answer->revoked_us));
		if (revoked == NULL)
			return -EINVAL;
	}
	if (OCSP_basic_add1_status(
		    a->basic, id, status, reason, revoked, a->this_update, a->next_update) == NULL)
		return pki_error();
	return 0;
}

static int add_all(
	const struct answers *a, OCSP_REQUEST *request, const struct pki_ocsp_request *asked)
{
	for (size_t i = 0; i < asked->count; i++) {
		struct pki_ocsp_answer answer = {.status = PKI_OCSP_UNKNOWN};
		int error = a->by->look(a->by->arg, &asked->ids[i], &answer);

		if (error == -ENOENT)
			answer.status = PKI_OCSP_UNKNOWN;
		else if (error < 0)
			return error;
		error = add_status(
			a, OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, (int)i)), &answer);
		if (error < 0)
			return error;
	}
	/* 2: there is none, which is fine. */
	return OCSP_copy_nonce(a->basic, request) != 0 ? 0 : pki_error();
}

int ocsp_response_add(OCSP_RESPONSE *response, struct buf *ret_der)
{
	unsigned char *der = NULL;
	int len;

	if (response == NULL)
		return pki_error();
	len = i2d_OCSP_RESPONSE(response, &der);
	return pki_add_der(ret_der, der, len);
}

static int sign(const struct answers *a, struct buf *ret_der)
{
	_cleanup_(pki_x509_freep) X509 *issuer = pki_x509_of(a->by->issuer_der);
	_cleanup_(pki_x509_freep) X509 *signer = pki_x509_of(a->by->signer_der);
	_cleanup_(ocsp_response_freep) OCSP_RESPONSE *response = NULL;
	EVP_PKEY *key = a->by->signer_key->pkey;

	if (issuer == NULL || signer == NULL || X509_check_issued(issuer, signer) != X509_V_OK ||
		X509_check_private_key(signer, key) != 1)
		return -EINVAL;
	/* Sets producedAt to the clock's time and adds the signer's certificate. */
	if (OCSP_basic_sign(a->basic, signer, key, EVP_sha256(), NULL, 0) != 1)
		return pki_error();
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, a->basic);
	return ocsp_response_add(response, ret_der);
}

int pki_ocsp_respond(
	struct span request, const struct pki_ocsp_responder *responder, struct buf *ret_der)
{
	PKI_EDGE;
	struct pki_ocsp_request asked = {0};
	_cleanup_(ocsp_request_freep) OCSP_REQUEST *req = ocsp_request_of(request, &asked);
	_cleanup_(ocsp_basic_freep) OCSP_BASICRESP *basic = NULL;
	_cleanup_(generalized_freep) ASN1_GENERALIZEDTIME *this_update = NULL;
	_cleanup_(generalized_freep) ASN1_GENERALIZEDTIME *next_update = NULL;
	struct answers a = {.by = responder};
	int r;

	if (req == NULL)
		return -EBADMSG;
	basic = OCSP_BASICRESP_new();
	this_update = ASN1_GENERALIZEDTIME_set(NULL, pki_seconds(responder->now_us));
	next_update = ASN1_GENERALIZEDTIME_set(NULL, pki_seconds(responder->next_us));
	if (basic == NULL || this_update == NULL || next_update == NULL)
		return -ENOMEM;
	a.basic = basic;
	a.this_update = this_update;
	a.next_update = next_update;
	r = add_all(&a, req, &asked);
	return r < 0 ? r : sign(&a, ret_der);
}

int pki_ocsp_error(unsigned code, struct buf *ret_der)
{
	PKI_EDGE;
	_cleanup_(ocsp_response_freep) OCSP_RESPONSE *response = NULL;

	if (code < OCSP_RESPONSE_STATUS_MALFORMEDREQUEST ||
		code > OCSP_RESPONSE_STATUS_UNAUTHORIZED || code == 4)
		return -EINVAL;
	response = OCSP_response_create((int)code, NULL);
	return ocsp_response_add(response, ret_der);
}
