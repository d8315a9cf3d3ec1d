/* quintetctl chat: channels and people of chatd, and the house's own word to them. */
#include "chat.h"

#include "base/text.h"
#include "base/timefmt.h"

#include <errno.h>

/* -- channels ---------------------------------------------------------------------------------- */

static const struct {
	uint32_t mode;
	char letter;
} mode_letters[] = {
	{CHAT_MODE_NO_CTCP, 'C'},
	{CHAT_MODE_REGISTERED, 'R'},
	{CHAT_MODE_INVITE_ONLY, 'i'},
	{CHAT_MODE_KEY, 'k'},
	{CHAT_MODE_LIMIT, 'l'},
	{CHAT_MODE_MODERATED, 'm'},
	{CHAT_MODE_NO_EXTERNAL, 'n'},
	{CHAT_MODE_SECRET, 's'},
	{CHAT_MODE_TOPIC, 't'},
};
#define MODE_LETTERS (sizeof(mode_letters) / sizeof(mode_letters[0]))

static void modes_cell(struct ctl_table *t, uint32_t modes)
{
	char text[MODE_LETTERS + 2];
	size_t len = 0;

	text[len++] = '+';
	for (size_t i = 0; i < MODE_LETTERS; i++)
		if ((modes & mode_letters[i].mode) != 0)
			text[len++] = mode_letters[i].letter;
	text[len] = '\0';
	ctl_cell(t, "%s", len > 1 ? text : "");
}

struct listing {
	struct ctl_table *table;
	struct store_txn *txn;
	uint64_t messages;
};

static int count_message(void *arg, const struct chat_event *e)
{
	struct listing *l = (struct listing *)arg;

	(void)e;
	l->messages++;
	return 0;
}

static int list_channel(void *arg, const struct chat_channel *channel)
{
	struct listing *l = (struct listing *)arg;
	const struct chat_target target = {.channel = channel->id};
	const struct chat_range all = {.max = SIZE_MAX, .messages_only = true};
	int r;

	l->messages = 0;
	r = chat_log_each(l->txn, &target, &all, count_message, l);
	if (r < 0)
		return r;
	ctl_cell(l->table, "%s", channel->name);
	ctl_cell(l->table, "%u", channel->joined);
	ctl_cell(l->table, "%u", channel->present);
	ctl_cell(l->table, "%s", channel->founder);
	modes_cell(l->table, channel->modes);
	ctl_cell(l->table, "%llu", (unsigned long long)l->messages);
	ctl_cell_time(l->table, channel->created_us);
	ctl_cell(l->table, "%s", channel->topic);
	return 0;
}

static int list_channels(struct store_txn *txn, void *arg)
{
	struct listing *l = (struct listing *)arg;

	l->txn = txn;
	return chat_channels_each(txn, list_channel, l);
}

static int show_list(struct ctl *c, struct ctl_table *t,
	int (*list)(struct store_txn *txn, void *arg), const char *failure)
{
	struct listing l = {.table = t};
	int r = ctl_store(c, STORE_READ);

	if (r != CTL_OK)
		return r;
	r = store_view(c->store, list, &l);
	return r < 0 ? ctl_fail(r, "%s", failure) : ctl_table_rows(c, t);
}

static int run_channels(struct ctl *c, const struct ctl_args *a)
{
	static const struct ctl_column columns[] = {{"channel", CTL_TEXT}, {"members", CTL_NUMBER},
		{"present", CTL_NUMBER}, {"founder", CTL_TEXT}, {"modes", CTL_TEXT},
		{"messages", CTL_NUMBER}, {"created", CTL_TEXT}, {"topic", CTL_TEXT}};
	_cleanup_(ctl_table_done) struct ctl_table t = CTL_TABLE(columns);

	(void)a;
	return show_list(c, &t, list_channels, "cannot list the channels");
}

/* -- people ------------------------------------------------------------------------------------ */

