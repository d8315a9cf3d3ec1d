/* A public key that comes without a PKCS#10 request around it. */
#include "pki/csr.h"
#include "pki/der.h"
#include "pki/ossl.h"

#include <errno.h>

int pki_spki_check(struct span spki, const char **ret_reason)
{
	PKI_EDGE;
	_cleanup_(pki_pubkey_freep) X509_PUBKEY *key = NULL;
	const unsigned char *p = spki.p;
	int r;

	(void)edge;
	*ret_reason = "the public key is malformed";
	if (spki.len > PKI_CSR_MAX || der_check(spki) < 0)
		return -EBADMSG;
	key = d2i_X509_PUBKEY(NULL, &p, (long)spki.len);
	if (key == NULL || p != spki.p + spki.len)
		return -EBADMSG;
	r = pki_judge_key(key, ret_reason);
	return r < 0 ? r : 0;
}
