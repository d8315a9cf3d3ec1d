/* /commands: the table, and those that are little more than a line to the server. */
#include "client/chat/ui.h"

#include <errno.h>
#include <stdarg.h>

#define SPAN(s) (int)(s).len, (const char *)(s).p

struct span chatui_word(struct span *rest)
{
	struct span word;

	(void)irc_word(rest, ' ', &word);
	*rest = span_trim(*rest);
	return word;
}

void chatui_send(struct chatui *u, const char *format, ...)
{
	char line[2048];
	va_list ap;
	int n, r;

	va_start(ap, format);
	n = vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	r = n < 0 || (size_t)n >= sizeof line ? -EMSGSIZE : talk_line(&u->talk, "%s", line);
	if (r == -ENOTCONN)
		chatui_error(u, "there is no line to the server now");
	else if (r < 0)
		chatui_error(u, "that is too long");
}

const char *chatui_channel(struct chatui *u, struct span *rest, char ret[MODEL_NAME_SIZE])
{
	if (talk_is_channel(*rest)) {
		struct span word = chatui_word(rest);

		if (span_copy_str(word, ret, MODEL_NAME_SIZE) == 0)
			return ret;
	} else if (u->talk.current->kind == WINDOW_CHANNEL) {
		snprintf(ret, MODEL_NAME_SIZE, "%s", u->talk.current->name);
		return ret;
	}
	chatui_error(u, "which channel? This window is none");
	return NULL;
}

void chatui_message(struct chatui *u, const char *target, struct span text, unsigned flags)
{
	int r = talk_say(&u->talk, target, text, flags, 0);

	if (r == -EINVAL)
		chatui_error(u, "nothing can be said to \"%s\"", target);
	else if (r == -ENOSPC)
		chatui_error(u, "too many messages wait for the line to come back");
	else if (r < 0 && r != -ENODATA)
		chatui_error(u, "%s", err_text(r));
}

/* -- channels ---------------------------------------------------------------------------------- */

static void cmd_join(struct chatui *u, struct span words)
{
	struct span names = chatui_word(&words), rest = names, first;

	if (!span_split(&rest, ',', &first) ||
		span_copy_str(first, u->wanted, sizeof u->wanted) < 0 ||
		span_copy_str(words, u->wanted_key, sizeof u->wanted_key) < 0)
		u->wanted[0] = u->wanted_key[0] = '\0';
	chatui_send(u, "JOIN %.*s%s%.*s", SPAN(names), words.len > 0 ? " " : "", SPAN(words));
}

static void cmd_part(struct chatui *u, struct span words)
{
	char name[MODEL_NAME_SIZE];
	const char *channel = chatui_channel(u, &words, name);

	if (channel != NULL)
		chatui_send(u, "PART %s :%.*s", channel, SPAN(words));
}

static void cmd_topic(struct chatui *u, struct span words)
{
	char name[MODEL_NAME_SIZE];
	const char *channel = chatui_channel(u, &words, name);
	const struct window *w;

	if (channel == NULL)
		return;
	w = windows_find(&u->talk.model, span_str(channel));
	if (words.len > 0)
		chatui_send(u, "TOPIC %s :%.*s", channel, SPAN(words));
	else if (w != NULL && w->topic != NULL)
		chatui_say(u, "topic of %s: %s", channel, w->topic);
	else
		chatui_say(u, "%s has no topic", channel);
}

static void cmd_invite(struct chatui *u, struct span words)
{
	struct span nick = chatui_word(&words);
	char name[MODEL_NAME_SIZE];
	const char *channel = chatui_channel(u, &words, name);

	if (channel != NULL)
		chatui_send(u, "INVITE %.*s %s", SPAN(nick), channel);
}

static void cmd_kick(struct chatui *u, struct span words)
{
	char name[MODEL_NAME_SIZE];
	const char *channel = chatui_channel(u, &words, name);
	struct span nick = chatui_word(&words);

	if (channel != NULL && nick.len == 0)
		chatui_error(u, "whom? /help kick tells");
	else if (channel != NULL)
		chatui_send(u, "KICK %s %.*s :%.*s", channel, SPAN(nick), SPAN(words));
}

