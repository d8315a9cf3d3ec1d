/*
 * From the first line to 001: PASS, NICK, USER, what has to be there, and what a session that
 * becomes somebody's is told.
 */
#include "services/chatd/chatd.h"

#include "auth/password.h"
#include "base/timefmt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { PASS_MAX = IRC_BODY_MAX, ROOMS_PER_COST = 10 };

/* -- NICK, USER, PASS --------------------------------------------------------------------------
 */

/* It is looked for in the bans of each channel, and told in each. */
static int change_nick(struct chatd *c, struct span nick)
{
	struct chat_nick_args args = {.by = chatd_actor(c), .nick = nick};
	struct chat_result result = {.answer = CHAT_DONE};
	int r = chatd_act(c, STORE_OP_CHAT_NICK, &args, &result);

	for (size_t i = ROOMS_PER_COST; i <= c->room_count; i += ROOMS_PER_COST)
		chatd_cost(c);
	if (r == 0 && result.answer != CHAT_DONE)
		chatd_refuse(c, result.answer, "NICK", "", chatd_word(nick).text);
	return r < 0 ? r : 0;
}

int chatd_cmd_nick(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct chatd *c = call->c;

	if (m->count == 0 || m->params[0].len == 0) {
		chatd_numeric(c, 431, ":No nickname given");
		return 0;
	}
	if (!irc_nick_ok(m->params[0], CHAT_NICK_SIZE - 1)) {
		chatd_numeric(c, 432, "%s :That is no nickname", chatd_word(m->params[0]).text);
		return 0;
	}
	if (c->registered)
		return change_nick(c, m->params[0]);
	(void)span_copy_str(m->params[0], c->nick_wanted, sizeof(c->nick_wanted));
	return chatd_try_register(c);
}

int chatd_cmd_user(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct chatd *c = call->c;
	struct buf ident = BUF_INIT(CHAT_IDENT_SIZE);
	struct span realname = chatd_cut(m->params[3], CHAT_REALNAME_SIZE - 1);

	if (m->params[0].len == 0 || realname.len == 0) {
		chatd_numeric(c, 461, "USER :Not enough parameters");
		return 0;
	}
	irc_ident(&ident, m->params[0], CHAT_IDENT_SIZE - 1);
	(void)snprintf(c->ident, sizeof(c->ident), "%s", buf_str(&ident));
	buf_done(&ident);
	(void)span_copy_str(realname, c->realname, sizeof(c->realname));
	c->user_given = true;
	return chatd_try_register(c);
}

static void forget_pass(struct chatd *c)
{
	if (c->pass == NULL)
		return;
	explicit_bzero(c->pass, strlen(c->pass));
	free(c->pass);
	c->pass = NULL;
}

int chatd_cmd_pass(struct chatd_call *call)
{
	struct span pass = call->message->params[0];
	struct chatd *c = call->c;

	forget_pass(c);
	if (pass.len == 0 || pass.len > PASS_MAX)
		return 0;
	c->pass = strndup((const char *)pass.p, pass.len);
	return c->pass != NULL ? 0 : -ENOMEM;
}

/* -- who it is --------------------------------------------------------------------------------- */

static int log_in_by_certificate(struct chatd *c)
{
	if (!c->policy.auto_log_in || c->sasl_tried || c->certificate.proof == AUTH_NONE ||
		auth_still_valid(c->service->store, &c->certificate) < 0)
		return 0;
	return chatd_identify(c, &c->certificate, span_of(NULL, 0));
}

/* "name[@device]:password", or the password of the account that is called as the nick. */
static struct span split_pass(const struct chatd *c, struct span *ret_name, struct span *ret_device)
{
	struct span password = span_str(c->pass), name = {NULL, 0}, device = {NULL, 0};

	if (memchr(password.p, ':', password.len) != NULL) {
		(void)span_split(&password, ':', &device);
		(void)span_split(&device, '@', &name);
	}
	*ret_name = name.len > 0 ? name : span_str(c->nick_wanted);
	*ret_device = device;
	return password;
}

static int log_in_by_pass(struct chatd *c)
{
	struct service *s = c->service;
	struct auth_identity who;
	struct span name, device, password = split_pass(c, &name, &device);
	int r = auth_password(s->store, &s->source, name, password, &who, NULL);

	if (r == 0) {
		r = chatd_identify(c, &who, device);
		explicit_bzero(&who, sizeof(who));
		return r;
	}
	chatd_numeric(c, 464, ":Password incorrect");
	chatd_end(c, "wrong password",
		"The password is wrong (PASS NAME:PASSWORD is that of an account)");
	return 0;
}

/* As slow to guess as an account's password. 0, -EACCES, -EBUSY, or what hinders. */
static int check_word(struct chatd *c)
{
	const struct auth_source *from = &c->service->source;
	const struct span nobody = {NULL, 0};
	unsigned wait_s = 0;
	int r = c->pass != NULL ? 0 : -EACCES;

	if (r == 0)
		r = auth_throttle_wait_s(c->service->store, from, nobody, &wait_s);
	if (r == 0 && wait_s > 0)
		r = -EBUSY;
	if (r < 0)
		return r;
	r = password_check(span_str(c->pass), c->policy.password, from->runtime);
	if (r == -EACCES)
		auth_failed(c->service->store, from, nobody, "wrong chat_password");
	return r;
}

