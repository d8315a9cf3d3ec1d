/*
 * MONITOR: nicks whose coming and going the client is told. What is told at first is the state of
 * some position in the log, which may be ahead of the session's own: events up to there are not
 * told again.
 */
#include "services/chatd/people.h"

#include "base/cleanup.h"

#include <errno.h>

enum { LINE_LEN = 400, ANSWER_LEN = CHATD_MONITOR_MAX * 200 };

static size_t find(const struct chatd *c, struct span nick)
{
	for (size_t i = 0; i < c->monitor_count; i++)
		if (irc_eq(span_str(c->monitor[i]), nick))
			return i;
	return CHATD_MONITOR_MAX;
}

bool chatd_monitors(const struct chatd *c, struct span nick)
{
	return find(c, nick) < CHATD_MONITOR_MAX;
}

static void forget(struct chatd *c, size_t at)
{
	free(c->monitor[at]);
	c->monitor_count--;
	c->monitor[at] = c->monitor[c->monitor_count];
	c->monitor_seq[at] = c->monitor_seq[c->monitor_count];
	c->monitor[c->monitor_count] = NULL;
}

void chatd_monitor_done(struct chatd *c)
{
	while (c->monitor_count > 0)
		forget(c, c->monitor_count - 1);
}

/* -- answers ----------------------------------------------------------------------------------- */

/* As many of the comma-separated words on a line as it takes. */
static void say_words(struct chatd *c, unsigned number, const struct buf *words)
{
	struct span rest = buf_span(words), word;

	while (irc_word(&rest, ',', &word)) {
		struct span line = word;

		for (struct span next = rest; irc_word(&next, ',', &word); rest = next) {
			size_t len = (size_t)(word.p + word.len - line.p);

			if (len > LINE_LEN)
				break;
			line.len = len;
		}
		chatd_numeric(c, number, ":%.*s", CHATD_SPAN(line));
	}
}

struct presence {
	struct chatd *c;
	const bool *asked; /* which of the list */
	uint64_t head;
	struct buf here, gone;
};

static void add_word(struct buf *b, const char *word)
{
	if (b->len > 0)
		buf_add_byte(b, ',');
	buf_add_str(b, word);
}

static int look_up(struct store_txn *txn, void *arg)
{
	struct presence *p = arg;
	struct chat_user user;
	int r = chat_head(txn, &p->head);

	for (size_t i = 0; r >= 0 && i < p->c->monitor_count; i++) {
		if (!p->asked[i])
			continue;
		r = chat_nick_find(txn, span_str(p->c->monitor[i]), &user);
		if (r == 0) {
			add_word(&p->here, user.nick);
			buf_addf(&p->here, "!%s@%s", user.ident, user.host);
		} else if (r == -ENOENT) {
			add_word(&p->gone, p->c->monitor[i]);
			r = 0;
		}
	}
	return r < 0 ? r : 1;
}

static int say_presence(struct chatd *c, const bool *asked)
{
	struct presence p = {
		.c = c, .asked = asked, .here = BUF_INIT(ANSWER_LEN), .gone = BUF_INIT(ANSWER_LEN)};
	int r = chatd_view(c, look_up, &p);

	if (r == 1) {
		say_words(c, 730, &p.here);
		say_words(c, 731, &p.gone);
		for (size_t i = 0; i < c->monitor_count; i++)
			if (asked[i])
				c->monitor_seq[i] = p.head;
	}
	buf_done(&p.here);
	buf_done(&p.gone);
	return r < 0 ? r : 0;
}

/* -- the command ------------------------------------------------------------------------------- */

static int remember(struct chatd *c, struct span nick)
{
	char *copy = malloc(nick.len + 1);

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, nick.p, nick.len);
	copy[nick.len] = '\0';
	c->monitor_seq[c->monitor_count] = 0;
	c->monitor[c->monitor_count++] = copy;
	return 0;
}

