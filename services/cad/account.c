/* Accounts, as their owners see them: make one, show it, change the password, list and revoke
 * one's own certificates. Forms in, text out. */
#include "services/cad/cad.h"

#include "auth/password.h"
#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "proto/form.h"
#include "store/file.h"
#include "store/mail.h"

#include <errno.h>

#define FORM_TYPE "application/x-www-form-urlencoded"

enum { LIST_MAX = 1 << 20, SHOW_MAX = 2048 };

/* 1 with the form filled, 0 when refused, or negative. */
static int read_form(struct cad_exchange *x, struct form *ret)
{
	int r = cad_body_is(x, FORM_TYPE);

	if (r <= 0)
		return r;
	if (form_parse(x->body, ret) == 0)
		return 1;
	return cad_text(x, 400, "the form is malformed");
}

static const struct {
	int error;
	unsigned http;
} sign_up_statuses[] = {
	{-EPERM, 403},
	{-EINVAL, 400},
	{-EEXIST, 409},
	{-EKEYREJECTED, 403},
};

static int refuse_sign_up(struct cad_exchange *x, struct span name, int error, const char *reason)
{
	struct service *s = x->cad->s;
	unsigned wait_s = 0;

	if (error == -EBUSY) {
		(void)auth_throttle_wait_s(s->store, &s->source, name, &wait_s);
		return cad_text_wait(x, 429, wait_s, reason);
	}
	for (size_t i = 0; i < sizeof(sign_up_statuses) / sizeof(sign_up_statuses[0]); i++)
		if (sign_up_statuses[i].error == error)
			return cad_text(x, sign_up_statuses[i].http, reason);
	return cad_unavailable(x, error);
}

static int create(struct cad_exchange *x, const struct form *form)
{
	struct service *s = x->cad->s;
	struct span name = form_value(form, "name");
	const char *reason = "this account cannot be made";
	int r;

	/* An account without one comes only with a certificate: by EST. */
	if (form_value(form, "password").p == NULL)
		return cad_text(x, 400, "a password is needed");
	r = service_need_store(s);
	if (r < 0)
		return cad_unavailable(x, r);
	r = auth_sign_up(s->store, &s->source, name, form_value(form, "password"),
		form_value(form, "invite"), &reason);
	if (r < 0)
		return refuse_sign_up(x, name, r, reason);
	log_event(LOG_LEVEL_NOTICE, "account created", log_fields({"ACCOUNT", name}));
	return cad_text(x, 201, "created");
}

int cad_account_create(struct cad_exchange *x)
{
	struct form form = {0};
	int r = read_form(x, &form);

	if (r > 0)
		r = create(x, &form);
	form_done(&form);
	return r;
}

static int store_password(struct cad_exchange *x, struct span password)
{
	struct service *s = x->cad->s;
	struct account_password_args args = {.now_us = time_now_us()};
	int r;

	memcpy(args.name, x->who.account.name, sizeof(args.name));
	memcpy(args.peer, s->peer.text, sizeof(args.peer));
	(void)snprintf(args.service, sizeof(args.service), "%s", s->def->name);
	r = password_hash(password, s->settings.runtime, args.password);
	if (r == 0)
		r = store_call(s->store, STORE_OP_ACCOUNT_PASSWORD, &args, NULL);
	if (r == 0)
		(void)service_ring_account(s->store, s->settings.runtime, args.name);
	explicit_bzero(&args, sizeof(args));
	return r;
}

int cad_account_password(struct cad_exchange *x)
{
	struct form form = {0};
	const char *reason = "";
	int r = read_form(x, &form);

	if (r <= 0) {
		form_done(&form);
		return r;
	}
	r = password_acceptable(form_value(&form, "new"), x->who.account.name, &reason);
	if (r == 0)
		r = store_password(x, form_value(&form, "new"));
	form_done(&form);
	if (r == -EINVAL)
		return cad_text(x, 400, reason);
	if (r < 0)
		return cad_unavailable(x, r);
	log_event(LOG_LEVEL_NOTICE, "password changed",
		log_fields({"ACCOUNT", span_str(x->who.account.name)}));
	return cad_text(x, 200, "changed");
}

static void add_time(struct buf *b, const char *key, int64_t at_us)
{
	buf_addf(b, "%s ", key);
	if (at_us != 0)
		time_rfc3339_utc(b, at_us);
	else
		buf_add_str(b, "never");
	buf_add_str(b, "\n");
}

/* -- what it uses -------------------------------------------------------------------------------
 */

struct uses {
	const char *name;
	struct file_usage files;
	struct mail_usage mail;
};

static int mail_view(struct store_txn *txn, void *arg)
{
	struct uses *u = arg;

	return mail_usage_read(txn, u->name, &u->mail);
}

static void add_use(struct buf *b, const char *key, uint64_t bytes, uint64_t quota)
{
	buf_addf(b, "%s %llu", key, (unsigned long long)bytes);
	if (quota > 0)
		buf_addf(b, " of %llu bytes\n", (unsigned long long)quota);
	else
		buf_add_str(b, " bytes, without a limit\n");
}

/* Quotas are shown to their owners. */
static int add_uses(struct buf *b, struct store *store, const char *name)
{
	struct uses u = {.name = name};
	int r = file_usage_get(store, name, &u.files);

	if (r == 0)
		r = store_view(store, mail_view, &u);
	if (r < 0)
		return r;
	buf_addf(b, "files %llu\n", (unsigned long long)u.files.files);
	add_use(b, "files-use", u.files.bytes + u.files.partial_bytes, u.files.quota);
	buf_addf(b, "letters %llu\n", (unsigned long long)u.mail.messages);
	add_use(b, "mail-use", u.mail.bytes, u.mail.limit);
	return 0;
}