static int count_joined(void *arg, const struct chat_member *m, const struct chat_channel *channel)
{
	unsigned *count = (unsigned *)arg;

	(void)m;
	(void)channel;
	(*count)++;
	return 0;
}

static int list_person(void *arg, const struct chat_user *u)
{
	struct listing *l = (struct listing *)arg;
	unsigned channels = 0;
	int r = chat_joined_each(l->txn, u->who, count_joined, &channels);

	if (r < 0)
		return r;
	ctl_cell(l->table, "%s", u->nick);
	ctl_cell(l->table, "%s", chat_is_guest(u->who) ? "" : u->who);
	ctl_cell(l->table, "%s", u->host);
	ctl_cell(l->table, "%u", u->sessions);
	ctl_cell(l->table, "%u", channels);
	ctl_cell_time(l->table, u->since_us);
	ctl_cell_time(l->table, u->spoke_us);
	ctl_cell(l->table, "%s", (u->flags & CHAT_USER_AWAY) != 0 ? u->away : "");
	return 0;
}

static int list_people(struct store_txn *txn, void *arg)
{
	struct listing *l = (struct listing *)arg;

	l->txn = txn;
	return chat_users_each(txn, list_person, l);
}

static int run_people(struct ctl *c, const struct ctl_args *a)
{
	static const struct ctl_column columns[] = {{"nick", CTL_TEXT}, {"account", CTL_TEXT},
		{"host", CTL_TEXT}, {"sessions", CTL_NUMBER}, {"channels", CTL_NUMBER},
		{"since", CTL_TEXT}, {"spoke", CTL_TEXT}, {"away", CTL_TEXT}};
	_cleanup_(ctl_table_done) struct ctl_table t = CTL_TABLE(columns);

	(void)a;
	return show_list(c, &t, list_people, "cannot list who is there");
}

/* -- what the house does ----------------------------------------------------------------------- */

void chat_wake(struct ctl *c, const struct chat_ring *ring)
{
	int r = chat_ring(c->store, c->settings.runtime, ring, 0);

	if (r < 0)
		(void)ctl_fail(r, "people in chat see it late: cannot ring");
}

/* The words with blanks between them, as a line of IRC can carry them. */
static int text_of(const struct ctl_args *a, size_t from, struct buf *ret)
{
	for (size_t i = from; i < a->words; i++) {
		if (i > from)
			buf_add_byte(ret, ' ');
		buf_add_str(ret, a->word[i]);
	}
	if (buf_error(ret) == 0 && text_is_utf8(buf_span(ret)) && text_is_clean(buf_span(ret)))
		return CTL_OK;
	ctl_warn("a text is one line of UTF-8, of at most %d bytes", CHAT_TOPIC_SIZE - 1);
	return CTL_USAGE;
}

static int run_drop(struct ctl *c, const struct ctl_args *a)
{
	struct chat_drop_args args = {.by.now_us = time_now_us(), .channel = span_str(a->word[0])};
	struct chat_result done = {.answer = CHAT_DONE};
	int r = ctl_store(c, STORE_WRITE);

	if (r != CTL_OK)
		return r;
	r = store_call(c->store, STORE_OP_CHAT_DROP, &args, &done);
	if (r < 0)
		return ctl_fail(r, "cannot remove %s", a->word[0]);
	if (done.answer != CHAT_DONE) {
		ctl_warn("there is no channel %s", a->word[0]);
		return CTL_REFUSED;
	}
	chat_wake(c, &done.ring);
	ctl_say(c, "Channel %s is gone, with all that was said in it.", a->word[0]);
	return ctl_audit(c, "chat-drop", "", a->word[0]);
}

