/* /commands: the table, and those that are little more than a line to the server. */
#include "client/chat/acts.h"

#include <errno.h>
#include <stdarg.h>

#define SPAN(s) (int)(s).len, (const char *)(s).p

void chatacts_say(struct chatacts *a, const char *format, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	a->face->say(a->arg, text);
}

void chatacts_error(struct chatacts *a, const char *format, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	a->face->error(a->arg, text);
}

struct span chatacts_word(struct span *rest)
{
	struct span word;

	(void)irc_word(rest, ' ', &word);
	*rest = span_trim(*rest);
	return word;
}

void chatacts_send(struct chatacts *a, const char *format, ...)
{
	char line[2048];
	va_list ap;
	int n, r;

	va_start(ap, format);
	n = vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	r = n < 0 || (size_t)n >= sizeof line ? -EMSGSIZE : talk_line(a->talk, "%s", line);
	if (r == -ENOTCONN)
		chatacts_error(a, "there is no line to the server now");
	else if (r < 0)
		chatacts_error(a, "that is too long");
}

const char *chatacts_channel(struct chatacts *a, struct span *rest, char ret[MODEL_NAME_SIZE])
{
	if (talk_is_channel(*rest)) {
		struct span word = chatacts_word(rest);

		if (span_copy_str(word, ret, MODEL_NAME_SIZE) == 0)
			return ret;
	} else if (a->talk->current->kind == WINDOW_CHANNEL) {
		snprintf(ret, MODEL_NAME_SIZE, "%s", a->talk->current->name);
		return ret;
	}
	chatacts_error(a, "which channel? This window is none");
	return NULL;
}

void chatacts_message(struct chatacts *a, const char *target, struct span text, unsigned flags)
{
	int r = talk_say(a->talk, target, text, flags, 0);

	if (r == -EINVAL)
		chatacts_error(a, "nothing can be said to \"%s\"", target);
	else if (r == -ENOSPC)
		chatacts_error(a, "too many messages wait for the line to come back");
	else if (r < 0 && r != -ENODATA)
		chatacts_error(a, "%s", err_text(r));
}

/* -- channels ---------------------------------------------------------------------------------- */

static void cmd_join(struct chatacts *a, struct span words)
{
	struct span names = chatacts_word(&words), rest = names, first;

	/* "/join 0" leaves all of them; servers may know other signs. */
	if (names.len > 0 && (*names.p | 0x20) >= 'a' && (*names.p | 0x20) <= 'z') {
		chatacts_error(a, "the name of a channel begins with #: /join #%.*s", SPAN(names));
		return;
	}
	if (!span_split(&rest, ',', &first) ||
		span_copy_str(first, a->wanted, sizeof a->wanted) < 0 ||
		span_copy_str(words, a->wanted_key, sizeof a->wanted_key) < 0)
		a->wanted[0] = a->wanted_key[0] = '\0';
	chatacts_send(a, "JOIN %.*s%s%.*s", SPAN(names), words.len > 0 ? " " : "", SPAN(words));
	/* The server does not answer those who are in it. */
	chatacts_changed(a);
}

static void cmd_part(struct chatacts *a, struct span words)
{
	char name[MODEL_NAME_SIZE];
	const char *channel = chatacts_channel(a, &words, name);

	if (channel != NULL)
		chatacts_send(a, "PART %s :%.*s", channel, SPAN(words));
}

static void cmd_topic(struct chatacts *a, struct span words)
{
	char name[MODEL_NAME_SIZE];
	const char *channel = chatacts_channel(a, &words, name);
	const struct window *w;

	if (channel == NULL)
		return;
	w = windows_find(&a->talk->model, span_str(channel));
	if (words.len > 0)
		chatacts_send(a, "TOPIC %s :%.*s", channel, SPAN(words));
	else if (w != NULL && w->topic != NULL)
		chatacts_say(a, "topic of %s: %s", channel, w->topic);
	else
		chatacts_say(a, "%s has no topic", channel);
}

static void cmd_invite(struct chatacts *a, struct span words)
{
	struct span nick = chatacts_word(&words);
	char name[MODEL_NAME_SIZE];
	const char *channel = chatacts_channel(a, &words, name);

	if (channel != NULL)
		chatacts_send(a, "INVITE %.*s %s", SPAN(nick), channel);
}

static void cmd_kick(struct chatacts *a, struct span words)
{
	char name[MODEL_NAME_SIZE];
	const char *channel = chatacts_channel(a, &words, name);
	struct span nick = chatacts_word(&words);

	if (channel != NULL && nick.len == 0)
		chatacts_error(a, "whom? /help kick tells");
	else if (channel != NULL)
		chatacts_send(a, "KICK %s %.*s :%.*s", channel, SPAN(nick), SPAN(words));
}

