/* Who acts; what of oneself changes; announcements; whom a commit concerns. */
#include "store/chat_people_i.h"
#include "store/chat_room_i.h"

#include <errno.h>
#include <stdio.h>

enum { ID_LEN = 8 };

/* -- who acts ---------------------------------------------------------------------------------- */

/* A session of 0 is the house's own hand: no person, and the server as the source. */
int chat_actor_read(struct store_txn *txn, const struct chat_actor *by, struct chat_user *ret)
{
	struct chat_session s;
	int rc;

	if (by->session == 0) {
		if (by->who != NULL && by->who[0] != '\0')
			return -EINVAL;
		*ret = (struct chat_user){.flags = CHAT_USER_OPER};
		return 0;
	}
	rc = by->who != NULL ? chat_session_read(txn, by->session, &s) : -EINVAL;
	if (rc == -ENOENT || (rc == 0 && strcmp(s.who, by->who) != 0))
		return -EINVAL;
	return rc < 0 ? rc : chat_user_read(txn, s.who, ret);
}

int chat_channel_ids(struct store_txn *txn, const char *who, struct buf *ret)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix = key_chat_joined(who);
	struct chat_member m;
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = chat_member_read(txn, key_number(key_tail(key, ID_LEN)), who, &m);
		if (rc == 0 && m.joined)
			buf_add_u64(ret, m.channel);
		if (rc == -ENOENT)
			rc = -EBADMSG;
	}
	return rc < 0 ? rc : buf_error(ret);
}

void chat_mask_of(const struct chat_user *u, char ret[CHAT_MASK_SIZE])
{
	memset(ret, 0, CHAT_MASK_SIZE);
	(void)snprintf(ret, CHAT_MASK_SIZE, "%s!%s@%s", u->nick, u->ident, u->host);
}

struct chat_event chat_user_event(
	enum chat_kind kind, const struct chat_user *u, const struct buf *channels)
{
	struct chat_event e = {.kind = kind};

	chat_event_source(&e, u);
	if (channels != NULL)
		e.channels = buf_span(channels);
	return e;
}

/* -- whom it concerns -------------------------------------------------------------------------- */

static void ring_who(char to[CHAT_WHO_SIZE], const char *who)
{
	memset(to, 0, CHAT_WHO_SIZE);
	(void)snprintf(to, CHAT_WHO_SIZE, "%s", who != NULL ? who : "");
}

void chat_ring_all(struct chat_result *r)
{
	r->ring = (struct chat_ring){.scope = CHAT_RING_ALL};
}

void chat_ring_channel(struct chat_result *r, uint64_t channel, const char *also)
{
	r->ring = (struct chat_ring){.scope = CHAT_RING_CHANNEL, .channel = channel};
	ring_who(r->ring.who[0], also);
}

void chat_ring_people(struct chat_result *r, const char *one, const char *other)
{
	r->ring = (struct chat_ring){.scope = CHAT_RING_PEOPLE};
	ring_who(r->ring.who[0], one);
	ring_who(r->ring.who[1], other);
}

/* -- USER -------------------------------------------------------------------------------------- */

struct change {
	struct store_txn *txn;
	const struct chat_user_args *args;
	struct chat_user me, after;
	char text[16]; /* of changed flags */
	struct chat_event event; /* by me; points into this */
	struct chat_result *ret;
};

/* The row as it is from now on, and the event. */
static int change_done(struct change *c, const struct buf *channels)
{
	int rc;

	c->event.session = c->args->by.session;
	if (channels != NULL)
		c->event.channels = buf_span(channels);
	rc = chat_append(c->txn, c->args->by.now_us, &c->event, c->ret, NULL);
	return rc < 0 ? rc : chat_user_write(c->txn, &c->after);
}

/* Something that whoever shares a channel may see, and whoever monitors the nick. */
static int change_seen(struct change *c)
{
	_cleanup_(buf_done) struct buf channels = BUF_INIT(ROW_MAX);
	int rc = chat_channel_ids(c->txn, c->me.who, &channels);

	chat_ring_all(c->ret);
	return rc < 0 ? rc : change_done(c, &channels);
}

static int set_away(struct change *c)
{
	const struct chat_user_args *a = c->args;
	const bool was = (c->me.flags & CHAT_USER_AWAY) != 0;
	struct chat_user *after = &c->after;

	chat_text_fit(a->clear ? span_of(NULL, 0) : a->text, after->away, sizeof(after->away));
	if (was == !a->clear && strcmp(after->away, c->me.away) == 0)
		return CHAT_NOTHING;
	after->flags =
		a->clear ? after->flags & ~(uint32_t)CHAT_USER_AWAY : after->flags | CHAT_USER_AWAY;
	c->event = chat_user_event(CHAT_AWAY, &c->me, NULL);
	c->event.text = span_str(after->away);
	if (a->clear)
		c->event.flags |= CHAT_EVENT_CLEARED;
	return change_seen(c);
}

