/*
 * CHAT_POST: who may send messages where, and the events they become. A burst mostly goes to one
 * target: what was found out about it is kept from one message to the next, so that each costs its
 * event and its mark.
 */
#include "store/chat_i.h"

#include <errno.h>

#define SPOKE_STEP_US INT64_C(1000000)

enum {
	KINDS_MAX = CHAT_TAGMSG,
	TAGS_MAX = 4094,
	FLAGS = CHAT_EVENT_PASSING | CHAT_EVENT_MULTILINE | CHAT_EVENT_STAMPED,
};

/* Where messages go, as it is for this person in this commit. */
struct destination {
	struct span target; /* as given; p NULL: none yet */
	bool channel;
	enum chat_answer answer; /* of everything but the message's own kind */
	bool no_ctcp;
	bool inside; /* is in the channel */
	struct chat_channel room;
	struct chat_user person;
	bool noted; /* as somebody one has talked to */
};

struct poster {
	struct store_txn *txn;
	const struct chat_post_args *args;
	struct chat_user me;
	bool stamps; /* the session has shown a key */
	unsigned char spki_sha256[32];
	struct chat_flood flood;
	struct destination to;
	struct chat_post_result *ret;
};

/* -- where ------------------------------------------------------------------------------------- */

/* Is one kept from speaking by a ban or a mute, without an exception? 1, 0 or negative. */
static int silenced(struct poster *p, uint64_t channel)
{
	int rc = chat_list_matches(p->txn, channel, CHAT_LIST_BAN, &p->me, true);

	if (rc <= 0)
		return rc;
	rc = chat_list_matches(p->txn, channel, CHAT_LIST_EXCEPT, &p->me, true);
	return rc < 0 ? rc : rc == 0;
}

static int judge_channel(struct poster *p, struct destination *d)
{
	struct chat_member m = {.joined = false};
	uint32_t modes = d->room.modes;
	int rc = chat_member_read(p->txn, d->room.id, p->me.who, &m);

	if (rc < 0 && rc != -ENOENT)
		return rc;
	d->inside = rc == 0 && m.joined;
	d->no_ctcp = (modes & CHAT_MODE_NO_CTCP) != 0;
	d->answer = CHAT_DONE;
	if (p->args->override || (d->inside && m.roles != 0))
		return 0;
	if ((!d->inside && (modes & CHAT_MODE_NO_EXTERNAL) != 0) ||
		(modes & CHAT_MODE_MODERATED) != 0)
		d->answer = CHAT_CANNOT_SEND;
	else if ((modes & CHAT_MODE_REGISTERED) != 0 && chat_is_guest(p->me.who))
		d->answer = CHAT_REGISTERED_ONLY;
	if (d->answer != CHAT_DONE)
		return 0;
	rc = silenced(p, d->room.id);
	if (rc == 1)
		d->answer = CHAT_CANNOT_SEND;
	return rc < 0 ? rc : 0;
}

/* +R keeps guests out, but for those to whom one has written. */
static int judge_person(struct poster *p, struct destination *d)
{
	int rc;

	d->answer = CHAT_DONE;
	if ((d->person.flags & CHAT_USER_REGISTERED_ONLY) == 0 || !chat_is_guest(p->me.who) ||
		p->args->override || strcmp(p->me.who, d->person.who) == 0)
		return 0;
	rc = chat_peers_wrote(p->txn, d->person.who, p->me.who);
	if (rc == 0)
		d->answer = CHAT_REGISTERED_ONLY;
	return rc < 0 ? rc : 0;
}

/* The ring of all so far and of this target too. */
static void ring_more(struct poster *p, const struct destination *d)
{
	struct chat_result *r = &p->ret->result;
	struct chat_result one = {.head = 0};

	if (d->channel)
		chat_ring_channel(&one, d->room.id, d->inside ? "" : p->me.who);
	else
		chat_ring_people(&one, p->me.who, d->person.who);
	if (r->ring.scope == CHAT_RING_NONE)
		r->ring = one.ring;
	else if (r->ring.scope != one.ring.scope || r->ring.channel != one.ring.channel ||
		strcmp(r->ring.who[0], one.ring.who[0]) != 0 ||
		strcmp(r->ring.who[1], one.ring.who[1]) != 0)
		chat_ring_all(r);
}

