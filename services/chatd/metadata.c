/*
 * METADATA: keys and values of oneself and of channels. A person's are for those to see who may see
 * the person, a channel's for its members.
 */
#include "services/chatd/metadata.h"

#include "base/cleanup.h"
#include "base/match.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>

/* -- words ------------------------------------------------------------------------------------- */

void metadata_refuse(
	struct chatd *c, const char *code, const char *target, const char *key, const char *text)
{
	char words[600];

	(void)snprintf(words, sizeof(words), "%s%s%s", target,
		*target != '\0' && *key != '\0' ? " " : "", key);
	chatd_standard(c, "FAIL", "METADATA", code, words, "%s", text);
}

bool metadata_key(struct span given, char ret[CHAT_META_KEY_SIZE])
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_./-";
	char key[CHAT_META_KEY_SIZE] = {0};

	if (given.len == 0 || given.len >= sizeof(key))
		return false;
	for (size_t i = 0; i < given.len; i++) {
		key[i] = (char)match_fold(given.p[i]);
		if (memchr(allowed, key[i], sizeof(allowed) - 1) == NULL)
			return false;
	}
	memcpy(ret, key, sizeof(key));
	return true;
}

bool metadata_key_said(struct chatd *c, struct span given, char ret[CHAT_META_KEY_SIZE])
{
	if (metadata_key(given, ret))
		return true;
	metadata_refuse(c, "INVALID_KEY", "", chatd_word(given).text, "This is no name of a key");
	return false;
}

bool metadata_value_said(struct chatd *c, const char *key, struct span value)
{
	if (value.len <= CHATD_META_VALUE_MAX && text_is_utf8(value))
		return true;
	metadata_refuse(c, "INVALID_VALUE", "", key, "A value is UTF-8 of at most 300 bytes");
	return false;
}

void metadata_line(struct chatd *c, const char *batch, unsigned number, const char *format, ...)
{
	char line[IRC_BODY_MAX + 1];
	va_list args;
	int len = snprintf(line, sizeof(line), ":%s %03u %s ", c->service->settings.host, number,
		chatd_nick(c));

	va_start(args, format);
	if (len > 0 && (size_t)len < sizeof(line))
		(void)vsnprintf(line + len, sizeof(line) - (size_t)len, format, args);
	va_end(args);
	chatd_send(c, &(struct chatd_tags){.batch = *batch != '\0' ? batch : NULL}, span_str(line));
}

void metadata_send(struct chatd *c, const char *name, const struct buf *lines)
{
	struct span rest = buf_span(lines), line;
	char batch[16];

	chatd_batch_begin(c, "metadata", name, batch);
	while (irc_word(&rest, '\n', &line))
		metadata_line(c, batch, 761, "%.*s", CHATD_SPAN(line));
	chatd_batch_end(c, batch);
}

/* -- targets ----------------------------------------------------------------------------------- */

enum { THERE_IS_NONE, MAY_NOT_SEE, FOUND };

struct question {
	struct metadata *m;
	struct span target;
	int answer;
};

static int find_channel(struct store_txn *txn, struct question *q)
{
	struct metadata *m = q->m;
	struct chat_channel channel;
	int r = chat_channel_find(txn, q->target, &channel);

	if (r < 0 || !chatd_sees(m->c, &channel))
		return r == -ENOENT ? 0 : r;
	m->channel = channel.id;
	(void)snprintf(m->name, sizeof(m->name), "%s", channel.name);
	q->answer =
		chatd_room(m->c, channel.id) != NULL || chatd_is_oper(m->c) ? FOUND : MAY_NOT_SEE;
	return 0;
}

static int find_person(struct store_txn *txn, struct question *q)
{
	struct metadata *m = q->m;
	struct chat_user user;
	int r = chat_nick_find(txn, q->target, &user);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	(void)snprintf(m->name, sizeof(m->name), "%s", user.nick);
	memcpy(m->who, user.who, sizeof(m->who));
	m->mine = strcmp(user.who, m->c->me.who) == 0;
	r = chatd_sees_person(txn, m->c, &user);
	q->answer = r > 0 ? FOUND : MAY_NOT_SEE;
	return r < 0 ? r : 0;
}

