/* S/MIME (RFC 8551) from the inside: layers of a message, keys of one's own, trust in others. */
#ifndef CLIENT_MAIL_SMIME_H
#define CLIENT_MAIL_SMIME_H

#include "client/certs.h"
#include "client/link.h"
#include "client/mail/mail.h"
#include "pki/cms.h"
#include "pki/crl.h"

enum {
	SMIME_KEYS_MAX = 64, /* of one's own, old ones too */
	SMIME_BYTES_MAX = MAIL_MESSAGE_MAX + (1 << 20),
	SMIME_CERTS_MAX = 64, /* of one account */
	SMIME_RECIPIENTS_MAX = 1000, /* certificates of one message */
};

/* -- one's own keys (smime_keys.c) ------------------------------------------------------------- */

struct smime_keys { /* the present one first */
	struct pki_cms_key list[SMIME_KEYS_MAX];
	struct pki_key *owned[SMIME_KEYS_MAX];
	struct buf certs[SMIME_KEYS_MAX];
	size_t count;
};
/* The profile's, and those under old/. What cannot be read is left out. */
void smime_keys_load(const struct profile *p, struct smime_keys *ret);
void smime_keys_done(struct smime_keys *k);

/* -- headers (smime_head.c) -------------------------------------------------------------------- */

/* "Content-Type" and the others that describe a body. */
bool smime_is_content(struct span name);
/* Appends the fields of a header that describe its body, or all others. */
void smime_pick(struct buf *b, struct span header, bool content);
/* A body's header that holds all of a message's header ("protected headers"), blank line and body.
 */
int smime_protected(struct buf *b, const struct mime *m);
/* Were headers protected in this entity? */
bool smime_is_protected(const struct mime *m);
/* The one address of a From, in lower case where it does not matter. -ENOENT: none, or several. */
int smime_from(struct span header, struct buf *ret);
/* Does the address of a certificate stand for that From? */
bool smime_same_address(const char *a, struct span b);

/* -- others (trust.c) -------------------------------------------------------------------------- */

/* Asks the authority over an open line whether the certificate is revoked: 0 not; -EKEYREVOKED;
 * -ENOENT: the issuer is not known; else it could not be learned. ret: when it was. */
int trust_ask(
	struct link *l, const struct profile *p, struct span leaf_der, struct pki_ocsp_answer *ret);
/* As smime_certificates(), over an open line to the authority. */
int trust_certificates(
	struct link *l, const struct profile *p, const char *account, struct buf *ret);
/* The signer of something that was signed at signed_us: may his word still be taken? 0, or
 * -EKEYREJECTED with a reason. Opens a line; what was learned is kept for a while. */
int trust_signer(struct client *c, const struct profile *p, const struct pki_cms_signer *s,
	char ret_reason[160]);

#endif
