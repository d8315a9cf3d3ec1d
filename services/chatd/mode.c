/* MODE of a channel: what holds, its lists, and changes, which are one act of the store. */
#include "services/chatd/show.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "base/timefmt.h"

#include <errno.h>

const struct irc_mode_types chatd_channel_modes = {
	.lists = "beI",
	.always = "k",
	.when_set = "l",
	.never = "CRimnst",
	.prefix = "ohv",
};

/* -- what holds -------------------------------------------------------------------------------- */

static const struct {
	unsigned char letter;
	enum chat_channel_mode mode;
} letters[] = {
	{'C', CHAT_MODE_NO_CTCP},
	{'R', CHAT_MODE_REGISTERED},
	{'i', CHAT_MODE_INVITE_ONLY},
	{'k', CHAT_MODE_KEY},
	{'l', CHAT_MODE_LIMIT},
	{'m', CHAT_MODE_MODERATED},
	{'n', CHAT_MODE_NO_EXTERNAL},
	{'s', CHAT_MODE_SECRET},
	{'t', CHAT_MODE_TOPIC},
};

/* The key is for members to know. */
static void show(struct chatd *c, const struct chat_channel *channel)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(256);
	bool within = chatd_room(c, channel->id) != NULL;

	buf_add_byte(&b, '+');
	for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++)
		if ((channel->modes & letters[i].mode) != 0)
			buf_add_byte(&b, letters[i].letter);
	if ((channel->modes & CHAT_MODE_KEY) != 0)
		buf_addf(&b, " %s", within ? channel->key : "*");
	if ((channel->modes & CHAT_MODE_LIMIT) != 0)
		buf_addf(&b, " %lu", (unsigned long)channel->limit);
	chatd_numeric(c, 324, "%s %s", channel->name, buf_str(&b));
	chatd_numeric(
		c, 329, "%s %lld", channel->name, (long long)(channel->created_us / TIME_S_US));
}

/* -- changes ----------------------------------------------------------------------------------- */

struct changes {
	struct chatd *c;
	const struct chat_channel *channel;
	struct chat_mode_args args;
	char masks[CHAT_CHANGES_MAX][CHAT_MASK_SIZE]; /* what args.changes point to */
	char lists[3]; /* asked for */
	size_t list_count;
};

static void refuse_value(struct changes *ch, const struct irc_mode *m, const char *why)
{
	bool tell = m->letter != 'k' && m->has_argument;

	chatd_numeric(ch->c, 696, "%s %c %s :%s", ch->channel->name, m->letter,
		tell ? chatd_word(m->argument).text : "*", why);
}

static void ask_list(struct changes *ch, char letter)
{
	for (size_t i = 0; i < ch->list_count; i++)
		if (ch->lists[i] == letter)
			return;
	if (ch->list_count < sizeof(ch->lists))
		ch->lists[ch->list_count++] = letter;
}

/* Each of these: may the change be tried? What is wrong is said. */
static bool read_mask(struct changes *ch, const struct irc_mode *m, struct chat_change *change)
{
	char *mask = ch->masks[ch->args.count];
	_cleanup_(buf_done) struct buf b = BUF_INIT(CHAT_MASK_SIZE);

	if (!m->has_argument || m->argument.len == 0) {
		ask_list(ch, m->letter);
		return false;
	}
	if (irc_mask(m->argument, CHAT_MASK_SIZE - 1, &b) < 0 ||
		span_copy_str(buf_span(&b), mask, CHAT_MASK_SIZE) < 0) {
		refuse_value(ch, m, "That is no mask");
		return false;
	}
	change->text = span_str(mask);
	return true;
}

/* A key is a word that JOIN can give, among others behind commas. */
static bool read_key(struct changes *ch, const struct irc_mode *m, struct chat_change *change)
{
	change->text = m->argument;
	if (!m->set)
		return true;
	if (!m->has_argument || m->argument.len == 0 || m->argument.len >= CHAT_KEY_SIZE ||
		*m->argument.p == ':' || !text_is_print(m->argument) ||
		memchr(m->argument.p, ' ', m->argument.len) != NULL ||
		memchr(m->argument.p, ',', m->argument.len) != NULL) {
		refuse_value(ch, m, "A key is a word without comma, of at most 32 letters");
		return false;
	}
	return true;
}

static bool read_limit(struct changes *ch, const struct irc_mode *m, struct chat_change *change)
{
	uint64_t limit = 0;

	if (m->set && (!m->has_argument || num_parse_u64(m->argument, 1, INT32_MAX, &limit) < 0)) {
		refuse_value(ch, m, "A limit is a number from 1 on");
		return false;
	}
	change->limit = (uint32_t)limit;
	return true;
}

