/* CHATHISTORY TARGETS: where there is history, by the time of the last message. */
#include "services/chatd/history.h"

#include "base/cleanup.h"

#include <errno.h>

enum { NAME_MAX_LEN = CHAT_CHANNEL_SIZE, GROWTH = 32 };

struct place {
	char name[NAME_MAX_LEN];
	uint64_t seq;
	int64_t at_us;
};

struct targets {
	struct history *history;
	int64_t from_us, to_us;
	struct store_txn *txn;
	struct place *places; /* owned */
	size_t count;
};

static int64_t floor_ms(int64_t at_us)
{
	return at_us - at_us % 1000;
}

static int add(struct targets *t, const char *name, const struct chat_event *newest)
{
	int64_t at_us = floor_ms(newest->at_us);

	if (at_us <= t->from_us || at_us >= t->to_us)
		return 0;
	if (t->count % GROWTH == 0) {
		struct place *grown =
			reallocarray(t->places, t->count + GROWTH, sizeof(*t->places));

		if (grown == NULL)
			return -ENOMEM;
		t->places = grown;
	}
	t->places[t->count] = (struct place){.seq = newest->seq, .at_us = newest->at_us};
	(void)snprintf(t->places[t->count].name, sizeof(t->places[t->count].name), "%s", name);
	t->count++;
	return 0;
}

static int add_channel(void *arg, const struct chat_member *m, const struct chat_channel *channel)
{
	struct targets *t = arg;
	struct chat_target target = {.channel = m->channel};
	struct chat_event newest;
	int r = chat_log_newest(t->txn, &target, &newest);

	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : add(t, channel->name, &newest);
}

/* A person is shown by the nick that reaches them; a guest who has left has none. */
static int add_peer(void *arg, const char *peer, const struct chat_event *newest)
{
	struct targets *t = arg;
	struct chat_user user;
	int r = chat_user_read(t->txn, peer, &user);
	bool there = r == 0 && user.sessions > 0;

	if (r < 0 && r != -ENOENT)
		return r;
	if (!there && chat_is_guest(peer))
		return 0;
	return add(t, there ? user.nick : peer, newest);
}

static int by_seq(const void *a, const void *b)
{
	const struct place *first = a, *second = b;

	return first->seq < second->seq ? -1 : first->seq > second->seq;
}

static int gather(struct store_txn *txn, void *arg)
{
	struct targets *t = arg;
	const char *who = t->history->c->me.who;
	int r;

	t->txn = txn;
	r = chat_joined_each(txn, who, add_channel, t);
	if (r >= 0 && !chat_is_guest(who))
		r = chat_peers_each(txn, who, add_peer, t);
	return r < 0 ? r : 1;
}

/* Backwards (the later time first) the limit leaves the last ones. */
static void say(const struct targets *t, bool backwards)
{
	struct chatd *c = t->history->c;
	size_t limit = t->history->limit, skip;
	char ref[16], time[IRC_TIME_SIZE], text[IRC_BODY_MAX];

	skip = backwards && t->count > limit ? t->count - limit : 0;
	chatd_batch_begin(c, "draft/chathistory-targets", "", ref);
	for (size_t i = skip; i < t->count && i < skip + limit; i++) {
		irc_time_write(t->places[i].at_us, time);
		(void)snprintf(text, sizeof(text), ":%s CHATHISTORY TARGETS %s %s",
			c->service->settings.host, t->places[i].name, time);
		chatd_send(c, &(struct chatd_tags){.batch = ref}, span_str(text));
	}
	chatd_batch_end(c, ref);
}

int history_targets(struct history *h, const struct irc_message *m)
{
	struct targets t = {.history = h};
	bool backwards;
	int r;

	if (m->count != 4) {
		history_refuse(h, "INVALID_PARAMS", span_of(NULL, 0),
			m->count < 4 ? "Insufficient parameters" : "Too many parameters");
		return 0;
	}
	for (size_t i = 1; i <= 2; i++)
		if (!history_time(m->params[i], i == 1 ? &t.from_us : &t.to_us)) {
			history_refuse(h, "INVALID_PARAMS", m->params[i],
				"\"timestamp=YYYY-MM-DDThh:mm:ss.sssZ\" is wanted");
			return 0;
		}
	if (!history_limit(h, m->params[3], &h->limit))
		return 0;
	backwards = t.from_us > t.to_us;
	if (backwards) {
		int64_t later_us = t.from_us;

		t.from_us = t.to_us;
		t.to_us = later_us;
	}
	r = chatd_view(h->c, gather, &t);
	if (r == 1 && t.count > 0)
		qsort(t.places, t.count, sizeof(*t.places), by_seq);
	if (r == 1)
		say(&t, backwards);
	free(t.places);
	return r < 0 ? r : 0;
}
