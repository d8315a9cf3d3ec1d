/* What the files of CMS share. Inside lib/pki only. */
#ifndef PKI_CMS_I_H
#define PKI_CMS_I_H

#include "pki/ossl.h"

#include <openssl/cms.h>

PKI_FREEP(pki_cms_freep, CMS_ContentInfo, CMS_ContentInfo_free)

/* The bytes as a source; NULL when there are too many or no memory is left. */
BIO *cms_bio(struct span bytes);

/* BER or DER (other programs write indefinite lengths), nothing behind it; NULL otherwise. */
CMS_ContentInfo *cms_read(struct span der);

#endif
