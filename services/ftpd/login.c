/*
 * Who is there: USER and PASS or the certificate of the handshake, sign-up, REIN; and what RFC 2228
 * and 4217 say about the protection of the session.
 */
#include "services/ftpd/data.h"
#include "services/ftpd/tree.h"

#include "auth/name.h"
#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>

enum { LOG_INS_MAX = 5 }; /* refused ones, then the session ends */

#define NO_NAME "?" /* in the place of a name that cannot be one */

/* -- logging in --------------------------------------------------------------------------------
 */

static int enter(struct ftpd *f, const struct auth_identity *who)
{
	struct service *s = f->service;
	bool admin = (who->account.flags & ACCOUNT_ADMIN) != 0;
	int r = tree_log_in(f->tree, s->store, who->account.name, admin);

	if (r < 0) {
		log_event(LOG_LEVEL_ERR, "the files of an account cannot be reached",
			log_fields({"ACCOUNT", span_str(who->account.name)},
				{"ERROR", span_str(err_text(r))}));
		return r;
	}
	(void)service_logged_in(s, who);
	memcpy(f->user, who->account.name, sizeof(f->user));
	(void)snprintf(f->cwd, sizeof(f->cwd), "/shared");
	f->admin = admin;
	f->logged_in = true;
	f->log_ins = 0;
	return 0;
}

static int log_in(struct ftpd *f, const struct auth_identity *who, unsigned code)
{
	if (enter(f, who) < 0)
		return ftpd_reply(
			f, 530, "Your files cannot be reached at the moment; try again later.");
	return ftpd_reply(f, code,
		"Welcome, %s. You are in /shared, what is yours alone is in /home/%s.", f->user,
		f->user);
}

/* Looked at again each time: it may have been revoked since the handshake. */
static bool has_certificate_of(struct ftpd *f, const char *name)
{
	struct service *s = f->service;

	if (f->certificate.proof != AUTH_CERTIFICATE ||
		strcmp(f->certificate.account.name, name) != 0)
		return false;
	if (auth_still_valid(s->store, &f->certificate) == 0)
		return true;
	f->certificate = (struct auth_identity){0};
	(void)snprintf(s->cert_reason, sizeof(s->cert_reason),
		"the certificate no longer stands for its account");
	return false;
}

static int ask_password(struct ftpd *f)
{
	const struct service *s = f->service;

	if (s->cert_reason[0] != '\0')
		return ftpd_reply(f, 331, "Password, please. (Your certificate was not taken: %s.)",
			s->cert_reason);
	if (f->certificate.proof == AUTH_CERTIFICATE)
		return ftpd_reply(f, 331, "Password, please. (Your certificate is that of %s.)",
			f->certificate.account.name);
	return ftpd_reply(f, 331, "Password, please.");
}

int ftpd_cmd_user(struct ftpd_call *c)
{
	struct ftpd *f = c->f;
	char name[ACCOUNT_NAME_SIZE];

	if (name_fold(span_trim(c->argument), name) < 0)
		memcpy(name, NO_NAME, sizeof(NO_NAME));
	if (f->logged_in && strcmp(name, f->user) == 0)
		return ftpd_reply(f, 230, "You are logged in already.");
	if (f->logged_in)
		return ftpd_reply(f, 530, "You are logged in as %s; REIN ends that.", f->user);
	memcpy(f->user, name, sizeof(f->user));
	if (has_certificate_of(f, name))
		return log_in(f, &f->certificate, 232);
	return ask_password(f);
}

/* What did not work is told and counted; who tries too often has to call again. */
static int refuse_password(struct ftpd *f, int error, unsigned wait_s)
{
	const char *certificate = f->service->cert_reason;

	log_event(LOG_LEVEL_NOTICE, "log-in refused",
		log_fields({"ACCOUNT", span_str(f->user)}, {"ERROR", span_str(err_text(error))}));
	f->user[0] = '\0';
	if (++f->log_ins >= LOG_INS_MAX) {
		f->quit = true;
		f->service->end_reason = "too many refused log-ins";
		return ftpd_reply(f, 421, "Too many refused log-ins: goodbye.");
	}
	if (error == -EBUSY)
		return ftpd_reply(f, 530, "Too many failed tries; wait %u seconds.", wait_s);
	if (error != -EACCES)
		return ftpd_reply(f, 530, "Log-in is not possible at the moment; try again later.");
	if (*certificate != '\0')
		return ftpd_reply(f, 530,
			"Name or password is wrong. (Your certificate was not taken: %s.)",
			certificate);
	return ftpd_reply(f, 530, "Name or password is wrong.");
}

int ftpd_cmd_pass(struct ftpd_call *c)
{
	struct ftpd *f = c->f;
	struct service *s = f->service;
	struct auth_identity who;
	unsigned wait_s = 0;
	int r;

	if (f->logged_in)
		return ftpd_reply(f, 202, "You are logged in already.");
	if (f->user[0] == '\0')
		return ftpd_reply(f, 503, "USER comes first.");
	r = auth_password(s->store, &s->source, span_str(f->user), c->argument, &who, &wait_s);
	if (r < 0)
		return refuse_password(f, r, wait_s);
	r = log_in(f, &who, 230);
	explicit_bzero(&who, sizeof(who));
	return r;
}

