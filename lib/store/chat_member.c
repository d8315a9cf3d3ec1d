/* Who is in which channel, and who keeps a role in one. */
#include "store/chat_room_i.h"

#include <errno.h>

enum { ID_LEN = 8 };

/* A row that another one names must be there. */
static int named(int rc)
{
	return rc == -ENOENT ? -EBADMSG : rc;
}

int chat_member_read(
	struct store_txn *txn, uint64_t channel, const char *who, struct chat_member *ret)
{
	struct key key = key_chat_member_row(channel, who);
	struct span value;
	int rc = row_get(txn, &key, &value);

	return rc < 0 ? rc : chat_member_decode(key_span(&key), value, ret);
}

int chat_member_get(
	struct store_txn *txn, uint64_t channel, const char *who, struct chat_member *ret)
{
	struct chat_member m = {.channel = channel};
	int rc = chat_member_read(txn, channel, who, ret);

	if (rc != -ENOENT)
		return rc;
	rc = span_copy_str(span_str(who), m.who, sizeof(m.who));
	if (rc == 0)
		*ret = m;
	return rc;
}

int chat_member_keep(struct store_txn *txn, const struct chat_member *m)
{
	int rc;

	if (m->joined || (m->roles != 0 && !chat_is_guest(m->who)))
		return chat_member_write(txn, m);
	rc = chat_member_delete(txn, m->channel, m->who);
	return rc == -ENOENT ? 0 : rc;
}

int chat_members_each(struct store_txn *txn, uint64_t channel,
	int (*each)(void *arg, const struct chat_member *m, const struct chat_user *u), void *arg)
{
	const struct key prefix = key_chat_member(channel);
	_cleanup_(kv_iter_done) struct kv_iter it = {.cursor = NULL};
	struct span key, value;
	struct chat_member m = {.joined = false};
	struct chat_user u = {.sessions = 0};
	int rc = kv_iter_open(txn, key_span(&prefix), span_of(NULL, 0), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = chat_member_decode(key, value, &m);
		if (rc < 0 || !m.joined)
			continue;
		rc = named(chat_user_read(txn, m.who, &u));
		rc = rc < 0 ? rc : each(arg, &m, &u);
	}
	return rc;
}

int chat_rows_each(struct store_txn *txn, const char *who,
	int (*each)(void *arg, const struct chat_member *m, const struct chat_channel *c),
	void *arg)
{
	const struct key prefix = key_chat_joined(who);
	_cleanup_(kv_iter_done) struct kv_iter it = {.cursor = NULL};
	struct span key, value;
	struct chat_channel c = {.id = 0};
	struct chat_member m = {.joined = false};
	uint64_t id;
	int rc = kv_iter_open(txn, key_span(&prefix), span_of(NULL, 0), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		id = key_number(key_tail(key, ID_LEN));
		rc = named(chat_member_read(txn, id, who, &m));
		if (rc == 0)
			rc = named(chat_channel_read(txn, id, &c));
		rc = rc < 0 ? rc : each(arg, &m, &c);
	}
	return rc;
}

struct filter {
	int (*each)(void *arg, const struct chat_member *m, const struct chat_channel *c);
	void *arg;
};

static int only_joined(void *arg, const struct chat_member *m, const struct chat_channel *c)
{
	const struct filter *f = arg;

	return m->joined ? f->each(f->arg, m, c) : 0;
}

int chat_joined_each(struct store_txn *txn, const char *who,
	int (*each)(void *arg, const struct chat_member *m, const struct chat_channel *c),
	void *arg)
{
	struct filter f = {each, arg};

	return chat_rows_each(txn, who, only_joined, &f);
}

struct other {
	struct store_txn *txn;
	const char *who;
};

static int other_is_there(void *arg, const struct chat_member *m, const struct chat_channel *c)
{
	const struct other *o = arg;
	struct chat_member theirs = {.joined = false};
	int rc = chat_member_get(o->txn, c->id, o->who, &theirs);

	(void)m;
	return rc < 0 ? rc : theirs.joined;
}

