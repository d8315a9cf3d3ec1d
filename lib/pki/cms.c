/* S/MIME by OpenSSL's CMS: signing and encrypting. */
#include "pki/cms.h"

#include "pki/cms_i.h"

#include <errno.h>
#include <limits.h>
#include <openssl/ec.h>

enum { RECIPIENTS_MAX = 4096 };

/* A user's certificate for mail, with a key that CMS can use that way. OpenSSL's own check of the
 * purpose knows nothing of EC keys that encrypt. */
static bool is_for(X509 *x, uint32_t usage_ec, uint32_t usage_rsa)
{
	const EVP_PKEY *key = X509_get0_pubkey(x);
	uint32_t usage = X509_get_key_usage(x);

	if (key == NULL || X509_check_ca(x) != 0 ||
		(X509_get_extended_key_usage(x) & XKU_SMIME) == 0)
		return false;
	return (EVP_PKEY_is_a(key, "EC") && (usage & usage_ec) != 0) ||
		(EVP_PKEY_is_a(key, "RSA") && (usage & usage_rsa) != 0);
}

BIO *cms_bio(struct span bytes)
{
	return bytes.len <= INT_MAX
		? BIO_new_mem_buf(bytes.p != NULL ? bytes.p : (const void *)"", (int)bytes.len)
		: NULL;
}

/* DER of definite lengths, of any size. */
static int put_der(const CMS_ContentInfo *cms, struct buf *ret)
{
	unsigned char *der = NULL;
	int len = i2d_CMS_ContentInfo(cms, &der);

	return pki_add_der(ret, der, len);
}

/* -- signing ----------------------------------------------------------------------------------- */

/* What the signer can read: what is written here too. */
static int add_capabilities(CMS_SignerInfo *si)
{
	static const int ciphers[] = {NID_aes_256_cbc, NID_aes_128_cbc};
	STACK_OF(X509_ALGOR) *list = NULL;
	bool ok = true;

	for (size_t i = 0; ok && i < sizeof ciphers / sizeof ciphers[0]; i++)
		ok = CMS_add_simple_smimecap(&list, ciphers[i], -1) == 1;
	ok = ok && CMS_add_smimecap(si, list) == 1;
	sk_X509_ALGOR_pop_free(list, X509_ALGOR_free);
	return ok ? 0 : pki_error();
}

static int add_time(CMS_SignerInfo *si, int64_t at_us)
{
	_cleanup_(pki_time_freep) ASN1_TIME *at = ASN1_TIME_set(NULL, pki_seconds(at_us));

	if (at == NULL ||
		CMS_signed_add1_attr_by_NID(
			si, NID_pkcs9_signingTime, ASN1_STRING_type(at), at, -1) != 1)
		return pki_error();
	return 0;
}

static int add_signer(CMS_ContentInfo *cms, X509 *x, EVP_PKEY *pkey, int64_t at_us)
{
	CMS_SignerInfo *si = CMS_add1_signer(
		cms, x, pkey, EVP_sha256(), CMS_PARTIAL | CMS_BINARY | CMS_NOSMIMECAP);
	int r = si != NULL ? add_capabilities(si) : pki_error();

	return r == 0 ? add_time(si, at_us) : r;
}

static int add_chain(CMS_ContentInfo *cms, const struct span *chain_der, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		_cleanup_(pki_x509_freep) X509 *x = pki_x509_of(chain_der[i]);

		if (x == NULL)
			return -EINVAL;
		if (CMS_add1_cert(cms, x) != 1)
			return pki_error();
	}
	return 0;
}

int pki_cms_sign(
	const struct pki_cms_self *self, struct span content, int64_t at_us, struct buf *ret_der)
{
	PKI_EDGE;
	_cleanup_(pki_x509_freep) X509 *x = pki_x509_of(self->cert_der);
	_cleanup_(pki_cms_freep) CMS_ContentInfo *cms = NULL;
	_cleanup_(pki_bio_freep) BIO *in = NULL;
	int r;

	if (x == NULL || !is_for(x, KU_DIGITAL_SIGNATURE, KU_DIGITAL_SIGNATURE) ||
		X509_check_private_key(x, self->key->pkey) != 1)
		return -EINVAL;
	in = cms_bio(content);
	cms = CMS_sign(NULL, NULL, NULL, NULL, CMS_PARTIAL | CMS_DETACHED | CMS_BINARY);
	if (in == NULL || cms == NULL)
		return pki_error();
	r = add_signer(cms, x, self->key->pkey, at_us);
	if (r == 0)
		r = add_chain(cms, self->chain_der, self->chain_count);
	if (r == 0 && CMS_final(cms, in, NULL, CMS_DETACHED | CMS_BINARY) != 1)
		r = pki_error();
	return r == 0 ? put_der(cms, ret_der) : r;
}

/* -- encrypting -------------------------------------------------------------------------------- */

/* For EC keys: the derivation by SHA-256, where OpenSSL's own choice would be SHA-1. */
static int add_recipient(CMS_ContentInfo *cms, X509 *x)
{
	CMS_RecipientInfo *ri = CMS_add1_recipient_cert(cms, x, CMS_KEY_PARAM);
	EVP_PKEY_CTX *ctx;

	if (ri == NULL)
		return pki_error();
	if (CMS_RecipientInfo_type(ri) != CMS_RECIPINFO_AGREE)
		return 0;
	ctx = CMS_RecipientInfo_get0_pkey_ctx(ri);
	return ctx != NULL && EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, EVP_sha256()) > 0 ? 0 : pki_error();
}

static int add_recipients(
	CMS_ContentInfo *cms, const struct span *certs_der, size_t count, size_t *ret_bad)
{
	for (size_t i = 0; i < count; i++) {
		_cleanup_(pki_x509_freep) X509 *x = pki_x509_of(certs_der[i]);
		int r;

		if (x == NULL || !is_for(x, KU_KEY_AGREEMENT, KU_KEY_ENCIPHERMENT)) {
			*ret_bad = i;
			return -EINVAL;
		}
		r = add_recipient(cms, x);
		if (r < 0)
			return r;
	}
	return 0;
}

int pki_cms_encrypt(const struct span *certs_der, size_t count, struct span content,
	struct buf *ret_der, size_t *ret_bad)
{
	PKI_EDGE;
	_cleanup_(pki_cms_freep) CMS_ContentInfo *cms = NULL;
	_cleanup_(pki_bio_freep) BIO *in = NULL;
	int r;

	if (count == 0 || count > RECIPIENTS_MAX) {
		*ret_bad = 0;
		return -EINVAL;
	}
	in = cms_bio(content);
	cms = CMS_encrypt(NULL, NULL, EVP_aes_256_cbc(), CMS_PARTIAL | CMS_BINARY);
	if (in == NULL || cms == NULL)
		return pki_error();
	r = add_recipients(cms, certs_der, count, ret_bad);
	if (r == 0 && CMS_final(cms, in, NULL, CMS_BINARY) != 1)
		r = pki_error();
	return r == 0 ? put_der(cms, ret_der) : r;
}
