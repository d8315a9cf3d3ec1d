/* USERHOST, ISON, and who may see whom. */
#include "services/chatd/people.h"

#include "base/cleanup.h"

#include <errno.h>

enum { USERHOST_MAX = 5, ANSWER_MAX = 400 };

int chatd_sees_person(struct store_txn *txn, const struct chatd *c, const struct chat_user *u)
{
	if ((u->flags & CHAT_USER_INVISIBLE) == 0 || chatd_is_oper(c) ||
		strcmp(u->who, c->me.who) == 0)
		return 1;
	return chat_share_channel(txn, c->me.who, u->who);
}

struct person_question {
	struct span nick;
	struct chat_user *user;
	bool found;
};

static int find_person(struct store_txn *txn, void *arg)
{
	struct person_question *q = arg;
	int r = chat_nick_find(txn, q->nick, q->user);

	q->found = r == 0;
	return r == 0 || r == -ENOENT ? 1 : r;
}

int chatd_person(struct chatd *c, struct span nick, struct chat_user *ret, bool *ret_found)
{
	struct person_question q = {.nick = nick, .user = ret};
	int r = chatd_view(c, find_person, &q);

	if (r == 1)
		*ret_found = q.found;
	return r;
}

/* -- USERHOST, ISON ---------------------------------------------------------------------------- */

struct people_question {
	const struct irc_message *message;
	bool userhost;
	size_t left; /* nicks still to be looked at */
	struct buf answer;
};

static void add_person(struct people_question *q, const struct chat_user *u)
{
	if (q->answer.len > ANSWER_MAX)
		return;
	if (q->answer.len > 0)
		buf_add_byte(&q->answer, ' ');
	buf_add_str(&q->answer, u->nick);
	if (q->userhost)
		buf_addf(&q->answer, "%s=%c%s@%s", (u->flags & CHAT_USER_OPER) != 0 ? "*" : "",
			(u->flags & CHAT_USER_AWAY) != 0 ? '-' : '+', u->ident, u->host);
}

static int look_up(struct store_txn *txn, void *arg)
{
	struct people_question *q = arg;
	struct chat_user user;
	struct span nick;

	for (size_t i = 0; i < q->message->count; i++)
		for (struct span rest = q->message->params[i];
			q->left > 0 && irc_word(&rest, ' ', &nick); q->left--) {
			int r = chat_nick_find(txn, nick, &user);

			if (r < 0 && r != -ENOENT)
				return r;
			if (r == 0)
				add_person(q, &user);
		}
	return 1;
}

static int answer_people(struct chatd_call *call, unsigned number, bool userhost)
{
	struct people_question q = {.message = call->message,
		.userhost = userhost,
		.left = userhost ? USERHOST_MAX : ANSWER_MAX,
		.answer = BUF_INIT(ANSWER_MAX + 256)};
	int r = chatd_view(call->c, look_up, &q);

	if (r == 1)
		chatd_numeric(call->c, number, ":%s", buf_str(&q.answer));
	buf_done(&q.answer);
	return r < 0 ? r : 0;
}

int chatd_cmd_userhost(struct chatd_call *call)
{
	return answer_people(call, 302, true);
}

int chatd_cmd_ison(struct chatd_call *call)
{
	return answer_people(call, 303, false);
}