/* Where the house has a word of its own, PASS is that. */
static bool knows_word(struct chatd *c)
{
	char *hash = c->policy.password;
	int r = hash[0] != '\0' ? check_word(c) : 0;

	if (r == 0) {
		if (hash[0] != '\0')
			forget_pass(c);
		explicit_bzero(hash, sizeof(c->policy.password));
		return true;
	}
	chatd_numeric(c, 464, ":Password incorrect");
	if (r == -EACCES)
		chatd_end(c, "wrong password", "The password of this server is needed (PASS)");
	else
		chatd_end(c, "busy", "Passwords cannot be checked now; try again later");
	return false;
}

static int identify(struct chatd *c)
{
	int r = 0;

	if (!knows_word(c))
		return 0;

	if (!chatd_logged_in(c))
		r = log_in_by_certificate(c);
	if (r == 0 && !chatd_logged_in(c) && c->pass != NULL)
		r = log_in_by_pass(c);
	forget_pass(c);
	if (r < 0 || c->quit || chatd_logged_in(c) || !c->policy.accounts_required)
		return r;
	chatd_standard(c, "FAIL", "*", "ACCOUNT_REQUIRED", "",
		"Log in by SASL (PLAIN, or EXTERNAL with your certificate) or PASS NAME:PASSWORD; "
		"REGISTER makes an account%s%s%s",
		c->service->cert_reason[0] != '\0' ? " (your certificate was not taken: " : "",
		c->service->cert_reason, c->service->cert_reason[0] != '\0' ? ")" : "");
	chatd_end(c, "account required", "An account is needed here: log in by SASL or PASS");
	return 0;
}

/* -- 001 --------------------------------------------------------------------------------------- */

static int attach(struct chatd *c, struct chat_attach_result *result)
{
	struct service *s = c->service;
	char host[CHAT_HOST_SIZE];
	struct chat_attach_args args = {
		.by = {.session = s->session_id, .who = "", .now_us = time_now_us()},
		.account = chatd_logged_in(c) ? s->who.account.name : "",
		.nick = span_str(c->nick_wanted),
		.ident = span_str(c->ident),
		.realname = span_str(c->realname),
		.device = span_str(c->device),
		.bell = s->bell != NULL ? bell_name(s->bell) : "",
		.secure = c->has_key,
	};
	int r = chatd_host(c, chatd_logged_in(c) ? s->who.account.name : "", host);

	if (r < 0)
		return r;
	args.host = span_str(host);
	args.spelled = span_str(c->spelled);
	if (c->has_key)
		memcpy(args.spki_sha256, c->spki_sha256, sizeof(args.spki_sha256));
	return store_call(s->store, STORE_OP_CHAT_ATTACH, &args, result);
}

static void begin_session(struct chatd *c, const struct chat_attach_result *result)
{
	c->me = result->user;
	c->seq = result->result.head;
	c->sure = result->seen;
	c->registered = true;
	c->login_us = time_now_us();
	c->ping_ms = time_monotonic_ms();
	(void)chat_ring(c->service->store, c->service->settings.runtime, &result->result.ring,
		c->service->session_id);
}

static int register_now(struct chatd *c)
{
	struct chat_attach_result result = {.seen = 0};
	int r = service_register(c->service);

	if (r == 0)
		r = attach(c, &result);
	if (r < 0 && err_is_temporary(r) && r != -ESTALE) {
		chatd_end(c, "not now", "That is not possible at the moment; try again soon");
		return 0;
	}
	if (r < 0)
		return r;
	if (result.result.answer != CHAT_DONE) {
		chatd_refuse(c, result.result.answer, "NICK", "", c->nick_wanted);
		c->nick_wanted[0] = '\0';
		return 0;
	}
	begin_session(c, &result);
	chatd_welcome(c);
	r = chatd_rejoin(c);
	return r < 0 ? r : chatd_replay(c, result.seen, NULL);
}

int chatd_try_register(struct chatd *c)
{
	int r;

	if (c->registered || c->quit || c->cap_open || !c->user_given || c->nick_wanted[0] == '\0')
		return 0;
	if (c->sasl != NULL) {
		chatd_sasl_done(c);
		chatd_numeric(c, 906, ":SASL authentication aborted");
	}
	r = identify(c);
	return r < 0 || c->quit ? r : register_now(c);
}

/* -- the channels of an account that came back ------------------------------------------------- */

struct channels {
	struct chatd_room list[CHAT_JOINED_MAX];
	size_t count;
	const char *who;
};

static int add_channel(void *arg, const struct chat_member *m, const struct chat_channel *channel)
{
	struct channels *l = arg;

	(void)m;
	if (l->count == CHAT_JOINED_MAX)
		return 1;
	l->list[l->count].id = channel->id;
	memcpy(l->list[l->count].name, channel->name, sizeof(channel->name));
	l->count++;
	return 0;
}

static int read_channels(struct store_txn *txn, void *arg)
{
	struct channels *l = arg;
	int r = chat_joined_each(txn, l->who, add_channel, l);

	return r < 0 ? r : 0;
}

int chatd_rejoin(struct chatd *c)
{
	struct channels l = {.count = 0, .who = c->me.who};
	int r = store_view(c->service->store, read_channels, &l);

	for (size_t i = 0; i < l.count && r == 0; i++) {
		r = chatd_room_add(c, l.list[i].id, l.list[i].name);
		if (r < 0)
			return r;
		chatd_say_join(c, l.list[i].name);
		r = chatd_show_channel(c, l.list[i].id);
	}
	return r;
}
