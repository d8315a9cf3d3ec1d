/* An authority for tests: root, issuing, OCSP signer, and leaves by profile. Asserts on failure. */
#ifndef TESTS_PKI_FIXTURE_H
#define TESTS_PKI_FIXTURE_H

#include "pki/crl.h"
#include "pki/csr.h"

#include <stdint.h>

#define FIXTURE_CRL_URL "http://localhost:8080/ca/1.crl"
#define FIXTURE_OCSP_URL "http://localhost:8080/ocsp"
#define FIXTURE_ISSUER_URL "http://localhost:8080/ca/1.cer"

/* A certificate with its key. */
struct fixture_cert {
	struct pki_key *key;
	struct buf der, spki, pem;
	unsigned char serial[PKI_SERIAL_LEN];
};

struct fixture_ca {
	int64_t now_us;
	struct fixture_cert root, issuing, ocsp;
};

void fixture_ca_make(struct fixture_ca *ca);
void fixture_ca_free(struct fixture_ca *ca);

/* A key pair only. */
void fixture_key(struct fixture_cert *c);
void fixture_cert_free(struct fixture_cert *c);

/* A template with everything filled in for the profile: user "ann", host "localhost", 127.0.0.1. */
struct pki_template fixture_template(
	const struct fixture_ca *ca, enum pki_profile profile, struct fixture_cert *c);

/* Issues t for c's key by the issuing CA (the root for PKI_ROOT and PKI_ISSUING). */
void fixture_issue(
	const struct fixture_ca *ca, const struct pki_template *t, struct fixture_cert *c);

/* Key, template, certificate in one go. */
void fixture_leaf(const struct fixture_ca *ca, enum pki_profile profile, struct fixture_cert *c);

/* An empty folder below the temporary folder; the caller removes it with fixture_remove(). */
void fixture_folder(char ret[64]);
void fixture_write(const char *folder, const char *name, struct span bytes);
void fixture_remove(const char *folder);

/* Runs the program without a shell, output appended to out; its exit status. */
int fixture_run(const char *const *argv, struct buf *out);

#endif
