/* KICK. */
#include "services/chatd/chatd.h"

static int kick_one(struct chatd *c, struct span channel, struct span nick, struct span why)
{
	struct chat_kick_args args = {.by = chatd_actor(c),
		.channel = channel,
		.nick = nick,
		.text = why,
		.override = chatd_is_oper(c)};
	struct chat_result result = {.answer = CHAT_DONE};
	int r = chatd_act(c, STORE_OP_CHAT_KICK, &args, &result);

	if (r == 0 && result.answer != CHAT_DONE)
		chatd_refuse(
			c, result.answer, "KICK", chatd_word(channel).text, chatd_word(nick).text);
	return r < 0 ? r : 0;
}

/* One channel and several nicks, or as many channels as nicks (RFC 2812 section 3.2.8). Each goes
 * with an event of its own; the kicker's nick stands for a reason. */
int chatd_cmd_kick(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct span channels = m->params[0], nicks = m->params[1], channel = {NULL, 0}, nick;
	struct span why = span_str(call->c->me.nick);
	int r = 0;

	if (m->count > 2 && m->params[2].len > 0)
		why = chatd_cut(m->params[2], CHAT_TOPIC_SIZE - 1);
	for (bool another = false; r == 0 && irc_word(&nicks, ',', &nick); another = true) {
		struct span next;

		if (another)
			chatd_cost(call->c);

		if (irc_word(&channels, ',', &next))
			channel = next;
		r = kick_one(call->c, channel, nick, why);
	}
	return r;
}
