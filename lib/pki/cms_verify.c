/* S/MIME by OpenSSL's CMS: who signed, and does everything about it hold? */
#include "pki/cms.h"

#include "base/timefmt.h"
#include "pki/cms_i.h"

#include <errno.h>
#include <limits.h>
#include <openssl/cmserr.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

PKI_FREEP(store_freep, X509_STORE, X509_STORE_free)
PKI_FREEP(store_ctx_freep, X509_STORE_CTX, X509_STORE_CTX_free)

/* A signer's clock may be ahead by so much before what he says of the time is not believed. */
#define AHEAD_US (300 * TIME_S_US)

void pki_cms_signer_done(struct pki_cms_signer *s)
{
	free(s->cert_der);
	*s = (struct pki_cms_signer){.cert_der = NULL};
}

/* -- the signer -------------------------------------------------------------------------------- */

static int64_t signing_time_us(CMS_SignerInfo *si)
{
	int64_t at_us = 0;
	int at = CMS_signed_get_attr_by_NID(si, NID_pkcs9_signingTime, -1);
	X509_ATTRIBUTE *attr = at >= 0 ? CMS_signed_get_attr(si, at) : NULL;
	ASN1_TYPE *type = attr != NULL ? X509_ATTRIBUTE_get0_type(attr, 0) : NULL;

	if (type != NULL && (type->type == V_ASN1_UTCTIME || type->type == V_ASN1_GENERALIZEDTIME))
		(void)pki_time_us(type->value.asn1_string, &at_us);
	return at_us;
}

static int signer_fill(X509 *x, CMS_SignerInfo *si, struct pki_cms_signer *ret)
{
	_cleanup_(pki_names_freep) GENERAL_NAMES *alt =
		X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	struct pki_names names = {.host_count = 0};
	unsigned char *der = NULL;
	int len = i2d_X509(x, &der);

	if (len <= 0)
		return pki_error();
	ret->cert_der = malloc((size_t)len);
	if (ret->cert_der != NULL)
		memcpy(ret->cert_der, der, (size_t)len);
	OPENSSL_free(der);
	if (ret->cert_der == NULL)
		return -ENOMEM;
	ret->cert_len = (size_t)len;
	if (alt != NULL && pki_names_read(alt, &names) == 0)
		memcpy(ret->email, names.email, sizeof names.email);
	ret->signed_us = signing_time_us(si);
	return 0;
}

/* One signer, whose certificate is with it. */
static int find_signer(CMS_ContentInfo *cms, CMS_SignerInfo **ret_si, X509 **ret_x,
	STACK_OF(X509) * certs, const char **ret_reason)
{
	STACK_OF(CMS_SignerInfo) *list = CMS_get0_SignerInfos(cms);

	if (sk_CMS_SignerInfo_num(list) != 1) {
		*ret_reason = sk_CMS_SignerInfo_num(list) < 1 ? "nobody has signed it"
							      : "it has several signatures";
		return -EKEYREJECTED;
	}
	*ret_si = sk_CMS_SignerInfo_value(list, 0);
	for (int i = 0; i < sk_X509_num(certs); i++) {
		X509 *x = sk_X509_value(certs, i);

		if (CMS_SignerInfo_cert_cmp(*ret_si, x) == 0) {
			*ret_x = x;
			return 0;
		}
	}
	*ret_reason = "the signer's certificate is not with it";
	return -EKEYREJECTED;
}

/* -- the chain --------------------------------------------------------------------------------- */

static int store_of(const struct pki_cms_judge *judge, int64_t at_us, X509_STORE **ret)
{
	_cleanup_(store_freep) X509_STORE *store = X509_STORE_new();
	_cleanup_(pki_x509s_freep) STACK_OF(X509) *certs = NULL;
	X509_VERIFY_PARAM *param;
	int r = store != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < judge->root_count; i++)
		r = pki_x509s_add(&certs, judge->roots[i]);
	for (int i = 0; r == 0 && i < sk_X509_num(certs); i++)
		if (X509_STORE_add_cert(store, sk_X509_value(certs, i)) != 1)
			r = -ENOMEM;
	if (r < 0)
		return r;
	param = X509_STORE_get0_param(store);
	X509_VERIFY_PARAM_set_time(param, pki_seconds(at_us));
	X509_VERIFY_PARAM_set_auth_level(param, 2);
	if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT) != 1 ||
		X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SMIME_SIGN) != 1)
		return -EIO;
	*ret = take_ptr(&store);
	return 0;
}

static const char *reason_of(int error)
{
	switch (error) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return "its certificate is of an unknown authority";
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return "its certificate had expired";
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return "its certificate was not yet valid";
	case X509_V_ERR_INVALID_PURPOSE:
		return "its certificate is not for mail";
	default:
		return X509_verify_cert_error_string(error);
	}
}

