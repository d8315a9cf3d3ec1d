/* What the server says of itself: 001 to 004, MOTD, LUSERS, VERSION, ADMIN, INFO, TIME, LINKS,
 * STATS, HELP. */
#include "services/chatd/chatd.h"

#include "base/cleanup.h"
#include "base/timefmt.h"
#include "store/policy.h"

#include <stdio.h>

enum { MOTD_WIDTH = 80 };

#define USER_MODES "BRiow"
#define VERSION_NAME "quintet-chatd-" QUINTET_VERSION

static const char *host(const struct chatd *c)
{
	return c->service->settings.host;
}

/* -- 001 to 004 -------------------------------------------------------------------------------- */

/* Letters in the order of the alphabet, as far as they are there. */
static void sorted(const char *const *sets, size_t count, char ret[64])
{
	size_t len = 0;

	for (int letter = 'A'; letter <= 'z' && len < 63; letter++)
		for (size_t i = 0; i < count; i++)
			if (strchr(sets[i], letter) != NULL)
				ret[len++] = (char)letter;
	ret[len] = '\0';
}

static void say_my_info(struct chatd *c)
{
	const struct irc_mode_types *m = &chatd_channel_modes;
	const char *const sets[] = {m->lists, m->always, m->when_set, m->prefix, m->never};
	char all[64], arguments[64];

	sorted(sets, 5, all);
	sorted(sets, 4, arguments);
	chatd_numeric(c, 4, "%s %s %s %s %s", host(c), VERSION_NAME, USER_MODES, all, arguments);
}

static void say_motd(struct chatd *c);
static void say_lusers(struct chatd *c);

void chatd_welcome(struct chatd *c)
{
	_cleanup_(buf_done) struct buf at = BUF_INIT(64);

	time_rfc3339_utc(&at, c->created_us);
	chatd_numeric(c, 1, ":Welcome to %s, %s!%s@%s", c->service->settings.domain, c->me.nick,
		c->me.ident, c->me.host);
	chatd_numeric(c, 2, ":Your host is %s, running version %s", host(c), VERSION_NAME);
	chatd_numeric(c, 3, ":Its log goes back to %s", buf_str(&at));
	say_my_info(c);
	chatd_isupport(c);
	say_lusers(c);
	(void)chatd_show_metadata(c, 0);
	say_motd(c);
	if ((c->me.flags & ~(uint32_t)CHAT_USER_AWAY) != 0)
		chatd_say_modes(c);
}

/* -- MOTD -------------------------------------------------------------------------------------- */

/* Broken at blanks. */
static void say_wrapped(struct chatd *c, struct span text)
{
	while (text.len > 0) {
		struct span line = chatd_cut(text, MOTD_WIDTH);

		if (line.len < text.len)
			for (size_t i = line.len; i > 0; i--)
				if (text.p[i] == ' ') {
					line.len = i;
					break;
				}
		if (line.len == 0)
			return;
		chatd_numeric(c, 372, ":- %.*s", CHATD_SPAN(line));
		text = span_trim(span_of(text.p + line.len, text.len - line.len));
	}
}

static void say_motd(struct chatd *c)
{
	char text[POLICY_VALUE_SIZE];

	if (policy_text(c->service->store, "chat_motd", text) < 0 || text[0] == '\0') {
		chatd_numeric(c, 422, ":There is no message of the day");
		return;
	}
	chatd_numeric(c, 375, ":- %s message of the day -", host(c));
	say_wrapped(c, span_str(text));
	chatd_numeric(c, 376, ":End of /MOTD command");
}

/* A server named that is not this one. */
static bool is_elsewhere(struct chatd *c, const struct irc_message *m)
{
	struct span name;

	if (m->count == 0 || m->params[0].len == 0)
		return false;
	name = m->params[0];
	if (irc_eq(name, span_str(host(c))) || irc_eq(name, span_str(c->me.nick)) ||
		memchr(name.p, '*', name.len) != NULL)
		return false;
	chatd_numeric(c, 402, "%s :No such server", chatd_word(name).text);
	return true;
}

int chatd_cmd_motd(struct chatd_call *call)
{
	if (!is_elsewhere(call->c, call->message))
		say_motd(call->c);
	return 0;
}

/* -- LUSERS ------------------------------------------------------------------------------------ */

static int read_counts(struct store_txn *txn, void *arg)
{
	int r = chat_count(txn, arg);

	return r < 0 ? r : 1;
}

static void say_lusers(struct chatd *c)
{
	struct chat_counts n = {.users = 0};

	if (chatd_view(c, read_counts, &n) != 1)
		return;
	chatd_numeric(c, 251, ":There are %llu users and %llu invisible on 1 servers",
		(unsigned long long)(n.users - n.invisible), (unsigned long long)n.invisible);
	chatd_numeric(c, 252, "%llu :operators online", (unsigned long long)n.opers);
	chatd_numeric(c, 254, "%llu :channels formed", (unsigned long long)n.channels);
	chatd_numeric(c, 255, ":I have %llu clients and 1 servers", (unsigned long long)n.users);
	chatd_numeric(c, 265, "%llu %llu :Current local users %llu, max %llu",
		(unsigned long long)n.users, (unsigned long long)n.users_max,
		(unsigned long long)n.users, (unsigned long long)n.users_max);
	chatd_numeric(c, 266, "%llu %llu :Current global users %llu, max %llu",
		(unsigned long long)n.users, (unsigned long long)n.users_max,
		(unsigned long long)n.users, (unsigned long long)n.users_max);
}

