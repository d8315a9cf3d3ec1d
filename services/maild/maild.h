/*
 * maild: submission (RFC 6409, 8314) and IMAP (RFC 3501, 9051) over TLS, on the mail of
 *store/mail.h. What its two doors share.
 *
 *	maild.c     main
 *	imap/       door "imaps", 993: imap.h
 *	smtp/       door "submissions", 465: smtp.h
 *	body.c      a message on its way in: bytes, structure, blob
 *	receipt.c   receipts that an account owes by its own setting
 *	log_in.c    SASL and passwords, for both
 */
#ifndef MAILD_H
#define MAILD_H

#include "proto/mime.h"
#include "service/service.h"
#include "store/mail.h"

/* -- body.c ------------------------------------------------------------------------------------ */

/* The longest message that is taken (policy mail_size). */
int maild_size_limit(struct store *s, uint64_t *ret);

/* A message made ready: parsed, its structure written, its bytes sealed in the store's blobs. What
 * maild_body holds lives until maild_body_done(), which has to come after the operation. */
struct maild_body {
	struct blob_writer *writer;
	struct buf structure;
	struct mail_body body;
	struct mime mime; /* of the caller's bytes, which must live as long */
};
int maild_body_make(struct store *s, struct span message, struct maild_body *ret);
void maild_body_done(struct maild_body *b);

/* Reads a message's bytes [offset, offset+len) from the blobs, appended to b (never inside a view).
 */
int maild_body_read(struct store *s, const unsigned char blob[BLOB_ID_LEN], uint64_t offset,
	size_t len, struct buf *b);

/* -- receipt.c --------------------------------------------------------------------------------- */

/* Sends the receipts that are due of the account, each once (also those that a killed session
 * left), and rings whom they reach. Errors are logged: a later session tries again. 0, or what
 * ended the session in the midst of them: -EACCES, revoked. */
int maild_receipts_send(struct service *s);

/* -- log_in.c ---------------------------------------------------------------------------------- */

enum maild_login {
	MAILD_LOGIN_OK,
	MAILD_LOGIN_MORE, /* LOGIN and PLAIN without an initial answer: ask with challenge */
	MAILD_LOGIN_WRONG, /* credentials */
	MAILD_LOGIN_BUSY, /* throttled or too many at once: try later */
	MAILD_LOGIN_MALFORMED,
	MAILD_LOGIN_CANCELLED,
	MAILD_LOGIN_FAILED, /* the store: temporary */
};
/* One exchange of AUTH or AUTHENTICATE: PLAIN, LOGIN (SMTP; IMAP too), EXTERNAL. */
struct maild_sasl {
	enum { MAILD_PLAIN, MAILD_LOGIN, MAILD_EXTERNAL } mechanism;
	unsigned step;
	char name[320]; /* of LOGIN */
	const char *challenge; /* base64, for the next continuation */
};
int maild_sasl_begin(struct maild_sasl *x, struct span mechanism); /* -ENOENT */
/* A base64 answer of the client ("=" alone: empty; "*": cancelled). On OK the service knows who it
 * is. *ret_reason: for people. "name@domain" is taken for the name when the domain is ours. */
enum maild_login maild_sasl_step(
	struct service *s, struct maild_sasl *x, struct span answer, const char **ret_reason);
/* LOGIN name password. */
enum maild_login maild_password(
	struct service *s, struct span name, struct span password, const char **ret_reason);

/* -- the doors --------------------------------------------------------------------------------- */

int imap_run(struct service *s); /* 0 or negative as conn */
int smtp_run(struct service *s);

#endif
