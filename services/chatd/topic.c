/* TOPIC, and RPL_TOPIC with who set it. */
#include "services/chatd/chatd.h"
#include "services/chatd/show.h"

#include "base/timefmt.h"

void chatd_show_topic(struct chatd *c, const struct chat_channel *channel)
{
	if (channel->topic[0] == '\0')
		return;
	chatd_numeric(c, 332, "%s :%s", channel->name, channel->topic);
	chatd_numeric(c, 333, "%s %s %lld", channel->name, channel->topic_by,
		(long long)(channel->topic_us / TIME_S_US));
}

static int ask(struct chatd *c, struct span name)
{
	struct chat_channel channel;
	int r = chatd_channel(c, name, "TOPIC", &channel);

	if (r <= 0)
		return r;
	if (channel.topic[0] == '\0')
		chatd_numeric(c, 331, "%s :No topic is set", channel.name);
	else
		chatd_show_topic(c, &channel);
	return 0;
}

int chatd_cmd_topic(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct chatd *c = call->c;
	struct chat_topic_args args = {
		.by = chatd_actor(c), .channel = m->params[0], .override = chatd_is_oper(c)};
	struct chat_result result = {.answer = CHAT_DONE};
	int r;

	if (m->count < 2)
		return ask(c, m->params[0]);
	args.text = chatd_cut(m->params[1], CHAT_TOPIC_SIZE - 1);
	r = chatd_act(c, STORE_OP_CHAT_TOPIC, &args, &result);
	if (r == 0 && result.answer != CHAT_DONE)
		chatd_refuse(c, result.answer, "TOPIC", chatd_word(args.channel).text, "");
	return r < 0 ? r : 0;
}