static void cmd_mode(struct chatui *u, struct span words)
{
	/* "+o bob" is meant for the channel that is looked at. */
	if (words.len > 0 && *words.p != '+' && *words.p != '-')
		chatui_send(u, "MODE %.*s", SPAN(words));
	else if (u->talk.current->kind == WINDOW_CHANNEL)
		chatui_send(u, "MODE %s %.*s", u->talk.current->name, SPAN(words));
	else
		chatui_send(u, "MODE %s %.*s", u->talk.nick, SPAN(words));
}

/* -- people ------------------------------------------------------------------------------------ */

static void said_to(struct chatui *u, struct span words, unsigned flags)
{
	struct span word = chatui_word(&words);
	char target[MODEL_NAME_SIZE];

	if (span_copy_str(word, target, sizeof target) < 0 || words.len == 0)
		chatui_error(u, "say to whom and what");
	else
		chatui_message(u, target, words, flags);
}

static void cmd_msg(struct chatui *u, struct span words)
{
	said_to(u, words, 0);
}

static void cmd_notice(struct chatui *u, struct span words)
{
	said_to(u, words, SAY_NOTICE);
}

static void cmd_me(struct chatui *u, struct span words)
{
	if (u->talk.current->kind == WINDOW_CHANNEL || u->talk.current->kind == WINDOW_PERSON)
		chatui_message(u, u->talk.current->name, words, SAY_ACTION);
	else
		chatui_error(u, "nobody is in this window");
}

static void cmd_who(struct chatui *u, struct span words)
{
	if (words.len > 0)
		chatui_send(u, "WHO %.*s", SPAN(words));
	else
		chatui_send(u, "WHO %s",
			u->talk.current->kind == WINDOW_CHANNEL ? u->talk.current->name : "*");
}

static void cmd_whois(struct chatui *u, struct span words)
{
	chatui_send(u, "WHOIS %.*s", SPAN(words));
}

static void cmd_away(struct chatui *u, struct span words)
{
	chatui_send(u, "AWAY%s%.*s", words.len > 0 ? " :" : "", SPAN(words));
}

static void cmd_nick(struct chatui *u, struct span words)
{
	chatui_send(u, "NICK %.*s", SPAN(words));
}

static void cmd_list(struct chatui *u, struct span words)
{
	chatui_send(u, "LIST %.*s", SPAN(words));
}

static void cmd_broadcast(struct chatui *u, struct span words)
{
	chatui_send(u, "BROADCAST :%.*s", SPAN(words));
}

static void cmd_quote(struct chatui *u, struct span words)
{
	chatui_send(u, "%.*s", SPAN(words));
}

/* -- the client itself ------------------------------------------------------------------------- */

static void cmd_quit(struct chatui *u, struct span words)
{
	char reason[300] = "";

	(void)span_copy_str(words, reason, sizeof reason);
	talk_leave(&u->talk, reason);
}

static void pass_to_calls(struct chatui *u, const char *name, struct span words)
{
	struct talk *t = &u->talk;
	char text[2048];

	if (t->calls_state == NULL || span_copy_str(words, text, sizeof text) < 0 ||
		!t->calls->command(t->calls_state, t->current->name, name, text))
		chatui_error(u, "/%s: no calls can be made", name);
}