static int check_chain(X509_STORE *store, X509 *x, STACK_OF(X509) * certs, const char **ret_reason)
{
	_cleanup_(store_ctx_freep) X509_STORE_CTX *ctx = X509_STORE_CTX_new();

	if (ctx == NULL || X509_STORE_CTX_init(ctx, store, x, certs) != 1)
		return -ENOMEM;
	if (X509_verify_cert(ctx) != 1) {
		*ret_reason = reason_of(X509_STORE_CTX_get_error(ctx));
		return -EKEYREJECTED;
	}
	return 0;
}

/* -- the signature ----------------------------------------------------------------------------- */

/* Old digests are forged too easily for what claims to be somebody's word. */
static bool digest_is_good(CMS_SignerInfo *si)
{
	X509_ALGOR *digest = NULL;

	CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest, NULL);
	switch (digest != NULL ? OBJ_obj2nid(digest->algorithm) : NID_undef) {
	case NID_sha256:
	case NID_sha384:
	case NID_sha512:
		return true;
	default:
		return false;
	}
}

static int check_signature(CMS_ContentInfo *cms, CMS_SignerInfo *si, struct span content,
	struct buf *ret_content, const char **ret_reason)
{
	_cleanup_(pki_bio_freep) BIO *in = content.p != NULL ? cms_bio(content) : NULL;
	_cleanup_(pki_bio_freep) BIO *out = BIO_new(BIO_s_mem());

	if (out == NULL || (content.p != NULL && in == NULL))
		return -ENOMEM;
	if (!digest_is_good(si)) {
		*ret_reason = "it is signed by a digest that is no longer safe";
		return -EKEYREJECTED;
	}
	if (CMS_verify(cms, NULL, NULL, in, out, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) != 1) {
		if (pki_error() == -ENOMEM)
			return -ENOMEM;
		*ret_reason = "it was altered after it was signed";
		return -EKEYREJECTED;
	}
	return content.p == NULL ? pki_add_bio(ret_content, out) : 0;
}

/* Content in two places could be shown from the one and verified from the other. */
static int open_signed(struct span der, bool detached, CMS_ContentInfo **ret)
{
	CMS_ContentInfo *cms = cms_read(der);

	if (cms != NULL && OBJ_obj2nid(CMS_get0_type(cms)) == NID_pkcs7_signed &&
		(CMS_is_detached(cms) == 1) == detached) {
		*ret = cms;
		return 0;
	}
	CMS_ContentInfo_free(cms);
	return -EBADMSG;
}

static int64_t judged_at_us(const struct pki_cms_signer *s, int64_t at_us)
{
	int64_t now_us = time_now_us();

	if (at_us != 0)
		return at_us;
	return s->signed_us != 0 && s->signed_us < now_us + AHEAD_US ? s->signed_us : now_us;
}

struct verdict {
	CMS_ContentInfo *cms;
	CMS_SignerInfo *si;
	STACK_OF(X509) * certs;
	X509 *x;
};

static int verify(const struct verdict *v, struct span content, X509_STORE *store,
	struct buf *ret_content, const char **ret_reason)
{
	int r = check_signature(v->cms, v->si, content, ret_content, ret_reason);

	return r == 0 ? check_chain(store, v->x, v->certs, ret_reason) : r;
}

int pki_cms_verify(struct span der, struct span content, const struct pki_cms_judge *judge,
	struct buf *ret_content, struct pki_cms_signer *ret, const char **ret_reason)
{
	PKI_EDGE;
	_cleanup_(pki_cms_freep) CMS_ContentInfo *cms = NULL;
	_cleanup_(pki_x509s_freep) STACK_OF(X509) *certs = NULL;
	_cleanup_(store_freep) X509_STORE *store = NULL;
	struct verdict v = {.cms = NULL};
	int r = open_signed(der, content.p != NULL, &cms);

	*ret = (struct pki_cms_signer){.cert_der = NULL};
	*ret_reason = "";
	if (r < 0)
		return r;
	certs = CMS_get1_certs(cms);
	v.cms = cms;
	v.certs = certs;
	r = find_signer(cms, &v.si, &v.x, certs, ret_reason);
	if (r == 0)
		r = signer_fill(v.x, v.si, ret);
	if (r == 0)
		r = store_of(judge, judged_at_us(ret, judge->at_us), &store);
	if (r == 0)
		r = verify(&v, content, store, ret_content, ret_reason);
	if (r < 0 && r != -EKEYREJECTED)
		pki_cms_signer_done(ret);
	return r;
}