static bool read_nick(struct changes *ch, const struct irc_mode *m, struct chat_change *change)
{
	if (!m->has_argument || m->argument.len == 0) {
		refuse_value(ch, m, "A nick is needed");
		return false;
	}
	change->text = m->argument;
	return true;
}

static bool read_change(struct changes *ch, const struct irc_mode *m, struct chat_change *change)
{
	const struct irc_mode_types *t = &chatd_channel_modes;

	if (!m->known) {
		chatd_numeric(ch->c, 472, "%c :is no mode of channels here",
			m->letter > ' ' && m->letter < 0x7f && m->letter != ':' ? m->letter : '?');
		return false;
	}
	if (strchr(t->lists, m->letter) != NULL)
		return read_mask(ch, m, change);
	if (strchr(t->prefix, m->letter) != NULL)
		return read_nick(ch, m, change);
	if (m->letter == 'k')
		return read_key(ch, m, change);
	return m->letter != 'l' || read_limit(ch, m, change);
}

static void read_changes(struct changes *ch, const struct irc_message *m)
{
	struct irc_mode modes[CHAT_CHANGES_MAX];
	size_t count = irc_modes(
		&chatd_channel_modes, m->params + 1, m->count - 1, modes, CHAT_CHANGES_MAX);

	for (size_t i = 0; i < count; i++) {
		struct chat_change change = {.set = modes[i].set, .mode = modes[i].letter};

		if (read_change(ch, &modes[i], &change))
			ch->args.changes[ch->args.count++] = change;
	}
}

/* One 482 for all; the others have a word of their own. */
static void refuse_changes(struct changes *ch, const struct chat_mode_result *result)
{
	bool said = false;

	for (size_t i = 0; i < ch->args.count; i++) {
		enum chat_answer answer = result->each[i];
		struct chatd_word what = chatd_word(ch->args.changes[i].text);

		if (answer == CHAT_DONE || answer == CHAT_NOTHING)
			continue;
		if (answer == CHAT_TOO_MANY)
			chatd_numeric(ch->c, 478, "%s %c :The list is full", ch->channel->name,
				ch->args.changes[i].mode);
		else if (answer != CHAT_NOT_OP || !said)
			chatd_refuse(ch->c, answer, "MODE", ch->channel->name, what.text);
		said = said || answer == CHAT_NOT_OP;
	}
}

static int apply(struct changes *ch)
{
	struct chat_mode_result result = {.result.answer = CHAT_DONE};
	enum chat_answer answer;
	int r;

	if (ch->args.count == 0)
		return 0;
	r = chatd_act(ch->c, STORE_OP_CHAT_MODE, &ch->args, &result);
	answer = result.result.answer;
	if (r < 0 || (r == 0 && answer == CHAT_DONE))
		return r;
	if (answer == CHAT_NO_SUCH_CHANNEL || answer == CHAT_NOT_JOINED)
		chatd_refuse(ch->c, answer, "MODE", ch->channel->name, "");
	else
		refuse_changes(ch, &result);
	return 0;
}

/* Lists are for members. */
static int show_lists(struct changes *ch)
{
	int r = 0;

	if (ch->list_count > 0 && chatd_room(ch->c, ch->channel->id) == NULL &&
		!chatd_is_oper(ch->c)) {
		chatd_refuse(ch->c, CHAT_NOT_JOINED, "MODE", ch->channel->name, "");
		return 0;
	}
	for (size_t i = 0; i < ch->list_count && r == 0; i++)
		r = chatd_show_list(ch->c, ch->channel, (enum chat_list)ch->lists[i]);
	return r;
}

int chatd_cmd_mode(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct chatd *c = call->c;
	struct chat_channel channel;
	struct changes ch = {.c = c, .channel = &channel};
	int r;

	if (m->params[0].len == 0 || *m->params[0].p != '#')
		return chatd_user_mode(call);
	r = chatd_channel(c, m->params[0], "MODE", &channel);
	if (r <= 0)
		return r;
	if (m->count == 1) {
		show(c, &channel);
		return 0;
	}
	ch.args.by = chatd_actor(c);
	ch.args.channel = m->params[0];
	ch.args.override = chatd_is_oper(c);
	read_changes(&ch, m);
	r = apply(&ch);
	return r < 0 ? r : show_lists(&ch);
}
