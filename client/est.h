/* EST (RFC 7030) from the client's side. */
#ifndef CLIENT_EST_H
#define CLIENT_EST_H

#include "client/link.h"
#include "pki/csr.h"

/*
 * GET cacerts over an open link; the self-signed one with the fingerprint becomes root_pem, the
 * others chain_pem. -EKEYREJECTED: no certificate with that fingerprint. -EPROTO.
 */
int est_cacerts(struct link *l, const unsigned char root_sha256[32], struct buf *root_pem,
	struct buf *chain_pem);

/* GET the service directory over an open link. */
int est_directory(struct link *l, struct directory *ret);

struct est_request {
	const char *operation; /* "simpleenroll", "simplereenroll" */
	const char *user; /* Basic, or NULL */
	struct span password;
	struct span csr; /* DER */
};

/*
 * Sends the request; on success the new certificate (DER) is in ret_cert. An exit code: refusals
 * are told on standard error.
 */
int est_enroll(struct link *l, const struct est_request *q, struct buf *ret_cert);

/*
 * Is the certificate what was asked for: our key, our name, chained to the profile's root, for a
 * user's purposes? Writes cert.pem (leaf and issuing) into pem. -EKEYREJECTED with a reason.
 */
int est_accept(const struct profile *p, struct span cert_der, const struct pki_key *key,
	struct buf *ret_pem, const char **ret_reason);

#endif
