/* PKCS#12: key, certificate and chain for other programs, and out of them. */
#include "pki/cms.h"

#include "base/rec.h"
#include "pki/ossl.h"

#include <errno.h>
#include <limits.h>
#include <openssl/pkcs12.h>

PKI_FREEP(p12_freep, PKCS12, PKCS12_free)

enum { PASSWORD_MAX = 1024, ITERATIONS = 100000, ITERATIONS_OLD = 2048 };

struct password {
	char text[PASSWORD_MAX + 1];
};

static void password_wipe(struct password *p)
{
	explicit_bzero(p, sizeof *p);
}

static int add_certs(STACK_OF(X509) * *list, const struct span *chain_der, size_t count)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = pki_x509s_add(list, chain_der[i]);
	return r == -EBADMSG ? -EINVAL : r;
}

int pki_p12_write(const struct pki_p12 *p, struct buf *ret)
{
	PKI_EDGE;
	_cleanup_(pki_x509_freep) X509 *x = pki_x509_of(p->self.cert_der);
	_cleanup_(pki_x509s_freep) STACK_OF(X509) *chain = NULL;
	_cleanup_(password_wipe) struct password pass;
	_cleanup_(p12_freep) PKCS12 *p12 = NULL;
	const int cipher = p->old ? NID_pbe_WithSHA1And3_Key_TripleDES_CBC : NID_aes_256_cbc;
	const int turns = p->old ? ITERATIONS_OLD : ITERATIONS;
	unsigned char *der = NULL;
	int len, r = add_certs(&chain, p->self.chain_der, p->self.chain_count);

	if (x == NULL || span_copy_str(p->password, pass.text, sizeof pass.text) < 0 ||
		X509_check_private_key(x, p->self.key->pkey) != 1)
		return -EINVAL;
	if (r < 0)
		return r;
	/* The MAC is made apart: its digest is old too. */
	p12 = PKCS12_create(
		pass.text, p->name, p->self.key->pkey, x, chain, cipher, cipher, turns, -1, 0);
	if (p12 == NULL ||
		PKCS12_set_mac(p12, pass.text, -1, NULL, 0, turns,
			p->old ? EVP_sha1() : EVP_sha256()) != 1)
		return pki_error();
	len = i2d_PKCS12(p12, &der);
	return pki_add_der(ret, der, len);
}

static int put_cert(struct buf *b, const X509 *x)
{
	unsigned char *der = NULL;
	int len = i2d_X509(x, &der);

	if (len < 0)
		return pki_error();
	rec_put_bytes(b, span_of(der, (size_t)len));
	OPENSSL_free(der);
	return buf_error(b);
}

static int put_certs(struct buf *b, const X509 *own, STACK_OF(X509) * others)
{
	int r = put_cert(b, own);

	for (int i = 0; r == 0 && i < sk_X509_num(others); i++)
		r = put_cert(b, sk_X509_value(others, i));
	return r;
}

static int open_p12(struct span der, const struct password *pass, PKCS12 **ret)
{
	const unsigned char *p = der.p;
	_cleanup_(p12_freep) PKCS12 *p12 =
		der.len <= LONG_MAX ? d2i_PKCS12(NULL, &p, (long)der.len) : NULL;

	if (p12 == NULL || PKCS12_mac_present(p12) != 1)
		return -EBADMSG;
	/* Whoever gave none may mean the empty one or the absent one. */
	if (PKCS12_verify_mac(p12, pass->text, -1) != 1 &&
		(pass->text[0] != '\0' || PKCS12_verify_mac(p12, NULL, 0) != 1))
		return -EACCES;
	*ret = take_ptr(&p12);
	return 0;
}

int pki_p12_read(
	struct span p12, struct span password, struct pki_key **ret_key, struct buf *ret_certs)
{
	PKI_EDGE;
	_cleanup_(password_wipe) struct password pass;
	_cleanup_(p12_freep) PKCS12 *box = NULL;
	_cleanup_(pki_x509_freep) X509 *own = NULL;
	_cleanup_(pki_x509s_freep) STACK_OF(X509) *others = NULL;
	_cleanup_(pki_pkey_freep) EVP_PKEY *pkey = NULL;
	int r;

	if (span_copy_str(password, pass.text, sizeof pass.text) < 0)
		return -EACCES;
	r = open_p12(p12, &pass, &box);
	if (r < 0)
		return r;
	if (PKCS12_parse(box, pass.text, &pkey, &own, &others) != 1 || pkey == NULL || own == NULL)
		return pki_error() == -ENOMEM ? -ENOMEM : -EBADMSG;
	r = put_certs(ret_certs, own, others);
	return r == 0 ? pki_key_take(take_ptr(&pkey), ret_key) : r;
}
