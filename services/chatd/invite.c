/* INVITE: somebody into a channel, and what one was invited to. */
#include "services/chatd/people.h"
#include "services/chatd/show.h"

struct invites {
	struct chatd *c;
	struct buf lines;
};

static int add_invite(void *arg, const struct chat_channel *channel)
{
	chatd_gather(arg, 336, "%s", channel->name);
	return buf_error(arg);
}

static int gather(struct store_txn *txn, void *arg)
{
	struct invites *i = arg;
	int r = chat_invites_each(txn, i->c->me.who, add_invite, &i->lines);

	return r < 0 ? r : 1;
}

static int list_invites(struct chatd *c)
{
	struct invites i = {c, BUF_INIT(CHATD_GATHER_MAX)};
	int r = chatd_view(c, gather, &i);

	if (r == 1) {
		chatd_gather_send(c, &i.lines);
		chatd_numeric(c, 337, ":End of the list of invitations");
	}
	buf_done(&i.lines);
	return r < 0 ? r : 0;
}

int chatd_cmd_invite(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct chatd *c = call->c;
	struct chat_invite_args args = {.by = chatd_actor(c)};
	struct chat_result result = {.answer = CHAT_DONE};
	struct chatd_word nick, channel;
	int r;

	if (m->count == 0)
		return list_invites(c);
	if (m->count == 1) {
		chatd_numeric(c, 461, "INVITE :A nick and a channel are needed");
		return 0;
	}
	args.nick = m->params[0];
	args.channel = m->params[1];
	nick = chatd_word(args.nick);
	channel = chatd_word(args.channel);
	r = chatd_act(c, STORE_OP_CHAT_INVITE, &args, &result);
	if (r == 1) {
		chatd_numeric(c, 341, "%s %s", nick.text, channel.text);
		return chatd_say_away(c, args.nick);
	}
	if (r == 0 && result.answer != CHAT_DONE)
		chatd_refuse(c, result.answer, "INVITE", channel.text, nick.text);
	return r < 0 ? r : 0;
}
