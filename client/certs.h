/* Certificates out of PEM text, kept as DER one after the other. */
#ifndef CLIENT_CERTS_H
#define CLIENT_CERTS_H

#include "base/cleanup.h"
#include "pki/cert.h"

#define CERTS_MAX 16
#define CERTS_BYTES_MAX 65536

struct certs {
	struct buf bytes;
	struct span each[CERTS_MAX];
	size_t count;
};

#define CERTS_INIT ((struct certs){.bytes = BUF_INIT(CERTS_BYTES_MAX)})

void certs_done(struct certs *d);

/* All of a PEM text; more than CERTS_MAX: -E2BIG. */
int certs_read(struct span pem, struct certs *ret);

/* All of a PKCS#7 certs-only message. -EBADMSG, -E2BIG. */
int certs_read_p7(struct span p7_der, struct certs *ret);

/* The first, appended to ret. -ENOENT without one. */
int certs_first(struct span pem, struct buf *ret_der);

/* The issuing certificate that the leaf names as its issuer by key identifier. -ENOENT. */
int certs_issuer(struct span leaf_der, const struct certs *chain, struct span *ret);

#endif
