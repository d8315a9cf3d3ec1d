/* Rows and records of many messages, in bounded views. */
#include "services/maild/imap/gather.h"

#include "base/timefmt.h"

#include <errno.h>

enum { GATHER_SLICE = 2000, PAUSE_MS = 500 };

int gather_pause(struct imap *s, int64_t *at_ms)
{
	int64_t now_ms = time_monotonic_ms();
	int r;

	if (*at_ms == 0)
		*at_ms = now_ms;
	if (now_ms - *at_ms < PAUSE_MS)
		return s->error;
	*at_ms = now_ms;
	r = imap_wait(s, now_ms);
	if (r < 0 && s->error == 0)
		s->error = r;
	return s->error;
}

struct gather {
	struct imap *s;
	const struct imap_picks *picks;
	bool record;
	int (*each)(void *arg, const struct gathered *g);
	void *arg;
	size_t next;
};

static int look(struct store_txn *txn, struct gather *g, uint32_t at)
{
	struct mail_message m;
	struct mime_record record;
	struct span bytes = {NULL, 0};
	int r = mail_message_read(txn, g->s->box.id, g->s->box.uids[at], &m);

	if (r == 0 && g->record)
		r = mail_structure_read(txn, m.blob, &bytes);
	if (r == 0 && g->record)
		r = mime_record_open(bytes, &record);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return g->each(g->arg, &(struct gathered){at, &m, g->record ? &record : NULL});
}

static int slice(struct store_txn *txn, void *arg)
{
	struct gather *g = arg;
	size_t left = g->picks->count - g->next;
	size_t end = left < GATHER_SLICE ? g->picks->count : g->next + GATHER_SLICE;
	int r = 0;

	while (r == 0 && g->next < end)
		r = look(txn, g, g->picks->at[g->next++]);
	return r;
}

int gather_each(struct imap *s, const struct imap_picks *p, bool record,
	int (*each)(void *arg, const struct gathered *g), void *arg)
{
	struct gather g = {s, p, record, each, arg, 0};
	int64_t at_ms = 0;
	int r = 0;

	while (r == 0 && g.next < p->count) {
		r = store_view(s->service->store, slice, &g);
		if (r == 0)
			r = gather_pause(s, &at_ms);
	}
	return r;
}

int64_t gathered_sent_us(const struct gathered *g)
{
	return g->record != NULL && g->record->date_us != INT64_MIN ? g->record->date_us
								    : g->message->date_us;
}
