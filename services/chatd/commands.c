/* Every command with what it takes, and the gate that all lines pass. */
#include "services/chatd/chatd.h"

#include "base/text.h"

#include <errno.h>

enum { LABEL_MAX = 64 };

/* clang-format off */
static const struct chatd_command commands[] = {
	{"PRIVMSG", chatd_cmd_message, 0, CHATD_COLLECTS | CHATD_IN_BATCH | CHATD_FREE,
		"PRIVMSG TARGET[,TARGET...] :TEXT", "A message to channels (#channel, @#channel: its operators) and people."},
	{"NOTICE", chatd_cmd_message, 0, CHATD_COLLECTS | CHATD_IN_BATCH | CHATD_FREE,
		"NOTICE TARGET[,TARGET...] :TEXT", "A message that is never answered by a program."},
	{"TAGMSG", chatd_cmd_message, 0, CHATD_COLLECTS | CHATD_FREE,
		"@+TAG TAGMSG TARGET", "Tags without a text, such as +typing."},
	{"CAP", chatd_cmd_cap, 0, CHATD_ANY_TIME | CHATD_FREE,
		"CAP LS [302] | LIST | REQ :CAPABILITY ... | END", "What client and server both know."},
	{"AUTHENTICATE", chatd_cmd_authenticate, 1, CHATD_ANY_TIME | CHATD_SECRET,
		"AUTHENTICATE PLAIN | EXTERNAL | DATA | *", "Logs in by SASL: with a password, or by your certificate."},
	{"REGISTER", chatd_cmd_register, 3, CHATD_ANY_TIME | CHATD_SECRET,
		"REGISTER NAME|* INVITE|* PASSWORD", "Makes an account; where one has to be invited, the invite goes in the place of the e-mail address."},
	{"VERIFY", chatd_cmd_verify, 2, CHATD_ANY_TIME | CHATD_SECRET,
		"VERIFY NAME CODE", "Accounts need no verification here."},
	{"PASS", chatd_cmd_pass, 1, CHATD_ANY_TIME | CHATD_BEFORE | CHATD_SECRET,
		"PASS [NAME[@DEVICE]:]PASSWORD", "The password of your account, for clients that know no SASL; without a name that of your nick."},
	{"NICK", chatd_cmd_nick, 0, CHATD_ANY_TIME, "NICK NICK", "Takes a nick, or another one."},
	{"USER", chatd_cmd_user, 4, CHATD_ANY_TIME | CHATD_BEFORE,
		"USER USERNAME 0 * :REAL NAME", "Who you are, at the beginning."},
	{"PING", chatd_cmd_ping, 0, CHATD_ANY_TIME | CHATD_FREE, "PING TOKEN", "Is answered by PONG, behind everything that was said before."},
	{"PONG", chatd_cmd_pong, 0, CHATD_ANY_TIME | CHATD_FREE, "PONG TOKEN", "Answers a PING."},
	{"QUIT", chatd_cmd_quit, 0, CHATD_ANY_TIME | CHATD_FREE, "QUIT [:WHY]", "Ends the session."},
	{"JOIN", chatd_cmd_join, 1, 0, "JOIN #CHANNEL[,...] [KEY[,...]] | 0", "Enters channels; one that is not there is made, and is yours. 0: leaves all."},
	{"PART", chatd_cmd_part, 1, 0, "PART #CHANNEL[,...] [:WHY]", "Leaves channels."},
	{"KICK", chatd_cmd_kick, 2, 0, "KICK #CHANNEL NICK[,...] [:WHY]", "Removes somebody from a channel."},
	{"INVITE", chatd_cmd_invite, 0, 0, "INVITE [NICK #CHANNEL]", "Invites somebody to a channel; without arguments: to which you are invited."},
	{"TOPIC", chatd_cmd_topic, 1, 0, "TOPIC #CHANNEL [:TEXT]", "Shows the topic of a channel, or sets it."},
	{"NAMES", chatd_cmd_names, 0, 0, "NAMES [#CHANNEL[,...]]", "Who is in a channel."},
	{"LIST", chatd_cmd_list, 0, 0, "LIST [MASK,>N,<N,C>MINUTES,T<MINUTES ...]", "The channels, or those of them that are asked for."},
	{"MODE", chatd_cmd_mode, 1, 0, "MODE #CHANNEL|NICK [CHANGES [ARGUMENT ...]]", "Shows or changes modes: of channels b e I k l C R i m n s t and the roles o h v; your own B R i w."},
	{"RENAME", chatd_cmd_rename, 2, 0, "RENAME #OLD #NEW [:WHY]", "Gives a channel another name; everything of it stays."},
	{"BATCH", chatd_cmd_batch, 1, CHATD_FREE, "BATCH +REF draft/multiline TARGET | -REF", "Several lines that are one message."},
	{"REDACT", chatd_cmd_redact, 2, 0, "REDACT TARGET MSGID [:WHY]", "Takes a message back."},
	{"CHATHISTORY", chatd_cmd_chathistory, 1, 0, "CHATHISTORY LATEST|BEFORE|AFTER|AROUND|BETWEEN|TARGETS ...", "What was said."},
	{"MARKREAD", chatd_cmd_markread, 0, 0, "MARKREAD TARGET [timestamp=TIME]", "How far you have read, on all your devices."},
	{"METADATA", chatd_cmd_metadata, 2, CHATD_ANY_TIME, "METADATA TARGET GET|LIST|SET|CLEAR|SUB|UNSUB|SUBS|SYNC ...", "What is noted of people and channels."},
	{"WHO", chatd_cmd_who, 0, 0, "WHO MASK [o] [%FIELDS]", "Who is there, or in a channel."},
	{"WHOIS", chatd_cmd_whois, 0, 0, "WHOIS NICK[,...]", "All there is to know of somebody."},
	{"WHOWAS", chatd_cmd_whowas, 0, 0, "WHOWAS NICK [COUNT]", "Who had a nick before."},
	{"USERHOST", chatd_cmd_userhost, 1, 0, "USERHOST NICK ...", "The hosts of people."},
	{"ISON", chatd_cmd_ison, 1, 0, "ISON NICK ...", "Which of them are there."},
	{"MONITOR", chatd_cmd_monitor, 1, 0, "MONITOR +|- NICK[,...] | C | L | S", "Be told when they come and go."},
	{"AWAY", chatd_cmd_away, 0, 0, "AWAY [:TEXT]", "That you are away; without a text: back."},
	{"SETNAME", chatd_cmd_setname, 1, 0, "SETNAME :REAL NAME", "Changes your real name."},
	{"OPER", chatd_cmd_oper, 2, CHATD_SECRET, "OPER NAME PASSWORD", "Makes an administrator an operator of the server."},
	{"KILL", chatd_cmd_kill, 1, CHATD_OPER, "KILL NICK [:WHY]", "Ends somebody's sessions (operators)."},
	{"WALLOPS", chatd_cmd_wallops, 1, CHATD_OPER, "WALLOPS :TEXT", "A message to all who have mode w (operators)."},
	{"BROADCAST", chatd_cmd_broadcast, 1, CHATD_OPER, "BROADCAST :TEXT", "A notice to all who are there (operators)."},
	{"MOTD", chatd_cmd_motd, 0, 0, "MOTD", "The message of the day."},
	{"VERSION", chatd_cmd_version, 0, 0, "VERSION", "What this server is and can do."},
	{"ADMIN", chatd_cmd_admin, 0, 0, "ADMIN", "Who looks after this server."},
	{"INFO", chatd_cmd_info, 0, 0, "INFO", "About this server."},
	{"TIME", chatd_cmd_time, 0, 0, "TIME", "What time it is here."},
	{"LUSERS", chatd_cmd_lusers, 0, 0, "LUSERS", "How many are here."},
	{"LINKS", chatd_cmd_links, 0, 0, "LINKS", "The servers of this network: this one."},
	{"STATS", chatd_cmd_stats, 0, 0, "STATS u|m", "How long the log goes back; your session's figures."},
	{"HELP", chatd_cmd_help, 0, 0, "HELP [COMMAND]", "This."},
	{"HELPOP", chatd_cmd_help, 0, 0, "HELPOP [COMMAND]", "As HELP."},
};
/* clang-format on */

