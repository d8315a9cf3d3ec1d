/* What the person does in the chat: the commands of `quintet chat`, questions, what is said. */
#include "client/console/part_chat.h"

#include "client/peer/peer.h"

#include <errno.h>

enum { COMMANDS_MAX = 64 };

/* -- the commands of quintet chat -------------------------------------------------------------- */

/* Those that the console has itself, for all of its places. */
static bool is_own(const char *name)
{
	static const char *const names[] = {"help", "quit", "win", "close", "unread"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* A script's next line may need what this one has led to: its answer is awaited. */
static void sync_ask(struct chat_part *s)
{
	if (!s->c->scripted || s->talk.state != TALK_READY)
		return;
	snprintf(s->sync, sizeof s->sync, "console-%u", ++s->syncs);
	if (talk_line(&s->talk, "PING :%s", s->sync) == 0)
		s->c->parts[PART_CHAT].busy = 1;
	else
		s->sync[0] = '\0';
}

static void run(struct console *c, const struct chatacts_command *k, struct span words)
{
	struct chat_part *s = chat_of(c);

	if (!s->begun) {
		console_error(c, "/%s: no chat now", k->name);
		return;
	}
	chatacts_run(&s->acts, k, words);
	sync_ask(s);
	s->changed = true;
	chat_wake(s);
}

static void command_run(struct console *c, struct span words)
{
	for (const struct chatacts_command *k = chatacts_commands; k->name != NULL; k++)
		if (strcmp(k->name, c->command) == 0)
			run(c, k, words);
}

/* Where the name means something else elsewhere. */
static unsigned kinds_of(const char *name)
{
	return strcmp(name, "get") == 0 || strcmp(name, "send") == 0 ? 1U << PLACE_CALL : 0;
}

const struct console_command *console_chat_commands(void)
{
	static struct console_command rows[COMMANDS_MAX];
	size_t n = 0;

	if (rows[0].name != NULL)
		return rows;
	for (const struct chatacts_command *k = chatacts_commands;
		k->name != NULL && n + 1 < COMMANDS_MAX; k++)
		if (!is_own(k->name))
			rows[n++] = (struct console_command){k->name, command_run, k->usage,
				k->help, k->offline ? PARTS : PART_CHAT, k->needs_words,
				kinds_of(k->name)};
	return rows;
}

static void face_say(void *arg, const char *text)
{
	const struct chat_part *s = arg;

	console_say(s->c, "%s", text);
}

static void face_error(void *arg, const char *text)
{
	const struct chat_part *s = arg;

	console_error(s->c, "%s", text);
}

static void face_older(void *arg, size_t count)
{
	struct chat_part *s = arg;
	struct window *w = s->talk.current;
	int r;

	if (w->kind != WINDOW_CHANNEL && w->kind != WINDOW_PERSON) {
		console_say(s->c, "there is no history here");
		return;
	}
	r = fill_older(&s->talk, w, count);
	if (r == -ENODATA)
		console_say(s->c, "there is nothing older");
	else if (r < 0)
		console_error(s->c, "history cannot be had now");
}

static void face_show(void *arg, struct window *w)
{
	struct chat_part *s = arg;

	chat_view.focus(s, w);
}

const struct chatacts_face chat_acts_face = {
	.say = face_say, .error = face_error, .show = face_show, .older = face_older};

/* -- what the console calls -------------------------------------------------------------------- */

void chat_say(struct console *c, struct place *p, struct span text)
{
	struct chat_part *s = chat_of(c);
	size_t waiting;

	if (chat_window(s, p) == NULL) {
		console_error(c, "no chat now: that was not said");
		return;
	}
	waiting = s->talk.outgoing_count;
	chatacts_said(&s->acts, text);
	if (s->talk.state != TALK_READY && s->talk.outgoing_count > waiting)
		console_say(c, "that is said when the chat is back");
	chat_wake(s);
}

const char *chat_question(const struct console *c)
{
	const struct chat_part *s = chat_of(c);

	return s != NULL && s->begun && s->talk.question_count > 0 ? s->talk.questions[0].text : "";
}

bool chat_answer(struct console *c, bool yes)
{
	struct chat_part *s = chat_of(c);

	if (*chat_question(c) == '\0')
		return false;
	(void)talk_answer(&s->talk, yes);
	chat_wake(s);
	return true;
}

bool chat_busy(const struct console *c)
{
	const struct chat_part *s = chat_of(c);
	const struct talk *t = &s->talk;

	if (!s->begun || t->state != TALK_READY)
		return false;
	return t->outgoing_count > 0 || t->fill_count > 0 || peer_is_moving(t->calls_state);
}

void chat_older(struct console *c, struct place *p)
{
	struct chat_part *s = chat_of(c);
	struct window *w = chat_window(s, p);

	if (w == NULL || (w->kind != WINDOW_CHANNEL && w->kind != WINDOW_PERSON))
		return;
	if (fill_older(&s->talk, w, CHATACTS_OLDER) == 0)
		chat_wake(s);
}

void chat_seen(struct console *c, struct place *p)
{
	struct chat_part *s = chat_of(c);
	struct window *w = s != NULL ? chat_window(s, p) : NULL;

	if (w == NULL || c->scripted)
		return;
	talk_mark_read(&s->talk, w);
	chat_wake(s);
}

void chat_shown(struct console *c, struct place *p)
{
	struct chat_part *s = chat_of(c);
	struct window *w;

	if (s == NULL || !s->begun)
		return;
	w = chat_window(s, p);
	s->talk.current = w != NULL ? w : s->talk.model.windows[0];
	chat_seen(c, p);
}

void chat_close(struct console *c, struct place *p)
{
	struct chat_part *s = chat_of(c);
	struct window *w = chat_window(s, p);

	if (w == NULL) {
		place_close(c, p);
		return;
	}
	if (w->kind == WINDOW_CALL && chat_has_call(s, w)) {
		console_error(c, "end the call first (/hangup)");
		return;
	}
	if (w->kind == WINDOW_CHANNEL && w->joined)
		(void)talk_line(&s->talk, "PART %s", w->name);
	talk_window_close(&s->talk, w);
	chat_wake(s);
}
