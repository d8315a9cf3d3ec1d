/* PKCS#7 "certs-only" (RFC 5652 signed-data without signers or content; RFC 7030 section 4.1.3). */
#include "pki/der.h"
#include "pki/ossl.h"

#include <errno.h>
#include <limits.h>

int pki_certs_only(const struct span *ders, size_t count, struct buf *ret)
{
	PKI_EDGE;
	_cleanup_(pki_pkcs7_freep) PKCS7 *p7 = PKCS7_new();
	STACK_OF(X509) *certs = NULL;
	unsigned char *der = NULL;
	int r = p7 != NULL && PKCS7_set_type(p7, NID_pkcs7_signed) == 1 ? 0 : -ENOMEM;
	int len;

	for (size_t i = 0; i < count && r == 0; i++)
		r = pki_x509s_add(&certs, ders[i]);
	if (r == 0 && sk_X509_num(certs) < 1)
		r = -EINVAL;
	if (r < 0) {
		pki_x509s_freep(&certs);
		return r;
	}
	/* PKCS7_content_new() would add empty content; only its type belongs there. */
	p7->d.sign->contents->type = OBJ_nid2obj(NID_pkcs7_data);
	p7->d.sign->cert = certs;
	len = i2d_PKCS7(p7, &der);
	return pki_add_der(ret, der, len);
}

static int give(X509 *x, int (*each)(void *arg, struct span der), void *arg)
{
	struct buf der = BUF_INIT(65536);
	unsigned char *p = NULL;
	int len = i2d_X509(x, &p);
	int r = pki_add_der(&der, p, len);

	if (r == 0)
		r = each(arg, buf_span(&der));
	buf_done(&der);
	return r;
}

int pki_certs_only_each(struct span p7_der, int (*each)(void *arg, struct span der), void *arg)
{
	PKI_EDGE;
	_cleanup_(pki_pkcs7_freep) PKCS7 *p7 = NULL;
	const unsigned char *p = p7_der.p;
	int r = 0;

	if (p7_der.len > LONG_MAX || der_check(p7_der) < 0)
		return -EBADMSG;
	p7 = d2i_PKCS7(NULL, &p, (long)p7_der.len);
	if (p7 == NULL || !PKCS7_type_is_signed(p7) || p7->d.sign == NULL ||
		sk_X509_num(p7->d.sign->cert) < 1)
		return -EBADMSG;
	for (int i = 0; i < sk_X509_num(p7->d.sign->cert) && r == 0; i++)
		r = give(sk_X509_value(p7->d.sign->cert, i), each, arg);
	return r;
}