static int find(struct store_txn *txn, void *arg)
{
	struct question *q = arg;
	int r = *q->target.p == '#' ? find_channel(txn, q) : find_person(txn, q);

	return r < 0 ? r : 1;
}

int metadata_find(struct metadata *m)
{
	struct span given = m->message->params[0];
	struct question q = {.m = m, .target = given};
	int r;

	if (given.len == 0 || span_eq_str(given, "*"))
		q.target = span_str(m->c->me.nick);
	(void)snprintf(m->name, sizeof(m->name), "%s", chatd_word(q.target).text);
	r = chatd_view(m->c, find, &q);
	if (r <= 0)
		return r;
	if (q.answer == THERE_IS_NONE)
		metadata_refuse(m->c, "INVALID_TARGET", m->name, "", "There is no such target");
	if (q.answer == MAY_NOT_SEE)
		metadata_refuse(m->c, "KEY_NO_PERMISSION", m->name, "*",
			"This is for those to see who share a channel with it");
	return q.answer == FOUND;
}

/* -- reading ----------------------------------------------------------------------------------- */

struct listing {
	const struct metadata *m;
	const char *key; /* only this one; NULL: all */
	struct buf lines;
};

static int list_one(void *arg, const struct chat_meta_row *row)
{
	struct listing *l = arg;

	if (l->key == NULL || strcmp(l->key, row->key) == 0)
		buf_addf(
			&l->lines, "%s %s * :%.*s\n", l->m->name, row->key, CHATD_SPAN(row->value));
	return buf_error(&l->lines);
}

static int list_all(struct store_txn *txn, void *arg)
{
	struct listing *l = arg;
	int r = chat_meta_each(txn, l->m->channel, l->m->who, list_one, l);

	return r < 0 ? r : 1;
}

static int list(struct metadata *m)
{
	struct listing l = {.m = m, .lines = BUF_INIT(CHATD_GATHER_MAX)};
	int r = metadata_find(m);

	if (r == 1)
		r = chatd_view(m->c, list_all, &l);
	if (r == 1)
		metadata_send(m->c, m->name, &l.lines);
	buf_done(&l.lines);
	return r;
}

static int get_one(struct metadata *m, const char *batch, struct span given)
{
	char key[CHAT_META_KEY_SIZE];
	struct listing l = {.m = m, .key = key, .lines = BUF_INIT(CHATD_GATHER_MAX)};
	struct span rest, line;
	int r = 1;

	if (!metadata_key_said(m->c, given, key))
		return 1;
	r = chatd_view(m->c, list_all, &l);
	rest = buf_span(&l.lines);
	if (r == 1 && irc_word(&rest, '\n', &line))
		metadata_line(m->c, batch, 761, "%.*s", CHATD_SPAN(line));
	else if (r == 1)
		metadata_line(m->c, batch, 766, "%s %s :The key is not set", m->name, key);
	buf_done(&l.lines);
	return r;
}

static int get(struct metadata *m)
{
	char batch[16];
	int r = metadata_find(m);

	if (r <= 0)
		return r;
	chatd_batch_begin(m->c, "metadata", m->name, batch);
	for (size_t i = 2; r == 1 && i < m->message->count; i++)
		r = get_one(m, batch, m->message->params[i]);
	chatd_batch_end(m->c, batch);
	return r;
}

/* -- writing ----------------------------------------------------------------------------------- */

/* 1: done; 0: refused and said; negative. */
static int change(struct metadata *m, struct chat_meta_args *args, const char *key)
{
	struct chat_result result = {.answer = CHAT_DONE};
	int r;

	args->by = chatd_actor(m->c);
	args->override = chatd_is_oper(m->c);
	if (m->channel != 0)
		args->channel = span_str(m->name);
	r = chatd_act(m->c, STORE_OP_CHAT_META, args, &result);
	if (r != 0 || result.answer == CHAT_DONE)
		return r;
	if (result.answer == CHAT_UNKNOWN_KEY)
		metadata_refuse(m->c, "KEY_NOT_SET", m->name, key, "The key is not set");
	else if (result.answer == CHAT_TOO_MANY)
		metadata_refuse(m->c, "LIMIT_REACHED", m->name, "", "There are too many keys");
	else if (result.answer == CHAT_NO_SUCH_CHANNEL)
		metadata_refuse(m->c, "INVALID_TARGET", m->name, "", "There is no such target");
	else
		metadata_refuse(m->c, "KEY_NO_PERMISSION", m->name, key,
			"Only operators of the channel may change that");
	return 0;
}