int cad_account_show(struct cad_exchange *x)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(SHOW_MAX);
	const struct account *a = &x->who.account;
	int r;

	buf_addf(&text, "name %s\n", a->name);
	buf_addf(&text, "address %s@%s\n", a->name, x->cad->s->settings.domain);
	buf_addf(&text, "administrator %s\n", (a->flags & ACCOUNT_ADMIN) != 0 ? "yes" : "no");
	add_time(&text, "created", a->created_us);
	add_time(&text, "password-changed", a->password_us);
	buf_addf(
		&text, "proof %s\n", x->who.proof == AUTH_CERTIFICATE ? "certificate" : "password");
	r = add_uses(&text, x->cad->s->store, a->name);
	if (r == 0)
		r = buf_error(&text);
	if (r < 0)
		return cad_unavailable(x, r);
	return cad_reply(x, "text/plain; charset=utf-8", buf_span(&text));
}

static const char *state_text(const struct cert *c)
{
	if (c->state == CERT_REVOKED)
		return "revoked";
	return c->not_after_us < time_now_us() ? "expired" : "valid";
}

static const char *profile_text(enum cert_profile profile)
{
	static const char *const names[] = {
		[CERT_PROFILE_USER] = "user",
		[CERT_PROFILE_HOST] = "host",
		[CERT_PROFILE_TSA] = "tsa",
		[CERT_PROFILE_OCSP] = "ocsp",
		[CERT_PROFILE_CMP] = "cmp",
	};

	return (size_t)profile < sizeof(names) / sizeof(names[0]) && names[profile] != NULL
		? names[profile]
		: "other";
}

/* serial state not-before not-after profile */
static int add_certificate(void *arg, const struct cert *c)
{
	struct buf *text = arg;

	if (c->state == CERT_INTENT)
		return 0;
	text_hex(text, span_of(c->serial, sizeof(c->serial)));
	buf_addf(text, " %s ", state_text(c));
	time_rfc3339_utc(text, c->not_before_us);
	buf_add_str(text, " ");
	time_rfc3339_utc(text, c->not_after_us);
	buf_addf(text, " %s\n", profile_text(c->profile));
	return buf_error(text);
}

int cad_account_certificates(struct cad_exchange *x)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(LIST_MAX);
	int r = cert_each(x->cad->s->store, x->who.account.name, INT64_MAX, add_certificate, &text);

	if (r < 0)
		return cad_unavailable(x, r);
	return cad_reply(x, "text/plain; charset=utf-8", buf_span(&text));
}

/* CRLReason, RFC 5280 section 5.3.1: those that an owner may give. */
static const struct {
	const char *name;
	int code;
} reasons[] = {
	{"unspecified", 0},
	{"keyCompromise", 1},
	{"affiliationChanged", 3},
	{"superseded", 4},
	{"cessationOfOperation", 5},
};

static int read_reason(struct span value, int *ret)
{
	if (value.len == 0) {
		*ret = 0;
		return 0;
	}
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (span_caseeq_str(value, reasons[i].name)) {
			*ret = reasons[i].code;
			return 0;
		}
	return -EINVAL;
}

static int read_revocation(
	struct cad_exchange *x, const struct form *form, struct cert_revoke_args *ret)
{
	_cleanup_(buf_done) struct buf serial = BUF_INIT(CERT_SERIAL_LEN);

	if (text_unhex(&serial, form_value(form, "serial")) < 0 || serial.len != CERT_SERIAL_LEN ||
		read_reason(form_value(form, "reason"), &ret->reason) < 0)
		return -EINVAL;
	memcpy(ret->serial, serial.p, sizeof(ret->serial));
	memcpy(ret->account, x->who.account.name, sizeof(ret->account));
	(void)snprintf(ret->by, sizeof(ret->by), "%s", x->who.account.name);
	ret->now_us = time_now_us();
	return 0;
}

static int revoke_own(struct cad_exchange *x, const struct cert_revoke_args *args)
{
	struct service *s = x->cad->s;
	int r = store_call(s->store, STORE_OP_CERT_REVOKE, args, NULL);

	if (r == -ENOENT || r == -EACCES)
		return cad_text(x, 404, "the account has no such certificate");
	if (r == -EALREADY)
		return cad_text(x, 200, "revoked already");
	if (r < 0)
		return cad_unavailable(x, r);
	(void)service_ring_account(s->store, s->settings.runtime, args->account);
	log_event(LOG_LEVEL_NOTICE, "certificate revoked",
		log_fields({"ACCOUNT", span_str(args->account)}));
	return cad_text(x, 200, "revoked");
}

int cad_account_revoke(struct cad_exchange *x)
{
	struct form form = {0};
	struct cert_revoke_args args = {0};
	int r = read_form(x, &form);

	if (r > 0 && read_revocation(x, &form, &args) < 0)
		r = cad_text(x, 400,
			"serial (32 hexadecimal digits) or reason (unspecified, keyCompromise, "
			"affiliationChanged, superseded, cessationOfOperation) is malformed");
	else if (r > 0)
		r = revoke_own(x, &args);
	form_done(&form);
	return r;
}
