/* Acts in channels. */
#include "tests/unit/lib/chat_acts.h"

#include "base/buf.h"
#include "base/num.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TEXT_MAX = 1 << 16 };

bool acts_override;

static enum chat_answer call(struct store *s, enum store_op op, const void *args)
{
	struct chat_result r;

	assert_int_equal(store_call(s, op, args, &r), 0);
	return r.answer;
}

enum chat_answer acts_join(
	struct store *s, struct chat_actor by, const char *channel, const char *key)
{
	const struct chat_join_args a = {by, span_str(channel), span_str(key), acts_override};
	struct chat_join_result r;

	assert_int_equal(store_call(s, STORE_OP_CHAT_JOIN, &a, &r), 0);
	return r.result.answer;
}

enum chat_answer acts_enter(struct store *s, struct chat_actor by, const char *channel)
{
	return acts_join(s, by, channel, "");
}

enum chat_answer acts_part(struct store *s, struct chat_actor by, const char *channel)
{
	const struct chat_part_args a = {by, span_str(channel), SPAN_LIT("bye")};

	return call(s, STORE_OP_CHAT_PART, &a);
}

enum chat_answer acts_kick(
	struct store *s, struct chat_actor by, const char *channel, const char *nick)
{
	const struct chat_kick_args a = {
		by, span_str(channel), span_str(nick), SPAN_LIT("out"), acts_override};

	return call(s, STORE_OP_CHAT_KICK, &a);
}

enum chat_answer acts_invite(
	struct store *s, struct chat_actor by, const char *channel, const char *nick)
{
	const struct chat_invite_args a = {by, span_str(channel), span_str(nick)};

	return call(s, STORE_OP_CHAT_INVITE, &a);
}

enum chat_answer acts_topic(
	struct store *s, struct chat_actor by, const char *channel, const char *text)
{
	const struct chat_topic_args a = {by, span_str(channel), span_str(text), acts_override};

	return call(s, STORE_OP_CHAT_TOPIC, &a);
}

enum chat_answer acts_rename(
	struct store *s, struct chat_actor by, const char *channel, const char *name)
{
	const struct chat_rename_args a = {
		by, span_str(channel), span_str(name), SPAN_LIT("why"), acts_override};

	return call(s, STORE_OP_CHAT_RENAME, &a);
}

enum chat_answer acts_drop(struct store *s, const char *channel)
{
	const struct chat_drop_args a = {{.session = 0, .who = "", .now_us = 0}, span_str(channel)};

	return call(s, STORE_OP_CHAT_DROP, &a);
}

/* -- MODE -------------------------------------------------------------------------------------- */

static bool takes_word(char mode, bool set)
{
	return strchr("ohvbeIk", mode) != NULL || (mode == 'l' && set);
}

static void read_change(struct chat_change *c, struct span *words)
{
	uint64_t limit = 0;

	if (!takes_word(c->mode, c->set))
		return;
	(void)span_split(words, ' ', &c->text);
	if (c->mode == 'l')
		(void)num_parse_u64(c->text, 0, UINT32_MAX, &limit);
	c->limit = (uint32_t)limit;
}

enum chat_answer acts_mode(struct store *s, struct chat_actor by, const char *channel,
	const char *changes, enum chat_answer *ret_each)
{
	struct chat_mode_args a = {
		.by = by, .channel = span_str(channel), .override = acts_override};
	struct span words = span_str(changes), letters = {NULL, 0};
	struct chat_mode_result r;
	bool set = true;

	(void)span_split(&words, ' ', &letters);
	for (size_t i = 0; i < letters.len; i++) {
		if (letters.p[i] == '+' || letters.p[i] == '-') {
			set = letters.p[i] == '+';
			continue;
		}
		assert_true(a.count < CHAT_CHANGES_MAX);
		a.changes[a.count] = (struct chat_change){.set = set, .mode = (char)letters.p[i]};
		read_change(&a.changes[a.count++], &words);
	}
	assert_int_equal(store_call(s, STORE_OP_CHAT_MODE, &a, &r), 0);
	if (ret_each != NULL)
		memcpy(ret_each, r.each, sizeof(r.each));
	return a.count > 0 ? r.each[a.count - 1] : r.result.answer;
}

/* -- the log ----------------------------------------------------------------------------------- */

static const char *const kinds[] = {[CHAT_JOIN] = "JOIN",
	[CHAT_PART] = "PART",
	[CHAT_KICK] = "KICK",
	[CHAT_MODE] = "MODE",
	[CHAT_TOPIC] = "TOPIC",
	[CHAT_INVITE] = "INVITE",
	[CHAT_RENAME] = "RENAME"};

struct reading {
	uint64_t from;
	struct buf text;
};

static int read_event(void *arg, const struct chat_event *e)
{
	struct reading *r = arg;

	r->from = e->seq;
	if ((size_t)e->kind >= sizeof(kinds) / sizeof(kinds[0]) || kinds[e->kind] == NULL)
		return 0;
	buf_add(&r->text, e->nick.len > 0 ? e->nick : SPAN_LIT("*"));
	buf_addf(&r->text, " %s ", kinds[e->kind]);
	buf_add(&r->text, e->target);
	if (e->subject.len > 0)
		buf_add_byte(&r->text, ' ');
	buf_add(&r->text, e->subject);
	if (e->text.len > 0)
		buf_add_str(&r->text, e->kind == CHAT_MODE ? " " : ": ");
	buf_add(&r->text, e->text);
	buf_add_byte(&r->text, '\n');
	return 0;
}

