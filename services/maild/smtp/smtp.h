/*
 * The submission session: what its files share.
 *
 *	session.c    the loop: lines, deadlines, goodbye
 *	commands.c   the command table and its gate; what the server says of itself
 *	auth.c       AUTH
 *	envelope.c   MAIL, RCPT, RSET, VRFY
 *	data.c       DATA and BDAT: the bytes of a message
 *	headers.c    what is added to a header, taken out of it and asked of it
 *	deliver.c    from the bytes to the commit
 *	reply.c      replies
 */
#ifndef MAILD_SMTP_H
#define MAILD_SMTP_H

#include "proto/smtp.h"
#include "services/maild/maild.h"

enum {
	SMTP_REPLY_MAX = 510, /* bytes of a line, RFC 5321 section 4.5.3.1.5 */
	/* Room in front of a message for the fields that are added, so that its body stays where it
	 * came in. */
	SMTP_FIELDS_MAX = 4096,
	SMTP_SENDER_SIZE = SMTP_PATH_MAX + 1,
};

/* A mail transaction: from MAIL to its end. */
struct smtp_envelope {
	bool begun; /* MAIL was taken */
	char sender[SMTP_SENDER_SIZE]; /* as given, for Return-Path; "": <> */
	bool is_utf8; /* SMTPUTF8 was said */
	uint64_t size; /* as declared, 0: not */
	char recipients[MAIL_RECIPIENTS_MAX][ACCOUNT_NAME_SIZE];
	size_t count;
	size_t refused; /* RCPTs that were, for the words of DATA */
};

struct smtp_session {
	struct service *service;
	struct conn *conn;
	int end_fd; /* readable: the service is told to end; -1 none */
	int64_t login_until_ms;
	int64_t until_ms; /* when the present wait ends, on time_monotonic_ms()'s clock */
	uint64_t lines_at; /* conn_bytes_in() at the last whole line */
	bool greeted, extended; /* EHLO or HELO was said; EHLO */
	bool logged_in;
	bool authenticating; /* AUTH waits for its next line */
	struct maild_sasl sasl;
	struct smtp_envelope envelope;
	struct buf message; /* SMTP_FIELDS_MAX bytes of room, then what has come */
	bool chunked; /* BDAT has begun */
	uint64_t size_limit;
	unsigned bad; /* commands in a row that were none */
	unsigned log_ins; /* refused ones */
	unsigned unsent; /* replies since all was sent */
	bool quit;
};

static inline const char *smtp_account(const struct smtp_session *s)
{
	return s->service->who.account.name;
}

/* -- session.c --------------------------------------------------------------------------------- */

/* Sends what is due and waits for more input, until s->until_ms. 1: there is more; 0: its clean
 * end; -ESHUTDOWN: told to end; else as conn. */
int smtp_fill(struct smtp_session *s);
/* Sets s->until_ms, seconds from now. */
void smtp_wait_s(struct smtp_session *s, unsigned seconds);
/* The session ends after what was said. */
void smtp_end(struct smtp_session *s, const char *reason);

/* -- reply.c -----------------------------------------------------------------------------------
 */

/* "250 2.1.0 text": status "2.1.0", or "" where a reply has none. Control bytes of the outside
 * become '?'. 0 or negative as conn. */
int smtp_say(struct smtp_session *s, unsigned code, const char *status, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* The same with '-': a line that is not the reply's last. */
int smtp_say_more(struct smtp_session *s, unsigned code, const char *status, const char *format,
	...) __attribute__((format(printf, 4, 5)));
/* The same for what a peer did wrong, which is counted. */
int smtp_refuse(struct smtp_session *s, unsigned code, const char *status, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* An errno of the store or the machine: 451 or 452, logged. */
int smtp_say_failure(struct smtp_session *s, int error, const char *what);

/* -- commands.c -------------------------------------------------------------------------------- */

struct smtp_call {
	struct smtp_session *s;
	struct span rest; /* behind the verb, trimmed */
};

enum smtp_flag {
	SMTP_GREETED = 1, /* behind EHLO or HELO */
	SMTP_LOGIN = 2,
	SMTP_NO_ARGUMENT = 4,
	SMTP_SECRET = 8, /* its argument is not logged */
};

struct smtp_verb {
	const char *name;
	int (*run)(struct smtp_call *c); /* 0, or negative: the end */
	unsigned flags; /* enum smtp_flag */
	const char *help; /* its arguments; NULL: not shown */
};
int smtp_command(struct smtp_session *s, struct span line);

int smtp_cmd_auth(struct smtp_call *c);
int smtp_cmd_mail(struct smtp_call *c);
int smtp_cmd_rcpt(struct smtp_call *c);
int smtp_cmd_rset(struct smtp_call *c);
int smtp_cmd_vrfy(struct smtp_call *c);
int smtp_cmd_data(struct smtp_call *c);
int smtp_cmd_bdat(struct smtp_call *c);

/* auth.c: the next line of an exchange. */
int smtp_auth_line(struct smtp_session *s, struct span line);

/* envelope.c: forgets the transaction and what has come of its message. */
void smtp_envelope_reset(struct smtp_session *s);

/* -- data.c ------------------------------------------------------------------------------------ */

/* What stands in the way of a message that came whole: -EPROTO bare CR or LF, -EILSEQ a NUL; 0.
 * Pure. */
int smtp_bytes_check(struct span message);

/* -- headers.c. Pure. --------------------------------------------------------------------------
 */

struct smtp_house {
	const char *account, *domain, *host;
};

/*
 * Where the header ends: at its blank line, which belongs to it, or in front of the first line that
 * is no field. Returns its length.
 */
size_t smtp_header_length(struct span message);

struct smtp_stamp {
	struct smtp_house house;
	const char *sender; /* for Return-Path */
	const char *tls; /* "TLSv1.3" */
	const char *id; /* of the submission */
	bool is_utf8, extended; /* the protocol's name: ESMTPSA, UTF8SMTPSA, SMTPSA */
	int64_t now_us;
};
/* Appends the header as it is kept: Return-Path and Received on top, Date, Message-ID and From
 * where missing; without Bcc and Return-Path; ended by a blank line. -ENOBUFS: too
 * many fields. */
int smtp_header_write(struct buf *b, struct span header, const struct smtp_stamp *stamp);

/* Is every author the account, of From, Sender and what says who sent it on? 0; -EPERM: *ret_who is
 * another's address (appended, for the refusal); -EBADMSG: From holds no address or too many, or
 * stands there twice. -ENOMEM. */
int smtp_header_authors(struct span header, const struct smtp_house *house, struct buf *ret_who);

/* -- deliver.c ---------------------------------------------------------------------------------
 */

/* The message has come whole: checks, stamps, stores, rings and replies. The transaction is over
 * then. */
int smtp_deliver(struct smtp_session *s);

#endif