#define CALL(verb)                                                  \
	static void cmd_##verb(struct chatui *u, struct span words) \
	{                                                           \
		pass_to_calls(u, #verb, words);                     \
	}
CALL(call)
CALL(accept)
CALL(decline)
CALL(send)
CALL(get)
CALL(hangup)

static void cmd_help(struct chatui *u, struct span words);

const struct chatui_command chatui_commands[] = {
	{"join", cmd_join, "#CHANNEL [KEY]", "go into a channel", false, true},
	{"part", cmd_part, "[#CHANNEL] [WHY]", "leave a channel", false, false},
	{"msg", cmd_msg, "NICK|#CHANNEL TEXT", "say something there", true, true},
	{"notice", cmd_notice, "NICK|#CHANNEL TEXT", "the same as a notice", true, true},
	{"query", chatui_cmd_query, "NICK [TEXT]", "talk to somebody in a window", true, true},
	{"me", cmd_me, "TEXT", "say what you do", true, true},
	{"group", chatui_cmd_group, "NAME [NICK ...]",
		"make a channel for those who are invited, and invite them", false, true},
	{"invite", cmd_invite, "NICK [#CHANNEL]", "invite somebody", false, true},
	{"kick", cmd_kick, "[#CHANNEL] NICK [WHY]", "remove somebody", false, true},
	{"topic", cmd_topic, "[#CHANNEL] [TEXT]", "tell or set the topic", false, false},
	{"mode", cmd_mode, "[TARGET] [MODES]", "tell or set modes", false, false},
	{"names", chatui_cmd_names, "[#CHANNEL]", "list who is in a channel", false, false},
	{"who", cmd_who, "[MASK]", "list people", false, false},
	{"whois", cmd_whois, "NICK", "tell who that is", false, true},
	{"list", cmd_list, "[MASK]", "list channels", false, false},
	{"nick", cmd_nick, "NICK", "take another nick", false, true},
	{"away", cmd_away, "[WHY]", "say that you are away, or back", false, false},
	{"redact", chatui_cmd_redact, "[N|ID] [WHY]",
		"take back your last message here, or the N-th from the end", false, false},
	{"history", chatui_cmd_history, "[COUNT]", "show what is older (PageUp)", false, false},
	{"unread", chatui_cmd_unread, "", "list what is unread", true, false},
	{"win", chatui_cmd_win, "[NUMBER|NAME]", "list windows, or go to one", true, false},
	{"close", chatui_cmd_close, "[NUMBER|NAME]", "close a window", true, false},
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

static const struct chatui_command *command_find(struct span name)
{
	for (const struct chatui_command *k = chatui_commands; k->name != NULL; k++)
		if (span_caseeq_str(name, k->name))
			return k;
	return NULL;
}

static void cmd_help(struct chatui *u, struct span words)
{
	struct span name = chatui_word(&words);

	if (name.len > 0 && *name.p == '/')
		name = span_of(name.p + 1, name.len - 1);
	if (name.len > 0 && command_find(name) == NULL) {
		chatui_error(u, "there is no such command");
		return;
	}
	for (const struct chatui_command *k = chatui_commands; k->name != NULL; k++)
		if (name.len == 0 || span_caseeq_str(name, k->name))
			chatui_say(u, "/%s %s: %s", k->name, k->usage, k->help);
}

/* -- a line ------------------------------------------------------------------------------------ */

static bool answered(struct chatui *u, struct span line)
{
	bool yes = span_caseeq_str(line, "y") || span_caseeq_str(line, "yes");
	bool no = span_caseeq_str(line, "n") || span_caseeq_str(line, "no");

	return (yes || no) && talk_answer(&u->talk, yes);
}

static void say(struct chatui *u, struct span line)
{
	struct talk *t = &u->talk;

	if (t->current->kind == WINDOW_SERVER)
		chatui_error(u, "nobody is in this window: /join, /query or /win first");
	else if (t->current->kind == WINDOW_CALL && t->calls_state != NULL)
		t->calls->say(t->calls_state, t->current->name, line);
	else if (t->current->kind == WINDOW_CHANNEL && !t->current->joined &&
		t->state == TALK_READY)
		chatui_error(u, "you are not in %s", t->current->name);
	else
		chatui_message(u, t->current->name, line, 0);
}

void chatui_line(struct chatui *u, struct span line)
{
	const struct chatui_command *k;
	struct span name;

	if (span_trim(line).len == 0 || answered(u, span_trim(line)))
		return;
	if (*line.p != '/' || (line.len > 1 && line.p[1] == '/')) {
		/* Two slashes: a text that begins with one. */
		say(u, *line.p == '/' ? span_of(line.p + 1, line.len - 1) : line);
		return;
	}
	line = span_of(line.p + 1, line.len - 1);
	name = chatui_word(&line);
	k = command_find(name);
	if (k == NULL)
		chatui_error(u, "there is no command /%.*s; /help lists them", SPAN(name));
	else if (k->needs_words && line.len == 0)
		chatui_error(u, "/%s %s", k->name, k->usage);
	else if (!k->offline && u->talk.state != TALK_READY)
		chatui_error(u, "there is no line to the server now");
	else
		k->run(u, line);
}
