/*
 * AUTHENTICATE (IRCv3 sasl 3.2): PLAIN and EXTERNAL, in pieces of 400 bytes, before registration
 * and at any time after it. A refusal says why.
 */
#include "services/chatd/chatd.h"

#include "auth/name.h"
#include "auth/sasl.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	PIECE = 400,
	MESSAGE_MAX = 4 * PIECE, /* in base64 */
};

struct chatd_sasl {
	enum sasl_mechanism mechanism;
	struct buf data; /* base64, so far */
};

void chatd_sasl_done(struct chatd *c)
{
	if (c->sasl == NULL)
		return;
	buf_wipe(&c->sasl->data);
	free(c->sasl);
	c->sasl = NULL;
}

static void fail(struct chatd *c, const char *reason)
{
	chatd_sasl_done(c);
	chatd_numeric(c, 904, ":SASL authentication failed: %s", reason);
}

/* -- logging in -------------------------------------------------------------------------------- */

static void say_logged_in(struct chatd *c)
{
	const char *account = c->service->who.account.name;

	if (c->registered)
		chatd_numeric(c, 900, "%s!%s@%s %s :You are now logged in as %s", c->me.nick,
			c->me.ident, c->me.host, account, account);
	else
		chatd_numeric(c, 900, "*!*@* %s :You are now logged in as %s", account, account);
}

/* An account's session gives it up first: as a guest for the blink of an eye. */
static int change_account(struct chatd *c, const char *account, struct chat_attach_result *result)
{
	struct chat_login_args args = {.by = chatd_actor(c), .account = account};
	char host[CHAT_HOST_SIZE];
	int r = chatd_host(c, account, host);

	if (r < 0)
		return r;
	args.host = span_str(host);
	args.spelled = span_str(c->spelled);
	args.secure = account[0] != '\0' && c->certificate.proof == AUTH_CERTIFICATE &&
		strcmp(c->certificate.account.name, account) == 0;
	if (args.secure)
		memcpy(args.spki_sha256, c->spki_sha256, sizeof(args.spki_sha256));
	r = chatd_act(c, STORE_OP_CHAT_LOGIN, &args, result);
	if (r == 0 && result->result.answer != CHAT_DONE)
		chatd_numeric(c, 904, ":SASL authentication failed: %s",
			result->result.answer == CHAT_BUSY_ELSEWHERE
				? "the account is here with other sessions; connect anew"
				: "that is not possible now");
	return r;
}

/* Should the next account not be had, the session is a guest's, if there may be any. */
static int log_out(struct chatd *c)
{
	const struct auth_identity nobody = {.proof = AUTH_NONE};
	struct chat_attach_result result = {.seen = 0};
	int r = change_account(c, "", &result);

	if (r <= 0)
		return r;
	c->me = result.user;
	r = chatd_identify(c, &nobody, span_of(NULL, 0));
	return r < 0 ? r : 1;
}

static void stay_guest(struct chatd *c)
{
	chatd_numeric(
		c, 901, "%s!%s@%s :You are now logged out", c->me.nick, c->me.ident, c->me.host);
	if (c->policy.accounts_required)
		chatd_end(c, "account required", "An account is needed here");
}

static int log_in_registered(
	struct chatd *c, const struct auth_identity *who, struct chat_attach_result *ret)
{
	struct chat_attach_result result = {.seen = 0};
	bool had_account = !chat_is_guest(c->me.who);
	int r = 1;

	if (strcmp(c->me.who, who->account.name) == 0)
		return 1;
	if (had_account)
		r = log_out(c);
	if (r > 0)
		r = change_account(c, who->account.name, &result);
	if (r == 0 && had_account && chat_is_guest(c->me.who))
		stay_guest(c);
	if (r > 0) {
		c->me = result.user;
		*ret = result;
	}
	return r;
}

int chatd_log_in(struct chatd *c, const struct auth_identity *who, struct span device)
{
	struct chat_attach_result result = {.arrived = false};
	struct chatd_rooms_known known;
	int r;

	chatd_rooms_note(c, &known);
	r = c->registered ? log_in_registered(c, who, &result) : 1;
	if (r <= 0)
		return r;
	r = chatd_identify(c, who, device);
	if (r < 0)
		return r;
	say_logged_in(c);
	if (result.arrived)
		r = chatd_replay(c, result.seen, &known);
	return r < 0 ? r : 1;
}

/* -- mechanisms -------------------------------------------------------------------------------- */

/* "name@device" */
static struct span split_device(struct span *name)
{
	struct span rest = *name;

	(void)span_split(&rest, '@', name);
	return rest;
}

/* Nobody acts for anybody: an authzid is empty or the name itself. */
static bool is_same(struct span authzid, struct span name)
{
	char asked[ACCOUNT_NAME_SIZE], own[ACCOUNT_NAME_SIZE];

	if (authzid.len == 0)
		return true;
	(void)split_device(&authzid);
	return name_fold(authzid, asked) == 0 && name_fold(name, own) == 0 &&
		strcmp(asked, own) == 0;
}

