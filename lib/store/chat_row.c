/*
 * The records of people, sessions, channels and members. What a key says is said again in the value
 * where it is a name in its own writing; the two must agree.
 */
#include "store/chat_i.h"

#include <errno.h>

enum {
	USER_VERSION = 1,
	SESSION_VERSION = 1,
	CHANNEL_VERSION = 1,
	MEMBER_VERSION = 1,
	LIST_VERSION = 1,
	WHOWAS_VERSION = 1,
	USER_FLAGS = CHAT_USER_INVISIBLE | CHAT_USER_WALLOPS | CHAT_USER_BOT |
		CHAT_USER_REGISTERED_ONLY | CHAT_USER_OPER | CHAT_USER_AWAY,
	CHANNEL_MODES = 2 * CHAT_MODE_LIMIT - 1,
	ROLES = CHAT_VOICE | CHAT_HALFOP | CHAT_OP,
	SEQ_LEN = 8,
};

/* A byte that is 0 or 1. */
static bool rec_bool(struct rec *r)
{
	uint8_t v = rec_u8(r);

	if (v > 1)
		r->error = -EBADMSG;
	return v == 1;
}

/* Everything read, nothing left, and the value is that key's. */
static bool is_whole(const struct rec *r, struct span key, const struct key *expected)
{
	return rec_end(r) == 0 && span_eq(key, key_span(expected));
}

static void put_id(struct buf *b, uint64_t id)
{
	buf_add_u64(b, id);
	if (id == 0 && b->error == 0)
		b->error = -EINVAL;
}

static void put_name(struct buf *b, const char *name, size_t size)
{
	row_text(b, name, size);
	if (row_is_text(name, 1) && b->error == 0) /* an empty one */
		b->error = -EINVAL;
}

/* -- people ------------------------------------------------------------------------------------ */

int chat_user_decode(struct span key, struct span value, struct chat_user *ret)
{
	struct rec r = row_open(value, USER_VERSION);
	struct chat_user u;
	struct key expected;

	memset(&u, 0, sizeof(u)); /* operations answer with it: no byte may be left to chance */
	rec_str(&r, u.who, sizeof(u.who));
	rec_str(&r, u.nick, sizeof(u.nick));
	rec_str(&r, u.ident, sizeof(u.ident));
	rec_str(&r, u.host, sizeof(u.host));
	rec_str(&r, u.realname, sizeof(u.realname));
	rec_str(&r, u.away, sizeof(u.away));
	rec_str(&r, u.spelled, sizeof(u.spelled));
	u.flags = rec_u32(&r);
	u.sessions = rec_u32(&r);
	u.since_us = rec_i64(&r);
	u.spoke_us = rec_i64(&r);
	expected = key_chat_user(u.who);
	if (!is_whole(&r, key, &expected) || u.who[0] == '\0' || u.nick[0] == '\0' ||
		(u.flags & ~(uint32_t)USER_FLAGS) != 0)
		return -EBADMSG;
	*ret = u;
	return 0;
}

int chat_user_write(struct store_txn *txn, const struct chat_user *u)
{
	struct key key;
	struct buf b;
	int rc;

	if (!row_is_text(u->who, sizeof(u->who)))
		return -EINVAL;
	rc = chat_counts_change(txn, u->who, u);
	if (rc < 0)
		return rc;
	key = key_chat_user(u->who);
	b = row_begin(USER_VERSION);
	put_name(&b, u->who, sizeof(u->who));
	put_name(&b, u->nick, sizeof(u->nick));
	row_text(&b, u->ident, sizeof(u->ident));
	row_text(&b, u->host, sizeof(u->host));
	row_text(&b, u->realname, sizeof(u->realname));
	row_text(&b, u->away, sizeof(u->away));
	row_text(&b, u->spelled, sizeof(u->spelled));
	buf_add_u32(&b, u->flags);
	buf_add_u32(&b, u->sessions);
	rec_put_i64(&b, u->since_us);
	rec_put_i64(&b, u->spoke_us);
	return row_put(txn, &key, &b);
}

int chat_session_decode(struct span key, struct span value, struct chat_session *ret)
{
	struct rec r = row_open(value, SESSION_VERSION);
	struct chat_session s = {.id = rec_u64(&r)};
	struct span spki;
	struct key expected;

	rec_str(&r, s.who, sizeof(s.who));
	rec_str(&r, s.device, sizeof(s.device));
	rec_str(&r, s.bell, sizeof(s.bell));
	s.secure = rec_bool(&r);
	spki = rec_raw(&r, sizeof(s.spki_sha256));
	expected = key_chat_session_row(s.who, s.id);
	if (!is_whole(&r, key, &expected) || s.who[0] == '\0' || strchr(s.bell, '/') != NULL)
		return -EBADMSG;
	memcpy(s.spki_sha256, spki.p, sizeof(s.spki_sha256));
	*ret = s;
	return 0;
}

