/*
 * Why somebody is not believed, or a call does not come about: each with its own words, for the
 * person on this side, and a short word that the other side is told (wire.h, REFUSE).
 */
#ifndef CLIENT_PEER_FAULT_H
#define CLIENT_PEER_FAULT_H

#include "base/buf.h"

enum fault {
	FAULT_NONE,
	FAULT_UNREACHABLE, /* no connection; why: errno's text */
	FAULT_SLOW, /* the handshake's time is over */
	FAULT_CUT, /* the line was cut in mid-handshake */
	FAULT_PLAIN, /* does not speak TLS */
	FAULT_TLS, /* the handshake failed; why: OpenSSL's words */
	FAULT_ALPN, /* no, or another protocol's, ALPN name */
	FAULT_CA, /* the chain does not end in the profile's root */
	FAULT_EXPIRED, /* nothing but the dates is wrong */
	FAULT_EARLY,
	FAULT_PURPOSE, /* a certificate of ours, but not a person's */
	FAULT_ACCOUNT, /* a person's, but another one's */
	FAULT_KEY, /* that person's, but another than the server has seen */
	FAULT_REVOKED,
	FAULT_UNCHECKED, /* it could not be learned whether it is revoked */
	FAULT_BINDING, /* the exporter's value is wrong: another connection, token or role */
	FAULT_WORDS, /* breaks the protocol */
	FAULT_REFUSED, /* the other side refuses ours; why: its word */
	FAULT_MEMORY,
};

/* The word for the other side: "expired". Those that it would not get ("cut") have one too. */
const char *fault_word(enum fault f);

/* A sentence for people, about the peer called who; why may be "" or NULL. */
void fault_text(struct buf *b, enum fault f, const char *who, const char *why);

#endif
