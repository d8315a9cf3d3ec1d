/*
 * CHATHISTORY (IRCv3 draft/chathistory): the history of a channel by those who are in it now, of a
 * talk by the two who hold it. targets.c has CHATHISTORY TARGETS.
 */
#include "services/chatd/history.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/timefmt.h"

#include <errno.h>

enum { MS_US = 1000 };

/* -- parameters -------------------------------------------------------------------------------- */

void history_refuse(
	const struct history *h, const char *code, struct span context, const char *text)
{
	char words[sizeof(struct chatd_word) * 2 + 2];

	(void)snprintf(words, sizeof(words), "%s%s%s", h->subcommand, context.p != NULL ? " " : "",
		context.p != NULL ? chatd_word(context).text : "");
	chatd_standard(h->c, "FAIL", "CHATHISTORY", code, words, "%s", text);
}

bool history_limit(const struct history *h, struct span text, size_t *ret)
{
	uint64_t limit;
	int r = num_parse_u64(text, 1, UINT32_MAX, &limit);

	if (r < 0) {
		history_refuse(h, "INVALID_PARAMS", text, "The limit must be a number from 1 on");
		return false;
	}
	*ret = limit < CHATD_HISTORY_MAX ? (size_t)limit : CHATD_HISTORY_MAX;
	return true;
}

bool history_time(struct span text, int64_t *ret_us)
{
	return span_starts(text, "timestamp=") &&
		irc_time_parse(span_of(text.p + 10, text.len - 10), ret_us) == 0;
}

static bool parse_point(const struct history *h, struct span text, struct history_point *ret)
{
	struct history_point p = {.by_time = true};

	if (span_eq_str(text, "*") && h->star) {
		*ret = (struct history_point){.none = true};
		return true;
	}
	if (history_time(text, &p.at_us)) {
		*ret = p;
		return true;
	}
	p.by_time = false;
	if (span_starts(text, "msgid=") &&
		irc_msgid_parse(span_of(text.p + 6, text.len - 6), &p.seq, &p.check) == 0) {
		*ret = p;
		return true;
	}
	history_refuse(h, "INVALID_PARAMS", text,
		"A message is named by \"msgid=ID\" or \"timestamp=YYYY-MM-DDThh:mm:ss.sssZ\"");
	return false;
}

/* -- whose history it is ----------------------------------------------------------------------- */

/* In a channel one must be now. Secret or not, to others there is none. */
static int find_channel(struct store_txn *txn, struct history *h)
{
	struct chat_channel channel;
	struct chat_member member;
	int r = chat_channel_find(txn, h->past.name, &channel);

	if (r == 0)
		r = chat_member_read(txn, channel.id, h->c->me.who, &member);
	if (r == 0 && member.joined) {
		h->past.target.channel = channel.id;
		h->past.roles = member.roles;
		h->found = true;
	}
	return r == -ENOENT ? 0 : r;
}

static int find_person(struct store_txn *txn, struct history *h)
{
	struct chat_target *t = &h->past.target;
	struct chat_user user;
	int r = chat_addressee_find(txn, h->past.name, &user);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	memcpy(t->a, h->c->me.who, sizeof(t->a));
	memcpy(t->b, user.who, sizeof(t->b));
	h->found = true;
	return 0;
}

/* -- points in the log ------------------------------------------------------------------------- */

/* A message that is gone still has its place; an id of another life of the store has none. */
static int check_id(struct store_txn *txn, struct history *h, const struct history_point *p)
{
	struct chat_event e;
	uint64_t head = 0;
	int r = chat_event_read(txn, p->seq, &e);

	if (p->seq == 0)
		h->unknown = true;
	if (r == 0) {
		h->unknown = h->unknown || !irc_msgid_is(p->check, e.at_us);
		return 0;
	}
	if (r != -ENOENT)
		return r;
	r = chat_head(txn, &head);
	h->unknown = h->unknown || p->seq > head;
	return r;
}

/* first: the first position that is not before the point; behind: the first one behind it. A time
 * is one of milliseconds: all in the same one are at that point. */
static int place(struct store_txn *txn, struct history *h, struct history_point *p)
{
	int r;

	if (p->none)
		return 0;
	if (!p->by_time) {
		p->first = p->seq;
		p->behind = p->seq + 1;
		return check_id(txn, h, p);
	}
	r = chat_log_at(txn, &h->past.target, p->at_us, &p->first);
	return r < 0 ? r : chat_log_at(txn, &h->past.target, p->at_us + MS_US, &p->behind);
}

/* -- subcommands ------------------------------------------------------------------------------- */

static int take(struct store_txn *txn, struct history *h, struct chat_range range)
{
	range.messages_only = !chatd_has(h->c, CAP_EVENT_PLAYBACK);
	return chatd_past_gather(txn, &range, NULL, h->c, &h->past);
}