/* The row, and who has it by its number. */
int chat_session_write(struct store_txn *txn, const struct chat_session *s)
{
	struct key key, by_id;
	struct buf b;
	int rc;

	if (!row_is_text(s->who, sizeof(s->who)) || !row_is_text(s->bell, sizeof(s->bell)) ||
		strchr(s->bell, '/') != NULL)
		return -EINVAL;
	key = key_chat_session_row(s->who, s->id);
	by_id = key_chat_session_id(s->id);
	b = row_begin(SESSION_VERSION);
	put_id(&b, s->id);
	put_name(&b, s->who, sizeof(s->who));
	row_text(&b, s->device, sizeof(s->device));
	row_text(&b, s->bell, sizeof(s->bell));
	buf_add_byte(&b, s->secure);
	buf_add(&b, span_of(s->spki_sha256, sizeof(s->spki_sha256)));
	rc = row_put(txn, &key, &b);
	return rc < 0 ? rc : kv_put(txn, key_span(&by_id), span_str(s->who));
}

int chat_session_read(struct store_txn *txn, uint64_t id, struct chat_session *ret)
{
	struct key key = key_chat_session_id(id);
	char who[CHAT_WHO_SIZE];
	struct span value;
	int rc = row_get(txn, &key, &value);

	if (rc == 0)
		rc = span_copy_str(value, who, sizeof(who)) < 0 ? -EBADMSG : 0;
	if (rc < 0)
		return rc;
	key = key_chat_session_row(who, id);
	rc = row_get(txn, &key, &value);
	return rc < 0 ? rc : chat_session_decode(key_span(&key), value, ret);
}

int chat_whowas_decode(struct span key, struct span value, struct chat_whowas *ret)
{
	struct rec r = row_open(value, WHOWAS_VERSION);
	struct chat_whowas w = {.left_us = 0};
	struct key expected;

	rec_str(&r, w.nick, sizeof(w.nick));
	rec_str(&r, w.ident, sizeof(w.ident));
	rec_str(&r, w.host, sizeof(w.host));
	rec_str(&r, w.realname, sizeof(w.realname));
	rec_str(&r, w.account, sizeof(w.account));
	w.left_us = rec_i64(&r);
	expected = key_chat_whowas_row(span_str(w.nick), ~key_number(key_tail(key, SEQ_LEN)));
	if (!is_whole(&r, key, &expected) || w.nick[0] == '\0')
		return -EBADMSG;
	*ret = w;
	return 0;
}

int chat_whowas_write(struct store_txn *txn, const struct chat_whowas *w, uint64_t seq)
{
	struct key key;
	struct buf b;

	if (!row_is_text(w->nick, sizeof(w->nick)))
		return -EINVAL;
	key = key_chat_whowas_row(span_str(w->nick), seq);
	b = row_begin(WHOWAS_VERSION);
	put_name(&b, w->nick, sizeof(w->nick));
	row_text(&b, w->ident, sizeof(w->ident));
	row_text(&b, w->host, sizeof(w->host));
	row_text(&b, w->realname, sizeof(w->realname));
	row_text(&b, w->account, sizeof(w->account));
	rec_put_i64(&b, w->left_us);
	return row_put(txn, &key, &b);
}

/* -- channels ---------------------------------------------------------------------------------- */

int chat_channel_decode(struct span key, struct span value, struct chat_channel *ret)
{
	struct rec r = row_open(value, CHANNEL_VERSION);
	struct chat_channel c = {.id = rec_u64(&r)};
	struct key expected;

	rec_str(&r, c.name, sizeof(c.name));
	c.modes = rec_u32(&r);
	rec_str(&r, c.key, sizeof(c.key));
	c.limit = rec_u32(&r);
	rec_str(&r, c.founder, sizeof(c.founder));
	c.created_us = rec_i64(&r);
	rec_str(&r, c.topic, sizeof(c.topic));
	rec_str(&r, c.topic_by, sizeof(c.topic_by));
	c.topic_us = rec_i64(&r);
	c.joined = rec_u32(&r);
	c.present = rec_u32(&r);
	c.emptied_us = rec_i64(&r);
	expected = key_chat_channel(c.id);
	if (!is_whole(&r, key, &expected) || c.id == 0 || c.name[0] == '\0' ||
		(c.modes & ~(uint32_t)CHANNEL_MODES) != 0 || c.present > c.joined)
		return -EBADMSG;
	*ret = c;
	return 0;
}