static void cmd_mode(struct chatacts *a, struct span words)
{
	/* "+o bob" is meant for the channel that is looked at. */
	if (words.len > 0 && *words.p != '+' && *words.p != '-')
		chatacts_send(a, "MODE %.*s", SPAN(words));
	else if (a->talk->current->kind == WINDOW_CHANNEL)
		chatacts_send(a, "MODE %s %.*s", a->talk->current->name, SPAN(words));
	else
		chatacts_send(a, "MODE %s %.*s", a->talk->nick, SPAN(words));
}

/* -- people ------------------------------------------------------------------------------------ */

static void said_to(struct chatacts *a, struct span words, unsigned flags)
{
	struct span word = chatacts_word(&words);
	char target[MODEL_NAME_SIZE];

	if (span_copy_str(word, target, sizeof target) < 0 || words.len == 0)
		chatacts_error(a, "say to whom and what");
	else
		chatacts_message(a, target, words, flags);
}

static void cmd_msg(struct chatacts *a, struct span words)
{
	said_to(a, words, 0);
}

static void cmd_notice(struct chatacts *a, struct span words)
{
	said_to(a, words, SAY_NOTICE);
}

static void cmd_me(struct chatacts *a, struct span words)
{
	if (a->talk->current->kind == WINDOW_CHANNEL || a->talk->current->kind == WINDOW_PERSON)
		chatacts_message(a, a->talk->current->name, words, SAY_ACTION);
	else
		chatacts_error(a, "nobody is in this window");
}

static void cmd_who(struct chatacts *a, struct span words)
{
	if (words.len > 0)
		chatacts_send(a, "WHO %.*s", SPAN(words));
	else
		chatacts_send(a, "WHO %s",
			a->talk->current->kind == WINDOW_CHANNEL ? a->talk->current->name : "*");
}

static void cmd_whois(struct chatacts *a, struct span words)
{
	chatacts_send(a, "WHOIS %.*s", SPAN(words));
}

static void cmd_away(struct chatacts *a, struct span words)
{
	chatacts_send(a, "AWAY%s%.*s", words.len > 0 ? " :" : "", SPAN(words));
}

static void cmd_nick(struct chatacts *a, struct span words)
{
	chatacts_send(a, "NICK %.*s", SPAN(words));
}

static void cmd_list(struct chatacts *a, struct span words)
{
	chatacts_send(a, "LIST %.*s", SPAN(words));
}

static void cmd_broadcast(struct chatacts *a, struct span words)
{
	chatacts_send(a, "BROADCAST :%.*s", SPAN(words));
}

static void cmd_quote(struct chatacts *a, struct span words)
{
	chatacts_send(a, "%.*s", SPAN(words));
}

/* -- the client itself ------------------------------------------------------------------------- */

static void cmd_quit(struct chatacts *a, struct span words)
{
	char reason[300] = "";

	(void)span_copy_str(words, reason, sizeof reason);
	talk_leave(a->talk, reason);
}

static void pass_to_calls(struct chatacts *a, const char *name, struct span words)
{
	struct talk *t = a->talk;
	char text[2048];

	if (t->calls_state == NULL || span_copy_str(words, text, sizeof text) < 0 ||
		!t->calls->command(t->calls_state, t->current->name, name, text))
		chatacts_error(a, "/%s: no calls can be made", name);
}