static int latest(struct store_txn *txn, struct history *h)
{
	uint64_t after = h->points[0].none ? 0 : h->points[0].behind - 1;

	return take(txn, h, (struct chat_range){.after = after, .max = h->limit, .newest = true});
}

static int before(struct store_txn *txn, struct history *h)
{
	return take(txn, h,
		(struct chat_range){.before = h->points[0].first, .max = h->limit, .newest = true});
}

static int after(struct store_txn *txn, struct history *h)
{
	return take(txn, h, (struct chat_range){.after = h->points[0].behind - 1, .max = h->limit});
}

/* Forwards the first ones, backwards the last ones: counted from the first point. */
static int between(struct store_txn *txn, struct history *h)
{
	const struct history_point *from = &h->points[0], *to = &h->points[1];
	bool backwards = from->first > to->first;

	if (backwards) {
		from = &h->points[1];
		to = &h->points[0];
	}
	return take(txn, h,
		(struct chat_range){.after = from->behind - 1,
			.before = to->first,
			.max = h->limit,
			.newest = backwards});
}

/* As many behind the point (and it) as before it, one more behind of an odd number; what there is
 * not on one side is not made up for on the other but before. */
static int around(struct store_txn *txn, struct history *h)
{
	struct history later = *h;
	int r;

	later.past = (struct chatd_past){.target = h->past.target, .roles = h->past.roles};
	r = take(txn, &later,
		(struct chat_range){
			.after = h->points[0].first - 1, .max = h->limit - h->limit / 2});
	if (r == 0 && later.past.count < h->limit)
		r = take(txn, h,
			(struct chat_range){.before = h->points[0].first,
				.max = h->limit - later.past.count,
				.newest = true});
	if (r == 0)
		r = chatd_past_append(&h->past, &later.past);
	chatd_past_done(&later.past);
	return r;
}

static const struct subcommand {
	const char *name;
	size_t points;
	bool star; /* "*" may stand for the point */
	int (*run)(struct store_txn *txn, struct history *h);
} subcommands[] = {
	{"LATEST", 1, true, latest},
	{"BEFORE", 1, false, before},
	{"AFTER", 1, false, after},
	{"AROUND", 1, false, around},
	{"BETWEEN", 2, false, between},
};

static int gather(struct store_txn *txn, void *arg)
{
	struct history *h = arg;
	int r = *h->past.name.p == '#' ? find_channel(txn, h) : find_person(txn, h);

	for (size_t i = 0; r == 0 && h->found && i < h->point_count; i++)
		r = place(txn, h, &h->points[i]);
	if (r == 0 && h->found && !h->unknown)
		r = h->run(txn, h);
	return r < 0 ? r : 1;
}

static int answer(struct history *h)
{
	int r = chatd_view(h->c, gather, h);

	if (r <= 0)
		return r;
	if (!h->found)
		history_refuse(
			h, "INVALID_TARGET", h->past.name, "Messages could not be retrieved");
	else if (h->unknown)
		history_refuse(h, "MESSAGE_ERROR", h->past.name, "There is no message of that id");
	else
		return chatd_past_send(h->c, &h->past);
	return 0;
}

static int run(struct history *h, const struct irc_message *m, const struct subcommand *s)
{
	h->star = s->star;
	h->run = s->run;
	if (m->count != s->points + 3) {
		history_refuse(h, "INVALID_PARAMS", span_of(NULL, 0),
			m->count < s->points + 3 ? "Insufficient parameters"
						 : "Too many parameters");
		return 0;
	}
	h->past.name = m->params[1];
	h->point_count = s->points;
	for (size_t i = 0; i < s->points && i < HISTORY_POINTS_MAX; i++)
		if (!parse_point(h, m->params[2 + i], &h->points[i]))
			return 0;
	if (h->past.name.len == 0 || chatd_word(h->past.name).text[0] != (char)*h->past.name.p) {
		history_refuse(
			h, "INVALID_TARGET", h->past.name, "Messages could not be retrieved");
		return 0;
	}
	return history_limit(h, m->params[2 + s->points], &h->limit) ? answer(h) : 0;
}

int chatd_cmd_chathistory(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct history h = {.c = call->c};
	struct chatd_word name = chatd_word(m->params[0]);
	int r = 0;

	h.subcommand = name.text;
	if (span_caseeq_str(m->params[0], "TARGETS"))
		return history_targets(&h, m);
	for (size_t i = 0; i < sizeof(subcommands) / sizeof(*subcommands); i++) {
		if (!span_caseeq_str(m->params[0], subcommands[i].name))
			continue;
		r = run(&h, m, &subcommands[i]);
		chatd_past_done(&h.past);
		return r;
	}
	history_refuse(&h, "INVALID_PARAMS", span_of(NULL, 0), "Unknown command");
	return 0;
}
