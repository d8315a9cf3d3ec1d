/* RENAME (draft/channel-rename). */
#include "services/chatd/chatd.h"

static void refuse(struct chatd *c, enum chat_answer answer, struct span from, struct span to)
{
	struct chatd_word old = chatd_word(from), name = chatd_word(to);
	char context[2 * sizeof(old.text) + 1];

	(void)snprintf(context, sizeof(context), "%s %s", old.text, name.text);
	switch (answer) {
	case CHAT_NAME_USED:
		chatd_standard(c, "FAIL", "RENAME", "CHANNEL_NAME_IN_USE", context,
			"There is a channel of that name");
		break;
	case CHAT_FORBIDDEN:
		chatd_standard(c, "FAIL", "RENAME", "CANNOT_RENAME", context,
			"A channel cannot have that name");
		break;
	default:
		chatd_refuse(c, answer, "RENAME", old.text, "");
	}
}

int chatd_cmd_rename(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct chatd *c = call->c;
	struct chat_rename_args args = {.by = chatd_actor(c),
		.channel = m->params[0],
		.name = m->params[1],
		.override = chatd_is_oper(c)};
	struct chat_result result = {.answer = CHAT_DONE};
	int r;

	if (m->count > 2)
		args.text = chatd_cut(m->params[2], CHAT_TOPIC_SIZE - 1);
	if (!irc_channel_ok(args.name, CHAT_CHANNEL_SIZE - 1)) {
		refuse(c, CHAT_FORBIDDEN, args.channel, args.name);
		return 0;
	}
	r = chatd_act(c, STORE_OP_CHAT_RENAME, &args, &result);
	if (r == 0 && result.answer != CHAT_DONE)
		refuse(c, result.answer, args.channel, args.name);
	return r < 0 ? r : 0;
}
