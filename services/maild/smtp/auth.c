/* AUTH (RFC 4954): PLAIN and EXTERNAL with or without an initial answer, LOGIN for old programs. */
#include "services/maild/smtp/smtp.h"

#include <errno.h>

enum { LOG_INS_MAX = 5 }; /* refused ones, then the session ends */

/* What did not work is told and counted; who tries too often has to call again. */
static int refuse_log_in(
	struct smtp_session *s, unsigned code, const char *status, const char *reason)
{
	if (++s->log_ins < LOG_INS_MAX)
		return smtp_say(s, code, status, "No: %s.", reason);
	smtp_end(s, "too many refused log-ins");
	return smtp_say(s, 421, "4.7.0", "Too many refused log-ins (%s): goodbye.", reason);
}

static int answer(struct smtp_session *s, enum maild_login result, const char *reason)
{
	static const struct {
		unsigned code;
		const char *status;
	} rows[] = {
		[MAILD_LOGIN_WRONG] = {535, "5.7.8"},
		[MAILD_LOGIN_BUSY] = {454, "4.7.0"},
		[MAILD_LOGIN_MALFORMED] = {501, "5.5.2"},
		[MAILD_LOGIN_CANCELLED] = {501, "5.7.0"},
		[MAILD_LOGIN_FAILED] = {454, "4.7.0"},
	};

	if (result == MAILD_LOGIN_MORE)
		return smtp_say(s, 334, "", "%s", s->sasl.challenge);
	s->authenticating = false;
	explicit_bzero(&s->sasl, sizeof(s->sasl));
	if (result != MAILD_LOGIN_OK)
		return refuse_log_in(s, rows[result].code, rows[result].status, reason);
	s->logged_in = true;
	s->log_ins = s->bad = 0;
	return smtp_say(s, 235, "2.7.0", "Welcome, %s.", smtp_account(s));
}

int smtp_auth_line(struct smtp_session *s, struct span line)
{
	const char *reason = "";
	enum maild_login result = maild_sasl_step(s->service, &s->sasl, line, &reason);

	return answer(s, result, reason);
}

int smtp_cmd_auth(struct smtp_call *c)
{
	struct smtp_session *s = c->s;
	struct span rest = c->rest, mechanism = {0};

	if (s->logged_in)
		return smtp_refuse(s, 503, "5.5.1", "You are logged in as %s.", smtp_account(s));
	if (s->envelope.begun)
		return smtp_refuse(s, 503, "5.5.1", "Not in the midst of a message.");
	(void)span_split(&rest, ' ', &mechanism);
	rest = span_trim(rest);
	if (mechanism.len == 0)
		return smtp_refuse(s, 501, "5.5.4", "AUTH takes PLAIN, LOGIN or EXTERNAL.");
	if (maild_sasl_begin(&s->sasl, mechanism) < 0)
		return smtp_refuse(s, 504, "5.5.4", "There is PLAIN, LOGIN and EXTERNAL.");
	s->authenticating = true;
	return rest.len > 0 ? smtp_auth_line(s, rest) : answer(s, MAILD_LOGIN_MORE, "");
}
