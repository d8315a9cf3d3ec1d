/* WHOWAS. */
#include "services/chatd/people.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/timefmt.h"

struct question {
	struct chatd *c;
	struct span nick;
	uint64_t max; /* 0: all */
	uint64_t count;
	struct buf out;
};

static int add(void *arg, const struct chat_whowas *w)
{
	struct question *q = arg;
	_cleanup_(buf_done) struct buf left = BUF_INIT(64);

	if (q->max > 0 && q->count >= q->max)
		return 1;
	q->count++;
	time_rfc3339_utc(&left, w->left_us);
	chatd_gather(&q->out, 314, "%s %s %s * :%s", w->nick, w->ident, w->host, w->realname);
	if (w->account[0] != '\0')
		chatd_gather(&q->out, 330, "%s %s :was logged in as", w->nick, w->account);
	chatd_gather(
		&q->out, 312, "%s %s :%s", w->nick, q->c->service->settings.host, buf_str(&left));
	return 0;
}

static int gather(struct store_txn *txn, void *arg)
{
	struct question *q = arg;
	int r = chat_whowas_each(txn, q->nick, add, q);

	return r < 0 ? r : 1;
}

/* A count that is not positive, or no number, asks for all. */
int chatd_cmd_whowas(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct question q = {.c = call->c, .out = BUF_INIT(CHATD_GATHER_MAX)};
	struct chatd_word nick;
	int r;

	if (m->count == 0) {
		chatd_numeric(call->c, 431, ":No nickname given");
		return 0;
	}
	q.nick = m->params[0];
	nick = chatd_word(q.nick);
	if (m->count > 1)
		(void)num_parse_u64(m->params[1], 0, UINT64_MAX, &q.max);
	r = chatd_view(call->c, gather, &q);
	if (r == 1) {
		chatd_gather_send(call->c, &q.out);
		if (q.count == 0)
			chatd_numeric(call->c, 406, "%s :There was no such nickname", nick.text);
		chatd_numeric(call->c, 369, "%s :End of WHOWAS", nick.text);
	}
	buf_done(&q.out);
	return r < 0 ? r : 0;
}
