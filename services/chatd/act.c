/*
 * Operations on the store as a session does them: the commit, the ring, and the log read up to what
 * was just done, so that its events come before the rest of the answer.
 */
#include "services/chatd/chatd.h"

#include "base/timefmt.h"

#include <errno.h>
#include <poll.h>

enum { HOLD_MAX_MS = 30000 }; /* of one flood, then what is too much is dropped */

struct chat_actor chatd_actor(struct chatd *c)
{
	return (struct chat_actor){.session = c->service->session_id,
		.who = c->me.who,
		.now_us = time_now_us(),
		.source = net_peer_bucket(&c->service->peer)};
}

/* 0: said; the session goes on when it may go better the next time. */
static int say_unavailable(struct chatd *c, int error)
{
	if (!err_is_temporary(error) || error == -ESTALE)
		return error;
	log_event(LOG_LEVEL_WARNING, "a command failed",
		log_fields({"COMMAND", span_str(c->verb)}, {"ERROR", span_str(err_text(error))}));
	chatd_standard(c, "FAIL", c->verb, "TEMPORARILY_UNAVAILABLE", "",
		error == -ENOSPC || error == -EDQUOT
			? "The house has no room for that; its administrator can look"
			: "That is not possible at the moment; try again");
	return 0;
}

int chatd_view(struct chatd *c, int (*fn)(struct store_txn *txn, void *arg), void *arg)
{
	int r = store_view(c->service->store, fn, arg);

	return r < 0 ? say_unavailable(c, r) : r;
}

/* The session waits; what others say meanwhile is sent. That it is killed, or told to end, is not
 * waited for. */
static int hold(struct chatd *c, int64_t ms)
{
	struct pollfd end = {.fd = c->end_fd, .events = POLLIN};
	int64_t until_ms = time_monotonic_ms() + ms;
	int r = 0;

	while (r >= 0 && !c->quit && time_monotonic_ms() < until_ms) {
		r = conn_poll(c->conn, &end, 1, until_ms);
		if (r == -ETIMEDOUT)
			return 0;
		if (r > 0 && end.revents != 0)
			return -ESHUTDOWN;
		if (r >= 0 && service_rung(c->service))
			r = chatd_deliver(c, 0);
		if (r >= 0)
			r = conn_step_flush(c->conn);
		if (r == 0)
			c->unsent = 0;
		if (r == -EAGAIN)
			r = 0;
	}
	return r < 0 ? r : 0;
}

/* 1: committed, or refused; 0: it cannot be done now, which was said; negative. */
static int call(struct chatd *c, enum store_op op, void *args, void *result)
{
	struct chat_actor *by = args;
	struct chat_result *r = result;
	int64_t held_ms = 0;

	for (;;) {
		int error;

		by->now_us = time_now_us();
		error = store_call(c->service->store, op, args, result);
		if (error < 0)
			return say_unavailable(c, error);
		if (r->answer != CHAT_FLOOD)
			return 1;
		held_ms += r->wait_ms + 1;
		if (held_ms > HOLD_MAX_MS) {
			chatd_standard(c, "FAIL", c->verb, "RATE_LIMITED", "",
				"That was too much in too short a time");
			return 0;
		}
		error = hold(c, (int64_t)r->wait_ms + 1);
		if (error < 0 || c->quit)
			return error;
	}
}

int chatd_act(struct chatd *c, enum store_op op, void *args, void *result)
{
	struct chat_result *done = result;
	int r = call(c, op, args, result);

	if (r <= 0) {
		done->answer = CHAT_DONE;
		return r;
	}
	if (done->ring.scope != CHAT_RING_NONE)
		(void)chat_ring(c->service->store, c->service->settings.runtime, &done->ring,
			c->service->session_id);
	if (done->first != 0) {
		c->own_first = done->first;
		r = chatd_drain(c, done->head);
		c->own_first = 0;
	}
	if (r < 0)
		return r;
	return done->answer == CHAT_DONE || done->answer == CHAT_NOTHING;
}

/* -- refusals ---------------------------------------------------------------------------------- */

