/* CHAT_META: keys and values of people and channels (IRCv3 metadata). */
#include "store/chat_i.h"

#include <errno.h>

enum { META_VERSION = 1, CHANNELS_BYTES_MAX = CHAT_JOINED_MAX * 8 };

int chat_meta_decode(struct span key, struct span value, struct chat_meta_row *ret)
{
	struct rec r = row_open(value, META_VERSION);
	struct chat_meta_row m;

	rec_str(&r, m.key, sizeof(m.key));
	m.value = rec_bytes(&r, CHAT_META_VALUE_MAX);
	if (rec_end(&r) < 0 || m.key[0] == '\0' ||
		!span_eq_str(key_tail(key, strlen(m.key)), m.key))
		return -EBADMSG;
	*ret = m;
	return 0;
}

int chat_meta_each(struct store_txn *txn, uint64_t channel, const char *who,
	int (*each)(void *arg, const struct chat_meta_row *m), void *arg)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix = key_chat_meta(channel, who);
	struct chat_meta_row m;
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = chat_meta_decode(key, value, &m);
		if (rc == 0)
			rc = each(arg, &m);
	}
	return rc;
}

static int count_one(void *arg, const struct chat_meta_row *m)
{
	size_t *count = arg;

	(void)m;
	(*count)++;
	return 0;
}

/* -- the operation ----------------------------------------------------------------------------- */

struct change {
	struct store_txn *txn;
	const struct chat_meta_args *args;
	struct chat_user me;
	struct chat_channel room; /* id 0: of oneself */
	struct buf channels; /* where one is */
	struct chat_result *ret;
};

static bool key_ok(struct span key)
{
	if (key.len == 0 || key.len >= CHAT_META_KEY_SIZE)
		return false;
	for (size_t i = 0; i < key.len; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_./-", (char)key.p[i]) == NULL ||
			key.p[i] == '\0')
			return false;
	return true;
}

static bool args_ok(const struct chat_meta_args *a)
{
	return (a->all || key_ok(a->key)) && a->value.len <= CHAT_META_VALUE_MAX;
}

/* Whether one may change what it is about. */
static int judge(struct change *c)
{
	struct chat_member m = {.joined = false};
	int rc;

	if (c->args->channel.len == 0)
		return 0;
	rc = chat_channel_find(c->txn, c->args->channel, &c->room);
	if (rc == -ENOENT)
		c->ret->answer = CHAT_NO_SUCH_CHANNEL;
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	rc = chat_member_read(c->txn, c->room.id, c->me.who, &m);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	if (c->args->override)
		return 0;
	if (rc == -ENOENT || !m.joined)
		c->ret->answer = CHAT_NOT_JOINED;
	else if ((m.roles & CHAT_OP) == 0)
		c->ret->answer = CHAT_NOT_OP;
	return 0;
}

/* value.p NULL: the key is gone. */
static int tell(struct change *c, struct span key, struct span value)
{
	struct chat_event e = {.kind = CHAT_METADATA};

	chat_event_source(&e, &c->me);
	if (value.p == NULL)
		e.flags |= CHAT_EVENT_CLEARED;
	e.session = c->args->by.session;
	e.channel = c->room.id;
	e.target = span_str(c->room.id != 0 ? c->room.name : c->me.nick);
	e.subject = key;
	e.text = value;
	e.channels = buf_span(&c->channels);
	if (c->room.id != 0)
		chat_ring_channel(c->ret, c->room.id, c->me.who);
	else
		chat_ring_all(c->ret);
	return chat_append(c->txn, c->args->by.now_us, &e, c->ret, NULL);
}

static int set_one(struct change *c)
{
	const struct chat_meta_args *a = c->args;
	struct key key = key_chat_meta_row(c->room.id, c->me.who, a->key);
	struct chat_meta_row old;
	struct span row;
	size_t count = 0;
	struct buf b;
	int rc = row_get(c->txn, &key, &row);

	if (rc == 0) {
		rc = chat_meta_decode(key_span(&key), row, &old);
		if (rc == 0 && span_eq(old.value, a->value)) {
			c->ret->answer = CHAT_NOTHING;
			return 0;
		}
	} else if (rc == -ENOENT) {
		rc = chat_meta_each(c->txn, c->room.id, c->me.who, count_one, &count);
		if (rc == 0 && count >= CHAT_META_MAX) {
			c->ret->answer = CHAT_TOO_MANY;
			return 0;
		}
	}
	if (rc < 0)
		return rc;
	b = row_begin(META_VERSION);
	rec_put_bytes(&b, a->key);
	rec_put_bytes(&b, a->value);
	rc = row_put(c->txn, &key, &b);
	return rc < 0 ? rc : tell(c, a->key, a->value);
}

static int remove_one(struct change *c)
{
	struct key key = key_chat_meta_row(c->room.id, c->me.who, c->args->key);
	int rc = row_del(c->txn, &key);

	if (rc == -ENOENT) {
		c->ret->answer = CHAT_UNKNOWN_KEY;
		return 0;
	}
	return rc < 0 ? rc : tell(c, c->args->key, span_of(NULL, 0));
}

static int remove_all(struct change *c)
{
	struct key prefix = key_chat_meta(c->room.id, c->me.who), row;
	struct chat_meta_row m;
	struct span key, value;
	int rc;

	while ((rc = kv_seek(c->txn, key_span(&prefix), key_span(&prefix), &key, &value)) == 0) {
		rc = chat_meta_decode(key, value, &m);
		if (rc < 0)
			return rc;
		row = key_copy(key);
		rc = row_del(c->txn, &row);
		if (rc == 0)
			rc = tell(c, span_str(m.key), span_of(NULL, 0));
		if (rc < 0)
			return rc;
	}
	if (rc == -ENOENT && c->ret->first == 0)
		c->ret->answer = CHAT_NOTHING;
	return rc == -ENOENT ? 0 : rc;
}

static int run_meta(struct store_txn *txn, const void *args, void *result)
{
	struct change c = {
		.txn = txn, .args = args, .channels = BUF_INIT(CHANNELS_BYTES_MAX), .ret = result};
	int rc;

	if (!args_ok(c.args))
		return -EINVAL;
	rc = chat_result_open(txn, c.ret);
	c.ret->answer = CHAT_DONE;
	if (rc == 0)
		rc = chat_actor_read(txn, &c.args->by, &c.me);
	if (rc == 0)
		rc = judge(&c);
	if (rc < 0 || c.ret->answer != CHAT_DONE)
		return rc;
	if (c.room.id == 0)
		rc = chat_channel_ids(txn, c.me.who, &c.channels);
	if (rc == 0 && c.args->all)
		rc = remove_all(&c);
	else if (rc == 0)
		rc = c.args->value.p == NULL ? remove_one(&c) : set_one(&c);
	buf_done(&c.channels);
	return rc;
}

int op_chat_meta(struct store_txn *txn, const void *args, void *result)
{
	return chat_flood_run(txn, args, result, false, run_meta);
}