static int announce(struct ctl *c, struct chat_announce_args *args)
{
	struct chat_result done = {.answer = CHAT_DONE};
	int r = ctl_store(c, STORE_WRITE);

	if (r != CTL_OK)
		return r;
	args->by.now_us = time_now_us();
	r = store_call(c->store, STORE_OP_CHAT_ANNOUNCE, args, &done);
	if (r < 0)
		return ctl_fail(r, "cannot write to the log of chat");
	if (done.answer != CHAT_DONE) {
		ctl_warn("nobody in chat has that nick");
		return CTL_REFUSED;
	}
	chat_wake(c, &done.ring);
	return CTL_OK;
}

static int run_broadcast(struct ctl *c, const struct ctl_args *a)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(CHAT_TOPIC_SIZE - 1);
	struct chat_announce_args args = {.kind = CHAT_BROADCAST};
	int r = text_of(a, 0, &text);

	if (r != CTL_OK)
		return r;
	if (text.len == 0) {
		ctl_warn("an empty text tells nobody anything");
		return CTL_USAGE;
	}
	args.text = buf_span(&text);
	r = announce(c, &args);
	if (r != CTL_OK)
		return r;
	ctl_say(c, "Said to all who are in chat now.");
	return ctl_audit(c, "chat-broadcast", "", buf_str(&text));
}

static int run_kill(struct ctl *c, const struct ctl_args *a)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(CHAT_TOPIC_SIZE - 1);
	struct chat_announce_args args = {.kind = CHAT_KILL, .nick = span_str(a->word[0])};
	int r = text_of(a, 1, &text);

	if (r != CTL_OK)
		return r;
	args.text = text.len > 0 ? buf_span(&text) : SPAN_LIT("By the administrator of the house");
	r = announce(c, &args);
	if (r != CTL_OK)
		return r;
	ctl_say(c, "All sessions of %s end now; it may come back (user lock keeps an account out).",
		a->word[0]);
	return ctl_audit(c, "chat-kill", "", a->word[0]);
}

/* -- a removed account ------------------------------------------------------------------------- */

static int count_founded(void *arg, const struct chat_channel *channel)
{
	struct chat_left *n = (struct chat_left *)arg;

	n->founded += strcmp(channel->founder, n->name) == 0;
	return 0;
}

static int count_left(struct store_txn *txn, void *arg)
{
	struct chat_left *n = (struct chat_left *)arg;
	int r = chat_channels_each(txn, count_founded, n);

	return r < 0 ? r : chat_joined_each(txn, n->name, count_joined, &n->joined);
}

int chat_left_count(struct ctl *c, struct chat_left *n)
{
	n->joined = n->founded = 0;
	return store_view(c->store, count_left, n);
}

void chat_left_say(struct ctl *c, const struct chat_left *n)
{
	const struct chat_ring all = {.scope = CHAT_RING_ALL};

	chat_wake(c, &all);
	ctl_say(c,
		"It is out of chat; channels that it was in: %u. Its roles and private talks are "
		"gone; what it said in channels stays for its time.",
		n->joined);
	if (n->founded > 0)
		ctl_say(c,
			"Channels that it founded: %u. They have no founder now, and stay while "
			"somebody is in them.",
			n->founded);
}

const struct ctl_command ctl_chat_commands[] = {
	{"chat", "channels", "", 0, 0, NULL, CTL_AS_ADMIN, run_channels, "list the channels"},
	{"chat", "people", "", 0, 0, NULL, CTL_AS_ADMIN, run_people, "list who is in chat"},
	{"chat", "drop", "#CHANNEL", 1, 1, NULL, CTL_AS_ADMIN, run_drop,
		"remove a channel with all that was said in it"},
	{"chat", "kill", "NICK [TEXT ...]", 1, CTL_WORDS_MAX, NULL, CTL_AS_ADMIN, run_kill,
		"end somebody's sessions of chat"},
	{"chat", "broadcast", "TEXT ...", 1, CTL_WORDS_MAX, NULL, CTL_AS_ADMIN, run_broadcast,
		"say something to all who are in chat"},
	{.noun = NULL}};