int chatd_cmd_lusers(struct chatd_call *call)
{
	say_lusers(call->c);
	return 0;
}

/* -- the rest ---------------------------------------------------------------------------------- */

int chatd_cmd_version(struct chatd_call *call)
{
	char about[POLICY_VALUE_SIZE] = "";
	struct chatd *c = call->c;

	if (is_elsewhere(c, call->message))
		return 0;
	(void)policy_text(c->service->store, "chat_about", about);
	chatd_numeric(c, 351, "%s. %s :%s", VERSION_NAME, host(c), about);
	chatd_isupport(c);
	return 0;
}

int chatd_cmd_admin(struct chatd_call *call)
{
	struct chatd *c = call->c;

	if (is_elsewhere(c, call->message))
		return 0;
	chatd_numeric(c, 256, "%s :Administrative info", host(c));
	chatd_numeric(c, 257, ":Quintet at %s", c->service->settings.domain);
	chatd_numeric(c, 258, ":Accounts are made and looked after by its administrators");
	chatd_numeric(c, 259, ":postmaster@%s", c->service->settings.domain);
	return 0;
}

static const char *const info[] = {
	"Quintet: daytime, files, chat, mail and certificates for a house.",
	"One durable log: everybody sees one order, and nothing that was acknowledged is lost.",
	"Several devices at a time; what one missed is told on coming back.",
	"Log in by certificate (SASL EXTERNAL) or password (SASL PLAIN).",
};

int chatd_cmd_info(struct chatd_call *call)
{
	struct chatd *c = call->c;

	if (is_elsewhere(c, call->message))
		return 0;
	chatd_numeric(c, 371, ":%s", VERSION_NAME);
	for (size_t i = 0; i < sizeof(info) / sizeof(info[0]); i++)
		chatd_numeric(c, 371, ":%s", info[i]);
	chatd_numeric(c, 374, ":End of INFO list");
	return 0;
}

int chatd_cmd_time(struct chatd_call *call)
{
	_cleanup_(buf_done) struct buf now = BUF_INIT(64);
	struct chatd *c = call->c;

	if (is_elsewhere(c, call->message))
		return 0;
	time_http(&now, time_now_us());
	chatd_numeric(c, 391, "%s :%s", host(c), buf_str(&now));
	return 0;
}

/* There is one server, and it is linked to none. */
int chatd_cmd_links(struct chatd_call *call)
{
	chatd_numeric(call->c, 365, "* :End of LINKS list");
	return 0;
}

static void say_uptime(struct chatd *c)
{
	int64_t s = (time_now_us() - c->created_us) / TIME_S_US;

	chatd_numeric(c, 242, ":Server Up %lld days %lld:%02lld:%02lld", (long long)(s / 86400),
		(long long)(s / 3600 % 24), (long long)(s / 60 % 60), (long long)(s % 60));
}

int chatd_cmd_stats(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct chatd *c = call->c;
	struct chatd_word what = chatd_word(m->count > 0 ? m->params[0] : span_of(NULL, 0));

	if (what.text[0] == 'u')
		say_uptime(c);
	if (what.text[0] == 'm')
		chatd_numeric(c, 212, "* %u %llu", c->service->commands,
			(unsigned long long)conn_bytes_in(c->conn));
	chatd_numeric(c, 219, "%s :End of STATS report", what.text);
	return 0;
}

/* -- HELP -------------------------------------------------------------------------------------- */

static void help_all(struct chatd *c)
{
	size_t count;
	const struct chatd_command *commands = chatd_commands(&count);

	chatd_numeric(c, 704, "* :The commands; HELP COMMAND tells more");
	for (size_t i = 0; i < count; i++)
		if ((commands[i].flags & CHATD_OPER) == 0 || chatd_is_oper(c))
			chatd_numeric(c, 705, "* :%s", commands[i].syntax);
	chatd_numeric(c, 706, "* :End of HELP");
}

int chatd_cmd_help(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	size_t count;
	const struct chatd_command *commands = chatd_commands(&count);

	if (m->count == 0 || m->params[0].len == 0) {
		help_all(call->c);
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		if (!irc_is(m->params[0], commands[i].name))
			continue;
		chatd_numeric(call->c, 704, "%s :%s", commands[i].name, commands[i].syntax);
		chatd_numeric(call->c, 705, "%s :%s", commands[i].name, commands[i].help);
		chatd_numeric(call->c, 706, "%s :End of HELP", commands[i].name);
		return 0;
	}
	chatd_numeric(call->c, 524, "%s :There is no help on that", chatd_word(m->params[0]).text);
	return 0;
}
