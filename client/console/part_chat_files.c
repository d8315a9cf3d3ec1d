/* Files of calls in the list of transfers. What became of them is said in the call's own place. */
#include "client/console/part_chat.h"

#include "base/timefmt.h"

enum { SHOW_MS = 250 };

static struct chat_file *file_find(struct chat_part *s, const void *id)
{
	for (size_t i = 0; i < CHAT_FILES_MAX; i++)
		if (s->files[i].id == id)
			return &s->files[i];
	return NULL;
}

/* NULL: too many, it moves unseen. */
static struct chat_file *file_begin(struct chat_part *s, const struct talk_file *f)
{
	struct chat_file *k = file_find(s, NULL);
	struct transfer *t = k != NULL ? transfer_new(s->c, f->up, f->name) : NULL;

	if (t == NULL)
		return NULL;
	snprintf(t->peer, sizeof t->peer, "%.63s", f->nick);
	t->state = TRANSFER_RUNS;
	t->size = f->size;
	t->at = f->at;
	*k = (struct chat_file){f->id, t->number, time_monotonic_ms(), f->at};
	return k;
}

static void moved(
	struct console *c, struct chat_file *k, struct transfer *t, const struct talk_file *f)
{
	int64_t now_ms = time_monotonic_ms(), took_ms = now_ms - k->at_ms;

	if (took_ms < SHOW_MS || f->at < k->at)
		return;
	t->at = f->at;
	t->rate = (f->at - k->at) * 1000 / (uint64_t)took_ms;
	k->at_ms = now_ms;
	k->at = f->at;
	console_changed(c);
}

void chat_file(void *arg, const struct talk_file *f)
{
	struct chat_part *s = arg;
	struct chat_file *k = file_find(s, f->id);
	struct transfer *t;

	if (k == NULL)
		k = file_begin(s, f);
	if (k == NULL)
		return;
	t = transfer_find(s->c, k->transfer);
	if (t != NULL && f->over) {
		t->at = f->at;
		t->state = f->whole ? TRANSFER_DONE : TRANSFER_FAILED;
		snprintf(t->why, sizeof t->why, "%s", f->whole ? "verified" : "not whole");
		console_changed(s->c);
	} else if (t != NULL) {
		moved(s->c, k, t, f);
	}
	if (f->over)
		k->id = NULL;
}
