/* What this server says of itself, and the commands that are about nothing else. */
#include "services/maild/imap/imap.h"

#include <inttypes.h>

/* In the order of what clients look for. */
#define CAPABILITIES                                                                            \
	"IMAP4rev1 IMAP4rev2 SASL-IR AUTH=PLAIN AUTH=LOGIN LITERAL+ ID ENABLE "                 \
	"IDLE NAMESPACE UIDPLUS UNSELECT MOVE SPECIAL-USE CREATE-SPECIAL-USE CHILDREN "         \
	"LIST-EXTENDED LIST-STATUS ESEARCH SEARCHRES CONDSTORE QRESYNC STATUS=SIZE BINARY "     \
	"MULTIAPPEND UTF8=ACCEPT OBJECTID SORT SORT=DISPLAY ESORT THREAD=REFERENCES "           \
	"THREAD=ORDEREDSUBJECT QUOTA QUOTA=RES-STORAGE NOTIFY WITHIN SAVEDATE PREVIEW PARTIAL " \
	"XQUINTET"

/* EXTERNAL is offered to whom it can serve: programs try what is offered. */
static bool has_certificate(const struct imap *s)
{
	const struct tls_info *tls = conn_tls(s->conn);

	return tls != NULL && tls->peer_der.len > 0;
}

void imap_put_capability(const struct imap *s, struct buf *b)
{
	buf_addf(b, "CAPABILITY " CAPABILITIES " APPENDLIMIT=%" PRIu64 "%s", s->size_limit,
		has_certificate(s) ? " AUTH=EXTERNAL" : "");
}

/* "* OK [CAPABILITY ...] text" and "* CAPABILITY ..." come out of the same buffer. */
static void say_capability(struct imap *s, const char *before, const char *behind)
{
	buf_reset(&s->out);
	buf_add_str(&s->out, before);
	imap_put_capability(s, &s->out);
	buf_add_str(&s->out, behind);
	imap_write(s, buf_span(&s->out));
}

void imap_greet(struct imap *s)
{
	say_capability(s, "* OK [", "] Quintet mail, at your service\r\n");
}

int imap_cmd_capability(struct imap_call *c)
{
	if (!imap_in_end(&c->in))
		return imap_bad(c, "CAPABILITY takes no argument");
	say_capability(c->s, "* ", "\r\n");
	return imap_ok(c, "That is what is spoken here");
}

int imap_cmd_noop(struct imap_call *c)
{
	if (!imap_in_end(&c->in))
		return imap_bad(c, "NOOP takes no argument");
	return imap_ok(c, "Nothing done");
}

int imap_cmd_logout(struct imap_call *c)
{
	if (!imap_in_end(&c->in))
		return imap_bad(c, "LOGOUT takes no argument");
	c->s->logout = true;
	c->s->service->end_reason = "logout";
	imap_untagged(c->s, "BYE Goodbye");
	return imap_ok(c, "Logged out");
}