static int set_realname(struct change *c)
{
	struct chat_user *after = &c->after;

	chat_text_fit(c->args->text, after->realname, sizeof(after->realname));
	if (strcmp(after->realname, c->me.realname) == 0)
		return CHAT_NOTHING;
	c->event = chat_user_event(CHAT_REALNAME, &c->me, NULL);
	c->event.text = span_str(after->realname);
	return change_seen(c);
}

/* "+iB-w": what changed of the flags, as IRC shows it. */
static void flags_text(uint32_t before, uint32_t after, char *ret, size_t size)
{
	static const struct {
		uint32_t flag;
		char letter;
	} letters[] = {
		{CHAT_USER_INVISIBLE, 'i'},
		{CHAT_USER_WALLOPS, 'w'},
		{CHAT_USER_BOT, 'B'},
		{CHAT_USER_REGISTERED_ONLY, 'R'},
		{CHAT_USER_OPER, 'o'},
	};
	const size_t count = sizeof(letters) / sizeof(letters[0]);
	size_t len = 0;
	char sign = 0;

	for (size_t i = 0; i < 2 * count; i++) {
		const uint32_t flag = letters[i % count].flag;
		const bool set = i < count;

		if (((before ^ after) & flag) == 0 || ((after & flag) != 0) != set ||
			len + 2 >= size)
			continue;
		if (sign != (set ? '+' : '-'))
			ret[len++] = sign = set ? '+' : '-';
		ret[len++] = letters[i % count].letter;
	}
	ret[len] = '\0';
}

/* Nobody else is told: it is seen where people are listed. */
static int set_flags(struct change *c)
{
	const uint32_t settable = CHAT_USER_INVISIBLE | CHAT_USER_WALLOPS | CHAT_USER_BOT |
		CHAT_USER_REGISTERED_ONLY | CHAT_USER_OPER;
	const struct chat_user_args *a = c->args;
	struct chat_user *after = &c->after;

	if (((a->set | a->unset) & ~settable) != 0)
		return -EINVAL;
	after->flags = (after->flags & ~a->unset) | a->set;
	if (after->flags == c->me.flags)
		return CHAT_NOTHING;
	flags_text(c->me.flags, after->flags, c->text, sizeof(c->text));
	c->event = chat_user_event(CHAT_USER_MODE, &c->me, NULL);
	c->event.peer = span_str(c->me.who);
	c->event.text = span_str(c->text);
	chat_ring_people(c->ret, c->me.who, NULL);
	return change_done(c, NULL);
}

static int run_user(struct store_txn *txn, const void *args, void *result)
{
	const struct chat_user_args *a = args;
	struct change c = {.txn = txn, .args = a, .ret = result};
	int rc = a->by.session != 0 ? chat_actor_read(txn, &a->by, &c.me) : -EINVAL;

	if (rc < 0)
		return rc;
	c.after = c.me;
	switch (a->what) {
	case CHAT_SET_AWAY:
		rc = set_away(&c);
		break;
	case CHAT_SET_REALNAME:
		rc = set_realname(&c);
		break;
	case CHAT_SET_FLAGS:
		rc = set_flags(&c);
		break;
	default:
		rc = -EINVAL;
	}
	return chat_room_done(txn, c.ret, rc);
}

int op_chat_user(struct store_txn *txn, const void *args, void *result)
{
	return chat_flood_run(txn, args, result, false, run_user);
}

/* -- ANNOUNCE ---------------------------------------------------------------------------------- */

static int announce(struct store_txn *txn, const struct chat_announce_args *a,
	const struct chat_user *me, struct chat_result *r)
{
	struct chat_event e = chat_user_event(a->kind, me, NULL);
	struct chat_user whom = {.flags = 0};
	int rc;

	e.session = a->by.session;
	e.text = a->text;
	if (a->kind != CHAT_KILL) {
		chat_ring_all(r);
		return chat_append(txn, a->by.now_us, &e, r, NULL);
	}
	rc = chat_nick_find(txn, a->nick, &whom);
	if (rc == -ENOENT)
		return CHAT_NO_SUCH_NICK;
	if (rc < 0)
		return rc;
	e.target = span_str(whom.nick);
	e.peer = span_str(whom.who);
	chat_ring_people(r, whom.who, me->who);
	return chat_append(txn, a->by.now_us, &e, r, NULL);
}

int op_chat_announce(struct store_txn *txn, const void *args, void *result)
{
	const struct chat_announce_args *a = args;
	struct chat_user me = {.flags = 0};
	int rc;

	if (a->kind != CHAT_KILL && a->kind != CHAT_WALLOPS && a->kind != CHAT_BROADCAST)
		return -EINVAL;
	rc = chat_actor_read(txn, &a->by, &me);
	if (rc == 0)
		rc = (me.flags & CHAT_USER_OPER) == 0 ? CHAT_FORBIDDEN
						      : announce(txn, a, &me, result);
	return chat_room_done(txn, result, rc);
}