const struct chatd_command *chatd_commands(size_t *ret_count)
{
	*ret_count = sizeof(commands) / sizeof(commands[0]);
	return commands;
}

static const struct chatd_command *find(struct span verb)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (irc_is(verb, commands[i].name))
			return &commands[i];
	return NULL;
}

bool chatd_is_free(struct span line)
{
	const struct chatd_command *command;
	struct irc_message m;

	if (irc_parse(line, IRC_CLIENT_TAGS_MAX, &m) < 0)
		return false;
	command = find(m.verb);
	return command != NULL && (command->flags & CHATD_FREE) != 0;
}

static void log_command(const struct chatd_command *command)
{
	log_event(LOG_LEVEL_DEBUG, "command", log_fields({"COMMAND", span_str(command->name)}));
}

/* May the command be run now? What is not so is said. */
static bool may_run(
	struct chatd *c, const struct chatd_command *command, const struct irc_message *m)
{
	if (!c->registered && (command->flags & CHATD_ANY_TIME) == 0)
		chatd_numeric(c, 451, ":You have not registered");
	else if (c->registered && (command->flags & CHATD_BEFORE) != 0)
		chatd_numeric(c, 462, ":You may not reregister");
	else if ((command->flags & CHATD_OPER) != 0 && !chatd_is_oper(c))
		chatd_numeric(c, 481, ":Permission denied: you are no operator of this server");
	else if (m->count < command->least)
		chatd_numeric(c, 461, "%s :Not enough parameters", command->name);
	else
		return true;
	return false;
}

