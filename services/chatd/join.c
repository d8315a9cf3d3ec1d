/* JOIN and PART. What a JOIN shows follows its event: see chatd_show_channel(). */
#include "services/chatd/chatd.h"

#include "base/cleanup.h"

#include <errno.h>

static int join_one(struct chatd *c, struct span name, struct span key)
{
	struct chat_join_args args = {
		.by = chatd_actor(c), .channel = name, .key = key, .override = chatd_is_oper(c)};
	struct chat_join_result result = {.channel = 0};
	enum chat_answer answer = CHAT_NO_SUCH_CHANNEL;
	int r = 0;

	if (irc_channel_ok(name, CHAT_CHANNEL_SIZE - 1)) {
		r = chatd_act(c, STORE_OP_CHAT_JOIN, &args, &result);
		answer = result.result.answer;
	}
	if (r == 0 && answer != CHAT_DONE)
		chatd_refuse(c, answer, "JOIN", chatd_word(name).text, "");
	return r < 0 ? r : 0;
}

static int part_one(struct chatd *c, struct span name, struct span why)
{
	struct chat_part_args args = {.by = chatd_actor(c), .channel = name, .text = why};
	struct chat_result result = {.answer = CHAT_DONE};
	int r = chatd_act(c, STORE_OP_CHAT_PART, &args, &result);

	if (r == 0 && result.answer != CHAT_DONE)
		chatd_refuse(c, result.answer, "PART", chatd_word(name).text, "");
	return r < 0 ? r : 0;
}

/* "JOIN 0": the list of rooms shrinks as their PARTs are delivered. */
static int part_all(struct chatd *c)
{
	_cleanup_(cleanup_free) struct chatd_room *rooms = NULL;
	size_t count = c->room_count;
	int r = 0;

	if (count == 0)
		return 0;
	rooms = malloc(count * sizeof(*rooms));
	if (rooms == NULL)
		return -ENOMEM;
	memcpy(rooms, c->rooms, count * sizeof(*rooms));
	for (size_t i = 0; i < count && r == 0; i++)
		r = part_one(c, span_str(rooms[i].name), span_of(NULL, 0));
	return r;
}

/* Keys belong to the channels of the same place, so that an empty one counts. */
int chatd_cmd_join(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct span names = m->params[0], keys = {NULL, 0}, name;
	bool another = false;
	int r = 0;

	if (m->count == 1 && span_eq_str(names, "0"))
		return part_all(call->c);
	if (m->count > 1)
		keys = m->params[1];
	while (r == 0 && span_split(&names, ',', &name)) {
		struct span key = {NULL, 0};

		(void)span_split(&keys, ',', &key);
		if (name.len == 0)
			continue;
		if (another)
			chatd_cost(call->c);
		another = true;
		r = join_one(call->c, name, key);
	}
	return r;
}

int chatd_cmd_part(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct span names = m->params[0], why = {NULL, 0}, name;
	int r = 0;

	if (m->count > 1)
		why = chatd_cut(m->params[1], CHAT_TOPIC_SIZE - 1);
	for (bool another = false; r == 0 && irc_word(&names, ',', &name); another = true) {
		if (another)
			chatd_cost(call->c);
		r = part_one(call->c, name, why);
	}
	return r;
}
