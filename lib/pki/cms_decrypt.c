/* S/MIME by OpenSSL's CMS: decrypting, with whichever key fits. */
#include "pki/cms.h"

#include "pki/cms_i.h"

#include <errno.h>
#include <limits.h>

CMS_ContentInfo *cms_read(struct span der)
{
	const unsigned char *p = der.p;
	CMS_ContentInfo *cms = NULL;

	if (der.len == 0 || der.len > INT_MAX)
		return NULL;
	cms = d2i_CMS_ContentInfo(NULL, &p, (long)der.len);
	if (cms == NULL || p == der.p + der.len)
		return cms;
	CMS_ContentInfo_free(cms);
	return NULL;
}

/* Is one of those who may read it the owner of the certificate? */
static bool agreed_with(CMS_RecipientInfo *ri, X509 *x)
{
	STACK_OF(CMS_RecipientEncryptedKey) *keys = CMS_RecipientInfo_kari_get0_reks(ri);

	for (int i = 0; i < sk_CMS_RecipientEncryptedKey_num(keys); i++)
		if (CMS_RecipientEncryptedKey_cert_cmp(
			    sk_CMS_RecipientEncryptedKey_value(keys, i), x) == 0)
			return true;
	return false;
}

static bool is_for(CMS_ContentInfo *cms, X509 *x)
{
	STACK_OF(CMS_RecipientInfo) *list = CMS_get0_RecipientInfos(cms);

	for (int i = 0; i < sk_CMS_RecipientInfo_num(list); i++) {
		CMS_RecipientInfo *ri = sk_CMS_RecipientInfo_value(list, i);

		switch (CMS_RecipientInfo_type(ri)) {
		case CMS_RECIPINFO_TRANS:
			if (CMS_RecipientInfo_ktri_cert_cmp(ri, x) == 0)
				return true;
			break;
		case CMS_RECIPINFO_AGREE:
			if (agreed_with(ri, x))
				return true;
			break;
		default:
			break;
		}
	}
	return false;
}

/* A key of the wrong kind would make OpenSSL try others; the certificate tells which it is. */
static int open_with(
	CMS_ContentInfo *cms, const struct pki_cms_key *key, X509 *x, struct buf *ret_content)
{
	_cleanup_(pki_bio_freep) BIO *out = BIO_new(BIO_s_mem());

	if (out == NULL)
		return -ENOMEM;
	if (X509_check_private_key(x, key->key->pkey) != 1 ||
		CMS_decrypt(cms, key->key->pkey, x, NULL, out, CMS_BINARY) != 1)
		return pki_error() == -ENOMEM ? -ENOMEM : -EBADMSG;
	return pki_add_bio(ret_content, out);
}

int pki_cms_decrypt(
	struct span der, const struct pki_cms_key *keys, size_t count, struct buf *ret_content)
{
	PKI_EDGE;
	_cleanup_(pki_cms_freep) CMS_ContentInfo *cms = cms_read(der);
	int type = cms != NULL ? OBJ_obj2nid(CMS_get0_type(cms)) : NID_undef;

	if (type != NID_pkcs7_enveloped && type != NID_id_smime_ct_authEnvelopedData)
		return -EBADMSG;
	for (size_t i = 0; i < count; i++) {
		_cleanup_(pki_x509_freep) X509 *x = pki_x509_of(keys[i].cert_der);

		if (x != NULL && is_for(cms, x))
			return open_with(cms, &keys[i], x, ret_content);
	}
	return -ENOKEY;
}
