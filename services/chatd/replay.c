/*
 * What a device missed, sent to clients that do not ask for history themselves: messages of the
 * channels that its person is in, and private ones, since what the device has been sent for
 * certain. Of each channel and talk the last ones; how many more there are is said.
 */
#include "services/chatd/people.h"

#include "base/cleanup.h"

#include <errno.h>

enum {
	KNOWN_MAX = CHATD_HISTORY_MAX, /* messages of one channel or talk, to a known device */
	NEW_MAX = 100, /* to one that was never here */
	COUNT_MAX = 10000, /* beyond that it is not counted how many more there are */
	TALKS_MAX = 500,
};

struct replay {
	struct chatd *c;
	uint64_t seen;
	struct chatd_past past; /* of the target at hand */
};

/* Old requests are not answered again: of CTCP only what is said with ACTION. */
static bool is_missed(const struct chatd *c, const struct chat_event *e)
{
	struct span verb, rest;

	(void)c;
	return !irc_ctcp(e->text, &verb, &rest) || irc_is(verb, "ACTION");
}

static int gather(struct store_txn *txn, struct replay *r, uint64_t after)
{
	struct chat_range range = {.after = after > r->seen ? after : r->seen,
		.before = r->c->seq + 1,
		.max = COUNT_MAX,
		.newest = true,
		.messages_only = true};

	return chatd_past_gather(txn, &range, is_missed, r->c, &r->past);
}

static int say(struct replay *r)
{
	size_t max = r->seen == 0 ? NEW_MAX : KNOWN_MAX, left;
	struct chatd_past shown = r->past;

	if (r->past.count == 0)
		return 0;
	if (r->past.count > max) {
		left = r->past.count - max;
		chatd_notice(r->c, "%.*s: the last %zu messages follow; there are %s%zu more",
			CHATD_SPAN(r->past.name), max,
			r->past.count >= COUNT_MAX ? "at least " : "", left);
		shown.seqs += left;
		shown.count = max;
	}
	return chatd_past_send(r->c, &shown);
}

/* -- channels ---------------------------------------------------------------------------------- */

static int gather_channel(struct store_txn *txn, void *arg)
{
	struct replay *r = arg;
	struct chat_member member;
	int e = chat_member_read(txn, r->past.target.channel, r->c->me.who, &member);

	if (e == 0 && member.joined) {
		r->past.roles = member.roles;
		e = gather(txn, r, member.joined_seq);
	}
	return e < 0 && e != -ENOENT ? e : 1;
}

static int replay_channel(struct replay *r, const struct chatd_room *room)
{
	int e;

	r->past = (struct chatd_past){
		.target = {.channel = room->id}, .name = span_str(room->name), .timed = true};
	e = chatd_view(r->c, gather_channel, r);
	if (e == 1)
		e = say(r);
	chatd_past_done(&r->past);
	return e < 0 ? e : 0;
}

/* -- talks ------------------------------------------------------------------------------------- */

struct talk {
	char who[CHAT_WHO_SIZE];
	char nick[CHAT_NICK_SIZE];
};

struct talks {
	struct replay *replay;
	struct store_txn *txn;
	struct talk *talks;
	size_t count;
};

static int add_talk(void *arg, const char *peer, const struct chat_event *newest)
{
	struct talks *t = arg;
	struct talk *talk = &t->talks[t->count];
	struct chat_user user;
	int r;

	if (newest->seq <= t->replay->seen || t->count == TALKS_MAX)
		return 0;
	r = chat_user_read(t->txn, peer, &user);
	if (r < 0 && r != -ENOENT)
		return r;
	(void)snprintf(talk->who, sizeof(talk->who), "%s", peer);
	if (span_copy_str(r == 0 && user.sessions > 0 ? span_str(user.nick) : span_str(peer),
		    talk->nick, sizeof(talk->nick)) == 0)
		t->count++;
	return 0;
}

static int gather_talks(struct store_txn *txn, void *arg)
{
	struct talks *t = arg;
	int r;

	t->txn = txn;
	r = chat_peers_each(txn, t->replay->c->me.who, add_talk, t);
	return r < 0 ? r : 1;
}

static int gather_talk(struct store_txn *txn, void *arg)
{
	int r = gather(txn, arg, 0);

	return r < 0 ? r : 1;
}

static int replay_talk(struct replay *r, const struct talk *talk)
{
	int e;

	r->past = (struct chatd_past){.name = span_str(talk->nick), .timed = true};
	memcpy(r->past.target.a, r->c->me.who, sizeof(r->past.target.a));
	memcpy(r->past.target.b, talk->who, sizeof(r->past.target.b));
	e = chatd_view(r->c, gather_talk, r);
	if (e == 1)
		e = say(r);
	chatd_past_done(&r->past);
	return e < 0 ? e : 0;
}

static int replay_talks(struct replay *r)
{
	struct talk *talks = calloc(TALKS_MAX, sizeof(*talks));
	struct talks t = {.replay = r, .talks = talks};
	int e;

	if (talks == NULL)
		return -ENOMEM;
	e = chatd_view(r->c, gather_talks, &t);
	for (size_t i = 0; e >= 0 && i < t.count; i++)
		e = replay_talk(r, &talks[i]);
	free(talks);
	return e < 0 ? e : 0;
}

void chatd_rooms_note(const struct chatd *c, struct chatd_rooms_known *ret)
{
	ret->count = 0;
	for (size_t i = 0; i < c->room_count && i < CHAT_JOINED_MAX; i++)
		ret->ids[ret->count++] = c->rooms[i].id;
}

static bool is_known(const struct chatd_rooms_known *known, uint64_t id)
{
	for (size_t i = 0; known != NULL && i < known->count; i++)
		if (known->ids[i] == id)
			return true;
	return false;
}

int chatd_replay(struct chatd *c, uint64_t seen, const struct chatd_rooms_known *known)
{
	struct replay r = {.c = c, .seen = seen};
	int e = 0;

	if (chat_is_guest(c->me.who) || chatd_has(c, CAP_CHATHISTORY))
		return 0;
	for (size_t i = 0; e == 0 && i < c->room_count; i++)
		if (!is_known(known, c->rooms[i].id))
			e = replay_channel(&r, &c->rooms[i]);
	return e == 0 ? replay_talks(&r) : e;
}