/* Nobody changes what is another's. 1, 0 said, negative. */
static int find_own(struct metadata *m, const char *key)
{
	int r = metadata_find(m);

	if (r == 1 && m->channel == 0 && !m->mine) {
		metadata_refuse(m->c, "KEY_NO_PERMISSION", m->name, key, "This is not yours");
		return 0;
	}
	return r;
}

/* An empty value removes the key, as none does. */
static int set(struct metadata *m)
{
	char key[CHAT_META_KEY_SIZE];
	struct chat_meta_args args = {.all = false};
	int r;

	if (!metadata_key_said(m->c, m->message->params[2], key))
		return 0;
	args.key = span_str(key);
	if (m->message->count > 3 && m->message->params[3].len > 0)
		args.value = m->message->params[3];
	r = find_own(m, key);
	if (r <= 0 || !metadata_value_said(m->c, key, args.value))
		return r < 0 ? r : 0;
	r = change(m, &args, key);
	if (r == 1 && args.value.p == NULL)
		chatd_numeric(m->c, 766, "%s %s :The key is removed", m->name, key);
	else if (r == 1)
		chatd_numeric(m->c, 761, "%s %s * :%.*s", m->name, key, CHATD_SPAN(args.value));
	return r;
}

static bool second_word(struct span line, struct span *ret)
{
	struct span first;

	return irc_word(&line, ' ', &first) && irc_word(&line, ' ', ret);
}

static int clear(struct metadata *m)
{
	struct listing l = {.m = m, .lines = BUF_INIT(CHATD_GATHER_MAX)};
	struct chat_meta_args args = {.all = true};
	struct span rest, line, key;
	char batch[16];
	int r = find_own(m, "*");

	if (r == 1)
		r = chatd_view(m->c, list_all, &l);
	if (r == 1)
		r = change(m, &args, "*");
	if (r == 1) {
		rest = buf_span(&l.lines);
		chatd_batch_begin(m->c, "metadata", m->name, batch);
		while (irc_word(&rest, '\n', &line))
			if (second_word(line, &key))
				metadata_line(m->c, batch, 766, "%s %.*s :The key is removed",
					m->name, CHATD_SPAN(key));
		chatd_batch_end(m->c, batch);
	}
	buf_done(&l.lines);
	return r;
}

/* -- the command ------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	size_t least;
	bool session; /* of the session alone: before registration too */
	int (*run)(struct metadata *m);
} subcommands[] = {
	{"GET", 3, false, get},
	{"LIST", 2, false, list},
	{"SET", 3, false, set},
	{"CLEAR", 2, false, clear},
	{"SYNC", 2, false, metadata_sync},
	{"SUB", 3, true, metadata_sub},
	{"UNSUB", 3, true, metadata_unsub},
	{"SUBS", 2, true, metadata_subs},
};

int chatd_cmd_metadata(struct chatd_call *call)
{
	struct metadata m = {.c = call->c, .message = call->message};
	int r;

	for (size_t i = 0; i < sizeof(subcommands) / sizeof(*subcommands); i++) {
		if (!span_caseeq_str(call->message->params[1], subcommands[i].name))
			continue;
		if (call->message->count < subcommands[i].least) {
			chatd_numeric(call->c, 461, "METADATA :Not enough parameters");
			return 0;
		}
		r = call->c->registered || subcommands[i].session
			? subcommands[i].run(&m)
			: metadata_early(&m, subcommands[i].name);
		return r < 0 ? r : 0;
	}
	metadata_refuse(call->c, "INVALID_PARAMS", chatd_word(call->message->params[1]).text, "",
		"GET LIST SET CLEAR SUB UNSUB SUBS or SYNC is wanted");
	return 0;
}
