/*
 * Registration: capabilities (IRCv3 CAP 302), SASL by the profile's certificate or a password, nick
 * and user, and what the server says of itself in 005.
 */
#include "client/chat/talk.h"

#include "base/num.h"
#include "base/text.h"

#include <errno.h>

/* -- capabilities ------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	unsigned bit;
} wanted[] = {
	{"sasl", TALK_SASL},
	{"server-time", TALK_SERVER_TIME},
	{"message-tags", TALK_MESSAGE_TAGS},
	{"batch", TALK_BATCH},
	{"labeled-response", TALK_LABELS},
	{"echo-message", TALK_ECHO},
	{"draft/chathistory", TALK_HISTORY},
	{"draft/event-playback", TALK_PLAYBACK},
	{"draft/read-marker", TALK_MARKER},
	{"draft/multiline", TALK_MULTILINE},
	{"draft/message-redaction", TALK_REDACTION},
	{"quintet/calls", TALK_CALLS},
	{"draft/channel-rename", TALK_OTHERS},
	{"account-tag", TALK_OTHERS + 1},
	{"away-notify", TALK_OTHERS + 2},
	{"account-notify", TALK_OTHERS + 3},
	{"extended-join", TALK_OTHERS + 4},
	{"setname", TALK_OTHERS + 5},
	{"chghost", TALK_OTHERS + 6},
	{"multi-prefix", TALK_OTHERS + 7},
	{"invite-notify", TALK_OTHERS + 8},
	{"standard-replies", TALK_OTHERS + 9},
	{"cap-notify", TALK_OTHERS + 10},
};

static int wanted_find(struct span name)
{
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		if (span_eq_str(name, wanted[i].name))
			return (int)i;
	return -ENOENT;
}

/* "max-bytes=4096,max-lines=24" */
static void multiline_limits(struct talk *t, struct span value)
{
	struct span item, key;
	uint64_t n;

	t->multiline_bytes = 4096;
	t->multiline_lines = 20;
	while (irc_word(&value, ',', &item)) {
		(void)span_split(&item, '=', &key);
		if (num_parse_u64(item, 1, MODEL_TEXT_MAX, &n) < 0)
			continue;
		if (span_eq_str(key, "max-bytes"))
			t->multiline_bytes = (size_t)n;
		else if (span_eq_str(key, "max-lines"))
			t->multiline_lines = (size_t)n;
	}
}

static void offer_take(struct talk *t, struct span list)
{
	struct span word, name;
	int i;

	while (irc_word(&list, ' ', &word)) {
		(void)span_split(&word, '=', &name);
		i = wanted_find(name);
		if (i < 0 || (t->offered >> wanted[i].bit & 1) != 0)
			continue;
		if (wanted[i].bit == TALK_PLAYBACK && t->options.said_only)
			continue;
		t->offered |= UINT32_C(1) << wanted[i].bit;
		buf_addf(&t->wanted, "%s ", wanted[i].name);
		if (wanted[i].bit == TALK_MULTILINE)
			multiline_limits(t, word);
	}
}

/* In as many requests as needed. */
static void request(struct talk *t)
{
	struct span rest = buf_span(&t->wanted), word;
	char line[400] = "";
	size_t len = 0;

	while (irc_word(&rest, ' ', &word)) {
		if (len + word.len + 1 >= sizeof line) {
			t->requests += talk_send(t, "CAP REQ :%s", line) == 0;
			len = 0;
		}
		len += (size_t)snprintf(line + len, sizeof line - len, "%s%.*s", len > 0 ? " " : "",
			(int)word.len, (const char *)word.p);
	}
	if (len > 0)
		t->requests += talk_send(t, "CAP REQ :%s", line) == 0;
	buf_reset(&t->wanted);
}

static void caps_set(struct talk *t, struct span list, bool deleted)
{
	struct span word;

	while (irc_word(&list, ' ', &word)) {
		bool off = deleted || *word.p == '-';
		int i = wanted_find(*word.p == '-' ? span_of(word.p + 1, word.len - 1) : word);
		uint32_t bit = i < 0 ? 0 : UINT32_C(1) << wanted[i].bit;

		t->caps = off ? t->caps & ~bit : t->caps | bit;
		if (deleted)
			t->offered &= ~bit;
	}
}

/* -- SASL -------------------------------------------------------------------------------------- */

static const char *account_wanted(const struct talk *t)
{
	if (t->options.user != NULL)
		return t->options.user;
	return t->profile != NULL ? t->profile->user : "";
}

