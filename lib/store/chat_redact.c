/*
 * CHAT_REDACT: the text and tags of a message go from its row, and it goes from the history of its
 * target; that it was redacted is an event of its own.
 */
#include "store/chat_i.h"

#include <errno.h>

struct redaction {
	struct store_txn *txn;
	const struct chat_redact_args *args;
	struct chat_user me;
	struct chat_channel room; /* id 0: a talk */
	struct chat_user person;
	unsigned roles; /* in the channel */
	char status; /* of the message */
};

/* The target, and whether who acts is there. */
static int find(struct redaction *r, enum chat_answer *ret_answer)
{
	const struct chat_redact_args *a = r->args;
	struct chat_member m = {.joined = false};
	int rc;

	if (a->target.len == 0 || a->target.p[0] != '#') {
		rc = chat_addressee_find(r->txn, a->target, &r->person);
		if (rc == -ENOENT)
			*ret_answer = CHAT_NO_SUCH_NICK;
		return rc == -ENOENT ? 0 : rc;
	}
	rc = chat_channel_find(r->txn, a->target, &r->room);
	if (rc == -ENOENT)
		*ret_answer = CHAT_NO_SUCH_CHANNEL;
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	rc = chat_member_read(r->txn, r->room.id, r->me.who, &m);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	if (rc == 0 && m.joined)
		r->roles = m.roles;
	else if (!a->override)
		*ret_answer = CHAT_NOT_JOINED;
	return 0;
}

static bool is_between(const struct chat_event *e, const char *one, const char *other)
{
	return (span_eq_str(e->who, one) && span_eq_str(e->peer, other)) ||
		(span_eq_str(e->who, other) && span_eq_str(e->peer, one));
}

static enum chat_answer judge(const struct redaction *r, const struct chat_event *e)
{
	bool own = span_eq_str(e->who, r->me.who);

	if (e->kind > CHAT_TAGMSG || (e->flags & (CHAT_EVENT_REDACTED | CHAT_EVENT_PASSING)) != 0)
		return CHAT_NO_SUCH_MESSAGE;
	if (r->room.id != 0 ? e->channel != r->room.id
			    : e->channel != 0 || !is_between(e, r->me.who, r->person.who))
		return CHAT_NO_SUCH_MESSAGE;
	if (own || r->args->override || (r->roles & CHAT_OP) != 0)
		return CHAT_DONE;
	return CHAT_FORBIDDEN;
}

/* Empties the message's row and takes it out of its target's history. */
static int empty(struct redaction *r, struct chat_event *e)
{
	struct chat_target target = {.channel = r->room.id};
	struct key log, mark;
	int rc;

	memcpy(target.a, r->me.who, sizeof(target.a));
	memcpy(target.b, r->person.who, sizeof(target.b));
	e->text = span_of(NULL, 0);
	e->tags = span_of(NULL, 0);
	e->flags |= CHAT_EVENT_REDACTED;
	e->flags &= ~(unsigned)CHAT_EVENT_MULTILINE;
	r->status = e->status;
	rc = chat_event_rewrite(r->txn, e);
	if (rc == 0)
		rc = chat_log_key(&target, &log);
	if (rc == -EINVAL) /* two guests */
		return 0;
	mark = chat_log_mark(&log, r->args->seq);
	return rc < 0 ? rc : row_del(r->txn, &mark);
}

static int tell(struct redaction *r, struct chat_result *ret)
{
	struct chat_event e = {.kind = CHAT_REDACT};
	bool channel = r->room.id != 0;

	chat_event_source(&e, &r->me);
	e.session = r->args->by.session;
	e.channel = r->room.id;
	e.target = span_str(channel ? r->room.name : r->person.nick);
	e.peer = channel ? span_of(NULL, 0) : span_str(r->person.who);
	e.status = r->status;
	e.text = r->args->text;
	e.number = r->args->seq;
	if (channel)
		chat_ring_channel(ret, r->room.id, r->me.who);
	else
		chat_ring_people(ret, r->me.who, r->person.who);
	return chat_append(r->txn, r->args->by.now_us, &e, ret, NULL);
}

static int run_redact(struct store_txn *txn, const void *args, void *result)
{
	struct redaction r = {.txn = txn, .args = args};
	struct chat_result *ret = result;
	struct chat_event e;
	int rc = chat_result_open(txn, ret);

	ret->answer = CHAT_DONE;
	if (rc == 0)
		rc = chat_actor_read(txn, &r.args->by, &r.me);
	if (rc == 0)
		rc = find(&r, &ret->answer);
	if (rc < 0 || ret->answer != CHAT_DONE)
		return rc;
	rc = chat_event_read(txn, r.args->seq, &e);
	if (rc == 0)
		ret->answer = judge(&r, &e);
	if (rc == -ENOENT) {
		ret->answer = CHAT_NO_SUCH_MESSAGE;
		rc = 0;
	}
	if (rc < 0 || ret->answer != CHAT_DONE)
		return rc;
	rc = empty(&r, &e);
	return rc < 0 ? rc : tell(&r, ret);
}

int op_chat_redact(struct store_txn *txn, const void *args, void *result)
{
	return chat_flood_run(txn, args, result, true, run_redact);
}