enum shape { CHANNEL, NICK, NICK_CHANNEL };

static const struct refusal {
	enum chat_answer answer;
	unsigned number;
	enum shape shape;
	const char *text;
} refusals[] = {
	{CHAT_NO_SUCH_NICK, 401, NICK, "No such nick"},
	{CHAT_NO_SUCH_CHANNEL, 403, CHANNEL, "No such channel"},
	{CHAT_NOT_JOINED, 442, CHANNEL, "You are not in that channel"},
	{CHAT_NOT_MEMBER, 441, NICK_CHANNEL, "They are not in that channel"},
	{CHAT_ALREADY_MEMBER, 443, NICK_CHANNEL, "is in the channel already"},
	{CHAT_NOT_OP, 482, CHANNEL, "You are not an operator of the channel"},
	{CHAT_NICK_USED, 433, NICK, "Nickname is already in use"},
	{CHAT_NICK_RESERVED, 433, NICK, "Nickname is the name of an account that is not yours"},
	{CHAT_BANNED, 474, CHANNEL, "Cannot join the channel (+b): you are banned"},
	{CHAT_INVITE_NEEDED, 473, CHANNEL, "Cannot join the channel (+i): an invitation is needed"},
	{CHAT_KEY_WRONG, 475, CHANNEL, "Cannot join the channel (+k): the key is wrong"},
	{CHAT_FULL, 471, CHANNEL, "Cannot join the channel (+l): it is full"},
	{CHAT_REGISTERED_ONLY, 477, CHANNEL, "Only for those who are logged in to an account"},
	{CHAT_TOO_MANY, 405, CHANNEL, "You have too many channels"},
	{CHAT_CANNOT_SEND, 404, CHANNEL, "Cannot send to the channel"},
	{CHAT_NO_CTCP, 404, CHANNEL, "Cannot send to the channel (+C): no CTCP there"},
};

static const struct failure {
	enum chat_answer answer;
	const char *code, *text;
} failures[] = {
	{CHAT_NAME_USED, "CHANNEL_NAME_IN_USE", "There is a channel of that name"},
	{CHAT_FLOOD, "RATE_LIMITED", "That was too much in too short a time"},
	{CHAT_QUOTA, "QUOTA_EXCEEDED", "You have said as much as is allowed in a day"},
	{CHAT_NO_SUCH_MESSAGE, "UNKNOWN_MSGID", "There is no such message there"},
	{CHAT_FORBIDDEN, "FORBIDDEN", "That is not yours to change"},
	{CHAT_UNKNOWN_KEY, "KEY_NOT_SET", "There is no such key"},
	{CHAT_BUSY_ELSEWHERE, "BUSY", "You are here with other sessions; connect anew"},
};

static void say_refusal(
	struct chatd *c, const struct refusal *r, const char *channel, const char *nick)
{
	const char *what = r->shape == CHANNEL ? channel : nick;
	const char *other = r->shape == CHANNEL ? nick : channel;

	if (r->shape == NICK_CHANNEL)
		chatd_numeric(c, r->number, "%s %s :%s", nick, channel, r->text);
	else
		chatd_numeric(c, r->number, "%s :%s", what[0] != '\0' ? what : other, r->text);
}

void chatd_refuse(struct chatd *c, enum chat_answer answer, const char *verb, const char *channel,
	const char *nick)
{
	const char *what = channel[0] != '\0' ? channel : nick;

	if (answer == CHAT_BANNED && channel[0] == '\0') {
		chatd_numeric(
			c, 437, "%s :Nick stays: you are banned in one of your channels", nick);
		return;
	}
	if (answer == CHAT_TOO_MANY && strcmp(verb, "JOIN") != 0) {
		chatd_numeric(c, 478, "%s * :The list is full", what);
		return;
	}
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (refusals[i].answer == answer) {
			say_refusal(c, &refusals[i], channel, nick);
			return;
		}
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (failures[i].answer == answer)
			chatd_standard(
				c, "FAIL", verb, failures[i].code, what, "%s", failures[i].text);
}