static void sasl_try(struct talk *t, const char *mechanism)
{
	snprintf(t->mechanism, sizeof t->mechanism, "%s", mechanism);
	(void)talk_send(t, "AUTHENTICATE %s", mechanism);
}

/* Capabilities are settled: log in, or go on without. */
static void sasl_begin(struct talk *t)
{
	if (t->registered || t->sasl_over || t->mechanism[0] != '\0')
		return;
	if (talk_has(t, TALK_SASL) && t->options.user != NULL)
		sasl_try(t, "PLAIN");
	else if (talk_has(t, TALK_SASL) && t->profile != NULL && t->profile->cert_pem.len > 0)
		sasl_try(t, "EXTERNAL");
	else
		(void)talk_send(t, "CAP END");
}

/* RFC 4616, in pieces of 400 bytes (IRCv3 SASL 3.1). */
static void sasl_plain(struct talk *t)
{
	_cleanup_(buf_wipe) struct buf plain = BUF_INIT(2048);
	_cleanup_(buf_wipe) struct buf text = BUF_INIT(4096);
	struct span rest;

	buf_add_byte(&plain, 0);
	buf_add_str(&plain, t->options.user);
	buf_add_byte(&plain, 0);
	buf_add(&plain, t->options.password);
	text_base64(&text, buf_span(&plain), 0);
	rest = buf_span(&text);
	while (buf_error(&text) == 0) {
		size_t n = rest.len < 400 ? rest.len : 400;

		(void)talk_send(t, "AUTHENTICATE %.*s", n > 0 ? (int)n : 1,
			n > 0 ? (const char *)rest.p : "+");
		rest = span_of(rest.p + n, rest.len - n);
		if (n < 400)
			break;
	}
}

void login_authenticate(struct talk *t, const struct talk_in *in)
{
	if (!span_eq_str(in->m.params[0], "+"))
		return;
	if (strcmp(t->mechanism, "PLAIN") == 0)
		sasl_plain(t);
	else if (strcmp(t->mechanism, "EXTERNAL") == 0)
		(void)talk_send(t, "AUTHENTICATE +");
}

static void refused(struct talk *t, const struct talk_in *in)
{
	_cleanup_(buf_done) struct buf why = BUF_INIT(1024);
	bool by_cert = strcmp(t->mechanism, "EXTERNAL") == 0;

	safe_text(&why, in->m.count > 0 ? in->m.params[in->m.count - 1] : SPAN_LIT(""));
	net_end(t, CLIENT_NO, "%s does not let %s in%s: %s",
		t->profile != NULL ? t->profile->host : "the server", account_wanted(t),
		by_cert ? " by this certificate (--user NAME asks for the password)" : "",
		buf_str(&why));
}

void login_cap(struct talk *t, const struct talk_in *in)
{
	const struct irc_message *m = &in->m;
	struct span verb = m->params[1], list = m->params[m->count - 1];
	bool more = m->count > 3 && span_eq_str(m->params[2], "*");

	if (m->count < 3)
		return;
	if (irc_is(verb, "LS") || irc_is(verb, "NEW")) {
		offer_take(t, list);
		if (more)
			return;
		request(t);
		if (t->requests == 0)
			sasl_begin(t);
	} else if (irc_is(verb, "ACK") || irc_is(verb, "NAK")) {
		if (irc_is(verb, "ACK"))
			caps_set(t, list, false);
		t->requests -= t->requests > 0;
		if (t->requests == 0)
			sasl_begin(t);
	} else if (irc_is(verb, "DEL")) {
		caps_set(t, list, true);
	}
}

/* -- nick and user ----------------------------------------------------------------------------- */

void login_begin(struct talk *t)
{
	const char *nick = t->options.nick != NULL ? t->options.nick : account_wanted(t);
	size_t len = strcspn(nick, "@");

	t->state = TALK_LOGIN;
	t->requests = 0;
	buf_reset(&t->wanted);
	snprintf(t->nick, sizeof t->nick, "%.*s", (int)(len > 0 ? len : 5),
		len > 0 ? nick : "guest");
	snprintf(t->prefix_modes, sizeof t->prefix_modes, "ohv");
	snprintf(t->prefix_chars, sizeof t->prefix_chars, "@%%+");
	snprintf(t->status_chars, sizeof t->status_chars, "@%%+");
	snprintf(t->mode_lists, sizeof t->mode_lists, "beI");
	snprintf(t->mode_always, sizeof t->mode_always, "k");
	snprintf(t->mode_set, sizeof t->mode_set, "l");
	snprintf(t->mode_never, sizeof t->mode_never, "imnpst");
	t->history_max = 100;
	(void)talk_send(t, "CAP LS 302");
	(void)talk_send(t, "NICK %s", t->nick);
	(void)talk_send(t, "USER %s 0 * :%s", t->nick, t->nick);
}

