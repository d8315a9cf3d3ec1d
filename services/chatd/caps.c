/* Capabilities (IRCv3 capability-negotiation 302): their names, their values, and CAP. */
#include "services/chatd/chatd.h"

#include "base/cleanup.h"
#include "base/num.h"

#include <stdio.h>

enum { LIST_MAX = 4096, LINE_MAX_LEN = IRC_BODY_MAX };

static const char *const names[CAP_COUNT] = {
	[CAP_MULTI_PREFIX] = "multi-prefix",
	[CAP_SASL] = "sasl",
	[CAP_SETNAME] = "setname",
	[CAP_EXTENDED_JOIN] = "extended-join",
	[CAP_ACCOUNT_TAG] = "account-tag",
	[CAP_ACCOUNT_NOTIFY] = "account-notify",
	[CAP_AWAY_NOTIFY] = "away-notify",
	[CAP_ECHO_MESSAGE] = "echo-message",
	[CAP_LABELED_RESPONSE] = "labeled-response",
	[CAP_BATCH] = "batch",
	[CAP_MESSAGE_TAGS] = "message-tags",
	[CAP_SERVER_TIME] = "server-time",
	[CAP_CHGHOST] = "chghost",
	[CAP_INVITE_NOTIFY] = "invite-notify",
	[CAP_USERHOST_IN_NAMES] = "userhost-in-names",
	[CAP_STANDARD_REPLIES] = "standard-replies",
	[CAP_CAP_NOTIFY] = "cap-notify",
	[CAP_EXTENDED_MONITOR] = "extended-monitor",
	[CAP_CHATHISTORY] = "draft/chathistory",
	[CAP_EVENT_PLAYBACK] = "draft/event-playback",
	[CAP_READ_MARKER] = "draft/read-marker",
	[CAP_MESSAGE_REDACTION] = "draft/message-redaction",
	[CAP_MULTILINE] = "draft/multiline",
	[CAP_METADATA] = "draft/metadata-3",
	[CAP_CHANNEL_RENAME] = "draft/channel-rename",
	[CAP_ACCOUNT_REGISTRATION] = "draft/account-registration",
	[CAP_NO_IMPLICIT_NAMES] = "draft/no-implicit-names",
	[CAP_CALLS] = "quintet/calls",
};

static void add_name(struct buf *b, enum chatd_cap cap)
{
	if (b->len > 0)
		buf_add_byte(b, ' ');
	buf_add_str(b, names[cap]);
}

static void add_value(const struct chatd *c, struct buf *b, enum chatd_cap cap)
{
	if (cap == CAP_SASL)
		buf_add_str(b, "=PLAIN,EXTERNAL");
	else if (cap == CAP_MULTILINE)
		buf_addf(b, "=max-bytes=%d,max-lines=%d", CHATD_MULTILINE_MAX, CHATD_LINES_MAX);
	else if (cap == CAP_METADATA)
		buf_addf(b, "=before-connect,max-subs=%d,max-keys=%d,max-value-bytes=%d",
			CHATD_SUBS_MAX, CHAT_META_MAX, CHATD_META_VALUE_MAX);
	else if (cap == CAP_ACCOUNT_REGISTRATION)
		buf_addf(b, "=%scustom-account-name%s",
			c->policy.register_early ? "before-connect," : "",
			c->policy.invites ? ",email-required" : "");
}

/* As many lines as the list needs, with "*" in all but the last; to a client of former days one
 * line, with what has room in it. */
static void say_list(struct chatd *c, const char *verb, struct span list, bool lines)
{
	size_t head = strlen(c->service->settings.host) + strlen(chatd_nick(c)) + strlen(verb) +
		sizeof(": CAP   * :") - 1;
	struct span word, rest = list;

	do {
		struct span line = {list.p, 0}, next = list;

		while (irc_word(&next, ' ', &word)) {
			size_t len = (size_t)(word.p + word.len - list.p);

			if (head + len > LINE_MAX_LEN)
				break;
			line.len = len;
			rest = next;
		}
		if (line.len == 0)
			rest = span_of(NULL, 0);
		if (rest.len > 0)
			rest = span_of(rest.p + 1, rest.len - 1);
		chatd_server(c, "CAP %s %s %s:%.*s", chatd_nick(c), verb,
			lines && rest.len > 0 ? "* " : "", CHATD_SPAN(line));
		list = rest;
	} while (lines && list.len > 0);
}

static void say_ls(struct chatd *c, unsigned version)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(LIST_MAX);

	for (enum chatd_cap cap = 0; cap < CAP_COUNT; cap++) {
		add_name(&list, cap);
		if (version >= 302)
			add_value(c, &list, cap);
	}
	say_list(c, "LS", buf_span(&list), version >= 302);
}

static void say_enabled(struct chatd *c)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(LIST_MAX);

	for (enum chatd_cap cap = 0; cap < CAP_COUNT; cap++)
		if (chatd_has(c, cap))
			add_name(&list, cap);
	say_list(c, "LIST", buf_span(&list), c->cap_version >= 302);
}

static bool find(struct span name, uint64_t *ret_bit)
{
	for (size_t cap = 0; cap < CAP_COUNT; cap++)
		if (span_eq_str(name, names[cap])) {
			*ret_bit = UINT64_C(1) << cap;
			return true;
		}
	return false;
}

/* All of them or none. */
static bool apply(struct span list, uint64_t *caps)
{
	uint64_t now = *caps, bit = 0;
	struct span word;

	while (irc_word(&list, ' ', &word)) {
		bool off = *word.p == '-';

		if (!find(off ? span_of(word.p + 1, word.len - 1) : word, &bit))
			return false;
		now = off ? now & ~bit : now | bit;
	}
	*caps = now;
	return true;
}

static int cap_ls(struct chatd *c, struct span argument)
{
	uint64_t version = 0;

	(void)num_parse_u64(argument, 0, 100000, &version);
	if (version > c->cap_version)
		c->cap_version = (unsigned)version;
	if (!c->registered)
		c->cap_open = true;
	say_ls(c, c->cap_version);
	return 0;
}

static int cap_list(struct chatd *c, struct span argument)
{
	(void)argument;
	say_enabled(c);
	return 0;
}

static int cap_req(struct chatd *c, struct span list)
{
	uint64_t caps = c->caps;
	bool ok = apply(list, &caps);

	if (!c->registered)
		c->cap_open = true;
	chatd_server(c, "CAP %s %s :%.*s", chatd_nick(c), ok ? "ACK" : "NAK", CHATD_SPAN(list));
	c->caps = caps;
	return 0;
}

static int cap_end(struct chatd *c, struct span argument)
{
	(void)argument;
	c->cap_open = false;
	return chatd_try_register(c);
}

static const struct {
	const char *name;
	int (*run)(struct chatd *c, struct span argument);
} subcommands[] = {
	{"LS", cap_ls},
	{"LIST", cap_list},
	{"REQ", cap_req},
	{"END", cap_end},
};

int chatd_cmd_cap(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct span name = m->count > 0 ? m->params[0] : span_of(NULL, 0);
	struct span argument = m->count > 1 ? m->params[1] : span_of(NULL, 0);

	if (m->count == 0) {
		chatd_numeric(call->c, 461, "CAP :Not enough parameters");
		return 0;
	}
	for (size_t i = 0; i < sizeof(subcommands) / sizeof(subcommands[0]); i++)
		if (irc_is(name, subcommands[i].name))
			return subcommands[i].run(call->c, argument);
	chatd_numeric(call->c, 410, "%s :That is no CAP command", chatd_word(name).text);
	return 0;
}