static int find_target(struct poster *p, struct span target)
{
	struct destination *d = &p->to;
	int rc;

	if (d->target.p != NULL && span_eq(d->target, target))
		return 0;
	*d = (struct destination){.target = target};
	d->channel = target.len > 0 && target.p[0] == '#';
	if (d->channel)
		rc = chat_channel_find(p->txn, target, &d->room);
	else
		rc = chat_addressee_find(p->txn, target, &d->person);
	if (rc == -ENOENT) {
		d->answer = d->channel ? CHAT_NO_SUCH_CHANNEL : CHAT_NO_SUCH_NICK;
		return 0;
	}
	if (rc < 0)
		return rc;
	return d->channel ? judge_channel(p, d) : judge_person(p, d);
}

/* -- what -------------------------------------------------------------------------------------- */

/* CTCP other than ACTION. */
static bool is_ctcp(struct span line)
{
	static const char action[] = "\001ACTION";
	const size_t len = sizeof(action) - 1;

	if (!span_starts(line, "\001"))
		return false;
	if (!span_starts(line, action))
		return true;
	return line.len > len && line.p[len] != ' ' && line.p[len] != '\001';
}

static bool has_ctcp(const struct chat_post *post)
{
	struct span rest = post->text, line;
	bool concat;

	if ((post->flags & CHAT_EVENT_MULTILINE) == 0)
		return is_ctcp(post->text);
	while (chat_line_next(&rest, &line, &concat))
		if (is_ctcp(line))
			return true;
	return false;
}

/* Lines as chat_line_next() reads them, or one without an end. */
static bool text_ok(const struct chat_post *post)
{
	struct span rest = post->text;
	const unsigned char *end;

	if (rest.len > CHAT_TEXT_MAX)
		return false;
	if ((post->flags & CHAT_EVENT_MULTILINE) == 0)
		return rest.len == 0 || memchr(rest.p, '\n', rest.len) == NULL;
	while (rest.len > 0) {
		end = memchr(rest.p, '\n', rest.len);
		if (end == NULL || end == rest.p || rest.p[0] > 1)
			return false;
		rest = span_of(end + 1, rest.len - (size_t)(end + 1 - rest.p));
	}
	return post->text.len > 0;
}

static bool post_ok(const struct chat_post *post)
{
	return post->kind >= CHAT_PRIVMSG && (int)post->kind <= KINDS_MAX &&
		(post->flags & ~(unsigned)FLAGS) == 0 && post->tags.len <= TAGS_MAX &&
		(post->status == 0 || post->status == '@' || post->status == '%' ||
			post->status == '+') &&
		(post->kind != CHAT_TAGMSG || post->text.len == 0) && text_ok(post);
}

/* Why this message may not go there; CHAT_DONE: it may. */
static enum chat_answer judge_message(const struct poster *p, const struct chat_post *post)
{
	const struct destination *d = &p->to;

	if (d->answer != CHAT_DONE)
		return d->answer;
	if ((post->flags & CHAT_EVENT_PASSING) != 0 && !d->channel && d->person.sessions == 0)
		return CHAT_NO_SUCH_NICK;
	if (post->status != 0 && (!d->channel || (!d->inside && !p->args->override)))
		return CHAT_CANNOT_SEND;
	if (d->channel && d->no_ctcp && post->kind != CHAT_TAGMSG && has_ctcp(post))
		return CHAT_NO_CTCP;
	return CHAT_DONE;
}

/* -- the event --------------------------------------------------------------------------------- */

