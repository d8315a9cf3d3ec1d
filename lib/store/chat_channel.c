/* Channels: finding them, making one, and all that goes when one goes. */
#include "store/chat_room_i.h"

#include <errno.h>

int chat_channel_read(struct store_txn *txn, uint64_t id, struct chat_channel *ret)
{
	struct key key = key_chat_channel(id);
	struct span value;
	int rc = row_get(txn, &key, &value);

	return rc < 0 ? rc : chat_channel_decode(key_span(&key), value, ret);
}

int chat_channel_find(struct store_txn *txn, struct span name, struct chat_channel *ret)
{
	struct key key;
	uint64_t id = 0;
	int rc;

	if (!chat_channel_name_ok(name))
		return -ENOENT;
	key = key_chat_name(name);
	rc = row_counter(txn, &key, &id);
	if (rc == 0 && id == 0)
		rc = -ENOENT;
	if (rc < 0)
		return rc;
	rc = chat_channel_read(txn, id, ret);
	return rc == -ENOENT ? -EBADMSG : rc;
}

int chat_channels_each(
	struct store_txn *txn, int (*each)(void *arg, const struct chat_channel *c), void *arg)
{
	const struct key prefix = key_table(KEY_CHAT_CHANNEL);
	_cleanup_(kv_iter_done) struct kv_iter it = {.cursor = NULL};
	struct span key, value;
	struct chat_channel c;
	int rc = kv_iter_open(txn, key_span(&prefix), span_of(NULL, 0), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = chat_channel_decode(key, value, &c);
		rc = rc < 0 ? rc : each(arg, &c);
	}
	return rc;
}

/* -- making ------------------------------------------------------------------------------------ */

struct founded {
	const char *account;
	uint64_t count;
};

static int count_founded(void *arg, const struct chat_member *m, const struct chat_channel *c)
{
	struct founded *f = arg;

	(void)m;
	f->count += strcmp(c->founder, f->account) == 0;
	return 0;
}

static int may_found(struct store_txn *txn, const char *account)
{
	struct founded f = {account, 0};
	uint64_t most = 0;
	int rc = policy_number_read(txn, "chat_channels", &most);

	if (rc == 0)
		rc = chat_rows_each(txn, account, count_founded, &f);
	if (rc < 0)
		return rc;
	return f.count < most ? 0 : CHAT_TOO_MANY;
}

int chat_channel_make(struct store_txn *txn, const struct chat_actor *by, struct span name,
	struct chat_channel *ret)
{
	struct chat_channel c = {
		.modes = CHAT_MODE_NO_EXTERNAL | CHAT_MODE_TOPIC, .created_us = by->now_us};
	const struct key counter = key_meta(CHAT_META_CHANNEL), index = key_chat_name(name);
	int rc = span_copy_str(name, c.name, sizeof(c.name));

	if (rc == 0 && !chat_is_guest(by->who)) {
		rc = span_copy_str(span_str(by->who), c.founder, sizeof(c.founder));
		rc = rc == 0 ? may_found(txn, by->who) : rc;
	}
	if (rc == 0)
		rc = row_counter(txn, &counter, &c.id);
	if (rc != 0)
		return rc;
	c.id++;
	rc = row_counter_put(txn, &counter, c.id);
	if (rc == 0)
		rc = row_counter_put(txn, &index, c.id);
	if (rc == 0)
		rc = chat_channel_write(txn, &c);
	if (rc == 0)
		*ret = c;
	return rc;
}

/* -- going ------------------------------------------------------------------------------------- */

static int drop_members(struct store_txn *txn, uint64_t id)
{
	const struct key prefix = key_chat_member(id);
	struct span key, value;
	struct chat_member m;
	int rc;

	while ((rc = kv_seek(txn, key_span(&prefix), key_span(&prefix), &key, &value)) == 0) {
		rc = chat_member_decode(key, value, &m);
		if (rc == 0)
			rc = chat_member_delete(txn, id, m.who);
		if (rc < 0)
			return rc;
	}
	return rc == -ENOENT ? 0 : rc;
}

static int drop_row(struct store_txn *txn, const struct chat_channel *c)
{
	const struct key row = key_chat_channel(c->id), index = key_chat_name(span_str(c->name));
	int rc = row_del(txn, &row);

	return rc < 0 ? rc : row_del(txn, &index);
}

int chat_channel_vanish(struct store_txn *txn, const struct chat_channel *c)
{
	int rc = drop_members(txn, c->id);

	if (rc == 0)
		rc = chat_lists_remove(txn, c->id);
	if (rc == 0)
		rc = chat_invites_remove(txn, c->id, "");
	if (rc == 0)
		rc = chat_notes_remove(txn, c->id, "");
	return rc < 0 ? rc : drop_row(txn, c);
}

/* What others must still hear of, and what other channels saw as well, stays until its time. */
static bool is_said_here(const struct chat_event *e, uint64_t id)
{
	switch (e->kind) {
	case CHAT_PRIVMSG:
	case CHAT_NOTICE:
	case CHAT_TAGMSG:
	case CHAT_TOPIC:
	case CHAT_REDACT:
		return e->channel == id;
	default:
		return false;
	}
}

static int drop_said(struct store_txn *txn, uint64_t id)
{
	const struct key log = key_chat_log(id, NULL, NULL);
	struct key at = log;
	struct span key, value;
	struct chat_event e;
	uint64_t seq;
	int rc;

	while ((rc = kv_seek(txn, key_span(&log), key_span(&at), &key, &value)) == 0) {
		seq = key_number(key_tail(key, sizeof(seq)));
		at = key_chat_log_row(&log, seq + 1);
		rc = chat_event_read(txn, seq, &e);
		if (rc == 0 && is_said_here(&e, id))
			rc = chat_event_remove(txn, seq);
		if (rc < 0)
			return rc == -ENOENT ? -EBADMSG : rc;
	}
	return rc == -ENOENT ? 0 : rc;
}

int chat_channel_drop(struct store_txn *txn, const struct chat_channel *c)
{
	int rc = drop_said(txn, c->id);

	return rc < 0 ? rc : chat_channel_vanish(txn, c);
}
