/* The chat's task: a talk that comes back by itself; when it cannot, another one. See part_chat.h.
 */
#include "client/console/part_chat.h"

#include "base/timefmt.h"
#include "client/peer/peer.h"

#include <errno.h>
#include <limits.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LOOK_MS = 600000, SCROLLBACK = 50 };

void chat_wake(struct chat_part *s)
{
	(void)eventfd_write(s->wake_fd, 1);
}

/* -- what the talk tells ----------------------------------------------------------------------- */

static void on_ready(void *arg)
{
	struct chat_part *s = arg;
	struct part *part = &s->c->parts[PART_CHAT];
	bool first = part->state != PART_UP && part->losses == 0;

	if (first)
		console_say(s->c, "chat: %s at %s, %s", s->talk.nick, s->talk.profile->host,
			s->talk.security);
	part_up(s->c, PART_CHAT);
}

static void on_lost(void *arg, const char *why, unsigned in_s)
{
	struct chat_part *s = arg;
	struct part *part = &s->c->parts[PART_CHAT];

	s->sync[0] = '\0';
	part->busy = 0;
	part_lost(s->c, PART_CHAT, "%s", why);
	part->retry_ms = time_monotonic_ms() + INT64_C(1000) * in_s;
	if (s->identities != s->c->identities && talk_identity(&s->talk) == 0)
		s->identities = s->c->identities;
}

static void on_changed(void *arg)
{
	struct chat_part *s = arg;

	s->changed = true;
	chatacts_changed(&s->acts);
	console_changed(s->c);
}

static void on_focus(void *arg, struct window *w)
{
	struct chat_part *s = arg;
	struct place *p = chat_place(s, w);

	place_show(s->c, p != NULL ? p : s->c->places[0]);
}

static void on_pong(void *arg, struct span token)
{
	struct chat_part *s = arg;

	if (s->sync[0] == '\0' || !span_eq_str(token, s->sync))
		return;
	s->sync[0] = '\0';
	s->c->parts[PART_CHAT].busy = 0;
}

static void on_closing(void *arg, struct window *w)
{
	chat_place_gone(arg, w);
}

const struct talk_view chat_view = {.ready = on_ready,
	.lost = on_lost,
	.item = chat_item,
	.page = chat_page,
	.changed = on_changed,
	.redacted = chat_redacted,
	.focus = on_focus,
	.pong = on_pong,
	.file = chat_file,
	.closing = on_closing};

/* -- the loop ---------------------------------------------------------------------------------- */

static void woken(void *arg)
{
	const struct chat_part *s = arg;
	eventfd_t n;

	(void)eventfd_read(s->wake_fd, &n);
}

static void poked(struct console *c)
{
	chat_wake(chat_of(c));
}

/* Each round. True: it is over. */
static bool each_round(void *arg)
{
	struct chat_part *s = arg;
	struct part *part = &s->c->parts[PART_CHAT];
	struct talk *t = &s->talk;

	if (s->c->leaving && !t->leaving)
		talk_leave(t, "");
	if (t->state == TALK_OVER)
		return true;
	if (t->state == TALK_OFF && part->state == PART_WAITING && part->retry_ms == 0)
		t->until_ms = 0;
	if (t->state > TALK_OFF && t->state < TALK_READY && part->state == PART_WAITING)
		part_trying(s->c, PART_CHAT);
	if (s->changed)
		chat_places_sync(s);
	return false;
}

static int talk_run(struct chat_part *s)
{
	const struct talk_watch watch = {
		.fd = s->wake_fd, .ready = woken, .stop = each_round, .arg = s};
	struct talk *t = &s->talk;
	int code = talk_prepare(t);

	if (code != CLIENT_OK)
		return code;
	s->identities = s->c->identities;
	if (t->calls->begin(t, &t->calls_state) < 0)
		return client_fail(ERR_EXIT_TEMP, "%s", err_text(-ENOMEM));
	code = talk_loop(t, &watch, INT64_MAX);
	if (code > 0 && t->reason[0] != '\0' && !s->c->leaving)
		snprintf(s->c->parts[PART_CHAT].why, sizeof s->c->parts[PART_CHAT].why, "%.200s",
			t->reason);
	return code;
}

/* One talk, from its beginning to its end. */
static int talk_live(struct chat_part *s)
{
	const struct talk_options options = {.retries = UINT_MAX,
		.scrollback = SCROLLBACK,
		.people = true,
		.calls = &peer_calls};
	int code;

	if (talk_begin(&s->talk, &s->client, &s->c->profile, &options, &chat_view, s) < 0)
		return client_fail(ERR_EXIT_TEMP, "%s", err_text(-ENOMEM));
	s->begun = true;
	code = talk_run(s);
	/* It still asks nobody, but tells what is over. */
	talk_done(&s->talk);
	s->begun = false;
	chat_places_forget(s);
	s->acts.wanted[0] = '\0';
	s->c->parts[PART_CHAT].busy = 0;
	return code;
}

static bool is_offered(const struct console *c)
{
	return directory_door(&c->profile.doors, "ircs") != NULL;
}

static void chat_task(void *arg)
{
	struct chat_part *s = arg;
	struct console *c = s->c;

	while (!c->leaving) {
		if (!is_offered(c)) {
			part_absent(c, PART_CHAT);
			if (task_pause(LOOK_MS) == -ECANCELED)
				return;
			continue;
		}
		part_trying(c, PART_CHAT);
		(void)talk_live(s);
		if (c->leaving)
			return;
		part_lost(c, PART_CHAT, "%s", c->parts[PART_CHAT].why);
		if (part_wait(c, PART_CHAT) < 0)
			return;
	}
}

int part_chat_begin(struct console *c)
{
	struct chat_part *s = calloc(1, sizeof *s);

	if (s == NULL)
		return -ENOMEM;
	s->c = c;
	s->client = *c->client;
	s->client.signal_fd = -1;
	s->acts = (struct chatacts){.talk = &s->talk, .face = &chat_acts_face, .arg = s};
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->part_state[PART_CHAT] = s;
	c->parts[PART_CHAT].poked = poked;
	if (s->wake_fd < 0)
		return -errno;
	return task_start("chat", chat_task, s, &c->parts[PART_CHAT].task);
}

void part_chat_end(struct console *c)
{
	struct chat_part *s = chat_of(c);

	if (s == NULL)
		return;
	cleanup_close(&s->wake_fd);
	free(s);
	c->part_state[PART_CHAT] = NULL;
}