static int read_log(struct store_txn *txn, void *arg)
{
	struct reading *r = arg;

	return chat_events_each(txn, r->from, read_event, r);
}

static struct reading seen;

static void read_on(struct store *s)
{
	seen.text.max = TEXT_MAX;
	buf_reset(&seen.text);
	assert_int_equal(store_view(s, read_log, &seen), 0);
}

void acts_expect(struct store *s, const char *events)
{
	read_on(s);
	assert_string_equal(buf_str(&seen.text), events);
	buf_done(&seen.text);
}

void acts_forget(struct store *s)
{
	seen.from = 0;
	read_on(s);
	buf_done(&seen.text);
}

/* -- what holds -------------------------------------------------------------------------------- */

struct look {
	const char *channel, *who;
	enum chat_list list;
	struct chat_channel c;
	struct buf text;
};

static int look_channel(struct store_txn *txn, void *arg)
{
	struct look *l = arg;

	return chat_channel_find(txn, span_str(l->channel), &l->c);
}

struct chat_channel acts_channel(struct store *s, const char *name)
{
	struct look l = {.channel = name};

	assert_int_equal(store_view(s, look_channel, &l), 0);
	return l.c;
}

bool acts_exists(struct store *s, const char *name)
{
	struct look l = {.channel = name};
	int rc = store_view(s, look_channel, &l);

	assert_true(rc == 0 || rc == -ENOENT);
	return rc == 0;
}

static int look_member(struct store_txn *txn, void *arg)
{
	struct look *l = arg;
	struct chat_member m;
	int rc = chat_channel_find(txn, span_str(l->channel), &l->c);

	if (rc == 0)
		rc = chat_member_read(txn, l->c.id, l->who, &m);
	if (rc < 0) {
		buf_add_str(&l->text, "?");
		return rc == -ENOENT ? 0 : rc;
	}
	buf_add_str(&l->text, (m.roles & CHAT_OP) != 0 ? "@" : "");
	buf_add_str(&l->text, (m.roles & CHAT_HALFOP) != 0 ? "%" : "");
	buf_add_str(&l->text, (m.roles & CHAT_VOICE) != 0 ? "+" : "");
	buf_add_str(&l->text, m.joined ? "" : "-");
	return 0;
}

static int add_line(struct buf *b, const char *line)
{
	buf_addf(b, "%s\n", line);
	return buf_error(b);
}

static int add_mask(void *arg, const struct chat_list_entry *e)
{
	return add_line(arg, e->mask);
}

static int look_list(struct store_txn *txn, void *arg)
{
	struct look *l = arg;
	int rc = chat_channel_find(txn, span_str(l->channel), &l->c);

	return rc < 0 ? rc : chat_list_each(txn, l->c.id, l->list, add_mask, &l->text);
}

static int add_nick(void *arg, const struct chat_member *m, const struct chat_user *u)
{
	assert_string_equal(m->who, u->who);
	return add_line(arg, u->nick);
}

static int look_members(struct store_txn *txn, void *arg)
{
	struct look *l = arg;
	int rc = chat_channel_find(txn, span_str(l->channel), &l->c);

	return rc < 0 ? rc : chat_members_each(txn, l->c.id, add_nick, &l->text);
}

static int add_joined(void *arg, const struct chat_member *m, const struct chat_channel *c)
{
	assert_true(m->channel == c->id && m->joined);
	return add_line(arg, c->name);
}

static int look_joined(struct store_txn *txn, void *arg)
{
	struct look *l = arg;

	return chat_joined_each(txn, l->who, add_joined, &l->text);
}

static int add_invite(void *arg, const struct chat_channel *c)
{
	return add_line(arg, c->name);
}

static int look_invites(struct store_txn *txn, void *arg)
{
	struct look *l = arg;

	return chat_invites_each(txn, l->who, add_invite, &l->text);
}

/* The text stays until the next look. */
static const char *look(
	struct store *s, int (*fn)(struct store_txn *txn, void *arg), struct look *l)
{
	static char text[TEXT_MAX];

	l->text.max = sizeof(text) - 1;
	assert_int_equal(store_view(s, fn, l), 0);
	assert_int_equal(span_copy_str(buf_span(&l->text), text, sizeof(text)), 0);
	buf_done(&l->text);
	return text;
}

const char *acts_member(struct store *s, const char *channel, const char *who)
{
	struct look l = {.channel = channel, .who = who};

	return look(s, look_member, &l);
}

const char *acts_list(struct store *s, const char *channel, enum chat_list list)
{
	struct look l = {.channel = channel, .list = list};

	return look(s, look_list, &l);
}

const char *acts_members(struct store *s, const char *channel)
{
	struct look l = {.channel = channel};

	return look(s, look_members, &l);
}

const char *acts_joined(struct store *s, const char *who)
{
	struct look l = {.who = who};

	return look(s, look_joined, &l);
}

const char *acts_invites(struct store *s, const char *who)
{
	struct look l = {.who = who};

	return look(s, look_invites, &l);
}
