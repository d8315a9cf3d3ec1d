/* Keys and PEM. OpenSSL types stay opaque. */
#ifndef PKI_KEY_H
#define PKI_KEY_H

#include "base/buf.h"

struct pki_key;

int pki_key_new(struct pki_key **ret); /* P-256 */
int pki_key_from_pem(
	struct span pem, struct pki_key **ret); /* private, unencrypted; the first in pem */
int pki_key_each_pem(
	struct span pem, int (*each)(void *arg, struct pki_key *k), void *arg); /* takes k */
int pki_key_to_pem(const struct pki_key *k, struct buf *ret); /* PKCS#8; wipe the buffer */
int pki_key_spki(const struct pki_key *k, struct buf *ret); /* SubjectPublicKeyInfo DER */
void pki_key_free(struct pki_key *k);
void pki_key_freep(struct pki_key **k);

/* ECDSA with SHA-256 over bytes, DER signature; and its check against a SubjectPublicKeyInfo
 * (-EKEYREJECTED). */
int pki_sign(const struct pki_key *k, struct span bytes, struct buf *ret);
int pki_verify(struct span spki, struct span bytes, struct span signature);

/* All CERTIFICATE blocks of a PEM text, in order. Nonzero from each() stops. */
int pki_cert_each_pem(struct span pem, int (*each)(void *arg, struct span der), void *arg);
int pki_cert_to_pem(struct span der, struct buf *ret);
int pki_crl_to_pem(struct span der, struct buf *ret);

#endif
