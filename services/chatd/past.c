/*
 * History on its way to the client. Positions are gathered in one snapshot; the events are rendered
 * in further ones, each as long as the output takes them, so that no snapshot is held while a slow
 * client is waited for.
 */
#include "services/chatd/people.h"

#include "base/cleanup.h"

#include <errno.h>

enum { UNSENT_MAX = 65536, GROWTH = 64 };

void chatd_past_done(struct chatd_past *p)
{
	free(p->seqs);
	p->seqs = NULL;
	p->count = 0;
}

static int append(struct chatd_past *p, uint64_t seq)
{
	if (p->count % GROWTH == 0) {
		uint64_t *grown = reallocarray(p->seqs, p->count + GROWTH, sizeof(*grown));

		if (grown == NULL)
			return -ENOMEM;
		p->seqs = grown;
	}
	p->seqs[p->count++] = seq;
	return 0;
}

int chatd_past_append(struct chatd_past *p, const struct chatd_past *behind)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < behind->count; i++)
		r = append(p, behind->seqs[i]);
	return r;
}

struct gathering {
	struct chatd_past *past;
	bool (*only)(const struct chatd *c, const struct chat_event *e);
	const struct chatd *c;
};

/* What was said to those of a role is read by those who have it now, and who said it. */
static bool may_read(const struct gathering *g, const struct chat_event *e)
{
	static const struct {
		char sign;
		unsigned roles;
	} least[] = {{'@', CHAT_OP}, {'%', CHAT_OP | CHAT_HALFOP},
		{'+', CHAT_OP | CHAT_HALFOP | CHAT_VOICE}};

	if (e->status == '\0' || span_eq_str(e->who, g->c->me.who))
		return true;
	for (size_t i = 0; i < sizeof(least) / sizeof(*least); i++)
		if (least[i].sign == e->status)
			return (g->past->roles & least[i].roles) != 0;
	return false;
}

static int gather_one(void *arg, const struct chat_event *e)
{
	struct gathering *g = arg;

	if ((e->flags & CHAT_EVENT_REDACTED) != 0 || !may_read(g, e) ||
		(g->only != NULL && !g->only(g->c, e)))
		return 0;
	return append(g->past, e->seq);
}

/* Two guests have no history: that is none, not an error. */
int chatd_past_gather(struct store_txn *txn, const struct chat_range *range,
	bool (*only)(const struct chatd *c, const struct chat_event *e), const struct chatd *c,
	struct chatd_past *p)
{
	struct gathering g = {.past = p, .only = only, .c = c};
	int r = p->target.channel == 0 && chat_is_guest(p->target.a) && chat_is_guest(p->target.b)
		? 0
		: chat_log_each(txn, &p->target, range, gather_one, &g);

	return r < 0 ? r : 0;
}

struct sending {
	struct chatd *c;
	const struct chatd_past *past;
	const char *batch;
	size_t next;
};

/* What was redacted, or is too old, meanwhile stays out. */
static int send_some(struct store_txn *txn, void *arg)
{
	struct sending *s = arg;
	struct chatd_rendering rendering = {.batch = s->batch[0] != '\0' ? s->batch : NULL,
		.replay = true,
		.channel = s->past->target.channel,
		.timed = s->past->timed && !chatd_has(s->c, CAP_SERVER_TIME),
		.txn = txn};
	struct chat_event e;

	while (s->next < s->past->count && s->c->unsent < UNSENT_MAX) {
		int r = chat_event_read(txn, s->past->seqs[s->next++], &e);

		if (r < 0 && r != -ENOENT)
			return r;
		if (r == 0 && (e.flags & CHAT_EVENT_REDACTED) == 0)
			chatd_render(s->c, &e, &rendering);
	}
	return 1;
}

int chatd_past_send(struct chatd *c, const struct chatd_past *p)
{
	char batch[16];
	struct sending s = {.c = c, .past = p, .batch = batch};
	int r = 1;

	chatd_batch_open(c, &(struct chatd_tags){.at_us = 0},
		&(struct chatd_batch){.type = "chathistory", .params = p->name}, batch);
	while (r == 1 && s.next < p->count) {
		if (c->unsent >= UNSENT_MAX) {
			r = conn_flush(c->conn);
			if (r < 0)
				return r;
			c->unsent = 0;
		}
		r = chatd_view(c, send_some, &s);
	}
	chatd_batch_end(c, batch);
	return r < 0 ? r : 0;
}
