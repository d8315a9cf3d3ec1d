/* REDACT (draft/message-redaction). */
#include "services/chatd/show.h"

#include <errno.h>

struct question {
	const struct chatd *c;
	struct span target, id;
	uint64_t seq;
	bool has_target, has_message;
};

/* Only whom one can talk to is a target; a channel only from within. */
static int find_target(struct store_txn *txn, struct question *q)
{
	struct chat_channel channel;
	struct chat_user u;
	int r;

	if (q->target.len > 0 && *q->target.p == '#') {
		r = chat_channel_find(txn, q->target, &channel);
		q->has_target =
			r == 0 && (chatd_room(q->c, channel.id) != NULL || chatd_is_oper(q->c));
	} else {
		r = chat_addressee_find(txn, q->target, &u);
		q->has_target = r == 0;
	}
	return r == -ENOENT ? 0 : r;
}

static int find(struct store_txn *txn, void *arg)
{
	struct question *q = arg;
	struct chat_event e;
	unsigned check;
	int r = find_target(txn, q);

	if (r < 0 || !q->has_target)
		return r < 0 ? r : 1;
	if (irc_msgid_parse(q->id, &q->seq, &check) < 0)
		return 1;
	r = chat_event_read(txn, q->seq, &e);
	q->has_message = r == 0 && irc_msgid_is(check, e.at_us);
	return r == 0 || r == -ENOENT ? 1 : r;
}

static void refuse(struct chatd *c, enum chat_answer answer, const struct question *q)
{
	struct chatd_word target = chatd_word(q->target), id = chatd_word(q->id);
	char context[sizeof(target.text) + sizeof(id.text) + 1];

	(void)snprintf(context, sizeof(context), "%s %s", target.text, id.text);
	switch (answer) {
	case CHAT_NO_SUCH_MESSAGE:
		chatd_standard(c, "FAIL", "REDACT", "UNKNOWN_MSGID", context,
			"There is no such message, or no longer");
		break;
	case CHAT_FORBIDDEN:
	case CHAT_NOT_OP:
		chatd_standard(c, "FAIL", "REDACT", "REDACT_FORBIDDEN", context,
			"It is not yours to delete");
		break;
	case CHAT_NO_SUCH_NICK:
	case CHAT_NO_SUCH_CHANNEL:
	case CHAT_NOT_JOINED:
		chatd_standard(c, "FAIL", "REDACT", "INVALID_TARGET", target.text,
			"You cannot delete messages there");
		break;
	default:
		chatd_refuse(c, answer, "REDACT", target.text, "");
	}
}

int chatd_cmd_redact(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct chatd *c = call->c;
	struct question q = {.c = c, .target = m->params[0], .id = m->params[1]};
	struct chat_redact_args args = {.by = chatd_actor(c), .override = chatd_is_oper(c)};
	struct chat_result result = {.answer = CHAT_DONE};
	int r = chatd_view(c, find, &q);

	if (r <= 0)
		return r;
	if (!q.has_message) {
		refuse(c, q.has_target ? CHAT_NO_SUCH_MESSAGE : CHAT_NO_SUCH_NICK, &q);
		return 0;
	}
	args.target = q.target;
	args.seq = q.seq;
	if (m->count > 2)
		args.text = chatd_cut(m->params[2], CHAT_TOPIC_SIZE - 1);
	r = chatd_act(c, STORE_OP_CHAT_REDACT, &args, &result);
	if (r == 0 && result.answer != CHAT_DONE)
		refuse(c, result.answer, &q);
	return r < 0 ? r : 0;
}
