/* Judging PKCS#10 requests. Nothing of one is ever copied but its public key; the rest is read to
 * refuse what the peer should not have asked for. */
#include "pki/csr.h"

#include "base/hash.h"
#include "pki/csr_attr.h"
#include "pki/der.h"
#include "pki/ossl.h"

#include <errno.h>
#include <openssl/core_names.h>

static int refuse(const char **ret_reason, const char *reason)
{
	*ret_reason = reason;
	return -EKEYREJECTED;
}

static int malformed(const char **ret_reason, const char *reason)
{
	*ret_reason = reason;
	return -EBADMSG;
}

X509_REQ *pki_x509_req_of(struct span der)
{
	const unsigned char *p = der.p;
	X509_REQ *req;

	if (der.len > PKI_CSR_MAX || der_check(der) < 0)
		return NULL;
	req = d2i_X509_REQ(NULL, &p, (long)der.len);
	if (req != NULL && p != der.p + der.len) {
		X509_REQ_free(req);
		return NULL;
	}
	return req;
}

static int check_signature(X509_REQ *req, const char **ret_reason)
{
	static const int allowed[] = {NID_ecdsa_with_SHA256, NID_ecdsa_with_SHA384,
		NID_ecdsa_with_SHA512, NID_sha256WithRSAEncryption, NID_sha384WithRSAEncryption,
		NID_sha512WithRSAEncryption, NID_rsassaPss, NID_ED25519};
	int nid = X509_REQ_get_signature_nid(req);
	bool known = false;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		known = known || allowed[i] == nid;
	if (!known)
		return refuse(ret_reason, "the request is signed with a weak or unknown algorithm");
	if (X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) != 1)
		return refuse(ret_reason, "the request's signature does not prove its key");
	return 0;
}

static int check_constraints(const STACK_OF(X509_EXTENSION) * exts, const char **ret_reason)
{
	int critical = 0;
	BASIC_CONSTRAINTS *bc = X509V3_get_d2i(exts, NID_basic_constraints, &critical, NULL);
	bool ca;

	if (bc == NULL)
		return critical == -1
			? 0
			: malformed(ret_reason, "the request's basic constraints cannot be read");
	ca = bc->ca != 0;
	BASIC_CONSTRAINTS_free(bc);
	return ca ? refuse(ret_reason, "the request asks for a certificate authority") : 0;
}

static int check_usage(const STACK_OF(X509_EXTENSION) * exts, const char **ret_reason)
{
	enum { KEY_CERT_SIGN_BIT = 5, CRL_SIGN_BIT = 6 };
	int critical = 0;
	ASN1_BIT_STRING *bits = X509V3_get_d2i(exts, NID_key_usage, &critical, NULL);
	bool signs;

	if (bits == NULL)
		return critical == -1
			? 0
			: malformed(ret_reason, "the request's key usage cannot be read");
	signs = ASN1_BIT_STRING_get_bit(bits, KEY_CERT_SIGN_BIT) == 1 ||
		ASN1_BIT_STRING_get_bit(bits, CRL_SIGN_BIT) == 1;
	ASN1_BIT_STRING_free(bits);
	return signs ? refuse(ret_reason, "the request asks for a key that signs certificates") : 0;
}

static int read_alt_names(
	const STACK_OF(X509_EXTENSION) * exts, struct pki_csr_info *info, const char **ret_reason)
{
	int critical = 0;
	_cleanup_(pki_names_freep) GENERAL_NAMES *san =
		X509V3_get_d2i(exts, NID_subject_alt_name, &critical, NULL);
	struct pki_names names = {0};

	if (san == NULL && critical == -1)
		return 0;
	if (san == NULL || pki_names_read(san, &names) < 0)
		return malformed(ret_reason, "the request's alternative names cannot be read");
	if (names.email_count > 1)
		return refuse(ret_reason, "the request names more than one e-mail address");
	if (names.other_count > 0)
		return refuse(ret_reason, "the request asks for a kind of name not certified here");
	memcpy(info->email, names.email, sizeof(info->email));
	memcpy(info->hosts, names.hosts, sizeof(info->hosts));
	info->host_count = names.host_count;
	return 0;
}

static int read_extensions(X509_REQ *req, struct pki_csr_info *info, const char **ret_reason)
{
	STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(req);
	int r;

	if (exts == NULL)
		return 0;
	r = check_constraints(exts, ret_reason);
	if (r == 0)
		r = check_usage(exts, ret_reason);
	if (r == 0)
		r = read_alt_names(exts, info, ret_reason);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	return r;
}