int ftpd_cmd_acct(struct ftpd_call *c)
{
	return ftpd_reply(c->f, 202, "Accounts need nothing more here.");
}

/* -- sign-up -----------------------------------------------------------------------------------
 */

static int refuse_sign_up(struct ftpd *f, int error, const char *reason)
{
	static const struct {
		int error;
		unsigned code;
	} codes[] = {
		{-EPERM, 550},
		{-EINVAL, 501},
		{-EEXIST, 553},
		{-EKEYREJECTED, 530},
		{-EBUSY, 450},
	};
	unsigned code = 451;

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].error == error)
			code = codes[i].code;
	log_event(LOG_LEVEL_NOTICE, "sign-up refused", log_fields({"REASON", span_str(reason)}));
	return ftpd_reply(f, code, "No account was made: %s.", reason);
}

int ftpd_site_register(struct ftpd_call *c)
{
	struct service *s = c->f->service;
	struct span rest = span_trim(c->argument), name = {0}, password = {0}, token = {0};
	const char *reason = "it is not possible at the moment";
	int r;

	if (c->f->logged_in)
		return ftpd_reply(c->f, 503, "You have an account and are logged in with it.");
	(void)span_split(&rest, ' ', &name);
	(void)span_split(&rest, ' ', &password);
	(void)span_split(&rest, ' ', &token);
	if (password.len == 0 || rest.len > 0)
		return ftpd_reply(c->f, 501,
			"SITE REGISTER takes NAME PASSWORD [INVITE]; a password with blanks in it "
			"can be given to the quintet client.");
	r = auth_sign_up(s->store, &s->source, name, password, token, &reason);
	if (r < 0)
		return refuse_sign_up(c->f, r, reason);
	log_event(LOG_LEVEL_INFO, "signed up", log_fields({"ACCOUNT", name}));
	return ftpd_reply(c->f, 200, "The account is made; log in with USER and PASS.");
}

/* -- host, and beginning anew ------------------------------------------------------------------
 */

/* RFC 7151: one house, by its domain or its host's name. */
int ftpd_cmd_host(struct ftpd_call *c)
{
	const struct service_settings *settings = &c->f->service->settings;
	struct span name = span_trim(c->argument);

	if (c->f->logged_in || c->f->user[0] != '\0')
		return ftpd_reply(c->f, 503, "HOST comes before USER.");
	if (!span_caseeq_str(name, settings->domain) && !span_caseeq_str(name, settings->host))
		return ftpd_reply(c->f, 504, "There is no such host here.");
	return ftpd_reply(c->f, 220, "Quintet files on %s, at your service.", settings->domain);
}

/* No data connection can resume what was before. */
int ftpd_cmd_rein(struct ftpd_call *c)
{
	struct ftpd *f = c->f;
	struct service *s = f->service;

	tree_log_out(f->tree);
	data_reset(f->data, true);
	(void)service_logged_in(s, &f->certificate);
	f->user[0] = f->partial_shown[0] = '\0';
	/* Who never logged in gets no more time for it by beginning anew. */
	if (f->logged_in)
		f->login_until_ms = time_monotonic_ms() + (int64_t)s->door->login_s * 1000;
	f->logged_in = f->admin = false;
	(void)snprintf(f->cwd, sizeof(f->cwd), "/");
	f->facts = FTP_FACT_ALL;
	f->hash = FTP_HASH_SHA256;
	f->prot_private = f->pbsz = ftpd_is_implicit(s);
	if (s->tls != NULL && tls_server_fresh(s->tls) < 0) {
		f->quit = true;
		s->end_reason = "no fresh TLS secrets";
		return ftpd_reply(f, 421, "Beginning anew failed here: goodbye.");
	}
	return ftpd_reply(f, 220, "Logged out; TLS goes on. USER is next.");
}

/* -- protection --------------------------------------------------------------------------------
 */

int ftpd_cmd_auth(struct ftpd_call *c)
{
	return ftpd_reply(c->f, 503, "TLS is on already.");
}

int ftpd_cmd_pbsz(struct ftpd_call *c)
{
	uint64_t size;

	if (ftp_size_parse(span_trim(c->argument), &size) < 0 || size > UINT32_MAX)
		return ftpd_reply(c->f, 501, "PBSZ takes a number: 0.");
	c->f->pbsz = true;
	return ftpd_reply(c->f, 200, "PBSZ=0");
}

int ftpd_cmd_prot(struct ftpd_call *c)
{
	static const struct {
		const char *level;
		unsigned code;
		const char *text;
	} rows[] = {
		{"C", 534, "Data goes over TLS only: PROT P."},
		{"S", 536, "TLS has no such level: PROT P."},
		{"E", 536, "TLS has no such level: PROT P."},
	};
	struct span level = span_trim(c->argument);

	if (!c->f->pbsz)
		return ftpd_reply(c->f, 503, "PBSZ 0 comes first.");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (span_caseeq_str(level, rows[i].level))
			return ftpd_reply(c->f, rows[i].code, "%s", rows[i].text);
	if (!span_caseeq_str(level, "P"))
		return ftpd_reply(c->f, 504, "There is no such level: PROT P.");
	c->f->prot_private = true;
	return ftpd_reply(c->f, 200, "Data goes over TLS.");
}

int ftpd_cmd_ccc(struct ftpd_call *c)
{
	return ftpd_reply(c->f, 534, "Commands stay under TLS.");
}
