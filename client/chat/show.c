/* Items as lines for people, and for scripts. */
#include "client/chat/show.h"

#include "base/text.h"
#include "base/timefmt.h"
#include "client/chat/safe.h"

#define RESET "\x1b[0m"
#define DIM "\x1b[2m"
#define BOLD "\x1b[1m"
#define RED "\x1b[31m"
#define CALLED "\x1b[1;33m"

static void style(struct buf *b, const struct show_style *s, const char *code)
{
	if (s->colour)
		buf_add_str(b, code);
}

static void time_add(struct buf *b, const struct item *i, const struct show_style *s)
{
	struct time_parts p;

	if (time_local(i->at_us, &p) < 0)
		return;
	style(b, s, DIM);
	if (s->date)
		buf_addf(b, "%04d-%02d-%02d %02d:%02d:%02d ", p.year, p.month, p.day, p.hour,
			p.minute, p.second);
	else
		buf_addf(b, "%02d:%02d ", p.hour, p.minute);
	style(b, s, RESET);
}

/* The same colour for the same nick, whatever its case. */
static void nick_add(struct buf *b, const struct item *i, const struct show_style *s)
{
	unsigned sum = 5381;

	for (const char *c = i->from; *c != '\0'; c++)
		sum = sum * 33 + ((unsigned char)*c | 0x20U);
	if (s->colour && i->own)
		buf_add_str(b, BOLD);
	else if (s->colour && i->to_me)
		buf_add_str(b, CALLED);
	else if (s->colour)
		buf_addf(b, "\x1b[%um", 31 + sum % 6);
	safe_word(b, i->from);
	style(b, s, RESET);
}

/* Text of several lines: those behind the first are set in. */
static void text_add(struct buf *b, struct span text)
{
	struct span line;
	bool first = true;

	while (span_split(&text, '\n', &line)) {
		if (!first)
			buf_add_str(b, "\n      | ");
		safe_text(b, line);
		first = false;
	}
}

static void said(struct buf *b, const struct item *i, const struct show_style *s)
{
	static const char *const marks[][2] = {[ITEM_MESSAGE] = {"<", "> "},
		[ITEM_NOTICE] = {"-", "- "},
		[ITEM_ACTION] = {"* ", " "}};

	buf_add_str(b, marks[i->kind][0]);
	if (i->from[0] != '\0')
		nick_add(b, i, s);
	buf_add_str(b, marks[i->kind][1]);
	if (i->redacted)
		buf_add_str(b, "(taken back)");
	else
		text_add(b, span_str(i->text));
}

/* "$f" who, "$s" subject, "$t" text, "$r" the text in brackets if there is one. */
static const char *const done[] = {
	[ITEM_JOIN] = "$f has joined",
	[ITEM_PART] = "$f has left$r",
	[ITEM_QUIT] = "$f is gone$r",
	[ITEM_KICK] = "$f has removed $s$r",
	[ITEM_NICK] = "$f is now $s",
	[ITEM_TOPIC] = "$f has set the topic: $t",
	[ITEM_MODE] = "$f sets $t",
	[ITEM_INVITE] = "$f invites $s to $t",
	[ITEM_RENAME] = "$f has renamed the channel to $s$r",
	[ITEM_NOTE] = "$t",
	[ITEM_ERROR] = "$t",
};

static void bracket(struct buf *b, const char *text)
{
	if (*text == '\0')
		return;
	buf_add_str(b, " (");
	safe_word(b, text);
	buf_add_str(b, ")");
}

void show_event(struct buf *b, const struct item *i)
{
	const char *f = done[i->kind];

	for (; *f != '\0'; f++) {
		if (*f != '$') {
			buf_add_byte(b, (unsigned char)*f);
			continue;
		}
		f++;
		if (*f == 'f')
			safe_word(b, i->from);
		else if (*f == 's')
			safe_word(b, i->subject);
		else if (*f == 't')
			text_add(b, span_str(i->text));
		else
			bracket(b, i->text);
	}
}

static void happened(struct buf *b, const struct item *i, const struct show_style *s)
{
	style(b, s, i->kind == ITEM_ERROR ? RED : DIM);
	buf_add_str(b, i->kind == ITEM_ERROR ? "!! " : "-- ");
	show_event(b, i);
	style(b, s, RESET);
}

void show_item(struct buf *b, const struct item *i, const struct show_style *s)
{
	time_add(b, i, s);
	if (s->window != NULL) {
		buf_add_str(b, "[");
		safe_word(b, s->window);
		buf_add_str(b, "] ");
	}
	if (item_is_message(i))
		said(b, i, s);
	else
		happened(b, i, s);
	buf_add_str(b, "\n");
}

void show_day(struct buf *b, int64_t at_us)
{
	struct time_parts p;

	if (time_local(at_us, &p) == 0)
		buf_addf(b, "%s, %04d-%02d-%02d", time_weekday(&p), p.year, p.month, p.day);
}

bool show_same_day(int64_t a_us, int64_t b_us)
{
	struct time_parts a, b;

	if (time_local(a_us, &a) < 0 || time_local(b_us, &b) < 0)
		return false;
	return a.year == b.year && a.month == b.month && a.day == b.day;
}

static void pair(struct buf *b, const char *key, const char *value)
{
	if (*value == '\0')
		return;
	buf_addf(b, ",\"%s\":", key);
	text_json(b, span_str(value));
}

void show_json(struct buf *b, const char *target, const struct item *i)
{
	char at[IRC_TIME_SIZE];

	irc_time_write(i->at_us, at);
	buf_addf(b, "{\"time\":\"%s\",\"kind\":\"%s\"", at, item_kind_name(i->kind));
	pair(b, "target", target);
	pair(b, "from", i->from);
	pair(b, "account", i->account);
	pair(b, "subject", i->subject);
	pair(b, "text", i->text);
	pair(b, "msgid", i->msgid);
	buf_addf(b, ",\"own\":%s}", i->own ? "true" : "false");
}
