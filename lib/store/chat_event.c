/*
 * The log: events by position, and a mark of each in the histories that show it. What is removed
 * leaves a gap; a position is never used again.
 */
#include "store/chat_i.h"

#include <errno.h>

#define KIND_MAX CHAT_MARKREAD

enum {
	EVENT_VERSION = 1,
	HEAD_VERSION = 1,
	ID_LEN = 8,
	FLAGS = 2 * CHAT_EVENT_STAMPED - 1,
	NAME_MAX_BYTES = 512, /* names, masks, hosts */
	SUBJECT_MAX = CHAT_TEXT_MAX,
	TAGS_MAX = 8192,
	CHANNELS_BYTES_MAX = CHAT_JOINED_MAX * ID_LEN,
	MARK_BYTES = 40, /* a mark in a history, about */
};

/* Which kinds histories show: chat of a target's own, what happened in a channel, and what a
 * person did in each of theirs. */
static const bool in_history[KIND_MAX + 1] = {
	[CHAT_PRIVMSG] = true,
	[CHAT_NOTICE] = true,
	[CHAT_TAGMSG] = true,
	[CHAT_JOIN] = true,
	[CHAT_PART] = true,
	[CHAT_KICK] = true,
	[CHAT_MODE] = true,
	[CHAT_TOPIC] = true,
	[CHAT_RENAME] = true,
	[CHAT_REDACT] = true,
	[CHAT_NICK] = true,
	[CHAT_QUIT] = true,
	[CHAT_ONLINE] = true,
};

/* -- the newest position ----------------------------------------------------------------------- */

static struct key head_key(void)
{
	return key_meta(CHAT_META_HEAD);
}

int chat_head_decode(struct span value, struct chat_head *ret)
{
	struct rec r = row_open(value, HEAD_VERSION);
	struct chat_head h = {.seq = rec_u64(&r)};

	h.at_us = rec_i64(&r);
	if (rec_end(&r) < 0)
		return -EBADMSG;
	*ret = h;
	return 0;
}

static int head_read(struct store_txn *txn, struct chat_head *ret)
{
	struct key key = head_key();
	struct span value;
	int rc = row_get(txn, &key, &value);

	if (rc == 0)
		return chat_head_decode(value, ret);
	if (rc == -ENOENT) {
		*ret = (struct chat_head){.at_us = INT64_MIN};
		rc = 0;
	}
	return rc;
}

static int head_write(struct store_txn *txn, const struct chat_head *h)
{
	struct key key = head_key();
	struct buf b = row_begin(HEAD_VERSION);

	buf_add_u64(&b, h->seq);
	rec_put_i64(&b, h->at_us);
	return row_put(txn, &key, &b);
}

int chat_head(struct store_txn *txn, uint64_t *ret)
{
	struct chat_head h = {.seq = 0};
	int rc = head_read(txn, &h);

	if (rc == 0)
		*ret = h.seq;
	return rc;
}

int chat_result_open(struct store_txn *txn, struct chat_result *r)
{
	return chat_head(txn, &r->head);
}

/* -- records ----------------------------------------------------------------------------------- */

static bool is_status(char c)
{
	return c == '\0' || c == '@' || c == '%' || c == '+';
}

/* In the order in which they stand in the record. */
static void read_source(struct rec *r, struct chat_event *e)
{
	e->who = rec_bytes(r, CHAT_WHO_SIZE - 1);
	e->nick = rec_bytes(r, CHAT_NICK_SIZE - 1);
	e->ident = rec_bytes(r, CHAT_IDENT_SIZE - 1);
	e->host = rec_bytes(r, CHAT_HOST_SIZE - 1);
	e->account = rec_bytes(r, ACCOUNT_NAME_SIZE - 1);
	e->realname = rec_bytes(r, CHAT_REALNAME_SIZE - 1);
}

static void read_rest(struct rec *r, struct chat_event *e)
{
	struct span spki;

	e->channel = rec_u64(r);
	e->status = (char)rec_u8(r);
	e->target = rec_bytes(r, NAME_MAX_BYTES);
	e->peer = rec_bytes(r, CHAT_WHO_SIZE - 1);
	e->subject = rec_bytes(r, SUBJECT_MAX);
	e->text = rec_bytes(r, CHAT_TEXT_MAX);
	e->tags = rec_bytes(r, TAGS_MAX);
	e->number = rec_u64(r);
	e->channels = rec_bytes(r, CHANNELS_BYTES_MAX);
	if ((e->flags & CHAT_EVENT_STAMPED) == 0)
		return;
	spki = rec_raw(r, sizeof(e->spki_sha256));
	if (spki.len == sizeof(e->spki_sha256))
		memcpy(e->spki_sha256, spki.p, spki.len);
}

