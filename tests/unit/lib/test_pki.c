/* Throwaway certificates, made with OpenSSL. */
#include "tests/unit/lib/test_pki.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "test_pki: %s failed\n", what);
	abort();
}

static EVP_PKEY *new_key(int curve_bits)
{
	EVP_PKEY *key = EVP_EC_gen(curve_bits == 384 ? "P-384" : "P-256");

	must(key != NULL, "key");
	return key;
}

static void extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(e != NULL && X509_add_ext(cert, e, -1) == 1, value);
	X509_EXTENSION_free(e);
}

static X509 *new_cert(const char *cn, EVP_PKEY *key, X509 *issuer, long from_s, long to_s)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_NAME_new();
	BIGNUM *serial = BN_new();

	must(cert != NULL && name != NULL && serial != NULL, "memory");
	must(X509_set_version(cert, X509_VERSION_3) == 1 &&
			BN_rand(serial, 120, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
			BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(cert)) != NULL,
		"serial");
	must(X509_NAME_add_entry_by_txt(
		     name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0) == 1 &&
			X509_set_subject_name(cert, name) == 1 &&
			X509_set_issuer_name(
				cert, issuer != NULL ? X509_get_subject_name(issuer) : name) == 1,
		"name");
	must(X509_gmtime_adj(X509_getm_notBefore(cert), from_s) != NULL &&
			X509_gmtime_adj(X509_getm_notAfter(cert), to_s) != NULL &&
			X509_set_pubkey(cert, key) == 1,
		"validity");
	X509_NAME_free(name);
	BN_free(serial);
	return cert;
}

static void to_pem(X509 *cert, struct buf *ret)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long len;

	must(bio != NULL && PEM_write_bio_X509(bio, cert) == 1, "PEM");
	len = BIO_get_mem_data(bio, &p);
	*ret = BUF_INIT(TEST_PKI_PEM_MAX);
	buf_add(ret, span_of(p, (size_t)len));
	BIO_free(bio);
}

static void new_ca(struct test_ca *ret, const struct test_ca *above, const char *cn)
{
	EVP_PKEY *key = new_key(256);
	X509 *cert = new_cert(
		cn, key, above != NULL ? above->cert : NULL, -TEST_HOUR_S, 24 * TEST_HOUR_S);
	X509 *issuer = above != NULL ? above->cert : cert;

	extension(cert, issuer, NID_basic_constraints,
		above != NULL ? "critical,CA:TRUE,pathlen:0" : "critical,CA:TRUE");
	extension(cert, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
	extension(cert, issuer, NID_subject_key_identifier, "hash");
	extension(cert, issuer, NID_authority_key_identifier, "keyid");
	must(X509_sign(cert, above != NULL ? above->key : key, EVP_sha256()) > 0, "signature");
	*ret = (struct test_ca){.key = key, .cert = cert};
	to_pem(cert, &ret->pem);
}

void test_ca_root(struct test_ca *ret, const char *cn)
{
	new_ca(ret, NULL, cn);
}

void test_ca_issuing(struct test_ca *ret, const struct test_ca *root, const char *cn)
{
	new_ca(ret, root, cn);
}

void test_ca_done(struct test_ca *ca)
{
	EVP_PKEY_free(ca->key);
	X509_free(ca->cert);
	buf_done(&ca->pem);
}

void test_leaf_new(
	struct test_leaf *ret, const struct test_ca *ca, const struct test_leaf_spec *spec)
{
	EVP_PKEY *key = new_key(spec->curve_bits);
	X509 *cert = new_cert(spec->cn, key, ca->cert, spec->from_s, spec->to_s);
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long len;

	extension(cert, ca->cert, NID_basic_constraints, "CA:FALSE");
	extension(cert, ca->cert, NID_key_usage, "critical,digitalSignature");
	extension(cert, ca->cert, NID_subject_key_identifier, "hash");
	extension(cert, ca->cert, NID_authority_key_identifier, "keyid");
	if (spec->eku != NULL)
		extension(cert, ca->cert, NID_ext_key_usage, spec->eku);
	if (spec->san != NULL)
		extension(cert, ca->cert, NID_subject_alt_name, spec->san);
	must(X509_sign(cert, ca->key, EVP_sha256()) > 0, "signature");
	to_pem(cert, &ret->cert_pem);
	must(bio != NULL && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1,
		"key PEM");
	len = BIO_get_mem_data(bio, &p);
	ret->key_pem = BUF_INIT(TEST_PKI_PEM_MAX);
	buf_add(&ret->key_pem, span_of(p, (size_t)len));
	BIO_free(bio);
	X509_free(cert);
	EVP_PKEY_free(key);
}

void test_leaf_done(struct test_leaf *leaf)
{
	buf_wipe(&leaf->key_pem);
	buf_done(&leaf->cert_pem);
}

void test_pem_join(struct buf *ret, const struct buf *a, const struct buf *b)
{
	*ret = BUF_INIT(2 * TEST_PKI_PEM_MAX);
	buf_add(ret, buf_span(a));
	buf_add(ret, buf_span(b));
}