static int append(struct poster *p, const struct chat_post *post, uint64_t *ret_seq)
{
	struct destination *d = &p->to;
	struct chat_event e = {.kind = post->kind};
	int rc;

	chat_event_source(&e, &p->me);
	e.flags |= post->flags & (CHAT_EVENT_PASSING | CHAT_EVENT_MULTILINE);
	if ((post->flags & CHAT_EVENT_STAMPED) != 0 && p->stamps) {
		e.flags |= CHAT_EVENT_STAMPED;
		memcpy(e.spki_sha256, p->spki_sha256, sizeof(e.spki_sha256));
	}
	e.session = p->args->by.session;
	e.channel = d->channel ? d->room.id : 0;
	e.target = span_str(d->channel ? d->room.name : d->person.nick);
	e.peer = d->channel ? span_of(NULL, 0) : span_str(d->person.who);
	e.status = post->status;
	e.text = post->text;
	e.tags = post->tags;
	rc = chat_append(p->txn, p->args->by.now_us, &e, &p->ret->result, ret_seq);
	if (rc == 0 && !d->channel && !d->noted && (post->flags & CHAT_EVENT_PASSING) == 0) {
		d->noted = true;
		rc = chat_peers_note(p->txn, p->me.who, d->person.who);
	}
	return rc;
}

static int post_one(struct poster *p, size_t i)
{
	const struct chat_post *post = &p->args->posts[i];
	enum chat_answer answer;
	int rc = find_target(p, post->target);

	if (rc < 0)
		return rc;
	answer = judge_message(p, post);
	if (answer == CHAT_DONE)
		answer = chat_flood_take(
			&p->flood, post->text.len + post->tags.len, &p->ret->result.wait_ms);
	p->ret->each[i] = answer;
	if (answer != CHAT_DONE)
		return 0;
	if (!p->to.channel && post->kind == CHAT_PRIVMSG &&
		(p->to.person.sessions == 0 || (p->to.person.flags & CHAT_USER_AWAY) != 0))
		p->ret->away[i] = 1;
	ring_more(p, &p->to);
	return append(p, post, &p->ret->seq[i]);
}

/* -- the operation ----------------------------------------------------------------------------- */

static int begin(struct poster *p)
{
	const struct chat_post_args *a = p->args;
	struct chat_session s = {.id = 0};
	int rc = chat_result_open(p->txn, &p->ret->result);

	if (rc == 0)
		rc = chat_actor_read(p->txn, &a->by, &p->me);
	if (rc == 0)
		rc = chat_session_read(p->txn, a->by.session, &s);
	if (rc == 0) {
		memcpy(p->spki_sha256, s.spki_sha256, sizeof(p->spki_sha256));
		for (size_t i = 0; i < sizeof(s.spki_sha256); i++)
			p->stamps = p->stamps || s.spki_sha256[i] != 0;
		rc = chat_flood_open(p->txn, &a->by, a->source, &p->flood);
	}
	return rc;
}

/* For WHOIS: when one spoke last, to the second. */
static int note_spoke(struct poster *p)
{
	int64_t now_us = p->args->by.now_us, passed_us = now_us - p->me.spoke_us;

	if (passed_us >= 0 && passed_us < SPOKE_STEP_US)
		return 0;
	p->me.spoke_us = now_us;
	return chat_user_write(p->txn, &p->me);
}

int op_chat_post(struct store_txn *txn, const void *args, void *result)
{
	const struct chat_post_args *a = args;
	struct poster p = {.txn = txn, .args = a, .ret = result};
	bool posted = false, flood = false;
	int rc = 0;

	if (a->count == 0 || a->count > CHAT_POSTS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < a->count; i++)
		if (!post_ok(&a->posts[i]))
			return -EINVAL;
	rc = begin(&p);
	for (size_t i = 0; rc == 0 && i < a->count; i++) {
		p.ret->each[i] = CHAT_FLOOD;
		if (!flood)
			rc = post_one(&p, i);
		posted = posted || p.ret->each[i] == CHAT_DONE;
		flood = flood || p.ret->each[i] == CHAT_FLOOD;
	}
	p.ret->result.answer = posted ? CHAT_DONE : p.ret->each[0];
	if (rc == 0 && posted)
		rc = chat_flood_close(txn, &p.flood);
	if (rc == 0 && posted)
		rc = note_spoke(&p);
	return rc;
}
