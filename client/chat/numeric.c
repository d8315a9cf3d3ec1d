/* Numerics and standard replies: what the client itself needs of them, and how a person reads the
 * rest. */
#include "client/chat/talk.h"

#include <errno.h>

/* "$2" is the second word behind the nick; "$2-" it and all that follow. "": not shown. */
static const struct {
	unsigned number;
	const char *text;
} texts[] = {
	{221, "your modes: $1-"},
	{263, "$1: $2"},
	{276, "$1 $2-"},
	{301, "$1 is away: $2"},
	{305, "you are back"},
	{306, "you are away"},
	{307, "$1 $2-"},
	{311, "$1 is $2@$3: $5"},
	{312, "$1 is at $2"},
	{313, "$1 $2"},
	{314, "$1 was $2@$3: $5"},
	{315, ""},
	{317, ""},
	{318, ""},
	{319, "$1 is in $2"},
	{320, "$1 $2-"},
	{321, ""},
	{322, "$1 ($2) $3-"},
	{323, ""},
	{324, "$1 has the modes $2-"},
	{329, ""},
	{330, "$1 is logged in as $2"},
	{333, ""},
	{335, "$1 is a bot"},
	{336, "you are invited to $1"},
	{337, ""},
	{338, ""},
	{341, "$1 is invited to $2"},
	{346, "$1 lets in $2-"},
	{347, ""},
	{348, "$1 excepts $2-"},
	{349, ""},
	{352, "$5: $2@$3 $6 $7"},
	{353, "$2: $3"},
	{366, ""},
	{367, "$1 bans $2-"},
	{368, ""},
	{369, ""},
	{372, "$1-"},
	{375, "$1-"},
	{378, ""},
	{379, ""},
	{391, "$1-"},
	{396, ""},
	{671, "$1 $2-"},
	{730, ""},
	{731, ""},
};

static void words_add(struct buf *b, const struct irc_message *m, size_t from, bool all)
{
	for (size_t i = from; i < m->count && (i == from || all); i++) {
		buf_add_str(b, i > from ? " " : "");
		buf_add(b, m->params[i]);
	}
}

static void expand(struct buf *b, const char *text, const struct irc_message *m)
{
	for (; *text != '\0'; text++) {
		if (*text != '$' || text[1] < '1' || text[1] > '9') {
			buf_add_byte(b, (unsigned char)*text);
			continue;
		}
		text++;
		words_add(b, m, (size_t)(*text - '0'), text[1] == '-');
		text += text[1] == '-';
	}
}

static const char *text_of(unsigned number, const struct irc_message *m)
{
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i].number == number)
			return texts[i].text;
	/* A refusal: what it is about, and why. */
	return number >= 400 && number < 600 && m->count > 2 ? "$1: $2-" : "$1-";
}

static void show(struct talk *t, const struct talk_in *in, enum item_kind kind, struct span text)
{
	talk_add(t, t->current,
		item_new(&(struct item_fields){.kind = kind, .at_us = in->at_us, .text = text}));
}

static void show_number(struct talk *t, unsigned number, const struct talk_in *in)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(IRC_LINE_MAX);
	const char *format = text_of(number, &in->m);

	if (*format == '\0')
		return;
	expand(&text, format, &in->m);
	/* Of what the server says of itself at the beginning, its message of the day; once. */
	if (t->state == TALK_LOGIN && (number != 372 || t->was_ready))
		return;
	show(t, in, number >= 400 && number < 600 ? ITEM_ERROR : ITEM_NOTE, buf_span(&text));
}

/* A refusal that belongs to a message or a history; true when it was taken. */
static bool refusal(struct talk *t, const struct talk_in *in)
{
	struct span why = in->m.params[in->m.count - 1];

	if (in->label[0] == 'm')
		outgoing_refused(t, in->label, why);
	else if (in->label[0] == 'h')
		fill_refused(t, in->label, why);
	else
		return false;
	return true;
}

/* True: the calls have told it. */
static bool undelivered(struct talk *t, const struct talk_in *in)
{
	return t->calls_state != NULL && t->calls->undelivered != NULL && in->m.count > 2 &&
		t->calls->undelivered(t->calls_state, in->m.params[1], in->m.params[2]);
}

void numeric_handle(struct talk *t, unsigned number, const struct talk_in *in)
{
	struct window *w;

	if (login_numeric(t, number, in))
		return;
	switch (number) {
	case 331:
	case 332:
		channel_topic_is(t, in);
		return;
	case 353:
		w = in->m.count > 3 ? windows_find(&t->model, in->m.params[2]) : NULL;
		channel_names(t, in);
		if (w == NULL || !w->joined)
			show_number(t, number, in);
		return;
	case 366:
		channel_names_end(t, in);
		return;
	default:
		break;
	}
	if (number >= 400 && number < 600 && refusal(t, in))
		return;
	if (number == 401 && undelivered(t, in))
		return;
	show_number(t, number, in);
}

void numeric_standard(struct talk *t, const struct talk_in *in)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1024);
	bool fail = irc_is(in->m.verb, "FAIL");

	if (fail && refusal(t, in))
		return;
	if (fail && !t->registered && span_eq_str(in->m.params[1], "ACCOUNT_REQUIRED")) {
		safe_text(&text, in->m.params[in->m.count - 1]);
		net_end(t, CLIENT_NO, "%s: %s",
			t->profile != NULL ? t->profile->host : "the server", buf_str(&text));
		return;
	}
	if (t->state == TALK_LOGIN)
		return;
	if (!span_eq_str(in->m.params[0], "*")) {
		buf_add(&text, in->m.params[0]);
		buf_add_str(&text, ": ");
	}
	buf_add(&text, in->m.params[in->m.count - 1]);
	show(t, in, fail ? ITEM_ERROR : ITEM_NOTE, buf_span(&text));
}

void numeric_error(struct talk *t, const struct talk_in *in)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(sizeof t->reason - 1);

	safe_text(&text, in->m.params[0]);
	snprintf(t->reason, sizeof t->reason, "the server says: %s", buf_str(&text));
	safe_end(t->reason);
	net_lose(t, 0);
}

void numeric_wallops(struct talk *t, const struct talk_in *in)
{
	struct item *i = item_new(&(struct item_fields){.kind = ITEM_NOTICE,
		.at_us = in->at_us,
		.msgid = in->msgid,
		.from = in->source.nick,
		.text = in->m.params[0]});

	if (in->history)
		fill_item(t, in, i);
	else
		talk_add(t, t->model.windows[0], i);
}
