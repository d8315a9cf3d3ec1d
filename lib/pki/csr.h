/* PKCS#10 requests (RFC 2986): made by the client, judged by cad and again by the signer. */
#ifndef PKI_CSR_H
#define PKI_CSR_H

#include "pki/cert.h"

#define PKI_CSR_MAX 8192

struct pki_csr_info {
	char cn[65]; /* "" when the subject is empty */
	char email[PKI_NAME_MAX + 1]; /* rfc822Name asked for, or "" */
	char hosts[PKI_MAX_HOSTS][PKI_NAME_MAX + 1];
	size_t host_count;
	unsigned char spki_sha256[32];
	char challenge[129]; /* challengePassword or "" (channel binding, RFC 7030 section 3.5) */
	bool has_old_proof; /* our attribute: the old key's signature over the new SPKI */
};

/*
 * Reads and judges: DER only, one request and nothing behind it, version 0, self-signature good,
 * key P-256, P-384, Ed25519 or RSA of 2048 to 8192 bits with a sane exponent, no CA:TRUE, no
 * keyCertSign. -EBADMSG malformed, -EKEYREJECTED refused; *ret_reason: static text for people. spki
 * is appended to ret_spki.
 */
int pki_csr_read(
	struct span der, struct pki_csr_info *ret, struct buf *ret_spki, const char **ret_reason);

/*
 * The same judgement of a bare SubjectPublicKeyInfo (CMP's templates): DER and nothing behind it,
 * and a key of the kinds above. -EBADMSG, -EKEYREJECTED with static text in *ret_reason.
 */
int pki_spki_check(struct span spki, const char **ret_reason);

/* Is the old-key proof in the request a good signature by old_spki over the request's own SPKI?
 * -EKEYREJECTED. */
int pki_csr_check_old_proof(struct span der, struct span old_spki);

/* Makes one. email and old_key may be NULL; old_key adds the old-key proof. */
int pki_csr_new(const struct pki_key *key, const char *cn, const char *email,
	const struct pki_key *old_key, struct buf *ret_der);

/*
 * What EST, CMP-over-HTTP and people send as "a request": base64 with any white space, PEM armour,
 * or raw DER. Appends the DER. -EBADMSG.
 */
int pki_unarmor(struct span body, const char *pem_label, struct buf *ret_der);

#endif
