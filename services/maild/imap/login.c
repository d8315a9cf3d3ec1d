/* Who is there: LOGIN and AUTHENTICATE (RFC 3501 section 6.2; SASL-IR, RFC 4959). */
#include "services/maild/imap/imap.h"

#include "base/timefmt.h"

#include <errno.h>

enum {
	LOG_INS_MAX = 5, /* refused ones, then the session ends */
	SEEN_US = 300 * TIME_S_US,
};

/* -- the account's mail ------------------------------------------------------------------------ */

static int find_inbox(struct store_txn *txn, void *arg)
{
	const struct imap *s = arg;
	struct mail_box box;

	return mail_box_find(txn, imap_account(s), SPAN_LIT("INBOX"), &box);
}

static int read_seen(struct store_txn *txn, void *arg)
{
	struct imap *s = arg;

	return mail_seen_read(txn, imap_account(s), &s->seen_us);
}

/* Sessions of less than a second leave no trace, and a program that only looks for mail has no
 * others: now and then one is registered all the same, so that its owner was seen. */
static int be_seen(struct imap *s)
{
	int r = store_view(s->service->store, read_seen, s);

	if (r == 0 && s->seen_us < time_now_us() - SEEN_US)
		r = service_register(s->service);
	return r == -EACCES ? r : 0;
}

/* An account's mailboxes are made when it is first needed. */
static int open_mail(struct imap *s)
{
	struct mail_open_args args = {.now_us = time_now_us()};
	int r = store_view(s->service->store, find_inbox, s);

	if (r != -ENOENT)
		return r;
	(void)span_copy_str(span_str(imap_account(s)), args.account, sizeof(args.account));
	return store_call(s->service->store, STORE_OP_MAIL_OPEN, &args, NULL);
}

void imap_send_receipts(struct imap *s)
{
	int r = maild_receipts_send(s->service);

	if (r < 0 && s->error == 0)
		s->error = r;
}

static int enter(struct imap_call *c)
{
	struct imap *s = c->s;
	int r = open_mail(s);

	if (r == 0)
		r = be_seen(s);
	if (r == -EACCES)
		return r;
	if (r < 0) {
		s->logout = true;
		s->service->end_reason = "the mail of the account cannot be reached";
		r = imap_failed(c, r == -ENOENT || r == -EINVAL ? -EIO : r);
		imap_untagged(s, "BYE Your mail cannot be reached");
		return r;
	}
	s->state = IMAP_AUTHENTICATED;
	s->active_ms = time_monotonic_ms();
	/* What a session that was killed left owing. */
	imap_send_receipts(s);
	buf_reset(&s->out);
	imap_put_capability(s, &s->out);
	return imap_ok(c, "[%s] Welcome, %s", buf_str(&s->out), imap_account(s));
}

/* -- answers ----------------------------------------------------------------------------------- */

static int refuse(struct imap_call *c, const char *code, const char *reason)
{
	struct imap *s = c->s;
	int r = imap_no(c, "%s%s", code, reason != NULL ? reason : "That did not work");

	if (++s->refused >= LOG_INS_MAX) {
		s->logout = true;
		s->service->end_reason = "too many refused log-ins";
		imap_untagged(s, "BYE Too many refused log-ins");
	}
	return r;
}

static int answer(struct imap_call *c, enum maild_login result, const char *reason)
{
	switch (result) {
	case MAILD_LOGIN_OK:
		return enter(c);
	case MAILD_LOGIN_WRONG:
		return refuse(c, "[AUTHENTICATIONFAILED] ", reason);
	case MAILD_LOGIN_BUSY:
		return refuse(c, "[UNAVAILABLE] ", reason);
	case MAILD_LOGIN_CANCELLED:
		return imap_bad(c, "Cancelled");
	case MAILD_LOGIN_MALFORMED:
		return imap_bad(c, "%s", reason != NULL ? reason : "That is no answer");
	case MAILD_LOGIN_MORE:
	case MAILD_LOGIN_FAILED:
	default:
		return refuse(c, "[UNAVAILABLE] ", reason);
	}
}

/* -- commands ---------------------------------------------------------------------------------- */

int imap_cmd_login(struct imap_call *c)
{
	struct span name, password;
	const char *reason = NULL;
	enum maild_login result;

	if (imap_in_space(&c->in) < 0 || imap_in_astring(&c->in, &name) < 0 ||
		imap_in_space(&c->in) < 0 || imap_in_astring(&c->in, &password) < 0 ||
		!imap_in_end(&c->in))
		return imap_bad(c, "LOGIN takes a name and a password");
	result = maild_password(c->s->service, name, password, &reason);
	return answer(c, result, reason);
}

/* The challenge goes out, one line comes back. 0 or what ended the session. */
static int ask(struct imap *s, const struct maild_sasl *x, struct span *ret)
{
	int r = conn_printf(s->conn, "+ %s\r\n", x->challenge != NULL ? x->challenge : "");

	if (r < 0)
		return r;
	r = imap_read_line(s, ret);
	return r == 0 ? -ECONNRESET : r;
}

static int exchange(struct imap_call *c, struct maild_sasl *x, struct span line)
{
	enum maild_login result = MAILD_LOGIN_MORE;
	const char *reason = NULL;
	int r;

	if (line.p != NULL)
		result = maild_sasl_step(c->s->service, x, line, &reason);
	while (result == MAILD_LOGIN_MORE) {
		r = ask(c->s, x, &line);
		if (r == -EMSGSIZE || r == -EPROTO)
			return imap_bad(c, "That is no answer");
		if (r < 0)
			return r;
		/* An empty line is the empty answer (RFC 3501); "=" is that in the command. */
		if (line.len == 0)
			line = SPAN_LIT("=");
		result = maild_sasl_step(c->s->service, x, line, &reason);
	}
	return answer(c, result, reason);
}

int imap_cmd_authenticate(struct imap_call *c)
{
	struct maild_sasl x = {0};
	struct span mechanism, first = {NULL, 0};
	int r;

	if (imap_in_space(&c->in) < 0 || imap_in_atom(&c->in, &mechanism) < 0)
		return imap_bad(c, "AUTHENTICATE takes a mechanism");
	if (!imap_in_end(&c->in)) {
		if (imap_in_space(&c->in) < 0)
			return imap_bad(c, "That is no mechanism");
		first = span_of(c->in.p + c->in.at, c->in.len - c->in.at);
	}
	if (maild_sasl_begin(&x, mechanism) < 0)
		return imap_no(c, "[CANNOT] PLAIN, LOGIN and EXTERNAL are what is known here");
	r = exchange(c, &x, first);
	explicit_bzero(&x, sizeof(x));
	return r;
}
