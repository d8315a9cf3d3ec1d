/* The one poll loop: the server, the person, and descriptors of others (calls). */
#include "client/chat/talk.h"

#include "base/timefmt.h"
#include "net/wait.h"

#include <errno.h>
#include <poll.h>

enum { FD_SERVER, FD_SIGNAL, FD_WATCH, FD_FIRST, FDS = FD_FIRST + TALK_SOURCES_MAX };

int talk_source_add(struct talk *t, struct talk_source *s)
{
	if (t->source_count == TALK_SOURCES_MAX)
		return -ENOSPC;
	t->sources[t->source_count++] = s;
	return 0;
}

void talk_source_remove(struct talk *t, struct talk_source *s)
{
	for (size_t i = 0; i < t->source_count; i++) {
		if (t->sources[i] != s)
			continue;
		t->source_count--;
		memmove((void *)(t->sources + i), (void *)(t->sources + i + 1),
			(t->source_count - i) * sizeof(struct talk_source *));
		return;
	}
}

static bool is_there(const struct talk *t, const struct talk_source *s)
{
	for (size_t i = 0; i < t->source_count; i++)
		if (t->sources[i] == s)
			return true;
	return false;
}

/* A round's list is a copy: steps add and remove. */
struct round {
	struct talk_source *sources[TALK_SOURCES_MAX];
	size_t count;
	struct pollfd fds[FDS];
};

static void prepare(struct talk *t, const struct talk_watch *w, struct round *r, int64_t *until_ms)
{
	net_poll(t, &r->fds[FD_SERVER], until_ms);
	r->fds[FD_SIGNAL] = (struct pollfd){.fd = t->client->signal_fd, .events = POLLIN};
	r->fds[FD_WATCH] = (struct pollfd){.fd = w->fd, .events = POLLIN};
	r->count = t->source_count;
	for (size_t i = 0; i < r->count; i++) {
		struct talk_source *s = t->sources[i];

		r->sources[i] = s;
		r->fds[FD_FIRST + i] = (struct pollfd){.fd = s->fd, .events = s->events};
		if (s->until_ms < *until_ms)
			*until_ms = s->until_ms;
	}
}

static int wait_ms(int64_t until_ms)
{
	int64_t left_ms = until_ms - time_monotonic_ms();

	if (until_ms == INT64_MAX)
		return -1;
	return left_ms < 0 ? 0 : left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
}

/* What others did in this round may have given the number of a descriptor to another one: what
 * poll() said at its beginning is asked again. */
static short revents_now(const struct talk_source *s, short before)
{
	struct pollfd p = {.fd = s->fd, .events = s->events};

	if (before == 0 || s->fd < 0 || poll(&p, 1, 0) <= 0)
		return 0;
	return p.revents;
}

static void sources_step(struct talk *t, const struct round *r)
{
	for (size_t i = 0; i < r->count; i++) {
		struct talk_source *s = r->sources[i];
		short revents;

		if (!is_there(t, s))
			continue;
		revents = revents_now(s, r->fds[FD_FIRST + i].revents);
		if (revents != 0 || time_monotonic_ms() >= s->until_ms)
			s->step(s->arg, revents);
	}
}

/* 0, or -ECANCELED after a signal that ends the loop. */
static int round_run(struct talk *t, const struct talk_watch *w, int64_t until_ms)
{
	struct round r = {.count = 0};

	prepare(t, w, &r, &until_ms);
	if (net_wait(r.fds, (nfds_t)(FD_FIRST + r.count), wait_ms(until_ms)) < 0)
		return errno == EINTR ? 0 : -errno;
	if (r.fds[FD_SIGNAL].revents != 0) {
		if (w->signal == NULL)
			return -ECANCELED;
		w->signal(w->arg);
	}
	net_step(t);
	sources_step(t, &r);
	if (r.fds[FD_WATCH].revents != 0 && t->state != TALK_OVER)
		w->ready(w->arg);
	return 0;
}

int talk_loop(struct talk *t, const struct talk_watch *w, int64_t until_ms)
{
	while (t->state != TALK_OVER) {
		int r;

		if (w->stop != NULL && w->stop(w->arg))
			return -1;
		if (time_monotonic_ms() >= until_ms)
			return -1;
		r = round_run(t, w, until_ms);
		if (r < 0)
			return r == -ECANCELED ? CLIENT_INTERRUPTED : ERR_EXIT_TEMP;
	}
	return t->code;
}
