/*
 * Throwaway keys and certificates for tests of TLS: a root, an issuing CA below it, and leaves of
 * every good and bad kind. Failures end the test program.
 */
#ifndef TEST_PKI_H
#define TEST_PKI_H

#include "base/buf.h"

#define TEST_PKI_PEM_MAX 16384

struct test_ca {
	void *key; /* EVP_PKEY */
	void *cert; /* X509 */
	struct buf pem; /* its certificate */
};

struct test_leaf {
	struct buf key_pem;
	struct buf cert_pem; /* the leaf alone */
};

struct test_leaf_spec {
	const char *cn;
	const char *san; /* as in openssl.cnf: "DNS:localhost,IP:127.0.0.1" */
	const char *eku; /* "serverAuth", NULL: none */
	long from_s, to_s; /* validity, from now */
	int curve_bits; /* 256, or 384 for a key in another layout than usual */
};

#define TEST_HOUR_S 3600L

void test_ca_root(struct test_ca *ret, const char *cn);
void test_ca_issuing(struct test_ca *ret, const struct test_ca *root, const char *cn);
void test_ca_done(struct test_ca *ca);

void test_leaf_new(
	struct test_leaf *ret, const struct test_ca *ca, const struct test_leaf_spec *spec);
void test_leaf_done(struct test_leaf *leaf);

/* Appends PEM texts one after the other. */
void test_pem_join(struct buf *ret, const struct buf *a, const struct buf *b);

#endif
