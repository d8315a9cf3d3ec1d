/* Rows and records of messages, for those who want all of them before they answer. */
#ifndef MAILD_IMAP_GATHER_H
#define MAILD_IMAP_GATHER_H

#include "services/maild/imap/imap.h"

/* What is told of each: pointers live during the call. record is NULL unless it was wanted. */
struct gathered {
	uint32_t at; /* position */
	const struct mail_message *message;
	const struct mime_record *record;
};

/* In the order of picks, in several views, each() in them; a negative result of it ends all and
 * comes back. Messages whose rows are there no more are left out. */
int gather_each(struct imap *s, const struct imap_picks *p, bool record,
	int (*each)(void *arg, const struct gathered *g), void *arg);

/*
 * In work that takes long, between views: is the session to go on? Looked at every half second,
 * *at_ms (0 first) tells when that was. A revoked account or the service's end is the session's
 * error, which comes back.
 */
int gather_pause(struct imap *s, int64_t *at_ms);

/* The sent date of RFC 5256 section 2.2: Date's, else INTERNALDATE. */
int64_t gathered_sent_us(const struct gathered *g);

#endif
