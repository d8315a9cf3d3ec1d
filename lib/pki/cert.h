/* Reading and making certificates by profile (RFC 5280; DESIGN section 5). */
#ifndef PKI_CERT_H
#define PKI_CERT_H

#include "pki/key.h"

#include <stdint.h>

#define PKI_SERIAL_LEN 16
#define PKI_NAME_MAX 254
#define PKI_MAX_HOSTS 16

/* The private EKU of calls between peers, under 2.25 (a UUID's arc). */
#define PKI_EKU_PEER "2.25.268329493512394017458362904857382010114"

enum pki_profile {
	PKI_ROOT, /* pathlen 1, self-signed */
	PKI_ISSUING, /* pathlen 0 */
	PKI_USER, /* clientAuth, emailProtection, PKI_EKU_PEER; SAN rfc822Name name@domain; CN name
		   */
	PKI_HOST, /* serverAuth; SAN dNSName and IP; never clientAuth */
	PKI_TSA, /* timeStamping only, critical */
	PKI_OCSP, /* OCSPSigning, ocsp-nocheck */
	PKI_CMP, /* digitalSignature, EKU cmcRA (id-kp-cmcRA), protects CMP answers */
};

/* What is to be certified. Nothing comes from a CSR but the public key. */
struct pki_template {
	enum pki_profile profile;
	const char *cn;
	const char *email; /* user: name@domain */
	const char *hosts[PKI_MAX_HOSTS]; /* host: DNS names and IP addresses as text */
	size_t host_count;
	unsigned char serial[PKI_SERIAL_LEN];
	int64_t not_before_us,
		not_after_us; /* cut to whole seconds; not_after is clamped to the issuer's */
	const char *crl_url; /* NULL: none (root) */
	const char *ocsp_url;
	const char *issuer_url; /* caIssuers */
	struct span spki; /* SubjectPublicKeyInfo DER */
};

/* Random: top bit clear, first byte not zero, 120+ random bits. */
int pki_serial_new(unsigned char ret[PKI_SERIAL_LEN]);

/*
 * Builds and signs. issuer_der empty and profile PKI_ROOT: self-signed. Afterwards the result is
 * linted against the profile by re-parsing. -EINVAL: template against the profile's rules.
 */
int pki_issue(const struct pki_template *t, struct span issuer_der,
	const struct pki_key *issuer_key, struct buf *ret_der);

/*
 * Does a certificate keep to its profile? Re-reads the DER: version, serial, algorithms, names,
 * validity, extensions and their critical flags, key, signature. issuer_der empty: the root.
 * -EBADMSG unreadable, -EKEYREJECTED against the profile; *ret_reason: static text.
 */
int pki_cert_lint(
	struct span der, struct span issuer_der, enum pki_profile profile, const char **ret_reason);

/* What people and programs ask of a certificate. Fixed-size copies; spki points into the DER given.
 */
struct pki_cert_info {
	unsigned char serial[20];
	size_t serial_len;
	char cn[65];
	char subject[192], issuer[192]; /* one-line, escaped */
	char email[PKI_NAME_MAX + 1]; /* first rfc822Name or "" */
	char hosts[PKI_MAX_HOSTS][PKI_NAME_MAX + 1];
	size_t host_count;
	int64_t not_before_us, not_after_us;
	bool is_ca;
	bool eku_client, eku_server, eku_email, eku_peer, eku_timestamp, eku_ocsp;
	unsigned char sha256[32]; /* of the DER */
	unsigned char spki_sha256[32];
	char aki_hex[65], ski_hex[65];
	char crl_url[256], ocsp_url[256], issuer_url[256];
};
int pki_cert_read(struct span der, struct pki_cert_info *ret); /* -EBADMSG */
int pki_cert_spki(struct span der, struct buf *ret);

/* Does leaf chain to root through extra (PEM), now or at at_us (0: now), for the purpose of its
 * profile? x509_strict. -EKEYREJECTED with a static reason. CRLs (DER) are checked when given. */
struct pki_verify {
	struct span root_pem, extra_pem;
	struct span crls[4];
	size_t crl_count;
	int64_t at_us;
	enum pki_profile profile; /* PKI_USER, PKI_HOST, PKI_TSA ... */
	bool chain_only; /* whatever it is for: profile is not looked at */
	bool any_time; /* dates are not looked at: to tell what else is wrong */
};
int pki_cert_verify(struct span leaf_der, const struct pki_verify *v, const char **ret_reason);

/* PKCS#7 certs-only (RFC 7030 section 4.1.3), DER, of the certificates given as concatenated PEM or
 * one DER. */
int pki_certs_only(const struct span *ders, size_t count, struct buf *ret);
/* And reading one: each certificate's DER. */
int pki_certs_only_each(struct span p7_der, int (*each)(void *arg, struct span der), void *arg);

#endif
