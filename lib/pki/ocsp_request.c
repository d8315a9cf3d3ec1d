/* OCSP requests: judged for the responder. Their optional signature is not looked at (RFC 6960
 * section 4.1.2 leaves that to the responder). */
#include "pki/der.h"
#include "pki/ocsp_msg.h"

#include <errno.h>

enum { NONCE_MAX = 32, SHA1_LEN = 20, SHA256_LEN = 32 };

static size_t hash_len_of(const ASN1_OBJECT *algorithm)
{
	switch (OBJ_obj2nid(algorithm)) {
	case NID_sha1:
		return SHA1_LEN;
	case NID_sha256:
		return SHA256_LEN;
	default:
		return 0;
	}
}

static int copy_hash(const ASN1_OCTET_STRING *s, size_t len, unsigned char *ret)
{
	if (s == NULL || ASN1_STRING_length(s) < 0 || (size_t)ASN1_STRING_length(s) != len)
		return -EBADMSG;
	memcpy(ret, ASN1_STRING_get0_data(s), len);
	return 0;
}

static int copy_serial(const ASN1_INTEGER *serial, struct pki_ocsp_id *ret)
{
	_cleanup_(pki_bn_freep) BIGNUM *bn =
		serial != NULL ? ASN1_INTEGER_to_BN(serial, NULL) : NULL;

	if (bn == NULL || BN_is_negative(bn) || BN_num_bytes(bn) > (int)sizeof(ret->serial))
		return -EBADMSG;
	ret->serial_len = (size_t)BN_bn2bin(bn, ret->serial);
	return 0;
}

static int read_id(OCSP_ONEREQ *one, struct pki_ocsp_id *ret)
{
	ASN1_OCTET_STRING *name_hash = NULL, *key_hash = NULL;
	ASN1_OBJECT *algorithm = NULL;
	ASN1_INTEGER *serial = NULL;

	if (OCSP_id_get0_info(
		    &name_hash, &algorithm, &key_hash, &serial, OCSP_onereq_get0_id(one)) != 1)
		return -EBADMSG;
	ret->hash_len = hash_len_of(algorithm);
	if (ret->hash_len == 0 || copy_hash(name_hash, ret->hash_len, ret->issuer_name_hash) < 0 ||
		copy_hash(key_hash, ret->hash_len, ret->issuer_key_hash) < 0)
		return -EBADMSG;
	return copy_serial(serial, ret);
}

/* At most one nonce, an OCTET STRING of 1 to 32 bytes (RFC 8954 section 2.1). */
static bool nonce_ok(OCSP_REQUEST *request)
{
	int at = OCSP_REQUEST_get_ext_by_NID(request, NID_id_pkix_OCSP_Nonce, -1);
	const ASN1_OCTET_STRING *outer;
	struct span rest;
	struct der_tlv nonce;

	if (at < 0)
		return true;
	if (OCSP_REQUEST_get_ext_by_NID(request, NID_id_pkix_OCSP_Nonce, at) >= 0)
		return false;
	outer = X509_EXTENSION_get_data(OCSP_REQUEST_get_ext(request, at));
	rest = span_of(ASN1_STRING_get0_data(outer), (size_t)ASN1_STRING_length(outer));
	return der_next(&rest, &nonce) == 0 && rest.len == 0 && nonce.tag == V_ASN1_OCTET_STRING &&
		nonce.value.len >= 1 && nonce.value.len <= NONCE_MAX;
}

/* A critical extension that we do not know would change what is asked. */
static bool extensions_ok(OCSP_REQUEST *request)
{
	int count = OCSP_REQUEST_get_ext_count(request);

	for (int i = 0; i < count; i++) {
		X509_EXTENSION *ext = OCSP_REQUEST_get_ext(request, i);

		if (X509_EXTENSION_get_critical(ext) == 1 &&
			OBJ_obj2nid(X509_EXTENSION_get_object(ext)) != NID_id_pkix_OCSP_Nonce)
			return false;
	}
	return nonce_ok(request);
}

static int read_ids(OCSP_REQUEST *request, struct pki_ocsp_request *ret)
{
	int count = OCSP_request_onereq_count(request);

	if (count < 1 || count > PKI_OCSP_MAX_IDS || !extensions_ok(request))
		return -EBADMSG;
	for (int i = 0; i < count; i++)
		if (read_id(OCSP_request_onereq_get0(request, i), &ret->ids[i]) < 0)
			return -EBADMSG;
	ret->count = (size_t)count;
	return 0;
}

OCSP_REQUEST *ocsp_request_of(struct span der, struct pki_ocsp_request *ret)
{
	const unsigned char *p = der.p;
	OCSP_REQUEST *request;

	if (der.len > PKI_OCSP_MAX_REQUEST || der_check(der) < 0)
		return NULL;
	request = d2i_OCSP_REQUEST(NULL, &p, (long)der.len);
	if (request == NULL)
		return NULL;
	if (p != der.p + der.len || read_ids(request, ret) < 0) {
		OCSP_REQUEST_free(request);
		return NULL;
	}
	return request;
}

int pki_ocsp_request_read(struct span der, struct pki_ocsp_request *ret)
{
	PKI_EDGE;
	struct pki_ocsp_request asked = {0};
	_cleanup_(ocsp_request_freep) OCSP_REQUEST *request = ocsp_request_of(der, &asked);

	if (request == NULL)
		return -EBADMSG;
	*ret = asked;
	return 0;
}
