/*
 * CHAT_MARK: up to where a person has read a channel or a talk, for all devices of that person. A
 * channel stands in the row by its name, since a marker outlives a channel that everybody left.
 */
#include "store/chat_i.h"

#include <errno.h>

enum { MARK_VERSION = 1 };

int chat_mark_decode(struct span value, int64_t *ret_at_us)
{
	struct rec r = row_open(value, MARK_VERSION);
	int64_t at_us = rec_i64(&r);

	if (rec_end(&r) < 0)
		return -EBADMSG;
	*ret_at_us = at_us;
	return 0;
}

static int mark_write(struct store_txn *txn, const struct key *key, int64_t at_us)
{
	struct buf b = row_begin(MARK_VERSION);

	rec_put_i64(&b, at_us);
	return row_put(txn, key, &b);
}

static int mark_get(struct store_txn *txn, const char *who, struct span target, int64_t *ret_at_us)
{
	struct key key = key_chat_mark_row(who, target);
	struct span value;
	int rc = row_get(txn, &key, &value);

	return rc < 0 ? rc : chat_mark_decode(value, ret_at_us);
}

int chat_mark_read(
	struct store_txn *txn, const char *account, const struct chat_target *target, int64_t *ret)
{
	struct chat_channel c;
	int rc;

	if (target->channel == 0)
		return mark_get(txn, account,
			span_str(strcmp(target->a, account) == 0 ? target->b : target->a), ret);
	rc = chat_channel_read(txn, target->channel, &c);
	return rc < 0 ? rc : mark_get(txn, account, span_str(c.name), ret);
}

/* -- the operation ----------------------------------------------------------------------------- */

struct marking {
	struct store_txn *txn;
	const struct chat_mark_args *args;
	struct chat_user me;
	struct chat_channel room; /* id 0: a talk */
	struct chat_user person;
};

static int find(struct marking *m, enum chat_answer *ret_answer)
{
	struct span target = m->args->target;
	struct chat_member member = {.joined = false};
	int rc;

	if (target.len == 0 || target.p[0] != '#') {
		rc = chat_addressee_find(m->txn, target, &m->person);
		if (rc == -ENOENT)
			*ret_answer = CHAT_NO_SUCH_NICK;
		return rc == -ENOENT ? 0 : rc;
	}
	rc = chat_channel_find(m->txn, target, &m->room);
	if (rc == -ENOENT)
		*ret_answer = CHAT_NO_SUCH_CHANNEL;
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	rc = chat_member_read(m->txn, m->room.id, m->me.who, &member);
	if (rc == -ENOENT || (rc == 0 && !member.joined))
		*ret_answer = CHAT_NOT_JOINED;
	return rc == -ENOENT ? 0 : rc;
}

static int tell(struct marking *m, struct chat_result *ret)
{
	struct chat_event e = {.kind = CHAT_MARKREAD};

	chat_event_source(&e, &m->me);
	e.session = m->args->by.session;
	e.peer = span_str(m->me.who);
	e.target = span_str(m->room.id != 0 ? m->room.name : m->person.nick);
	e.number = (uint64_t)m->args->at_us;
	chat_ring_people(ret, m->me.who, m->me.who);
	return chat_append(m->txn, m->args->by.now_us, &e, ret, NULL);
}

static int move_on(struct marking *m, struct chat_mark_result *ret)
{
	struct span name = span_str(m->room.id != 0 ? m->room.name : m->person.who);
	struct key key = key_chat_mark_row(m->me.who, name);
	int64_t at_us = 0;
	int rc = mark_get(m->txn, m->me.who, name, &at_us);

	if (rc < 0 && rc != -ENOENT)
		return rc;
	ret->at_us = at_us;
	ret->result.answer = CHAT_NOTHING;
	if (m->args->at_us <= at_us)
		return 0;
	ret->result.answer = CHAT_DONE;
	ret->at_us = m->args->at_us;
	rc = mark_write(m->txn, &key, m->args->at_us);
	return rc < 0 ? rc : tell(m, &ret->result);
}

static int run_mark(struct store_txn *txn, const void *args, void *result)
{
	struct marking m = {.txn = txn, .args = args};
	struct chat_mark_result *ret = result;
	int rc;

	if (m.args->at_us < 0)
		return -EINVAL;
	rc = chat_result_open(txn, &ret->result);
	ret->result.answer = CHAT_DONE;
	if (rc == 0)
		rc = chat_actor_read(txn, &m.args->by, &m.me);
	if (rc == 0)
		rc = find(&m, &ret->result.answer);
	if (rc < 0 || ret->result.answer != CHAT_DONE)
		return rc;
	return move_on(&m, ret);
}

int op_chat_mark(struct store_txn *txn, const void *args, void *result)
{
	return chat_flood_run(txn, args, result, false, run_mark);
}

/* -- a channel's other name -------------------------------------------------------------------- */

/* One member's marker. */
static int rename_one(struct store_txn *txn, const char *who, const char *from, const char *to)
{
	struct key old = key_chat_mark_row(who, span_str(from));
	struct key new = key_chat_mark_row(who, span_str(to));
	int64_t at_us = 0;
	int rc = mark_get(txn, who, span_str(from), &at_us);

	if (rc == -ENOENT)
		return 0;
	if (rc == 0)
		rc = row_del(txn, &old);
	return rc < 0 ? rc : mark_write(txn, &new, at_us);
}

int chat_marks_rename(struct store_txn *txn, uint64_t channel, const char *from, const char *to)
{
	struct key prefix = key_chat_member(channel), at = prefix;
	struct chat_member m;
	struct span key, value;
	int rc;

	while ((rc = kv_seek(txn, key_span(&prefix), key_span(&at), &key, &value)) == 0) {
		rc = chat_member_decode(key, value, &m);
		at = key_copy(key);
		key_add_number(&at, 0, 1); /* the smallest key behind it */
		if (rc == 0)
			rc = rename_one(txn, m.who, from, to);
		if (rc < 0)
			return rc;
	}
	return rc == -ENOENT ? 0 : rc;
}
