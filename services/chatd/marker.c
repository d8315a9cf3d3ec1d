/* MARKREAD (IRCv3 draft/read-marker): up to where a person has read, for that person's devices. */
#include "services/chatd/people.h"

#include "base/timefmt.h"

#include <errno.h>

static void say_marker(struct chatd *c, const char *target, int64_t at_us)
{
	char time[IRC_TIME_SIZE];

	if (at_us == 0) {
		chatd_server(c, "MARKREAD %s *", target);
		return;
	}
	irc_time_write(at_us, time);
	chatd_server(c, "MARKREAD %s timestamp=%s", target, time);
}

struct marker {
	struct chatd *c;
	struct span name; /* of the target; empty: the channel */
	uint64_t channel;
	struct chat_channel room;
	int64_t at_us;
};

/* Of what is not there, or not there for the client, there is none. */
static int read_marker(struct store_txn *txn, void *arg)
{
	struct marker *m = arg;
	struct chat_target target = {.channel = m->channel};
	const char *who = m->c->me.who;
	struct chat_user user;
	int r = 0;

	if (m->channel != 0) {
		r = chat_channel_read(txn, m->channel, &m->room);
	} else if (m->name.len > 0 && *m->name.p == '#') {
		r = chat_channel_find(txn, m->name, &m->room);
		target.channel = m->room.id;
	} else {
		r = chat_addressee_find(txn, m->name, &user);
		if (r == 0) {
			memcpy(target.a, who, sizeof(target.a));
			memcpy(target.b, user.who, sizeof(target.b));
		}
	}
	if (r == 0)
		r = chat_mark_read(txn, who, &target, &m->at_us);
	return r == 0 || r == -ENOENT ? 1 : r;
}

int chatd_show_marker(struct chatd *c, uint64_t id)
{
	struct marker m = {.c = c, .channel = id};
	int r;

	if (!chatd_has(c, CAP_READ_MARKER))
		return 0;
	r = chatd_view(c, read_marker, &m);
	if (r == 1 && m.room.id != 0)
		say_marker(c, m.room.name, m.at_us);
	return r < 0 ? r : 0;
}

static int ask(struct chatd *c, struct span target)
{
	struct marker m = {.c = c, .name = target};
	int r = chatd_view(c, read_marker, &m);

	if (r == 1)
		say_marker(c, chatd_word(target).text, m.at_us);
	return r < 0 ? r : 0;
}

/* The person's other sessions are told by the event. */
static int set(struct chatd *c, struct span target, int64_t at_us)
{
	int64_t now_us = time_now_us();
	struct chat_mark_args args = {
		.by = chatd_actor(c), .target = target, .at_us = at_us < now_us ? at_us : now_us};
	struct chat_mark_result result = {.result = {.answer = CHAT_DONE}};
	struct chatd_word word = chatd_word(target);
	int r = chatd_act(c, STORE_OP_CHAT_MARK, &args, &result);

	if (r == 0 && result.result.answer != CHAT_DONE)
		chatd_standard(c, "FAIL", "MARKREAD", "INVALID_PARAMS", word.text,
			"There is nothing of that name that you could read");
	if (r == 1)
		say_marker(c, word.text, result.at_us);
	return r < 0 ? r : 0;
}

int chatd_cmd_markread(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct span time;
	int64_t at_us;

	if (m->count == 0 || m->params[0].len == 0) {
		chatd_standard(
			call->c, "FAIL", "MARKREAD", "NEED_MORE_PARAMS", "", "Missing parameters");
		return 0;
	}
	if (m->count == 1)
		return ask(call->c, m->params[0]);
	time = m->params[1];
	if (!span_starts(time, "timestamp=") ||
		irc_time_parse(span_of(time.p + 10, time.len - 10), &at_us) < 0 || at_us <= 0) {
		chatd_standard(call->c, "FAIL", "MARKREAD", "INVALID_PARAMS",
			chatd_word(m->params[1]).text,
			"\"timestamp=YYYY-MM-DDThh:mm:ss.sssZ\" is wanted");
		return 0;
	}
	return set(call->c, m->params[0], at_us);
}