/* The name is somebody else's: another one, for the moment. */
static void nick_next(struct talk *t)
{
	size_t len = strlen(t->nick);

	if (++t->nick_tries > 9) {
		net_end(t, CLIENT_NO, "no nick is free: try --nick NAME");
		return;
	}
	if (t->nick_tries > 1)
		len--;
	if (len > 30)
		len = 30;
	snprintf(t->nick + len, sizeof t->nick - len, "%u", t->nick_tries);
	(void)talk_send(t, "NICK %s", t->nick);
}

static void value_keep(const struct irc_message *m, const char *name, char *ret, size_t size)
{
	struct span value;

	if (irc_isupport(m, name, &value) == 0)
		(void)span_copy_str(value, ret, size);
}

/* "PREFIX=(ohv)@%+" */
static void prefix_take(struct talk *t, const struct irc_message *m)
{
	struct span value, modes;

	if (irc_isupport(m, "PREFIX", &value) < 0 || value.len == 0 || *value.p != '(')
		return;
	value = span_of(value.p + 1, value.len - 1);
	if (!span_split(&value, ')', &modes) || modes.len != value.len)
		return;
	if (span_copy_str(modes, t->prefix_modes, sizeof t->prefix_modes) == 0)
		(void)span_copy_str(value, t->prefix_chars, sizeof t->prefix_chars);
}

void login_supports(struct talk *t, const struct irc_message *m)
{
	struct span value, kinds[4] = {{NULL, 0}};
	uint64_t n;

	prefix_take(t, m);
	value_keep(m, "STATUSMSG", t->status_chars, sizeof t->status_chars);
	if (irc_isupport(m, "CHATHISTORY", &value) == 0 && num_parse_u64(value, 1, 100000, &n) == 0)
		t->history_max = (size_t)n;
	if (irc_isupport(m, "CHANMODES", &value) < 0)
		return;
	for (size_t i = 0; i < 4; i++)
		(void)span_split(&value, ',', &kinds[i]);
	(void)span_copy_str(kinds[0], t->mode_lists, sizeof t->mode_lists);
	(void)span_copy_str(kinds[1], t->mode_always, sizeof t->mode_always);
	(void)span_copy_str(kinds[2], t->mode_set, sizeof t->mode_set);
	(void)span_copy_str(kinds[3], t->mode_never, sizeof t->mode_never);
}

static void welcomed(struct talk *t, const struct talk_in *in)
{
	t->registered = true;
	(void)span_copy_str(in->m.params[0], t->nick, sizeof t->nick);
}

/* The end of what a new session is told; what came before the answer is all there is. */
static void told(struct talk *t)
{
	if (!t->registered || t->state != TALK_LOGIN || t->sync[0] != '\0')
		return;
	snprintf(t->sync, sizeof t->sync, "ready-%u", ++t->numbers);
	(void)talk_send(t, "PING :%s", t->sync);
}

bool login_numeric(struct talk *t, unsigned number, const struct talk_in *in)
{
	switch (number) {
	case 1:
		welcomed(t, in);
		return true;
	case 5:
		login_supports(t, &in->m);
		return true;
	case 376:
	case 422:
		told(t);
		return t->state == TALK_LOGIN;
	case 432:
	case 433:
	case 436:
	case 437:
		if (t->registered)
			return false;
		nick_next(t);
		return true;
	case 900:
		if (in->m.count > 2)
			(void)span_copy_str(in->m.params[2], t->account, sizeof t->account);
		return true;
	case 901:
		t->account[0] = '\0';
		return true;
	case 903:
		t->sasl_over = true;
		if (!t->registered)
			(void)talk_send(t, "CAP END");
		return true;
	case 902:
	case 904:
	case 905:
	case 906:
		if (t->registered)
			return false;
		refused(t, in);
		return true;
	case 465:
		refused(t, in);
		return true;
	default:
		return t->state == TALK_LOGIN && number < 300;
	}
}
