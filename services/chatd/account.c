/*
 * REGISTER (draft/account-registration): the house's common sign-up. Where one has to be invited,
 * the invite goes in the place of the e-mail address, which is not asked for here.
 */
#include "services/chatd/chatd.h"

#include "auth/name.h"

#include <errno.h>

struct holder {
	struct span nick;
	struct chat_user user;
	bool found;
};

static int find_holder(struct store_txn *txn, void *arg)
{
	struct holder *h = arg;
	int r = chat_nick_find(txn, h->nick, &h->user);

	h->found = r == 0;
	return r == 0 || r == -ENOENT ? 1 : r;
}

/* Nobody takes the name that somebody else is called by right now. 1: yes; 0; negative. */
static int is_anothers_nick(struct chatd *c, struct span name)
{
	struct holder h = {.nick = name};
	int r = store_view(c->service->store, find_holder, &h);

	if (r < 0)
		return r;
	return h.found && (!c->registered || strcmp(h.user.who, c->me.who) != 0);
}

static void refuse(struct chatd *c, const char *code, struct span name, const char *reason)
{
	chatd_standard(c, "FAIL", "REGISTER", code, chatd_word(name).text, "%s", reason);
}

static const struct {
	int error;
	const char *code;
} codes[] = {
	{-EPERM, "TEMPORARILY_UNAVAILABLE"},
	{-EEXIST, "ACCOUNT_EXISTS"},
	{-EKEYREJECTED, "INVALID_EMAIL"},
	{-EBUSY, "TEMPORARILY_UNAVAILABLE"},
};

static void refuse_sign_up(
	struct chatd *c, struct span name, struct span password, int error, const char *reason)
{
	char folded[ACCOUNT_NAME_SIZE];
	const char *code = "TEMPORARILY_UNAVAILABLE";

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].error == error)
			code = codes[i].code;
	if (error == -EINVAL)
		code = name_fold(name, folded) < 0 ||
				name_is_reserved(folded, c->service->settings.domain)
			? "BAD_ACCOUNT_NAME"
			: "WEAK_PASSWORD";
	(void)password;
	log_event(LOG_LEVEL_NOTICE, "sign-up refused", log_fields({"REASON", span_str(reason)}));
	refuse(c, code, name, reason);
}

/* Who has just made it is logged in to it. */
static int log_in(struct chatd *c, struct span name)
{
	struct auth_identity who = {.proof = AUTH_PASSWORD};
	char folded[ACCOUNT_NAME_SIZE];
	int r = name_fold(name, folded);

	if (r == 0)
		r = account_get(c->service->store, folded, &who.account);
	if (r == 0)
		r = chatd_log_in(c, &who, span_of(NULL, 0));
	return r < 0 ? r : 0;
}

static int sign_up(struct chatd *c, struct span name, struct span invite, struct span password)
{
	struct service *s = c->service;
	const char *reason = "that is not possible at the moment";
	int r = is_anothers_nick(c, name);

	if (r < 0)
		return r;
	if (r > 0) {
		refuse(c, "ACCOUNT_EXISTS", name, "Somebody else is here by that name");
		return 0;
	}
	r = auth_sign_up(s->store, &s->source, name, password, invite, &reason);
	if (r < 0) {
		refuse_sign_up(c, name, password, r, reason);
		return 0;
	}
	log_event(LOG_LEVEL_INFO, "signed up", log_fields({"ACCOUNT", name}));
	chatd_server(c, "REGISTER SUCCESS %s :The account is made", chatd_word(name).text);
	return log_in(c, name);
}

int chatd_cmd_register(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct span name = m->params[0], invite = m->params[1];
	struct chatd *c = call->c;

	if (span_eq_str(name, "*"))
		name = span_str(c->registered ? c->me.nick : c->nick_wanted);
	if (span_eq_str(invite, "*"))
		invite = span_of(NULL, 0);
	if (chatd_logged_in(c)) {
		refuse(c, "ALREADY_AUTHENTICATED", name, "You are logged in to an account");
		return 0;
	}
	if (!c->registered && !c->policy.register_early) {
		refuse(c, "COMPLETE_CONNECTION_REQUIRED", name, "Connect first (NICK, USER)");
		return 0;
	}
	if (name.len == 0) {
		refuse(c, "NEED_NICK", name, "Say NICK first, or the account's name");
		return 0;
	}
	return sign_up(c, name, invite, m->params[2]);
}

int chatd_cmd_verify(struct chatd_call *call)
{
	chatd_standard(call->c, "FAIL", "VERIFY", "INVALID_CODE",
		chatd_word(call->message->params[0]).text, "Accounts need no verification here");
	return 0;
}