struct proof {
	struct auth_identity who;
	struct span device;
	const char *reason; /* why not */
	char text[160]; /* room for one */
};

static int refuse(struct proof *p, int error, const char *reason)
{
	p->reason = reason;
	return error;
}

static int prove_plain(struct chatd *c, struct span message, struct proof *p)
{
	struct service *s = c->service;
	struct span authzid, name, password;
	unsigned wait_s = 0;
	int r;

	if (sasl_parse_plain(message, &authzid, &name, &password) < 0)
		return refuse(p, -EBADMSG, "the PLAIN message is malformed");
	p->device = split_device(&name);
	(void)span_copy_str(name, c->spelled, sizeof(c->spelled));
	if (!chatd_device_ok(p->device))
		return refuse(p, -EBADMSG, "that is no name of a device");
	if (!is_same(authzid, name))
		return refuse(p, -EACCES, "nobody acts for another here");
	r = auth_password(s->store, &s->source, name, password, &p->who, &wait_s);
	if (r == -EBUSY) {
		(void)snprintf(
			p->text, sizeof(p->text), "too many failed tries; wait %u seconds", wait_s);
		return refuse(p, r, p->text);
	}
	if (r == -EACCES && s->cert_reason[0] != '\0') {
		(void)snprintf(p->text, sizeof(p->text),
			"name or password is wrong (your certificate was not taken: %s)",
			s->cert_reason);
		return refuse(p, r, p->text);
	}
	if (r < 0)
		return refuse(p, r,
			r == -EACCES ? "name or password is wrong"
				     : "log-in is not possible now; try again");
	return 0;
}

static int prove_external(struct chatd *c, struct span authzid, struct proof *p)
{
	const char *reason = c->service->cert_reason;
	int r;

	if (c->certificate.proof != AUTH_CERTIFICATE)
		return refuse(
			p, -EKEYREJECTED, *reason != '\0' ? reason : "no certificate was shown");
	r = auth_still_valid(c->service->store, &c->certificate);
	if (r < 0)
		return refuse(p, r,
			r == -EACCES ? "the certificate no longer stands for its account"
				     : "log-in is not possible now; try again");
	if (!is_same(authzid, span_str(c->certificate.account.name)))
		return refuse(p, -EACCES, "the certificate is that of another account");
	p->who = c->certificate;
	return 0;
}

static int finish(struct chatd *c)
{
	_cleanup_(buf_wipe) struct buf message = BUF_INIT(MESSAGE_MAX);
	enum sasl_mechanism mechanism = c->sasl->mechanism;
	struct proof p = {.reason = ""};
	int r = text_unbase64(&message, buf_span(&c->sasl->data));

	if (r < 0)
		p.reason = "that is no base64";
	else if (mechanism == SASL_PLAIN)
		r = prove_plain(c, buf_span(&message), &p);
	else
		r = prove_external(c, buf_span(&message), &p);
	if (r < 0) {
		log_event(LOG_LEVEL_NOTICE, "log-in refused",
			log_fields({"REASON", span_str(p.reason)}));
		fail(c, p.reason);
		return 0;
	}
	chatd_sasl_done(c);
	r = chatd_log_in(c, &p.who, p.device);
	explicit_bzero(&p.who, sizeof(p.who));
	if (r > 0)
		chatd_numeric(c, 903, ":SASL authentication successful");
	return r < 0 ? r : 0;
}

/* -- AUTHENTICATE ------------------------------------------------------------------------------ */

static int begin(struct chatd *c, struct span name)
{
	enum sasl_mechanism mechanism;

	c->sasl_tried = true;
	if (sasl_find(name, &mechanism) < 0) {
		chatd_numeric(c, 908, "PLAIN,EXTERNAL :are the available SASL mechanisms");
		fail(c, "there is no such mechanism");
		return 0;
	}
	c->sasl = calloc(1, sizeof(*c->sasl));
	if (c->sasl == NULL)
		return -ENOMEM;
	c->sasl->mechanism = mechanism;
	c->sasl->data = BUF_INIT(MESSAGE_MAX);
	chatd_server(c, "AUTHENTICATE +");
	return 0;
}

/* A piece that is shorter than the longest is the last. */
static int add_piece(struct chatd *c, struct span piece)
{
	bool empty = span_eq_str(piece, "+");

	if (piece.len > PIECE) {
		chatd_sasl_done(c);
		chatd_numeric(c, 905, ":SASL message too long");
		return 0;
	}
	if (!empty)
		buf_add(&c->sasl->data, piece);
	if (buf_error(&c->sasl->data) != 0) {
		fail(c, "the message is too long");
		return 0;
	}
	return piece.len == PIECE ? 0 : finish(c);
}

int chatd_cmd_authenticate(struct chatd_call *call)
{
	struct span argument = call->message->params[0];
	struct chatd *c = call->c;

	if (c->sasl == NULL && !span_eq_str(argument, "*"))
		return begin(c, argument);
	if (!span_eq_str(argument, "*"))
		return add_piece(c, argument);
	chatd_sasl_done(c);
	chatd_numeric(c, 906, ":SASL authentication aborted");
	return 0;
}
