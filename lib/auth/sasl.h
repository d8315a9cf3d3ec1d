/* SASL PLAIN (RFC 4616) and EXTERNAL (RFC 4422 appendix A) for IRC, IMAP and SMTP: the messages. */
#ifndef AUTH_SASL_H
#define AUTH_SASL_H

#include "auth/auth.h"

enum sasl_mechanism { SASL_PLAIN, SASL_EXTERNAL };

/* By name, case folded. -ENOENT. */
int sasl_find(struct span name, enum sasl_mechanism *ret);

struct sasl_message {
	enum sasl_mechanism mechanism;
	struct span bytes; /* the whole client message, already base64-decoded */
	struct span peer_der; /* the verified client certificate, or empty */
};

/*
 * An authorization identity that is not empty must equal the authenticated name: nobody acts for
 * anybody. 0; -EBADMSG malformed message; else as auth_password / auth_certificate.
 */
int sasl_answer(struct store *s, const struct auth_source *from, const struct sasl_message *message,
	struct auth_identity *ret, const char **ret_reason);

/* The three parts of PLAIN. Pure. -EBADMSG. Spans point into message; authzid may be empty. */
int sasl_parse_plain(struct span message, struct span *ret_authzid, struct span *ret_name,
	struct span *ret_password);

#endif
