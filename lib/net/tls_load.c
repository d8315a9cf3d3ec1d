/*
 * Keys and certificates from PEM into contexts. A key in the form that `quintetctl init` writes is
 * taken apart here: OpenSSL's general decoder tries every format it knows, which costs a process
 * more than its handshake.
 */
#include "base/cleanup.h"
#include "base/text.h"
#include "net/tls_internal.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { P256_PRIVATE = 32, P256_PUBLIC = 65, KEY_DER_MAX = 8192 };

static void bio_freep(BIO **b)
{
	BIO_free(*b);
}

static BIO *pem_bio(struct span pem)
{
	return pem.len <= INT_MAX ? BIO_new_mem_buf(pem.p, (int)pem.len) : NULL;
}

/* Decodes the first PEM block of that label. */
static int pem_block(struct span pem, const char *begin, const char *end, struct buf *ret)
{
	const unsigned char *from = memmem(pem.p, pem.len, begin, strlen(begin));
	const unsigned char *to;

	if (from == NULL)
		return -ENOENT;
	from += strlen(begin);
	to = memmem(from, pem.len - (size_t)(from - pem.p), end, strlen(end));
	if (to == NULL)
		return -ENOENT;
	return text_unbase64(ret, span_of(from, (size_t)(to - from)));
}

static bool skip_bytes(struct span *s, const unsigned char *expected, size_t len)
{
	if (s->len < len || memcmp(s->p, expected, len) != 0)
		return false;
	*s = span_of(s->p + len, s->len - len);
	return true;
}

/*
 * Takes PKCS#8 of a P-256 key apart in the one layout that OpenSSL writes: 138 bytes with the
 * private number at 36 and the public point at 73 (RFC 5208, RFC 5915).
 */
static bool p256_parts(struct span der, struct span *ret_private, struct span *ret_public)
{
	static const unsigned char head[] = {0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06,
		0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
		0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20};
	static const unsigned char middle[] = {0xa1, 0x44, 0x03, 0x42, 0x00};

	if (!skip_bytes(&der, head, sizeof(head)) || der.len < P256_PRIVATE)
		return false;
	*ret_private = span_of(der.p, P256_PRIVATE);
	der = span_of(der.p + P256_PRIVATE, der.len - P256_PRIVATE);
	if (!skip_bytes(&der, middle, sizeof(middle)) || der.len != P256_PUBLIC)
		return false;
	*ret_public = der;
	return true;
}

static EVP_PKEY *p256_key(struct span private, struct span public)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	BIGNUM *number = BN_secure_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (number != NULL && build != NULL && ctx != NULL &&
		BN_bin2bn(private.p, P256_PRIVATE, number) != NULL &&
		OSSL_PARAM_BLD_push_utf8_string(
			build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
		OSSL_PARAM_BLD_push_octet_string(
			build, OSSL_PKEY_PARAM_PUB_KEY, public.p, public.len) == 1 &&
		OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, number) == 1)
		params = OSSL_PARAM_BLD_to_param(build);
	if (params != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	BN_clear_free(number);
	return key;
}

static EVP_PKEY *load_key(struct span pem)
{
	struct buf der = BUF_INIT(KEY_DER_MAX);
	struct span private, public;
	EVP_PKEY *key = NULL;
	char no_password[] = ""; /* keeps OpenSSL from asking a terminal for one */
	BIO *bio;

	if (pem_block(pem, "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", &der) == 0 &&
		p256_parts(buf_span(&der), &private, &public))
		key = p256_key(private, public);
	buf_wipe(&der);
	if (key != NULL)
		return key;
	ERR_clear_error();
	bio = pem_bio(pem);
	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, NULL, no_password);
	BIO_free(bio);
	return key;
}

/* Reads the next certificate of the text. 1, 0 at the end, -EINVAL. */
static int next_cert(BIO *bio, X509 **ret)
{
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	if (cert != NULL) {
		*ret = cert;
		return 1;
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return tls_fail(-EINVAL, "certificate");
	ERR_clear_error();
	return 0;
}

static int load_chain(SSL_CTX *ctx, struct span pem)
{
	_cleanup_(bio_freep) BIO *bio = pem_bio(pem);
	size_t count = 0;
	X509 *cert = NULL;
	int r;

	if (bio == NULL)
		return tls_fail(-ENOMEM, "certificate");
	while ((r = next_cert(bio, &cert)) == 1) {
		bool taken = count == 0 ? SSL_CTX_use_certificate(ctx, cert) == 1
					: SSL_CTX_add1_chain_cert(ctx, cert) == 1;

		X509_free(cert);
		if (!taken)
			return tls_fail(-EINVAL, "certificate");
		count++;
	}
	if (r == 0 && count == 0)
		return tls_fail(-EINVAL, "no certificate");
	return r;
}

int tls_load_identity(SSL_CTX *ctx, struct span key_pem, struct span cert_pem)
{
	EVP_PKEY *key;
	int r = load_chain(ctx, cert_pem);

	if (r < 0)
		return r;
	key = load_key(key_pem);
	if (key == NULL)
		return tls_fail(-EINVAL, "private key");
	/* Compares it with the certificate, too. */
	if (SSL_CTX_use_PrivateKey(ctx, key) != 1)
		r = tls_fail(-EINVAL, "private key");
	EVP_PKEY_free(key);
	return r;
}

int tls_load_trust(SSL_CTX *ctx, struct span pem, bool anchors)
{
	_cleanup_(bio_freep) BIO *bio = pem_bio(pem);
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	size_t count = 0;
	X509 *cert = NULL;
	int r;

	if (bio == NULL)
		return tls_fail(-ENOMEM, "trusted certificates");
	while ((r = next_cert(bio, &cert)) == 1) {
		bool self_signed = (X509_get_extension_flags(cert) & EXFLAG_SS) != 0;
		bool taken = (self_signed && !anchors) || X509_STORE_add_cert(store, cert) == 1;

		X509_free(cert);
		if (!taken)
			return tls_fail(-EINVAL, "trusted certificates");
		count++;
	}
	if (r == 0 && count == 0)
		return tls_fail(-EINVAL, "no trusted certificate");
	return r;
}