/* What does not fit any more is told in one line (RPL_MONLISTFULL). */
static int add_nicks(struct chatd *c, struct span nicks)
{
	bool asked[CHATD_MONITOR_MAX] = {false};
	struct span rest = nicks, nick;

	while (irc_word(&rest, ',', &nick)) {
		size_t at = find(c, nick);

		if (!irc_nick_ok(nick, CHAT_NICK_SIZE - 1)) {
			chatd_numeric(c, 432, "%s :Erroneous nickname", chatd_word(nick).text);
			continue;
		}
		if (at == CHATD_MONITOR_MAX && c->monitor_count == CHATD_MONITOR_MAX) {
			struct span left = span_of(nick.p, (size_t)(nicks.p + nicks.len - nick.p));

			chatd_numeric(c, 734, "%d %s :Monitor list is full", CHATD_MONITOR_MAX,
				chatd_word(left).text);
			break;
		}
		if (at == CHATD_MONITOR_MAX) {
			at = c->monitor_count;
			if (remember(c, nick) < 0)
				return -ENOMEM;
		}
		asked[at] = true;
	}
	return say_presence(c, asked);
}

static int remove_nicks(struct chatd *c, struct span nicks)
{
	struct span nick;

	while (irc_word(&nicks, ',', &nick)) {
		size_t at = find(c, nick);

		if (at < CHATD_MONITOR_MAX)
			forget(c, at);
	}
	return 0;
}

static int clear(struct chatd *c, struct span nicks)
{
	(void)nicks;
	chatd_monitor_done(c);
	return 0;
}

static int list(struct chatd *c, struct span nicks)
{
	_cleanup_(buf_done) struct buf all = BUF_INIT(ANSWER_LEN);

	(void)nicks;
	for (size_t i = 0; i < c->monitor_count; i++)
		add_word(&all, c->monitor[i]);
	say_words(c, 732, &all);
	chatd_numeric(c, 733, ":End of MONITOR list");
	return 0;
}

static int status(struct chatd *c, struct span nicks)
{
	bool asked[CHATD_MONITOR_MAX];

	(void)nicks;
	memset(asked, true, sizeof(asked));
	return say_presence(c, asked);
}

static const struct {
	const char *name;
	size_t least;
	int (*run)(struct chatd *c, struct span nicks);
} subcommands[] = {
	{"+", 2, add_nicks},
	{"-", 2, remove_nicks},
	{"C", 1, clear},
	{"L", 1, list},
	{"S", 1, status},
};

int chatd_cmd_monitor(struct chatd_call *call)
{
	const struct irc_message *m = call->message;

	for (size_t i = 0; i < sizeof(subcommands) / sizeof(*subcommands); i++) {
		if (!span_caseeq_str(m->params[0], subcommands[i].name))
			continue;
		if (m->count < subcommands[i].least)
			chatd_numeric(call->c, 461, "MONITOR :Not enough parameters");
		else
			return subcommands[i].run(
				call->c, m->count > 1 ? m->params[1] : span_of(NULL, 0));
		return 0;
	}
	chatd_standard(call->c, "FAIL", "MONITOR", "INVALID_PARAMS", chatd_word(m->params[0]).text,
		"+ - C L or S is wanted");
	return 0;
}

/* -- events ------------------------------------------------------------------------------------ */

static bool is_news(const struct chatd *c, struct span nick, uint64_t seq)
{
	size_t at = find(c, nick);

	return at < CHATD_MONITOR_MAX && seq > c->monitor_seq[at];
}

static void say_here(struct chatd *c, const struct chat_event *e, struct span nick)
{
	if (is_news(c, nick, e->seq))
		chatd_numeric(c, 730, ":%.*s!%.*s@%.*s", CHATD_SPAN(nick), CHATD_SPAN(e->ident),
			CHATD_SPAN(e->host));
}

static void say_gone(struct chatd *c, const struct chat_event *e)
{
	if (is_news(c, e->nick, e->seq))
		chatd_numeric(c, 731, ":%.*s", CHATD_SPAN(e->nick));
}

/* A nick that only changed its letters' case is the same. */
void chatd_monitor_event(struct chatd *c, const struct chat_event *e)
{
	if (c->monitor_count == 0)
		return;
	switch (e->kind) {
	case CHAT_ONLINE:
		say_here(c, e, e->nick);
		break;
	case CHAT_QUIT:
		say_gone(c, e);
		break;
	case CHAT_NICK:
		if (irc_eq(e->nick, e->subject))
			break;
		say_gone(c, e);
		say_here(c, e, e->subject);
		break;
	default:
		break;
	}
}
