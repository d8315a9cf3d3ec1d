/* Waking whom a commit concerns: their bells are gathered in one view, then rung. */
#include "store/bell_i.h"
#include "store/chat_i.h"

#include <errno.h>
#include <stdio.h>

struct gatherer {
	struct store_txn *txn;
	const struct chat_ring *ring;
	uint64_t session; /* left out */
	struct bell_listeners *listeners;
};

static int gather_session(void *arg, const struct chat_session *s)
{
	struct gatherer *g = arg;
	struct bell_args b = {.session_id = s->id};

	if (s->id == g->session || s->bell[0] == '\0')
		return 0;
	memcpy(b.bell, s->bell, sizeof(b.bell));
	(void)snprintf(b.topic, sizeof(b.topic), "%s", CHAT_TOPIC_BELL);
	(void)snprintf(b.service, sizeof(b.service), "%s", CHAT_SERVICE);
	return bell_listeners_add(g->listeners, &b);
}

/* From the members' rows only: who is absent has no session there to be found. */
static int gather_channel(struct gatherer *g)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix = key_chat_member(g->ring->channel);
	struct chat_member m;
	struct span key, value;
	int rc = kv_iter_open(g->txn, key_span(&prefix), key_span(&prefix), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = chat_member_decode(key, value, &m);
		if (rc == 0 && m.joined)
			rc = chat_sessions_each(g->txn, m.who, gather_session, g);
	}
	return rc;
}

static int gather_people(struct gatherer *g)
{
	const size_t count = sizeof(g->ring->who) / sizeof(g->ring->who[0]);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (g->ring->who[i][0] != '\0' &&
			(i == 0 || strcmp(g->ring->who[i], g->ring->who[0]) != 0))
			rc = chat_sessions_each(g->txn, g->ring->who[i], gather_session, g);
	return rc;
}

static int gather_all(struct gatherer *g)
{
	struct bell_listeners *l = g->listeners;
	size_t kept = 0;
	int rc = bell_listeners_topic(g->txn, CHAT_TOPIC_BELL, l);

	for (size_t i = 0; rc == 0 && i < l->count; i++)
		if (l->list[i].session_id != g->session)
			l->list[kept++] = l->list[i];
	if (rc == 0)
		l->count = kept;
	return rc;
}

static int gather_view(struct store_txn *txn, void *arg)
{
	struct gatherer *g = arg;
	int rc = 0;

	g->txn = txn;
	switch (g->ring->scope) {
	case CHAT_RING_ALL:
		return gather_all(g);
	case CHAT_RING_CHANNEL:
		rc = gather_channel(g);
		return rc < 0 ? rc : gather_people(g);
	case CHAT_RING_PEOPLE:
		return gather_people(g);
	default:
		return 0;
	}
}

int chat_ring(struct store *s, const char *runtime, const struct chat_ring *ring, uint64_t session)
{
	_cleanup_(bell_listeners_done) struct bell_listeners l = {.list = NULL};
	struct gatherer g = {.ring = ring, .session = session, .listeners = &l};
	int rc = ring->scope != CHAT_RING_NONE ? store_view(s, gather_view, &g) : 0;

	return rc < 0 ? rc : bell_ring_listeners(s, runtime, &l, NULL);
}
