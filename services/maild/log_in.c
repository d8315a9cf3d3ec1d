/*
 * Who is there: SASL PLAIN, LOGIN and EXTERNAL, and IMAP's LOGIN, for both doors. Everything is
 * proved by lib/auth; what is added here are addresses in the place of names, and LOGIN, which old
 * programs insist on.
 */
#include "services/maild/maild.h"

#include "auth/sasl.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>

enum { MESSAGE_MAX = 2048 };

#define ASK_NAME "VXNlcm5hbWU6" /* "Username:" */
#define ASK_PASSWORD "UGFzc3dvcmQ6" /* "Password:" */

/* -- names ------------------------------------------------------------------------------------- */

/* Programs that ask for an address log in with it. */
static struct span without_domain(const struct service *s, struct span name)
{
	struct span rest = name, local;

	if (name.len == 0 || !span_split(&rest, '@', &local) || local.len == name.len)
		return name;
	if (span_caseeq_str(rest, s->settings.domain) || span_caseeq_str(rest, s->settings.host))
		return local;
	return name;
}

/* -- proofs ------------------------------------------------------------------------------------ */

static enum maild_login of_error(int error)
{
	switch (error) {
	case -EBADMSG:
		return MAILD_LOGIN_MALFORMED;
	case -EACCES:
	case -EKEYREJECTED:
		return MAILD_LOGIN_WRONG;
	case -EBUSY:
	case -EAGAIN:
		return MAILD_LOGIN_BUSY;
	default:
		return MAILD_LOGIN_FAILED;
	}
}

static enum maild_login prove(
	struct service *s, const struct sasl_message *message, const char **ret_reason)
{
	struct auth_identity who;
	int r = service_need_store(s);

	*ret_reason = "log-in is not possible now; try again";
	if (r == 0)
		r = sasl_answer(s->store, &s->source, message, &who, ret_reason);
	if (r < 0) {
		log_event(LOG_LEVEL_NOTICE, "log-in refused",
			log_fields({"REASON", span_str(*ret_reason)}));
		return of_error(r);
	}
	r = service_logged_in(s, &who);
	explicit_bzero(&who, sizeof(who));
	if (r < 0)
		log_event(LOG_LEVEL_WARNING, "the session's row was not changed",
			log_fields({"ERROR", span_str(err_text(r))}));
	return MAILD_LOGIN_OK;
}

/* A message of PLAIN's form, with names in the place of addresses. */
static enum maild_login prove_plain(struct service *s, struct span authzid, struct span name,
	struct span password, const char **ret_reason)
{
	_cleanup_(buf_wipe) struct buf plain = BUF_INIT(MESSAGE_MAX);

	buf_add(&plain, without_domain(s, authzid));
	buf_add_byte(&plain, 0);
	buf_add(&plain, without_domain(s, name));
	buf_add_byte(&plain, 0);
	buf_add(&plain, password);
	if (buf_error(&plain) != 0) {
		*ret_reason = "name or password is too long";
		return MAILD_LOGIN_MALFORMED;
	}
	return prove(s, &(struct sasl_message){.mechanism = SASL_PLAIN, .bytes = buf_span(&plain)},
		ret_reason);
}

enum maild_login maild_password(
	struct service *s, struct span name, struct span password, const char **ret_reason)
{
	return prove_plain(s, span_of(NULL, 0), name, password, ret_reason);
}

static enum maild_login prove_external(
	struct service *s, struct span authzid, const char **ret_reason)
{
	const struct tls_info *tls = conn_tls(s->conn);
	struct sasl_message message = {
		.mechanism = SASL_EXTERNAL, .bytes = without_domain(s, authzid)};
	enum maild_login r;

	if (tls != NULL && tls->peer_ok)
		message.peer_der = tls->peer_der;
	r = prove(s, &message, ret_reason);
	if (r == MAILD_LOGIN_WRONG && message.peer_der.len == 0 && s->cert_reason[0] != '\0')
		*ret_reason = s->cert_reason;
	return r;
}

/* -- exchanges --------------------------------------------------------------------------------- */

int maild_sasl_begin(struct maild_sasl *x, struct span mechanism)
{
	static const char *const names[] = {
		[MAILD_PLAIN] = "PLAIN", [MAILD_LOGIN] = "LOGIN", [MAILD_EXTERNAL] = "EXTERNAL"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!span_caseeq_str(mechanism, names[i]))
			continue;
		*x = (struct maild_sasl){
			.mechanism = i, .challenge = i == MAILD_LOGIN ? ASK_NAME : ""};
		return 0;
	}
	return -ENOENT;
}

static enum maild_login step_plain(struct service *s, struct span message, const char **ret_reason)
{
	struct span authzid, name, password;

	if (sasl_parse_plain(message, &authzid, &name, &password) < 0) {
		*ret_reason = "the PLAIN message is malformed";
		return MAILD_LOGIN_MALFORMED;
	}
	return prove_plain(s, authzid, name, password, ret_reason);
}

static enum maild_login step_login(
	struct service *s, struct maild_sasl *x, struct span message, const char **ret_reason)
{
	if (x->step > 0)
		return maild_password(s, span_str(x->name), message, ret_reason);
	if (span_copy_str(message, x->name, sizeof(x->name)) < 0) {
		*ret_reason = "that is no name";
		return MAILD_LOGIN_MALFORMED;
	}
	x->step = 1;
	x->challenge = ASK_PASSWORD;
	return MAILD_LOGIN_MORE;
}

enum maild_login maild_sasl_step(
	struct service *s, struct maild_sasl *x, struct span answer, const char **ret_reason)
{
	_cleanup_(buf_wipe) struct buf message = BUF_INIT(MESSAGE_MAX);

	*ret_reason = "";
	if (span_eq_str(answer, "*")) {
		*ret_reason = "cancelled";
		return MAILD_LOGIN_CANCELLED;
	}
	if (!span_eq_str(answer, "=") && text_unbase64(&message, answer) < 0) {
		*ret_reason = "that is no base64, or too long";
		return MAILD_LOGIN_MALFORMED;
	}
	switch (x->mechanism) {
	case MAILD_PLAIN:
		return step_plain(s, buf_span(&message), ret_reason);
	case MAILD_LOGIN:
		return step_login(s, x, buf_span(&message), ret_reason);
	case MAILD_EXTERNAL:
		return prove_external(s, buf_span(&message), ret_reason);
	}
	*ret_reason = "there is no such mechanism";
	return MAILD_LOGIN_MALFORMED;
}
