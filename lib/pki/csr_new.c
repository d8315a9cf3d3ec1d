/* Making requests, and the attribute that proves the old key. */
#include "pki/csr.h"
#include "pki/csr_attr.h"

#include <errno.h>

bool pki_is_string(const ASN1_TYPE *value)
{
	switch (ASN1_TYPE_get(value)) {
	case V_ASN1_UTF8STRING:
	case V_ASN1_PRINTABLESTRING:
	case V_ASN1_IA5STRING:
	case V_ASN1_T61STRING:
	case V_ASN1_BMPSTRING:
	case V_ASN1_UNIVERSALSTRING:
		return true;
	default:
		return false;
	}
}

int pki_csr_old_proof(const X509_REQ *req, struct span *ret)
{
	_cleanup_(pki_object_freep) ASN1_OBJECT *oid = OBJ_txt2obj(PKI_OID_OLD_PROOF, 1);
	X509_ATTRIBUTE *attribute;
	const ASN1_TYPE *value;
	int at;

	if (oid == NULL)
		return -ENOMEM;
	at = X509_REQ_get_attr_by_OBJ(req, oid, -1);
	if (at < 0)
		return -ENOENT;
	attribute = X509_REQ_get_attr(req, at);
	value = X509_ATTRIBUTE_get0_type(attribute, 0);
	if (X509_REQ_get_attr_by_OBJ(req, oid, at) >= 0 || X509_ATTRIBUTE_count(attribute) != 1 ||
		value == NULL || ASN1_TYPE_get(value) != V_ASN1_OCTET_STRING)
		return -EBADMSG;
	*ret = span_of(ASN1_STRING_get0_data(value->value.octet_string),
		(size_t)ASN1_STRING_length(value->value.octet_string));
	return 0;
}

static int add_old_proof(X509_REQ *req, const struct pki_key *key, const struct pki_key *old_key)
{
	_cleanup_(pki_object_freep) ASN1_OBJECT *oid = OBJ_txt2obj(PKI_OID_OLD_PROOF, 1);
	_cleanup_(buf_done) struct buf spki = BUF_INIT(PKI_CSR_MAX);
	_cleanup_(buf_done) struct buf signature = BUF_INIT(PKI_CSR_MAX);
	int r = pki_key_spki(key, &spki);

	if (r == 0)
		r = pki_sign(old_key, buf_span(&spki), &signature);
	if (r < 0)
		return r;
	if (oid == NULL ||
		X509_REQ_add1_attr_by_OBJ(
			req, oid, V_ASN1_OCTET_STRING, signature.p, (int)signature.len) != 1)
		return -ENOMEM;
	return 0;
}

static GENERAL_NAMES *email_names(const char *email)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();

	if (names == NULL || name == NULL || text == NULL ||
		ASN1_STRING_set(text, email, -1) != 1 || sk_GENERAL_NAME_push(names, name) <= 0) {
		GENERAL_NAMES_free(names);
		GENERAL_NAME_free(name);
		ASN1_IA5STRING_free(text);
		return NULL;
	}
	GENERAL_NAME_set0_value(name, GEN_EMAIL, text);
	return names;
}

static int add_email(X509_REQ *req, const char *email)
{
	_cleanup_(pki_names_freep) GENERAL_NAMES *names = NULL;
	STACK_OF(X509_EXTENSION) *exts = NULL;
	int r = -ENOMEM;

	if (!pki_is_email(span_str(email)))
		return -EINVAL;
	names = email_names(email);
	if (names != NULL &&
		X509V3_add1_i2d(&exts, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1 &&
		X509_REQ_add_extensions(req, exts) == 1)
		r = 0;
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	return r;
}

static int fill(X509_REQ *req, const struct pki_key *key, const char *cn)
{
	if (X509_REQ_set_version(req, X509_REQ_VERSION_1) != 1 ||
		X509_REQ_set_pubkey(req, key->pkey) != 1)
		return pki_error();
	if (X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_UTF8,
		    (const unsigned char *)cn, -1, -1, 0) != 1)
		return -EINVAL;
	return 0;
}

int pki_csr_new(const struct pki_key *key, const char *cn, const char *email,
	const struct pki_key *old_key, struct buf *ret_der)
{
	PKI_EDGE;
	_cleanup_(pki_x509_req_freep) X509_REQ *req = X509_REQ_new();
	const EVP_MD *md = EVP_PKEY_is_a(key->pkey, "ED25519") ? NULL : EVP_sha256();
	unsigned char *der = NULL;
	int r = req != NULL ? fill(req, key, cn) : -ENOMEM;
	int len;

	if (r == 0 && email != NULL)
		r = add_email(req, email);
	if (r == 0 && old_key != NULL)
		r = add_old_proof(req, key, old_key);
	if (r == 0 && X509_REQ_sign(req, key->pkey, md) <= 0)
		r = pki_error();
	if (r < 0)
		return r;
	len = i2d_X509_REQ(req, &der);
	return pki_add_der(ret_der, der, len);
}
