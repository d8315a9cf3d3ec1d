/* The asking side of OCSP. */
#include "base/hash.h"
#include "pki/der.h"
#include "pki/ocsp_msg.h"

#include <errno.h>
#include <limits.h>

enum { NONCE_LEN = 32, CLOCK_SKEW_S = 300, RESPONSE_MAX = 65536 };

PKI_FREEP(store_freep, X509_STORE, X509_STORE_free)

static OCSP_CERTID *id_of(struct span leaf_der, struct span issuer_der)
{
	_cleanup_(pki_x509_freep) X509 *leaf = pki_x509_of(leaf_der);
	_cleanup_(pki_x509_freep) X509 *issuer = pki_x509_of(issuer_der);

	if (leaf == NULL || issuer == NULL)
		return NULL;
	return OCSP_cert_to_id(EVP_sha256(), leaf, issuer);
}

int pki_ocsp_request_new(struct span leaf_der, struct span issuer_der, struct buf *ret_der,
	unsigned char ret_nonce[32])
{
	PKI_EDGE;
	_cleanup_(ocsp_request_freep) OCSP_REQUEST *request = OCSP_REQUEST_new();
	_cleanup_(ocsp_certid_freep) OCSP_CERTID *id = id_of(leaf_der, issuer_der);
	unsigned char nonce[NONCE_LEN], *der = NULL;
	int r, len;

	if (request == NULL)
		return -ENOMEM;
	if (id == NULL)
		return -EBADMSG;
	r = hash_random(nonce, sizeof(nonce));
	if (r < 0)
		return r;
	/* The request takes the id. */
	if (OCSP_request_add0_id(request, id) == NULL)
		return -ENOMEM;
	(void)take_ptr(&id);
	if (OCSP_request_add1_nonce(request, nonce, sizeof(nonce)) != 1)
		return -ENOMEM;
	len = i2d_OCSP_REQUEST(request, &der);
	r = pki_add_der(ret_der, der, len);
	if (r == 0)
		memcpy(ret_nonce, nonce, sizeof(nonce));
	return r;
}

static int reject(const char **ret_reason, const char *reason)
{
	*ret_reason = reason;
	return -EKEYREJECTED;
}

static const char *status_text(int status)
{
	static const char *const texts[] = {
		[OCSP_RESPONSE_STATUS_MALFORMEDREQUEST] =
			"the responder calls the request malformed",
		[OCSP_RESPONSE_STATUS_INTERNALERROR] = "the responder has an internal error",
		[OCSP_RESPONSE_STATUS_TRYLATER] = "the responder asks to try later",
		[OCSP_RESPONSE_STATUS_SIGREQUIRED] = "the responder wants signed requests",
		[OCSP_RESPONSE_STATUS_UNAUTHORIZED] =
			"the responder does not answer for this issuer",
	};

	if (status < 0 || (size_t)status >= sizeof(texts) / sizeof(texts[0]) ||
		texts[status] == NULL)
		return "the responder gives an unknown status";
	return texts[status];
}

static bool nonce_matches(OCSP_BASICRESP *basic, const unsigned char nonce[NONCE_LEN])
{
	int at = OCSP_BASICRESP_get_ext_by_NID(basic, NID_id_pkix_OCSP_Nonce, -1);
	const ASN1_OCTET_STRING *outer;
	struct span rest;
	struct der_tlv inner;

	if (at < 0)
		return false;
	outer = X509_EXTENSION_get_data(OCSP_BASICRESP_get_ext(basic, at));
	rest = span_of(ASN1_STRING_get0_data(outer), (size_t)ASN1_STRING_length(outer));
	return der_next(&rest, &inner) == 0 && rest.len == 0 &&
		span_eq(inner.value, span_of(nonce, NONCE_LEN));
}

static int check_signature(OCSP_BASICRESP *basic, struct span issuer_der, struct span root_pem,
	const char **ret_reason)
{
	_cleanup_(store_freep) X509_STORE *store = NULL;
	_cleanup_(pki_x509s_freep) STACK_OF(X509) *extra = NULL;
	int r = pki_store_new(root_pem, &store);

	if (r == 0)
		r = pki_x509s_add(&extra, issuer_der);
	if (r < 0)
		return r;
	if (OCSP_basic_verify(basic, extra, store, 0) != 1)
		return reject(ret_reason, "the answer is not signed by a responder of this issuer");
	return 0;
}

/* What the answer says about id, if it is fresh. */
static int read_single(OCSP_BASICRESP *basic, OCSP_CERTID *id, struct pki_ocsp_answer *ret,
	const char **ret_reason)
{
	ASN1_GENERALIZEDTIME *revoked = NULL, *this_update = NULL, *next_update = NULL;
	int status = -1, reason = -1;
	struct pki_ocsp_answer answer = {.status = PKI_OCSP_UNKNOWN};

	if (OCSP_resp_find_status(
		    basic, id, &status, &reason, &revoked, &this_update, &next_update) != 1)
		return reject(ret_reason, "the answer is about another certificate");
	if (OCSP_check_validity(this_update, next_update, CLOCK_SKEW_S, -1) != 1)
		return reject(ret_reason, "the answer is out of date, or a clock is wrong");
	if (status == V_OCSP_CERTSTATUS_GOOD)
		answer.status = PKI_OCSP_GOOD;
	if (status == V_OCSP_CERTSTATUS_REVOKED) {
		answer.status = PKI_OCSP_REVOKED;
		answer.reason = reason > 0 ? reason : 0;
		if (pki_time_us(revoked, &answer.revoked_us) < 0)
			return reject(ret_reason, "the answer cannot be read");
	}
	*ret = answer;
	return 0;
}

static OCSP_RESPONSE *response_of(struct span der)
{
	const unsigned char *p = der.p;
	OCSP_RESPONSE *response;

	if (der.len > RESPONSE_MAX || der_check(der) < 0)
		return NULL;
	response = d2i_OCSP_RESPONSE(NULL, &p, (long)der.len);
	if (response != NULL && p != der.p + der.len) {
		OCSP_RESPONSE_free(response);
		return NULL;
	}
	return response;
}

int pki_ocsp_response_read(struct span der, const struct pki_ocsp_question *asked,
	struct pki_ocsp_answer *ret, const char **ret_reason)
{
	PKI_EDGE;
	_cleanup_(ocsp_response_freep) OCSP_RESPONSE *response = response_of(der);
	_cleanup_(ocsp_basic_freep) OCSP_BASICRESP *basic = NULL;
	_cleanup_(ocsp_certid_freep) OCSP_CERTID *id = id_of(asked->leaf_der, asked->issuer_der);
	int status, r;

	if (response == NULL || id == NULL)
		return reject(ret_reason, "the answer cannot be read");
	status = OCSP_response_status(response);
	if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
		return reject(ret_reason, status_text(status));
	basic = OCSP_response_get1_basic(response);
	if (basic == NULL)
		return reject(ret_reason, "the answer cannot be read");
	if (!nonce_matches(basic, asked->nonce))
		return reject(ret_reason, "the answer is not to our question (nonce)");
	r = check_signature(basic, asked->issuer_der, asked->root_pem, ret_reason);
	return r < 0 ? r : read_single(basic, id, ret, ret_reason);
}
