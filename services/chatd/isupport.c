/* RPL_ISUPPORT: what this server can do and where its limits are. */
#include "services/chatd/chatd.h"

#include "base/cleanup.h"

enum { TOKENS_MAX = 4096, PER_LINE = 13 };

static void add_names(struct buf *b, const struct chatd *c)
{
	buf_addf(b, "NETWORK=%s CASEMAPPING=ascii UTF8ONLY SAFELIST WHOX",
		c->service->settings.domain);
}

static void add_modes(struct buf *b)
{
	const struct irc_mode_types *m = &chatd_channel_modes;

	buf_addf(b, " CHANTYPES=# CHANMODES=%s,%s,%s,%s PREFIX=(ohv)@%%+ STATUSMSG=@%%+ MODES=%d",
		m->lists, m->always, m->when_set, m->never, CHAT_CHANGES_MAX);
	buf_addf(b, " EXCEPTS INVEX EXTBAN=~,am ACCOUNTEXTBAN=a MAXLIST=%s:%d BOT=B", m->lists,
		CHAT_LISTS_MAX);
}

static void add_limits(struct buf *b)
{
	buf_addf(b,
		" NICKLEN=%d USERLEN=%d HOSTLEN=%d CHANNELLEN=%d TOPICLEN=%d KICKLEN=%d AWAYLEN=%d"
		" NAMELEN=%d KEYLEN=%d LINELEN=%d CHANLIMIT=#:%d",
		CHAT_NICK_SIZE - 1, CHAT_IDENT_SIZE - 1, CHAT_HOST_SIZE - 1, CHAT_CHANNEL_SIZE - 1,
		CHAT_TOPIC_SIZE - 1, CHAT_TOPIC_SIZE - 1, CHAT_AWAY_SIZE - 1,
		CHAT_REALNAME_SIZE - 1, CHAT_KEY_SIZE - 1, IRC_BODY_MAX + 2, CHAT_JOINED_MAX);
	buf_addf(b,
		" MAXTARGETS=%d TARGMAX=NAMES:,LIST:,KICK:,JOIN:,PART:,WHOIS:,PRIVMSG:%d,NOTICE:%d,"
		"TAGMSG:%d,MONITOR:%d MONITOR=%d",
		CHATD_TARGETS_MAX, CHATD_TARGETS_MAX, CHATD_TARGETS_MAX, CHATD_TARGETS_MAX,
		CHATD_MONITOR_MAX, CHATD_MONITOR_MAX);
	buf_addf(b, " ELIST=CMNTU CHATHISTORY=%d MSGREFTYPES=msgid,timestamp", CHATD_HISTORY_MAX);
}

/* A line holds thirteen tokens at most, and no more than fit. */
void chatd_isupport(struct chatd *c)
{
	_cleanup_(buf_done) struct buf all = BUF_INIT(TOKENS_MAX);
	static const char tail[] = "are supported by this server";
	size_t room = IRC_BODY_MAX - strlen(c->service->settings.host) - strlen(chatd_nick(c)) -
		sizeof(": 005   :") - sizeof(tail);
	struct span rest, word;

	add_names(&all, c);
	add_modes(&all);
	add_limits(&all);
	rest = buf_span(&all);
	while (rest.len > 0) {
		struct span line = {rest.p, 0}, next = rest;

		for (size_t i = 0; i < PER_LINE && irc_word(&next, ' ', &word); i++) {
			size_t len = (size_t)(word.p + word.len - line.p);

			if (len > room)
				break;
			line.len = len;
			rest = next;
		}
		if (line.len == 0)
			return;
		line = span_trim(line);
		chatd_numeric(c, 5, "%.*s :%s", CHATD_SPAN(line), tail);
	}
}
