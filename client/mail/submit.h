/* One submission over SMTP (RFC 6409, 8314): a line to the door "submissions", letter by letter. */
#ifndef CLIENT_MAIL_SUBMIT_H
#define CLIENT_MAIL_SUBMIT_H

#include "client/link.h"
#include "client/mail/mail.h"

struct submit;

/* As imapc_open(): told, an exit code. */
int submit_open(struct client *c, const struct profile *p, const struct mail_login *login,
	struct submit **ret);
void submit_close(struct submit *s); /* QUIT; NULL is fine */
void submit_closep(struct submit **s);

/* For tests: takes conn over, in a failure too; and greeting, EHLO, AUTH. 0; -EACCES: refused,
 * submit_said(); -ENOTSUP. */
int submit_new(struct client *c, struct conn *conn, struct submit **ret);
int submit_login(struct submit *s, const char *user, struct span password);
void submit_free(struct submit *s);

struct submit_letter {
	const char *from; /* "": <> */
	const struct span *to; /* addresses */
	size_t to_count;
	struct span message; /* lines end in CR LF, the last one too */
};
/*
 * All recipients or none: when one is refused, nothing is sent. 0: the server has it. -EREMOTEIO:
 * refused for good; -EBUSY: refused for now; both with the server's words in submit_said(), for
 * recipients with their addresses. Else the line is lost, and whether the server has it is not
 * known.
 */
int submit_send(struct submit *s, const struct submit_letter *l);
const char *submit_said(const struct submit *s);

#endif
