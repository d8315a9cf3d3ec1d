/* AWAY and SETNAME: what a person says of itself. */
#include "services/chatd/people.h"

#include "base/text.h"

/* 1 done, 0 told, negative. */
static int change(struct chatd *c, struct chat_user_args *args, const char *verb)
{
	struct chat_result result = {.answer = CHAT_DONE};
	int r = chatd_act(c, STORE_OP_CHAT_USER, args, &result);

	if (r == 0 && result.answer != CHAT_DONE)
		chatd_refuse(c, result.answer, verb, "", chatd_nick(c));
	return r;
}

int chatd_cmd_away(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct chat_user_args args = {.by = chatd_actor(call->c),
		.what = CHAT_SET_AWAY,
		.clear = m->count == 0 || m->params[0].len == 0};
	int r;

	if (!args.clear)
		args.text = chatd_cut(m->params[0], CHAT_AWAY_SIZE - 1);
	r = change(call->c, &args, "AWAY");
	if (r == 1)
		chatd_numeric(call->c, args.clear ? 305 : 306, "%s",
			args.clear ? ":You are no longer marked as being away"
				   : ":You have been marked as being away");
	return r < 0 ? r : 0;
}

/* The change is confirmed by its own event (IRCv3 setname). */
int chatd_cmd_setname(struct chatd_call *call)
{
	struct span name = span_trim(call->message->params[0]);
	struct chat_user_args args = {
		.by = chatd_actor(call->c), .what = CHAT_SET_REALNAME, .text = name};
	int r;

	if (name.len == 0 || name.len >= CHAT_REALNAME_SIZE || !text_is_utf8(name)) {
		chatd_standard(call->c, "FAIL", "SETNAME", "INVALID_REALNAME", "",
			"A real name has 1 to %d bytes of UTF-8", CHAT_REALNAME_SIZE - 1);
		return 0;
	}
	r = change(call->c, &args, "SETNAME");
	return r < 0 ? r : 0;
}
