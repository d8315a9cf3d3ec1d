/* OPER, and what operators of the house do: KILL, WALLOPS, BROADCAST. */
#include "services/chatd/people.h"

#include <errno.h>

/* -- who is one -------------------------------------------------------------------------------- */

static bool is_admin(const struct auth_identity *who)
{
	return who->proof != AUTH_NONE && (who->account.flags & ACCOUNT_ADMIN) != 0;
}

static int set_oper(struct chatd *c, bool on)
{
	struct chat_user_args args = {.by = chatd_actor(c),
		.what = CHAT_SET_FLAGS,
		.set = on ? CHAT_USER_OPER : 0,
		.unset = on ? 0 : CHAT_USER_OPER};
	struct chat_result result = {.answer = CHAT_DONE};

	return chatd_act(c, STORE_OP_CHAT_USER, &args, &result);
}

/* What made the client an operator may be gone. */
int chatd_prove_oper(struct chatd *c)
{
	bool by_other = is_admin(&c->oper);
	const struct auth_identity *proof = by_other ? &c->oper : &c->service->who;
	bool claims = (c->me.flags & CHAT_USER_OPER) != 0 && is_admin(proof);
	int r = claims ? auth_still_valid(c->service->store, proof) : 0;

	c->oper_proved = claims && r == 0;
	if (!by_other || !claims || r != -EACCES)
		return 0;
	c->oper = (struct auth_identity){.proof = AUTH_NONE};
	r = set_oper(c, false);
	return r < 0 ? r : 0;
}

/* The password of an administrator's account. 0, or -EACCES: told. */
static int check_password(struct chatd *c, struct span name, struct span password)
{
	struct auth_identity who;
	unsigned wait_s = 0;
	int r = auth_password(
		c->service->store, &c->service->source, name, password, &who, &wait_s);

	if (r == 0 && is_admin(&who)) {
		c->oper = who;
		return 0;
	}
	if (r == -EBUSY)
		chatd_numeric(c, 491, ":Too many wrong passwords; try again in %u s", wait_s);
	else if (r == 0 || r == -EACCES)
		chatd_numeric(c, 464, ":This name and password are not an administrator's");
	else
		chatd_numeric(c, 491, ":Not possible at the moment; try again later");
	return -EACCES;
}

/* Whoever is logged in as an administrator need not prove it again. */
int chatd_cmd_oper(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct chatd *c = call->c;
	int r;

	if (!is_admin(&c->service->who) && check_password(c, m->params[0], m->params[1]) < 0)
		return 0;
	r = set_oper(c, true);
	if (r == 1)
		chatd_numeric(c, 381, ":You are now an operator of this house");
	return r < 0 ? r : 0;
}

/* -- what they do ------------------------------------------------------------------------------ */

static int announce(struct chatd *c, struct chat_announce_args *args, const char *verb)
{
	struct chat_result result = {.answer = CHAT_DONE};
	int r = chatd_act(c, STORE_OP_CHAT_ANNOUNCE, args, &result);

	if (r == 0 && result.answer != CHAT_DONE)
		chatd_refuse(c, result.answer, verb, "", chatd_word(args->nick).text);
	return r < 0 ? r : 0;
}

int chatd_cmd_kill(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct chat_announce_args args = {.by = chatd_actor(call->c),
		.kind = CHAT_KILL,
		.nick = m->params[0],
		.text = SPAN_LIT("No reason given")};

	if (m->count > 1 && m->params[1].len > 0)
		args.text = chatd_cut(m->params[1], CHAT_TOPIC_SIZE - 1);
	return announce(call->c, &args, "KILL");
}

static int announce_text(struct chatd_call *call, enum chat_kind kind, const char *verb)
{
	struct chat_announce_args args = {
		.by = chatd_actor(call->c), .kind = kind, .text = call->message->params[0]};

	if (args.text.len == 0) {
		chatd_numeric(call->c, 412, ":No text to send");
		return 0;
	}
	args.text = chatd_cut(args.text, CHAT_TOPIC_SIZE - 1);
	return announce(call->c, &args, verb);
}

int chatd_cmd_wallops(struct chatd_call *call)
{
	return announce_text(call, CHAT_WALLOPS, "WALLOPS");
}

int chatd_cmd_broadcast(struct chatd_call *call)
{
	return announce_text(call, CHAT_BROADCAST, "BROADCAST");
}
