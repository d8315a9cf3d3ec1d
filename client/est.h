/* EST (RFC 7030) from the client's side. */
#ifndef CLIENT_EST_H
#define CLIENT_EST_H

#include "client/link.h"
#include "pki/csr.h"

/*
 * GET cacerts over an open link: the self-signed one with the fingerprint becomes root_pem, the
 * issuing ones that it vouches for chain_pem. -EKEYREJECTED: no certificate with that fingerprint.
 * -EINVAL: it is not a root. -EPROTO, -EBADMSG.
 */
int est_cacerts(struct link *l, const unsigned char root_sha256[32], struct buf *root_pem,
	struct buf *chain_pem);

/* The same for a root that is trusted already: fills the profile's chain, and its directory. */
int est_refresh(struct link *l, struct profile *p);

/* GET the service directory over an open link. */
int est_directory(struct link *l, struct directory *ret);

/* Tells why one of the three above failed; an exit code. */
int est_failed(const struct link *l, int error);

struct est_request {
	const char *operation; /* "simpleenroll", "simplereenroll" */
	const char *user; /* Basic, or NULL */
	struct span password;
	struct span csr; /* DER */
};

/*
 * Sends the request; the certificate that comes back must be what was asked for: this key, the
 * profile's name, chained to its root, for a user's purposes. cert.pem (leaf and issuing) goes into
 * ret_pem. An exit code: refusals are told.
 */
int est_enroll(struct link *l, const struct profile *p, const struct est_request *q,
	const struct pki_key *key, struct buf *ret_pem);

/* The one certificate of an enrol answer's body. -EBADMSG. */
int est_read_certificate(struct span body, struct buf *ret_der);

/* The check of est_enroll() alone. -EKEYREJECTED with a static reason. */
int est_accept(const struct profile *p, struct span cert_der, const struct pki_key *key,
	struct buf *ret_pem, const char **ret_reason);

#endif
