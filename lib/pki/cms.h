/*
 * S/MIME's cryptography (RFC 8551, 5652, 5753) by OpenSSL's CMS: sign, verify, encrypt, decrypt,
 * and PKCS#12. Bytes in, bytes out; the MIME around it is the client's (client/mail/smime.c).
 * Parameters that other programs open: ECDH P-256 with the SHA-256 derivation, AES-256 wrap,
 * AES-256-CBC; ECDSA with SHA-256; RSA where a certificate has it.
 */
#ifndef PKI_CMS_H
#define PKI_CMS_H

#include "base/buf.h"
#include "pki/cert.h"
#include "pki/key.h"

#include <stdint.h>

/* Who writes: key, certificate, and what leads from there to the root. */
struct pki_cms_self {
	const struct pki_key *key;
	struct span cert_der;
	const struct span *chain_der;
	size_t chain_count;
};

/* Detached signature over content (canonical: CR LF), with the signer's certificate and its chain
 * inside. DER. -EINVAL: the certificate cannot sign mail, or is not of that key. */
int pki_cms_sign(
	const struct pki_cms_self *self, struct span content, int64_t at_us, struct buf *ret_der);

struct pki_cms_signer {
	unsigned char *cert_der; /* owned */
	size_t cert_len;
	char email[256]; /* rfc822Name of the certificate */
	int64_t signed_us; /* as the signer says; 0: it does not */
};
void pki_cms_signer_done(struct pki_cms_signer *s);

struct pki_cms_judge {
	const struct span *roots; /* DER or PEM; those that are not self-signed only lead there */
	size_t root_count;
	int64_t at_us; /* dates are judged then; 0: when the signer says, if that is not to come */
};

/*
 * Verifies a detached signature (content given) or an opaque one (content p NULL: what was signed
 * is appended to ret_content); one that is both, or has several signers, is refused. The chain has
 * to reach a self-signed one of the roots, and the certificate to be for mail. 0; -EBADMSG: no CMS
 * of that kind; -EKEYREJECTED with *ret_reason (static text for people): altered, unknown
 * authority, expired, not for mail. ret is done by pki_cms_signer_done() in any case; the signer is
 * told in the refusals that know him. What was signed is appended in a success only.
 */
int pki_cms_verify(struct span der, struct span content, const struct pki_cms_judge *judge,
	struct buf *ret_content, struct pki_cms_signer *ret, const char **ret_reason);

/* Encrypted to all of these certificates. -EINVAL: one that cannot be encrypted to (*ret_bad). */
int pki_cms_encrypt(const struct span *certs_der, size_t count, struct span content,
	struct buf *ret_der, size_t *ret_bad);

/* With whichever of these keys it is for. -ENOKEY: none; -EBADMSG. */
struct pki_cms_key {
	const struct pki_key *key;
	struct span cert_der;
};
int pki_cms_decrypt(
	struct span der, const struct pki_cms_key *keys, size_t count, struct buf *ret_content);

/* PKCS#12 for other programs. old: bags that readers of before 2020 open (3DES, SHA-1). -EINVAL:
 * something does not fit, or the password cannot be one. */
struct pki_p12 {
	struct pki_cms_self self;
	const char *name; /* shown by other programs */
	struct span password;
	bool old;
};
int pki_p12_write(const struct pki_p12 *p, struct buf *ret);
/* -EACCES: wrong password; -EBADMSG. Certificates in DER, each behind its length (rec.h), the key's
 * own first. */
int pki_p12_read(
	struct span p12, struct span password, struct pki_key **ret_key, struct buf *ret_certs);

#endif