int chat_channel_write(struct store_txn *txn, const struct chat_channel *c)
{
	struct key key = key_chat_channel(c->id);
	struct buf b = row_begin(CHANNEL_VERSION);

	put_id(&b, c->id);
	put_name(&b, c->name, sizeof(c->name));
	buf_add_u32(&b, c->modes);
	row_text(&b, c->key, sizeof(c->key));
	buf_add_u32(&b, c->limit);
	row_text(&b, c->founder, sizeof(c->founder));
	rec_put_i64(&b, c->created_us);
	row_text(&b, c->topic, sizeof(c->topic));
	row_text(&b, c->topic_by, sizeof(c->topic_by));
	rec_put_i64(&b, c->topic_us);
	buf_add_u32(&b, c->joined);
	buf_add_u32(&b, c->present);
	rec_put_i64(&b, c->emptied_us);
	return row_put(txn, &key, &b);
}

int chat_member_decode(struct span key, struct span value, struct chat_member *ret)
{
	struct rec r = row_open(value, MEMBER_VERSION);
	struct chat_member m = {.channel = rec_u64(&r)};
	struct key expected;

	rec_str(&r, m.who, sizeof(m.who));
	m.joined = rec_bool(&r);
	m.roles = rec_u32(&r);
	m.joined_us = rec_i64(&r);
	m.joined_seq = rec_u64(&r);
	expected = key_chat_member_row(m.channel, m.who);
	if (!is_whole(&r, key, &expected) || m.channel == 0 || m.who[0] == '\0' ||
		(m.roles & ~(unsigned)ROLES) != 0)
		return -EBADMSG;
	*ret = m;
	return 0;
}

int chat_member_write(struct store_txn *txn, const struct chat_member *m)
{
	struct key key, index;
	struct buf b;
	int rc;

	if (!row_is_text(m->who, sizeof(m->who)))
		return -EINVAL;
	key = key_chat_member_row(m->channel, m->who);
	index = key_chat_joined_row(m->who, m->channel);
	b = row_begin(MEMBER_VERSION);
	put_id(&b, m->channel);
	put_name(&b, m->who, sizeof(m->who));
	buf_add_byte(&b, m->joined);
	buf_add_u32(&b, m->roles);
	rec_put_i64(&b, m->joined_us);
	buf_add_u64(&b, m->joined_seq);
	rc = row_put(txn, &key, &b);
	return rc < 0 ? rc : row_mark(txn, &index);
}

int chat_member_delete(struct store_txn *txn, uint64_t channel, const char *who)
{
	struct key key = key_chat_member_row(channel, who);
	struct key index = key_chat_joined_row(who, channel);
	int rc = row_del(txn, &key);

	return rc < 0 ? rc : row_del(txn, &index);
}

int chat_list_decode(struct span key, struct span value, struct chat_list_entry *ret)
{
	static const char letters[] = {CHAT_LIST_BAN, CHAT_LIST_EXCEPT, CHAT_LIST_INVEX};
	const size_t letter_at = 1 + SEQ_LEN;
	struct rec r = row_open(value, LIST_VERSION);
	struct chat_list_entry e = {.at_us = 0};
	struct key expected;

	rec_str(&r, e.mask, sizeof(e.mask));
	rec_str(&r, e.by, sizeof(e.by));
	e.at_us = rec_i64(&r);
	if (key.len <= letter_at || memchr(letters, key.p[letter_at], sizeof(letters)) == NULL)
		return -EBADMSG;
	expected = key_chat_list_row(
		key_number(span_of(key.p + 1, SEQ_LEN)), (char)key.p[letter_at], span_str(e.mask));
	if (!is_whole(&r, key, &expected) || e.mask[0] == '\0')
		return -EBADMSG;
	*ret = e;
	return 0;
}

int chat_list_write(struct store_txn *txn, uint64_t channel, enum chat_list list,
	const struct chat_list_entry *e)
{
	struct key key;
	struct buf b;

	if (!row_is_text(e->mask, sizeof(e->mask)))
		return -EINVAL;
	key = key_chat_list_row(channel, (char)list, span_str(e->mask));
	b = row_begin(LIST_VERSION);
	put_name(&b, e->mask, sizeof(e->mask));
	row_text(&b, e->by, sizeof(e->by));
	rec_put_i64(&b, e->at_us);
	return row_put(txn, &key, &b);
}