/* The CN, and an e-mail address of the old place, which must be the one of the new place. */
static int read_subject(const X509_REQ *req, struct pki_csr_info *info, const char **ret_reason)
{
	const X509_NAME *subject = X509_REQ_get_subject_name(req);
	int at = X509_NAME_get_index_by_NID(subject, NID_pkcs9_emailAddress, -1);
	char email[PKI_NAME_MAX + 1];

	if (pki_subject_cn(subject, info->cn, sizeof(info->cn)) < 0)
		return malformed(ret_reason,
			"the request's common name is twice there, too long or not text");
	if (at < 0)
		return 0;
	if (pki_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), email,
		    sizeof(email)) < 0)
		return malformed(ret_reason, "the request's e-mail address is not text");
	if (X509_NAME_get_index_by_NID(subject, NID_pkcs9_emailAddress, at) >= 0 ||
		(info->email[0] != '\0' && strcmp(info->email, email) != 0))
		return refuse(ret_reason, "the request names more than one e-mail address");
	memcpy(info->email, email, sizeof(email));
	return 0;
}

static int read_attributes(const X509_REQ *req, struct pki_csr_info *info, const char **ret_reason)
{
	int at = X509_REQ_get_attr_by_NID(req, NID_pkcs9_challengePassword, -1);
	struct span proof;
	int r;

	if (at >= 0) {
		const ASN1_TYPE *value = X509_ATTRIBUTE_get0_type(X509_REQ_get_attr(req, at), 0);

		if (value == NULL || !pki_is_string(value) ||
			pki_text(value->value.asn1_string, info->challenge,
				sizeof(info->challenge)) < 0)
			return malformed(ret_reason, "the challenge password cannot be read");
	}
	r = pki_csr_old_proof(req, &proof);
	if (r < 0 && r != -ENOENT)
		return malformed(ret_reason, "the proof of the old key cannot be read");
	info->has_old_proof = r == 0;
	return 0;
}

static int read_key(X509_REQ *req, struct pki_csr_info *info, struct buf *spki)
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(req), &der);
	int r = pki_add_der(spki, der, len);

	return r < 0 ? r : hash_sha256(buf_span(spki), info->spki_sha256);
}

/* The key is judged before its signature is looked at: a huge one costs too much to verify. */
static int judge(X509_REQ *req, struct pki_csr_info *info, const char **ret_reason)
{
	int r;

	if (X509_REQ_get_version(req) != X509_REQ_VERSION_1)
		return malformed(ret_reason, "the request's version is not 0");
	r = pki_judge_key(X509_REQ_get_X509_PUBKEY(req), ret_reason);
	if (r < 0)
		return r;
	r = check_signature(req, ret_reason);
	if (r == 0)
		r = read_extensions(req, info, ret_reason);
	if (r == 0)
		r = read_subject(req, info, ret_reason);
	return r == 0 ? read_attributes(req, info, ret_reason) : r;
}

int pki_csr_read(
	struct span der, struct pki_csr_info *ret, struct buf *ret_spki, const char **ret_reason)
{
	PKI_EDGE;
	_cleanup_(pki_x509_req_freep) X509_REQ *req = NULL;
	_cleanup_(buf_done) struct buf spki = BUF_INIT(PKI_CSR_MAX);
	struct pki_csr_info info = {0};
	int r;

	if (der.len > PKI_CSR_MAX)
		return malformed(ret_reason, "the request is too long");
	req = pki_x509_req_of(der);
	if (req == NULL)
		return malformed(ret_reason, "not a PKCS#10 request in DER");
	r = judge(req, &info, ret_reason);
	if (r < 0)
		return r;
	r = read_key(req, &info, &spki);
	if (r == 0) {
		buf_add(ret_spki, buf_span(&spki));
		r = buf_error(ret_spki);
	}
	if (r < 0) {
		*ret_reason = "out of memory";
		return r;
	}
	*ret = info;
	return 0;
}

int pki_csr_check_old_proof(struct span der, struct span old_spki)
{
	PKI_EDGE;
	_cleanup_(pki_x509_req_freep) X509_REQ *req = pki_x509_req_of(der);
	_cleanup_(buf_done) struct buf spki = BUF_INIT(PKI_CSR_MAX);
	struct pki_csr_info unused;
	struct span proof;
	int r;

	if (req == NULL || pki_csr_old_proof(req, &proof) < 0)
		return -EKEYREJECTED;
	r = read_key(req, &unused, &spki);
	return r < 0 ? r : pki_verify(old_spki, buf_span(&spki), proof);
}