static void say_unknown(struct chatd *c, struct span verb)
{
	if (c->registered)
		chatd_numeric(c, 421, "%s :Unknown command", chatd_word(verb).text);
	else
		chatd_numeric(c, 451, ":You have not registered");
}

static int run(struct chatd *c, const struct irc_message *m)
{
	const struct chatd_command *command = find(m->verb);
	struct chatd_call call = {.c = c, .message = m};
	struct span batch;
	int r;

	if (command == NULL) {
		say_unknown(c, m->verb);
		return 0;
	}
	c->verb = command->name;
	log_command(command);
	r = chatd_prove_oper(c);
	if (r < 0)
		return r;
	if (!may_run(c, command, m))
		return 0;
	if ((command->flags & CHATD_IN_BATCH) != 0 && irc_tag_find(m->tags, "batch", &batch) == 0)
		return chatd_batch_line(c, m, batch);
	return command->run(&call);
}

/* Does this command, or a label of its own, end the waiting of what is to be posted? */
static bool must_post(const struct irc_message *m, struct span label)
{
	const struct chatd_command *command = find(m->verb);

	return label.len > 0 || command == NULL || (command->flags & CHATD_COLLECTS) == 0;
}

/* The label of a line, as it can be said again: what is longer, or no clean text, is none. */
static struct span label_of(const struct chatd *c, struct span tags)
{
	struct span label;

	if (!chatd_has(c, CAP_LABELED_RESPONSE) || irc_tag_find(tags, "label", &label) < 0 ||
		label.len > LABEL_MAX || !text_is_clean(label))
		return span_of(NULL, 0);
	return label;
}

static void refuse_utf8(struct chatd *c, const char *verb)
{
	chatd_standard(c, "FAIL", verb, "INVALID_UTF8", "", "Only UTF-8 is spoken here");
}

/* A line that is none, or whose first word can be no command's name. */
static int refuse(struct chatd *c, struct span line, int fault)
{
	struct span tags = {NULL, 0}, verb;
	bool utf8 = text_is_utf8(line);

	c->bad++;
	if (fault == -EMSGSIZE) {
		chatd_numeric(c, 417, ":Input line was too long");
		return 0;
	}
	if (line.len > 0 && *line.p == '@' && irc_word(&line, ' ', &tags))
		tags = span_of(tags.p + 1, tags.len - 1);
	if (!irc_word(&line, ' ', &verb))
		verb = SPAN_LIT("*");
	chatd_answer_begin(c, label_of(c, tags));
	if (utf8)
		say_unknown(c, verb);
	else
		refuse_utf8(c, "*");
	chatd_answer_end(c);
	return 0;
}

static int run_utf8(struct chatd *c, struct span line, const struct irc_message *m)
{
	const struct chatd_command *command = find(m->verb);

	if (text_is_utf8(line))
		return run(c, m);
	refuse_utf8(c, command != NULL ? command->name : "*");
	return 0;
}

int chatd_command(struct chatd *c, struct span line)
{
	struct irc_message m;
	struct span label;
	int r = irc_parse(line, IRC_CLIENT_TAGS_MAX, &m);

	if (r == -ENOMSG)
		return 0;
	c->service->commands++;
	if (r < 0)
		return refuse(c, line, r);
	c->bad = 0;
	label = label_of(c, m.tags);
	if (must_post(&m, label)) {
		r = chatd_post(c);
		if (r < 0 || c->quit)
			return r < 0 ? r : 0;
	}
	chatd_answer_begin(c, label);
	r = run_utf8(c, line, &m);
	chatd_answer_end(c);
	c->verb = "*";
	return r < 0 ? r : 0;
}