int chat_share_channel(struct store_txn *txn, const char *who, const char *other)
{
	struct other o = {txn, other};

	return chat_joined_each(txn, who, other_is_there, &o);
}

/* -- presence, and rows that change hands ------------------------------------------------------ */

static int count_present(struct store_txn *txn, uint64_t id, int change)
{
	struct chat_channel c = {.id = 0};
	int rc = chat_channel_read(txn, id, &c);

	if (rc < 0)
		return rc;
	if ((change < 0 && c.present == 0) || (change > 0 && c.present == c.joined))
		return -EBADMSG;
	c.present = change > 0 ? c.present + 1 : c.present - 1;
	return chat_channel_write(txn, &c);
}

/* Rows of one table cannot be gone through while they are written: their ids are taken first. */
static int take_ids(struct store_txn *txn, const char *who, struct buf *ret)
{
	const struct key prefix = key_chat_joined(who);
	_cleanup_(kv_iter_done) struct kv_iter it = {.cursor = NULL};
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&prefix), span_of(NULL, 0), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		buf_add(ret, key_tail(key, ID_LEN));
		rc = buf_error(ret);
	}
	return rc;
}

static bool next_id(struct span *rest, uint64_t *ret)
{
	if (rest->len < ID_LEN)
		return false;
	*ret = key_number(span_of(rest->p, ID_LEN));
	*rest = span_of(rest->p + ID_LEN, rest->len - ID_LEN);
	return true;
}

int chat_presence(struct store_txn *txn, const char *who, int change)
{
	_cleanup_(buf_done) struct buf ids = BUF_INIT(ROW_MAX);
	struct chat_member m = {.joined = false};
	struct span rest;
	uint64_t id;
	int rc = take_ids(txn, who, &ids);

	rest = buf_span(&ids);
	while (rc == 0 && next_id(&rest, &id)) {
		rc = chat_member_read(txn, id, who, &m);
		if (rc == 0 && m.joined)
			rc = count_present(txn, id, change);
	}
	return named(rc);
}

/* Both were in it: one is left. */
static int count_one_less(struct store_txn *txn, uint64_t id)
{
	struct chat_channel c = {.id = 0};
	int rc = chat_channel_read(txn, id, &c);

	if (rc < 0)
		return rc;
	c.joined--;
	if (c.present > c.joined)
		return -EBADMSG;
	return chat_channel_write(txn, &c);
}

static int hand_over(struct store_txn *txn, struct chat_member *m, const char *to)
{
	struct chat_member theirs = {.joined = false};
	bool both;
	int rc = chat_member_get(txn, m->channel, to, &theirs);

	if (rc < 0)
		return rc;
	both = theirs.joined;
	if (!both) {
		theirs.joined = true;
		theirs.joined_us = m->joined_us;
		theirs.joined_seq = m->joined_seq;
	}
	/* What an account may do stays its own. */
	if (chat_is_guest(m->who)) {
		theirs.roles |= m->roles;
		m->roles = 0;
	}
	m->joined = false;
	rc = chat_member_keep(txn, m);
	if (rc == 0)
		rc = chat_member_write(txn, &theirs);
	return rc == 0 && both ? count_one_less(txn, m->channel) : rc;
}

int chat_members_rename(struct store_txn *txn, const char *who, const char *to)
{
	_cleanup_(buf_done) struct buf ids = BUF_INIT(ROW_MAX);
	struct chat_member m = {.joined = false};
	struct span rest;
	uint64_t id;
	int rc = take_ids(txn, who, &ids);

	rest = buf_span(&ids);
	while (rc == 0 && next_id(&rest, &id)) {
		rc = chat_member_read(txn, id, who, &m);
		if (rc == 0 && m.joined)
			rc = hand_over(txn, &m, to);
	}
	if (rc == 0 && chat_is_guest(who))
		rc = chat_invites_rename(txn, who, to);
	return named(rc);
}
