/* INVITE: somebody into a channel, and what one was invited to. */
#include "services/chatd/show.h"

enum { INVITES_BYTES_MAX = 65536 };

struct invites {
	struct chatd *c;
	struct buf names; /* each behind a blank */
};

static int add_invite(void *arg, const struct chat_channel *channel)
{
	struct buf *names = arg;

	buf_add_byte(names, ' ');
	buf_add_str(names, channel->name);
	return 0;
}

static int gather(struct store_txn *txn, void *arg)
{
	struct invites *i = arg;
	int r = chat_invites_each(txn, i->c->me.who, add_invite, &i->names);

	return r < 0 ? r : 1;
}

static int list_invites(struct chatd *c)
{
	struct invites i = {c, BUF_INIT(INVITES_BYTES_MAX)};
	struct span rest, name;
	int r = chatd_view(c, gather, &i);

	rest = buf_span(&i.names);
	while (r == 1 && irc_word(&rest, ' ', &name))
		chatd_numeric(c, 336, "%.*s", CHATD_SPAN(name));
	if (r == 1)
		chatd_numeric(c, 337, ":End of the list of invitations");
	buf_done(&i.names);
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