int chat_event_decode(struct span key, struct span value, struct chat_event *ret)
{
	struct rec r = row_open(value, EVENT_VERSION);
	struct chat_event e = {.at_us = rec_i64(&r)};
	uint8_t kind = rec_u8(&r);
	struct key expected;

	e.kind = (enum chat_kind)kind;
	e.flags = rec_u32(&r);
	e.session = rec_u64(&r);
	read_source(&r, &e);
	read_rest(&r, &e);
	e.seq = key_number(key_tail(key, ID_LEN));
	expected = key_chat_event(e.seq);
	if (rec_end(&r) < 0 || !span_eq(key, key_span(&expected)) || e.seq == 0)
		return -EBADMSG;
	if (kind == 0 || kind > KIND_MAX || (e.flags & ~(unsigned)FLAGS) != 0 ||
		!is_status(e.status) || e.channels.len % ID_LEN != 0)
		return -EBADMSG;
	*ret = e;
	return 0;
}

static void put_bytes(struct buf *b, struct span bytes, size_t max)
{
	rec_put_bytes(b, bytes);
	if (bytes.len > max && b->error == 0)
		b->error = -EINVAL;
}

static struct buf encode(const struct chat_event *e)
{
	struct buf b = row_begin(EVENT_VERSION);

	rec_put_i64(&b, e->at_us);
	buf_add_byte(&b, (unsigned char)e->kind);
	buf_add_u32(&b, e->flags);
	buf_add_u64(&b, e->session);
	put_bytes(&b, e->who, CHAT_WHO_SIZE - 1);
	put_bytes(&b, e->nick, CHAT_NICK_SIZE - 1);
	put_bytes(&b, e->ident, CHAT_IDENT_SIZE - 1);
	put_bytes(&b, e->host, CHAT_HOST_SIZE - 1);
	put_bytes(&b, e->account, ACCOUNT_NAME_SIZE - 1);
	put_bytes(&b, e->realname, CHAT_REALNAME_SIZE - 1);
	buf_add_u64(&b, e->channel);
	buf_add_byte(&b, (unsigned char)e->status);
	put_bytes(&b, e->target, NAME_MAX_BYTES);
	put_bytes(&b, e->peer, CHAT_WHO_SIZE - 1);
	put_bytes(&b, e->subject, SUBJECT_MAX);
	put_bytes(&b, e->text, CHAT_TEXT_MAX);
	put_bytes(&b, e->tags, TAGS_MAX);
	buf_add_u64(&b, e->number);
	put_bytes(&b, e->channels, CHANNELS_BYTES_MAX);
	if ((e->flags & CHAT_EVENT_STAMPED) != 0)
		buf_add(&b, span_of(e->spki_sha256, sizeof(e->spki_sha256)));
	return b;
}

static bool is_writable(const struct chat_event *e)
{
	return e->kind >= CHAT_PRIVMSG && e->kind <= KIND_MAX && is_status(e->status) &&
		(e->flags & ~(unsigned)FLAGS) == 0 && e->channels.len % ID_LEN == 0;
}

/* -- histories --------------------------------------------------------------------------------- */

int chat_log_key(const struct chat_target *target, struct key *ret)
{
	if (target->channel == 0 &&
		(!row_is_text(target->a, sizeof(target->a)) ||
			!row_is_text(target->b, sizeof(target->b)) || target->a[0] == '\0' ||
			target->b[0] == '\0' ||
			(chat_is_guest(target->a) && chat_is_guest(target->b))))
		return -EINVAL;
	*ret = key_chat_log(target->channel, target->a, target->b);
	return 0;
}

struct key chat_log_mark(const struct key *target, uint64_t seq)
{
	return key_chat_log_row(target, seq);
}

/* The history of the event's own target. -EINVAL when there is none. */
static int own_log(const struct chat_event *e, struct key *ret)
{
	struct chat_target t = {.channel = e->channel};

	if (e->channel == 0 &&
		(span_copy_str(e->who, t.a, sizeof(t.a)) < 0 ||
			span_copy_str(e->peer, t.b, sizeof(t.b)) < 0))
		return -EINVAL;
	return chat_log_key(&t, ret);
}

static uint64_t channel_at(const struct chat_event *e, size_t i)
{
	return key_number(span_of(e->channels.p + i * ID_LEN, ID_LEN));
}