#define CALL(verb)                                                    \
	static void cmd_##verb(struct chatacts *a, struct span words) \
	{                                                             \
		pass_to_calls(a, #verb, words);                       \
	}
CALL(call)
CALL(accept)
CALL(decline)
CALL(send)
CALL(get)
CALL(hangup)

static void cmd_help(struct chatacts *a, struct span words);

const struct chatacts_command chatacts_commands[] = {
	{"join", cmd_join, "#CHANNEL [KEY]", "go into a channel", false, true},
	{"part", cmd_part, "[#CHANNEL] [WHY]", "leave a channel", false, false},
	{"msg", cmd_msg, "NICK|#CHANNEL TEXT", "say something there", true, true},
	{"notice", cmd_notice, "NICK|#CHANNEL TEXT", "the same as a notice", true, true},
	{"query", chatacts_query, "NICK [TEXT]", "talk to somebody in a window", true, true},
	{"me", cmd_me, "TEXT", "say what you do", true, true},
	{"group", chatacts_group, "NAME [NICK ...]",
		"make a channel for those who are invited, and invite them", false, true},
	{"invite", cmd_invite, "NICK [#CHANNEL]", "invite somebody", false, true},
	{"kick", cmd_kick, "[#CHANNEL] NICK [WHY]", "remove somebody", false, true},
	{"topic", cmd_topic, "[#CHANNEL] [TEXT]", "tell or set the topic", false, false},
	{"mode", cmd_mode, "[TARGET] [MODES]", "tell or set modes", false, false},
	{"names", chatacts_names, "[#CHANNEL]", "list who is in a channel", false, false},
	{"who", cmd_who, "[MASK]", "list people", false, false},
	{"whois", cmd_whois, "NICK", "tell who that is", false, true},
	{"list", cmd_list, "[MASK]", "list channels", false, false},
	{"nick", cmd_nick, "NICK", "take another nick", false, true},
	{"away", cmd_away, "[WHY]", "say that you are away, or back", false, false},
	{"redact", chatacts_redact, "[N|ID] [WHY]",
		"take back your last message here, or the N-th from the end", false, false},
	{"history", chatacts_history, "[COUNT]", "show what is older (PageUp)", false, false},
	{"unread", chatacts_unread, "", "list what is unread", true, false},
	{"win", chatacts_win, "[NUMBER|NAME]", "list windows, or go to one", true, false},
	{"close", chatacts_close, "[NUMBER|NAME]", "close a window", true, false},
	{"call", cmd_call, "NICK", "call somebody directly", false, true},
	{"accept", cmd_accept, "[NICK]", "take a call or a file", true, false},
	{"decline", cmd_decline, "[NICK]", "refuse it", true, false},
	{"send", cmd_send, "[NICK] FILE", "offer a file in a call", true, true},
	{"get", cmd_get, "[NICK] [FILE]", "fetch an offered file", true, false},
	{"hangup", cmd_hangup, "[NICK]", "end a call", true, false},
	{"broadcast", cmd_broadcast, "TEXT", "as administrator: tell all", false, true},
	{"quote", cmd_quote, "LINE", "send a line of IRC as it is", false, true},
	{"help", cmd_help, "[COMMAND]", "tell the commands", true, false},
	{"quit", cmd_quit, "[WHY]", "leave", true, false},
	{NULL, NULL, NULL, NULL, false, false},
};

static const struct chatacts_command *command_find(struct span name)
{
	for (const struct chatacts_command *k = chatacts_commands; k->name != NULL; k++)
		if (span_caseeq_str(name, k->name))
			return k;
	return NULL;
}

static void cmd_help(struct chatacts *a, struct span words)
{
	struct span name = chatacts_word(&words);

	if (name.len > 0 && *name.p == '/')
		name = span_of(name.p + 1, name.len - 1);
	if (name.len > 0 && command_find(name) == NULL) {
		chatacts_error(a, "there is no such command");
		return;
	}
	for (const struct chatacts_command *k = chatacts_commands; k->name != NULL; k++)
		if (name.len == 0 || span_caseeq_str(name, k->name))
			chatacts_say(a, "/%s %s: %s", k->name, k->usage, k->help);
}

/* -- a line ------------------------------------------------------------------------------------ */

static bool answered(struct chatacts *a, struct span line)
{
	bool yes = span_caseeq_str(line, "y") || span_caseeq_str(line, "yes");
	bool no = span_caseeq_str(line, "n") || span_caseeq_str(line, "no");

	return (yes || no) && talk_answer(a->talk, yes);
}

void chatacts_said(struct chatacts *a, struct span line)
{
	struct talk *t = a->talk;

	if (t->current->kind == WINDOW_SERVER)
		chatacts_error(a, "nobody is in this window: /join, /query or /win first");
	else if (t->current->kind == WINDOW_CALL && t->calls_state != NULL)
		t->calls->say(t->calls_state, t->current->name, line);
	else if (t->current->kind == WINDOW_CHANNEL && !t->current->joined &&
		t->state == TALK_READY)
		chatacts_error(a, "you are not in %s", t->current->name);
	else
		chatacts_message(a, t->current->name, line, 0);
}

void chatacts_run(struct chatacts *a, const struct chatacts_command *k, struct span words)
{
	if (k->needs_words && words.len == 0)
		chatacts_error(a, "/%s %s", k->name, k->usage);
	else if (!k->offline && a->talk->state != TALK_READY)
		chatacts_error(a, "there is no line to the server now");
	else
		k->run(a, words);
}

void chatacts_changed(struct chatacts *a)
{
	struct window *w;

	if (a->wanted[0] == '\0')
		return;
	w = windows_find(&a->talk->model, span_str(a->wanted));
	if (w == NULL || !w->joined)
		return;
	if (a->wanted_key[0] != '\0')
		snprintf(w->key, sizeof w->key, "%s", a->wanted_key);
	a->wanted[0] = a->wanted_key[0] = '\0';
	a->face->show(a->arg, w);
}

void chatacts_line(struct chatacts *a, struct span line)
{
	const struct chatacts_command *k;
	struct span name;

	if (span_trim(line).len == 0 || answered(a, span_trim(line)))
		return;
	if (*line.p != '/' || (line.len > 1 && line.p[1] == '/')) {
		/* Two slashes: a text that begins with one. */
		chatacts_said(a, *line.p == '/' ? span_of(line.p + 1, line.len - 1) : line);
		return;
	}
	line = span_of(line.p + 1, line.len - 1);
	name = chatacts_word(&line);
	k = command_find(name);
	if (k == NULL)
		chatacts_error(a, "there is no command /%.*s; /help lists them", SPAN(name));
	else
		chatacts_run(a, k, line);
}