/* Every history that shows the event, in turn; each() returns nonzero to stop. */
static int each_log(struct store_txn *txn, const struct chat_event *e,
	int (*each)(struct store_txn *txn, const struct key *mark, const struct chat_event *e))
{
	struct key log, mark;
	int rc = 0;

	if (!in_history[e->kind] || (e->flags & CHAT_EVENT_PASSING) != 0)
		return 0;
	if (own_log(e, &log) == 0) {
		mark = chat_log_mark(&log, e->seq);
		rc = each(txn, &mark, e);
	}
	for (size_t i = 0; rc == 0 && i < e->channels.len / ID_LEN; i++) {
		log = key_chat_log(channel_at(e, i), NULL, NULL);
		mark = chat_log_mark(&log, e->seq);
		rc = each(txn, &mark, e);
	}
	return rc;
}

static int set_mark(struct store_txn *txn, const struct key *mark, const struct chat_event *e)
{
	const unsigned char kind = (unsigned char)e->kind;

	return kv_put(txn, key_span(mark), span_of(&kind, 1));
}

static int unset_mark(struct store_txn *txn, const struct key *mark, const struct chat_event *e)
{
	int rc = row_del(txn, mark);

	(void)e;
	return rc == -ENOENT ? 0 : rc;
}

static int look_for_mark(struct store_txn *txn, const struct key *mark, const struct chat_event *e)
{
	struct span value;
	int rc = row_get(txn, mark, &value);

	(void)e;
	return rc == -ENOENT ? 0 : rc < 0 ? rc : 1;
}

int chat_event_is_marked(struct store_txn *txn, const struct chat_event *e)
{
	return each_log(txn, e, look_for_mark);
}

/* -- appending --------------------------------------------------------------------------------- */

/* Bounded by its array: what is in it is text, which the row's reader has seen to. */
#define FIELD(array) span_of(array, strnlen(array, sizeof(array)))

void chat_event_source(struct chat_event *e, const struct chat_user *u)
{
	e->who = FIELD(u->who);
	e->nick = FIELD(u->nick);
	e->ident = FIELD(u->ident);
	e->host = FIELD(u->host);
	e->account = chat_is_guest(u->who) ? SPAN_LIT("") : e->who;
	e->realname = FIELD(u->realname);
	if ((u->flags & CHAT_USER_BOT) != 0)
		e->flags |= CHAT_EVENT_BOT;
	if ((u->flags & CHAT_USER_OPER) != 0)
		e->flags |= CHAT_EVENT_OPER;
}

int chat_append(struct store_txn *txn, int64_t now_us, const struct chat_event *e,
	struct chat_result *r, uint64_t *ret_seq)
{
	struct chat_event event = *e;
	struct chat_head head = {.seq = 0};
	struct key key;
	struct buf b;
	int rc;

	if (!is_writable(e))
		return -EINVAL;
	rc = head_read(txn, &head);
	if (rc < 0)
		return rc;
	head.seq++;
	if (now_us > head.at_us)
		head.at_us = now_us;
	event.seq = head.seq;
	event.at_us = head.at_us;
	key = key_chat_event(event.seq);
	b = encode(&event); /* before anything is written: spans may point into the map */
	r->bytes += (uint32_t)(b.len + MARK_BYTES * (1 + e->channels.len / ID_LEN));
	rc = row_add(txn, &key, &b);
	if (rc == 0)
		rc = each_log(txn, &event, set_mark);
	if (rc == 0)
		rc = head_write(txn, &head);
	if (rc < 0)
		return rc;
	r->head = event.seq;
	if (r->first == 0)
		r->first = event.seq;
	if (ret_seq != NULL)
		*ret_seq = event.seq;
	return 0;
}

int chat_event_rewrite(struct store_txn *txn, const struct chat_event *e)
{
	struct key key = key_chat_event(e->seq);
	struct span old;
	struct buf b;
	int rc;

	if (!is_writable(e))
		return -EINVAL;
	rc = row_get(txn, &key, &old);
	if (rc < 0)
		return rc;
	b = encode(e);
	return row_put(txn, &key, &b);
}

/* Its marks are read from a copy: what is in the map moves with the first row removed. */
int chat_event_remove(struct store_txn *txn, uint64_t seq)
{
	_cleanup_(buf_done) struct buf copy = BUF_INIT(ROW_MAX);
	struct key key = key_chat_event(seq);
	struct chat_event e;
	struct span value;
	int rc = row_get(txn, &key, &value);

	if (rc < 0)
		return rc;
	buf_add(&copy, value);
	rc = buf_error(&copy);
	if (rc == 0)
		rc = chat_event_decode(key_span(&key), buf_span(&copy), &e);
	if (rc == 0)
		rc = each_log(txn, &e, unset_mark);
	return rc < 0 ? rc : row_del(txn, &key);
}
